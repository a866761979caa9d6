/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One backup: copied under another name, synced, checked in a child as a start checks its ledger,
 * and only then renamed. The store is copied to a file, never to a socket: LMDB holds its writers'
 * lock while the first pages are written.
 */
#include "backup-job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "backups.h"
#include "base/files.h"
#include "call.h"
#include "check.h"
#include "say.h"

#define COPIES_MAX 5

struct backup_job {
    struct job job;
    char name[BACKUPS_NAME_MAX + 1];
    bool people;
    char *directory; /* the bank's */
    char *part;      /* NULL until it is there */
    char *path;
    uint64_t size;
    struct hash root;
    uint64_t file_bytes;
    uint64_t step_size; /* where the copy's derived tables stand */
};

static int set_paths(struct backup_job *backup) {
    _cleanup_(freep) char *path = NULL, *backups = NULL;
    const char *ledger = store_directory(log_store(backup->job.bank->log));

    if (asprintf(&path, "%s/..", ledger) < 0)
        return -ENOMEM;
    backup->directory = realpath(path, NULL);
    if (!backup->directory)
        return -errno;
    if (asprintf(&backups, "%s/backups", backup->directory) < 0 ||
        asprintf(&backup->path, "%s/%s", backups, backup->name) < 0)
        return -ENOMEM;
    if (mkdir(backups, 0700) < 0 && errno != EEXIST)
        return -errno;
    return access(backup->path, F_OK) == 0 ? REFUSAL_BACKUP_EXISTS : 0;
}

static int add_bytes(const char *path, uint64_t *n) {
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    *n += (uint64_t)st.st_size;
    return 0;
}

static int find(const char *directory, const char *name, char **ret) {
    return asprintf(ret, "%s/%s", directory, name) < 0 ? -ENOMEM : 0;
}

/* The reserve stays free, as with any write. */
static int check_room(const struct backup_job *backup) {
    _cleanup_(freep) char *people = NULL;
    uint64_t n = store_map_used_bytes(log_store(backup->job.bank->log));
    struct statvfs disk;
    int r = find(backup->directory, "people/data.mdb", &people);

    if (r == 0 && backup->people)
        r = add_bytes(people, &n);
    if (r == 0 && statvfs(backup->directory, &disk) < 0)
        r = -errno;
    if (r < 0)
        return r;
    return (uint64_t)disk.f_bavail * disk.f_frsize <
                   n + backup->job.bank->settings.log.reserve_bytes
               ? REFUSAL_LEDGER_FULL
               : 0;
}

/* What the copy holds, read from the copy. */
static int read_copy(struct backup_job *backup, const char *ledger) {
    _cleanup_(store_closep) struct store *store = NULL;
    _cleanup_(store_read_endp) struct store_read *read = NULL;
    struct merkle_range range;
    int r = store_open(&store, ledger, backup->job.bank->settings.log.map_bytes, runs_tables,
                       RUNS_N_TABLES, true);

    if (r == 0)
        r = store_read_begin(store, &read);
    if (r == 0)
        r = runs_size(read, &backup->size);
    if (r == 0)
        r = runs_range(read, backup->size, &range);
    if (r == 0)
        r = log_step_size(read, &backup->step_size);
    if (r < 0)
        return r;
    backup->root = merkle_range_root(&range);
    read = store_read_end(read);
    return 0;
}

static int read_head(const struct backup_job *backup, struct head_slot *ret) {
    _cleanup_(freep) char *path = NULL;
    struct head_slot slots[HEAD_SLOTS];
    bool valid[HEAD_SLOTS];
    const struct head_slot *latest;
    int r = find(backup->directory, "head", &path);

    if (r == 0)
        r = head_read(path, slots, valid);
    if (r < 0)
        return r;
    latest = head_latest(slots, valid);
    if (!latest)
        return -EUCLEAN;
    *ret = *latest;
    return 0;
}

/* The head is read first, so that the copy is never behind it. Derived tables that were written
 * between the two would be ahead of it: then once more. */
static int copy_ledger(struct backup_job *backup) {
    _cleanup_(freep) char *ledger = NULL, *data = NULL, *head = NULL;
    struct head_slot slot;
    struct note_head signed_head;
    int r = find(backup->part, "ledger", &ledger);

    if (r == 0)
        r = find(backup->part, "ledger/data.mdb", &data);
    if (r == 0)
        r = find(backup->part, "head", &head);
    if (r == 0 && mkdir(ledger, 0700) < 0)
        r = -errno;
    for (int i = 0; r == 0; i++) {
        r = read_head(backup, &slot);
        if (r == 0)
            r = note_checkpoint_peek(slot.checkpoint, slot.n_checkpoint,
                                     keyring_verifier(backup->job.bank->keyring)->name,
                                     &signed_head);
        if (r == 0)
            r = store_copy(log_store(backup->job.bank->log), data);
        if (r == 0)
            r = read_copy(backup, ledger);
        if (r < 0 || backup->step_size <= signed_head.size)
            break;
        r = i == COPIES_MAX ? -EAGAIN : unlink(data) < 0 ? -errno : 0;
    }
    if (r < 0)
        return r;
    backups_mark(&slot);
    return head_create(head, &slot);
}

