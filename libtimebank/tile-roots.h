/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the root of an exported log was at any earlier size, out of its tiles. Keeps the last few
 * tiles in memory; believes them as they are.
 */
#pragma once

#include "proto/merkle.h"
#include "tile-files.h"

#define TILE_ROOTS_KEPT 64u

struct tile_roots {
    struct tile_files *files;
    uint64_t size; /* of the log: which tiles are partial */
    struct tile_roots_kept {
        struct tile tile; /* width 0: empty */
        struct hash hashes[TILE_WIDTH];
    } kept[TILE_ROOTS_KEPT];
};

/* The tile of that number as the log has it, 0 wide where there is none; its hashes are borrowed
 * until the next call. */
struct tile tile_roots_tile(const struct tile_roots *roots, unsigned level, uint64_t number);
int tile_roots_read(struct tile_roots *roots, unsigned level, uint64_t number,
                    const struct tile_roots_kept **ret) TB_MUST_CHECK;
/* A merkle_lookup over a struct tile_roots. */
int tile_roots_lookup(void *roots, unsigned level, uint64_t index, struct hash *ret) TB_MUST_CHECK;
/* size is at most that of the log. */
int tile_roots_at(struct tile_roots *roots, uint64_t size, struct hash *ret_root) TB_MUST_CHECK;
