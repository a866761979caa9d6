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
#define COLUMNS_TOP 24
#define COLUMNS_BOTTOM 36
#define LABELS_MAX 13 /* under columns; more would run into each other */
#define BAR_HEIGHT 20
#define BAR_STEP 28
#define BARS_MAX 12
#define BARS_LEFT 210
#define BARS_RIGHT 110
#define NAME_CHARACTERS 22
#define NAME_BYTES 256

static int64_t largest(const struct report_line *lines, size_t n_lines) {
    int64_t most = 1;
    for (size_t i = 0; i < n_lines; i++)
        most = MAX_OF(most, lines[i].minutes);
    return most;
}

static int64_t scaled(int64_t minutes, int64_t most, int64_t length) {
    return MAX_OF(minutes, (int64_t)0) * length / most;
}

static void svg_begin(FILE *to, const struct report_table *table, int height) {
    fprintf(to,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"chart-%s\" "
            "preserveAspectRatio=\"xMinYMin meet\">\n<title id=\"chart-%s\">",
            WIDTH, height, table->key, table->key);
    report_html_text(to, table->title);
    fputs(", as bars. The table has the figures.</title>\n", to);
}

static void bar(FILE *to, const struct report_table *table, const struct report_line *line,
                const int64_t place[4]) {
    char name[NAME_BYTES], figure[REPORT_FIGURE_BYTES];
    report_words_line_name(table, line->name, name, sizeof(name));
    fprintf(to,
            "<rect class=\"bar\" x=\"%" PRId64 "\" y=\"%" PRId64 "\" width=\"%" PRId64
            "\" height=\"%" PRId64 "\"><title>",
            place[0], place[1], place[2], place[3]);
    report_html_text(to, name);
    fputs(": ", to);
    report_html_text(to, report_words_time(line->minutes, figure));
    fputs("</title></rect>\n", to);
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

void report_chart_columns(FILE *to, const struct report_table *table,
                          const struct report_line *lines, size_t n_lines) {
    int64_t most = largest(lines, n_lines), n = (int64_t)n_lines, every;
    int64_t base = COLUMNS_HEIGHT - COLUMNS_BOTTOM;
    char figure[REPORT_FIGURE_BYTES];
    if (n == 0)
        return;
    every = (n + LABELS_MAX - 1) / LABELS_MAX;
    svg_begin(to, table, COLUMNS_HEIGHT);
    fprintf(to, "<text x=\"0\" y=\"14\">");
    report_html_text(to, report_words_time(most, figure));
    fprintf(to, "</text>\n<line class=\"rule\" x1=\"0\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
            COLUMNS_TOP, WIDTH, COLUMNS_TOP);
    for (int64_t i = 0; i < n; i++) {
        int64_t height = scaled(lines[i].minutes, most, base - COLUMNS_TOP);
        int64_t left = i * WIDTH / n, width = (i + 1) * WIDTH / n - left;
        int64_t gap = MAX_OF(width / 8, (int64_t)1);
        bar(to, table, &lines[i],
            (const int64_t[]){left + gap, base - height, MAX_OF(width - 2 * gap, (int64_t)1),
                              height});
        if (i % every == 0)
            label(to, table, lines[i].name, left + width / 2, i / every % 3 != 1);
    }
    fprintf(to,
            "<line class=\"axis\" x1=\"0\" y1=\"%" PRId64 "\" x2=\"%d\" y2=\"%" PRId64
            "\"/>\n</svg>\n",
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

void report_chart_bars(FILE *to, const struct report_table *table, const struct report_line *lines,
                       size_t n_lines) {
    size_t n = MIN_OF(n_lines, (size_t)BARS_MAX);
    int64_t most = largest(lines, n);
    if (n == 0)
        return;
    svg_begin(to, table, (int)n * BAR_STEP + 4);
    for (size_t i = 0; i < n; i++) {
        int64_t top = (int64_t)i * BAR_STEP + 2;
        int64_t width = scaled(lines[i].minutes, most, WIDTH - BARS_LEFT - BARS_RIGHT);
        char name[NAME_BYTES], figure[REPORT_FIGURE_BYTES];
        report_words_line_name(table, lines[i].name, name, sizeof(name) - 4);
        short_name(name);
        fprintf(to, "<text x=\"%d\" y=\"%" PRId64 "\" text-anchor=\"end\">", BARS_LEFT - 8,
                top + 15);
        report_html_text(to, name);
        fputs("</text>\n", to);
        bar(to, table, &lines[i],
            (const int64_t[]){BARS_LEFT, top, MAX_OF(width, (int64_t)1), BAR_HEIGHT});
        fprintf(to, "<text x=\"%" PRId64 "\" y=\"%" PRId64 "\">", BARS_LEFT + width + 6, top + 15);
        report_html_text(to, report_words_time(lines[i].minutes, figure));
        fputs("</text>\n", to);
    }
    fputs("</svg>\n", to);
}
