/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluator's report as tidy CSV, one figure a row. */
#pragma once

#include <jansson.h>

/* report is the bank's object (timebank(1), report). Prints to standard output. */
void report_csv_print(const json_t *report);
