/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An order on its way out. Which fields a kind may have is the daemon's to judge; here they are
 * carried over, and what a kind leaves no choice about is filled in.
 */
#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "order-fields.h"
#include "order.h"

#define TAGS_MAX 64
#define MEMBER_BYTES 512 /* of a kind's message, in memory */

static_assert(sizeof(enum tb_role) == 4 && sizeof(int) == 4 && sizeof(protobuf_c_boolean) == 4,
              "enums, ints and bools are carried over as four bytes");

/* All that an Order points to while it is packed. */
struct message {
    Timebank__Order order;
    alignas(16) uint8_t member[MEMBER_BYTES];
    char *tags_text;
    char *tags[TAGS_MAX];
};

/* protobuf-c only reads through these when it packs. */
static char *text(const char *borrowed) {
    return (char *)(borrowed ? borrowed : protobuf_c_empty_string);
}

static ProtobufCBinaryData binary(const uint8_t *data, size_t n) {
    return (ProtobufCBinaryData){.len = n, .data = (uint8_t *)data};
}

/* An id of zeros is none. */
static ProtobufCBinaryData id_optional(const uint8_t id[TB_ORDER_ID_BYTES]) {
    static const uint8_t none[TB_ORDER_ID_BYTES];
    return binary(id, memcmp(id, none, sizeof(none)) == 0 ? 0 : TB_ORDER_ID_BYTES);
}

static bool is_empty(const char *string) {
    return !string || string[0] == '\0';
}

/* ---- the kind's own message */

static int tags_fill(struct message *message, const char *tags, size_t *ret_n, void *ret_list) {
    size_t n = 0;
    char *state = NULL;
    if (!tags)
        return 0;
    message->tags_text = strdup(tags);
    if (!message->tags_text)
        return -ENOMEM;
    for (char *tag = strtok_r(message->tags_text, " ", &state); tag;
         tag = strtok_r(NULL, " ", &state)) {
        if (n == TAGS_MAX)
            return -EINVAL;
        message->tags[n++] = tag;
    }
    *ret_n = n;
    *(char ***)ret_list = message->tags;
    return 0;
}

static void list_fill(const struct order_field *row, const struct tb_order *order, size_t *ret_n,
                      void *ret_list) {
    const uint8_t *base = (const uint8_t *)order;
    const void *list = *(const void *const *)(base + row->at);
    *ret_n = list ? *(const size_t *)(base + row->n_at) : 0;
    *(const void **)ret_list = list;
}

/* A bound that is not there says nothing; one that is may be 0. */
static void bound_fill(const ProtobufCFieldDescriptor *field, const int64_t *bound,
                       uint32_t *ret_case, int64_t *ret) {
    if (!bound)
        return;
    *ret_case = field->id;
    *ret = *bound;
}

static void value_fill(const ProtobufCFieldDescriptor *field, const void *from, void *to) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)to = text(*(const char *const *)from);
        return;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)to = binary(from, record_member_bytes(field->name));
        return;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)to = *(const int *)from != 0;
        return;
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_UINT32:
        memcpy(to, from, sizeof(uint32_t));
        return;
    default:
        assert(field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_SINT64);
        memcpy(to, from, sizeof(uint64_t));
    }
}

static int field_fill(struct message *message, const ProtobufCFieldDescriptor *field,
                      const struct tb_order *order) {
    const ProtobufCMessage *member = (const ProtobufCMessage *)message->member;
    const struct order_field *row = order_field_find(member->descriptor, field->name);
    void *to = message->member + field->offset;
    void *quantifier = message->member + field->quantifier_offset;
    assert(row);
    const void *from = (const uint8_t *)order + row->at;
    if (order_field_is_tags(row))
        return tags_fill(message, order->tags, quantifier, to);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        list_fill(row, order, quantifier, to);
    else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        bound_fill(field, *(const int64_t *const *)from, quantifier, to);
    else
        value_fill(field, from, to);
    return 0;
}

