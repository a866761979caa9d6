/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed layouts; the lengths of what an order or genesis holds, beyond its canonical form; and
 * what kinds of order there are. What an order means is the ledger's business.
 */
#include "record.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "canonical.h"
#include "order-plain.h"

static_assert(1 + BATCH_HEADER_BYTES + SSHSIG_SIGNATURE_BYTES + 8 == RECORD_SEAL_BYTES, "seal");
static_assert(1 + 8 + 8 + HASH_BYTES + 8 == RECORD_STATE_BYTES, "state");

void record_seal_pack(const struct record_seal *seal, uint8_t ret[RECORD_SEAL_BYTES]) {
    ret[0] = RECORD_SEAL;
    memcpy(ret + 1, seal->header, BATCH_HEADER_BYTES);
    memcpy(ret + 1 + BATCH_HEADER_BYTES, seal->signature, SSHSIG_SIGNATURE_BYTES);
    be64_put(ret + RECORD_SEAL_BYTES - 8, seal->received_at_ms);
}

int record_seal_unpack(const uint8_t *record, size_t n, struct record_seal *ret) {
    if (n != RECORD_SEAL_BYTES || record[0] != RECORD_SEAL)
        return -EBADMSG;
    memcpy(ret->header, record + 1, BATCH_HEADER_BYTES);
    memcpy(ret->signature, record + 1 + BATCH_HEADER_BYTES, SSHSIG_SIGNATURE_BYTES);
    ret->received_at_ms = be64_get(record + RECORD_SEAL_BYTES - 8);
    return 0;
}

void record_state_pack(const struct record_state *state, uint8_t ret[RECORD_STATE_BYTES]) {
    ret[0] = RECORD_STATE;
    be64_put(ret + 1, state->covers);
    be64_put(ret + 9, state->n_accounts);
    memcpy(ret + 17, state->root.b, HASH_BYTES);
    be64_put(ret + 17 + HASH_BYTES, state->ledger_time_ms);
}

int record_state_unpack(const uint8_t *record, size_t n, struct record_state *ret) {
    if (n != RECORD_STATE_BYTES || record[0] != RECORD_STATE)
        return -EBADMSG;
    ret->covers = be64_get(record + 1);
    ret->n_accounts = be64_get(record + 9);
    memcpy(ret->root.b, record + 17, HASH_BYTES);
    ret->ledger_time_ms = be64_get(record + 17 + HASH_BYTES);
    return 0;
}

/* ---- orders and genesis */

static int body_decode(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body, size_t n,
                       struct arena *arena, ProtobufCMessage **ret) {
    return n < RECORD_MAX ? canonical_decode(descriptor, body, n, arena, ret) : -EBADMSG;
}

static bool has_length(const ProtobufCBinaryData *data, size_t n) {
    return data->len == n;
}

static bool has_length_or_none(const ProtobufCBinaryData *data, size_t n) {
    return data->len == 0 || data->len == n;
}

/* Whose length is fixed, whatever the kind; each may also be empty. */
static const struct {
    const char *name;
    size_t n;
} lengths[] = {
    {"target", ORDER_ID_BYTES},
    {"quote", HASH_BYTES},
    {"key", SSHSIG_PUBLIC_BYTES},
    {"claims", RECORD_CLAIMS_BYTES},
    {"signature", SSHSIG_SIGNATURE_BYTES},
    {"by_old", SSHSIG_SIGNATURE_BYTES},
    {"by_new", SSHSIG_SIGNATURE_BYTES},
    {"transfer_id", ORDER_ID_BYTES},
    {"root", HASH_BYTES},
    {"checksum", HASH_BYTES},
    {"register_checksum", HASH_BYTES},
};

size_t record_member_bytes(const char *name) {
    for (size_t i = 0; i < N_ELEMENTS(lengths); i++)
        if (strcmp(name, lengths[i].name) == 0)
            return lengths[i].n;
    return 0;
}

/* Of the kind's own message. */
static bool member_lengths_hold(const ProtobufCMessage *member) {
    const ProtobufCFieldDescriptor *fields = member->descriptor->fields;
    for (unsigned i = 0; i < member->descriptor->n_fields; i++)
        if (fields[i].type == PROTOBUF_C_TYPE_BYTES &&
            !has_length_or_none((const void *)((const uint8_t *)member + fields[i].offset),
                                record_member_bytes(fields[i].name)))
            return false;
    return true;
}

static bool order_lengths_hold(const Timebank__Order *order) {
    return has_length(&order->id, ORDER_ID_BYTES) && has_length_or_none(&order->note, 32) &&
           has_length_or_none(&order->corrects, ORDER_ID_BYTES) &&
           order->kind_case != TIMEBANK__ORDER__KIND__NOT_SET &&
           /* The kind's member, whichever it is: all lie at one place and begin alike. */
           member_lengths_hold(&order->exchange->base);
}

