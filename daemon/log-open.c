/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing a log. At a start the store may be ahead of the head file by what was
 * committed but never answered: those records count only if signatures, order roots, rules and tree
 * agree. A store behind its head, or with another root there, is never served.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "log-private.h"
#include "replay.h"
#include "runs-ids.h"

#define N(number) ((unsigned long long)(number))

struct opening {
    struct log *log;
    const char *directory;
    const struct keyring *keyring;
    struct replay replay;
    struct log_rebuild rebuild;
    bool met_head; /* the root at the head's size was compared */
    char *why;
    size_t n_why;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct opening *opening, int r,
                                                        const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(opening->why, opening->n_why, format, arguments);
    va_end(arguments);
    return r;
}

static int path_in(const char *directory, const char *name, char **ret) {
    return asprintf(ret, "%s/%s", directory, name) < 0 ? -ENOMEM : 0;
}

static int open_store(struct opening *opening) {
    struct log *log = opening->log;
    _cleanup_(freep) char *path = NULL;
    int r = path_in(opening->directory, "ledger", &path);

    if (r == 0)
        r = store_open_lacking(&log->store, path, log->settings.map_bytes, runs_tables,
                               RUNS_N_TABLES, false);
    if (r == -EMEDIUMTYPE)
        return refuse(opening, r, "%s is on a network file system: move the ledger to a local disk",
                      path);
    if (r < 0)
        return refuse(opening, r,
                      "the store in %s/ledger cannot be opened (%s): run timebankd check",
                      opening->directory, strerror(-r));
    return 0;
}

static int begin_rebuild(struct opening *opening) {
    int r = log_rebuild_begin(opening->log, &opening->rebuild);

    if (r == -EPROTO)
        return refuse(opening, r,
                      "a later timebankd wrote the derived tables of this ledger: serve it with "
                      "that one");
    if (r < 0)
        return refuse(opening, r, "the derived tables cannot be read (%s): run timebankd check",
                      strerror(-r));
    return 0;
}

static int check_place(struct opening *opening) {
    uint8_t machine[HEAD_MACHINE_BYTES];
    const struct head_slot *slot = &opening->log->slot;

    head_machine(machine);
    if (slot->inode != store_inode(opening->log->store) ||
        memcmp(slot->machine, machine, sizeof(machine)) != 0)
        return refuse(
            opening, -EXDEV,
            "this directory was copied or moved since it last signed a head. Two copies that "
            "both sign would make two histories: serve the original, or, where that is gone for "
            "good, "
            "run timebankd adopt on this one");
    return 0;
}

static int read_head(struct opening *opening) {
    struct log *log = opening->log;
    struct head_slot slots[HEAD_SLOTS];
    bool valid[HEAD_SLOTS];
    const struct head_slot *latest;
    _cleanup_(freep) char *path = NULL;
    int r = path_in(opening->directory, "head", &path);

    if (r == 0)
        r = head_read(path, slots, valid);
    if (r < 0)
        return refuse(opening, r, "the head file %s cannot be read (%s): run timebankd check", path,
                      strerror(-r));
    latest = head_latest(slots, valid);
    if (!latest || keyring_open_head(opening->keyring, latest->checkpoint, latest->n_checkpoint,
                                     &log->head) < 0)
        return refuse(
            opening, -EUCLEAN,
            "the head file holds no head signed by this ledger's key: run timebankd check");
    log->slot = *latest;
    return check_place(opening);
}

static int meet_head(struct opening *opening) {
    const struct merkle_range *range = &opening->replay.range;
    const struct note_head *head = &opening->log->head;
    struct hash root;

    if (range->end != head->size)
        return 0;
    root = merkle_range_root(range);
    if (!hash_equal(&root, &head->root))
        return refuse(
            opening, -EUCLEAN,
            "the first %llu records are not those of the last signed head: run timebankd check "
            "and restore a backup",
            N(head->size));
    opening->met_head = true;
    return 0;
}

static int replay_each(void *user, struct store_value key, struct store_value value) {
    struct opening *opening = user;
    struct run run;
    int r = run_parse(&run, key, value);

    if (r < 0)
        return refuse(opening, r,
                      "a stored run of records near record %llu is damaged: run timebankd check",
                      N(opening->replay.range.end));
    r = replay_run(&opening->replay, &run);
    if (r < 0)
        return refuse(opening, r, "%s: run timebankd check",
                      *opening->replay.why ? opening->replay.why : strerror(-r));
    r = meet_head(opening);
    if (r < 0 || !opening->rebuild.is_on)
        return r;
    log_rebuild_add(&opening->rebuild, run.first, &opening->replay.after);
    return log_rebuild_is_full(opening->log, &opening->rebuild, opening->replay.range.end);
}

