/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator's report as one self-contained page of HTML: no script, nothing fetched; its charts
 * are inline SVG, each beside the table that says the same.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* report is the bank's object (timebank(1), report). */
void report_html_print(FILE *to, const json_t *report);
/* Text with what HTML reads as its own escaped, and without control characters. */
void report_html_text(FILE *to, const char *text);
