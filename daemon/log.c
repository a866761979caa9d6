/* SPDX-License-Identifier: Apache-2.0 */
/* The loop's side of the log: groups are filled, handed over and taken back here. */
#include "log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "log-private.h"

/* Pages of the B+trees that a group touches besides its own bytes: counted generously. */
#define ROOM_FACTOR 4
#define ROOM_PER_GROUP (256u * 1024)
#define DISK_LOOK_MS 10u
#define DUE_ARENA_BYTES (16u * 1024 * 1024)
/* A state record costs a hash and more for each account that changed: more than so many rest. */
#define TOUCHED_CHEAP 1024u
#define STATE_REST_MS 100u

static uint64_t free_below(uint64_t whole, uint64_t used) {
    return whole > used ? whole - used : 0;
}

/* The disk is asked every few milliseconds and once a group is on it, not for each batch: what is
 * written in between is the log's own and is counted as pending, and others have the reserve. */
static int look_at_disk(struct log *log) {
    uint64_t now_ms = clock_monotonic_ms();
    struct statvfs disk;

    if (log->disk_looked_ms != 0 && now_ms < log->disk_looked_ms + DISK_LOOK_MS)
        return 0;
    if (statvfs(store_directory(log->store), &disk) < 0)
        return -errno;
    log->disk_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    log->disk_looked_ms = now_ms;
    return 0;
}

int log_free_bytes(struct log *log, uint64_t *ret) {
    uint64_t used = store_map_used_bytes(log->store);
    uint64_t n_free = free_below(store_map_bytes(log->store), used);
    struct rlimit limit;
    int r = look_at_disk(log);

    if (r < 0 || getrlimit(RLIMIT_FSIZE, &limit) < 0)
        return r < 0 ? r : -errno;
    n_free = MIN_OF(n_free, log->disk_free_bytes);
    if (limit.rlim_cur != RLIM_INFINITY)
        n_free = MIN_OF(n_free, free_below(limit.rlim_cur, used));
    *ret = n_free;
    return 0;
}

static uint64_t pending_room(const struct log *log, uint64_t bytes) {
    return ROOM_PER_GROUP + ROOM_FACTOR * (bytes + log->n_bytes_pending);
}

int log_check_room(struct log *log, uint64_t bytes) {
    uint64_t n_free,
        wanted = pending_room(log, bytes) + log->step_room_bytes + log->settings.reserve_bytes;
    int r = log_free_bytes(log, &n_free);

    if (r == 0 && n_free < wanted) {
        /* Nobody is refused for what the disk was a moment ago. */
        log->disk_looked_ms = 0;
        r = log_free_bytes(log, &n_free);
    }
    if (r < 0)
        return r;
    return n_free < wanted ? REFUSAL_LEDGER_FULL : 0;
}

int log_has_room_for_step(struct log *log, uint64_t room) {
    uint64_t n_free;
    int r = log_free_bytes(log, &n_free);

    return r < 0 ? r : n_free >= room + pending_room(log, 0);
}

static bool is_full(const struct log_group *group) {
    return group->is_closed || group->n_bytes >= LOG_GROUP_BYTES_MAX;
}

bool log_can_append(const struct log *log) {
    if (log->broken < 0)
        return false;
    return !log->collecting || !is_full(log->collecting) || log->n_in_flight < LOG_GROUPS_IN_FLIGHT;
}

int log_make_way(struct log *log) {
    assert(log_can_append(log));
    return log->collecting && is_full(log->collecting) ? log_hand_over(log, 0) : 0;
}

int log_append(struct log *log, struct judging *judging, const struct record_seal *seal,
               void *beside) {
    size_t n_before;
    int r;

    assert(log->broken == 0 && !(log->collecting && is_full(log->collecting)));
    assert(judging->batch.n_refusals == 0 && judging->batch.first == log->size + 1);
    n_before = log->collecting ? log->collecting->n_bytes : 0;
    r = log_group_add_batch(log, judging, seal, beside);
    if (r == 0) {
        log->n_bytes_pending += log->collecting->n_bytes - n_before;
        r = log->broken = judging_keep(judging);
    }
    assert(r < 0 || log->state->sums.size == log->size);
    return r;
}

