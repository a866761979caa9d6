/* SPDX-License-Identifier: Apache-2.0 */
/* Every eighth level of the tree is a level of tiles. */
#include "tile-tree.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void tile_tree_init(struct tile_tree *tree, tile_tree_each each, void *user) {
    memset(tree, 0, sizeof(*tree));
    merkle_range_init(&tree->range, 0);
    tree->each = each;
    tree->user = user;
}

static int level_tell(struct tile_tree *tree, unsigned i, unsigned width) {
    const struct tile_tree_level *level = &tree->levels[i];
    struct tile tile = {.level = i, .number = level->number, .width = width};
    return tree->each ? tree->each(tree->user, &tile, level->hashes) : 0;
}

static void subtree_take(void *user, unsigned level, uint64_t index, const struct hash *hash) {
    struct tile_tree *tree = user;
    struct tile_tree_level *to = &tree->levels[level / 8];
    if (level % 8 != 0 || tree->r != 0)
        return;
    assert(index == to->number * TILE_WIDTH + to->n);
    to->hashes[to->n++] = *hash;
    if (to->n < TILE_WIDTH)
        return;
    tree->r = level_tell(tree, level / 8, TILE_WIDTH);
    to->number++;
    to->n = 0;
}

int tile_tree_append(struct tile_tree *tree, const struct hash *leaf) {
    merkle_range_append(&tree->range, leaf, subtree_take, tree);
    return tree->r;
}

int tile_tree_cut(struct tile_tree *tree) {
    int r = 0;
    for (unsigned i = 0; r == 0 && i < TILE_TREE_LEVELS; i++)
        if (tree->levels[i].n > 0)
            r = level_tell(tree, i, tree->levels[i].n);
    return r;
}

/* A merkle_lookup that knows what the partial tiles cover: all that the range of a size needs. */
static int lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    const struct tile_tree *tree = user;
    const struct tile_tree_level *from = &tree->levels[level / 8];
    uint64_t at = (index << level % 8) - from->number * TILE_WIDTH;
    uint64_t n = (uint64_t)1 << level % 8;
    if (at > from->n || n > from->n - at)
        return -EBADMSG;
    *ret = merkle_root(from->hashes + at, n);
    return 0;
}

int tile_tree_load(struct tile_tree *tree, uint64_t size, tile_tree_read read, void *user) {
    for (unsigned i = 0; i < TILE_TREE_LEVELS && size >> 8 * i > 0; i++) {
        struct tile_tree_level *level = &tree->levels[i];
        level->number = (size >> 8 * i) / TILE_WIDTH;
        level->n = (unsigned)((size >> 8 * i) % TILE_WIDTH);
        struct tile tile = {.level = i, .number = level->number, .width = level->n};
        int r = level->n > 0 ? read(user, &tile, level->hashes) : 0;
        if (r != 0)
            return r;
    }
    return merkle_prove_range(lookup, tree, 0, size, &tree->range);
}
