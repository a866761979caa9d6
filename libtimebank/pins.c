/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two processes may hold one ledger's pin at once, so a head is saved under a lock and never over
 * one that is further on. A head is saved when the bank is closed and before a batch leaves whose
 * header names it, not for each reply: a sync costs more than a whole request, and a pin that lags
 * is only a weaker memory, never a wrong one: whatever comes next must still extend it. Where
 * another program's head is further on, check.c has the daemon connect the two.
 */
#include "pins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "chain.h"
#include "proto/text64.h"
#include "state.h"
#include "verify.h"

#define PIN_MAGIC "timebank-pin/1\n"
#define ADDRESS_MAGIC "timebank-address/1\n"
#define PIN_FILE_MAX 16384

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

/* The saved head; head.size 0 when nothing is saved. */
static int head_read(struct tb_bank *bank, const char *path, struct bank_head *ret) {
    _cleanup_bytes_ struct bytes file = {};
    int r = file_read(path, PIN_FILE_MAX, &file);
    if (r == -ENOENT) {
        ret->head.size = 0;
        return 0;
    }
    if (r < 0)
        return bank_fail(bank, r, "The pin %s cannot be read: %s.", path, strerror(-r));
    struct note_verifier verifier;
    const char *at = (const char *)file.data;
    if (file.n == 0)
        return pin_damaged(bank, path);
    const char *end = at + file.n;
    r = verifier_read(&at, end, PIN_MAGIC, 0, &verifier);
    if (r == 0 && !verifier_is_ours(bank, &verifier)) {
        if (bank->handshake.chain.n == 0) {
            ret->head.size = 0; /* of a later key, which the greeting will show */
            return 0;
        }
        r = -EBADMSG;
    }
    if (r == 0)
        r = note_checkpoint_open(at, (size_t)(end - at), &verifier, &ret->head);
    if (r < 0)
        return r == -ENOMEM ? r : pin_damaged(bank, path);
    bytes_put(&ret->checkpoint, at, (size_t)(end - at));
    return ret->checkpoint.r;
}

static void head_note_saved(struct tb_bank *bank, const struct note_head *head) {
    bank->saved_size = head->size;
    bank->saved_root = head->root;
}

int pins_load_head(struct tb_bank *bank) {
    _cleanup_(freep) char *path = NULL;
    int r = ledger_path(bank, "", &path);
    if (r != 0)
        return r;
    struct bank_head saved = {};
    r = head_read(bank, path, &saved);
    if (r == 0 && saved.head.size > bank->head.head.size) {
        r = bank_set_head(bank, &saved.head, saved.checkpoint.data, saved.checkpoint.n);
        if (r == 0)
            head_note_saved(bank, &saved.head);
    }
    bytes_fini(&saved.checkpoint);
    return r;
}

/* A head that was met before a change of the ledger's key bears the old one's signature. */
static void signer_find(const struct tb_bank *bank, struct note_verifier *ret) {
    struct note_head head;
    int r = chain_open_head(bank, bank->head.checkpoint.data, bank->head.checkpoint.n, ret, &head);
    if (r < 0)
        *ret = bank->verifier;
}

static int head_write(struct tb_bank *bank, const char *path) {
    _cleanup_bytes_ struct bytes file = {};
    struct note_verifier signer;
    signer_find(bank, &signer);
    bytes_put_text(&file, PIN_MAGIC);
    note_verifier_format(&signer, &file);
    bytes_put_u8(&file, '\n');
    bytes_put(&file, bank->head.checkpoint.data, bank->head.checkpoint.n);
    int r = file.r < 0 ? file.r : file_replace(path, 0600, file.data, file.n);
    if (r < 0)
        return bank_fail(bank, r, "The pin %s cannot be written: %s.", path, strerror(-r));
    head_note_saved(bank, &bank->head.head);
    return 0;
}

static bool head_is_saved(const struct tb_bank *bank) {
    const struct note_head *head = &bank->head.head;
    return head->size == 0 ||
           (head->size == bank->saved_size && hash_equal(&head->root, &bank->saved_root));
}

int pins_save_head(struct tb_bank *bank, struct note_head *ret_longer) {
    if (head_is_saved(bank))
        return 0;
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
    struct bank_head saved = {};
    r = head_read(bank, path, &saved);
    const struct note_head *head = &bank->head.head;
    if (r == 0 && saved.head.size == head->size && !hash_equal(&saved.head.root, &head->root))
        r = verify_fail(bank, saved.checkpoint.data, saved.checkpoint.n,
                        "Another program of this user was shown another ledger of the same size.");
    else if (r == 0 && saved.head.size < head->size)
        r = head_write(bank, path);
    else if (r == 0 && saved.head.size > head->size && ret_longer)
        *ret_longer = saved.head;
    bytes_fini(&saved.checkpoint);
    return r;
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
