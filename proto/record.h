/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: what the log holds, one leaf each. The first byte is the kind (timebank-ledger(5),
 * RECORDS).
 */
#pragma once

#include "base/arena.h"
#include "batch.h"
#include "timebank.pb-c.h"

#define RECORD_MAX 32768

enum record_kind {
    RECORD_GENESIS = 0,
    RECORD_SEAL = 1,
    RECORD_ORDER = 2,
    RECORD_EVENT = 3,
    RECORD_STATE = 4,
};

#define RECORD_SEAL_BYTES 249
struct record_seal {
    uint8_t header[BATCH_HEADER_BYTES];
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    uint64_t received_at_ms;
};
void record_seal_pack(const struct record_seal *seal, uint8_t ret[RECORD_SEAL_BYTES]);
int record_seal_unpack(const uint8_t *record, size_t n, struct record_seal *ret) TB_MUST_CHECK;

#define RECORD_STATE_BYTES 57
struct record_state {
    uint64_t covers; /* records 0 to covers - 1; the record's own index */
    uint64_t n_accounts;
    struct hash root;
    uint64_t ledger_time_ms;
};
void record_state_pack(const struct record_state *state, uint8_t ret[RECORD_STATE_BYTES]);
int record_state_unpack(const uint8_t *record, size_t n, struct record_state *ret) TB_MUST_CHECK;

/* The bank's own accounts, which genesis opens in this order. */
struct record_bank_account {
    const char *code;
    Timebank__AccountKind kind;
};
#define RECORD_BANK_ACCOUNTS 8
extern const struct record_bank_account record_bank_accounts[RECORD_BANK_ACCOUNTS];

/* The set of measures that a report is of, as the order to release one names it. */
#define RECORD_REPORT_DEFINITION "timebank-measures/1"
/* A voucher's claims, as an order to redeem it carries them. */
#define RECORD_CLAIMS_BYTES 22
/* How long a field of bytes in a kind's message is where it is not empty. */
size_t record_member_bytes(const char *name);

/* Decode the body (without the kind byte) of an order, event or genesis, insisting on canonical
 * form: packing the result again gives the same bytes, no unknown field, no NUL and valid UTF-8 in
 * strings, id of 16 bytes, note, corrects, targets, quotes, claims, signatures and keys of their
 * lengths or empty, enums in range, a kind. The message lives in the arena. -EBADMSG not canonical,
 * -ENOMEM over the arena's cap. */
int record_order_decode(const uint8_t *body, size_t n, struct arena *arena,
                        Timebank__Order **ret) TB_MUST_CHECK;
int record_event_decode(const uint8_t *body, size_t n, struct arena *arena,
                        Timebank__Event **ret) TB_MUST_CHECK;
int record_genesis_decode(const uint8_t *body, size_t n, struct arena *arena,
                          Timebank__Genesis **ret) TB_MUST_CHECK;
/* Appends kind byte and canonical bytes. */
void record_order_encode(const Timebank__Order *order, struct bytes *to);
void record_event_encode(const Timebank__Event *event, struct bytes *to);
void record_genesis_encode(const Timebank__Genesis *genesis, struct bytes *to);

/* Name of a kind ("exchange"), of a field that differs between two orders (first in number order;
 * NULL when equal), whether the kind moves or counts hours. */
const char *record_kind_name(Timebank__Order__KindCase kind);      /* NULL: unknown */
Timebank__Order__KindCase record_kind_from_name(const char *name); /* 0: unknown */
int record_kind_counts(Timebank__Order__KindCase kind);
/* The id of the order that this one is about (a reversal's, a confirm's...), or NULL. */
const ProtobufCBinaryData *record_order_target(const Timebank__Order *order);
const char *record_order_difference(const Timebank__Order *a, const Timebank__Order *b);
