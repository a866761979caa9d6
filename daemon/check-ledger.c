/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is stored, against itself: head file, records, tree, signatures, register; and
 * with
 * --full the rules from record 0 and every derived table. Reads only.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "check-keys.h"
#include "check-private.h"
#include "proto/text64.h"
#include "replay-ahead.h"

#define START_RECORDS 200000u /* a start checks a ledger up to this size whole */
#define FIRST_COMPLETE 4u     /* the first layout that has every table */
#define N(number) ((unsigned long long)(number))

int check_ledger_damaged(struct checking *checking, const char *format, ...) {
    va_list arguments;

    checking->is_damaged = true;
    fprintf(checking->to, "damaged: ");
    va_start(arguments, format);
    vfprintf(checking->to, format, arguments);
    va_end(arguments);
    fprintf(checking->to, "\n");
    return -EUCLEAN;
}

/* The parent looks at it. */
static void went_on(struct checking *checking) {
    __atomic_add_fetch(&checking->progress->n_read, 1, __ATOMIC_RELAXED);
}

void check_ledger_at(struct checking *checking, const char *where, uint64_t index) {
    checking->progress->where = where;
    checking->progress->index = index;
    went_on(checking);
}

static int misplaced(struct checking *checking, unsigned table) {
    return check_ledger_damaged(checking, "table %s: its pages are not in the order of their keys",
                                runs_tables[table]);
}

struct walk {
    struct checking *checking;
    int (*each)(void *user, struct store_value key, struct store_value value);
    void *user;
};

static int walk_each(void *user, struct store_value key, struct store_value value) {
    const struct walk *walk = user;

    went_on(walk->checking);
    return walk->each(walk->user, key, value);
}

/* Rows out of order end the walk before a row is told of. */
int check_ledger_walk(struct checking *checking, unsigned table, const void *from, size_t n_from,
                      int (*each)(void *user, struct store_value key, struct store_value value),
                      void *user) {
    struct walk walk = {checking, each, user};
    bool was_damaged = checking->is_damaged;
    int r;

    checking->is_damaged = false;
    r = store_each(checking->read, table, from, n_from, walk_each, &walk);
    if (r == -EUCLEAN && !checking->is_damaged)
        misplaced(checking, table);
    checking->is_damaged |= was_damaged;
    return r;
}

bool check_ledger_is_found(struct checking *checking, unsigned table, struct store_value key,
                           struct store_value value) {
    struct store_value found = {0};

    return store_get(checking->read, table, key.data, key.n, &found) > 0 &&
           found.data == value.data && found.n == value.n;
}

bool check_ledger_will_rebuild(const struct checking *checking) {
    return checking->layout.is_older || checking->layout.is_rebuilding;
}

static char *path_in(const struct checking *checking, const char *name) {
    char *path = NULL;

    return asprintf(&path, "%s/%s", checking->directory, name) < 0 ? NULL : path;
}

static int check_head_file(struct checking *checking) {
    _cleanup_(freep) char *path = path_in(checking, "head");
    int r = path ? head_read(path, checking->slots, checking->slot_is_whole) : -ENOMEM;
    bool has_slot;

    check_ledger_at(checking, "the head file", 0);
    if (r == -ENOENT || r == -EUCLEAN || r == -ELOOP)
        return check_ledger_damaged(checking,
                                    "head: the file is missing or not of its size (8192 bytes)");
    if (r < 0)
        return r;
    has_slot = head_latest(checking->slots, checking->slot_is_whole) != NULL;
    for (int i = 0; i < HEAD_SLOTS; i++)
        if (!checking->slot_is_whole[i] && checking->extent == CHECK_START && has_slot)
            fprintf(checking->to,
                    "head: slot %d was being written when the power failed: the start goes on from "
                    "the other slot\n",
                    i);
        else if (!checking->slot_is_whole[i])
            check_ledger_damaged(
                checking,
                "head: slot %d (bytes %d to %d) does not hash to its sum: a write cut short, "
                "or damage",
                i, i * HEAD_SLOT_BYTES, (i + 1) * HEAD_SLOT_BYTES - 1);
    if (!has_slot)
        return check_ledger_damaged(checking, "head: no slot can be read");
    return 0;
}

