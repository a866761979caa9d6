/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every figure is the bank's own; only its form is made here, once for every page, so that two
 * pages of one report cannot say different things.
 */
#include "report-words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

json_t *report_words_find(const struct report_words *words, const char *key) {
    static const char *const groups[] = {"measures", "further_measures", "register_measures"};
    json_t *found = NULL;
    for (size_t i = 0; !found && i < N_ELEMENTS(groups); i++)
        found = json_object_get(json_object_get(words->report, groups[i]), key);
    return found;
}

struct report_figure report_words_figure(const struct report_words *words, const char *key) {
    return report_figure_read(report_words_find(words, key));
}

int64_t report_words_measure(const struct report_words *words, const char *key) {
    return report_words_figure(words, key).value;
}

const char *report_words_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ------------------------------------------------------------------- period */

struct date {
    int year;
    int month;
    int day;
};

static bool date_parse(const char *text, struct date *ret) {
    return sscanf(text, "%4d-%2d-%2d", &ret->year, &ret->month, &ret->day) == 3 &&
           ret->month >= 1 && ret->month <= 12;
}

static int month_length(int year, int month) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && leap);
}

/* "31 March 2025" */
void report_words_date(const char *text, char *ret, size_t n) {
    struct date date;
    if (date_parse(text, &date))
        snprintf(ret, n, "%d %s %d", date.day, months[date.month - 1], date.year);
    else
        snprintf(ret, n, "%s", text);
}

/* Names a period of whole months; false where it is none that has a name. */
static bool months_name(struct report_words *words, struct date from, struct date to) {
    int n_months = (to.year - from.year) * 12 + to.month - from.month + 1;
    char *name = words->period;
    if (from.day != 1 || to.day != month_length(to.year, to.month))
        return false;
    if (n_months == 1)
        snprintf(name, REPORT_PERIOD_BYTES, "%s %d", months[from.month - 1], from.year);
    else if (n_months == 12 && from.month == 1)
        snprintf(name, REPORT_PERIOD_BYTES, "%d", from.year);
    else if (n_months == 12 && from.month == 4)
        snprintf(name, REPORT_PERIOD_BYTES, "%d–%02d", from.year, to.year % 100);
    else
        return false;
    return true;
}

static void period_name(struct report_words *words) {
    struct date from, to;
    char first[32], last[32];
    report_words_date(report_words_text(words->report, "from"), first, sizeof(first));
    report_words_date(report_words_text(words->report, "to"), last, sizeof(last));
    if (date_parse(report_words_text(words->report, "from"), &from) &&
        date_parse(report_words_text(words->report, "to"), &to) && months_name(words, from, to))
        return;
    words->period_is_long = strcmp(first, last) != 0;
    if (words->period_is_long)
        snprintf(words->period, REPORT_PERIOD_BYTES, "%s to %s", first, last);
    else
        snprintf(words->period, REPORT_PERIOD_BYTES, "%s", first);
}

void report_words_init(struct report_words *ret, const json_t *report) {
    json_t *rule = json_object_get(report, "rule");
    *ret = (struct report_words){
        .report = report,
        .measures = json_object_get(report, "measures"),
        .is_rounded = json_integer_value(json_object_get(rule, "round_to")) > 1,
    };
    period_name(ret);
}

void report_words_class(const struct report_words *words, char *ret, size_t n) {
    const json_t *rule = json_object_get(words->report, "rule");
    const char *class = report_words_text(words->report, "class");
    int64_t threshold = (int64_t)json_integer_value(json_object_get(rule, "threshold"));
    int64_t round_to = (int64_t)json_integer_value(json_object_get(rule, "round_to"));
    if (threshold == 0) {
        snprintf(ret, n, "For use inside the bank: small figures may point at a person.");
        return;
    }
    snprintf(ret, n,
             "Class %s: figures with fewer than %" PRId64
             " people behind them are hidden, and others that would give them away.",
             class, threshold);
    if (round_to > 1)
        snprintf(ret + strlen(ret), n - strlen(ret),
                 " Counts and sums of hours are rounded to the nearest %" PRId64
                 ", and need not add up.",
                 round_to);
    snprintf(
        ret + strlen(ret), n - strlen(ret),
        " Counts of members, of accounts below zero, of corrections and of unconfirmed entries are "
        "rounded to the nearest %" PRId64 ".",
        threshold);
}

