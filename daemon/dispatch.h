/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a decoded request to a reply: one table of requests says who may ask, and which handler
 * answers. Sessions hand requests in and get replies out when what they tell is durable.
 */
#pragma once

#include "access.h"
#include "bank.h"

struct session;

/* What a session keeps between requests, as far as handlers need it. */
struct dispatch_client {
    uint8_t key[SSHSIG_PUBLIC_BYTES];
    struct state *dry; /* dry runs stacked on the bank's state, or NULL */
    uint32_t n_dry_orders;
};

/* A reply under way. It may leave once `ticket` is durable; the position is added then. */
struct reply {
    struct reply *next;
    uint64_t session_id;
    uint32_t tag;
    uint64_t known_size;
    uint64_t ticket;
    struct bytes body; /* a packed Response without position; empty where a batch is answered */
    uint64_t seal;     /* batch to be answered, or 0 */
    bool is_already;   /* it was in before */
    struct ledger_author who;
    struct bytes warnings;  /* packed Answer that holds the warnings, or empty */
    struct report_job *job; /* report to be made once durable, or NULL */
};
struct reply *reply_free(struct reply *reply);
DEFINE_CLEANUP(struct reply *, reply_free)

/* One request being handled. Handlers fill `response` (from the arena) or set up the reply. */
struct call {
    struct bank *bank;
    struct dispatch_client *client;
    const Timebank__Request *request;
    struct ledger_author who;
    struct arena *arena;
    Timebank__Response *response;
    struct reply *reply;
};

/* Handles a request (the first message, hello, is the session's business). 0 with *ret_reply, < 0
 * broken (memory, the store). */
int dispatch(struct bank *bank, struct dispatch_client *client, const Timebank__Request *request,
             struct arena *arena, struct reply **ret_reply) TB_MUST_CHECK;
/* True when the request writes: the session waits while the log has no room for another batch. */
bool dispatch_is_write(const Timebank__Request *request);
/* The whole packed Response, its position added, once the ticket is durable. */
int dispatch_finish(struct bank *bank, struct reply *reply, struct bytes *to) TB_MUST_CHECK;
void dispatch_client_fini(struct dispatch_client *client);

/* For handlers: a refusal as the response; returns 0 so that it can be returned. */
int call_refuse(struct call *call, int refusal, const char *message);
/* arena allocation that cannot be forgotten: NULL becomes -ENOMEM at the caller. */
char *call_copy(struct call *call, const char *text);
