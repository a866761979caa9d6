/* SPDX-License-Identifier: Apache-2.0 */
/* Vouchers away from the bank: made, typed, and told apart without asking anybody. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "helpers.h"
#include "timebank.h"

TestSuite(lib_voucher, .timeout = 30);

/* Those of another program: see test-voucher.c. */
#define TOKEN                                                                                      \
    "01000-00000-5656Y-06H00-Y4XDJ-FDG00-000D0-0PM5X-MXCQR-EA963-C7X5S-CP7Q4-MKJ1D-ESGH9-BPAJS-"   \
    "Q9448-F7MYM-VHG7H-2NNV0-N2EWD-PB3S1-K9119-RYY2V-YGVKX-REKCV-7VY1H-GK1BB-N82Q"
#define PUBLIC "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define FROM_DAY 20150
#define LAST_DAY 20332

static const char vkey[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"; /* of Go's sumdb/note */

static struct tb_voucher typed(void) {
    struct tb_voucher voucher;
    cr_assert(tb_voucher_read(TOKEN, &voucher) == 0);
    return voucher;
}

static int checks(const struct tb_voucher *voucher, const char *verifier_key, uint32_t today,
                  char why[256]) {
    uint8_t key[1][32];
    unhex(PUBLIC, key[0]);
    return tb_voucher_check(voucher, (const uint8_t(*)[32])key, 1, verifier_key, today, why, 256);
}

Test(lib_voucher, reads_what_a_token_says) {
    struct tb_voucher voucher = typed();
    char token[TB_TOKEN_BYTES];

    cr_assert(voucher.serial == 41 && voucher.minutes == 60 && voucher.from_day == FROM_DAY &&
              voucher.expires_day == LAST_DAY && voucher.venue_number == 13);
    cr_assert(memcmp(voucher.ledger_tag, "\x8a\x6f\x00\xd1", 4) == 0);
    tb_voucher_format(&voucher, 1, token);
    cr_assert_str_eq(token, TOKEN);
    tb_voucher_format(&voucher, 0, token);
    cr_assert(strlen(token) == 139 && !strchr(token, '-'));
    cr_assert(tb_voucher_read(token, &voucher) == 0);
}

Test(lib_voucher, tells_a_wrong_sign_before_anything_else) {
    struct tb_voucher voucher;
    char token[] = TOKEN;

    token[7] = '7';
    cr_assert(tb_voucher_read(token, &voucher) == TB_VOUCHER_MISTYPED);
    cr_assert(tb_voucher_read("", &voucher) == TB_VOUCHER_MISTYPED);
    cr_assert(tb_voucher_read(NULL, &voucher) == -EINVAL);
}

Test(lib_voucher, is_in_date_from_its_first_to_its_last_day) {
    struct tb_voucher voucher = typed();
    char why[256] = "";

    cr_assert(checks(&voucher, NULL, FROM_DAY - 1, why) == TB_VOUCHER_NOT_YET);
    cr_assert(strstr(why, "2025-03-03"), "%s", why);
    cr_assert(checks(&voucher, NULL, FROM_DAY, why) == 0);
    cr_assert(checks(&voucher, NULL, LAST_DAY, why) == 0);
    cr_assert(checks(&voucher, NULL, LAST_DAY + 1, why) == TB_VOUCHER_EXPIRED);
    cr_assert(strstr(why, "2025-09-01"), "%s", why);
}

Test(lib_voucher, is_genuine_by_its_key_and_its_ledger_only) {
    struct tb_voucher voucher = typed();
    char why[256] = "";

    cr_assert(checks(&voucher, vkey, LAST_DAY, why) == TB_VOUCHER_NOT_GENUINE);
    cr_assert(strstr(why, "another bank"), "%s", why);
    cr_assert(checks(&voucher, "nonsense", LAST_DAY, why) == TB_WRONG_LEDGER);
    cr_assert(tb_voucher_check(&voucher, NULL, 0, NULL, LAST_DAY, why, sizeof(why)) ==
              TB_VOUCHER_NOT_GENUINE);
    for (size_t bit = 0; bit < 8 * TB_CLAIMS_BYTES; bit++) {
        voucher.claims[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert(checks(&voucher, NULL, LAST_DAY, why) == TB_VOUCHER_NOT_GENUINE);
        voucher.claims[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * TB_SIGNATURE_BYTES; bit++) {
        voucher.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert(checks(&voucher, NULL, LAST_DAY, why) == TB_VOUCHER_NOT_GENUINE);
        voucher.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert(checks(&voucher, NULL, LAST_DAY, why) == 0);
}

Test(lib_voucher, is_signed_by_a_key_file) {
    struct tb_voucher vouchers[2] = {{.serial = 1, .minutes = 90, .expires_day = LAST_DAY},
                                     {.serial = 2, .minutes = 90, .expires_day = LAST_DAY}};
    char scratch[64], path[96], why[256] = "", *line = NULL;
    uint8_t key[1][32];

    scratch_make(scratch);
    snprintf(path, sizeof(path), "%s/key", scratch);
    cr_assert(tb_voucher_sign(vouchers, 2, path, why, sizeof(why)) == TB_NO_KEY);
    cr_assert(tb_key_new(path, NULL, &line, why, sizeof(why)) == 0);
    cr_assert(tb_key_public(line, key[0], why, sizeof(why)) == 0);
    cr_assert(tb_voucher_ledger(vkey, vouchers[1].ledger_tag) == 0);
    cr_assert(tb_voucher_sign(vouchers, 2, path, why, sizeof(why)) == 0);
    cr_assert(tb_voucher_check(&vouchers[1], (const uint8_t(*)[32])key, 1, vkey, LAST_DAY, why,
                               sizeof(why)) == 0);
    cr_assert(tb_voucher_check(&vouchers[0], (const uint8_t(*)[32])key, 1, vkey, LAST_DAY, why,
                               sizeof(why)) == TB_VOUCHER_NOT_GENUINE);
    vouchers[0].minutes = 65536;
    cr_assert(tb_voucher_sign(vouchers, 1, path, why, sizeof(why)) == -EINVAL);
    free(line);
    scratch_remove(scratch);
}
