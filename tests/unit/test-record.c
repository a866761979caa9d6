/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: the fixed layouts, and orders whose bytes are canonical or refused. The second opinion
 * is protobuf-c's own: unpack, look at what it does not check, pack again, compare.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/utf8.h"
#include "helpers.h"
#include "proto/canonical.h"
#include "proto/record.h"

TestSuite(record, .timeout = 60);

/* ---- the second opinion */

static bool plain_message_is_clean(const ProtobufCMessage *message);

static bool plain_value_is_clean(const ProtobufCFieldDescriptor *field, const void *value) {
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(char *const *)value;
        return utf8_is_valid(text, strlen(text));
    }
    if (field->type == PROTOBUF_C_TYPE_ENUM)
        return protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)value);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return plain_message_is_clean(*(ProtobufCMessage *const *)value);
    return true;
}

static bool plain_message_is_clean(const ProtobufCMessage *message) {
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const uint8_t *at = (const uint8_t *)message + field->offset;
        const void *quantifier = (const uint8_t *)message + field->quantifier_offset;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            for (size_t j = 0;
                 field->type == PROTOBUF_C_TYPE_STRING && j < *(const size_t *)quantifier; j++)
                if (!plain_value_is_clean(field, *(const uint8_t *const *)at + j * sizeof(char *)))
                    return false;
            continue;
        }
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
            *(const uint32_t *)quantifier != field->id)
            continue;
        if (!plain_value_is_clean(field, at))
            return false;
    }
    return message->n_unknown_fields == 0;
}

static bool plain_length_holds(const ProtobufCBinaryData *data, size_t n) {
    return data->len == 0 || data->len == n;
}

static bool plain_member_lengths_hold(const Timebank__Order *order) {
    switch (order->kind_case) {
#define TARGET(NAME, member)                                                                       \
    case TIMEBANK__ORDER__KIND_##NAME:                                                             \
        return plain_length_holds(&order->member->target, 16);
#define QUOTE(NAME, member)                                                                        \
    case TIMEBANK__ORDER__KIND_##NAME:                                                             \
        return plain_length_holds(&order->member->target, 16) &&                                   \
               plain_length_holds(&order->member->quote, 32);
#define KEY(NAME, member)                                                                          \
    case TIMEBANK__ORDER__KIND_##NAME:                                                             \
        return plain_length_holds(&order->member->key, 32);
        TARGET(REVERSE, reverse)
        TARGET(DECLINE, decline)
        TARGET(WITHDRAW, withdraw)
        TARGET(DISPUTE, dispute)
        TARGET(DECIDE, decide)
        TARGET(CAPTURE, capture)
        TARGET(RELEASE, release)
        TARGET(UNMERGE, unmerge)
        QUOTE(CONFIRM, confirm)
        QUOTE(APPROVE, approve)
        KEY(GRANT_KEY, grant_key)
        KEY(REVOKE_KEY, revoke_key)
        KEY(SET_VOUCHER_KEY, set_voucher_key)
    case TIMEBANK__ORDER__KIND_TRANSFER:
        return plain_length_holds(&order->transfer->transfer_id, 16);
    case TIMEBANK__ORDER__KIND_REDEEM_VOUCHER:
        return plain_length_holds(&order->redeem_voucher->claims, 22) &&
               plain_length_holds(&order->redeem_voucher->signature, 64);
    case TIMEBANK__ORDER__KIND_ROTATE_KEY:
        return plain_length_holds(&order->rotate_key->key, 32) &&
               plain_length_holds(&order->rotate_key->by_old, 64) &&
               plain_length_holds(&order->rotate_key->by_new, 64);
    case TIMEBANK__ORDER__KIND_RELEASE_REPORT:
        return plain_length_holds(&order->release_report->root, 32) &&
               plain_length_holds(&order->release_report->checksum, 32) &&
               plain_length_holds(&order->release_report->register_checksum, 32);
    default:
        return true;
    }
}

static bool plain_lengths_hold(const Timebank__Order *order) {
    return order->kind_case != 0 && order->id.len == 16 && plain_length_holds(&order->note, 32) &&
           plain_length_holds(&order->corrects, 16) && plain_member_lengths_hold(order);
}

static bool plain_accepts(const uint8_t *body, size_t n) {
    ProtobufCMessage *message =
        protobuf_c_message_unpack(&timebank__order__descriptor, NULL, n, body);
    if (!message)
        return false;
    uint8_t *packed = malloc(protobuf_c_message_get_packed_size(message) + 1);
    bool is_good = plain_message_is_clean(message) &&
                   plain_lengths_hold((Timebank__Order *)message) &&
                   protobuf_c_message_get_packed_size(message) == n &&
                   protobuf_c_message_pack(message, packed) == n && memcmp(packed, body, n) == 0;
    free(packed);
    protobuf_c_message_free_unpacked(message, NULL);
    return is_good;
}

