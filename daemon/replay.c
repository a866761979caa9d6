/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run after another: bytes against their leaf hashes, leaves into the tree, seals against their
 * author's key, state records against the tree of accounts, and (asked for) the rules again.
 */
#include "replay.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define EVENTS_ARENA_BYTES (16u * 1024 * 1024)
#define GENESIS_ARENA_BYTES (1024u * 1024)

void replay_init(struct replay *replay, struct store_read *read, unsigned what, struct state *state,
                 struct account_tree *accounts) {
    *replay = (struct replay){.read = read, .what = what, .state = state, .accounts = accounts};
    merkle_range_init(&replay->range, 0);
}

void replay_fini(struct replay *replay) {
    bytes_fini(&replay->after);
}

__attribute__((format(printf, 2, 3))) static int damaged(struct replay *replay, const char *format,
                                                         ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(replay->why, sizeof(replay->why), format, arguments);
    va_end(arguments);
    return -EUCLEAN;
}

#define N(number) ((unsigned long long)(number))

static void compare_node(struct replay *replay, unsigned level, uint64_t index,
                         const struct hash *hash) {
    struct store_value value;
    uint8_t key[9];
    size_t at = (index & 255) * HASH_BYTES;
    int r;

    runs_tile_key(level / 8, index >> 8, key);
    r = store_get(replay->read, RUNS_TILES, key, sizeof(key), &value);
    if (r > 0 && value.n >= at + HASH_BYTES && memcmp(value.data + at, hash->b, HASH_BYTES) == 0)
        return;
    replay->tile_r = r < 0 ? r
                           : damaged(replay,
                                     "tile %u/%llu, hash %llu (records %llu to %llu): stored node "
                                     "differs from the records",
                                     level / 8, N(index >> 8), N(index & 255), N(index << level),
                                     N(((index + 1) << level) - 1));
}

static void compare_nodes(void *user, unsigned level, uint64_t index, const struct hash *hashes,
                          size_t n) {
    struct replay *replay = user;

    if (!(replay->what & REPLAY_TILES) || level == 0 || level % 8 != 0)
        return;
    for (size_t i = 0; i < n && replay->tile_r == 0; i++)
        compare_node(replay, level, index + i, &hashes[i]);
}

static int append_leaves(struct replay *replay, const struct replay_proof *proof) {
    merkle_range_append_all(&replay->range, proof->leaves, proof->n_good, compare_nodes, replay);
    if (replay->tile_r < 0)
        return replay->tile_r;
    return proof->n_good < proof->run.n
               ? damaged(replay, "record %llu: its bytes do not hash to its leaf",
                         N(proof->run.first + proof->n_good))
               : 0;
}

/* Sets what the records after a genesis are held against. */
static int take_genesis(struct replay *replay, const uint8_t *record, size_t n, struct arena *arena,
                        Timebank__Genesis **ret) {
    Timebank__Genesis *genesis = NULL;
    int r = n > 0 && record[0] == RECORD_GENESIS
                ? record_genesis_decode(record + 1, n - 1, arena, &genesis)
                : -EBADMSG;

    if (r == 0 && (genesis->format != 1 || genesis->ledger_key.len != NOTE_KEY_BYTES ||
                   !note_origin_is_valid(genesis->origin)))
        r = -EBADMSG;
    if (r < 0)
        return r;
    replay->ledger_id = note_ledger_id(genesis->origin, genesis->ledger_key.data);
    snprintf(replay->origin, sizeof(replay->origin), "%s", genesis->origin);
    *ret = genesis;
    return 0;
}

static int run_genesis(struct replay *replay, const uint8_t *record, size_t n) {
    Timebank__Genesis *genesis = NULL;
    struct arena arena;
    int r;

    arena_init(&arena, GENESIS_ARENA_BYTES);
    r = take_genesis(replay, record, n, &arena, &genesis);
    replay->first_ledger_id = replay->ledger_id;
    if (r == 0)
        replay->received_at_ms = genesis->created_ms;
    if (r == 0 && replay->what & REPLAY_RULES) {
        struct state *above = state_new_above(replay->state);
        r = above ? ledger_genesis(above, genesis) : -ENOMEM;
        if (r == 0)
            r = state_merge(above);
        else
            state_free(above);
    }
    arena_fini(&arena);
    return r == -EBADMSG ? damaged(replay, "record 0: not a genesis this version can read") : r;
}

