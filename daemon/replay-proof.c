/* SPDX-License-Identifier: Apache-2.0 */
/* One run, all of whose leaves are hashed at once. */
#include "replay-proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void replay_proof_fini(struct replay_proof *proof) {
    judging_free(proof->judging);
    free(proof->leaves);
    *proof = (struct replay_proof){0};
}

static int hash_leaves(struct replay_proof *proof) {
    const struct run *run = &proof->run;
    _cleanup_(freep) struct iovec *records = calloc(run->n, sizeof(*records));

    proof->leaves = calloc(run->n, sizeof(*proof->leaves));
    if (!records || !proof->leaves)
        return -ENOMEM;
    for (uint32_t i = 0; i < run->n; i++)
        records[i].iov_base = (void *)(uintptr_t)run_record(run, i, &records[i].iov_len);
    merkle_leaves(records, run->n, proof->leaves);
    while (proof->n_good < run->n &&
           memcmp(proof->leaves[proof->n_good].b, run->leaves + HASH_BYTES * (size_t)proof->n_good,
                  HASH_BYTES) == 0)
        proof->n_good++;
    return 0;
}

static int set_orders(struct replay_proof *proof) {
    const struct run *run = &proof->run;
    int r = judging_new(&proof->judging, run->n - 1);

    if (r < 0)
        return r;
    for (uint32_t i = 1; i < run->n; i++) {
        size_t n;
        const uint8_t *record = run_record(run, i, &n);
        if (record[0] != RECORD_ORDER) {
            proof->not_order = i;
            return 0;
        }
        judging_set(proof->judging, i - 1, record + 1, n - 1);
    }
    judging_set_leaves(proof->judging, proof->leaves + 1);
    return 0;
}

static int prove_batch(struct replay_proof *proof, bool decodes) {
    const struct batch_header *header = &proof->header;
    struct hash root;
    size_t n;
    const uint8_t *record = run_record(&proof->run, 0, &n);
    int r;

    if (record_seal_unpack(record, n, &proof->seal) < 0 ||
        batch_header_unpack(proof->seal.header, &proof->header) < 0 ||
        header->n_orders != proof->run.n - 1)
        return 0;
    proof->has_header = true;
    proof->is_signed = sshsig_verify(SSHSIG_BATCH, proof->seal.header, BATCH_HEADER_BYTES,
                                     header->author, proof->seal.signature) == 0;
    r = set_orders(proof);
    if (r < 0 || proof->not_order > 0)
        return r;
    root = judging_root(proof->judging);
    proof->is_rooted = hash_equal(&root, &header->orders_root);
    return decodes && proof->is_rooted ? judging_decode(proof->judging) : 0;
}

int replay_prove(const struct run *run, bool decodes, struct replay_proof *ret) {
    size_t n;
    int r;

    *ret = (struct replay_proof){.run = *run};
    r = hash_leaves(ret);
    if (r < 0 || ret->n_good < run->n)
        return r;
    ret->is_batch = run->n > 1 && run_record(run, 0, &n)[0] == RECORD_SEAL;
    return ret->is_batch ? prove_batch(ret, decodes) : 0;
}
