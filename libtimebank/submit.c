/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verb of the moment and the settling of the outbox have in common. An answer that does
 * not verify leaves the batch's fate unknown: nothing that such a bank says about it counts.
 */
#include "submit.h"

#include <errno.h>

#include "proto/merkle.h"
#include "verify.h"

int submit_run(struct tb_bank *bank, Timebank__Submit *submit, const struct hash *leaves, size_t n,
               struct call_fate *fate, const Timebank__Answer **ret_answer) {
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_SUBMIT;
    request.submit = submit;
    Timebank__Response *response = NULL;
    int r = call_submit(bank, &request, fate, &response);
    if (r != 0)
        return r;
    struct verify_batch batch = {
        .header = submit->header.data,
        .signature = submit->signature.data,
        .leaves = leaves,
        .n_orders = n,
        .dry_run = submit->dry_run,
    };
    r = verify_answer(bank, &batch, response->answer);
    if (r != 0) {
        fate->is_known = false;
        return r;
    }
    *ret_answer = response->answer;
    return 0;
}

/* A varint of at most 32 bits. */
static uint32_t varint_get(struct cursor *cursor) {
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 32; shift += 7) {
        uint8_t byte = cursor_u8(cursor);
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    cursor->r = -EBADMSG;
    return 0;
}

int submit_leaves(const uint8_t *orders, size_t n_bytes, size_t n, struct hash **ret_leaves) {
    _cleanup_(freep) struct hash *leaves = calloc(MAX_OF(n, (size_t)1), sizeof(*leaves));
    if (!leaves)
        return -ENOMEM;
    struct cursor cursor = cursor_make(orders, n_bytes);
    for (size_t i = 0; i < n; i++) {
        uint32_t n_order = varint_get(&cursor);
        const uint8_t *order = cursor_bytes(&cursor, n_order);
        if (cursor.r < 0)
            return cursor.r;
        leaves[i] = merkle_leaf_of_kind(RECORD_ORDER, order, n_order);
    }
    int r = cursor_end(&cursor);
    if (r < 0)
        return r;
    *ret_leaves = TAKE(leaves);
    return 0;
}
