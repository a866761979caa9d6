/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt as it is held, and its README, which follows from the rest of it to the letter: whoever
 * checks a receipt makes it anew and compares.
 */
#pragma once

#include "bank.h"
#include "chain.h"
#include "proto/merkle.h"
#include "proto/proof.h"

/* Geneses before the last one, and changes of the key since. */
#define RECEIPT_LINKS_MAX (2 * ROTATION_KEYS_MAX)

/* A record of the chain of keys, and its proof. */
struct receipt_link {
    struct bytes record;
    struct proof proof;
};

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
    size_t n_chain; /* 0: the key of genesis signed the head */
    struct receipt_link chain[RECEIPT_LINKS_MAX];
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

/* receipt-chain.c */
int receipt_chain_take(const Timebank__Receipt *message, struct tb_receipt *receipt) TB_MUST_CHECK;
/* The keys that proven records name; -EBADMSG: one is not under the head, or does not follow. */
int receipt_chain_read(const struct receipt_link *links, size_t n, const struct note_head *head,
                       struct rotation_chain *ret) TB_MUST_CHECK;
/* It leads from the ledger's first key to the one that signed the head. */
bool receipt_chain_holds(const struct tb_receipt *receipt, const struct hash *ledger_id);
/* The genesis that held at a record, of a chain that was read: another one than the last where the
 * record is from before a restore. */
struct receipt_era {
    char origin[NOTE_ORIGIN_MAX + 1];
    struct hash ledger_id;
    bool is_last;
};
int receipt_chain_era(const struct receipt_link *links, size_t n, uint64_t record,
                      struct receipt_era *ret) TB_MUST_CHECK;
#define RECEIPT_CHAIN_NAME_BYTES 32
void receipt_chain_name(size_t i, bool is_proof, char ret[RECEIPT_CHAIN_NAME_BYTES]);
int receipt_chain_write(const struct tb_receipt *receipt, const char *directory) TB_MUST_CHECK;
void receipt_chain_remove(const char *directory);
