/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL 3 calls these functions deprecated and keeps them; they run the same code on the same
 * processor instructions as EVP does, without its provider's indirections.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "hash.h"

#include <assert.h>
#include <openssl/sha.h>
#include <string.h>

#include "hash-lanes.h"

struct hash hash_of(const void *data, size_t n) {
    struct iovec piece = {.iov_base = (void *)data, .iov_len = n};
    struct hash hash;

    if (!hash_lanes_are_here())
        return hash_of_pieces(&piece, 1);
    hash_lanes_each("", 0, &piece, 1, &hash);
    return hash;
}

void hash_of_each(const void *prefix, size_t n_prefix, const struct iovec *bodies, size_t n,
                  struct hash *ret) {
    struct iovec pieces[2] = {{.iov_base = (void *)prefix, .iov_len = n_prefix}};

    assert(n_prefix <= HASH_PREFIX_MAX);
    if (hash_lanes_are_here()) {
        hash_lanes_each(prefix, n_prefix, bodies, n, ret);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        pieces[1] = bodies[i];
        ret[i] = hash_of_pieces(pieces, 2);
    }
}

void hash_of_pairs(uint8_t prefix, const struct hash *pairs, size_t n, struct hash *ret) {
    uint8_t message[1 + 2 * HASH_BYTES] = {prefix};
    struct iovec piece = {.iov_base = message, .iov_len = sizeof(message)};

    if (hash_lanes_are_here()) {
        hash_lanes_pairs(prefix, pairs, n, ret);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(message + 1, pairs[2 * i].b, 2 * HASH_BYTES);
        ret[i] = hash_of_pieces(&piece, 1);
    }
}

/* The three calls return 1 whatever happens: there is nothing in them that can fail. */
struct hash hash_of_pieces(const struct iovec *pieces, size_t n_pieces) {
    struct hash hash;
    SHA256_CTX context;
    SHA256_Init(&context);
    for (size_t i = 0; i < n_pieces; i++)
        SHA256_Update(&context, pieces[i].iov_base, pieces[i].iov_len);
    SHA256_Final(hash.b, &context);
    return hash;
}

void hash_sha512(const void *data, size_t n, uint8_t ret[64]) {
    SHA512_CTX context;
    SHA512_Init(&context);
    SHA512_Update(&context, data, n);
    SHA512_Final(ret, &context);
}

int hash_equal(const struct hash *a, const struct hash *b) {
    return memcmp(a->b, b->b, HASH_BYTES) == 0;
}
