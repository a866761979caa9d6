/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt as it is held, and its README, which follows from the rest of it to the letter: whoever
 * checks a receipt makes it anew and compares.
 */
#pragma once

#include "bank.h"
#include "proto/merkle.h"
#include "proto/proof.h"

struct tb_receipt {
    struct note_verifier verifier; /* signed the head */
    struct note_head head;
    struct bytes record;
    struct proof entry_proof; /* its checkpoint, and that of the next, is borrowed from below */
    struct proof seal_proof;
    struct proof batch_proof;
    uint8_t seal_record[RECORD_SEAL_BYTES];
    struct record_seal seal;
    struct batch_header header;
    struct bytes checkpoint;
};

struct receipt_readme {
    const struct note_verifier *verifier; /* whose signature of the head the commands check */
    const struct note_head *head;
    const struct batch_header *header;
    const struct record_seal *seal;
    const struct tb_order *order;
    uint64_t entry;
    uint64_t place; /* of the order in its batch, from 0 */
};
void receipt_readme(const struct receipt_readme *readme, struct bytes *to);
