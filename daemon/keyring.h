/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only holder of the ledger's secret key: in locked memory, read-only after start, never
 * written out but by keyring_create(). Every signature is verified before it leaves.
 */
#pragma once

#include "base/cleanup.h"
#include "proto/batch.h"
#include "proto/note.h"

struct keyring;

/* Makes path (0600) with a fresh key. */
int keyring_create(const char *path, const char *origin) TB_MUST_CHECK;
/* -EPERM: others can read the file; -ENOKEY: encrypted; -EKEYREJECTED: damaged. */
int keyring_open(struct keyring **ret_keyring, const char *path, const char *origin) TB_MUST_CHECK;
struct keyring *keyring_close(struct keyring *keyring);
DEFINE_CLEANUP(struct keyring *, keyring_close)

const struct note_verifier *keyring_verifier(const struct keyring *keyring);
/* Memory could not be locked: said once at start. */
bool keyring_is_unlocked(const struct keyring *keyring);
int keyring_sign_head(const struct keyring *keyring, const struct note_head *head,
                      struct bytes *to) TB_MUST_CHECK;
int keyring_sign_welcome(const struct keyring *keyring, const uint8_t hello[BATCH_HELLO_BYTES],
                         uint8_t ret[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
