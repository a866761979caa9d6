/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the entries came in: late, corrected, insisted on, rounded. Shown on every report, so that
 * the other figures can be judged.
 */
#include <errno.h>
#include <stdlib.h>

#include "report-parts.h"

#define LATE_DAYS 30

struct quality {
    uint64_t n_late;
    uint64_t n_insisted;
    uint64_t n_claimed;
    int64_t rounded_minutes;
};

static int compare_lags(const void *a, const void *b) {
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static void sum_row(const struct report_picked *row, struct quality *quality) {
    quality->n_insisted += row->order->insisted;
    quality->n_claimed += row->is_claimed;
    quality->rounded_minutes += row->order->rounded_minutes;
}

/* lags: of the n counted service entries, in any order. Service may be the day after entry. */
static int64_t median_lag(int64_t *lags, size_t n) {
    if (n == 0)
        return 0;
    qsort(lags, n, sizeof(*lags), compare_lags);
    return lags[(n + 1) / 2 - 1];
}

int report_quality_put(const struct report_pick *pick, struct report_json *measures) {
    struct quality quality = {0};
    size_t n_lags = 0;
    _cleanup_(freep) int64_t *lags = calloc(pick->n_rows + 1, sizeof(*lags));
    if (!lags)
        return -ENOMEM;
    for (size_t i = 0; i < pick->n_rows; i++) {
        const struct report_picked *row = &pick->rows[i];
        if (!report_picked_in_period(pick, row) || row->fact->is_further)
            continue;
        sum_row(row, &quality);
        if (!report_picked_is_service(row))
            continue;
        lags[n_lags] = (int64_t)row->entered_day - (int64_t)row->order->service_day;
        quality.n_late += lags[n_lags++] > LATE_DAYS;
    }
    report_json_put_signed(measures, "lag_median_days", median_lag(lags, n_lags));
    report_json_put(measures, "late_over_30_days", quality.n_late);
    report_json_put(measures, "unconfirmed", pick->n_waiting);
    report_json_put(measures, "corrections", pick->n_corrections);
    report_json_put(measures, "insisted_duplicates", quality.n_insisted);
    report_json_put_signed(measures, "minutes_rounded", quality.rounded_minutes);
    report_json_put(measures, "entries_by_claimed_date", quality.n_claimed);
    return 0;
}
