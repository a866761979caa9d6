/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out what became of the batches in the outbox. */
#pragma once

#include "bank.h"

/* tb_bank_settle() within a call that has begun. */
int settle_run(struct tb_bank *bank, size_t *ret_settled) TB_MUST_CHECK;
