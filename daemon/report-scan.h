/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the blocks of facts and hands on what counts, as picked: to the parts of a report, on
 * several threads, or row by row to somebody who lists them. Blocks outside the reach are passed
 * over; is_cancelled is looked at between blocks.
 */
#pragma once

#include "report-part.h"

/* Sums for each part: sums[i] is the caller's, for report_scan_end(), also after an error.
 * n_threads counts the caller's own; 0 is 1. */
int report_scan(const struct report_pick *pick, const struct report_part *const *parts,
                size_t n_parts, void **sums, unsigned n_threads) TB_MUST_CHECK;
/* Fresh sums of all parts, which are the caller's likewise; adding others to them, unchanged. */
struct report_scan;
int report_scan_begin(const struct report_scan *scan, void **sums) TB_MUST_CHECK;
int report_scan_merge(const struct report_scan *scan, void **sums,
                      void *const *others) TB_MUST_CHECK;
void report_scan_end(const struct report_part *const *parts, size_t n_parts, void **sums);

/* The rows within the pick's reach in the order in which they took effect, on this thread, at most
 * REPORT_ROWS_MAX at once. Another value than 0 of each() ends it and is returned. */
int report_scan_rows(const struct report_pick *pick,
                     int (*each)(void *user, const struct report_row *rows, size_t n),
                     void *user) TB_MUST_CHECK;
/* Likewise what was known to be done to accounts, whatever its date of service; in no promised
 * order, but each with the index of its record. */
int report_scan_legs(const struct report_pick *pick,
                     int (*each)(void *user, const struct report_leg *rows, size_t n),
                     void *user) TB_MUST_CHECK;
