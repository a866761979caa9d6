/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is believed, and why: a head, because the ledger's key signed it and it extends the one
 * before; an answer, because the batch's own bytes lead to that head's root. All else is evidence.
 */
#pragma once

#include "bank.h"

/* The hashes left of the batch lead to the head, at whose end the batch begins: where the answer
 * verifies, its head extends that one. */
bool verify_follows(const struct note_head *head, const Timebank__Answer *answer);

/* Writes the evidence file, closes the connection, sets the sentence; returns -EBADMSG. The
 * checkpoint is the one that speaks against the bank's head, or NULL. */
int verify_fail(struct tb_bank *bank, const void *checkpoint, size_t n, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Judges the head of a reply to a request that named the known one: signed, and an extension of it.
 * *ret_seen's checkpoint is the caller's, and empty where the head is the known one. Says nothing
 * of heads that came meanwhile: that is check.c's. */
int verify_position(struct tb_bank *bank, const struct note_head *known,
                    const Timebank__Position *position, struct bank_head *ret_seen) TB_MUST_CHECK;
/* Two signed heads that cannot both be: verify_fail() with them. */
int verify_two_histories(struct tb_bank *bank, const void *checkpoint, size_t n);

/* A batch as it was signed and sent: what an answer is held against. */
struct verify_batch {
    const uint8_t *header; /* BATCH_HEADER_BYTES */
    const uint8_t *signature;
    const struct hash *leaves; /* of the order records */
    size_t n_orders;
    bool dry_run;
};

/* Judges an answer against the head of the same reply. */
int verify_answer(struct tb_bank *bank, const struct bank_head *seen,
                  const struct verify_batch *batch, const Timebank__Answer *answer) TB_MUST_CHECK;