/* -------------------------------------------------------------- breakdowns */

static const char *const bands[][2] = {
    {"under_5_h", "Under 5 hours"},         {"5_to_20_h", "5 to 20 hours"},
    {"20_to_50_h", "20 to 50 hours"},       {"50_to_100_h", "50 to 100 hours"},
    {"100_h_or_more", "100 hours or more"}, {NULL, NULL}};
static const char *const ages[][2] = {{"under_3_months", "Under 3 months"},
                                      {"3_to_6_months", "3 to 6 months"},
                                      {"6_to_12_months", "6 to 12 months"},
                                      {"over_12_months", "Over 12 months"},
                                      {NULL, NULL}};

#define TIME_ENTRIES_PEOPLE                                                                        \
    .columns = {"minutes_given", "entries", "givers"},                                             \
    .headings = {"time given", "entries", "people"}
#define REDEEMED_ENTRIES_PEOPLE                                                                    \
    .columns = {"minutes_redeemed", "redemptions", "redeemers"},                                   \
    .headings = {"redeemed", "visits", "people"}
#define ISSUED_ENTRIES .columns = {"minutes_issued", "entries"}, .headings = {"issued", "entries"}

const struct report_table report_tables[] = {
    {.key = "by_month",
     .title = "By month",
     .first = "Month",
     .columns = {"minutes_given", "givers"},
     .headings = {"time given", "people"},
     .order = REPORT_BY_NAME},
    {.key = "by_activity", .title = "By activity", .first = "Activity", TIME_ENTRIES_PEOPLE},
    {.key = "by_tag", .title = "By tag", .first = "Tag", TIME_ENTRIES_PEOPLE, .is_sets = true},
    {.key = "by_organisation",
     .title = "By organisation",
     .first = "Organisation",
     TIME_ENTRIES_PEOPLE},
    {.key = "by_band",
     .title = "By hours that each gave",
     .first = "Hours",
     .columns = {"minutes_given", "givers"},
     .headings = {"time given", "people"},
     .order = REPORT_AS_NAMED,
     .names = bands},
    {.key = "by_venue", .title = "By venue", .first = "Venue", REDEEMED_ENTRIES_PEOPLE},
    {.key = "by_offer",
     .title = "By offer",
     .first = "Offer",
     REDEEMED_ENTRIES_PEOPLE,
     .is_fine = true},
    {.key = "by_funder", .title = "By funder", .first = "Funder", ISSUED_ENTRIES},
    {.key = "by_programme", .title = "By programme", .first = "Programme", ISSUED_ENTRIES},
    {.key = "outstanding_by_age",
     .title = "Credits by age",
     .first = "Age",
     .columns = {"minutes"},
     .headings = {"credits"},
     .order = REPORT_AS_NAMED,
     .names = ages,
     .is_fine = true},
    {.key = NULL},
};

const struct report_table report_squares[] = {
    {.key = "between_wards",
     .title = "Between wards",
     .first = "Ward",
     .columns = {"minutes_given", "ties"},
     .headings = {"time given", "pairs"}},
    {.key = "between_age_bands",
     .title = "Between age bands",
     .first = "Age band",
     .columns = {"minutes_given", "ties"},
     .headings = {"time given", "pairs"}},
    {.key = NULL},
};

static bool is_of_months(const struct report_table *table) {
    return strcmp(table->key, "by_month") == 0;
}

static int64_t weight_of(const struct report_line *line) {
    return report_figure_is_shown(line->figure) ? line->figure.value : -1;
}

static int line_compare(const void *a, const void *b) {
    const struct report_line *one = a, *other = b;
    if (weight_of(one) != weight_of(other))
        return weight_of(one) > weight_of(other) ? -1 : 1;
    return strcmp(one->name, other->name);
}

static int line_compare_name(const void *a, const void *b) {
    return strcmp(((const struct report_line *)a)->name, ((const struct report_line *)b)->name);
}

