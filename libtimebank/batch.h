/* SPDX-License-Identifier: Apache-2.0 */
/* A batch: orders as they will be signed, and what became of the last sending. */
#pragma once

#include "bank.h"
#include "outbox.h"

#define BATCH_SALT_BYTES 32

/* Where an order is among the batch's: its length, its bytes, their end. */
struct batch_item {
    uint32_t begin;
    uint32_t body;
    uint32_t end;
    uint32_t n_bytes; /* of the frame, reckoned high */
};

/* What travels beside an order, for the register of people: places of texts, 0: none. */
struct batch_beside {
    size_t place; /* of the order; ascending */
    size_t why;
    size_t ward; /* none like age_band: no person to tell of */
    size_t age_band;
    uint8_t salt[BATCH_SALT_BYTES];
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
    struct bytes orders; /* as they travel: each its length and its bytes */
    struct batch_beside *beside;
    size_t n_beside;
    size_t n_beside_allocated;
    struct bytes texts;  /* each ends with a NUL; none begins at 0 */
    struct bytes record; /* of the order that is being added */
    size_t n_bytes;      /* of the frame, reckoned high */
    bool open_ended;

    struct tb_call *call;    /* under way with it, or NULL */
    bool is_pending;         /* signed and sent, fate unknown: header and signature stand */
    struct outbox_kept kept; /* where such a one was left */
    uint8_t header[BATCH_HEADER_BYTES];
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];

    struct batch_refused *refused;
    size_t n_refused;
};

/* Leaf hashes of n orders as they travel; the caller's. -EBADMSG when they do not end where the
 * bytes end. */
int batch_leaves(const void *orders, size_t n_bytes, size_t n,
                 struct hash **ret_leaves) TB_MUST_CHECK;
/* Signs it as it is now, unless it was sent and nothing is known of it: then header and signature
 * stand. Its orders' leaves are the caller's. */
int batch_prepare(struct tb_batch *batch, struct hash **ret_leaves) TB_MUST_CHECK;
/* A text that travels beside an order. */
const char *batch_text(const struct tb_batch *batch, size_t at);
/* Keeps the reply's refusals for tb_batch_refusal(); list may be NULL. */
int batch_take_refusals(struct tb_batch *batch, const Timebank__Refused *list) TB_MUST_CHECK;
/* -EBUSY, with the sentence. */
int batch_busy(const struct tb_batch *batch);
