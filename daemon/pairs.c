/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs as bits or in a hash table: both answer alike, and which it is follows from the limits
 * alone.
 */
#include "pairs.h"

#include <assert.h>
#include <errno.h>

#define SLOTS_FIRST 1024
#define BITS_A_WORD 64

static_assert(PAIRS_BITS_BYTES / sizeof(uint64_t) < UINT32_MAX, "words are counted in 32 bits");

int pairs_init(struct pairs *ret, uint32_t n_groups, uint32_t n_members) {
    struct pairs pairs = {.n_groups = n_groups,
                          .n_members = n_members,
                          .n_words = ((size_t)n_members + BITS_A_WORD - 1) / BITS_A_WORD};
    pairs.has = calloc((size_t)n_groups + 1, sizeof(*pairs.has));
    if (!pairs.has)
        return -ENOMEM;
    if ((uint64_t)n_groups * pairs.n_words <= PAIRS_BITS_BYTES / sizeof(*pairs.bits)) {
        pairs.bits = calloc((size_t)n_groups * pairs.n_words + 1, sizeof(*pairs.bits));
    } else {
        pairs.n_slots = SLOTS_FIRST;
        pairs.slots = calloc(pairs.n_slots, sizeof(*pairs.slots));
    }
    if (!pairs.bits && !pairs.slots) {
        free(pairs.has);
        return -ENOMEM;
    }
    *ret = pairs;
    return 0;
}

void pairs_fini(struct pairs *pairs) {
    free(pairs->bits);
    free(pairs->slots);
    free(pairs->has);
    *pairs = (struct pairs){0};
}

static uint64_t pair_of(uint32_t group, uint32_t member) {
    return ((uint64_t)group << 32 | member) + 1;
}

/* The slot that holds the pair, or the empty one where it belongs. */
static size_t find_slot(const struct pairs *pairs, uint64_t pair) {
    size_t mask = pairs->n_slots - 1;
    uint64_t h =
        pair * 0x9e3779b97f4a7c15u; /* Fibonacci hashing: the high bits are the good ones */
    size_t i = (h ^ h >> 32) & mask;
    while (pairs->slots[i] != 0 && pairs->slots[i] != pair)
        i = (i + 1) & mask;
    return i;
}

static int grow_slots(struct pairs *pairs) {
    struct pairs grown = *pairs;
    grown.n_slots = 4 * pairs->n_slots;
    grown.slots = calloc(grown.n_slots, sizeof(*grown.slots));
    if (!grown.slots)
        return -ENOMEM;
    for (size_t i = 0; i < pairs->n_slots; i++)
        if (pairs->slots[i] != 0)
            grown.slots[find_slot(&grown, pairs->slots[i])] = pairs->slots[i];
    free(pairs->slots);
    *pairs = grown;
    return 0;
}

static int add_pair(struct pairs *pairs, uint64_t pair) {
    size_t slot = find_slot(pairs, pair);
    if (pairs->slots[slot] != 0)
        return 0;
    pairs->slots[slot] = pair;
    return 2 * ++pairs->n_in_slots > pairs->n_slots ? grow_slots(pairs) : 0;
}

int pairs_add_slot(struct pairs *pairs, uint32_t group, uint32_t member) {
    pairs->has[group] = true;
    return add_pair(pairs, pair_of(group, member));
}

bool pairs_has(const struct pairs *pairs, uint32_t group, uint32_t member) {
    if (pairs->bits)
        return pairs->bits[group * pairs->n_words + member / BITS_A_WORD] >> member % BITS_A_WORD &
               1;
    return pairs->slots[find_slot(pairs, pair_of(group, member))] != 0;
}

int pairs_merge(struct pairs *pairs, const struct pairs *other) {
    for (size_t i = 0; i < other->n_groups; i++) {
        pairs->has[i] |= other->has[i];
        for (size_t k = 0; other->bits && other->has[i] && k < other->n_words; k++)
            pairs->bits[i * pairs->n_words + k] |= other->bits[i * pairs->n_words + k];
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < other->n_slots; i++)
        if (other->slots[i] != 0)
            r = add_pair(pairs, other->slots[i]);
    return r;
}

void pairs_count(const struct pairs *pairs, uint64_t *group_counts, uint64_t *member_counts) {
    if (pairs->bits && !member_counts) {
        for (size_t i = 0; i < pairs->n_groups; i++)
            for (size_t k = 0; pairs->has[i] && k < pairs->n_words; k++)
                group_counts[i] +=
                    (unsigned)__builtin_popcountll(pairs->bits[i * pairs->n_words + k]);
        return;
    }
    uint32_t group, member;
    for (uint64_t at = 0; pairs_next(pairs, &at, &group, &member);) {
        if (group_counts)
            group_counts[group]++;
        if (member_counts)
            member_counts[member]++;
    }
}

/* at counts bits. */
static bool next_bit(const struct pairs *pairs, uint64_t *at, uint32_t *ret_group,
                     uint32_t *ret_member) {
    uint32_t n_words = (uint32_t)pairs->n_words, n_all = n_words * pairs->n_groups;
    uint32_t word = (uint32_t)(*at / BITS_A_WORD);
    uint64_t rest = word < n_all ? pairs->bits[word] >> *at % BITS_A_WORD : 0;
    if (rest == 0) {
        while (++word < n_all && pairs->bits[word] == 0)
            continue;
        if (word >= n_all)
            return false;
        *at = (uint64_t)word * BITS_A_WORD;
        rest = pairs->bits[word];
    }
    *at += (unsigned)__builtin_ctzll(rest);
    *ret_group = word / n_words;
    *ret_member = (uint32_t)(*at - (uint64_t)*ret_group * n_words * BITS_A_WORD);
    (*at)++;
    return true;
}

bool pairs_next(const struct pairs *pairs, uint64_t *at, uint32_t *ret_group,
                uint32_t *ret_member) {
    if (pairs->bits)
        return next_bit(pairs, at, ret_group, ret_member);
    for (; *at < pairs->n_slots; (*at)++) {
        uint64_t pair = pairs->slots[*at] - 1;
        if (pairs->slots[*at] == 0)
            continue;
        *ret_group = (uint32_t)(pair >> 32);
        *ret_member = (uint32_t)pair;
        (*at)++;
        return true;
    }
    return false;
}
