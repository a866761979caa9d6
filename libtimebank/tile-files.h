/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tiles of an export as files of its directory. New ones are put beside the others, below
 * `.new`, until they are known to be right; then they are given their places. What is missing or
 * has another length than its name says is told in a sentence, with -EBADMSG.
 */
#pragma once

#include "base/bytes.h"
#include "proto/hash.h"
#include "proto/record.h"
#include "proto/tile.h"

#define TILE_FILES_NEW ".new"
#define TILE_FILES_BUNDLE_MAX (TILE_WIDTH * (2u + RECORD_MAX))

struct tile_files {
    const char *directory;
    uint64_t n_written;
    char why[512]; /* of the last failure, or "" */
};

/* A tile's hashes, width of them. */
int tile_files_read(struct tile_files *files, const struct tile *tile,
                    struct hash *ret_hashes) TB_MUST_CHECK;
/* A bundle as it is. */
int tile_files_read_bundle(struct tile_files *files, const struct tile *tile,
                           struct bytes *to) TB_MUST_CHECK;
/* 1, 0 not there, < 0. */
int tile_files_has(struct tile_files *files, const struct tile *tile) TB_MUST_CHECK;
/* Writes a tile below `.new`; gives those of tile_each() their places. */
int tile_files_put(struct tile_files *files, const struct tile *tile, const void *data, size_t n,
                   mode_t mode) TB_MUST_CHECK;
int tile_files_place(struct tile_files *files, const struct tile *tile) TB_MUST_CHECK;
/* Takes `.new` away. */
int tile_files_clear(struct tile_files *files) TB_MUST_CHECK;
/* The same, and has everything written reach the disk. */
int tile_files_sync(struct tile_files *files) TB_MUST_CHECK;

/* The records of a bundle, one after another: 1, 0 no more, -EBADMSG. */
int tile_files_record_next(struct cursor *bundle, const uint8_t **ret_record,
                           size_t *ret_n) TB_MUST_CHECK;
