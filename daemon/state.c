/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of rows: reads fall through, the first change copies up, a merge lays the top onto the
 * next. */
#include "state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "policy.h"

#define READ_BACK_MAX 16384u
#define N_KNOWN 256u

struct state_known {
    const char *name; /* the table's own, or NULL */
    const char *value;
    int64_t number;
    bool is_number;
};

static void forget_policies(struct state *state) {
    if (state->known)
        memset(state->known, 0, N_KNOWN * sizeof(*state->known));
}

struct state *state_new(const struct state_source *source) {
    struct state *state = calloc(1, sizeof(*state));

    if (state && source)
        state->source = *source;
    if (state)
        state->known = calloc(N_KNOWN, sizeof(*state->known)); /* or none are kept */
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

static int place_account(struct state *state, struct row *row, const void *value, bool is_dirty) {
    struct state_account *account = (struct state_account *)row->value;
    bool was_touched = account->is_touched;
    int r;

    memcpy(account, value, sizeof(*account));
    account->is_touched = was_touched;
    row->is_dirty = is_dirty;
    r = index_account(state, account);
    return r < 0 ? r : touch_account(state, account);
}

/* ---- what will fall due: a binary heap by time, then by key */

static bool due_before(const struct state_due *a, const struct state_due *b) {
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->key < b->key;
}

static void due_swap(struct state *state, size_t a, size_t b) {
    struct state_due due = state->dues[a];

    state->dues[a] = state->dues[b];
    state->dues[b] = due;
}

static void due_sink(struct state *state, size_t at) {
    for (size_t least = at;; at = least) {
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < state->n_dues; child++)
            if (due_before(&state->dues[child], &state->dues[least]))
                least = child;
        if (least == at)
            return;
        due_swap(state, at, least);
    }
}

int state_due_add(struct state *state, uint64_t due_ms, uint64_t key) {
    assert(!state->below);
    if (state->n_dues == state->n_dues_allocated) {
        size_t n = MAX_OF(state->n_dues_allocated * 2, (size_t)64);
        struct state_due *dues = realloc(state->dues, n * sizeof(*dues));
        if (!dues)
            return -ENOMEM;
        state->dues = dues;
        state->n_dues_allocated = n;
    }
    state->dues[state->n_dues] = (struct state_due){due_ms ? due_ms : UINT64_MAX, key};
    for (size_t at = state->n_dues++; at > 0; at = (at - 1) / 2) {
        if (!due_before(&state->dues[at], &state->dues[(at - 1) / 2]))
            break;
        due_swap(state, at, (at - 1) / 2);
    }
    return 0;
}

/* The pending of a due, or NULL when it is over or falls due at another time by now. */
static const struct state_pending *due_pending(struct state *state, const struct state_due *due,
                                               int *r) {
    uint8_t key[8];
    const struct state_pending *pending;

    be64_put(key, due->key);
    pending = state_get(state, STATE_PENDINGS, key, sizeof(key), r);
    if (!pending || pending->is_over ||
        (pending->due_ms ? pending->due_ms : UINT64_MAX) != due->due_ms)
        return NULL;
    return pending;
}

int state_due_first(struct state *state, struct state_due *ret) {
    int r = 0;

    assert(!state->below);
    while (state->n_dues > 0 && state->dues[0].due_ms != UINT64_MAX) {
        if (due_pending(state, &state->dues[0], &r)) {
            *ret = state->dues[0];
            return 1;
        }
        if (r < 0)
            return r;
        state->dues[0] = state->dues[--state->n_dues];
        due_sink(state, 0);
    }
    return 0;
}

int state_due_each(struct state *state, int (*each)(void *user, uint64_t key), void *user) {
    int r = 0;

    while (state->below)
        state = state->below;
    for (size_t i = 0; r == 0 && i < state->n_dues; i++)
        if (due_pending(state, &state->dues[i], &r))
            r = each(user, state->dues[i].key);
    return r;
}

/* One that was over, or due at another time, may be there from before: each is there once. */
static bool has_due(const struct state *state, uint64_t due_ms, uint64_t key) {
    for (size_t i = 0; i < state->n_dues; i++)
        if (state->dues[i].key == key && state->dues[i].due_ms == (due_ms ? due_ms : UINT64_MAX))
            return true;
    return false;
}

/* A pending laid onto the lowest state: its place in the heap is new, or is there already. */
static int note_due(struct state *state, const struct row *row, bool is_new,
                    const struct state_pending *pending) {
    const struct state_pending *before = (const struct state_pending *)row->value;

    if (pending->is_over || (!is_new && before->due_ms == pending->due_ms && !before->is_over))
        return 0;
    if (!is_new && has_due(state, pending->due_ms, be64_get(row->key)))
        return 0;
    return state_due_add(state, pending->due_ms, be64_get(row->key));
}

/* Copies a value into this very state's table. */
static int place(struct state *state, enum state_table table, uint64_t hash, const void *key,
                 size_t n_key, const void *value, bool is_dirty, struct row **ret_row) {
    size_t n_value = state_value_bytes(table);
    struct row *row = rows_find(&state->tables[table], hash, key, n_key);
    bool is_new = !row;

    if (!row)
        row = rows_add(&state->tables[table], hash, key, n_key, n_value);
    if (!row)
        return -ENOMEM;
    *ret_row = row;
    if (table == STATE_PENDINGS && !state->below && is_dirty) {
        int r = note_due(state, row, is_new, value);
        if (r < 0)
            return r;
    }
    if (table == STATE_ACCOUNTS && !state->below)
        return place_account(state, row, value, is_dirty);
    if (table == STATE_POLICIES)
        forget_policies(state);
    memcpy(row->value, value, n_value);
    row->is_dirty = is_dirty;
    return 0;
}

