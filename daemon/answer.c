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

static int prove_range(struct store_read *read, uint64_t begin, uint64_t end, struct arena *arena,
                       ProtobufCBinaryData **ret, size_t *ret_n) {
    struct merkle_range range;
    int r = merkle_prove_range(runs_lookup, read, begin, end, &range);

    return r < 0 ? r : answer_hashes(arena, range.hashes, range.n_hashes, ret, ret_n);
}

/* The accounts of a reversal are those of its target, the other way round. */
static int find_sides(struct bank *bank, struct arena *arena, const Timebank__Order *order,
                      const char **ret_from, const char **ret_to) {
    const ProtobufCBinaryData *target;
    const struct state_id *id;
    Timebank__Order *original;
    uint64_t received_at_ms;
    int r = 0;

    *ret_from = order->from;
    *ret_to = order->to;
    if (order->kind_case != TIMEBANK__ORDER__KIND_REVERSE)
        return 0;
    target = &order->reverse->target;
    id = state_get(bank_state(bank), STATE_IDS, target->data, target->len, &r);
    if (!id)
        return r < 0 ? r : -EUCLEAN;
    r = state_order(bank_state(bank), id->entry, arena, &original, &received_at_ms);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    *ret_from = original->to;
    *ret_to = original->from;
    return 0;
}

static int readable(struct bank *bank, const struct reply *reply, struct arena *arena,
                    const struct run *run, uint32_t place, uint8_t flags, uint8_t *ret) {
    Timebank__Order *order;
    const char *from = NULL, *to = NULL;
    size_t n;
    const uint8_t *record;
    int r;

    *ret = flags;
    if (access_is_broker(&reply->who) || flags == 0)
        return 0;
    record = run_record(run, place + 1, &n);
    r = record_order_decode(record + 1, n - 1, arena, &order);
    if (r == 0)
        r = find_sides(bank, arena, order, &from, &to);
    if (r < 0)
        return r;
    *ret = (uint8_t)((access_may_read(&reply->who, from) ? flags & 1 : 0) |
                     (access_may_read(&reply->who, to) ? flags & 2 : 0));
    return 0;
}

static int put_balances(struct bank *bank, const struct reply *reply, struct store_read *read,
                        struct arena *arena, const struct run *run, Timebank__Answer *answer) {
    uint32_t n = run->n - 1;
    struct store_value after;
    uint8_t key[8];
    int r;

    be64_put(key, run->first);
    r = store_get(read, RUNS_AFTER, key, sizeof(key), &after);
    if (r <= 0 || after.n != (size_t)n * RUNS_AFTER_BYTES)
        return r < 0 ? r : -EUCLEAN;
    answer->readable.data = arena_alloc(arena, n);
    answer->from_after = arena_alloc(arena, n * sizeof(*answer->from_after));
    answer->to_after = arena_alloc(arena, n * sizeof(*answer->to_after));
    if (!answer->readable.data || !answer->from_after || !answer->to_after)
        return -ENOMEM;
    answer->readable.len = answer->n_from_after = answer->n_to_after = n;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *bits = &answer->readable.data[i];
        struct run_after row;
        r = run_after_unpack(after, i, &row);
        if (r == 0)
            r = readable(bank, reply, arena, run, i, row.flags & (AFTER_FROM | AFTER_TO), bits);
        if (r < 0)
            return r;
        answer->from_after[i] = *bits & AFTER_FROM ? row.from_after : 0;
        answer->to_after[i] = *bits & AFTER_TO ? row.to_after : 0;
    }
    return 0;
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
    struct store_read *read;
    struct run run;
    int r = log_read(bank->log, &read);

    if (r == 0)
        r = runs_find(read, reply->seal, &run);
    if (r <= 0 || run.first != reply->seal)
        return r < 0 ? r : -EUCLEAN;
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
        r = prove_range(read, 0, run.first, arena, &ret_answer->left, &ret_answer->n_left);
    if (r == 0)
        r = prove_range(read, run.first + run.n, log_head(bank->log)->size, arena,
                        &ret_answer->right, &ret_answer->n_right);
    return r;
}
