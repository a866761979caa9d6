/* SPDX-License-Identifier: Apache-2.0 */
/* Of the rules nothing is said here: that takes a replay, which `timebankd check` and auditors do.
 */
#include "export-records.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BYTES (4u * 1024 * 1024)

void export_records_init(struct export_records *records, struct tile_roots *roots,
                         const struct note_verifier *verifier) {
    memset(records, 0, sizeof(*records));
    records->roots = roots;
    records->verifier = verifier;
    arena_init(&records->arena, ARENA_BYTES);
}

void export_records_fini(struct export_records *records) {
    arena_fini(&records->arena);
}

static int fail(struct export_records *records, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(struct export_records *records, const char *format, ...) {
    int n = snprintf(records->why, sizeof(records->why), "Record %" PRIu64 " ", records->index);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(records->why + n, sizeof(records->why) - (size_t)n, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

/* What decoding failed with: only a record can be at fault, or memory. */
static int unreadable(struct export_records *records, int r, const char *what) {
    return r == -ENOMEM ? r : fail(records, "is no %s as this ledger writes them.", what);
}

static void meet(struct export_records *records) {
    const struct note_verifier *last = rotation_chain_last(&records->chain);
    if (strcmp(last->name, records->verifier->name) == 0 &&
        memcmp(last->key, records->verifier->key, NOTE_KEY_BYTES) == 0)
        records->verifier_is_met = true;
}

/* The tree at an earlier size had this root? */
static int root_compare(struct export_records *records, uint64_t size, const uint8_t *wanted,
                        const char *what) {
    struct hash root;
    int r = tile_roots_at(records->roots, size, &root);
    if (r < 0) {
        snprintf(records->why, sizeof(records->why), "%s", records->roots->files->why);
        return r;
    }
    return memcmp(root.b, wanted, HASH_BYTES) == 0 ? 0 : fail(records, "%s", what);
}

static int genesis_take(struct export_records *records, const uint8_t *body, size_t n) {
    Timebank__Genesis *genesis = NULL;
    int r = record_genesis_decode(body, n, &records->arena, &genesis);
    if (r < 0)
        return unreadable(records, r, "genesis");
    if (genesis->old_size != records->index ||
        (records->index > 0 && genesis->old_root.len != HASH_BYTES))
        return fail(records, "is a genesis that does not say what it goes on from.");
    if (records->index > 0)
        r = root_compare(records, records->index, genesis->old_root.data,
                         "is a genesis that goes on from another history.");
    if (r == 0 &&
        (genesis->ledger_key.len != NOTE_KEY_BYTES ||
         rotation_chain_begin(&records->chain, genesis->origin, genesis->ledger_key.data) < 0))
        return fail(records, "is a genesis without a ledger's name and key.");
    if (r == 0)
        meet(records);
    return r;
}

static int pin_check(struct export_records *records) {
    const struct batch_header *batch = &records->batch;
    if (batch->pin_size == 0)
        return 0;
    if (batch->pin_size > records->index)
        return fail(records, "seals a batch whose author saw a head that came later.");
    return root_compare(records, batch->pin_size, batch->pin_root.b,
                        "seals a batch whose author saw another history.");
}

static int seal_take(struct export_records *records, const uint8_t *record, size_t n) {
    struct record_seal seal;
    struct batch_header *batch = &records->batch;
    int r = record_seal_unpack(record, n, &seal);
    if (r == 0)
        r = batch_header_unpack(seal.header, batch);
    if (r < 0)
        return unreadable(records, r, "seal");
    if (!hash_equal(&batch->ledger_id, &records->chain.ledger_id))
        return fail(records, "seals a batch of another ledger.");
    if (sshsig_verify(SSHSIG_BATCH, seal.header, sizeof(seal.header), batch->author,
                      seal.signature) < 0)
        return fail(records, "seals a batch that its author did not sign.");
    if (seal.received_at_ms < records->received_at_ms)
        return fail(records, "was received before the one before it.");
    if (batch->not_after_ms != 0 && seal.received_at_ms > batch->not_after_ms)
        return fail(records, "seals a batch that came too late.");
    records->received_at_ms = seal.received_at_ms;
    records->n_orders_left = batch->n_orders;
    records->n_batches++;
    merkle_range_init(&records->orders, 0);
    return pin_check(records);
}

static int rotation_take(struct export_records *records, const Timebank__RotateKey *message) {
    struct rotation rotation = {.ledger_id = records->chain.ledger_id};
    if (message->key.len != NOTE_KEY_BYTES || message->by_old.len != SSHSIG_SIGNATURE_BYTES ||
        message->by_new.len != SSHSIG_SIGNATURE_BYTES)
        return fail(records, "is no change of key as this ledger writes them.");
    memcpy(rotation.old_key, rotation_chain_last(&records->chain)->key, NOTE_KEY_BYTES);
    memcpy(rotation.new_key, message->key.data, NOTE_KEY_BYTES);
    if (rotation_check_new(&rotation, message->by_new.data) < 0 ||
        rotation_chain_add(&records->chain, message->key.data, message->by_old.data) < 0)
        return fail(records, "changes the ledger's key, and the keys did not both sign it.");
    meet(records);
    return 0;
}

static int order_take(struct export_records *records, const uint8_t *record, size_t n) {
    Timebank__Order *order = NULL;
    struct hash leaf = merkle_leaf(record, n);
    int r = record_order_decode(record + 1, n - 1, &records->arena, &order);
    if (r < 0)
        return unreadable(records, r, "order");
    merkle_range_append(&records->orders, &leaf, NULL, NULL);
    if (--records->n_orders_left == 0) {
        struct hash root = merkle_range_root(&records->orders);
        if (!hash_equal(&root, &records->batch.orders_root))
            return fail(records, "ends a batch whose orders are not those that were signed.");
    }
    if (order->kind_case == TIMEBANK__ORDER__KIND_ROTATE_KEY)
        return rotation_take(records, order->rotate_key);
    return 0;
}

static int event_take(struct export_records *records, const uint8_t *body, size_t n) {
    Timebank__Event *event = NULL;
    int r = record_event_decode(body, n, &records->arena, &event);
    return r < 0 ? unreadable(records, r, "event") : 0;
}

static int state_take(struct export_records *records, const uint8_t *record, size_t n) {
    struct record_state state;
    int r = record_state_unpack(record, n, &state);
    if (r < 0)
        return unreadable(records, r, "state record");
    return state.covers == records->index ? 0 : fail(records, "does not cover those before it.");
}

static int record_take(struct export_records *records, const uint8_t *record, size_t n) {
    uint8_t kind = record[0];
    if (records->index == 0 && kind != RECORD_GENESIS)
        return fail(records, "is no genesis.");
    if ((kind == RECORD_ORDER) != (records->n_orders_left > 0))
        return fail(records, kind == RECORD_ORDER ? "is an order under no seal."
                                                  : "stands in the middle of a batch.");
    switch (kind) {
    case RECORD_GENESIS:
        return genesis_take(records, record + 1, n - 1);
    case RECORD_SEAL:
        return seal_take(records, record, n);
    case RECORD_ORDER:
        return order_take(records, record, n);
    case RECORD_EVENT:
        return event_take(records, record + 1, n - 1);
    case RECORD_STATE:
        return state_take(records, record, n);
    default:
        return fail(records, "is of no known kind.");
    }
}

int export_records_take(struct export_records *records, const uint8_t *record, size_t n) {
    int r = record_take(records, record, n);
    arena_reset(&records->arena);
    records->index++;
    return r;
}

int export_records_end(struct export_records *records) {
    if (records->n_orders_left > 0)
        return fail(records, "is not there: the last batch is not whole.");
    if (!records->verifier_is_met) {
        snprintf(records->why, sizeof(records->why),
                 "The key that signs the head is none that the records name.");
        return -EBADMSG;
    }
    return 0;
}
