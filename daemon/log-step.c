/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing behind: changed rows of the derived tables go into the store in steps larger than
 * commits, each with the log position it reflects, after the head of that position is signed. A
 * start re-applies only the records since. Without room for a step there is none: what it would
 * have saved is time at the next start.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log-private.h"
#include "runs-ids.h"

/* A row may stand on a page of its own, which is written anew; a new one needs its share of one. */
#define PAGE_BYTES 4096u
#define NEW_ROW_BYTES 512u
#define NEW_ID_BYTES 64u  /* many share a row */
#define ROW_HEAD_BYTES 7u /* before a row's key, in a step */

/* The sums are stored in their order. */
#define N_SUMS (sizeof(struct state_sums) / sizeof(uint64_t))
static_assert(sizeof(struct state_sums) % sizeof(uint64_t) == 0, "sums are integers of 64 bits");

/* Table and key, and room for the value; NULL: to->r says why. */
static uint8_t *pack_begin(struct bytes *to, unsigned table, const void *key, size_t n_key,
                           size_t n_value) {
    uint8_t *at = bytes_reserve(to, ROW_HEAD_BYTES + n_key + n_value);

    if (!at)
        return NULL;
    at[0] = (uint8_t)table;
    at[1] = (uint8_t)(n_key >> 8);
    at[2] = (uint8_t)n_key;
    be32_put(at + 3, (uint32_t)n_value);
    memcpy(at + ROW_HEAD_BYTES, key, n_key);
    return at + ROW_HEAD_BYTES + n_key;
}

static void pack_meta(const struct state_sums *sums, struct bytes *to) {
    _cleanup_bytes_ struct bytes value = {0};
    uint8_t *at;

    log_layout_pack(&value);
    for (size_t i = 0; i < N_SUMS; i++)
        bytes_put_u64(&value, ((const uint64_t *)sums)[i]);
    if (value.r < 0)
        to->r = value.r;
    at = pack_begin(to, RUNS_META, LOG_META_STATE, strlen(LOG_META_STATE), value.n);
    if (at)
        memcpy(at, value.data, value.n);
}

uint64_t log_step_room(const struct log *log) {
    uint64_t n = state_step_rows(log->state), n_ids = state_step_ids(log->state);

    return MIN_OF((n + n_ids) * PAGE_BYTES, store_map_used_bytes(log->store)) + n * NEW_ROW_BYTES +
           n_ids * NEW_ID_BYTES;
}

/* As the state has it: it is packed when it is put, which is the committer's time and not the
 * loop's. */
static int pack_row(void *user, enum state_table table, const void *key, size_t n_key,
                    const void *value) {
    struct bytes *to = user;
    size_t n = state_value_bytes(table);
    uint8_t *at = pack_begin(to, RUNS_STATE + (unsigned)table, key, n_key, n);

    if (at)
        memcpy(at, value, n);
    return to->r;
}

int log_step_pack(struct log *log, struct bytes *to) {
    int r = state_step_apart(log->state, pack_row, to);

    if (r < 0)
        return r;
    pack_meta(&log->state->sums, to);
    return to->r;
}

/* Ids are packed many to a row: those that left their runs, and those that were rows of the step,
 * are gathered, and put together. */
struct step_ids {
    struct run_id *list;
    size_t n;
    size_t n_allocated;
};

static int add_id(struct step_ids *ids, const uint8_t id[ORDER_ID_BYTES], uint64_t entry) {
    if (ids->n == ids->n_allocated) {
        size_t n = MAX_OF(ids->n_allocated * 2, (size_t)256);
        struct run_id *list = realloc(ids->list, n * sizeof(*list));
        if (!list)
            return -ENOMEM;
        ids->list = list;
        ids->n_allocated = n;
    }
    ids->list[ids->n++] = run_id_make(id, entry);
    return 0;
}

/* A row as pack_begin() laid it out. */
struct step_row {
    unsigned table;
    const uint8_t *key;
    size_t n_key;
    const uint8_t *value;
    size_t n_value;
};

