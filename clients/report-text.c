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
#include "report-words.h"

#define NAME_WIDTH 38
#define LINES_MAX 10 /* of a table on the page; JSON has all */

struct page {
    FILE *to;
    struct report_words words;
};

static int64_t measure(const struct page *page, const char *key) {
    return report_words_measure(&page->words, key);
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
    char figure[REPORT_FIGURE_BYTES];
    row(page, name, report_words_count(measure(page, key), figure));
}

static void row_time(const struct page *page, const char *name, const char *key) {
    char figure[REPORT_FIGURE_BYTES];
    row(page, name, report_words_time(measure(page, key), figure));
}

/* Left out where there is nothing: a line of a kind that this bank does not use. */
static void row_time_some(const struct page *page, const char *name, const char *key) {
    if (measure(page, key) != 0)
        row_time(page, name, key);
}

/* ----------------------------------------------------------------- sections */

static void title_print(const struct page *page) {
    char known[32], from[32], to[32];
    report_words_date(report_words_text(page->words.report, "as_known_at"), known, sizeof(known));
    report_words_date(report_words_text(page->words.report, "from"), from, sizeof(from));
    report_words_date(report_words_text(page->words.report, "to"), to, sizeof(to));
    client_line(page->to, "%s: report for %s", report_words_text(page->words.report, "bank"),
                page->words.period);
    client_line(page->to, "Service from %s to %s, as known on %s%s.", from, to, known,
                json_is_true(json_object_get(page->words.report, "as_recorded"))
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
    const json_t *across = json_object_get(json_object_get(page->words.report, "register_measures"),
                                           "minutes_across_wards");
    char figure[REPORT_FIGURE_BYTES];
    heading(page, "Who helped whom");
    row_count(page, "Members in any exchange", "traders");
    row_count(page, "Pairs of members who helped at all", "ties");
    row_count(page, "Pairs of giver and receiver", "ties_directed");
    row_count(page, "  who also helped the other way round", "ties_reciprocated");
    if (across)
        row(page, "Time between members of different wards",
            report_words_time((int64_t)json_integer_value(across), figure));
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

static void bridge_print(const struct page *page) {
    char figure[REPORT_FIGURE_BYTES];
    int64_t rest;
    heading(page, "Credits outstanding, with members, organisations and the chest");
    row_time(page, "At the opening", "outstanding_opening");
    row_time(page, "  + issued", "minutes_issued");
    row_time(page, "  + granted as new credit", "minutes_granted");
    row_time_some(page, "  + advanced", "minutes_advanced");
    if (measure(page, "minutes_repaid") != 0)
        row(page, "  - repaid", report_words_time(measure(page, "minutes_repaid"), figure));
    row(page, "  - redeemed", report_words_time(measure(page, "minutes_redeemed"), figure));
    row_time_some(page, "  - expired", "minutes_expired");
    rest = report_words_bridge_rest(&page->words);
    if (rest != 0)
        row(page, "  + from or to other banks, given back, debts gone",
            report_words_time(rest, figure));
    row_time(page, "  = at the closing", "outstanding_closing");
}

/* ------------------------------------------------------------------- tables */

/* A line of a table: nothing stands after its last cell. */
static void cells_print(const struct page *page, const char *indent, const char *name,
                        const char *const cells[REPORT_COLUMNS_MAX]) {
    static const int widths[REPORT_COLUMNS_MAX] = {14, 13, 10};
    char line[REPORT_COLUMNS_MAX * REPORT_FIGURE_BYTES] = "";
    size_t n = 0;
    for (size_t i = 0; i < REPORT_COLUMNS_MAX && *cells[i]; i++)
        n += (size_t)snprintf(line + n, sizeof(line) - n, "%*s", widths[i], cells[i]);
    client_line(page->to, "%s%s%*s%s", indent, name, blanks(name, NAME_WIDTH - (int)strlen(indent)),
                "", line);
}

static void line_print(const struct page *page, const struct report_table *table,
                       const struct report_line *line) {
    char cells[REPORT_COLUMNS_MAX][REPORT_FIGURE_BYTES] = {""};
    char name[256];
    report_words_line_name(table, line->name, name, sizeof(name));
    for (size_t i = 0; i < REPORT_COLUMNS_MAX && table->columns[i]; i++)
        report_words_cell(table, line, i, cells[i]);
    cells_print(page, "  ", name, (const char *[]){cells[0], cells[1], cells[2]});
}

/* What the page has no room for. People are not added up: one may stand in several lines. */
static void rest_print(const struct page *page, const struct report_table *table,
                       const struct report_line *lines, size_t n) {
    char name[64], time[REPORT_FIGURE_BYTES], count[REPORT_FIGURE_BYTES];
    int64_t minutes = 0, entries = 0;
    for (size_t i = 0; i < n; i++) {
        minutes += lines[i].minutes;
        entries += (int64_t)json_integer_value(json_object_get(lines[i].cells, table->columns[1]));
    }
    snprintf(name, sizeof(name), "and %zu more (--format json has all)", n);
    cells_print(
        page, "  ", name,
        (const char *[]){report_words_time(minutes, time), report_words_count(entries, count), ""});
}

static void table_print(const struct page *page, const struct report_table *table) {
    size_t n = 0;
    _cleanup_(freep) struct report_line *lines = report_words_lines(&page->words, table, &n);
    bool whole = strcmp(table->key, "by_month") == 0 || n <= LINES_MAX + 1;
    size_t n_told = whole ? n : LINES_MAX;
    if (!lines)
        return;
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
    char figure[REPORT_FIGURE_BYTES], days[REPORT_FIGURE_BYTES + 8];
    int64_t lag = measure(page, "lag_median_days");
    heading(page, "How good the figures are");
    snprintf(days, sizeof(days), "%s day%s", report_words_count(lag, figure), lag == 1 ? "" : "s");
    row(page, "From service to entry, half within", days);
    row_count(page, "Entered more than 30 days late", "late_over_30_days");
    row_count(page, "Corrections", "corrections");
    row_count(page, "Entered although it looked like an earlier entry", "insisted_duplicates");
    row_time(page, "Added or taken by rounding", "minutes_rounded");
    row_count(page, "Not yet confirmed", "unconfirmed");
    row_count(page, "Counted by the date of entry of older books", "entries_by_claimed_date");
}

static void origin_print(const struct page *page) {
    const json_t *position = json_object_get(page->words.report, "position");
    char size[REPORT_FIGURE_BYTES], known[32];
    report_words_date(report_words_text(page->words.report, "as_known_at"), known, sizeof(known));
    heading(page, "Where the figures come from");
    client_line(page->to, "  Cut-off      what was entered up to %s", known);
    client_line(page->to, "  Definitions  %s", report_words_text(page->words.report, "definition"));
    client_line(
        page->to, "  Position     %s records of the signed ledger",
        report_words_count((int64_t)json_integer_value(json_object_get(position, "size")), size));
    client_line(page->to, "  Root         %s", report_words_text(position, "root"));
    client_line(page->to, "  Checksum     %s", report_words_text(page->words.report, "checksum"));
    client_line(page->to, "  Register     %s", report_words_text(page->words.report, "register"));
    client_line(page->to,
                "  Anyone gets the same figures again with --at %" JSON_INTEGER_FORMAT
                " --as-known-at %s%s.",
                json_integer_value(json_object_get(position, "size")),
                report_words_text(page->words.report, "as_known_at"),
                json_is_true(json_object_get(page->words.report, "as_recorded")) ? " --as-recorded"
                                                                                 : "");
}

static void sentence_print(void *user, const char *sentence) {
    const struct page *page = user;
    client_line(page->to, "%s", sentence);
}

void report_text_print(FILE *to, const json_t *report) {
    struct page page = {.to = to};
    report_words_init(&page.words, report);
    title_print(&page);
    hours_print(&page);
    people_print(&page);
    ties_print(&page);
    spending_print(&page);
    bridge_print(&page);
    for (const struct report_table *table = report_tables; table->key; table++)
        table_print(&page, table);
    quality_print(&page);
    origin_print(&page);
    heading(&page, "To paste");
    report_words_sentences(&page.words, sentence_print, &page);
}
