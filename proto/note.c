/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading is stricter than C2SP demands: exactly three lines of text, and every decimal and base64
 * value in its one canonical form, so that no two files say the same thing.
 */
#include "note.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/utf8.h"
#include "lines.h"
#include "text64.h"

#define ALGORITHM_ED25519 0x01
#define DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define KEY_ID_BYTES 4
#define KEY_ID_CHARS (2 * KEY_ID_BYTES)

static bool name_is_valid(struct lines name) {
    if (name.n == 0 || name.n > NOTE_ORIGIN_MAX)
        return false;
    for (const char *at = name.text, *end = at + name.n; at < end;) {
        int32_t point = utf8_next(&at, end);
        if (point < 0 || point == '+' || utf8_is_space(point) || utf8_is_control(point))
            return false;
    }
    return true;
}

bool note_origin_is_valid(const char *origin) {
    struct lines name = {.text = origin, .n = strlen(origin)};
    return name_is_valid(name) && strncmp(origin, "SSHSIG", 6) != 0;
}

struct hash note_ledger_id(const char *origin, const uint8_t key[NOTE_KEY_BYTES]) {
    struct iovec pieces[] = {
        {.iov_base = (void *)origin, .iov_len = strlen(origin)},
        {.iov_base = (uint8_t[]){'\n', ALGORITHM_ED25519}, .iov_len = 2},
        {.iov_base = (void *)key, .iov_len = NOTE_KEY_BYTES},
    };
    return hash_of_pieces(pieces, N_ELEMENTS(pieces));
}

int note_verifier_init(struct note_verifier *ret, const char *name,
                       const uint8_t key[NOTE_KEY_BYTES]) {
    if (!note_origin_is_valid(name))
        return -EINVAL;
    *ret = (struct note_verifier){};
    memcpy(ret->name, name, strlen(name));
    memcpy(ret->key, key, NOTE_KEY_BYTES);
    struct hash id = note_ledger_id(name, key);
    memcpy(ret->key_id, id.b, KEY_ID_BYTES);
    return 0;
}

/* Decodes canonical base64 of exactly n bytes. */
static int base64_read(struct lines text, uint8_t *ret, size_t n) {
    _cleanup_bytes_ struct bytes decoded = {};
    int r = text64_decode(&decoded, text.text, text.n);
    if (r < 0)
        return r;
    if (decoded.n != n)
        return -EBADMSG;
    memcpy(ret, decoded.data, n);
    return 0;
}

int note_verifier_parse(struct note_verifier *ret, const char *text) {
    struct lines rest = {.text = text, .n = strlen(text)};
    struct lines name, hex;
    uint8_t key[1 + NOTE_KEY_BYTES];
    char name_text[NOTE_ORIGIN_MAX + 1] = {}, key_id[KEY_ID_CHARS + 1];
    if (!lines_cut(&rest, '+', &name) || !lines_cut(&rest, '+', &hex) || !name_is_valid(name))
        return -EBADMSG;
    int r = base64_read(rest, key, sizeof(key));
    if (r < 0)
        return r;
    if (key[0] != ALGORITHM_ED25519)
        return -EBADMSG;
    struct note_verifier verifier;
    memcpy(name_text, name.text, name.n);
    if (note_verifier_init(&verifier, name_text, key + 1) < 0)
        return -EBADMSG;
    text64_hex(key_id, verifier.key_id, KEY_ID_BYTES);
    if (!lines_equals(hex, key_id))
        return -EBADMSG;
    *ret = verifier;
    return 0;
}

void note_verifier_format(const struct note_verifier *verifier, struct bytes *to) {
    char key_id[KEY_ID_CHARS + 1];
    uint8_t key[1 + NOTE_KEY_BYTES] = {ALGORITHM_ED25519};
    text64_hex(key_id, verifier->key_id, KEY_ID_BYTES);
    memcpy(key + 1, verifier->key, NOTE_KEY_BYTES);
    bytes_printf(to, "%s+%s+", verifier->name, key_id);
    text64_encode(to, key, sizeof(key));
}

void note_head_text(const struct note_head *head, struct bytes *to) {
    bytes_printf(to, "%s\n%" PRIu64 "\n", head->origin, head->size);
    text64_encode(to, head->root.b, HASH_BYTES);
    bytes_put_u8(to, '\n');
}

