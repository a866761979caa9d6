/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body is copied once, behind the message, and read in the copy: a text that ended gets its NUL
 * on the first byte of the tag behind it, which has been read by then. Behind the body stand zeros,
 * so that eight bytes may be looked at anywhere, no number ends behind the body unnoticed, and the
 * tag there is 0, which no field has.
 */
#include "order-plain.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "batch.h"
#include "canonical.h"

#define VARINT 0u
#define LENGTH 2u
#define KEY(number, wire_type) ((number) << 3 | (wire_type))
#define PAD_BYTES 16u /* a tag and eight bytes */
#define EIGHT(byte) ((byte)*UINT64_C(0x0101010101010101))
#define NOTE_BYTES 32u
/* Each is called with numbers that the compiler knows, and is a comparison and a few steps then. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

enum {
    ORDER_ID = 1,
    ORDER_SERVICE_DAY,
    ORDER_FROM,
    ORDER_FROM_PERSON,
    ORDER_TO,
    ORDER_TO_PERSON,
    ORDER_MINUTES,
    ORDER_TYPED_MINUTES,
    ORDER_AUTHORITY,
    ORDER_ACTIVITY,
    ORDER_SHEET,
    ORDER_LINE,
    ORDER_CLAIMED_DAY,
    ORDER_NOTE,
    ORDER_OVERRIDE,
    ORDER_CORRECTS,
    ORDER_SOURCE,
    ORDER_PROPOSAL
};

struct reader {
    uint8_t *at; /* behind the first byte of a tag */
    const uint8_t *end;
    uint8_t tag; /* that byte; 0 at the end */
};

struct room {
    Timebank__Order order;
    uint8_t body[];
};

static const ProtobufCMessage members[] = {
    PROTOBUF_C_MESSAGE_INIT(&timebank__exchange__descriptor),
    PROTOBUF_C_MESSAGE_INIT(&timebank__earn__descriptor),
    PROTOBUF_C_MESSAGE_INIT(&timebank__log__descriptor),
    PROTOBUF_C_MESSAGE_INIT(&timebank__gift__descriptor),
    PROTOBUF_C_MESSAGE_INIT(&timebank__donate__descriptor),
    PROTOBUF_C_MESSAGE_INIT(&timebank__grant__descriptor),
};
#define FIRST_KIND 32u
static_assert(TIMEBANK__ORDER__KIND_EXCHANGE == FIRST_KIND &&
                  TIMEBANK__ORDER__KIND_EARN == FIRST_KIND + 1 &&
                  TIMEBANK__ORDER__KIND_LOG == FIRST_KIND + 2 &&
                  TIMEBANK__ORDER__KIND_GIFT == FIRST_KIND + 3 &&
                  TIMEBANK__ORDER__KIND_DONATE == FIRST_KIND + 4 &&
                  TIMEBANK__ORDER__KIND_GRANT == FIRST_KIND + 5 &&
                  sizeof(Timebank__Exchange) == sizeof(ProtobufCMessage) &&
                  sizeof(Timebank__Grant) == sizeof(ProtobufCMessage),
              "kinds without fields, in order of number");

static ALWAYS_INLINE uint64_t eight_at(const uint8_t *at) {
    uint64_t eight;
    memcpy(&eight, at, sizeof(eight));
    return le64toh(eight);
}

/* A field's tag is next; its second byte, where it has one, is taken. */
static ALWAYS_INLINE bool is_next(struct reader *reader, uint32_t key) {
    if (key < 0x80)
        return reader->tag == key;
    if (reader->tag != (uint8_t)(key | 0x80) || *reader->at != key >> 7)
        return false;
    reader->at++;
    return true;
}

static ALWAYS_INLINE void tag_read(struct reader *reader) {
    reader->tag = *reader->at++;
}

/* Not 0, of eight bytes at most, at its shortest: a last byte of 0 would say nothing. The numbers
 * of seven bits are drawn together pair by pair. */
static ALWAYS_INLINE bool varint_read(struct reader *reader, uint64_t *ret) {
    uint64_t v = eight_at(reader->at), stops = ~v & EIGHT(UINT64_C(0x80));
    if (stops == 0)
        return false;
    unsigned n_bits = (unsigned)__builtin_ctzll(stops) + 1;
    v &= stops ^ (stops - 1);
    if (v >> (n_bits - 8) == 0)
        return false;
    v &= EIGHT(UINT64_C(0x7f));
    v = (v & UINT64_C(0x007f007f007f007f)) | (v & UINT64_C(0x7f007f007f007f00)) >> 1;
    v = (v & UINT64_C(0x00003fff00003fff)) | (v & UINT64_C(0x3fff00003fff0000)) >> 2;
    *ret = (v & UINT64_C(0x0fffffff)) | (v & UINT64_C(0x0fffffff00000000)) >> 4;
    reader->at += n_bits / 8;
    return true;
}

static ALWAYS_INLINE bool length_read(struct reader *reader, size_t *ret) {
    uint64_t n = *reader->at;
    if (n > 0 && n < 0x80)
        reader->at++;
    else if (!varint_read(reader, &n))
        return false;
    *ret = (size_t)n;
    return reader->at <= reader->end && n <= (uint64_t)(reader->end - reader->at);
}

/* ---- each true where the field is not there, too */

static ALWAYS_INLINE bool long_take(struct reader *reader, uint32_t number, uint64_t *ret) {
    if (!is_next(reader, KEY(number, VARINT)))
        return true;
    if (!varint_read(reader, ret))
        return false;
    tag_read(reader);
    return true;
}

static ALWAYS_INLINE bool number_take(struct reader *reader, uint32_t number, uint32_t max,
                                      uint32_t *ret) {
    uint64_t v = 0;
    if (!long_take(reader, number, &v) || v > max)
        return false;
    *ret = (uint32_t)v;
    return true;
}

