/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a statement is proven complete by: how an account stood at the last state record, the head
 * that is published, and the hashes that lead from records that somebody holds to a head. Hashes
 * tell nothing of anybody, so they are for everybody.
 */
#include <errno.h>
#include <string.h>

#include "answer.h"
#include "handlers.h"

#define LEAVES_MAX 1024u

static int copy(struct call *call, const void *data, size_t n, ProtobufCBinaryData *ret) {
    ret->data = arena_alloc(call->arena, n);
    if (!ret->data)
        return -ENOMEM;
    memcpy(ret->data, data, n);
    ret->len = n;
    return 0;
}

/* Leaf, path and record of one moment: the state record that was made for it, or found. */
static int set_state(struct call *call, const struct state_account *account, uint64_t index,
                     const struct hash *path, size_t n_path) {
    _cleanup_bytes_ struct bytes record = {0};
    Timebank__AccountState *state = arena_alloc(call->arena, sizeof(*state));
    uint8_t leaf[ACCOUNT_LEAF_MAX];
    int r = log_record(call->bank->log, index, &record);

    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    if (!state)
        return -ENOMEM;
    timebank__account_state__init(state);
    state->covers = index;
    r = copy(call, leaf, account_tree_pack_leaf(account, leaf), &state->leaf);
    if (r == 0)
        r = copy(call, record.data, record.n, &state->record);
    if (r == 0)
        r = answer_hashes(call->arena, path, n_path, &state->path, &state->n_path);
    call->response->account_state = state;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_ACCOUNT_STATE;
    return r;
}

int handle_state(struct call *call) {
    const char *code = call->request->account_state->code;
    struct bank *bank = call->bank;
    struct hash path[MERKLE_PATH_MAX + 1];
    const struct state_account *account;
    uint64_t index;
    size_t n;
    int r;

    if (!call_may_read(call, code))
        return call_refuse(call, REFUSAL_NO_AUTHORITY,
                           "This key may read its own statement only, and those it has a mandate "
                           "for: ask a broker.");
    account = state_account(bank_state(bank), code);
    if (!account)
        return call_refuse(call, REFUSAL_NO_SUCH_ACCOUNT, NULL);
    r = log_account_state(bank->log, account, bank_state_time(bank), &index, path, &n);
    if (r > 0)
        return call_refuse(call, r, NULL);
    return r < 0 ? r : set_state(call, account, index, path, n);
}

/* ---- the tree between leaves that the asker holds */

struct gap {
    uint64_t begin;
    uint64_t end;
};

/* The i-th gap of n_leaves + 1; false where the leaves do not ascend within [begin, end). */
static bool gap_of(const Timebank__AskRanges *ask, size_t i, struct gap *ret) {
    uint64_t begin = i == 0 ? ask->begin : ask->leaves[i - 1] + 1;
    uint64_t end = i == ask->n_leaves ? ask->end : ask->leaves[i];

    *ret = (struct gap){.begin = begin, .end = end};
    return begin <= end && end <= ask->end && (i == ask->n_leaves || end < ask->end);
}

/* How many hashes it takes, or -EINVAL. */
static int64_t count_hashes(const Timebank__AskRanges *ask) {
    int64_t n = 0;

    for (size_t i = 0; i <= ask->n_leaves; i++) {
        struct gap gap;
        if (!gap_of(ask, i, &gap))
            return -EINVAL;
        n += (int64_t)merkle_range_shape(gap.begin, gap.end, NULL);
    }
    return n;
}

static int read_gaps(struct call *call, const Timebank__AskRanges *ask, uint8_t *to) {
    struct store_read *read;
    int r = log_read(call->bank->log, &read);

    for (size_t i = 0; r == 0 && i <= ask->n_leaves; i++) {
        struct merkle_range range;
        struct gap gap;
        if (!gap_of(ask, i, &gap))
            return -EINVAL;
        r = runs_range_between(read, gap.begin, gap.end, &range);
        for (size_t j = 0; r == 0 && j < range.n_hashes; j++, to += HASH_BYTES)
            memcpy(to, range.hashes[j].b, HASH_BYTES);
    }
    return r;
}

int handle_state_ranges(struct call *call) {
    const Timebank__AskRanges *ask = call->request->ranges;
    Timebank__Hashes *hashes = arena_alloc(call->arena, sizeof(*hashes));
    int64_t n;

    if (ask->n_leaves > LEAVES_MAX)
        return call_refuse(call, REFUSAL_BAD_REQUEST, NULL);
    if (ask->end > log_head(call->bank->log)->size)
        return call_refuse(call, REFUSAL_NO_SUCH_POSITION, NULL);
    n = count_hashes(ask);
    if (n < 0)
        return call_refuse(call, REFUSAL_BAD_REQUEST, NULL);
    if (!hashes)
        return -ENOMEM;
    timebank__hashes__init(hashes);
    hashes->hashes.len = (size_t)n * HASH_BYTES;
    hashes->hashes.data = arena_alloc(call->arena, hashes->hashes.len + 1);
    if (!hashes->hashes.data)
        return -ENOMEM;
    call->response->ranges = hashes;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_RANGES;
    return read_gaps(call, ask, hashes->hashes.data);
}

int handle_state_published(struct call *call) {
    Timebank__Published *published = arena_alloc(call->arena, sizeof(*published));
    uint64_t size;
    size_t n;
    const char *checkpoint = log_published(call->bank->log, &size, &n);

    if (!checkpoint)
        return call_refuse(call, REFUSAL_TRY_LATER, NULL);
    if (!published)
        return -ENOMEM;
    timebank__published__init(published);
    published->size = size;
    call->response->published = published;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_PUBLISHED;
    return copy(call, checkpoint, n, &published->checkpoint);
}
