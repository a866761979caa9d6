/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of ordered pairs of the same numbers: who gave to whom, where it matters who gave back. Both
 * ways of two stand side by side in two bits, so that one walk from one end to the other meets them
 * together; where all that could be there take too many, a hash table (pairs.h) has those there
 * are. Nobody is in a pair with itself.
 */
#pragma once

#include <string.h>

#include "pairs.h"

#define MUTUAL_BITS_BYTES ((uint64_t)32 << 20)

/* All-zero is good for mutual_fini(). */
struct mutual {
    uint32_t n; /* numbers */
    size_t n_bytes;
    uint8_t *bits; /* NULL: the table is used. Two for each other below one: cell one (one - 1) / 2
                      + other */
    struct pairs table;
};

/* Of two the greater number and the smaller one. */
enum mutual_ways { MUTUAL_ONE_TO_OTHER = 1, MUTUAL_OTHER_TO_ONE = 2, MUTUAL_BOTH = 3 };
struct mutual_pair {
    uint32_t one;
    uint32_t other; /* is smaller */
    unsigned ways;  /* enum mutual_ways */
};

int mutual_init(struct mutual *ret, uint32_t n) TB_MUST_CHECK;
void mutual_fini(struct mutual *mutual);
/* Adds those of another set of as many numbers. */
int mutual_merge(struct mutual *mutual, const struct mutual *other) TB_MUST_CHECK;

TB_MUST_CHECK static inline int mutual_add(struct mutual *mutual, uint32_t from, uint32_t to) {
    if (!mutual->bits)
        return pairs_add(&mutual->table, from, to);
    uint64_t one = from > to ? from : to, other = from > to ? to : from;
    uint64_t bit = one * (one - 1) + 2 * other + (from < to);
    mutual->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
    return 0;
}

/* Each two that are in a pair, once; all-zero is where a walk begins. */
struct mutual_walk {
    uint32_t one;
    uint32_t other; /* where the next word begins */
    uint32_t n;     /* cells in rest, behind which other stands */
    uint64_t rest;
    uint64_t at; /* in the table */
};
bool mutual_next(const struct mutual *mutual, struct mutual_walk *walk, struct mutual_pair *ret);
