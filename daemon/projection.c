/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lock: for writing while somebody catches up or saves, for reading while reports are made. The
 * lock is tried in slices, so that a report nobody waits for any more ends soon. Who follows in the
 * background never waits for it: a writer that waits would keep the next report out.
 */
#include "projection.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "facts-file.h"
#include "projection-read.h"
#include "say.h"

#define STEP_RECORDS 65536u
#define STEP_PART 16u /* of all records, at most: writing behind stays a small part of the work */
#define STEP_PART_LEAST 64u /* so that few wait in memory; but of as many records as accounts */
#define LOCK_SLICE_NS 20000000
#define FOLLOW_NICE 19
#define FOLLOW_AGAIN_US 20000
#define FOLLOW_ENDS 1

struct projection {
    pthread_rwlock_t lock;
    char *directory;
    struct store *log;
    struct people *people;
    struct projection_settings settings;
    struct facts *facts;
    struct facts_file *file; /* NULL: in memory only */
    uint64_t n_saved;        /* records */
    uint64_t n_people_changes;
    size_t n_accounts_placed; /* whose wards are known */
    bool has_opened;
    bool is_in_memory; /* the file cannot be written */
    bool has_told;     /* why it was made anew */
    /* Who follows; has_follower and follower are the loop's. */
    pthread_t follower;
    bool has_follower;
    atomic_bool is_following;
    atomic_bool is_ending;
    atomic_bool has_failed; /* to follow; until a report has succeeded */
    atomic_uint n_asking;   /* reports that wait for facts */
    _Atomic uint64_t n_known;
    _Atomic uint64_t n_wanted;
};

/* Whoever has to catch up goes before those who only read: there is always a next report. */
static int init_lock(pthread_rwlock_t *lock) {
    pthread_rwlockattr_t attributes;
    int r = pthread_rwlockattr_init(&attributes);
    if (r != 0)
        return r;
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    r = pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return r;
}

int projection_new(struct projection **ret, const char *directory, struct store *log,
                   struct people *people, const struct projection_settings *settings) {
    struct projection *projection = calloc(1, sizeof(*projection));
    if (!projection)
        return -ENOMEM;
    projection->directory = strdup(directory);
    if (!projection->directory || init_lock(&projection->lock) != 0) {
        free(projection->directory);
        free(projection);
        return -ENOMEM;
    }
    projection->log = log;
    projection->people = people;
    projection->settings = *settings;
    if (projection->settings.step_records == 0)
        projection->settings.step_records = STEP_RECORDS;
    *ret = projection;
    return 0;
}

/* ---- the file */

/* In words, once: what follows from the log is no loss. */
static void tell(struct projection *projection, const char *why) {
    if (!projection->has_told)
        say("%s/facts: %s; the facts of the reports are made anew from the log",
            projection->directory, why);
    projection->has_told = true;
}

/* What is in memory; what is on the disk is read again. */
static void drop(struct projection *projection) {
    projection->facts = facts_free(projection->facts);
    atomic_store(&projection->n_known, 0);
    projection->file = facts_file_close(projection->file);
    projection->n_saved = 0;
    projection->n_accounts_placed = 0;
    projection->has_opened = false;
}

static void throw_away(struct projection *projection) {
    projection->facts = facts_free(projection->facts);
    atomic_store(&projection->n_known, 0);
    if (projection->file)
        facts_file_discard(projection->file);
    projection->n_saved = 0;
    projection->n_accounts_placed = 0;
}

