/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs as text: one form of each, and no bit without a meaning. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "proto/lines.h"
#include "proto/proof.h"

TestSuite(proof, .timeout = 60);
TestSuite(lines, .timeout = 60);

#define CHECKPOINT "hove.example/2025\n42\nFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxc=\n\n-- a b\n"
#define HASH_1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
#define HASH_2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n"

static struct proof proof_make(const char *extra, size_t n_path) {
    struct proof proof = {.index = 73894,
                          .has_extra = extra,
                          .n_path = n_path,
                          .checkpoint = CHECKPOINT,
                          .n_checkpoint = strlen(CHECKPOINT)};
    if (extra)
        bytes_put_text(&proof.extra, extra);
    for (size_t i = 0; i < n_path; i++)
        memset(proof.path[i].b, (int)(i + 1), HASH_BYTES);
    return proof;
}

static void expect_text(const struct bytes *text, const char *wanted) {
    cr_assert(text->r == 0 && text->n == strlen(wanted) && memcmp(text->data, wanted, text->n) == 0,
              "%.*s", (int)text->n, text->data);
}

typedef int (*proof_parser)(struct proof *ret, const void *data, size_t n);
typedef void (*proof_formatter)(const struct proof *proof, struct bytes *to);

/* Parses to what formats to another text, or not at all: what a text says is not said twice. */
static void expect_one_form(const struct bytes *text, proof_parser parse, proof_formatter format) {
    for (size_t i = 0; i < text->n * 8; i++) {
        struct proof proof = {};
        _cleanup_bytes_ struct bytes again = {};
        uint8_t bit = (uint8_t)(1u << i % 8);
        text->data[i / 8] ^= bit;
        if (parse(&proof, text->data, text->n) == 0) {
            format(&proof, &again);
            cr_assert(again.n == text->n && memcmp(again.data, text->data, text->n) == 0,
                      "bit %zu has no meaning", i);
        }
        text->data[i / 8] ^= bit;
        proof_fini(&proof);
    }
}

static void expect_prefixes_refused(const struct bytes *text, size_t n_least, proof_parser parse) {
    for (size_t n = 0; n < n_least; n++) {
        struct proof proof = {.index = 99};
        cr_assert(parse(&proof, text->data, n) == -EBADMSG, "%zu bytes", n);
        cr_assert(proof.index == 99, "a refused proof touched the result");
    }
}

Test(proof, is_written_as_c2sp_says) {
    struct proof proof = proof_make("extra!", 2);
    _cleanup_bytes_ struct bytes text = {};
    proof_format(&proof, &text);
    expect_text(&text, "c2sp.org/tlog-proof@v1\nextra ZXh0cmEh\nindex 73894\n" HASH_1 HASH_2
                       "\n" CHECKPOINT);
    proof_fini(&proof);
}

Test(proof, goes_there_and_back) {
    static const char *const extras[] = {NULL, "", "an order"};
    for (size_t i = 0; i < N_ELEMENTS(extras); i++)
        for (size_t n = 0; n <= MERKLE_PATH_MAX; n += 32) {
            struct proof proof = proof_make(extras[i], n), back = {};
            _cleanup_bytes_ struct bytes text = {}, again = {};
            proof_format(&proof, &text);
            cr_assert(proof_parse(&back, text.data, text.n) == 0, "extra %zu, %zu", i, n);
            cr_assert(back.index == 73894 && back.n_path == n);
            cr_assert(back.has_extra == proof.has_extra && back.extra.n == proof.extra.n);
            cr_assert(back.n_checkpoint == strlen(CHECKPOINT) &&
                      memcmp(back.checkpoint, CHECKPOINT, back.n_checkpoint) == 0);
            proof_format(&back, &again);
            cr_assert(again.n == text.n && memcmp(again.data, text.data, text.n) == 0);
            proof_fini(&proof);
            proof_fini(&back);
        }
}

Test(proof, has_no_bit_without_a_meaning) {
    static const char *const extras[] = {NULL, "an order"};
    for (size_t i = 0; i < N_ELEMENTS(extras); i++) {
        struct proof proof = proof_make(extras[i], 3);
        _cleanup_bytes_ struct bytes text = {};
        proof_format(&proof, &text);
        expect_one_form(&text, proof_parse, proof_format);
        expect_prefixes_refused(&text, text.n - strlen(CHECKPOINT) + 1, proof_parse);
        proof_fini(&proof);
    }
}

