/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time as people write it, into whole minutes: 2  2.5  2,5  2h30  2h  2:30  150m  45 min  1½  1h07.
 * A plain number is hours; decimals end in 0, 25, 5 or 75 (2.30 is refused with both readings).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define HOURS_MAX_MINUTES 100000000 /* what fits a person's typing; far beyond any scheme */

/* 0 with minutes (0 for "0"); a refusal (ZERO is the caller's business, NEGATIVE is refused here):
 * REFUSAL_BAD_TIME, REFUSAL_AMBIGUOUS_TIME, REFUSAL_NEGATIVE, and a sentence in why (n_why > 0). */
int hours_parse(const char *text, uint64_t *ret_minutes, char *why, size_t n_why) TB_MUST_CHECK;
/* "2 h 30", "45 min", "2 h", "0 min", "-1 h 15". Holds any int64: 32 bytes. */
void hours_format(int64_t minutes, char ret[32]);
