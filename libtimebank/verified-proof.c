/* SPDX-License-Identifier: Apache-2.0 */
/* One tlog-proof that carries its record: it stands in the ledger, and no more is said of it. */
#include <errno.h>
#include <inttypes.h>

#include "proto/merkle.h"
#include "proto/proof.h"
#include "verified.h"

static int entry_take(struct verified_check *check, const struct proof *proof) {
    struct tb_verified_entry *entry = NULL;
    int r = verified_entry_add(check->verified, &entry);
    if (r < 0)
        return r;
    r = verified_entry_decode(check->verified, proof->extra.data, proof->extra.n, entry);
    if (r == -EBADMSG)
        return verified_fail(check, "The record in the proof is neither an order nor something "
                                    "that fell due: name a receipt of an entry.");
    entry->entry = proof->index;
    return r;
}

static int words_say(struct verified_check *check, const struct note_head *head, uint64_t index) {
    int r = verified_say(check, true,
                         "Record %" PRIu64 " stands in the ledger %s, under its signed head of "
                         "%" PRIu64 " records.",
                         index, head->origin, head->size);
    if (r == 0)
        r = verified_say(check, false,
                         "Who signed it and when: ask for the receipt as a directory (timebank "
                         "receipt %" PRIu64 " --out DIR).",
                         index);
    if (r == 0)
        r = verified_say(check, false, "That it is not the same order recorded a second time.");
    if (r == 0)
        r = verified_say(check, false, "That it was not taken back since, and anybody's balance.");
    return r == 0 ? verified_head_leaves(check) : r;
}

static int proof_check(struct verified_check *check, const struct proof *proof) {
    struct note_head head;
    if (!proof->has_extra)
        return verified_fail(check, "The proof does not carry its record: ask for it with timebank "
                                    "receipt ENTRY.");
    int r = verified_head(check, proof->checkpoint, proof->n_checkpoint, &head);
    if (r != 0)
        return r;
    struct hash leaf = merkle_leaf(proof->extra.data, proof->extra.n);
    if (proof->index >= head.size ||
        merkle_verify_inclusion(proof->index, head.size, &leaf, proof->path, proof->n_path,
                                &head.root) < 0)
        return verified_fail(check,
                             "The record is not number %" PRIu64 " of the ledger under this head: "
                             "ask the bank for the proof again, and keep this one if it stays so.",
                             proof->index);
    r = entry_take(check, proof);
    return r == 0 ? words_say(check, &head, proof->index) : r;
}

int verified_proof(struct verified_check *check, const struct bytes *file) {
    _cleanup_(proof_fini) struct proof proof = {};
    check->verified->kind = TB_IS_PROOF;
    int r = proof_parse(&proof, file->data, file->n);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return verified_fail(check, "The proof is not as it was written: ask for it again with "
                                    "timebank receipt ENTRY.");
    return proof_check(check, &proof);
}