/* After the ledger: what the ledger says is in the register by then, never the other way round. */
static int copy_people(const struct backup_job *backup) {
    _cleanup_(freep) char *directory = NULL, *data = NULL;
    int r = find(backup->part, "people", &directory);

    if (r == 0)
        r = find(backup->part, "people/data.mdb", &data);
    if (r == 0 && mkdir(directory, 0700) < 0)
        r = -errno;
    return r < 0 ? r : people_copy(backup->job.bank->people, data);
}

/* The check leaves lock files of its own. */
static int check_copy(struct backup_job *backup) {
    static const char *const names[] = {"ledger/lock.mdb", "people/lock.mdb"};
    int r = check_ledger(backup->part, &backup->job.bank->settings, false, stderr, NULL);

    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        _cleanup_(freep) char *path = NULL;
        if (find(backup->part, names[i], &path) == 0)
            unlink(path);
    }
    return r;
}

static int count_bytes(struct backup_job *backup) {
    static const char *const names[] = {"head", "ledger/data.mdb", "people/data.mdb"};
    int r = 0;

    for (size_t i = 0; r == 0 && i < N_ELEMENTS(names) - !backup->people; i++) {
        _cleanup_(freep) char *path = NULL;
        r = find(backup->part, names[i], &path);
        if (r == 0)
            r = add_bytes(path, &backup->file_bytes);
    }
    return r;
}

static int give_name(const struct backup_job *backup) {
    if (renameat2(AT_FDCWD, backup->part, AT_FDCWD, backup->path, RENAME_NOREPLACE) < 0)
        return errno == EEXIST ? REFUSAL_BACKUP_EXISTS : -errno;
    return file_sync_directory_of(backup->path);
}

/* Of this job alone: another of the same name may be under way. */
static int make_part(struct backup_job *backup) {
    _cleanup_(freep) char *part = NULL;

    if (asprintf(&part, "%s%sXXXXXX", backup->path, BACKUPS_PART) < 0)
        return -ENOMEM;
    if (!mkdtemp(part))
        return -errno;
    backup->part = TAKE(part);
    return 0;
}

static bool is_cancelled(struct backup_job *backup) {
    return atomic_load(&backup->job.is_cancelled);
}

static int make(struct backup_job *backup) {
    int r = check_room(backup);

    if (r == 0)
        r = make_part(backup);
    if (r == 0)
        r = copy_ledger(backup);
    if (r == 0 && backup->people)
        r = copy_people(backup);
    if (r == 0)
        r = count_bytes(backup);
    if (r == 0)
        r = is_cancelled(backup) ? -ECANCELED : check_copy(backup);
    return r == 0 ? give_name(backup) : r;
}

static int work(struct job *job) {
    struct backup_job *backup = (struct backup_job *)job;
    int r = set_paths(backup);

    if (r == 0)
        r = make(backup);
    if (r != 0 && backup->part)
        backups_remove(backup->part);
    return r;
}

/* A backup that failed is told, and the bank goes on: what is wrong with the ledger itself, its
 * own checks find. */
static int refuse(const struct backup_job *backup, int r, struct call *call) {
    char *why = NULL;

    if (r > 0)
        return call_refuse(call, r, NULL);
    if (r == -ENOSPC || r == -EDQUOT)
        return call_refuse(call, REFUSAL_LEDGER_FULL, NULL);
    say("the backup %s failed (%s)", backup->name, strerror(-r));
    if (asprintf(
            &why,
            "The backup could not be made (%s), and nothing of it was kept: see what timebankd "
            "says, and make room or mend what it names.",
            strerror(-r)) < 0)
        return -ENOMEM;
    r = call_refuse(call, REFUSAL_BACKUP_FAILED, why);
    free(why);
    return r;
}

static int respond(struct job *job, int r, struct call *call) {
    const struct backup_job *backup = (const struct backup_job *)job;
    Timebank__BackedUp *made = arena_alloc(call->arena, sizeof(*made));

    if (r != 0)
        return refuse(backup, r, call);
    if (!made)
        return -ENOMEM;
    timebank__backed_up__init(made);
    made->path = backup->path;
    made->size = backup->size;
    made->root = (ProtobufCBinaryData){HASH_BYTES, (uint8_t *)(uintptr_t)backup->root.b};
    made->file_bytes = backup->file_bytes;
    call->response->backup = made;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_BACKUP;
    return 0;
}

static void free_job(struct job *job) {
    struct backup_job *backup = (struct backup_job *)job;

    free(backup->directory);
    free(backup->part);
    free(backup->path);
    free(backup);
}

int backup_job_new(struct job **ret_job, struct bank *bank, const Timebank__Backup *ask) {
    struct backup_job *backup = calloc(1, sizeof(*backup));

    if (!backup)
        return -ENOMEM;
    backup->job = (struct job){.work = work, .respond = respond, .free = free_job, .bank = bank};
    snprintf(backup->name, sizeof(backup->name), "%s", ask->name);
    backup->people = ask->people;
    *ret_job = &backup->job;
    return 0;
}