/* ---- orders to work with */

static struct arena arena;
static uint8_t id[16], note[32], target[16], key[32];

static void setup(void) {
    arena_init(&arena, 1 << 20);
    memset(id, 0x11, sizeof(id));
    memset(note, 0x22, sizeof(note));
    memset(target, 0x33, sizeof(target));
    memset(key, 0x44, sizeof(key));
}

static void teardown(void) {
    arena_fini(&arena);
}

#define BODY(bytes) (bytes).data + 1, (bytes).n - 1

static Timebank__Order order_make(void) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    order.id = (ProtobufCBinaryData){sizeof(id), id};
    order.service_day = 20152;
    order.from = "m7";
    order.to = "m12";
    order.minutes = 150;
    order.authority = TIMEBANK__AUTHORITY__BY_BROKER;
    return order;
}

/* Of the length that the field has. */
static ProtobufCBinaryData data_make(const char *name) {
    static uint8_t filler[64] = {0x55};
    static const struct {
        const char *name;
        size_t n;
    } lengths[] = {
        {"target", 16},           {"quote", 32},  {"key", 32},    {"claims", 22}, {"signature", 64},
        {"transfer_id", 16},      {"by_old", 64}, {"by_new", 64}, {"root", 32},   {"checksum", 32},
        {"register_checksum", 32}};
    for (size_t i = 0; i < N_ELEMENTS(lengths); i++)
        if (strcmp(name, lengths[i].name) == 0)
            return (ProtobufCBinaryData){lengths[i].n, filler};
    cr_assert_fail("%s: bytes of what length?", name);
    return (ProtobufCBinaryData){};
}

static void list_fill(const ProtobufCFieldDescriptor *field, size_t *ret_n, void **ret) {
    static char *texts[] = {"outdoors", "", "spring"};
    static uint32_t numbers[] = {1, 0, UINT32_MAX};
    static uint64_t long_numbers[] = {0, 150, UINT64_MAX};
    *ret_n = 3;
    *ret = field->type == PROTOBUF_C_TYPE_STRING   ? (void *)texts
           : field->type == PROTOBUF_C_TYPE_UINT32 ? (void *)numbers
                                                   : (void *)long_numbers;
}

static void field_fill(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message) {
    uint8_t *at = (uint8_t *)message + field->offset;
    void *quantifier = (uint8_t *)message + field->quantifier_offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        list_fill(field, quantifier, (void **)at);
        return;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        *(uint32_t *)quantifier = field->id;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        *(char **)at = "Žofín";
    else if (field->type == PROTOBUF_C_TYPE_BYTES)
        *(ProtobufCBinaryData *)at = data_make(field->name);
    else if (field->type == PROTOBUF_C_TYPE_UINT64)
        *(uint64_t *)at = UINT64_MAX;
    else if (field->type == PROTOBUF_C_TYPE_SINT64)
        *(int64_t *)at = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF && field->id % 2 == 0
                             ? 0 /* zero inside a oneof is said */
                             : -1200;
    else if (field->type == PROTOBUF_C_TYPE_UINT32)
        *(uint32_t *)at = 300;
    else
        *(uint32_t *)at = 1; /* a bool, or an enum's first word that says something */
}

/* An order of the kind, with every field of it set to something. */
static struct bytes order_bytes(Timebank__Order__KindCase kind) {
    const ProtobufCFieldDescriptor *member =
        protobuf_c_message_descriptor_get_field(&timebank__order__descriptor, kind);
    const ProtobufCMessageDescriptor *descriptor = member->descriptor;
    Timebank__Order order = order_make();
    struct bytes bytes = {};
    ProtobufCMessage *message = calloc(1, descriptor->sizeof_message);
    cr_assert(message);
    descriptor->message_init(message);
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        field_fill(&descriptor->fields[i], message);
    order.kind_case = kind;
    order.exchange = (Timebank__Exchange *)message; /* the members lie at one place */
    record_order_encode(&order, &bytes);
    cr_assert(bytes.r == 0 && bytes.data[0] == RECORD_ORDER);
    free(message);
    return bytes;
}

static const Timebank__Order__KindCase kinds[] = {
#define KIND(field, NAME, name, counts) TIMEBANK__ORDER__KIND_##NAME,
#include "proto/kinds.def"
#undef KIND
};

