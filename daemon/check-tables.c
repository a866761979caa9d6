/* SPDX-License-Identifier: Apache-2.0 */
/* The derived tables against what the replay of the log makes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check-private.h"
#include "runs-ids.h"

#define LINE_BYTES 64 /* of the cache */
#define N(number) ((unsigned long long)(number))

/* Rows are looked for some at a time: each step of a search waits for memory, and the waits of many
 * pass at once. */
#define ROWS_AT_ONCE 16

struct rows_compared {
    struct checking *checking;
    size_t n;
    struct stored_row {
        struct store_value key;
        struct store_value value;
        uint64_t hash;
    } rows[ROWS_AT_ONCE];
    struct stored_row last; /* compared, if its key is of any length */
    bool last_is_found;
};

static int check_found(struct rows_compared *compared, const struct stored_row *row,
                       size_t number) {
    struct checking *checking = compared->checking;

    return check_ledger_is_found(checking, RUNS_STATE + (unsigned)checking->table, row->key,
                                 row->value)
               ? 0
               : check_ledger_damaged(checking, "table %s, row %zu: its key does not lead to it",
                                      state_table_name(checking->table), number);
}

/* Rows lie in ascending order within their page: where the first and the last one's keys lead to
 * it, those between do. Keys are never elsewhere than in that page. */
static int check_pages(struct rows_compared *compared, const struct stored_row *row) {
    const struct stored_row *last = &compared->last;
    bool is_next_page =
        last->key.n == 0 || (!row || (uintptr_t)row->key.data / STORE_PAGE_BYTES !=
                                         (uintptr_t)last->key.data / STORE_PAGE_BYTES);
    int r = 0;

    if (is_next_page && last->key.n > 0 && !compared->last_is_found)
        r = check_found(compared, last, compared->checking->n_rows);
    compared->last_is_found = is_next_page;
    if (row)
        compared->last = *row;
    return r == 0 && row && is_next_page
               ? check_found(compared, row, compared->checking->n_rows + 1)
               : r;
}

static int compare_row(struct rows_compared *compared, const struct stored_row *stored) {
    struct checking *checking = compared->checking;
    uint8_t packed[STATE_ROW_MAX];
    const struct row *row = rows_find(&checking->state->tables[checking->table], stored->hash,
                                      stored->key.data, stored->key.n);
    size_t n = row ? state_row_pack(checking->table, row->value, packed) : 0;
    int r = check_pages(compared, stored);

    checking->n_rows++;
    if (r < 0 || (row && n == stored->value.n && memcmp(packed, stored->value.data, n) == 0))
        return r;
    return check_ledger_damaged(checking, "table %s, row %zu: %s",
                                state_table_name(checking->table), checking->n_rows,
                                row ? "differs from what the log says" : "is not in the log");
}

static int compare_collected(struct rows_compared *compared) {
    const struct rows *rows = &compared->checking->state->tables[compared->checking->table];
    int r = 0;

    for (size_t i = 0; i < compared->n && rows->n_slots > 0; i++) {
        const struct row *row = rows->slots[compared->rows[i].hash & (rows->n_slots - 1)];
        if (row) {
            __builtin_prefetch(row);
            __builtin_prefetch((const uint8_t *)row + LINE_BYTES);
        }
    }
    for (size_t i = 0; r == 0 && i < compared->n; i++)
        r = compare_row(compared, &compared->rows[i]);
    compared->n = 0;
    return r;
}

static int collect_row(void *user, struct store_value key, struct store_value value) {
    struct rows_compared *compared = user;
    const struct rows *rows = &compared->checking->state->tables[compared->checking->table];
    struct stored_row row = {key, value, rows_hash(key.data, key.n)};

    if (rows->n_slots > 0)
        __builtin_prefetch(&rows->slots[row.hash & (rows->n_slots - 1)]);
    compared->rows[compared->n++] = row;
    return compared->n == ROWS_AT_ONCE ? compare_collected(compared) : 0;
}

struct ids_compared {
    struct checking *checking;
    struct run_id last;
    size_t places[STATE_IDS_RUNS]; /* in what the log makes: both ascend */
    struct run_id found[RUNS_IDS_OF_ROW];
};

/* What the log makes of an id, or 0. */
static uint64_t entry_of(struct ids_compared *compared, const struct run_id *id) {
    struct state *state = compared->checking->state;
    uint8_t key[ORDER_ID_BYTES];
    const struct state_id *row;

    be64_put(key, id->high);
    be64_put(key + 8, id->low);
    row = state_ids_go_on(&state->ids, key, compared->places);
    if (!row)
        row = state_get(state, STATE_IDS, key, sizeof(key), NULL);
    return row ? row->entry : 0;
}

static int compare_ids_row(void *user, struct store_value key, struct store_value stored) {
    struct ids_compared *compared = user;
    struct checking *checking = compared->checking;
    size_t n = 0;
    int r = runs_ids_unpack(key, stored, compared->found, &n);

    checking->n_rows++;
    if (r < 0)
        return check_ledger_damaged(checking, "table ids, row %zu: its bytes are no list of ids",
                                    checking->n_rows);
    if (!check_ledger_is_found(checking, RUNS_STATE + STATE_IDS, key, stored) ||
        (checking->n_ids > 0 && run_id_compare(&compared->last, &compared->found[0]) >= 0))
        return check_ledger_damaged(checking, "table ids, row %zu: its key does not lead to it",
                                    checking->n_rows);
    for (size_t i = 0; i < n; i++) {
        uint64_t entry = entry_of(compared, &compared->found[i]);
        if (entry == 0 || entry != compared->found[i].entry)
            return check_ledger_damaged(checking, "table ids, row %zu: %s", checking->n_rows,
                                        entry ? "differs from what the log says"
                                              : "is not in the log");
    }
    compared->last = compared->found[n - 1];
    checking->n_ids += n;
    return 0;
}

