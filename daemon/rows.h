/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of rows, each a key of bytes and a value of one fixed size per table. Rows stand
 * still: a pointer to a value is good until the row is dropped. Knows nothing of what the rows
 * mean.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"

struct row {
    struct row *next; /* in its slot */
    uint64_t hash;
    uint8_t *value; /* aligned to 8, after the key, in the same allocation */
    uint32_t noted; /* in which journal its value was noted last (state.h), or 0 */
    uint16_t n_key;
    bool is_dirty : 1;   /* changed since it was last written behind: in the list of those */
    bool is_leaving : 1; /* being written behind: likewise */
    uint8_t key[];       /* in one line of the cache with what is above: a search reads no more */
};

struct rows {
    struct row **slots;
    size_t n_slots; /* a power of two, or 0 */
    size_t n_rows;
    struct arena *arena; /* where rows come from and are freed with, or NULL: each by itself */
    struct row **dirty;  /* in the order of their first change */
    size_t n_dirty;
    size_t n_dirty_allocated;
    struct row **leaving;
    size_t n_leaving;
};

uint64_t rows_hash(const void *key, size_t n_key);
struct row *rows_find(const struct rows *rows, uint64_t hash, const void *key, size_t n_key);
/* The row that a value lies in, whose key is of n_key bytes. */
struct row *rows_of_value(const void *value, size_t n_key);
/* A new zeroed row; the key must not be there. NULL on no memory. */
struct row *rows_add(struct rows *rows, uint64_t hash, const void *key, size_t n_key,
                     size_t n_value);
/* Takes a row out and frees it: of a table without an arena. */
void rows_remove(struct rows *rows, struct row *row);
/* Marks a row dirty; -ENOMEM. */
int rows_mark(struct rows *rows, struct row *row) TB_MUST_CHECK;
/* The dirty rows are clean from now on, and leaving until rows_left(): then they go, but for those
 * that are dirty again, if `is_dropped`. One list at a time. */
void rows_leave(struct rows *rows);
void rows_left(struct rows *rows, bool is_dropped);
/* Rows one after another: rows_next(rows, NULL) is the first. Do not add meanwhile. */
struct row *rows_next(const struct rows *rows, const struct row *row);
/* Frees the rows for which drop() is true, which are in no list (NULL: all, slots and lists). */
void rows_drop(struct rows *rows, bool (*drop)(const struct row *row));
