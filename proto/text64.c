/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsodium's codec, which takes constant time (secret keys pass through here) and insists on
 * canonical padding and zero spare bits. Its decoder reads 0xab as '+' and 0xaf as '/' where char
 * is signed, so what is not ASCII is kept from it.
 */
#include "text64.h"

#include <errno.h>
#include <sodium.h>

void text64_encode(struct bytes *to, const void *data, size_t n) {
    size_t n_text = TEXT64_CHARS(n);
    char *p = (char *)bytes_reserve(to, n_text + 1);
    if (!p)
        return;
    sodium_bin2base64(p, n_text + 1, data, n, sodium_base64_VARIANT_ORIGINAL);
    to->n--; /* the NUL */
}

static bool is_ascii(const char *text, size_t n) {
    uint8_t all = 0;
    for (size_t i = 0; i < n; i++)
        all |= (uint8_t)text[i];
    return all < 0x80;
}

int text64_decode(struct bytes *to, const char *text, size_t n) {
    if (n % 4 != 0 || !is_ascii(text, n))
        return -EBADMSG;
    size_t n_max = n / 4 * 3, n_decoded = 0;
    uint8_t *p = bytes_reserve(to, n_max);
    if (!p)
        return to->r;
    int r = sodium_base642bin(p, n_max, text, n, NULL, &n_decoded, NULL,
                              sodium_base64_VARIANT_ORIGINAL);
    to->n -= n_max;
    if (r != 0)
        return -EBADMSG;
    to->n += n_decoded;
    return 0;
}

void text64_hex(char *ret, const void *data, size_t n) {
    sodium_bin2hex(ret, 2 * n + 1, data, n);
}
