/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is here before its first byte leaves and until an answer told what became of it, so that
 * a crash or a power cut in between loses nothing and counts nothing twice. The locks keep two
 * programs of one user from settling what the other is just sending.
 *
 * Beside its batch a file holds the head that the batch's header names, under the same sync.
 */
#include "outbox.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "outbox-file.h"
#include "outbox-tray.h"
#include "pins.h"
#include "proto/frame.h"
#include "proto/text64.h"
#include "state.h"

#define OLD_MAGIC                                                                                  \
    "TBO1" /* and a packed Submit, and the SHA-256 of both: one batch, then unlinked */
#define OLD_MAX (FRAME_MAX + OUTBOX_MAGIC_BYTES + HASH_BYTES)
#define NEW_PREFIX ".new-" /* a batch of the old form, half written */
#define NEW_KEPT_S (24 * 3600)
#define HEADER_AT 3 /* in a packed Submit, behind its tag and length */
#define ORDERS_AT (HEADER_AT + BATCH_HEADER_BYTES + 2 + SSHSIG_SIGNATURE_BYTES + 1)
#define BATCH_ID_AT 72 /* in the header */

static uint32_t place_bit(uint32_t at) {
    return UINT32_C(1) << at / OUTBOX_PLACE_BYTES;
}

static struct outbox_slot slot_begin(struct outbox_tray *tray, uint32_t at) {
    tray->at_work |= place_bit(at);
    return (struct outbox_slot){.tray = tray, .at = at};
}

void outbox_slot_fini(struct outbox_slot *slot) {
    if (slot->tray) {
        slot->tray->at_work &= ~place_bit(slot->at);
        outbox_tray_release(slot->tray);
    }
    *slot = (struct outbox_slot){};
}

void outbox_slot_leave(struct outbox_slot *slot, struct outbox_kept *ret_kept) {
    char *path = slot->tray ? strdup(slot->tray->path) : NULL;
    if (path) {
        free(ret_kept->path);
        *ret_kept = (struct outbox_kept){.path = path, .at = slot->at};
    }
    outbox_slot_fini(slot);
}

void outbox_close(struct tb_bank *bank, bool may_unlink) {
    outbox_tray_close(bank, may_unlink);
}

/* --------------------------------------------------------------------- keeping one */

/* The place in which this very batch waits; -ENOENT where it does not any more. It is not written
 * again: it may be recorded already, and half overwritten nobody could tell which one it was. */
