/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs and unpacks columns. Everything is computed modulo 2^64, so that no value is special.
 */
#include "facts-pack.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define SIGN ((uint64_t)1 << 63)

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "columns are kept as this machine has them");

/* A constant number of bytes is one move, any number is a call. */
static inline uint64_t number_get(const uint8_t *at, uint8_t width) {
    uint64_t value = 0;
    if (width == 8)
        memcpy(&value, at, 8);
    else if (width == 4)
        memcpy(&value, at, 4);
    else if (width == 2)
        memcpy(&value, at, 2);
    else if (width == 1)
        value = *at;
    else
        memcpy(&value, at, width);
    return value;
}

static inline void number_put(uint8_t *at, uint8_t width, uint64_t value) {
    if (width == 8)
        memcpy(at, &value, 8);
    else if (width == 4)
        memcpy(at, &value, 4);
    else if (width == 2)
        memcpy(at, &value, 2);
    else if (width == 1)
        *at = (uint8_t)value;
    else
        memcpy(at, &value, width);
}

static uint64_t sign_extend(uint64_t value, uint8_t width) {
    unsigned up = 64u - 8u * width;
    return (uint64_t)((int64_t)(value << up) >> up);
}

#define PACK_ROWS 2048u /* at once */

#define GET_ROWS(type)                                                                             \
    for (uint32_t i = 0; i < n; i++) {                                                             \
        type value_;                                                                               \
        memcpy(&value_, from + (size_t)i * column->stride, sizeof(value_));                        \
        ret[i] = value_;                                                                           \
    }

static void get_rows(const struct facts_column *column, const uint8_t *rows, uint32_t first,
                     uint32_t n, uint64_t *ret) {
    const uint8_t *from = rows + column->offset + (size_t)first * column->stride;
    if (column->width == 1)
        GET_ROWS(uint8_t)
    else if (column->width == 2)
        GET_ROWS(uint16_t)
    else if (column->width == 4)
        GET_ROWS(uint32_t)
    else
        GET_ROWS(uint64_t)
}

/* Rows' numbers as they are kept: of little spread where the column is well chosen. */
static void get_kept(const struct facts_column *column, const uint8_t *rows, uint32_t first,
                     uint32_t n, uint64_t *ret) {
    uint64_t before[PACK_ROWS];
    get_rows(column, rows, first, n, ret);
    switch (column->how) {
    case FACTS_FROM_NONE:
        for (uint32_t i = 0; i < n; i++)
            ret[i] = (uint32_t)(ret[i] + 1);
        break;
    case FACTS_SIGNED:
        for (uint32_t i = 0; i < n; i++)
            ret[i] = sign_extend(ret[i], column->width) ^ SIGN;
        break;
    case FACTS_CLIMBING:
        for (uint32_t i = 0; i < n; i++)
            ret[i] -= first + i;
        break;
    case FACTS_BEHIND:
        get_rows(column - 1, rows, first, n, before);
        for (uint32_t i = 0; i < n; i++)
            ret[i] = before[i] - ret[i];
        break;
    default:
        break;
    }
}

static uint8_t width_of(uint64_t spread) {
    return spread == 0            ? 0
           : spread <= UINT8_MAX  ? 1
           : spread <= UINT16_MAX ? 2
           : spread <= UINT32_MAX ? 4
                                  : 8;
}

static void find_spread(const struct facts_column *column, const uint8_t *rows, uint32_t n,
                        uint64_t *ret_least, uint64_t *ret_most) {
    uint64_t values[PACK_ROWS], least = UINT64_MAX, most = 0;
    for (uint32_t first = 0; first < n; first += PACK_ROWS) {
        uint32_t n_now = MIN_OF(n - first, PACK_ROWS);
        get_kept(column, rows, first, n_now, values);
        for (uint32_t i = 0; i < n_now; i++) {
            least = MIN_OF(least, values[i]);
            most = MAX_OF(most, values[i]);
        }
    }
    *ret_least = n > 0 ? least : 0;
    *ret_most = most;
}

