/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, closing and the clock of a bank; what travels beside a batch. */
#include "bank.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "backups.h"
#include "base/clock.h"
#include "head.h"

#define AHEAD_MS (3600u * 1000u)
#define START_AHEAD_MS (30ull * MS_PER_DAY)
#define REFUSALS_PER_HOUR 3u
#define LOCK_TRIES 20
#define LOCK_TRY_MS 25
#define DUE_ROOM_BYTES (128u * 1024) /* of the events of one run, generously */

static bool has_file(const char *directory, const char *name) {
    _cleanup_(freep) char *path = NULL;

    return asprintf(&path, "%s/%s", directory, name) >= 0 && access(path, F_OK) == 0;
}

/* The child of a killed daemon that was checking the ledger may hold the lock a moment longer: it
 * dies with its parent. */
static int lock_soon(int fd) {
    for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
        if (errno != EWOULDBLOCK || i == LOCK_TRIES)
            return -errno;
        usleep(LOCK_TRY_MS * 1000);
    }
    return 0;
}

/* Without its head or its store a ledger is damaged; without both it is none, and gets no lock. */
int bank_lock(const char *directory, int *ret_fd) {
    _cleanup_(freep) char *path = NULL;
    _cleanup_(closep) int fd = -1;
    int r;

    if (!has_file(directory, "head") && !has_file(directory, "ledger"))
        return -ENOENT;
    if (asprintf(&path, "%s/lock", directory) < 0)
        return -ENOMEM;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    r = lock_soon(fd);
    if (r < 0)
        return r;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int bank_origin(const char *directory, char ret[NOTE_ORIGIN_MAX + 1]) {
    struct head_slot slots[HEAD_SLOTS];
    bool valid[HEAD_SLOTS];
    const struct head_slot *latest;
    _cleanup_(freep) char *path = NULL;
    size_t n;
    int r;

    if (asprintf(&path, "%s/head", directory) < 0)
        return -ENOMEM;
    r = head_read(path, slots, valid);
    if (r < 0)
        return r;
    latest = head_latest(slots, valid);
    if (!latest)
        return -EUCLEAN;
    n = strcspn(latest->checkpoint, "\n");
    if (n == 0 || n > NOTE_ORIGIN_MAX || latest->checkpoint[n] != '\n')
        return -EUCLEAN;
    memcpy(ret, latest->checkpoint, n);
    ret[n] = '\0';
    return note_origin_is_valid(ret) ? 0 : -EUCLEAN;
}

static int commit_beside(void *user, void *const *items, size_t n_items) {
    struct bank *bank = user;
    struct people_write *write = NULL;
    uint64_t n_bytes = 0;
    int r = people_begin(bank->people, &write);

    if (r < 0)
        return r;
    for (size_t i = 0; i < n_items; i++) {
        const struct bank_beside *beside = items[i];
        n_bytes += beside->n_bytes;
        for (size_t j = 0; j < beside->n_notes; j++)
            people_put_note(write, beside->notes[j].id, beside->notes[j].salt,
                            beside->notes[j].text);
        for (size_t j = 0; j < beside->n_persons; j++)
            people_put_person(write, beside->persons[j].code, beside->persons[j].ward,
                              beside->persons[j].age_band);
    }
    r = people_commit(write);
    bank->beside_bytes -= n_bytes;
    return r;
}

static void free_beside(void *item) {
    bank_beside_free(item);
}

struct bank_beside *bank_beside_free(struct bank_beside *beside) {
    if (!beside)
        return NULL;
    for (size_t i = 0; i < beside->n_notes; i++)
        free(beside->notes[i].text);
    for (size_t i = 0; i < beside->n_persons; i++) {
        free(beside->persons[i].ward);
        free(beside->persons[i].age_band);
    }
    free(beside->notes);
    free(beside->persons);
    free(beside);
    return NULL;
}

static int open_keyring(struct bank *bank, const char *directory, char *why, size_t n_why) {
    char origin[NOTE_ORIGIN_MAX + 1];
    int r = bank_origin(directory, origin);

    if (r < 0) {
        snprintf(why, n_why,
                 "%s holds no ledger whose head can be read (%s): make one with timebankd "
                 "init, or run timebankd check",
                 directory, strerror(-r));
        return r;
    }
    bank->directory = strdup(directory);
    r = bank->directory ? bank_keys_open(bank, origin) : -ENOMEM;
    if (r == -ENOENT)
        snprintf(why, n_why,
                 "the ledger's key %s/ledger.key is not there: put it back, or, where it is gone "
                 "for good, have the ledger go on under another name with timebankd restore",
                 directory);
    else if (r < 0)
        snprintf(why, n_why,
                 "the ledger's key %s/ledger.key cannot be used (%s): it must be the daemon's own, "
                 "mode 0600, unencrypted and whole",
                 directory, strerror(-r));
    return r;
}

static int open_projection(struct bank *bank, const char *directory, char *why, size_t n_why) {
    const struct projection_settings settings = {.reserve_bytes = bank->settings.log.reserve_bytes,
                                                 .step_records = bank->settings.log.step_records,
                                                 .in_background =
                                                     !bank->settings.log.inline_commits};
    int r =
        projection_new(&bank->projection, directory, log_store(bank->log), bank->people, &settings);
    if (r < 0)
        snprintf(why, n_why, "%s cannot be opened (%s): free some memory and start again",
                 directory, strerror(-r));
    return r;
}

static int open_people(struct bank *bank, const char *directory, char *why, size_t n_why) {
    _cleanup_(freep) char *path = NULL;
    int r;

    if (asprintf(&path, "%s/people", directory) < 0)
        return -ENOMEM;
    r = people_open(&bank->people, path, bank->settings.people_map_bytes, false);
    if (r < 0)
        snprintf(why, n_why,
                 "the register of people in %s cannot be opened (%s): put it back from a "
                 "backup",
                 path, strerror(-r));
    return r;
}

int bank_open(struct bank **ret_bank, const char *directory, const struct bank_settings *settings,
              int lock_fd, uint64_t wall_ms, uint64_t monotonic_ms, char *why, size_t n_why) {
    struct bank *bank = calloc(1, sizeof(*bank));
    int r;

    if (!bank) {
        close(lock_fd);
        return -ENOMEM;
    }
    bank->settings = *settings;
    bank->lock_fd = lock_fd;
    bank->settings.log.beside = commit_beside;
    bank->settings.log.beside_free = free_beside;
    bank->settings.log.beside_user = bank;
    backups_clean(directory);
    r = open_keyring(bank, directory, why, n_why);
    if (r == 0)
        r = open_people(bank, directory, why, n_why);
    if (r == 0)
        r = log_open(&bank->log, directory, &bank->settings.log, bank->keyring, why, n_why);
    if (r == 0)
        r = open_projection(bank, directory, why, n_why);
    if (r < 0) {
        bank_close(bank);
        return r;
    }
    bank->started_ms = bank->monotonic_ms = bank->monotonic_reference_ms = monotonic_ms;
    bank->wall_ms = wall_ms;
    bank->time_reference_ms = bank_state(bank)->sums.ledger_time_ms;
    if (settings->accept_time || wall_ms <= bank->time_reference_ms + START_AHEAD_MS)
        bank->time_reference_ms = MAX_OF(bank->time_reference_ms, wall_ms);
    bank_set_time(bank, wall_ms, monotonic_ms);
    r = bank_keys_step(bank);
    if (r < 0) {
        snprintf(why, n_why,
                 "the files of the ledger's keys in %s cannot be brought in order (%s): free some "
                 "space and start again",
                 directory, strerror(-r));
        bank_close(bank);
        return r;
    }
    r = bank_erase(bank);
    if (r < 0) {
        snprintf(why, n_why,
                 "somebody is still to be erased from the register of people in %s/people, which "
                 "failed (%s): free some space and start again",
                 directory, strerror(-r));
        bank_close(bank);
        return r;
    }
    *ret_bank = bank;
    return 0;
}

int bank_close(struct bank *bank) {
    int r;

    if (!bank)
        return 0;
    projection_free(bank->projection);
    r = log_close(bank->log);
    people_close(bank->people);
    keyring_close(bank->keyring);
    free(bank->verifier_key);
    free(bank->directory);
    if (bank->lock_fd >= 0)
        close(bank->lock_fd);
    free(bank);
    return r;
}

void bank_set_time(struct bank *bank, uint64_t wall_ms, uint64_t monotonic_ms) {
    uint64_t passed = monotonic_ms - bank->monotonic_reference_ms;
    uint64_t expected_ms = bank->time_reference_ms + passed;

    bank->wall_ms = wall_ms;
    bank->monotonic_ms = monotonic_ms;
    bank->clock_is_ahead = wall_ms > expected_ms + AHEAD_MS;
    if (!bank->clock_is_ahead) {
        /* What passed while the wall clock was behind has passed all the same. */
        bank->time_reference_ms = MAX_OF(expected_ms, wall_ms);
        bank->monotonic_reference_ms = monotonic_ms;
    }
}

int bank_check_writable(struct bank *bank, uint64_t bytes, uint64_t beside_bytes) {
    uint64_t people_bytes = beside_bytes + bank->beside_bytes;

    if (bank->is_draining)
        return REFUSAL_SHUTTING_DOWN;
    if (bank->clock_is_ahead)
        return REFUSAL_CLOCK;
    if (beside_bytes > 0 && !people_has_room(bank->people, people_bytes))
        return REFUSAL_LEDGER_FULL;
    return log_check_room(bank->log, bytes + people_bytes);
}

int bank_run_due(struct bank *bank) {
    struct state *state = bank_state(bank);
    uint64_t until_ms = MAX_OF(state->sums.received_at_ms, bank->wall_ms);
    struct state_due due;
    int r;

    if (bank->clock_is_ahead)
        return 0; /* one bad second must not let everything lapse */
    r = ledger_due(state, until_ms, &due);
    if (r <= 0)
        return r;
    r = log_check_room(bank->log, DUE_ROOM_BYTES);
    while (r == 0) {
        if (!log_can_append(bank->log))
            return REFUSAL_TRY_LATER;
        r = log_run_due(bank->log, until_ms);
        if (r <= 0)
            return r;
        r = log_check_room(bank->log, DUE_ROOM_BYTES);
    }
    return r;
}

uint64_t bank_state_time(struct bank *bank) {
    return bank->clock_is_ahead ? bank_state(bank)->sums.ledger_time_ms : bank->wall_ms;
}

uint32_t bank_today(const struct bank *bank) {
    return clock_day(bank->wall_ms);
}

struct state *bank_state(struct bank *bank) {
    return log_state(bank->log);
}

static const struct bank_refusals *find_refusals(const struct bank *bank, const char *venue,
                                                 const char *member) {
    for (size_t i = 0; i < BANK_REFUSALS_MAX; i++)
        if (strcmp(bank->refusals[i].venue, venue) == 0 &&
            strcmp(bank->refusals[i].member, member) == 0)
            return &bank->refusals[i];
    return NULL;
}

static bool is_recent(const struct bank *bank, const struct bank_refusals *refusals) {
    return bank->monotonic_ms - refusals->since_ms <= AHEAD_MS;
}

void bank_count_refusal(struct bank *bank, const char *venue, const char *member) {
    const struct bank_refusals *known = find_refusals(bank, venue, member);
    struct bank_refusals *refusals =
        &bank->refusals[known ? (size_t)(known - bank->refusals)
                              : bank->next_refusal++ % BANK_REFUSALS_MAX];

    if (!known || !is_recent(bank, refusals)) {
        *refusals = (struct bank_refusals){.since_ms = bank->monotonic_ms};
        snprintf(refusals->venue, sizeof(refusals->venue), "%s", venue);
        snprintf(refusals->member, sizeof(refusals->member), "%s", member);
    }
    refusals->n++;
}

bool bank_refused_often(const struct bank *bank, const char *venue, const char *member) {
    const struct bank_refusals *refusals = find_refusals(bank, venue, member);

    return refusals && is_recent(bank, refusals) && refusals->n > REFUSALS_PER_HOUR;
}
