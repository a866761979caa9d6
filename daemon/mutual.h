/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of ordered pairs of the same numbers: who gave to whom, where it matters who gave back. Both
 * ways of two stand side by side in two bits, so that one walk from one end to the other meets them
 * together; where all that could be there take too many, a hash table (pairs.h) has those there
 * are. Nobody is in a pair with itself.
 *
 * Bits that no near cache holds are listed first, by the part of the memory that they stand in, and
 * set part after part once somebody settles: setting each where it falls waits for memory.
 */
#pragma once

#include <string.h>

#include "pairs.h"

#define MUTUAL_BITS_BYTES ((uint64_t)32 << 20)
#define MUTUAL_NEAR_BYTES ((uint64_t)128 << 10) /* set at once, and a part of more */
#define MUTUAL_LISTS (MUTUAL_BITS_BYTES / MUTUAL_NEAR_BYTES)

/* Of bits that are to be set. */
struct mutual_list {
    uint32_t *at;
    size_t n;
    size_t n_allocated;
};

/* All-zero is good for mutual_fini(). */
struct mutual {
    uint32_t n; /* numbers */
    size_t n_bytes;
    uint8_t *bits; /* NULL: the table is used, or nothing is settled. Two for each other below one:
                      cell one (one - 1) / 2 + other */
    struct mutual_list *lists; /* NULL: bits are set at once */
    size_t n_room;             /* in all of them */
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
/* Before pairs are counted or met. */
int mutual_settle(struct mutual *mutual) TB_MUST_CHECK;
/* The list has no room. */
int mutual_add_listed(struct mutual *mutual, uint32_t bit) TB_MUST_CHECK;

TB_MUST_CHECK static inline int mutual_add(struct mutual *mutual, uint32_t from, uint32_t to) {
    uint64_t one = from > to ? from : to, other = from > to ? to : from;
    uint64_t bit = one * (one - 1) + 2 * other + (from < to);
    if (mutual->lists) {
        struct mutual_list *list = &mutual->lists[bit / (8 * MUTUAL_NEAR_BYTES)];
        if (list->n == list->n_allocated)
            return mutual_add_listed(mutual, (uint32_t)bit);
        list->at[list->n++] = (uint32_t)bit;
        return 0;
    }
    if (!mutual->bits)
        return pairs_add(&mutual->table, from, to);
    mutual->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
    return 0;
}

/* How many two are in a pair, and how many of these both ways; once it is settled, as what follows.
 */
void mutual_count(const struct mutual *mutual, uint64_t *ret_n, uint64_t *ret_n_both_ways);
/* Each two that are in a pair, once; all-zero is where a walk begins. */
struct mutual_walk {
    uint32_t one;
    uint32_t other; /* where the next word begins */
    uint32_t n;     /* cells in rest, behind which other stands */
    uint64_t rest;
    uint64_t at; /* in the table */
};
bool mutual_next(const struct mutual *mutual, struct mutual_walk *walk, struct mutual_pair *ret);