/* Whatever is not in the plain form is looked at again, and refused there if at all. */
static int order_decode(const uint8_t *body, size_t n, struct arena *arena, Timebank__Order **ret) {
    ProtobufCMessage *message;
    int r = n < RECORD_MAX ? order_plain_decode(body, n, arena, ret) : -EBADMSG;
    if (r != -EBADMSG)
        return r;
    r = body_decode(&timebank__order__descriptor, body, n, arena, &message);
    if (r == 0)
        *ret = (Timebank__Order *)message;
    return r;
}

int record_order_decode(const uint8_t *body, size_t n, struct arena *arena, Timebank__Order **ret) {
    Timebank__Order *order;
    int r = order_decode(body, n, arena, &order);
    if (r < 0)
        return r;
    if (!order_lengths_hold(order))
        return -EBADMSG;
    *ret = order;
    return 0;
}

static bool genesis_lists_hold(const Timebank__Genesis *genesis) {
    if (!has_length_or_none(&genesis->ledger_key, SSHSIG_PUBLIC_BYTES) ||
        !has_length_or_none(&genesis->old_root, HASH_BYTES) ||
        genesis->n_policy_names != genesis->n_policy_values)
        return false;
    for (size_t i = 0; i < genesis->n_steward_keys; i++)
        if (!has_length(&genesis->steward_keys[i], SSHSIG_PUBLIC_BYTES))
            return false;
    for (size_t i = 1; i < genesis->n_policy_names; i++)
        if (strcmp(genesis->policy_names[i - 1], genesis->policy_names[i]) >= 0)
            return false;
    return true;
}

int record_genesis_decode(const uint8_t *body, size_t n, struct arena *arena,
                          Timebank__Genesis **ret) {
    ProtobufCMessage *message;
    int r = body_decode(&timebank__genesis__descriptor, body, n, arena, &message);
    if (r < 0)
        return r;
    Timebank__Genesis *genesis = (Timebank__Genesis *)message;
    if (!genesis_lists_hold(genesis))
        return -EBADMSG;
    *ret = genesis;
    return 0;
}

int record_event_decode(const uint8_t *body, size_t n, struct arena *arena, Timebank__Event **ret) {
    ProtobufCMessage *message;
    int r = body_decode(&timebank__event__descriptor, body, n, arena, &message);
    if (r < 0)
        return r;
    Timebank__Event *event = (Timebank__Event *)message;
    if (!has_length(&event->follows, ORDER_ID_BYTES) ||
        event->kind == TIMEBANK__EVENT_KIND__EVENT_NONE)
        return -EBADMSG;
    *ret = event;
    return 0;
}

static void record_encode(uint8_t kind, const ProtobufCMessage *message, struct bytes *to) {
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *p = bytes_reserve(to, 1 + n);
    if (!p)
        return;
    p[0] = kind;
    size_t n_packed = protobuf_c_message_pack(message, p + 1);
    assert(n_packed == n);
    (void)n_packed;
}

void record_order_encode(const Timebank__Order *order, struct bytes *to) {
    record_encode(RECORD_ORDER, &order->base, to);
}

void record_genesis_encode(const Timebank__Genesis *genesis, struct bytes *to) {
    record_encode(RECORD_GENESIS, &genesis->base, to);
}

void record_event_encode(const Timebank__Event *event, struct bytes *to) {
    record_encode(RECORD_EVENT, &event->base, to);
}

const ProtobufCBinaryData *record_order_target(const Timebank__Order *order) {
    switch (order->kind_case) {
    case TIMEBANK__ORDER__KIND_REVERSE:
        return &order->reverse->target;
    case TIMEBANK__ORDER__KIND_CONFIRM:
        return &order->confirm->target;
    case TIMEBANK__ORDER__KIND_DECLINE:
        return &order->decline->target;
    case TIMEBANK__ORDER__KIND_WITHDRAW:
        return &order->withdraw->target;
    case TIMEBANK__ORDER__KIND_DISPUTE:
        return &order->dispute->target;
    case TIMEBANK__ORDER__KIND_DECIDE:
        return &order->decide->target;
    case TIMEBANK__ORDER__KIND_APPROVE:
        return &order->approve->target;
    case TIMEBANK__ORDER__KIND_CAPTURE:
        return &order->capture->target;
    case TIMEBANK__ORDER__KIND_RELEASE:
        return &order->release->target;
    case TIMEBANK__ORDER__KIND_UNMERGE:
        return &order->unmerge->target;
    default:
        return NULL;
    }
}

/* ---- kinds and differences */

static const struct kind {
    Timebank__Order__KindCase kind;
    const char *name;
    int counts;
} kinds[] = {
#define KIND(field, NAME, name, counts) {TIMEBANK__ORDER__KIND_##NAME, name, counts},
#include "kinds.def"
#undef KIND
};

