/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and layers of them: reads fall through, the first change copies up, a merge lays the top
 * onto the next. What the lowest was before a change, state-journal.c notes. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state-private.h"

#define READ_BACK_MAX 16384u

struct state *state_new(const struct state_source *source) {
    struct state *state = calloc(1, sizeof(*state));

    if (state && source)
        state->source = *source;
    if (state)
        state_policies_begin(state);
    return state;
}

struct state *state_new_above(struct state *below) {
    struct state *state = calloc(1, sizeof(*state));

    if (state) {
        state->below = below;
        state->sums = below->sums;
        arena_init(&state->arena, SIZE_MAX / 2);
        for (size_t t = 0; t < STATE_N_TABLES; t++)
            state->tables[t].arena = &state->arena;
    }
    return state;
}

static void run_free(struct state_run *run) {
    free(run->bytes);
    free(run->ends);
    free(run);
}

struct state *state_free(struct state *state) {
    if (!state)
        return NULL;
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        rows_drop(&state->tables[t], NULL);
    arena_fini(&state->arena);
    state_journal_free(&state->journal);
    state_ids_free(&state->ids);
    while (state->runs) {
        struct state_run *next = state->runs->next;
        run_free(state->runs);
        state->runs = next;
    }
    free(state->accounts);
    free(state->touched);
    free(state->dues);
    free(state->known);
    free(state);
    return NULL;
}

/* The lowest state finds accounts by number too: the tree of account states is in that order. */
static int index_account(struct state *state, struct state_account *account) {
    if (account->number >= state->n_accounts_allocated) {
        size_t n = MAX_OF(state->n_accounts_allocated * 2, (size_t)64);
        struct state_account **list;
        while (n <= account->number)
            n *= 2;
        list = realloc(state->accounts, n * sizeof(struct state_account *));
        if (!list)
            return -ENOMEM;
        memset(list + state->n_accounts_allocated, 0,
               (n - state->n_accounts_allocated) * sizeof(struct state_account *));
        state->accounts = list;
        state->n_accounts_allocated = n;
    }
    state->accounts[account->number] = account;
    return 0;
}

static int touch_account(struct state *state, struct state_account *account) {
    if (account->is_touched)
        return 0;
    if (state->n_touched == state->n_touched_allocated) {
        size_t n = MAX_OF(state->n_touched_allocated * 2, (size_t)64);
        struct state_account **list = realloc(state->touched, n * sizeof(struct state_account *));
        if (!list)
            return -ENOMEM;
        state->touched = list;
        state->n_touched_allocated = n;
    }
    account->is_touched = true;
    state->touched[state->n_touched++] = account;
    return 0;
}

static int place_account(struct state *state, struct state_account *account, const void *value) {
    bool was_touched = account->is_touched;
    int r;

    memcpy(account, value, sizeof(*account));
    account->is_touched = was_touched;
    r = index_account(state, account);
    return r < 0 ? r : touch_account(state, account);
}

/* A row of this very state, which has none under the key. */
static int add_row(struct state *state, enum state_table table, uint64_t hash, const void *key,
                   size_t n_key, struct row **ret_row) {
    struct row *row = rows_add(&state->tables[table], hash, key, n_key, state_value_bytes(table));
    int r = row ? state_journal_add(state, table, row) : -ENOMEM;

    if (r < 0 && row)
        rows_remove(&state->tables[table], row);
    if (r == 0 && !state->below)
        r = rows_mark(&state->tables[table], row);
    if (r < 0)
        return r;
    if (table == STATE_POLICIES)
        state_policies_forget(state);
    *ret_row = row;
    return 0;
}

/* A row of this very state is about to be changed. */
static int open_row(struct state *state, enum state_table table, struct row *row) {
    int r = state_journal_change(state, table, row);

    if (r == 0 && table == STATE_ACCOUNTS && !state->below)
        r = touch_account(state, (struct state_account *)row->value);
    if (r == 0 && !state->below)
        r = rows_mark(&state->tables[table], row);
    if (r == 0 && table == STATE_POLICIES)
        state_policies_forget(state);
    return r;
}

/* Copies a value into this very state's table. */
static int place(struct state *state, enum state_table table, const struct row *from) {
    struct row *row = rows_find(&state->tables[table], from->hash, from->key, from->n_key);
    bool is_new = !row;
    int r = is_new ? add_row(state, table, from->hash, from->key, from->n_key, &row)
                   : open_row(state, table, row);

    if (r == 0 && table == STATE_PENDINGS && !state->below && !state->journal.is_open)
        r = state_due_note(state, be64_get(row->key), is_new ? NULL : (const void *)row->value,
                           (const void *)from->value);
    if (r < 0)
        return r;
    if (table == STATE_ACCOUNTS && !state->below)
        return place_account(state, (struct state_account *)row->value, from->value);
    memcpy(row->value, from->value, state_value_bytes(table));
    return 0;
}

