/* SPDX-License-Identifier: Apache-2.0 */
/* Symbols are dealt with from the least significant end, where the number begins at a whole bit. */
#include "base32.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"

#define CHECK_MODULUS 37u

/* The last five are check symbols only. */
static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

static unsigned check_of(const uint8_t *data, size_t n) {
    unsigned rest = 0;

    for (size_t i = 0; i < n; i++)
        rest = (rest * 256 + data[i]) % CHECK_MODULUS;
    return rest;
}

void base32_write(const void *data, size_t n, char *ret) {
    const uint8_t *bytes = data;
    size_t n_symbols = BASE32_CHARS(n) - 1;
    unsigned held = 0, n_bits = 0;

    ret[n_symbols] = symbols[check_of(bytes, n)];
    ret[n_symbols + 1] = '\0';
    for (size_t i = n_symbols; i-- > 0; held >>= 5, n_bits -= MIN_OF(n_bits, 5u)) {
        if (n_bits < 5 && n > 0) {
            held |= (unsigned)bytes[--n] << n_bits;
            n_bits += 8;
        }
        ret[i] = symbols[held & 31];
    }
}

static bool is_passed_over(char c) {
    return c == '-' || c == ' ' || (c >= '\t' && c <= '\r');
}

/* Of one symbol as people write it: 0 to 36; anything else is CHECK_MODULUS. */
static unsigned value_of(char c) {
    const char *at;

    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c == 'O')
        c = '0';
    if (c == 'I' || c == 'L')
        c = '1';
    at = c ? strchr(symbols, c) : NULL;
    return at ? (unsigned)(at - symbols) : CHECK_MODULUS;
}

/* The values of the text's last symbols, last first; false where it holds another number of them.
 */
static bool values_read(const char *text, size_t n_values, uint8_t *ret) {
    size_t n = 0;

    for (size_t i = strlen(text); i-- > 0;) {
        if (is_passed_over(text[i]))
            continue;
        unsigned value = value_of(text[i]);
        if (n == n_values || value >= (n == 0 ? CHECK_MODULUS : 32))
            return false;
        ret[n++] = (uint8_t)value;
    }
    return n == n_values;
}

bool base32_read(const char *text, size_t n, uint8_t *ret) {
    uint8_t values[BASE32_CHARS(BASE32_BYTES_MAX)], bytes[BASE32_BYTES_MAX] = {0};
    size_t n_values = BASE32_CHARS(n), at = n;
    unsigned held = 0, n_bits = 0;

    assert(n <= BASE32_BYTES_MAX);
    if (!values_read(text, n_values, values))
        return false;
    for (size_t i = 1; i < n_values; i++) {
        held |= (unsigned)values[i] << n_bits;
        n_bits += 5;
        if (n_bits >= 8 && at > 0) {
            bytes[--at] = (uint8_t)held;
            held >>= 8;
            n_bits -= 8;
        }
    }
    if (at > 0 || held != 0 || check_of(bytes, n) != values[0])
        return false;
    memcpy(ret, bytes, n);
    return true;
}