static int write_piece(struct opening *opening, bool is_last) {
    struct store_read *read = opening->replay.read;
    int r = log_rebuild_write(opening->log, &opening->rebuild, opening->replay.range.end, is_last);

    if (r == 0)
        r = store_read_renew(read);
    return r < 0 ? refuse(opening, r,
                          "the derived tables cannot be built anew (%s): make room on the disk and "
                          "start again",
                          strerror(-r))
                 : 0;
}

static int replay_from(struct opening *opening, uint64_t size) {
    uint8_t key[8];
    int r = 1;

    while (r > 0) { /* once but for a rebuild, which writes a piece now and then */
        be64_put(key, size);
        r = store_each(opening->replay.read, RUNS_LOG, key, sizeof(key), replay_each, opening);
        if (r >= 0 && opening->rebuild.is_on) {
            int written = write_piece(opening, r == 0);
            r = written < 0 ? written : r;
        }
        size = opening->replay.range.end;
    }
    return r;
}

/* Rows `after` of a tail that was committed are in the store already: commits are whole. */
static int replay_tail(struct opening *opening) {
    struct log *log = opening->log;
    struct store_read *read;
    uint64_t size = 0;
    int r = log_read(log, &read);

    if (r < 0)
        return r;
    replay_init(&opening->replay, read, REPLAY_RULES, log->state, &log->accounts);
    r = log_step_load(read, log->state, &size);
    if (r < 0)
        return refuse(opening, r, "the stored balances cannot be read: run timebankd check");
    if (size > log->head.size)
        return refuse(
            opening, -ESTALE,
            "the head file is older than the store: it was put back from a copy. Restore both "
            "from one backup");
    log->step_size = size;
    r = replay_go_on(&opening->replay, size, log->state->sums.genesis,
                     log->state->sums.received_at_ms);
    if (r < 0)
        return refuse(opening, r, "%s: run timebankd check", opening->replay.why);
    r = meet_head(opening);
    if (r == 0)
        r = replay_from(opening, size);
    if (r == 0 && !opening->met_head)
        r = refuse(
            opening, -ESTALE,
            "the store ends at record %llu, before the last signed head of %llu: it was put back "
            "from a copy, or lost records. Restore a backup",
            N(opening->replay.range.end), N(log->head.size));
    log->committer.range = opening->replay.range;
    log->size = opening->replay.range.end;
    log->ledger_id = opening->replay.ledger_id;
    log->first_ledger_id = opening->replay.first_ledger_id;
    log->published_size = log->size; /* or with the next group */
    return r;
}

static int find_signers(struct opening *opening) {
    struct log *log = opening->log;
    int r = log_signers_now(log, &log->signers);

    return r == -ENOKEY
               ? refuse(opening, r,
                        "the ledger's key was changed, and the file of the key that signs now is "
                        "not here: put ledger.key, ledger.key.next and ledger.key.old back as they "
                        "were, or have the ledger go on from a backup with timebankd restore")
               : r;
}

/* What was committed and never answered becomes part of a signed head now. */
static int sign_tail(struct log *log) {
    struct note_head head = log->head;
    int r;

    if (log->size == log->head.size)
        return 0;
    head.size = log->size;
    head.root = merkle_range_root(&log->committer.range);
    r = log_sign(&log->committer, &log->signers, &head);
    log->head = log->committer.head;
    log->slot = log->committer.slot;
    return r;
}

/* A ledger that was closed in peace ends with a state record: its head is a published one. */
static int meet_published(struct log *log) {
    _cleanup_bytes_ struct bytes record = {0};
    int r = log_record(log, log->size - 1, &record);

    if (r <= 0 || record.n == 0)
        return r < 0 ? r : -EUCLEAN;
    if (record.data[0] != RECORD_STATE) {
        log->published_size = 0; /* log_publish() makes up for it */
        return 0;
    }
    log->state_size = log->size;
    log->published = log->slot;
    log->published_head_size = log->head.size;
    return 0;
}

struct log *log_free(struct log *log) {
    if (!log)
        return NULL;
    log_release_read(log);
    log_committer_close(log);
    state_free(log->state);
    account_tree_fini(&log->accounts);
    log_group_free(log, log->collecting);
    for (size_t i = 0; i < log->n_in_flight; i++)
        log_group_free(log, log->in_flight[i]);
    store_close(log->store);
    free(log);
    return NULL;
}

/* Rows of the tables on disk, and orders, for the lowest state. */
static int source_row(void *user, enum state_table table, const void *key, size_t n_key,
                      void *ret_value) {
    struct store_value stored;
    struct store_read *read;
    int r = log_read(user, &read);

    if (r == 0 && table == STATE_IDS && n_key != ORDER_ID_BYTES)
        return 0;
    if (r == 0 && table == STATE_IDS)
        return runs_ids_find(read, RUNS_STATE + STATE_IDS, key,
                             &((struct state_id *)ret_value)->entry);
    if (r == 0)
        r = store_get(read, RUNS_STATE + (unsigned)table, key, n_key, &stored);
    if (r <= 0)
        return r;
    r = state_row_unpack(table, stored.data, stored.n, ret_value);
    return r < 0 ? r : 1;
}

