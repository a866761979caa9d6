/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator's report as one self-contained page of HTML: no script, nothing fetched; its charts
 * are inline SVG, each beside the table that says the same. What pages made of other words share
 * (layouts) is here, too.
 */
#pragma once

#include "rates.h"
#include "report-words.h"

/* report is the bank's object (timebank(1), report); rates may be NULL. */
void report_html_print(FILE *to, const json_t *report, const struct rates *rates);

/* Text with what HTML reads as its own escaped, and without control characters. */
void report_html_text(FILE *to, const char *text);
/* A figure as text, its mark explained to those who point at it. */
void report_html_figure(FILE *to, const char *figure);
/* <!DOCTYPE html> up to <body>, with the style. */
void report_html_begin(FILE *to, const char *title);
/* Class, threshold and rounding, and the marks that occur. */
void report_html_class(FILE *to, const struct report_words *words);
/* A breakdown: heading, chart and table. The number makes the ids of one page different. */
void report_html_breakdown(FILE *to, const struct report_table *table, const char *title,
                           const json_t *groups, unsigned number);
/* Pairs of wards or age bands: a chart, and the table. */
void report_html_square(FILE *to, const struct report_words *words,
                        const struct report_table *table);
/* Position, root, checksums, and how to get the same again. */
void report_html_origin(FILE *to, const struct report_words *words);
