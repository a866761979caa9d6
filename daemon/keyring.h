/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only holder of the ledger's secret keys: each in locked memory, read-only once it is there,
 * never written out but by keyring_create(). Every signature is verified before it leaves.
 *
 * A ledger has one key, or two while one follows the other. Keys are added and forgotten by the
 * loop; the committer signs with those that it is handed, which stay until they are forgotten.
 */
#pragma once

#include "base/cleanup.h"
#include "proto/batch.h"
#include "proto/note.h"
#include "proto/rotation.h"

struct keyring;
struct keyring_key;

/* Who signs a head: the newest key first. */
struct keyring_signers {
    const struct keyring_key *keys[2];
    size_t n;
};

/* Makes path (0600) with a fresh key. */
int keyring_create(const char *path, const char *origin) TB_MUST_CHECK;
/* -EPERM: others can read the file; -ENOKEY: encrypted; -EKEYREJECTED: damaged. */
int keyring_open(struct keyring **ret_keyring, const char *path, const char *origin) TB_MUST_CHECK;
/* Another key; one that is held already is not held twice. */
int keyring_add(struct keyring *keyring, const char *path,
                const struct keyring_key **ret_key) TB_MUST_CHECK;
struct keyring *keyring_close(struct keyring *keyring);
DEFINE_CLEANUP(struct keyring *, keyring_close)

/* By its public half, or NULL. */
const struct keyring_key *keyring_find(const struct keyring *keyring,
                                       const uint8_t key[NOTE_KEY_BYTES]);
/* Wipes a key that nobody signs with any more. */
void keyring_forget(struct keyring *keyring, const struct keyring_key *key);
const struct note_verifier *keyring_key_verifier(const struct keyring_key *key);
/* Of the key that keyring_open() read. */
const struct note_verifier *keyring_verifier(const struct keyring *keyring);
/* Opens a checkpoint that any of the keys signed; -EBADMSG. */
int keyring_open_head(const struct keyring *keyring, const void *checkpoint, size_t n,
                      struct note_head *ret) TB_MUST_CHECK;
/* Memory could not be locked: said once at start. */
bool keyring_is_unlocked(const struct keyring *keyring);
int keyring_sign_head(const struct keyring_signers *signers, const struct note_head *head,
                      struct bytes *to) TB_MUST_CHECK;
int keyring_sign_welcome(const struct keyring_key *key, const uint8_t hello[BATCH_HELLO_BYTES],
                         uint8_t ret[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
/* Of a report as a client prints it: its JSON and a newline, n bytes with it. */
int keyring_sign_report(const struct keyring_key *key, const void *text, size_t n,
                        uint8_t ret[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
/* Both signatures of one key that is followed by another. */
int keyring_sign_rotation(const struct keyring_key *old_key, const struct keyring_key *new_key,
                          const struct hash *ledger_id, uint8_t ret_by_old[SSHSIG_SIGNATURE_BYTES],
                          uint8_t ret_by_new[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
