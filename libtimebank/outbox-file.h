/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file of the outbox, used again for batch after batch, so that keeping one is a single sync of
 * bytes that have their place on the disk already (timebank-outbox, "TBO2"):
 *
 *   0    "TBO2", sizes, batch id, two hashes: OUTBOX_HEAD_BYTES
 *   100  the head that the batch's header names, as a pin's text; it stays when the batch is out
 *   ...  the packed request, no tag; of size 0 when nothing waits
 *
 * The head is written last and fits one sector: a process that is killed between leaves what was
 * there before, or nothing that waits. What orders a batch holds its own header says, so they are
 * not hashed once more.
 */
#pragma once

#include "base/bytes.h"
#include "proto/batch.h"

#define OUTBOX_MAGIC_BYTES 4
#define OUTBOX_HEAD_BYTES 100

struct outbox_head {
    uint32_t n_pin;
    uint32_t n_body;    /* 0: nothing waits */
    uint32_t orders_at; /* in the body */
    uint32_t n_orders;  /* bytes */
    uint8_t batch_id[BATCH_ID_BYTES];
    struct hash pin_hash;
    struct hash body_hash;
};

/* Puts a batch into the file, in place of the last one, and syncs it. Where its orders are in the
 * body, head says; the rest of head is filled in. */
int outbox_file_put(int fd, struct outbox_head *head, const struct bytes *pin,
                    const struct bytes *body) TB_MUST_CHECK;
/* Nothing waits in it any more. Not synced: what comes back is sent once more and counts once. */
int outbox_file_clear(int fd) TB_MUST_CHECK;
/* 0; 1: it never held a batch; -EBADMSG: of no known form. */
int outbox_file_head(int fd, struct outbox_head *ret) TB_MUST_CHECK;
/* The pin's text, appended; -EBADMSG where it is not whole. */
int outbox_file_pin(int fd, const struct outbox_head *head, struct bytes *ret) TB_MUST_CHECK;
/* The request, appended; -EBADMSG where it is not whole, its orders left out. */
int outbox_file_body(int fd, const struct outbox_head *head, struct bytes *ret) TB_MUST_CHECK;
