/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the bytes beside one pass over the descriptor's fields, both ascending.
 * Protobuf-c's decoder and packing again would say the same in four times the time; the tests hold
 * one against the other. Recursion is as deep as the types are nested, and no type is recursive.
 */
#include "canonical.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/utf8.h"

#define WIRE_VARINT 0
#define WIRE_LENGTH 2

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    struct arena *arena;
};

static int message_decode(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body,
                          size_t n, struct arena *arena, ProtobufCMessage **ret);

/* The shortest form only: a last byte of 0 says nothing, and the tenth holds one bit. */
static int varint_read(struct reader *reader, uint64_t *ret) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (reader->at == reader->end)
            return -EBADMSG;
        uint8_t byte = *reader->at++;
        if (shift == 63 && byte > 1)
            return -EBADMSG;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = v;
            return byte == 0 && shift > 0 ? -EBADMSG : 0;
        }
    }
    return -EBADMSG;
}

static int piece_read(struct reader *reader, const uint8_t **ret, size_t *ret_n) {
    uint64_t n;
    int r = varint_read(reader, &n);
    if (r < 0)
        return r;
    if (n > (uint64_t)(reader->end - reader->at))
        return -EBADMSG;
    *ret = reader->at;
    *ret_n = (size_t)n;
    reader->at += n;
    return 0;
}

static uint8_t *arena_copy(struct arena *arena, const uint8_t *data, size_t n, size_t n_more) {
    uint8_t *copy = arena_alloc(arena, n + n_more);
    if (copy && n > 0)
        memcpy(copy, data, n);
    return copy;
}

static int string_decode(struct reader *reader, const uint8_t *p, size_t n, char **ret) {
    if (memchr(p, 0, n) || !utf8_is_valid((const char *)p, n))
        return -EBADMSG;
    uint8_t *copy = arena_copy(reader->arena, p, n, 1);
    if (!copy)
        return -ENOMEM;
    copy[n] = 0;
    *ret = (char *)copy;
    return 0;
}

static int data_decode(struct reader *reader, const uint8_t *p, size_t n,
                       ProtobufCBinaryData *ret) {
    uint8_t *copy = arena_copy(reader->arena, p, n, 0);
    if (!copy)
        return -ENOMEM;
    *ret = (ProtobufCBinaryData){.len = n, .data = copy};
    return 0;
}

static int varint_decode(struct reader *reader, const ProtobufCFieldDescriptor *field,
                         bool may_be_default, void *ret) {
    uint64_t v;
    int r = varint_read(reader, &v);
    if (r < 0)
        return r;
    if (v == 0 && !may_be_default)
        return -EBADMSG;
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)ret = v;
        return 0;
    case PROTOBUF_C_TYPE_SINT64:
        *(int64_t *)ret = (int64_t)(v >> 1 ^ -(v & 1));
        return 0;
    case PROTOBUF_C_TYPE_ENUM:
        if (v > INT32_MAX || !protobuf_c_enum_descriptor_get_value(field->descriptor, (int)v))
            return -EBADMSG;
        break;
    case PROTOBUF_C_TYPE_BOOL:
        if (v > 1)
            return -EBADMSG;
        break;
    default:
        assert(field->type == PROTOBUF_C_TYPE_UINT32);
        if (v > UINT32_MAX)
            return -EBADMSG;
    }
    *(uint32_t *)ret = (uint32_t)v;
    return 0;
}

static int length_decode(struct reader *reader, const ProtobufCFieldDescriptor *field,
                         bool may_be_default, void *ret) {
    const uint8_t *p;
    size_t n;
    int r = piece_read(reader, &p, &n);
    if (r < 0)
        return r;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return message_decode(field->descriptor, p, n, reader->arena, ret);
    if (n == 0 && !may_be_default)
        return -EBADMSG;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return string_decode(reader, p, n, ret);
    assert(field->type == PROTOBUF_C_TYPE_BYTES);
    return data_decode(reader, p, n, ret);
}

static bool is_packed(const ProtobufCFieldDescriptor *field) {
    return field->label == PROTOBUF_C_LABEL_REPEATED &&
           (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0;
}

static unsigned wire_type(const ProtobufCFieldDescriptor *field) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_LENGTH;
    default:
        return is_packed(field) ? WIRE_LENGTH : WIRE_VARINT;
    }
}

static size_t number_bytes(const ProtobufCFieldDescriptor *field) {
    return field->type == PROTOBUF_C_TYPE_UINT64 ? sizeof(uint64_t) : sizeof(uint32_t);
}

/* One length, and numbers to its end: as many as there are bytes without the mark that more follow.
 */