static int open_store(struct checking *checking) {
    _cleanup_(freep) char *path = path_in(checking, "ledger");
    int r;

    if (!path)
        return -ENOMEM;
    check_ledger_at(checking, "the store's first pages", 0);
    r = store_open_lacking(&checking->store, path, checking->settings->log.map_bytes, runs_tables,
                           RUNS_N_TABLES, true);
    if (r < 0)
        return check_ledger_damaged(checking, "ledger: the store cannot be opened (%s)",
                                    strerror(-r));
    r = store_read_begin(checking->store, &checking->read);
    if (r < 0)
        return r;
    check_ledger_at(checking, "the end of the log", 0);
    r = runs_size(checking->read, &checking->size);
    return r < 0 ? check_ledger_damaged(checking, "ledger: the last stored run cannot be read") : 0;
}

static bool is_signed(const struct checking *checking, const struct head_slot *slot,
                      const char *origin, struct note_head *ret) {
    struct note_verifier verifier;
    const uint8_t *key;

    if (note_checkpoint_peek(slot->checkpoint, slot->n_checkpoint, origin, ret) < 0)
        return false;
    key = check_keys_at(&checking->chain, ret->size);
    return key && note_verifier_init(&verifier, origin, key) == 0 &&
           note_checkpoint_open(slot->checkpoint, slot->n_checkpoint, &verifier, ret) == 0;
}

/* Heads are checked with the key that the records before them name. */
static void check_heads(struct checking *checking, const struct note_verifier *verifier) {
    for (int i = 0; i < HEAD_SLOTS; i++) {
        if (!checking->slot_is_whole[i])
            continue;
        if (!is_signed(checking, &checking->slots[i], verifier->name, &checking->heads[i])) {
            check_ledger_damaged(checking, "head: slot %d is not signed by the ledger's key", i);
            checking->slot_is_whole[i] = false;
        } else if (checking->heads[i].size > checking->size) {
            check_ledger_damaged(
                checking,
                "ledger: it holds %llu records, fewer than the %llu of the signed head in slot "
                "%d: it was put back from a copy, or lost records. Restore a backup",
                N(checking->size), N(checking->heads[i].size), i);
        }
    }
}

static int note_genesis(void *user, struct store_value key, struct store_value value) {
    struct checking *checking = user;
    struct run run;
    size_t n;

    /* What is damaged is named when its turn comes. */
    if (run_parse(&run, key, value) < 0)
        return 0;
    if (run.n == 1 && run_record(&run, 0, &n)[0] == RECORD_GENESIS)
        checking->genesis = run.first;
    if (check_keys_take(&checking->chain, &run) < 0)
        check_ledger_damaged(checking,
                             "record %llu: the change of the ledger's key in it or near it is none",
                             N(run.first));
    return 0;
}

/* The last restore's, which the derived tables know, or one after them; and the keys since. */
static int find_genesis(struct checking *checking) {
    uint8_t key[8];

    checking->genesis = checking->state_size > 0 ? checking->state_sums.genesis : 0;
    be64_put(key, checking->state_size);
    return store_each(checking->read, RUNS_LOG, key, sizeof(key), note_genesis, checking);
}

static int read_verifier(struct checking *checking, struct note_verifier *ret) {
    Timebank__Genesis *genesis = NULL;
    struct arena arena;
    struct run run;
    size_t n;
    const uint8_t *record;
    int r;

    check_ledger_at(checking, "the genesis", 0);
    r = find_genesis(checking);
    if (r == 0)
        r = runs_find(checking->read, checking->genesis, &run);
    if (r <= 0)
        return check_ledger_damaged(checking, "record %llu: missing, or its run cannot be read",
                                    N(checking->genesis));
    record = run_record(&run, 0, &n);
    arena_init(&arena, 1024 * 1024);
    r = record_genesis_decode(record + 1, n - 1, &arena, &genesis);
    if (r == 0 && genesis->ledger_key.len == NOTE_KEY_BYTES)
        r = note_verifier_init(ret, genesis->origin, genesis->ledger_key.data);
    arena_fini(&arena);
    return r < 0
               ? check_ledger_damaged(checking, "record %llu: not a genesis this version can read",
                                      N(checking->genesis))
               : 0;
}

