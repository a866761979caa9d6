/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is here before its first byte leaves and until an answer told what became of it, so that
 * a crash or a power cut in between loses nothing and counts nothing twice. The locks keep two
 * programs of one user from settling what the other is just sending.
 */
#include "outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/files.h"
#include "proto/frame.h"
#include "proto/text64.h"
#include "state.h"

#define MAGIC "TBO1"
#define MAGIC_BYTES 4
#define FILE_MAX (FRAME_MAX + MAGIC_BYTES + HASH_BYTES)
#define NEW_PREFIX ".new-"
#define NEW_KEPT_S (24 * 3600)
#define BATCH_ID_AT 72 /* in the header */

void outbox_slot_fini(struct outbox_slot *slot) {
    free(slot->path);
    closep(&slot->fd);
    slot->path = NULL;
    slot->fd = -1;
}

static int submit_write(const Timebank__Submit *submit, int fd) {
    _cleanup_bytes_ struct bytes file = {};
    size_t n = timebank__submit__get_packed_size(submit);
    bytes_put(&file, MAGIC, MAGIC_BYTES);
    uint8_t *payload = bytes_reserve(&file, n);
    if (!payload)
        return -ENOMEM;
    timebank__submit__pack(submit, payload);
    struct hash hash = hash_of(file.data, file.n);
    bytes_put(&file, hash.b, HASH_BYTES);
    if (file.r < 0)
        return file.r;
    for (size_t at = 0; at < file.n;) {
        ssize_t n_written = write(fd, file.data + at, file.n - at);
        if (n_written < 0 && errno != EINTR)
            return -errno;
        at += n_written > 0 ? (size_t)n_written : 0;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* The file under a name that nobody settles, locked and synced. */
static int new_make(const char *path, const Timebank__Submit *submit, int *ret_fd) {
    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    int r = submit_write(submit, fd);
    if (r < 0) {
        unlink(path);
        return r;
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static void names_make(const struct tb_bank *bank, const uint8_t *batch_id, char *name,
                       char *new_name) {
    char ledger[2 * HASH_BYTES + 1];
    char batch[2 * BATCH_ID_BYTES + 1];
    text64_hex(ledger, bank->ledger_id.b, HASH_BYTES);
    text64_hex(batch, batch_id, BATCH_ID_BYTES);
    sprintf(name, "%s-%s", ledger, batch);
    sprintf(new_name, NEW_PREFIX "%s", batch);
}

int outbox_put(struct tb_bank *bank, const Timebank__Submit *submit, struct outbox_slot *ret_slot) {
    char name[2 * HASH_BYTES + 2 * BATCH_ID_BYTES + 2];
    char new_name[sizeof(NEW_PREFIX) + 2 * BATCH_ID_BYTES];
    names_make(bank, submit->header.data + BATCH_ID_AT, name, new_name);
    _cleanup_(freep) char *path = NULL;
    _cleanup_(freep) char *new_path = NULL;
    int r = state_path(bank, "outbox", name, &path);
    if (r == 0)
        r = state_path(bank, "outbox", new_name, &new_path);
    if (r != 0)
        return r;
    _cleanup_(closep) int fd = -1;
    r = new_make(new_path, submit, &fd);
    if (r == 0 && rename(new_path, path) < 0)
        r = -errno;
    if (r == 0)
        r = file_sync_directory_of(path);
    if (r < 0)
        return bank_fail(bank, r, "The batch cannot be kept in %s, so it was not sent: %s.", path,
                         strerror(-r));
    *ret_slot = (struct outbox_slot){.path = TAKE(path), .fd = TAKE_FD(fd)};
    return 0;
}

void outbox_remove(struct outbox_slot *slot) {
    /* One that stays is sent once more and answered the same: nothing counts twice. */
    if (slot->path)
        unlink(slot->path);
    outbox_slot_fini(slot);
}

int outbox_set_aside(struct outbox_slot *slot, char **ret_path) {
    const char *slash = strrchr(slot->path, '/');
    _cleanup_(freep) char *path = NULL;
    if (asprintf(&path, "%.*s/refused-%s", (int)(slash - slot->path), slot->path, slash + 1) < 0)
        return -ENOMEM;
    if (rename(slot->path, path) < 0 && errno != ENOENT)
        return -errno;
    outbox_slot_fini(slot);
    *ret_path = TAKE(path);
    return 0;
}

/* What a crash left half written holds notes about people, and is of no use to anyone. */
static void new_clean(const char *directory, const char *name) {
    _cleanup_(freep) char *path = NULL;
    struct stat status;
    if (asprintf(&path, "%s/%s", directory, name) >= 0 && lstat(path, &status) == 0 &&
        time(NULL) - status.st_mtime > NEW_KEPT_S)
        unlink(path);
}

static int name_compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(char **names, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static int names_read(DIR *stream, const char *directory, const char *prefix, char **names,
                      size_t *ret_n) {
    size_t n = 0;
    const struct dirent *entry;
    while (n < OUTBOX_FILES_MAX && (entry = readdir(stream))) {
        if (strncmp(entry->d_name, NEW_PREFIX, strlen(NEW_PREFIX)) == 0)
            new_clean(directory, entry->d_name);
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        names[n] = strdup(entry->d_name);
        if (!names[n]) {
            *ret_n = n;
            return -ENOMEM;
        }
        n++;
    }
    *ret_n = n;
    return 0;
}

int outbox_list(struct tb_bank *bank, char ***ret_names, size_t *ret_n) {
    _cleanup_(freep) char *directory = NULL;
    int r = state_folder(bank, "outbox", &directory);
    if (r != 0)
        return r;
    DIR *stream = opendir(directory);
    if (!stream)
        return bank_fail(bank, -errno, "The outbox %s cannot be read: %s.", directory,
                         strerror(errno));
    char prefix[2 * HASH_BYTES + 2];
    text64_hex(prefix, bank->ledger_id.b, HASH_BYTES);
    strcat(prefix, "-");
    size_t n = 0;
    char **names = calloc(OUTBOX_FILES_MAX, sizeof(*names));
    r = names ? names_read(stream, directory, prefix, names, &n) : -ENOMEM;
    closedir(stream);
    if (r < 0) {
        names_free(names, n);
        return r;
    }
    /* Batch ids grow with time: by name is by age. */
    qsort(names, n, sizeof(*names), name_compare);
    *ret_names = names;
    *ret_n = n;
    return 0;
}

static int submit_parse(const struct bytes *file, struct arena *arena, Timebank__Submit **ret) {
    if (file->n < MAGIC_BYTES + HASH_BYTES || memcmp(file->data, MAGIC, MAGIC_BYTES) != 0)
        return -EBADMSG;
    size_t n_hashed = file->n - HASH_BYTES;
    struct hash hash = hash_of(file->data, n_hashed);
    if (memcmp(hash.b, file->data + n_hashed, HASH_BYTES) != 0)
        return -EBADMSG;
    Timebank__Submit *submit = timebank__submit__unpack(&arena->allocator, n_hashed - MAGIC_BYTES,
                                                        file->data + MAGIC_BYTES);
    if (!submit || submit->header.len != BATCH_HEADER_BYTES ||
        submit->signature.len != SSHSIG_SIGNATURE_BYTES)
        return -EBADMSG;
    *ret = submit;
    return 0;
}

int outbox_get(struct tb_bank *bank, const char *name, struct arena *arena,
               struct outbox_slot *ret_slot, Timebank__Submit **ret) {
    _cleanup_(freep) char *path = NULL;
    int r = state_path(bank, "outbox", name, &path);
    if (r != 0)
        return r;
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    _cleanup_bytes_ struct bytes file = {};
    r = file_read(path, FILE_MAX, &file);
    if (r == 0)
        r = submit_parse(&file, arena, ret);
    if (r == 0 || r == -EBADMSG)
        *ret_slot = (struct outbox_slot){.path = TAKE(path), .fd = TAKE_FD(fd)};
    return r;
}
