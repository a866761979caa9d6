/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL 3 calls these functions deprecated and keeps them; they run the same code on the same
 * processor instructions as EVP does, without its provider's indirections.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "hash.h"

#include <openssl/sha.h>
#include <string.h>

struct hash hash_of(const void *data, size_t n) {
    struct iovec piece = {.iov_base = (void *)data, .iov_len = n};
    return hash_of_pieces(&piece, 1);
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
