/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a venue's screen says, with a queue before it: VALID, NO or CHECK, and a sentence that may
 * be read aloud. No name, no balance, no amount.
 */
#pragma once

#include "client.h"

/* NO where the customer may choose otherwise, CHECK where only the coordinator can help. */
const char *desk_answer_word(int refusal);
/* What to say and do next; message is the bank's. */
const char *desk_answer_sentence(int refusal, const char *message);
/* Tells the first refusal of a batch, {"refused","answer","message"} with --json; CLIENT_REFUSED.
 */
int desk_answer_refused(struct client *client, const struct tb_batch *batch);
/* Tells what was recorded: "VALID: swim, 2 adults and 1 under 16; entry 42". */
void desk_answer_valid(struct client *client, const struct tb_answer *answer,
                       const struct tb_order *order);
/* Records an order by a venue's key, and tells of it as what `shown` says (the order itself, or the
 * booking that it takes). Exit status. */
int desk_answer_record(struct client *client, struct tb_order *order, const struct tb_order *shown);
