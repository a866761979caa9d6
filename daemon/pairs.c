/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs as bits or in a hash table: both answer alike, and which it is follows from the limits
 * alone.
 */
#include "pairs.h"

#include <errno.h>
#include <sys/mman.h>

#define SLOTS_FIRST 1024
#define BITS_A_WORD 64

#define LARGE_BYTES ((size_t)4 << 20)

/* All zero. Many pages of their own, met in no order, come in fewer and larger ones. */
static uint64_t *bits_new(size_t n_bytes) {
    if (n_bytes < LARGE_BYTES)
        return calloc(1, n_bytes);
    void *bits = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bits == MAP_FAILED)
        return NULL;
    madvise(bits, n_bytes, MADV_HUGEPAGE); /* as good without */
    return bits;
}

static void bits_free(uint64_t *bits, size_t n_bytes) {
    if (n_bytes < LARGE_BYTES)
        free(bits);
    else if (bits)
        munmap(bits, n_bytes);
}

static size_t bits_bytes(const struct pairs *pairs) {
    return ((size_t)pairs->n_groups * pairs->n_words + 1) * sizeof(*pairs->bits);
}

int pairs_init(struct pairs *ret, uint32_t n_groups, uint32_t n_members) {
    struct pairs pairs = {.n_groups = n_groups,
                          .n_members = n_members,
                          .n_words = ((size_t)n_members + BITS_A_WORD - 1) / BITS_A_WORD};
    pairs.has = calloc((size_t)n_groups + 1, sizeof(*pairs.has));
    if (!pairs.has)
        return -ENOMEM;
    if ((uint64_t)n_groups * pairs.n_words <= PAIRS_BITS_BYTES / sizeof(*pairs.bits)) {
        pairs.bits = bits_new(bits_bytes(&pairs));
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
    bits_free(pairs->bits, bits_bytes(pairs));
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

bool pairs_has_slot(const struct pairs *pairs, uint32_t group, uint32_t member) {
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

bool pairs_next_slot(const struct pairs *pairs, uint64_t *at, uint32_t *ret_group,
                     uint32_t *ret_member) {
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
