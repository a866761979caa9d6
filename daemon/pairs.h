/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of pairs (group, member) of numbers below limits that are known beforehand: who gave in
 * which month, who gave to whom. A bit each where all pairs there could be take PAIRS_BITS_BYTES or
 * less, else a hash table of those there are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define PAIRS_BITS_BYTES ((uint64_t)32 << 20)

/* All-zero is good for pairs_fini(). */
struct pairs {
    uint32_t n_groups;
    uint32_t n_members;
    size_t n_words;  /* of 64 bits, of a group's members */
    uint64_t *bits;  /* NULL: slots are used */
    uint64_t *slots; /* open addressing: pair + 1, or 0 */
    size_t n_slots;  /* a power of two, at most half full */
    size_t n_in_slots;
    bool *has; /* of each group: any member */
};

int pairs_init(struct pairs *ret, uint32_t n_groups, uint32_t n_members) TB_MUST_CHECK;
void pairs_fini(struct pairs *pairs);
/* 0, or -ENOMEM. */
int pairs_add_slot(struct pairs *pairs, uint32_t group, uint32_t member) TB_MUST_CHECK;
bool pairs_has_slot(const struct pairs *pairs, uint32_t group, uint32_t member);
/* Adds those of another set with the same limits. */
int pairs_merge(struct pairs *pairs, const struct pairs *other) TB_MUST_CHECK;
/* How many members each group has, and in how many groups each member is; added to the arrays,
 * either of which may be NULL. */
void pairs_count(const struct pairs *pairs, uint64_t *group_counts, uint64_t *member_counts);
bool pairs_next_slot(const struct pairs *pairs, uint64_t *at, uint32_t *ret_group,
                     uint32_t *ret_member);

TB_MUST_CHECK static inline int pairs_add(struct pairs *pairs, uint32_t group, uint32_t member) {
    if (!pairs->bits)
        return pairs_add_slot(pairs, group, member);
    pairs->has[group] = true;
    pairs->bits[group * pairs->n_words + member / 64] |= (uint64_t)1 << member % 64;
    return 0;
}

static inline bool pairs_has(const struct pairs *pairs, uint32_t group, uint32_t member) {
    if (!pairs->bits)
        return pairs_has_slot(pairs, group, member);
    return pairs->bits[group * pairs->n_words + member / 64] >> member % 64 & 1;
}

/* Each pair once, in no promised order; at begins as 0. */
static inline bool pairs_next(const struct pairs *pairs, uint64_t *at, uint32_t *ret_group,
                              uint32_t *ret_member) {
    if (!pairs->bits)
        return pairs_next_slot(pairs, at, ret_group, ret_member);
    uint32_t group = (uint32_t)(*at >> 32), member = (uint32_t)*at;
    while (group < pairs->n_groups) {
        size_t word = member / 64;
        if (word >= pairs->n_words || !pairs->has[group]) {
            group++;
            member = 0;
            continue;
        }
        uint64_t rest = pairs->bits[group * pairs->n_words + word] >> member % 64;
        if (rest == 0) {
            member = (uint32_t)(word + 1) * 64;
            continue;
        }
        member += (uint32_t)__builtin_ctzll(rest);
        *ret_group = group;
        *ret_member = member;
        *at = (uint64_t)group << 32 | (member + 1);
        return true;
    }
    *at = (uint64_t)group << 32;
    return false;
}
