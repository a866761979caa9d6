/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Going through the log again, run by run: what `timebankd check` does from record 0, and what a
 * start does with the records since the derived tables were last written. Signs nothing, writes
 * nothing.
 */
#pragma once

#include "account-tree.h"
#include "proto/note.h"
#include "replay-proof.h"

enum replay_what {
    REPLAY_RULES = 1u << 0, /* judge every batch, keep the state */
    REPLAY_TILES = 1u << 1, /* compare the stored upper nodes */
};

struct replay {
    struct store_read *read;
    unsigned what;
    struct state *state;           /* borrowed; with REPLAY_RULES */
    struct account_tree *accounts; /* borrowed; with REPLAY_RULES */
    struct merkle_range range;     /* [0, size) gone through */
    struct hash ledger_id;         /* by the genesis in force */
    struct hash first_ledger_id;   /* by record 0: ids made from files and vouchers go by it */
    char origin[NOTE_ORIGIN_MAX + 1];
    uint64_t received_at_ms;
    struct bytes after; /* row of table `after` of the run just judged */
    char why[512];      /* names the place and what is wrong */
    int tile_r;
};

void replay_init(struct replay *replay, struct store_read *read, unsigned what, struct state *state,
                 struct account_tree *accounts);
void replay_fini(struct replay *replay);
/* Goes on after the first `size` records, whose tree is read from the store, and whose genesis in
 * force is the record of that number. */
int replay_go_on(struct replay *replay, uint64_t size, uint64_t genesis,
                 uint64_t received_at_ms) TB_MUST_CHECK;
/* The run must follow at once. 0, -EUCLEAN with `why`, or another negative errno. */
int replay_run(struct replay *replay, const struct run *run) TB_MUST_CHECK;
/* The same where replay_prove() was called already; its orders are decoded where rules are asked
 * for, or will be. */
int replay_run_proven(struct replay *replay, const struct replay_proof *proof) TB_MUST_CHECK;
