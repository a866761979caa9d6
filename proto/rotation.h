/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One key of the ledger followed by the next: what both of them sign, and the chain of keys from
 * genesis on. The ledger id stays that of the genesis key, whichever key signs heads. Layout:
 * timebank-ledger(5), A CHANGE OF KEY.
 */
#pragma once

#include "hash.h"
#include "note.h"
#include "sshsig.h"

#define ROTATION_NAMESPACE "timebank-key"
#define ROTATION_BYTES 100 /* "TBK1" || ledger id || the key in use || the new key */
#define ROTATION_MAX 20    /* in one ledger: so many fit into a greeting */
#define ROTATION_KEYS_MAX (ROTATION_MAX + 1)
#define ROTATION_OVERLAP_DAYS_MAX 3650

struct rotation {
    struct hash ledger_id;
    uint8_t old_key[NOTE_KEY_BYTES];
    uint8_t new_key[NOTE_KEY_BYTES];
};

void rotation_bytes(const struct rotation *rotation, uint8_t ret[ROTATION_BYTES]);
/* By the old or by the new key; -EKEYREJECTED when that is damaged. */
int rotation_sign(const struct rotation *rotation, const uint8_t secret_key[SSHSIG_SECRET_BYTES],
                  uint8_t ret[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
int rotation_check_old(const struct rotation *rotation,
                       const uint8_t signature[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
int rotation_check_new(const struct rotation *rotation,
                       const uint8_t signature[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;

/* The keys of one ledger, that of its genesis first. */
struct rotation_chain {
    struct note_verifier verifiers[ROTATION_KEYS_MAX];
    size_t n;
    struct hash ledger_id;
};

/* Begins with the key that genesis names. -EINVAL: the origin is none. */
int rotation_chain_begin(struct rotation_chain *ret, const char *origin,
                         const uint8_t key[NOTE_KEY_BYTES]) TB_MUST_CHECK;
/* The next key, for which the last one signed. -EBADMSG: it did not, the key was in the chain
 * before or is unusable, or the chain is as long as one may be. */
int rotation_chain_add(struct rotation_chain *chain, const uint8_t key[NOTE_KEY_BYTES],
                       const uint8_t by_old[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
/* Place of a verifier in the chain, or -1. */
int rotation_chain_find(const struct rotation_chain *chain, const struct note_verifier *verifier);
const struct note_verifier *rotation_chain_last(const struct rotation_chain *chain);
