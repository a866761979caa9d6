/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chained slots, doubled when half full: most rows are the first of their slot. Which slot a key
 * comes to is decided by a key of this process, so that nobody can choose names that collide: short
 * keys by multilinear hashing, strongly universal (Lemire and Kaser, "Strongly universal string
 * hashing is fast", The Computer Journal 57, 2014), long ones by SipHash.
 */
#include "rows.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_SLOTS_FIRST 16u
#define WORDS_MAX 12u /* of a short key */

static bool is_secret_made;
static struct {
    uint8_t siphash[crypto_shorthash_KEYBYTES];
    uint64_t first;
    uint64_t words[WORDS_MAX];
} secret;

/* The length goes in as well: what fills up the last word tells no key from a longer one. */
static uint64_t hash_short(const uint8_t *key, size_t n_key) {
    uint64_t sum = secret.first * (n_key + 1);
    uint32_t word;
    size_t i = 0;

    for (; (i + 1) * sizeof(word) <= n_key; i++) {
        memcpy(&word, key + i * sizeof(word), sizeof(word));
        sum += secret.words[i] * word;
    }
    word = 0;
    for (size_t at = i * sizeof(word); at < n_key; at++)
        word = word << 8 | key[at];
    if (n_key % sizeof(word))
        sum += secret.words[i] * word;
    return sum >> 32;
}

uint64_t rows_hash(const void *key, size_t n_key) {
    uint64_t hash;

    if (!is_secret_made) {
        randombytes_buf(&secret, sizeof(secret));
        is_secret_made = true;
    }
    if (n_key <= WORDS_MAX * sizeof(uint32_t))
        return hash_short(key, n_key);
    crypto_shorthash((unsigned char *)&hash, key, n_key, secret.siphash);
    return hash;
}

struct row *rows_find(const struct rows *rows, uint64_t hash, const void *key, size_t n_key) {
    if (rows->n_slots == 0)
        return NULL;
    for (struct row *row = rows->slots[hash & (rows->n_slots - 1)]; row; row = row->next)
        if (row->hash == hash && row->n_key == n_key && memcmp(row->key, key, n_key) == 0)
            return row;
    return NULL;
}

static bool grow(struct rows *rows) {
    size_t n = rows->n_slots ? rows->n_slots * 2 : ROWS_SLOTS_FIRST;
    struct row **slots = calloc(n, sizeof(*slots));

    if (!slots)
        return false;
    for (size_t i = 0; i < rows->n_slots; i++) {
        struct row *next;
        for (struct row *row = rows->slots[i]; row; row = next) {
            next = row->next;
            row->next = slots[row->hash & (n - 1)];
            slots[row->hash & (n - 1)] = row;
        }
    }
    free(rows->slots);
    rows->slots = slots;
    rows->n_slots = n;
    return true;
}

static struct row *row_new(struct rows *rows, size_t n) {
    struct row *row;

    if (!rows->arena)
        return calloc(1, n);
    row = arena_alloc(rows->arena, n);
    if (row)
        memset(row, 0, n);
    return row;
}

static size_t value_at(size_t n_key) {
    return (offsetof(struct row, key) + n_key + 7) / 8 * 8;
}

struct row *rows_of_value(const void *value, size_t n_key) {
    struct row *row = (struct row *)((uintptr_t)value - value_at(n_key));

    assert(row->value == value && row->n_key == n_key);
    return row;
}

struct row *rows_add(struct rows *rows, uint64_t hash, const void *key, size_t n_key,
                     size_t n_value) {
    struct row *row;

    assert(n_key <= UINT16_MAX);
    if (rows->n_rows >= rows->n_slots / 2 && !grow(rows))
        return NULL;
    row = row_new(rows, value_at(n_key) + n_value);
    if (!row)
        return NULL;
    row->hash = hash;
    row->n_key = (uint16_t)n_key;
    row->value = (uint8_t *)row + value_at(n_key);
    memcpy(row->key, key, n_key);
    row->next = rows->slots[hash & (rows->n_slots - 1)];
    rows->slots[hash & (rows->n_slots - 1)] = row;
    rows->n_rows++;
    return row;
}

void rows_remove(struct rows *rows, struct row *row) {
    struct row **at = &rows->slots[row->hash & (rows->n_slots - 1)];

    assert(!rows->arena);
    while (*at != row)
        at = &(*at)->next;
    *at = row->next;
    free(row);
    rows->n_rows--;
}

int rows_mark(struct rows *rows, struct row *row) {
    if (row->is_dirty)
        return 0;
    if (rows->n_dirty == rows->n_dirty_allocated) {
        size_t n = MAX_OF(rows->n_dirty_allocated * 2, (size_t)64);
        struct row **dirty = realloc(rows->dirty, n * sizeof(struct row *));
        if (!dirty)
            return -ENOMEM;
        rows->dirty = dirty;
        rows->n_dirty_allocated = n;
    }
    row->is_dirty = true;
    rows->dirty[rows->n_dirty++] = row;
    return 0;
}

void rows_leave(struct rows *rows) {
    assert(rows->n_leaving == 0);
    for (size_t i = 0; i < rows->n_dirty; i++) {
        rows->dirty[i]->is_dirty = false;
        rows->dirty[i]->is_leaving = true;
    }
    free(rows->leaving);
    rows->n_leaving = rows->n_dirty;
    rows->leaving = TAKE(rows->dirty);
    rows->n_dirty = rows->n_dirty_allocated = 0;
}

void rows_left(struct rows *rows, bool is_dropped) {
    for (size_t i = 0; i < rows->n_leaving; i++) {
        struct row *row = rows->leaving[i];
        row->is_leaving = false;
        if (is_dropped && !row->is_dirty)
            rows_remove(rows, row);
    }
    free(TAKE(rows->leaving));
    rows->n_leaving = 0;
}

struct row *rows_next(const struct rows *rows, const struct row *row) {
    size_t i = 0;

    if (row) {
        if (row->next)
            return row->next;
        i = (row->hash & (rows->n_slots - 1)) + 1;
    }
    for (; i < rows->n_slots; i++)
        if (rows->slots[i])
            return rows->slots[i];
    return NULL;
}

void rows_drop(struct rows *rows, bool (*drop)(const struct row *row)) {
    assert(!drop || !rows->arena);
    for (size_t i = 0; i < rows->n_slots && !rows->arena; i++) {
        struct row **at = &rows->slots[i];
        while (*at) {
            struct row *row = *at;
            if (drop && !drop(row)) {
                at = &row->next;
                continue;
            }
            *at = row->next;
            free(row);
            rows->n_rows--;
        }
    }
    if (!drop) {
        free(rows->slots);
        free(rows->dirty);
        free(rows->leaving);
        *rows = (struct rows){.arena = rows->arena};
    }
}
