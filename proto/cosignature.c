/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of a witness is not under its signature, only its key id holds it: so both are compared,
 * and a line that claims a known key and does not verify is an error, not a stranger's.
 */
#include "cosignature.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "text64.h"

#define ALGORITHM_COSIGNATURE 0x04
#define DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define KEY_ID_BYTES 4
#define TIME_BYTES 8
#define SECONDS_MAX ((uint64_t)INT64_MAX)

static struct hash key_hash(const char *name, uint8_t algorithm, const uint8_t *key, size_t n_key) {
    struct iovec pieces[] = {
        {.iov_base = (void *)name, .iov_len = strlen(name)},
        {.iov_base = (uint8_t[]){'\n', algorithm}, .iov_len = 2},
        {.iov_base = (void *)key, .iov_len = n_key},
    };
    return hash_of_pieces(pieces, N_ELEMENTS(pieces));
}

int cosignature_verifier_init(struct cosignature_verifier *ret, const char *name,
                              const uint8_t key[NOTE_KEY_BYTES]) {
    if (!note_origin_is_valid(name))
        return -EINVAL;
    *ret = (struct cosignature_verifier){};
    memcpy(ret->name, name, strlen(name));
    memcpy(ret->key, key, NOTE_KEY_BYTES);
    struct hash id = key_hash(name, ALGORITHM_COSIGNATURE, key, NOTE_KEY_BYTES);
    memcpy(ret->key_id, id.b, KEY_ID_BYTES);
    return 0;
}

int cosignature_verifier_parse(struct cosignature_verifier *ret, const char *text) {
    _cleanup_bytes_ struct bytes key = {};
    char name[NOTE_ORIGIN_MAX + 1] = {}, hex[2 * KEY_ID_BYTES + 1];
    const char *first = strchr(text, '+'), *second = first ? strchr(first + 1, '+') : NULL;
    if (!second || first - text > NOTE_ORIGIN_MAX)
        return -EBADMSG;
    memcpy(name, text, (size_t)(first - text));
    int r = text64_decode(&key, second + 1, strlen(second + 1));
    if (r < 0)
        return r;
    if (key.n < 2 || !note_origin_is_valid(name))
        return -EBADMSG;
    struct hash id = key_hash(name, key.data[0], key.data + 1, key.n - 1);
    text64_hex(hex, id.b, KEY_ID_BYTES);
    if (second - first - 1 != 2 * KEY_ID_BYTES || memcmp(first + 1, hex, 2 * KEY_ID_BYTES) != 0)
        return -EBADMSG;
    if (key.data[0] != ALGORITHM_COSIGNATURE)
        return -ENOTSUP;
    if (key.n != 1 + NOTE_KEY_BYTES)
        return -EBADMSG;
    return cosignature_verifier_init(ret, name, key.data + 1);
}

void cosignature_verifier_format(const struct cosignature_verifier *verifier, struct bytes *to) {
    char hex[2 * KEY_ID_BYTES + 1];
    uint8_t key[1 + NOTE_KEY_BYTES] = {ALGORITHM_COSIGNATURE};
    text64_hex(hex, verifier->key_id, KEY_ID_BYTES);
    memcpy(key + 1, verifier->key, NOTE_KEY_BYTES);
    bytes_printf(to, "%s+%s+", verifier->name, hex);
    text64_encode(to, key, sizeof(key));
}

static void message_put(struct bytes *to, const void *text, size_t n_text, uint64_t seconds) {
    bytes_printf(to, "cosignature/v1\ntime %" PRIu64 "\n", seconds);
    bytes_put(to, text, n_text);
}

/* Leaves what follows "— name " of the verifier; false where the line begins otherwise. */
static bool name_skip(const struct cosignature_verifier *verifier, const char **line, size_t *n) {
    size_t n_dash = sizeof(DASH) - 1, n_name = strlen(verifier->name);
    if (*n < n_dash + n_name + 1 || memcmp(*line, DASH, n_dash) != 0 ||
        memcmp(*line + n_dash, verifier->name, n_name) != 0 || (*line)[n_dash + n_name] != ' ')
        return false;
    *line += n_dash + n_name + 1;
    *n -= n_dash + n_name + 1;
    return true;
}

int cosignature_check(const struct cosignature_verifier *verifier, const char *line, size_t n_line,
                      const void *text, size_t n_text, uint64_t *ret_seconds) {
    _cleanup_bytes_ struct bytes signature = {}, message = {};
    if (!name_skip(verifier, &line, &n_line))
        return 0;
    int r = text64_decode(&signature, line, n_line);
    if (r < 0)
        return r;
    struct cursor c = cursor_make(signature.data, signature.n);
    const uint8_t *key_id = cursor_bytes(&c, KEY_ID_BYTES);
    if (key_id && memcmp(key_id, verifier->key_id, KEY_ID_BYTES) != 0)
        return 0;
    uint64_t seconds = cursor_u64(&c);
    const uint8_t *value = cursor_bytes(&c, NOTE_SIGNATURE_BYTES);
    r = cursor_end(&c);
    if (r < 0 || seconds > SECONDS_MAX)
        return -EBADMSG;
    message_put(&message, text, n_text, seconds);
    if (message.r < 0)
        return message.r;
    if (crypto_sign_verify_detached(value, message.data, message.n, verifier->key) != 0)
        return -EBADMSG;
    *ret_seconds = seconds;
    return 1;
}

int cosignature_sign(const struct cosignature_verifier *verifier, const uint8_t secret_key[64],
                     const void *text, size_t n_text, uint64_t seconds, struct bytes *to) {
    _cleanup_bytes_ struct bytes message = {}, line = {};
    uint8_t signature[NOTE_SIGNATURE_BYTES];
    if (seconds > SECONDS_MAX)
        return -EINVAL;
    message_put(&message, text, n_text, seconds);
    if (message.r < 0)
        return message.r;
    crypto_sign_detached(signature, NULL, message.data, message.n, secret_key);
    bytes_put(&line, verifier->key_id, KEY_ID_BYTES);
    bytes_put_u64(&line, seconds);
    bytes_put(&line, signature, sizeof(signature));
    if (line.r < 0)
        return line.r;
    bytes_printf(to, DASH "%s ", verifier->name);
    text64_encode(to, line.data, line.n);
    bytes_put_u8(to, '\n');
    return to->r;
}