int state_merge(struct state *above) {
    struct state *below = above->below;
    struct row *placed;
    int r = 0;

    assert(below);
    for (size_t t = 0; t < STATE_N_TABLES && r == 0; t++)
        for (struct row *row = rows_next(&above->tables[t], NULL); row && r == 0;
             row = rows_next(&above->tables[t], row))
            r = place(below, (enum state_table)t, row->hash, row->key, row->n_key, row->value, true,
                      &placed);
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

/* Looks down the layers; what only the source has is copied into the lowest. */
static struct row *find(struct state *state, enum state_table table, uint64_t hash, const void *key,
                        size_t n_key, struct state **ret_where, int *ret_r) {
    uint8_t value[sizeof(struct state_recent)] __attribute__((aligned(8)));
    struct state *s = state;
    struct row *row;
    int r;

    for (;; s = s->below) {
        row = rows_find(&s->tables[table], hash, key, n_key);
        if (row || !s->below)
            break;
    }
    *ret_where = s;
    if (row || !state_is_on_disk(table) || !s->source.row)
        return row;
    assert(state_value_bytes(table) <= sizeof(value));
    r = s->source.row(s->source.user, table, key, n_key, value);
    if (r > 0) {
        r = place(s, table, hash, key, n_key, value, false, &row);
        s->n_read_back++;
    }
    if (r < 0)
        *ret_r = r;
    return r < 0 ? NULL : row;
}

/* Many schemes never use a table: its rows are not hashed for. */
static bool is_empty(const struct state *state, enum state_table table) {
    for (;; state = state->below) {
        if (state->tables[table].n_rows > 0)
            return false;
        if (!state->below)
            return !state_is_on_disk(table) || !state->source.row;
    }
}

const void *state_get(struct state *state, enum state_table table, const void *key, size_t n_key,
                      int *r) {
    struct state *where;
    int failed = 0;
    struct row *row;

    if (is_empty(state, table))
        return NULL;
    row = find(state, table, rows_hash(key, n_key), key, n_key, &where, &failed);
    if (failed < 0 && r)
        *r = failed;
    return row ? row->value : NULL;
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
        r = place(state, table, hash, key, n_key, row->value, true, &row);
        if (r < 0)
            return r;
    }
    if (table == STATE_POLICIES)
        forget_policies(state);
    row->is_dirty = true;
    *ret_value = row->value;
    return 1;
}

int state_add(struct state *state, enum state_table table, const void *key, size_t n_key,
              void **ret_value) {
    static const uint8_t zeros[sizeof(struct state_recent)];
    struct row *row;
    int r;

    assert(state->below || table != STATE_ACCOUNTS);
    r = place(state, table, rows_hash(key, n_key), key, n_key, zeros, true, &row);
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

    assert(!state->below);
    return place(state, table, rows_hash(key, n_key), key, n_key, value, false, &row);
}

static bool is_clean(const struct row *row) {
    return !row->is_dirty;
}

void state_drop_read_back(struct state *state) {
    assert(!state->below);
    if (state->n_read_back < READ_BACK_MAX)
        return;
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        if (state_is_on_disk((enum state_table)t))
            rows_drop(&state->tables[t], is_clean);
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
    for (; state; state = state->below)
        if (state->tables[table].n_rows > 0)
            return true;
    return false;
}

const struct state_account *state_account(struct state *state, const char *code) {
    return state_get(state, STATE_ACCOUNTS, code, strlen(code), NULL);
}

/* ---- policies: every rule asks for some, so the lowest state keeps what it found */

static bool parse_number(const char *value, int64_t *ret) {
    char *end = NULL;
    long long number;

    if (*value == '\0')
        return false;
    errno = 0;
    number = strtoll(value, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret = number;
    return true;
}

static void find_policy(struct state *state, const char *name, struct state_known *ret) {
    const struct state_policy *policy = state_get(state, STATE_POLICIES, name, strlen(name), NULL);
    const struct policy *known = policy_find(name);

    *ret = (struct state_known){.name = known ? known->name : NULL,
                                .value = policy  ? policy->value
                                         : known ? known->otherwise
                                                 : ""};
    ret->is_number = parse_number(ret->value, &ret->number);
}

#define POLICY(name, otherwise, check, argument, help) +1
static_assert(2 * (0
#include "policies.def"
                   ) <=
                  N_KNOWN,
              "there is a free place beside the policies");
#undef POLICY

/* Its place, or the free one where it will stand. */
static struct state_known *place_of(struct state *lowest, const char *name) {
    uint32_t hash = 2166136261u; /* FNV-1a: the names are the rules' own, nobody chooses them */
    struct state_known *known;

    for (const char *c = name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    for (;; hash++) {
        known = &lowest->known[hash % N_KNOWN];
        if (!known->name || strcmp(known->name, name) == 0)
            return known;
    }
}

static const struct state_known *known_policy(struct state *state, const char *name,
                                              struct state_known *otherwise) {
    struct state *lowest = state;
    struct state_known *known;

    for (; lowest->below; lowest = lowest->below)
        if (lowest->tables[STATE_POLICIES].n_rows > 0)
            break;
    if (lowest->below || !lowest->known) {
        find_policy(state, name, otherwise);
        return otherwise;
    }
    known = place_of(lowest, name);
    if (!known->name)
        find_policy(lowest, name, known);
    return known;
}

const char *state_policy(struct state *state, const char *name) {
    struct state_known found;

    return known_policy(state, name, &found)->value;
}

int64_t state_policy_number(struct state *state, const char *name, int64_t otherwise) {
    struct state_known found;
    const struct state_known *known = known_policy(state, name, &found);

    return known->is_number ? known->number : otherwise;
}
