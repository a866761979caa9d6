/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement that proves itself complete, as a file:
 *
 *   timebank-statement@v1 \n
 *   account <base64 of the account's leaf> \n
 *   (accounts <base64 of a hash> \n)*            path of that leaf in the tree of accounts
 *   entry and between lines, in the order of the records:
 *     between <base64 of a hash> \n              of the compact range up to the next record
 *     entry N MOVED MINUTES AFTER HELD <base64 of the record> \n
 *   state N <base64 of the state record> \n      (after its own between lines)
 *   (between <base64 of a hash> \n)*             up to the head's size
 *   \n checkpoint
 *
 * The compact ranges (merkle.h) between the records, joined with the records' own leaf hashes, give
 * the head's root, so every entry number is proven; those with MOVED 1 give the running hash in the
 * account's leaf, so none is missing; the leaf is in the tree whose root the state record has.
 * MOVED is 0 or 1, the figures are minutes. Numbers are decimal without leading zeroes, '-' before
 * negative ones. Parsing is strict, and checks form only.
 */
#pragma once

#include "account-leaf.h"
#include "base/bytes.h"
#include "merkle.h"

struct statement_proof_entry {
    uint64_t number;
    bool moved;
    int64_t minutes;
    int64_t after;
    int64_t held;
    const uint8_t *record;
    size_t n_record;
};

/* Writing: one call after another, in the order of the file. */
void statement_proof_begin(struct bytes *to, const void *leaf, size_t n_leaf,
                           const struct hash *path, size_t n_path);
void statement_proof_between(struct bytes *to, const struct hash *hashes, size_t n);
void statement_proof_entry(struct bytes *to, const struct statement_proof_entry *entry);
void statement_proof_state(struct bytes *to, uint64_t number, const void *record, size_t n);
void statement_proof_end(struct bytes *to, const void *checkpoint, size_t n);

/* What a file proves, once checked. */
struct statement_proof {
    struct account_leaf account;
    uint64_t state;   /* number of the state record: the statement covers those before it */
    uint64_t time_ms; /* ledger time of the state record */
    uint64_t size;    /* of the head */
    struct hash root; /* that follows from the file: to be compared with the checkpoint's */
    uint64_t n_entries;
    const char *checkpoint; /* borrowed from the file */
    size_t n_checkpoint;
};
/* Told of each entry in turn, its figures checked against the one before; another value than 0 ends
 * it and is returned. Borrowed. */
typedef int (*statement_proof_each)(void *user, const struct statement_proof_entry *entry);
/* Parses, and checks all but the checkpoint's signature: balances add up, running hash, account
 * leaf, state record, and that the records lead to ret->root at ret->size, which is the
 * checkpoint's. 0, -EBADMSG with a sentence in why, -ENOMEM. */
int statement_proof_check(const void *data, size_t n, statement_proof_each each, void *user,
                          struct statement_proof *ret, char *why, size_t n_why) TB_MUST_CHECK;
