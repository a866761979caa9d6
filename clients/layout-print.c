/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A funder's form, filled in, as text, CSV, HTML or JSON. Whatever the form, it says which bank,
 * period, class and position it is of, and what its marks mean.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "csv-out.h"
#include "layout.h"
#include "report-csv.h"
#include "report-html.h"

#define WORDS_WIDTH 56
#define FIGURE_WIDTH 16 /* longer ones are broken on a phone */
#define NAME_BYTES 256

struct filling {
    FILE *to;
    const struct layout *layout;
    struct report_words words;
    const char *heading;            /* the last */
    const struct layout_item *item; /* a table's */
    unsigned n_charts;
    bool is_in_list; /* HTML: a table of figures is open */
    json_t *lines;   /* JSON: of the last section */
};

/* --------------------------------------------------------------- breakdowns */

static const struct report_table *table_find(const struct report_table *tables, const char *path) {
    for (; tables->key; tables++)
        if (strncmp(tables->key, path, strlen(tables->key)) == 0 &&
            (path[strlen(tables->key)] == '\0' || path[strlen(tables->key)] == '/'))
            return tables;
    return NULL;
}

/* Each of the tables that an item's path stands for: one, or one for each set of tags. */
static void tables_each(struct filling *filling, const struct layout_item *item,
                        void (*tell)(struct filling *filling, const struct report_table *table,
                                     const char *title, const json_t *groups),
                        void (*tell_square)(struct filling *filling,
                                            const struct report_table *table, const char *title,
                                            const json_t *groups)) {
    const struct report_table *table = table_find(report_tables, item->path);
    json_t *groups = layout_figure_find(&filling->words, item->path), *inner;
    const char *set;
    filling->item = item;
    if (!table) {
        table = table_find(report_squares, item->path);
        if (table)
            tell_square(filling, table, item->words, groups);
        return;
    }
    if (!table->is_sets || strchr(item->path, '/')) {
        tell(filling, table, item->words, groups);
        return;
    }
    json_object_foreach(groups, set, inner) {
        char title[LAYOUT_TEXT_BYTES + 128];
        snprintf(title, sizeof(title), "%s: %.100s", item->words, set);
        tell(filling, table, title, inner);
    }
}

/* --------------------------------------------------------------------- text */

