/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole numbers only, so that the same report draws the same bytes everywhere. Every bar has a
 * title with its name and figure; texts are drawn large enough to be read on a phone.
 */
#include "report-chart.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "report-html.h"

#define WIDTH 720
#define COLUMNS_HEIGHT 240
#define COLUMNS_TOP 28
#define COLUMNS_BOTTOM 36
#define LABELS_MAX 13 /* under columns; more would run into each other */
#define BAR_HEIGHT 20
#define BAR_STEP 28
#define BARS_MAX 12
#define BARS_LEFT 250
#define BARS_RIGHT 140
#define NAME_CHARACTERS 18
#define NAME_BYTES 256
#define SQUARE_TOP 130
#define SQUARE_STEP 42

static int64_t largest(const struct report_line *lines, size_t n_lines) {
    int64_t most = 1;
    for (size_t i = 0; i < n_lines; i++)
        most = MAX_OF(most, lines[i].figure.value);
    return most;
}

static int64_t scaled(int64_t minutes, int64_t most, int64_t length) {
    return MAX_OF(minutes, (int64_t)0) * length / most;
}

static void svg_begin(FILE *to, const char *title, const char *id, unsigned number, int height) {
    fprintf(to,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-%u\" "
            "preserveAspectRatio=\"xMinYMin meet\">\n<title id=\"%s-%u\">",
            WIDTH, height, id, number, id, number);
    report_html_text(to, title);
    fputs(". The table has the figures.</title>\n", to);
}

static void bars_begin(const struct report_chart *chart, int height) {
    char title[NAME_BYTES];
    snprintf(title, sizeof(title), "%.200s, as bars", chart->title);
    svg_begin(chart->to, title, "chart", chart->number, height);
}

static const char *figure_text(const struct report_line *line, char ret[REPORT_FIGURE_BYTES]) {
    return report_figure_text(line->figure, REPORT_TIME, ret);
}

static void bar(const struct report_chart *chart, const struct report_line *line,
                const int64_t place[4]) {
    char name[NAME_BYTES], figure[REPORT_FIGURE_BYTES];
    report_words_line_name(chart->table, line->name, name, sizeof(name));
    fprintf(chart->to,
            "<rect class=\"bar\" x=\"%" PRId64 "\" y=\"%" PRId64 "\" width=\"%" PRId64
            "\" height=\"%" PRId64 "\"><title>",
            place[0], place[1], place[2], place[3]);
    report_html_text(chart->to, name);
    fputs(": ", chart->to);
    report_html_text(chart->to, figure_text(line, figure));
    fputs("</title></rect>\n", chart->to);
}

/* "Apr 24": a month's short name. Other names as they are. Those between have no room on a phone.
 */
static void label(FILE *to, const struct report_table *table, const char *key, int64_t x,
                  bool is_between) {
    char name[NAME_BYTES];
    const char *year;
    report_words_line_name(table, key, name, sizeof(name));
    year = strrchr(name, ' ');
    fprintf(to, "<text%s x=\"%" PRId64 "\" y=\"%d\" text-anchor=\"middle\">",
            is_between ? " class=\"between\"" : "", x, COLUMNS_HEIGHT - COLUMNS_BOTTOM + 24);
    if (year && strlen(name) > 3 && strlen(year) == 5)
        fprintf(to, "%.3s %s", name, year + 3);
    else
        report_html_text(to, name);
    fputs("</text>\n", to);
}

static void column(const struct report_chart *chart, int64_t i, int64_t most) {
    const struct report_line *line = &chart->lines[i];
    int64_t n = (int64_t)chart->n_lines, every = (n + LABELS_MAX - 1) / LABELS_MAX;
    int64_t base = COLUMNS_HEIGHT - COLUMNS_BOTTOM;
    int64_t height = scaled(line->figure.value, most, base - COLUMNS_TOP);
    int64_t left = i * WIDTH / n, width = (i + 1) * WIDTH / n - left;
    int64_t gap = MAX_OF(width / 8, (int64_t)1);
    char figure[REPORT_FIGURE_BYTES];
    if (report_figure_is_shown(line->figure))
        bar(chart, line,
            (const int64_t[]){left + gap, base - height, MAX_OF(width - 2 * gap, (int64_t)1),
                              height});
    else
        fprintf(chart->to,
                "<text x=\"%" PRId64 "\" y=\"%" PRId64 "\" text-anchor=\"middle\">%s</text>\n",
                left + width / 2, base - 6, figure_text(line, figure));
    if (i % every == 0)
        label(chart->to, chart->table, line->name, left + width / 2, i / every % 3 != 1);
}

void report_chart_columns(const struct report_chart *chart) {
    int64_t most = largest(chart->lines, chart->n_lines);
    int base = COLUMNS_HEIGHT - COLUMNS_BOTTOM;
    char figure[REPORT_FIGURE_BYTES];
    if (chart->n_lines == 0)
        return;
    bars_begin(chart, COLUMNS_HEIGHT);
    fputs("<text x=\"0\" y=\"18\">", chart->to);
    report_html_text(chart->to, report_figure_time(most, figure));
    fprintf(chart->to, "</text>\n<line class=\"rule\" x1=\"0\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
            COLUMNS_TOP, WIDTH, COLUMNS_TOP);
    for (size_t i = 0; i < chart->n_lines; i++)
        column(chart, (int64_t)i, most);
    fprintf(chart->to, "<line class=\"axis\" x1=\"0\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n</svg>\n",
            base, WIDTH, base);
}

