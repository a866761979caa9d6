/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of the outbox that this process holds under its lock: outbox/<ledger id>-<name>, 0600.
 *
 * Small batches that are kept before the first of them leaves lie in one file, and are synced
 * together (outbox_tray_sync()). A file that nothing waits in any more takes later ones; so that a
 * torn write never takes the last head that was kept, a file is only used again while another one
 * is free.
 */
#pragma once

#include "bank.h"

struct outbox_tray {
    struct tb_bank *bank;
    struct outbox_tray *next; /* of those that somebody holds */
    char *path;
    int fd; /* holds the lock */
    unsigned n_held;
    uint32_t at_work;   /* bits of the places whose batch one of us works at */
    unsigned n_waiting; /* batches in it; whoever opened it counted them */
    unsigned n_places;  /* taken since it was free */
    bool is_used;       /* by us: it need not be left to others */
    bool is_new;        /* its name is not synced yet */
    bool is_synced;
    int r;             /* of a sync that failed: nothing in it may be sent */
    uint64_t pin_size; /* of the furthest head that is kept in it; 0: not known */
};

/* Whether the file still has a name. */
bool outbox_tray_is_there(int fd);
/* The one that collects, where another small batch fits, else a free file or a new one; held. */
int outbox_tray_take(struct tb_bank *bank, const uint8_t *batch_id, bool is_small,
                     struct outbox_tray **ret_tray) TB_MUST_CHECK;
/* The one at a path, ours or one that is opened and locked now; held. -EWOULDBLOCK: somebody else's
 * just now; -ENOENT: it is gone. */
int outbox_tray_hold(struct tb_bank *bank, const char *path,
                     struct outbox_tray **ret_tray) TB_MUST_CHECK;
/* What is in it is durable when this returns 0. */
int outbox_tray_sync(struct outbox_tray *tray) TB_MUST_CHECK;
/* Ends a hold; NULL. The last one's end frees the file for others. */
struct outbox_tray *outbox_tray_release(struct outbox_tray *tray);

/* Of the files that are free: one of this name. */
bool outbox_tray_is_free(const struct tb_bank *bank, const char *name);
/* Lets go of them, and unlinks them where they may be. */
void outbox_tray_close(struct tb_bank *bank, bool may_unlink);