static struct step_row row_at(const struct bytes *step, size_t at) {
    const uint8_t *row = step->data + at;
    size_t n_key = (size_t)row[1] << 8 | row[2];

    return (struct step_row){row[0], row + ROW_HEAD_BYTES, n_key, row + ROW_HEAD_BYTES + n_key,
                             be32_get(row + 3)};
}

static int compare_rows(const void *a, const void *b, void *step) {
    struct step_row one = row_at(step, *(const size_t *)a);
    struct step_row other = row_at(step, *(const size_t *)b);
    int order = one.table != other.table
                    ? (one.table < other.table ? -1 : 1)
                    : memcmp(one.key, other.key, MIN_OF(one.n_key, other.n_key));

    return order != 0 ? order : (one.n_key > other.n_key) - (one.n_key < other.n_key);
}

/* Rows that are put by themselves, those of ids are gathered: how many there are, and (ret not
 * NULL) where each begins. */
static int find_rows(const struct bytes *step, size_t *ret, size_t *ret_n) {
    struct cursor c = cursor_make(step->data, step->n);

    *ret_n = 0;
    while (c.n_left > 0 && c.r == 0) {
        size_t at = step->n - c.n_left;
        unsigned table = cursor_u8(&c);
        size_t n_key = cursor_u16(&c), n_value = cursor_u32(&c);
        cursor_bytes(&c, n_key);
        cursor_bytes(&c, n_value);
        if (c.r < 0 || table == RUNS_STATE + STATE_IDS)
            continue;
        if (ret)
            ret[*ret_n] = at;
        (*ret_n)++;
    }
    return cursor_end(&c);
}

/* What stands in the state is packed; the rest is as it will be stored. */
static void put_row(struct store_write *write, struct step_row row) {
    uint64_t value[STATE_ROW_MAX / sizeof(uint64_t)];
    uint8_t packed[STATE_ROW_MAX];

    if (row.table >= RUNS_STATE) {
        assert(row.n_value <= sizeof(value));
        memcpy(value, row.value, row.n_value);
        row.n_value = state_row_pack((enum state_table)(row.table - RUNS_STATE), value, packed);
        row.value = packed;
    }
    store_put_ascending(write, row.table, row.key, row.n_key, row.value, row.n_value);
}