/* Every field of an Order set. */
static struct bytes order_bytes_full(void) {
    Timebank__Redeem redeem = TIMEBANK__REDEEM__INIT;
    Timebank__Order order = order_make();
    struct bytes bytes = {};
    redeem.offer = "Žofín";
    redeem.adults = 1;
    redeem.under16 = 2;
    order.from_person = "Ann";
    order.to_person = "Bo";
    order.typed_minutes = 147;
    order.activity = "befriending";
    order.sheet = "library-2025-03";
    order.line = 12;
    order.claimed_day = 20160;
    order.note = (ProtobufCBinaryData){sizeof(note), note};
    order.override = 5;
    order.corrects = (ProtobufCBinaryData){sizeof(target), target};
    order.source = TIMEBANK__SOURCE__HISTORY;
    order.proposal = true;
    order.kind_case = TIMEBANK__ORDER__KIND_REDEEM;
    order.redeem = &redeem;
    record_order_encode(&order, &bytes);
    cr_assert(bytes.r == 0);
    return bytes;
}

static int decode(const uint8_t *body, size_t n, Timebank__Order **ret) {
    arena_reset(&arena);
    return record_order_decode(body, n, &arena, ret);
}

static void refuses_hex(const char *tail, const char *why) {
    uint8_t body[512] = {0x0a, 0x10};
    Timebank__Order *order = NULL;
    memset(body + 2, 0x11, 16);
    size_t n = 18 + unhex(tail, body + 18);
    cr_assert(decode(body, n, &order) == -EBADMSG && !order, "%s", why);
    cr_assert(!plain_accepts(body, n), "%s: protobuf-c thinks otherwise", why);
}

/* ---- fixed layouts */

Test(record, lays_a_seal_out_in_249_bytes) {
    struct record_seal seal = {.received_at_ms = UINT64_C(0x0102030405060708)}, back;
    uint8_t packed[RECORD_SEAL_BYTES], expected[RECORD_SEAL_BYTES] = {1};
    memset(seal.header, 0xaa, sizeof(seal.header));
    memset(seal.signature, 0xbb, sizeof(seal.signature));
    record_seal_pack(&seal, packed);
    memset(expected + 1, 0xaa, 176);
    memset(expected + 177, 0xbb, 64);
    unhex("0102030405060708", expected + 241);
    cr_assert(sizeof(packed) == 249 && memcmp(packed, expected, sizeof(packed)) == 0);
    for (size_t bit = 0; bit < 8 * sizeof(packed); bit++) {
        uint8_t again[RECORD_SEAL_BYTES];
        packed[bit / 8] ^= 1 << bit % 8;
        int r = record_seal_unpack(packed, sizeof(packed), &back);
        cr_assert(r == (bit < 8 ? -EBADMSG : 0));
        if (r == 0) {
            record_seal_pack(&back, again);
            cr_assert(memcmp(again, packed, sizeof(again)) == 0);
        }
        packed[bit / 8] ^= 1 << bit % 8;
    }
    cr_assert(record_seal_unpack(packed, sizeof(packed) - 1, &back) == -EBADMSG);
    cr_assert(record_seal_unpack(packed, 0, &back) == -EBADMSG);
}

Test(record, lays_a_state_out_in_57_bytes) {
    struct record_state state = {.covers = 0x01020304,
                                 .n_accounts = 0x05060708,
                                 .ledger_time_ms = 0x090a0b0c},
                        back;
    uint8_t packed[RECORD_STATE_BYTES], expected[RECORD_STATE_BYTES];
    memset(state.root.b, 0xcc, 32);
    record_state_pack(&state, packed);
    unhex("0400000000010203040000000005060708", expected);
    memset(expected + 17, 0xcc, 32);
    unhex("00000000090a0b0c", expected + 49);
    cr_assert(sizeof(packed) == 57 && memcmp(packed, expected, sizeof(packed)) == 0);
    cr_assert(record_state_unpack(packed, sizeof(packed), &back) == 0);
    cr_assert(back.covers == state.covers && back.n_accounts == state.n_accounts);
    cr_assert(back.ledger_time_ms == state.ledger_time_ms && hash_equal(&back.root, &state.root));
    packed[0] = RECORD_SEAL;
    cr_assert(record_state_unpack(packed, sizeof(packed), &back) == -EBADMSG);
    packed[0] = RECORD_STATE;
    cr_assert(record_state_unpack(packed, sizeof(packed) - 1, &back) == -EBADMSG);
    cr_assert(record_state_unpack(packed, 0, &back) == -EBADMSG);
}

/* ---- orders */

Test(record, reads_back_every_kind_of_order, .init = setup, .fini = teardown) {
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
        _cleanup_bytes_ struct bytes bytes = order_bytes(kinds[i]);
        _cleanup_bytes_ struct bytes again = {};
        Timebank__Order *order;
        cr_assert(decode(BODY(bytes), &order) == 0, "%s", record_kind_name(kinds[i]));
        cr_assert(order->kind_case == kinds[i]);
        record_order_encode(order, &again);
        cr_assert(again.n == bytes.n && memcmp(again.data, bytes.data, bytes.n) == 0);
        cr_assert(plain_accepts(BODY(bytes)));
    }
}

