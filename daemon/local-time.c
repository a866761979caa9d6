/* SPDX-License-Identifier: Apache-2.0 */
/* Standard time of the zone, and an hour more in summer. */
#include "local-time.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "proto/dates.h"

#define MS_PER_MINUTE 60000u
#define MINUTES_PER_DAY 1440u
#define SUNDAY_FROM_THURSDAY 4u /* 1 January 1970 was a Thursday */

/* 01:00 UTC on the last Sunday of a month of 31 days. */
static uint64_t last_sunday_ms(int year, unsigned month) {
    uint32_t day = 0;

    (void)!dates_from_civil(year, month, 31, &day);
    day -= (day + SUNDAY_FROM_THURSDAY) % 7;
    return (uint64_t)day * MS_PER_DAY + 60 * MS_PER_MINUTE;
}

static bool is_summer(uint64_t at_ms) {
    unsigned month, mday;
    int year;

    dates_to_civil(clock_day(at_ms), &year, &month, &mday);
    return at_ms >= last_sunday_ms(year, 3) && at_ms < last_sunday_ms(year, 10);
}

uint32_t local_time_minute(const char *zone, uint64_t at_ms) {
    static const struct {
        const char *zone;
        uint32_t minutes;
    } standard[] = {{"uk", 0}, {"cet", 60}, {"eet", 120}};
    uint64_t minute = at_ms / MS_PER_MINUTE;

    for (size_t i = 0; i < N_ELEMENTS(standard); i++)
        if (strcmp(zone, standard[i].zone) == 0)
            minute += standard[i].minutes + (is_summer(at_ms) ? 60 : 0);
    return (uint32_t)(minute % MINUTES_PER_DAY);
}