/* Chooses the member of the oneof: all lie at one place, and begin alike. */
static int kind_fill(struct message *message, const struct tb_order *order) {
    const ProtobufCFieldDescriptor *kind = protobuf_c_message_descriptor_get_field(
        &timebank__order__descriptor, (unsigned)order->kind);
    int r = 0;
    if (!kind || !(kind->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        return -EINVAL;
    const ProtobufCMessageDescriptor *descriptor = kind->descriptor;
    assert(descriptor->sizeof_message <= MEMBER_BYTES);
    descriptor->message_init((ProtobufCMessage *)message->member);
    message->order.kind_case = (Timebank__Order__KindCase)order->kind;
    message->order.exchange = (Timebank__Exchange *)message->member;
    for (unsigned i = 0; i < descriptor->n_fields && r == 0; i++)
        r = field_fill(message, &descriptor->fields[i], order);
    return r;
}

/* ---- what every kind has */

static Timebank__Authority authority_of_role(int role) {
    switch (role) {
    case TB_ROLE_STEWARD:
    case TB_ROLE_BROKER:
        return TIMEBANK__AUTHORITY__BY_BROKER;
    case TB_ROLE_ORGANISATION:
        return TIMEBANK__AUTHORITY__BY_ORGANISATION;
    case TB_ROLE_VENUE:
        return TIMEBANK__AUTHORITY__BY_VENUE;
    case TB_ROLE_MEMBER:
        return TIMEBANK__AUTHORITY__BY_SELF;
    default:
        return TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    }
}

/* The bank's own account on a side that leaves no choice. */
static const struct {
    enum tb_kind kind;
    const char *from;
    const char *to;
} own_sides[] = {
    {TB_DONATE, NULL, "chest"},
    {TB_GRANT, "issued", NULL},
    {TB_ISSUE, "issued", NULL},
    {TB_MINT_VOUCHERS, NULL, "vouchers"},
    {TB_REDEEM_VOUCHER, "vouchers", NULL},
    {TB_VOID_VOUCHERS, "vouchers", NULL},
    {TB_ADVANCE, "advances", NULL},
    {TB_PLEDGE, "advances", NULL},
    {TB_EXPIRE, NULL, "expired"},
    {TB_RETIRE, NULL, "retired"},
};

static void sides_fill(Timebank__Order *message, const struct tb_order *order) {
    message->from = text(order->from);
    message->from_person = text(order->from_person);
    message->to = text(order->to);
    message->to_person = text(order->to_person);
    for (size_t i = 0; i < N_ELEMENTS(own_sides); i++) {
        if (own_sides[i].kind != order->kind)
            continue;
        if (is_empty(order->from))
            message->from = text(own_sides[i].from);
        if (is_empty(order->to))
            message->to = text(own_sides[i].to);
    }
}

static void order_fill(Timebank__Order *message, const struct tb_order *order, int role,
                       const uint8_t *note) {
    message->id = binary(order->id, TB_ORDER_ID_BYTES);
    message->service_day = order->service_day;
    sides_fill(message, order);
    message->minutes = order->minutes;
    message->typed_minutes = order->typed_minutes;
    message->authority = (Timebank__Authority)order->authority;
    if (order->authority == TB_BY_ROLE && order->kind < TB_OPEN_ACCOUNT)
        message->authority = authority_of_role(role);
    message->activity = text(order->activity);
    message->sheet = text(order->sheet);
    message->line = order->line;
    message->claimed_day = order->claimed_day;
    message->note = binary(note, note ? 32 : 0);
    message->override = order->override;
    message->corrects = id_optional(order->corrects);
    message->source = (Timebank__Source)order->source;
    message->proposal = order->proposal != 0;
}

/* Where a kind's name may stand in more than one of the struct's fields. */
static void names_choose(struct tb_order *order) {
    if (order->kind == TB_SET_OFFER && !order->offer)
        order->offer = order->name;
    if (order->kind == TB_SET_FUNDER && !order->name)
        order->name = order->funder;
    if (order->kind == TB_SET_PROGRAMME && !order->name)
        order->name = order->programme;
}

int order_encode(const struct tb_order *order, int role, const uint8_t *note, struct bytes *to) {
    struct message message = {.order = TIMEBANK__ORDER__INIT};
    struct tb_order chosen = *order;
    names_choose(&chosen);
    int r = kind_fill(&message, &chosen);
    if (r == 0) {
        order_fill(&message.order, &chosen, role, note);
        record_order_encode(&message.order, to);
        r = to->r;
    }
    free(message.tags_text);
    return r;
}
