/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What falls due: which event follows from the state at a time, its record, and what it does. All
 * of it is decided by the records before, so a replay makes the same bytes; the daemon only says
 * when, and can only be late. What the event of each kind of pending does is its family's
 * (kinds.c).
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "proto/merkle.h"
#include "rules.h"

int ledger_due(struct state *lowest, uint64_t until_ms, struct state_due *ret) {
    struct state_due due;
    int r = state_due_first(lowest, &due);

    if (r <= 0 || due.due_ms > until_ms)
        return MIN_OF(r, 0);
    *ret = due;
    return 1;
}

static void write_record(const Timebank__Event *event, struct bytes *to, struct hash *ret_leaf) {
    size_t begin = to->n, n = timebank__event__get_packed_size(event);
    uint8_t *at = bytes_reserve(to, 1 + n);

    if (!at)
        return;
    at[0] = RECORD_EVENT;
    timebank__event__pack(event, at + 1);
    *ret_leaf = merkle_leaf(to->data + begin, 1 + n);
}

/* Orders read back, which may be of the largest kind, and all pledges of a member. */
#define ARENA_BYTES (64u * 1024 * 1024)

struct happening {
    struct arena arena;
    struct ledger_author nobody;
    struct ledger_batch batch;
    struct rule rule;
    struct state_pending *pending;
    const struct pending_kind *kind;
};

static int find_pending(struct happening *h, uint64_t entry) {
    uint8_t key[8];
    void *value;
    uint64_t received_at_ms;
    int r;

    be64_put(key, entry);
    r = state_edit(h->rule.state, STATE_PENDINGS, key, sizeof(key), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    h->pending = value;
    h->kind = kind_find_pending((enum state_pending_what)h->pending->what);
    if (!h->kind)
        return -EUCLEAN;
    r = rules_pending_order(&h->rule, entry, &h->rule.order, &received_at_ms);
    if (r < 0)
        return r;
    h->rule.kind = kind_find(h->rule.order->kind_case);
    return h->rule.kind ? 0 : -EUCLEAN;
}

int ledger_event(struct state *state, const struct state_due *due, struct arena *arena,
                 struct bytes *ret_record, struct hash *ret_leaf,
                 struct ledger_effect *ret_effect) {
    Timebank__Event event = TIMEBANK__EVENT__INIT;
    struct happening h = {0};
    int r;

    assert(state->journal.is_open);
    *ret_effect = (struct ledger_effect){0};
    arena_init(&h.arena, ARENA_BYTES);
    event.ledger_time_ms = MAX_OF(state->sums.ledger_time_ms, due->due_ms);
    h.batch = (struct ledger_batch){.author = &h.nobody,
                                    .received_at_ms = event.ledger_time_ms,
                                    .first = state->sums.size,
                                    .n = 1,
                                    .leaves = ret_leaf,
                                    .effects = ret_effect,
                                    .arena = arena};
    h.rule = (struct rule){.state = state,
                           .batch = &h.batch,
                           .index = state->sums.size,
                           .today = clock_day(event.ledger_time_ms),
                           .arena = &h.arena,
                           .is_settling = true,
                           .proposed = due->key};
    r = find_pending(&h, due->key);
    if (r == 0)
        r = h.kind->plan(&h.rule, h.pending, &event.kind, &event.minutes);
    if (r == 0) {
        h.rule.event = event.kind;
        event.follows.data = h.pending->id;
        event.follows.len = ORDER_ID_BYTES;
        write_record(&event, ret_record, ret_leaf);
        r = ret_record->r < 0 ? ret_record->r : h.kind->apply(&h.rule, h.pending);
    }
    if (r == 0)
        r = state_broken(state);
    if (r == 0)
        rules_legs_hash(ret_effect, ret_leaf, 1);
    ledger_batch_fini(&h.batch);
    arena_fini(&h.arena);
    assert(r <= 0); /* plan() foresees what the rules would refuse */
    state->sums.size++;
    state->sums.ledger_time_ms = event.ledger_time_ms;
    return r;
}
