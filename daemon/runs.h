/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the log lies in the store. Records that belong together (a seal and its orders; or one
 * genesis, state or event) are one value, a run: a value for each record would cost ten times as
 * much to put.
 *
 *   key    record number of the first, u64
 *   value  n u32 · n times the end of a record, u32, from the first record's begin ·
 *          n leaf hashes · the records, end to end
 *
 * Leaf hashes stand beside their records so that damage is named to the record, and so that the
 * lower tree is read, not hashed again. Upper nodes: table tiles, key (tile level u8 from 1, tile
 * number u64), value up to 256 hashes, as C2SP's tlog-tiles cuts them.
 */
#pragma once

#include "base/bytes.h"
#include "proto/merkle.h"
#include "proto/record.h"
#include "state.h"
#include "store.h"

/* Raised when the stored form of anything but the log itself changes: derived tables are then
 * rebuilt. */
#define RUNS_LAYOUT 1u

/* Tables of the ledger's environment: the log, then what follows from it. */
enum runs_table {
    RUNS_LOG,
    RUNS_TILES,
    RUNS_AFTER, /* key: seal; value: a struct run_after per order */
    RUNS_META,  /* "state": layout u32, sums; where the derived tables stand */
    RUNS_STATE, /* the first of state's tables */
    RUNS_N_TABLES = RUNS_STATE + STATE_N_TABLES
};
extern const char *const runs_tables[RUNS_N_TABLES];

/*
 * What an order did: flags u8 (1: moved from, 2: moved to, 4: a line of to that moved nothing) ·
 * balance after i64 of from and of to · the record before in the statement of from and of to, u64
 * (0: none). For a reversal, from and to are those that lost and gained by it.
 */
#define RUNS_AFTER_BYTES 33u
enum run_after_flag { AFTER_FROM = 1, AFTER_TO = 2, AFTER_LINE_OF_TO = 4 };
struct run_after {
    uint8_t flags;
    int64_t from_after;
    int64_t to_after;
    uint64_t from_previous;
    uint64_t to_previous;
};
void run_after_pack(const struct run_after *after, struct bytes *to);
/* Row i of a value; -EUCLEAN where it has none. */
int run_after_unpack(struct store_value value, size_t i, struct run_after *ret) TB_MUST_CHECK;

struct run {
    uint64_t first;
    uint32_t n;
    const uint8_t *ends;
    const uint8_t *leaves;
    const uint8_t *records;
};

/* 0, or -EUCLEAN when the value is not a run. */
int run_parse(struct run *ret, struct store_value key, struct store_value value) TB_MUST_CHECK;
const uint8_t *run_record(const struct run *run, uint32_t i, size_t *ret_n);
struct hash run_leaf(const struct run *run, uint32_t i);
/* Builds a value. records[i] has n_records[i] bytes. */
void run_pack(struct bytes *to, uint32_t n, const struct iovec *records, const struct hash *leaves);

/* The run that holds the record: 1, 0 there is none, < 0 broken. */
int runs_find(struct store_read *read, uint64_t index, struct run *ret) TB_MUST_CHECK;
/* Number of records in the store. */
int runs_size(struct store_read *read, uint64_t *ret) TB_MUST_CHECK;
/* A merkle_lookup over a struct store_read. */
int runs_lookup(void *read, unsigned level, uint64_t index, struct hash *ret) TB_MUST_CHECK;
/* The compact range [0, size), recomputed from what is stored. */
int runs_range(struct store_read *read, uint64_t size, struct merkle_range *ret) TB_MUST_CHECK;
void runs_tile_key(unsigned tile_level, uint64_t tile, uint8_t ret[9]);