/* Events that fall due are kept one by one, for one may bring the next; they lie in one run. */
#define EVENTS_OF_RUN 256u
#define LEGS_OF_RUN_BYTES                                                                          \
    (DUE_ARENA_BYTES / 4) /* a run ends once it has so many: one event has less */

struct due_run {
    struct bytes records;
    struct iovec pieces[EVENTS_OF_RUN];
    struct hash leaves[EVENTS_OF_RUN];
    struct ledger_effect effects[EVENTS_OF_RUN];
    uint32_t n;
    struct arena arena;
};

static int add_event(struct log *log, struct due_run *run, const struct state_due *due) {
    size_t begin = run->records.n;
    int r;

    state_begin(log->state);
    r = ledger_event(log->state, due, &run->arena, &run->records, &run->leaves[run->n],
                     &run->effects[run->n]);
    if (r < 0) {
        state_roll_back(log->state);
        return r;
    }
    run->pieces[run->n++].iov_len = run->records.n - begin;
    return state_keep(log->state);
}

static int append_due_run(struct log *log, struct due_run *run) {
    _cleanup_bytes_ struct bytes after = {0};
    size_t at = 0, n_before;
    int r;

    n_before = log->collecting ? log->collecting->n_bytes : 0;
    judging_pack_effects(run->effects, run->n, log->size, &after);
    for (uint32_t i = 0; i < run->n; at += run->pieces[i++].iov_len)
        run->pieces[i].iov_base = run->records.data + at;
    r = log_group_add(log, run->n, run->pieces, run->leaves, &after);
    if (r == 0)
        log->n_bytes_pending += log->collecting->n_bytes - n_before;
    assert(r < 0 || log->state->sums.size == log->size);
    return r;
}

int log_run_due(struct log *log, uint64_t until_ms) {
    struct state_due due;
    struct due_run *run;
    int r = ledger_due(log->state, until_ms, &due);

    if (r <= 0 || log->broken < 0 || !log_can_append(log))
        return r < 0 ? r : log->broken < 0 ? log->broken : r;
    r = log_make_way(log);
    if (r < 0)
        return r;
    r = 1;
    run = calloc(1, sizeof(*run));
    if (!run)
        return -ENOMEM;
    arena_init(&run->arena, DUE_ARENA_BYTES);
    while (r > 0 && run->n < EVENTS_OF_RUN && run->arena.n_used < LEGS_OF_RUN_BYTES) {
        r = add_event(log, run, &due);
        if (r == 0)
            r = ledger_due(log->state, until_ms, &due);
    }
    if (r >= 0 && run->n > 0) {
        int appended = append_due_run(log, run);
        r = appended < 0 ? appended : r;
    }
    arena_fini(&run->arena);
    bytes_fini(&run->records);
    free(run);
    if (r < 0)
        log->broken = r;
    return r;
}

uint64_t log_write_ticket(const struct log *log) {
    return log->collecting ? log->collecting->sequence : log->last_sequence;
}

uint64_t log_ticket(struct log *log) {
    if (log->collecting)
        log->collecting->is_closed = true;
    return log_write_ticket(log);
}

bool log_is_durable(const struct log *log, uint64_t ticket) {
    return ticket <= log->durable_sequence;
}

/* The state at index i covers records 0 to i - 1. */
static int append_state_record(struct log *log, uint64_t wall_ms) {
    struct record_state record = {.covers = log->size,
                                  .n_accounts = log->state->sums.n_accounts,
                                  .ledger_time_ms =
                                      MAX_OF(log->state->sums.ledger_time_ms, wall_ms)};
    uint8_t bytes[RECORD_STATE_BYTES];
    struct iovec piece = {bytes, sizeof(bytes)};
    struct hash leaf;
    int r = account_tree_root(&log->accounts, log->state, &record.root);

    if (r < 0)
        return log->broken = r;
    record_state_pack(&record, bytes);
    leaf = merkle_leaf(bytes, sizeof(bytes));
    ledger_state_record(log->state, record.ledger_time_ms);
    log->published_ms = wall_ms;
    log->published_size = log->state_size = log->size + 1;
    return log_group_add(log, 1, &piece, &leaf, NULL);
}

