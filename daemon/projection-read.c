/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what was recorded, run by run, with what each record did beside it. A read transaction ends
 * after some thousand records: one that stays open keeps old pages from being used again.
 */
#include "projection-read.h"

#include <errno.h>

#include "proto/refusal.h"

#define STEP_RECORDS 4096u
#define ADD_AT_ONCE 16u
#define READ_ENOUGH 1

struct reading {
    struct facts *facts;
    struct store_read *read;
    const atomic_bool *is_cancelled;
    uint64_t size; /* no record from here on */
    uint64_t n_read;
    struct fact_leg *legs; /* of the records being added */
    size_t n_legs_allocated;
};

static void reading_fini(struct reading *reading) {
    free(reading->legs);
    store_read_end(reading->read);
}

static int keep_leg(struct reading *reading, size_t n, const struct run_leg *leg) {
    void *legs = reading->legs;
    int r = intern_grow(&legs, n, &reading->n_legs_allocated, sizeof(*reading->legs));
    reading->legs = legs;
    if (r == 0)
        reading->legs[n] = (struct fact_leg){leg->account, leg->minutes, leg->held_after};
    return r;
}

/* What record i of the run did, behind the first *n legs: orders follow their seal, events stand by
 * themselves. */
static int read_legs(struct reading *reading, const struct run *run, uint32_t i,
                     struct store_value after, size_t *n) {
    bool is_event = run_record(run, 0, &(size_t){0})[0] == RECORD_EVENT;
    struct run_leg leg;
    size_t at = 0;
    int r = 0;
    if (!after.data || (!is_event && i == 0))
        return 0;
    while ((r = runs_after_next(after, is_event ? i : i - 1, run->first + i, &at, &leg)) > 0) {
        facts_fetch(reading->facts, leg.account);
        r = keep_leg(reading, *n, &leg);
        if (r < 0)
            break;
        ++*n;
    }
    return r;
}

/* The n records from the i-th on: by the time that one is added, its accounts have come from
 * memory. */
static int add_records(struct reading *reading, const struct run *run, uint32_t i, uint32_t n,
                       struct store_value after) {
    size_t ends[ADD_AT_ONCE + 1] = {0};
    int r = 0;
    for (uint32_t k = 0; r == 0 && k < n; k++) {
        ends[k + 1] = ends[k];
        r = read_legs(reading, run, i + k, after, &ends[k + 1]);
    }
    for (size_t leg = 0; r == 0 && leg < ends[n]; leg++)
        facts_fetch_code(reading->facts, reading->legs[leg].account);
    for (uint32_t k = 0; r == 0 && k < n; k++) {
        size_t n_bytes, n_legs = ends[k + 1] - ends[k];
        const uint8_t *record = run_record(run, i + k, &n_bytes);
        r = facts_add(reading->facts, run->first + i + k, record, n_bytes,
                      n_legs > 0 ? reading->legs + ends[k] : NULL, n_legs);
    }
    return r;
}

/* What an order is about stands before it. */
static int read_record(void *user, uint64_t index, struct bytes *to) {
    struct reading *reading = user;
    struct run run;
    int r = runs_find(reading->read, index, &run);
    if (r > 0) {
        size_t n;
        const uint8_t *record = run_record(&run, (uint32_t)(index - run.first), &n);
        bytes_put(to, record, n);
    }
    return r;
}

static int add_run(void *user, struct store_value key, struct store_value value) {
    struct reading *reading = user;
    struct store_value after = {0};
    struct run run;
    int r = run_parse(&run, key, value);
    if (r == 0 && run.first >= reading->size)
        return READ_ENOUGH;
    if (reading->is_cancelled && atomic_load(reading->is_cancelled))
        return -ECANCELED;
    if (r == 0)
        r = store_get(reading->read, RUNS_AFTER, key.data, key.n, &after);
    r = MIN_OF(r, 0);
    for (uint32_t i = 0; r == 0 && i < run.n; i += ADD_AT_ONCE)
        r = add_records(reading, &run, i, MIN_OF(run.n - i, ADD_AT_ONCE), after);
    reading->n_read += run.n;
    return r == 0 && reading->n_read >= STEP_RECORDS ? READ_ENOUGH : r;
}

static int read_some(struct store *log, struct facts *facts, uint64_t size,
                     const atomic_bool *is_cancelled, bool *ret_is_behind) {
    _cleanup_(reading_fini) struct reading reading = {
        .facts = facts, .is_cancelled = is_cancelled, .size = size};
    uint8_t from[8];
    int r = store_read_begin(log, &reading.read);
    if (r < 0)
        return r;
    be64_put(from, facts->n_records);
    facts_set_source(facts, &(struct facts_source){read_record, &reading});
    r = store_each(reading.read, RUNS_LOG, from, sizeof(from), add_run, &reading);
    facts_set_source(facts, &(struct facts_source){0});
    if (r < 0)
        return r;
    *ret_is_behind = r == READ_ENOUGH && facts->n_records < size;
    return 0;
}

int projection_read_step(struct store *log, struct facts *facts, const atomic_bool *is_cancelled,
                         bool *ret_is_behind) {
    return read_some(log, facts, UINT64_MAX, is_cancelled, ret_is_behind);
}

int projection_read_until(struct store *log, struct facts *facts, uint64_t size,
                          const atomic_bool *is_cancelled, bool *ret_is_behind) {
    return read_some(log, facts, size, is_cancelled, ret_is_behind);
}

int projection_read_root(struct store *log, uint64_t size, struct hash *ret) {
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    struct merkle_range range;
    struct run run;
    int r = store_read_begin(log, &read);
    if (r < 0)
        return r;
    r = size > 0 ? runs_find_leaves(read, size - 1, &run) : 0;
    if (r == 0 || (r > 0 && run.first + run.n != size))
        return REFUSAL_NO_SUCH_POSITION;
    if (r > 0)
        r = runs_range(read, size, &range);
    if (r < 0)
        return r;
    *ret = merkle_range_root(&range);
    return 0;
}
