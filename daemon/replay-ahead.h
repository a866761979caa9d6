/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's runs one after another, each proven already: a thread of its own goes ahead of whoever
 * takes them, by a bounded number of records, in a read of its own. Nobody may write meanwhile, so
 * that both read the same. What it meets comes in its turn, like everything else.
 */
#pragma once

#include "replay-proof.h"

struct replay_ahead;

struct replay_ahead_run {
    struct store_value key;
    struct store_value value;
    struct replay_proof proof; /* all zeros where it was not a run */
    int r;                     /* of run_parse() and replay_prove() */
};

/* From the first run at or after record `from`. */
int replay_ahead_new(struct replay_ahead **ret, struct store *store, uint64_t from,
                     bool decodes) TB_MUST_CHECK;
/* 1 with the next run, which is good until the call after it; 0 the log is over; < 0 as
 * store_each(). A run whose r < 0 is the last. */
int replay_ahead_next(struct replay_ahead *ahead,
                      const struct replay_ahead_run **ret) TB_MUST_CHECK;
/* Stops the thread wherever it is. */
struct replay_ahead *replay_ahead_free(struct replay_ahead *ahead);
DEFINE_CLEANUP(struct replay_ahead *, replay_ahead_free)
