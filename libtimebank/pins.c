/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two processes may hold one ledger's pin at once, so a head is written under a lock and never over
 * one that is further on. What is beside the first record of the file is written in place and not
 * synced, before each batch: other programs see it, and a crash of this one loses nothing of it. A
 * power cut may lose it; then the outbox has it, where the head that a batch's header names is
 * synced with the batch. What was only read and never named may be forgotten so: a pin that lags is
 * a weaker memory, never a wrong one, for whatever comes next must still extend it. The first
 * record is replaced, synced, when the bank is closed. Where another program's head is further on,
 * check.c has the daemon connect the two.
 */
#include "pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "chain.h"
#include "outbox.h"
#include "proto/text64.h"
#include "state.h"
#include "verify.h"

#define PIN_MAGIC "timebank-pin/1\n"
#define ADDRESS_MAGIC "timebank-address/1\n"
#define PIN_FILE_MAX 16384
#define RECORD_MAGIC "TBP2" /* u32 size, a pin's text, SHA-256 of all that */
#define RECORD_HEAD_BYTES 8
#define RECORD_BYTES 4096 /* its room */
#define TEXT_MAX (RECORD_BYTES - RECORD_HEAD_BYTES - HASH_BYTES)

/* One line of text, its newline not counted; -EBADMSG where there is none. */
static int line_next(const char **at, const char *end, const char **ret_line, size_t *ret_n) {
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    if (!newline)
        return -EBADMSG;
    *ret_line = *at;
    *ret_n = (size_t)(newline - *at);
    *at = newline + 1;
    return 0;
}

/* Reads a magic line, skips n_skipped lines, and parses a line that is a verifier key. */
static int verifier_read(const char **at, const char *end, const char *magic, unsigned n_skipped,
                         struct note_verifier *ret) {
    size_t n_magic = strlen(magic);
    if ((size_t)(end - *at) < n_magic || memcmp(*at, magic, n_magic) != 0)
        return -EBADMSG;
    *at += n_magic;
    const char *line = NULL;
    size_t n = 0;
    for (unsigned i = 0; i <= n_skipped; i++) {
        int r = line_next(at, end, &line, &n);
        if (r < 0)
            return r;
    }
    _cleanup_(freep) char *text = strndup(line, n);
    if (!text)
        return -ENOMEM;
    return note_verifier_parse(ret, text);
}

static int pin_damaged(struct tb_bank *bank, const char *path) {
    return bank_fail(
        bank, -EIO,
        "The file %s is damaged: move it away and compare the bank's verifier key with "
        "the steward's before you go on.",
        path);
}

int pins_address_path(struct tb_bank *bank, char **ret_path) {
    struct hash name = hash_of(bank->address, strlen(bank->address));
    char file[2 * 16 + sizeof(".address")];
    text64_hex(file, name.b, 16);
    strcat(file, ".address");
    return state_path(bank, "pins", file, ret_path);
}

int pins_get_address(struct tb_bank *bank, struct note_verifier *ret_verifier) {
    _cleanup_(freep) char *path = NULL;
    int r = pins_address_path(bank, &path);
    if (r != 0)
        return r;
    _cleanup_bytes_ struct bytes file = {};
    r = file_read(path, PIN_FILE_MAX, &file);
    if (r == -ENOENT)
        return r;
    if (r < 0)
        return bank_fail(bank, r, "The pin %s cannot be read: %s.", path, strerror(-r));
    const char *at = (const char *)file.data;
    r = file.n > 0 ? verifier_read(&at, at + file.n, ADDRESS_MAGIC, 1, ret_verifier) : -EBADMSG;
    return r < 0 ? pin_damaged(bank, path) : 0;
}

int pins_set_address(struct tb_bank *bank) {
    _cleanup_(freep) char *path = NULL;
    int r = pins_address_path(bank, &path);
    if (r != 0)
        return r;
    _cleanup_bytes_ struct bytes file = {};
    bytes_printf(&file, "%s%s\n%s\n", ADDRESS_MAGIC, bank->address, bank->verifier_key);
    r = file.r < 0 ? file.r : file_replace(path, 0600, file.data, file.n);
    if (r < 0)
        return bank_fail(bank, r, "The pin %s cannot be written: %s.", path, strerror(-r));
    return 0;
}

static int ledger_path(struct tb_bank *bank, const char *suffix, char **ret_path) {
    char name[2 * HASH_BYTES + 8];
    text64_hex(name, bank->ledger_id.b, HASH_BYTES);
    strcat(name, suffix);
    return state_path(bank, "pins", name, ret_path);
}

