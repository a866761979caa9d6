/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed batches whose fate is not known yet: outbox/<ledger id>-<batch id>, 0600, each under a
 * lock while somebody works at it. What a file looks like, outbox-file.h says; those of the form
 * before it ("TBO1", a packed Submit, and the SHA-256 of both) are settled like the others.
 */
#pragma once

#include "bank.h"

#define OUTBOX_FILES_MAX 1000

struct outbox_slot {
    char *path;
    int fd; /* holds the lock; -1: none */
    bool is_old;
    uint64_t pin_size; /* of the head that its batch's header names; 0: not known */
};
#define OUTBOX_SLOT_INIT                                                                           \
    { .fd = -1 }

void outbox_slot_fini(struct outbox_slot *slot);

/* Keeps the batch, synced and locked, and beside it the bank's head: body is the packed request
 * that submit is packed into, and nothing else. kept: the path where the very batch was left
 * earlier, its fate unknown, or NULL. */
int outbox_put(struct tb_bank *bank, const struct bytes *body, Timebank__Submit *submit,
               const char *kept, struct outbox_slot *ret_slot) TB_MUST_CHECK;
/* The fate is known: takes the batch out. */
void outbox_remove(struct tb_bank *bank, struct outbox_slot *slot);
/* The batch was refused: keeps the file as refused-*, *ret_path (the caller's) is its new name. */
int outbox_set_aside(struct outbox_slot *slot, char **ret_path) TB_MUST_CHECK;
/* Lets go of the files that wait for a batch, and unlinks them once the bank's head is kept
 * elsewhere. */
void outbox_close(struct tb_bank *bank, bool may_unlink);

/* Names of what waits for the bank's ledger, oldest first; the caller's array of the caller's
 * names. */
int outbox_list(struct tb_bank *bank, char ***ret_names, size_t *ret_n) TB_MUST_CHECK;
/* Locks and reads one: 0 with the batch in the arena, -EWOULDBLOCK when somebody else has it,
 * -ENOENT when it is gone, -EBADMSG when it is damaged (the slot is open then, too). */
int outbox_get(struct tb_bank *bank, const char *name, struct arena *arena,
               struct outbox_slot *ret_slot, Timebank__Submit **ret) TB_MUST_CHECK;
/* Shows each head that is kept beside a batch, as a pin's text. */
int outbox_pins(struct tb_bank *bank,
                int (*take)(struct tb_bank *, const struct bytes *)) TB_MUST_CHECK;
