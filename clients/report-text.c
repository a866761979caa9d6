/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator's report in words. Every figure is the bank's own, only its form is made here:
 * hours and minutes, thousands apart, months by name. It ends with sentences ready to paste.
 */
#include "report-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "client.h"
#include "report-sections.h"

#define NAME_WIDTH 38
#define ROW_WIDTH 46
#define LINES_MAX 5 /* of a table on the page; --all has all */
#define NAME_BYTES 256

struct page {
    FILE *to;
    bool all;
    struct report_words words;
};

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

static void row_print(void *user, const struct report_row *row, const char *figure,
                      const char *share) {
    const struct page *page = user;
    char name[NAME_BYTES];
    snprintf(name, sizeof(name), "%s%s%s%s", row->is_part ? "  " : "", row->sign ? row->sign : "",
             row->sign ? " " : "", row->name);
    client_line(page->to, "  %s%*s%*s%s%s%s%s", name, blanks(name, ROW_WIDTH), "",
                MAX_OF(14 - width_of(figure), 0), "", figure, *share ? " (" : "", share,
                *share ? ")" : "");
}

static void section_print(struct page *page, enum report_section_number number) {
    const struct report_section *section = &report_sections[number];
    if (!report_section_is_told(&page->words, section, page->all))
        return;
    heading(page, section->title);
    report_section_each(&page->words, section, false, page->all, row_print, page);
}

/* ----------------------------------------------------------------- sections */

static void mark_print(void *user, char mark) {
    const struct page *page = user;
    client_line(page->to, "[%c] %s.", mark, report_mark_meaning(mark));
}

static void title_print(struct page *page) {
    char known[32], from[32], to[32], class[600];
    report_words_date(report_words_text(page->words.report, "as_known_at"), known, sizeof(known));
    report_words_date(report_words_text(page->words.report, "from"), from, sizeof(from));
    report_words_date(report_words_text(page->words.report, "to"), to, sizeof(to));
    report_words_class(&page->words, class, sizeof(class));
    client_line(page->to, "%s: report for %s", report_words_text(page->words.report, "bank"),
                page->words.period);
    client_line(page->to, "Service from %s to %s, as known on %s%s.", from, to, known,
                json_is_true(json_object_get(page->words.report, "as_recorded"))
                    ? " by the ledger's own dates of entry"
                    : "");
    client_line(page->to, "%s", class);
    report_marks_each(page->words.report, mark_print, page);
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
    char name[NAME_BYTES];
    report_words_line_name(table, line->name, name, sizeof(name));
    for (size_t i = 0; i < REPORT_COLUMNS_MAX && table->columns[i]; i++)
        report_words_cell(table, line, i, cells[i]);
    cells_print(page, "  ", name, (const char *[]){cells[0], cells[1], cells[2]});
}

/* The sum of a column; the mark of the first hidden cell where there is one. */
static struct report_figure column_sum(const char *column, const struct report_line *lines,
                                       size_t n) {
    struct report_figure sum = {0};
    for (size_t i = 0; i < n; i++) {
        struct report_figure cell = report_figure_read(json_object_get(lines[i].cells, column));
        if (!report_figure_is_shown(cell))
            return cell;
        sum.value += cell.value;
    }
    return sum;
}

/* What the page has no room for. People are not added up: one may stand in several lines. */
static void rest_print(const struct page *page, const struct report_table *table,
                       const struct report_line *lines, size_t n) {
    char name[64], time[REPORT_FIGURE_BYTES], count[REPORT_FIGURE_BYTES] = "";
    snprintf(name, sizeof(name), "and %zu more (--all has them)", n);
    report_figure_text(column_sum(table->columns[0], lines, n), REPORT_TIME, time);
    if (table->columns[1] && strcmp(table->columns[1], "givers") != 0)
        report_figure_text(column_sum(table->columns[1], lines, n), REPORT_COUNT, count);
    cells_print(page, "  ", name, (const char *[]){time, count, ""});
}

static void table_print(void *user, const struct report_table *table, const char *title,
                        const json_t *groups) {
    const struct page *page = user;
    size_t n = 0;
    if (table->is_fine && !page->all)
        return;
    _cleanup_(freep) struct report_line *lines = report_words_lines(table, groups, &n);
    bool whole = page->all || table->order != REPORT_MOST_FIRST || n <= LINES_MAX + 1;
    size_t n_told = whole ? n : LINES_MAX;
    if (!lines)
        return;
    fputc('\n', page->to);
    cells_print(page, "", title,
                (const char *[]){table->headings[0], table->headings[1] ? table->headings[1] : "",
                                 table->headings[2] ? table->headings[2] : ""});
    for (size_t i = 0; i < n_told; i++)
        line_print(page, table, &lines[i]);
    if (n_told < n)
        rest_print(page, table, lines + n_told, n - n_told);
}