static void line_add(const struct report_table *table, const char *name, const json_t *cells,
                     struct report_line *lines, size_t *n) {
    if (cells)
        lines[(*n)++] = (struct report_line){
            .name = name,
            .figure = report_figure_read(json_object_get(cells, table->columns[0])),
            .cells = cells};
}

struct report_line *report_words_lines(const struct report_table *table, const json_t *groups,
                                       size_t *ret_n) {
    struct report_line *lines = NULL;
    const char *key;
    json_t *cells;
    size_t n = 0;
    *ret_n = 0;
    if (json_object_size(groups) > 0)
        lines = calloc(json_object_size(groups), sizeof(*lines));
    if (!lines)
        return NULL;
    for (size_t i = 0; table->order == REPORT_AS_NAMED && table->names[i][0]; i++)
        if (n < json_object_size(groups))
            line_add(table, table->names[i][0], json_object_get(groups, table->names[i][0]), lines,
                     &n);
    if (table->order != REPORT_AS_NAMED) {
        json_object_foreach((json_t *)(uintptr_t)groups, key, cells)
            line_add(table, key, cells, lines, &n);
        qsort(lines, n, sizeof(*lines),
              table->order == REPORT_BY_NAME ? line_compare_name : line_compare);
    }
    *ret_n = n;
    return lines;
}

/* "By tag: five-ways". Plain words have no set of their own to name. */
static void set_tell(const struct report_table *table, const char *set, const json_t *groups,
                     void (*each)(void *user, const struct report_table *table, const char *title,
                                  const json_t *groups),
                     void *user) {
    char title[128];
    bool is_plain = strcmp(set, "tag") == 0;
    snprintf(title, sizeof(title), "%s%s%.90s", table->title, is_plain ? "" : ": ",
             is_plain ? "" : set);
    each(user, table, title, groups);
}

void report_words_breakdowns(const struct report_words *words,
                             void (*each)(void *user, const struct report_table *table,
                                          const char *title, const json_t *groups),
                             void *user) {
    for (const struct report_table *table = report_tables; table->key; table++) {
        json_t *groups = report_words_find(words, table->key), *inner;
        const char *set;
        if (json_object_size(groups) == 0)
            continue;
        if (!table->is_sets) {
            each(user, table, table->title, groups);
            continue;
        }
        json_object_foreach(groups, set, inner) {
            if (json_object_size(inner) > 0)
                set_tell(table, set, inner, each, user);
        }
    }
}

void report_words_line_name(const struct report_table *table, const char *key, char *ret,
                            size_t n) {
    int year, month;
    snprintf(ret, n, "%s", key);
    if (is_of_months(table) && sscanf(key, "%4d-%2d", &year, &month) == 2 && month >= 1 &&
        month <= 12)
        snprintf(ret, n, "%s %d", months[month - 1], year);
    for (size_t i = 0; table->names && table->names[i][0]; i++)
        if (strcmp(table->names[i][0], key) == 0)
            snprintf(ret, n, "%s", table->names[i][1]);
}

const char *report_words_cell(const struct report_table *table, const struct report_line *line,
                              size_t column, char ret[REPORT_FIGURE_BYTES]) {
    return report_figure_text(
        report_figure_read(json_object_get(line->cells, table->columns[column])),
        column == 0 ? REPORT_TIME : REPORT_COUNT, ret);
}

struct report_figure report_words_bridge_rest(const struct report_words *words) {
    static const struct {
        const char *key;
        int sign;
    } steps[] = {{"outstanding_closing", 1}, {"outstanding_opening", -1}, {"minutes_issued", -1},
                 {"minutes_granted", -1},    {"minutes_advanced", -1},    {"minutes_repaid", 1},
                 {"minutes_redeemed", 1},    {"minutes_expired", 1}};
    struct report_figure rest = {.mark = REPORT_MARK_ABSENT};
    int64_t minutes = 0;
    for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
        struct report_figure step = report_words_figure(words, steps[i].key);
        if (!report_figure_is_shown(step))
            return rest;
        minutes += steps[i].sign * step.value;
    }
    if (minutes != 0 && !words->is_rounded)
        rest = (struct report_figure){.value = minutes};
    return rest;
}