/* A name that fits beside its bar; cut between characters, never within one. */
static void short_name(char *name) {
    size_t at = 0, characters = 0;
    while (name[at] && characters < NAME_CHARACTERS) {
        at++;
        while (((unsigned char)name[at] & 0xc0) == 0x80)
            at++;
        characters++;
    }
    if (name[at])
        strcpy(name + at, "…");
}

void report_chart_bars(const struct report_chart *chart) {
    size_t n = MIN_OF(chart->n_lines, (size_t)BARS_MAX);
    int64_t most = largest(chart->lines, n);
    FILE *to = chart->to;
    if (n == 0)
        return;
    bars_begin(chart, (int)n * BAR_STEP + 4);
    for (size_t i = 0; i < n; i++) {
        const struct report_line *line = &chart->lines[i];
        int64_t top = (int64_t)i * BAR_STEP + 2;
        int64_t width = scaled(line->figure.value, most, WIDTH - BARS_LEFT - BARS_RIGHT);
        char name[NAME_BYTES], figure[REPORT_FIGURE_BYTES];
        report_words_line_name(chart->table, line->name, name, sizeof(name) - 4);
        short_name(name);
        fprintf(to, "<text x=\"%d\" y=\"%" PRId64 "\" text-anchor=\"end\">", BARS_LEFT - 8,
                top + 15);
        report_html_text(to, name);
        fputs("</text>\n", to);
        if (report_figure_is_shown(line->figure))
            bar(chart, line,
                (const int64_t[]){BARS_LEFT, top, MAX_OF(width, (int64_t)1), BAR_HEIGHT});
        fprintf(to, "<text x=\"%" PRId64 "\" y=\"%" PRId64 "\">", BARS_LEFT + width + 6, top + 15);
        report_html_text(to, figure_text(line, figure));
        fputs("</text>\n", to);
    }
    fputs("</svg>\n", to);
}

/* ------------------------------------------------------------------ squares */

static struct report_figure time_between(const struct report_table *table, const json_t *square,
                                         const char *giver, const char *receiver) {
    const json_t *cells = json_object_get(json_object_get(square, giver), receiver);
    return report_figure_read(json_object_get(cells, table->columns[0]));
}

/* The largest whole number whose square is no more than n. */
static int64_t root(int64_t n) {
    int64_t i = 0;
    while ((i + 1) * (i + 1) <= n)
        i++;
    return i;
}

/* A disc whose area is the time, or the mark in its place. */
static void disc(FILE *to, const char *giver, const char *receiver, struct report_figure time,
                 const int64_t place[3]) {
    char text[REPORT_FIGURE_BYTES];
    if (time.mark != REPORT_MARK_NONE) {
        fprintf(to, "<text x=\"%" PRId64 "\" y=\"%" PRId64 "\" text-anchor=\"middle\">%s</text>\n",
                place[0], place[1] + 5, report_figure_text(time, REPORT_TIME, text));
        return;
    }
    fprintf(to,
            "<circle class=\"bar\" cx=\"%" PRId64 "\" cy=\"%" PRId64 "\" r=\"%" PRId64 "\"><title>",
            place[0], place[1], MAX_OF(place[2], (int64_t)1));
    report_html_text(to, giver);
    fputs(" to ", to);
    report_html_text(to, receiver);
    fprintf(to, ": %s</title></circle>\n", report_figure_time(time.value, text));
}

static void square_names(FILE *to, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int64_t at = (int64_t)i * SQUARE_STEP + SQUARE_STEP / 2;
        char name[NAME_BYTES];
        snprintf(name, sizeof(name) - 4, "%s", names[i]);
        short_name(name);
        fprintf(to, "<text x=\"%d\" y=\"%" PRId64 "\" text-anchor=\"end\">", BARS_LEFT - 8,
                SQUARE_TOP + at + 5);
        report_html_text(to, name);
        fprintf(to, "</text>\n<text transform=\"translate(%" PRId64 " %d) rotate(-45)\">",
                BARS_LEFT + at, SQUARE_TOP - 8);
        report_html_text(to, name);
        fputs("</text>\n", to);
    }
}

void report_chart_square(FILE *to, const struct report_table *table, const json_t *square,
                         const char *const *names, size_t n) {
    int64_t most = 1;
    char title[NAME_BYTES];
    for (size_t i = 0; i < n * n; i++)
        most = MAX_OF(most, time_between(table, square, names[i / n], names[i % n]).value);
    snprintf(title, sizeof(title), "%s: givers beside the lines, receivers above, larger for more",
             table->title);
    svg_begin(to, title, table->key, 0, SQUARE_TOP + (int)n * SQUARE_STEP);
    fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">given by, to</text>\n", BARS_LEFT - 8,
            SQUARE_TOP - 8);
    for (size_t i = 0; i < n * n; i++) {
        struct report_figure time = time_between(table, square, names[i / n], names[i % n]);
        if (report_figure_is_shown(time) && time.value <= 0)
            continue;
        disc(to, names[i / n], names[i % n], time,
             (const int64_t[]){BARS_LEFT + (int64_t)(i % n) * SQUARE_STEP + SQUARE_STEP / 2,
                               SQUARE_TOP + (int64_t)(i / n) * SQUARE_STEP + SQUARE_STEP / 2,
                               root(scaled(time.value, most, SQUARE_STEP * SQUARE_STEP / 4))});
    }
    square_names(to, names, n);
    fputs("</svg>\n", to);
}
