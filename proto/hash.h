/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 and SHA-512 by libcrypto: EVP with fetched digests and a context per thread (the one-shot
 * calls and libsodium's portable code cost two to four times as much).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define HASH_BYTES 32

struct hash {
    uint8_t b[HASH_BYTES];
};

struct hash hash_of(const void *data, size_t n);
/* Over pieces laid end to end. */
struct hash hash_of_pieces(const struct iovec *pieces, size_t n_pieces);
void hash_sha512(const void *data, size_t n, uint8_t ret[64]);
int hash_equal(const struct hash *a, const struct hash *b); /* 1 equal */
