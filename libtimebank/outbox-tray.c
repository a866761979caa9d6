/* SPDX-License-Identifier: Apache-2.0 */
/* The lock is the open file's: it lives as long as the tray, whoever of ours works at it. */
#include "outbox-tray.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/files.h"
#include "outbox-file.h"
#include "proto/text64.h"
#include "state.h"

#define MAKE_TRIES 100
#define FREE_MAX 4 /* files that wait for a batch */
#define NAME_BYTES (2 * HASH_BYTES + 2 * BATCH_ID_BYTES + 2)

bool outbox_tray_is_there(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

static void tray_free(struct outbox_tray *tray) {
    closep(&tray->fd);
    free(tray->path);
    free(tray);
}

/* ---- free ones, oldest first */

/* Only where it still holds nothing that waits: what another process forked off may have used it.
 */
static void free_unlink(struct outbox_tray *tray) {
    unsigned n = 0;
    if (outbox_file_waiting(tray->fd, &n) == 0 && n == 0)
        unlink(tray->path);
    tray_free(tray);
}

static struct outbox_tray *free_take_first(struct tb_bank *bank) {
    struct outbox_tray *tray = bank->outbox_free[0];
    bank->n_outbox_free--;
    memmove(&bank->outbox_free[0], &bank->outbox_free[1],
            bank->n_outbox_free * sizeof(struct outbox_tray *));
    return tray;
}

/* The oldest goes where there are too many: the newest head is in the last one. */
static void free_put(struct outbox_tray *tray) {
    struct tb_bank *bank = tray->bank;
    if (!bank->outbox_free)
        bank->outbox_free = calloc(FREE_MAX, sizeof(struct outbox_tray *));
    if (!bank->outbox_free) {
        tray_free(tray);
        return;
    }
    if (bank->n_outbox_free == FREE_MAX)
        free_unlink(free_take_first(bank));
    size_t at = bank->n_outbox_free++;
    for (; at > 0 && bank->outbox_free[at - 1]->pin_size > tray->pin_size; at--)
        bank->outbox_free[at] = bank->outbox_free[at - 1];
    bank->outbox_free[at] = tray;
}

bool outbox_tray_is_free(const struct tb_bank *bank, const char *name) {
    for (size_t i = 0; i < bank->n_outbox_free; i++)
        if (strcmp(strrchr(bank->outbox_free[i]->path, '/') + 1, name) == 0)
            return true;
    return false;
}

void outbox_tray_close(struct tb_bank *bank, bool may_unlink) {
    while (bank->n_outbox_free > 0) {
        struct outbox_tray *tray = free_take_first(bank);
        if (may_unlink)
            free_unlink(tray);
        else
            tray_free(tray);
    }
    free(bank->outbox_free);
    bank->outbox_free = NULL;
}

/* ---- held ones */

static struct outbox_tray *tray_held(struct outbox_tray *tray) {
    struct tb_bank *bank = tray->bank;
    if (tray->n_held++ == 0) {
        tray->next = bank->outbox_trays;
        bank->outbox_trays = tray;
    }
    return tray;
}

/* An open file and its name, which change hands. */
static int tray_new(struct tb_bank *bank, char **path, int *fd, struct outbox_tray **ret_tray) {
    struct outbox_tray *tray = calloc(1, sizeof(*tray));
    if (!tray)
        return -ENOMEM;
    *tray = (struct outbox_tray){.bank = bank, .path = TAKE(*path), .fd = TAKE_FD(*fd)};
    *ret_tray = tray;
    return 0;
}

static int tray_make_named(struct tb_bank *bank, const uint8_t *id, struct outbox_tray **ret) {
    char name[NAME_BYTES];
    char batch[2 * BATCH_ID_BYTES + 1];
    _cleanup_(freep) char *path = NULL;
    text64_hex(name, bank->ledger_id.b, HASH_BYTES);
    text64_hex(batch, id, BATCH_ID_BYTES);
    strcat(strcat(name, "-"), batch);
    int r = state_path(bank, "outbox", name, &path);
    if (r != 0)
        return r;
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    if (!outbox_tray_is_there(fd))
        return -EAGAIN;
    r = tray_new(bank, &path, &fd, ret);
    if (r == 0)
        (*ret)->is_new = true;
    return r;
}

/* Another program that looks through the outbox may take a file that was just made: it is empty,
 * and is that one's to use. One of the same name may hold a later batch by now. */
static int tray_make(struct tb_bank *bank, const uint8_t *batch_id, struct outbox_tray **ret) {
    uint8_t id[BATCH_ID_BYTES];
    int r = -EAGAIN;
    memcpy(id, batch_id, BATCH_ID_BYTES);
    for (int i = 0; i < MAKE_TRIES && (r == -EAGAIN || r == -EEXIST); i++) {
        if (i > 0)
            batch_id_new(clock_wall_ms(), id);
        r = tray_make_named(bank, id, ret);
    }
    return r;
}

static struct outbox_tray *tray_reuse(struct tb_bank *bank) {
    while (bank->n_outbox_free > 1) {
        struct outbox_tray *tray = free_take_first(bank);
        if (outbox_tray_is_there(tray->fd)) {
            tray->is_synced = false;
            tray->n_places = 0;
            return tray;
        }
        tray_free(tray);
    }
    return NULL;
}

int outbox_tray_take(struct tb_bank *bank, const uint8_t *batch_id, bool is_small,
                     struct outbox_tray **ret_tray) {
    struct outbox_tray *tray = bank->outbox_collects;
    if (is_small && tray && tray->n_places < OUTBOX_PLACES) {
        *ret_tray = tray_held(tray);
        return 0;
    }
    tray = tray_reuse(bank);
    int r = tray ? 0 : tray_make(bank, batch_id, &tray);
    if (r != 0)
        return r;
    if (is_small)
        bank->outbox_collects = tray;
    tray->is_used = true;
    *ret_tray = tray_held(tray);
    return 0;
}

static int tray_open(struct tb_bank *bank, const char *path, struct outbox_tray **ret) {
    unsigned n_waiting = 0;
    _cleanup_(freep) char *copy = strdup(path);
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (!copy)
        return -ENOMEM;
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    if (!outbox_tray_is_there(fd))
        return -ENOENT;
    int r = outbox_file_waiting(fd, &n_waiting);
    if (r == 0)
        r = tray_new(bank, &copy, &fd, ret);
    if (r == 0)
        (*ret)->n_waiting = n_waiting;
    return r;
}

int outbox_tray_hold(struct tb_bank *bank, const char *path, struct outbox_tray **ret_tray) {
    struct outbox_tray *tray = bank->outbox_trays;
    while (tray && strcmp(tray->path, path) != 0)
        tray = tray->next;
    int r = tray ? 0 : tray_open(bank, path, &tray);
    if (r == 0)
        *ret_tray = tray_held(tray);
    return r;
}

/* The disk tells of a failure once, to whoever asks first: it holds for all that is in the file. */
int outbox_tray_sync(struct outbox_tray *tray) {
    if (tray->bank->outbox_collects == tray)
        tray->bank->outbox_collects = NULL;
    if (tray->is_synced || tray->r < 0)
        return tray->r;
    if (fdatasync(tray->fd) < 0)
        tray->r = -errno;
    if (tray->r == 0 && tray->is_new)
        tray->r = file_sync_directory_of(tray->path);
    tray->is_synced = tray->r == 0;
    tray->is_new = tray->is_new && !tray->is_synced;
    return tray->r;
}

struct outbox_tray *outbox_tray_release(struct outbox_tray *tray) {
    if (!tray || --tray->n_held > 0)
        return NULL;
    struct tb_bank *bank = tray->bank;
    struct outbox_tray **at = &bank->outbox_trays;
    while (*at != tray)
        at = &(*at)->next;
    *at = tray->next;
    if (bank->outbox_collects == tray)
        bank->outbox_collects = NULL;
    bool is_free = tray->n_waiting == 0 && tray->r == 0;
    /* Whoever is told that it was not sent may enter it again: it must not wait there. */
    if (tray->n_waiting == 0 && tray->r < 0)
        unlink(tray->path);
    if (is_free && (tray->is_used || bank->n_outbox_free < FREE_MAX))
        free_put(tray);
    else
        tray_free(tray);
    return NULL;
}
