/* SPDX-License-Identifier: Apache-2.0 */
/* One reply as it came, decoded into an arena of its own: it lives as long as the call it answers.
 */
#pragma once

#include "bank.h"

struct reply {
    struct arena arena;
    struct bytes bytes;
    Timebank__Response *message;
};

/* Takes the bytes over. -EPROTO when they are no Response. */
int reply_new(struct bytes *bytes, struct reply **ret_reply) TB_MUST_CHECK;
struct reply *reply_free(struct reply *reply);

DEFINE_CLEANUP(struct reply *, reply_free)
