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

#include <stdbool.h>

#include "base/bytes.h"
#include "proto/merkle.h"
#include "proto/record.h"
#include "state.h"
#include "store.h"

/* Raised when the stored form of anything but the log itself changes: derived tables are then
 * rebuilt. */
#define RUNS_LAYOUT 6u

/* Tables of the ledger's environment: the log, then what follows from it. */
enum runs_table {
    RUNS_LOG,
    RUNS_TILES,
    RUNS_AFTER, /* key: a run of orders or events; value: what each did (struct run_leg) */
    RUNS_META,  /* "state": layout u32, sums; where the derived tables stand */
    RUNS_STATE, /* the first of state's tables */
    RUNS_N_TABLES = RUNS_STATE + STATE_N_TABLES
};
extern const char *const runs_tables[RUNS_N_TABLES];

/*
 * What each order of a batch, or each event of a run, did to accounts: n u32 · n ends of a row, u32
 * from where the rows begin; then the rows, each its legs, of varints (as protobuf has them; signed
 * ones zigzag): account's number * 8 + its side in the order (1 from, 2 to) * 2, + 1 where it is in
 * its running hash · minutes, signed · balance after, signed · held after, signed · how many
 * records before this one the account's statement goes on (0: its first line).
 */
struct run_leg {
    uint64_t account;
    bool moved;
    uint8_t side; /* enum leg_side */
    int64_t minutes;
    int64_t after;
    int64_t held_after;
    uint64_t previous; /* record, or 0 */
};
/* A value is written straight through: begun for n rows, then the legs of each (the record's number
 * is `index`) and its end. Returns where the value begins in `to`, for the ends. */
size_t runs_after_begin(struct bytes *to, uint32_t n);
void run_leg_pack(const struct run_leg *leg, uint64_t index, struct bytes *to);
void runs_after_end(struct bytes *to, size_t begin, uint32_t i);
/* The legs of row i, which is of the record at index, one after another: *at is 0 for the first. 1
 * with a leg, 0 no more, -EUCLEAN. */
int runs_after_next(struct store_value value, size_t i, uint64_t index, size_t *at,
                    struct run_leg *ret) TB_MUST_CHECK;
/* Rows of a value; -EUCLEAN. */
int runs_after_count(struct store_value value, uint32_t *ret) TB_MUST_CHECK;

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
/* n of them from the i-th on, borrowed. */
void run_records(const struct run *run, uint32_t i, uint32_t n, struct iovec *ret);
struct hash run_leaf(const struct run *run, uint32_t i);
/* Appends a value of n records. */
void run_pack(struct bytes *to, uint32_t n, const struct iovec *records, const struct hash *leaves);
/* One of a seal and the n orders after it: their bodies, without the kind byte, and the leaves of
 * both. Copies each byte once. */
void run_pack_batch(struct bytes *to, const struct iovec *seal, const struct hash *seal_leaf,
                    uint32_t n, const struct iovec *bodies, const struct hash *leaves);
/* The leaf hashes that stand in a value just packed, and how many. */
const struct hash *run_packed_leaves(const struct bytes *value, uint32_t *ret_n);

/* The run that holds the record: 1, 0 there is none, < 0 broken. */
int runs_find(struct store_read *read, uint64_t index, struct run *ret) TB_MUST_CHECK;
/* The same for who wants its leaf hashes only: its records are not looked at, so that it costs the
 * same however many there are. */
int runs_find_leaves(struct store_read *read, uint64_t index, struct run *ret) TB_MUST_CHECK;
/* Number of records in the store. */
int runs_size(struct store_read *read, uint64_t *ret) TB_MUST_CHECK;
/* A merkle_lookup over a struct store_read. */
int runs_lookup(void *read, unsigned level, uint64_t index, struct hash *ret) TB_MUST_CHECK;
/* The compact range [begin, end), recomputed from what is stored: leaves at both ends, tiles
 * between.
 */
int runs_range_between(struct store_read *read, uint64_t begin, uint64_t end,
                       struct merkle_range *ret) TB_MUST_CHECK;
/* A range goes on to `end` over the stored leaves. */
int runs_range_extend(struct store_read *read, uint64_t end,
                      struct merkle_range *range) TB_MUST_CHECK;
/* [0, size) */
int runs_range(struct store_read *read, uint64_t size, struct merkle_range *ret) TB_MUST_CHECK;
void runs_tile_key(unsigned tile_level, uint64_t tile, uint8_t ret[9]);