/* A ledger restored from a backup: it must name what stands before it. */
static int run_restored(struct replay *replay, uint64_t index, const uint8_t *record, size_t n,
                        const struct hash *old_root) {
    Timebank__Genesis *genesis = NULL;
    char old_origin[NOTE_ORIGIN_MAX + 1];
    struct arena arena;
    int r;

    memcpy(old_origin, replay->origin, sizeof(old_origin));
    arena_init(&arena, GENESIS_ARENA_BYTES);
    r = take_genesis(replay, record, n, &arena, &genesis);
    if (r == 0 && (strcmp(genesis->old_origin, old_origin) != 0 || genesis->old_size != index ||
                   genesis->old_root.len != HASH_BYTES ||
                   memcmp(genesis->old_root.data, old_root->b, HASH_BYTES) != 0))
        r = -EBADMSG;
    if (r == 0 && replay->what & REPLAY_RULES) {
        struct state *above = state_new_above(replay->state);
        r = above ? ledger_restore(above, genesis, old_origin, old_root) : -ENOMEM;
        if (r == 0)
            r = state_merge(above);
        else
            state_free(above);
    }
    arena_fini(&arena);
    return r == -EBADMSG ? damaged(replay,
                                   "record %llu: a genesis that does not follow from the records "
                                   "before it",
                                   N(index))
                         : r;
}

static int check_pin(struct replay *replay, const struct batch_header *header, uint64_t seal) {
    struct merkle_range range;
    struct hash root;
    int r;

    if (header->pin_size == 0)
        return 0;
    if (header->pin_size > seal)
        return damaged(replay, "record %llu: its author pinned a head larger than the log",
                       N(seal));
    r = runs_range(replay->read, header->pin_size, &range);
    if (r < 0)
        return r;
    root = merkle_range_root(&range);
    if (!hash_equal(&root, &header->pin_root))
        return damaged(replay, "record %llu: its author saw another history at size %llu", N(seal),
                       N(header->pin_size));
    return 0;
}

/* What was refused on arrival whatever the state: recorded all the same, somebody else let it in.
 */
static int check_times(struct replay *replay, const struct batch_header *header, uint64_t seal,
                       uint64_t received_at_ms) {
    if (header->not_after_ms != 0 && received_at_ms > header->not_after_ms)
        return damaged(replay, "record %llu: received after the time its author set", N(seal));
    return 0;
}

/* An author's batch id names one batch for ever. */
static int check_batch_id(struct replay *replay, const struct batch_header *header, uint64_t seal) {
    uint8_t key[SSHSIG_PUBLIC_BYTES + BATCH_ID_BYTES];
    const struct state_batch *earlier;
    int r = 0;

    memcpy(key, header->author, SSHSIG_PUBLIC_BYTES);
    memcpy(key + SSHSIG_PUBLIC_BYTES, header->batch_id, BATCH_ID_BYTES);
    earlier = state_get(replay->state, STATE_BATCHES, key, sizeof(key), &r);
    return earlier ? damaged(replay, "record %llu: its author used this batch id at record %llu",
                             N(seal), N(earlier->seal))
                   : r;
}

static bool has_open_end(const struct judging *judging, const struct batch_header *header) {
    for (size_t i = 0; header->not_after_ms == 0 && i < judging->batch.n; i++)
        if (judging->batch.orders[i] && judging->batch.orders[i]->source == TIMEBANK__SOURCE__HAND)
            return true;
    return false;
}

/* What was due is in the log before the first seal of that time or later. */
static int check_due(struct replay *replay, uint64_t seal, uint64_t received_at_ms) {
    struct state_due due;
    int r = ledger_due(replay->state, received_at_ms, &due);

    return r <= 0 ? r
                  : damaged(replay, "record %llu: what entry %llu waited for was due before it",
                            N(seal), N(due.key));
}

