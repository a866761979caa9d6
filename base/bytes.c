/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buffer doubles, so that n puts cost O(n). Whoever puts a secret reserves room for all of it
 * first: growing leaves copies behind.
 */
#include "bytes.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALLOCATED_MIN 64u

void bytes_fini(struct bytes *b) {
    free(b->data);
    *b = (struct bytes){};
}

void bytes_clear(struct bytes *b) {
    b->n = 0;
    b->r = 0;
}

static int bytes_grow(struct bytes *b, size_t n_needed) {
    size_t n = MAX_OF(b->n_allocated, (size_t)ALLOCATED_MIN);
    while (n < n_needed)
        n = n > SIZE_MAX / 2 ? n_needed : n * 2;
    uint8_t *data = realloc(b->data, n);
    if (!data)
        return -ENOMEM;
    b->data = data;
    b->n_allocated = n;
    return 0;
}

uint8_t *bytes_reserve(struct bytes *b, size_t n) {
    assert(b->n <= b->n_allocated);
    if (b->r < 0)
        return NULL;
    if (n > SIZE_MAX - b->n) {
        b->r = -ENOMEM;
        return NULL;
    }
    if (!b->data || n > b->n_allocated - b->n)
        b->r = bytes_grow(b, b->n + n);
    if (b->r < 0)
        return NULL;
    uint8_t *p = b->data + b->n;
    b->n += n;
    return p;
}

void bytes_put(struct bytes *b, const void *data, size_t n) {
    uint8_t *p = bytes_reserve(b, n);
    if (p && n > 0)
        memcpy(p, data, n);
}

void bytes_put_u8(struct bytes *b, uint8_t v) {
    bytes_put(b, &v, 1);
}

void bytes_put_u16(struct bytes *b, uint16_t v) {
    uint8_t p[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    bytes_put(b, p, sizeof(p));
}

void bytes_put_u32(struct bytes *b, uint32_t v) {
    uint8_t p[4];
    be32_put(p, v);
    bytes_put(b, p, sizeof(p));
}

void bytes_put_u64(struct bytes *b, uint64_t v) {
    uint8_t p[8];
    be64_put(p, v);
    bytes_put(b, p, sizeof(p));
}

void bytes_put_i64(struct bytes *b, int64_t v) {
    bytes_put_u64(b, (uint64_t)v);
}

void bytes_put_text(struct bytes *b, const char *text) {
    bytes_put(b, text, strlen(text));
}

void bytes_printf(struct bytes *b, const char *format, ...) {
    va_list measured, printed;
    va_start(measured, format);
    va_copy(printed, measured);
    int n = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    if (n < 0 && b->r == 0)
        b->r = -ENOMEM;
    /* The NUL that vsnprintf insists on gets its own byte, given back at once. */
    char *p = (char *)bytes_reserve(b, n < 0 ? 0 : (size_t)n + 1);
    if (p) {
        vsnprintf(p, (size_t)n + 1, format, printed);
        b->n--;
    }
    va_end(printed);
}

char *bytes_take_text(struct bytes *b) {
    bytes_put_u8(b, 0);
    char *text = b->r < 0 ? NULL : (char *)TAKE(b->data);
    bytes_fini(b);
    return text;
}

struct cursor cursor_make(const void *data, size_t n) {
    return (struct cursor){.at = data, .n_left = n};
}

const uint8_t *cursor_bytes(struct cursor *c, size_t n) {
    if (c->r < 0 || n > c->n_left) {
        c->r = -EBADMSG;
        return NULL;
    }
    const uint8_t *p = c->at;
    if (n > 0)
        c->at += n;
    c->n_left -= n;
    return p;
}

uint8_t cursor_u8(struct cursor *c) {
    const uint8_t *p = cursor_bytes(c, 1);
    return p ? p[0] : 0;
}

uint16_t cursor_u16(struct cursor *c) {
    const uint8_t *p = cursor_bytes(c, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t cursor_u32(struct cursor *c) {
    const uint8_t *p = cursor_bytes(c, 4);
    return p ? be32_get(p) : 0;
}

uint64_t cursor_u64(struct cursor *c) {
    const uint8_t *p = cursor_bytes(c, 8);
    return p ? be64_get(p) : 0;
}

int64_t cursor_i64(struct cursor *c) {
    return (int64_t)cursor_u64(c);
}

int cursor_end(const struct cursor *c) {
    return c->r < 0 || c->n_left > 0 ? -EBADMSG : 0;
}
