/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the log on the loop: what is durable from the store, what is not yet from the groups. */
#include <errno.h>

#include "log-private.h"

int log_read(struct log *log, struct store_read **ret_read) {
    if (!log->read) {
        int r = store_read_begin(log->store, &log->read);
        if (r < 0)
            return r;
    }
    *ret_read = log->read;
    return 0;
}

void log_release_read(struct log *log) {
    log->read = store_read_end(log->read);
    if (log->state)
        state_drop_read_back(log->state);
}

static int find_in_group(const struct log_group *group, uint64_t index, struct run *ret) {
    for (size_t i = 0; group && i < group->n_runs; i++) {
        const struct log_run *run = &group->runs[i];
        uint8_t key[8];
        int r;
        if (index < run->first)
            break;
        be64_put(key, run->first);
        r = run_parse(ret, (struct store_value){key, sizeof(key)},
                      (struct store_value){run->value.data, run->value.n});
        if (r < 0 || index - ret->first < ret->n)
            return r < 0 ? r : 1;
    }
    return 0;
}

/* Borrowed until the group is taken back or the read released: within one call of the loop. */
static int find(struct log *log, uint64_t index, struct run *ret) {
    struct store_read *read;
    int r;

    for (size_t i = 0; index >= log->head.size && i < log->n_in_flight; i++) {
        r = find_in_group(log->in_flight[i], index, ret);
        if (r != 0)
            return r;
    }
    if (index >= log->head.size && log->collecting)
        return find_in_group(log->collecting, index, ret);
    /* At a start the store holds more than the head: one order of the tail may name another. */
    r = log_read(log, &read);
    return r < 0 ? r : runs_find(read, index, ret);
}

int log_record(struct log *log, uint64_t index, struct bytes *to) {
    const uint8_t *record;
    struct run run;
    size_t n;
    int r = find(log, index, &run);

    if (r <= 0)
        return r;
    record = run_record(&run, (uint32_t)(index - run.first), &n);
    bytes_put(to, record, n);
    return to->r < 0 ? to->r : 1;
}

int log_seal_of(struct log *log, uint64_t index, uint64_t *ret_seal) {
    struct run run;
    int r = find(log, index, &run);

    if (r > 0)
        *ret_seal = run.first;
    return r;
}

static int after_in_group(const struct log_group *group, uint64_t seal, struct store_value *ret) {
    for (size_t i = 0; group && i < group->n_runs; i++)
        if (group->runs[i].first == seal) {
            *ret = (struct store_value){group->runs[i].after.data, group->runs[i].after.n};
            return 1;
        }
    return 0;
}

static int find_after(struct log *log, uint64_t seal, struct store_value *ret) {
    struct store_read *read;
    uint8_t key[8];
    int r = 0;

    if (seal < log->head.size) {
        be64_put(key, seal);
        r = log_read(log, &read);
        return r < 0 ? r : store_get(read, RUNS_AFTER, key, sizeof(key), ret);
    }
    for (size_t i = 0; i < log->n_in_flight && r == 0; i++)
        r = after_in_group(log->in_flight[i], seal, ret);
    return r == 0 ? after_in_group(log->collecting, seal, ret) : r;
}

int log_after(struct log *log, uint64_t index, struct store_value *ret_value, size_t *ret_place) {
    struct run run;
    size_t n;
    int r = find(log, index, &run);

    if (r <= 0)
        return r;
    if (run_record(&run, 0, &n)[0] == RECORD_EVENT)
        *ret_place = index - run.first;
    else if (index != run.first)
        *ret_place = index - run.first - 1;
    else
        return 0;
    r = find_after(log, run.first, ret_value);
    return r == 0 ? -EUCLEAN : r;
}

int log_leg(struct log *log, uint64_t index, uint64_t account, struct run_leg *ret) {
    struct store_value value;
    size_t place = 0, at = 0;
    int r = log_after(log, index, &value, &place);

    while (r > 0) {
        r = runs_after_next(value, place, index, &at, ret);
        if (r > 0 && ret->account == account)
            return 1;
    }
    return r;
}
