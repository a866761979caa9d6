/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four outcomes are made here. A connection that dies, a daemon that is busy or stopping: the
 * same bytes are sent again, with growing pauses, until the deadline. What was never sent, or was
 * refused, is known; what was sent and not answered is -EINPROGRESS.
 */
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "connect.h"
#include "verify.h"
#include "wire.h"

#define PAUSE_FIRST_MS 10u
#define PAUSE_MAX_MS 500u

enum call_kind {
    CALL_CONNECTS,
    CALL_READS,   /* may be asked again without a thought */
    CALL_RECORDS, /* once it left, only an answer tells what became of it */
    CALL_DRY_RUN, /* stands on earlier dry runs of this very connection */
};

struct attempt {
    enum call_kind kind;
    Timebank__Request *request;
    Timebank__Response__BodyCase body;
    Timebank__Response *response;
    bool is_unknown; /* a sending went without an answer */
};

bool call_refusal_is_early(int refusal) {
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

/* Sends and receives once. */
static int request_exchange(struct tb_bank *bank, struct attempt *attempt) {
    Timebank__Request *request = attempt->request;
    if (++bank->tag == 0)
        bank->tag = 1;
    request->tag = bank->tag;
    request->known_size = bank->head.head.size;
    int r = wire_send(bank, request);
    if (r == TB_TOO_LARGE || r == -ENOMEM)
        return r;
    if (r == 0)
        r = wire_receive(bank, request->tag, &attempt->response);
    if (r != 0) {
        attempt->is_unknown = true;
        connect_close(bank);
    }
    return r;
}

/* Judges the reply: its head first, then whether it is what was asked for. */
static int response_judge(struct tb_bank *bank, const struct attempt *attempt) {
    const Timebank__Response *response = attempt->response;
    bool refused = response->body_case == TIMEBANK__RESPONSE__BODY_REFUSED;
    int r = 0;
    if (response->position)
        r = verify_position(bank, response->position);
    else if (!refused)
        r = verify_fail(bank, NULL, 0, "A reply came without the ledger's head.");
    if (r != 0)
        return r;
    if (refused)
        return wire_refusal(bank, response->refused);
    if (attempt->body != TIMEBANK__RESPONSE__BODY__NOT_SET && response->body_case != attempt->body)
        return -EPROTO;
    return 0;
}

static int attempt_run(struct tb_bank *bank, struct attempt *attempt) {
    int r = connect_open(bank);
    if (r != 0 || attempt->kind == CALL_CONNECTS)
        return r;
    if (attempt->kind == CALL_DRY_RUN && bank->dry_runs_lost)
        return bank_fail(bank, -ENOTCONN,
                         "The connection was lost in the middle of a dry run: begin it again.");
    r = request_exchange(bank, attempt);
    if (r == 0)
        r = response_judge(bank, attempt);
    if (r == -EPROTO)
        attempt->is_unknown = true;
    return r;
}

/* What may be over in a moment. Nobody listening is final at the opening: the address may be wrong.
 */
static bool outcome_is_passing(const struct tb_bank *bank, int r) {
    return r == -ECONNRESET || r == TB_TRY_LATER || r == TB_SHUTTING_DOWN ||
           (r == TB_NO_BANK && bank->opened);
}

static bool pause_take(const struct tb_bank *bank, unsigned ms) {
    if (bank_time_left_ms(bank) <= ms)
        return false;
    struct timespec pause = {.tv_nsec = (long)ms * 1000000};
    nanosleep(&pause, NULL);
    return true;
}

/* An answer that does not verify tells nothing, nor does a refusal from before the daemon looked.
 */
static bool outcome_is_known(const struct attempt *attempt, int r) {
    if (r == 0)
        return true;
    if (r == -EBADMSG)
        return false;
    if (!attempt->is_unknown)
        return true;
    return r > 0 && !call_refusal_is_early(r) && r != TB_NO_BANK && r != TB_WRONG_LEDGER;
}

static int outcome_tell(struct tb_bank *bank, const struct attempt *attempt, int r) {
    if (attempt->kind == CALL_RECORDS && !outcome_is_known(attempt, r) && r != -EBADMSG &&
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
                         bank->deadline_ms);
    if (r == -ECONNRESET)
        return bank_fail(bank, r, "The bank at %s closed the connection: ask again.",
                         bank->address);
    if (r == -EPROTO && bank->message[0] == '\0')
        return bank_fail(bank, r, "The bank's reply cannot be read: update the older program.");
    if (r < 0 && bank->message[0] == '\0')
        return bank_fail(bank, r, NULL);
    return r;
}

static int attempt_repeat(struct tb_bank *bank, struct attempt *attempt) {
    unsigned pause_ms = PAUSE_FIRST_MS;
    for (;;) {
        bank->message[0] = '\0';
        bank->refused = NULL;
        int r = attempt_run(bank, attempt);
        if (r == 0)
            return 0;
        if (r == -EPROTO || r == TB_SHUTTING_DOWN)
            connect_close(bank);
        if (!outcome_is_passing(bank, r) || !pause_take(bank, pause_ms))
            return outcome_tell(bank, attempt, r);
        pause_ms = MIN_OF(2 * pause_ms, PAUSE_MAX_MS);
    }
}

int call_connect(struct tb_bank *bank) {
    struct attempt attempt = {.kind = CALL_CONNECTS};
    return attempt_repeat(bank, &attempt);
}

int call_read(struct tb_bank *bank, Timebank__Request *request, Timebank__Response__BodyCase body,
              Timebank__Response **ret_response) {
    struct attempt attempt = {.kind = CALL_READS, .request = request, .body = body};
    int r = attempt_repeat(bank, &attempt);
    if (r == 0)
        *ret_response = attempt.response;
    return r;
}

int call_submit(struct tb_bank *bank, Timebank__Request *request, struct call_fate *fate,
                Timebank__Response **ret_response) {
    struct attempt attempt = {
        .kind = request->submit->dry_run ? CALL_DRY_RUN : CALL_RECORDS,
        .request = request,
        .body = TIMEBANK__RESPONSE__BODY_ANSWER,
        .is_unknown = fate->was_sent,
    };
    int r = attempt_repeat(bank, &attempt);
    fate->was_sent = attempt.is_unknown;
    fate->is_known = outcome_is_known(&attempt, r);
    if (r == 0)
        *ret_response = attempt.response;
    return r;
}