/* A state record is made although the group goes on collecting: it is closed then. */
static int make_state_record(struct log *log, uint64_t wall_ms) {
    int r;

    if (log->broken < 0)
        return log->broken;
    if (log->state_size == log->size)
        return 0;
    if (!log_can_append(log))
        return REFUSAL_TRY_LATER;
    r = log_check_room(log, 0);
    if (r == 0 && log->collecting && is_full(log->collecting))
        r = log_hand_over(log, 0);
    if (r == 0)
        r = append_state_record(log, wall_ms);
    if (r == 0)
        log->collecting->is_closed = true;
    return r;
}

int log_account_state(struct log *log, const struct state_account *account, uint64_t wall_ms,
                      uint64_t *ret_index, struct hash *ret_path, size_t *ret_n) {
    struct hash root;
    int r = make_state_record(log, wall_ms);

    if (r == 0) /* after a start the tree may not have been built yet */
        r = account_tree_root(&log->accounts, log->state, &root);
    if (r == 0)
        r = account_tree_path(&log->accounts, log->state->sums.n_accounts, account->number,
                              ret_path, ret_n);
    if (r == 0)
        *ret_index = log->size - 1;
    return r;
}

static void send_off(struct log *log, struct log_group *group) {
    assert(log->n_in_flight < N_ELEMENTS(log->in_flight));
    log->in_flight[log->n_in_flight++] = group;
    log_committer_take(log, group);
}

static int hand_over_step(struct log *log) {
    struct log_group *group;
    uint64_t room;
    int r;

    assert(!log->collecting);
    if (log->has_step_in_flight || log->n_in_flight == N_ELEMENTS(log->in_flight))
        return 0;
    room = log_step_room(log);
    r = log_has_room_for_step(log, room);
    if (r < 0)
        return log->broken = r;
    if (r == 0) {
        log->step_tried_size = log->size;
        return 0;
    }
    group = log_group_new(log);
    if (!group)
        return log->broken = -ENOMEM;
    group->state = log->state;
    r = log_step_pack(log, &group->step);
    if (r < 0) {
        log_group_free(log, group);
        return log->broken = r;
    }
    log->has_step_in_flight = true;
    log->step_room_bytes = room;
    log->step_size = log->size;
    send_off(log, group);
    return 0;
}

/* Whether the group that is handed over ends with a state record. Under load the accounts that
 * change are the same again and again; what goes without is made up for by log_publish(). */
static bool wants_state_record(const struct log *log, uint64_t wall_ms) {
    uint64_t since_ms = wall_ms - log->published_ms;

    if (wall_ms == 0 || log->state_size == log->size)
        return false;
    if (wall_ms < log->published_ms || since_ms >= log->settings.publish_ms)
        return true;
    return log->n_in_flight == 0 &&
           (log->state->n_touched <= TOUCHED_CHEAP || since_ms >= STATE_REST_MS);
}

/* Rows that change again and again are written once for many records: a step of few rows waits. */
static bool step_is_due(const struct log *log) {
    uint64_t n = log->size - MAX_OF(log->step_size, log->step_tried_size);
    uint64_t enough = log->settings.step_records;

    return n >= enough && (n >= LOG_STEP_WAITS * enough || state_step_rows(log->state) >= enough);
}

int log_hand_over(struct log *log, uint64_t wall_ms) {
    struct log_group *group = log->collecting;
    int r = 0;

    if (log->broken < 0 || !group || log->n_in_flight >= LOG_GROUPS_IN_FLIGHT)
        return log->broken;
    if (wants_state_record(log, wall_ms)) {
        r = append_state_record(log, wall_ms);
        if (r < 0)
            return r;
    }
    r = log_signers_now(log, &group->signers);
    if (r < 0)
        return log->broken = r;
    group->is_published = log->state_size == log->size;
    log->last_sequence = group->sequence;
    log->collecting = NULL;
    send_off(log, group);
    return step_is_due(log) ? hand_over_step(log) : 0;
}

int log_publish(struct log *log, uint64_t wall_ms) {
    return log->published_size == log->size ? log->broken : log_go_on(log, wall_ms);
}

int log_go_on(struct log *log, uint64_t wall_ms) {
    int r;

    if (log->broken < 0 || log->collecting || log->n_in_flight > 0)
        return log->broken;
    r = log_check_room(log, 0);
    if (r != 0)
        return MIN_OF(r, 0);
    r = append_state_record(log, wall_ms);
    return r == 0 ? log_hand_over(log, 0) : r;
}

