/* SPDX-License-Identifier: Apache-2.0 */
/* A verified answer, copied out of the wire's memory. */
#pragma once

#include "bank.h"

/* was_sent: an earlier sending of this very call may be the one that counted, so "already" says
 * nothing about an earlier call. size: of the ledger; an entry beyond it is one of a dry run. */
int answer_new(const Timebank__Answer *message, size_t n_orders, bool was_sent, uint64_t size,
               struct tb_answer **ret_answer) TB_MUST_CHECK;

DEFINE_CLEANUP(struct tb_answer *, tb_answer_free)