static int width_of(const char *text) {
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void text_row(FILE *to, const char *indent, const char *words, const char *figure) {
    int n = (int)strlen(indent) + width_of(words);
    client_line(to, "%s%s%*s%s", indent, words,
                MAX_OF(WORDS_WIDTH - n + MAX_OF(14 - width_of(figure), 0), 2), "", figure);
}

/* "540 h 15 time given, 108 people"; one mark where all are hidden alike. */
static void cells_tell(const struct report_table *table, const struct report_line *line, char *ret,
                       size_t n) {
    bool alike = !report_figure_is_shown(line->figure) && line->figure.mark != REPORT_MARK_ABSENT;
    *ret = '\0';
    for (size_t j = 0; j < REPORT_COLUMNS_MAX && table->columns[j]; j++) {
        char figure[REPORT_FIGURE_BYTES];
        size_t at = strlen(ret);
        snprintf(ret + at, n - at, "%s%s %s", j > 0 ? ", " : "",
                 report_words_cell(table, line, j, figure), table->headings[j]);
        alike = alike && report_figure_read(json_object_get(line->cells, table->columns[j])).mark ==
                             line->figure.mark;
    }
    if (alike)
        snprintf(ret, n, "[%c]", line->figure.mark);
}

static void text_table(struct filling *filling, const struct report_table *table, const char *title,
                       const json_t *groups) {
    size_t n = 0;
    _cleanup_(freep) struct report_line *lines = report_words_lines(table, groups, &n);
    client_line(filling->to, "  %s%s", title, n == 0 ? ": nothing in this period" : "");
    for (size_t i = 0; i < n; i++) {
        char name[NAME_BYTES], cells[REPORT_COLUMNS_MAX * (REPORT_FIGURE_BYTES + 24)];
        report_words_line_name(table, lines[i].name, name, sizeof(name));
        cells_tell(table, &lines[i], cells, sizeof(cells));
        client_line(filling->to, "    %s: %s", name, cells);
    }
}

static void text_square(struct filling *filling, const struct report_table *table,
                        const char *title, const json_t *groups) {
    const char *giver, *receiver;
    json_t *receivers, *cells;
    client_line(filling->to, "  %s", title);
    json_object_foreach((json_t *)(uintptr_t)groups, giver, receivers) {
        json_object_foreach(receivers, receiver, cells) {
            const struct report_line line = {.cells = cells};
            char time[REPORT_FIGURE_BYTES], ties[REPORT_FIGURE_BYTES];
            client_line(filling->to, "    %s to %s: %s, %s pairs", giver, receiver,
                        report_words_cell(table, &line, 0, time),
                        report_words_cell(table, &line, 1, ties));
        }
    }
}

static void text_mark(void *user, char mark) {
    client_line(user, "[%c] %s.", mark, report_mark_meaning(mark));
}

/* "Service from 1 April 2024 to 31 March 2025, as known on 31 March 2025." */
static const char *period_text(const struct report_words *words, char *ret, size_t n) {
    char known[32], from[32], to[32];
    report_words_date(report_words_text(words->report, "from"), from, sizeof(from));
    report_words_date(report_words_text(words->report, "to"), to, sizeof(to));
    report_words_date(report_words_text(words->report, "as_known_at"), known, sizeof(known));
    snprintf(ret, n, "%s: service from %s to %s, as known on %s%s.",
             report_words_text(words->report, "bank"), from, to, known,
             json_is_true(json_object_get(words->report, "as_recorded"))
                 ? " by the ledger's own dates of entry"
                 : "");
    return ret;
}

static void text_print(struct filling *filling) {
    const json_t *report = filling->words.report, *position = json_object_get(report, "position");
    char line[600], size[REPORT_FIGURE_BYTES];
    client_line(filling->to, "%s", filling->layout->title);
    client_line(filling->to, "%s", period_text(&filling->words, line, sizeof(line)));
    report_words_class(&filling->words, line, sizeof(line));
    client_line(filling->to, "%s", line);
    report_marks_each(report, text_mark, filling->to);
    for (size_t i = 0; i < filling->layout->n_items; i++) {
        const struct layout_item *item = &filling->layout->items[i];
        struct layout_figure figure;
        if (item->as == LAYOUT_HEADING) {
            fputc('\n', filling->to);
            client_line(filling->to, "%s", item->words);
        } else if (item->as == LAYOUT_TABLE) {
            tables_each(filling, item, text_table, text_square);
        } else {
            layout_figure_get(filling->layout, item, &filling->words, &figure);
            text_row(filling->to, "  ", item->words, figure.text);
        }
    }
    fputc('\n', filling->to);
    client_line(
        filling->to, "From the first %s records of the signed ledger, root %s, checksum %s.",
        report_figure_count((int64_t)json_integer_value(json_object_get(position, "size")), size),
        report_words_text(position, "root"), report_words_text(report, "checksum"));
}

/* ---------------------------------------------------------------------- CSV */

static void csv_row(const char *section, const char *words, const char *measure,
                    const struct layout_figure *figure) {
    csv_out_text(section);
    csv_out_text(words);
    csv_out_text(measure);
    csv_out_decimal(figure->value);
    csv_out_text(figure->unit);
    csv_out_text(figure->flag);
    csv_out_end();
}

static void csv_cells(const struct filling *filling, const struct report_table *table,
                      const char *title, const char *name, const char *path, const json_t *cells) {
    for (size_t j = 0; j < REPORT_COLUMNS_MAX && table->columns[j]; j++) {
        struct layout_item item = {.as = LAYOUT_PLAIN};
        struct layout_figure figure = {0};
        struct report_figure cell = report_figure_read(json_object_get(cells, table->columns[j]));
        char words[2 * LAYOUT_TEXT_BYTES + NAME_BYTES];
        snprintf(item.path, sizeof(item.path), "%.250s/%s", path, table->columns[j]);
        snprintf(words, sizeof(words), "%s: %s, %s", title, name, table->headings[j]);
        if (report_figure_is_shown(cell))
            snprintf(figure.value, sizeof(figure.value), "%" PRId64, cell.value);
        figure.flag[0] = cell.mark;
        snprintf(figure.unit, sizeof(figure.unit), "%s", report_csv_unit(item.path));
        csv_row(filling->heading, words, item.path, &figure);
    }
}

static void csv_table(struct filling *filling, const struct report_table *table, const char *title,
                      const json_t *groups) {
    size_t n = 0;
    _cleanup_(freep) struct report_line *lines = report_words_lines(table, groups, &n);
    for (size_t i = 0; i < n; i++) {
        char name[NAME_BYTES], path[LAYOUT_PATH_BYTES];
        report_words_line_name(table, lines[i].name, name, sizeof(name));
        snprintf(path, sizeof(path), "%.140s/%.140s", filling->item->path, lines[i].name);
        csv_cells(filling, table, title, name, path, lines[i].cells);
    }
}

static void csv_square(struct filling *filling, const struct report_table *table, const char *title,
                       const json_t *groups) {
    const char *giver, *receiver;
    json_t *receivers, *cells;
    json_object_foreach((json_t *)(uintptr_t)groups, giver, receivers) {
        json_object_foreach(receivers, receiver, cells) {
            char name[NAME_BYTES], path[LAYOUT_PATH_BYTES];
            snprintf(name, sizeof(name), "%.100s to %.100s", giver, receiver);
            snprintf(path, sizeof(path), "%s/%.100s/%.100s", table->key, giver, receiver);
            csv_cells(filling, table, title, name, path, cells);
        }
    }
}

static void csv_head(const struct filling *filling) {
    static const char *const rows[] = {"bank",  "from",       "to",       "as_known_at",
                                       "class", "definition", "checksum", "register"};
    const json_t *report = filling->words.report, *position = json_object_get(report, "position");
    struct layout_figure size = {.unit = "records"};
    static const char *const columns[] = {"section", "words", "measure", "value", "unit", "flag"};
    for (size_t i = 0; i < N_ELEMENTS(columns); i++)
        csv_out_text(columns[i]);
    csv_out_end();
    csv_out_text("");
    csv_out_text(filling->layout->title);
    for (size_t i = 2; i < N_ELEMENTS(columns); i++)
        csv_out_text("");
    csv_out_end();
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        csv_out_text("");
        csv_out_text("");
        csv_out_text(rows[i]);
        csv_out_text(report_words_text(report, rows[i]));
        csv_out_text("text");
        csv_out_text("");
        csv_out_end();
    }
    snprintf(size.value, sizeof(size.value), "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(position, "size")));
    csv_row("", "", "position_size", &size);
}

static void csv_print(struct filling *filling) {
    csv_out_begin_to(filling->to);
    csv_head(filling);
    for (size_t i = 0; i < filling->layout->n_items; i++) {
        const struct layout_item *item = &filling->layout->items[i];
        struct layout_figure figure;
        if (item->as == LAYOUT_HEADING) {
            filling->heading = item->words;
        } else if (item->as == LAYOUT_TABLE) {
            tables_each(filling, item, csv_table, csv_square);
        } else {
            layout_figure_get(filling->layout, item, &filling->words, &figure);
            csv_row(filling->heading, item->words, item->path, &figure);
        }
    }
}

/* --------------------------------------------------------------------- HTML */

static void html_list(struct filling *filling, bool open) {
    if (filling->is_in_list == open)
        return;
    filling->is_in_list = open;
    if (!open) {
        fputs("</tbody></table>\n", filling->to);
        return;
    }
    fputs("<table><caption>", filling->to);
    report_html_text(filling->to, filling->heading);
    fputs(": the figures</caption>\n<thead><tr><th scope=\"col\">What</th>"
          "<th scope=\"col\" class=\"figure\">Figure</th></tr></thead>\n<tbody>\n",
          filling->to);
}

static void html_table(struct filling *filling, const struct report_table *table, const char *title,
                       const json_t *groups) {
    html_list(filling, false);
    if (json_object_size(groups) > 0) {
        report_html_breakdown(filling->to, table, title, groups, filling->n_charts++);
        return;
    }
    fputs("<p>", filling->to);
    report_html_text(filling->to, title);
    fputs(": nothing in this period.</p>\n", filling->to);
}

static void html_square(struct filling *filling, const struct report_table *table,
                        const char *title, const json_t *groups) {
    (void)groups;
    (void)title;
    html_list(filling, false);
    report_html_square(filling->to, &filling->words, table);
}

static void html_item(struct filling *filling, const struct layout_item *item) {
    struct layout_figure figure;
    layout_figure_get(filling->layout, item, &filling->words, &figure);
    html_list(filling, true);
    fputs("<tr><th scope=\"row\">", filling->to);
    report_html_text(filling->to, item->words);
    fprintf(filling->to, "</th><td class=\"figure%s\">",
            strlen(figure.text) > FIGURE_WIDTH ? " long" : "");
    report_html_figure(filling->to, figure.text);
    fputs("</td></tr>\n", filling->to);
}

static void html_print(struct filling *filling) {
    FILE *to = filling->to;
    char line[600];
    report_html_begin(to, filling->layout->title);
    fputs("<header>\n<h1>", to);
    report_html_text(to, filling->layout->title);
    fputs("</h1>\n<p>", to);
    report_html_text(to, period_text(&filling->words, line, sizeof(line)));
    fputs("</p>\n", to);
    report_html_class(to, &filling->words);
    fputs("</header>\n<main>\n", to);
    for (size_t i = 0; i < filling->layout->n_items; i++) {
        const struct layout_item *item = &filling->layout->items[i];
        if (item->as == LAYOUT_HEADING) {
            html_list(filling, false);
            filling->heading = item->words;
            fputs("<h2>", to);
            report_html_text(to, item->words);
            fputs("</h2>\n", to);
        } else if (item->as == LAYOUT_TABLE) {
            tables_each(filling, item, html_table, html_square);
        } else {
            html_item(filling, item);
        }
    }
    html_list(filling, false);
    report_html_origin(to, &filling->words);
    fputs("</main>\n</body>\n</html>\n", to);
}

void layout_print(FILE *to, const struct layout *layout, const json_t *report) {
    struct filling filling = {.to = to, .layout = layout, .heading = ""};
    report_words_init(&filling.words, report);
    if (layout->format == LAYOUT_CSV)
        csv_print(&filling);
    else if (layout->format == LAYOUT_HTML)
        html_print(&filling);
    else
        text_print(&filling);
}

/* --------------------------------------------------------------------- JSON */

static json_t *json_item(const struct filling *filling, const struct layout_item *item) {
    struct layout_figure figure;
    if (item->as == LAYOUT_TABLE)
        return json_pack("{s:s, s:s, s:O?}", "words", item->words, "measure", item->path, "table",
                         layout_figure_find(&filling->words, item->path));
    layout_figure_get(filling->layout, item, &filling->words, &figure);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "words", item->words, "measure", item->path,
                     "text", figure.text, "value", figure.value, "unit", figure.unit, "flag",
                     figure.flag);
}

json_t *layout_print_json(const struct layout *layout, const json_t *report) {
    static const char *const keys[] = {
        "bank", "from",     "to",       "as_known_at",      "class",
        "rule", "position", "checksum", "further_checksum", "register"};
    struct filling filling = {.layout = layout};
    json_t *object = json_pack("{s:s}", "title", layout->title), *sections = json_array();
    report_words_init(&filling.words, report);
    for (size_t i = 0; i < N_ELEMENTS(keys); i++)
        if (json_object_get(report, keys[i]))
            json_object_set(object, keys[i], json_object_get(report, keys[i]));
    for (size_t i = 0; i < layout->n_items; i++) {
        const struct layout_item *item = &layout->items[i];
        if (item->as != LAYOUT_HEADING) {
            json_array_append_new(filling.lines, json_item(&filling, item));
            continue;
        }
        filling.lines = json_array();
        json_array_append_new(
            sections, json_pack("{s:s, s:o}", "title", item->words, "lines", filling.lines));
    }
    json_object_set_new(object, "sections", sections);
    return object;
}
