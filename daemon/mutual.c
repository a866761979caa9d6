/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A triangle of cells of two bits, row by row without a gap, read some cells at once wherever a
 * word begins; or a table of pairs. Which it is follows from the limit alone, and so does whether
 * bits are listed before they are set.
 */
#include "mutual.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CELLS_A_READ 28u /* as many as a word holds that begins anywhere in a byte */
#define BESIDE_BYTES 8u  /* a word may begin in the last byte */
#define LIST_FIRST 256u
#define WORDS_A_BYTE 31u /* whose bits a byte can count */
#define ROOM_MAX(n_bytes)                                                                          \
    ((n_bytes) / 2) /* then they are settled: twice the memory of the bits                         \
                     */

static int bits_init(struct mutual *mutual) {
    if (mutual->bits)
        return 0;
    void *bits =
        mmap(NULL, mutual->n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bits == MAP_FAILED)
        return -ENOMEM;
    madvise(bits, mutual->n_bytes, MADV_HUGEPAGE); /* as good without */
    mutual->bits = bits;
    return 0;
}

int mutual_init(struct mutual *ret, uint32_t n) {
    uint64_t n_bits = n > 0 ? (uint64_t)n * (n - 1) : 0;
    uint64_t n_bytes = n_bits / 64 * 8 + 8 + BESIDE_BYTES;
    struct mutual mutual = {.n = n, .n_bytes = n_bytes};
    if (n_bytes > MUTUAL_BITS_BYTES) {
        int r = pairs_init(&mutual.table, n, n);
        if (r == 0)
            *ret = mutual;
        return r;
    }
    int r = 0;
    if (n_bytes <= MUTUAL_NEAR_BYTES)
        r = bits_init(&mutual);
    else
        mutual.lists = calloc(MUTUAL_LISTS, sizeof(*mutual.lists));
    if (r < 0 || (!mutual.bits && !mutual.lists))
        return -ENOMEM;
    *ret = mutual;
    return 0;
}

void mutual_fini(struct mutual *mutual) {
    if (mutual->bits)
        munmap(mutual->bits, mutual->n_bytes);
    for (size_t i = 0; mutual->lists && i < MUTUAL_LISTS; i++)
        free(mutual->lists[i].at);
    free(mutual->lists);
    pairs_fini(&mutual->table);
    *mutual = (struct mutual){0};
}

/* ---- bits that are listed */

static void set_listed(struct mutual *mutual, const struct mutual_list *list) {
    for (size_t i = 0; i < list->n; i++)
        mutual->bits[list->at[i] / 8] |= (uint8_t)(1u << list->at[i] % 8);
}

int mutual_settle(struct mutual *mutual) {
    int r = mutual->lists ? bits_init(mutual) : 0;
    for (size_t i = 0; r == 0 && mutual->lists && i < MUTUAL_LISTS; i++) {
        set_listed(mutual, &mutual->lists[i]);
        free(mutual->lists[i].at);
        mutual->lists[i] = (struct mutual_list){0};
    }
    mutual->n_room = 0;
    return r;
}

static int list_grow(struct mutual *mutual, struct mutual_list *list, size_t n_more) {
    if (list->n + n_more <= list->n_allocated)
        return 0;
    n_more = MAX_OF(n_more, MAX_OF(list->n_allocated / 2, (size_t)LIST_FIRST));
    void *at = reallocarray(list->at, list->n_allocated + n_more, sizeof(*list->at));
    if (!at)
        return -ENOMEM;
    list->at = at;
    list->n_allocated += n_more;
    mutual->n_room += n_more;
    return 0;
}

int mutual_add_listed(struct mutual *mutual, uint32_t bit) {
    struct mutual_list *list = &mutual->lists[bit / (8 * MUTUAL_NEAR_BYTES)];
    int r = mutual->n_room > ROOM_MAX(mutual->n_bytes) ? mutual_settle(mutual) : 0;
    if (r == 0)
        r = list_grow(mutual, list, 1);
    if (r == 0)
        list->at[list->n++] = bit;
    return r;
}

static int merge_lists(struct mutual *mutual, const struct mutual_list *others) {
    int r = mutual->n_room > ROOM_MAX(mutual->n_bytes) ? mutual_settle(mutual) : 0;
    for (size_t i = 0; r == 0 && i < MUTUAL_LISTS; i++) {
        struct mutual_list *list = &mutual->lists[i];
        if (others[i].n == 0)
            continue;
        r = list_grow(mutual, list, others[i].n);
        if (r == 0)
            memcpy(list->at + list->n, others[i].at, others[i].n * sizeof(*list->at));
        if (r == 0)
            list->n += others[i].n;
    }
    return r;
}