static int judge(struct replay *replay, struct judging *judging, uint64_t seal,
                 const struct batch_header *header, uint64_t received_at_ms) {
    const struct ledger_note *note = NULL;
    int r = check_batch_id(replay, header, seal);

    if (r == 0)
        r = check_due(replay, seal, received_at_ms);

    if (r < 0)
        return r;
    r = judging_run(judging, replay->state, seal, header, received_at_ms);
    if (r < 0)
        return r == -EBADMSG
                   ? damaged(replay, "record %llu: its time of receipt is before the last", N(seal))
                   : r;
    for (size_t i = 0; i < judging->batch.n_notes && !note; i++)
        if (!judging->batch.notes[i].is_warning)
            note = &judging->batch.notes[i];
    if (note)
        return damaged(replay, "record %llu: the rules refuse it: %s (%s)",
                       N(seal + 1 + note->place), refusal_name(note->number), note->message);
    if (judging->author.role == TIMEBANK__ROLE__ROLE_NONE)
        return damaged(replay, "record %llu: its author had no role then", N(seal));
    if (has_open_end(judging, header))
        return damaged(replay, "record %llu: typed orders without a time limit", N(seal));
    bytes_clear(&replay->after);
    judging_pack_after(judging, &replay->after);
    return judging_keep(judging);
}

static int run_batch(struct replay *replay, const struct replay_proof *proof) {
    const struct run *run = &proof->run;
    const struct batch_header *header = &proof->header;
    uint64_t received_at_ms = proof->seal.received_at_ms;
    int r;

    if (!proof->has_header)
        return damaged(replay, "record %llu: not a seal over the %u orders after it", N(run->first),
                       run->n - 1);
    if (!hash_equal(&header->ledger_id, &replay->ledger_id))
        return damaged(replay, "record %llu: sealed for another ledger", N(run->first));
    if (!proof->is_signed)
        return damaged(replay, "record %llu: the author's signature does not verify",
                       N(run->first));
    if (received_at_ms < replay->received_at_ms)
        return damaged(replay, "record %llu: received before the record before it", N(run->first));
    replay->received_at_ms = received_at_ms;
    if (proof->not_order > 0)
        return damaged(replay, "record %llu: not an order, though its seal says so",
                       N(run->first + proof->not_order));
    if (!proof->is_rooted)
        return damaged(replay, "records %llu to %llu: the orders are not those their author signed",
                       N(run->first + 1), N(run->first + run->n - 1));
    r = check_pin(replay, header, run->first);
    if (r == 0)
        r = check_times(replay, header, run->first, received_at_ms);
    if (r == 0 && replay->what & REPLAY_RULES)
        r = judge(replay, proof->judging, run->first, header, received_at_ms);
    return r;
}

static int run_state(struct replay *replay, const struct run *run) {
    struct record_state state;
    struct hash root;
    size_t n;
    const uint8_t *record = run_record(run, 0, &n);
    int r = record_state_unpack(record, n, &state);

    if (r < 0 || state.covers != run->first)
        return damaged(replay, "record %llu: not a state of the records before it", N(run->first));
    if (!(replay->what & REPLAY_RULES))
        return 0;
    if (state.n_accounts != replay->state->sums.n_accounts ||
        state.ledger_time_ms < replay->state->sums.ledger_time_ms)
        return damaged(replay, "record %llu: accounts or time of the state do not follow",
                       N(run->first));
    r = account_tree_root(replay->accounts, replay->state, &root);
    if (r < 0)
        return r;
    if (!hash_equal(&root, &state.root))
        return damaged(replay,
                       "record %llu: the account balances replayed are not those of the state",
                       N(run->first));
    ledger_state_record(replay->state, state.ledger_time_ms);
    return 0;
}

/* The same event follows from the state again, byte for byte. */
static int run_event(struct replay *replay, uint64_t index, const uint8_t *record, size_t n,
                     struct arena *arena, struct ledger_effect *ret_effect) {
    _cleanup_bytes_ struct bytes made = {0};
    struct state_due due;
    struct hash leaf;
    int r = ledger_due(replay->state, UINT64_MAX - 1, &due);

    if (r == 0)
        return damaged(replay, "record %llu: an event, though nothing was to fall due", N(index));
    if (r < 0)
        return r;
    state_begin(replay->state);
    r = ledger_event(replay->state, &due, arena, &made, &leaf, ret_effect);
    if (r == 0 && (made.n != n || memcmp(made.data, record, n) != 0))
        r = damaged(replay, "record %llu: not the event that followed", N(index));
    if (r < 0)
        state_roll_back(replay->state);
    return r < 0 ? r : state_keep(replay->state);
}

