/* SPDX-License-Identifier: Apache-2.0 */
/* Fields in ascending number, each once, varints at their shortest: whatever else comes is left to
 * protobuf-c, so nothing is refused here. */
#include "balance-plain.h"

#include <limits.h>
#include <string.h>

#define KEY(number, wire_type) ((number) << 3 | (wire_type))
#define VARINT 0u
#define LENGTH 2u
#define VARINT_BYTES 10u
#define CODE_BYTES_MAX 64u
#define NUMBERS 12u /* of Balance's fields, from 2 on, and one to spare */
#define BODY_BYTES (2 + CODE_BYTES_MAX + NUMBERS * (1 + VARINT_BYTES))
#define FRONT_BYTES (5 * (2 + VARINT_BYTES))

enum { REQUEST_TAG = 1, REQUEST_KNOWN_SIZE = 2, REQUEST_BALANCE = 17, BY_CODE_CODE = 1 };
enum { RESPONSE_TAG = 1, RESPONSE_POSITION = 4, RESPONSE_BALANCE = 17, POSITION_SIZE = 1 };
enum {
    BALANCE_CODE = 1,
    BALANCE_KIND,
    BALANCE_MINUTES,
    BALANCE_HELD_MINUTES,
    BALANCE_FLOOR_MINUTES,
    BALANCE_CEILING_MINUTES,
    BALANCE_STANDING,
    BALANCE_ENTRIES,
    BALANCE_JOINED_DAY,
    BALANCE_LAST_DAY,
    BALANCE_OWED_MINUTES
};

/* ---- writing */

