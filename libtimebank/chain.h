/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a key of the ledger that is trusted to the one that signs heads today: each key signed for
 * the one after it. Shown by a greeting, or by the records of a receipt.
 */
#pragma once

#include "bank.h"

/* The chain of a greeting whose verifier key is `verifier`. -EBADMSG: it does not lead there. */
int chain_read(const Timebank__Greeting *greeting, const struct note_verifier *verifier,
               struct rotation_chain *ret) TB_MUST_CHECK;
/* Opens a checkpoint that any key of the bank's ledger signed, the newest first; -EBADMSG. */
int chain_open_head(const struct tb_bank *bank, const void *note, size_t n,
                    struct note_verifier *ret_signer, struct note_head *ret) TB_MUST_CHECK;
/* From records: a genesis begins one, an order of the kind rotate-key goes on with it. -EBADMSG: of
 * another kind, or what it says does not follow. */
int chain_take_record(struct rotation_chain *chain, const uint8_t *record, size_t n) TB_MUST_CHECK;
