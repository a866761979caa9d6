/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding and judging of one batch. */
#include "judging.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

#define ARENA_BYTES (64u * 1024 * 1024)

/* Lists of one element an order, laid end to end in one allocation: the widest alignment first. */
static int make_lists(struct judging *judging, size_t n) {
    struct ledger_batch *batch = &judging->batch;
    size_t n_bytes = sizeof(*batch->orders) + sizeof(*batch->effects) + sizeof(*batch->already) +
                     sizeof(*judging->bodies) + sizeof(*judging->bars) + sizeof(*judging->leaves);

    judging->lists = calloc(n, n_bytes);
    if (!judging->lists)
        return -ENOMEM;
    batch->orders = (void *)judging->lists;
    batch->effects = (void *)(batch->orders + n);
    batch->already = (void *)(batch->effects + n);
    judging->bodies = (void *)(batch->already + n);
    judging->bars = (void *)(judging->bodies + n);
    judging->leaves = (void *)(judging->bars + n);
    return 0;
}

int judging_new(struct judging **ret_judging, size_t n_orders) {
    _cleanup_(judging_freep) struct judging *judging = calloc(1, sizeof(*judging));
    int r = judging ? make_lists(judging, n_orders) : -ENOMEM;

    if (r < 0)
        return r;
    arena_init(&judging->arena, ARENA_BYTES);
    judging->batch.n = n_orders;
    judging->batch.leaves = judging->leaves;
    judging->batch.bars = judging->bars;
    judging->batch.author = &judging->author;
    judging->batch.arena = &judging->arena;
    *ret_judging = TAKE(judging);
    return 0;
}

struct judging *judging_free(struct judging *judging) {
    if (!judging)
        return NULL;
    judging_take_back(judging);
    ledger_batch_fini(&judging->batch);
    arena_fini(&judging->arena);
    free(judging->lists);
    free(judging);
    return NULL;
}

void judging_set(struct judging *judging, size_t i, const uint8_t *body, size_t n) {
    assert(i < judging->batch.n);
    judging->bodies[i] = (struct iovec){(void *)(uintptr_t)body, n};
}

void judging_hash(struct judging *judging) {
    if (!judging->is_hashed)
        merkle_leaves_of_kind(RECORD_ORDER, judging->bodies, judging->batch.n, judging->leaves);
    judging->is_hashed = true;
}

void judging_set_leaves(struct judging *judging, const struct hash *leaves) {
    memcpy(judging->leaves, leaves, judging->batch.n * sizeof(*leaves));
    judging->is_hashed = true;
}

struct hash judging_root(struct judging *judging) {
    judging_hash(judging);
    return merkle_root(judging->leaves, judging->batch.n);
}

int judging_decode(struct judging *judging) {
    struct ledger_batch *batch = &judging->batch;

    if (judging->is_decoded)
        return 0;
    for (size_t i = 0; i < batch->n; i++) {
        int r = -EBADMSG;
        if (judging->bodies[i].iov_len < RECORD_MAX)
            r = record_order_decode(judging->bodies[i].iov_base, judging->bodies[i].iov_len,
                                    &judging->arena, &batch->orders[i]);
        if (r == -EBADMSG)
            r = ledger_refuse(batch, i, REFUSAL_NOT_CANONICAL, "", NULL);
        if (r < 0)
            return r;
    }
    judging->is_decoded = true;
    return 0;
}

void judging_bar(struct judging *judging, size_t i, struct ledger_bar bar) {
    assert(i < judging->batch.n && bar.refusal > 0);
    if (judging->bars[i].refusal == 0)
        judging->bars[i] = bar;
}

int judging_run(struct judging *judging, struct state *below, uint64_t seal,
                const struct batch_header *header, uint64_t received_at_ms) {
    int r;

    judging_hash(judging);
    if (below->below) {
        judging->state = state_new_above(below);
        if (!judging->state)
            return -ENOMEM;
    } else {
        state_begin(below);
        judging->state = below;
    }
    judging->batch.received_at_ms = received_at_ms;
    judging->batch.first = seal + 1;
    r = ledger_author(judging->state, header->author, &judging->author);
    if (r == 0)
        r = ledger_seal(judging->state, header, received_at_ms);
    if (r == 0)
        r = judging_decode(judging);
    return r == 0 ? ledger_judge(judging->state, &judging->batch) : r;
}

int judging_keep(struct judging *judging) {
    struct state *state = TAKE(judging->state);

    return state->below ? state_merge(state) : state_keep(state);
}

void judging_take_back(struct judging *judging) {
    struct state *state = TAKE(judging->state);

    if (state && state->below)
        state_free(state);
    else if (state)
        state_roll_back(state);
}

void judging_pack_effects(const struct ledger_effect *effects, size_t n, uint64_t index,
                          struct bytes *to) {
    size_t begin = runs_after_begin(to, (uint32_t)n);

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < effects[i].n_legs; j++) {
            const struct ledger_leg *leg = &effects[i].legs[j];
            run_leg_pack(&(struct run_leg){.account = leg->account,
                                           .moved = leg->moved,
                                           .side = leg->side,
                                           .minutes = leg->minutes,
                                           .after = leg->after,
                                           .held_after = leg->held_after,
                                           .previous = leg->previous},
                         index + i, to);
        }
        runs_after_end(to, begin, (uint32_t)i);
    }
}

void judging_pack_after(const struct judging *judging, struct bytes *to) {
    judging_pack_effects(judging->batch.effects, judging->batch.n, judging->batch.first, to);
}