static uint8_t *put_varint(uint8_t *at, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static uint64_t zigzag(int64_t value) {
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t value) {
    return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

/* A number that is 0 is not written. */
static uint8_t *put_number(uint8_t *at, uint32_t number, uint64_t value) {
    if (value == 0)
        return at;
    at = put_varint(at, KEY(number, VARINT));
    return put_varint(at, value);
}

static uint8_t *put_length(uint8_t *at, uint32_t number, size_t n) {
    at = put_varint(at, KEY(number, LENGTH));
    return put_varint(at, n);
}

void balance_plain_put_request(const char *code, struct bytes *to) {
    size_t n = strlen(code);
    uint8_t inner[1 + VARINT_BYTES], front[2 + VARINT_BYTES];
    uint8_t *inner_end = n > 0 ? put_length(inner, BY_CODE_CODE, n) : inner;
    size_t n_inner = (size_t)(inner_end - inner);
    uint8_t *front_end = put_length(front, REQUEST_BALANCE, n_inner + n);

    bytes_put(to, front, (size_t)(front_end - front));
    bytes_put(to, inner, n_inner);
    bytes_put(to, code, n);
}

static uint8_t *put_balance(uint8_t *at, const Timebank__Balance *balance, size_t n_code) {
    at = put_length(at, BALANCE_CODE, n_code);
    memcpy(at, balance->code, n_code);
    at = put_number(at + n_code, BALANCE_KIND, (uint64_t)(int64_t)balance->kind);
    at = put_number(at, BALANCE_MINUTES, zigzag(balance->minutes));
    at = put_number(at, BALANCE_HELD_MINUTES, zigzag(balance->held_minutes));
    if (balance->has_floor_case == TIMEBANK__BALANCE__HAS_FLOOR_FLOOR_MINUTES) {
        at = put_varint(at, KEY(BALANCE_FLOOR_MINUTES, VARINT));
        at = put_varint(at, zigzag(balance->floor_minutes));
    }
    if (balance->has_ceiling_case == TIMEBANK__BALANCE__HAS_CEILING_CEILING_MINUTES) {
        at = put_varint(at, KEY(BALANCE_CEILING_MINUTES, VARINT));
        at = put_varint(at, zigzag(balance->ceiling_minutes));
    }
    at = put_number(at, BALANCE_STANDING, (uint64_t)(int64_t)balance->standing);
    at = put_number(at, BALANCE_ENTRIES, balance->entries);
    at = put_number(at, BALANCE_JOINED_DAY, balance->joined_day);
    at = put_number(at, BALANCE_LAST_DAY, balance->last_day);
    return put_number(at, BALANCE_OWED_MINUTES, balance->owed_minutes);
}

static bool is_plain(const Timebank__Response *response) {
    const Timebank__Position *position = response->position;

    return response->body_case == TIMEBANK__RESPONSE__BODY_BALANCE && position &&
           position->checkpoint.len == 0 && position->n_consistency == 0 && !response->more &&
           response->part.len == 0;
}

bool balance_plain_put_response(const Timebank__Response *response, struct bytes *to) {
    uint8_t body[BODY_BYTES], front[FRONT_BYTES], *at = front;
    uint8_t size[1 + VARINT_BYTES];
    size_t n_code, n_size, n_body;

    if (!is_plain(response))
        return false;
    n_code = strlen(response->balance->code);
    if (n_code == 0 || n_code > CODE_BYTES_MAX)
        return false;
    n_body = (size_t)(put_balance(body, response->balance, n_code) - body);
    n_size = (size_t)(put_number(size, POSITION_SIZE, response->position->size) - size);
    at = put_number(at, RESPONSE_TAG, response->tag);
    at = put_length(at, RESPONSE_POSITION, n_size);
    memcpy(at, size, n_size);
    at = put_length(at + n_size, RESPONSE_BALANCE, n_body);
    bytes_put(to, front, (size_t)(at - front));
    bytes_put(to, body, n_body);
    return true;
}

/* ---- reading: each false where something is not as it would be written */

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

static bool get_varint(struct reader *reader, uint64_t *ret) {
    uint64_t value = 0;

    for (unsigned shift = 0; reader->at < reader->end && shift < 7 * VARINT_BYTES; shift += 7) {
        uint8_t byte = *reader->at++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte >= 0x80)
            continue;
        *ret = value;
        return byte != 0 || shift == 0;
    }
    return false;
}

/* A key of a field is there, and is taken. Numbers below 16 fit one byte, those below 2048 two. */
static bool take_key(struct reader *reader, uint32_t number, uint32_t wire_type) {
    uint32_t key = KEY(number, wire_type);
    size_t n_left = (size_t)(reader->end - reader->at);

    if (key < 0x80) {
        if (n_left < 1 || reader->at[0] != key)
            return false;
        reader->at++;
        return true;
    }
    if (n_left < 2 || reader->at[0] != (uint8_t)(key | 0x80) || reader->at[1] != key >> 7)
        return false;
    reader->at += 2;
    return true;
}

/* A number up to max where its field is there, else 0. */
static bool get_number(struct reader *reader, uint32_t number, uint64_t max, uint64_t *ret) {
    *ret = 0;
    return !take_key(reader, number, VARINT) || (get_varint(reader, ret) && *ret <= max);
}

static bool get_inner(struct reader *reader, uint32_t number, struct reader *ret) {
    uint64_t n;

    if (!take_key(reader, number, LENGTH) || !get_varint(reader, &n) ||
        n > (size_t)(reader->end - reader->at))
        return false;
    *ret = (struct reader){reader->at, reader->at + n};
    reader->at += n;
    return true;
}

/* A text that is not empty and has no NUL, to be copied. */
static bool get_code(struct reader *reader, uint32_t number, struct reader *ret) {
    return get_inner(reader, number, ret) && ret->at < ret->end &&
           !memchr(ret->at, '\0', (size_t)(ret->end - ret->at));
}

static char *copy_code(struct arena *arena, const struct reader *code) {
    size_t n = (size_t)(code->end - code->at);
    char *copy = arena_alloc(arena, n + 1);

    if (!copy)
        return NULL;
    memcpy(copy, code->at, n);
    copy[n] = '\0';
    return copy;
}

struct request {
    Timebank__Request request;
    Timebank__ByCode by_code;
};

Timebank__Request *balance_plain_get_request(const uint8_t *data, size_t n, struct arena *arena) {
    struct reader reader = {data, n > 0 ? data + n : data}, body, code;
    struct request *asked;
    uint64_t tag, known_size;

    if (n == 0 || !get_number(&reader, REQUEST_TAG, UINT32_MAX, &tag) ||
        !get_number(&reader, REQUEST_KNOWN_SIZE, UINT64_MAX, &known_size) ||
        !get_inner(&reader, REQUEST_BALANCE, &body) || reader.at != reader.end ||
        !get_code(&body, BY_CODE_CODE, &code) || body.at != body.end)
        return NULL;
    asked = arena_alloc(arena, sizeof(*asked));
    if (!asked)
        return NULL;
    timebank__request__init(&asked->request);
    timebank__by_code__init(&asked->by_code);
    asked->request.tag = (uint32_t)tag;
    asked->request.known_size = known_size;
    asked->request.body_case = TIMEBANK__REQUEST__BODY_BALANCE;
    asked->request.balance = &asked->by_code;
    asked->by_code.code = copy_code(arena, &code);
    return asked->by_code.code ? &asked->request : NULL;
}

static bool get_limit(struct reader *reader, uint32_t number, bool *ret_has, int64_t *ret) {
    uint64_t value;

    *ret_has = take_key(reader, number, VARINT);
    if (!*ret_has)
        return true;
    if (!get_varint(reader, &value))
        return false;
    *ret = unzigzag(value);
    return true;
}

static bool get_balance(struct reader *reader, Timebank__Balance *ret) {
    uint64_t kind, minutes, held, standing, joined_day, last_day;
    bool has_floor, has_ceiling;

    if (!get_number(reader, BALANCE_KIND, INT_MAX, &kind) ||
        !get_number(reader, BALANCE_MINUTES, UINT64_MAX, &minutes) ||
        !get_number(reader, BALANCE_HELD_MINUTES, UINT64_MAX, &held) ||
        !get_limit(reader, BALANCE_FLOOR_MINUTES, &has_floor, &ret->floor_minutes) ||
        !get_limit(reader, BALANCE_CEILING_MINUTES, &has_ceiling, &ret->ceiling_minutes) ||
        !get_number(reader, BALANCE_STANDING, INT_MAX, &standing) ||
        !get_number(reader, BALANCE_ENTRIES, UINT64_MAX, &ret->entries) ||
        !get_number(reader, BALANCE_JOINED_DAY, UINT32_MAX, &joined_day) ||
        !get_number(reader, BALANCE_LAST_DAY, UINT32_MAX, &last_day) ||
        !get_number(reader, BALANCE_OWED_MINUTES, UINT64_MAX, &ret->owed_minutes))
        return false;
    ret->kind = (Timebank__AccountKind)kind;
    ret->minutes = unzigzag(minutes);
    ret->held_minutes = unzigzag(held);
    ret->standing = (Timebank__Standing)standing;
    ret->joined_day = (uint32_t)joined_day;
    ret->last_day = (uint32_t)last_day;
    if (has_floor)
        ret->has_floor_case = TIMEBANK__BALANCE__HAS_FLOOR_FLOOR_MINUTES;
    if (has_ceiling)
        ret->has_ceiling_case = TIMEBANK__BALANCE__HAS_CEILING_CEILING_MINUTES;
    return reader->at == reader->end;
}

struct response {
    Timebank__Response response;
    Timebank__Position position;
    Timebank__Balance balance;
};

Timebank__Response *balance_plain_get_response(const uint8_t *data, size_t n, struct arena *arena) {
    struct reader reader = {data, n > 0 ? data + n : data}, position, body, code;
    struct response *told;
    uint64_t tag, size;

    if (n == 0 || !get_number(&reader, RESPONSE_TAG, UINT32_MAX, &tag) ||
        !get_inner(&reader, RESPONSE_POSITION, &position) ||
        !get_number(&position, POSITION_SIZE, UINT64_MAX, &size) || position.at != position.end ||
        !get_inner(&reader, RESPONSE_BALANCE, &body) || reader.at != reader.end ||
        !get_code(&body, BALANCE_CODE, &code))
        return NULL;
    told = arena_alloc(arena, sizeof(*told));
    if (!told)
        return NULL;
    timebank__response__init(&told->response);
    timebank__position__init(&told->position);
    timebank__balance__init(&told->balance);
    told->balance.code = copy_code(arena, &code);
    if (!told->balance.code || !get_balance(&body, &told->balance))
        return NULL;
    told->response.tag = (uint32_t)tag;
    told->response.position = &told->position;
    told->response.body_case = TIMEBANK__RESPONSE__BODY_BALANCE;
    told->response.balance = &told->balance;
    told->position.size = size;
    return &told->response;
}
