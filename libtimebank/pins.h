/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this user knows of ledgers, from one process to the next:
 *
 *   pins/<hash of the address>.address   which verifier key was met at an address
 *   pins/<ledger id>                     the verifier key and the last head that verified
 *   pins/<ledger id>.first               the first ledger's id, where the ledger was restored
 */
#pragma once

#include "bank.h"

/* The verifier pinned to bank->address: 0, or -ENOENT when there is none. */
int pins_get_address(struct tb_bank *bank, struct note_verifier *ret_verifier) TB_MUST_CHECK;
/* Pins bank->verifier to bank->address. */
int pins_set_address(struct tb_bank *bank) TB_MUST_CHECK;
/* Takes the saved head of the bank's ledger over, if there is one and it is ahead: the pin's, or
 * one that the outbox keeps. */
int pins_load_head(struct tb_bank *bank) TB_MUST_CHECK;
/* Lets other programs of this user see the bank's head, and a later one of its own after a crash,
 * unless what they see is as far or further. Further: *ret_longer (may be NULL) is that head, which
 * another program of this user was shown. Only the first time anything is synced. */
int pins_share_head(struct tb_bank *bank, struct note_head *ret_longer) TB_MUST_CHECK;
/* The same, and sees that it outlives a power cut. */
int pins_keep_head(struct tb_bank *bank) TB_MUST_CHECK;
/* The bank's head as a pin holds it, appended; nothing where it has none. */
void pins_text(const struct tb_bank *bank, struct bytes *to);
/* The id that the ledger's first genesis was met with is what it stays: 0, or 1 where `first` is
 * another one. It is saved when the ledger is met first. */
int pins_check_first(struct tb_bank *bank, const struct hash *first) TB_MUST_CHECK;
/* Path of the address's pin file, for sentences; the caller's. */
int pins_address_path(struct tb_bank *bank, char **ret_path) TB_MUST_CHECK;
