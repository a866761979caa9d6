/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the verifier key that was given to the one that signed a receipt's head, where the ledger's
 * key was changed in between. The files of the chain name their head themselves; they are believed
 * once they are proven under it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "receipt.h"
#include "verified.h"

static int link_read(struct verified_check *check, struct verified_chain *chain, size_t i) {
    struct receipt_link *link = &chain->links[i];
    struct bytes *text = &chain->texts[i];
    for (int is_proof = 0; is_proof < 2; is_proof++) {
        _cleanup_(freep) char *path = NULL;
        char name[RECEIPT_CHAIN_NAME_BYTES];
        receipt_chain_name(i, is_proof, name);
        if (asprintf(&path, "%s/%s", check->path, name) < 0)
            return -ENOMEM;
        int r = verified_read(check, path, is_proof ? PROOF_FILE_MAX : RECORD_MAX,
                              is_proof ? text : &link->record);
        if (r != 0)
            return r;
    }
    int r = proof_parse(&link->proof, text->data, text->n);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || link->proof.has_extra)
        return verified_fail(check,
                             "chain-%zu.proof is not as a receipt has it: ask again for the "
                             "receipt.",
                             i);
    return 0;
}

static bool is_there(const struct verified_check *check, size_t i) {
    _cleanup_(freep) char *path = NULL;
    char name[RECEIPT_CHAIN_NAME_BYTES];
    receipt_chain_name(i, false, name);
    return asprintf(&path, "%s/%s", check->path, name) > 0 && access(path, F_OK) == 0;
}

static int other_ledger(struct verified_check *check) {
    verified_fail(check,
                  "The key that you gave is none that this ledger ever had up to this receipt's "
                  "head: check that you wrote it down right.");
    return TB_WRONG_LEDGER;
}

/* Each record says who signs from there on; the last of them signed the head. */
static int chain_follow(struct verified_check *check, struct verified_chain *chain) {
    struct rotation_chain keys = {};
    int r = 0;
    for (size_t i = 0; i < chain->n && r == 0; i++)
        r = chain_take_record(&keys, chain->links[i].record.data, chain->links[i].record.n);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return verified_fail(check,
                             "The files chain-0 to chain-%zu do not lead from one key of "
                             "the ledger to the next: ask again for the receipt.",
                             chain->n - 1);
    if (rotation_chain_find(&keys, &check->verifier) < 0)
        return other_ledger(check);
    chain->n_followed = keys.n - 1 - (size_t)rotation_chain_find(&keys, &check->verifier);
    check->verifier = *rotation_chain_last(&keys);
    check->ledger_id = keys.ledger_id;
    return 0;
}

int verified_chain_read(struct verified_check *check, struct verified_chain *chain) {
    int r = 0;
    while (r == 0 && chain->n < RECEIPT_LINKS_MAX && is_there(check, chain->n))
        r = link_read(check, chain, chain->n++);
    return r == 0 && chain->n > 0 ? chain_follow(check, chain) : r;
}

int verified_chain_prove(struct verified_check *check, const struct verified_chain *chain,
                         const struct note_head *head, const char *checkpoint,
                         size_t n_checkpoint) {
    struct rotation_chain keys;
    if (chain->n == 0)
        return 0;
    for (size_t i = 0; i < chain->n; i++)
        if (chain->links[i].proof.n_checkpoint != n_checkpoint ||
            memcmp(chain->links[i].proof.checkpoint, checkpoint, n_checkpoint) != 0)
            return verified_fail(check,
                                 "chain-%zu.proof ends with another head than entry.proof: "
                                 "they are not of one receipt.",
                                 i);
    int r = receipt_chain_read(chain->links, chain->n, head, &keys);
    if (r == -ENOMEM)
        return r;
    return r < 0 ? verified_fail(check, "A change of the ledger's key that the receipt shows is "
                                        "not in the ledger under this head: keep the receipt and "
                                        "tell an auditor.")
                 : 0;
}

int verified_chain_era(const struct verified_check *check, const struct verified_chain *chain,
                       uint64_t record, struct receipt_era *ret) {
    if (chain->n > 0)
        return receipt_chain_era(chain->links, chain->n, record, ret);
    *ret = (struct receipt_era){.ledger_id = check->ledger_id, .is_last = true};
    memcpy(ret->origin, check->verifier.name, sizeof(ret->origin));
    return 0;
}

int verified_chain_say(struct verified_check *check, const struct verified_chain *chain) {
    const struct receipt_link *last = chain->n > 0 ? &chain->links[chain->n - 1] : NULL;
    if (!last || last->record.data[0] == RECORD_GENESIS)
        return 0;
    if (chain->n_followed == 0)
        return verified_say(check, true,
                            "The key that you gave signed the head; the ledger's key was changed "
                            "before, which the ledger says itself.");
    return verified_say(check, true,
                        "The key that signed the head follows from the one that you gave, by %zu "
                        "change%s of the ledger's key, each signed by the key before and recorded "
                        "in the ledger.",
                        chain->n_followed, chain->n_followed == 1 ? "" : "s");
}

bool verified_chain_has(const struct verified_chain *chain, const char *name) {
    for (size_t i = 0; i < 2 * chain->n; i++) {
        char part[RECEIPT_CHAIN_NAME_BYTES];
        receipt_chain_name(i / 2, i % 2, part);
        if (strcmp(part, name) == 0)
            return true;
    }
    return false;
}

void verified_chain_fini(struct verified_chain *chain) {
    for (size_t i = 0; i < RECEIPT_LINKS_MAX; i++) {
        bytes_fini(&chain->links[i].record);
        bytes_fini(&chain->texts[i]);
        proof_fini(&chain->links[i].proof);
    }
}
