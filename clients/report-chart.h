/* SPDX-License-Identifier: Apache-2.0 */
/* A breakdown as bars: inline SVG, drawn to any width, that a screen reader is told in one
 * sentence; the table beside it has the figures. */
#pragma once

#include "report-words.h"
#include <stdio.h>

/* Upright bars in the order of the lines, a label below each: for months. */
void report_chart_columns(FILE *to, const struct report_table *table,
                          const struct report_line *lines, size_t n_lines);
/* Lying bars, the largest first, names beside them; at most a dozen are drawn. */
void report_chart_bars(FILE *to, const struct report_table *table, const struct report_line *lines,
                       size_t n_lines);