/* Wards and age bands in pairs: "fenside to castle". */
static void square_print(const struct page *page, const struct report_table *table) {
    json_t *givers = report_words_find(&page->words, table->key), *receivers, *cells;
    const char *giver, *receiver;
    if (json_object_size(givers) == 0)
        return;
    fputc('\n', page->to);
    cells_print(page, "", table->title,
                (const char *[]){table->headings[0], table->headings[1], ""});
    json_object_foreach(givers, giver, receivers) {
        json_object_foreach(receivers, receiver, cells) {
            struct report_line line = {.cells = cells};
            char name[NAME_BYTES];
            char time[REPORT_FIGURE_BYTES], ties[REPORT_FIGURE_BYTES];
            snprintf(name, sizeof(name), "%s to %s", giver, receiver);
            cells_print(page, "  ", name,
                        (const char *[]){report_words_cell(table, &line, 0, time),
                                         report_words_cell(table, &line, 1, ties), ""});
        }
    }
}

/* ---------------------------------------------------------------- fine print */

static void origin_print(const struct page *page) {
    const json_t *report = page->words.report, *position = json_object_get(report, "position");
    char size[REPORT_FIGURE_BYTES], known[32];
    report_words_date(report_words_text(report, "as_known_at"), known, sizeof(known));
    heading(page, "Where the figures come from");
    client_line(page->to, "  Cut-off      what was entered up to %s", known);
    client_line(page->to, "  Definitions  %s", report_words_text(report, "definition"));
    client_line(
        page->to, "  Position     %s records of the signed ledger",
        report_figure_count((int64_t)json_integer_value(json_object_get(position, "size")), size));
    client_line(page->to, "  Root         %s", report_words_text(position, "root"));
    client_line(page->to, "  Checksum     %s", report_words_text(report, "checksum"));
    client_line(page->to, "  Register     %s", report_words_text(report, "register"));
    client_line(page->to,
                "  Anyone gets the same figures again with --at %" JSON_INTEGER_FORMAT
                " --as-known-at %s --class %s%s.",
                json_integer_value(json_object_get(position, "size")),
                report_words_text(report, "as_known_at"), report_words_text(report, "class"),
                json_is_true(json_object_get(report, "as_recorded")) ? " --as-recorded" : "");
}

static void sentence_print(void *user, const char *sentence) {
    const struct page *page = user;
    client_line(page->to, "%s", sentence);
}

/* ----------------------------------------------------------------- in money */

static void money_row(const struct page *page, const struct rate *rate, const char *key,
                      const char *words) {
    struct report_figure figure = report_words_figure(&page->words, key);
    char time[REPORT_FIGURE_BYTES], hour[REPORT_FIGURE_BYTES], money[REPORT_FIGURE_BYTES];
    if (!report_figure_is_shown(figure) || figure.value == 0)
        return;
    client_line(page->to, "  %s of %s at %s %s an hour: %s %s",
                report_figure_time(figure.value, time), words, rate->currency,
                report_figure_hundredths(rate->hour_hundredths, hour), rate->currency,
                report_figure_hundredths(rates_money(rate, figure.value), money));
}

static void money_print(const struct page *page, const struct rates *rates) {
    if (!rates)
        return;
    heading(page, "An estimate in money, which the ledger knows nothing of");
    for (size_t i = 0; i < rates->n; i++) {
        const struct rate *rate = &rates->items[i];
        money_row(page, rate, "minutes_given", "service");
        money_row(page, rate, "minutes_given_without_credit", "time without credit");
        client_line(page->to, "    by the rate \"%s\" of %s, %" PRIu32, rate->name, rate->source,
                    rate->year);
    }
}

void report_text_print(FILE *to, const json_t *report, const struct rates *rates, bool all) {
    static const enum report_section_number before[] = {
        REPORT_GIVEN, REPORT_PEOPLE, REPORT_MEMBERS,    REPORT_NETWORK,
        REPORT_SPENT, REPORT_BRIDGE, REPORT_CIRCULATION};
    struct page page = {.to = to, .all = all};
    report_words_init(&page.words, report);
    title_print(&page);
    for (size_t i = 0; i < N_ELEMENTS(before); i++)
        section_print(&page, before[i]);
    report_words_breakdowns(&page.words, table_print, &page);
    for (const struct report_table *table = report_squares; all && table->key; table++)
        square_print(&page, table);
    money_print(&page, rates);
    section_print(&page, REPORT_QUALITY);
    origin_print(&page);
    heading(&page, "To paste");
    report_sentences_each(&page.words, sentence_print, &page);
}
