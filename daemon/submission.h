/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A submitted batch taken apart: header, orders, what travels beside it; and what is said of it
 * afterwards. handle-submit.c decides, this file only reads and words.
 */
#pragma once

#include "call.h"

struct submission {
    struct batch_header header;
    uint8_t header_bytes[BATCH_HEADER_BYTES];
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    struct judging *judging;
    struct bank_beside *beside;
    uint64_t received_at_ms;
    uint64_t known_seal; /* this very batch is in already: its seal, else 0 */
    size_t n_bytes;
    size_t n_beside_bytes; /* into the register of people */
    const char *why;       /* sentence of a refusal, or NULL: the table's */
};

void submission_fini(struct submission *submission);
/* Lengths, header, signature, root over the orders: 0, > 0 a refusal, < 0 broken. */
int submission_parse(struct submission *submission, const Timebank__Submit *submit,
                     const uint8_t author[SSHSIG_PUBLIC_BYTES], const struct hash *ledger_id,
                     uint32_t n_orders_max);
/* Notes and persons against the decoded orders they belong to; what does not fit bars its order. */
int submission_check_beside(struct submission *submission, const Timebank__Submit *submit);
/* Keeps the orders of a dry run with its state. */
int submission_keep_run(const struct submission *submission, struct state *state);
/* Sets the response of a batch that was refused, dry-run, or all in already. */
int submission_respond(const struct submission *submission, struct call *call, bool is_dry_run);
int submission_pack_warnings(const struct submission *submission, struct bytes *to);
