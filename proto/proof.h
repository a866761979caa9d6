/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs as files: that a record stands in the ledger under a signed head (C2SP tlog-proof), and
 * that an order stands in the batch its author signed.
 *
 *   c2sp.org/tlog-proof@v1 \n [extra base64 \n] index N \n (base64 of a hash \n)* \n checkpoint
 *   timebank-batch-proof@v1 \n index I \n (base64 of a hash \n)*
 *
 * Hashes are RFC 6962 audit paths, the leaf's sibling first. Source: c2sp.org/tlog-proof.
 * Parsing is strict (decimals without leading zeroes, canonical base64, no byte too many), so that
 * a proof that was parsed formats to the same bytes; it checks no signature and no path.
 */
#pragma once

#include "base/bytes.h"
#include "merkle.h"

#define PROOF_FILE_MAX (256u * 1024) /* bytes of a file that is read as a proof */

struct proof {
    uint64_t index;
    bool has_extra;
    struct bytes extra; /* owned: proof_fini() */
    struct hash path[MERKLE_PATH_MAX];
    size_t n_path;
    const char *checkpoint; /* borrowed from what was parsed; not NUL-terminated */
    size_t n_checkpoint;
};

void proof_fini(struct proof *proof);
void proof_format(const struct proof *proof, struct bytes *to);
/* 0 or -EBADMSG, -ENOMEM. */
int proof_parse(struct proof *ret, const void *data, size_t n) TB_MUST_CHECK;

/* The same without extra and checkpoint, under the other first line. */
void proof_batch_format(const struct proof *proof, struct bytes *to);
int proof_batch_parse(struct proof *ret, const void *data, size_t n) TB_MUST_CHECK;