Test(record, reads_every_field_of_an_order, .init = setup, .fini = teardown) {
    _cleanup_bytes_ struct bytes bytes = order_bytes_full();
    Timebank__Order *order;
    cr_assert(decode(BODY(bytes), &order) == 0);
    cr_assert(order->id.len == 16 && memcmp(order->id.data, id, 16) == 0);
    cr_assert(order->service_day == 20152 && order->minutes == 150 && order->typed_minutes == 147);
    cr_assert_str_eq(order->from, "m7");
    cr_assert_str_eq(order->from_person, "Ann");
    cr_assert_str_eq(order->to, "m12");
    cr_assert_str_eq(order->to_person, "Bo");
    cr_assert_str_eq(order->activity, "befriending");
    cr_assert_str_eq(order->sheet, "library-2025-03");
    cr_assert(order->line == 12 && order->claimed_day == 20160 && order->override == 5);
    cr_assert(order->authority == TIMEBANK__AUTHORITY__BY_BROKER &&
              order->source == TIMEBANK__SOURCE__HISTORY);
    cr_assert(order->proposal == 1);
    cr_assert(order->note.len == 32 && memcmp(order->note.data, note, 32) == 0);
    cr_assert(order->corrects.len == 16 && memcmp(order->corrects.data, target, 16) == 0);
    cr_assert_str_eq(order->redeem->offer, "Žofín");
    cr_assert(order->redeem->adults == 1 && order->redeem->under16 == 2);
    for (unsigned i = 0; i < order->base.descriptor->n_fields; i++)
        if (order->base.descriptor->fields[i].id < 32)
            cr_assert(order->base.descriptor->fields[i].id <= 18,
                      "a field that this test does not set");
}

Test(record, leaves_what_is_not_said_at_its_default, .init = setup, .fini = teardown) {
    uint8_t body[] = {0x0a, 0x10, 1,  2,  3,  4,  5,  6,    7,    8,   9,
                      10,   11,   12, 13, 14, 15, 16, 0x82, 0x02, 0x00};
    Timebank__Order *order;
    cr_assert(decode(body, sizeof(body), &order) == 0);
    cr_assert(order->kind_case == TIMEBANK__ORDER__KIND_EXCHANGE && order->exchange);
    cr_assert_str_eq(order->from, "");
    cr_assert(order->note.len == 0 && order->minutes == 0);
}

Test(record, refuses_each_form_that_is_not_canonical, .init = setup, .fini = teardown) {
    refuses_hex("", "no kind");
    refuses_hex("820200820200", "the kind twice");
    refuses_hex("8202008a0200", "two kinds");
    refuses_hex("82020010b89d01", "fields out of order");
    refuses_hex("1000820200", "a zero that is said");
    refuses_hex("1a00820200", "an empty string that is said");
    refuses_hex("108100820200", "a varint with a spare byte");
    refuses_hex("10ffffffff1f820200", "33 bits in a uint32");
    refuses_hex("38ffffffffffffffffff02820200", "65 bits in a uint64");
    refuses_hex("38ffffffffffffffffff8101820200", "eleven bytes of varint");
    refuses_hex("1001100282020000", "a scalar twice");
    refuses_hex("4807820200", "an authority that there is not");
    refuses_hex("48ffffffffffffffffff01820200", "a negative authority");
    refuses_hex("880104820200", "a source that there is not");
    refuses_hex("1a0161", "no kind after a string");
    refuses_hex("1a02616282028000", "a length with a spare byte");
    refuses_hex("1a03610062820200", "a NUL in a string");
    refuses_hex("1a0100820200", "a NUL as a string");
    refuses_hex("1a01ff820200", "no UTF-8");
    refuses_hex("1a02c080820200", "overlong UTF-8");
    refuses_hex("1a03eda080820200", "a surrogate");
    refuses_hex("1a0561", "a string past the end");
    refuses_hex("1affffffff0f61", "a string of 4 GiB");
    refuses_hex("9001018202", "a cut tag");
    refuses_hex("820200900301", "an unknown field");
    refuses_hex("980101820200", "an unknown field below");
    refuses_hex("82020108", "a cut field inside the kind");
    refuses_hex("8202020801", "an unknown field inside the kind");
    refuses_hex("80020182020000", "a kind as a number");
    refuses_hex("1501000000820200", "a number as four bytes");
    refuses_hex("1b1c820200", "a group");
    refuses_hex("0a10111111111111111111111111111111111111820200", "the id twice");
    refuses_hex("720101820200", "a note of one byte");
    refuses_hex("8201021111820200", "a short corrects");
    refuses_hex("c202030a0101", "a short target");
    refuses_hex("ca04030a0101", "a short key");
    refuses_hex("d204030a0101", "a short key to revoke");
    refuses_hex("92040408011001", "an unknown field in open_account");
    refuses_hex("920402080c", "a kind of account that there is not");
    refuses_hex("9204020800", "a kind of account that is said and none");
    refuses_hex("ba04020a00", "a name that is said and empty");
    refuses_hex("900102820200", "a bool of two");
    refuses_hex("900100820200", "a bool that is said and false");
    refuses_hex("ca020412020101ca02021200", "the kind in two pieces");
    refuses_hex("ca02021200", "an empty packed list");
    refuses_hex("ca0204120280", "a packed list past its end");
    refuses_hex("ca02041202018a", "a packed list with a cut number");
    refuses_hex("ca020512038001800100", "a packed list with a spare byte");
    refuses_hex("ca02021001", "a packed list that is not packed");
    refuses_hex("ca0206120101120101", "a packed list twice");
    refuses_hex("d202030a0101", "a short target to confirm");
    refuses_hex("d20203120101", "a short quote");
    refuses_hex("a203030a0101", "short claims");
    refuses_hex("a20303120101", "a short signature of a voucher");
    refuses_hex("ea03030a0101", "a short transfer id");
    refuses_hex("00", "field number zero");
    refuses_hex("808080808080808080808001", "an endless tag");
}

