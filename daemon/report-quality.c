/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the entries came in: late, corrected, insisted on, rounded. Shown on every report, so that
 * the other figures can be judged.
 */
#include <errno.h>
#include <stdlib.h>

#include "report-part.h"

#define LAGS_COUNTED 20000 /* lags of -1 day and up, counted; the few others are kept */

struct quality {
    uint64_t n_lags;
    uint64_t n_late;
    uint64_t n_insisted;
    uint64_t n_claimed;
    int64_t rounded_minutes;
    uint32_t lag_counts[LAGS_COUNTED]; /* of fewer lines than numbers of orders */
    int64_t *other_lags;
    size_t n_other_lags;
    size_t n_other_lags_allocated;
};

static void end(void *sums) {
    free(((struct quality *)sums)->other_lags);
}

static int add_other_lag(struct quality *quality, int64_t lag) {
    void *lags = quality->other_lags;
    int r = intern_grow(&lags, quality->n_other_lags, &quality->n_other_lags_allocated,
                        sizeof(*quality->other_lags));
    quality->other_lags = lags;
    if (r == 0)
        quality->other_lags[quality->n_other_lags++] = lag;
    return r;
}

/* Service may be the day after entry. */
static int note_lag(struct quality *quality, const struct report_row *row) {
    int64_t lag = (int64_t)row->entered_day - (int64_t)row->service_day;
    quality->n_lags++;
    quality->n_late += lag > REPORT_LATE_DAYS;
    if (lag < -1 || lag >= LAGS_COUNTED - 1)
        return add_other_lag(quality, lag);
    quality->lag_counts[lag + 1]++;
    return 0;
}

static int note(void *sums, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    (void)pick;
    struct quality *quality = sums;
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct report_row *row = &rows[i];
        if (!row->in_period || row->is_further)
            continue;
        quality->n_insisted += row->insisted;
        quality->n_claimed += row->is_claimed;
        quality->rounded_minutes += row->rounded_minutes;
        if (row->is_service)
            r = note_lag(quality, row);
    }
    return r;
}

static int merge(void *sums, const struct report_pick *pick, void *other) {
    (void)pick;
    struct quality *quality = sums, *from = other;
    int r = 0;
    quality->n_lags += from->n_lags;
    quality->n_late += from->n_late;
    quality->n_insisted += from->n_insisted;
    quality->n_claimed += from->n_claimed;
    quality->rounded_minutes += from->rounded_minutes;
    for (size_t i = 0; i < LAGS_COUNTED; i++)
        quality->lag_counts[i] += from->lag_counts[i];
    for (size_t i = 0; r == 0 && i < from->n_other_lags; i++)
        r = add_other_lag(quality, from->other_lags[i]);
    return r;
}

static int compare_lags(const void *a, const void *b) {
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Of the counted service entries by nearest rank; 0 of none. */
static int64_t median_lag(struct quality *quality) {
    uint64_t rank = (quality->n_lags + 1) / 2;
    size_t n_below = 0;
    if (quality->n_lags == 0)
        return 0;
    if (quality->n_other_lags > 0)
        qsort(quality->other_lags, quality->n_other_lags, sizeof(int64_t), compare_lags);
    while (n_below < quality->n_other_lags && quality->other_lags[n_below] < -1)
        n_below++;
    if (rank <= n_below)
        return quality->other_lags[rank - 1];
    rank -= n_below;
    for (size_t i = 0; i < LAGS_COUNTED; i++) {
        if (rank <= quality->lag_counts[i])
            return (int64_t)i - 1;
        rank -= quality->lag_counts[i];
    }
    return quality->other_lags[n_below + rank - 1];
}

static int put(void *sums, const struct report_pick *pick, struct report_out *out) {
    struct quality *quality = sums;
    struct report_json *measures = out->measures;
    report_json_put_signed(measures, "lag_median_days", median_lag(quality));
    report_json_put(measures, "late_over_30_days", quality->n_late);
    report_json_put(measures, "unconfirmed", pick->n_waiting);
    report_json_put(measures, "corrections", pick->n_corrections);
    report_json_put(measures, "insisted_duplicates", quality->n_insisted);
    report_json_put_signed(measures, "minutes_rounded", quality->rounded_minutes);
    report_json_put(measures, "entries_by_claimed_date", quality->n_claimed);
    return 0;
}

const struct report_part report_quality = {
    .sums_bytes = sizeof(struct quality), .note = note, .merge = merge, .put = put, .end = end};
