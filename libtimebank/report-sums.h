/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be told of a report's figures without the entries: that they are those of the definition
 * set, no more and no less, and that they add up where nothing is hidden or rounded.
 */
#pragma once

#include "proto/report-text.h"

#define REPORT_SUMS_WHY_BYTES 256

/* 0, or -EBADMSG with what does not fit in a few words. Control bytes may stand in them. */
int report_sums_check(const struct report_text *report,
                      char ret_why[REPORT_SUMS_WHY_BYTES]) TB_MUST_CHECK;
/* Did it have to add up? Nothing is hidden or rounded in it. */
bool report_sums_are_open(const struct report_text *report);
