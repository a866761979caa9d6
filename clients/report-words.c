/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every figure is the bank's own; only its form is made here, once for every page, so that two
 * pages of one report cannot say different things.
 */
#include "report-words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "client.h"

#define SENTENCE_BYTES 512

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

int64_t report_words_measure(const struct report_words *words, const char *key) {
    return (int64_t)json_integer_value(json_object_get(words->measures, key));
}

const char *report_words_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ------------------------------------------------------------------ figures */

/* Puts commas between the thousands of the leading number: "7939 h 15" to "7,939 h 15". */
static void thousands(char figure[REPORT_FIGURE_BYTES]) {
    char *digits = figure + (*figure == '-');
    for (size_t n = strspn(digits, "0123456789"); n > 3; n -= 3)
        if (strlen(figure) + 1 < REPORT_FIGURE_BYTES) {
            memmove(digits + n - 2, digits + n - 3, strlen(digits + n - 3) + 1);
            digits[n - 3] = ',';
        }
}

const char *report_words_time(int64_t minutes, char ret[REPORT_FIGURE_BYTES]) {
    tb_time_format(minutes, ret);
    thousands(ret);
    return ret;
}

const char *report_words_count(int64_t n, char ret[REPORT_FIGURE_BYTES]) {
    snprintf(ret, REPORT_FIGURE_BYTES, "%" PRId64, n);
    thousands(ret);
    return ret;
}

/* Whole hours, to the nearest. */
const char *report_words_hours(int64_t minutes, char ret[REPORT_FIGURE_BYTES]) {
    return report_words_count((minutes + 30) / 60, ret);
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
    *ret = (struct report_words){.report = report, .measures = json_object_get(report, "measures")};
    period_name(ret);
}

/* ------------------------------------------------------------------- tables */

const struct report_table report_tables[] = {
    {"by_month", "By month", "Month", {"minutes_given", "givers"}, {"time given", "people"}},
    {"by_activity",
     "By activity",
     "Activity",
     {"minutes_given", "entries", "givers"},
     {"time given", "entries", "people"}},
    {"by_organisation",
     "By organisation",
     "Organisation",
     {"minutes_given", "entries", "givers"},
     {"time given", "entries", "people"}},
    {"by_venue",
     "By venue",
     "Venue",
     {"minutes_redeemed", "redemptions", "redeemers"},
     {"redeemed", "redemptions", "people"}},
    {"by_offer",
     "By offer",
     "Offer",
     {"minutes_redeemed", "redemptions", "redeemers"},
     {"redeemed", "redemptions", "people"}},
    {"by_funder", "By funder", "Funder", {"minutes_issued", "entries"}, {"issued", "entries"}},
    {.key = NULL},
};

static bool is_of_months(const struct report_table *table) {
    return strcmp(table->key, "by_month") == 0;
}

static int line_compare(const void *a, const void *b) {
    const struct report_line *one = a, *other = b;
    if (one->minutes != other->minutes)
        return one->minutes > other->minutes ? -1 : 1;
    return strcmp(one->name, other->name);
}

static int line_compare_name(const void *a, const void *b) {
    return strcmp(((const struct report_line *)a)->name, ((const struct report_line *)b)->name);
}

struct report_line *report_words_lines(const struct report_words *words,
                                       const struct report_table *table, size_t *ret_n) {
    json_t *object = json_object_get(words->measures, table->key);
    struct report_line *lines = NULL;
    const char *key;
    json_t *cells;
    size_t n = 0;
    if (json_object_size(object) > 0)
        lines = calloc(json_object_size(object), sizeof(*lines));
    *ret_n = 0;
    if (!lines)
        return NULL;
    json_object_foreach(object, key, cells) lines[n++] = (struct report_line){
        .name = key,
        .minutes = (int64_t)json_integer_value(json_object_get(cells, table->columns[0])),
        .cells = cells};
    qsort(lines, n, sizeof(*lines), is_of_months(table) ? line_compare_name : line_compare);
    *ret_n = n;
    return lines;
}

void report_words_line_name(const struct report_table *table, const char *key, char *ret,
                            size_t n) {
    int year, month;
    if (is_of_months(table) && sscanf(key, "%4d-%2d", &year, &month) == 2 && month >= 1 &&
        month <= 12)
        snprintf(ret, n, "%s %d", months[month - 1], year);
    else
        snprintf(ret, n, "%s", key);
}

const char *report_words_cell(const struct report_table *table, const struct report_line *line,
                              size_t column, char ret[REPORT_FIGURE_BYTES]) {
    int64_t value =
        (int64_t)json_integer_value(json_object_get(line->cells, table->columns[column]));
    return column == 0 ? report_words_time(value, ret) : report_words_count(value, ret);
}