int state_merge(struct state *above) {
    struct state *below = above->below;
    int r = 0;

    assert(below);
    for (size_t t = 0; t < STATE_N_TABLES && r == 0; t++)
        for (struct row *row = rows_next(&above->tables[t], NULL); row && r == 0;
             row = rows_next(&above->tables[t], row))
            r = place(below, (enum state_table)t, row);
    below->sums = above->sums;
    while (above->runs) {
        struct state_run *run = above->runs;
        above->runs = run->next;
        run->next = below->runs;
        below->runs = run;
    }
    state_free(above);
    return r;
}

/* Not so in tests of rows. */
static bool is_id(enum state_table table, size_t n_key) {
    return table == STATE_IDS && n_key == ORDER_ID_BYTES;
}

/* Looks down the layers; what only the source has is copied into the lowest. */
static struct row *find(struct state *state, enum state_table table, uint64_t hash, const void *key,
                        size_t n_key, struct state **ret_where, int *ret_r) {
    uint8_t value[STATE_VALUE_MAX] __attribute__((aligned(8)));
    struct state *s = state;
    struct row *row;
    int r;

    for (;; s = s->below) {
        row = rows_find(&s->tables[table], hash, key, n_key);
        if (row || !s->below)
            break;
    }
    *ret_where = s;
    if (row || !s->source.row ||
        !(state_is_on_disk(table) || (table == STATE_DAYS && state_days_may_be_stored(s, key))))
        return row;
    r = is_id(table, n_key) && s->source.id
            ? state_ids_ask(s, key, (struct state_id *)(void *)value)
            : s->source.row(s->source.user, table, key, n_key, value);
    if (r > 0) {
        row = rows_add(&s->tables[table], hash, key, n_key, state_value_bytes(table));
        r = row ? 1 : -ENOMEM;
    }
    if (r <= 0) {
        *ret_r = r < 0 ? r : *ret_r;
        s->broken = r < 0 ? r : s->broken;
        return NULL;
    }
    memcpy(row->value, value, state_value_bytes(table)); /* as stored: no change to be noted */
    s->n_read_back++;
    return row;
}

/* Many schemes never use a table: its rows are not hashed for. */
static bool is_empty(const struct state *state, enum state_table table) {
    for (;; state = state->below) {
        if (state->tables[table].n_rows > 0)
            return false;
        if (!state->below)
            return !state->source.row ||
                   !(state_is_on_disk(table) || (table == STATE_DAYS && state->days_from > 0));
    }
}

static bool has_rows(const struct state *state, enum state_table table) {
    for (; state; state = state->below)
        if (state->tables[table].n_rows > 0)
            return true;
    return false;
}

/* Of an id most is known without its hash: 1 found, 0 there is none, -1 look for a row. */
static int get_id(struct state *state, const uint8_t id[ORDER_ID_BYTES],
                  const struct state_id **ret) {
    const struct state *lowest = state;

    while (lowest->below)
        lowest = lowest->below;
    *ret = state_ids_find(&lowest->ids, id);
    if (*ret)
        return 1;
    return state_ids_is_in_gap(lowest, id) && !has_rows(state, STATE_IDS) ? 0 : -1;
}

const void *state_get(struct state *state, enum state_table table, const void *key, size_t n_key,
                      int *r) {
    const struct state_id *id = NULL;
    struct state *where;
    int failed = 0;
    struct row *row;

    if (is_id(table, n_key) && get_id(state, key, &id) >= 0)
        return id;
    if (is_empty(state, table))
        return NULL;
    row = find(state, table, rows_hash(key, n_key), key, n_key, &where, &failed);
    if (failed < 0 && r)
        *r = failed;
    return row ? row->value : NULL;
}

int state_broken(const struct state *state) {
    while (state->below)
        state = state->below;
    return state->broken;
}

int state_edit(struct state *state, enum state_table table, const void *key, size_t n_key,
               void **ret_value) {
    uint64_t hash = rows_hash(key, n_key);
    struct state *where;
    int r = 0;
    struct row *row = find(state, table, hash, key, n_key, &where, &r);

    if (!row)
        return r;
    if (where != state) {
        const uint8_t *value = row->value;
        r = add_row(state, table, hash, key, n_key, &row);
        if (r == 0)
            memcpy(row->value, value, state_value_bytes(table));
    } else {
        r = open_row(state, table, row);
    }
    if (r < 0)
        return r;
    *ret_value = row->value;
    return 1;
}

int state_edit_found(struct state *state, enum state_table table, size_t n_key, const void *found,
                     void **ret_value) {
    struct row *row = rows_of_value(found, n_key);
    int r;

    if (state->below) {
        r = state_edit(state, table, row->key, n_key, ret_value);
        return r > 0 ? 0 : r < 0 ? r : -EUCLEAN;
    }
    r = open_row(state, table, row);
    if (r == 0)
        *ret_value = row->value;
    return r;
}

int state_edit_parts(struct state *state, enum state_table table, size_t n_key, const void *found,
                     const struct state_part *parts, size_t n, void **ret_value) {
    struct row *row = rows_of_value(found, n_key);
    int r = 0;

    assert(table != STATE_ACCOUNTS && table != STATE_PENDINGS && table != STATE_POLICIES);
    if (state->below)
        return state_edit_found(state, table, n_key, found, ret_value);
    for (size_t i = 0; i < n && r == 0; i++)
        r = state_journal_change_part(state, table, row, parts[i].at, parts[i].n);
    if (r == 0)
        r = rows_mark(&state->tables[table], row);
    if (r == 0)
        *ret_value = row->value;
    return r;
}