static int packed_decode(struct reader *reader, const ProtobufCFieldDescriptor *field,
                         size_t *ret_n, void **ret) {
    const uint8_t *p;
    size_t n, n_numbers = 0, n_number = number_bytes(field);
    int r = piece_read(reader, &p, &n);
    if (r < 0 || n == 0)
        return -EBADMSG;
    for (size_t i = 0; i < n; i++)
        n_numbers += p[i] < 0x80;
    uint8_t *numbers = arena_alloc(reader->arena, MAX_OF(n_numbers, (size_t)1) * n_number);
    if (!numbers)
        return -ENOMEM;
    struct reader inner = {.at = p, .end = p + n, .arena = reader->arena};
    for (size_t i = 0; i < n_numbers && r == 0; i++)
        r = varint_decode(&inner, field, true, numbers + i * n_number);
    if (r < 0 || inner.at != inner.end)
        return -EBADMSG;
    *ret_n = n_numbers;
    *ret = numbers;
    return 0;
}

/* How many elements follow that carry the same tag, the one whose tag was just read included. */
static int elements_count(struct reader ahead, uint64_t tag, size_t *ret) {
    uint64_t next = tag;
    size_t n_elements = 0;
    while (next == tag) {
        const uint8_t *p;
        size_t n;
        int r = piece_read(&ahead, &p, &n);
        if (r < 0)
            return r;
        n_elements++;
        if (ahead.at == ahead.end)
            break;
        r = varint_read(&ahead, &next);
        if (r < 0)
            return r;
    }
    *ret = n_elements;
    return 0;
}

static int list_decode(struct reader *reader, const ProtobufCFieldDescriptor *field, uint64_t tag,
                       size_t *ret_n, void **ret) {
    bool is_text = field->type == PROTOBUF_C_TYPE_STRING;
    size_t n_element = is_text ? sizeof(char *) : sizeof(ProtobufCBinaryData), n_elements;
    int r = elements_count(*reader, tag, &n_elements);
    if (r < 0)
        return r;
    uint8_t *elements = arena_alloc(reader->arena, n_elements * n_element);
    if (!elements)
        return -ENOMEM;
    for (size_t i = 0; i < n_elements; i++) {
        uint64_t again = tag;
        r = i > 0 ? varint_read(reader, &again) : 0;
        assert(again == tag);
        if (r == 0)
            r = length_decode(reader, field, true, elements + i * n_element);
        if (r < 0)
            return r;
    }
    *ret_n = n_elements;
    *ret = elements;
    return 0;
}

static int field_decode(struct reader *reader, const ProtobufCFieldDescriptor *field, uint64_t tag,
                        ProtobufCMessage *message) {
    uint8_t *at = (uint8_t *)message + field->offset;
    void *quantifier = (uint8_t *)message + field->quantifier_offset;
    if (is_packed(field))
        return packed_decode(reader, field, quantifier, (void **)at);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return list_decode(reader, field, tag, quantifier, (void **)at);
    bool is_in_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (is_in_oneof) {
        uint32_t *one = quantifier;
        if (*one != 0)
            return -EBADMSG;
        *one = field->id;
    }
    return wire_type(field) == WIRE_LENGTH ? length_decode(reader, field, is_in_oneof, at)
                                           : varint_decode(reader, field, is_in_oneof, at);
}

static int message_decode(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body,
                          size_t n, struct arena *arena, ProtobufCMessage **ret) {
    struct reader reader = {.at = body, .end = body + n, .arena = arena};
    ProtobufCMessage *message = arena_alloc(arena, descriptor->sizeof_message);
    if (!message)
        return -ENOMEM;
    descriptor->message_init(message);
    for (unsigned i = 0; reader.at < reader.end; i++) {
        uint64_t tag;
        int r = varint_read(&reader, &tag);
        if (r < 0)
            return r;
        while (i < descriptor->n_fields && descriptor->fields[i].id < tag >> 3)
            i++;
        if (i == descriptor->n_fields)
            return -EBADMSG;
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (((uint64_t)field->id << 3 | wire_type(field)) != tag)
            return -EBADMSG;
        r = field_decode(&reader, field, tag, message);
        if (r < 0)
            return r;
    }
    *ret = message;
    return 0;
}

int canonical_decode(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body, size_t n,
                     struct arena *arena, ProtobufCMessage **ret) {
    return message_decode(descriptor, n > 0 ? body : (const uint8_t *)"", n, arena, ret);
}

static bool field_is_known(const ProtobufCFieldDescriptor *field) {
    bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        return true;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
        return !is_list || is_packed(field);
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_ENUM:
        return !is_list;
    case PROTOBUF_C_TYPE_MESSAGE:
        /* Outside a oneof protobuf-c packs a message that is there and empty: so does canonical
         * form. */
        return !is_list && canonical_knows(field->descriptor);
    default:
        return false;
    }
}

bool canonical_knows(const ProtobufCMessageDescriptor *descriptor) {
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        if (!field_is_known(&descriptor->fields[i]))
            return false;
    return true;
}
