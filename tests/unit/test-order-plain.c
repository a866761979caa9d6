/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain form of an order, against canonical_decode(): what the one takes the other takes, too,
 * and as the same message; and what is canonical is left to the other only where an id has not its
 * length or a number is huge.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "helpers.h"
#include "proto/canonical.h"
#include "proto/order-plain.h"
#include "proto/record.h"

TestSuite(order_plain, .timeout = 60);

#define N_ORDERS 60000
#define N_MUTANTS 5
#define ARENA_BYTES (1u << 20)

static uint64_t seed = 20261123;

static uint64_t number(void) {
    return random_next(&seed);
}

/* Of every length up to eight bytes as a varint, and often 0. */
static uint64_t some(unsigned n_bits) {
    return number() % 3 == 0 ? 0 : number() >> (64 - 1 - number() % n_bits);
}

static uint8_t filler[64];
static char texts[16][160];
static size_t n_texts;

/* ASCII mostly; else what is UTF-8, or is not. */
static char *text(void) {
    static const char *const pieces[] = {"\xc5\xbd", "\xe2\x82\xac", "\xf0\x9f\x8c\xb3",
                                         "\x7f",     "\x01",         "\xff"};
    char *to = texts[n_texts++ % 16];
    size_t n = number() % 3 == 0 ? 0 : number() % 16 == 0 ? number() % 150 : 1 + number() % 20;
    for (size_t i = 0; i < n; i++)
        to[i] = (char)('a' + number() % 26);
    to[n] = '\0';
    if (n > 4 && number() % 8 == 0) {
        const char *piece = pieces[number() % N_ELEMENTS(pieces)];
        memcpy(to + number() % (n - 3), piece, strlen(piece));
    }
    return to;
}

static ProtobufCBinaryData data(size_t n) {
    return (ProtobufCBinaryData){n, filler};
}

static void fill(Timebank__Order *order) {
    timebank__order__init(order);
    order->id = data(number() % 32 == 0 ? number() % 20 : 16);
    order->service_day = (uint32_t)some(32);
    order->from = text();
    order->from_person = text();
    order->to = text();
    order->to_person = text();
    order->minutes = some(56);
    order->typed_minutes = some(56);
    order->authority = (Timebank__Authority)(number() % 7);
    order->activity = text();
    order->sheet = text();
    order->line = (uint32_t)some(32);
    order->claimed_day = (uint32_t)some(32);
    order->note = data(number() % 2 ? 32 : 0);
    order->override = (uint32_t)some(32);
    order->corrects = data(number() % 2 ? 16 : 0);
    order->source = (Timebank__Source)(number() % 4);
    order->proposal = number() % 2;
}

static const Timebank__Order__KindCase kinds[] = {
#define KIND(field, NAME, name, counts) TIMEBANK__ORDER__KIND_##NAME,
#include "proto/kinds.def"
#undef KIND
};

/* Of a kind's message, its first field at most: the rest of it is canonical_decode()'s. */
static ProtobufCMessage *member_make(Timebank__Order__KindCase kind) {
    const ProtobufCMessageDescriptor *descriptor =
        protobuf_c_message_descriptor_get_field(&timebank__order__descriptor, kind)->descriptor;
    ProtobufCMessage *member = calloc(1, descriptor->sizeof_message);
    cr_assert(member);
    descriptor->message_init(member);
    if (descriptor->n_fields > 0 && number() % 2) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[0];
        void *at = (uint8_t *)member + field->offset;
        if (field->label == PROTOBUF_C_LABEL_REPEATED || field->quantifier_offset > 0)
            return member;
        if (field->type == PROTOBUF_C_TYPE_STRING)
            *(char **)at = text();
        else if (field->type == PROTOBUF_C_TYPE_BYTES)
            *(ProtobufCBinaryData *)at = data(record_member_bytes(field->name));
        else
            *(uint32_t *)at = 1;
    }
    return member;
}

static struct bytes order_make(void) {
    Timebank__Order order;
    struct bytes record = {0};
    fill(&order);
    order.kind_case = kinds[number() % 2 ? number() % 6 : number() % N_ELEMENTS(kinds)];
    order.exchange = (Timebank__Exchange *)member_make(order.kind_case);
    record_order_encode(&order, &record);
    cr_assert(record.r == 0);
    free(order.exchange);
    return record;
}

/* How the two answer: a copy that ends where the memory does, so that the sanitizers see who reads
 * past it. */
static int both_decode(const uint8_t *body, size_t n, bool *ret_is_canonical) {
    uint8_t *copy = malloc(n);
    struct arena arena;
    Timebank__Order *plain = NULL;
    ProtobufCMessage *whole = NULL;
    cr_assert(copy || n == 0);
    memcpy(copy, body, n);
    arena_init(&arena, ARENA_BYTES);
    int r = order_plain_decode(copy, n, &arena, &plain);
    int r_whole = canonical_decode(&timebank__order__descriptor, copy, n, &arena, &whole);
    cr_assert(r == 0 || (r == -EBADMSG && !plain));
    cr_assert(r < 0 || r_whole == 0, "taken, and it is not canonical");
    cr_assert(memcmp(copy, body, n) == 0, "the body is the caller's");
    free(copy);
    if (r == 0) {
        struct bytes ours = {0}, theirs = {0};
        cr_assert(!record_order_difference(plain, (Timebank__Order *)whole));
        cr_assert(plain->kind_case == ((Timebank__Order *)whole)->kind_case);
        cr_assert_eq(plain->exchange->base.descriptor,
                     ((Timebank__Order *)whole)->exchange->base.descriptor);
        record_order_encode(plain, &ours);
        record_order_encode((Timebank__Order *)whole, &theirs);
        cr_assert(ours.n == n + 1 && memcmp(ours.data + 1, body, n) == 0);
        cr_assert(theirs.n == n + 1 && memcmp(theirs.data + 1, body, n) == 0);
        bytes_fini(&ours);
        bytes_fini(&theirs);
    }
    arena_fini(&arena);
    *ret_is_canonical = r_whole == 0;
    return r;
}