static int run_events(struct replay *replay, const struct run *run) {
    _cleanup_(freep) struct ledger_effect *effects = calloc(run->n, sizeof(*effects));
    struct arena arena;
    int r = effects ? 0 : -ENOMEM;

    arena_init(&arena, EVENTS_ARENA_BYTES);
    for (uint32_t i = 0; r == 0 && i < run->n; i++) {
        size_t n;
        const uint8_t *record = run_record(run, i, &n);
        if (record[0] != RECORD_EVENT)
            r = damaged(replay, "record %llu: not an event, among events", N(run->first + i));
        else if (replay->what & REPLAY_RULES)
            r = run_event(replay, run->first + i, record, n, &arena, &effects[i]);
    }
    if (r == 0 && replay->what & REPLAY_RULES) {
        judging_pack_effects(effects, run->n, run->first, &replay->after);
        r = replay->after.r;
    }
    arena_fini(&arena);
    return r;
}

static int run_by_kind(struct replay *replay, const struct replay_proof *proof,
                       const struct hash *old_root) {
    const struct run *run = &proof->run;
    size_t n;
    const uint8_t *record = run_record(run, 0, &n);

    if (run->first == 0 && record[0] == RECORD_GENESIS && run->n == 1)
        return run_genesis(replay, record, n);
    if (run->first > 0 && record[0] == RECORD_GENESIS && run->n == 1)
        return run_restored(replay, run->first, record, n, old_root);
    if (proof->is_batch)
        return run_batch(replay, proof);
    if (record[0] == RECORD_STATE && run->n == 1)
        return run_state(replay, run);
    if (record[0] == RECORD_EVENT)
        return run_events(replay, run);
    return damaged(replay, "record %llu: of a kind (%u) that cannot stand there", N(run->first),
                   record[0]);
}

int replay_run_proven(struct replay *replay, const struct replay_proof *proof) {
    const struct run *run = &proof->run;
    struct hash old_root = {0};
    size_t n;
    int r;

    if (run->first != replay->range.end)
        return damaged(replay, "record %llu is missing: the next stored run begins at %llu",
                       N(replay->range.end), N(run->first));
    bytes_clear(&replay->after);
    if (run_record(run, 0, &n)[0] == RECORD_GENESIS)
        old_root = merkle_range_root(&replay->range);
    r = append_leaves(replay, proof);
    return r == 0 ? run_by_kind(replay, proof, &old_root) : r;
}

int replay_run(struct replay *replay, const struct run *run) {
    struct replay_proof proof;
    int r = replay_prove(run, replay->what & REPLAY_RULES, &proof);

    if (r == 0)
        r = replay_run_proven(replay, &proof);
    replay_proof_fini(&proof);
    return r;
}

/* The state holds what the genesis did: only who the ledger is, is read again. */
static int go_on_from(struct replay *replay, uint64_t genesis) {
    Timebank__Genesis *read = NULL;
    struct arena arena;
    struct run run;
    size_t n;
    const uint8_t *record;
    int r = runs_find(replay->read, genesis, &run);

    if (r <= 0)
        return r < 0 ? r : damaged(replay, "record %llu is missing", N(genesis));
    record = run_record(&run, 0, &n);
    arena_init(&arena, GENESIS_ARENA_BYTES);
    r = run.n == 1 ? take_genesis(replay, record, n, &arena, &read) : -EBADMSG;
    arena_fini(&arena);
    return r == -EBADMSG ? damaged(replay, "record %llu: not a genesis", N(genesis)) : r;
}

int replay_go_on(struct replay *replay, uint64_t size, uint64_t genesis, uint64_t received_at_ms) {
    int r;

    if (size == 0)
        return 0;
    r = go_on_from(replay, 0);
    replay->first_ledger_id = replay->ledger_id;
    if (r == 0 && genesis > 0)
        r = go_on_from(replay, genesis);
    if (r == 0)
        r = runs_range(replay->read, size, &replay->range);
    if (r == -EUCLEAN && !*replay->why)
        r = damaged(replay, "the tree of the first %llu records cannot be read", N(size));
    replay->received_at_ms = received_at_ms;
    return r;
}
