/* SPDX-License-Identifier: Apache-2.0 */
/* The plain form of a balance, against protobuf-c: the same bytes out, the same message in. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "proto/balance-plain.h"

TestSuite(balance_plain, .timeout = 60);

#define N_RANDOM 20000
#define N_MUTANTS 20
#define ARENA_BYTES (1u << 20)

static uint64_t seed = 88172645463325252u;

static uint64_t number(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Of every length, and often 0. */
static uint64_t some(void) {
    uint64_t kind = number() % 4;
    return kind == 0 ? 0 : number() >> (number() % 64);
}

static char code[80];
static Timebank__ByCode by_code;
static Timebank__Request request;
static Timebank__Position position;
static Timebank__Balance balance;
static Timebank__Response response;

static void make_code(size_t n_max) {
    size_t n = 1 + number() % n_max;
    for (size_t i = 0; i < n; i++)
        code[i] = (char)(1 + number() % 255);
    code[n] = '\0';
}

static void make_request(void) {
    make_code(70);
    timebank__request__init(&request);
    timebank__by_code__init(&by_code);
    by_code.code = code;
    request.tag = (uint32_t)some();
    request.known_size = some();
    request.body_case = TIMEBANK__REQUEST__BODY_BALANCE;
    request.balance = &by_code;
}

static void make_response(void) {
    make_code(64);
    timebank__response__init(&response);
    timebank__position__init(&position);
    timebank__balance__init(&balance);
    response.tag = (uint32_t)some();
    response.position = &position;
    position.size = some();
    response.body_case = TIMEBANK__RESPONSE__BODY_BALANCE;
    response.balance = &balance;
    balance.code = code;
    balance.kind = (Timebank__AccountKind)(number() % 9);
    balance.minutes = (int64_t)(number() % 2 ? some() : -some());
    balance.held_minutes = (int64_t)some();
    if (number() % 2) {
        balance.has_floor_case = TIMEBANK__BALANCE__HAS_FLOOR_FLOOR_MINUTES;
        balance.floor_minutes = -(int64_t)(some() >> 1);
    }
    if (number() % 2) {
        balance.has_ceiling_case = TIMEBANK__BALANCE__HAS_CEILING_CEILING_MINUTES;
        balance.ceiling_minutes = (int64_t)some();
    }
    balance.standing = (Timebank__Standing)(number() % 3);
    balance.entries = some();
    balance.joined_day = (uint32_t)some();
    balance.last_day = (uint32_t)some();
    balance.owed_minutes = some();
}

static struct bytes packed(const ProtobufCMessage *message) {
    struct bytes to = {0};
    uint8_t *at = bytes_reserve(&to, protobuf_c_message_get_packed_size(message));
    protobuf_c_message_pack(message, at);
    return to;
}

static bool equal(const struct bytes *a, const struct bytes *b) {
    return a->n == b->n && memcmp(a->data, b->data, a->n) == 0;
}

/* What the plain form takes, protobuf-c takes, too, and as the same message. */
static bool is_taken_alike(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
                           size_t n) {
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    ProtobufCMessage *plain = descriptor == &timebank__request__descriptor
                                  ? (ProtobufCMessage *)balance_plain_get_request(data, n, &arena)
                                  : (ProtobufCMessage *)balance_plain_get_response(data, n, &arena);
    if (plain) {
        ProtobufCMessage *theirs = protobuf_c_message_unpack(descriptor, &arena.allocator, n, data);
        cr_assert(theirs, "taken, and protobuf-c does not");
        struct bytes ours_packed = packed(plain), theirs_packed = packed(theirs);
        cr_assert(equal(&ours_packed, &theirs_packed));
        bytes_fini(&ours_packed);
        bytes_fini(&theirs_packed);
    }
    arena_fini(&arena);
    return plain != NULL;
}

