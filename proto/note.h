/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint), with Ed25519 keys:
 *
 *   origin \n size \n base64(root) \n \n — name base64(key hash || signature) \n ...
 *
 * The verifier key is NAME+hhhhhhhh+base64(0x01 || key), hhhhhhhh the first four bytes of
 * SHA-256(name || 0x0A || 0x01 || key), in hex. The ledger id is that whole hash for the genesis
 * key.
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "hash.h"

#define NOTE_KEY_BYTES 32
#define NOTE_SIGNATURE_BYTES 64
#define NOTE_ORIGIN_MAX 200      /* bytes of a name */
#define NOTE_CHECKPOINT_MAX 4000 /* bytes of a checkpoint that we make */
#define NOTE_COSIGNED_MAX 16384  /* bytes of one that we accept, with the lines of witnesses */

struct note_verifier {
    char name[NOTE_ORIGIN_MAX + 1];
    uint8_t key[NOTE_KEY_BYTES];
    uint8_t key_id[4];
};

struct note_head {
    char origin[NOTE_ORIGIN_MAX + 1];
    uint64_t size;
    struct hash root;
};

/* True for a name a ledger may have: UTF-8, no space, '+' or control byte, not beginning SSHSIG. */
bool note_origin_is_valid(const char *origin);
struct hash note_ledger_id(const char *origin, const uint8_t key[NOTE_KEY_BYTES]);
int note_verifier_init(struct note_verifier *ret, const char *name,
                       const uint8_t key[NOTE_KEY_BYTES]) TB_MUST_CHECK;
int note_verifier_parse(struct note_verifier *ret, const char *text) TB_MUST_CHECK;
void note_verifier_format(const struct note_verifier *verifier, struct bytes *to);

/* The text that is signed: three lines, each with its newline. */
void note_head_text(const struct note_head *head, struct bytes *to);
/* Text, blank line and one signature line made with the 64-byte Ed25519 secret key of libsodium. */
int note_checkpoint_sign(const struct note_head *head, const struct note_verifier *verifier,
                         const uint8_t secret_key[64], struct bytes *to) TB_MUST_CHECK;
/* Appends another key's signature line to a note of the same head, made by the former. */
int note_checkpoint_add(const struct note_head *head, const struct note_verifier *verifier,
                        const uint8_t secret_key[64], struct bytes *to) TB_MUST_CHECK;
/* The head that a checkpoint speaks of, before anybody looked at its signatures: not to be
 * believed. */
int note_checkpoint_peek(const void *data, size_t n, const char *origin,
                         struct note_head *ret) TB_MUST_CHECK;
/* Parses strictly and demands a good signature by verifier, whose name must be line 1.
 * -EBADMSG otherwise. Other signature lines are allowed and ignored. */
int note_checkpoint_open(const void *data, size_t n, const struct note_verifier *verifier,
                         struct note_head *ret) TB_MUST_CHECK;
