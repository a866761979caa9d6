/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank report: the evaluator's figures of a period. As JSON it prints the bank's own bytes, so
 * that the same question gives the same bytes for ever.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "client.h"
#include "layout.h"
#include "options.h"
#include "report-csv.h"
#include "report-html.h"
#include "report-out.h"
#include "report-text.h"
#include "report-why.h"
#include "report.h"

#define REPORT_BYTES_MAX (64u * 1024 * 1024)

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_CSV, REPORT_HTML };

struct report_form {
    enum report_format format;
    bool all;
    const struct rates *rates; /* NULL: no estimate */
};

static int size_read(struct client *client, const char *text, uint64_t *ret_size) {
    size_t n = strlen(text);
    if (n == 0 || n > 18 || strspn(text, "0123456789") != n || strtoull(text, NULL, 10) == 0)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is no position: --at takes the size of the ledger that a "
                             "report or timebank status named.",
                             text);
    *ret_size = strtoull(text, NULL, 10);
    return CLIENT_DONE;
}

bool report_class_read(const char *name, enum tb_report_class *ret_class) {
    int report_class = tb_report_class_from_name(name);
    if (report_class <= TB_CLASS_OF_KEY)
        return false;
    *ret_class = (enum tb_report_class)report_class;
    return true;
}

static int class_check(const struct report_options *options, struct tb_report_ask *ask) {
    if (!options->class || report_class_read(options->class, &ask->report_class))
        return CLIENT_DONE;
    return client_usage(&verb_report, "There is no class \"%s\": it is internal, funder or public.",
                        options->class);
}

int report_ask_read(struct client *client, const struct report_options *options,
                    struct tb_report_ask *ask) {
    int status = client_date(client, options->from, &ask->from_day);
    if (status == CLIENT_DONE)
        status = client_date(client, options->to, &ask->to_day);
    if (status == CLIENT_DONE && options->as_known_at)
        status = client_date(client, options->as_known_at, &ask->known_day);
    if (status == CLIENT_DONE && options->at)
        status = size_read(client, options->at, &ask->at_size);
    if (status == CLIENT_DONE)
        status = class_check(options, ask);
    if (status == CLIENT_DONE && ask->to_day < ask->from_day)
        status = client_refuse(client, TB_BAD_PERIOD,
                               "The period ends before it begins: check --from and --to.");
    ask->as_recorded = options->as_recorded;
    ask->release = options->release;
    return status;
}

static int format_check(struct client *client, const char *format, enum report_format *ret_format) {
    static const char *const names[] = {"text", "json", "csv", "html"};
    *ret_format = client->json ? REPORT_JSON : REPORT_TEXT;
    if (!format)
        return CLIENT_DONE;
    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        if (strcmp(format, names[i]) != 0)
            continue;
        *ret_format = client->json ? REPORT_JSON : (enum report_format)i;
        return CLIENT_DONE;
    }
    return client_usage(&verb_report, "There is no format \"%s\": it is text, csv, json or html.",
                        format);
}

static int report_print(struct client *client, FILE *to, const char *text,
                        const struct report_form *form) {
    if (form->format == REPORT_JSON) {
        fprintf(to, "%s\n", text);
        return CLIENT_DONE;
    }
    json_t *report = json_loads(text, 0, NULL);
    if (!report)
        return client_outcome(client, -EBADMSG);
    if (form->format == REPORT_CSV)
        report_csv_print(to, report, form->rates);
    else if (form->format == REPORT_HTML)
        report_html_print(to, report, form->rates);
    else
        report_text_print(to, report, form->rates, form->all);
    json_decref(report);
    return CLIENT_DONE;
}

/* No figures of another class than the one asked for are ever passed on. */
static int answer_check(struct client *client, const struct tb_report_ask *ask, const char *text) {
    json_t *report = json_loads(text, 0, NULL);
    const char *class = json_string_value(json_object_get(report, "class"));
    enum tb_report_class found = TB_CLASS_OF_KEY;
    bool fits = class && report_class_read(class, &found) &&
                (ask->report_class == TB_CLASS_OF_KEY || found == ask->report_class);
    json_decref(report);
    return fits ? CLIENT_DONE
                : client_outcome_why(client, -EPROTO,
                                     "The bank answered with a report of another class than the "
                                     "one asked for: nothing is shown.");
}