static int source_id(void *user, const uint8_t id[ORDER_ID_BYTES], uint64_t *ret_entry,
                     struct state_gap *ret_gap) {
    struct store_read *read;
    int r = log_read(user, &read);

    return r < 0 ? r : runs_ids_find_gap(read, RUNS_STATE + STATE_IDS, id, ret_entry, ret_gap);
}

static int source_order(void *user, uint64_t index, struct arena *arena,
                        Timebank__Order **ret_order, uint64_t *ret_received_at_ms) {
    _cleanup_bytes_ struct bytes record = {0}, sealed = {0};
    struct record_seal seal;
    uint64_t at = 0;
    int r = log_record(user, index, &record);

    if (r > 0)
        r = log_seal_of(user, index, &at);
    if (r > 0)
        r = log_record(user, at, &sealed);
    if (r <= 0)
        return r;
    if (record.n < 2 || record.data[0] != RECORD_ORDER)
        return 0;
    r = record_seal_unpack(sealed.data, sealed.n, &seal);
    if (r == 0)
        r = record_order_decode(record.data + 1, record.n - 1, arena, ret_order);
    if (r < 0)
        return r;
    *ret_received_at_ms = seal.received_at_ms;
    return 1;
}

int log_new(struct log **ret_log, const struct log_settings *settings) {
    _cleanup_(log_freep) struct log *log = calloc(1, sizeof(*log));

    if (!log)
        return -ENOMEM;
    log->settings = *settings;
    log->next_sequence = 1;
    log->committer.head_fd = log->committer.event_fd = -1;
    log->state = state_new(&(struct state_source){log, source_row, source_order, source_id});
    if (!log->state)
        return -ENOMEM;
    *ret_log = TAKE(log);
    return 0;
}

static int replay_store(struct opening *opening) {
    int r = begin_rebuild(opening);

    if (r == 0)
        r = replay_tail(opening);
    replay_fini(&opening->replay);
    bytes_fini(&opening->rebuild.rows);
    return r;
}

int log_open_unsigned(struct log *log, const char *directory, const struct note_head *head,
                      char *why, size_t n_why) {
    struct opening opening = {.log = log, .directory = directory, .why = why, .n_why = n_why};
    int r = open_store(&opening);

    log->head = *head;
    if (r == 0)
        r = replay_store(&opening);
    log_release_read(log);
    return r;
}

int log_open(struct log **ret_log, const char *directory, const struct log_settings *settings,
             const struct keyring *keyring, char *why, size_t n_why) {
    _cleanup_(log_freep) struct log *log = NULL;
    struct opening opening = {
        .directory = directory, .keyring = keyring, .why = why, .n_why = n_why};
    int r = log_new(&log, settings);

    *why = '\0';
    if (r < 0)
        return r;
    opening.log = log;
    r = open_store(&opening);
    if (r == 0)
        r = read_head(&opening);
    if (r == 0)
        r = replay_store(&opening);
    if (r == 0)
        r = log_committer_start(log, directory, keyring);
    if (r == 0)
        r = find_signers(&opening);
    if (r == 0)
        r = sign_tail(log);
    if (r == 0)
        r = meet_published(log);
    if (r == 0)
        r = ledger_check(log->state, why, n_why);
    log_release_read(log);
    if (r < 0)
        return r;
    *ret_log = TAKE(log);
    return 0;
}

/* At the end both slots hold the last head, so that either one damaged is seen. */
static int close_cleanly(struct log *log) {
    int r = log_flush(log, 0), has_room = 0;

    if (r == 0 && log->size > log->step_size)
        has_room = log_has_room_for_step(log, log_step_room(log));
    if (has_room < 0)
        return has_room;
    if (has_room > 0) {
        struct log_group *group = log_group_new(log);
        if (!group)
            return -ENOMEM;
        group->state = log->state;
        r = log_step_pack(log, &group->step);
        if (r == 0) {
            log_commit(&log->committer, group);
            r = group->r;
        }
        log_group_free(log, group);
    }
    return r == 0 ? log_sign(&log->committer, &log->signers, &log->head) : r;
}

int log_close(struct log *log) {
    int r;

    if (!log)
        return 0;
    r = log->broken;
    if (r == 0)
        r = log_flush(log, 0);
    log_release_read(log);
    log_committer_join(log);
    if (r == 0)
        r = close_cleanly(log);
    log_free(log);
    return r;
}
