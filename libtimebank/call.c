/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four outcomes are made here. A link that dies, a daemon that is busy or stopping: the same
 * bytes are sent again, with growing pauses, until the deadline. What was never sent, or was
 * refused, is known; what was sent and not answered is -EINPROGRESS.
 */
#include "call.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "connect.h"
#include "loop.h"
#include "reply.h"
#include "verify.h"
#include "wire.h"

static const struct call_noun plain;

int call_new(struct tb_bank *bank, enum call_kind kind, const Timebank__Request *request,
             Timebank__Response__BodyCase wants, struct tb_call **ret_call) {
    struct tb_call *call = calloc(1, sizeof(*call));
    if (!call)
        return bank_fail(bank, -ENOMEM, NULL);
    call->bank = bank;
    call->noun = &plain;
    call->kind = kind;
    call->wants = wants;
    call->deadline_ms = bank->deadline_ms;
    int r = request ? wire_body(request, &call->body) : 0;
    if (r < 0) {
        free(call);
        return bank_fail(bank, r, NULL);
    }
    *ret_call = call;
    return 0;
}

void call_discard(struct tb_call *call) {
    if (call->noun->free)
        call->noun->free(call);
    bytes_fini(&call->body);
    bytes_fini(&call->parts);
    bytes_fini(&call->seen.checkpoint);
    bytes_fini(&call->named);
    bytes_fini(&call->reached);
    reply_free(call->reply);
    free(call->message);
    free(call);
}

/* What a call holds to say when it has ended; where there is no memory for it, nothing. */
static void message_set(struct tb_call *call, const char *said) {
    free(call->message);
    call->message = said[0] ? strdup(said) : NULL;
}

static const char *message_get(const struct tb_call *call) {
    return call->message ? call->message : "";
}

void call_say(const struct tb_call *call) {
    snprintf(call->bank->message, sizeof(call->bank->message), "%s", message_get(call));
}

static void list_at(struct tb_call *call, struct tb_call **at) {
    struct tb_bank *bank = call->bank;
    bank->due_at_ms =
        bank->calls ? MIN_OF(bank->due_at_ms, call->deadline_at_ms) : call->deadline_at_ms;
    call->next = *at;
    *at = call;
    call->is_listed = true;
    bank->n_calls[call->stage]++;
}

void call_set_stage(struct tb_call *call, enum call_stage stage) {
    if (call->is_listed) {
        call->bank->n_calls[call->stage]--;
        call->bank->n_calls[stage]++;
    }
    call->stage = stage;
}

void call_start(struct tb_call *call) {
    struct tb_bank *bank = call->bank;
    struct tb_call **at = bank->near_end ? &bank->near_end->next : &bank->calls;
    while (*at)
        at = &(*at)->next;
    call->deadline_at_ms = clock_monotonic_ms() + call->deadline_ms;
    list_at(call, at);
    bank->near_end = call;
}

void call_start_first(struct tb_call *call) {
    call->deadline_at_ms = clock_monotonic_ms() + call->deadline_ms;
    list_at(call, &call->bank->calls);
}

void call_start_behind(struct tb_call *call, struct tb_call *before) {
    list_at(call, &before->next);
}

void call_follow(struct tb_call *call, struct tb_call *first) {
    call->after = first;
    if (first)
        first->is_followed = true;
}

int call_read(struct tb_bank *bank, const Timebank__Request *request,
              Timebank__Response__BodyCase wants, struct tb_call **ret_call) {
    int r = bank_begin_opened(bank);
    if (r == 0)
        r = call_new(bank, CALL_READS, request, wants, ret_call);
    if (r == 0)
        call_start(*ret_call);
    return r;
}

int call_connect(struct tb_bank *bank, struct tb_call **ret_call) {
    Timebank__Empty empty = TIMEBANK__EMPTY__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_STATUS;
    request.status = &empty;
    int r = call_new(bank, CALL_CONNECTS, &request, TIMEBANK__RESPONSE__BODY_STATUS, ret_call);
    if (r == 0)
        call_start(*ret_call);
    return r;
}

/* ----------------------------------------------------------------- outcomes */

static bool refusal_is_early(int refusal) {
    switch (refusal) {
    case TB_TRY_LATER:
    case TB_LEDGER_FULL:
    case TB_CLOCK:
    case TB_SHUTTING_DOWN:
    case TB_REVOKED_KEY:
        return true;
    default:
        return false;
    }
}

bool call_is_passing(const struct tb_bank *bank, int r) {
    return r == -ECONNRESET || r == TB_TRY_LATER || r == TB_SHUTTING_DOWN ||
           (r == TB_NO_BANK && bank->opened);
}

/* What was not refused by a reply of its own, or before the daemon looked, tells nothing of what
 * may have been recorded earlier. */
static bool outcome_is_known(const struct tb_call *call, int r) {
    if (r == 0 || !call->is_unknown)
        return true;
    return r > 0 && call_refused(call) && !refusal_is_early(r);
}

