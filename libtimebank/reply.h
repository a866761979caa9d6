/* SPDX-License-Identifier: Apache-2.0 */
/* One reply as it came, decoded into an arena of its own: it lives as long as the call it answers.
 */
#pragma once

#include <stdalign.h>

#include "bank.h"

struct reply {
    struct arena arena;
    struct bytes bytes;
    Timebank__Response *message;
    alignas(16) uint8_t room[]; /* the arena of a short one */
};

/* Takes the bytes over. -EPROTO when they are no Response. */
int reply_new(struct bytes *bytes, struct reply **ret_reply) TB_MUST_CHECK;
struct reply *reply_free(struct reply *reply);

DEFINE_CLEANUP(struct reply *, reply_free)
