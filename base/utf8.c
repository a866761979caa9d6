/* SPDX-License-Identifier: Apache-2.0 */
/* A decoder of one code point at a time, and the two classes of characters that names may not hold.
 */
#include "utf8.h"

#include <assert.h>
#include <string.h>

static int32_t sequence_next(const uint8_t *p, size_t n, size_t n_sequence, int32_t point,
                             int32_t min) {
    if (n < n_sequence)
        return -1;
    for (size_t i = 1; i < n_sequence; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return -1;
        point = point << 6 | (p[i] & 0x3f);
    }
    bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < min || point > 0x10ffff || is_surrogate ? -1 : point;
}

int32_t utf8_next(const char **at, const char *end) {
    assert(*at < end);
    const uint8_t *p = (const uint8_t *)*at;
    size_t n = (size_t)(end - *at), n_sequence = 1;
    int32_t point = -1;
    if (p[0] < 0x80) {
        point = p[0];
    } else if ((p[0] & 0xe0) == 0xc0) {
        n_sequence = 2;
        point = sequence_next(p, n, n_sequence, p[0] & 0x1f, 0x80);
    } else if ((p[0] & 0xf0) == 0xe0) {
        n_sequence = 3;
        point = sequence_next(p, n, n_sequence, p[0] & 0x0f, 0x800);
    } else if ((p[0] & 0xf8) == 0xf0) {
        n_sequence = 4;
        point = sequence_next(p, n, n_sequence, p[0] & 0x07, 0x10000);
    }
    if (point >= 0)
        *at += n_sequence;
    return point;
}

/* How many bytes at the front are ASCII, counted in eights. */
static size_t ascii_length(const char *text, size_t n) {
    size_t i = 0;
    for (uint64_t eight; i + sizeof(eight) <= n; i += sizeof(eight)) {
        memcpy(&eight, text + i, sizeof(eight));
        if (eight & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

bool utf8_is_valid(const char *text, size_t n) {
    size_t n_ascii = ascii_length(text, n);
    text += n_ascii;
    n -= n_ascii;
    for (const char *at = text, *end = text + n; at < end;)
        if (utf8_next(&at, end) < 0)
            return false;
    return true;
}

bool utf8_is_space(int32_t point) {
    return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
           point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

bool utf8_is_control(int32_t point) {
    return (point >= 0 && point < 0x20) || (point >= 0x7f && point <= 0x9f);
}
