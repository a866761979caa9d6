/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The committer: one group after another into the store, read back, checked, signed, the head file
 * synced. Everything here runs on the committer's thread and touches nothing the loop changes.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "log-private.h"

static void put_runs(struct store_write *write, const struct log_group *group) {
    for (size_t i = 0; i < group->n_runs; i++) {
        const struct log_run *run = &group->runs[i];
        uint8_t key[8];
        be64_put(key, run->first);
        store_append(write, RUNS_LOG, key, sizeof(key), run->value.data, run->value.n);
        if (run->after.n > 0)
            store_append(write, RUNS_AFTER, key, sizeof(key), run->after.data, run->after.n);
    }
}

/* A tile grows by the nodes completed in this group; what it holds already must end where they
 * begin. */
static int put_node(struct store_write *write, const struct log_node *node) {
    uint8_t key[9], tile[256 * HASH_BYTES];
    struct store_value value = {0};
    size_t n = (node->index & 255) * HASH_BYTES;
    int r;

    runs_tile_key(node->tile_level, node->index >> 8, key);
    r = store_write_get(write, RUNS_TILES, key, sizeof(key), &value);
    if (r < 0)
        return r;
    if (value.n != n)
        return -EUCLEAN;
    if (n > 0)
        memcpy(tile, value.data, n);
    memcpy(tile + n, node->hash.b, HASH_BYTES);
    store_put(write, RUNS_TILES, key, sizeof(key), tile, n + HASH_BYTES);
    return 0;
}

static int write_group(struct committer *committer, const struct log_group *group) {
    struct store_write *write = NULL;
    int r = store_write_begin(committer->store, &write);

    if (r < 0)
        return r;
    put_runs(write, group);
    for (size_t i = 0; r == 0 && i < group->n_nodes; i++)
        r = put_node(write, &group->nodes[i]);
    if (r == 0)
        r = log_step_write(write, &group->step);
    if (r < 0) {
        store_abort(write);
        return r;
    }
    return store_commit(write);
}

/* The stored bytes, not those in memory, hash to the leaves that went into the tree. */
static int check_run(struct store_read *read, const struct log_run *expected) {
    struct run run, wanted;
    uint8_t key[8];
    int r = runs_find(read, expected->first, &run);

    be64_put(key, expected->first);
    if (r > 0)
        r = run_parse(&wanted, (struct store_value){key, 8},
                      (struct store_value){expected->value.data, expected->value.n});
    if (r < 0)
        return r;
    if (run.first != expected->first || run.n != wanted.n)
        return -EUCLEAN;
    for (uint32_t i = 0; i < run.n; i++) {
        size_t n;
        const uint8_t *record = run_record(&run, i, &n);
        struct hash leaf = merkle_leaf(record, n), used = run_leaf(&wanted, i),
                    stored = run_leaf(&run, i);
        if (!hash_equal(&leaf, &used) || !hash_equal(&stored, &used))
            return -EUCLEAN;
    }
    return 0;
}

static int check_stored(struct committer *committer, const struct log_group *group) {
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    struct merkle_range range;
    struct hash root;
    int r = store_read_begin(committer->store, &read);

    for (size_t i = 0; r == 0 && i < group->n_runs; i++)
        r = check_run(read, &group->runs[i]);
    if (r == 0)
        r = runs_range(read, group->new_size, &range);
    if (r < 0)
        return r;
    root = merkle_range_root(&range);
    if (!hash_equal(&root, &group->new_root))
        return -EUCLEAN;
    r = runs_range(read, group->old_size, &range);
    if (r < 0)
        return r;
    root = merkle_range_root(&range);
    return group->old_size == committer->head.size && hash_equal(&root, &committer->head.root)
               ? 0
               : -EUCLEAN;
}

int log_sign(struct committer *committer, const struct keyring_signers *signers,
             const struct note_head *head) {
    _cleanup_bytes_ struct bytes checkpoint = {0};
    struct head_slot slot = committer->slot;
    int r;

    assert(head->size >= committer->head.size);
    r = keyring_sign_head(signers, head, &checkpoint);
    if (r < 0)
        return r;
    if (checkpoint.n > NOTE_CHECKPOINT_MAX)
        return -EMSGSIZE;
    slot.sequence++;
    memset(slot.checkpoint, 0, sizeof(slot.checkpoint));
    memcpy(slot.checkpoint, checkpoint.data, checkpoint.n);
    slot.n_checkpoint = checkpoint.n;
    r = head_write(committer->head_fd, &slot);
    if (r < 0)
        return r;
    committer->slot = slot;
    committer->head = *head;
    return 0;
}

