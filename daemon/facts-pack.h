/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of numbers in few bytes: each column as its smallest value and what the others are above
 * it, in 0, 1, 2, 4 or 8 bytes a row. The same rows give the same bytes; bytes that are none of
 * ours are refused before anything is written outside the rows.
 *
 *   n u32 · for each column: bytes a row u8, base u64, then n numbers · little-endian
 *
 * Columns may lie side by side (stride: the width) or in an array of structs (stride: its size).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum facts_how { /* those that look at their own row only come first */
                 FACTS_PLAIN,
                 FACTS_FROM_NONE, /* u32, INTERN_NONE counts as the one below 0 */
                 FACTS_SIGNED,
                 FACTS_CLIMBING, /* grows by about one a row */
                 FACTS_BEHIND,   /* kept as the column before it less this one */
};

struct facts_column {
    uint32_t offset; /* of row 0 */
    uint32_t stride;
    uint8_t width; /* bytes of the number: 1, 2, 4, 8 */
    uint8_t how;   /* enum facts_how */
};

#define FACTS_COLUMN(type, field, how)                                                             \
    { (uint32_t) offsetof(type, field), sizeof(type), sizeof(((type *)0)->field), how }
/* Of a struct of arrays. */
#define FACTS_COLUMN_OF(type, field, how)                                                          \
    {                                                                                              \
        (uint32_t) offsetof(type, field), sizeof(((type *)0)->field[0]),                           \
            sizeof(((type *)0)->field[0]), how                                                     \
    }

void facts_pack(const struct facts_column *columns, size_t n_columns, const void *rows, uint32_t n,
                struct bytes *to);
/* Rows that the bytes hold; -EUCLEAN: at most n_max are wanted. */
int facts_pack_rows(const void *data, size_t n_data, uint32_t n_max, uint32_t *ret) TB_MUST_CHECK;
/* Fills n_rows as facts_pack_rows() told; -EUCLEAN. */
int facts_unpack(const struct facts_column *columns, size_t n_columns, const void *data,
                 size_t n_data, void *rows) TB_MUST_CHECK;
/* The same of some columns only: bit i is column i. */
int facts_unpack_some(const struct facts_column *columns, size_t n_columns, uint32_t wanted,
                      const void *data, size_t n_data, void *rows) TB_MUST_CHECK;
