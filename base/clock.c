/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that asks the machine for the time; everyone else is told it. */
#include "clock.h"

#include <assert.h>
#include <time.h>

static uint64_t clock_ms(clockid_t id) {
    struct timespec t;
    int r = clock_gettime(id, &t);
    assert(r == 0 && t.tv_sec >= 0);
    (void)r;
    return (uint64_t)t.tv_sec * MS_PER_SECOND + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t clock_wall_ms(void) {
    return clock_ms(CLOCK_REALTIME);
}

uint64_t clock_monotonic_ms(void) {
    return clock_ms(CLOCK_BOOTTIME); /* a laptop's sleep is time that passed */
}
