/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the ids of orders lie in the store: sorted, many to a row, each as its distance from the one
 * before. Ids that were made one after another are six bytes each so, where a row of a B+tree to
 * each takes fifty.
 *
 *   key    the least id that belongs here, 16 bytes; of the first row sixteen zeros
 *   value  of each id, ascending: how far it is from the one before it (of the first: from the
 *          key) and how far its entry number is from that one's (of the first: from 0; signed),
 *          as varints (as protobuf has them, signed ones zigzag) in their fewest bytes
 *
 * An id belongs to the row with the greatest key that is not above it.
 */
#pragma once

#include "proto/record.h"
#include "state.h"
#include "store.h"

/* A value of so many bytes fills one page that holds nothing else. */
#define RUNS_IDS_BYTES 4080u
#define RUNS_IDS_OF_ROW (RUNS_IDS_BYTES / 2)

struct run_id {
    uint64_t high; /* the first eight bytes of the id, and the last */
    uint64_t low;
    uint64_t entry;
};

struct run_id run_id_make(const uint8_t id[ORDER_ID_BYTES], uint64_t entry);
/* < 0, 0, > 0 */
int run_id_compare(const struct run_id *a, const struct run_id *b);

/* 1 with its entry number, 0 the store does not have it, < 0 broken. */
int runs_ids_find(struct store_read *read, unsigned table, const uint8_t id[ORDER_ID_BYTES],
                  uint64_t *ret_entry) TB_MUST_CHECK;
/* The same; of one that is not there, a gap between two that it is in. */
int runs_ids_find_gap(struct store_read *read, unsigned table, const uint8_t id[ORDER_ID_BYTES],
                      uint64_t *ret_entry, struct state_gap *ret_gap) TB_MUST_CHECK;
/* Ids that are not there yet; sorts them. -EEXIST where one is. */
int runs_ids_put(struct store_write *write, unsigned table, struct run_id *ids,
                 size_t n) TB_MUST_CHECK;
/* All of a row; ret holds RUNS_IDS_OF_ROW. -EUCLEAN when it is none. */
int runs_ids_unpack(struct store_value key, struct store_value value, struct run_id *ret,
                    size_t *ret_n) TB_MUST_CHECK;
