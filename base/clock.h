/* SPDX-License-Identifier: Apache-2.0 */
/* Wall clock and monotonic clock in milliseconds, and UTC days since 1970. */
#pragma once

#include <stdint.h>

#define MS_PER_SECOND 1000u
#define MS_PER_DAY (24u * 3600u * 1000u)

uint64_t clock_wall_ms(void);
uint64_t clock_monotonic_ms(void);

static inline uint32_t clock_day(uint64_t wall_ms) {
    return (uint32_t)(wall_ms / MS_PER_DAY);
}
