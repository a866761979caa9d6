/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Order as nearly every order is written, read in one pass without protobuf-c's tables: its own
 * fields here, the kind's message by canonical_decode() where the kind has one that says something.
 * What is read is what canonical_decode() would read. Whatever else comes is left to it: nothing is
 * refused here.
 */
#pragma once

#include "base/arena.h"
#include "base/cleanup.h"
#include "timebank.pb-c.h"

/* 0; -EBADMSG not in the plain form, ask canonical_decode(); -ENOMEM over the arena's cap, where
 * the order lives, in one piece with a copy of the body that its texts and bytes point into. The
 * message of a kind without fields is shared by all orders: nobody writes to it. */
int order_plain_decode(const uint8_t *body, size_t n, struct arena *arena,
                       Timebank__Order **ret) TB_MUST_CHECK;
