/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a page that a funder's own layout has, too: breakdowns, pairs, where it is from. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report-chart.h"
#include "report-html.h"

#define NAME_BYTES 256
#define SQUARE_MAX 10 /* names that stand beside each other; more are told pair by pair */

/* ---------------------------------------------------------------- breakdowns */

static void region_begin(FILE *to, const char *title) {
    fputs("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"", to);
    report_html_text(to, title);
    fputs(", table\">\n", to);
}

static void table_head(FILE *to, const struct report_table *table, const char *title) {
    region_begin(to, title);
    fputs("<table><caption>", to);
    report_html_text(to, title);
    fprintf(to, ": the figures</caption>\n<thead><tr><th scope=\"col\">%s</th>", table->first);
    for (size_t i = 0; i < REPORT_COLUMNS_MAX && table->columns[i]; i++)
        fprintf(to, "<th scope=\"col\" class=\"figure\">%s</th>", table->headings[i]);
    fputs("</tr></thead>\n<tbody>\n", to);
}

static void table_line(FILE *to, const struct report_table *table, const char *name,
                       const struct report_line *line) {
    char figure[REPORT_FIGURE_BYTES];
    fputs("<tr><th scope=\"row\">", to);
    report_html_text(to, name);
    fputs("</th>", to);
    for (size_t i = 0; i < REPORT_COLUMNS_MAX && table->columns[i]; i++) {
        fputs("<td class=\"figure\">", to);
        report_html_figure(to, report_words_cell(table, line, i, figure));
        fputs("</td>", to);
    }
    fputs("</tr>\n", to);
}

/* Bars, unless there is nothing to draw. */
static void chart_print(const struct report_chart *chart) {
    size_t i = 0;
    while (i < chart->n_lines && !report_figure_is_shown(chart->lines[i].figure))
        i++;
    if (i == chart->n_lines)
        return;
    fputs("<figure>\n", chart->to);
    if (chart->table->order == REPORT_BY_NAME)
        report_chart_columns(chart);
    else
        report_chart_bars(chart);
    fputs("</figure>\n", chart->to);
}

void report_html_breakdown(FILE *to, const struct report_table *table, const char *title,
                           const json_t *groups, unsigned number) {
    size_t n = 0;
    _cleanup_(freep) struct report_line *lines = report_words_lines(table, groups, &n);
    struct report_chart chart = {
        .to = to, .table = table, .title = title, .number = number, .lines = lines, .n_lines = n};
    if (!lines)
        return;
    fputs("<h3>", to);
    report_html_text(to, title);
    fputs("</h3>\n", to);
    chart_print(&chart);
    table_head(to, table, title);
    for (size_t i = 0; i < n; i++) {
        char name[NAME_BYTES];
        report_words_line_name(table, lines[i].name, name, sizeof(name));
        table_line(to, table, name, &lines[i]);
    }
    fputs("</tbody></table></div>\n", to);
}

/* ------------------------------------------------------------ pairs of wards */

/* Names of givers and of receivers, each once, in order. */
static size_t names_gather(const json_t *square, const char *ret_names[SQUARE_MAX + 1]) {
    const char *giver, *receiver;
    json_t *receivers, *cells;
    size_t n = 0;
    json_object_foreach((json_t *)(uintptr_t)square, giver, receivers) {
        const char *pair[2] = {giver, NULL};
        json_object_foreach(receivers, receiver, cells) {
            pair[1] = receiver;
            for (size_t side = 0; side < 2; side++) {
                size_t i = 0;
                while (i < n && strcmp(ret_names[i], pair[side]) != 0)
                    i++;
                if (i == n && n <= SQUARE_MAX)
                    ret_names[n++] = pair[side];
            }
        }
    }
    return n;
}

static int name_compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void square_cell(FILE *to, const struct report_table *table, const json_t *cells) {
    const struct report_line line = {.cells = cells};
    char time[REPORT_FIGURE_BYTES], ties[REPORT_FIGURE_BYTES];
    fputs("<td class=\"figure\">", to);
    if (cells) {
        report_words_cell(table, &line, 0, time);
        report_words_cell(table, &line, 1, ties);
        report_html_figure(to, time);
        fputs("<span class=\"share\">", to);
        report_html_figure(to, ties);
        fprintf(to, " %s</span>", strcmp(ties, "1") == 0 ? "pair" : "pairs");
    } else {
        fputs("0", to);
    }
    fputs("</td>", to);
}

static void square_table(FILE *to, const struct report_table *table, const json_t *square,
                         const char *const *names, size_t n) {
    fprintf(to,
            "<table class=\"square\"><caption>%s: time given, from the giver’s (line) to the "
            "receiver’s (column), and the pairs of people behind it</caption>\n"
            "<thead><tr><th scope=\"col\">Giver’s</th>",
            table->title);
    for (size_t i = 0; i < n; i++) {
        fputs("<th scope=\"col\" class=\"figure\">", to);
        report_html_text(to, names[i]);
        fputs("</th>", to);
    }
    fputs("</tr></thead>\n<tbody>\n", to);
    for (size_t i = 0; i < n; i++) {
        const json_t *receivers = json_object_get(square, names[i]);
        fputs("<tr><th scope=\"row\">", to);
        report_html_text(to, names[i]);
        fputs("</th>", to);
        for (size_t j = 0; j < n; j++)
            square_cell(to, table, json_object_get(receivers, names[j]));
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div>\n", to);
}

static void pairs_table(FILE *to, const struct report_table *table, const json_t *square) {
    const char *giver, *receiver;
    json_t *receivers, *cells;
    table_head(to, table, table->title);
    json_object_foreach((json_t *)(uintptr_t)square, giver, receivers) {
        json_object_foreach(receivers, receiver, cells) {
            const struct report_line line = {.cells = cells};
            char name[NAME_BYTES];
            snprintf(name, sizeof(name), "%s to %s", giver, receiver);
            table_line(to, table, name, &line);
        }
    }
    fputs("</tbody></table></div>\n", to);
}

void report_html_square(FILE *to, const struct report_words *words,
                        const struct report_table *table) {
    const json_t *square = report_words_find(words, table->key);
    const char *names[SQUARE_MAX + 1];
    size_t n = names_gather(square, names);
    if (n == 0)
        return;
    fprintf(to, "<h3>%s</h3>\n", table->title);
    if (n > SQUARE_MAX) {
        pairs_table(to, table, square);
        return;
    }
    qsort(names, n, sizeof(names[0]), name_compare);
    fputs("<figure>\n", to);
    report_chart_square(to, table, square, names, n);
    fputs("</figure>\n", to);
    region_begin(to, table->title);
    square_table(to, table, square, names, n);
}

/* -------------------------------------------------------------------- origin */

static void code_row(FILE *to, const char *name, const char *value) {
    fprintf(to, "<tr><th scope=\"row\">%s</th><td><code>", name);
    report_html_figure(to, value);
    fputs("</code></td></tr>\n", to);
}

void report_html_origin(FILE *to, const struct report_words *words) {
    static const char *const rows[][2] = {{"Definitions", "definition"},
                                          {"Class", "class"},
                                          {"Cut-off", "as_known_at"},
                                          {"Checksum", "checksum"},
                                          {"Checksum, further figures", "further_checksum"},
                                          {"Register", "register"},
                                          {"Register of age bands", "register_age_bands"}};
    const json_t *report = words->report, *position = json_object_get(report, "position");
    char records[32];
    snprintf(records, sizeof(records), "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(position, "size")));
    fputs("<h2>Where the figures come from</h2>\n<table><caption>Position in the signed "
          "ledger</caption>\n<thead><tr><th scope=\"col\">What</th><th scope=\"col\">Value</th>"
          "</tr></thead>\n<tbody>\n",
          to);
    code_row(to, "Records", records);
    code_row(to, "Root", report_words_text(position, "root"));
    for (size_t i = 0; i < N_ELEMENTS(rows); i++)
        if (json_object_get(report, rows[i][1]))
            code_row(to, rows[i][0], report_words_text(report, rows[i][1]));
    fputs("</tbody></table>\n<p>The bank gets the same figures again, byte for byte, with "
          "<code>timebank report --from ",
          to);
    report_html_text(to, report_words_text(report, "from"));
    fputs(" --to ", to);
    report_html_text(to, report_words_text(report, "to"));
    fprintf(to, " --at %s --as-known-at ", records);
    report_html_text(to, report_words_text(report, "as_known_at"));
    fputs(" --class ", to);
    report_html_text(to, report_words_text(report, "class"));
    fputs(json_is_true(json_object_get(report, "as_recorded")) ? " --as-recorded</code>.</p>\n"
                                                               : "</code>.</p>\n",
          to);
}
