/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ed25519 by libsodium inside OpenSSH's envelopes. Whatever holds a secret on its way through a
 * buffer has its room reserved first and is wiped after.
 */
#include "sshsig.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "hash.h"
#include "text64.h"

#define KEY_TYPE "ssh-ed25519"
#define MAGIC "SSHSIG"
#define HASH_NAME "sha512"
#define ARMOUR_COLUMNS 70
#define SIGNED_MAX 256 /* bytes signed: fixed parts and a namespace of ours */
#define KEY_FILE_MAX 16384
#define KEY_MAGIC "openssh-key-v1" /* with its NUL */
#define KEY_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define KEY_END "-----END OPENSSH PRIVATE KEY-----"
#define KEY_BLOCK 8 /* the block size of the cipher "none" */

static void bytes_wipep(struct bytes *b) {
    if (b->data)
        sodium_memzero(b->data, b->n_allocated);
    bytes_fini(b);
}
#define _cleanup_wipe_ _cleanup_(bytes_wipep)

/* Makes room for n more bytes, so that the next puts move nothing. */
static void bytes_make_room(struct bytes *b, size_t n) {
    if (bytes_reserve(b, n))
        b->n -= n;
}

static void bytes_put_string(struct bytes *b, const void *data, size_t n) {
    bytes_put_u32(b, (uint32_t)n);
    bytes_put(b, data, n);
}

static void bytes_put_string_text(struct bytes *b, const char *text) {
    bytes_put_string(b, text, strlen(text));
}

static struct cursor cursor_string(struct cursor *c) {
    size_t n = cursor_u32(c);
    const uint8_t *p = cursor_bytes(c, n);
    struct cursor string = cursor_make(p, p ? n : 0);
    string.r = c->r;
    return string;
}

static bool cursor_is_text(struct cursor c, const char *text) {
    return c.r == 0 && c.n_left == strlen(text) && memcmp(c.at, text, c.n_left) == 0;
}

/* What is signed, in a buffer on the stack: signing and verifying need no memory. */
static size_t signed_bytes(const char *name_space, const void *message, size_t n,
                           uint8_t ret[SIGNED_MAX]) {
    uint8_t digest[64];
    hash_sha512(message, n, digest);
    const struct {
        const void *data;
        size_t n;
    } strings[] = {
        {name_space, strlen(name_space)},
        {"", 0},
        {HASH_NAME, sizeof(HASH_NAME) - 1},
        {digest, sizeof(digest)},
    };
    size_t at = sizeof(MAGIC) - 1;
    memcpy(ret, MAGIC, at);
    for (size_t i = 0; i < N_ELEMENTS(strings); i++) {
        assert(at + 4 + strings[i].n <= SIGNED_MAX);
        be32_put(ret + at, (uint32_t)strings[i].n);
        memcpy(ret + at + 4, strings[i].data, strings[i].n);
        at += 4 + strings[i].n;
    }
    return at;
}

int sshsig_sign(const char *name_space, const void *message, size_t n,
                const uint8_t secret_key[SSHSIG_SECRET_BYTES],
                uint8_t ret[SSHSIG_SIGNATURE_BYTES]) {
    uint8_t text[SIGNED_MAX], signature[SSHSIG_SIGNATURE_BYTES];
    size_t n_text = signed_bytes(name_space, message, n, text);
    crypto_sign_detached(signature, NULL, text, n_text, secret_key);
    /* A damaged key signs all the same, and its signature gives the key away. */
    if (crypto_sign_verify_detached(signature, text, n_text, secret_key + 32) != 0) {
        sodium_memzero(signature, sizeof(signature));
        return -EKEYREJECTED;
    }
    memcpy(ret, signature, sizeof(signature));
    return 0;
}

int sshsig_verify(const char *name_space, const void *message, size_t n,
                  const uint8_t public_key[SSHSIG_PUBLIC_BYTES],
                  const uint8_t signature[SSHSIG_SIGNATURE_BYTES]) {
    uint8_t text[SIGNED_MAX];
    size_t n_text = signed_bytes(name_space, message, n, text);
    return crypto_sign_verify_detached(signature, text, n_text, public_key) == 0 ? 0 : -EBADMSG;
}

