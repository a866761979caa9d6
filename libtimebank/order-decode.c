/* SPDX-License-Identifier: Apache-2.0 */
/* An order as recorded, on its way in. What the kind does not have is empty. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "order-fields.h"
#include "order.h"

static const char *tags_join(char *const *tags, size_t n_tags, struct arena *arena) {
    size_t n = 1;
    for (size_t i = 0; i < n_tags; i++)
        n += strlen(tags[i]) + 1;
    char *joined = arena_alloc(arena, n);
    if (!joined)
        return NULL;
    char *at = joined;
    for (size_t i = 0; i < n_tags; i++) {
        at = i > 0 ? stpcpy(at, " ") : at;
        at = stpcpy(at, tags[i]);
    }
    *at = '\0';
    return joined;
}

/* Lists of one count are as long as the first of them, so that a reader may walk them together. */
static int list_take(const struct order_field *row, const void *list, size_t n,
                     struct tb_order *order) {
    size_t *count = (size_t *)((uint8_t *)order + row->n_at);
    if (n == 0 && (row->may_lack || *count == 0))
        return 0;
    if (*count != 0 && *count != n)
        return -EBADMSG;
    *count = n;
    *(const void **)((uint8_t *)order + row->at) = list;
    return 0;
}

static void value_take(const ProtobufCFieldDescriptor *field, const void *from, void *to) {
    const ProtobufCBinaryData *data = from;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(const char **)to = *(char *const *)from;
        return;
    case PROTOBUF_C_TYPE_BYTES:
        if (data->len == record_member_bytes(field->name))
            memcpy(to, data->data, data->len);
        return;
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_UINT32:
        memcpy(to, from, sizeof(uint32_t));
        return;
    default:
        assert(field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_SINT64);
        memcpy(to, from, sizeof(uint64_t));
    }
}

static int field_take(const ProtobufCMessage *member, const ProtobufCFieldDescriptor *field,
                      struct arena *arena, struct tb_order *order) {
    const struct order_field *row = order_field_find(member->descriptor, field->name);
    const uint8_t *from = (const uint8_t *)member + field->offset;
    const void *quantifier = (const uint8_t *)member + field->quantifier_offset;
    assert(row);
    void *to = (uint8_t *)order + row->at;
    if (order_field_is_tags(row)) {
        order->tags = tags_join(*(char *const *const *)from, *(const size_t *)quantifier, arena);
        return order->tags ? 0 : -ENOMEM;
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return list_take(row, *(const void *const *)from, *(const size_t *)quantifier, order);
    if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        value_take(field, from, to);
    else if (*(const uint32_t *)quantifier == field->id)
        *(const int64_t **)to = (const int64_t *)from;
    return 0;
}

static int kind_take(const Timebank__Order *message, struct arena *arena, struct tb_order *order) {
    const ProtobufCMessage *member = &message->exchange->base; /* all lie at one place */
    int r = 0;
    for (unsigned i = 0; i < member->descriptor->n_fields && r == 0; i++)
        r = field_take(member, &member->descriptor->fields[i], arena, order);
    if (order->kind == TB_SET_OFFER)
        order->name = order->offer;
    return r;
}

static void id_take(uint8_t ret[TB_ORDER_ID_BYTES], const ProtobufCBinaryData *data) {
    if (data->len == TB_ORDER_ID_BYTES)
        memcpy(ret, data->data, TB_ORDER_ID_BYTES);
}

static void order_take(const Timebank__Order *message, struct tb_order *order) {
    order->kind = (enum tb_kind)message->kind_case;
    id_take(order->id, &message->id);
    order->service_day = message->service_day;
    order->from = message->from;
    order->from_person = message->from_person;
    order->to = message->to;
    order->to_person = message->to_person;
    order->minutes = message->minutes;
    order->typed_minutes = message->typed_minutes;
    order->authority = (enum tb_authority)message->authority;
    order->activity = message->activity;
    order->sheet = message->sheet;
    order->line = message->line;
    order->claimed_day = message->claimed_day;
    order->override = message->override;
    id_take(order->corrects, &message->corrects);
    order->source = (enum tb_source)message->source;
    order->proposal = message->proposal;
}

int order_decode(const Timebank__Order *message, struct arena *arena, struct tb_order *ret) {
    /* So that a reader may print any kind's fields without asking which it is. */
    struct tb_order order = {
        .struct_bytes = sizeof(order),
        .why = "",
        .funder = "",
        .programme = "",
        .reference = "",
        .offer = "",
        .ward = "",
        .age_band = "",
        .name = "",
        .value = "",
        .tags = "",
        .venue = "",
        .person = "",
        .holder = "",
        .giver = "",
        .other = "",
        .heir = "",
        .definition = "",
    };
    order_take(message, &order);
    int r = kind_take(message, arena, &order);
    if (r < 0)
        return r;
    *ret = order;
    return 0;
}