static size_t mutate(uint8_t *body, size_t n, size_t n_max) {
    static const uint8_t telling[] = {0x00, 0x01, 0x02, 0x0a, 0x10, 0x1a, 0x7f, 0x80, 0x82, 0xff};
    size_t at = number() % n;
    uint8_t byte = number() % 2 ? telling[number() % sizeof(telling)] : (uint8_t)number();
    switch (number() % 5) {
    case 0:
        memmove(body + at, body + at + 1, n - at - 1);
        return n - 1;
    case 1:
        if (n == n_max)
            return n;
        memmove(body + at + 1, body + at, n - at);
        body[at] = byte;
        return n + 1;
    case 2:
        body[at] ^= (uint8_t)(1u << number() % 8);
        return n;
    case 3:
        return number() % 4 == 0 ? at : n;
    default:
        body[at] = byte;
        return n;
    }
}

Test(order_plain, takes_what_is_canonical_and_nothing_else) {
    size_t n_whole = 0, n_taken = 0, n_mutants_taken = 0;
    for (size_t i = 0; i < N_ORDERS; i++) {
        struct bytes record = order_make();
        bool is_canonical;
        int r = both_decode(record.data + 1, record.n - 1, &is_canonical);
        bool fits = record.data[1] != 0x0a || record.data[2] == ORDER_ID_BYTES;
        n_whole += is_canonical;
        n_taken += r == 0;
        cr_assert((r == 0) == (is_canonical && fits), "order %zu", i);
        for (int k = 0; k < N_MUTANTS && record.n > 2; k++) {
            uint8_t body[2048];
            size_t n = record.n - 1;
            memcpy(body, record.data + 1, n);
            for (uint64_t j = 1 + number() % 3; j > 0 && n > 0; j--)
                n = mutate(body, n, sizeof(body));
            n_mutants_taken += both_decode(body, n, &is_canonical) == 0;
        }
        bytes_fini(&record);
    }
    cr_assert(n_taken > N_ORDERS / 2 && n_taken < n_whole, "%zu of %zu", n_taken, n_whole);
    cr_assert(n_mutants_taken > 1000, "%zu: the mutator tells nothing", n_mutants_taken);
}

/* A field that is there and says nothing is not canonical, whichever it is. */
Test(order_plain, refuses_a_field_of_nothing) {
    uint8_t id[2 + ORDER_ID_BYTES] = {0x0a, ORDER_ID_BYTES};
    static const uint8_t exchange[] = {0x82, 0x02, 0};
    const ProtobufCMessageDescriptor *order = &timebank__order__descriptor;
    for (unsigned i = 0; i < order->n_fields && order->fields[i].id < 32; i++) {
        const ProtobufCFieldDescriptor *field = &order->fields[i];
        bool is_text =
            field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES;
        uint32_t key = field->id << 3 | (is_text ? 2 : 0);
        uint8_t body[64];
        size_t n = 0;
        bool is_canonical;
        if (field->id > 1) {
            memcpy(body, id, sizeof(id));
            n += sizeof(id);
        }
        body[n++] = (uint8_t)(key < 0x80 ? key : key | 0x80);
        if (key >= 0x80)
            body[n++] = (uint8_t)(key >> 7);
        body[n++] = 0;
        memcpy(body + n, exchange, sizeof(exchange));
        cr_assert(both_decode(body, n + sizeof(exchange), &is_canonical) == -EBADMSG &&
                      !is_canonical,
                  "%s", field->name);
    }
}

/* One piece for it and its texts; no room, and it says so. */
Test(order_plain, takes_one_piece_of_the_arena_or_says_that_there_is_no_room) {
    Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT, *back;
    _cleanup_bytes_ struct bytes record = {0};
    struct arena arena;
    order.id = data(16);
    order.from = "m7";
    order.to = "m12";
    order.minutes = 150;
    order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
    order.exchange = &exchange;
    record_order_encode(&order, &record);
    arena_init(&arena, 320);
    cr_assert(order_plain_decode(record.data + 1, record.n - 1, &arena, &back) == 0);
    cr_assert_str_eq(back->from, "m7");
    cr_assert_str_eq(back->to, "m12");
    cr_assert_str_eq(back->activity, "");
    cr_assert(back->minutes == 150 && back->id.len == 16);
    cr_assert(order_plain_decode(record.data + 1, record.n - 1, &arena, &back) == -ENOMEM);
    arena_fini(&arena);
}

/* What takes nine bytes or ten is left to whoever reads all numbers. */
Test(order_plain, leaves_huge_numbers_to_canonical_decode) {
    for (unsigned bit = 0; bit < 64; bit++) {
        Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
        Timebank__Order order = TIMEBANK__ORDER__INIT;
        _cleanup_bytes_ struct bytes record = {0};
        bool is_canonical;
        order.id = data(16);
        order.minutes = UINT64_C(1) << bit;
        order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
        order.exchange = &exchange;
        record_order_encode(&order, &record);
        int r = both_decode(record.data + 1, record.n - 1, &is_canonical);
        cr_assert(is_canonical && r == (bit < 56 ? 0 : -EBADMSG), "bit %u", bit);
    }
}
