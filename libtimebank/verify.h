/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is believed, and why: a head, because the ledger's key signed it and it extends the one
 * before; an answer, because the batch's own bytes lead to that head's root. All else is evidence.
 */
#pragma once

#include "bank.h"

/* Writes the evidence file, closes the connection, sets the sentence; returns -EBADMSG. The
 * checkpoint is the one that speaks against the bank's head, or NULL. */
int verify_fail(struct tb_bank *bank, const void *checkpoint, size_t n, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Judges the head of a reply to a request that named the bank's head, and takes it over. */
int verify_position(struct tb_bank *bank, const Timebank__Position *position) TB_MUST_CHECK;

/* A batch as it was signed and sent: what an answer is held against. */
struct verify_batch {
    const uint8_t *header; /* BATCH_HEADER_BYTES */
    const uint8_t *signature;
    const struct hash *leaves; /* of the order records */
    size_t n_orders;
    bool dry_run;
};

/* Judges an answer against the bank's head, which must be that of the same reply. */
int verify_answer(struct tb_bank *bank, const struct verify_batch *batch,
                  const Timebank__Answer *answer) TB_MUST_CHECK;
