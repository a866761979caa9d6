/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is here before its first byte leaves and until an answer told what became of it, so that
 * a crash or a power cut in between loses nothing and counts nothing twice. The locks keep two
 * programs of one user from settling what the other is just sending.
 *
 * A file that nothing waits in any more takes a later batch. Beside its batch a file holds the head
 * that the batch's header names, under the same sync; so that a torn write never takes the last one
 * that was kept, a file is only used again while another one is free.
 */
#include "outbox.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/files.h"
#include "outbox-file.h"
#include "pins.h"
#include "proto/frame.h"
#include "proto/text64.h"
#include "state.h"

#define OLD_MAGIC                                                                                  \
    "TBO1" /* and a packed Submit, and the SHA-256 of both: one batch, then unlinked */
#define OLD_MAX (FRAME_MAX + OUTBOX_MAGIC_BYTES + HASH_BYTES)
#define NEW_PREFIX ".new-" /* a batch of the old form, half written */
#define NEW_KEPT_S (24 * 3600)
#define MAKE_TRIES 100
#define FREE_MAX 4 /* files that wait for a batch */
#define NAME_BYTES (2 * HASH_BYTES + 2 * BATCH_ID_BYTES + 2)
#define HEADER_AT 3 /* in a packed Submit, behind its tag and length */
#define ORDERS_AT (HEADER_AT + BATCH_HEADER_BYTES + 2 + SSHSIG_SIGNATURE_BYTES + 1)
#define BATCH_ID_AT 72 /* in the header */

void outbox_slot_fini(struct outbox_slot *slot) {
    free(slot->path);
    closep(&slot->fd);
    slot->path = NULL;
    slot->fd = -1;
}

/* ------------------------------------------------------------- files to use again */

