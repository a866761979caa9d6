/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log's tree as it grows leaf by leaf, cut into tiles: each whole tile is told as it fills, the
 * partial ones at a size when asked. Holds one tile of each level, so that a log of any length is
 * walked in 64 KiB.
 */
#pragma once

#include "proto/merkle.h"
#include "proto/tile.h"

#define TILE_TREE_LEVELS 8

/* Told of a tile's hashes; another value than 0 ends the walk. */
typedef int (*tile_tree_each)(void *user, const struct tile *tile, const struct hash *hashes);
/* Reads a tile's hashes. */
typedef int (*tile_tree_read)(void *user, const struct tile *tile, struct hash *ret_hashes);

struct tile_tree {
    struct merkle_range range; /* of all leaves up to now */
    struct tile_tree_level {
        uint64_t number; /* of the tile being filled */
        unsigned n;
        struct hash hashes[TILE_WIDTH];
    } levels[TILE_TREE_LEVELS];
    tile_tree_each each; /* may be NULL */
    void *user;
    int r;
};

void tile_tree_init(struct tile_tree *tree, tile_tree_each each, void *user);
/* The tree of `size` leaves from its partial tiles; a root that is right proves them all. */
int tile_tree_load(struct tile_tree *tree, uint64_t size, tile_tree_read read,
                   void *user) TB_MUST_CHECK;
int tile_tree_append(struct tile_tree *tree, const struct hash *leaf) TB_MUST_CHECK;
/* Tells the partial tiles that the tree has now. */
int tile_tree_cut(struct tile_tree *tree) TB_MUST_CHECK;