static int open_file(struct projection *projection) {
    _cleanup_(freep) char *path = NULL;
    if (asprintf(&path, "%s/facts", projection->directory) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    return facts_file_open(&projection->file, path, RUNS_LAYOUT,
                           projection->settings.reserve_bytes);
}

/* Only facts of this very log are taken: its root at their size is theirs. */
static int load(struct projection *projection) {
    struct hash root, is;
    int r = facts_file_load(projection->file, &projection->facts, &root);
    if (r < 0)
        return r;
    r = projection_read_root(projection->log, projection->facts->n_records, &is);
    if (r >= 0 && (r > 0 || !hash_equal(&root, &is)))
        r = -EXDEV;
    if (r < 0)
        projection->facts = facts_free(projection->facts);
    else
        projection->n_saved = projection->facts->n_records;
    return r;
}

static void stay_in_memory(struct projection *projection, int r) {
    say("%s/facts cannot be used (%s): make room, or see who owns it; until the next start the "
        "facts "
        "of the reports stay in memory",
        projection->directory, strerror(-r));
    projection->is_in_memory = true;
}

static int open_once(struct projection *projection) {
    if (projection->has_opened)
        return 0;
    int r = open_file(projection);
    if (r == 0)
        r = load(projection);
    if (r == -ENOMEM)
        return r;
    projection->has_opened = true;
    if (r == -EUCLEAN || r == -EXDEV || r == -EPROTO) {
        tell(projection, r == -EXDEV    ? "of another log"
                         : r == -EPROTO ? "of another version"
                                        : "damaged");
        throw_away(projection);
    } else if (r < 0 && r != -ENOENT) {
        stay_in_memory(projection, r);
    }
    return 0;
}

/* A file that cannot be written stays as it is, and what leans on it. */
static int save(struct projection *projection) {
    struct hash root;
    uint64_t size = projection->facts->n_records;
    if (!projection->file || projection->is_in_memory || size == projection->n_saved)
        return 0;
    int r = projection_read_root(projection->log, size, &root);
    if (r == 0)
        r = facts_file_save(projection->file, projection->facts, &root);
    if (r == 0)
        projection->n_saved = size;
    if (r < 0 && r != -ENOMEM)
        stay_in_memory(projection, r);
    return r == -ENOMEM ? r : 0;
}

/* ---- catching up */

static int save_step(struct projection *projection) {
    uint64_t size = projection->facts->n_records;
    uint64_t least = MAX_OF(size / STEP_PART_LEAST, (uint64_t)projection->facts->n_accounts);
    uint64_t step = MAX_OF(projection->settings.step_records, MIN_OF(size / STEP_PART, least));
    return size - projection->n_saved < step ? 0 : save(projection);
}

/* As far as was asked for, and no further: the log may grow as fast as it is read. */
static int catch_up(struct projection *projection, uint64_t size, const atomic_bool *is_cancelled) {
    bool is_behind = true;
    int r = projection->facts ? 0 : facts_new(&projection->facts);
    while (r == 0 && is_behind && projection->facts->n_records < size) {
        r = projection_read_step(projection->log, projection->facts, is_cancelled, &is_behind);
        if (r == 0)
            r = save_step(projection);
    }
    return r;
}

static int place_person(void *user, const char *code, const struct people_person *person) {
    struct facts *facts = user;
    if (intern_find(&facts->account_codes, code, strlen(code)) == INTERN_NONE)
        return 0; /* of nobody that the log knows yet */
    int r = facts_set_ward(facts, code, person->ward);
    return r == 0 ? facts_set_age_band(facts, code, person->age_band) : r;
}

static bool has_people(const struct projection *projection) {
    return projection->n_accounts_placed == projection->facts->n_accounts &&
           projection->n_people_changes == people_n_changes(projection->people);
}

/* The register is read again only where it, or the accounts, are not what they were. */
static int place_people(struct projection *projection) {
    struct facts *facts = projection->facts;
    uint64_t n_changes = people_n_changes(projection->people);
    if (has_people(projection))
        return 0;
    for (size_t i = 0; i < facts->n_accounts; i++)
        facts->accounts[i].ward = facts->accounts[i].age_band = INTERN_NONE;
    int r = people_each_person(projection->people, place_person, facts);
    if (r < 0)
        return r;
    projection->n_people_changes = n_changes;
    projection->n_accounts_placed = facts->n_accounts;
    return 0;
}

static bool is_whole(const struct projection *projection) {
    return !projection->file || facts_file_is_whole(projection->file);
}

static int open_whole(struct projection *projection) {
    if (!is_whole(projection)) {
        tell(projection, "cut short");
        throw_away(projection);
    }
    return open_once(projection);
}

/* After an error nothing is half added: then they are not to be gone on with. */
static int read_on(struct projection *projection, uint64_t size, const atomic_bool *is_cancelled) {
    int r = catch_up(projection, size, is_cancelled);
    if (r < 0 && r != -ECANCELED && r != -ENOMEM && projection->n_saved > 0) {
        tell(projection, "damaged");
        throw_away(projection);
        r = catch_up(projection, size, is_cancelled);
    }
    if (r < 0 && r != -ECANCELED)
        drop(projection);
    atomic_store(&projection->n_known, projection->facts ? projection->facts->n_records : 0);
    return r;
}

static int bring_up(struct projection *projection, uint64_t size, const atomic_bool *is_cancelled) {
    int r = open_whole(projection);
    if (r == 0)
        r = read_on(projection, size, is_cancelled);
    if (r == 0)
        r = place_people(projection);
    if (r < 0 && r != -ECANCELED)
        drop(projection);
    if (r == 0)
        atomic_store(&projection->has_failed, false);
    return r;
}

/* ---- the lock */

static int lock(struct projection *projection, const atomic_bool *is_cancelled,
                int (*try)(pthread_rwlock_t *lock, const struct timespec *until)) {
    for (;;) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOCK_SLICE_NS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        int r = try(&projection->lock, &until);
        if (r == 0)
            return 0;
        if (r != ETIMEDOUT && r != EAGAIN)
            return -r;
        if (is_cancelled && atomic_load(is_cancelled))
            return -ECANCELED;
    }
}

