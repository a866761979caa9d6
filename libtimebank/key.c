/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key files, as OpenSSH writes and reads them, and the keys that the ledger grants roles to. A
 * secret half is wiped wherever it passed.
 */
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "key.h"
#include "list.h"

#define KEY_FILE_MAX 16384
#define PUBLIC_PREFIX "ssh-ed25519 "
#define SECRET_PREFIX "-----BEGIN OPENSSH PRIVATE KEY-----"

__attribute__((format(printf, 4, 5))) static int why_tell(char *why, size_t n_why, int r,
                                                          const char *format, ...) {
    if (!why || n_why == 0)
        return r;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, n_why, format, arguments);
    va_end(arguments);
    return r;
}

/* The public line without a newline at its end; the caller's. */
static int line_make(const uint8_t key[SSHSIG_PUBLIC_BYTES], const char *comment, char **ret_line) {
    _cleanup_bytes_ struct bytes text = {};
    sshsig_public_format(key, comment, &text);
    char *line = bytes_take_text(&text);
    if (!line)
        return -ENOMEM;
    line[strcspn(line, "\n")] = '\0';
    *ret_line = line;
    return 0;
}

static int files_write(const char *path, const char *public_path, const char *comment,
                       const uint8_t secret[SSHSIG_SECRET_BYTES], char *why, size_t n_why) {
    _cleanup_bytes_ struct bytes text = {};
    sshsig_secret_format(secret, comment, &text);
    int r = text.r < 0 ? text.r : file_create(path, 0600, text.data, text.n);
    if (text.data)
        sodium_memzero(text.data, text.n_allocated);
    if (r < 0)
        return why_tell(why, n_why, r, "The key file %s cannot be made: %s.", path, strerror(-r));
    bytes_clear(&text);
    sshsig_public_format(secret + SSHSIG_SECRET_BYTES - SSHSIG_PUBLIC_BYTES, comment, &text);
    r = text.r < 0 ? text.r : file_create(public_path, 0644, text.data, text.n);
    if (r < 0) {
        unlink(path);
        return why_tell(why, n_why, r, "The key file %s cannot be made: %s.", public_path,
                        strerror(-r));
    }
    return 0;
}

int tb_key_new(const char *path, const char *comment, char **ret_public_line, char *why,
               size_t n_why) {
    if (!path || !path[0] || !ret_public_line || (comment && strchr(comment, '\n')))
        return -EINVAL;
    if (sodium_init() < 0)
        return -ENOTSUP;
    _cleanup_(freep) char *public_path = NULL;
    if (asprintf(&public_path, "%s.pub", path) < 0)
        return -ENOMEM;
    /* Neither is written over; the public one is looked at first, so that no lone secret is left.
     */
    if (access(path, F_OK) == 0 || access(public_path, F_OK) == 0)
        return why_tell(why, n_why, -EEXIST,
                        "There is a key file %s or %s already: choose another name.", path,
                        public_path);
    uint8_t *secret = sodium_malloc(SSHSIG_SECRET_BYTES);
    if (!secret)
        return -ENOMEM;
    char *line = NULL;
    sshsig_secret_new(secret);
    int r = files_write(path, public_path, comment, secret, why, n_why);
    if (r == 0)
        r = line_make(secret + SSHSIG_SECRET_BYTES - SSHSIG_PUBLIC_BYTES, comment, &line);
    sodium_free(secret);
    if (r == 0)
        *ret_public_line = line;
    return r;
}

int key_secret_load(const char *path, uint8_t ret_secret[SSHSIG_SECRET_BYTES], char *why,
                    size_t n_why) {
    _cleanup_bytes_ struct bytes file = {};
    int r = file_read_secret(path, KEY_FILE_MAX, &file);
    if (r == 0)
        r = sshsig_secret_parse((const char *)file.data, file.n, ret_secret);
    if (file.data)
        sodium_memzero(file.data, file.n_allocated);
    switch (r) {
    case 0:
        return 0;
    case -EPERM:
        return why_tell(why, n_why, TB_NO_KEY,
                        "The key file %s belongs to or is readable by others: chmod 600 it.", path);
    case -ENOKEY:
        return why_tell(
            why, n_why, TB_NO_KEY,
            "The key file %s is encrypted: take its passphrase off with ssh-keygen -p -f "
            "%s.",
            path, path);
    default:
        return why_tell(why, n_why, TB_NO_KEY, "The key file %s cannot be read or is damaged.",
                        path);
    }
}

static int secret_public(const char *path, uint8_t ret_key[SSHSIG_PUBLIC_BYTES], char *why,
                         size_t n_why) {
    uint8_t secret[SSHSIG_SECRET_BYTES];
    int r = key_secret_load(path, secret, why, n_why);
    if (r == 0)
        memcpy(ret_key, secret + SSHSIG_SECRET_BYTES - SSHSIG_PUBLIC_BYTES, SSHSIG_PUBLIC_BYTES);
    sodium_memzero(secret, sizeof(secret));
    return r;
}

