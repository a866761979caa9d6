/* SPDX-License-Identifier: Apache-2.0 */
/* Verifier keys and checkpoints: one form of each, every bit held by the signature, openssl
 * agreeing. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>

#include "helpers.h"
#include "proto/note.h"

TestSuite(note, .timeout = 60);

static uint8_t secret[64];
static struct note_verifier verifier;
static struct note_head head;
static struct bytes checkpoint;

static void checkpoint_make(void) {
    uint8_t seed[32], public[32];
    memset(seed, 0x42, sizeof(seed));
    crypto_sign_seed_keypair(public, secret, seed);
    cr_assert(note_verifier_init(&verifier, "hove.example/2025", public) == 0);
    head = (struct note_head){.origin = "hove.example/2025", .size = 42};
    memset(head.root.b, 0x17, 32);
    cr_assert(note_checkpoint_sign(&head, &verifier, secret, &checkpoint) == 0);
}

static void checkpoint_free(void) {
    bytes_fini(&checkpoint);
}

static int open_text(const char *text, size_t n) {
    struct note_head opened = {.size = 99};
    int r = note_checkpoint_open(text, n, &verifier, &opened);
    cr_assert(r == 0 || opened.size == 99, "a refused checkpoint touched the result");
    return r;
}

/* Signs any text, right or wrong in form, so that only the form can be what is refused. */
static int open_signed(const char *text) {
    _cleanup_bytes_ struct bytes note = {};
    uint8_t signature[68];
    memcpy(signature, verifier.key_id, 4);
    crypto_sign_detached(signature + 4, NULL, (const uint8_t *)text, strlen(text), secret);
    bytes_printf(&note, "%s\n\u2014 %s ", text, verifier.name);
    text64_encode(&note, signature, sizeof(signature));
    bytes_put_u8(&note, '\n');
    return open_text((const char *)note.data, note.n);
}

#define ROOT "FxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxc="

Test(note, knows_which_names_a_ledger_may_have) {
    static const char *const good[] = {"a",     "hove.example/2025", "Zażółć", "o",
                                       "SSHSI", "a\u200bb"};
    static const char *const bad[] = {"",          "a b",    "a+b",          "a\nb",    "a\tb",
                                      "\x7f",      "SSHSIG", "SSHSIGx",      "a\u00a0", "\u2003",
                                      "a\xc2\x85", "\xc3",   "\xed\xa0\x80", "\u3000"};
    char longest[NOTE_ORIGIN_MAX + 2];
    for (size_t i = 0; i < N_ELEMENTS(good); i++)
        cr_assert(note_origin_is_valid(good[i]), "'%s'", good[i]);
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_assert(!note_origin_is_valid(bad[i]), "case %zu", i);
    memset(longest, 'x', sizeof(longest));
    longest[NOTE_ORIGIN_MAX] = 0;
    cr_assert(note_origin_is_valid(longest));
    longest[NOTE_ORIGIN_MAX] = 'x';
    longest[NOTE_ORIGIN_MAX + 1] = 0;
    cr_assert(!note_origin_is_valid(longest));
}

