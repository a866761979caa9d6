/* SPDX-License-Identifier: Apache-2.0 */
/* What anyone may ask: how the bank does, and proofs that a record is in the log. */
#include <errno.h>
#include <string.h>

#include "answer.h"
#include "handlers.h"

/* A batch of one order: where that does not fit, nothing is written. */
#define SMALL_BATCH_BYTES 1024

static const char *why_read_only(struct bank *bank) {
    int r = bank_check_writable(bank, SMALL_BATCH_BYTES, 0);

    return r > 0   ? refusal_sentence(r)
           : r < 0 ? "The disk cannot be asked for its free space."
                   : NULL;
}

int handle_status(struct call *call) {
    struct bank *bank = call->bank;
    const struct state_sums *sums = &bank_state(bank)->sums;
    Timebank__Status *status = arena_alloc(call->arena, sizeof(*status));
    const char *why = why_read_only(bank);

    if (!status)
        return -ENOMEM;
    timebank__status__init(status);
    status->origin = call_copy(call, log_head(bank->log)->origin);
    status->version = call_copy(call, TIMEBANK_VERSION);
    status->verifier_key = call_copy(call, bank->verifier_key);
    status->read_only_why = call_copy(call, why ? why : "");
    if (!status->origin || !status->version || !status->verifier_key || !status->read_only_why)
        return -ENOMEM;
    status->accounts = sums->n_accounts;
    status->entries = sums->n_entries;
    status->uptime_s = (bank->monotonic_ms - bank->started_ms) / 1000;
    status->ledger_time_ms = sums->ledger_time_ms;
    status->read_only = why != NULL;
    status->connections = bank->n_connections;
    status->map_bytes = store_map_bytes(log_store(bank->log));
    status->map_used_bytes = store_map_used_bytes(log_store(bank->log));
    call->response->status = status;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_STATUS;
    return 0;
}

int handle_status_inclusion(struct call *call) {
    const Timebank__AskInclusion *ask = call->request->inclusion;
    const struct note_head *head = log_head(call->bank->log);
    uint64_t size = ask->size ? ask->size : head->size;
    Timebank__Inclusion *inclusion = arena_alloc(call->arena, sizeof(*inclusion));
    struct hash path[MERKLE_PATH_MAX + 1], leaf;
    struct store_read *read;
    size_t n = 0;
    int r;

    if (size > head->size || ask->index >= size)
        return call_refuse(call, REFUSAL_NO_SUCH_POSITION, NULL);
    r = log_read(call->bank->log, &read);
    if (r == 0)
        r = runs_lookup(read, 0, ask->index, &leaf);
    if (r == 0)
        r = merkle_prove_inclusion(runs_lookup, read, ask->index, size, path, &n);
    if (r < 0 || !inclusion)
        return r < 0 ? r : -ENOMEM;
    timebank__inclusion__init(inclusion);
    inclusion->index = ask->index;
    inclusion->size = size;
    inclusion->leaf_hash.data = arena_alloc(call->arena, HASH_BYTES);
    if (!inclusion->leaf_hash.data)
        return -ENOMEM;
    memcpy(inclusion->leaf_hash.data, leaf.b, HASH_BYTES);
    inclusion->leaf_hash.len = HASH_BYTES;
    call->response->inclusion = inclusion;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_INCLUSION;
    return answer_hashes(call->arena, path, n, &inclusion->path, &inclusion->n_path);
}
