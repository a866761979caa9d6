/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time and dates as people type and read them. The reading is proto's: the same rules hold wherever
 * a figure is typed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "proto/refusal.h"
#include "timebank.h"

/* The readers want somewhere to write their sentence. */
struct why {
    char spare[1];
    char *text;
    size_t n;
};

static void why_init(struct why *ret, char *why, size_t n_why) {
    bool is_given = why && n_why > 0;
    ret->text = is_given ? why : ret->spare;
    ret->n = is_given ? n_why : sizeof(ret->spare);
    ret->text[0] = '\0';
}

int tb_time_parse(const char *text, uint64_t *ret_minutes, char *why, size_t n_why) {
    if (!text || !ret_minutes)
        return -EINVAL;
    struct why to;
    why_init(&to, why, n_why);
    return hours_parse(text, ret_minutes, to.text, to.n);
}

void tb_time_format(int64_t minutes, char ret[32]) {
    hours_format(minutes, ret);
}

int tb_time_round(uint64_t minutes, uint64_t quantum, const char *rounding, uint64_t *ret_minutes) {
    if (quantum == 0 || !rounding || !ret_minutes)
        return -EINVAL;
    uint64_t over = minutes % quantum;
    uint64_t down = minutes - over;
    bool up = false;
    if (strcmp(rounding, "up") == 0)
        up = over > 0;
    else if (strcmp(rounding, "nearest") == 0)
        up = over >= quantum - over && over > 0;
    else if (strcmp(rounding, "refuse") == 0 && over > 0)
        return TB_NOT_IN_QUANTUM;
    else if (strcmp(rounding, "refuse") != 0 && strcmp(rounding, "down") != 0)
        return -EINVAL;
    if (up && down > UINT64_MAX - quantum)
        return -EINVAL;
    *ret_minutes = up ? down + quantum : down;
    return 0;
}

int tb_date_parse(const char *text, uint32_t today, uint32_t *ret_day, char *why, size_t n_why) {
    if (!text || !ret_day)
        return -EINVAL;
    struct why to;
    why_init(&to, why, n_why);
    return dates_parse(text, today, ret_day, to.text, to.n);
}

void tb_date_format(uint32_t day, char ret[16]) {
    dates_format_iso(day, ret);
}

void tb_date_format_words(uint32_t day, char ret[32]) {
    dates_format_words(day, ret);
}

uint32_t tb_today(void) {
    return clock_day(clock_wall_ms());
}
