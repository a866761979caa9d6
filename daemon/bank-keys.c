/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the ledger's keys. DIR/ledger.key is the one that signs; DIR/ledger.key.next was
 * made to follow it; DIR/ledger.key.old is the one before, while it signs beside.
 *
 * Which key signs, the log says; the files only follow. A key that is to follow is on the disk
 * before an order can name it. Once that order is durable, ledger.key is linked as ledger.key.old
 * and ledger.key.next renamed over it; once no head bears the old key's signature any more, its
 * file is overwritten and removed. A start after a crash in between goes on from what it finds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bank.h"
#include "base/files.h"

#define KEY_FILE "ledger.key"
#define NEXT_FILE "ledger.key.next"
#define OLD_FILE "ledger.key.old"

static char *path_in(const struct bank *bank, const char *name) {
    char *path = NULL;

    return asprintf(&path, "%s/%s", bank->directory, name) < 0 ? NULL : path;
}

/* A file that is not there, or cannot be read, holds no key: whether one is missed, the log says.
 */
static int add_other(struct bank *bank, const char *name, const struct keyring_key **ret_key) {
    _cleanup_(freep) char *path = path_in(bank, name);
    int r = path ? keyring_add(bank->keyring, path, ret_key) : -ENOMEM;

    return r == -ENOMEM ? r : r == 0;
}

int bank_keys_open(struct bank *bank, const char *origin) {
    _cleanup_(freep) char *path = path_in(bank, KEY_FILE);
    int r = path ? keyring_open(&bank->keyring, path, origin) : -ENOMEM;

    if (r == 0)
        r = add_other(bank, NEXT_FILE, NULL);
    if (r >= 0)
        r = add_other(bank, OLD_FILE, NULL);
    return MIN_OF(r, 0);
}

/* What a file system keeps of it all the same (a journal, a worn block) nobody can overwrite. */
static int destroy(const char *path) {
    static const uint8_t nothing[512];
    _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    for (off_t at = 0; at < st.st_size;) {
        size_t n = (size_t)MIN_OF(st.st_size - at, (off_t)sizeof(nothing));
        ssize_t written = pwrite(fd, nothing, n, at);
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        at += written;
    }
    if (fsync(fd) < 0 || unlink(path) < 0)
        return -errno;
    return file_sync_directory_of(path);
}

static bool is_same_file(const char *path, const char *other) {
    struct stat a, b;

    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

/* ledger.key is there at any moment, and nothing is lost but an older ledger.key.old. */
static int take_next_over(const char *path, const char *next, const char *old) {
    int r = 0;

    if (!is_same_file(path, old)) {
        r = access(old, F_OK) == 0 ? destroy(old) : 0;
        if (r == 0 && link(path, old) < 0)
            r = -errno;
        if (r == 0)
            r = file_sync_directory_of(path);
    }
    if (r == 0 && rename(next, path) < 0)
        r = -errno;
    return r == 0 ? file_sync_directory_of(path) : r;
}

static int follow(struct bank *bank, const struct keyring_signers *signers) {
    _cleanup_(freep) char *path = path_in(bank, KEY_FILE), *next = path_in(bank, NEXT_FILE),
                          *old = path_in(bank, OLD_FILE);
    const struct keyring_key *held = NULL;
    int r = path && next && old ? add_other(bank, NEXT_FILE, &held) : -ENOMEM;

    if (r > 0 && held == signers->keys[0])
        r = take_next_over(path, next, old);
    if (r < 0)
        return r;
    held = NULL;
    r = add_other(bank, OLD_FILE, &held);
    if (r < 0 || access(old, F_OK) < 0 || is_same_file(path, old))
        return MIN_OF(r, 0);
    if (signers->n > 1 && held == signers->keys[1])
        return 0;
    r = destroy(old);
    if (r == 0 && held && held != signers->keys[0])
        keyring_forget(bank->keyring, held);
    return r;
}

static int name_verifier(struct bank *bank, const struct keyring_key *key) {
    _cleanup_bytes_ struct bytes text = {0};
    char *line;

    note_verifier_format(keyring_key_verifier(key), &text);
    line = bytes_take_text(&text);
    if (!line)
        return -ENOMEM;
    free(bank->verifier_key);
    bank->verifier_key = line;
    return 0;
}

/* Nobody records anything, and the old key's time is over: a head of today says so. */
static int end_overlap(struct bank *bank) {
    struct state_chain chain;

    if (log_signers(bank->log)->n < 2 || bank->clock_is_ahead)
        return 0;
    state_chain_read(bank_state(bank), &chain);
    return state_chain_beside(&chain, bank->wall_ms) ? 0 : log_go_on(bank->log, bank->wall_ms);
}

int bank_keys_step(struct bank *bank) {
    const struct keyring_signers *signers = log_signers(bank->log);
    struct keyring_signers settled = *signers;
    int r = 0;

    if (memcmp(&settled, &bank->settled_signers, sizeof(settled)) != 0) {
        r = name_verifier(bank, settled.keys[0]);
        if (r == 0)
            r = follow(bank, &settled);
        if (r == 0)
            bank->settled_signers = settled;
    }
    return r == 0 ? end_overlap(bank) : r;
}

bool bank_keys_holds(const struct bank *bank, const uint8_t key[NOTE_KEY_BYTES]) {
    return keyring_find(bank->keyring, key) != NULL;
}

static int find_or_make(struct bank *bank, const struct keyring_key **ret_key) {
    _cleanup_(freep) char *path = path_in(bank, NEXT_FILE);
    int r;

    if (!path)
        return -ENOMEM;
    if (access(path, F_OK) == 0) {
        r = keyring_add(bank->keyring, path, ret_key);
        if (r == 0 || r == -ENOMEM)
            return r;
        if (unlink(path) < 0) /* no order can name what nobody could read */
            return -errno;
    }
    r = keyring_create(path, log_head(bank->log)->origin);
    return r == 0 ? keyring_add(bank->keyring, path, ret_key) : r;
}

int bank_keys_next(struct bank *bank, struct bank_next_key *ret) {
    const struct keyring_key *now = log_signers(bank->log)->keys[0], *next = NULL;
    struct state_chain chain;
    struct hash ledger_id;
    int r;

    state_chain_read(bank_state(bank), &chain);
    /* A change that was just recorded is not durable yet, or its files are still to follow. */
    if (memcmp(state_chain_last(&chain)->row.key, keyring_key_verifier(now)->key, NOTE_KEY_BYTES) !=
            0 ||
        memcmp(&bank->settled_signers, log_signers(bank->log), sizeof(bank->settled_signers)) != 0)
        return REFUSAL_TRY_LATER;
    r = find_or_make(bank, &next);
    if (r < 0)
        return r;
    memcpy(ledger_id.b, state_chain_last(&chain)->row.ledger_id, HASH_BYTES);
    memcpy(ret->key, keyring_key_verifier(next)->key, NOTE_KEY_BYTES);
    return keyring_sign_rotation(now, next, &ledger_id, ret->by_old, ret->by_new);
}
