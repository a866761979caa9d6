/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator's report in words. Every figure is the bank's own, only its form is made here:
 * hours and minutes, thousands apart, months by name. It ends with sentences ready to paste.
 */
#include "report-text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "client.h"

#define FIGURE_BYTES 48
#define PERIOD_BYTES 80
#define COLUMNS_MAX 3
#define NAME_WIDTH 38
#define LINES_MAX 10 /* of a table on the page; JSON has all */

struct page {
    FILE *to;
    const json_t *report;
    const json_t *measures;
    char period[PERIOD_BYTES]; /* "2024–25", "March 2025", "1 July to 4 August 2024" */
    bool period_is_long;       /* its two ends are named: "From ... to ..." */
};

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

static int64_t measure(const struct page *page, const char *key) {
    return (int64_t)json_integer_value(json_object_get(page->measures, key));
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ------------------------------------------------------------------ figures */

/* Puts commas between the thousands of the leading number: "7939 h 15" to "7,939 h 15". */
static void thousands(char figure[FIGURE_BYTES]) {
    char *digits = figure + (*figure == '-');
    for (size_t n = strspn(digits, "0123456789"); n > 3; n -= 3)
        if (strlen(figure) + 1 < FIGURE_BYTES) {
            memmove(digits + n - 2, digits + n - 3, strlen(digits + n - 3) + 1);
            digits[n - 3] = ',';
        }
}

static const char *time_figure(int64_t minutes, char ret[FIGURE_BYTES]) {
    tb_time_format(minutes, ret);
    thousands(ret);
    return ret;
}

static const char *count_figure(int64_t n, char ret[FIGURE_BYTES]) {
    snprintf(ret, FIGURE_BYTES, "%" PRId64, n);
    thousands(ret);
    return ret;
}

/* Whole hours, to the nearest. */
static const char *hours_figure(int64_t minutes, char ret[FIGURE_BYTES]) {
    return count_figure((minutes + 30) / 60, ret);
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
static void date_words(const char *text, char *ret, size_t n) {
    struct date date;
    if (date_parse(text, &date))
        snprintf(ret, n, "%d %s %d", date.day, months[date.month - 1], date.year);
    else
        snprintf(ret, n, "%s", text);
}

/* Names a period of whole months; false where it is none that has a name. */
static bool months_name(struct page *page, struct date from, struct date to) {
    int n_months = (to.year - from.year) * 12 + to.month - from.month + 1;
    char *name = page->period;
    if (from.day != 1 || to.day != month_length(to.year, to.month))
        return false;
    if (n_months == 1)
        snprintf(name, PERIOD_BYTES, "%s %d", months[from.month - 1], from.year);
    else if (n_months == 12 && from.month == 1)
        snprintf(name, PERIOD_BYTES, "%d", from.year);
    else if (n_months == 12 && from.month == 4)
        snprintf(name, PERIOD_BYTES, "%d–%02d", from.year, to.year % 100);
    else
        return false;
    return true;
}

static void period_name(struct page *page) {
    struct date from, to;
    char first[32], last[32];
    date_words(text_of(page->report, "from"), first, sizeof(first));
    date_words(text_of(page->report, "to"), last, sizeof(last));
    if (date_parse(text_of(page->report, "from"), &from) &&
        date_parse(text_of(page->report, "to"), &to) && months_name(page, from, to))
        return;
    page->period_is_long = strcmp(first, last) != 0;
    if (page->period_is_long)
        snprintf(page->period, PERIOD_BYTES, "%s to %s", first, last);
    else
        snprintf(page->period, PERIOD_BYTES, "%s", first);
}

/* -------------------------------------------------------------------- lines */

/* Characters rather than bytes, for columns. */
static int width_of(const char *text) {
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Blanks that fill a text up to a width; at least one. */
static int blanks(const char *text, int width) {
    return MAX_OF(width - width_of(text), 1);
}

static void heading(const struct page *page, const char *text) {
    fputc('\n', page->to);
    client_line(page->to, "%s", text);
}

static void row(const struct page *page, const char *name, const char *figure) {
    client_line(page->to, "  %s%*s%*s%s", name, blanks(name, 50), "",
                MAX_OF(14 - width_of(figure), 0), "", figure);
}

static void row_count(const struct page *page, const char *name, const char *key) {
    char figure[FIGURE_BYTES];
    row(page, name, count_figure(measure(page, key), figure));
}

static void row_time(const struct page *page, const char *name, const char *key) {
    char figure[FIGURE_BYTES];
    row(page, name, time_figure(measure(page, key), figure));
}

/* Left out where there is nothing: a line of a kind that this bank does not use. */
static void row_time_some(const struct page *page, const char *name, const char *key) {
    if (measure(page, key) != 0)
        row_time(page, name, key);
}

/* ----------------------------------------------------------------- sections */

static void title_print(const struct page *page) {
    char known[32], from[32], to[32];
    date_words(text_of(page->report, "as_known_at"), known, sizeof(known));
    date_words(text_of(page->report, "from"), from, sizeof(from));
    date_words(text_of(page->report, "to"), to, sizeof(to));
    client_line(page->to, "%s: report for %s", text_of(page->report, "bank"), page->period);
    client_line(page->to, "Service from %s to %s, as known on %s%s.", from, to, known,
                json_is_true(json_object_get(page->report, "as_recorded"))
                    ? " by the ledger's own dates of entry"
                    : "");
    client_line(page->to, "For use inside the bank: small figures may point at a person.");
}

static void hours_print(const struct page *page) {
    heading(page, "Time given");
    row_time(page, "All service", "minutes_given");
    row_time(page, "  between members", "minutes_given_exchange");
    row_time(page, "  to organisations", "minutes_given_earn");
    row_time_some(page, "  in sessions", "minutes_given_session");
    row_time(page, "Given without credit, not in the above", "minutes_given_without_credit");
    row_time(page, "Half of the givers gave at least", "median_minutes_per_giver");
    row_time(page, "Nine in ten gave at most", "p90_minutes_per_giver");
    row_time(page, "The tenth who gave most gave together", "top_tenth_minutes");
}

static void people_print(const struct page *page) {
    heading(page, "People");
    row_count(page, "Gave time", "givers");
    row_count(page, "  for the first time", "new_givers");
    row_count(page, "  who had given before", "returning_givers");
    row_count(page, "  in every month", "frequent_givers");
    row_count(page, "Received time from a member", "receivers");
    row_count(page, "Spent credits at a venue", "redeemers");
    row_count(page, "Took part in any of these ways", "participants");
    row_count(page, "Both gave, and received or spent", "two_way");
    row_count(page, "Gave in the period before", "previous_givers");
    row_count(page, "  and gave again", "retained_givers");
    row_count(page, "  and did not", "lapsed_givers");
}

static void ties_print(const struct page *page) {
    const json_t *across =
        json_object_get(json_object_get(page->report, "register_measures"), "minutes_across_wards");
    char figure[FIGURE_BYTES];
    heading(page, "Who helped whom");
    row_count(page, "Members in any exchange", "traders");
    row_count(page, "Pairs of members who helped at all", "ties");
    row_count(page, "Pairs of giver and receiver", "ties_directed");
    row_count(page, "  who also helped the other way round", "ties_reciprocated");
    if (across)
        row(page, "Time between members of different wards",
            time_figure((int64_t)json_integer_value(across), figure));
}

static void spending_print(const struct page *page) {
    heading(page, "Credits spent and passed on");
    row_time(page, "Redeemed at venues", "minutes_redeemed");
    row_count(page, "  redemptions", "redemptions");
    row_count(page, "  adults admitted", "admitted_adults");
    row_count(page, "  under-16s admitted", "admitted_under16");
    row_time(page, "Gifts between members", "minutes_gifted");
    row_time(page, "Donated to the community chest", "minutes_donated");
    row_time(page, "Granted out of the chest", "minutes_granted_from_chest");
    row_time_some(page, "Retired", "minutes_retired");
}

/* What the bridge holds beside the measures. */
static int64_t bridge_rest(const struct page *page) {
    return measure(page, "outstanding_closing") - measure(page, "outstanding_opening") -
           measure(page, "minutes_issued") - measure(page, "minutes_granted") -
           measure(page, "minutes_advanced") + measure(page, "minutes_repaid") +
           measure(page, "minutes_redeemed") + measure(page, "minutes_expired");
}

static void bridge_print(const struct page *page) {
    char figure[FIGURE_BYTES];
    int64_t rest;
    heading(page, "Credits outstanding, with members, organisations and the chest");
    row_time(page, "At the opening", "outstanding_opening");
    row_time(page, "  + issued", "minutes_issued");
    row_time(page, "  + granted as new credit", "minutes_granted");
    row_time_some(page, "  + advanced", "minutes_advanced");
    if (measure(page, "minutes_repaid") != 0)
        row(page, "  - repaid", time_figure(measure(page, "minutes_repaid"), figure));
    row(page, "  - redeemed", time_figure(measure(page, "minutes_redeemed"), figure));
    row_time_some(page, "  - expired", "minutes_expired");
    rest = bridge_rest(page);
    if (rest != 0)
        row(page, "  + from or to other banks, given back, debts gone", time_figure(rest, figure));
    row_time(page, "  = at the closing", "outstanding_closing");
}

/* ------------------------------------------------------------------- tables */

struct table {
    const char *key;
    const char *title;
    const char *columns[COLUMNS_MAX];  /* keys; the first is minutes */
    const char *headings[COLUMNS_MAX]; /* as they are read */
};

static const struct table tables[] = {
    {"by_month", "By month", {"minutes_given", "givers"}, {"time given", "people"}},
    {"by_activity",
     "By activity",
     {"minutes_given", "entries", "givers"},
     {"time given", "entries", "people"}},
    {"by_organisation",
     "By organisation",
     {"minutes_given", "entries", "givers"},
     {"time given", "entries", "people"}},
    {"by_venue",
     "By venue",
     {"minutes_redeemed", "redemptions", "redeemers"},
     {"redeemed", "redemptions", "people"}},
    {"by_offer",
     "By offer",
     {"minutes_redeemed", "redemptions", "redeemers"},
     {"redeemed", "redemptions", "people"}},
    {"by_funder", "By funder", {"minutes_issued", "entries"}, {"issued", "entries"}},
};

struct line {
    const char *name;
    int64_t minutes;
    const json_t *cells;
};

static int line_compare(const void *a, const void *b) {
    const struct line *one = a, *other = b;
    if (one->minutes != other->minutes)
        return one->minutes > other->minutes ? -1 : 1;
    return strcmp(one->name, other->name);
}

static int line_compare_name(const void *a, const void *b) {
    return strcmp(((const struct line *)a)->name, ((const struct line *)b)->name);
}

/* A month's key is read as its name. */
static void line_name(const struct table *table, const char *key, char *ret, size_t n) {
    int year, month;
    if (strcmp(table->key, "by_month") == 0 && sscanf(key, "%4d-%2d", &year, &month) == 2 &&
        month >= 1 && month <= 12)
        snprintf(ret, n, "%s %d", months[month - 1], year);
    else
        snprintf(ret, n, "%s", key);
}

/* A line of a table: nothing stands after its last cell. */
static void cells_print(const struct page *page, const char *indent, const char *name,
                        const char *const cells[COLUMNS_MAX]) {
    static const int widths[COLUMNS_MAX] = {14, 13, 10};
    char line[COLUMNS_MAX * FIGURE_BYTES] = "";
    size_t n = 0;
    for (size_t i = 0; i < COLUMNS_MAX && *cells[i]; i++)
        n += (size_t)snprintf(line + n, sizeof(line) - n, "%*s", widths[i], cells[i]);
    client_line(page->to, "%s%s%*s%s", indent, name, blanks(name, NAME_WIDTH - (int)strlen(indent)),
                "", line);
}

static void line_print(const struct page *page, const struct table *table,
                       const struct line *line) {
    char cells[COLUMNS_MAX][FIGURE_BYTES] = {""};
    char name[256];
    line_name(table, line->name, name, sizeof(name));
    for (size_t i = 0; i < COLUMNS_MAX && table->columns[i]; i++) {
        int64_t value =
            (int64_t)json_integer_value(json_object_get(line->cells, table->columns[i]));
        if (i == 0)
            time_figure(value, cells[i]);
        else
            count_figure(value, cells[i]);
    }
    cells_print(page, "  ", name, (const char *[]){cells[0], cells[1], cells[2]});
}

/* What the page has no room for. People are not added up: one may stand in several lines. */
static void rest_print(const struct page *page, const struct table *table, const struct line *lines,
                       size_t n) {
    char name[64], time[FIGURE_BYTES], count[FIGURE_BYTES];
    int64_t minutes = 0, entries = 0;
    for (size_t i = 0; i < n; i++) {
        minutes += lines[i].minutes;
        entries += (int64_t)json_integer_value(json_object_get(lines[i].cells, table->columns[1]));
    }
    snprintf(name, sizeof(name), "and %zu more (--format json has all)", n);
    cells_print(page, "  ", name,
                (const char *[]){time_figure(minutes, time), count_figure(entries, count), ""});
}

/* Most first, months as they come. */
static void table_print(const struct page *page, const struct table *table) {
    json_t *object = json_object_get(page->measures, table->key);
    _cleanup_(freep) struct line *lines = calloc(json_object_size(object) + 1, sizeof(*lines));
    const char *key;
    json_t *cells;
    size_t n = 0;
    if (!lines || json_object_size(object) == 0)
        return;
    json_object_foreach(object, key, cells) lines[n++] = (struct line){
        .name = key,
        .minutes = (int64_t)json_integer_value(json_object_get(cells, table->columns[0])),
        .cells = cells};
    qsort(lines, n, sizeof(*lines),
          strcmp(table->key, "by_month") == 0 ? line_compare_name : line_compare);
    bool whole = strcmp(table->key, "by_month") == 0 || n <= LINES_MAX + 1;
    size_t n_told = whole ? n : LINES_MAX;
    fputc('\n', page->to);
    cells_print(page, "", table->title,
                (const char *[]){table->headings[0], table->headings[1],
                                 table->headings[2] ? table->headings[2] : ""});
    for (size_t i = 0; i < n_told; i++)
        line_print(page, table, &lines[i]);
    if (n_told < n)
        rest_print(page, table, lines + n_told, n - n_told);
}

/* ---------------------------------------------------------------- fine print */

static void quality_print(const struct page *page) {
    char figure[FIGURE_BYTES], days[FIGURE_BYTES + 8];
    int64_t lag = measure(page, "lag_median_days");
    heading(page, "How good the figures are");
    snprintf(days, sizeof(days), "%s day%s", count_figure(lag, figure), lag == 1 ? "" : "s");
    row(page, "From service to entry, half within", days);
    row_count(page, "Entered more than 30 days late", "late_over_30_days");
    row_count(page, "Corrections", "corrections");
    row_count(page, "Entered although it looked like an earlier entry", "insisted_duplicates");
    row_time(page, "Added or taken by rounding", "minutes_rounded");
    row_count(page, "Not yet confirmed", "unconfirmed");
    row_count(page, "Counted by the date of entry of older books", "entries_by_claimed_date");
}

static void origin_print(const struct page *page) {
    const json_t *position = json_object_get(page->report, "position");
    char size[FIGURE_BYTES], known[32];
    date_words(text_of(page->report, "as_known_at"), known, sizeof(known));
    heading(page, "Where the figures come from");
    client_line(page->to, "  Cut-off      what was entered up to %s", known);
    client_line(page->to, "  Definitions  %s", text_of(page->report, "definition"));
    client_line(page->to, "  Position     %s records of the signed ledger",
                count_figure((int64_t)json_integer_value(json_object_get(position, "size")), size));
    client_line(page->to, "  Root         %s", text_of(position, "root"));
    client_line(page->to, "  Checksum     %s", text_of(page->report, "checksum"));
    client_line(page->to, "  Register     %s", text_of(page->report, "register"));
    client_line(page->to,
                "  Anyone gets the same figures again with --at %" JSON_INTEGER_FORMAT
                " --as-known-at %s%s.",
                json_integer_value(json_object_get(position, "size")),
                text_of(page->report, "as_known_at"),
                json_is_true(json_object_get(page->report, "as_recorded")) ? " --as-recorded" : "");
}

/* ---------------------------------------------------------------- sentences */

static const char *people(int64_t n) {
    return n == 1 ? "person" : "people";
}

static const char *plural(int64_t n) {
    return n == 1 ? "" : "s";
}

/* "In 2024–25, 309 people gave 7,939 hours; 104 for the first time; half gave 15 h 45 or more." */
static void sentence_given(const struct page *page, const char *when) {
    char givers[FIGURE_BYTES], hours[FIGURE_BYTES], fresh[FIGURE_BYTES], median[FIGURE_BYTES];
    int64_t n = measure(page, "givers");
    if (n == 0) {
        client_line(page->to, "%s, nobody gave time.", when);
        return;
    }
    client_line(page->to, "%s, %s %s gave %s hours; %s for the first time; half gave %s or more.",
                when, count_figure(n, givers), people(n),
                hours_figure(measure(page, "minutes_given"), hours),
                count_figure(measure(page, "new_givers"), fresh),
                time_figure(measure(page, "median_minutes_per_giver"), median));
}

static void sentence_exchanged(const struct page *page) {
    char members[FIGURE_BYTES], between[FIGURE_BYTES], to[FIGURE_BYTES], pairs[FIGURE_BYTES];
    char sessions[FIGURE_BYTES];
    int64_t in_sessions = measure(page, "minutes_given_session");
    if (measure(page, "minutes_given") == 0)
        return;
    client_line(page->to,
                "Of these, %s went from member to member, in %s %s among %s people, and %s to "
                "organisations%s%s%s.",
                time_figure(measure(page, "minutes_given_exchange"), between),
                count_figure(measure(page, "ties"), pairs),
                measure(page, "ties") == 1 ? "pair" : "pairs",
                count_figure(measure(page, "traders"), members),
                time_figure(measure(page, "minutes_given_earn"), to), in_sessions ? "; " : "",
                in_sessions ? time_figure(in_sessions, sessions) : "",
                in_sessions ? " were given in sessions" : "");
}

static void sentence_kept(const struct page *page) {
    char before[FIGURE_BYTES], again[FIGURE_BYTES];
    int64_t n = measure(page, "previous_givers");
    if (n == 0)
        return;
    client_line(page->to, "Of the %s %s who gave in the period before, %s gave again.",
                count_figure(n, before), people(n),
                count_figure(measure(page, "retained_givers"), again));
}

static void sentence_spent(const struct page *page) {
    char redeemers[FIGURE_BYTES], hours[FIGURE_BYTES], visits[FIGURE_BYTES];
    char adults[FIGURE_BYTES], under16[FIGURE_BYTES];
    int64_t n = measure(page, "redeemers");
    if (n == 0)
        return;
    client_line(page->to,
                "%s %s spent %s hours in %s visit%s, which admitted %s adult%s and %s under-16%s.",
                count_figure(n, redeemers), people(n),
                hours_figure(measure(page, "minutes_redeemed"), hours),
                count_figure(measure(page, "redemptions"), visits),
                plural(measure(page, "redemptions")),
                count_figure(measure(page, "admitted_adults"), adults),
                plural(measure(page, "admitted_adults")),
                count_figure(measure(page, "admitted_under16"), under16),
                plural(measure(page, "admitted_under16")));
}

static void sentences_print(const struct page *page) {
    char when[PERIOD_BYTES + 8];
    heading(page, "To paste");
    snprintf(when, sizeof(when), "%s %s", page->period_is_long ? "From" : "In", page->period);
    sentence_given(page, when);
    sentence_exchanged(page);
    sentence_kept(page);
    sentence_spent(page);
}

void report_text_print(FILE *to, const json_t *report) {
    struct page page = {
        .to = to, .report = report, .measures = json_object_get(report, "measures")};
    period_name(&page);
    title_print(&page);
    hours_print(&page);
    people_print(&page);
    ties_print(&page);
    spending_print(&page);
    bridge_print(&page);
    for (size_t i = 0; i < N_ELEMENTS(tables); i++)
        table_print(&page, &tables[i]);
    quality_print(&page);
    origin_print(&page);
    sentences_print(&page);
}
