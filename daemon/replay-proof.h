/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be said of a run by itself, whatever stands before it: whether its bytes hash to its
 * leaves, whether its author signed it, whether its orders are canonical. It is most of the hashing
 * and all of the signatures of a replay, and may be found on another thread (replay-ahead.h):
 * faults are only noted here, and told by replay_run() in its turn.
 */
#pragma once

#include "judging.h"
#include "runs.h"

struct replay_proof {
    struct run run;      /* borrowed from the store */
    struct hash *leaves; /* of the run's records, as their bytes hash */
    uint32_t n_good;     /* so many of them are what is stored */
    bool is_batch;       /* it begins with a seal and has more; what follows is set only then */
    bool has_header;     /* of as many orders as there are */
    bool is_signed;      /* by the header's author */
    bool is_rooted;      /* the orders are those of the header */
    uint32_t not_order;  /* first record after the seal that is none, or 0 */
    struct record_seal seal;
    struct batch_header header;
    struct judging *judging; /* its orders, decoded where wanted; NULL unless has_header */
};

/* 0, or -ENOMEM; *ret is to be given to replay_proof_fini() either way. */
int replay_prove(const struct run *run, bool decodes, struct replay_proof *ret) TB_MUST_CHECK;
void replay_proof_fini(struct replay_proof *proof);