static int public_parse(const char *text, size_t n, const char *name,
                        uint8_t ret_key[SSHSIG_PUBLIC_BYTES], char **ret_comment, char *why,
                        size_t n_why) {
    int r = sshsig_public_parse(text, n, ret_key, ret_comment);
    if (r == -ENOMEM || r == 0)
        return r;
    return why_tell(
        why, n_why, TB_BAD_KEY,
        "%s is not a usable Ed25519 public key line (ssh-ed25519 AAAA...): make one with "
        "timebank key new.",
        name);
}

static bool file_is_secret(const struct bytes *file) {
    size_t n = strlen(SECRET_PREFIX);
    return file->n >= n && memcmp(file->data, SECRET_PREFIX, n) == 0;
}

static int file_load(const char *path, struct bytes *file, char *why, size_t n_why) {
    int r = file_read(path, KEY_FILE_MAX, file);
    if (r < 0 && r != -ENOMEM)
        return why_tell(why, n_why, TB_NO_KEY, "The key file %s cannot be read: %s.", path,
                        strerror(-r));
    return r;
}

int tb_key_show(const char *path, char **ret_public_line, char *why, size_t n_why) {
    if (!path || !ret_public_line)
        return -EINVAL;
    if (sodium_init() < 0)
        return -ENOTSUP;
    _cleanup_bytes_ struct bytes file = {};
    _cleanup_(freep) char *comment = NULL;
    uint8_t key[SSHSIG_PUBLIC_BYTES];
    int r = file_load(path, &file, why, n_why);
    if (r != 0)
        return r;
    if (file_is_secret(&file)) {
        sodium_memzero(file.data, file.n_allocated);
        r = secret_public(path, key, why, n_why);
    } else {
        r = public_parse((const char *)file.data, file.n, path, key, &comment, why, n_why);
    }
    return r == 0 ? line_make(key, comment, ret_public_line) : r;
}

int tb_key_public(const char *path_or_line, uint8_t ret_key[32], char *why, size_t n_why) {
    if (!path_or_line || !ret_key)
        return -EINVAL;
    if (sodium_init() < 0)
        return -ENOTSUP;
    uint8_t key[SSHSIG_PUBLIC_BYTES];
    _cleanup_(freep) char *comment = NULL;
    _cleanup_bytes_ struct bytes file = {};
    int r = 0;
    if (strncmp(path_or_line, PUBLIC_PREFIX, strlen(PUBLIC_PREFIX)) == 0) {
        r = public_parse(path_or_line, strlen(path_or_line), "That", key, &comment, why, n_why);
    } else {
        r = file_load(path_or_line, &file, why, n_why);
        if (r == 0 && file_is_secret(&file)) {
            sodium_memzero(file.data, file.n_allocated);
            r = why_tell(why, n_why, TB_BAD_KEY,
                         "%s is a secret key, which is nobody else's business: name %s.pub.",
                         path_or_line, path_or_line);
        } else if (r == 0) {
            r = public_parse((const char *)file.data, file.n, path_or_line, key, &comment, why,
                             n_why);
        }
    }
    if (r == 0)
        memcpy(ret_key, key, sizeof(key));
    return r;
}

char *tb_key_line(const uint8_t key[32]) {
    char *line = NULL;
    return key && line_make(key, NULL, &line) == 0 ? line : NULL;
}

static int page_count(struct tb_list *list, const Timebank__Response *response, size_t *ret_n,
                      bool *ret_more) {
    const Timebank__Keys *page = response->keys;
    size_t n = page->n_keys;
    bool readable = page->n_roles == n && page->n_accounts == n && page->n_granted == n &&
                    page->n_revoked == n && page->n_report_classes == n;
    for (size_t i = 0; i < n && readable; i++)
        readable = page->keys[i].len == SSHSIG_PUBLIC_BYTES;
    if (!readable)
        return bank_fail(list->bank, -EPROTO, "The bank's list of keys cannot be read.");
    *ret_n = n;
    *ret_more = false;
    return 0;
}

static int page_item(struct tb_list *list, const Timebank__Response *response, size_t i) {
    const Timebank__Keys *page = response->keys;
    list->item.key = (struct tb_key){
        .role = (int)page->roles[i],
        .account = page->accounts[i],
        .granted_entry = page->granted[i],
        .revoked_entry = page->revoked[i],
        .report_class = (enum tb_report_class)page->report_classes[i],
    };
    memcpy(list->item.key.key, page->keys[i].data, SSHSIG_PUBLIC_BYTES);
    return 1;
}

static const struct list_noun noun = {
    .ask = TIMEBANK__REQUEST__BODY_KEYS,
    .wants = TIMEBANK__RESPONSE__BODY_KEYS,
    .count = page_count,
    .item = page_item,
};

int tb_key_begin(struct tb_bank *bank, struct tb_list **ret_list) {
    return list_begin(bank, &noun, NULL, ret_list);
}

const struct tb_key *tb_key_next(struct tb_list *list) {
    return list_next(list, &noun) ? &list->item.key : NULL;
}

int tb_key_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_key *key),
                void *user) {
    struct tb_list *list = NULL;
    const struct tb_key *key = NULL;
    int r = each ? tb_key_begin(bank, &list) : -EINVAL;
    while (r == 0 && (key = tb_key_next(list)))
        r = each(user, key);
    return list_finish(list, r);
}
