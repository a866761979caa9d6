/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluator's report as one page for reading aloud. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* report is the bank's object (timebank(1), report). */
void report_text_print(FILE *to, const json_t *report);
