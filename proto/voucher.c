/* SPDX-License-Identifier: Apache-2.0 */
/* Claims by straight lines; plain Ed25519 over a prefix that no other signed bytes begin with. */
#include "voucher.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#define VERSION 1
#define SIGNED_PREFIX "timebank-voucher/1\n"
#define SIGNED_BYTES (sizeof(SIGNED_PREFIX) - 1 + VOUCHER_CLAIMS_BYTES)

static_assert(1 + 6 + 4 + 2 + 2 + 2 + 4 + 1 == VOUCHER_CLAIMS_BYTES, "claims' fields");
static_assert(VOUCHER_BYTES == 86 && VOUCHER_TOKEN_CHARS == 139, "a token's size");

uint32_t voucher_ledger_tag(const struct hash *ledger_id) {
    return be32_get(ledger_id->b);
}

bool voucher_is_sound(const struct voucher *voucher) {
    return voucher->serial >= 1 && voucher->serial <= VOUCHER_SERIAL_MAX && voucher->minutes >= 1 &&
           voucher->minutes <= VOUCHER_MINUTES_MAX && voucher->expires_day >= 1 &&
           voucher->expires_day <= VOUCHER_DAY_MAX && voucher->from_day <= voucher->expires_day;
}

static uint8_t *field_put(uint8_t *at, uint64_t v, size_t n) {
    for (size_t i = n; i-- > 0; v >>= 8)
        at[i] = (uint8_t)v;
    assert(v == 0);
    return at + n;
}

static uint64_t field_get(const uint8_t **at, size_t n) {
    uint64_t v = 0;

    for (; n > 0; n--)
        v = v << 8 | *(*at)++;
    return v;
}

void voucher_pack(const struct voucher *voucher, uint8_t ret[VOUCHER_CLAIMS_BYTES]) {
    uint8_t *at = ret;

    assert(voucher_is_sound(voucher));
    at = field_put(at, VERSION, 1);
    at = field_put(at, voucher->serial, 6);
    at = field_put(at, voucher->ledger_tag, 4);
    at = field_put(at, voucher->minutes, 2);
    at = field_put(at, voucher->from_day, 2);
    at = field_put(at, voucher->expires_day, 2);
    at = field_put(at, voucher->venue, 4);
    at = field_put(at, 0, 1); /* flags */
    assert(at == ret + VOUCHER_CLAIMS_BYTES);
}

int voucher_unpack(const uint8_t claims[VOUCHER_CLAIMS_BYTES], struct voucher *ret) {
    const uint8_t *at = claims;
    struct voucher voucher;
    uint64_t version = field_get(&at, 1), flags;

    voucher.serial = field_get(&at, 6);
    voucher.ledger_tag = (uint32_t)field_get(&at, 4);
    voucher.minutes = (uint32_t)field_get(&at, 2);
    voucher.from_day = (uint32_t)field_get(&at, 2);
    voucher.expires_day = (uint32_t)field_get(&at, 2);
    voucher.venue = (uint32_t)field_get(&at, 4);
    flags = field_get(&at, 1);
    if (version != VERSION || flags != 0 || !voucher_is_sound(&voucher))
        return -EBADMSG;
    *ret = voucher;
    return 0;
}

static void signed_bytes(const uint8_t claims[VOUCHER_CLAIMS_BYTES], uint8_t ret[SIGNED_BYTES]) {
    memcpy(ret, SIGNED_PREFIX, sizeof(SIGNED_PREFIX) - 1);
    memcpy(ret + sizeof(SIGNED_PREFIX) - 1, claims, VOUCHER_CLAIMS_BYTES);
}

int voucher_sign(const uint8_t claims[VOUCHER_CLAIMS_BYTES],
                 const uint8_t secret_key[SSHSIG_SECRET_BYTES],
                 uint8_t ret[SSHSIG_SIGNATURE_BYTES]) {
    uint8_t text[SIGNED_BYTES], signature[SSHSIG_SIGNATURE_BYTES];

    signed_bytes(claims, text);
    crypto_sign_detached(signature, NULL, text, sizeof(text), secret_key);
    /* A damaged key signs all the same, and its signature gives the key away. */
    if (crypto_sign_verify_detached(signature, text, sizeof(text), secret_key + 32) != 0) {
        sodium_memzero(signature, sizeof(signature));
        return -EKEYREJECTED;
    }
    memcpy(ret, signature, sizeof(signature));
    return 0;
}

bool voucher_is_genuine(const uint8_t claims[VOUCHER_CLAIMS_BYTES],
                        const uint8_t signature[SSHSIG_SIGNATURE_BYTES],
                        const uint8_t public_key[SSHSIG_PUBLIC_BYTES]) {
    uint8_t text[SIGNED_BYTES];

    signed_bytes(claims, text);
    return crypto_sign_verify_detached(signature, text, sizeof(text), public_key) == 0;
}

void voucher_token_write(const uint8_t bytes[VOUCHER_BYTES], char ret[VOUCHER_TOKEN_CHARS + 1]) {
    base32_write(bytes, VOUCHER_BYTES, ret);
}

void voucher_token_print(const uint8_t bytes[VOUCHER_BYTES], char ret[VOUCHER_PRINT_CHARS + 1]) {
    char token[VOUCHER_TOKEN_CHARS + 1], *at = ret;

    voucher_token_write(bytes, token);
    for (size_t i = 0; i < VOUCHER_TOKEN_CHARS; i++) {
        if (i > 0 && i % VOUCHER_GROUP_CHARS == 0)
            *at++ = '-';
        *at++ = token[i];
    }
    *at = '\0';
    assert(at == ret + VOUCHER_PRINT_CHARS);
}

bool voucher_token_read(const char *text, uint8_t ret[VOUCHER_BYTES]) {
    return base32_read(text, VOUCHER_BYTES, ret);
}
