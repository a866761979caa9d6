/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receipt of one entry: record, seal, and their proofs, all under one head. Who may have it is
 * decided when it is asked for; the paths are made under the head that the reply carries.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "entry-read.h"
#include "handlers.h"

#define PROOFS_BYTES 16384u /* all of a receipt but the record, generously */

static int refuse_reader(struct call *call) {
    return call_refuse(call, REFUSAL_NO_AUTHORITY,
                       "This key may have receipts of entries of its own account only: ask a "
                       "broker.");
}

/* An event was signed by nobody: whoever wants it proven has the order that it follows from. */
static int refuse_event(struct call *call, const struct bytes *record) {
    struct entry_read_event event;
    ProtobufCBinaryData bytes;
    Timebank__Order *order;
    char message[160];
    int r = entry_read_event(call, record, &event);

    if (r == 0)
        r = entry_read_order(call, event.follows, &bytes, &order);
    if (r == 0)
        r = entry_read_check_rights(call, call->request->receipt->number, order);
    if (r < 0)
        return r;
    snprintf(message, sizeof(message),
             "Nobody signed this, it fell due by itself: ask for the receipt of entry %" PRIu64
             ", from which it follows.",
             event.follows);
    return r > 0 ? refuse_reader(call) : call_refuse(call, REFUSAL_NO_SUCH_ENTRY, message);
}

static int check_order(struct call *call, uint64_t number) {
    ProtobufCBinaryData bytes;
    Timebank__Order *order;
    int r = entry_read_order(call, number, &bytes, &order);

    return r < 0 ? r : entry_read_check_rights(call, number, order);
}

static int copy(struct arena *arena, const void *data, size_t n, ProtobufCBinaryData *ret) {
    ret->data = arena_alloc(arena, n);
    if (!ret->data)
        return -ENOMEM;
    memcpy(ret->data, data, n);
    ret->len = n;
    return 0;
}

static int put_path(struct store_read *read, uint64_t index, uint64_t size, struct arena *arena,
                    ProtobufCBinaryData **ret, size_t *ret_n) {
    struct hash path[MERKLE_PATH_MAX + 1];
    size_t n;
    int r = merkle_prove_inclusion(runs_lookup, read, index, size, path, &n);

    return r < 0 ? r : answer_hashes(arena, path, n, ret, ret_n);
}

/* A merkle_lookup over the orders of a batch. */
static int lookup_in_batch(void *user, unsigned level, uint64_t index, struct hash *ret) {
    const struct run *run = user;
    struct merkle_range range;

    merkle_range_init(&range, 0);
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        struct hash leaf = run_leaf(run, (uint32_t)i + 1); /* the seal stands before them */
        merkle_range_append(&range, &leaf, NULL, NULL);
    }
    *ret = merkle_range_root(&range);
    return 0;
}

static int put_batch_path(struct run *run, uint64_t number, struct arena *arena,
                          Timebank__Receipt *receipt) {
    struct hash path[MERKLE_PATH_MAX + 1];
    size_t n;
    int r = merkle_prove_inclusion(lookup_in_batch, run, number - run->first - 1, run->n - 1u, path,
                                   &n);

    return r < 0 ? r : answer_hashes(arena, path, n, &receipt->batch_path, &receipt->n_batch_path);
}

static int put_records(struct run *run, uint64_t number, struct arena *arena,
                       Timebank__Receipt *receipt) {
    size_t n;
    const uint8_t *record = run_record(run, 0, &n);
    int r = record[0] == RECORD_SEAL ? copy(arena, record, n, &receipt->seal_record) : -EUCLEAN;

    if (r < 0)
        return r;
    record = run_record(run, (uint32_t)(number - run->first), &n);
    receipt->seal = run->first;
    receipt->number = number;
    return copy(arena, record, n, &receipt->record);
}

/* Older heads are kept by whoever was shown them, not here. */
static int put_checkpoint(struct bank *bank, struct arena *arena, Timebank__Receipt *receipt) {
    const struct note_head *head = log_head(bank->log);
    uint64_t published_size = 0;
    size_t n = 0, n_published = 0;
    const char *text = log_checkpoint(bank->log, &n);
    const char *published = log_published(bank->log, &published_size, &n_published);

    if (receipt->size == head->size)
        return copy(arena, text, n, &receipt->checkpoint);
    if (published && receipt->size == published_size)
        return copy(arena, published, n_published, &receipt->checkpoint);
    return 0;
}

