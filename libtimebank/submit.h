/* SPDX-License-Identifier: Apache-2.0 */
/* A signed batch on its way: sent until its fate is known, its answer verified. */
#pragma once

#include "bank.h"
#include "call.h"

/* leaves: of the n order records. *ret_answer lives in the bank's arena. */
int submit_run(struct tb_bank *bank, Timebank__Submit *submit, const struct hash *leaves, size_t n,
               struct call_fate *fate, const Timebank__Answer **ret_answer) TB_MUST_CHECK;
/* Leaf hashes of the orders as they travel in a submit; *ret_leaves is the caller's. -EBADMSG when
 * they do not end where the bytes end, or are not n. */
int submit_leaves(const uint8_t *orders, size_t n_bytes, size_t n,
                  struct hash **ret_leaves) TB_MUST_CHECK;