/* In the order of their keys: a page is gone to once, and what is new fills pages to their end. */
static int put_rows(struct store_write *write, const struct bytes *step) {
    _cleanup_(freep) size_t *rows = NULL;
    size_t n;
    int r = find_rows(step, NULL, &n);

    if (r < 0 || n == 0)
        return r;
    rows = calloc(n, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    r = find_rows(step, rows, &n);
    if (r < 0)
        return r;
    qsort_r(rows, n, sizeof(*rows), compare_rows, (void *)(uintptr_t)step);
    for (size_t i = 0; i < n; i++)
        put_row(write, row_at(step, rows[i]));
    return 0;
}

static int add_leaving(void *user, enum state_table table, const void *key, size_t n_key,
                       const void *value) {
    (void)table, (void)n_key;
    return add_id(user, key, ((const struct state_id *)value)->entry);
}

static int put_ids(struct store_write *write, const struct bytes *step, const struct state *state) {
    struct cursor c = cursor_make(step->data, step->n);
    struct step_ids ids = {0};
    int r = state_ids_leaving(state, add_leaving, &ids);

    while (c.n_left > 0 && r == 0) {
        unsigned table = cursor_u8(&c);
        size_t n_key = cursor_u16(&c), n_value = cursor_u32(&c);
        const uint8_t *key = cursor_bytes(&c, n_key), *value = cursor_bytes(&c, n_value);
        struct state_id id;
        if (table != RUNS_STATE + STATE_IDS)
            continue;
        memcpy(&id, value, sizeof(id));
        r = add_id(&ids, key, id.entry);
    }
    if (r == 0 && ids.n > 0)
        r = runs_ids_put(write, RUNS_STATE + STATE_IDS, ids.list, ids.n);
    free(ids.list);
    return r;
}

int log_step_write(struct store_write *write, const struct bytes *step, const struct state *state) {
    int r = put_rows(write, step);

    return r == 0 && step->n > 0 ? put_ids(write, step, state) : r;
}

void log_step_done(struct log *log) {
    state_step_left(log->state);
    state_days_forget(log->state);
}

static int load_meta(struct store_read *read, struct state_sums *ret) {
    struct log_layout layout;
    struct store_value value;
    struct cursor c;
    int r = log_layout_read(read, &layout);

    if (r == 0)
        r = store_get(read, RUNS_META, LOG_META_STATE, strlen(LOG_META_STATE), &value);
    if (r <= 0)
        return r;
    if (layout.number > RUNS_LAYOUT)
        return -EUCLEAN; /* that no version up to this one wrote */
    if (layout.number != RUNS_LAYOUT || value.n == LOG_LAYOUT_BYTES)
        return 0; /* or emptied, to be built anew */
    c = cursor_make(value.data + LOG_LAYOUT_BYTES, value.n - LOG_LAYOUT_BYTES);
    for (size_t i = 0; i < N_SUMS; i++)
        ((uint64_t *)ret)[i] = cursor_u64(&c);
    return cursor_end(&c) < 0 ? -EUCLEAN : 1;
}

struct loading {
    struct state *state;
    enum state_table table;
    bool is_look; /* rows are read, and few are kept */
};

static int load_row(void *user, struct store_value key, struct store_value stored) {
    uint8_t value[STATE_VALUE_MAX] __attribute__((aligned(8)));
    struct loading *loading = user;
    int r = state_row_unpack(loading->table, stored.data, stored.n, value);

    /* Account numbers are places in a list: one beyond the count would be damage, not a gap. */
    if (r == 0 && loading->table == STATE_ACCOUNTS &&
        ((struct state_account *)value)->number >= loading->state->sums.n_accounts)
        return -EUCLEAN;
    if (r < 0 || (loading->is_look && loading->table != STATE_LEDGER_KEYS))
        return r;
    return state_load(loading->state, loading->table, key.data, key.n, value);
}

/* Their keys begin with the day. */
static int load_days(struct store_read *read, struct loading *loading) {
    uint8_t key[4];

    be32_put(key, state_days_begin(loading->state));
    return store_each(read, RUNS_STATE + STATE_DAYS, key, sizeof(key), load_row, loading);
}

static int load_due(void *user, struct store_value key, struct store_value stored) {
    struct state_pending pending;
    int r = state_row_unpack(STATE_PENDINGS, stored.data, stored.n, &pending);

    if (r < 0 || key.n != 8)
        return -EUCLEAN;
    return pending.is_over ? 0 : state_due_add(user, pending.due_ms, be64_get(key.data));
}

int log_step_size(struct store_read *read, uint64_t *ret_size) {
    struct state_sums sums = {0};
    int r = load_meta(read, &sums);

    if (r >= 0)
        *ret_size = r > 0 ? sums.size : 0;
    return MIN_OF(r, 0);
}

static int load(struct store_read *read, struct state *state, bool is_look, uint64_t *ret_size) {
    int r = load_meta(read, &state->sums);

    *ret_size = 0;
    if (r <= 0)
        return r;
    for (size_t t = 0; t < STATE_N_TABLES && r >= 0; t++) {
        struct loading loading = {state, (enum state_table)t, is_look};
        if (loading.table == STATE_DAYS)
            r = load_days(read, &loading);
        else if (!state_is_on_disk(loading.table))
            r = store_each(read, RUNS_STATE + (unsigned)t, NULL, 0, load_row, &loading);
    }
    if (r >= 0 && !is_look)
        r = store_each(read, RUNS_STATE + STATE_PENDINGS, NULL, 0, load_due, state);
    if (r < 0)
        return r;
    *ret_size = state->sums.size;
    return 0;
}

int log_step_load(struct store_read *read, struct state *state, uint64_t *ret_size) {
    return load(read, state, false, ret_size);
}

int log_step_look(struct store_read *read, struct state *state, uint64_t *ret_size) {
    return load(read, state, true, ret_size);
}