static void put_above(const struct facts_column *column, const uint8_t *rows, uint32_t n,
                      uint64_t least, uint8_t width, uint8_t *to) {
    uint64_t values[PACK_ROWS];
    for (uint32_t first = 0; first < n; first += PACK_ROWS) {
        uint32_t n_now = MIN_OF(n - first, PACK_ROWS);
        get_kept(column, rows, first, n_now, values);
        for (uint32_t i = 0; i < n_now; i++)
            number_put(to + (size_t)(first + i) * width, width, values[i] - least);
    }
}

/* Most columns of most blocks are: one look is enough. */
static bool is_constant(const struct facts_column *column, const uint8_t *rows, uint32_t n) {
    if (n < 2 || column->stride != column->width || column->how > FACTS_SIGNED)
        return false;
    const uint8_t *from = rows + column->offset;
    return memcmp(from, from + column->width, (size_t)(n - 1) * column->width) == 0;
}

static void pack_column(const struct facts_column *column, const uint8_t *rows, uint32_t n,
                        struct bytes *to) {
    uint64_t least, most;
    find_spread(column, rows, is_constant(column, rows, n) ? 1 : n, &least, &most);
    uint8_t width = width_of(most - least);
    uint8_t *at = bytes_reserve(to, 1 + sizeof(uint64_t) + (size_t)n * width);
    if (!at)
        return;
    at[0] = width;
    number_put(at + 1, sizeof(uint64_t), least);
    if (width > 0)
        put_above(column, rows, n, least, width, at + 1 + sizeof(uint64_t));
}

void facts_pack(const struct facts_column *columns, size_t n_columns, const void *rows, uint32_t n,
                struct bytes *to) {
    uint8_t *at = bytes_reserve(to, sizeof(n));
    if (!at)
        return;
    number_put(at, sizeof(n), n);
    for (size_t i = 0; i < n_columns; i++)
        pack_column(&columns[i], rows, n, to);
}

/* ---- unpacking: a loop for each pair of widths, plain enough for the compiler to widen */

#define WIDEN(to_type, from_type)                                                                  \
    for (uint32_t i = 0; i < n; i++) {                                                             \
        from_type from_;                                                                           \
        memcpy(&from_, data + (size_t)i * sizeof(from_), sizeof(from_));                           \
        to_type to_ = (to_type)(base + from_);                                                     \
        memcpy(to + (size_t)i * sizeof(to_), &to_, sizeof(to_));                                   \
    }
#define WIDEN_TO(to_type)                                                                          \
    do {                                                                                           \
        if (width == 1)                                                                            \
            WIDEN(to_type, uint8_t)                                                                \
        else if (width == 2)                                                                       \
            WIDEN(to_type, uint16_t)                                                               \
        else if (width == 4)                                                                       \
            WIDEN(to_type, uint32_t)                                                               \
        else                                                                                       \
            WIDEN(to_type, uint64_t)                                                               \
    } while (0)
#define FILL(to_type)                                                                              \
    for (uint32_t i = 0; i < n; i++) {                                                             \
        to_type to_ = (to_type)base;                                                               \
        memcpy(to + (size_t)i * sizeof(to_), &to_, sizeof(to_));                                   \
    }

static void widen(uint8_t *to, uint8_t to_width, const uint8_t *data, uint8_t width, uint64_t base,
                  uint32_t n) {
    if (width == 0 && to_width == 1)
        FILL(uint8_t)
    else if (width == 0 && to_width == 2)
        FILL(uint16_t)
    else if (width == 0 && to_width == 4)
        FILL(uint32_t)
    else if (width == 0)
        FILL(uint64_t)
    else if (to_width == 1)
        WIDEN_TO(uint8_t);
    else if (to_width == 2)
        WIDEN_TO(uint16_t);
    else if (to_width == 4)
        WIDEN_TO(uint32_t);
    else
        WIDEN_TO(uint64_t);
}

