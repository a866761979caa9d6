/* SPDX-License-Identifier: Apache-2.0 */
/* What witnesses sign: the bytes of C2SP tlog-cosignature, each of them held. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>

#include "helpers.h"
#include "proto/cosignature.h"

TestSuite(cosignature, .timeout = 60);

#define TEXT "hove.example/2025\n42\nFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxc=\n"
#define SECONDS 1679315147u

static uint8_t secret[64];
static struct cosignature_verifier witness;
static struct bytes line; /* with its newline */

static void line_make(void) {
    uint8_t seed[32], public[32];
    memset(seed, 0x24, sizeof(seed));
    crypto_sign_seed_keypair(public, secret, seed);
    cr_assert(cosignature_verifier_init(&witness, "witness.example/w1", public) == 0);
    cr_assert(cosignature_sign(&witness, secret, TEXT, strlen(TEXT), SECONDS, &line) == 0);
}

static void line_free(void) {
    bytes_fini(&line);
}

static int check(const char *text, size_t n) {
    uint64_t seconds = 7;
    int r = cosignature_check(&witness, text, n, TEXT, strlen(TEXT), &seconds);
    cr_assert(seconds == (r == 1 ? SECONDS : 7), "a line that is not good touched the result");
    return r;
}

/* A line of the verifier's name with these bytes in it. */
static int check_bytes(const void *data, size_t n) {
    _cleanup_bytes_ struct bytes made = {};
    bytes_put_text(&made, "\u2014 witness.example/w1 ");
    text64_encode(&made, data, n);
    return check((char *)made.data, made.n);
}

/* Independent of the code under test: written down from the specification. */
static void payload_make(uint64_t seconds, const char *message, uint8_t ret[76]) {
    memcpy(ret, witness.key_id, 4);
    for (int i = 0; i < 8; i++)
        ret[4 + i] = (uint8_t)(seconds >> (56 - 8 * i));
    crypto_sign_detached(ret + 12, NULL, (const uint8_t *)message, strlen(message), secret);
}

Test(cosignature, is_what_the_specification_says, .init = line_make, .fini = line_free) {
    uint8_t payload[76], id[32], message[18 + 2 + 32];
    _cleanup_bytes_ struct bytes expected = {};
    memcpy(message, "witness.example/w1", 18);
    message[18] = 0x0a;
    message[19] = 0x04;
    memcpy(message + 20, witness.key, 32);
    crypto_hash_sha256(id, message, sizeof(message));
    cr_assert(memcmp(witness.key_id, id, 4) == 0);

    payload_make(SECONDS, "cosignature/v1\ntime 1679315147\n" TEXT, payload);
    bytes_put_text(&expected, "\u2014 witness.example/w1 ");
    text64_encode(&expected, payload, sizeof(payload));
    bytes_put_u8(&expected, '\n');
    cr_assert(line.n == expected.n && memcmp(line.data, expected.data, line.n) == 0);
    cr_assert(line.n <= COSIGNATURE_LINE_MAX);
    cr_assert(check((char *)line.data, line.n - 1) == 1);
}

Test(cosignature, of_another_text_is_not_good, .init = line_make, .fini = line_free) {
    char text[] = TEXT;
    uint64_t seconds;
    for (size_t bit = 0; bit < 8 * strlen(TEXT); bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        cr_assert(cosignature_check(&witness, (char *)line.data, line.n - 1, text, strlen(TEXT),
                                    &seconds) == -EBADMSG);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
}

Test(cosignature, never_passes_with_a_changed_bit, .init = line_make, .fini = line_free) {
    for (size_t bit = 0; bit < 8 * (line.n - 1); bit++) {
        line.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert(check((char *)line.data, line.n - 1) != 1, "bit %zu", bit);
        line.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t n = 0; n < line.n - 1; n++)
        cr_assert(check((char *)line.data, n) != 1);
    cr_assert(check((char *)line.data, line.n) != 1, "with its newline");
}

Test(cosignature, of_a_known_key_that_is_not_good_is_no_strangers, .init = line_make,
     .fini = line_free) {
    uint8_t payload[77] = {};
    payload_make(SECONDS, "cosignature/v1\ntime 1679315148\n" TEXT, payload);
    cr_assert(check_bytes(payload, 76) == -EBADMSG, "another time under the signature");
    payload_make(SECONDS, TEXT, payload);
    cr_assert(check_bytes(payload, 76) == -EBADMSG, "the ledger's form of signature");
    payload_make(SECONDS, "cosignature/v1\ntime 1679315147\n" TEXT, payload);
    cr_assert(check_bytes(payload, 76) == 1);
    cr_assert(check_bytes(payload, 77) == -EBADMSG);
    cr_assert(check_bytes(payload, 75) == -EBADMSG);
    cr_assert(check_bytes(payload, 68) == -EBADMSG);
    payload_make(UINT64_C(1) << 63, "cosignature/v1\ntime 9223372036854775808\n" TEXT, payload);
    cr_assert(check_bytes(payload, 76) == -EBADMSG, "later than 2^63 - 1");
}

Test(cosignature, of_another_name_or_key_id_is_somebody_elses, .init = line_make,
     .fini = line_free) {
    uint8_t payload[76];
    payload_make(SECONDS, "cosignature/v1\ntime 1679315147\n" TEXT, payload);
    payload[0] ^= 1;
    cr_assert(check_bytes(payload, 76) == 0);
    line.data[4] = 'W'; /* the first letter of the name */
    cr_assert(check((char *)line.data, line.n - 1) == 0);
    cr_assert(check("", 0) == 0);
    cr_assert(check("\u2014 witness.example/w1", 21) == 0);
}

Test(cosignature, is_not_made_for_a_time_that_no_verifier_takes, .init = line_make,
     .fini = line_free) {
    size_t n = line.n;
    cr_assert(cosignature_sign(&witness, secret, TEXT, strlen(TEXT), UINT64_C(1) << 63, &line) ==
              -EINVAL);
    cr_assert(line.n == n);
}

Test(cosignature, reads_a_verifier_key_in_its_one_form, .init = line_make, .fini = line_free) {
    _cleanup_bytes_ struct bytes text = {};
    struct cosignature_verifier parsed;
    cosignature_verifier_format(&witness, &text);
    bytes_put_u8(&text, 0);
    cr_assert(cosignature_verifier_parse(&parsed, (char *)text.data) == 0);
    cr_assert(memcmp(&parsed, &witness, sizeof(parsed)) == 0);
    for (size_t bit = 0; bit < 8 * (text.n - 1); bit++) {
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert(cosignature_verifier_parse(&parsed, (char *)text.data) == -EBADMSG);
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t n = 0; n < text.n - 1; n++) {
        _cleanup_(freep) char *cut = strndup((char *)text.data, n);
        cr_assert(cosignature_verifier_parse(&parsed, cut) == -EBADMSG);
    }
}

Test(cosignature, tells_a_key_of_another_kind_from_a_slip, .init = line_make, .fini = line_free) {
    struct cosignature_verifier parsed;
    /* A ledger's key, type 1: Go's sumdb/note documentation. */
    cr_assert(cosignature_verifier_parse(
                  &parsed, "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW") ==
              -ENOTSUP);
    cr_assert(cosignature_verifier_parse(
                  &parsed, "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW") ==
              -EBADMSG);
    cr_assert(cosignature_verifier_parse(&parsed, "++") == -EBADMSG);
    cr_assert(cosignature_verifier_parse(&parsed, "a+00000000+") == -EBADMSG);
}
