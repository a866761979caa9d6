/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sums by day the lowest state holds in memory: all of the last days, and earlier ones so
 * long as there are few of all. Then the earlier ones are left to the source, and read back where
 * somebody asks: an entry with an old date, something taken back, a sum of a year.
 */
#include "base/bytes.h"
#include "base/clock.h"
#include "state-private.h"

#define DAYS_KEPT 62u
#define ROWS_MANY 131072u

static uint32_t first_kept(const struct state *lowest) {
    uint32_t today = clock_day(lowest->sums.ledger_time_ms);

    return today > DAYS_KEPT ? today - DAYS_KEPT : 0;
}

uint32_t state_days_begin(struct state *lowest) {
    lowest->days_from = lowest->source.row ? first_kept(lowest) : 0;
    return lowest->days_from;
}

bool state_days_may_be_stored(const struct state *lowest, const void *key) {
    return be32_get(key) < lowest->days_from;
}

void state_days_forget(struct state *lowest) {
    struct rows *rows = &lowest->tables[STATE_DAYS];
    struct row *next;

    if (!lowest->source.row || rows->n_rows < MAX_OF(lowest->days_many, (size_t)ROWS_MANY))
        return;
    lowest->days_from = MAX_OF(lowest->days_from, first_kept(lowest));
    for (struct row *row = rows_next(rows, NULL); row; row = next) {
        next = rows_next(rows, row);
        if (!row->is_dirty && !row->is_leaving && state_days_may_be_stored(lowest, row->key))
            rows_remove(rows, row);
    }
    lowest->days_many = 2 * rows->n_rows; /* going through them is worth it again then */
}
