/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint that was opened lately is opened the same again; any changed byte is looked at anew.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>

#include "helpers.h"
#include "libtimebank/opened.h"

TestSuite(lib_opened, .timeout = 60);

static uint8_t secret[64];
static struct note_verifier verifier;

static void key_make(uint8_t seed_byte, const char *name) {
    uint8_t seed[32], public[32];
    memset(seed, seed_byte, sizeof(seed));
    crypto_sign_seed_keypair(public, secret, seed);
    cr_assert(note_verifier_init(&verifier, name, public) == 0);
}

static void checkpoint_make(uint64_t size, struct bytes *to) {
    struct note_head head = {.size = size};
    snprintf(head.origin, sizeof(head.origin), "%s", verifier.name);
    memset(head.root.b, (int)size, sizeof(head.root.b));
    bytes_clear(to);
    cr_assert(note_checkpoint_sign(&head, &verifier, secret, to) == 0);
}

static int open_it(const struct bytes *checkpoint, uint64_t size) {
    struct note_head head = {.size = 99};
    int r = opened_checkpoint(checkpoint->data, checkpoint->n, &verifier, &head);
    cr_assert(head.size == (r == 0 ? size : 99), "a refused checkpoint touched the result");
    cr_assert(r != 0 || head.root.b[31] == (uint8_t)size);
    return r;
}

Test(lib_opened, opens_more_checkpoints_than_it_keeps_each_more_than_once) {
    _cleanup_bytes_ struct bytes checkpoint = {};
    key_make(1, "o");
    for (uint64_t i = 0; i < 300; i++) {
        uint64_t size = 1 + i * i % 23;
        checkpoint_make(size, &checkpoint);
        cr_assert(open_it(&checkpoint, size) == 0);
    }
}

Test(lib_opened, looks_anew_at_whatever_has_one_changed_bit) {
    _cleanup_bytes_ struct bytes checkpoint = {};
    key_make(1, "o");
    checkpoint_make(7, &checkpoint);
    for (size_t bit = 0; bit < 8 * checkpoint.n; bit++) {
        cr_assert(open_it(&checkpoint, 7) == 0);
        checkpoint.data[bit / 8] ^= 1 << bit % 8;
        cr_assert(open_it(&checkpoint, 7) == -EBADMSG, "bit %zu", bit);
        checkpoint.data[bit / 8] ^= 1 << bit % 8;
    }
    for (size_t n = 0; n < checkpoint.n; n++) {
        struct bytes shorter = {.data = checkpoint.data, .n = n};
        cr_assert(open_it(&shorter, 7) == -EBADMSG, "%zu bytes", n);
    }
}

Test(lib_opened, does_not_know_a_checkpoint_under_any_other_key) {
    _cleanup_bytes_ struct bytes checkpoint = {};
    key_make(1, "o");
    checkpoint_make(7, &checkpoint);
    cr_assert(open_it(&checkpoint, 7) == 0);
    for (size_t bit = 0; bit < 8 * sizeof(verifier.key); bit++) {
        verifier.key[bit / 8] ^= 1 << bit % 8;
        cr_assert(open_it(&checkpoint, 7) == -EBADMSG, "bit %zu", bit);
        verifier.key[bit / 8] ^= 1 << bit % 8;
    }
    key_make(2, "o");
    cr_assert(open_it(&checkpoint, 7) == -EBADMSG);
    key_make(1, "p");
    cr_assert(open_it(&checkpoint, 7) == -EBADMSG);
    key_make(1, "o");
    cr_assert(open_it(&checkpoint, 7) == 0);
}

Test(lib_opened, opens_what_is_too_long_to_be_kept) {
    _cleanup_bytes_ struct bytes checkpoint = {};
    key_make(1, "o");
    checkpoint_make(7, &checkpoint);
    while (checkpoint.n <= OPENED_BYTES_MAX)
        bytes_printf(&checkpoint, "\u2014 witness.example AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
    cr_assert(open_it(&checkpoint, 7) == 0);
    cr_assert(open_it(&checkpoint, 7) == 0);
    checkpoint.data[0] ^= 1;
    cr_assert(open_it(&checkpoint, 7) == -EBADMSG);
}

static void *open_elsewhere(void *user) {
    return open_it(user, 7) == 0 ? user : NULL;
}

Test(lib_opened, serves_several_threads) {
    _cleanup_bytes_ struct bytes checkpoint = {};
    pthread_t threads[4];
    key_make(1, "o");
    checkpoint_make(7, &checkpoint);
    for (size_t i = 0; i < N_ELEMENTS(threads); i++)
        cr_assert(pthread_create(&threads[i], NULL, open_elsewhere, &checkpoint) == 0);
    for (size_t i = 0; i < N_ELEMENTS(threads); i++) {
        void *done = NULL;
        cr_assert(pthread_join(threads[i], &done) == 0);
        cr_assert(done == &checkpoint);
    }
}