/* One link: the record, and its path behind those of the links before. */
static int put_link(struct store_read *read, uint64_t index, size_t place, struct arena *arena,
                    Timebank__Receipt *receipt) {
    ProtobufCBinaryData *path;
    struct run run;
    size_t n, n_path = 0;
    const uint8_t *record;
    int r = runs_find(read, index, &run);

    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    record = run_record(&run, (uint32_t)(index - run.first), &n);
    r = copy(arena, record, n, &receipt->chain_record[place]);
    if (r == 0)
        r = put_path(read, index, receipt->size, arena, &path, &n_path);
    if (r < 0)
        return r;
    receipt->chain[place] = index;
    receipt->chain_n_path[place] = (uint32_t)n_path;
    memcpy(receipt->chain_path + receipt->n_chain_path, path, n_path * sizeof(*path));
    receipt->n_chain_path += n_path;
    return 0;
}

/* Whoever knows the ledger by an earlier key than the one that signs this head follows by these; of
 * an entry from before a restore, from the genesis that it was signed under. */
static size_t find_links(struct bank *bank, const Timebank__Receipt *receipt,
                         uint64_t ret[2 * ROTATION_KEYS_MAX]) {
    struct state_chain chain;
    size_t n = state_chain_geneses(bank_state(bank), receipt->seal, ret) - 1;

    state_chain_read(bank_state(bank), &chain);
    for (size_t i = 0; i < chain.n && chain.keys[i].record < receipt->size; i++)
        ret[n++] = chain.keys[i].record;
    return n;
}

static int put_chain(struct bank *bank, struct store_read *read, struct arena *arena,
                     Timebank__Receipt *receipt) {
    uint64_t links[2 * ROTATION_KEYS_MAX];
    size_t n = find_links(bank, receipt, links);
    int r = 0;

    if (n < 2 || links[n - 1] >= receipt->size)
        return 0;
    receipt->chain = arena_alloc(arena, n * sizeof(*receipt->chain));
    receipt->chain_record = arena_alloc(arena, n * sizeof(*receipt->chain_record));
    receipt->chain_n_path = arena_alloc(arena, n * sizeof(*receipt->chain_n_path));
    receipt->chain_path = arena_alloc(arena, n * MERKLE_PATH_MAX * sizeof(*receipt->chain_path));
    if (!receipt->chain || !receipt->chain_record || !receipt->chain_n_path || !receipt->chain_path)
        return -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++)
        r = put_link(read, links[i], i, arena, receipt);
    receipt->n_chain = receipt->n_chain_record = receipt->n_chain_n_path = n;
    return r;
}

static int complete(struct bank *bank, const struct reply *reply, struct arena *arena,
                    Timebank__Response *response) {
    Timebank__Receipt *receipt = arena_alloc(arena, sizeof(*receipt));
    uint64_t number = reply->subject;
    struct store_read *read;
    struct run run;
    int r = log_read(bank->log, &read);

    if (r == 0)
        r = runs_find(read, number, &run);
    if (r <= 0 || !receipt)
        return r < 0 ? r : !receipt ? -ENOMEM : -EUCLEAN;
    timebank__receipt__init(receipt);
    receipt->size = reply->subject_size ? reply->subject_size : log_head(bank->log)->size;
    r = put_records(&run, number, arena, receipt);
    if (r == 0)
        r = put_path(read, number, receipt->size, arena, &receipt->path, &receipt->n_path);
    if (r == 0)
        r = put_path(read, run.first, receipt->size, arena, &receipt->seal_path,
                     &receipt->n_seal_path);
    if (r == 0)
        r = put_batch_path(&run, number, arena, receipt);
    if (r == 0)
        r = put_checkpoint(bank, arena, receipt);
    if (r == 0)
        r = put_chain(bank, read, arena, receipt);
    if (r < 0)
        return r;
    response->receipt = receipt;
    response->body_case = TIMEBANK__RESPONSE__BODY_RECEIPT;
    return 0;
}

int handle_receipt(struct call *call) {
    const Timebank__AskReceipt *ask = call->request->receipt;
    _cleanup_bytes_ struct bytes record = {0};
    int r = log_record(call->bank->log, ask->number, &record);

    if (r < 0)
        return r;
    if (r > 0 && record.data[0] == RECORD_EVENT)
        return refuse_event(call, &record);
    if (r == 0 || record.data[0] != RECORD_ORDER)
        return call_refuse(call, REFUSAL_NO_SUCH_ENTRY, NULL);
    r = check_order(call, ask->number);
    if (r < 0)
        return r;
    if (r > 0)
        return refuse_reader(call);
    if (ask->size > log_head(call->bank->log)->size)
        return call_refuse(call, REFUSAL_NO_SUCH_POSITION,
                           "The ledger has no head of that size: take a head of this ledger.");
    if (ask->size != 0 && ask->size <= ask->number)
        return call_refuse(call, REFUSAL_NO_SUCH_POSITION,
                           "That head is older than the entry: take a later one.");
    call->reply->subject = ask->number;
    call->reply->subject_size = ask->size;
    call->reply->n_expected = record.n + PROOFS_BYTES;
    call->reply->complete = complete;
    return 0;
}
