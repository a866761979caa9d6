/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A length is judged before anything is kept, a message is decoded into a counting arena, and
 * nothing waits past the deadline. A daemon that drains says so with tag 0 and still answers what
 * it has: the reason is remembered until the connection ends.
 */
#include "wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/frame.h"

#define READ_BYTES (64u * 1024)
#define PARTS_MAX (BANK_REPLY_MAX / 2)

int wire_wait(struct tb_bank *bank, short events) {
    for (;;) {
        uint64_t left_ms = bank_time_left_ms(bank);
        if (left_ms == 0)
            return -ETIMEDOUT;
        struct pollfd pollfd = {.fd = bank->fd, .events = events};
        int n = poll(&pollfd, 1, (int)MIN_OF(left_ms, (uint64_t)INT_MAX));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
}

static int bytes_send(struct tb_bank *bank, const uint8_t *data, size_t n) {
    while (n > 0) {
        ssize_t n_sent = send(bank->fd, data, n, MSG_NOSIGNAL);
        if (n_sent > 0) {
            data += n_sent;
            n -= (size_t)n_sent;
            continue;
        }
        if (n_sent < 0 && errno == EINTR)
            continue;
        if (n_sent < 0 && errno != EAGAIN)
            return -ECONNRESET;
        int r = wire_wait(bank, POLLOUT);
        if (r < 0)
            return r;
    }
    return 0;
}

int wire_send(struct tb_bank *bank, const Timebank__Request *request) {
    size_t n = timebank__request__get_packed_size(request);
    if (n > (bank->welcomed ? FRAME_MAX : FRAME_MAX_BEFORE_WELCOME))
        return bank_fail(bank, TB_TOO_LARGE, NULL);
    bytes_clear(&bank->request);
    uint8_t *payload = bytes_reserve(&bank->request, n);
    if (!payload)
        return -ENOMEM;
    timebank__request__pack(request, payload);
    _cleanup_bytes_ struct bytes frame = {};
    frame_put(&frame, payload, n);
    return frame.r < 0 ? frame.r : bytes_send(bank, frame.data, frame.n);
}

static int bytes_receive(struct tb_bank *bank) {
    for (;;) {
        uint8_t *at = bytes_reserve(&bank->in, READ_BYTES);
        if (!at)
            return -ENOMEM;
        ssize_t n = recv(bank->fd, at, READ_BYTES, 0);
        int error = errno;
        bank->in.n -= READ_BYTES - (n > 0 ? (size_t)n : 0);
        if (n > 0)
            return 0;
        if (n == 0)
            return -ECONNRESET;
        if (error == EINTR)
            continue;
        if (error != EAGAIN)
            return -ECONNRESET;
        int r = wire_wait(bank, POLLIN);
        if (r < 0)
            return r;
    }
}

/* Moves the next frame's payload to the end of *to. */
static int frame_receive(struct tb_bank *bank, struct bytes *to) {
    size_t n_max = bank->welcomed ? FRAME_MAX : FRAME_MAX_BEFORE_WELCOME;
    for (;;) {
        const uint8_t *payload = NULL;
        size_t n = 0;
        int r = frame_get(bank->in.data, bank->in.n, n_max, &payload, &n);
        if (r < 0)
            return -EPROTO;
        if (r > 0) {
            bytes_clear(to);
            bytes_put(to, payload, n);
            size_t n_frame = FRAME_HEAD_BYTES + n;
            bank->in.n -= n_frame;
            memmove(bank->in.data, bank->in.data + n_frame, bank->in.n);
            return to->r;
        }
        r = bytes_receive(bank);
        if (r < 0)
            return r;
    }
}

static Timebank__Response *response_unpack(struct arena *arena, const struct bytes *bytes) {
    return timebank__response__unpack(&arena->allocator, bytes->n, bytes->data);
}

int wire_refusal(struct tb_bank *bank, const Timebank__Refused *refused) {
    if (refused->n_refusals == 0)
        return -EPROTO;
    for (size_t i = 0; i < refused->n_refusals; i++) {
        uint32_t number = refused->refusals[i]->refusal;
        if (number == 0 || number > INT_MAX)
            return -EPROTO;
    }
    bank->refused = refused;
    const Timebank__Refusal *first = refused->refusals[0];
    int number = (int)first->refusal;
    const char *sentence = first->message[0] ? first->message : refusal_sentence(number);
    if (refused->n_refusals == 1)
        return bank_fail(bank, number, "%s", sentence);
    return bank_fail(bank, number, "%s (And %zu more.)", sentence, refused->n_refusals - 1);
}

/* Reads frames until one with the tag is there, and leaves its bytes in *frame. */
static int tagged_receive(struct tb_bank *bank, uint32_t tag, struct arena *arena,
                          struct bytes *frame, Timebank__Response **ret) {
    int reason = 0;
    for (;;) {
        int r = frame_receive(bank, frame);
        if (r < 0)
            return reason > 0 && r == -ECONNRESET ? reason : r;
        Timebank__Response *response = response_unpack(arena, frame);
        if (!response)
            return -EPROTO;
        bool ends = response->tag == 0 && response->body_case == TIMEBANK__RESPONSE__BODY_REFUSED;
        if (!ends && response->tag != tag)
            return -EPROTO;
        if (!ends) {
            *ret = response;
            return 0;
        }
        reason = wire_refusal(bank, response->refused);
        if (reason < 0 || tag == 0)
            return reason;
    }
}

/* The first part is there; collects the others and decodes the whole. */
static int parts_receive(struct tb_bank *bank, uint32_t tag, Timebank__Response *first,
                         Timebank__Response **ret) {
    struct arena arena;
    arena_init(&arena, 2 * FRAME_MAX);
    _cleanup_bytes_ struct bytes frame = {};
    _cleanup_bytes_ struct bytes whole = {};
    Timebank__Response *part = first;
    int r = 0;
    while (r == 0) {
        if (part->part.len == 0 || whole.n + part->part.len > PARTS_MAX) {
            r = -EPROTO;
            break;
        }
        bytes_put(&whole, part->part.data, part->part.len);
        if (!part->more)
            break;
        arena_reset(&arena);
        r = tagged_receive(bank, tag, &arena, &frame, &part);
    }
    arena_fini(&arena);
    if (r != 0 || whole.r < 0)
        return r != 0 ? r : whole.r;
    struct bytes old = bank->reply;
    bank->reply = whole;
    whole = old;
    arena_reset(&bank->arena);
    *ret = response_unpack(&bank->arena, &bank->reply);
    return *ret ? 0 : -EPROTO;
}

int wire_receive(struct tb_bank *bank, uint32_t tag, Timebank__Response **ret) {
    Timebank__Response *response = NULL;
    int r = tagged_receive(bank, tag, &bank->arena, &bank->reply, &response);
    if (r == 0 && (response->more || response->part.len > 0)) {
        Timebank__Response *first = response;
        r = parts_receive(bank, tag, first, &response);
    }
    if (r == 0)
        *ret = response;
    return r;
}
