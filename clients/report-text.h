/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluator's report as one page for reading aloud. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "rates.h"

/* report is the bank's object (timebank(1), report); rates may be NULL. all: every figure and every
 * line, not what fits a page. */
void report_text_print(FILE *to, const json_t *report, const struct rates *rates, bool all);