Test(record, insists_on_an_id_of_16_bytes, .init = setup, .fini = teardown) {
    Timebank__Order *order;
    for (size_t n = 0; n < 40; n++) {
        uint8_t body[64] = {0x0a, (uint8_t)n};
        memset(body + 2, 7, n);
        memcpy(body + 2 + n, "\x82\x02\x00", 3);
        int r = decode(n == 0 ? body + 2 : body, n == 0 ? 3 : n + 5, &order);
        cr_assert(r == (n == 16 ? 0 : -EBADMSG), "%zu bytes", n);
    }
    cr_assert(decode(NULL, 0, &order) == -EBADMSG);
}

Test(record, takes_no_record_longer_than_the_limit, .init = setup, .fini = teardown) {
    for (size_t n = RECORD_MAX - 100; n < RECORD_MAX + 10; n++) {
        Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
        Timebank__Order order = order_make(), *back;
        _cleanup_(freep) char *text = calloc(1, n + 1);
        _cleanup_bytes_ struct bytes bytes = {};
        memset(text, 'a', n);
        order.activity = text;
        order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
        order.exchange = &exchange;
        record_order_encode(&order, &bytes);
        cr_assert(decode(BODY(bytes), &back) == (bytes.n <= RECORD_MAX ? 0 : -EBADMSG));
    }
}

Test(record, stops_at_the_arenas_cap_instead_of_growing, .init = setup, .fini = teardown) {
    _cleanup_bytes_ struct bytes bytes = order_bytes_full();
    Timebank__Order *order;
    for (size_t cap = 0; cap < 1600; cap += 16) {
        struct arena small;
        arena_init(&small, cap);
        int r = record_order_decode(BODY(bytes), &small, &order);
        cr_assert(r == 0 || r == -ENOMEM, "cap %zu: %d", cap, r);
        cr_assert(r < 0 || cap > 300);
        arena_fini(&small);
    }
    cr_assert(decode(BODY(bytes), &order) == 0);

    /* 16,000 empty tags in 32 KiB. */
    _cleanup_bytes_ struct bytes tags = {};
    bytes_put(&tags, bytes.data + 1, 18);
    size_t n = 16000;
    uint8_t head[] = {0xb2, 0x04, (uint8_t)(2 * n % 128 | 0x80),
                      (uint8_t)(2 * n / 128 % 128 | 0x80), (uint8_t)(2 * n / 16384)};
    bytes_put(&tags, head, sizeof(head));
    for (size_t i = 0; i < n; i++)
        bytes_put(&tags, "\x12\x00", 2);
    struct arena small;
    arena_init(&small, 64 * 1024);
    cr_assert(record_order_decode(tags.data, tags.n, &small, &order) == -ENOMEM);
    arena_fini(&small);
    cr_assert(decode(tags.data, tags.n, &order) == 0);
    cr_assert(order->set_activity->n_tags == n);
}

