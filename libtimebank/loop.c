/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls leave strictly in the order in which they were started: what was put off holds up what was
 * not sent yet. What was under way beside it may have been judged before it.
 */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "call.h"
#include "check.h"
#include "connect.h"
#include "reply.h"
#include "verify.h"
#include "wire.h"

#define SENT_MAX 64           /* calls under way: what a lost link would have to send again */
#define OUT_MAX (256u * 1024) /* bytes laid ready before the socket takes them */
#define PARTS_MAX (BANK_REPLY_MAX / 2)

void loop_lose(struct tb_bank *bank, int r) {
    char said[BANK_MESSAGE_BYTES];
    bool has_reason = r == -ECONNRESET && bank->goodbye != 0;
    memcpy(said, has_reason ? bank->goodbye_message : bank->message, sizeof(said));
    r = has_reason ? bank->goodbye : r;
    connect_close(bank);
    struct tb_call *next = NULL;
    for (struct tb_call *call = bank->calls; call; call = next) {
        next = call->next;
        if (call->stage == CALL_CHECKED || call->r != 0)
            continue;
        call->is_unknown = call->is_unknown || call->stage == CALL_SENT;
        memcpy(bank->message, said, sizeof(said));
        if (call->is_forgotten && !call->parent && !call_is_awaited(call))
            call_end(call, -ECANCELED);
        else
            call_attempt_ended(call, r);
    }
    /* What is held for want of a proof could not get one now either. */
    memcpy(bank->message, said, sizeof(said));
    if (bank->calls && !call_is_passing(bank, r))
        call_end_all(bank, r);
}

/* --------------------------------------------------------------- what came */

/* The head of a call's reply: 0 believed, 1 not yet connected with the others. */
static int head_judge(struct tb_call *call) {
    const Timebank__Response *response = call->reply->message;
    if (!response->position) {
        if (response->body_case == TIMEBANK__RESPONSE__BODY_REFUSED)
            return 0;
        return verify_fail(call->bank, NULL, 0, "A reply came without the ledger's head.");
    }
    bytes_fini(&call->seen.checkpoint);
    call->seen.checkpoint = (struct bytes){};
    int r = verify_position(call->bank, &call->known, response->position, &call->seen);
    return r == 0 ? check_reply(call) : r;
}

static void reply_take(struct tb_call *call, struct reply *reply) {
    struct tb_bank *bank = call->bank;
    call->reply = reply;
    bank->message[0] = '\0';
    call_show(call);
    int r = head_judge(call);
    if (r == 1)
        check_hold(call);
    else
        call_judge(call, r);
    check_wake(bank);
}

/* Of all replies that came in part so far: they share one limit. */
static size_t parts_bytes(const struct tb_bank *bank) {
    size_t n = 0;
    for (const struct tb_call *call = bank->calls; call; call = call->next)
        n += call->parts.n;
    return n;
}

/* A whole reply, or a part of one; 1 when more parts are to come. */
static int parts_take(struct tb_call *call, struct reply **reply) {
    const Timebank__Response *response = (*reply)->message;
    if (call->parts.n == 0 && !response->more && response->part.len == 0)
        return 0;
    if (response->part.len == 0 || parts_bytes(call->bank) + response->part.len > PARTS_MAX)
        return -EPROTO;
    bytes_put(&call->parts, response->part.data, response->part.len);
    bool more = response->more;
    *reply = reply_free(*reply);
    if (call->parts.r < 0 || more)
        return call->parts.r < 0 ? call->parts.r : 1;
    return reply_new(&call->parts, reply);
}

static struct tb_call *call_of_tag(const struct tb_bank *bank, uint32_t tag) {
    struct tb_call *call = bank->calls;
    while (call && (call->stage != CALL_SENT || call->tag != tag))
        call = call->next;
    return call;
}

static int goodbye_take(struct tb_bank *bank, const Timebank__Response *response) {
    if (response->body_case != TIMEBANK__RESPONSE__BODY_REFUSED)
        return -EPROTO;
    int r = wire_refusal(bank, response->refused);
    if (r < 0)
        return r;
    bank->goodbye = r;
    memcpy(bank->goodbye_message, bank->message, sizeof(bank->message));
    return 0;
}

static int frame_take(struct tb_bank *bank, struct bytes *payload) {
    _cleanup_(reply_freep) struct reply *reply = NULL;
    int r = reply_new(payload, &reply);
    if (r < 0)
        return r;
    if (bank->link != LINK_OPEN)
        return connect_take(bank, TAKE(reply));
    if (reply->message->tag == 0)
        return goodbye_take(bank, reply->message);
    struct tb_call *call = call_of_tag(bank, reply->message->tag);
    if (!call)
        return reply->message->tag <= bank->tag ? 0 : -EPROTO; /* nobody waits for it any more */
    r = parts_take(call, &reply);
    if (r < 0)
        return r;
    if (r == 0)
        reply_take(call, TAKE(reply));
    return 0;
}

static void link_read(struct tb_bank *bank) {
    bank->message[0] = '\0';
    int gone = wire_receive(bank);
    while (bank->fd >= 0) {
        _cleanup_bytes_ struct bytes payload = {};
        int r = wire_next(bank, &payload);
        if (r == 0)
            break;
        r = r > 0 ? frame_take(bank, &payload) : r;
        if (r != 0)
            loop_lose(bank, r);
    }
    if (gone < 0 && bank->fd >= 0)
        loop_lose(bank, gone);
}