int note_checkpoint_sign(const struct note_head *head, const struct note_verifier *verifier,
                         const uint8_t secret_key[64], struct bytes *to) {
    size_t begin = to->n;
    note_head_text(head, to);
    bytes_put_u8(to, '\n');
    int r = note_checkpoint_add(head, verifier, secret_key, to);
    if (r < 0 && to->r == 0)
        to->n = begin;
    return r;
}

int note_checkpoint_add(const struct note_head *head, const struct note_verifier *verifier,
                        const uint8_t secret_key[64], struct bytes *to) {
    _cleanup_bytes_ struct bytes text = {};
    uint8_t signature[KEY_ID_BYTES + NOTE_SIGNATURE_BYTES];
    if (strcmp(head->origin, verifier->name) != 0 || !note_origin_is_valid(head->origin))
        return -EINVAL;
    note_head_text(head, &text);
    if (text.r < 0)
        return text.r;
    memcpy(signature, verifier->key_id, KEY_ID_BYTES);
    crypto_sign_detached(signature + KEY_ID_BYTES, NULL, text.data, text.n, secret_key);
    /* A damaged key signs all the same, and its signature gives the key away. */
    if (crypto_sign_verify_detached(signature + KEY_ID_BYTES, text.data, text.n, verifier->key) !=
        0) {
        sodium_memzero(signature, sizeof(signature));
        return -EKEYREJECTED;
    }
    bytes_printf(to, DASH "%s ", verifier->name);
    text64_encode(to, signature, sizeof(signature));
    bytes_put_u8(to, '\n');
    return to->r;
}

/* The three lines and the blank one; rest is left at the signature lines. */
static int head_read(struct lines *rest, const char *name, struct note_head *ret) {
    struct lines origin, size, root, blank;
    if (!lines_cut(rest, '\n', &origin) || !lines_cut(rest, '\n', &size) ||
        !lines_cut(rest, '\n', &root) || !lines_cut(rest, '\n', &blank) || blank.n != 0 ||
        origin.n > NOTE_ORIGIN_MAX || !lines_equals(origin, name))
        return -EBADMSG;
    *ret = (struct note_head){};
    memcpy(ret->origin, origin.text, origin.n);
    int r = lines_decimal(size, &ret->size);
    return r < 0 ? r : lines_hash(root, &ret->root);
}

/* 1: a good signature of the text by verifier; 0: well formed, and somebody else's. */
static int signature_line_check(struct lines line, struct lines text,
                                const struct note_verifier *verifier) {
    _cleanup_bytes_ struct bytes signature = {};
    struct lines name;
    if (line.n < sizeof(DASH) - 1 || memcmp(line.text, DASH, sizeof(DASH) - 1) != 0)
        return -EBADMSG;
    line.text += sizeof(DASH) - 1;
    line.n -= sizeof(DASH) - 1;
    if (!lines_cut(&line, ' ', &name) || !name_is_valid(name))
        return -EBADMSG;
    int r = text64_decode(&signature, line.text, line.n);
    if (r < 0)
        return r;
    if (signature.n <= KEY_ID_BYTES)
        return -EBADMSG;
    if (!lines_equals(name, verifier->name) ||
        memcmp(signature.data, verifier->key_id, KEY_ID_BYTES) != 0)
        return 0;
    if (signature.n != KEY_ID_BYTES + NOTE_SIGNATURE_BYTES)
        return -EBADMSG;
    r = crypto_sign_verify_detached(signature.data + KEY_ID_BYTES, (const uint8_t *)text.text,
                                    text.n, verifier->key);
    return r == 0 ? 1 : -EBADMSG;
}

int note_checkpoint_peek(const void *data, size_t n, const char *origin, struct note_head *ret) {
    struct lines rest = {.text = data, .n = n};
    return n > NOTE_COSIGNED_MAX ? -EBADMSG : head_read(&rest, origin, ret);
}

int note_checkpoint_open(const void *data, size_t n, const struct note_verifier *verifier,
                         struct note_head *ret) {
    struct lines rest = {.text = data, .n = n}, text = {.text = data}, line;
    struct note_head head;
    unsigned n_ours = 0;
    if (n > NOTE_COSIGNED_MAX)
        return -EBADMSG;
    int r = head_read(&rest, verifier->name, &head);
    if (r < 0)
        return r;
    text.n = (size_t)(rest.text - text.text) - 1;
    while (lines_cut(&rest, '\n', &line)) {
        r = signature_line_check(line, text, verifier);
        if (r < 0)
            return r;
        n_ours += (unsigned)r;
    }
    if (rest.n > 0 || n_ours != 1)
        return -EBADMSG;
    *ret = head;
    return 0;
}