/* Every single-bit flip and every prefix: canonical, or refused; and protobuf-c agrees which. */
Test(record, agrees_with_protobuf_c_on_every_flipped_bit_and_prefix, .init = setup,
     .fini = teardown) {
    for (size_t i = 0; i <= N_ELEMENTS(kinds); i++) {
        _cleanup_bytes_ struct bytes bytes =
            i < N_ELEMENTS(kinds) ? order_bytes(kinds[i]) : order_bytes_full();
        uint8_t *body = bytes.data + 1;
        size_t n = bytes.n - 1;
        Timebank__Order *order;
        for (size_t bit = 0; bit < 8 * n; bit++) {
            body[bit / 8] ^= 1 << bit % 8;
            cr_assert((decode(body, n, &order) == 0) == plain_accepts(body, n), "kind %zu bit %zu",
                      i, bit);
            body[bit / 8] ^= 1 << bit % 8;
        }
        for (size_t n_cut = 0; n_cut < n; n_cut++)
            cr_assert((decode(body, n_cut, &order) == 0) == plain_accepts(body, n_cut));
    }
}

/* Changes, drops, doubles and inserts bytes, mostly such as mean something to the format. */
static size_t mutate(uint8_t *body, size_t n, size_t n_max, uint64_t *random) {
    static const uint8_t telling[] = {0x00, 0x01, 0x02, 0x08, 0x0a, 0x10, 0x12,
                                      0x18, 0x1a, 0x7f, 0x80, 0x81, 0x82, 0xff};
    for (uint64_t n_changes = 1 + random_next(random) % 4; n_changes > 0; n_changes--) {
        size_t at = n > 0 ? random_next(random) % n : 0;
        uint64_t choice = random_next(random) % 6;
        uint8_t byte = random_next(random) % 2 ? telling[random_next(random) % sizeof(telling)]
                                               : (uint8_t)random_next(random);
        if (choice == 0 && n > 0) {
            memmove(body + at, body + at + 1, n - at - 1);
            n--;
        } else if (choice == 1 && n < n_max) {
            memmove(body + at + 1, body + at, n - at);
            body[at] = byte;
            n++;
        } else if (choice == 2 && n > 0) {
            size_t length = 1 + random_next(random) % 24;
            if (at + length <= n && n + length <= n_max) {
                memmove(body + at + length, body + at, n - at);
                n += length;
            }
        } else if (choice == 3 && n > 0) {
            body[at]++;
        } else if (n > 0) {
            body[at] = byte;
        }
    }
    return n;
}

Test(record, agrees_with_protobuf_c_on_mutated_orders, .init = setup, .fini = teardown) {
    uint64_t random = 20250305;
    size_t n_accepted = 0, n_bodies = N_ELEMENTS(kinds) + 1;
    struct bytes bodies[N_ELEMENTS(kinds) + 1];
    for (size_t i = 0; i < n_bodies; i++)
        bodies[i] = i < N_ELEMENTS(kinds) ? order_bytes(kinds[i]) : order_bytes_full();
    for (size_t i = 0; i < 400000; i++) {
        const struct bytes *from = &bodies[random_next(&random) % n_bodies];
        uint8_t body[512];
        Timebank__Order *order;
        memcpy(body, from->data + 1, from->n - 1);
        size_t n = mutate(body, from->n - 1, sizeof(body), &random);
        int r = decode(body, n, &order);
        cr_assert((r == 0) == plain_accepts(body, n), "mutant %zu: %d", i, r);
        if (r < 0)
            continue;
        _cleanup_bytes_ struct bytes again = {};
        record_order_encode(order, &again);
        cr_assert(again.n == n + 1 && memcmp(again.data + 1, body, n) == 0, "mutant %zu", i);
        n_accepted++;
    }
    cr_assert(n_accepted > 1000 && n_accepted < 350000, "%zu accepted: the mutator tells nothing",
              n_accepted);
    for (size_t i = 0; i < n_bodies; i++)
        bytes_fini(&bodies[i]);
}

/* ---- genesis */

static Timebank__Genesis genesis_make(void) {
    static char *names[] = {"floor-member", "not-after", "quantum"},
                *values[] = {"-1200 min", "15 min", ""};
    static ProtobufCBinaryData stewards[] = {{sizeof(key), key}, {sizeof(note), note}};
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    genesis.format = 1;
    genesis.origin = "hove.example/2025";
    genesis.ledger_key = (ProtobufCBinaryData){sizeof(key), key};
    genesis.n_steward_keys = 2;
    genesis.steward_keys = stewards;
    genesis.n_policy_names = 3;
    genesis.policy_names = names;
    genesis.n_policy_values = 3;
    genesis.policy_values = values;
    genesis.created_ms = UINT64_C(1741132800000);
    return genesis;
}

static int genesis_decode(const Timebank__Genesis *genesis, Timebank__Genesis **ret) {
    _cleanup_bytes_ struct bytes bytes = {};
    record_genesis_encode(genesis, &bytes);
    cr_assert(bytes.r == 0 && bytes.data[0] == RECORD_GENESIS);
    arena_reset(&arena);
    return record_genesis_decode(BODY(bytes), &arena, ret);
}

