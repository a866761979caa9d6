/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch being judged: its orders decoded from their exact bytes, their leaf hashes, and the
 * ledger's verdict. The same path serves a batch that has just arrived and one that is replayed
 * from the log.
 */
#pragma once

#include "ledger.h"

struct judging {
    struct arena arena;
    struct ledger_batch batch;
    struct ledger_author author;
    void *lists; /* where those below lie, and those of the batch */
    struct hash *leaves;
    struct iovec *bodies; /* borrowed: an Order's bytes, without the kind byte */
    struct ledger_bar *bars;
    bool is_hashed;
    bool is_decoded;
    struct state *state; /* what the batch makes of the state below; NULL before and after */
};

int judging_new(struct judging **ret_judging, size_t n_orders) TB_MUST_CHECK;
struct judging *judging_free(struct judging *judging);
DEFINE_CLEANUP(struct judging *, judging_free)
/* Sets order i; the bytes stay borrowed until judging_free(). */
void judging_set(struct judging *judging, size_t i, const uint8_t *body, size_t n);
/* Once all are set: their leaf hashes, all at once, where whoever asks has not got them already. */
void judging_hash(struct judging *judging);
void judging_set_leaves(struct judging *judging, const struct hash *leaves);
/* Root over the leaves: what the author signed. */
struct hash judging_root(struct judging *judging);
/* Decodes the orders, once; those that are not canonical are refused and stay NULL. */
int judging_decode(struct judging *judging) TB_MUST_CHECK;
/* Order i will be refused, unless it is in already; the first bar of an order stands. */
void judging_bar(struct judging *judging, size_t i, struct ledger_bar bar);
/* Judges on the lowest state itself, or on one above another state (a dry run), the seal to stand
 * at record number `seal`. 0 judged, < 0 broken; see judging->batch. Whatever it is: what the batch
 * made of the state is kept, or taken back at the latest by judging_free(). */
int judging_run(struct judging *judging, struct state *below, uint64_t seal,
                const struct batch_header *header, uint64_t received_at_ms) TB_MUST_CHECK;
/* On -ENOMEM the state is not usable any more: the process ends. */
int judging_keep(struct judging *judging) TB_MUST_CHECK;
void judging_take_back(struct judging *judging);
/* The value of table `after`: what the orders did to accounts. */
void judging_pack_after(const struct judging *judging, struct bytes *to);
/* The same of the effects of n records, the first at `index`. */
void judging_pack_effects(const struct ledger_effect *effects, size_t n, uint64_t index,
                          struct bytes *to);