int64_t report_words_bridge_rest(const struct report_words *words) {
    return report_words_measure(words, "outstanding_closing") -
           report_words_measure(words, "outstanding_opening") -
           report_words_measure(words, "minutes_issued") -
           report_words_measure(words, "minutes_granted") -
           report_words_measure(words, "minutes_advanced") +
           report_words_measure(words, "minutes_repaid") +
           report_words_measure(words, "minutes_redeemed") +
           report_words_measure(words, "minutes_expired");
}

/* ---------------------------------------------------------------- sentences */

struct telling {
    const struct report_words *words;
    void (*each)(void *user, const char *sentence);
    void *user;
};

__attribute__((format(printf, 2, 3))) static void tell(const struct telling *telling,
                                                       const char *format, ...) {
    char sentence[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    telling->each(telling->user, sentence);
}

static const char *people(int64_t n) {
    return n == 1 ? "person" : "people";
}

static const char *plural(int64_t n) {
    return n == 1 ? "" : "s";
}

/* "In 2024–25, 309 people gave 7,939 hours; 104 for the first time; half gave 15 h 45 or more." */
static void sentence_given(const struct telling *telling, const char *when) {
    const struct report_words *words = telling->words;
    char givers[REPORT_FIGURE_BYTES], hours[REPORT_FIGURE_BYTES], fresh[REPORT_FIGURE_BYTES],
        median[REPORT_FIGURE_BYTES];
    int64_t n = report_words_measure(words, "givers");
    if (n == 0) {
        tell(telling, "%s, nobody gave time.", when);
        return;
    }
    tell(telling, "%s, %s %s gave %s hours; %s for the first time; half gave %s or more.", when,
         report_words_count(n, givers), people(n),
         report_words_hours(report_words_measure(words, "minutes_given"), hours),
         report_words_count(report_words_measure(words, "new_givers"), fresh),
         report_words_time(report_words_measure(words, "median_minutes_per_giver"), median));
}

static void sentence_exchanged(const struct telling *telling) {
    const struct report_words *words = telling->words;
    char members[REPORT_FIGURE_BYTES], between[REPORT_FIGURE_BYTES], to[REPORT_FIGURE_BYTES],
        pairs[REPORT_FIGURE_BYTES];
    char sessions[REPORT_FIGURE_BYTES];
    int64_t in_sessions = report_words_measure(words, "minutes_given_session");
    if (report_words_measure(words, "minutes_given") == 0)
        return;
    tell(telling,
         "Of these, %s went from member to member, in %s %s among %s people, and %s to "
         "organisations%s%s%s.",
         report_words_time(report_words_measure(words, "minutes_given_exchange"), between),
         report_words_count(report_words_measure(words, "ties"), pairs),
         report_words_measure(words, "ties") == 1 ? "pair" : "pairs",
         report_words_count(report_words_measure(words, "traders"), members),
         report_words_time(report_words_measure(words, "minutes_given_earn"), to),
         in_sessions ? "; " : "", in_sessions ? report_words_time(in_sessions, sessions) : "",
         in_sessions ? " were given in sessions" : "");
}

static void sentence_kept(const struct telling *telling) {
    const struct report_words *words = telling->words;
    char before[REPORT_FIGURE_BYTES], again[REPORT_FIGURE_BYTES];
    int64_t n = report_words_measure(words, "previous_givers");
    if (n == 0)
        return;
    tell(telling, "Of the %s %s who gave in the period before, %s gave again.",
         report_words_count(n, before), people(n),
         report_words_count(report_words_measure(words, "retained_givers"), again));
}

static void sentence_spent(const struct telling *telling) {
    const struct report_words *words = telling->words;
    char redeemers[REPORT_FIGURE_BYTES], hours[REPORT_FIGURE_BYTES], visits[REPORT_FIGURE_BYTES];
    char adults[REPORT_FIGURE_BYTES], under16[REPORT_FIGURE_BYTES];
    int64_t n = report_words_measure(words, "redeemers");
    if (n == 0)
        return;
    tell(telling,
         "%s %s spent %s hours in %s visit%s, which admitted %s adult%s and %s under-16%s.",
         report_words_count(n, redeemers), people(n),
         report_words_hours(report_words_measure(words, "minutes_redeemed"), hours),
         report_words_count(report_words_measure(words, "redemptions"), visits),
         plural(report_words_measure(words, "redemptions")),
         report_words_count(report_words_measure(words, "admitted_adults"), adults),
         plural(report_words_measure(words, "admitted_adults")),
         report_words_count(report_words_measure(words, "admitted_under16"), under16),
         plural(report_words_measure(words, "admitted_under16")));
}

void report_words_sentences(const struct report_words *words,
                            void (*each)(void *user, const char *sentence), void *user) {
    const struct telling telling = {.words = words, .each = each, .user = user};
    char when[REPORT_PERIOD_BYTES + 8];
    snprintf(when, sizeof(when), "%s %s", words->period_is_long ? "From" : "In", words->period);
    sentence_given(&telling, when);
    sentence_exchanged(&telling);
    sentence_kept(&telling);
    sentence_spent(&telling);
}
