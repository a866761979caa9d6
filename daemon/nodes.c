/* SPDX-License-Identifier: Apache-2.0 */
/* One place for each node, one for each size: the later one stays. */
#include "nodes.h"

#include "proto/tile.h"
#include "runs.h"

#define SPREAD 0x9e3779b97f4a7c15u /* 2^64 by the golden ratio */
#define SLOT_BITS 10
#define ROOT_BITS 8
#define STORED_LEVELS 8u /* of so many levels of nodes one is stored */

static_assert(NODES_SLOTS == 1u << SLOT_BITS, "a slot for each value of the bits");
static_assert(TILE_WIDTH == 1u << STORED_LEVELS, "a tile is of one stored level");
static_assert(NODES_ROOTS == 1u << ROOT_BITS, "a root for each value of the bits");

static struct node *slot_of(const struct nodes_source *source, unsigned level, uint64_t index) {
    return &source->nodes->slots[((index << 6 | level) * SPREAD) >> (64 - SLOT_BITS)];
}

static bool is_kept(const struct nodes_source *source, unsigned level, uint64_t index) {
    const struct node *node = slot_of(source, level, index);

    return node->level_plus_1 == level + 1 && node->index == index;
}

/* Its halves, where one of them was asked for: then the other is a small one away, or its halves
 * are. */
static int from_halves(struct nodes_source *source, unsigned level, uint64_t index,
                       struct hash *ret) {
    struct hash left, right;
    int r = nodes_lookup(source, level - 1, 2 * index, &left);

    if (r == 0)
        r = nodes_lookup(source, level - 1, 2 * index + 1, &right);
    if (r == 0)
        *ret = merkle_node(&left, &right);
    return r;
}

int nodes_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    struct nodes_source *source = user;
    struct node *node = slot_of(source, level, index);
    int r = 0;

    if (!is_kept(source, level, index)) {
        /* What is stored as a node need not be made of its halves. */
        bool has_half = level % STORED_LEVELS != 0 && (is_kept(source, level - 1, 2 * index) ||
                                                       is_kept(source, level - 1, 2 * index + 1));
        r = has_half ? from_halves(source, level, index, ret)
                     : runs_lookup(source->read, level, index, ret);
        if (r < 0)
            return r;
        *node = (struct node){.hash = *ret, .index = index, .level_plus_1 = (uint8_t)(level + 1)};
    }
    *ret = node->hash;
    return 0;
}

int nodes_root(struct nodes_source *source, uint64_t size, struct hash *ret) {
    size_t place = (size_t)(size * SPREAD >> (64 - ROOT_BITS));
    struct merkle_range range;
    int r = 0;

    if (size == 0 || source->nodes->roots[place].size != size) {
        r = runs_range(source->read, size, &range);
        if (r < 0)
            return r;
        source->nodes->roots[place].hash = merkle_range_root(&range);
        source->nodes->roots[place].size = size;
    }
    *ret = source->nodes->roots[place].hash;
    return 0;
}