/* What an evaluator's key gets has left the bank, and so has what a broker releases. */
static int report_get(struct client *client, const struct tb_report_ask *ask, char **ret_json) {
    uint64_t entry = 0;
    if (!ask->release && tb_bank_role(client->bank) != TB_ROLE_EVALUATOR)
        return client_outcome(client, tb_report_get(client->bank, ask, ret_json));
    int status = client_outcome(client, tb_report_release(client->bank, ask, ret_json, &entry));
    if (status == CLIENT_DONE && entry != 0)
        client_line(stderr,
                    "Released as entry %" PRIu64
                    ": these figures are on record as having left the bank.",
                    entry);
    return status;
}

int report_fetch(struct client *client, const struct tb_report_ask *ask, char **ret_json) {
    _cleanup_(freep) char *text = NULL;
    int status = client_open(client);
    if (status == CLIENT_DONE)
        status = report_get(client, ask, &text);
    if (status == CLIENT_DONE)
        status = answer_check(client, ask, text);
    if (status == CLIENT_DONE)
        *ret_json = TAKE(text);
    return status;
}

static bool report_is_whole(const char *text) {
    static const char *const objects[] = {"position", "rule", "measures", "register_measures"};
    json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    enum tb_report_class class;
    bool whole = report_class_read(report_words_text(report, "class"), &class);
    for (size_t i = 0; i < N_ELEMENTS(objects); i++)
        whole = whole && json_is_object(json_object_get(report, objects[i]));
    json_decref(report);
    return whole;
}

int report_file_read(struct client *client, const char *path, char **ret_json) {
    _cleanup_bytes_ struct bytes file = {0};
    _cleanup_(freep) char *text = NULL;
    int r = file_read(path, REPORT_BYTES_MAX, &file);
    if (r < 0)
        return client_refuse(client, TB_BAD_FILE, "%s cannot be read: %s. Name a report as JSON.",
                             path, strerror(-r));
    while (file.n > 0 && strchr("\r\n", file.data[file.n - 1]))
        file.n--;
    if (memchr(file.data, 0, file.n) == NULL)
        text = bytes_take_text(&file);
    if (!text || !report_is_whole(text))
        return client_refuse(client, TB_BAD_FILE,
                             "%s is no report: name the JSON that timebank report --json printed.",
                             path);
    *ret_json = TAKE(text);
    return CLIENT_DONE;
}

static int form_read(struct client *client, const struct report_options *words, struct rates *rates,
                     struct report_form *form) {
    int status = format_check(client, words->format, &form->format);
    form->all = words->all;
    if (status != CLIENT_DONE || !words->rates)
        return status;
    if (form->format == REPORT_JSON)
        return client_usage(&verb_report,
                            "JSON is the bank's own bytes, to which nothing is added: "
                            "use --rates with --format text, csv or html.");
    form->rates = rates;
    return rates_read(client, words->rates, rates);
}

static int text_get(struct client *client, const struct report_options *words, char **ret_text) {
    struct tb_report_ask ask = {0};
    if (words->read)
        return report_file_read(client, words->read, ret_text);
    int status = report_ask_read(client, words, &ask);
    return status == CLIENT_DONE ? report_fetch(client, &ask, ret_text) : status;
}

/* The bank's own bytes go with its signature; what is made of them has none. */
static int report_write(struct client *client, const struct report_options *words, const char *text,
                        const struct report_form *form) {
    _cleanup_(freep) char *made = NULL;
    size_t n = 0;
    if (form->format == REPORT_JSON && !words->read)
        return report_out_signed(client, words->out, text);
    FILE *to = open_memstream(&made, &n);
    if (!to)
        return client_outcome(client, -errno);
    int status = report_print(client, to, text, form);
    if (fclose(to) != 0 && status == CLIENT_DONE)
        status = client_outcome(client, -errno);
    return status == CLIENT_DONE ? report_out_plain(client, words->out, made, n) : status;
}

static int report_plain(struct client *client, const struct report_options *words) {
    _cleanup_(freep) char *text = NULL;
    struct report_form form = {0};
    struct rates rates;
    int status;
    if (words->read && (words->from || words->to || words->as_known_at || words->at ||
                        words->class || words->as_recorded))
        return client_usage(&verb_report, "--read shows what a file holds: leave out what would be "
                                          "asked of the bank.");
    if (!words->read && (!words->from || !words->to))
        return client_usage(&verb_report, "A report needs --from and --to.");
    status = form_read(client, words, &rates, &form);
    if (status == CLIENT_DONE)
        status = text_get(client, words, &text);
    if (status != CLIENT_DONE)
        return status;
    return words->out ? report_write(client, words, text, &form)
                      : report_print(client, stdout, text, &form);
}