static bool verifier_is_ours(const struct tb_bank *bank, const struct note_verifier *verifier) {
    return rotation_chain_find(&bank->handshake.chain, verifier) >= 0 ||
           (strcmp(verifier->name, bank->verifier.name) == 0 &&
            memcmp(verifier->key, bank->verifier.key, NOTE_KEY_BYTES) == 0);
}

/* Without the text it is merely read and verified again the next time. */
static void head_note_saved(struct tb_bank *bank, const struct note_head *head,
                            const struct bytes *text, bool is_kept) {
    bank->saved_size = head->size;
    bank->saved_root = head->root;
    bank->saved_is_kept = is_kept;
    bytes_clear(&bank->saved_text);
    bytes_put(&bank->saved_text, text->data, text->n);
    if (bank->saved_text.r < 0)
        bytes_clear(&bank->saved_text);
}

static bool head_is_saved(const struct tb_bank *bank) {
    const struct note_head *head = &bank->head.head;
    return head->size == bank->saved_size && hash_equal(&head->root, &bank->saved_root);
}

/* ---- a head as text: the magic, the key that signed it, the checkpoint */

/* head.size 0: of a later key, which the greeting will show. */
static int text_parse(const struct tb_bank *bank, const void *text, size_t n,
                      struct bank_head *ret) {
    struct note_verifier verifier;
    const char *at = text, *end = at + n;
    int r = verifier_read(&at, end, PIN_MAGIC, 0, &verifier);
    if (r < 0)
        return r;
    if (!verifier_is_ours(bank, &verifier)) {
        ret->head.size = 0;
        return bank->handshake.chain.n == 0 ? 0 : -EBADMSG;
    }
    r = note_checkpoint_open(at, (size_t)(end - at), &verifier, &ret->head);
    if (r < 0)
        return r;
    bytes_clear(&ret->checkpoint);
    bytes_put(&ret->checkpoint, at, (size_t)(end - at));
    return ret->checkpoint.r;
}

/* A head that was met before a change of the ledger's key bears the old one's signature; where
 * there was no change, only the one key's heads were ever believed. */
static void signer_find(const struct tb_bank *bank, struct note_verifier *ret) {
    struct note_head head;
    int r = -EBADMSG;
    if (bank->handshake.chain.n > 1)
        r = chain_open_head(bank, bank->head.checkpoint.data, bank->head.checkpoint.n, ret, &head);
    if (r < 0)
        *ret = bank->verifier;
}

void pins_text(const struct tb_bank *bank, struct bytes *to) {
    struct note_verifier signer;
    if (bank->head.head.size == 0)
        return;
    if (head_is_saved(bank) && bank->saved_text.n > 0) {
        bytes_put(to, bank->saved_text.data, bank->saved_text.n);
        return;
    }
    signer_find(bank, &signer);
    bytes_put_text(to, PIN_MAGIC);
    note_verifier_format(&signer, to);
    bytes_put_u8(to, '\n');
    bytes_put(to, bank->head.checkpoint.data, bank->head.checkpoint.n);
}

/* ---- the file: two records, or one text, as it was before */

/* What the file holds: the further of the two, and how far the first one is. */
struct pin {
    struct bank_head newest;
    struct bytes text; /* of the newest */
    uint64_t kept_size;
    bool has_records;
};

static void pin_fini(struct pin *pin) {
    bytes_fini(&pin->newest.checkpoint);
    bytes_fini(&pin->text);
}

static void record_pack(const struct bytes *text, struct bytes *to) {
    bytes_put(to, RECORD_MAGIC, 4);
    bytes_put_u32(to, (uint32_t)text->n);
    bytes_put(to, text->data, text->n);
    if (to->r == 0) {
        struct hash hash = hash_of(to->data, to->n);
        bytes_put(to, hash.b, HASH_BYTES);
    }
}

/* The text of the record at a place; -EBADMSG where none is whole. */
static int record_get(const struct bytes *file, size_t at, const uint8_t **ret, size_t *ret_n) {
    if (file->n < at + RECORD_HEAD_BYTES + HASH_BYTES ||
        memcmp(file->data + at, RECORD_MAGIC, 4) != 0)
        return -EBADMSG;
    size_t n = be32_get(file->data + at + 4);
    if (n > TEXT_MAX || n > file->n - at - RECORD_HEAD_BYTES - HASH_BYTES)
        return -EBADMSG;
    struct hash hash = hash_of(file->data + at, RECORD_HEAD_BYTES + n);
    if (memcmp(hash.b, file->data + at + RECORD_HEAD_BYTES + n, HASH_BYTES) != 0)
        return -EBADMSG;
    *ret = file->data + at + RECORD_HEAD_BYTES;
    *ret_n = n;
    return 0;
}