static int merge_bits(struct mutual *mutual, const struct mutual *other) {
    int r = bits_init(mutual);
    for (size_t i = 0; r == 0 && i < mutual->n_bytes; i += sizeof(uint64_t)) {
        uint64_t own, more;
        memcpy(&own, mutual->bits + i, sizeof(own));
        memcpy(&more, other->bits + i, sizeof(more));
        own |= more;
        memcpy(mutual->bits + i, &own, sizeof(own));
    }
    return r;
}

int mutual_merge(struct mutual *mutual, const struct mutual *other) {
    if (mutual->table.n_groups > 0)
        return pairs_merge(&mutual->table, &other->table);
    int r = mutual->lists ? merge_lists(mutual, other->lists) : 0;
    return r == 0 && other->bits ? merge_bits(mutual, other) : r;
}

/* The next cells that are not all empty. */
static bool read_cells(const struct mutual *mutual, struct mutual_walk *walk) {
    while (walk->one < mutual->n) {
        uint64_t bit = walk->one > 0 ? (uint64_t)walk->one * (walk->one - 1) + 2 * walk->other : 0;
        uint64_t rest;
        if (walk->other >= walk->one) {
            walk->one++;
            walk->other = 0;
            continue;
        }
        walk->n = MIN_OF(walk->one - walk->other, CELLS_A_READ);
        walk->other += walk->n;
        memcpy(&rest, mutual->bits + bit / 8, sizeof(rest));
        walk->rest = rest >> bit % 8 & (((uint64_t)1 << 2 * walk->n) - 1);
        if (walk->rest != 0)
            return true;
    }
    return false;
}

static bool next_of_table(const struct pairs *table, struct mutual_walk *walk,
                          struct mutual_pair *ret) {
    uint32_t from, to;
    while (pairs_next(table, &walk->at, &from, &to)) {
        bool has_back = pairs_has(table, to, from);
        if (has_back && from < to)
            continue; /* met from the other side */
        ret->one = MAX_OF(from, to);
        ret->other = MIN_OF(from, to);
        ret->ways = has_back ? MUTUAL_BOTH : from > to ? MUTUAL_ONE_TO_OTHER : MUTUAL_OTHER_TO_ONE;
        return true;
    }
    return false;
}

bool mutual_next(const struct mutual *mutual, struct mutual_walk *walk, struct mutual_pair *ret) {
    if (mutual->table.n_groups > 0)
        return next_of_table(&mutual->table, walk, ret);
    if (walk->rest == 0 && !read_cells(mutual, walk))
        return false;
    unsigned cell = (unsigned)__builtin_ctzll(walk->rest) / 2;
    ret->one = walk->one;
    ret->other = walk->other - walk->n + cell;
    ret->ways = walk->rest >> 2 * cell & 3;
    walk->rest &= ~((uint64_t)3 << 2 * cell);
    return true;
}

/* Of each byte how many bits are set. */
static uint64_t count_bytes(uint64_t word) {
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    return (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
}

static uint64_t add_bytes(uint64_t bytes) {
    bytes = (bytes & 0x00ff00ff00ff00ffu) + (bytes >> 8 & 0x00ff00ff00ff00ffu);
    return bytes * 0x0001000100010001u >> 48;
}

/* Both ways are two bits of a cell, and few. */
static void count_bits(const uint8_t *bits, size_t n_words, uint64_t *ret_n_bits,
                       uint64_t *ret_n_both_ways) {
    uint64_t n_bits = 0, n_both_ways = 0, word;
    for (size_t i = 0; i < n_words;) {
        uint64_t bytes = 0;
        for (size_t end = MIN_OF(i + WORDS_A_BYTE, n_words); i < end; i++) {
            memcpy(&word, bits + i * sizeof(word), sizeof(word));
            bytes += count_bytes(word);
            word &= word >> 1 & 0x5555555555555555u;
            if (word != 0)
                n_both_ways += add_bytes(count_bytes(word));
        }
        n_bits += add_bytes(bytes);
    }
    *ret_n_bits = n_bits;
    *ret_n_both_ways = n_both_ways;
}

void mutual_count(const struct mutual *mutual, uint64_t *ret_n, uint64_t *ret_n_both_ways) {
    uint64_t n = 0, n_both_ways = 0;
    struct mutual_walk walk = {0};
    struct mutual_pair pair;
    if (mutual->bits) {
        count_bits(mutual->bits, mutual->n_bytes / sizeof(uint64_t), &n, &n_both_ways);
        n -= n_both_ways;
    }
    while (!mutual->bits && mutual_next(mutual, &walk, &pair)) {
        n++;
        n_both_ways += pair.ways == MUTUAL_BOTH;
    }
    *ret_n = n;
    *ret_n_both_ways = n_both_ways;
}