static void check_key_file(struct checking *checking, const struct note_verifier *verifier) {
    _cleanup_(freep) char *path = path_in(checking, "ledger.key");
    _cleanup_(keyring_closep) struct keyring *keyring = NULL;
    struct stat st;
    int r;

    if (!path || stat(path, &st) < 0)
        return; /* a backup has none */
    r = keyring_open(&keyring, path, verifier->name);
    if (r < 0)
        check_ledger_damaged(checking, "ledger.key: cannot be used (%s)", strerror(-r));
    else if (!check_keys_has_last(&checking->chain, path, verifier->name))
        check_ledger_damaged(
            checking,
            "ledger.key: not the key that record %llu names: put back the file ledger.key of "
            "this ledger",
            N(state_chain_last(&checking->chain)->record));
}

/* Roots at the sizes of both slots, and the derived tables where they stand. */
static int compare_here(struct checking *checking) {
    const struct merkle_range *range = &checking->replay.range;
    struct hash root;

    for (int i = 0; i < HEAD_SLOTS; i++) {
        if (!checking->slot_is_whole[i] || checking->heads[i].size != range->end)
            continue;
        checking->met[i] = true;
        root = merkle_range_root(range);
        if (!hash_equal(&root, &checking->heads[i].root))
            check_ledger_damaged(checking,
                                 "head: slot %d names another root of the first %llu records", i,
                                 N(range->end));
    }
    if (checking->extent == CHECK_FULL && checking->state_size == range->end &&
        !checking->layout.is_older)
        return check_tables_compare(checking);
    return 0;
}

static int check_run(struct checking *checking, const struct replay_ahead_run *found) {
    const struct run *run = &found->proof.run;
    size_t n;
    int r = found->r;

    check_ledger_at(checking, "the log", checking->replay.range.end);
    if (r == -EUCLEAN)
        return check_ledger_damaged(checking,
                                    "record %llu: its run's key, count or lengths are damaged",
                                    N(checking->replay.range.end));
    if (r == 0)
        r = replay_run_proven(&checking->replay, &found->proof);
    if (r == 0 && run_record(run, 0, &n)[0] == RECORD_SEAL)
        checking->n_orders += run->n - 1;
    if (r == -EUCLEAN && *checking->replay.why)
        return check_ledger_damaged(checking, "%s", checking->replay.why);
    if (r == -EUCLEAN)
        return check_ledger_damaged(
            checking, "record %llu: the tree that it refers to cannot be read", N(run->first));
    if (r == 0 && !check_ledger_is_found(checking, RUNS_LOG, found->key, found->value))
        return check_ledger_damaged(checking, "record %llu: its number does not lead to its run",
                                    N(run->first));
    if (r == 0 && checking->extent == CHECK_FULL)
        r = check_tables_compare_after(checking, run);
    return r < 0 ? r : compare_here(checking);
}

static int check_each(void *user, struct store_value key, struct store_value value) {
    struct checking *checking = user;
    struct replay_ahead_run found = {.key = key, .value = value};
    struct run run;
    int r;

    found.r = run_parse(&run, key, value);
    if (found.r == 0)
        found.r = replay_prove(&run, checking->extent == CHECK_FULL, &found.proof);
    r = check_run(checking, &found);
    replay_proof_fini(&found.proof);
    return r;
}

/* What a run is by itself is found on a thread that goes ahead; everything is told here. */
static int walk_log_ahead(struct checking *checking, uint64_t from) {
    _cleanup_(replay_ahead_freep) struct replay_ahead *ahead = NULL;
    const struct replay_ahead_run *found;
    int r = replay_ahead_new(&ahead, checking->store, from, checking->extent == CHECK_FULL);

    if (r < 0)
        return r;
    while ((r = replay_ahead_next(ahead, &found)) > 0) {
        r = check_run(checking, found);
        if (r != 0)
            return r;
    }
    return r == -EUCLEAN ? misplaced(checking, RUNS_LOG) : r;
}

static int walk_log(struct checking *checking, uint64_t from) {
    uint8_t key[8];

    be64_put(key, from);
    return checking->progress->is_alone
               ? check_ledger_walk(checking, RUNS_LOG, key, sizeof(key), check_each, checking)
               : walk_log_ahead(checking, from);
}

