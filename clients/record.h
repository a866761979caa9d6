/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recording and telling, for the verbs that client_record() does not fit.
 */
#pragma once

#include "base/cleanup.h"
#include "client.h"

/* A balance after an order, as told. */
struct record_balance {
    const char *code;
    int64_t minutes;
};

#define RECORD_BALANCES 2 /* sides of an order */

/* What is told of a recorded order. */
struct record_told {
    size_t place; /* of the order in its batch */
    int kind;
    const char *words; /* "Wed 5 March 2025: m0007 gave ..." */
    size_t n_balances;
    struct record_balance *balances; /* codes are borrowed until it is told */
    json_t *warnings;                /* more of them than the answer has, or NULL; stolen */
    json_t *more;                    /* more members of the JSON object, or NULL; stolen */
};

/* Takes the person of a household off a side's code, "m0007/2", where it was typed. */
void record_persons_cut(struct tb_order *order);
/* A batch of one order, whose sides may name persons behind their codes; a member's key that enters
 * for somebody else claims a mandate's authority. -EINPROGRESS and the like as tb_batch_new(). */
int record_batch_new(struct client *client, const struct tb_order *order,
                     struct tb_batch **ret_batch);
/* Submits and, where it is not done, tells why; exit status. */
int record_submit(struct client *client, struct tb_batch *batch, struct tb_answer **ret_answer);
/* Tells how submitting ended where it is not done; batch may be NULL. Exit status. */
int record_outcome(struct client *client, const struct tb_batch *batch, int r);
/* Submits one order, once more with TB_OVERRIDE_DAY where only the 24 hours stand in the way and
 * the order has a why. Nothing is told; the result of tb_batch_submit(). *ret_batch, which has the
 * refusals, is the caller's whatever the outcome. */
int record_try(struct client *client, struct tb_order *order, struct tb_batch **ret_batch,
               struct tb_answer **ret_answer);
/* Adds a balance, where the account has none there yet. */
void record_balance_add(struct record_told *told, const char *code, int64_t minutes);
/* Adds those that the answer has of the order's sides, and of all other accounts after it. */
void record_balances(const struct tb_answer *answer, const struct tb_order *order,
                     struct record_told *told);
/* Adds those that the answer has after the order at place, which speaks of a target: its sides
 * first, then all others. */
void record_balances_of_target(const struct tb_answer *answer, size_t place,
                               const struct tb_order *target, struct record_told *told);
/* {"warning","message","entry"} */
json_t *record_warning_json(int warning, const char *message, uint64_t entry);
/* Tells what was recorded. Takes told's JSON and balances. */
void record_tell(struct client *client, const struct tb_answer *answer, struct record_told *told);
void record_told_fini(struct record_told *told);

/* What was done, or only proposed yet, in words; the caller's. */
char *record_words(const struct tb_order *order);
/* Records an order that speaks of an entry (confirm, decline, withdraw, dispute, decide, approve,
 * capture, release, unmerge): sets its target from the number as typed, and its quote, unless it
 * has one, and tells it: "Confirmed: entry 24 (Wed 5 March 2025: m0007 gave ...); entry 43" with
 * the balances after it; with --json also {"target_entry"}. Exit status. */
int record_on_entry(struct client *client, const char *number, struct tb_order *order);

DEFINE_CLEANUP(struct tb_batch *, tb_batch_free)
DEFINE_CLEANUP(struct tb_answer *, tb_answer_free)
