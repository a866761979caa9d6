/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A length is judged before anything is kept. A request is packed once; its tag and the size of the
 * head that we know stand in front of it, and are other ones each time it is sent.
 */
#include "wire.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "proto/frame.h"

#define READ_BYTES (64u * 1024)
#define FRONT_BYTES 17 /* two keys, a varint of 32 bits, one of 64 */
#define FIELD_TAG 0x08 /* number 1, varint */
#define FIELD_KNOWN_SIZE 0x10
#define READS_MAX 16 /* at once: others on the caller's loop want their turn, too */

int wire_receive(struct tb_bank *bank) {
    for (int i = 0; i < READS_MAX; i++) {
        uint8_t *at = bytes_reserve(&bank->in, READ_BYTES);
        if (!at)
            return -ENOMEM;
        ssize_t n = recv(bank->fd, at, READ_BYTES, 0);
        int error = errno;
        bank->in.n -= READ_BYTES - (n > 0 ? (size_t)n : 0);
        if (n == 0)
            return -ECONNRESET;
        if (n < 0 && error == EAGAIN)
            return 0;
        if (n < 0 && error != EINTR)
            return -ECONNRESET;
        bank->received_at_ms = clock_monotonic_ms();
        if (n > 0 && n < (ssize_t)READ_BYTES)
            return 0;
    }
    return 0;
}

int wire_send(struct tb_bank *bank) {
    while (bank->out_at < bank->out.n) {
        ssize_t n =
            send(bank->fd, bank->out.data + bank->out_at, bank->out.n - bank->out_at, MSG_NOSIGNAL);
        if (n > 0)
            bank->out_at += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            return 0;
        else if (n < 0 && errno != EINTR)
            return -ECONNRESET;
    }
    bytes_clear(&bank->out);
    bank->out_at = 0;
    return 0;
}

int wire_next(struct tb_bank *bank, struct bytes *ret_payload) {
    const uint8_t *payload = NULL;
    size_t n = 0;
    size_t n_max = bank->link == LINK_OPEN ? FRAME_MAX : FRAME_MAX_BEFORE_WELCOME;
    int r = frame_get(bank->in.data + bank->in_at, bank->in.n - bank->in_at, n_max, &payload, &n);
    if (r < 0)
        return -EPROTO;
    if (r == 0) {
        if (bank->in_at > 0) {
            bank->in.n -= bank->in_at;
            memmove(bank->in.data, bank->in.data + bank->in_at, bank->in.n);
            bank->in_at = 0;
        }
        return 0;
    }
    bytes_put(ret_payload, payload, n);
    bank->in_at += FRAME_HEAD_BYTES + n;
    return ret_payload->r < 0 ? ret_payload->r : 1;
}

int wire_body(const Timebank__Request *request, struct bytes *ret_body) {
    size_t n = timebank__request__get_packed_size(request);
    uint8_t *at = bytes_reserve(ret_body, n);
    if (!at)
        return -ENOMEM;
    timebank__request__pack(request, at);
    return 0;
}

static size_t varint_put(uint8_t *at, uint64_t value) {
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        at[n++] = (uint8_t)(value | 0x80);
    at[n++] = (uint8_t)value;
    return n;
}

/* The two lowest numbers of the message: laid end to end they and the body are one message. */
static size_t front_put(uint8_t at[FRONT_BYTES], uint32_t tag, uint64_t known_size) {
    size_t n = 0;
    if (tag != 0) {
        at[n++] = FIELD_TAG;
        n += varint_put(at + n, tag);
    }
    if (known_size != 0) {
        at[n++] = FIELD_KNOWN_SIZE;
        n += varint_put(at + n, known_size);
    }
    return n;
}

void wire_request(uint32_t tag, uint64_t known_size, const struct bytes *body, struct bytes *to) {
    uint8_t front[FRONT_BYTES];
    bytes_put(to, front, front_put(front, tag, known_size));
    bytes_put(to, body->data, body->n);
}

int wire_put(struct tb_bank *bank, uint32_t tag, uint64_t known_size, const struct bytes *body) {
    uint8_t front[FRONT_BYTES];
    size_t n = front_put(front, tag, known_size);
    if (n + body->n > (bank->link == LINK_OPEN ? FRAME_MAX : FRAME_MAX_BEFORE_WELCOME))
        return bank_fail(bank, TB_TOO_LARGE, NULL);
    bytes_put_u32(&bank->out, (uint32_t)(n + body->n));
    bytes_put(&bank->out, front, n);
    bytes_put(&bank->out, body->data, body->n);
    return bank->out.r;
}

int wire_refusal(struct tb_bank *bank, const Timebank__Refused *refused) {
    if (refused->n_refusals == 0)
        return -EPROTO;
    for (size_t i = 0; i < refused->n_refusals; i++) {
        uint32_t number = refused->refusals[i]->refusal;
        if (number == 0 || number > INT_MAX)
            return -EPROTO;
    }
    const Timebank__Refusal *first = refused->refusals[0];
    int number = (int)first->refusal;
    const char *sentence = first->message[0] ? first->message : refusal_sentence(number);
    if (refused->n_refusals == 1)
        return bank_fail(bank, number, "%s", sentence);
    return bank_fail(bank, number, "%s (And %zu more.)", sentence, refused->n_refusals - 1);
}
