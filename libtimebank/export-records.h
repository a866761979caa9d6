/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of an exported ledger, one after another, held against each other: what needs no
 * knowledge of the rules. Each batch is what its author signed, in the ledger and on the history
 * that the author saw; the time of receipt never goes back; the ledger's keys follow one another.
 */
#pragma once

#include "base/arena.h"
#include "proto/record.h"
#include "proto/rotation.h"
#include "tile-roots.h"

struct export_records {
    struct tile_roots *roots;
    const struct note_verifier *verifier; /* one of the ledger's keys, to be met */
    bool verifier_is_met;
    uint64_t index; /* of the next record */
    uint64_t received_at_ms;
    uint64_t n_batches;
    struct rotation_chain chain;
    struct batch_header batch;
    uint32_t n_orders_left;
    struct merkle_range orders;
    struct arena arena;
    char why[512];
};

void export_records_init(struct export_records *records, struct tile_roots *roots,
                         const struct note_verifier *verifier);
void export_records_fini(struct export_records *records);
/* -EBADMSG with a sentence in why. */
int export_records_take(struct export_records *records, const uint8_t *record,
                        size_t n) TB_MUST_CHECK;
/* After the last one. */
int export_records_end(struct export_records *records) TB_MUST_CHECK;
