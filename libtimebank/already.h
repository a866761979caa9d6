/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders that are said to be in already are answered without a proof, and any bank could say so of
 * what it keeps back. So the hashes are asked for that lead from the orders as they were signed,
 * each at the entry that was told, to the head under which that was told.
 */
#pragma once

#include "bank.h"
#include "proto/merkle.h"

struct already {
    struct already_order *orders; /* ascending by entry; NULL: there is nothing to prove */
    size_t n;
    size_t n_proven;
    struct note_head head;
    struct merkle_range tree; /* from the first record on, as far as it was shown */
};

/* Begins where a bank told entries, each below the head's size. -EBADMSG after verify_fail(). */
int already_begin(struct already *already, struct tb_bank *bank, const struct hash *leaves,
                  const Timebank__Answer *answer, const struct note_head *head) TB_MUST_CHECK;
/* The proof goes on: something is to be asked for. */
bool already_is_open(const struct already *already);
/* Packs the next request. */
int already_ask(const struct already *already, struct bytes *ret_body) TB_MUST_CHECK;
/* Takes its answer; the last one must lead to the head. -EBADMSG after verify_fail(). */
int already_take(struct already *already, struct tb_bank *bank,
                 const Timebank__Hashes *hashes) TB_MUST_CHECK;
void already_fini(struct already *already);
