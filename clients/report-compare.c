/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank report --compare: why a report of today differs from one that was kept. The bank tells
 * which entries came between, and which figures they moved; here it is only put into words.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report-figure.h"
#include "report-words.h"
#include "report.h"
#include "verbs.h"

#define MARK_BYTES REPORT_FIGURE_BYTES

/* ------------------------------------------------------------ the report that was kept */

static int64_t size_of(const json_t *report) {
    return json_integer_value(json_object_get(json_object_get(report, "position"), "size"));
}

static int old_check(struct client *client, const char *path, const json_t *old) {
    const char *bank = report_words_text(old, "bank");
    if (strcmp(bank, tb_bank_origin(client->bank)) != 0)
        return client_refuse(client, TB_BAD_FILE,
                             "%s is a report of %s, and this is %s: name a report of this bank.",
                             path, *bank ? bank : "another bank", tb_bank_origin(client->bank));
    if (strcmp(report_words_text(old, "definition"), "timebank-measures/1") != 0)
        return client_refuse(client, TB_BAD_FILE,
                             "%s is of another set of measures, which cannot be compared: use the "
                             "version of timebank that made it.",
                             path);
    return CLIENT_DONE;
}

static int old_ask(struct client *client, const json_t *old, struct tb_report_ask *ask) {
    int status = client_date(client, report_words_text(old, "from"), &ask->from_day);
    if (status == CLIENT_DONE)
        status = client_date(client, report_words_text(old, "to"), &ask->to_day);
    if (status == CLIENT_DONE)
        status = client_date(client, report_words_text(old, "as_known_at"), &ask->since_known_day);
    if (status != CLIENT_DONE)
        return status;
    ask->since_size = (uint64_t)size_of(old);
    ask->since_as_recorded = ask->as_recorded = json_is_true(json_object_get(old, "as_recorded"));
    ask->report_class =
        (enum tb_report_class)tb_report_class_from_name(report_words_text(old, "class"));
    return CLIENT_DONE;
}

int report_release_first(struct client *client, struct tb_report_ask *ask) {
    _cleanup_(freep) char *text = NULL;
    struct tb_report_ask figures = *ask;
    if (tb_bank_role(client->bank) != TB_ROLE_EVALUATOR)
        return CLIENT_DONE;
    figures.what = TB_REPORT_FIGURES;
    figures.why = NULL;
    int status = report_fetch(client, &figures, &text);
    json_t *now = status == CLIENT_DONE ? json_loads(text, 0, NULL) : NULL;
    if (status == CLIENT_DONE)
        status = client_date(client, report_words_text(now, "as_known_at"), &ask->known_day);
    ask->at_size = (uint64_t)size_of(now);
    json_decref(now);
    return status;
}

/* ------------------------------------------------------------ in words */

static const struct {
    const char *why;
    const char *one; /* "3 entries came late" */
    const char *many;
    bool moves;
} whys[] = {
    {"late", "entry came late", "entries came late", true},
    {"effect", "proposal took effect", "proposals took effect", true},
    {"reversal", "was taken back", "were taken back", true},
    {"merge", "account was merged", "accounts were merged", false},
    {"unmerge", "merge was undone", "merges were undone", false},
};

static const char *why_of(const json_t *change) {
    return report_words_text(change, "why");
}

static void sums_tell(const json_t *changes) {
    for (size_t i = 0; i < N_ELEMENTS(whys); i++) {
        int64_t minutes = 0;
        size_t n = 0, k;
        json_t *change;
        char time[32];
        json_array_foreach(changes, k, change) {
            if (strcmp(why_of(change), whys[i].why) != 0)
                continue;
            n++;
            minutes += json_integer_value(json_object_get(change, "minutes"));
        }
        if (n == 0)
            continue;
        tb_time_format(minutes < 0 ? -minutes : minutes, time);
        if (whys[i].moves)
            client_line(stdout, "  %zu %s: %s%s", n, n == 1 ? whys[i].one : whys[i].many,
                        minutes < 0 ? "\xe2\x88\x92" : "+", time);
        else
            client_line(stdout, "  %zu %s", n, n == 1 ? whys[i].one : whys[i].many);
    }
}

static void entry_tell(const json_t *change) {
    int64_t minutes = json_integer_value(json_object_get(change, "minutes"));
    const char *on = report_words_text(change, "on");
    char time[32];
    tb_time_format(minutes < 0 ? -minutes : minutes, time);
    client_line(stdout, "  entry %-8" JSON_INTEGER_FORMAT " %-9s %-10s %-16s %s%s",
                json_integer_value(json_object_get(change, "entry")), why_of(change),
                *on ? on : "-", report_words_text(change, "kind"),
                minutes < 0   ? "\xe2\x88\x92"
                : minutes > 0 ? "+"
                              : "",
                minutes != 0 ? time : "");
}

