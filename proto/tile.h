/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tiles of a log as files (C2SP tlog-tiles): tile/<level>/<number>[.p/<width>], entry bundles
 * tile/entries/<number>[.p/<width>]; a number is cut in threes, all but the last part beginning
 * with x: 1234067 is x001/x234/067. Source: c2sp.org/tlog-tiles.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

#define TILE_WIDTH 256u
#define TILE_ENTRIES 255u /* as a level: the records themselves */
#define TILE_PATH_MAX 80

struct tile {
    unsigned level; /* 0 up, or TILE_ENTRIES */
    uint64_t number;
    unsigned width; /* 1 to 256 */
};

/* "tile/0/x001/067.p/12" */
void tile_path(const struct tile *tile, char ret[TILE_PATH_MAX]);
/* Each tile that a log of `size` records has and one of `old_size` had not, partial ones too, level
 * by level; entry bundles only where with_entries. Another value than 0 from each ends it. */
int tile_each(uint64_t old_size, uint64_t size, bool with_entries,
              int (*each)(void *user, const struct tile *tile), void *user);