static int outcome_tell(const struct tb_call *call, int r) {
    struct tb_bank *bank = call->bank;
    if (call->kind == CALL_RECORDS && !outcome_is_known(call, r) && r != -EBADMSG &&
        r != TB_WRONG_LEDGER) {
        char said[BANK_MESSAGE_BYTES / 2 + 32];
        snprintf(said, sizeof(said), "%s%.500s", bank->message[0] ? " The bank's last word: " : "",
                 bank->message);
        return bank_fail(
            bank, -EINPROGRESS,
            "It is not known yet whether this was recorded: the connection ended before "
            "the answer came. Ask again; nothing counts twice.%s",
            said);
    }
    if (r == -ETIMEDOUT)
        return bank_fail(bank, r, "The bank did not answer within %u ms: ask again.",
                         call->deadline_ms);
    if (r == -ECONNRESET)
        return bank_fail(bank, r, "The bank at %s closed the connection: ask again.",
                         bank->address);
    if (r == -EPROTO && bank->message[0] == '\0')
        return bank_fail(bank, r, "The bank's reply cannot be read: update the older program.");
    if (r < 0 && bank->message[0] == '\0')
        return bank_fail(bank, r, NULL);
    return r;
}

/* ---------------------------------------------------------------------- end */

static void call_take_out(struct tb_call *call) {
    struct tb_bank *bank = call->bank;
    struct tb_call **at = &bank->calls;
    if (!call->is_listed)
        return;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    call->next = NULL;
    call->is_listed = false;
    bank->n_calls[call->stage]--;
    if (bank->near_end == call)
        bank->near_end = NULL;
}

/* Those that waited for it may go, or fail as it failed when their turn comes. */
static void followers_tell(const struct tb_call *call) {
    if (!call->is_followed)
        return;
    for (struct tb_call *other = call->bank->calls; other; other = other->next) {
        if (other->parent == call)
            other->parent = NULL;
        if (other->after != call)
            continue;
        other->after = NULL;
        other->r = call->r;
        message_set(other, message_get(call));
        /* It was not sent, and that is known. */
        if (call->r == -EINPROGRESS) {
            other->r = TB_TRY_LATER;
            message_set(other, "What became of an earlier batch is not known yet, so this one was "
                               "not sent: try again.");
        }
    }
}

static void reply_clear(struct tb_call *call) {
    call->reply = reply_free(call->reply);
    bytes_fini(&call->parts);
    call->parts = (struct bytes){};
}

void call_end(struct tb_call *call, int r) {
    struct tb_bank *bank = call->bank;
    if (r != 0 && (call->stage == CALL_SENT || call->stage == CALL_CHECKED))
        call->is_unknown = true;
    bool known = outcome_is_known(call, r);
    if (call->noun->end && call->noun->end(call, &r, known) > 0) {
        reply_clear(call);
        call_set_stage(call, CALL_WAITS);
        return;
    }
    if (r == 0)
        bank->message[0] = '\0';
    call->r = outcome_tell(call, r);
    message_set(call, bank->message);
    call_set_stage(call, CALL_ENDED);
    call_take_out(call);
    followers_tell(call);
    if (!bank->calls) { /* the next question may be asked at once */
        bank->not_before_ms = 0;
        bank->pause_ms = CALL_PAUSE_FIRST_MS;
    }
    bytes_fini(&call->body);
    call->body = (struct bytes){};
    if (call->is_forgotten)
        call_discard(call);
}

void call_end_all(struct tb_bank *bank, int r) {
    char said[BANK_MESSAGE_BYTES];
    memcpy(said, bank->message, sizeof(said));
    while (bank->calls) {
        struct tb_call *call = bank->calls;
        memcpy(bank->message, said, sizeof(said));
        call_end(call, r);
        /* A settling may go on to its next batch. */
        if (bank->calls == call)
            call_set_stage(call, CALL_WAITS);
    }
}

static void pause_begin(struct tb_bank *bank) {
    uint64_t now_ms = clock_monotonic_ms();
    if (bank->not_before_ms > now_ms)
        return;
    bank->not_before_ms = now_ms + bank->pause_ms;
    bank->pause_ms = MIN_OF(2 * bank->pause_ms, CALL_PAUSE_MAX_MS);
}

void call_attempt_ended(struct tb_call *call, int r) {
    struct tb_bank *bank = call->bank;
    if (call_is_passing(bank, r)) {
        pause_begin(bank);
        if (call->deadline_at_ms > bank->not_before_ms) {
            message_set(call, bank->message);
            reply_clear(call);
            call_set_stage(call, CALL_WAITS);
            return;
        }
    } else {
        bank->pause_ms = CALL_PAUSE_FIRST_MS;
    }
    call_end(call, r);
}

/* ------------------------------------------------------------------- answer */

const struct bytes *call_reached(const struct tb_call *call) {
    return call->reached.n > 0 ? &call->reached : &call->seen.checkpoint;
}