/* Who has been placed a moment ago may be read, even if people change all the time. */
static int begin_reading(struct projection *projection, uint64_t size,
                         const atomic_bool *is_cancelled) {
    bool was_brought = false;
    int r = lock(projection, is_cancelled, pthread_rwlock_timedrdlock);
    while (r == 0) {
        const struct facts *facts = projection->facts;
        if (facts && facts->n_records >= size && is_whole(projection) &&
            (was_brought || has_people(projection)))
            return 0;
        pthread_rwlock_unlock(&projection->lock);
        r = lock(projection, is_cancelled, pthread_rwlock_timedwrlock);
        if (r < 0)
            return r;
        r = bring_up(projection, size, is_cancelled);
        was_brought = true;
        pthread_rwlock_unlock(&projection->lock);
        if (r == 0)
            r = lock(projection, is_cancelled, pthread_rwlock_timedrdlock);
    }
    return r;
}

int projection_begin(struct projection *projection, uint64_t size, const atomic_bool *is_cancelled,
                     const struct facts **ret, struct hash *ret_root) {
    struct hash root;
    int r = projection_read_root(projection->log, size, &root);
    if (r == 0) {
        atomic_fetch_add(&projection->n_asking, 1);
        r = begin_reading(projection, size, is_cancelled);
        atomic_fetch_sub(&projection->n_asking, 1);
    }
    if (r != 0)
        return r;
    *ret = projection->facts;
    *ret_root = root;
    return 0;
}

void projection_end(struct projection *projection) {
    pthread_rwlock_unlock(&projection->lock);
}

void projection_discard(struct projection *projection) {
    pthread_rwlock_wrlock(&projection->lock);
    if (projection->facts)
        tell(projection, "damaged");
    throw_away(projection);
    pthread_rwlock_unlock(&projection->lock);
}

/* ---- in the background */

/* Loads the facts, or reads a little on; FOLLOW_ENDS where there was nothing to read. */
static int follow_locked(struct projection *projection) {
    bool had_facts = projection->facts != NULL;
    int r = open_whole(projection);
    uint64_t n_before = projection->facts ? projection->facts->n_records : 0;
    if (r == 0 && (had_facts || n_before == 0)) {
        r = read_on(projection, n_before + 1, &projection->is_ending);
        return r == 0 && projection->facts->n_records == n_before ? FOLLOW_ENDS : r;
    }
    atomic_store(&projection->n_known, n_before);
    return r;
}

/* Whoever asks reads on by themselves, and sooner. */
static int follow_step(struct projection *projection) {
    if (atomic_load(&projection->n_asking) > 0 ||
        pthread_rwlock_trywrlock(&projection->lock) != 0) {
        usleep(FOLLOW_AGAIN_US);
        return 0;
    }
    int r = follow_locked(projection);
    pthread_rwlock_unlock(&projection->lock);
    return r;
}

