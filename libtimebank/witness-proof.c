/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node of the tree lies in one tile: eight levels of the tree are one level of tiles. The last
 * tile of each level is kept, because a proof goes down the tree's right edge.
 */
#include "witness-proof.h"

#include <errno.h>
#include <string.h>

#include "proto/lines.h"

/* A merkle_lookup. */
static int node_find(void *user, unsigned level, uint64_t index, struct hash *ret) {
    struct witness_proof *proof = user;
    struct witness_proof_level *held = &proof->levels[level / 8];
    uint64_t n_hashes = proof->size >> 8 * (level / 8);
    uint64_t first = index << level % 8;
    unsigned at = (unsigned)(first % TILE_WIDTH), n = 1u << level % 8;
    struct tile tile = {.level = level / 8, .number = first / TILE_WIDTH};
    tile.width = (unsigned)MIN_OF(n_hashes - tile.number * TILE_WIDTH, (uint64_t)TILE_WIDTH);
    if (held->tile.width == 0 || held->tile.number != tile.number) {
        held->tile.width = 0;
        int r = tile_files_read(&proof->files, &tile, held->hashes);
        if (r < 0)
            return r;
        held->tile = tile;
    }
    if (at + n > tile.width)
        return -EBADMSG;
    *ret = merkle_root(held->hashes + at, n);
    return 0;
}

int witness_proof_open(struct witness_proof *proof, const char *directory,
                       const struct note_head *head) {
    struct merkle_range range;
    memset(proof, 0, sizeof(*proof));
    proof->files.directory = directory;
    proof->size = head->size;
    int r = merkle_prove_range(node_find, proof, 0, head->size, &range);
    if (r < 0)
        return r;
    struct hash root = merkle_range_root(&range);
    return hash_equal(&root, &head->root) ? 0 : -EBADMSG;
}

int witness_proof_put(struct witness_proof *proof, uint64_t old_size, struct bytes *to) {
    struct hash path[MERKLE_PATH_MAX + 1];
    size_t n;
    int r = merkle_prove_consistency(node_find, proof, old_size, proof->size, path, &n);
    if (r < 0)
        return r;
    lines_put_hashes(to, path, n);
    return to->r;
}
