/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a decoded request to a reply: one table of requests says which handler answers; access.c
 * says who may ask. Sessions hand requests in and get replies out when what they tell is durable.
 */
#pragma once

#include "call.h"

/* Handles a request (the first message, hello, is the session's business). 0 with *ret_reply, or
 * with none where the whole packed Response was appended to `now` (unless that is NULL): what it
 * tells is durable already. < 0 broken (memory, the store). */
int dispatch(struct bank *bank, struct call_client *client, const Timebank__Request *request,
             struct arena *arena, struct bytes *now, struct reply **ret_reply) TB_MUST_CHECK;
/* True when the request writes: the session waits while the log has no room for another batch. */
bool dispatch_is_write(const Timebank__Request *request);
/* The whole packed Response, its position added, once the ticket is durable. */
int dispatch_finish(struct bank *bank, struct reply *reply, struct bytes *to) TB_MUST_CHECK;