static int report_by_layout(struct client *client, const struct report_options *words) {
    if (words->class || words->format || words->rates || words->all)
        return client_usage(&verb_report, "A layout says its class, format and rates itself: leave "
                                          "out --class, --format, --rates and --all.");
    if (!words->from != !words->to)
        return client_usage(&verb_report, "A period has two ends: give both --from and --to.");
    if (words->read && (words->from || words->as_known_at || words->at || words->as_recorded))
        return client_usage(&verb_report, "--read shows what a file holds: leave out what would be "
                                          "asked of the bank.");
    return layout_run(client, words);
}

static int report_verb(struct client *client, int argc, char **argv) {
    struct report_options words = {0};
    char *why = NULL, *after = NULL;
    const struct options_one options[] = {OPTION_TEXT("from", &words.from),
                                          OPTION_TEXT("to", &words.to),
                                          OPTION_TEXT("as-known-at", &words.as_known_at),
                                          OPTION_TEXT("at", &words.at),
                                          OPTION_TEXT("class", &words.class),
                                          OPTION_TEXT("format", &words.format),
                                          OPTION_TEXT("rates", &words.rates),
                                          OPTION_TEXT("read", &words.read),
                                          OPTION_TEXT("compare", &words.compare),
                                          OPTION_TEXT("layout", &words.layout),
                                          OPTION_TEXT("out", &words.out),
                                          OPTION_TEXT("why", &why),
                                          OPTION_TEXT("after", &after),
                                          OPTION_FLAG("as-recorded", &words.as_recorded),
                                          OPTION_FLAG("release", &words.release),
                                          OPTION_FLAG("all", &words.all),
                                          OPTION_END};
    int status = options_read(&verb_report, argc, argv, options, 0, 0, NULL);
    if (status != CLIENT_DONE)
        return status;
    if (words.compare && (words.from || words.to || words.as_known_at || words.at || words.class ||
                          words.as_recorded || words.layout || words.read || words.format ||
                          words.rates || words.out || words.release || words.all || why))
        return client_usage(&verb_report, "--compare asks what the file asked, as things stand "
                                          "now: leave the other options out.");
    if (words.compare)
        return report_compare(client, &words);
    if (why &&
        (words.layout || words.read || words.rates || words.out || words.release || words.all))
        return client_usage(&verb_report, "What a figure is made of is told as it is: leave out "
                                          "--layout, --read, --rates, --out, --release and --all.");
    if (words.layout)
        return report_by_layout(client, &words);
    if (why)
        return report_why(client, &words, why, after);
    if (after)
        return client_usage(&verb_report, "--after goes on with a list: give --why, too.");
    return report_plain(client, &words);
}

const struct verb verb_report = {
    .name = "report",
    .summary = "an evaluator's figures of a period",
    .help =
        "timebank report --from 2024-04-01 --to 2025-03-31\n"
        "\n"
        "Counts service by its date, as far as it was entered by the cut-off. The same\n"
        "question at the same position gives the same figures for ever.\n"
        "\n"
        "  --from DATE --to DATE  the period, both days included\n"
        "  --as-known-at DATE     leave out what was entered later; default: nothing\n"
        "  --as-recorded          by the ledger's own dates of entry, not those that imported\n"
        "                         books claim\n"
        "  --at SIZE              at an earlier position of the ledger\n"
        "  --class internal|funder|public  who it is for, and so how much it hides; an\n"
        "                         evaluator's key gets its own class\n"
        "  --release              it leaves the bank: a broker records that, as an evaluator's\n"
        "                         key always does\n"
        "  --format text|csv|json|html  default text; csv has one figure a row; html is one page\n"
        "                         for screen, phone and paper; --json is --format json\n"
        "  --all                  every figure and every line in the text, not one page\n"
        "  --out FILE             into a file; of JSON the ledger's signature goes beside it, as\n"
        "                         FILE.sig, for timebank verify FILE\n"
        "  --why MEASURE          what a figure is made of: givers, by_month/2024-04; with "
        "--after\n"
        "                         ENTRY the rest of a long list\n"
        "  --rates FILE.csv       beside the hours an estimate in money, at rates of your own:\n"
        "                         name,rate,currency,year,source\n"
        "  --layout FILE          in a funder's own words: timebank-layout(5)\n"
        "  --layout DIRECTORY --out DIRECTORY  every *.layout of it, one file each, or none\n"
        "  --read FILE.json       show a report that was kept as JSON, without the bank\n"
        "  --compare FILE.json    why the figures now differ from those: which entries came\n"
        "                         between, and what they moved\n",
    .run = report_verb,
};