static bool file_is_there(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

/* Only where it still holds nothing that waits: what another process forked off may have used it.
 */
static void free_unlink(struct outbox_slot *slot) {
    struct outbox_head head;
    int r = outbox_file_head(slot->fd, &head);
    if (r == 1 || (r == 0 && head.n_body == 0))
        unlink(slot->path);
    outbox_slot_fini(slot);
}

static struct outbox_slot free_take_first(struct tb_bank *bank) {
    struct outbox_slot slot = bank->outbox_free[0];
    bank->n_outbox_free--;
    memmove(&bank->outbox_free[0], &bank->outbox_free[1],
            bank->n_outbox_free * sizeof(*bank->outbox_free));
    return slot;
}

/* The oldest goes where there are too many: the newest head is in the last one. */
static void free_put(struct tb_bank *bank, struct outbox_slot *slot) {
    if (!bank->outbox_free)
        bank->outbox_free = calloc(FREE_MAX, sizeof(*bank->outbox_free));
    if (!bank->outbox_free) {
        outbox_slot_fini(slot);
        return;
    }
    if (bank->n_outbox_free == FREE_MAX) {
        struct outbox_slot oldest = free_take_first(bank);
        free_unlink(&oldest);
    }
    size_t at = bank->n_outbox_free++;
    for (; at > 0 && bank->outbox_free[at - 1].pin_size > slot->pin_size; at--)
        bank->outbox_free[at] = bank->outbox_free[at - 1];
    bank->outbox_free[at] = *slot;
    *slot = (struct outbox_slot)OUTBOX_SLOT_INIT;
}

void outbox_close(struct tb_bank *bank, bool may_unlink) {
    while (bank->n_outbox_free > 0) {
        struct outbox_slot slot = free_take_first(bank);
        if (may_unlink)
            free_unlink(&slot);
        outbox_slot_fini(&slot);
    }
    free(bank->outbox_free);
    bank->outbox_free = NULL;
}

/* --------------------------------------------------------------------- keeping one */

static int slot_make_named(struct tb_bank *bank, const uint8_t *id, struct outbox_slot *ret) {
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
    if (!file_is_there(fd))
        return -EAGAIN;
    *ret = (struct outbox_slot){.path = TAKE(path), .fd = TAKE_FD(fd)};
    return 0;
}

/* Another program that looks through the outbox may take a file that was just made: it is empty,
 * and is that one's to use. One of the same name may hold a later batch by now. */
static int slot_make(struct tb_bank *bank, const uint8_t *batch_id, struct outbox_slot *ret) {
    uint8_t id[BATCH_ID_BYTES];
    int r = -EAGAIN;
    memcpy(id, batch_id, BATCH_ID_BYTES);
    for (int i = 0; i < MAKE_TRIES && (r == -EAGAIN || r == -EEXIST); i++) {
        if (i > 0)
            batch_id_new(clock_wall_ms(), id);
        r = slot_make_named(bank, id, ret);
    }
    return r;
}

/* The file in which this very batch waits; -ENOENT where it does not any more. It is not written
 * again: it may be recorded already, and half overwritten nobody could tell which one it was. */
static int slot_again(const char *path, const struct bytes *body, struct outbox_slot *ret) {
    struct outbox_head head;
    _cleanup_bytes_ struct bytes kept = {};
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    if (!file_is_there(fd) || outbox_file_head(fd, &head) != 0 || head.n_body != body->n ||
        outbox_file_body(fd, &head, &kept) < 0 || memcmp(kept.data, body->data, body->n) != 0)
        return -ENOENT;
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    *ret = (struct outbox_slot){.path = copy, .fd = TAKE_FD(fd)};
    return 0;
}

/* A free file while another one is left, else a new one. */
static int slot_take(struct tb_bank *bank, const uint8_t *batch_id, struct outbox_slot *ret,
                     bool *ret_is_new) {
    while (bank->n_outbox_free > 1) {
        struct outbox_slot slot = free_take_first(bank);
        if (file_is_there(slot.fd)) {
            *ret = slot;
            *ret_is_new = false;
            return 0;
        }
        outbox_slot_fini(&slot);
    }
    *ret_is_new = true;
    return slot_make(bank, batch_id, ret);
}

/* Where the orders are: in a Submit that ends where the body ends. */
static void orders_find(const struct bytes *body, Timebank__Submit *submit,
                        struct outbox_head *head) {
    size_t n = submit->orders.len, n_length = 1;
    for (size_t left = n; left >= 0x80; left >>= 7)
        n_length++;
    head->orders_at =
        (uint32_t)(body->n - timebank__submit__get_packed_size(submit) + ORDERS_AT + n_length);
    head->n_orders = (uint32_t)n;
    assert(head->orders_at + n <= body->n && n > 0 &&
           memcmp(body->data + head->orders_at, submit->orders.data, MIN_OF(n, (size_t)16)) == 0);
}

static uint64_t pin_size(const Timebank__Submit *submit) {
    struct batch_header header;
    return batch_header_unpack(submit->header.data, &header) == 0 ? header.pin_size : 0;
}

static int slot_fill(struct tb_bank *bank, const struct bytes *body, Timebank__Submit *submit,
                     struct outbox_slot *ret_slot) {
    struct outbox_slot slot = OUTBOX_SLOT_INIT;
    struct outbox_head head = {};
    _cleanup_bytes_ struct bytes pin = {};
    bool is_new = false;
    const uint8_t *batch_id = submit->header.data + BATCH_ID_AT;
    memcpy(head.batch_id, batch_id, BATCH_ID_BYTES);
    orders_find(body, submit, &head);
    pins_text(bank, &pin);
    int r = pin.r;
    if (r == 0)
        r = slot_take(bank, batch_id, &slot, &is_new);
    if (r == 0)
        r = outbox_file_put(slot.fd, &head, &pin, body);
    if (r == 0 && is_new)
        r = file_sync_directory_of(slot.path);
    if (r == 0) {
        *ret_slot = slot;
        return 0;
    }
    /* Whoever is told that it was not sent may enter it again: it must not wait there. */
    if (slot.path && unlink(slot.path) < 0)
        (void)!outbox_file_clear(slot.fd);
    outbox_slot_fini(&slot);
    return r;
}

int outbox_put(struct tb_bank *bank, const struct bytes *body, Timebank__Submit *submit,
               const char *kept, struct outbox_slot *ret_slot) {
    int r = kept ? slot_again(kept, body, ret_slot) : -ENOENT;
    if (r < 0)
        r = slot_fill(bank, body, submit, ret_slot);
    if (r == 0) {
        ret_slot->pin_size = pin_size(submit);
        return 0;
    }
    return bank_fail(bank, r, "The batch cannot be kept in the outbox, so it was not sent: %s.",
                     r < 0 ? strerror(-r) : bank->message);
}

void outbox_remove(struct tb_bank *bank, struct outbox_slot *slot) {
    /* One that stays is sent once more and answered the same: nothing counts twice. */
    if (slot->path && slot->is_old)
        unlink(slot->path);
    else if (slot->path && outbox_file_clear(slot->fd) == 0)
        free_put(bank, slot);
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

/* What waits, and since when: batch ids grow with time. */
struct waiting {
    char *name;
    char since[2 * BATCH_ID_BYTES + 1];
};

static int waiting_compare(const void *a, const void *b) {
    return strcmp(((const struct waiting *)a)->since, ((const struct waiting *)b)->since);
}

static bool is_free_of_ours(const struct tb_bank *bank, const char *name) {
    for (size_t i = 0; i < bank->n_outbox_free; i++)
        if (strcmp(strrchr(bank->outbox_free[i].path, '/') + 1, name) == 0)
            return true;
    return false;
}

static int file_open(struct tb_bank *bank, const char *name, struct outbox_slot *ret) {
    _cleanup_(freep) char *path = NULL;
    int r = state_path(bank, "outbox", name, &path);
    if (r != 0)
        return r;
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    *ret = (struct outbox_slot){.path = TAKE(path), .fd = TAKE_FD(fd)};
    return 0;
}

static bool file_is_old(int fd) {
    char magic[OUTBOX_MAGIC_BYTES];
    return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
           memcmp(magic, OLD_MAGIC, sizeof(magic)) == 0;
}

/* 1: a batch waits in it, since then; 0: none, or it is somebody else's just now. A file that a
 * process left without a batch is used again. */
static int file_look(struct tb_bank *bank, const char *name, char *ret_since) {
    struct outbox_slot slot = OUTBOX_SLOT_INIT;
    struct outbox_head head;
    int r = file_open(bank, name, &slot);
    if (r != 0)
        return r == -ENOENT || r == -ELOOP ? 0 : r;
    if (flock(slot.fd, LOCK_EX | LOCK_NB) < 0 || !file_is_there(slot.fd)) {
        outbox_slot_fini(&slot);
        return 0;
    }
    r = file_is_old(slot.fd) ? -EBADMSG : outbox_file_head(slot.fd, &head);
    bool is_free = r == 1 || (r == 0 && head.n_body == 0);
    if (r == 0)
        text64_hex(ret_since, head.batch_id, BATCH_ID_BYTES);
    else /* a name of the old form ends with the batch's id */
        snprintf(ret_since, 2 * BATCH_ID_BYTES + 1, "%s", name + 2 * HASH_BYTES + 1);
    if (is_free && bank->n_outbox_free < FREE_MAX)
        free_put(bank, &slot);
    outbox_slot_fini(&slot);
    return !is_free;
}

static void names_free(char **names, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* Names of the ledger's files; the caller's. */
static int names_read(struct tb_bank *bank, char ***ret_names, size_t *ret_n) {
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
    r = names ? 0 : -ENOMEM;
    for (const struct dirent *entry; r == 0 && n < OUTBOX_FILES_MAX && (entry = readdir(stream));) {
        if (strncmp(entry->d_name, NEW_PREFIX, strlen(NEW_PREFIX)) == 0)
            new_clean(directory, entry->d_name);
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        names[n] = strdup(entry->d_name);
        r = names[n++] ? 0 : -ENOMEM;
    }
    closedir(stream);
    if (r < 0) {
        names_free(names, n);
        return r;
    }
    *ret_names = names;
    *ret_n = n;
    return 0;
}

/* Takes out what nothing waits in, and puts the rest in order. */
static int names_sift(struct tb_bank *bank, char **names, size_t *n_names) {
    struct waiting *list = calloc(MAX_OF(*n_names, (size_t)1), sizeof(*list));
    size_t n = 0;
    if (!list)
        return -ENOMEM;
    int r = 0;
    for (size_t i = 0; i < *n_names; i++) {
        int looked =
            r < 0 || is_free_of_ours(bank, names[i]) ? 0 : file_look(bank, names[i], list[n].since);
        r = looked < 0 ? looked : r;
        if (looked == 1)
            list[n++].name = names[i];
        else
            free(names[i]);
    }
    qsort(list, n, sizeof(*list), waiting_compare);
    for (size_t i = 0; i < n; i++)
        names[i] = list[i].name;
    *n_names = n;
    free(list);
    return r;
}

int outbox_list(struct tb_bank *bank, char ***ret_names, size_t *ret_n) {
    char **names = NULL;
    size_t n = 0;
    int r = names_read(bank, &names, &n);
    if (r == 0)
        r = names_sift(bank, names, &n);
    if (r != 0) {
        names_free(names, n);
        return r;
    }
    *ret_names = names;
    *ret_n = n;
    return 0;
}

int outbox_pins(struct tb_bank *bank, int (*take)(struct tb_bank *, const struct bytes *)) {
    char **names = NULL;
    size_t n = 0;
    int r = names_read(bank, &names, &n);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct outbox_slot slot = OUTBOX_SLOT_INIT;
        struct outbox_head head;
        _cleanup_bytes_ struct bytes text = {};
        r = file_open(bank, names[i], &slot);
        if (r == 0 && outbox_file_head(slot.fd, &head) == 0 &&
            outbox_file_pin(slot.fd, &head, &text) == 0)
            r = take(bank, &text);
        outbox_slot_fini(&slot);
        r = r == -ENOENT || r == -ELOOP ? 0 : r;
    }
    names_free(names, n);
    return r;
}

/* ------------------------------------------------------------------ reading one */

static int submit_check(Timebank__Submit *submit) {
    return submit && submit->header.len == BATCH_HEADER_BYTES &&
                   submit->signature.len == SSHSIG_SIGNATURE_BYTES
               ? 0
               : -EBADMSG;
}

static int old_parse(const struct bytes *file, struct arena *arena, Timebank__Submit **ret) {
    if (file->n < OUTBOX_MAGIC_BYTES + HASH_BYTES)
        return -EBADMSG;
    size_t n_hashed = file->n - HASH_BYTES;
    struct hash hash = hash_of(file->data, n_hashed);
    if (memcmp(hash.b, file->data + n_hashed, HASH_BYTES) != 0)
        return -EBADMSG;
    *ret = timebank__submit__unpack(&arena->allocator, n_hashed - OUTBOX_MAGIC_BYTES,
                                    file->data + OUTBOX_MAGIC_BYTES);
    return submit_check(*ret);
}

static int new_parse(int fd, struct arena *arena, Timebank__Submit **ret) {
    struct outbox_head head;
    _cleanup_bytes_ struct bytes body = {};
    int r = outbox_file_head(fd, &head);
    if (r == 1 || (r == 0 && head.n_body == 0))
        return -ENOENT;
    if (r == 0)
        r = outbox_file_body(fd, &head, &body);
    if (r < 0)
        return r;
    Timebank__Request *request = timebank__request__unpack(&arena->allocator, body.n, body.data);
    if (!request || request->body_case != TIMEBANK__REQUEST__BODY_SUBMIT)
        return -EBADMSG;
    *ret = request->submit;
    return submit_check(*ret);
}

int outbox_get(struct tb_bank *bank, const char *name, struct arena *arena,
               struct outbox_slot *ret_slot, Timebank__Submit **ret) {
    struct outbox_slot slot = OUTBOX_SLOT_INIT;
    _cleanup_bytes_ struct bytes file = {};
    int r = file_open(bank, name, &slot);
    if (r != 0)
        return r;
    if (flock(slot.fd, LOCK_EX | LOCK_NB) < 0)
        r = -errno;
    else if (!file_is_there(slot.fd))
        r = -ENOENT;
    slot.is_old = r == 0 && file_is_old(slot.fd);
    if (r == 0 && slot.is_old)
        r = file_read(slot.path, OLD_MAX, &file);
    if (r == 0)
        r = slot.is_old ? old_parse(&file, arena, ret) : new_parse(slot.fd, arena, ret);
    if (r == 0)
        slot.pin_size = pin_size(*ret);
    if (r == 0 || r == -EBADMSG)
        *ret_slot = slot;
    else
        outbox_slot_fini(&slot);
    return r;
}
