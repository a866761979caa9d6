/* SPDX-License-Identifier: Apache-2.0 */
/* A counting arena holds what is decoded, so that a hostile reply fails instead of growing. */
#include "reply.h"

#include <errno.h>

#include "proto/balance-plain.h"

#define ROOM_MIN 768u /* with the rest of it a size that malloc keeps at hand */
#define ROOM_SHORT 512u
#define ROOM_FACTOR 4u /* what is decoded of an answer's proof, for each byte of it */
#define ROOM_MAX (16u * 1024)

/* A long one finds its room in blocks. */
static size_t room_bytes(size_t n) {
    return n <= ROOM_SHORT || n > ROOM_MAX / ROOM_FACTOR ? ROOM_MIN : n * ROOM_FACTOR;
}

struct reply *reply_free(struct reply *reply) {
    if (!reply)
        return NULL;
    bytes_fini(&reply->bytes);
    arena_fini(&reply->arena);
    free(reply);
    return NULL;
}

int reply_new(struct bytes *bytes, struct reply **ret_reply) {
    size_t n_room = room_bytes(bytes->n);
    _cleanup_(reply_freep) struct reply *reply = malloc(sizeof(*reply) + n_room);
    if (!reply)
        return -ENOMEM;
    arena_init_in(&reply->arena, BANK_REPLY_MAX, reply->room, n_room);
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