Test(proof, is_refused_in_any_other_form) {
    static const char *const bad[] = {
        "",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v2\nindex 1\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex 1\n\n",
        ("c2sp.org/tlog-proof@v1\nindex 1\n" HASH_1),
        "c2sp.org/tlog-proof@v1\nindex 01\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex +1\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex  1\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex 1 \n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex 18446744073709551616\n\nx\n",
        "c2sp.org/tlog-proof@v1\r\nindex 1\r\n\r\nx\r\n",
        "c2sp.org/tlog-proof@v1\nextra A\nindex 1\n\nx\n",
        "c2sp.org/tlog-proof@v1\nextra AB==\nindex 1\n\nx\n",
        "c2sp.org/tlog-proof@v1\nextra QQ==\nextra QQ==\nindex 1\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex 1\nextra QQ==\n\nx\n",
        "c2sp.org/tlog-proof@v1\nindex 1\nQQ==\n\nx\n",
    };
    struct proof proof;
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_assert(proof_parse(&proof, bad[i], strlen(bad[i])) == -EBADMSG, "case %zu", i);
}

Test(proof, is_refused_with_more_hashes_than_any_tree_has) {
    _cleanup_bytes_ struct bytes text = {};
    struct proof proof;
    bytes_put_text(&text, "c2sp.org/tlog-proof@v1\nindex 1\n");
    for (size_t i = 0; i <= MERKLE_PATH_MAX; i++)
        bytes_put_text(&text, HASH_1);
    bytes_put_text(&text, "\nx\n");
    cr_assert(proof_parse(&proof, text.data, text.n) == -EBADMSG);
}

Test(proof, of_a_batch_has_neither_extra_nor_checkpoint) {
    struct proof proof = proof_make(NULL, 2), back = {};
    _cleanup_bytes_ struct bytes text = {};
    proof_batch_format(&proof, &text);
    expect_text(&text, "timebank-batch-proof@v1\nindex 73894\n" HASH_1 HASH_2);
    cr_assert(proof_batch_parse(&back, text.data, text.n) == 0);
    cr_assert(back.index == 73894 && back.n_path == 2 && back.n_checkpoint == 0);
    expect_one_form(&text, proof_batch_parse, proof_batch_format);
    bytes_put_text(&text, "\n");
    cr_assert(proof_batch_parse(&back, text.data, text.n) == -EBADMSG);
    cr_assert(proof_parse(&back, text.data, text.n) == -EBADMSG);
}

Test(proof, of_a_batch_of_one_has_no_hash) {
    static const char text[] = "timebank-batch-proof@v1\nindex 0\n";
    struct proof proof = {};
    cr_assert(proof_batch_parse(&proof, text, strlen(text)) == 0);
    cr_assert(proof.index == 0 && proof.n_path == 0);
    cr_assert(proof_batch_parse(&proof, text, strlen(text) - 1) == -EBADMSG);
}

static int signed_decimal(const char *text, int64_t *ret) {
    return lines_signed_decimal(lines_make(text, strlen(text)), ret);
}

Test(lines, read_negative_numbers_in_one_form_only) {
    static const char *const bad[] = {"",
                                      "-",
                                      "-0",
                                      "00",
                                      "-01",
                                      "+1",
                                      "--1",
                                      " 1",
                                      "1 ",
                                      "9223372036854775808",
                                      "-9223372036854775809"};
    int64_t v = 7;
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_assert(signed_decimal(bad[i], &v) == -EBADMSG && v == 7, "'%s'", bad[i]);
    cr_assert(signed_decimal("0", &v) == 0 && v == 0);
    cr_assert(signed_decimal("-9223372036854775808", &v) == 0 && v == INT64_MIN);
    cr_assert(signed_decimal("9223372036854775807", &v) == 0 && v == INT64_MAX);
    cr_assert(signed_decimal("-150", &v) == 0 && v == -150);
}
