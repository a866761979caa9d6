/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluator's report as tidy CSV, one figure a row. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "rates.h"

/* report is the bank's object (timebank(1), report); rates may be NULL. */
void report_csv_print(FILE *to, const json_t *report, const struct rates *rates);
/* "minutes", "persons" and so on, of a measure or a breakdown's column by its path. */
const char *report_csv_unit(const char *path);
