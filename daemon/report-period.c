/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The period, the one before it, and the calendar months in both senses: those it touches and those
 * it holds whole.
 */
#include <stdio.h>

#include "proto/dates.h"
#include "proto/refusal.h"
#include "report-parts.h"

#define LAST_DAY 2932896u /* 9999-12-31 */

uint32_t report_period_month(uint32_t day) {
    int year;
    unsigned month, mday;
    dates_to_civil(day, &year, &month, &mday);
    return (uint32_t)year * 12 + month - 1;
}

void report_period_month_name(uint32_t month, char ret[16]) {
    snprintf(ret, 16, "%04u-%02u", month / 12 % 10000, month % 12 + 1);
}

/* Before 1970 there are no days of ours: months are summed backwards from the first that has one.
 */
static int64_t months_before(int64_t first_day, uint32_t first_month, uint32_t n_months) {
    for (uint32_t i = 1; i <= n_months; i++) {
        uint32_t month = first_month - i;
        first_day -= dates_month_length((int)(month / 12), month % 12 + 1);
    }
    return first_day;
}

int report_period_init(struct report_period *ret, uint32_t from_day, uint32_t to_day) {
    if (to_day < from_day || to_day > LAST_DAY || to_day - from_day >= REPORT_DAYS_MAX)
        return REFUSAL_BAD_PERIOD;

    struct report_period period = {.from_day = from_day, .to_day = to_day};
    period.first_month = report_period_month(from_day);
    period.last_month = report_period_month(to_day);
    bool begins_whole = from_day == 0 || report_period_month(from_day - 1) != period.first_month;
    bool ends_whole = report_period_month(to_day + 1) != period.last_month;
    period.first_whole_month = period.first_month + !begins_whole;
    uint32_t end_whole_month = period.last_month + ends_whole;
    if (end_whole_month > period.first_whole_month)
        period.n_whole_months = end_whole_month - period.first_whole_month;

    period.previous_to_day = period.from_day - 1;
    period.previous_from_day =
        begins_whole && ends_whole
            ? months_before(from_day, period.first_month, period.n_whole_months)
            : period.from_day - (period.to_day - period.from_day + 1);
    *ret = period;
    return 0;
}

bool report_period_holds(const struct report_period *period, uint32_t day) {
    return day >= period->from_day && day <= period->to_day;
}

bool report_period_holds_month(const struct report_period *period, uint32_t month) {
    return month >= period->first_whole_month &&
           month - period->first_whole_month < period->n_whole_months;
}
