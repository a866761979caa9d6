/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank report: the evaluator's figures of a period. As JSON it prints the bank's own bytes, so
 * that the same question gives the same bytes for ever.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "client.h"
#include "options.h"
#include "report-csv.h"
#include "report-html.h"
#include "report-text.h"

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_CSV, REPORT_HTML };

struct words {
    char *from;
    char *to;
    char *as_known_at;
    char *at;
    char *class;
    char *format;
    bool as_recorded;
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

static int ask_read(struct client *client, const struct words *words, struct tb_report_ask *ask) {
    int status = client_date(client, words->from, &ask->from_day);
    if (status == CLIENT_DONE)
        status = client_date(client, words->to, &ask->to_day);
    if (status == CLIENT_DONE && words->as_known_at)
        status = client_date(client, words->as_known_at, &ask->known_day);
    if (status == CLIENT_DONE && words->at)
        status = size_read(client, words->at, &ask->at_size);
    if (status == CLIENT_DONE && ask->to_day < ask->from_day)
        status = client_refuse(client, TB_BAD_PERIOD,
                               "The period ends before it begins: check --from and --to.");
    ask->as_recorded = words->as_recorded;
    return status;
}

/* What other versions may write and this one does not is refused in words, never replaced. */
static int class_check(struct client *client, const char *class) {
    if (!class || strcmp(class, "internal") == 0)
        return CLIENT_DONE;
    if (strcmp(class, "funder") == 0 || strcmp(class, "public") == 0)
        return client_refuse(
            client, TB_NOT_FOR_EVALUATORS_YET,
            "Reports of the class %s hide small figures, which this version cannot "
            "do: use --class internal, and do not pass small figures on.",
            class);
    return client_usage(&verb_report, "There is no class \"%s\": it is internal, funder or public.",
                        class);
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

static int report_print(struct client *client, const char *text, enum report_format format) {
    if (format == REPORT_JSON) {
        puts(text);
        return CLIENT_DONE;
    }
    json_t *report = json_loads(text, 0, NULL);
    if (!report)
        return client_outcome(client, -EBADMSG);
    if (format == REPORT_CSV)
        report_csv_print(report);
    else if (format == REPORT_HTML)
        report_html_print(stdout, report);
    else
        report_text_print(stdout, report);
    json_decref(report);
    return CLIENT_DONE;
}

static int report_ask(struct client *client, const struct tb_report_ask *ask,
                      enum report_format format) {
    _cleanup_(freep) char *text = NULL;
    int status = client_open(client);
    if (status != CLIENT_DONE)
        return status;
    status = client_outcome(client, tb_report_get(client->bank, ask, &text));
    return status == CLIENT_DONE ? report_print(client, text, format) : status;
}

static int report_verb(struct client *client, int argc, char **argv) {
    struct words words = {0};
    struct tb_report_ask ask = {0};
    enum report_format format = REPORT_TEXT;
    const struct options_one options[] = {{.name = "from", .text = &words.from},
                                          {.name = "to", .text = &words.to},
                                          {.name = "as-known-at", .text = &words.as_known_at},
                                          {.name = "at", .text = &words.at},
                                          {.name = "class", .text = &words.class},
                                          {.name = "format", .text = &words.format},
                                          {.name = "as-recorded", .flag = &words.as_recorded},
                                          {.name = NULL}};
    int status = options_read(&verb_report, argc, argv, options, 0, 0, NULL);
    if (status == CLIENT_DONE && (!words.from || !words.to))
        status = client_usage(&verb_report, "A report needs --from and --to.");
    if (status == CLIENT_DONE)
        status = class_check(client, words.class);
    if (status == CLIENT_DONE)
        status = format_check(client, words.format, &format);
    if (status == CLIENT_DONE)
        status = ask_read(client, &words, &ask);
    return status == CLIENT_DONE ? report_ask(client, &ask, format) : status;
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
        "  --class internal       for use inside the bank (funder and public: not yet)\n"
        "  --format text|csv|json|html  default text; csv has one figure a row; html is one page\n"
        "                         for screen, phone and paper; --json is --format json\n",
    .run = report_verb,
};