Test(record, reads_a_genesis_back, .init = setup, .fini = teardown) {
    Timebank__Genesis genesis = genesis_make(), *back;
    cr_assert(genesis_decode(&genesis, &back) == 0);
    cr_assert(back->format == 1 && back->created_ms == genesis.created_ms);
    cr_assert_str_eq(back->origin, "hove.example/2025");
    cr_assert(back->n_steward_keys == 2 && memcmp(back->steward_keys[1].data, note, 32) == 0);
    cr_assert(back->n_policy_names == 3 && back->n_policy_values == 3);
    cr_assert_str_eq(back->policy_names[2], "quantum");
    cr_assert_str_eq(back->policy_values[2], "");
}

Test(record, refuses_a_genesis_with_lists_that_do_not_fit, .init = setup, .fini = teardown) {
    Timebank__Genesis genesis = genesis_make(), *back;
    genesis.n_policy_values = 2;
    cr_assert(genesis_decode(&genesis, &back) == -EBADMSG);
    genesis = genesis_make();
    genesis.policy_names = (char *[]){"b", "a", "c"};
    cr_assert(genesis_decode(&genesis, &back) == -EBADMSG);
    genesis.policy_names = (char *[]){"a", "a", "c"};
    cr_assert(genesis_decode(&genesis, &back) == -EBADMSG);
    genesis = genesis_make();
    genesis.steward_keys[0].len = 31;
    cr_assert(genesis_decode(&genesis, &back) == -EBADMSG);
    genesis.steward_keys[0].len = 32;
    genesis.ledger_key.len = 33 - 2;
    cr_assert(genesis_decode(&genesis, &back) == -EBADMSG);
}

Test(record, reads_what_a_genesis_goes_on_from, .init = setup, .fini = teardown) {
    Timebank__Genesis genesis = genesis_make(), *back;
    genesis.old_origin = "hove.example/2024";
    genesis.old_size = 14;
    genesis.old_root = (ProtobufCBinaryData){sizeof(note), note};
    cr_assert(genesis_decode(&genesis, &back) == 0);
    cr_assert(back->old_size == 14 && back->old_root.len == 32);
    cr_assert_str_eq(back->old_origin, "hove.example/2024");
    genesis.old_root.len = 31;
    cr_assert(genesis_decode(&genesis, &back) == -EBADMSG);
}

/* ---- names and differences */

Test(record, names_every_kind_and_knows_it_by_name) {
    unsigned n_counting = 0;
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
        cr_assert(record_kind_from_name(record_kind_name(kinds[i])) == kinds[i]);
        n_counting += record_kind_counts(kinds[i]);
    }
    cr_assert(n_counting == 20);
    cr_assert(record_kind_counts(TIMEBANK__ORDER__KIND_EXCHANGE) &&
              !record_kind_counts(TIMEBANK__ORDER__KIND_FREEZE));
    cr_assert(record_kind_name(TIMEBANK__ORDER__KIND__NOT_SET) == NULL);
    cr_assert(record_kind_from_name("barter") == TIMEBANK__ORDER__KIND__NOT_SET);
    unsigned n_members = 0;
    for (unsigned i = 0; i < timebank__order__descriptor.n_fields; i++)
        n_members +=
            (timebank__order__descriptor.fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    cr_assert(n_members == N_ELEMENTS(kinds), "kinds.def lacks a kind of timebank.proto");
}

Test(record, names_the_first_field_that_differs, .init = setup, .fini = teardown) {
    Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    Timebank__Redeem redeem = TIMEBANK__REDEEM__INIT, other_redeem = TIMEBANK__REDEEM__INIT;
    Timebank__Order a = order_make(), b = order_make();
    a.kind_case = b.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
    a.exchange = b.exchange = &exchange;
    cr_assert(record_order_difference(&a, &b) == NULL);
    b.minutes++;
    cr_assert_str_eq(record_order_difference(&a, &b), "minutes");
    b.to = "m13";
    cr_assert_str_eq(record_order_difference(&a, &b), "to");
    b.service_day++;
    cr_assert_str_eq(record_order_difference(&a, &b), "service_day");
    b = a;
    b.note = (ProtobufCBinaryData){sizeof(note), note};
    cr_assert_str_eq(record_order_difference(&a, &b), "note");
    b = a;
    b.kind_case = TIMEBANK__ORDER__KIND_REDEEM;
    b.redeem = &redeem;
    cr_assert_str_eq(record_order_difference(&a, &b), "kind");
    cr_assert_str_eq(record_order_difference(&b, &a), "kind");
    a = b;
    a.redeem = &other_redeem;
    cr_assert(record_order_difference(&a, &b) == NULL);
    other_redeem.adults = 2;
    cr_assert_str_eq(record_order_difference(&a, &b), "adults");
}