/* str(type) || str(data), in a string of its own. */
static void bytes_put_typed(struct bytes *b, const uint8_t *data, size_t n) {
    bytes_put_u32(b, (uint32_t)(4 + strlen(KEY_TYPE) + 4 + n));
    bytes_put_string_text(b, KEY_TYPE);
    bytes_put_string(b, data, n);
}

/* Base64 in lines, each with its newline, between the marks. */
static void armour_put(struct bytes *to, const char *begin, const char *end,
                       const struct bytes *blob) {
    _cleanup_wipe_ struct bytes text = {};
    if (blob->r < 0) {
        to->r = blob->r;
        return;
    }
    text64_encode(&text, blob->data, blob->n);
    if (text.r < 0) {
        to->r = text.r;
        return;
    }
    bytes_make_room(to, text.n + text.n / ARMOUR_COLUMNS + strlen(begin) + strlen(end) + 3);
    bytes_put_text(to, begin);
    bytes_put_u8(to, '\n');
    for (size_t at = 0; at < text.n; at += ARMOUR_COLUMNS) {
        bytes_put(to, text.data + at, MIN_OF(text.n - at, (size_t)ARMOUR_COLUMNS));
        bytes_put_u8(to, '\n');
    }
    bytes_put_text(to, end);
    bytes_put_u8(to, '\n');
}

void sshsig_armour(const char *name_space, const uint8_t public_key[SSHSIG_PUBLIC_BYTES],
                   const uint8_t signature[SSHSIG_SIGNATURE_BYTES], struct bytes *to) {
    _cleanup_bytes_ struct bytes blob = {};
    bytes_put_text(&blob, MAGIC);
    bytes_put_u32(&blob, 1); /* version of the format */
    bytes_put_typed(&blob, public_key, SSHSIG_PUBLIC_BYTES);
    bytes_put_string_text(&blob, name_space);
    bytes_put_string_text(&blob, "");
    bytes_put_string_text(&blob, HASH_NAME);
    bytes_put_typed(&blob, signature, SSHSIG_SIGNATURE_BYTES);
    armour_put(to, "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----", &blob);
}

