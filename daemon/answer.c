/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to a batch, made from what is durable, so that a retry years later gets the same
 * numbers, time and balances as the first: only the head, and so the proof, may be a later one.
 */
#include "answer.h"

#include <errno.h>
#include <string.h>

#include "access.h"

int answer_hashes(struct arena *arena, const struct hash *hashes, size_t n,
                  ProtobufCBinaryData **ret, size_t *ret_n) {
    ProtobufCBinaryData *list = arena_alloc(arena, (n + 1) * sizeof(*list));
    uint8_t *bytes = arena_alloc(arena, (n + 1) * HASH_BYTES);

    if (!list || !bytes)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        list[i].data = memcpy(bytes + i * HASH_BYTES, hashes[i].b, HASH_BYTES);
        list[i].len = HASH_BYTES;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

static int prove_range(struct nodes_source *source, uint64_t begin, uint64_t end,
                       struct arena *arena, ProtobufCBinaryData **ret, size_t *ret_n) {
    struct merkle_range range;
    int r = merkle_prove_range(nodes_lookup, source, begin, end, &range);

    return r < 0 ? r : answer_hashes(arena, range.hashes, range.n_hashes, ret, ret_n);
}

/* ---- balances: of an order's from and to in their own lists, of any other account by its code */

int answer_balances_begin(struct answer_balances *balances, struct bank *bank, struct arena *arena,
                          size_t n, Timebank__Answer *answer) {
    *balances = (struct answer_balances){.bank = bank, .arena = arena, .answer = answer};
    answer->readable.data = arena_alloc(arena, n);
    answer->from_after = arena_alloc(arena, n * sizeof(*answer->from_after));
    answer->to_after = arena_alloc(arena, n * sizeof(*answer->to_after));
    if (!answer->readable.data || !answer->from_after || !answer->to_after)
        return -ENOMEM;
    memset(answer->readable.data, 0, n);
    memset(answer->from_after, 0, n * sizeof(*answer->from_after));
    memset(answer->to_after, 0, n * sizeof(*answer->to_after));
    answer->readable.len = answer->n_from_after = answer->n_to_after = n;
    return 0;
}

/* One more element in the arena; the lists double. */
static void *grow(struct arena *arena, const void *list, size_t n, size_t n_element) {
    void *grown;

    if (n != 0 && (n & (n - 1)) != 0)
        return (void *)(uintptr_t)list;
    grown = arena_alloc(arena, (n ? n * 2 : 1) * n_element);
    if (grown && n > 0)
        memcpy(grown, list, n * n_element);
    return grown;
}

static int put_other(struct answer_balances *balances, uint32_t place, const char *code,
                     int64_t after) {
    Timebank__Answer *answer = balances->answer;
    size_t n = answer->n_other_place, n_code = strlen(code) + 1;
    char *copy = arena_alloc(balances->arena, n_code);

    answer->other_place =
        grow(balances->arena, answer->other_place, n, sizeof(*answer->other_place));
    answer->other_code = grow(balances->arena, answer->other_code, n, sizeof(char *));
    answer->other_after =
        grow(balances->arena, answer->other_after, n, sizeof(*answer->other_after));
    if (!copy || !answer->other_place || !answer->other_code || !answer->other_after)
        return -ENOMEM;
    answer->other_place[n] = place;
    answer->other_code[n] = memcpy(copy, code, n_code);
    answer->other_after[n] = after;
    answer->n_other_place = answer->n_other_code = answer->n_other_after = n + 1;
    return 0;
}

int answer_balances_put(struct answer_balances *balances, const struct ledger_author *who,
                        uint32_t place, uint8_t side, const char *code, int64_t after) {
    Timebank__Answer *answer = balances->answer;

    if (!access_may_read(bank_state(balances->bank), bank_today(balances->bank), who, code))
        return 0;
    if (side == LEG_OTHER)
        return put_other(balances, place, code, after);
    answer->readable.data[place] |= side;
    *(side == LEG_FROM ? &answer->from_after[place] : &answer->to_after[place]) = after;
    return 0;
}

static int put_balances_of(struct bank *bank, const struct reply *reply,
                           struct answer_balances *balances, const struct run *run,
                           struct store_value after, uint32_t place) {
    const struct state *state = bank_state(bank);
    struct run_leg leg;
    size_t at = 0;
    int r;

    while ((r = runs_after_next(after, place, run->first + 1 + place, &at, &leg)) > 0) {
        if (!leg.moved)
            continue;
        if (leg.account >= state->sums.n_accounts || leg.side > LEG_TO)
            return -EUCLEAN;
        r = answer_balances_put(balances, &reply->who, place, leg.side,
                                state->accounts[leg.account]->code, leg.after);
        if (r < 0)
            return r;
    }
    return r;
}

static int put_balances(struct bank *bank, const struct reply *reply, struct store_read *read,
                        struct arena *arena, const struct run *run, Timebank__Answer *answer) {
    struct answer_balances balances;
    struct store_value after;
    uint8_t key[8];
    uint32_t n = 0;
    int r;

    be64_put(key, run->first);
    r = store_get(read, RUNS_AFTER, key, sizeof(key), &after);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    r = runs_after_count(after, &n);
    if (r < 0 || n != run->n - 1)
        return -EUCLEAN;
    r = answer_balances_begin(&balances, bank, arena, n, answer);
    for (uint32_t i = 0; r == 0 && i < n; i++)
        r = put_balances_of(bank, reply, &balances, run, after, i);
    return r;
}

static int put_entries(struct arena *arena, const struct run *run, Timebank__Answer *answer) {
    struct record_seal seal;
    size_t n;
    const uint8_t *record = run_record(run, 0, &n);
    int r = record_seal_unpack(record, n, &seal);

    if (r < 0)
        return -EUCLEAN;
    answer->seal = run->first;
    answer->received_at_ms = seal.received_at_ms;
    answer->n_entries = run->n - 1;
    answer->entries = arena_alloc(arena, answer->n_entries * sizeof(*answer->entries));
    if (!answer->entries)
        return -ENOMEM;
    for (size_t i = 0; i < answer->n_entries; i++)
        answer->entries[i] = run->first + 1 + i;
    return 0;
}

int answer_make(struct bank *bank, const struct reply *reply, struct arena *arena,
                Timebank__Answer *ret_answer) {
    Timebank__Answer *warnings;
    struct nodes_source source = {.nodes = &bank->nodes};
    struct store_read *read;
    struct run run;
    int r = log_read(bank->log, &read);

    if (r == 0)
        r = runs_find(read, reply->seal, &run);
    if (r <= 0 || run.first != reply->seal)
        return r < 0 ? r : -EUCLEAN;
    source.read = read;
    if (reply->warnings.n > 0) {
        warnings =
            timebank__answer__unpack(&arena->allocator, reply->warnings.n, reply->warnings.data);
        if (!warnings)
            return -ENOMEM;
        ret_answer->warnings = warnings->warnings;
        ret_answer->n_warnings = warnings->n_warnings;
    }
    ret_answer->already = reply->is_already;
    r = put_entries(arena, &run, ret_answer);
    if (r == 0)
        r = put_balances(bank, reply, read, arena, &run, ret_answer);
    if (r == 0)
        r = prove_range(&source, 0, run.first, arena, &ret_answer->left, &ret_answer->n_left);
    if (r == 0)
        r = prove_range(&source, run.first + run.n, log_head(bank->log)->size, arena,
                        &ret_answer->right, &ret_answer->n_right);
    return r;
}
