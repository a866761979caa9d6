/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vouchers away from the bank: made by whoever holds the key for vouchers, and checked by anyone
 * who has its public half. Nothing here asks a bank, so nothing here says that one is unspent.
 */
#include "proto/voucher.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "key.h"
#include "proto/dates.h"
#include "proto/note.h"
#include "timebank.h"

static_assert(TB_CLAIMS_BYTES == VOUCHER_CLAIMS_BYTES, "claims");
static_assert(TB_SIGNATURE_BYTES == SSHSIG_SIGNATURE_BYTES, "signature");
static_assert(TB_TOKEN_BYTES > VOUCHER_PRINT_CHARS, "a token in groups");

__attribute__((format(printf, 4, 5))) static int why_tell(char *why, size_t n_why, int r,
                                                          const char *format, ...) {
    va_list arguments;

    if (!why || n_why == 0)
        return r;
    va_start(arguments, format);
    vsnprintf(why, n_why, format, arguments);
    va_end(arguments);
    return r;
}

static void bytes_of(const struct tb_voucher *voucher, uint8_t ret[VOUCHER_BYTES]) {
    memcpy(ret, voucher->claims, VOUCHER_CLAIMS_BYTES);
    memcpy(ret + VOUCHER_CLAIMS_BYTES, voucher->signature, SSHSIG_SIGNATURE_BYTES);
}

void tb_voucher_format(const struct tb_voucher *voucher, int in_groups, char ret[TB_TOKEN_BYTES]) {
    uint8_t bytes[VOUCHER_BYTES];

    if (!voucher || !ret)
        return;
    bytes_of(voucher, bytes);
    if (in_groups)
        voucher_token_print(bytes, ret);
    else
        voucher_token_write(bytes, ret);
}

/* Claims of another version are read as far as they go: only the check of the signature may say
 * that they are not genuine. */
int tb_voucher_read(const char *token, struct tb_voucher *ret_voucher) {
    uint8_t bytes[VOUCHER_BYTES];
    struct tb_voucher voucher = {0};
    struct voucher claims = {0};

    if (!token || !ret_voucher)
        return -EINVAL;
    if (!voucher_token_read(token, bytes))
        return TB_VOUCHER_MISTYPED;
    memcpy(voucher.claims, bytes, VOUCHER_CLAIMS_BYTES);
    memcpy(voucher.signature, bytes + VOUCHER_CLAIMS_BYTES, SSHSIG_SIGNATURE_BYTES);
    if (voucher_unpack(voucher.claims, &claims) == 0) {
        voucher.serial = claims.serial;
        voucher.minutes = claims.minutes;
        voucher.from_day = claims.from_day;
        voucher.expires_day = claims.expires_day;
        voucher.venue_number = claims.venue;
        be32_put(voucher.ledger_tag, claims.ledger_tag);
    }
    *ret_voucher = voucher;
    return 0;
}

static int sign_one(struct tb_voucher *voucher, const uint8_t secret[SSHSIG_SECRET_BYTES]) {
    struct voucher claims = {.serial = voucher->serial,
                             .ledger_tag = be32_get(voucher->ledger_tag),
                             .minutes = (uint32_t)MIN_OF(voucher->minutes, (uint64_t)UINT32_MAX),
                             .from_day = voucher->from_day,
                             .expires_day = voucher->expires_day,
                             .venue = (uint32_t)voucher->venue_number};

    if (!voucher_is_sound(&claims) || voucher->venue_number > UINT32_MAX)
        return -EINVAL;
    voucher_pack(&claims, voucher->claims);
    return voucher_sign(voucher->claims, secret, voucher->signature);
}

int tb_voucher_sign(struct tb_voucher *vouchers, size_t n_vouchers, const char *key_file, char *why,
                    size_t n_why) {
    uint8_t secret[SSHSIG_SECRET_BYTES];
    int r;

    if ((!vouchers && n_vouchers > 0) || !key_file)
        return -EINVAL;
    if (sodium_init() < 0)
        return -ENOTSUP;
    r = key_secret_load(key_file, secret, why, n_why);
    for (size_t i = 0; r == 0 && i < n_vouchers; i++)
        r = sign_one(&vouchers[i], secret);
    sodium_memzero(secret, sizeof(secret));
    return r;
}

int tb_voucher_ledger(const char *verifier_key, uint8_t ret_tag[4]) {
    struct note_verifier verifier;

    if (!verifier_key || !ret_tag)
        return -EINVAL;
    if (note_verifier_parse(&verifier, verifier_key) < 0)
        return TB_WRONG_LEDGER;
    memcpy(ret_tag, verifier.key_id, sizeof(verifier.key_id));
    return 0;
}

static int check_ledger(const struct tb_voucher *voucher, const char *verifier_key, char *why,
                        size_t n_why) {
    uint8_t tag[4];
    int r = verifier_key ? tb_voucher_ledger(verifier_key, tag) : 0;

    if (r != 0)
        return why_tell(why, n_why, r,
                        "%s is not a verifier key: it is the line NAME+hash+key that timebank "
                        "status prints.",
                        verifier_key);
    if (verifier_key && memcmp(tag, voucher->ledger_tag, sizeof(tag)) != 0)
        return why_tell(why, n_why, TB_VOUCHER_NOT_GENUINE,
                        "The voucher is of another bank: do not accept it here. (Where the bank "
                        "changed its own key since, check with its first verifier key.)");
    return 0;
}

static int check_days(const struct tb_voucher *voucher, uint32_t today, char *why, size_t n_why) {
    char day[16];

    dates_format_iso(voucher->expires_day, day);
    if (today > voucher->expires_day)
        return why_tell(why, n_why, TB_VOUCHER_EXPIRED,
                        "The voucher was good until %s: ask for another way to pay.", day);
    dates_format_iso(voucher->from_day, day);
    if (today < voucher->from_day)
        return why_tell(why, n_why, TB_VOUCHER_NOT_YET,
                        "The voucher is good from %s: ask its holder to come back then.", day);
    return 0;
}

int tb_voucher_check(const struct tb_voucher *voucher, const uint8_t (*keys)[32], size_t n_keys,
                     const char *verifier_key, uint32_t today, char *why, size_t n_why) {
    struct voucher claims;
    bool is_genuine = false;
    int r;

    if (!voucher || (!keys && n_keys > 0))
        return -EINVAL;
    if (sodium_init() < 0)
        return -ENOTSUP;
    for (size_t i = 0; i < n_keys && !is_genuine; i++)
        is_genuine = voucher_is_genuine(voucher->claims, voucher->signature, keys[i]);
    if (!is_genuine || voucher_unpack(voucher->claims, &claims) < 0)
        return why_tell(why, n_why, TB_VOUCHER_NOT_GENUINE, "%s",
                        tb_refusal_sentence(TB_VOUCHER_NOT_GENUINE));
    r = check_ledger(voucher, verifier_key, why, n_why);
    return r == 0 ? check_days(voucher, today, why, n_why) : r;
}
