/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all parts of a report sum of a chapter's lines that no share of it tells (report-memo.h): of
 * a report asked for again, and of one asked for a little later, only what is new is read line by
 * line. Remembered beside the facts for the last few periods, as long as nothing else that the
 * parts look at has changed: the persons, the register, what is taken back. Full blocks themselves
 * never change. Not where cells are hidden, accounts are merged or there are very many.
 */
#pragma once

#include "report-scan-plan.h"

/* Sums a chapter of the lowest level line by line. */
typedef int report_rest_sum(void *user, size_t chapter, void **sums);

/* Says in the scan whether rests may be remembered, and for what they are good. 0, or -ENOMEM. */
int report_rest_begin(struct report_scan *scan) TB_MUST_CHECK;
/* Merges what the chapter's rest comes to, remembered or summed now, into the sums. */
int report_rest_merge(struct report_scan *scan, unsigned level, size_t chapter,
                      report_rest_sum *sum, void *user, void **sums) TB_MUST_CHECK;
