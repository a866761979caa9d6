/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed batches whose fate is not known yet, in files under a lock while somebody works at them
 * (outbox-tray.h). What a file looks like, outbox-file.h says; those of the first form ("TBO1", a
 * packed Submit, and the SHA-256 of both) are settled like the others.
 */
#pragma once

#include "bank.h"

#define OUTBOX_FILES_MAX 1000

/* A batch's place. */
struct outbox_slot {
    struct outbox_tray *tray; /* NULL: none */
    uint32_t at;
    bool is_old;
};

/* Where a batch was left, its fate unknown. */
struct outbox_kept {
    char *path; /* NULL: nowhere */
    uint32_t at;
};

void outbox_slot_fini(struct outbox_slot *slot);
/* The same, telling where the batch is; nothing where there is no memory. */
void outbox_slot_leave(struct outbox_slot *slot, struct outbox_kept *ret_kept);

/* Keeps the batch, locked, and beside it the bank's head: body is the packed request that submit is
 * packed into, and nothing else. A process that is killed leaves it there; before it is sent,
 * outbox_sync() makes it last. kept: where the very batch was left earlier. */
int outbox_put(struct tb_bank *bank, const struct bytes *body, Timebank__Submit *submit,
               const struct outbox_kept *kept, struct outbox_slot *ret_slot) TB_MUST_CHECK;
/* Durable when this returns 0, and with it all that was kept beside it in between. */
int outbox_sync(struct tb_bank *bank, struct outbox_slot *slot) TB_MUST_CHECK;
/* The fate is known: takes the batch out. */
void outbox_remove(struct outbox_slot *slot);
/* The batch was refused: keeps it in a file refused-*, *ret_path (the caller's) is its name. */
int outbox_set_aside(struct outbox_slot *slot, char **ret_path) TB_MUST_CHECK;
/* Lets go of the files that wait for a batch, and unlinks them once the bank's head is kept
 * elsewhere. */
void outbox_close(struct tb_bank *bank, bool may_unlink);

/* One that waits. */
struct outbox_name {
    char *name;
    uint32_t at;
    char since[2 * BATCH_ID_BYTES + 1]; /* batch ids grow with time */
};
void outbox_names_free(struct outbox_name *names, size_t n);
/* What waits for the bank's ledger, oldest first; the caller's. */
int outbox_list(struct tb_bank *bank, struct outbox_name **ret_names, size_t *ret_n) TB_MUST_CHECK;
/* Locks and reads one: 0 with the batch in the arena, -EWOULDBLOCK when somebody else has it,
 * -ENOENT when it is gone, -EBADMSG when it is damaged (the slot is open then, too). */
int outbox_get(struct tb_bank *bank, const struct outbox_name *name, struct arena *arena,
               struct outbox_slot *ret_slot, Timebank__Submit **ret) TB_MUST_CHECK;
/* Shows each head that is kept beside a batch, as a pin's text. */
int outbox_pins(struct tb_bank *bank,
                int (*take)(struct tb_bank *, const struct bytes *)) TB_MUST_CHECK;