/* ASCII without NUL is told eight bytes at a time. */
static ALWAYS_INLINE bool text_is_valid(const uint8_t *text, size_t n) {
    uint64_t others = 0;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t eight = eight_at(text + i);
        if (n - i < 8) {
            uint64_t mask = (UINT64_C(1) << (n - i) * 8) - 1;
            eight = (eight & mask) | (EIGHT(UINT64_C(1)) & ~mask);
        }
        others |= (eight | (eight - EIGHT(UINT64_C(1)))) & EIGHT(UINT64_C(0x80));
    }
    return others == 0 || (!memchr(text, 0, n) && utf8_is_valid((const char *)text, n));
}

static ALWAYS_INLINE bool text_take(struct reader *reader, uint32_t number, char **ret) {
    size_t n;
    if (!is_next(reader, KEY(number, LENGTH)))
        return true;
    if (!length_read(reader, &n) || !text_is_valid(reader->at, n))
        return false;
    *ret = (char *)reader->at;
    reader->at += n;
    uint8_t *end = reader->at;
    tag_read(reader);
    *end = 0;
    return true;
}

static ALWAYS_INLINE bool data_take(struct reader *reader, uint32_t number, size_t n_data,
                                    ProtobufCBinaryData *ret) {
    size_t n;
    if (!is_next(reader, KEY(number, LENGTH)))
        return true;
    if (!length_read(reader, &n) || n != n_data)
        return false;
    *ret = (ProtobufCBinaryData){.len = n, .data = reader->at};
    reader->at += n;
    tag_read(reader);
    return true;
}

/* ---- the order */

static ALWAYS_INLINE bool fields_take(struct reader *reader, Timebank__Order *order) {
    uint32_t authority = 0, source = 0, proposal = 0;
    bool is_plain =
        data_take(reader, ORDER_ID, ORDER_ID_BYTES, &order->id) &&
        number_take(reader, ORDER_SERVICE_DAY, UINT32_MAX, &order->service_day) &&
        text_take(reader, ORDER_FROM, &order->from) &&
        text_take(reader, ORDER_FROM_PERSON, &order->from_person) &&
        text_take(reader, ORDER_TO, &order->to) &&
        text_take(reader, ORDER_TO_PERSON, &order->to_person) &&
        long_take(reader, ORDER_MINUTES, &order->minutes) &&
        long_take(reader, ORDER_TYPED_MINUTES, &order->typed_minutes) &&
        number_take(reader, ORDER_AUTHORITY, TIMEBANK__AUTHORITY__BY_SHEET, &authority) &&
        text_take(reader, ORDER_ACTIVITY, &order->activity) &&
        text_take(reader, ORDER_SHEET, &order->sheet) &&
        number_take(reader, ORDER_LINE, UINT32_MAX, &order->line) &&
        number_take(reader, ORDER_CLAIMED_DAY, UINT32_MAX, &order->claimed_day) &&
        data_take(reader, ORDER_NOTE, NOTE_BYTES, &order->note) &&
        number_take(reader, ORDER_OVERRIDE, UINT32_MAX, &order->override) &&
        data_take(reader, ORDER_CORRECTS, ORDER_ID_BYTES, &order->corrects) &&
        number_take(reader, ORDER_SOURCE, TIMEBANK__SOURCE__HISTORY, &source) &&
        number_take(reader, ORDER_PROPOSAL, 1, &proposal);
    order->authority = (Timebank__Authority)authority;
    order->source = (Timebank__Source)source;
    order->proposal = (protobuf_c_boolean)proposal;
    return is_plain;
}

/* The kind's number is what its tag says; its message is the last field and fills the body. */
static int kind_take(struct reader *reader, struct arena *arena, Timebank__Order *order) {
    uint32_t key = (reader->tag & 0x7fu) | (uint32_t)*reader->at << 7, number = key >> 3;
    if (reader->tag < 0x80 || *reader->at == 0 || *reader->at >= 0x80 || (key & 7) != LENGTH ||
        number < FIRST_KIND)
        return -EBADMSG;
    reader->at++;
    order->kind_case = (Timebank__Order__KindCase)number;
    if (number - FIRST_KIND < N_ELEMENTS(members)) {
        order->exchange = (void *)(uintptr_t)&members[number - FIRST_KIND];
        return reader->at + 1 == reader->end && *reader->at == 0 ? 0 : -EBADMSG;
    }
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&timebank__order__descriptor, number);
    ProtobufCMessage *member;
    size_t n = 0;
    if (*reader->at == 0 && reader->at < reader->end)
        reader->at++;
    else if (!length_read(reader, &n))
        return -EBADMSG;
    if (!field || reader->at + n != reader->end)
        return -EBADMSG;
    int r = canonical_decode(field->descriptor, reader->at, n, arena, &member);
    if (r == 0)
        order->exchange = (Timebank__Exchange *)member; /* all members lie at one place */
    return r;
}

int order_plain_decode(const uint8_t *body, size_t n, struct arena *arena, Timebank__Order **ret) {
    if (n == 0)
        return -EBADMSG;
    struct room *room = arena_alloc(arena, sizeof(*room) + n + PAD_BYTES);
    if (!room)
        return -ENOMEM;
    timebank__order__init(&room->order);
    memcpy(room->body, body, n);
    memset(room->body + n, 0, PAD_BYTES);
    struct reader reader = {.at = room->body, .end = room->body + n};
    tag_read(&reader);
    if (!fields_take(&reader, &room->order))
        return -EBADMSG;
    int r = kind_take(&reader, arena, &room->order);
    if (r == 0)
        *ret = &room->order;
    return r;
}
