/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question and its answer, through whatever happens to the link, until the deadline.
 *
 * A call is packed once and started; loop.c sends it, as often as it takes, and brings its reply;
 * it ends in one of the four outcomes. The blocking form starts a call and turns the loop until it
 * has ended.
 */
#pragma once

#include "bank.h"

#define CALL_PAUSE_FIRST_MS 10u
#define CALL_PAUSE_MAX_MS 500u

enum call_kind {
    CALL_CONNECTS,
    CALL_READS,   /* may be asked again without a thought */
    CALL_RECORDS, /* once it left, only an answer tells what became of it */
    CALL_DRY_RUN, /* stands on earlier dry runs of this very link */
};

enum call_stage {
    CALL_WAITS,   /* to be sent, once more perhaps */
    CALL_SENT,    /* and not answered */
    CALL_CHECKED, /* answered, its head not yet connected with the others */
    CALL_ENDED,
};

/* What a noun does with its calls; each may be NULL. */
struct call_noun {
    /* Before it is sent, each time: what must outlast a power cut does when this returns 0. */
    int (*keep)(struct tb_call *call);
    /* The reply's head extends the one that its request named, and the bank has met another since:
     * 1 the reply itself shows that it extends that one, too; 0 it does not; -EBADMSG after
     * verify_fail(). */
    int (*connects)(struct tb_call *call);
    /* The reply is verified and is what was asked for: a last judgement of its own. */
    int (*judge)(struct tb_call *call);
    /* Ended for good or not. known: what became of what it sent is known. 1: goes on, with another
     * body. */
    int (*end)(struct tb_call *call, int *r, bool known);
    /* Nobody holds the call any more, though it may go on. */
    void (*forget)(struct tb_call *call);
    /* Frees the job. */
    void (*free)(struct tb_call *call);
};

struct tb_call {
    struct tb_bank *bank;
    struct tb_call *next;
    const struct call_noun *noun;
    void *job; /* the noun's own */
    enum call_kind kind;
    enum call_stage stage;
    Timebank__Response__BodyCase wants; /* NOT_SET: any */
    uint64_t deadline_at_ms;            /* monotonic */
    uint32_t deadline_ms;

    struct bytes body;      /* of the request */
    struct tb_call *after;  /* not sent before that one is done; fails as it fails */
    struct tb_call *parent; /* the one whose head this one connects, where it was made for that */

    uint32_t tag;           /* of the last sending */
    struct note_head known; /* the head that it named */
    struct bytes named;     /* and its checkpoint: evidence, if it must be */
    uint64_t sent_at_ms;
    bool is_listed;    /* among its bank's */
    bool is_followed;  /* another's after or parent, or was */
    bool is_unknown;   /* a sending went without an answer */
    bool is_forgotten; /* nobody holds it any more: freed when it ends */

    struct bytes parts;
    struct reply *reply;
    struct bank_head seen;  /* of the reply */
    struct note_head reach; /* the furthest head that is known to extend it */
    struct bytes reached;   /* and its checkpoint; empty where that is seen's */

    int r;
    char *message; /* NULL: nothing to say */
};

/* A call with the request packed into it; ask may be NULL, and the body filled later. */
int call_new(struct tb_bank *bank, enum call_kind kind, const Timebank__Request *request,
             Timebank__Response__BodyCase wants, struct tb_call **ret_call) TB_MUST_CHECK;
/* Frees one that was not started. */
void call_discard(struct tb_call *call);
/* Puts it behind the others, or before them. It is the bank's until it ends. */
void call_start(struct tb_call *call);
void call_start_first(struct tb_call *call);
/* Behind another one, out of turn. */
void call_start_behind(struct tb_call *call, struct tb_call *before);
/* Not sent before `first` has ended; fails as it fails. */
void call_follow(struct tb_call *call, struct tb_call *first);
void call_set_stage(struct tb_call *call, enum call_stage stage);
/* The caller's hold on it ends; NULL. What was sent already stays until its reply came. */
struct tb_call *call_release(struct tb_call *call);

/* Both, for what only reads; demands an opened bank. */
int call_read(struct tb_bank *bank, const Timebank__Request *request,
              Timebank__Response__BodyCase wants, struct tb_call **ret_call) TB_MUST_CHECK;
/* Ends when the link is open and the head that it shows extends the one that is known. */
int call_connect(struct tb_bank *bank, struct tb_call **ret_call) TB_MUST_CHECK;

/* Turns the loop until the call has ended, and says how it did. */
int call_wait(struct tb_call *call);
/* The same for the blocking form: the call, and what it hands out, is freed by the next one's
 * beginning. */
int call_lend(struct tb_call *call);

/* Its answer is there, r is what became of its head: judges it, and ends the call or has it sent
 * again. */
void call_judge(struct tb_call *call, int r);
/* Its sentence is the bank's. */
void call_say(const struct tb_call *call);
/* The checkpoint of its reach. */
const struct bytes *call_reached(const struct tb_call *call);
/* What it sent and got is what evidence would show from now on. */
void call_show(const struct tb_call *call);
/* One attempt ended with r; the bank's sentence is set, or empty. What is over in a moment is tried
 * again within the deadline. */
void call_attempt_ended(struct tb_call *call, int r);
void call_end(struct tb_call *call, int r);
void call_end_all(struct tb_bank *bank, int r);
/* What may be over in a moment. Nobody listening is final at the opening: the address may be wrong.
 */
bool call_is_passing(const struct tb_bank *bank, int r);

/* The reply of a call that ended 0, for whoever reads it; -EAGAIN, -EINVAL with the sentence set
 * where it has none of that body. */
int call_reply(struct tb_call *call, Timebank__Response__BodyCase body,
               Timebank__Response **ret_response) TB_MUST_CHECK;
/* Asks and waits for something that only reads: the response lives until the call is released, and
 * there is no call where it was not answered. */
int call_ask(struct tb_bank *bank, const Timebank__Request *request,
             Timebank__Response__BodyCase wants, struct tb_call **ret_call,
             Timebank__Response **ret_response) TB_MUST_CHECK;
/* Another call waits for this one. */
bool call_is_awaited(const struct tb_call *call);
/* The reply's list of refusals, or NULL. */
const Timebank__Refused *call_refused(const struct tb_call *call);