int log_fd(const struct log *log) {
    return log->committer.event_fd;
}

static void land(struct log *log, const struct log_group *group) {
    assert(log->n_in_flight > 0 && log->in_flight[0] == group);
    log->n_in_flight--;
    memmove(log->in_flight, log->in_flight + 1, log->n_in_flight * sizeof(struct log_group *));
}

static void take_back(struct log *log, const struct log_group *group) {
    log->disk_looked_ms = 0;
    log->durable_sequence = group->sequence;
    log->n_bytes_pending -= MIN_OF(log->n_bytes_pending, group->n_bytes);
    log->head = group->head;
    log->slot = group->slot;
    if (group->n_runs > 0)
        log->signers = group->signers;
    if (group->is_published) {
        log->published = group->slot;
        log->published_head_size = group->head.size;
    }
    if (group->step.n > 0) {
        log->has_step_in_flight = false;
        log->step_room_bytes = 0;
        log_step_done(log);
    }
}

int log_collect(struct log *log) {
    struct committer *committer = &log->committer;
    struct log_group *done;
    uint64_t n;

    if (read(committer->event_fd, &n, sizeof(n)) < 0 && errno != EAGAIN && errno != EINTR)
        return log->broken = -errno;
    pthread_mutex_lock(&committer->mutex);
    done = TAKE(committer->done);
    pthread_mutex_unlock(&committer->mutex);
    log_release_read(log);
    while (done) {
        struct log_group *group = done;
        done = group->next;
        if (group->r < 0 && log->broken == 0)
            log->broken = group->r;
        land(log, group);
        if (log->broken == 0)
            take_back(log, group);
        log_group_free(log, group);
    }
    return log->broken;
}

/* A wait on the eventfd itself: the loop is not running, or this is the end. */
static int wait_for_group(struct log *log) {
    struct committer *committer = &log->committer;

    pthread_mutex_lock(&committer->mutex);
    while (!committer->done && committer->queue) {
        pthread_mutex_unlock(&committer->mutex);
        usleep(200);
        pthread_mutex_lock(&committer->mutex);
    }
    pthread_mutex_unlock(&committer->mutex);
    return log_collect(log);
}

int log_flush(struct log *log, uint64_t wall_ms) {
    int r = log->broken;

    while (r == 0 && (log->collecting || log->n_in_flight > 0)) {
        if (log->n_in_flight > 0)
            r = wait_for_group(log);
        if (r == 0)
            r = log_hand_over(log, wall_ms);
    }
    return r;
}

struct state *log_state(struct log *log) {
    return log->state;
}

const struct hash *log_ledger_id(const struct log *log) {
    return &log->ledger_id;
}

const struct hash *log_first_ledger_id(const struct log *log) {
    return &log->first_ledger_id;
}

/* By the log alone: whoever reads it knows whose signatures each head must bear. */
int log_signers_now(const struct log *log, struct keyring_signers *ret) {
    const struct state_chain_key *last, *beside;
    struct keyring_signers signers = {0};
    struct state_chain chain;

    state_chain_read(log->state, &chain);
    last = state_chain_last(&chain);
    if (!last)
        return -EUCLEAN;
    beside = state_chain_beside(&chain, log->state->sums.ledger_time_ms);
    signers.keys[signers.n++] = keyring_find(log->keyring, last->row.key);
    if (beside)
        signers.keys[signers.n++] = keyring_find(log->keyring, beside->row.key);
    for (size_t i = 0; i < signers.n; i++)
        if (!signers.keys[i])
            return -ENOKEY;
    *ret = signers;
    return 0;
}

const struct keyring_signers *log_signers(const struct log *log) {
    return &log->signers;
}

const struct note_head *log_head(const struct log *log) {
    return &log->head;
}

const char *log_published(const struct log *log, uint64_t *ret_size, size_t *ret_n) {
    *ret_size = log->published_head_size;
    *ret_n = log->published.n_checkpoint;
    return log->published_head_size ? log->published.checkpoint : NULL;
}

const char *log_checkpoint(const struct log *log, size_t *ret_n) {
    *ret_n = log->slot.n_checkpoint;
    return log->slot.checkpoint;
}

struct store *log_store(struct log *log) {
    return log->store;
}
