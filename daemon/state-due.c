/* SPDX-License-Identifier: Apache-2.0 */
/* What will fall due: a binary heap by time, then by key. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "state-private.h"

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

/* One that was over, or due at another time, may be there from before: each is there once. */
static bool has_due(const struct state *state, uint64_t due_ms, uint64_t key) {
    for (size_t i = 0; i < state->n_dues; i++)
        if (state->dues[i].key == key && state->dues[i].due_ms == (due_ms ? due_ms : UINT64_MAX))
            return true;
    return false;
}

static bool is_moved(const struct state_pending *before, const struct state_pending *pending) {
    return !before || before->is_over || before->due_ms != pending->due_ms;
}

int state_due_note(struct state *state, uint64_t key, const struct state_pending *before,
                   const struct state_pending *pending) {
    if (pending->is_over || !is_moved(before, pending) ||
        (before && has_due(state, pending->due_ms, key)))
        return 0;
    return state_due_add(state, pending->due_ms, key);
}

/* Those that the journal holds are in no heap yet, unless they stand where they stood. */
static int each_noted(struct state *state, int (*each)(void *user, uint64_t key), void *user) {
    int r = 0;

    for (const struct state_undo *undo = state->journal.last_pending; undo && r == 0;
         undo = undo->before_pending) {
        const struct state_pending *pending = (const void *)undo->row->value;
        const struct state_pending *before = undo->is_new ? NULL : (const void *)undo->value;
        uint64_t key = be64_get(undo->row->key);
        if (!pending->is_over && is_moved(before, pending) &&
            !(before && has_due(state, pending->due_ms, key)))
            r = each(user, key);
    }
    return r;
}

int state_due_each(struct state *state, int (*each)(void *user, uint64_t key), void *user) {
    int r = 0;

    while (state->below)
        state = state->below;
    for (size_t i = 0; r == 0 && i < state->n_dues; i++)
        if (due_pending(state, &state->dues[i], &r))
            r = each(user, state->dues[i].key);
    return r == 0 ? each_noted(state, each, user) : r;
}
