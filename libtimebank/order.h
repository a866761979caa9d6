/* SPDX-License-Identifier: Apache-2.0 */
/* tb_order and the Order of timebank.proto, into each other. */
#pragma once

#include "bank.h"

/* Appends the order's record: kind byte and canonical bytes. Its id is given beside it; role is
 * whose authority TB_BY_ROLE means; note (32 bytes) may be NULL. -EINVAL for a kind or a choice
 * that is none. */
int order_encode(const struct tb_order *order, const uint8_t id[TB_ORDER_ID_BYTES], int role,
                 const uint8_t *note, struct bytes *to) TB_MUST_CHECK;
/* Strings and lists are borrowed from the message; what must be made (tags) lives in the arena.
 * -EBADMSG for lists that do not fit each other. */
int order_decode(const Timebank__Order *message, struct arena *arena,
                 struct tb_order *ret) TB_MUST_CHECK;
/* Copies what the caller's struct holds, zeros what it is too old to know. -EINVAL for a size that
 * is none. */
int order_copy(const struct tb_order *order, struct tb_order *ret) TB_MUST_CHECK;
