/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tiles a log has follows from its size alone: level k has a hash for each perfect subtree of
 * 256^k leaves, 256 of them a tile, the rest a partial one. So does what a longer log adds.
 */
#include "tile.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#define TILE_LEVELS 8u /* 256^8 leaves are more than a size can say */

void tile_path(const struct tile *tile, char ret[TILE_PATH_MAX]) {
    uint64_t parts[7];
    size_t n_parts = 0;
    int n = 0;

    assert(tile->width >= 1 && tile->width <= TILE_WIDTH);
    for (uint64_t number = tile->number; n_parts == 0 || number > 0; number /= 1000)
        parts[n_parts++] = number % 1000;
    if (tile->level == TILE_ENTRIES)
        n = snprintf(ret, TILE_PATH_MAX, "tile/entries");
    else
        n = snprintf(ret, TILE_PATH_MAX, "tile/%u", tile->level);
    while (n_parts-- > 0)
        n += snprintf(ret + n, TILE_PATH_MAX - (size_t)n, "/%s%03" PRIu64, n_parts > 0 ? "x" : "",
                      parts[n_parts]);
    if (tile->width < TILE_WIDTH)
        n += snprintf(ret + n, TILE_PATH_MAX - (size_t)n, ".p/%u", tile->width);
    assert(n < TILE_PATH_MAX);
}

/* The tiles of one level, which had n_old hashes and has n. */
static int level_each(unsigned level, uint64_t n_old, uint64_t n,
                      int (*each)(void *user, const struct tile *tile), void *user) {
    struct tile tile = {.level = level, .number = n_old / TILE_WIDTH};
    int r = 0;

    if (n == n_old)
        return 0;
    for (; r == 0 && tile.number < n / TILE_WIDTH; tile.number++) {
        tile.width = TILE_WIDTH;
        r = each(user, &tile);
    }
    tile.width = (unsigned)(n % TILE_WIDTH);
    return r == 0 && tile.width > 0 ? each(user, &tile) : r;
}

int tile_each(uint64_t old_size, uint64_t size, bool with_entries,
              int (*each)(void *user, const struct tile *tile), void *user) {
    int r = 0;

    assert(old_size <= size);
    for (unsigned level = 0; r == 0 && level < TILE_LEVELS && size >> 8 * level > 0; level++)
        r = level_each(level, old_size >> 8 * level, size >> 8 * level, each, user);
    if (r == 0 && with_entries)
        r = level_each(TILE_ENTRIES, old_size, size, each, user);
    return r;
}
