/* SPDX-License-Identifier: Apache-2.0 */
/* Strict, so that what was read is written again as the same bytes. */
#include "lines.h"

#include <errno.h>
#include <string.h>

#include "text64.h"

struct lines lines_make(const void *data, size_t n) {
    return (struct lines){.text = data, .n = n};
}

bool lines_cut(struct lines *rest, char separator, struct lines *ret) {
    const char *at = rest->n > 0 ? memchr(rest->text, separator, rest->n) : NULL;
    if (!at)
        return false;
    *ret = lines_make(rest->text, (size_t)(at - rest->text));
    rest->text = at + 1;
    rest->n -= ret->n + 1;
    return true;
}

bool lines_equals(struct lines piece, const char *text) {
    return piece.n == strlen(text) && memcmp(piece.text, text, piece.n) == 0;
}

bool lines_cut_word(struct lines *line, const char *word) {
    size_t n = strlen(word);
    if (line->n <= n || memcmp(line->text, word, n) != 0 || line->text[n] != ' ')
        return false;
    line->text += n + 1;
    line->n -= n + 1;
    return true;
}

int lines_decimal(struct lines piece, uint64_t *ret) {
    uint64_t v = 0;
    if (piece.n == 0 || (piece.n > 1 && piece.text[0] == '0'))
        return -EBADMSG;
    for (size_t i = 0; i < piece.n; i++) {
        if (piece.text[i] < '0' || piece.text[i] > '9')
            return -EBADMSG;
        uint64_t digit = (uint64_t)(piece.text[i] - '0');
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, digit, &v))
            return -EBADMSG;
    }
    *ret = v;
    return 0;
}

int lines_signed_decimal(struct lines piece, int64_t *ret) {
    bool is_negative = piece.n > 0 && piece.text[0] == '-';
    uint64_t v = 0;
    if (is_negative)
        piece = lines_make(piece.text + 1, piece.n - 1);
    int r = lines_decimal(piece, &v);
    if (r < 0)
        return r;
    if (is_negative ? v == 0 || v > (uint64_t)INT64_MAX + 1 : v > INT64_MAX)
        return -EBADMSG;
    *ret = is_negative ? (int64_t)(0 - v) : (int64_t)v;
    return 0;
}

int lines_hash(struct lines piece, struct hash *ret) {
    _cleanup_bytes_ struct bytes decoded = {};
    if (piece.n != TEXT64_CHARS(HASH_BYTES))
        return -EBADMSG;
    int r = text64_decode(&decoded, piece.text, piece.n);
    if (r < 0)
        return r;
    if (decoded.n != HASH_BYTES)
        return -EBADMSG;
    memcpy(ret->b, decoded.data, HASH_BYTES);
    return 0;
}

void lines_put_hashes(struct bytes *to, const struct hash *hashes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        text64_encode(to, hashes[i].b, HASH_BYTES);
        bytes_put_u8(to, '\n');
    }
}
