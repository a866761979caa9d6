/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSH's file signatures (PROTOCOL.sshsig) and key files (PROTOCOL.key), Ed25519 only.
 *
 * Signed bytes: "SSHSIG" || str(namespace) || str("") || str("sha512") || str(SHA-512(message)),
 * str = u32 length || bytes.
 */
#pragma once

#include "base/bytes.h"

#define SSHSIG_BATCH "timebank-batch"
#define SSHSIG_HELLO "timebank-hello"
#define SSHSIG_WELCOME "timebank-welcome"
#define SSHSIG_REPORT "timebank-report"

#define SSHSIG_PUBLIC_BYTES 32
#define SSHSIG_SECRET_BYTES 64 /* libsodium's form: seed || public key */
#define SSHSIG_SIGNATURE_BYTES 64

/* Signs and verifies its own signature before it hands it out; -EKEYREJECTED when the key is
 * damaged. */
int sshsig_sign(const char *name_space, const void *message, size_t n,
                const uint8_t secret_key[SSHSIG_SECRET_BYTES],
                uint8_t ret[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
/* 0 good, -EBADMSG not. libsodium's answer is the normative one. */
int sshsig_verify(const char *name_space, const void *message, size_t n,
                  const uint8_t public_key[SSHSIG_PUBLIC_BYTES],
                  const uint8_t signature[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
/* The armour as `ssh-keygen -Y sign` writes it: 70 columns. */
void sshsig_armour(const char *name_space, const uint8_t public_key[SSHSIG_PUBLIC_BYTES],
                   const uint8_t signature[SSHSIG_SIGNATURE_BYTES], struct bytes *to);

/* "ssh-ed25519 AAAA... comment": the first non-empty line. comment may be NULL; ret_comment is the
 * caller's to free. -EBADMSG when it is no such line, -EKEYREJECTED when the point is not usable.
 */
int sshsig_public_parse(const char *text, size_t n, uint8_t ret_key[SSHSIG_PUBLIC_BYTES],
                        char **ret_comment) TB_MUST_CHECK;
/* "ssh-ed25519 AAAA... comment\n"; comment may be NULL. */
void sshsig_public_format(const uint8_t key[SSHSIG_PUBLIC_BYTES], const char *comment,
                          struct bytes *to);
/* True for a point libsodium accepts as a key (on the curve, main subgroup, not small order). */
int sshsig_public_is_usable(const uint8_t key[SSHSIG_PUBLIC_BYTES]);
/* An unencrypted OpenSSH private key file. -EBADMSG not one; -ENOKEY it is encrypted;
 * -EKEYREJECTED its public half does not belong to its secret half. */
int sshsig_secret_parse(const char *text, size_t n,
                        uint8_t ret_key[SSHSIG_SECRET_BYTES]) TB_MUST_CHECK;
void sshsig_secret_format(const uint8_t key[SSHSIG_SECRET_BYTES], const char *comment,
                          struct bytes *to);
/* A fresh key pair. */
void sshsig_secret_new(uint8_t ret_key[SSHSIG_SECRET_BYTES]);
