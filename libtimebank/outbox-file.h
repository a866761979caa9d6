/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file of the outbox, used again for batch after batch, so that keeping some is a single sync
 * of bytes that have their place on the disk already. It holds one batch of any size ("TBO2"), or
 * small ones that were kept together ("TBO4"), each at a multiple of OUTBOX_PLACE_BYTES, up to the
 * first place that has no such head (timebank-outbox):
 *
 *   0    "TBO2" or "TBO4", sizes, batch id, two hashes: OUTBOX_HEAD_BYTES
 *   100  the head that the batch's header names, as a pin's text; it stays when the batch is out
 *   ...  the packed request, no tag; of size 0 when nothing waits
 *
 * The head fits one sector and is written last, or with a place that lies in one page: a process
 * that is killed between leaves what was there before, or nothing that waits. What orders a batch
 * holds its own header says, so they are not hashed once more.
 */
#pragma once

#include "base/bytes.h"
#include "proto/batch.h"

#define OUTBOX_MAGIC_BYTES 4
#define OUTBOX_HEAD_BYTES 100
#define OUTBOX_PLACE_BYTES 2048u
#define OUTBOX_PLACES 16u

struct outbox_head {
    uint32_t at;      /* where it stands in the file */
    bool is_together; /* "TBO4": others may stand behind it */
    uint32_t n_pin;
    uint32_t n_body;    /* 0: nothing waits */
    uint32_t orders_at; /* in the body */
    uint32_t n_orders;  /* bytes */
    uint8_t batch_id[BATCH_ID_BYTES];
    struct hash pin_hash;
    struct hash body_hash;
};

/* Whether it may stand together with others. */
bool outbox_file_is_small(const struct bytes *pin, const struct bytes *body);
/* Puts a batch into the file, in place of what was there and, where it is together with others, as
 * the last one. Where it goes and where its orders are in the body, head says; the rest of head is
 * filled in. Not synced. */
int outbox_file_put(int fd, struct outbox_head *head, const struct bytes *pin,
                    const struct bytes *body) TB_MUST_CHECK;
/* The batch at a place does not wait any more. Not synced: what comes back is sent once more and
 * counts once. */
int outbox_file_clear(int fd, uint32_t at) TB_MUST_CHECK;
/* The head at a place. 0; 1: there is none, nor behind it; -EBADMSG: of no known form. */
int outbox_file_head(int fd, uint32_t at, struct outbox_head *ret) TB_MUST_CHECK;
/* The next one, or the first where head->at is OUTBOX_NOWHERE; as above, and -EBADMSG moves on. */
#define OUTBOX_NOWHERE UINT32_MAX
int outbox_file_next(int fd, struct outbox_head *head) TB_MUST_CHECK;
/* How many wait; what is damaged counts. */
int outbox_file_waiting(int fd, unsigned *ret_n) TB_MUST_CHECK;
/* The pin's text, appended; -EBADMSG where it is not whole. */
int outbox_file_pin(int fd, const struct outbox_head *head, struct bytes *ret) TB_MUST_CHECK;
/* The request, appended; -EBADMSG where it is not whole, its orders left out. */
int outbox_file_body(int fd, const struct outbox_head *head, struct bytes *ret) TB_MUST_CHECK;
