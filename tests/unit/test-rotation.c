/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rotation.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#define ORIGIN "ely.example/timebank"

static uint8_t secrets[ROTATION_KEYS_MAX + 1][SSHSIG_SECRET_BYTES];
static struct rotation_chain chain;

static const uint8_t *key_of(size_t i) {
    return secrets[i] + SSHSIG_SECRET_BYTES - NOTE_KEY_BYTES;
}

static void begin(void) {
    cr_assert(sodium_init() >= 0);
    for (size_t i = 0; i < ROTATION_KEYS_MAX + 1; i++)
        sshsig_secret_new(secrets[i]);
    cr_assert(rotation_chain_begin(&chain, ORIGIN, key_of(0)) == 0);
}

TestSuite(rotation, .timeout = 60, .init = begin);

static void sign_next(size_t i, uint8_t ret[SSHSIG_SIGNATURE_BYTES]) {
    struct rotation rotation = {.ledger_id = chain.ledger_id};

    memcpy(rotation.old_key, key_of(i - 1), NOTE_KEY_BYTES);
    memcpy(rotation.new_key, key_of(i), NOTE_KEY_BYTES);
    cr_assert(rotation_sign(&rotation, secrets[i - 1], ret) == 0);
}

Test(rotation, lays_its_bytes_out_as_the_manual_says) {
    struct rotation rotation;
    uint8_t bytes[ROTATION_BYTES];

    memset(rotation.ledger_id.b, 1, HASH_BYTES);
    memset(rotation.old_key, 2, NOTE_KEY_BYTES);
    memset(rotation.new_key, 3, NOTE_KEY_BYTES);
    rotation_bytes(&rotation, bytes);
    cr_assert(memcmp(bytes, "TBK1", 4) == 0 && bytes[4] == 1 && bytes[35] == 1 && bytes[36] == 2 &&
              bytes[67] == 2 && bytes[68] == 3 && bytes[99] == 3);
}

Test(rotation, refuses_each_changed_bit_of_what_is_signed_and_of_the_signature) {
    struct rotation rotation = {.ledger_id = chain.ledger_id};
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];

    memcpy(rotation.old_key, key_of(0), NOTE_KEY_BYTES);
    memcpy(rotation.new_key, key_of(1), NOTE_KEY_BYTES);
    sign_next(1, signature);
    cr_assert(rotation_check_old(&rotation, signature) == 0);
    cr_assert(rotation_check_new(&rotation, signature) == -EBADMSG, "the other key signed");
    for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert(rotation_check_old(&rotation, signature) < 0, "bit %zu of the signature", bit);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof(rotation); bit++) {
        ((uint8_t *)&rotation)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert(rotation_check_old(&rotation, signature) < 0, "bit %zu of the link", bit);
        ((uint8_t *)&rotation)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

Test(rotation, leads_from_each_key_to_the_last_as_long_as_one_may_be) {
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    struct note_verifier verifier;
    struct hash id = note_ledger_id(ORIGIN, key_of(0));

    for (size_t i = 1; i < ROTATION_KEYS_MAX; i++) {
        sign_next(i, signature);
        cr_assert(rotation_chain_add(&chain, key_of(i), signature) == 0, "link %zu", i);
    }
    for (size_t i = 0; i < ROTATION_KEYS_MAX; i++) {
        cr_assert(note_verifier_init(&verifier, ORIGIN, key_of(i)) == 0);
        cr_assert(rotation_chain_find(&chain, &verifier) == (int)i);
    }
    cr_assert(hash_equal(&id, &chain.ledger_id), "the ledger id stays that of the first key");
    sign_next(ROTATION_KEYS_MAX, signature);
    cr_assert(rotation_chain_add(&chain, key_of(ROTATION_KEYS_MAX), signature) == -EBADMSG);
}

Test(rotation, takes_no_key_that_the_one_before_did_not_sign_for) {
    uint8_t signature[SSHSIG_SIGNATURE_BYTES], again[SSHSIG_SIGNATURE_BYTES];
    struct rotation back = {.ledger_id = chain.ledger_id};

    sign_next(2, signature);
    cr_assert(rotation_chain_add(&chain, key_of(2), signature) == -EBADMSG, "a key left out");
    sign_next(1, signature);
    cr_assert(rotation_chain_add(&chain, key_of(2), signature) == -EBADMSG, "another key");
    cr_assert(rotation_chain_add(&chain, key_of(1), signature) == 0);
    memcpy(back.old_key, key_of(1), NOTE_KEY_BYTES);
    memcpy(back.new_key, key_of(0), NOTE_KEY_BYTES);
    cr_assert(rotation_sign(&back, secrets[1], again) == 0);
    cr_assert(rotation_chain_add(&chain, key_of(0), again) == -EBADMSG, "a key that was used");
}

Test(rotation, gives_a_head_two_lines_of_which_each_key_finds_its_own) {
    _cleanup_bytes_ struct bytes note = {0};
    struct note_head head = {.origin = ORIGIN, .size = 7}, read;
    struct note_verifier old_key, new_key, other;
    size_t n;

    cr_assert(note_verifier_init(&old_key, ORIGIN, key_of(0)) == 0 &&
              note_verifier_init(&new_key, ORIGIN, key_of(1)) == 0 &&
              note_verifier_init(&other, ORIGIN, key_of(2)) == 0);
    cr_assert(note_checkpoint_sign(&head, &new_key, secrets[1], &note) == 0);
    n = note.n;
    cr_assert(note_checkpoint_add(&head, &old_key, secrets[0], &note) == 0);
    cr_assert(note_checkpoint_open(note.data, note.n, &new_key, &read) == 0 && read.size == 7);
    cr_assert(note_checkpoint_open(note.data, note.n, &old_key, &read) == 0);
    cr_assert(note_checkpoint_open(note.data, note.n, &other, &read) == -EBADMSG);
    cr_assert(note_checkpoint_open(note.data, n, &old_key, &read) == -EBADMSG);
    cr_assert(note_checkpoint_peek(note.data, note.n, ORIGIN, &read) == 0 && read.size == 7);
    cr_assert(note_checkpoint_peek(note.data, note.n, "other.example", &read) == -EBADMSG);
}
