/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch header (176 bytes), what its author signs, order ids, and the hello's signed bytes.
 * Layout: timebank-ledger(5), BATCH HEADER. Every integer big-endian.
 */
#pragma once

#include "hash.h"
#include "sshsig.h"

#define BATCH_HEADER_BYTES 176
#define BATCH_ID_BYTES 16
#define BATCH_ORDERS_MAX 8190
#define BATCH_NONCE_BYTES 32
#define ORDER_ID_BYTES 16

struct batch_header {
    uint32_t n_orders;
    struct hash ledger_id;
    uint8_t author[SSHSIG_PUBLIC_BYTES];
    uint8_t batch_id[BATCH_ID_BYTES];
    uint64_t created_ms;
    uint64_t not_after_ms;   /* 0: open (imports only) */
    uint64_t pin_size;       /* size of the last head the author verified, or 0 */
    struct hash pin_root;    /* zeros where pin_size is 0 */
    struct hash orders_root; /* RFC 6962 root over the order records, kind byte included */
};

void batch_header_pack(const struct batch_header *header, uint8_t ret[BATCH_HEADER_BYTES]);
/* -EBADMSG: wrong magic, no order, a root where the pin's size is 0. */
int batch_header_unpack(const uint8_t bytes[BATCH_HEADER_BYTES],
                        struct batch_header *ret) TB_MUST_CHECK;

/* UUID version 7 (RFC 9562): 48 bits of wall-clock ms, then random bits; within one process each is
 * greater than the one before. */
void batch_id_new(uint64_t wall_ms, uint8_t ret[16]);
/* First 16 bytes of SHA-256("timebank-id/1\n" || ledger id || source || "\n" || key). */
void batch_order_id(const struct hash *ledger_id, const char *source, const char *key,
                    uint8_t ret[ORDER_ID_BYTES]);
/* 32 bytes BLAKE2b-256 of the text keyed with the salt. */
void batch_note(const char *text, const uint8_t salt[32], uint8_t ret[32]);

/* "TBA1" || ledger id || nonce_d || nonce_c || binding[32]: what hello and welcome sign. Locally
 * the binding is zeros (NULL). ret holds 132 bytes. */
#define BATCH_HELLO_BYTES 132
void batch_hello_bytes(const struct hash *ledger_id, const uint8_t nonce_daemon[BATCH_NONCE_BYTES],
                       const uint8_t nonce_client[BATCH_NONCE_BYTES], const uint8_t *binding,
                       uint8_t ret[BATCH_HELLO_BYTES]);
