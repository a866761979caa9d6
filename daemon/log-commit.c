/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The committer: the tree over a group's leaves, the group into the store, read back, checked,
 * signed, the head file synced. Everything here runs on the committer's thread and touches nothing
 * the loop changes.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "log-private.h"
#include "proto/tile.h"

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

static void collect_nodes(void *user, unsigned level, uint64_t index, const struct hash *hashes,
                          size_t n) {
    struct log_group *group = user;
    struct log_nodes *nodes;

    if (level % 8 != 0)
        return;
    nodes = &group->nodes[level / 8 - 1];
    if (nodes->hashes.n == 0)
        nodes->index = index;
    bytes_put(&nodes->hashes, hashes, n * HASH_BYTES);
    if (nodes->hashes.r < 0)
        group->nodes_r = nodes->hashes.r;
}

/* The tree over what the group adds, from the leaves as the loop laid them out. */
static int grow_tree(struct committer *committer, struct log_group *group) {
    for (size_t i = 0; i < group->n_runs; i++) {
        uint32_t n;
        const struct hash *leaves = run_packed_leaves(&group->runs[i].value, &n);
        assert(group->runs[i].first == committer->range.end);
        merkle_range_append_all(&committer->range, leaves, n, collect_nodes, group);
    }
    assert(group->n_runs == 0 || committer->range.end == group->new_size);
    group->new_root = merkle_range_root(&committer->range);
    return group->nodes_r;
}

/* A tile grows by the nodes completed in this group; what it holds already must end where they
 * begin. */
static int put_tile(struct store_write *write, unsigned tile_level, uint64_t index,
                    const uint8_t *hashes, size_t n) {
    uint8_t key[9], tile[TILE_WIDTH * HASH_BYTES];
    size_t n_old = (index % TILE_WIDTH) * HASH_BYTES;
    struct store_value value = {0};
    int r;

    runs_tile_key(tile_level, index / TILE_WIDTH, key);
    r = store_write_get(write, RUNS_TILES, key, sizeof(key), &value);
    if (r < 0)
        return r;
    if (value.n != n_old)
        return -EUCLEAN;
    if (n_old > 0)
        memcpy(tile, value.data, n_old);
    memcpy(tile + n_old, hashes, n * HASH_BYTES);
    store_put(write, RUNS_TILES, key, sizeof(key), tile, n_old + n * HASH_BYTES);
    return 0;
}

static int put_nodes(struct store_write *write, unsigned tile_level,
                     const struct log_nodes *nodes) {
    size_t n = nodes->hashes.n / HASH_BYTES, n_now;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i += n_now) {
        uint64_t index = nodes->index + i;
        n_now = MIN_OF(n - i, TILE_WIDTH - index % TILE_WIDTH);
        r = put_tile(write, tile_level, index, nodes->hashes.data + i * HASH_BYTES, n_now);
    }
    return r;
}

static int write_group(struct committer *committer, const struct log_group *group) {
    struct store_write *write = NULL;
    int r = store_write_begin(committer->store, &write);

    if (r < 0)
        return r;
    put_runs(write, group);
    for (unsigned i = 0; r == 0 && i < LOG_TILE_LEVELS; i++)
        r = put_nodes(write, i + 1, &group->nodes[i]);
    if (r == 0)
        r = log_step_write(write, &group->step, group->state);
    if (r < 0) {
        store_abort(write);
        return r;
    }
    return store_commit(write);
}

#define LEAVES_AT_ONCE 256u

/* The stored bytes, not those in memory, hash to the leaves that went into the tree. */
static int check_run(struct store_read *read, const struct log_run *expected) {
    struct iovec records[LEAVES_AT_ONCE];
    struct hash leaves[LEAVES_AT_ONCE];
    uint32_t n_wanted, n_now;
    const struct hash *wanted = run_packed_leaves(&expected->value, &n_wanted);
    struct run run;
    int r = runs_find(read, expected->first, &run);

    if (r < 0)
        return r;
    if (r == 0 || run.first != expected->first || run.n != n_wanted ||
        memcmp(run.leaves, wanted, (size_t)n_wanted * HASH_BYTES) != 0)
        return -EUCLEAN;
    for (uint32_t i = 0; i < run.n; i += n_now) {
        n_now = MIN_OF(run.n - i, LEAVES_AT_ONCE);
        run_records(&run, i, n_now, records);
        merkle_leaves(records, n_now, leaves);
        if (memcmp(leaves, wanted + i, n_now * sizeof(*leaves)) != 0)
            return -EUCLEAN;
    }
    return 0;
}

static int check_root(const struct merkle_range *range, const struct hash *expected) {
    struct hash root = merkle_range_root(range);

    return hash_equal(&root, expected) ? 0 : -EUCLEAN;
}

/* The stored tree is that of the last head at its size, and goes on to the group's root: leaf by
 * leaf where it adds few, else over the tiles it stored. */
static int check_tree(struct committer *committer, struct store_read *read,
                      const struct log_group *group) {
    struct merkle_range range;
    int r = runs_range(read, group->old_size, &range);

    if (r == 0)
        r = group->old_size == committer->head.size ? check_root(&range, &committer->head.root)
                                                    : -EUCLEAN;
    if (r == 0)
        r = group->new_size - group->old_size <= TILE_WIDTH
                ? runs_range_extend(read, group->new_size, &range)
                : runs_range(read, group->new_size, &range);
    return r == 0 ? check_root(&range, &group->new_root) : r;
}

static int check_stored(struct committer *committer, const struct log_group *group) {
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    int r = store_read_begin(committer->store, &read);

    for (size_t i = 0; r == 0 && i < group->n_runs; i++)
        r = check_run(read, &group->runs[i]);
    return r == 0 ? check_tree(committer, read, group) : r;
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
        r = grow_tree(committer, group);
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