Test(record, finds_a_difference_in_lists_and_bounds, .init = setup, .fini = teardown) {
    Timebank__SetActivity one = TIMEBANK__SET_ACTIVITY__INIT, two = TIMEBANK__SET_ACTIVITY__INIT;
    Timebank__SetLimit limit = TIMEBANK__SET_LIMIT__INIT, other_limit = TIMEBANK__SET_LIMIT__INIT;
    Timebank__Order a = order_make(), b = order_make();
    a.kind_case = b.kind_case = TIMEBANK__ORDER__KIND_SET_ACTIVITY;
    a.set_activity = &one;
    b.set_activity = &two;
    one.tags = (char *[]){"x", "y"};
    two.tags = (char *[]){"x", "z"};
    one.n_tags = two.n_tags = 1;
    cr_assert(record_order_difference(&a, &b) == NULL);
    one.n_tags = 2;
    cr_assert_str_eq(record_order_difference(&a, &b), "tags");
    two.n_tags = 2;
    cr_assert_str_eq(record_order_difference(&a, &b), "tags");
    a.kind_case = b.kind_case = TIMEBANK__ORDER__KIND_SET_LIMIT;
    a.set_limit = &limit;
    b.set_limit = &other_limit;
    cr_assert(record_order_difference(&a, &b) == NULL);
    limit.has_ceiling_case = TIMEBANK__SET_LIMIT__HAS_CEILING_CEILING;
    cr_assert_str_eq(record_order_difference(&a, &b), "ceiling");
    other_limit.has_ceiling_case = TIMEBANK__SET_LIMIT__HAS_CEILING_CEILING;
    cr_assert(record_order_difference(&a, &b) == NULL);
    other_limit.ceiling = -1;
    cr_assert_str_eq(record_order_difference(&a, &b), "ceiling");
}

/* ---- events */

Test(record, reads_an_event_back_and_insists_on_what_it_follows_from, .init = setup,
     .fini = teardown) {
    _cleanup_bytes_ struct bytes bytes = {}, short_id = {}, no_kind = {};
    Timebank__Event event = TIMEBANK__EVENT__INIT, *back;
    event.ledger_time_ms = UINT64_C(1741132800000);
    event.kind = TIMEBANK__EVENT_KIND__HOLD_LAPSED;
    event.follows = (ProtobufCBinaryData){sizeof(id), id};
    event.minutes = 90;
    record_event_encode(&event, &bytes);
    cr_assert(bytes.r == 0 && bytes.data[0] == RECORD_EVENT);
    cr_assert(record_event_decode(BODY(bytes), &arena, &back) == 0);
    cr_assert(back->ledger_time_ms == event.ledger_time_ms && back->minutes == 90);
    cr_assert(back->kind == TIMEBANK__EVENT_KIND__HOLD_LAPSED);
    cr_assert(memcmp(back->follows.data, id, sizeof(id)) == 0);
    event.follows.len = 15;
    record_event_encode(&event, &short_id);
    cr_assert(record_event_decode(BODY(short_id), &arena, &back) == -EBADMSG);
    event.follows.len = 16;
    event.kind = TIMEBANK__EVENT_KIND__EVENT_NONE;
    record_event_encode(&event, &no_kind);
    cr_assert(record_event_decode(BODY(no_kind), &arena, &back) == -EBADMSG);
}

/* ---- what the types themselves must be */

static void descriptor_walk(const ProtobufCMessageDescriptor *descriptor, unsigned depth,
                            bool is_inward) {
    cr_assert(depth < 6, "%s: a type holds itself", descriptor->name);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        cr_assert(!is_inward || field->label != PROTOBUF_C_LABEL_REPEATED,
                  "%s.%s repeats a message", descriptor->name, field->name);
        descriptor_walk(field->descriptor, depth + 1, is_inward);
    }
}

Test(record, no_type_is_recursive_and_none_on_the_way_in_repeats_messages) {
    descriptor_walk(&timebank__order__descriptor, 0, true);
    descriptor_walk(&timebank__genesis__descriptor, 0, true);
    descriptor_walk(&timebank__event__descriptor, 0, true);
    descriptor_walk(&timebank__request__descriptor, 0, true);
    descriptor_walk(&timebank__response__descriptor, 0, false);
}

Test(record, the_decoder_knows_every_type_of_the_log) {
    cr_assert(canonical_knows(&timebank__order__descriptor));
    cr_assert(canonical_knows(&timebank__genesis__descriptor));
    cr_assert(canonical_knows(&timebank__event__descriptor));
    cr_assert(!canonical_knows(&timebank__answer__descriptor),
              "its list of signed numbers is not the log's");
}
