/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digests are fetched once for the process; each thread keeps one context, freed when the
 * thread ends. Hashing cannot fail but for want of memory at a thread's first use, and then nothing
 * true can be said any more: it aborts.
 */
#include "hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static EVP_MD *sha256;
static EVP_MD *sha512;

static __thread EVP_MD_CTX *thread_sha256;

static void insist(bool is_true) {
    if (!is_true)
        abort();
}

static void context_free(void *context) {
    EVP_MD_CTX_free(context);
    thread_sha256 = NULL;
}

static void hash_setup(void) {
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    insist(sha256 && sha512 && pthread_key_create(&key, context_free) == 0);
}

static EVP_MD_CTX *sha256_begin(void) {
    EVP_MD_CTX *context = thread_sha256;
    if (context) {
        insist(EVP_DigestInit_ex2(context, NULL, NULL) == 1);
        return context;
    }
    pthread_once(&once, hash_setup);
    context = EVP_MD_CTX_new();
    insist(context && EVP_DigestInit_ex2(context, sha256, NULL) == 1);
    insist(pthread_setspecific(key, context) == 0);
    thread_sha256 = context;
    return context;
}

struct hash hash_of(const void *data, size_t n) {
    struct iovec piece = {.iov_base = (void *)data, .iov_len = n};
    return hash_of_pieces(&piece, 1);
}

struct hash hash_of_pieces(const struct iovec *pieces, size_t n_pieces) {
    struct hash hash;
    EVP_MD_CTX *context = sha256_begin();
    for (size_t i = 0; i < n_pieces; i++)
        insist(EVP_DigestUpdate(context, pieces[i].iov_base, pieces[i].iov_len) == 1);
    insist(EVP_DigestFinal_ex(context, hash.b, NULL) == 1);
    return hash;
}

void hash_sha512(const void *data, size_t n, uint8_t ret[64]) {
    pthread_once(&once, hash_setup);
    insist(EVP_Digest(data, n, ret, NULL, sha512, NULL) == 1);
}

int hash_equal(const struct hash *a, const struct hash *b) {
    return memcmp(a->b, b->b, HASH_BYTES) == 0;
}
