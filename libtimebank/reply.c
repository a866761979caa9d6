/* SPDX-License-Identifier: Apache-2.0 */
/* A counting arena holds what is decoded, so that a hostile reply fails instead of growing. */
#include "reply.h"

#include <errno.h>

#include "proto/balance-plain.h"

struct reply *reply_free(struct reply *reply) {
    if (!reply)
        return NULL;
    bytes_fini(&reply->bytes);
    arena_fini(&reply->arena);
    free(reply);
    return NULL;
}

int reply_new(struct bytes *bytes, struct reply **ret_reply) {
    _cleanup_(reply_freep) struct reply *reply = malloc(sizeof(*reply));
    if (!reply)
        return -ENOMEM;
    arena_init_in(&reply->arena, BANK_REPLY_MAX, reply->room, sizeof(reply->room));
    reply->bytes = *bytes;
    *bytes = (struct bytes){};
    reply->message = balance_plain_get_response(reply->bytes.data, reply->bytes.n, &reply->arena);
    if (!reply->message)
        reply->message =
            timebank__response__unpack(&reply->arena.allocator, reply->bytes.n, reply->bytes.data);
    if (!reply->message)
        return -EPROTO;
    *ret_reply = TAKE(reply);
    return 0;
}