/* The example key of Go's sumdb/note documentation. */
Test(note, reads_the_verifier_key_of_the_go_documentation) {
    static const char text[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    struct note_verifier peter;
    _cleanup_bytes_ struct bytes back = {};
    cr_assert(note_verifier_parse(&peter, text) == 0);
    cr_assert_str_eq(peter.name, "PeterNeumann");
    note_verifier_format(&peter, &back);
    cr_assert(back.n == strlen(text) && memcmp(back.data, text, back.n) == 0);
}

Test(note, refuses_every_changed_character_of_a_verifier_key, .init = checkpoint_make,
     .fini = checkpoint_free) {
    _cleanup_bytes_ struct bytes text = {};
    note_verifier_format(&verifier, &text);
    bytes_put_u8(&text, 0);
    struct note_verifier parsed;
    cr_assert(note_verifier_parse(&parsed, (char *)text.data) == 0);
    cr_assert(memcmp(&parsed, &verifier, sizeof(parsed)) == 0);
    for (size_t bit = 0; bit < 8 * (text.n - 1); bit++) {
        text.data[bit / 8] ^= 1 << bit % 8;
        cr_assert(note_verifier_parse(&parsed, (char *)text.data) == -EBADMSG, "bit %zu", bit);
        text.data[bit / 8] ^= 1 << bit % 8;
    }
    for (size_t n = 0; n < text.n - 1; n++) {
        _cleanup_(freep) char *cut = strndup((char *)text.data, n);
        cr_assert(note_verifier_parse(&parsed, cut) == -EBADMSG);
    }
}

Test(note, the_key_id_begins_the_ledger_id, .init = checkpoint_make, .fini = checkpoint_free) {
    struct hash id = note_ledger_id(verifier.name, verifier.key), expected;
    uint8_t message[128];
    size_t n = strlen(verifier.name);
    memcpy(message, verifier.name, n);
    message[n] = 0x0a;
    message[n + 1] = 0x01;
    memcpy(message + n + 2, verifier.key, 32);
    crypto_hash_sha256(expected.b, message, n + 34);
    cr_assert(hash_equal(&id, &expected));
    cr_assert(memcmp(verifier.key_id, id.b, 4) == 0);
}

Test(note, opens_what_it_signed, .init = checkpoint_make, .fini = checkpoint_free) {
    struct note_head opened;
    cr_assert(note_checkpoint_open(checkpoint.data, checkpoint.n, &verifier, &opened) == 0);
    cr_assert(memcmp(&opened, &head, sizeof(head)) == 0);
    cr_assert(strncmp((char *)checkpoint.data,
                      "hove.example/2025\n42\n" ROOT "\n\n\u2014 hove.example/2025 ", 60) == 0);
}

/* The example of Go's sumdb/note documentation is a note, but no checkpoint of three lines. */
Test(note, refuses_a_note_that_is_no_checkpoint) {
    static const char text[] =
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfq"
        "dngotpRZb6KE6RyyBwJnAM=\n";
    struct note_verifier peter;
    struct note_head opened;
    cr_assert(note_verifier_parse(
                  &peter, "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW") ==
              0);
    cr_assert(note_checkpoint_open(text, strlen(text), &peter, &opened) == -EBADMSG);
}

Test(note, refuses_every_flipped_bit_of_the_file, .init = checkpoint_make,
     .fini = checkpoint_free) {
    cr_assert(open_text((char *)checkpoint.data, checkpoint.n) == 0);
    for (size_t bit = 0; bit < 8 * checkpoint.n; bit++) {
        checkpoint.data[bit / 8] ^= 1 << bit % 8;
        cr_assert(open_text((char *)checkpoint.data, checkpoint.n) == -EBADMSG, "bit %zu", bit);
        checkpoint.data[bit / 8] ^= 1 << bit % 8;
    }
}

Test(note, refuses_every_flipped_bit_of_root_signature_and_key, .init = checkpoint_make,
     .fini = checkpoint_free) {
    uint8_t signature[68];
    memcpy(signature, verifier.key_id, 4);
    _cleanup_bytes_ struct bytes text = {};
    note_head_text(&head, &text);
    crypto_sign_detached(signature + 4, NULL, text.data, text.n, secret);
    for (size_t bit = 0; bit < 8 * (sizeof(signature) + 32 + 8); bit++) {
        struct note_head changed = head;
        uint8_t forged[68];
        memcpy(forged, signature, sizeof(forged));
        if (bit < 8 * sizeof(signature))
            forged[bit / 8] ^= 1 << bit % 8;
        else if (bit < 8 * (sizeof(signature) + 32))
            changed.root.b[bit / 8 - sizeof(signature)] ^= 1 << bit % 8;
        else
            changed.size ^= UINT64_C(1) << (bit - 8 * (sizeof(signature) + 32));
        _cleanup_bytes_ struct bytes note = {};
        note_head_text(&changed, &note);
        bytes_printf(&note, "\n\u2014 %s ", verifier.name);
        text64_encode(&note, forged, sizeof(forged));
        bytes_put_u8(&note, '\n');
        cr_assert(open_text((char *)note.data, note.n) == -EBADMSG, "bit %zu", bit);
    }
    for (size_t bit = 0; bit < 8 * sizeof(verifier.key); bit++) {
        verifier.key[bit / 8] ^= 1 << bit % 8;
        cr_assert(open_text((char *)checkpoint.data, checkpoint.n) == -EBADMSG, "key bit %zu", bit);
        verifier.key[bit / 8] ^= 1 << bit % 8;
    }
}

Test(note, refuses_every_prefix_and_anything_after, .init = checkpoint_make,
     .fini = checkpoint_free) {
    for (size_t n = 0; n < checkpoint.n; n++)
        cr_assert(open_text((char *)checkpoint.data, n) == -EBADMSG, "%zu bytes", n);
    cr_assert(open_text(NULL, 0) == -EBADMSG);
    bytes_put_u8(&checkpoint, '\n');
    cr_assert(open_text((char *)checkpoint.data, checkpoint.n) == -EBADMSG);
}

Test(note, refuses_a_well_signed_text_in_another_form, .init = checkpoint_make,
     .fini = checkpoint_free) {
    static const char *const bad[] = {
        "hove.example/2025\n042\n" ROOT "\n",
        "hove.example/2025\n+42\n" ROOT "\n",
        "hove.example/2025\n 42\n" ROOT "\n",
        "hove.example/2025\n\n" ROOT "\n",
        "hove.example/2025\n-1\n" ROOT "\n",
        "hove.example/2025\n0x1\n" ROOT "\n",
        "hove.example/2025\n18446744073709551616\n" ROOT "\n",
        "hove.example/2025\n99999999999999999999999\n" ROOT "\n",
        "hove.example/2025\n42\n" ROOT "\nan extension\n",
        "hove.example/2025\n42\n" ROOT "\r\n",
        "hove.example/2025\n42\nFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxd=\n",
        "hove.example/2025\n42\nFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcX\n",
        "hove.example/2025\n42\nFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxc\n",
        "hove.example/2025\n42\n",
        "hove.example\n42\n" ROOT "\n",
        "hove.example/2025 \n42\n" ROOT "\n",
        "\n42\n" ROOT "\n",
    };
    cr_assert(open_signed("hove.example/2025\n42\n" ROOT "\n") == 0);
    cr_assert(open_signed("hove.example/2025\n0\n" ROOT "\n") == 0);
    cr_assert(open_signed("hove.example/2025\n18446744073709551615\n" ROOT "\n") == 0);
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_assert(open_signed(bad[i]) == -EBADMSG, "%s", bad[i]);
}

Test(note, lets_other_signatures_stand_beside_ours, .init = checkpoint_make,
     .fini = checkpoint_free) {
    uint8_t cosignature[4 + 8 + 64] = {1, 2, 3, 4};
    _cleanup_bytes_ struct bytes line = {};
    _cleanup_bytes_ struct bytes note = {};
    bytes_put_text(&line, "\u2014 witness.example ");
    text64_encode(&line, cosignature, sizeof(cosignature));
    bytes_put_u8(&line, '\n');
    bytes_put(&note, checkpoint.data, checkpoint.n);
    bytes_put(&note, line.data, line.n);
    cr_assert(open_text((char *)note.data, note.n) == 0);
    note.data[note.n - 2] = '!';
    cr_assert(open_text((char *)note.data, note.n) == -EBADMSG, "but they are well formed");

    bytes_clear(&note);
    note_head_text(&head, &note);
    bytes_put_u8(&note, '\n');
    bytes_put(&note, line.data, line.n);
    cr_assert(open_text((char *)note.data, note.n) == -EBADMSG, "nor do they stand for ours");
}

Test(note, wants_its_own_signature_exactly_once, .init = checkpoint_make, .fini = checkpoint_free) {
    _cleanup_bytes_ struct bytes twice = {};
    const char *line = strstr((char *)checkpoint.data, "\n\n") + 2;
    size_t n_line = checkpoint.n - (size_t)(line - (char *)checkpoint.data);
    bytes_put(&twice, checkpoint.data, checkpoint.n);
    bytes_put(&twice, line, n_line);
    cr_assert(open_text((char *)twice.data, twice.n) == -EBADMSG);
    cr_assert(open_text((char *)checkpoint.data, checkpoint.n - n_line) == -EBADMSG);
}

Test(note, refuses_what_is_longer_than_a_checkpoint, .init = checkpoint_make,
     .fini = checkpoint_free) {
    uint8_t filler[300] = {};
    while (checkpoint.n <= NOTE_COSIGNED_MAX) {
        cr_assert(open_text((char *)checkpoint.data, checkpoint.n) == 0);
        bytes_put_text(&checkpoint, "\u2014 witness.example ");
        text64_encode(&checkpoint, filler, sizeof(filler));
        bytes_put_u8(&checkpoint, '\n');
    }
    cr_assert(open_text((char *)checkpoint.data, checkpoint.n) == -EBADMSG);
}

Test(note, does_not_sign_with_a_damaged_key_or_for_another_name, .init = checkpoint_make,
     .fini = checkpoint_free) {
    _cleanup_bytes_ struct bytes note = {};
    for (size_t bit = 0; bit < 8 * sizeof(secret); bit++) {
        secret[bit / 8] ^= 1 << bit % 8;
        int r = note_checkpoint_sign(&head, &verifier, secret, &note);
        secret[bit / 8] ^= 1 << bit % 8;
        cr_assert(r == -EKEYREJECTED && note.n == 0, "bit %zu: %d", bit, r);
    }
    strcpy(head.origin, "other");
    cr_assert(note_checkpoint_sign(&head, &verifier, secret, &note) == -EINVAL);
}

Test(note, openssl_verifies_a_head_and_refuses_a_changed_one, .init = checkpoint_make,
     .fini = checkpoint_free) {
    if (!tool_is_here("openssl"))
        cr_skip_test("openssl is not installed");
    char directory[64];
    uint8_t der[44], signature[128];
    _cleanup_bytes_ struct bytes text = {};
    _cleanup_bytes_ struct bytes decoded = {};
    scratch_make(directory);
    note_head_text(&head, &text);
    unhex("302a300506032b6570032100", der);
    memcpy(der + 12, verifier.key, 32);
    const char *base64 = (char *)memrchr(checkpoint.data, ' ', checkpoint.n) + 1;
    size_t n = checkpoint.n - 1 - (size_t)(base64 - (char *)checkpoint.data);
    cr_assert(text64_decode(&decoded, base64, n) == 0 && decoded.n == 68);
    memcpy(signature, decoded.data + 4, 64);
    scratch_write(directory, "text", text.data, text.n);
    scratch_write(directory, "key.der", der, sizeof(der));
    scratch_write(directory, "sig", signature, 64);
    static const char verify[] =
        "openssl pkeyutl -verify -rawin -in text -sigfile sig -pubin -keyform DER -inkey key.der";
    cr_assert(scratch_run(directory, "%s", verify) == 0);
    text.data[0] ^= 1;
    scratch_write(directory, "text", text.data, text.n);
    cr_assert(scratch_run(directory, "%s", verify) != 0);
    scratch_remove(directory);
}