/* What widen() does not: columns of structs, and those that lean on the row or on another column.
 */
static void place(const struct facts_column *column, uint8_t *rows, const uint8_t *data,
                  uint8_t width, uint64_t base, uint32_t n) {
    const struct facts_column *before = column - 1;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t value = base + (width > 0 ? number_get(data + (size_t)i * width, width) : 0);
        if (column->how == FACTS_CLIMBING)
            value += i;
        else if (column->how == FACTS_BEHIND)
            value = number_get(rows + before->offset + (size_t)i * before->stride, before->width) -
                    value;
        number_put(rows + column->offset + (size_t)i * column->stride, column->width, value);
    }
}

/* Side by side and 64 bits wide: the columns of blocks. */
static void climb(uint8_t *to, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint64_t value;
        memcpy(&value, to + (size_t)i * sizeof(value), sizeof(value));
        value += i;
        memcpy(to + (size_t)i * sizeof(value), &value, sizeof(value));
    }
}

static void fall_behind(const uint8_t *before, uint8_t *to, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint64_t value, from;
        memcpy(&value, to + (size_t)i * sizeof(value), sizeof(value));
        memcpy(&from, before + (size_t)i * sizeof(from), sizeof(from));
        value = from - value;
        memcpy(to + (size_t)i * sizeof(value), &value, sizeof(value));
    }
}

static void unpack_column(const struct facts_column *column, uint8_t *rows, const uint8_t *data,
                          uint8_t width, uint64_t base, uint32_t n) {
    uint8_t *to = rows + column->offset;
    bool leans = column->how == FACTS_CLIMBING || column->how == FACTS_BEHIND;
    if (column->how == FACTS_FROM_NONE)
        base--;
    if (column->how == FACTS_SIGNED)
        base ^= SIGN;
    if (column->stride != column->width || (leans && column->width != sizeof(uint64_t))) {
        place(column, rows, data, width, base, n);
        return;
    }
    widen(to, column->width, data, width, base, n);
    if (column->how == FACTS_CLIMBING)
        climb(to, n);
    if (column->how == FACTS_BEHIND)
        fall_behind(rows + (column - 1)->offset, to, n);
}

int facts_pack_rows(const void *data, size_t n_data, uint32_t n_max, uint32_t *ret) {
    uint32_t n;
    if (n_data < sizeof(n))
        return -EUCLEAN;
    memcpy(&n, data, sizeof(n));
    if (n > n_max)
        return -EUCLEAN;
    *ret = n;
    return 0;
}

int facts_unpack_some(const struct facts_column *columns, size_t n_columns, uint32_t wanted,
                      const void *data, size_t n_data, void *rows) {
    const uint8_t *at = data;
    uint32_t n;
    int r = facts_pack_rows(data, n_data, UINT32_MAX, &n);
    if (r < 0)
        return r;
    size_t n_left = n_data - sizeof(n);
    at += sizeof(n);
    for (size_t i = 0; i < n_columns; i++) {
        if (n_left < 1 + sizeof(uint64_t))
            return -EUCLEAN;
        uint8_t width = at[0];
        uint64_t base = number_get(at + 1, sizeof(base));
        at += 1 + sizeof(base);
        n_left -= 1 + sizeof(base);
        if ((width & (width - 1)) != 0 || width > 8 || (width > 0 && n_left / width < n))
            return -EUCLEAN;
        if (wanted >> i & 1)
            unpack_column(&columns[i], rows, at, width, base, n);
        at += (size_t)n * width;
        n_left -= (size_t)n * width;
    }
    return n_left == 0 ? 0 : -EUCLEAN;
}

int facts_unpack(const struct facts_column *columns, size_t n_columns, const void *data,
                 size_t n_data, void *rows) {
    return facts_unpack_some(columns, n_columns, UINT32_MAX, data, n_data, rows);
}