/* Takes a text that is further on than what is there. */
static int pin_take(const struct tb_bank *bank, struct pin *pin, const void *text, size_t n) {
    struct bank_head head = {};
    int r = text_parse(bank, text, n, &head);
    if (r == 0 && head.head.size > pin->newest.head.size) {
        bytes_clear(&pin->text);
        bytes_put(&pin->text, text, n);
        bytes_fini(&pin->newest.checkpoint);
        pin->newest = head;
        head.checkpoint = (struct bytes){};
        r = pin->text.r;
    }
    bytes_fini(&head.checkpoint);
    return r;
}

/* Nobody wrote since we did: what was verified then need not be once more. */
static bool pin_is_ours(const struct tb_bank *bank, const struct bytes *file, struct pin *ret) {
    const uint8_t *text = NULL;
    size_t n = 0;
    if (bank->saved_is_kept || bank->saved_text.n == 0 ||
        record_get(file, RECORD_BYTES, &text, &n) < 0 || n != bank->saved_text.n ||
        memcmp(text, bank->saved_text.data, n) != 0)
        return false;
    ret->newest.head = (struct note_head){.size = bank->saved_size, .root = bank->saved_root};
    ret->has_records = true;
    return true;
}

static int pin_parse(const struct tb_bank *bank, const struct bytes *file, struct pin *ret) {
    const uint8_t *text = NULL;
    size_t n = 0;
    ret->has_records = file->n >= 4 && memcmp(file->data, RECORD_MAGIC, 4) == 0;
    if (!ret->has_records)
        return file->n > 0 ? pin_take(bank, ret, file->data, file->n) : -EBADMSG;
    int r = record_get(file, 0, &text, &n);
    if (r == 0)
        r = pin_take(bank, ret, text, n);
    if (r < 0)
        return r;
    ret->kept_size = ret->newest.head.size;
    /* A torn one is as if it had not been written. */
    if (record_get(file, RECORD_BYTES, &text, &n) == 0)
        r = pin_take(bank, ret, text, n);
    return r == -ENOMEM ? r : 0;
}

/* newest.head.size 0 when nothing is kept. is_kept: how far the first record is has to be known. */
static int pin_read(struct tb_bank *bank, const char *path, bool is_kept, struct pin *ret) {
    _cleanup_bytes_ struct bytes file = {};
    int r = file_read(path, PIN_FILE_MAX, &file);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return bank_fail(bank, r, "The pin %s cannot be read: %s.", path, strerror(-r));
    if (!is_kept && pin_is_ours(bank, &file, ret))
        return 0;
    r = pin_parse(bank, &file, ret);
    if (r < 0)
        return r == -ENOMEM ? r : pin_damaged(bank, path);
    if (!ret->has_records)
        ret->kept_size = ret->newest.head.size;
    return 0;
}

/* One of the outbox: read from a file that may be written just now, so one that is no pin says
 * nothing. */
static int outbox_take(struct tb_bank *bank, const struct bytes *text) {
    struct bank_head head = {};
    int r = text_parse(bank, text->data, text->n, &head);
    if (r == 0 && head.head.size > bank->head.head.size)
        r = bank_set_head(bank, &head.head, head.checkpoint.data, head.checkpoint.n);
    bytes_fini(&head.checkpoint);
    return r == -ENOMEM ? r : 0;
}

int pins_load_head(struct tb_bank *bank) {
    _cleanup_(freep) char *path = NULL;
    int r = ledger_path(bank, "", &path);
    if (r != 0)
        return r;
    struct pin pin = {};
    r = pin_read(bank, path, true, &pin);
    const struct bank_head *newest = &pin.newest;
    if (r == 0 && newest->head.size > bank->head.head.size) {
        r = bank_set_head(bank, &newest->head, newest->checkpoint.data, newest->checkpoint.n);
        if (r == 0)
            head_note_saved(bank, &newest->head, &pin.text, newest->head.size == pin.kept_size);
    }
    pin_fini(&pin);
    return r == 0 ? outbox_pins(bank, outbox_take) : r;
}

