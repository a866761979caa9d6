/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares and means in whole numbers: no figure of a report rests on floating point.
 */
#pragma once

#include <stdint.h>

#define REPORT_RATIO_MAX ((uint64_t)1 << 53) /* what every reader of JSON holds exactly */

/* part * factor / of, rounded half up; 0 where of is 0, at most REPORT_RATIO_MAX. */
uint64_t report_ratio(uint64_t part, uint64_t factor, uint64_t of);
