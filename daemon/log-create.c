/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a log: a new one from its genesis, or one that goes on from the records of a backup under
 * another name, after a second genesis. Both sign their first heads here.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "log-private.h"

static int create_store(struct log *log, const char *directory) {
    _cleanup_(freep) char *path = NULL;
    int r = asprintf(&path, "%s/ledger", directory) < 0 ? -ENOMEM : 0;

    if (r == 0 && mkdir(path, 0700) < 0)
        r = -errno;
    if (r == 0)
        r = store_create(path, log->settings.map_bytes, runs_tables, RUNS_N_TABLES);
    return r < 0 ? r
                 : store_open(&log->store, path, log->settings.map_bytes, runs_tables,
                              RUNS_N_TABLES, false);
}

/* A head of size 0 that the first group extends: it is never shown to anybody. */
static int create_head(struct log *log, const char *directory, const struct keyring *keyring) {
    _cleanup_bytes_ struct bytes checkpoint = {0};
    _cleanup_(freep) char *path = NULL;
    int r = asprintf(&path, "%s/head", directory) < 0 ? -ENOMEM : 0;

    snprintf(log->head.origin, sizeof(log->head.origin), "%s", keyring_verifier(keyring)->name);
    log->head.size = 0;
    log->head.root = merkle_empty_root();
    if (r == 0)
        r = keyring_sign_head(keyring, &log->head, &checkpoint);
    if (r < 0)
        return r;
    log->slot = (struct head_slot){.sequence = HEAD_SLOTS, .inode = store_inode(log->store)};
    head_machine(log->slot.machine);
    memcpy(log->slot.checkpoint, checkpoint.data, checkpoint.n);
    log->slot.n_checkpoint = checkpoint.n;
    return head_create(path, &log->slot);
}

static int append_genesis(struct log *log, const Timebank__Genesis *genesis) {
    _cleanup_bytes_ struct bytes record = {0};
    struct state *above = state_new_above(log->state);
    struct iovec piece;
    struct hash leaf;
    int r = above ? ledger_genesis(above, genesis) : -ENOMEM;

    if (r < 0) {
        state_free(above);
        return r;
    }
    r = state_merge(above);
    record_genesis_encode(genesis, &record);
    if (r < 0 || record.r < 0)
        return r < 0 ? r : record.r;
    piece = (struct iovec){record.data, record.n};
    leaf = merkle_leaf(record.data, record.n);
    return log_group_add(log, 1, &piece, &leaf, NULL);
}

int log_create(const char *directory, const struct log_settings *settings,
               const Timebank__Genesis *genesis, const struct keyring *keyring, uint64_t now_ms) {
    struct log *log = NULL;
    int r = log_new(&log, settings), closed;

    if (r < 0)
        return r;
    log->settings.inline_commits = true;
    r = create_store(log, directory);
    if (r == 0)
        r = create_head(log, directory, keyring);
    if (r == 0)
        r = log_committer_start(log, directory, keyring);
    if (r == 0)
        r = append_genesis(log, genesis);
    if (r == 0)
        r = log_flush(log, now_ms);
    if (r < 0) {
        log_free(log);
        return r;
    }
    assert(log->head.size == 2);
    closed = log_close(log);
    return closed;
}
