/* SPDX-License-Identifier: Apache-2.0 */
/* The secret key lives in one guarded allocation that nobody can write to after start. */
#include "keyring.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/files.h"

#define KEY_FILE_MAX 16384

struct keyring {
    uint8_t *secret; /* sodium_malloc */
    bool is_unlocked;
    struct note_verifier verifier;
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

static int read_secret(struct keyring *keyring, const char *path) {
    _cleanup_bytes_ struct bytes text = {0};
    int r = file_read_secret(path, KEY_FILE_MAX, &text);

    if (r == 0)
        r = sshsig_secret_parse((const char *)text.data, text.n, keyring->secret);
    if (text.data)
        sodium_memzero(text.data, text.n);
    return r;
}

int keyring_open(struct keyring **ret_keyring, const char *path, const char *origin) {
    _cleanup_(keyring_closep) struct keyring *keyring = calloc(1, sizeof(*keyring));
    int r;

    if (!keyring)
        return -ENOMEM;
    keyring->secret = sodium_malloc(SSHSIG_SECRET_BYTES);
    if (!keyring->secret)
        return -ENOMEM;
    keyring->is_unlocked = sodium_mlock(keyring->secret, SSHSIG_SECRET_BYTES) != 0;
    r = read_secret(keyring, path);
    if (r == 0)
        r = note_verifier_init(&keyring->verifier, origin, keyring->secret + 32);
    if (r < 0)
        return r;
    if (sodium_mprotect_readonly(keyring->secret) < 0)
        return -errno;
    *ret_keyring = TAKE(keyring);
    return 0;
}

struct keyring *keyring_close(struct keyring *keyring) {
    if (!keyring)
        return NULL;
    sodium_free(keyring->secret);
    free(keyring);
    return NULL;
}

const struct note_verifier *keyring_verifier(const struct keyring *keyring) {
    return &keyring->verifier;
}

bool keyring_is_unlocked(const struct keyring *keyring) {
    return keyring->is_unlocked;
}

int keyring_sign_head(const struct keyring *keyring, const struct note_head *head,
                      struct bytes *to) {
    struct note_head again;
    size_t begin = to->n;
    int r = note_checkpoint_sign(head, &keyring->verifier, keyring->secret, to);

    if (r < 0)
        return r;
    return note_checkpoint_open(to->data + begin, to->n - begin, &keyring->verifier, &again);
}

int keyring_sign_welcome(const struct keyring *keyring, const uint8_t hello[BATCH_HELLO_BYTES],
                         uint8_t ret[SSHSIG_SIGNATURE_BYTES]) {
    return sshsig_sign(SSHSIG_WELCOME, hello, BATCH_HELLO_BYTES, keyring->secret, ret);
}