static enum report_unit unit_of(const struct tb_measure *measure) {
    switch (measure ? measure->unit : TB_UNIT_COUNT) {
    case TB_UNIT_MINUTES:
        return REPORT_TIME;
    case TB_UNIT_DAYS:
        return REPORT_DAYS;
    case TB_UNIT_PERMILLE:
        return REPORT_PERCENT;
    case TB_UNIT_THOUSANDTHS:
        return REPORT_RATIO;
    case TB_UNIT_PER_MILLION:
        return REPORT_PER_MILLION;
    default:
        return REPORT_COUNT;
    }
}

/* The path within its object, which is what the table of measures knows. */
static const char *path_of(const char *path) {
    static const char *const objects[] = {"further_measures/", "register_measures/"};
    for (size_t i = 0; i < N_ELEMENTS(objects); i++)
        if (strncmp(path, objects[i], strlen(objects[i])) == 0)
            return path + strlen(objects[i]);
    return path;
}

static void figure_tell(const json_t *row) {
    const char *path = path_of(report_words_text(row, "measure"));
    const struct tb_measure *measure = tb_measure_find(path);
    char since[MARK_BYTES], now[MARK_BYTES];
    report_figure_text(report_figure_read(json_object_get(row, "since")), unit_of(measure), since);
    report_figure_text(report_figure_read(json_object_get(row, "now")), unit_of(measure), now);
    client_line(stdout, "  %-48s %16s %16s", strchr(path, '/') || !measure ? path : measure->title,
                *since ? since : "-", *now ? now : "-");
}

static void changes_tell(const json_t *changes, const json_t *old) {
    json_t *entries = json_object_get(changes, "entries"),
           *figures = json_object_get(changes, "figures"), *row;
    size_t i;
    client_line(stdout, "%s: %s to %s, class %s", report_words_text(changes, "bank"),
                report_words_text(changes, "from"), report_words_text(changes, "to"),
                report_words_text(changes, "class"));
    client_line(stdout,
                "Then: as known at %s, position %" JSON_INTEGER_FORMAT
                ". Now: as known at %s, position %" JSON_INTEGER_FORMAT ".",
                report_words_text(old, "as_known_at"), (json_int_t)size_of(old),
                report_words_text(changes, "as_known_at"), (json_int_t)size_of(changes));
    if (json_array_size(entries) == 0 && json_array_size(figures) == 0) {
        client_line(stdout, "Nothing differs.");
        return;
    }
    if (json_array_size(entries) > 0) {
        client_line(stdout, "Between the two:");
        sums_tell(entries);
    } else if (!entries) {
        client_line(stdout, "Which entries moved them is told inside the bank only.");
    }
    client_line(stdout, "  %-48s %16s %16s", "", "then", "now");
    json_array_foreach(figures, i, row) figure_tell(row);
    if (json_array_size(entries) > 0)
        client_line(stdout, "Entries:");
    json_array_foreach(entries, i, row) entry_tell(row);
    if (json_is_true(json_object_get(changes, "more")))
        client_line(stdout, "  and others: compare with a newer report for these.");
}

/* ------------------------------------------------------------ the verb's part */

static int compare(struct client *client, const struct report_options *options, const json_t *old) {
    _cleanup_(freep) char *text = NULL;
    struct tb_report_ask ask = {.what = TB_REPORT_CHANGES};
    int status = old_check(client, options->compare, old);
    if (status == CLIENT_DONE)
        status = old_ask(client, old, &ask);
    if (status == CLIENT_DONE)
        status = report_release_first(client, &ask);
    if (status == CLIENT_DONE)
        status = client_outcome(client, tb_report_get(client->bank, &ask, &text));
    if (status != CLIENT_DONE)
        return status;
    json_t *changes = json_loads(text, 0, NULL);
    if (!changes)
        return client_outcome(client, -EPROTO);
    if (client->json)
        puts(text);
    else
        changes_tell(changes, old);
    json_decref(changes);
    return CLIENT_DONE;
}

int report_compare(struct client *client, const struct report_options *options) {
    _cleanup_(freep) char *text = NULL;
    int status = report_file_read(client, options->compare, &text);
    if (status == CLIENT_DONE)
        status = client_open(client);
    if (status != CLIENT_DONE)
        return status;
    json_t *old = json_loads(text, 0, NULL);
    status = compare(client, options, old);
    json_decref(old);
    return status;
}
