/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed batch on its way: what its answer is held against, and the outbox file that is kept
 * until its fate is known. Sending a new one and settling an old one have this in common.
 */
#pragma once

#include "already.h"
#include "call.h"
#include "outbox.h"
#include "verify.h"

struct submit {
    uint8_t header[BATCH_HEADER_BYTES];
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    struct hash *leaves; /* of the order records */
    size_t n_orders;
    bool is_verified; /* the answer that was just brought */
    struct outbox_slot slot;
    struct already already;
};

/* Takes what it needs out of the message; leaves are reckoned from the orders as they travel.
 * -EBADMSG when they are not those that the header is over. */
int submit_init(struct submit *submit, const Timebank__Submit *message) TB_MUST_CHECK;
void submit_fini(struct submit *submit);
/* Packs the request. */
int submit_pack(Timebank__Submit *message, struct bytes *ret_body) TB_MUST_CHECK;
/* Whether the answer follows the bank's head, as a call_noun says it. */
int submit_connects(struct submit *submit, const struct tb_call *call) TB_MUST_CHECK;
/* Judges the answer that a call brought, or what was asked for as its proof. */
int submit_judge(struct submit *submit, const struct tb_call *call, bool dry_run) TB_MUST_CHECK;
/* The call ended so far with r, which may become another: whether it goes on with a request for the
 * proof of its answer. What became of the batch is not known before that ends. */
bool submit_goes_on(struct submit *submit, struct tb_call *call, int *r, bool *known);