static int slot_again(struct tb_bank *bank, const struct outbox_kept *kept,
                      const struct bytes *body, struct outbox_slot *ret) {
    struct outbox_head head;
    struct outbox_tray *tray = NULL;
    _cleanup_bytes_ struct bytes there = {};
    int r = outbox_tray_hold(bank, kept->path, &tray);
    if (r < 0)
        return r;
    if ((tray->at_work & place_bit(kept->at)) || outbox_file_head(tray->fd, kept->at, &head) != 0 ||
        head.n_body != body->n || outbox_file_body(tray->fd, &head, &there) < 0 ||
        memcmp(there.data, body->data, body->n) != 0) {
        outbox_tray_release(tray);
        return -ENOENT;
    }
    *ret = slot_begin(tray, kept->at);
    return 0;
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

/* Puts it behind what is in the tray. */
static int tray_put(struct outbox_tray *tray, struct outbox_head *head, const struct bytes *pin,
                    const struct bytes *body, struct outbox_slot *ret_slot) {
    head->at = tray->n_places * OUTBOX_PLACE_BYTES;
    int r = outbox_file_put(tray->fd, head, pin, body);
    if (r < 0 && outbox_file_clear(tray->fd, head->at) < 0)
        tray->r = r; /* Whoever is told that it was not sent may enter it again. */
    if (r < 0)
        return r;
    tray->n_places++;
    tray->n_waiting++;
    tray->is_synced = false;
    *ret_slot = slot_begin(tray, head->at);
    return 0;
}

static int slot_fill(struct tb_bank *bank, const struct bytes *body, Timebank__Submit *submit,
                     struct outbox_slot *ret_slot) {
    struct outbox_head head = {};
    struct outbox_tray *tray = NULL;
    _cleanup_bytes_ struct bytes pin = {};
    const uint8_t *batch_id = submit->header.data + BATCH_ID_AT;
    memcpy(head.batch_id, batch_id, BATCH_ID_BYTES);
    orders_find(body, submit, &head);
    pins_text(bank, &pin);
    head.is_together = outbox_file_is_small(&pin, body);
    int r = pin.r;
    if (r == 0)
        r = outbox_tray_take(bank, batch_id, head.is_together, &tray);
    if (r != 0)
        return r;
    r = tray_put(tray, &head, &pin, body, ret_slot);
    if (r < 0)
        outbox_tray_release(tray);
    return r;
}

static int keep_fail(struct tb_bank *bank, int r) {
    return bank_fail(bank, r, "The batch cannot be kept in the outbox, so it was not sent: %s.",
                     r < 0 ? strerror(-r) : bank->message);
}

int outbox_put(struct tb_bank *bank, const struct bytes *body, Timebank__Submit *submit,
               const struct outbox_kept *kept, struct outbox_slot *ret_slot) {
    int r = kept->path ? slot_again(bank, kept, body, ret_slot) : -ENOENT;
    if (r < 0)
        r = slot_fill(bank, body, submit, ret_slot);
    if (r != 0)
        return keep_fail(bank, r);
    ret_slot->tray->pin_size = MAX_OF(ret_slot->tray->pin_size, pin_size(submit));
    return 0;
}

int outbox_sync(struct tb_bank *bank, struct outbox_slot *slot) {
    int r = slot->tray ? outbox_tray_sync(slot->tray) : 0;
    return r < 0 ? keep_fail(bank, r) : 0;
}

void outbox_remove(struct outbox_slot *slot) {
    struct outbox_tray *tray = slot->tray;
    /* One that stays is sent once more and answered the same: nothing counts twice. */
    if (tray && slot->is_old)
        unlink(tray->path);
    else if (tray && outbox_file_clear(tray->fd, slot->at) == 0) {
        tray->n_waiting--;
        tray->is_used = true;
    }
    outbox_slot_fini(slot);
}

/* Out of a file that others may wait in. */
static int place_move(struct outbox_slot *slot, const char *path) {
    uint8_t place[OUTBOX_PLACE_BYTES] = {};
    ssize_t n = pread(slot->tray->fd, place, sizeof(place), slot->at);
    int r = n < 0 ? -errno : file_replace(path, 0600, place, sizeof(place));
    if (r == 0)
        r = outbox_file_clear(slot->tray->fd, slot->at);
    return r;
}

static bool slot_is_together(const struct outbox_slot *slot) {
    struct outbox_head head = {.at = OUTBOX_NOWHERE};
    int r = outbox_file_next(slot->tray->fd, &head);
    return (r == 0 || r == -EBADMSG) && head.is_together;
}

int outbox_set_aside(struct outbox_slot *slot, char **ret_path) {
    const char *from = slot->tray->path, *slash = strrchr(from, '/');
    _cleanup_(freep) char *path = NULL;
    bool is_together = slot_is_together(slot);
    char place[16] = "";
    int r = 0;
    if (is_together)
        snprintf(place, sizeof(place), ".%u", (unsigned)(slot->at / OUTBOX_PLACE_BYTES));
    if (asprintf(&path, "%.*s/refused-%s%s", (int)(slash - from), from, slash + 1, place) < 0)
        return -ENOMEM;
    if (is_together)
        r = place_move(slot, path);
    else if (rename(from, path) < 0 && errno != ENOENT)
        r = -errno;
    if (r < 0)
        return r;
    slot->tray->n_waiting -= is_together;
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

static bool file_is_old(int fd) {
    char magic[OUTBOX_MAGIC_BYTES];
    return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
           memcmp(magic, OLD_MAGIC, sizeof(magic)) == 0;
}

static void strings_free(char **names, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* The list with room for one more behind n, doubled when n is a power of two: nearly always nothing
 * waits. NULL: no memory, the list stands. */
static void *list_grow(void *list, size_t n, size_t n_element) {
    if (n != 0 && (n & (n - 1)) != 0)
        return list;
    return reallocarray(list, n ? 2 * n : 1, n_element);
}

static int name_put(char ***names, size_t *n, const char *name) {
    char **grown = list_grow(*names, *n, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    *names = grown;
    grown[*n] = strdup(name);
    if (!grown[*n])
        return -ENOMEM;
    (*n)++;
    return 0;
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
    char **names = NULL;
    for (const struct dirent *entry; r == 0 && n < OUTBOX_FILES_MAX && (entry = readdir(stream));) {
        if (strncmp(entry->d_name, NEW_PREFIX, strlen(NEW_PREFIX)) == 0)
            new_clean(directory, entry->d_name);
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            r = name_put(&names, &n, entry->d_name);
    }
    closedir(stream);
    if (r < 0) {
        strings_free(names, n);
        return r;
    }
    *ret_names = names;
    *ret_n = n;
    return 0;
}

/* -------------------------------------------------------------- what waits */

struct list {
    struct outbox_name *names;
    size_t n;
};

void outbox_names_free(struct outbox_name *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(names[i].name);
    free(names);
}

static int name_compare(const void *a, const void *b) {
    const struct outbox_name *one = a, *other = b;
    return strcmp(one->since, other->since);
}

static int list_put(struct list *list, const char *name, const struct outbox_head *head,
                    bool is_damaged) {
    struct outbox_name *names = list_grow(list->names, list->n, sizeof(*names));
    if (!names)
        return -ENOMEM;
    list->names = names;
    struct outbox_name *one = &names[list->n];
    one->name = strdup(name);
    one->at = head->at;
    if (is_damaged) /* a name of the old form ends with the batch's id */
        snprintf(one->since, sizeof(one->since), "%s", name + 2 * HASH_BYTES + 1);
    else
        text64_hex(one->since, head->batch_id, BATCH_ID_BYTES);
    list->n += one->name != NULL;
    return one->name ? 0 : -ENOMEM;
}

/* Without those that somebody works at. A file that a process left without a batch is used again.
 */
static int file_look(struct tb_bank *bank, const char *name, struct list *list) {
    struct outbox_tray *tray = NULL;
    struct outbox_head head = {.at = OUTBOX_NOWHERE};
    _cleanup_(freep) char *path = NULL;
    int r = state_path(bank, "outbox", name, &path);
    if (r == 0)
        r = outbox_tray_hold(bank, path, &tray);
    if (r != 0)
        return r == -ENOENT || r == -ELOOP || r == -EWOULDBLOCK ? 0 : r;
    int next = 0;
    while (r == 0 && list->n < OUTBOX_FILES_MAX) {
        next = outbox_file_next(tray->fd, &head);
        if (next != 0 && next != -EBADMSG)
            break;
        if ((next < 0 || head.n_body > 0) && !(tray->at_work & place_bit(head.at)))
            r = list_put(list, name, &head, next < 0);
    }
    outbox_tray_release(tray);
    return r < 0 || next > 0 || next == -EBADMSG ? r : next;
}

static int names_look(struct tb_bank *bank, char **names, size_t n, struct list *list) {
    int r = 0;
    for (size_t i = 0; i < n && r == 0 && list->n < OUTBOX_FILES_MAX; i++)
        r = outbox_tray_is_free(bank, names[i]) ? 0 : file_look(bank, names[i], list);
    if (list->n > 0)
        qsort(list->names, list->n, sizeof(*list->names), name_compare);
    return r;
}

int outbox_list(struct tb_bank *bank, struct outbox_name **ret_names, size_t *ret_n) {
    struct list list = {};
    char **names = NULL;
    size_t n = 0;
    int r = names_read(bank, &names, &n);
    if (r == 0)
        r = names_look(bank, names, n, &list);
    strings_free(names, n);
    if (r != 0) {
        outbox_names_free(list.names, list.n);
        return r;
    }
    *ret_names = list.names;
    *ret_n = list.n;
    return 0;
}

/* One is read without the lock. */
static int file_pins(struct tb_bank *bank, const char *name,
                     int (*take)(struct tb_bank *, const struct bytes *)) {
    struct outbox_head head = {.at = OUTBOX_NOWHERE};
    _cleanup_(freep) char *path = NULL;
    int r = state_path(bank, "outbox", name, &path);
    if (r != 0)
        return r;
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP ? 0 : -errno;
    int next;
    while (r == 0 && ((next = outbox_file_next(fd, &head)) == 0 || next == -EBADMSG)) {
        _cleanup_bytes_ struct bytes text = {};
        if (next == 0 && outbox_file_pin(fd, &head, &text) == 0)
            r = take(bank, &text);
    }
    return r;
}

int outbox_pins(struct tb_bank *bank, int (*take)(struct tb_bank *, const struct bytes *)) {
    char **names = NULL;
    size_t n = 0;
    int r = names_read(bank, &names, &n);
    for (size_t i = 0; i < n && r == 0; i++)
        r = file_pins(bank, names[i], take);
    strings_free(names, n);
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

static int new_parse(const struct outbox_slot *slot, struct arena *arena, Timebank__Submit **ret) {
    struct outbox_head head;
    _cleanup_bytes_ struct bytes body = {};
    int r = outbox_file_head(slot->tray->fd, slot->at, &head);
    if (r == 1 || (r == 0 && head.n_body == 0))
        return -ENOENT;
    if (r == 0)
        r = outbox_file_body(slot->tray->fd, &head, &body);
    if (r < 0)
        return r;
    Timebank__Request *request = timebank__request__unpack(&arena->allocator, body.n, body.data);
    if (!request || request->body_case != TIMEBANK__REQUEST__BODY_SUBMIT)
        return -EBADMSG;
    *ret = request->submit;
    return submit_check(*ret);
}

int outbox_get(struct tb_bank *bank, const struct outbox_name *name, struct arena *arena,
               struct outbox_slot *ret_slot, Timebank__Submit **ret) {
    struct outbox_tray *tray = NULL;
    _cleanup_bytes_ struct bytes file = {};
    _cleanup_(freep) char *path = NULL;
    int r = state_path(bank, "outbox", name->name, &path);
    if (r == 0)
        r = outbox_tray_hold(bank, path, &tray);
    if (r != 0)
        return r;
    if (tray->at_work & place_bit(name->at)) {
        outbox_tray_release(tray);
        return -EWOULDBLOCK;
    }
    struct outbox_slot slot = slot_begin(tray, name->at);
    slot.is_old = file_is_old(tray->fd);
    if (slot.is_old)
        r = file_read(path, OLD_MAX, &file);
    if (r == 0)
        r = slot.is_old ? old_parse(&file, arena, ret) : new_parse(&slot, arena, ret);
    if (r == 0)
        tray->pin_size = MAX_OF(tray->pin_size, pin_size(*ret));
    if (r == 0 || r == -EBADMSG)
        *ret_slot = slot;
    else
        outbox_slot_fini(&slot);
    return r;
}