static int source_order(void *user, uint64_t index, struct arena *arena,
                        Timebank__Order **ret_order, uint64_t *ret_received_at_ms) {
    struct checking *checking = user;
    struct record_seal seal;
    struct run run;
    size_t n;
    const uint8_t *record;
    int r = runs_find(checking->read, index, &run);

    if (r <= 0 || index == run.first)
        return MIN_OF(r, 0);
    record = run_record(&run, 0, &n);
    r = record_seal_unpack(record, n, &seal);
    record = run_record(&run, (uint32_t)(index - run.first), &n);
    if (r == 0)
        r = record_order_decode(record + 1, n - 1, arena, ret_order);
    *ret_received_at_ms = seal.received_at_ms;
    return r < 0 ? r : 1;
}

/* A start checks what the derived tables do not cover yet; log_open() judges the same records
 * again. */
static int replay_log(struct checking *checking) {
    bool is_full = checking->extent == CHECK_FULL;
    uint64_t from = checking->extent == CHECK_START && checking->size > START_RECORDS
                        ? checking->state_size
                        : 0;
    int r;

    checking->state = state_new(&(struct state_source){.user = checking, .order = source_order});
    if (!checking->state)
        return -ENOMEM;
    replay_init(&checking->replay, checking->read, (is_full ? REPLAY_RULES : 0u) | REPLAY_TILES,
                is_full ? checking->state : NULL, &checking->accounts);
    r = replay_go_on(&checking->replay, from, checking->state_sums.genesis, 0);
    if (r < 0)
        return r == -EUCLEAN ? check_ledger_damaged(checking, "%s", checking->replay.why) : r;
    compare_here(checking);
    r = walk_log(checking, from);
    for (int i = 0; r == 0 && i < HEAD_SLOTS; i++)
        if (checking->slot_is_whole[i] && !checking->met[i] && checking->heads[i].size >= from &&
            checking->heads[i].size <= checking->size)
            check_ledger_damaged(checking,
                                 "head: slot %d names size %llu, in the middle of a batch", i,
                                 N(checking->heads[i].size));
    return r;
}

static void people_went_on(void *user) {
    went_on(user);
}

static int check_people(struct checking *checking) {
    _cleanup_(people_closep) struct people *people = NULL;
    _cleanup_(freep) char *path = path_in(checking, "people");
    char why[256] = "";
    int r;

    if (!path)
        return -ENOMEM;
    check_ledger_at(checking, "the register of people", 0);
    if (access(path, F_OK) < 0)
        return 0; /* a backup without people */
    r = people_open(&people, path, checking->settings->people_map_bytes, true);
    if (r < 0)
        return check_ledger_damaged(checking, "people: the register cannot be opened (%s)",
                                    strerror(-r));
    r = people_check(people, people_went_on, checking, why, sizeof(why));
    return r < 0 ? check_ledger_damaged(checking, "people: %s", *why ? why : strerror(-r)) : 0;
}

static void tell_facts(void *user, const char *sentence) {
    struct checking *checking = user;

    fprintf(checking->to, "facts: %s\n", sentence);
    checking->progress->result.n_facts_faults++;
}

static int begin_facts(struct checking *checking) {
    return checking->extent != CHECK_FULL || check_ledger_will_rebuild(checking)
               ? 0
               : check_facts_begin(&checking->facts, checking->directory, checking->store);
}

/* A sound log says what they are to be. */
static int end_facts(struct checking *checking) {
    int r = 0;

    if (!checking->is_damaged && !checking->facts)
        r = begin_facts(checking);
    if (r < 0 || checking->is_damaged || !checking->facts)
        return r;
    check_ledger_at(checking, "the facts of the reports", 0);
    checking->progress->takes_long = true;
    return check_facts_end(checking->facts, tell_facts, checking);
}

static bool read_layout(struct checking *checking) {
    const char *lacked = log_layout_lacks(checking->store);
    int r = log_layout_read(checking->read, &checking->layout);

    if (r < 0)
        check_ledger_damaged(checking, "table meta: its layout cannot be read");
    else if (checking->layout.number > RUNS_LAYOUT)
        check_ledger_damaged(checking,
                             "table meta: a later timebankd wrote it: check with that one");
    else if (lacked && !checking->layout.is_older)
        check_ledger_damaged(checking, "table %s: missing", lacked);
    else if (!lacked && checking->layout.number > 0 && checking->layout.number < FIRST_COMPLETE)
        /* Each layout before lacks a table, and the first commit of a rebuild makes them all. */
        check_ledger_damaged(checking, "table meta: it names an older layout than the tables have");
    else if (check_ledger_will_rebuild(checking) && checking->extent != CHECK_START)
        fprintf(checking->to, "the derived tables are of an older layout: the next start builds "
                              "them anew from the log\n");
    return r == 0 && checking->layout.number <= RUNS_LAYOUT;
}

