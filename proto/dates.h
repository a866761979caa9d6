/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates as people write them, into UTC days since 1970: 2025-03-05  5/3/2025  05.03.2025  5 Mar
 * 2025 5 March 2025  today  yesterday  tue  last tue. Days come before months; years have four
 * digits (two are refused). `tue` is the latest Tuesday not after today, `last tue` the one before
 * it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* 0, or REFUSAL_BAD_DATE / REFUSAL_AMBIGUOUS_DATE with a sentence in why. */
int dates_parse(const char *text, uint32_t today, uint32_t *ret_day, char *why,
                size_t n_why) TB_MUST_CHECK;
/* Only YYYY-MM-DD. 0 or REFUSAL_BAD_DATE. */
int dates_parse_iso(const char *text, uint32_t *ret_day) TB_MUST_CHECK;
void dates_format_iso(uint32_t day, char ret[16]);   /* 2025-03-05 */
void dates_format_words(uint32_t day, char ret[32]); /* Wed 5 March 2025 */
/* Proleptic Gregorian; month and day from 1. dates_from_civil: -EINVAL for a date that is none. */
void dates_to_civil(uint32_t day, int *ret_year, unsigned *ret_month, unsigned *ret_mday);
int dates_from_civil(int year, unsigned month, unsigned mday, uint32_t *ret_day) TB_MUST_CHECK;
unsigned dates_month_length(int year, unsigned month);
