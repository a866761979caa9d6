/* SPDX-License-Identifier: Apache-2.0 */
/* A batch: orders as they will be signed, and what became of the last sending. */
#pragma once

#include "bank.h"

#define BATCH_SALT_BYTES 32

struct batch_item {
    struct bytes record; /* kind byte and Order */
    struct hash leaf;
    uint8_t id[TB_ORDER_ID_BYTES];
    uint8_t salt[BATCH_SALT_BYTES];
    char *why;  /* NULL: no note */
    char *ward; /* NULL: no person to tell of, like age_band */
    char *age_band;
};

struct batch_refused {
    struct tb_refused refused;
    char *message;
    char *field;
};

struct tb_batch {
    struct tb_bank *bank;
    struct batch_item *items;
    size_t n_items;
    size_t n_allocated;
    size_t n_bytes; /* of the frame, reckoned high */
    bool open_ended;

    struct tb_call *call; /* under way with it, or NULL */
    bool is_pending;      /* signed and sent, fate unknown: header and signature stand */
    uint8_t header[BATCH_HEADER_BYTES];
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];

    struct batch_refused *refused;
    size_t n_refused;
};

/* Signs it as it is now, unless it was sent and nothing is known of it: then header and signature
 * stand. */
int batch_prepare(struct tb_batch *batch) TB_MUST_CHECK;
/* Keeps the reply's refusals for tb_batch_refusal(); list may be NULL. */
int batch_take_refusals(struct tb_batch *batch, const Timebank__Refused *list) TB_MUST_CHECK;
/* -EBUSY, with the sentence. */
int batch_busy(const struct tb_batch *batch);
