/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A triangle of cells of two bits, row by row without a gap, read some cells at once wherever a
 * word begins; or a table of pairs. Which it is follows from the limit alone.
 */
#include "mutual.h"

#include <errno.h>
#include <sys/mman.h>

#define CELLS_A_READ 28u /* as many as a word holds that begins anywhere in a byte */
#define BESIDE_BYTES 8u  /* a word may begin in the last byte */

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
    void *bits = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bits == MAP_FAILED)
        return -ENOMEM;
    madvise(bits, n_bytes, MADV_HUGEPAGE); /* as good without */
    mutual.bits = bits;
    *ret = mutual;
    return 0;
}

void mutual_fini(struct mutual *mutual) {
    if (mutual->bits)
        munmap(mutual->bits, mutual->n_bytes);
    pairs_fini(&mutual->table);
    *mutual = (struct mutual){0};
}

int mutual_merge(struct mutual *mutual, const struct mutual *other) {
    if (!mutual->bits)
        return pairs_merge(&mutual->table, &other->table);
    for (size_t i = 0; i < mutual->n_bytes; i += sizeof(uint64_t)) {
        uint64_t own, more;
        memcpy(&own, mutual->bits + i, sizeof(own));
        memcpy(&more, other->bits + i, sizeof(more));
        own |= more;
        memcpy(mutual->bits + i, &own, sizeof(own));
    }
    return 0;
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
    if (!mutual->bits)
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
