/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out what became of the batches in the outbox. */
#pragma once

#include "call.h"

/* Starts a call that settles them one after the other; NULL where there is none. Nobody need hold
 * it. */
int settle_begin(struct tb_bank *bank, struct tb_call **ret_call) TB_MUST_CHECK;
bool settle_is(const struct tb_call *call);
