/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures and keys as OpenSSH reads and writes them; every bit counts; damaged keys do not sign.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>

#include "base/files.h"
#include "helpers.h"
#include "proto/batch.h"
#include "proto/sshsig.h"

TestSuite(sshsig, .timeout = 60);

/* Made by `ssh-keygen -t ed25519 -N ''`; used nowhere else. */
static const char key_text[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
    "QyNTUxOQAAACCtSMqY/xXNc+9G/1rgZYWVlemDFx4GLoGbB00DRQj/NgAAAJhlwRrKZcEa\n"
    "ygAAAAtzc2gtZWQyNTUxOQAAACCtSMqY/xXNc+9G/1rgZYWVlemDFx4GLoGbB00DRQj/Ng\n"
    "AAAEDpU7gvQYZasZQt0mtP4XxQ5j5CRPX1QDBGbEYzG+Le3a1Iypj/Fc1z70b/WuBlhZWV\n"
    "6YMXHgYugZsHTQNFCP82AAAAFWJyb2tlciBhdCB0aGUgbGlicmFyeQ==\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static uint8_t secret[64];

static void key_load(void) {
    cr_assert(sshsig_secret_parse(key_text, strlen(key_text), secret) == 0);
}

Test(sshsig, reads_a_key_that_ssh_keygen_wrote) {
    static const char public_text[] =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK1Iypj/Fc1z70b/WuBlhZWV6YMXHgYugZsHTQNFCP82 broker "
        "at the library\n";
    uint8_t public[32];
    _cleanup_(freep) char *comment = NULL;
    key_load();
    cr_assert(sshsig_public_parse(public_text, strlen(public_text), public, &comment) == 0);
    cr_assert(memcmp(public, secret + 32, 32) == 0);
    cr_assert_str_eq(comment, "broker at the library");
    _cleanup_bytes_ struct bytes back = {};
    sshsig_public_format(public, comment, &back);
    cr_assert(back.n == strlen(public_text) && memcmp(back.data, public_text, back.n) == 0);
}

Test(sshsig, verifies_only_the_same_message_namespace_and_key) {
    uint8_t message[BATCH_HEADER_BYTES] = {'T', 'B', 'B', '1'}, signature[64], key[32];
    key_load();
    memcpy(key, secret + 32, 32);
    cr_assert(sshsig_sign(SSHSIG_BATCH, message, sizeof(message), secret, signature) == 0);
    cr_assert(sshsig_verify(SSHSIG_BATCH, message, sizeof(message), key, signature) == 0);
    cr_assert(sshsig_verify(SSHSIG_HELLO, message, sizeof(message), key, signature) == -EBADMSG);
    cr_assert(sshsig_verify(SSHSIG_BATCH, message, sizeof(message) - 1, key, signature) ==
              -EBADMSG);
    struct {
        uint8_t *data;
        size_t n;
    } parts[] = {{message, sizeof(message)}, {signature, 64}, {key, 32}};
    for (size_t part = 0; part < N_ELEMENTS(parts); part++)
        for (size_t bit = 0; bit < 8 * parts[part].n; bit++) {
            parts[part].data[bit / 8] ^= 1 << bit % 8;
            cr_assert(sshsig_verify(SSHSIG_BATCH, message, sizeof(message), key, signature) ==
                          -EBADMSG,
                      "part %zu bit %zu", part, bit);
            parts[part].data[bit / 8] ^= 1 << bit % 8;
        }
}

/* s + L verifies under the plain equation; RFC 8032 and libsodium refuse it. */
Test(sshsig, refuses_the_same_signature_with_s_plus_l) {
    static const char l[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    uint8_t signature[64], order[32];
    key_load();
    unhex(l, order);
    cr_assert(sshsig_sign(SSHSIG_BATCH, "x", 1, secret, signature) == 0);
    sodium_add(signature + 32, order, 32);
    cr_assert(sshsig_verify(SSHSIG_BATCH, "x", 1, secret + 32, signature) == -EBADMSG);
}

Test(sshsig, a_key_with_any_damaged_bit_does_not_sign) {
    uint8_t signature[64] = {}, none[64] = {};
    key_load();
    for (size_t bit = 256; bit < 512; bit++) {
        secret[bit / 8] ^= 1 << bit % 8;
        cr_assert(sshsig_sign(SSHSIG_BATCH, "x", 1, secret, signature) == -EKEYREJECTED, "bit %zu",
                  bit);
        cr_assert(memcmp(signature, none, 64) == 0,
                  "a signature by a damaged key gives the key away");
        secret[bit / 8] ^= 1 << bit % 8;
    }
}

/* Every bit of a key file: refused, or without any effect on the key (comment and check numbers).
 */
Test(sshsig, refuses_every_flipped_bit_of_a_key_file_that_touches_the_key) {
    _cleanup_bytes_ struct bytes text = {};
    uint8_t parsed[64];
    size_t n_without_effect = 0;
    key_load();
    bytes_put(&text, key_text, strlen(key_text));
    for (size_t bit = 0; bit < 8 * text.n; bit++) {
        text.data[bit / 8] ^= 1 << bit % 8;
        int r = sshsig_secret_parse((char *)text.data, text.n, parsed);
        text.data[bit / 8] ^= 1 << bit % 8;
        cr_assert(r == 0 || r == -EBADMSG || r == -EKEYREJECTED || r == -ENOKEY, "bit %zu: %d", bit,
                  r);
        if (r == 0) {
            cr_assert(memcmp(parsed, secret, 64) == 0, "bit %zu changed the key", bit);
            n_without_effect++;
        }
    }
    cr_assert(n_without_effect < 8 * 40, "%zu flips had no effect", n_without_effect);
    for (size_t n = 0; n < text.n - 1; n++)
        cr_assert(sshsig_secret_parse((char *)text.data, n, parsed) == -EBADMSG);
}

/* The three public halves and the seed, in the decoded file: a flip is found, never signed with. */
Test(sshsig, finds_a_public_half_that_is_not_the_seeds) {
    _cleanup_bytes_ struct bytes blob = {};
    char *body = strdup(key_text), *to = body;
    uint8_t parsed[64];
    key_load();
    const char *from = strchr(key_text, '\n');
    for (; *from != '-'; from++)
        if (*from != '\n')
            *to++ = *from;
    cr_assert(text64_decode(&blob, body, (size_t)(to - body)) == 0);
    free(body);
    size_t n_found = 0;
    for (size_t at = 0; at + 32 <= blob.n; at++) {
        bool is_public = memcmp(blob.data + at, secret + 32, 32) == 0;
        bool is_seed = memcmp(blob.data + at, secret, 32) == 0;
        n_found += is_public || is_seed;
        for (size_t bit = 0; bit < 256 && (is_public || is_seed); bit++) {
            _cleanup_bytes_ struct bytes text = {};
            blob.data[at + bit / 8] ^= 1 << bit % 8;
            bytes_put_text(&text, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
            text64_encode(&text, blob.data, blob.n);
            bytes_put_text(&text, "\n-----END OPENSSH PRIVATE KEY-----\n");
            cr_assert(sshsig_secret_parse((char *)text.data, text.n, parsed) == -EKEYREJECTED);
            blob.data[at + bit / 8] ^= 1 << bit % 8;
        }
    }
    cr_assert(n_found == 4);
}

Test(sshsig, refuses_public_lines_that_are_none) {
    static const char *const bad[] = {
        "", "\n\n", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 AAAA",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA== x",
        "AAAAC3NzaC1lZDI1NTE5AAAAIHowMtgNVYCSOyaOVGPMEU1NVYcvCJFNQJTi1vQ3Oy9p",
        /* An Ed25519 blob with a byte too many. */
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHowMtgNVYCSOyaOVGPMEU1NVYcvCJFNQJTi1vQ3Oy9pAA==",
        "-----BEGIN OPENSSH PRIVATE KEY-----"};
    uint8_t key[32] = {9};
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_assert(sshsig_public_parse(bad[i], strlen(bad[i]), key, NULL) == -EBADMSG, "'%s'",
                  bad[i]);
    cr_assert(key[0] == 9);
}

Test(sshsig, takes_the_first_line_that_is_not_empty) {
    uint8_t public[32], parsed[32];
    _cleanup_bytes_ struct bytes text = {};
    _cleanup_(freep) char *comment = NULL;
    key_load();
    memcpy(public, secret + 32, 32);
    bytes_put_text(&text, "\n \r\n");
    sshsig_public_format(public, "at  the desk", &text);
    bytes_put_text(&text, "something else\n");
    cr_assert(sshsig_public_parse((char *)text.data, text.n, parsed, &comment) == 0);
    cr_assert(memcmp(parsed, public, 32) == 0);
    cr_assert_str_eq(comment, "at  the desk");
    text.data[5] = 0x1b;
    cr_assert(sshsig_public_parse((char *)text.data, text.n, parsed, NULL) == -EBADMSG);
}

Test(sshsig, rejects_points_that_no_key_should_be) {
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
        "0100000000000000000000000000000000000000000000000000000000000000", /* the neutral element
                                                                             */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", /* order 8 */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* not canonical */
        "0200000000000000000000000000000000000000000000000000000000000000", /* not on the curve */
    };
    for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
        uint8_t key[32], parsed[32];
        _cleanup_bytes_ struct bytes text = {};
        unhex(bad[i], key);
        cr_assert(!sshsig_public_is_usable(key), "%s", bad[i]);
        sshsig_public_format(key, NULL, &text);
        cr_assert(sshsig_public_parse((char *)text.data, text.n, parsed, NULL) == -EKEYREJECTED);
    }
    key_load();
    cr_assert(sshsig_public_is_usable(secret + 32));
}

Test(sshsig, writes_keys_that_it_reads) {
    uint8_t key[64], back[64];
    sshsig_secret_new(key);
    for (size_t n = 0; n < 40; n++) {
        char comment[64] = {};
        _cleanup_bytes_ struct bytes text = {};
        memset(comment, 'c', n);
        sshsig_secret_format(key, comment, &text);
        cr_assert(text.r == 0);
        cr_assert(sshsig_secret_parse((char *)text.data, text.n, back) == 0);
        cr_assert(memcmp(key, back, 64) == 0);
    }
}

Test(sshsig, agrees_with_every_signature_case_of_wycheproof) {
    json_t *json = vectors_load("ed25519_test.json"), *group, *item;
    size_t i, j, n_cases = 0;
    json_array_foreach(json_object_get(json, "testGroups"), i, group) {
        uint8_t key[64] = {};
        const char *hex =
            json_string_value(json_object_get(json_object_get(group, "publicKey"), "pk"));
        cr_assert(unhex(hex, key) == 32);
        json_array_foreach(json_object_get(group, "tests"), j, item) {
            uint8_t message[8192], signature[512] = {};
            cr_assert(strlen(json_string_value(json_object_get(item, "msg"))) <=
                      2 * sizeof(message));
            size_t n = unhex(json_string_value(json_object_get(item, "msg")), message);
            size_t n_signature = unhex(json_string_value(json_object_get(item, "sig")), signature);
            bool is_good =
                n_signature == 64 && crypto_sign_verify_detached(signature, message, n, key) == 0;
            bool is_expected =
                strcmp(json_string_value(json_object_get(item, "result")), "valid") == 0;
            cr_assert(is_good == is_expected, "case %d",
                      (int)json_integer_value(json_object_get(item, "tcId")));
            n_cases++;
        }
    }
    cr_assert(n_cases == 151);
    json_decref(json);
}

/* ---- the stock tools */

static void signers_write(const char *directory, const uint8_t public[32]) {
    _cleanup_bytes_ struct bytes line = {};
    bytes_put_text(&line, "author ");
    sshsig_public_format(public, NULL, &line);
    scratch_write(directory, "signers", line.data, line.n);
}

#define VERIFY "ssh-keygen -Y verify -f signers -I author -n timebank-batch -s header.sig <header"

Test(sshsig, ssh_keygen_accepts_our_armour_and_no_flipped_one) {
    if (!tool_is_here("ssh-keygen"))
        cr_skip_test("ssh-keygen is not installed");
    char directory[64];
    uint8_t header[BATCH_HEADER_BYTES] = {'T', 'B', 'B', '1'}, signature[64];
    _cleanup_bytes_ struct bytes armour = {};
    key_load();
    scratch_make(directory);
    signers_write(directory, secret + 32);
    cr_assert(sshsig_sign(SSHSIG_BATCH, header, sizeof(header), secret, signature) == 0);
    sshsig_armour(SSHSIG_BATCH, secret + 32, signature, &armour);
    scratch_write(directory, "header", header, sizeof(header));
    scratch_write(directory, "header.sig", armour.data, armour.n);
    cr_assert(scratch_run(directory, VERIFY) == 0);
    header[175] ^= 1;
    scratch_write(directory, "header", header, sizeof(header));
    cr_assert(scratch_run(directory, VERIFY) != 0);
    header[175] ^= 1;
    signature[63] ^= 1;
    bytes_clear(&armour);
    sshsig_armour(SSHSIG_BATCH, secret + 32, signature, &armour);
    scratch_write(directory, "header", header, sizeof(header));
    scratch_write(directory, "header.sig", armour.data, armour.n);
    cr_assert(scratch_run(directory, VERIFY) != 0);
    scratch_remove(directory);
}

/* Ed25519 signs deterministically, so our armour must be theirs to the byte. */
Test(sshsig, ssh_keygen_writes_the_same_armour) {
    if (!tool_is_here("ssh-keygen"))
        cr_skip_test("ssh-keygen is not installed");
    char directory[64], path[128];
    uint8_t signature[64];
    _cleanup_bytes_ struct bytes ours = {};
    _cleanup_bytes_ struct bytes theirs = {};
    key_load();
    scratch_make(directory);
    scratch_write(directory, "key", key_text, strlen(key_text));
    scratch_write(directory, "text", "counted twice\n", 14);
    cr_assert(scratch_run(directory,
                          "chmod 600 key && ssh-keygen -Y sign -f key -n timebank-report text") ==
              0);
    snprintf(path, sizeof(path), "%s/text.sig", directory);
    cr_assert(file_read(path, 4096, &theirs) == 0);
    cr_assert(sshsig_sign(SSHSIG_REPORT, "counted twice\n", 14, secret, signature) == 0);
    sshsig_armour(SSHSIG_REPORT, secret + 32, signature, &ours);
    cr_assert(ours.n == theirs.n && memcmp(ours.data, theirs.data, ours.n) == 0);
    scratch_remove(directory);
}

Test(sshsig, ssh_keygen_reads_our_keys_and_we_read_its) {
    if (!tool_is_here("ssh-keygen"))
        cr_skip_test("ssh-keygen is not installed");
    char directory[64], path[128];
    uint8_t key[64], public[32];
    _cleanup_bytes_ struct bytes text = {};
    _cleanup_bytes_ struct bytes derived = {};
    _cleanup_bytes_ struct bytes theirs = {};
    scratch_make(directory);
    sshsig_secret_new(key);
    sshsig_secret_format(key, "the desk", &text);
    scratch_write(directory, "key", text.data, text.n);
    cr_assert(scratch_run(directory, "chmod 600 key && ssh-keygen -y -f key >key.pub") == 0);
    snprintf(path, sizeof(path), "%s/key.pub", directory);
    cr_assert(file_read(path, 4096, &derived) == 0);
    cr_assert(sshsig_public_parse((char *)derived.data, derived.n, public, NULL) == 0);
    cr_assert(memcmp(public, key + 32, 32) == 0);

    cr_assert(scratch_run(directory, "ssh-keygen -q -t ed25519 -N '' -C theirs -f theirs") == 0);
    snprintf(path, sizeof(path), "%s/theirs", directory);
    cr_assert(file_read_secret(path, 4096, &theirs) == 0);
    cr_assert(sshsig_secret_parse((char *)theirs.data, theirs.n, key) == 0);
    scratch_remove(directory);
}

Test(sshsig, says_so_when_a_key_is_encrypted_or_of_another_type) {
    if (!tool_is_here("ssh-keygen"))
        cr_skip_test("ssh-keygen is not installed");
    char directory[64], path[128];
    uint8_t key[64];
    _cleanup_bytes_ struct bytes encrypted = {};
    _cleanup_bytes_ struct bytes other = {};
    scratch_make(directory);
    cr_assert(scratch_run(directory, "ssh-keygen -q -t ed25519 -N 'a phrase' -a 1 -f locked && "
                                     "ssh-keygen -q -t ecdsa -N '' -f ecdsa") == 0);
    snprintf(path, sizeof(path), "%s/locked", directory);
    cr_assert(file_read(path, 4096, &encrypted) == 0);
    cr_assert(sshsig_secret_parse((char *)encrypted.data, encrypted.n, key) == -ENOKEY);
    snprintf(path, sizeof(path), "%s/ecdsa", directory);
    cr_assert(file_read(path, 4096, &other) == 0);
    cr_assert(sshsig_secret_parse((char *)other.data, other.n, key) == -EBADMSG);
    scratch_remove(directory);
}
