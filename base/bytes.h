/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer and a reading cursor, both big-endian, both with a sticky error: a straight
 * line of puts or gets is checked once at its end.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cleanup.h"

/* Growing buffer. All-zero is an empty buffer; bytes_fini() frees what it holds. After a failed
 * allocation r is -ENOMEM, and further puts do nothing. */
struct bytes {
    uint8_t *data;
    size_t n;
    size_t n_allocated;
    int r;
};

void bytes_fini(struct bytes *b);
void bytes_clear(struct bytes *b); /* n = 0, r = 0, keeps the memory */
uint8_t *bytes_reserve(struct bytes *b,
                       size_t n); /* n writable bytes appended; NULL on no memory */
void bytes_put(struct bytes *b, const void *data, size_t n);
void bytes_put_u8(struct bytes *b, uint8_t v);
void bytes_put_u16(struct bytes *b, uint16_t v);
void bytes_put_u32(struct bytes *b, uint32_t v);
void bytes_put_u64(struct bytes *b, uint64_t v);
void bytes_put_i64(struct bytes *b, int64_t v);
void bytes_put_text(struct bytes *b, const char *text); /* without its NUL */
void bytes_printf(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes the buffer as a NUL-terminated string (caller frees); NULL when r < 0. Empties b. */
char *bytes_take_text(struct bytes *b);

static inline void bytes_finip(struct bytes *b) {
    bytes_fini(b);
}
#define _cleanup_bytes_ _cleanup_(bytes_finip)

/* Reading cursor over borrowed bytes. Reading past the end sets r to -EBADMSG and yields zeros. */
struct cursor {
    const uint8_t *at;
    size_t n_left;
    int r;
};

struct cursor cursor_make(const void *data, size_t n);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
int64_t cursor_i64(struct cursor *c);
/* n bytes borrowed from the data; NULL and r = -EBADMSG when fewer are left. */
const uint8_t *cursor_bytes(struct cursor *c, size_t n);
/* 0 when everything was read and nothing failed, else -EBADMSG. */
int cursor_end(const struct cursor *c) TB_MUST_CHECK;

static inline void be64_put(uint8_t *p, uint64_t v) {
    v = htobe64(v);
    memcpy(p, &v, sizeof(v));
}

static inline uint64_t be64_get(const uint8_t *p) {
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return be64toh(v);
}

static inline void be32_put(uint8_t *p, uint32_t v) {
    v = htobe32(v);
    memcpy(p, &v, sizeof(v));
}

static inline uint32_t be32_get(const uint8_t *p) {
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return be32toh(v);
}