int state_add(struct state *state, enum state_table table, const void *key, size_t n_key,
              void **ret_value) {
    struct row *row;
    int r;

    assert(state->below || table != STATE_ACCOUNTS);
    if (is_id(table, n_key) && !state->below) {
        struct state_id *id;
        r = state_ids_add(&state->ids, key, &id);
        if (r > 0)
            *ret_value = id;
        if (r != 0)
            return MIN_OF(r, 0);
    }
    r = add_row(state, table, rows_hash(key, n_key), key, n_key, &row);
    if (r == 0)
        *ret_value = row->value;
    return r;
}

int state_make(struct state *state, enum state_table table, const void *key, size_t n_key,
               void **ret_value) {
    int r = state_edit(state, table, key, n_key, ret_value);

    if (r != 0)
        return r < 0 ? r : 0;
    return state_add(state, table, key, n_key, ret_value);
}

int state_load(struct state *state, enum state_table table, const void *key, size_t n_key,
               const void *value) {
    struct row *row;

    assert(!state->below && !state->journal.is_open);
    row = rows_add(&state->tables[table], rows_hash(key, n_key), key, n_key,
                   state_value_bytes(table));
    if (!row)
        return -ENOMEM;
    if (table == STATE_ACCOUNTS)
        return place_account(state, (struct state_account *)row->value, value);
    memcpy(row->value, value, state_value_bytes(table));
    return 0;
}

static bool is_stored(const struct row *row) {
    return !row->is_dirty && !row->is_leaving;
}

void state_drop_read_back(struct state *state) {
    assert(!state->below);
    if (state->n_read_back < READ_BACK_MAX)
        return;
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        if (state_is_on_disk((enum state_table)t))
            rows_drop(&state->tables[t], is_stored);
    state_days_forget(state);
    state->n_read_back = 0;
}

int state_order(struct state *state, uint64_t index, struct arena *arena,
                Timebank__Order **ret_order, uint64_t *ret_received_at_ms) {
    struct state *s = state;

    for (;; s = s->below) {
        for (const struct state_run *run = s->runs; run; run = run->next)
            if (index >= run->first && index < run->first + run->n) {
                size_t i = index - run->first, begin = i ? run->ends[i - 1] : 0;
                int r =
                    record_order_decode(run->bytes + begin, run->ends[i] - begin, arena, ret_order);
                *ret_received_at_ms = run->received_at_ms;
                return r < 0 ? r : 1;
            }
        if (!s->below)
            break;
    }
    if (!s->source.order)
        return 0;
    return s->source.order(s->source.user, index, arena, ret_order, ret_received_at_ms);
}

int state_keep_run(struct state *state, struct state_run *run) {
    run->next = state->runs;
    state->runs = run;
    return 0;
}

bool state_has_any(const struct state *state, enum state_table table) {
    assert(!state_is_on_disk(table));
    return has_rows(state, table);
}

const struct state_account *state_account(struct state *state, const char *code) {
    const struct state_account *account;

    for (size_t i = 0; i < STATE_ACCOUNTS_MET && !state->below; i++)
        if (state->met[i] && strcmp(state->met[i]->code, code) == 0)
            return state->met[i];
    account = state_get(state, STATE_ACCOUNTS, code, strlen(code), NULL);
    if (account && !state->below && strcmp(account->code, code) == 0)
        state->met[state->next_met++ % STATE_ACCOUNTS_MET] = account;
    return account;
}

int state_account_edit(struct state *state, const struct state_account *account,
                       struct state_account **ret_account) {
    size_t n_code = strlen(account->code);
    struct row *row;
    void *value;
    int r;

    if (state->below) {
        r = state_edit(state, STATE_ACCOUNTS, account->code, n_code, &value);
        if (r <= 0)
            return r < 0 ? r : -EUCLEAN;
        *ret_account = value;
        return 0;
    }
    row = rows_of_value(account, n_code);
    r = open_row(state, STATE_ACCOUNTS, row);
    if (r == 0)
        *ret_account = (struct state_account *)row->value;
    return r;
}

int state_account_open(struct state *state, const char *code, struct state_account **ret_account) {
    size_t n_code = strlen(code);
    struct state_account *account;
    struct row *row;
    int r;

    assert(n_code <= CODE_MAX);
    r = add_row(state, STATE_ACCOUNTS, rows_hash(code, n_code), code, n_code, &row);
    if (r < 0)
        return r;
    account = (struct state_account *)row->value;
    account->number = state->sums.n_accounts;
    memcpy(account->code, code, n_code);
    if (!state->below)
        r = index_account(state, account);
    if (r == 0 && !state->below)
        r = touch_account(state, account);
    if (r < 0)
        return r;
    state->sums.n_accounts++;
    *ret_account = account;
    return 0;
}
