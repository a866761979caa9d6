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

/* The log's head, signed: the first group extends it, and it is never shown to anybody. */
static int create_head(struct log *log, const char *directory, const struct keyring *keyring) {
    _cleanup_bytes_ struct bytes checkpoint = {0};
    _cleanup_(freep) char *path = NULL;
    struct keyring_signers signers = {
        .keys = {keyring_find(keyring, keyring_verifier(keyring)->key)}, .n = 1};
    int r = asprintf(&path, "%s/head", directory) < 0 ? -ENOMEM : 0;

    snprintf(log->head.origin, sizeof(log->head.origin), "%s", keyring_verifier(keyring)->name);
    if (r == 0)
        r = keyring_sign_head(&signers, &log->head, &checkpoint);
    if (r < 0)
        return r;
    log->slot = (struct head_slot){.sequence = HEAD_SLOTS, .inode = store_inode(log->store)};
    head_machine(log->slot.machine);
    memcpy(log->slot.checkpoint, checkpoint.data, checkpoint.n);
    log->slot.n_checkpoint = checkpoint.n;
    return head_create(path, &log->slot);
}

/* Its record, and what it does to the state above, which is merged or freed. */
static int append_genesis(struct log *log, struct state *above, int r,
                          const Timebank__Genesis *genesis) {
    _cleanup_bytes_ struct bytes record = {0};
    struct iovec piece;
    struct hash leaf;

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

static int begin(struct log *log, const Timebank__Genesis *genesis) {
    struct state *above = state_new_above(log->state);

    return append_genesis(log, above, above ? ledger_genesis(above, genesis) : -ENOMEM, genesis);
}

/* Commits and signs what was appended, with the state record that publishes it. */
static int finish(struct log *log, uint64_t now_ms, uint64_t size) {
    int r = log_flush(log, now_ms);

    if (r < 0) {
        log_free(log);
        return r;
    }
    assert(log->head.size == size);
    return log_close(log);
}

int log_create(const char *directory, const struct log_settings *settings,
               const Timebank__Genesis *genesis, const struct keyring *keyring, uint64_t now_ms) {
    _cleanup_(log_freep) struct log *log = NULL;
    int r = log_new(&log, settings);

    if (r < 0)
        return r;
    log->settings.inline_commits = true;
    log->head.root = merkle_empty_root();
    r = create_store(log, directory);
    if (r == 0)
        r = create_head(log, directory, keyring);
    if (r == 0)
        r = log_committer_start(log, directory, keyring);
    if (r == 0)
        r = begin(log, genesis);
    return r < 0 ? r : finish(TAKE(log), now_ms, 2);
}

/* Fills in what it goes on from; the records before it stay as they are. */
static int go_on(struct log *log, const char *old_origin, Timebank__Genesis *genesis) {
    struct hash old_root = log->head.root;
    struct state *above = state_new_above(log->state);
    int r;

    genesis->old_origin = (char *)(uintptr_t)old_origin;
    genesis->old_size = log->head.size;
    genesis->old_root = (ProtobufCBinaryData){HASH_BYTES, old_root.b};
    genesis->created_ms = MAX_OF(genesis->created_ms, log->state->sums.ledger_time_ms);
    r = above ? ledger_restore(above, genesis, old_origin, &old_root) : -ENOMEM;
    r = append_genesis(log, above, r, genesis);
    genesis->old_root = (ProtobufCBinaryData){0};
    return r;
}

int log_restore(const char *directory, const struct log_settings *settings,
                const struct note_head *old_head, Timebank__Genesis *genesis,
                const struct keyring *keyring, char *why, size_t n_why) {
    _cleanup_(log_freep) struct log *log = NULL;
    uint64_t old_size;
    int r = log_new(&log, settings);

    *why = '\0';
    if (r < 0)
        return r;
    log->settings.inline_commits = true;
    r = log_open_unsigned(log, directory, old_head, why, n_why);
    if (r < 0)
        return r;
    /* The store may be ahead of the head that was saved with it: what it holds counts. */
    old_size = log->head.size = log->size;
    log->head.root = merkle_range_root(&log->committer.range);
    r = create_head(log, directory, keyring);
    if (r == 0)
        r = log_committer_start(log, directory, keyring);
    if (r == 0)
        r = go_on(log, old_head->origin, genesis);
    return r < 0 ? r : finish(TAKE(log), genesis->created_ms, old_size + 2);
}
