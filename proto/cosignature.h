/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a witness signs (C2SP tlog-cosignature, Ed25519): a line under a checkpoint,
 *
 *   — name base64(key id || time u64 || signature)
 *
 * time in seconds since 1970, the signature over "cosignature/v1\ntime N\n" and the checkpoint's
 * text. The key id is the first four bytes of SHA-256(name || 0x0A || 0x04 || key), the verifier
 * key NAME+hhhhhhhh+base64(0x04 || key). Source: c2sp.org/tlog-cosignature.
 */
#pragma once

#include "base/bytes.h"
#include "note.h"

#define COSIGNATURE_LINE_MAX (NOTE_ORIGIN_MAX + 120) /* bytes, with its newline */

/* Not a note_verifier: a key of a witness must never pass for one of a ledger. */
struct cosignature_verifier {
    char name[NOTE_ORIGIN_MAX + 1];
    uint8_t key[NOTE_KEY_BYTES];
    uint8_t key_id[4];
};

int cosignature_verifier_init(struct cosignature_verifier *ret, const char *name,
                              const uint8_t key[NOTE_KEY_BYTES]) TB_MUST_CHECK;
/* -ENOTSUP: well formed, with a key of a kind that is not checked here; -EBADMSG: not well formed.
 */
int cosignature_verifier_parse(struct cosignature_verifier *ret, const char *text) TB_MUST_CHECK;
void cosignature_verifier_format(const struct cosignature_verifier *verifier, struct bytes *to);

/* Of a line without its newline and of the checkpoint's text (three lines, with their newlines): 1
 * a good cosignature by verifier; 0 somebody else's; -EBADMSG by verifier's name and key id, and
 * not good. */
int cosignature_check(const struct cosignature_verifier *verifier, const char *line, size_t n_line,
                      const void *text, size_t n_text, uint64_t *ret_seconds) TB_MUST_CHECK;
/* Appends a line, with its newline, made with the 64-byte Ed25519 secret key of libsodium. */
int cosignature_sign(const struct cosignature_verifier *verifier, const uint8_t secret_key[64],
                     const void *text, size_t n_text, uint64_t seconds,
                     struct bytes *to) TB_MUST_CHECK;