/* The inverse of bytes_put_typed, without the outer length. */
static int typed_read(struct cursor blob, uint8_t ret[SSHSIG_PUBLIC_BYTES]) {
    struct cursor type = cursor_string(&blob);
    struct cursor key = cursor_string(&blob);
    if (cursor_end(&blob) < 0 || !cursor_is_text(type, KEY_TYPE) ||
        key.n_left != SSHSIG_PUBLIC_BYTES)
        return -EBADMSG;
    memcpy(ret, key.at, SSHSIG_PUBLIC_BYTES);
    return 0;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void blanks_trim(const char **text, size_t *n) {
    for (; *n > 0 && is_blank((*text)[0]); (*n)--)
        (*text)++;
    while (*n > 0 && is_blank((*text)[*n - 1]))
        (*n)--;
}

static size_t word_length(const char *text, size_t n) {
    size_t i = 0;
    while (i < n && !is_blank(text[i]))
        i++;
    return i;
}

/* Cuts the first word off a trimmed line. */
static size_t word_cut(const char **text, size_t *n) {
    size_t n_word = word_length(*text, *n);
    *text += n_word;
    *n -= n_word;
    blanks_trim(text, n);
    return n_word;
}

/* Narrows a file to its first line that is not empty; false where a byte there is no text. */
static bool line_first(const char **text, size_t *n) {
    blanks_trim(text, n);
    const char *end = *n > 0 ? memchr(*text, '\n', *n) : NULL;
    if (end)
        *n = (size_t)(end - *text);
    blanks_trim(text, n);
    for (size_t i = 0; i < *n; i++)
        if (((uint8_t)(*text)[i] < 0x20 && (*text)[i] != '\t') || (*text)[i] == 0x7f)
            return false;
    return true;
}

int sshsig_public_parse(const char *text, size_t n, uint8_t ret_key[SSHSIG_PUBLIC_BYTES],
                        char **ret_comment) {
    _cleanup_bytes_ struct bytes blob = {};
    uint8_t key[SSHSIG_PUBLIC_BYTES];
    if (!line_first(&text, &n))
        return -EBADMSG;
    const char *word = text;
    size_t n_word = word_cut(&text, &n);
    if (n_word != strlen(KEY_TYPE) || memcmp(word, KEY_TYPE, n_word) != 0)
        return -EBADMSG;
    word = text;
    n_word = word_cut(&text, &n);
    int r = text64_decode(&blob, word, n_word);
    if (r < 0)
        return r;
    r = typed_read(cursor_make(blob.data, blob.n), key);
    if (r < 0)
        return r;
    if (!sshsig_public_is_usable(key))
        return -EKEYREJECTED;
    if (ret_comment) {
        char *comment = strndup(text, n);
        if (!comment)
            return -ENOMEM;
        *ret_comment = comment;
    }
    memcpy(ret_key, key, sizeof(key));
    return 0;
}

void sshsig_public_format(const uint8_t key[SSHSIG_PUBLIC_BYTES], const char *comment,
                          struct bytes *to) {
    _cleanup_bytes_ struct bytes blob = {};
    bytes_put_string_text(&blob, KEY_TYPE);
    bytes_put_string(&blob, key, SSHSIG_PUBLIC_BYTES);
    if (blob.r < 0) {
        to->r = blob.r;
        return;
    }
    bytes_put_text(to, KEY_TYPE " ");
    text64_encode(to, blob.data, blob.n);
    if (comment && comment[0])
        bytes_printf(to, " %s", comment);
    bytes_put_u8(to, '\n');
}

int sshsig_public_is_usable(const uint8_t key[SSHSIG_PUBLIC_BYTES]) {
    return crypto_core_ed25519_is_valid_point(key) == 1;
}

/* Narrows a key file to its base64, and decodes that without its line ends. */
static int key_file_decode(const char *text, size_t n, struct bytes *ret_blob) {
    _cleanup_wipe_ struct bytes base64 = {};
    size_t n_begin = strlen(KEY_BEGIN), n_end = strlen(KEY_END);
    blanks_trim(&text, &n);
    if (n > KEY_FILE_MAX || n < n_begin + n_end + 1 || memcmp(text, KEY_BEGIN, n_begin) != 0 ||
        memcmp(text + n - n_end, KEY_END, n_end) != 0 || !is_blank(text[n_begin]))
        return -EBADMSG;
    bytes_make_room(&base64, n);
    for (size_t i = n_begin; i < n - n_end; i++)
        if (!is_blank(text[i]))
            bytes_put_u8(&base64, (uint8_t)text[i]);
    if (base64.r < 0)
        return base64.r;
    return text64_decode(ret_blob, (const char *)base64.data, base64.n);
}

/* The part that a cipher would have hidden. */
static int private_part_read(struct cursor part, uint8_t ret_public[SSHSIG_PUBLIC_BYTES],
                             uint8_t ret_secret[SSHSIG_SECRET_BYTES]) {
    size_t n_part = part.n_left;
    uint32_t check = cursor_u32(&part);
    bool is_checked = cursor_u32(&part) == check;
    struct cursor type = cursor_string(&part);
    struct cursor public = cursor_string(&part);
    struct cursor secret = cursor_string(&part);
    (void)cursor_string(&part); /* comment */
    if (part.r < 0 || !is_checked || !cursor_is_text(type, KEY_TYPE) ||
        public.n_left != SSHSIG_PUBLIC_BYTES || secret.n_left != SSHSIG_SECRET_BYTES ||
        n_part % KEY_BLOCK != 0 || part.n_left >= KEY_BLOCK)
        return -EBADMSG;
    for (uint8_t i = 1; part.n_left > 0; i++)
        if (cursor_u8(&part) != i)
            return -EBADMSG;
    memcpy(ret_public, public.at, SSHSIG_PUBLIC_BYTES);
    memcpy(ret_secret, secret.at, SSHSIG_SECRET_BYTES);
    return 0;
}

static int key_blob_read(struct cursor blob, uint8_t ret_publics[2][SSHSIG_PUBLIC_BYTES],
                         uint8_t ret_secret[SSHSIG_SECRET_BYTES]) {
    const uint8_t *magic = cursor_bytes(&blob, sizeof(KEY_MAGIC));
    if (!magic || memcmp(magic, KEY_MAGIC, sizeof(KEY_MAGIC)) != 0)
        return -EBADMSG;
    struct cursor cipher = cursor_string(&blob);
    struct cursor kdf = cursor_string(&blob);
    struct cursor kdf_options = cursor_string(&blob);
    uint32_t n_keys = cursor_u32(&blob);
    struct cursor public = cursor_string(&blob);
    struct cursor part = cursor_string(&blob);
    if (cursor_end(&blob) < 0 || n_keys != 1)
        return -EBADMSG;
    if (!cursor_is_text(cipher, "none"))
        return -ENOKEY;
    if (!cursor_is_text(kdf, "none") || kdf_options.n_left != 0)
        return -EBADMSG;
    int r = typed_read(public, ret_publics[0]);
    return r < 0 ? r : private_part_read(part, ret_publics[1], ret_secret);
}

/* All three public halves in the file must be what the seed gives. */
static int key_check(uint8_t publics[2][SSHSIG_PUBLIC_BYTES],
                     const uint8_t secret[SSHSIG_SECRET_BYTES]) {
    uint8_t derived_public[SSHSIG_PUBLIC_BYTES], derived_secret[SSHSIG_SECRET_BYTES];
    crypto_sign_seed_keypair(derived_public, derived_secret, secret);
    int differs = sodium_memcmp(derived_secret, secret, SSHSIG_SECRET_BYTES) |
                  sodium_memcmp(derived_public, publics[0], SSHSIG_PUBLIC_BYTES) |
                  sodium_memcmp(derived_public, publics[1], SSHSIG_PUBLIC_BYTES);
    sodium_memzero(derived_secret, sizeof(derived_secret));
    return differs ? -EKEYREJECTED : 0;
}

int sshsig_secret_parse(const char *text, size_t n, uint8_t ret_key[SSHSIG_SECRET_BYTES]) {
    _cleanup_wipe_ struct bytes blob = {};
    uint8_t publics[2][SSHSIG_PUBLIC_BYTES], secret[SSHSIG_SECRET_BYTES];
    int r = key_file_decode(text, n, &blob);
    if (r == 0)
        r = key_blob_read(cursor_make(blob.data, blob.n), publics, secret);
    if (r < 0)
        return r;
    r = key_check(publics, secret);
    if (r == 0)
        memcpy(ret_key, secret, sizeof(secret));
    sodium_memzero(secret, sizeof(secret));
    return r;
}

static void private_part_put(struct bytes *b, const uint8_t key[SSHSIG_SECRET_BYTES],
                             const char *comment) {
    uint32_t check = randombytes_random();
    size_t n_before = b->n;
    bytes_put_u32(b, check);
    bytes_put_u32(b, check);
    bytes_put_string_text(b, KEY_TYPE);
    bytes_put_string(b, key + 32, SSHSIG_PUBLIC_BYTES);
    bytes_put_string(b, key, SSHSIG_SECRET_BYTES);
    bytes_put_string_text(b, comment);
    for (uint8_t i = 1; b->r == 0 && (b->n - n_before) % KEY_BLOCK != 0; i++)
        bytes_put_u8(b, i);
}

void sshsig_secret_format(const uint8_t key[SSHSIG_SECRET_BYTES], const char *comment,
                          struct bytes *to) {
    _cleanup_wipe_ struct bytes blob = {};
    _cleanup_wipe_ struct bytes part = {};
    comment = comment ? comment : "";
    size_t n_room = 512 + strlen(comment);
    bytes_make_room(&part, n_room);
    bytes_make_room(&blob, n_room + 256);
    private_part_put(&part, key, comment);
    bytes_put(&blob, KEY_MAGIC, sizeof(KEY_MAGIC));
    bytes_put_string_text(&blob, "none");
    bytes_put_string_text(&blob, "none");
    bytes_put_string_text(&blob, "");
    bytes_put_u32(&blob, 1); /* keys */
    bytes_put_typed(&blob, key + 32, SSHSIG_PUBLIC_BYTES);
    bytes_put_string(&blob, part.data, part.n);
    if (part.r < 0)
        blob.r = part.r;
    armour_put(to, KEY_BEGIN, KEY_END, &blob);
}

void sshsig_secret_new(uint8_t ret_key[SSHSIG_SECRET_BYTES]) {
    uint8_t public[SSHSIG_PUBLIC_BYTES];
    int r = sodium_init();
    assert(r >= 0);
    (void)r;
    crypto_sign_keypair(public, ret_key);
}