void log_commit(struct committer *committer, struct log_group *group) {
    const struct log_settings *settings = &committer->settings;
    struct note_head head = committer->head;
    int r = 0;

    if (group->n_beside > 0)
        r = settings->beside(settings->beside_user, group->beside, group->n_beside);
    if (r == 0)
        r = write_group(committer, group);
    if (r == 0 && group->n_runs > 0) {
        r = check_stored(committer, group);
        head.size = group->new_size;
        head.root = group->new_root;
        if (r == 0)
            r = log_sign(committer, &group->signers, &head);
    }
    group->slot = committer->slot;
    group->head = committer->head;
    group->r = r;
}

static void *run_committer(void *user) {
    struct committer *committer = user;
    const uint64_t one = 1;
    int failed = 0;

    pthread_mutex_lock(&committer->mutex);
    for (;;) {
        struct log_group *group;
        while (!committer->queue && !committer->is_stopping)
            pthread_cond_wait(&committer->wake, &committer->mutex);
        group = committer->queue;
        if (!group)
            break;
        pthread_mutex_unlock(&committer->mutex);
        if (failed == 0)
            log_commit(committer, group);
        else
            group->r = failed; /* never retried: the next transaction would succeed */
        failed = group->r;
        pthread_mutex_lock(&committer->mutex);
        committer->queue = group->next;
        group->next = NULL;
        struct log_group **last = &committer->done;
        while (*last)
            last = &(*last)->next;
        *last = group;
        if (write(committer->event_fd, &one, sizeof(one)) < 0)
            abort(); /* an eventfd of ours that cannot be written to is a bug */
    }
    pthread_mutex_unlock(&committer->mutex);
    return NULL;
}

int log_committer_start(struct log *log, const char *directory, const struct keyring *keyring) {
    struct committer *committer = &log->committer;
    _cleanup_(freep) char *path = NULL;
    int r;

    committer->store = log->store;
    log->keyring = keyring;
    committer->settings = log->settings;
    committer->slot = log->slot;
    committer->head = log->head;
    if (asprintf(&path, "%s/head", directory) < 0)
        return -ENOMEM;
    committer->head_fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (committer->head_fd < 0)
        return -errno;
    committer->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (committer->event_fd < 0)
        return -errno;
    pthread_mutex_init(&committer->mutex, NULL);
    pthread_cond_init(&committer->wake, NULL);
    if (log->settings.inline_commits)
        return 0;
    r = pthread_create(&committer->thread, NULL, run_committer, committer);
    committer->has_thread = r == 0;
    return -r;
}

/* The thread first finishes what it was handed, and tells of it: the descriptors stay open till
 * then. */
void log_committer_join(struct log *log) {
    struct committer *committer = &log->committer;

    if (!committer->has_thread)
        return;
    pthread_mutex_lock(&committer->mutex);
    committer->is_stopping = true;
    pthread_cond_signal(&committer->wake);
    pthread_mutex_unlock(&committer->mutex);
    pthread_join(committer->thread, NULL);
    committer->has_thread = false;
}

void log_committer_close(struct log *log) {
    struct committer *committer = &log->committer;

    log_committer_join(log);
    if (committer->head_fd > 0)
        close(committer->head_fd);
    if (committer->event_fd > 0)
        close(committer->event_fd);
    committer->head_fd = committer->event_fd = -1;
}

void log_committer_take(struct log *log, struct log_group *group) {
    struct committer *committer = &log->committer;
    struct log_group **last = &committer->queue;

    if (log->settings.inline_commits) {
        const uint64_t one = 1;
        log_commit(committer, group);
        last = &committer->done;
        while (*last)
            last = &(*last)->next;
        *last = group;
        if (write(committer->event_fd, &one, sizeof(one)) < 0)
            abort();
        return;
    }
    pthread_mutex_lock(&committer->mutex);
    while (*last)
        last = &(*last)->next;
    *last = group;
    pthread_cond_signal(&committer->wake);
    pthread_mutex_unlock(&committer->mutex);
}