/* What a start would leave on disk is not looked for, either. */
static int no_row(void *user, enum state_table table, const void *key, size_t n_key,
                  void *ret_value) {
    (void)user, (void)table, (void)key, (void)n_key, (void)ret_value;
    return 0;
}

static void read_meta(struct checking *checking) {
    _cleanup_(state_freep) struct state *state = state_new(&(struct state_source){.row = no_row});
    uint64_t size = 0;
    int r;

    check_ledger_at(checking, "the derived tables", 0);
    if (!read_layout(checking))
        return;
    r = state ? log_step_look(checking->read, state, &size) : -ENOMEM;
    if (r < 0)
        check_ledger_damaged(checking, "derived tables: a row cannot be read");
    else if (state) {
        checking->state_sums = state->sums;
        state_chain_read(state, &checking->chain);
    }
    checking->state_size = size;
    if (size > checking->size)
        check_ledger_damaged(checking, "table meta: it says size %llu, beyond the log", N(size));
}

/* Tables are written behind the signed head: never ahead of it. */
static void compare_meta(struct checking *checking) {
    uint64_t size = 0;

    for (int i = 0; i < HEAD_SLOTS; i++)
        if (checking->slot_is_whole[i])
            size = MAX_OF(size, checking->heads[i].size);
    if (checking->state_size > size)
        check_ledger_damaged(
            checking,
            "head: it names size %llu, but the store went on to %llu: it was put back from a "
            "copy. Restore both from one backup",
            N(size), N(checking->state_size));
}

static int run(struct checking *checking) {
    struct note_verifier verifier;
    int r = check_head_file(checking);

    if (r == 0 || r == -EUCLEAN)
        r = open_store(checking);
    if (r < 0)
        return r;
    read_meta(checking);
    r = read_verifier(checking, &verifier);
    if (r < 0)
        return r;
    check_heads(checking, &verifier);
    check_key_file(checking, &verifier);
    compare_meta(checking);
    if (!checking->progress->is_alone)
        r = begin_facts(checking);
    if (r == 0)
        r = replay_log(checking);
    if (r == 0)
        r = check_tables_end(checking);
    if (r == 0 || r == -EUCLEAN)
        r = check_people(checking);
    return r == 0 ? end_facts(checking) : r;
}

static void set_result(struct checking *checking) {
    struct check_result *result = &checking->progress->result;
    _cleanup_bytes_ struct bytes text = {0};
    struct hash root = merkle_range_root(&checking->replay.range);

    result->size = checking->replay.range.end;
    result->has_tables = !check_ledger_will_rebuild(checking);
    result->has_counts = checking->extent == CHECK_FULL || checking->state_size == checking->size;
    result->n_accounts = checking->extent == CHECK_FULL ? checking->state->sums.n_accounts
                                                        : checking->state_sums.n_accounts;
    result->n_entries = checking->extent == CHECK_FULL ? checking->state->sums.n_entries
                                                       : checking->state_sums.n_entries;
    text64_encode(&text, root.b, sizeof(root.b));
    if (text.r == 0)
        snprintf(result->root, sizeof(result->root), "%.*s", (int)text.n, (const char *)text.data);
}

int check_ledger_run(struct check_progress *progress, const char *directory,
                     const struct bank_settings *settings, enum check_extent extent, FILE *to) {
    struct checking checking = {.progress = progress,
                                .directory = directory,
                                .settings = settings,
                                .extent = extent,
                                .to = to};
    int r = run(&checking);

    if (r == 0 && !checking.is_damaged)
        set_result(&checking);
    check_facts_free(checking.facts);
    replay_fini(&checking.replay);
    account_tree_fini(&checking.accounts);
    store_read_end(checking.read); /* the state goes with the child: freed, it would take a tenth */
    store_close(checking.store);
    if (r == -EUCLEAN && !checking.is_damaged)
        check_ledger_damaged(&checking, "%s: the store's pages cannot be read", progress->where);
    if (r < 0 && r != -EUCLEAN)
        fprintf(to, "broken: %s while reading %s\n", strerror(-r), progress->where);
    return r == 0 && checking.is_damaged ? -EUCLEAN : r;
}
