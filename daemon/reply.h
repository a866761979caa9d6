/* SPDX-License-Identifier: Apache-2.0 */
/* A reply under way: it may leave once its ticket is durable; the position is added then. */
#pragma once

#include "base/bytes.h"
#include "ledger.h"

struct arena;
struct bank;
struct job;

struct reply {
    struct reply *next;
    uint64_t session_id;
    uint32_t tag;
    size_t n_expected; /* how many bytes it will have, as far as is known before it leaves */
    uint64_t known_size;
    uint64_t ticket;
    struct bytes body; /* a packed Response without position; empty where a batch is answered */
    uint64_t seal;     /* batch to be answered, or 0 */
    bool is_already;   /* it was in before */
    struct ledger_author who;
    struct bytes warnings; /* packed Answer that holds the warnings, or empty */
    struct job *job;       /* to be done once durable, or NULL */
    /* Fills in what can only be said under the head that the reply will carry, or NULL. It may
     * refuse. subject and subject_size are what it was asked about. */
    int (*complete)(struct bank *bank, const struct reply *reply, struct arena *arena,
                    Timebank__Response *response);
    uint64_t subject;
    uint64_t subject_size;
};

/* For one on the stack. */
void reply_fini(struct reply *reply);
struct reply *reply_free(struct reply *reply);
DEFINE_CLEANUP(struct reply *, reply_free)
