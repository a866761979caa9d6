/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A voucher: credits in bearer form. 22 bytes of claims and the signature over them by the ledger's
 * key for vouchers; as text, 138 symbols of base32 and a check symbol. Layout and signed bytes:
 * timebank-ledger(5), VOUCHERS. Who holds the token can show that it is genuine and in date;
 * whether it was spent only the ledger knows.
 */
#pragma once

#include "base32.h"
#include "hash.h"
#include "sshsig.h"

#define VOUCHER_CLAIMS_BYTES 22
#define VOUCHER_BYTES (VOUCHER_CLAIMS_BYTES + SSHSIG_SIGNATURE_BYTES)
#define VOUCHER_TOKEN_CHARS BASE32_CHARS(VOUCHER_BYTES)
#define VOUCHER_GROUP_CHARS 5 /* of a token in groups for print */
#define VOUCHER_PRINT_CHARS (VOUCHER_TOKEN_CHARS + (VOUCHER_TOKEN_CHARS - 1) / VOUCHER_GROUP_CHARS)

#define VOUCHER_SERIAL_MAX ((1ull << 48) - 1)
#define VOUCHER_MINUTES_MAX 0xffffu
#define VOUCHER_DAY_MAX 0xffffu

struct voucher {
    uint64_t serial;     /* from 1 */
    uint32_t ledger_tag; /* the first four bytes of the ledger id */
    uint32_t minutes;
    uint32_t from_day;    /* not before; 0: at once */
    uint32_t expires_day; /* the last day */
    uint32_t venue;       /* its account number + 1; 0: anywhere */
};

uint32_t voucher_ledger_tag(const struct hash *ledger_id);

/* Claims that say something: numbers in range, minutes, and days that do not end before they
 * begin. */
bool voucher_is_sound(const struct voucher *voucher);
/* Of sound claims. */
void voucher_pack(const struct voucher *voucher, uint8_t ret[VOUCHER_CLAIMS_BYTES]);
/* -EBADMSG: of another version, with a flag that is not known, or not sound. */
int voucher_unpack(const uint8_t claims[VOUCHER_CLAIMS_BYTES], struct voucher *ret) TB_MUST_CHECK;

/* Verifies its own signature before it hands it out; -EKEYREJECTED when the key is damaged. */
int voucher_sign(const uint8_t claims[VOUCHER_CLAIMS_BYTES],
                 const uint8_t secret_key[SSHSIG_SECRET_BYTES],
                 uint8_t ret[SSHSIG_SIGNATURE_BYTES]) TB_MUST_CHECK;
bool voucher_is_genuine(const uint8_t claims[VOUCHER_CLAIMS_BYTES],
                        const uint8_t signature[SSHSIG_SIGNATURE_BYTES],
                        const uint8_t public_key[SSHSIG_PUBLIC_BYTES]);

/* Claims and signature as people type them, without groups; with a NUL. */
void voucher_token_write(const uint8_t bytes[VOUCHER_BYTES], char ret[VOUCHER_TOKEN_CHARS + 1]);
/* The same in groups with a hyphen between; with a NUL. */
void voucher_token_print(const uint8_t bytes[VOUCHER_BYTES], char ret[VOUCHER_PRINT_CHARS + 1]);
/* False: not a whole token, or a symbol of it is wrong. */
bool voucher_token_read(const char *text, uint8_t ret[VOUCHER_BYTES]);