static int text_keep(struct tb_bank *bank, const char *path, const struct bytes *text) {
    _cleanup_bytes_ struct bytes record = {};
    bool fits = text->n <= TEXT_MAX;
    if (fits)
        record_pack(text, &record);
    int r = record.r;
    if (r == 0)
        r = fits ? file_replace(path, 0600, record.data, record.n)
                 : file_replace(path, 0600, text->data, text->n);
    return r < 0 ? bank_fail(bank, r, "The pin %s cannot be written: %s.", path, strerror(-r)) : 0;
}

/* In place, behind the first record. */
static int text_share(struct tb_bank *bank, const char *path, const struct bytes *text) {
    _cleanup_bytes_ struct bytes record = {};
    record_pack(text, &record);
    _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    int r = fd < 0 ? -errno : record.r;
    ssize_t n = r == 0 ? pwrite(fd, record.data, record.n, RECORD_BYTES) : 0;
    if (r == 0 && n != (ssize_t)record.n)
        r = n < 0 ? -errno : -EIO;
    return r < 0 ? bank_fail(bank, r, "The pin %s cannot be written: %s.", path, strerror(-r)) : 0;
}

/* Under the lock: writes what is further on, the file's or the bank's. is_kept: synced. */
static int pin_write(struct tb_bank *bank, const char *path, struct pin *pin, bool is_kept) {
    const struct note_head *head = &bank->head.head;
    bool is_ahead = head->size > pin->newest.head.size;
    _cleanup_bytes_ struct bytes ours = {};
    if (is_ahead)
        pins_text(bank, &ours);
    if (ours.r < 0)
        return ours.r;
    bool is_shared = !is_kept && pin->has_records && ours.n <= TEXT_MAX;
    int r = 0;
    if (is_ahead)
        r = is_shared ? text_share(bank, path, &ours) : text_keep(bank, path, &ours);
    else if (is_kept && pin->newest.head.size > pin->kept_size)
        r = text_keep(bank, path, &pin->text);
    if (r == 0 && is_ahead)
        head_note_saved(bank, head, &ours, !is_shared);
    return r;
}

static int head_write(struct tb_bank *bank, struct note_head *ret_longer, bool is_kept) {
    _cleanup_(freep) char *path = NULL;
    _cleanup_(freep) char *lock = NULL;
    int r = ledger_path(bank, "", &path);
    if (r == 0)
        r = ledger_path(bank, ".lock", &lock);
    if (r != 0)
        return r;
    _cleanup_(closep) int fd = -1;
    r = state_lock(lock, &fd);
    if (r < 0)
        return bank_fail(bank, r, "The lock %s cannot be taken: %s.", lock, strerror(-r));
    struct pin pin = {};
    r = pin_read(bank, path, is_kept, &pin);
    const struct note_head *head = &bank->head.head, *saved = &pin.newest.head;
    if (r == 0 && saved->size == head->size && !hash_equal(&saved->root, &head->root))
        r = verify_fail(bank, pin.newest.checkpoint.data, pin.newest.checkpoint.n,
                        "Another program of this user was shown another ledger of the same size.");
    else if (r == 0)
        r = pin_write(bank, path, &pin, is_kept);
    if (r == 0 && saved->size > head->size && ret_longer)
        *ret_longer = *saved;
    pin_fini(&pin);
    return r;
}

int pins_share_head(struct tb_bank *bank, struct note_head *ret_longer) {
    return bank->head.head.size == 0 || head_is_saved(bank) ? 0
                                                            : head_write(bank, ret_longer, false);
}

int pins_keep_head(struct tb_bank *bank) {
    bool is_kept = head_is_saved(bank) && bank->saved_is_kept;
    return bank->head.head.size == 0 || is_kept ? 0 : head_write(bank, NULL, true);
}

int pins_check_first(struct tb_bank *bank, const struct hash *first) {
    char id[2 * HASH_BYTES + 1];
    _cleanup_(freep) char *path = NULL;
    _cleanup_bytes_ struct bytes file = {};
    text64_hex(id, first->b, HASH_BYTES);
    int r = ledger_path(bank, ".first", &path);
    if (r != 0)
        return r;
    r = file_read(path, PIN_FILE_MAX, &file);
    if (r == 0)
        return file.n != strlen(id) || memcmp(file.data, id, file.n) != 0;
    if (r != -ENOENT)
        return bank_fail(bank, r, "The pin %s cannot be read: %s.", path, strerror(-r));
    if (hash_equal(first, &bank->ledger_id))
        return 0;
    if (bank->saved_size > 0)
        return 1; /* it was met before, as its own first one */
    r = file_replace(path, 0600, id, strlen(id));
    return r < 0 ? bank_fail(bank, r, "The pin %s cannot be written: %s.", path, strerror(-r)) : 0;
}