/* Each order has one id, so as many as there are orders are all of them. */
static int compare_ids(struct checking *checking) {
    struct ids_compared *compared = calloc(1, sizeof(*compared));
    int r;

    if (!compared)
        return -ENOMEM;
    compared->checking = checking;
    checking->n_ids = 0;
    r = check_ledger_walk(checking, RUNS_STATE + STATE_IDS, NULL, 0, compare_ids_row, compared);
    free(compared);
    if (r == 0 && checking->n_ids != checking->n_orders)
        check_ledger_damaged(checking, "table ids: %zu ids, but the log has %llu orders",
                             checking->n_ids, N(checking->n_orders));
    return r;
}

static int compare_rows(struct checking *checking) {
    enum state_table t = checking->table;
    struct rows_compared compared = {.checking = checking};
    int r = check_ledger_walk(checking, RUNS_STATE + (unsigned)t, NULL, 0, collect_row, &compared);

    if (r == 0)
        r = compare_collected(&compared);
    if (r == 0)
        r = check_pages(&compared, NULL);
    if (r == 0 && checking->n_rows != checking->state->tables[t].n_rows)
        check_ledger_damaged(checking, "table %s: %zu rows, but the log makes %zu",
                             state_table_name(t), checking->n_rows,
                             checking->state->tables[t].n_rows);
    return r;
}

int check_tables_compare(struct checking *checking) {
    const struct state_sums *stored = &checking->state_sums, *sums = &checking->state->sums;

    checking->met_state = true;
    if (memcmp(stored, sums, sizeof(*sums)) != 0)
        check_ledger_damaged(checking, "table meta: counts or times differ from what the log says");
    for (size_t t = 0; t < STATE_N_TABLES; t++) {
        int r;
        checking->table = (enum state_table)t;
        checking->n_rows = 0;
        check_ledger_at(checking, state_table_name(checking->table), 0);
        r = t == STATE_IDS ? compare_ids(checking) : compare_rows(checking);
        if (r < 0 && r != -EUCLEAN)
            return r;
    }
    return 0;
}

int check_tables_compare_after(struct checking *checking, const struct run *run) {
    struct store_value stored = {0};
    uint8_t key[8];
    int r;

    if (checking->replay.after.n == 0 || check_ledger_will_rebuild(checking))
        return 0;
    be64_put(key, run->first);
    r = store_get(checking->read, RUNS_AFTER, key, sizeof(key), &stored);
    if (r < 0)
        return r;
    checking->n_after++;
    if (r == 0 || stored.n != checking->replay.after.n ||
        memcmp(stored.data, checking->replay.after.data, stored.n) != 0)
        check_ledger_damaged(
            checking,
            "table after: balances of the batch sealed at record %llu differ from what the "
            "log says",
            N(run->first));
    return 0;
}

static int check_tile(void *user, struct store_value key, struct store_value value) {
    struct checking *checking = user;
    uint64_t n_nodes, tile;
    unsigned level;

    if (key.n != 9 || key.data[0] == 0 || key.data[0] > 7)
        return check_ledger_damaged(checking, "tiles: a key that is none");
    level = key.data[0];
    tile = be64_get(key.data + 1);
    n_nodes = checking->size >> (8 * level);
    if (tile > n_nodes / 256 || value.n != MIN_OF(n_nodes - tile * 256, (uint64_t)256) * HASH_BYTES)
        return check_ledger_damaged(checking, "tile %u/%llu: %zu bytes do not fit the log's size",
                                    level, N(tile), value.n);
    return 0;
}

static int count_row(void *user, struct store_value key, struct store_value value) {
    uint64_t *n = user;

    (void)key, (void)value;
    (*n)++;
    return 0;
}

int check_tables_end(struct checking *checking) {
    char why[256] = "";
    uint64_t n = 0;
    int r;

    check_ledger_at(checking, "the tiles", 0);
    r = check_ledger_walk(checking, RUNS_TILES, NULL, 0, check_tile, checking);
    if (r < 0 && r != -EUCLEAN)
        return r;
    if (checking->extent != CHECK_FULL)
        return 0;
    if (checking->state_size > 0 && !checking->met_state)
        check_ledger_damaged(checking, "table meta: it says size %llu, where no batch ends",
                             N(checking->state_size));
    r = check_ledger_walk(checking, RUNS_AFTER, NULL, 0, count_row, &n);
    if (r < 0)
        return r;
    if (n != checking->n_after && !check_ledger_will_rebuild(checking))
        check_ledger_damaged(checking, "table after: %llu rows for %llu batches", N(n),
                             N(checking->n_after));
    if (ledger_check(checking->state, why, sizeof(why)) < 0)
        check_ledger_damaged(checking, "the laws: %s", why);
    return 0;
}
