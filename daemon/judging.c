/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding and judging of one batch. */
#include "judging.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "runs.h"

#define ARENA_BYTES (64u * 1024 * 1024)

int judging_new(struct judging **ret_judging, size_t n_orders) {
    _cleanup_(judging_freep) struct judging *judging = calloc(1, sizeof(*judging));

    if (!judging)
        return -ENOMEM;
    arena_init(&judging->arena, ARENA_BYTES);
    judging->batch.n = n_orders;
    judging->batch.orders = calloc(n_orders, sizeof(*judging->batch.orders));
    judging->batch.effects = calloc(n_orders, sizeof(*judging->batch.effects));
    judging->batch.already = calloc(n_orders, sizeof(*judging->batch.already));
    judging->leaves = calloc(n_orders, sizeof(*judging->leaves));
    judging->bodies = calloc(n_orders, sizeof(*judging->bodies));
    judging->n_bodies = calloc(n_orders, sizeof(*judging->n_bodies));
    judging->bars = calloc(n_orders, sizeof(*judging->bars));
    judging->batch.leaves = judging->leaves;
    judging->batch.bars = judging->bars;
    judging->batch.author = &judging->author;
    judging->batch.arena = &judging->arena;
    if (!judging->batch.orders || !judging->batch.effects || !judging->batch.already ||
        !judging->leaves || !judging->bars || !judging->bodies || !judging->n_bodies)
        return -ENOMEM;
    *ret_judging = TAKE(judging);
    return 0;
}

struct judging *judging_free(struct judging *judging) {
    if (!judging)
        return NULL;
    judging_take_back(judging);
    ledger_batch_fini(&judging->batch);
    arena_fini(&judging->arena);
    free(judging->batch.orders);
    free(judging->batch.effects);
    free(judging->batch.already);
    free(judging->leaves);
    free(judging->bars);
    free(judging->bodies);
    free(judging->n_bodies);
    free(judging);
    return NULL;
}

void judging_set(struct judging *judging, size_t i, const uint8_t *body, size_t n) {
    assert(i < judging->batch.n);
    judging->bodies[i] = body;
    judging->n_bodies[i] = n;
    judging->leaves[i] = merkle_leaf_of_kind(RECORD_ORDER, body, n);
}

struct hash judging_root(const struct judging *judging) {
    return merkle_root(judging->leaves, judging->batch.n);
}

int judging_decode(struct judging *judging) {
    struct ledger_batch *batch = &judging->batch;

    if (judging->is_decoded)
        return 0;
    for (size_t i = 0; i < batch->n; i++) {
        int r = -EBADMSG;
        if (judging->n_bodies[i] < RECORD_MAX)
            r = record_order_decode(judging->bodies[i], judging->n_bodies[i], &judging->arena,
                                    &batch->orders[i]);
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
    _cleanup_bytes_ struct bytes rows = {0};
    _cleanup_(freep) uint32_t *ends = calloc(n, sizeof(*ends));

    if (!ends) {
        to->r = -ENOMEM;
        return;
    }
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
                         index + i, &rows);
        }
        ends[i] = (uint32_t)rows.n;
    }
    runs_after_pack(&rows, ends, (uint32_t)n, to);
}

void judging_pack_after(const struct judging *judging, struct bytes *to) {
    judging_pack_effects(judging->batch.effects, judging->batch.n, judging->batch.first, to);
}
