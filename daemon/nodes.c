/* SPDX-License-Identifier: Apache-2.0 */
/* One place for each node: the later one stays. */
#include "nodes.h"

#include "runs.h"

#define SPREAD 0x9e3779b97f4a7c15u /* 2^64 by the golden ratio */
#define SLOT_BITS 10

static_assert(NODES_SLOTS == 1u << SLOT_BITS, "a slot for each value of the bits");

int nodes_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    const struct nodes_source *source = user;
    uint64_t place = ((index << 6 | level) * SPREAD) >> (64 - SLOT_BITS);
    struct node *node = &source->nodes->slots[place];
    int r;

    if (node->level_plus_1 != level + 1 || node->index != index) {
        r = runs_lookup(source->read, level, index, ret);
        if (r < 0)
            return r;
        *node = (struct node){.hash = *ret, .index = index, .level_plus_1 = (uint8_t)(level + 1)};
    }
    *ret = node->hash;
    return 0;
}
