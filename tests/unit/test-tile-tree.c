/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves in, tiles out: every tile against the roots of what it covers, and a walk that goes on. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "libtimebank/tile-tree.h"

TestSuite(tile_tree, .timeout = 60);

#define N_LEAVES 70000u

static struct hash leaves[N_LEAVES];
static struct tile_tree tree;

static void leaves_make(void) {
    for (uint32_t i = 0; i < N_LEAVES; i++)
        leaves[i] = merkle_leaf(&i, sizeof(i));
}

/* What was told, by level and number; the widest of a tile counts. */
#define KEPT_MAX 300u
static struct kept {
    struct tile tile;
    struct hash hashes[TILE_WIDTH];
} kept[3][KEPT_MAX];
static unsigned n_told;

static int keep(void *user, const struct tile *tile, const struct hash *hashes) {
    (void)user;
    cr_assert(tile->level < 3 && tile->number < KEPT_MAX);
    struct kept *to = &kept[tile->level][tile->number];
    cr_assert(tile->width >= to->tile.width);
    to->tile = *tile;
    memcpy(to->hashes, hashes, tile->width * sizeof(*hashes));
    n_told++;
    return 0;
}

static int give(void *user, const struct tile *tile, struct hash *ret_hashes) {
    (void)user;
    const struct kept *from = &kept[tile->level][tile->number];
    if (tile->width > from->tile.width)
        return -EBADMSG;
    memcpy(ret_hashes, from->hashes, tile->width * sizeof(*ret_hashes));
    return 0;
}

static void append_to(uint64_t size) {
    while (tree.range.end < size)
        cr_assert(tile_tree_append(&tree, &leaves[tree.range.end]) == 0);
    cr_assert(tile_tree_cut(&tree) == 0);
}

static int expect_told(void *user, const struct tile *tile) {
    unsigned *n = user;
    uint64_t n_leaves = (uint64_t)1 << 8 * tile->level;
    const struct kept *told = &kept[tile->level][tile->number];
    cr_assert(told->tile.width >= tile->width);
    for (unsigned i = 0; i < tile->width; i++) {
        uint64_t first = (tile->number * TILE_WIDTH + i) * n_leaves;
        struct hash root = merkle_root(leaves + first, n_leaves);
        cr_assert(hash_equal(&root, &told->hashes[i]));
    }
    ++*n;
    return 0;
}

static void expect_root(uint64_t size) {
    struct hash root = merkle_range_root(&tree.range), wanted = merkle_root(leaves, size);
    cr_assert(tree.range.end == size && hash_equal(&root, &wanted));
}

Test(tile_tree, tells_every_tile_of_70000_leaves) {
    unsigned n = 0;
    leaves_make();
    tile_tree_init(&tree, keep, NULL);
    append_to(N_LEAVES);
    expect_root(N_LEAVES);
    cr_assert(tile_each(0, N_LEAVES, false, expect_told, &n) == 0);
    cr_assert(n == 277 && n_told == 277);
}

Test(tile_tree, goes_on_from_the_partial_tiles_of_any_size) {
    static const uint64_t sizes[] = {1, 2, 255, 256, 257, 3000, 65535, 65536, 65537, N_LEAVES};
    leaves_make();
    tile_tree_init(&tree, keep, NULL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        unsigned n = 0;
        append_to(sizes[i]);
        cr_assert(tile_each(0, sizes[i], false, expect_told, &n) == 0);
        memset(&tree, 0xa5, sizeof(tree));
        tile_tree_init(&tree, keep, NULL);
        cr_assert(tile_tree_load(&tree, sizes[i], give, NULL) == 0);
        expect_root(sizes[i]);
    }
}

Test(tile_tree, another_hash_in_a_partial_tile_is_another_root) {
    leaves_make();
    tile_tree_init(&tree, keep, NULL);
    append_to(N_LEAVES);
    struct hash right = merkle_range_root(&tree.range);
    for (unsigned level = 0; level < 3; level++) {
        struct kept *partial = &kept[level][N_LEAVES >> 8 * (level + 1)];
        for (unsigned i = 0; i < partial->tile.width; i++) {
            partial->hashes[i].b[31] ^= 1;
            tile_tree_init(&tree, NULL, NULL);
            cr_assert(tile_tree_load(&tree, N_LEAVES, give, NULL) == 0);
            struct hash root = merkle_range_root(&tree.range);
            cr_assert(!hash_equal(&root, &right));
            partial->hashes[i].b[31] ^= 1;
        }
    }
}

static int refuse(void *user, const struct tile *tile, const struct hash *hashes) {
    (void)user;
    (void)hashes;
    return tile->level == 1 ? -ENOSPC : 0;
}

Test(tile_tree, what_the_keeper_of_tiles_says_ends_it) {
    leaves_make();
    tile_tree_init(&tree, refuse, NULL);
    for (unsigned i = 0; i < 300; i++)
        cr_assert(tile_tree_append(&tree, &leaves[i]) == 0);
    cr_assert(tile_tree_cut(&tree) == -ENOSPC);
}
