/* SPDX-License-Identifier: Apache-2.0 */
/* Each secret key lives in a guarded allocation of its own that nobody can write to once it is
 * read. */
#include "keyring.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"

#define KEY_FILE_MAX 16384

struct keyring_key {
    struct keyring_key *next;
    uint8_t *secret; /* sodium_malloc */
    bool is_unlocked;
    struct note_verifier verifier;
};

struct keyring {
    char origin[NOTE_ORIGIN_MAX + 1];
    struct keyring_key *keys; /* that of keyring_open() last */
};

int keyring_create(const char *path, const char *origin) {
    _cleanup_bytes_ struct bytes text = {0};
    uint8_t secret[SSHSIG_SECRET_BYTES];
    int r;

    sshsig_secret_new(secret);
    sshsig_secret_format(secret, origin, &text);
    sodium_memzero(secret, sizeof(secret));
    r = text.r < 0 ? text.r : file_create(path, 0600, text.data, text.n);
    if (text.data)
        sodium_memzero(text.data, text.n);
    return r;
}

static struct keyring_key *key_free(struct keyring_key *key) {
    if (!key)
        return NULL;
    sodium_free(key->secret);
    free(key);
    return NULL;
}
DEFINE_CLEANUP(struct keyring_key *, key_free)

static int read_secret(struct keyring_key *key, const char *path) {
    _cleanup_bytes_ struct bytes text = {0};
    int r = file_read_secret(path, KEY_FILE_MAX, &text);

    if (r == 0)
        r = sshsig_secret_parse((const char *)text.data, text.n, key->secret);
    if (text.data)
        sodium_memzero(text.data, text.n);
    return r;
}

static int key_read(const char *path, const char *origin, struct keyring_key **ret_key) {
    _cleanup_(key_freep) struct keyring_key *key = calloc(1, sizeof(*key));
    int r;

    if (!key)
        return -ENOMEM;
    key->secret = sodium_malloc(SSHSIG_SECRET_BYTES);
    if (!key->secret)
        return -ENOMEM;
    key->is_unlocked = sodium_mlock(key->secret, SSHSIG_SECRET_BYTES) != 0;
    r = read_secret(key, path);
    if (r == 0)
        r = note_verifier_init(&key->verifier, origin, key->secret + 32);
    if (r < 0)
        return r;
    if (sodium_mprotect_readonly(key->secret) < 0)
        return -errno;
    *ret_key = TAKE(key);
    return 0;
}

int keyring_open(struct keyring **ret_keyring, const char *path, const char *origin) {
    _cleanup_(keyring_closep) struct keyring *keyring = calloc(1, sizeof(*keyring));
    int r = keyring ? key_read(path, origin, &keyring->keys) : -ENOMEM;

    if (r < 0)
        return r;
    snprintf(keyring->origin, sizeof(keyring->origin), "%s", origin);
    *ret_keyring = TAKE(keyring);
    return 0;
}

int keyring_add(struct keyring *keyring, const char *path, const struct keyring_key **ret_key) {
    _cleanup_(key_freep) struct keyring_key *key = NULL;
    const struct keyring_key *held;
    int r = key_read(path, keyring->origin, &key);

    if (r < 0)
        return r;
    held = keyring_find(keyring, key->verifier.key);
    if (!held) {
        key->next = keyring->keys;
        held = keyring->keys = TAKE(key);
    }
    if (ret_key)
        *ret_key = held;
    return 0;
}

struct keyring *keyring_close(struct keyring *keyring) {
    if (!keyring)
        return NULL;
    while (keyring->keys) {
        struct keyring_key *next = keyring->keys->next;
        key_free(keyring->keys);
        keyring->keys = next;
    }
    free(keyring);
    return NULL;
}

const struct keyring_key *keyring_find(const struct keyring *keyring,
                                       const uint8_t key[NOTE_KEY_BYTES]) {
    const struct keyring_key *found = keyring->keys;

    while (found && memcmp(found->verifier.key, key, NOTE_KEY_BYTES) != 0)
        found = found->next;
    return found;
}

void keyring_forget(struct keyring *keyring, const struct keyring_key *key) {
    struct keyring_key **at = &keyring->keys;

    while (*at && *at != key)
        at = &(*at)->next;
    if (*at) {
        struct keyring_key *gone = *at;
        *at = gone->next;
        key_free(gone);
    }
}

const struct note_verifier *keyring_key_verifier(const struct keyring_key *key) {
    return &key->verifier;
}

const struct note_verifier *keyring_verifier(const struct keyring *keyring) {
    const struct keyring_key *key = keyring->keys;

    while (key->next)
        key = key->next;
    return &key->verifier;
}

int keyring_open_head(const struct keyring *keyring, const void *checkpoint, size_t n,
                      struct note_head *ret) {
    int r = -EBADMSG;

    for (const struct keyring_key *key = keyring->keys; key && r < 0; key = key->next)
        r = note_checkpoint_open(checkpoint, n, &key->verifier, ret);
    return r;
}

bool keyring_is_unlocked(const struct keyring *keyring) {
    bool is_unlocked = false;

    for (const struct keyring_key *key = keyring->keys; key; key = key->next)
        is_unlocked = is_unlocked || key->is_unlocked;
    return is_unlocked;
}

int keyring_sign_head(const struct keyring_signers *signers, const struct note_head *head,
                      struct bytes *to) {
    struct note_head again;
    size_t begin = to->n;
    int r = 0;

    assert(signers->n > 0);
    for (size_t i = 0; i < signers->n && r == 0; i++) {
        const struct keyring_key *key = signers->keys[i];
        r = i == 0 ? note_checkpoint_sign(head, &key->verifier, key->secret, to)
                   : note_checkpoint_add(head, &key->verifier, key->secret, to);
    }
    for (size_t i = 0; i < signers->n && r == 0; i++)
        r = note_checkpoint_open(to->data + begin, to->n - begin, &signers->keys[i]->verifier,
                                 &again);
    return r;
}

int keyring_sign_welcome(const struct keyring_key *key, const uint8_t hello[BATCH_HELLO_BYTES],
                         uint8_t ret[SSHSIG_SIGNATURE_BYTES]) {
    return sshsig_sign(SSHSIG_WELCOME, hello, BATCH_HELLO_BYTES, key->secret, ret);
}

int keyring_sign_report(const struct keyring_key *key, const void *text, size_t n,
                        uint8_t ret[SSHSIG_SIGNATURE_BYTES]) {
    return sshsig_sign(SSHSIG_REPORT, text, n, key->secret, ret);
}

int keyring_sign_rotation(const struct keyring_key *old_key, const struct keyring_key *new_key,
                          const struct hash *ledger_id, uint8_t ret_by_old[SSHSIG_SIGNATURE_BYTES],
                          uint8_t ret_by_new[SSHSIG_SIGNATURE_BYTES]) {
    struct rotation rotation = {.ledger_id = *ledger_id};
    int r;

    memcpy(rotation.old_key, old_key->verifier.key, NOTE_KEY_BYTES);
    memcpy(rotation.new_key, new_key->verifier.key, NOTE_KEY_BYTES);
    r = rotation_sign(&rotation, old_key->secret, ret_by_old);
    return r == 0 ? rotation_sign(&rotation, new_key->secret, ret_by_new) : r;
}
