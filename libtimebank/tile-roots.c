/* SPDX-License-Identifier: Apache-2.0 */
/* A batch names the head that its author saw, mostly a late one: its tiles are at hand then. */
#include "tile-roots.h"

#include <assert.h>
#include <errno.h>

struct tile tile_roots_tile(const struct tile_roots *roots, unsigned level, uint64_t number) {
    uint64_t n = roots->size >> 8 * level;
    uint64_t first = number * TILE_WIDTH;
    uint64_t width = first < n ? MIN_OF(n - first, TILE_WIDTH) : 0;
    return (struct tile){.level = level, .number = number, .width = (unsigned)width};
}

int tile_roots_read(struct tile_roots *roots, unsigned level, uint64_t number,
                    const struct tile_roots_kept **ret) {
    struct tile_roots_kept *kept = &roots->kept[(number + 7 * level) % TILE_ROOTS_KEPT];
    if (kept->tile.width == 0 || kept->tile.level != level || kept->tile.number != number) {
        struct tile tile = tile_roots_tile(roots, level, number);
        kept->tile.width = 0;
        int r = tile.width > 0 ? tile_files_read(roots->files, &tile, kept->hashes) : -EBADMSG;
        if (r < 0)
            return r;
        kept->tile = tile;
    }
    *ret = kept;
    return 0;
}

int tile_roots_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    const struct tile_roots_kept *kept = NULL;
    uint64_t at = index << level % 8;
    size_t n = (size_t)1 << level % 8;
    int r = tile_roots_read(user, level / 8, at / TILE_WIDTH, &kept);
    if (r < 0)
        return r;
    if (at % TILE_WIDTH + n > kept->tile.width)
        return -EBADMSG;
    *ret = merkle_root(kept->hashes + at % TILE_WIDTH, n);
    return 0;
}

int tile_roots_at(struct tile_roots *roots, uint64_t size, struct hash *ret_root) {
    struct merkle_range range;
    assert(size <= roots->size);
    int r = merkle_prove_range(tile_roots_lookup, roots, 0, size, &range);
    if (r == 0)
        *ret_root = merkle_range_root(&range);
    return r;
}
