/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A voucher's bytes. The vector was made by another program: Python's int.to_bytes for the claims,
 * PyNaCl's SigningKey(bytes(range(32))).sign(b"timebank-voucher/1\n" + claims), and the base32 of
 * test-base32.c.
 */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "helpers.h"
#include "proto/voucher.h"

TestSuite(voucher, .timeout = 30);

#define CLAIMS "010000000000298a6f00d1003c4eb64f6c0000000d00"
#define SIGNATURE                                                                                  \
    "2d42f69d65f0e524c361fa5cb2c7b9293905aecc2295d952cdd24221e7a7a9b8c0f1156bb0544ee36cb1e4334842" \
    "9c7bc2dfa1b9f70e9b367df83184c2b5d502"
#define PUBLIC "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define TOKEN                                                                                      \
    "01000000005656Y06H00Y4XDJFDG00000D00PM5XMXCQREA963C7X5SCP7Q4MKJ1DESGH9BPAJSQ9448F7MYMVHG7H2N" \
    "NV0N2EWDPB3S1K9119RYY2VYGVKXREKCV7VY1HGK1BBN82Q"

static const struct voucher vector = {.serial = 41,
                                      .ledger_tag = 0x8a6f00d1,
                                      .minutes = 60,
                                      .from_day = 20150,
                                      .expires_day = 20332,
                                      .venue = 13};

static bool is_same(const struct voucher *a, const struct voucher *b) {
    return a->serial == b->serial && a->ledger_tag == b->ledger_tag && a->minutes == b->minutes &&
           a->from_day == b->from_day && a->expires_day == b->expires_day && a->venue == b->venue;
}

static void vector_bytes(uint8_t ret[VOUCHER_BYTES], uint8_t ret_public[32]) {
    unhex(CLAIMS SIGNATURE, ret);
    unhex(PUBLIC, ret_public);
}

Test(voucher, packs_and_signs_as_another_program_does) {
    uint8_t expected[VOUCHER_BYTES], found[VOUCHER_BYTES], public[32], seed[32], secret[64];
    struct voucher voucher;

    vector_bytes(expected, public);
    for (unsigned i = 0; i < sizeof(seed); i++)
        seed[i] = (uint8_t)i;
    crypto_sign_seed_keypair(public, secret, seed);
    voucher_pack(&vector, found);
    cr_assert(voucher_sign(found, secret, found + VOUCHER_CLAIMS_BYTES) == 0);
    cr_assert(memcmp(found, expected, sizeof(found)) == 0);
    cr_assert(voucher_is_genuine(found, found + VOUCHER_CLAIMS_BYTES, public));
    cr_assert(voucher_unpack(found, &voucher) == 0);
    cr_assert(is_same(&voucher, &vector));
}

Test(voucher, is_written_as_a_token_that_is_read_back) {
    uint8_t bytes[VOUCHER_BYTES], read[VOUCHER_BYTES], public[32];
    char token[VOUCHER_TOKEN_CHARS + 1], print[VOUCHER_PRINT_CHARS + 1];

    vector_bytes(bytes, public);
    voucher_token_write(bytes, token);
    cr_assert_str_eq(token, TOKEN);
    voucher_token_print(bytes, print);
    cr_assert(strlen(print) == VOUCHER_PRINT_CHARS);
    cr_assert(strncmp(print, "01000-00000-5656Y-", 18) == 0, "%s", print);
    for (size_t i = 0; print[i]; i++)
        cr_assert((print[i] == '-') == (i % 6 == 5));
    cr_assert(voucher_token_read(token, read) && memcmp(read, bytes, sizeof(read)) == 0);
    cr_assert(voucher_token_read(print, read) && memcmp(read, bytes, sizeof(read)) == 0);
    token[20] = token[20] == 'X' ? 'Y' : 'X';
    cr_assert(!voucher_token_read(token, read));
}

Test(voucher, is_not_genuine_with_any_one_bit_of_its_86_bytes_flipped) {
    uint8_t bytes[VOUCHER_BYTES], public[32];
    size_t n_refused = 0;

    vector_bytes(bytes, public);
    for (size_t bit = 0; bit < VOUCHER_BYTES * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        n_refused += !voucher_is_genuine(bytes, bytes + VOUCHER_CLAIMS_BYTES, public);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert(n_refused == 688, "%zu of 688", n_refused);
    cr_assert(voucher_is_genuine(bytes, bytes + VOUCHER_CLAIMS_BYTES, public));
}

Test(voucher, is_not_genuine_by_another_key) {
    uint8_t bytes[VOUCHER_BYTES], public[32], other[32], secret[64];

    vector_bytes(bytes, public);
    crypto_sign_keypair(other, secret);
    cr_assert(!voucher_is_genuine(bytes, bytes + VOUCHER_CLAIMS_BYTES, other));
}

/* The same bytes signed for another purpose are no voucher: the prefix stands before the claims. */
Test(voucher, is_not_genuine_by_a_signature_over_the_claims_alone) {
    uint8_t claims[VOUCHER_CLAIMS_BYTES], signature[64], public[32], secret[64];

    crypto_sign_keypair(public, secret);
    voucher_pack(&vector, claims);
    crypto_sign_detached(signature, NULL, claims, sizeof(claims), secret);
    cr_assert(!voucher_is_genuine(claims, signature, public));
    cr_assert(sshsig_sign("timebank-voucher", claims, sizeof(claims), secret, signature) == 0);
    cr_assert(!voucher_is_genuine(claims, signature, public));
}

Test(voucher, of_claims_that_say_nothing_is_not_read) {
    static const struct {
        size_t at;
        uint8_t bytes[6];
        size_t n;
    } slips[] = {{0, {2}, 1},                /* version */
                 {21, {1}, 1},               /* a flag */
                 {1, {0, 0, 0, 0, 0, 0}, 6}, /* serial 0 */
                 {11, {0, 0}, 2},            /* no minutes */
                 {15, {0, 0}, 2},            /* no last day */
                 {13, {0x4f, 0x6d}, 2}};     /* the first after the last */
    struct voucher voucher;

    for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++) {
        uint8_t claims[VOUCHER_CLAIMS_BYTES];

        voucher_pack(&vector, claims);
        memcpy(claims + slips[i].at, slips[i].bytes, slips[i].n);
        cr_assert(voucher_unpack(claims, &voucher) < 0, "slip %zu", i);
    }
}

Test(voucher, holds_the_largest_figures) {
    struct voucher most = {.serial = VOUCHER_SERIAL_MAX,
                           .ledger_tag = UINT32_MAX,
                           .minutes = VOUCHER_MINUTES_MAX,
                           .from_day = VOUCHER_DAY_MAX,
                           .expires_day = VOUCHER_DAY_MAX,
                           .venue = UINT32_MAX};
    uint8_t claims[VOUCHER_CLAIMS_BYTES];
    struct voucher voucher;

    voucher_pack(&most, claims);
    cr_assert(voucher_unpack(claims, &voucher) == 0);
    cr_assert(is_same(&voucher, &most));
    most.serial++;
    cr_assert(!voucher_is_sound(&most));
    most.serial--;
    most.minutes++;
    cr_assert(!voucher_is_sound(&most));
}
