/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An order on its way out, written as its bytes stand in the record: ascending fields, nothing at
 * its default, so that it is canonical without a second look. Which fields a kind may have is the
 * daemon's to judge; here they are carried over, and what a kind leaves no choice about is filled
 * in. What a kind's own message looks like, timebank.proto says: its descriptors are read once.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "order-fields.h"
#include "order.h"

#define TAGS_MAX 64
#define KINDS_MAX 128         /* above the highest number of a kind */
#define MEMBER_FIELDS_MAX 256 /* of all kinds together */
#define VARINT_MAX 10
#define COMMON_MAX 256 /* what every kind has, its texts left out */

enum wire { WIRE_VARINT = 0, WIRE_LENGTH = 2 };

static_assert(sizeof(enum tb_role) == 4 && sizeof(int) == 4,
              "enums and ints are read as four bytes");

/* ---- bytes; the caller has reserved the room */

static uint8_t *varint_put(uint8_t *at, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *data_put(uint8_t *at, uint32_t field, const void *data, size_t n) {
    at = varint_put(at, (uint64_t)field << 3 | WIRE_LENGTH);
    at = varint_put(at, n);
    if (n > 0)
        memcpy(at, data, n);
    return at + n;
}

static uint8_t *data_put_any(uint8_t *at, uint32_t field, const void *data, size_t n) {
    return n > 0 ? data_put(at, field, data, n) : at;
}

static uint8_t *number_put(uint8_t *at, uint32_t field, uint64_t value) {
    if (value == 0)
        return at;
    at = varint_put(at, (uint64_t)field << 3 | WIRE_VARINT);
    return varint_put(at, value);
}

/* Negative ones are ten bytes long, as protobuf has it. */
static uint64_t enum_number(int value) {
    return (uint64_t)(int64_t)value;
}

static uint64_t zigzag(int64_t value) {
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

/* ---- the kind's own message */

enum how { FIELD_ONE, FIELD_BOUND, FIELD_LIST, FIELD_TAGS };

/* Where it stands in a tb_order, and how it travels. */
struct member_field {
    uint32_t id;
    ProtobufCType type;
    enum how how;
    size_t at;
    size_t n_at;
    size_t n_bytes; /* of bytes */
};

static struct {
    pthread_once_t once;
    struct member_field fields[MEMBER_FIELDS_MAX];
    struct {
        bool is_known;
        uint16_t n_fields;
        const struct member_field *fields;
    } kinds[KINDS_MAX];
} members = {.once = PTHREAD_ONCE_INIT};

static enum how field_how(const ProtobufCFieldDescriptor *field, const struct order_field *row) {
    if (order_field_is_tags(row))
        return FIELD_TAGS;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return FIELD_LIST;
    return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? FIELD_BOUND : FIELD_ONE;
}

static struct member_field field_read(const ProtobufCMessageDescriptor *member,
                                      const ProtobufCFieldDescriptor *field) {
    const struct order_field *row = order_field_find(member, field->name);
    assert(row);
    return (struct member_field){
        .id = field->id,
        .type = field->type,
        .how = field_how(field, row),
        .at = row->at,
        .n_at = row->n_at,
        .n_bytes = field->type == PROTOBUF_C_TYPE_BYTES ? record_member_bytes(field->name) : 0,
    };
}

static void members_read(void) {
    const ProtobufCMessageDescriptor *order = &timebank__order__descriptor;
    size_t n = 0;
    for (unsigned i = 0; i < order->n_fields; i++) {
        const ProtobufCFieldDescriptor *kind = &order->fields[i];
        if (!(kind->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
            continue;
        const ProtobufCMessageDescriptor *member = kind->descriptor;
        assert(kind->id < KINDS_MAX && n + member->n_fields <= MEMBER_FIELDS_MAX);
        members.kinds[kind->id].is_known = true;
        members.kinds[kind->id].n_fields = (uint16_t)member->n_fields;
        members.kinds[kind->id].fields = &members.fields[n];
        for (unsigned k = 0; k < member->n_fields; k++)
            members.fields[n++] = field_read(member, &member->fields[k]);
    }
}

static void data_append(struct bytes *to, uint32_t field, const void *data, size_t n) {
    size_t n_before = to->n;
    uint8_t *at = bytes_reserve(to, 2 * VARINT_MAX + n);
    if (at)
        to->n = n_before + (size_t)(data_put(at, field, data, n) - at);
}

static void number_append(struct bytes *to, uint32_t field, uint64_t value) {
    uint8_t packed[2 * VARINT_MAX];
    uint8_t *end = varint_put(packed, (uint64_t)field << 3 | WIRE_VARINT);
    end = varint_put(end, value);
    bytes_put(to, packed, (size_t)(end - packed));
}

static int tags_append(struct bytes *to, uint32_t field, const char *tags) {
    size_t n_tags = 0;
    while (tags && *(tags += strspn(tags, " "))) {
        size_t n = strcspn(tags, " ");
        if (n_tags++ == TAGS_MAX)
            return -EINVAL;
        data_append(to, field, tags, n);
        tags += n;
    }
    return 0;
}

static uint64_t list_number(const struct member_field *field, const void *list, size_t i) {
    return field->type == PROTOBUF_C_TYPE_UINT64 ? ((const uint64_t *)list)[i]
                                                 : ((const uint32_t *)list)[i];
}

/* Numbers are packed into one field, texts are a field each. */
static void list_append(struct bytes *to, const struct member_field *field,
                        const struct tb_order *order) {
    const uint8_t *base = (const uint8_t *)order;
    const void *list = *(const void *const *)(base + field->at);
    size_t n = list ? *(const size_t *)(base + field->n_at) : 0;
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        for (size_t i = 0; i < n; i++) {
            const char *text = ((const char *const *)list)[i];
            data_append(to, field->id, text, text ? strlen(text) : 0);
        }
        return;
    }
    assert(field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_UINT32);
    struct bytes numbers = {};
    for (size_t i = 0; i < n; i++) {
        uint8_t packed[VARINT_MAX];
        bytes_put(&numbers, packed,
                  (size_t)(varint_put(packed, list_number(field, list, i)) - packed));
    }
    if (numbers.n > 0)
        data_append(to, field->id, numbers.data, numbers.n);
    if (numbers.r < 0)
        to->r = numbers.r;
    bytes_fini(&numbers);
}

static void value_append(struct bytes *to, const struct member_field *field, const void *from) {
    uint64_t number;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(const char *const *)from;
        if (text && text[0])
            data_append(to, field->id, text, strlen(text));
        return;
    }
    case PROTOBUF_C_TYPE_BYTES:
        data_append(to, field->id, from, field->n_bytes);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        number = *(const int *)from != 0;
        break;
    case PROTOBUF_C_TYPE_ENUM:
        number = enum_number(*(const int *)from);
        break;
    case PROTOBUF_C_TYPE_UINT32:
        number = *(const uint32_t *)from;
        break;
    case PROTOBUF_C_TYPE_SINT64:
        number = zigzag(*(const int64_t *)from);
        break;
    default:
        assert(field->type == PROTOBUF_C_TYPE_UINT64);
        number = *(const uint64_t *)from;
    }
    if (number != 0)
        number_append(to, field->id, number);
}

static int field_append(struct bytes *to, const struct member_field *field,
                        const struct tb_order *order) {
    const void *from = (const uint8_t *)order + field->at;
    switch (field->how) {
    case FIELD_TAGS:
        return tags_append(to, field->id, *(const char *const *)from);
    case FIELD_LIST:
        list_append(to, field, order);
        return 0;
    case FIELD_BOUND: {
        /* One that is not there says nothing; one that is may be 0. */
        const int64_t *bound = *(const int64_t *const *)from;
        assert(field->type == PROTOBUF_C_TYPE_SINT64);
        if (bound)
            number_append(to, field->id, zigzag(*bound));
        return 0;
    }
    default:
        value_append(to, field, from);
        return 0;
    }
}

/* Its length stands before it, and is known after it. */
static int member_append(struct bytes *to, const struct tb_order *order) {
    size_t begin = to->n;
    for (unsigned i = 0; i < members.kinds[order->kind].n_fields; i++) {
        int r = field_append(to, &members.kinds[order->kind].fields[i], order);
        if (r < 0)
            return r;
    }
    uint8_t head[2 * VARINT_MAX];
    size_t n = to->n - begin;
    uint8_t *end = varint_put(head, (uint64_t)order->kind << 3 | WIRE_LENGTH);
    size_t n_head = (size_t)(varint_put(end, n) - head);
    if (bytes_reserve(to, n_head)) {
        if (n > 0)
            memmove(to->data + begin + n_head, to->data + begin, n);
        memcpy(to->data + begin, head, n_head);
    }
    return to->r;
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
    const char *from;
    const char *to;
} own_sides[] = {
    [TB_DONATE] = {NULL, "chest"},
    [TB_GRANT] = {"issued", NULL},
    [TB_ISSUE] = {"issued", NULL},
    [TB_MINT_VOUCHERS] = {NULL, "vouchers"},
    [TB_REDEEM_VOUCHER] = {"vouchers", NULL},
    [TB_VOID_VOUCHERS] = {"vouchers", NULL},
    [TB_ADVANCE] = {"advances", NULL},
    [TB_PLEDGE] = {"advances", NULL},
    [TB_EXPIRE] = {NULL, "expired"},
    [TB_RETIRE] = {NULL, "retired"},
};

struct text {
    const char *at;
    size_t n;
};

static struct text text_of(const char *given, const char *instead) {
    const char *at = given && given[0] ? given : instead;
    return (struct text){.at = at, .n = at ? strlen(at) : 0};
}

/* An id of zeros is none. */
static size_t id_bytes(const uint8_t id[TB_ORDER_ID_BYTES]) {
    static const uint8_t none[TB_ORDER_ID_BYTES];
    return memcmp(id, none, sizeof(none)) == 0 ? 0 : TB_ORDER_ID_BYTES;
}

static int authority_of(const struct tb_order *order, int role) {
    if (order->authority == TB_BY_ROLE && order->kind < TB_OPEN_ACCOUNT)
        return (int)authority_of_role(role);
    return (int)order->authority;
}

static void common_append(struct bytes *to, const struct tb_order *order, const uint8_t *id,
                          int role, const uint8_t *note) {
    bool has_own = (size_t)order->kind < N_ELEMENTS(own_sides);
    struct text from = text_of(order->from, has_own ? own_sides[order->kind].from : NULL);
    struct text to_code = text_of(order->to, has_own ? own_sides[order->kind].to : NULL);
    struct text from_person = text_of(order->from_person, NULL);
    struct text to_person = text_of(order->to_person, NULL);
    struct text activity = text_of(order->activity, NULL);
    struct text sheet = text_of(order->sheet, NULL);
    size_t n_before = to->n;
    uint8_t *begin = bytes_reserve(to, COMMON_MAX + from.n + from_person.n + to_code.n +
                                           to_person.n + activity.n + sheet.n);
    if (!begin)
        return;
    uint8_t *at = begin;
    *at++ = RECORD_ORDER;
    at = data_put(at, 1, id, TB_ORDER_ID_BYTES);
    at = number_put(at, 2, order->service_day);
    at = data_put_any(at, 3, from.at, from.n);
    at = data_put_any(at, 4, from_person.at, from_person.n);
    at = data_put_any(at, 5, to_code.at, to_code.n);
    at = data_put_any(at, 6, to_person.at, to_person.n);
    at = number_put(at, 7, order->minutes);
    at = number_put(at, 8, order->typed_minutes);
    at = number_put(at, 9, enum_number(authority_of(order, role)));
    at = data_put_any(at, 10, activity.at, activity.n);
    at = data_put_any(at, 11, sheet.at, sheet.n);
    at = number_put(at, 12, order->line);
    at = number_put(at, 13, order->claimed_day);
    at = data_put_any(at, 14, note, note ? 32 : 0);
    at = number_put(at, 15, order->override);
    at = data_put_any(at, 16, order->corrects, id_bytes(order->corrects));
    at = number_put(at, 17, enum_number((int)order->source));
    at = number_put(at, 18, order->proposal != 0);
    to->n = n_before + (size_t)(at - begin);
}

/* Where a kind's name may stand in more than one of the struct's fields. */
static const struct tb_order *names_choose(const struct tb_order *order, struct tb_order *chosen) {
    if (order->kind != TB_SET_OFFER && order->kind != TB_SET_FUNDER &&
        order->kind != TB_SET_PROGRAMME)
        return order;
    *chosen = *order;
    if (order->kind == TB_SET_OFFER && !order->offer)
        chosen->offer = order->name;
    if (order->kind == TB_SET_FUNDER && !order->name)
        chosen->name = order->funder;
    if (order->kind == TB_SET_PROGRAMME && !order->name)
        chosen->name = order->programme;
    return chosen;
}

int order_encode(const struct tb_order *order, const uint8_t id[TB_ORDER_ID_BYTES], int role,
                 const uint8_t *note, struct bytes *to) {
    size_t n_before = to->n;
    struct tb_order chosen;
    pthread_once(&members.once, members_read);
    if ((size_t)order->kind >= KINDS_MAX || !members.kinds[order->kind].is_known)
        return -EINVAL;
    order = names_choose(order, &chosen);
    common_append(to, order, id, role, note);
    int r = member_append(to, order);
    if (r < 0)
        to->n = n_before;
    return r;
}