/* A copy that ends where the memory does: reading past it is seen by the sanitizers. */
static size_t take_mutants(const ProtobufCMessageDescriptor *descriptor,
                           const struct bytes *whole) {
    size_t n_taken = 0;
    for (int i = 0; i < N_MUTANTS; i++) {
        size_t n = i % 2 ? whole->n : 1 + number() % whole->n;
        uint8_t *mutant = malloc(n);
        memcpy(mutant, whole->data, n);
        for (uint64_t k = number() % 3; k < 3; k++)
            mutant[number() % n] ^= (uint8_t)(1u << number() % 8);
        n_taken += is_taken_alike(descriptor, mutant, n);
        free(mutant);
    }
    return n_taken;
}

Test(balance_plain, requests_are_written_and_read_as_protobuf_c_does) {
    size_t n_taken = 0;
    for (int i = 0; i < N_RANDOM; i++) {
        make_request();
        struct bytes whole = packed(&request.base);
        cr_assert(is_taken_alike(&timebank__request__descriptor, whole.data, whole.n));
        n_taken += take_mutants(&timebank__request__descriptor, &whole);
        request.tag = 0;
        request.known_size = 0;
        struct bytes theirs = packed(&request.base), ours = {0};
        balance_plain_put_request(code, &ours);
        cr_assert(equal(&ours, &theirs));
        bytes_fini(&whole);
        bytes_fini(&theirs);
        bytes_fini(&ours);
    }
    cr_assert(n_taken > 1000, "mutants that are still of the form are wanted, too");
}

Test(balance_plain, responses_are_written_and_read_as_protobuf_c_does) {
    size_t n_taken = 0;
    for (int i = 0; i < N_RANDOM; i++) {
        make_response();
        struct bytes whole = packed(&response.base), ours = {0};
        cr_assert(balance_plain_put_response(&response, &ours));
        cr_assert(equal(&ours, &whole));
        cr_assert(is_taken_alike(&timebank__response__descriptor, whole.data, whole.n));
        n_taken += take_mutants(&timebank__response__descriptor, &whole);
        bytes_fini(&whole);
        bytes_fini(&ours);
    }
    cr_assert(n_taken > 1000, "mutants that are still of the form are wanted, too");
}

Test(balance_plain, a_question_for_no_code_is_written_as_protobuf_c_does) {
    struct bytes ours = {0};
    make_request();
    code[0] = '\0';
    request.tag = 0;
    request.known_size = 0;
    struct bytes theirs = packed(&request.base);
    balance_plain_put_request("", &ours);
    cr_assert(equal(&ours, &theirs));
    bytes_fini(&ours);
    bytes_fini(&theirs);
}

Test(balance_plain, leaves_everything_else_to_protobuf_c) {
    struct bytes to = {0};
    uint8_t hash[32] = {1};
    make_response();
    response.position = NULL;
    cr_assert(!balance_plain_put_response(&response, &to));
    make_response();
    position.checkpoint = (ProtobufCBinaryData){sizeof(hash), hash};
    cr_assert(!balance_plain_put_response(&response, &to));
    make_response();
    response.more = true;
    cr_assert(!balance_plain_put_response(&response, &to));
    make_response();
    memset(code, 'a', 65);
    code[65] = '\0';
    cr_assert(!balance_plain_put_response(&response, &to));
    make_response();
    response.body_case = TIMEBANK__RESPONSE__BODY_STATUS;
    cr_assert(!balance_plain_put_response(&response, &to));
    cr_assert(to.n == 0);
    bytes_fini(&to);
}

Test(balance_plain, takes_no_code_with_a_nul_and_nothing_of_no_bytes) {
    static const uint8_t nul[] = {0x08, 0x01, 0x8a, 0x01, 0x04, 0x0a, 0x02, 'm', '\0'};
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    cr_assert(!balance_plain_get_request(nul, sizeof(nul), &arena));
    cr_assert(!balance_plain_get_request(NULL, 0, &arena));
    cr_assert(!balance_plain_get_response(NULL, 0, &arena));
    arena_fini(&arena);
}

Test(balance_plain, takes_nothing_where_the_arena_has_no_room) {
    struct arena arena;
    make_request();
    struct bytes whole = packed(&request.base);
    arena_init(&arena, 16);
    cr_assert(!balance_plain_get_request(whole.data, whole.n, &arena));
    arena_fini(&arena);
    bytes_fini(&whole);
}
