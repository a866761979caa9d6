/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's next key: made when a steward asks, and recorded by an order of that steward's. */
#include <errno.h>
#include <string.h>

#include "handlers.h"

static bool copy(struct call *call, ProtobufCBinaryData *to, const void *data, size_t n) {
    to->data = arena_alloc(call->arena, n);
    if (!to->data)
        return false;
    memcpy(to->data, data, n);
    to->len = n;
    return true;
}

/* What a full disk keeps from being made is a refusal: the bank itself is well. */
static int refuse(struct call *call, int r) {
    if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG)
        return call_refuse(call, REFUSAL_LEDGER_FULL, NULL);
    return r < 0 ? r : call_refuse(call, r, NULL);
}

int handle_key_next(struct call *call) {
    Timebank__RotateKey *rotate = arena_alloc(call->arena, sizeof(*rotate));
    struct bank_next_key next;
    int r = rotate ? bank_keys_next(call->bank, &next) : -ENOMEM;

    if (r != 0)
        return refuse(call, r);
    timebank__rotate_key__init(rotate);
    if (!copy(call, &rotate->key, next.key, sizeof(next.key)) ||
        !copy(call, &rotate->by_old, next.by_old, sizeof(next.by_old)) ||
        !copy(call, &rotate->by_new, next.by_new, sizeof(next.by_new)))
        return -ENOMEM;
    call->response->next_key = rotate;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_NEXT_KEY;
    return 0;
}