/* ------------------------------------------------------------ what is late */

/* A link on which nothing came since the call was sent is given up; and a dry run that nobody heard
 * of may or may not stand under the next one. */
static bool link_is_spoilt(const struct tb_bank *bank, const struct tb_call *call) {
    return call->stage == CALL_SENT &&
           (bank->received_at_ms < call->sent_at_ms || call->kind == CALL_DRY_RUN);
}

static void late_end(struct tb_bank *bank, uint64_t now_ms) {
    bool spoilt = false;
    struct tb_call *next = NULL;
    if (bank->calls && now_ms < bank->due_at_ms)
        return;
    bank->due_at_ms = UINT64_MAX;
    for (struct tb_call *call = bank->calls; call; call = next) {
        next = call->next;
        if (call->deadline_at_ms > now_ms) {
            bank->due_at_ms = MIN_OF(bank->due_at_ms, call->deadline_at_ms);
            continue;
        }
        spoilt = spoilt || link_is_spoilt(bank, call);
        call_say(call);
        call_end(call, -ETIMEDOUT);
    }
    if (spoilt && bank->fd >= 0)
        loop_lose(bank, -ECONNRESET);
    if (!bank->calls && bank->link != LINK_OPEN)
        connect_close(bank);
}

/* ------------------------------------------------------------ what is sent */

/* The next call to send or to end unsent, or NULL. */
static struct tb_call *call_next(const struct tb_bank *bank) {
    struct tb_call *call = bank->calls;
    if (bank->n_calls[CALL_WAITS] == 0 || bank->link != LINK_OPEN ||
        bank->n_calls[CALL_SENT] >= SENT_MAX || bank->out.n - bank->out_at >= OUT_MAX)
        return NULL;
    while (call && call->stage != CALL_WAITS)
        call = call->next;
    return call && !call->after ? call : NULL;
}

/* The head that it names, with its checkpoint: what may have to speak against the reply. */
static int known_set(const struct tb_bank *bank, struct tb_call *call) {
    const struct bytes *note = call->parent ? call_reached(call->parent) : &bank->head.checkpoint;
    call->known = call->parent ? call->parent->reach : bank->head.head;
    bytes_clear(&call->named);
    if (note->n > 0)
        bytes_put(&call->named, note->data, note->n);
    return call->named.r;
}

static int call_send(struct tb_bank *bank, struct tb_call *call, uint64_t now_ms) {
    call->tag = ++bank->tag;
    int r = call->noun->keep ? call->noun->keep(call) : 0;
    if (r == 0)
        r = known_set(bank, call);
    if (r == 0)
        r = wire_put(bank, call->tag, call->known.size, &call->body);
    if (r != 0)
        return r;
    call_set_stage(call, CALL_SENT);
    call->sent_at_ms = now_ms;
    return 0;
}

static void call_dispatch(struct tb_bank *bank, struct tb_call *call, uint64_t now_ms) {
    bank->message[0] = '\0';
    if (call->r != 0) {
        call_say(call);
        call_end(call, call->r);
    } else if (call->kind == CALL_CONNECTS && bank->head_is_shown) {
        call_end(call, 0);
    } else if (call->kind == CALL_DRY_RUN && bank->dry_runs_lost) {
        call_end(call, bank_fail(bank, -ENOTCONN,
                                 "The connection was lost in the middle of a dry run: begin it "
                                 "again."));
    } else {
        int r = call_send(bank, call, now_ms);
        if (r != 0)
            call_end(call, r);
    }
}

static void link_make(struct tb_bank *bank) {
    bank->message[0] = '\0';
    int r = connect_begin(bank);
    if (r != 0)
        loop_lose(bank, r);
}

void loop_step(struct tb_bank *bank) {
    if (bank->fd >= 0)
        link_read(bank);
    uint64_t now_ms = clock_monotonic_ms();
    late_end(bank, now_ms);
    bool paused = now_ms < bank->not_before_ms;
    if (bank->calls && bank->fd < 0 && !paused)
        link_make(bank);
    struct tb_call *call;
    while (!paused && (call = call_next(bank)))
        call_dispatch(bank, call, now_ms);
    if (bank->fd >= 0 && bank->out.n > 0) {
        int r = wire_send(bank);
        if (r < 0)
            loop_lose(bank, r);
    }
}

short loop_events(const struct tb_bank *bank, int *ret_timeout_ms) {
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t due_ms = bank->calls ? bank->due_at_ms : UINT64_MAX;
    if (bank->calls && (bank->fd < 0 || call_next(bank)))
        due_ms = MIN_OF(due_ms, bank->not_before_ms);
    uint64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    *ret_timeout_ms = due_ms == UINT64_MAX ? -1 : (int)MIN_OF(left_ms, (uint64_t)INT_MAX);
    if (bank->fd < 0)
        return 0;
    return (short)(POLLIN | (bank->out.n > 0 ? POLLOUT : 0));
}

int tb_bank_fd(const struct tb_bank *bank) {
    return bank ? bank->fd : -1;
}

int tb_bank_events(const struct tb_bank *bank, int *ret_timeout_ms) {
    int timeout_ms = -1;
    int events = bank ? loop_events(bank, &timeout_ms) : 0;
    if (ret_timeout_ms)
        *ret_timeout_ms = timeout_ms;
    return events;
}

int tb_bank_process(struct tb_bank *bank) {
    if (!bank)
        return -EINVAL;
    bank->notice[0] = '\0';
    loop_step(bank);
    return 0;
}
