/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A leaf of the tree of account states, and the running hash of an account:
 *
 *   "TBA1" || number u64 || kind u8 || standing u8 || code length u8 || code || floor i64 ||
 *   ceiling i64 || balance i64 || held i64 || entries u64 || last entry u64 || running[32]
 *
 *   running: 32 zero bytes at opening; then, for each order or event that moves the account,
 *   SHA-256(0x03 || running || leaf hash of its record || balance after i64 || held after i64)
 *
 * Integers big-endian. floor INT64_MIN: as the policies say; -INT64_MAX: none. ceiling INT64_MIN:
 * as the policies say; INT64_MAX: none. entries counts what moved the account.
 * timebank-ledger(5), ACCOUNT STATES.
 */
#pragma once

#include "base/bytes.h"
#include "code.h"
#include "merkle.h"

#define ACCOUNT_LEAF_MAX (4 + 8 + 3 + CODE_MAX + 6 * 8 + HASH_BYTES)

struct account_leaf {
    uint64_t number;
    uint8_t kind;
    uint8_t standing;
    char code[CODE_MAX + 1];
    int64_t floor;
    int64_t ceiling;
    int64_t balance;
    int64_t held;
    uint64_t n_entries;
    uint64_t last_entry;
    struct hash running;
};

/* Returns how many bytes it took. */
size_t account_leaf_pack(const struct account_leaf *leaf, uint8_t ret[ACCOUNT_LEAF_MAX]);
/* -EBADMSG: not exactly one leaf, or its code is none. */
int account_leaf_unpack(const void *data, size_t n, struct account_leaf *ret) TB_MUST_CHECK;
struct hash account_leaf_running(const struct hash *running, const struct hash *record_leaf,
                                 int64_t balance, int64_t held);
/* Many of them in their order: the steps of one account follow each other, those of different
 * accounts are hashed together. A running hash is HASH_BYTES that are replaced. */
struct account_step {
    uint8_t *running;
    const struct hash *record_leaf;
    int64_t balance; /* after it */
    int64_t held;
};
void account_leaf_run(const struct account_step *steps, size_t n);
