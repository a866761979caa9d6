/* SPDX-License-Identifier: Apache-2.0 */
/* A breakdown as bars: inline SVG, drawn to any width, that a screen reader is told in one
 * sentence; the table beside it has the figures. */
#pragma once

#include "report-words.h"
#include <stdio.h>

struct report_chart {
    FILE *to;
    const struct report_table *table;
    const char *title;
    unsigned number; /* of the chart on its page: makes its id */
    const struct report_line *lines;
    size_t n_lines;
};

/* Upright bars in the order of the lines, a label below each: for months. */
void report_chart_columns(const struct report_chart *chart);
/* Lying bars, in the order of the lines, names beside them; at most a dozen are drawn. */
void report_chart_bars(const struct report_chart *chart);
/* A disc for each pair of names, its area the time: givers beside the lines, receivers above.
 * square is the report's object, giver first. */
void report_chart_square(FILE *to, const struct report_table *table, const json_t *square,
                         const char *const *names, size_t n);