#define KIND(field, NAME, name, counts)                                                            \
    static_assert(TIMEBANK__ORDER__KIND_##NAME == (field), "kinds.def and timebank.proto agree");
#include "kinds.def"

const struct record_bank_account record_bank_accounts[RECORD_BANK_ACCOUNTS] = {
    {"chest", TIMEBANK__ACCOUNT_KIND__CHEST},
    {"issued", TIMEBANK__ACCOUNT_KIND__ISSUED},
    {"retired", TIMEBANK__ACCOUNT_KIND__RETIRED},
    {"expired", TIMEBANK__ACCOUNT_KIND__EXPIRED},
    {"advances", TIMEBANK__ACCOUNT_KIND__ADVANCES},
    {"vouchers", TIMEBANK__ACCOUNT_KIND__VOUCHERS},
    {"transit", TIMEBANK__ACCOUNT_KIND__TRANSIT},
    {"write-offs", TIMEBANK__ACCOUNT_KIND__WRITE_OFFS},
};
#undef KIND

static const struct kind *kind_find(Timebank__Order__KindCase kind) {
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return NULL;
}

const char *record_kind_name(Timebank__Order__KindCase kind) {
    const struct kind *found = kind_find(kind);
    return found ? found->name : NULL;
}

Timebank__Order__KindCase record_kind_from_name(const char *name) {
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].kind;
    return TIMEBANK__ORDER__KIND__NOT_SET;
}

int record_kind_counts(Timebank__Order__KindCase kind) {
    const struct kind *found = kind_find(kind);
    return found ? found->counts : 0;
}

static const char *message_difference(const ProtobufCMessage *a, const ProtobufCMessage *b);

/* The types that canonical_knows(). */
static size_t element_bytes(const ProtobufCFieldDescriptor *field) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return sizeof(char *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(ProtobufCMessage *);
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_UINT32:
        return 4;
    default:
        return 8;
    }
}

static bool texts_differ(const char *a, const char *b) {
    return strcmp(a ? a : "", b ? b : "") != 0;
}

static bool data_differ(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b) {
    return a->len != b->len || (a->len > 0 && memcmp(a->data, b->data, a->len) != 0);
}

/* NULL when equal, else the name of the field, or of the field in the sub-message. */
static const char *value_difference(const ProtobufCFieldDescriptor *field, const void *a,
                                    const void *b) {
    bool differs;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        differs = texts_differ(*(char *const *)a, *(char *const *)b);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        differs = data_differ(a, b);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_difference(*(ProtobufCMessage *const *)a, *(ProtobufCMessage *const *)b);
    default:
        differs = memcmp(a, b, element_bytes(field)) != 0;
    }
    return differs ? field->name : NULL;
}

static const char *repeated_difference(const ProtobufCFieldDescriptor *field, const uint8_t *a,
                                       size_t n_a, const uint8_t *b, size_t n_b) {
    if (n_a != n_b)
        return field->name;
    const char *name = NULL;
    for (size_t i = 0, n_element = element_bytes(field); i < n_a && !name; i++)
        name = value_difference(field, a + i * n_element, b + i * n_element);
    return name;
}

static const char *oneof_difference(const ProtobufCFieldDescriptor *field, uint32_t case_a,
                                    uint32_t case_b, const void *a, const void *b) {
    if (case_a != field->id && case_b != field->id)
        return NULL;
    if (case_a == case_b)
        return value_difference(field, a, b);
    return field->type == PROTOBUF_C_TYPE_MESSAGE ? "kind" : field->name;
}

static const char *field_difference(const ProtobufCFieldDescriptor *field,
                                    const ProtobufCMessage *message_a,
                                    const ProtobufCMessage *message_b) {
    const uint8_t *a = (const uint8_t *)message_a, *b = (const uint8_t *)message_b;
    const void *quantifier_a = a + field->quantifier_offset;
    const void *quantifier_b = b + field->quantifier_offset;
    a += field->offset;
    b += field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return repeated_difference(field, *(const uint8_t *const *)a, *(const size_t *)quantifier_a,
                                   *(const uint8_t *const *)b, *(const size_t *)quantifier_b);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return oneof_difference(field, *(const uint32_t *)quantifier_a,
                                *(const uint32_t *)quantifier_b, a, b);
    return value_difference(field, a, b);
}

static const char *message_difference(const ProtobufCMessage *a, const ProtobufCMessage *b) {
    const char *name = NULL;
    for (unsigned i = 0; i < a->descriptor->n_fields && !name; i++)
        name = field_difference(&a->descriptor->fields[i], a, b);
    return name;
}

const char *record_order_difference(const Timebank__Order *a, const Timebank__Order *b) {
    return message_difference(&a->base, &b->base);
}