void call_show(const struct tb_call *call) {
    struct tb_bank *bank = call->bank;
    bank->judged.tag = call->tag;
    bank->judged.known_size = call->known.size;
    bank->judged.named = &call->named;
    bank->judged.body = &call->body;
    bank->judged.reply = call->reply ? &call->reply->bytes : NULL;
}

static int reply_judge(struct tb_call *call) {
    if (!call->reply)
        return 0;
    const Timebank__Response *response = call->reply->message;
    if (response->body_case == TIMEBANK__RESPONSE__BODY_REFUSED)
        return wire_refusal(call->bank, response->refused);
    if (call->wants != TIMEBANK__RESPONSE__BODY__NOT_SET && response->body_case != call->wants)
        return -EPROTO;
    return call->noun->judge ? call->noun->judge(call) : 0;
}

void call_judge(struct tb_call *call, int r) {
    struct tb_bank *bank = call->bank;
    if (r == 0) {
        bank->message[0] = '\0';
        call_show(call);
        r = reply_judge(call);
    }
    /* An answer that cannot be read or does not verify tells nothing. */
    if (r != -EBADMSG && r != -EPROTO)
        call_set_stage(call, CALL_WAITS);
    call_attempt_ended(call, r);
    bank->judged.named = bank->judged.body = bank->judged.reply = NULL;
    if (r == -EBADMSG)
        call_end_all(bank, r);
    else if (r == -EPROTO || r == -ECONNRESET || r == TB_SHUTTING_DOWN)
        loop_lose(bank, -ECONNRESET);
}

int call_reply(struct tb_call *call, Timebank__Response__BodyCase body,
               Timebank__Response **ret_response) {
    if (call->stage != CALL_ENDED)
        return bank_fail(call->bank, -EAGAIN, "The call has not ended yet.");
    if (call->r != 0 || !call->reply || call->reply->message->body_case != body)
        return bank_fail(call->bank, -EINVAL, "The call brought nothing of that kind.");
    *ret_response = call->reply->message;
    return 0;
}

int call_ask(struct tb_bank *bank, const Timebank__Request *request,
             Timebank__Response__BodyCase wants, struct tb_call **ret_call,
             Timebank__Response **ret_response) {
    struct tb_call *call = NULL;
    int r = call_read(bank, request, wants, &call);
    if (r != 0)
        return r;
    r = call_wait(call);
    if (r == 0)
        r = call_reply(call, wants, ret_response);
    if (r == 0)
        *ret_call = call;
    else
        call_release(call);
    return r;
}

const Timebank__Refused *call_refused(const struct tb_call *call) {
    const Timebank__Response *response = call->reply ? call->reply->message : NULL;
    bool refused = response && response->body_case == TIMEBANK__RESPONSE__BODY_REFUSED;
    return refused ? response->refused : NULL;
}

/* ------------------------------------------------------------------ holding */

bool call_is_awaited(const struct tb_call *call) {
    if (!call->is_followed)
        return false;
    for (const struct tb_call *other = call->bank->calls; other; other = other->next) {
        if (other->after == call)
            return true;
    }
    return false;
}

struct tb_call *call_release(struct tb_call *call) {
    if (!call)
        return NULL;
    if (call->stage == CALL_ENDED) {
        call_discard(call);
        return NULL;
    }
    struct tb_bank *bank = call->bank;
    bool is_sent = call->stage == CALL_SENT;
    bool is_dry_run = call->kind == CALL_DRY_RUN;
    call->is_forgotten = true;
    if (call->noun->forget)
        call->noun->forget(call);
    /* What may be recorded is heard out, so that its outbox file can go. */
    bool stays = call_is_awaited(call) || (call->kind == CALL_RECORDS && call->stage != CALL_WAITS);
    if (!stays)
        call_end(call, -ECANCELED);
    if (is_sent && is_dry_run)
        loop_lose(bank, -ECONNRESET);
    return NULL;
}

int call_wait(struct tb_call *call) {
    struct tb_bank *bank = call->bank;
    for (;;) {
        loop_step(bank);
        if (call->stage == CALL_ENDED)
            break;
        int timeout_ms = -1;
        short events = loop_events(bank, &timeout_ms);
        struct pollfd pollfd = {.fd = bank->fd, .events = events};
        if (poll(&pollfd, 1, timeout_ms) < 0 && errno != EINTR)
            call_end(call, -errno);
    }
    call_say(call);
    return call->r;
}

int call_lend(struct tb_call *call) {
    call->bank->lent = call;
    return call_wait(call);
}

/* ------------------------------------------------------------------- public */

struct tb_call *tb_call_free(struct tb_call *call) {
    return call_release(call);
}

int tb_call_is_done(const struct tb_call *call) {
    return call && call->stage == CALL_ENDED;
}

int tb_call_result(const struct tb_call *call) {
    if (!call)
        return -EINVAL;
    return call->stage == CALL_ENDED ? call->r : -EAGAIN;
}

const char *tb_call_message(const struct tb_call *call) {
    return call && call->stage == CALL_ENDED ? message_get(call) : "";
}

int tb_call_wait(struct tb_call *call) {
    return call ? call_wait(call) : -EINVAL;
}
