/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of a bank, kept from one report to the next and beside the log in DIR/facts. Whoever
 * asks for them catches up with what was recorded since, in bounded reads of the log, on its own
 * thread; the loop and the committer never wait for it. Several read at once. Where they are far
 * behind, a thread of the lowest priority catches up meanwhile, step by step, and makes way for
 * whoever asks.
 *
 * What is kept on the disk is an aid: where it is missing, damaged, of another layout or of another
 * log it is made anew, and where it cannot be written the facts stay in memory.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "facts.h"
#include "people.h"
#include "runs.h"

struct projection;

struct projection_settings {
    uint64_t reserve_bytes; /* left free on the disk */
    uint64_t step_records;  /* written behind after so many at least; 0: the default */
    bool in_background;     /* projection_follow() does something */
};

/* Nothing is read yet. log and people stay the caller's. */
int projection_new(struct projection **ret, const char *directory, struct store *log,
                   struct people *people, const struct projection_settings *settings) TB_MUST_CHECK;
/* Writes behind what is new, first. No report may be under way. */
struct projection *projection_free(struct projection *projection);
DEFINE_CLEANUP(struct projection *, projection_free)

/* Facts of at least the first size records, with people as they are now, unchanged until
 * projection_end(); and the log's root at size. REFUSAL_NO_SUCH_POSITION: in the middle of a batch,
 * or not recorded; -ECANCELED. */
int projection_begin(struct projection *projection, uint64_t size, const atomic_bool *is_cancelled,
                     const struct facts **ret, struct hash *ret_root) TB_MUST_CHECK;
void projection_end(struct projection *projection);
/* Of one thread, now and then: the log has that size. Facts that are step_records or more behind it
 * are loaded and caught up in the background. */
void projection_follow(struct projection *projection, uint64_t size);
/* Reading the facts said -EUCLEAN: they are thrown away, on the disk too. After projection_end().
 */
void projection_discard(struct projection *projection);

/* DIR/facts against facts made from the log: damaged() is told a sentence of each thing that
 * differs. 0 also where there is none; -ECANCELED. */
int projection_check(const char *directory, struct store *log, const atomic_bool *is_cancelled,
                     void (*damaged)(void *user, const char *sentence), void *user) TB_MUST_CHECK;