static void *follow(void *user) {
    struct projection *projection = user;
    int r = 0;
    (void)setpriority(PRIO_PROCESS, 0, FOLLOW_NICE); /* of this thread; it works without, too */
    while (r == 0 && !atomic_load(&projection->is_ending) &&
           atomic_load(&projection->n_known) < atomic_load(&projection->n_wanted))
        r = follow_step(projection);
    if (r < 0 && r != -ECANCELED)
        atomic_store(&projection->has_failed, true);
    atomic_store(&projection->is_following, false);
    return NULL;
}

static void end_follower(struct projection *projection) {
    if (projection->has_follower)
        pthread_join(projection->follower, NULL);
    projection->has_follower = false;
}

void projection_follow(struct projection *projection, uint64_t size) {
    atomic_store(&projection->n_wanted, size);
    if (!projection->settings.in_background || atomic_load(&projection->is_following) ||
        atomic_load(&projection->has_failed) ||
        size < atomic_load(&projection->n_known) + projection->settings.step_records)
        return;
    end_follower(projection);
    atomic_store(&projection->is_following, true);
    projection->has_follower = pthread_create(&projection->follower, NULL, follow, projection) == 0;
    if (!projection->has_follower)
        atomic_store(&projection->is_following, false); /* the next time, or the next report */
}

struct projection *projection_free(struct projection *projection) {
    if (!projection)
        return NULL;
    atomic_store(&projection->is_ending, true);
    end_follower(projection);
    if (projection->facts && save(projection) < 0)
        say("%s/facts could not be written: the next report reads more of the log",
            projection->directory);
    facts_free(projection->facts);
    facts_file_close(projection->file);
    pthread_rwlock_destroy(&projection->lock);
    free(projection->directory);
    free(projection);
    return NULL;
}

/* ---- checking at rest */

struct comparing {
    void (*damaged)(void *user, const char *sentence);
    void *user;
};

static void differs(void *user, const char *what, uint64_t number) {
    struct comparing *comparing = user;
    char sentence[160];
    snprintf(sentence, sizeof(sentence), "%s %llu: not what the log says", what,
             (unsigned long long)number);
    comparing->damaged(comparing->user, sentence);
}

static int compare_made(struct facts *kept, struct store *log, const atomic_bool *is_cancelled,
                        struct comparing *comparing) {
    _cleanup_(facts_freep) struct facts *made = NULL;
    bool is_behind = true;
    int r = facts_new(&made);
    if (r == 0)
        memcpy(made->ids.key, kept->ids.key, sizeof(made->ids.key));
    while (r == 0 && is_behind && made->n_records < kept->n_records)
        r = projection_read_until(log, made, kept->n_records, is_cancelled, &is_behind);
    return r == 0 ? facts_file_compare(kept, made, differs, comparing) : r;
}

int projection_check(const char *directory, struct store *log, const atomic_bool *is_cancelled,
                     void (*damaged)(void *user, const char *sentence), void *user) {
    _cleanup_(facts_file_closep) struct facts_file *file = NULL;
    _cleanup_(facts_freep) struct facts *kept = NULL;
    _cleanup_(freep) char *path = NULL;
    struct comparing comparing = {damaged, user};
    struct hash root, is;
    if (asprintf(&path, "%s/facts", directory) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    if (access(path, F_OK) < 0)
        return 0;
    int r = facts_file_open(&file, path, RUNS_LAYOUT, 0);
    if (r == 0)
        r = facts_file_load(file, &kept, &root);
    if (r == -EUCLEAN)
        damaged(user, "damaged");
    if (r < 0) /* those of another version are made anew by the next report, without a word now */
        return r == -ENOENT || r == -EUCLEAN || r == -EPROTO ? 0 : r;
    r = projection_read_root(log, kept->n_records, &is);
    if (r < 0)
        return r;
    if (r > 0 || !hash_equal(&root, &is)) {
        damaged(user, "of another log");
        return 0;
    }
    return compare_made(kept, log, is_cancelled, &comparing);
}
