/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request being handled, and what its connection keeps between requests. Handlers read the
 * request, and fill the response (from the arena) or set up the reply.
 */
#pragma once

#include "access.h"
#include "bank.h"
#include "reply.h"

/* What a connection keeps between requests, as far as handlers need it. */
struct call_client {
    uint8_t key[SSHSIG_PUBLIC_BYTES];
    struct ledger_author who; /* with this key, as of who_size records */
    uint64_t who_size;        /* 0: not looked up yet */
    struct state *dry;        /* dry runs stacked on the bank's state, or NULL */
    uint64_t n_dry_orders;
    uint64_t n_dry_bytes;
};
void call_client_fini(struct call_client *client);

struct call {
    struct bank *bank;
    struct call_client *client;
    const Timebank__Request *request;
    struct ledger_author who;
    struct arena *arena;
    Timebank__Response *response;
    struct reply *reply;
};

/* A refusal as the response (message NULL: the table's sentence); returns 0 so that it can be
 * returned. */
int call_refuse(struct call *call, int refusal, const char *message);
/* access_acts_for() and access_may_read() of who asks, now. */
bool call_acts_for(const struct call *call, const char *code);
bool call_may_read(const struct call *call, const char *code);
/* A copy in the arena; NULL on no memory. */
char *call_copy(struct call *call, const char *text);
