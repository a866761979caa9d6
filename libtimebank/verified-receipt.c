/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt, as a directory or as one proof.
 *
 * A directory shows the order's record, the seal before it, and the author's own proof of which
 * orders the seal covers. Without the last two, an operator could record a signed order a second
 * time where no seal covers it. So the receipt is held together from both sides: seal and record
 * stand under one head, and the record has the place in the batch that its number says.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/merkle.h"
#include "proto/proof.h"
#include "proto/record.h"
#include "receipt.h"
#include "verified.h"

#define README_MAX (64u * 1024)
#define OTHERS_MAX 8  /* files named that are no part of it */
#define TEXT_MAX 1024 /* bytes of a signature's armour, or of a public key */

enum part { ENTRY, ENTRY_PROOF, SEAL, SEAL_PROOF, HEADER, SIGNATURE, AUTHOR, BATCH_PROOF, README };

static const struct {
    const char *name;
    size_t n_max;
} parts[] = {
    [ENTRY] = {"entry.record", RECORD_MAX},
    [ENTRY_PROOF] = {"entry.proof", PROOF_FILE_MAX},
    [SEAL] = {"seal.record", RECORD_SEAL_BYTES},
    [SEAL_PROOF] = {"seal.proof", PROOF_FILE_MAX},
    [HEADER] = {"batch.header", BATCH_HEADER_BYTES},
    [SIGNATURE] = {"batch.sig", TEXT_MAX},
    [AUTHOR] = {"author.pub", TEXT_MAX},
    [BATCH_PROOF] = {"batch.proof", PROOF_FILE_MAX},
    [README] = {"README", README_MAX},
};
#define N_PARTS N_ELEMENTS(parts)

struct receipt {
    struct bytes files[N_PARTS];
    struct proof entry_proof;
    struct proof seal_proof;
    struct proof batch_proof;
    struct note_head head;
    struct record_seal seal;
    struct batch_header header;
    struct verified_chain chain;
    struct receipt_era era;
};

static void receipt_fini(struct receipt *receipt) {
    for (size_t i = 0; i < N_PARTS; i++)
        bytes_fini(&receipt->files[i]);
    proof_fini(&receipt->entry_proof);
    proof_fini(&receipt->seal_proof);
    proof_fini(&receipt->batch_proof);
    verified_chain_fini(&receipt->chain);
}

/* -------------------------------------------------------------------- parts */

static int files_read(struct verified_check *check, struct receipt *receipt) {
    for (size_t i = 0; i < N_PARTS; i++) {
        _cleanup_(freep) char *path = NULL;
        if (asprintf(&path, "%s/%s", check->path, parts[i].name) < 0)
            return -ENOMEM;
        int r = verified_read(check, path, parts[i].n_max, &receipt->files[i]);
        if (r != 0)
            return r;
    }
    return 0;
}

static bool is_part(const struct receipt *receipt, const char *name) {
    bool is_known = strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
                    verified_chain_has(&receipt->chain, name);
    for (size_t i = 0; i < N_PARTS; i++)
        is_known = is_known || strcmp(name, parts[i].name) == 0;
    return is_known;
}

/* What somebody put beside it: named, and not believed. */
static int others_name(struct verified_check *check, const struct receipt *receipt) {
    DIR *directory = opendir(check->path);
    struct dirent *entry;
    size_t n = 0;
    int r = directory ? 0 : -errno;
    while (r == 0 && n <= OTHERS_MAX && (entry = readdir(directory)))
        if (!is_part(receipt, entry->d_name))
            r = verified_say(check, false,
                             "Anything about the file %s%s: it is no part of a receipt.",
                             entry->d_name, n++ == OTHERS_MAX ? ", and more" : "");
    if (directory)
        closedir(directory);
    return r;
}

static int proof_read(struct verified_check *check, const struct receipt *receipt, enum part part,
                      struct proof *ret) {
    const struct bytes *file = &receipt->files[part];
    int r = proof_parse(ret, file->data, file->n);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || ret->has_extra)
        return verified_fail(check, "%s is not as a receipt has it: ask again for the receipt.",
                             parts[part].name);
    return 0;
}

/* A record under the head. */
static int record_prove(struct verified_check *check, const struct note_head *head,
                        const struct bytes *record, const struct proof *proof, const char *name) {
    struct hash leaf = merkle_leaf(record->data, record->n);
    if (proof->index >= head->size ||
        merkle_verify_inclusion(proof->index, head->size, &leaf, proof->path, proof->n_path,
                                &head->root) < 0)
        return verified_fail(check,
                             "%s is not record %" PRIu64 " of the ledger under this head: ask the "
                             "bank for the receipt again, and keep this one if it stays so.",
                             name, proof->index);
    return 0;
}

static int proofs_check(struct verified_check *check, struct receipt *receipt) {
    struct proof *entry = &receipt->entry_proof, *seal = &receipt->seal_proof;
    int r = proof_read(check, receipt, ENTRY_PROOF, entry);
    if (r == 0)
        r = proof_read(check, receipt, SEAL_PROOF, seal);
    if (r != 0)
        return r;
    if (entry->n_checkpoint != seal->n_checkpoint ||
        memcmp(entry->checkpoint, seal->checkpoint, entry->n_checkpoint) != 0)
        return verified_fail(
            check,
            "entry.proof and seal.proof end with different heads: ask again for the receipt.");
    r = verified_head(check, entry->checkpoint, entry->n_checkpoint, &receipt->head);
    if (r == 0)
        r = verified_chain_prove(check, &receipt->chain, &receipt->head, entry->checkpoint,
                                 entry->n_checkpoint);
    if (r == 0)
        r = record_prove(check, &receipt->head, &receipt->files[ENTRY], entry, "entry.record");
    if (r == 0)
        r = record_prove(check, &receipt->head, &receipt->files[SEAL], seal, "seal.record");
    return r;
}

/* -------------------------------------------------------------------- batch */

static bool file_is(const struct bytes *file, const struct bytes *text) {
    return text->r == 0 && file->n == text->n && memcmp(file->data, text->data, text->n) == 0;
}

/* The author's own signature, in the two forms in which it is there. */
static int author_check(struct verified_check *check, const struct receipt *receipt) {
    const struct record_seal *seal = &receipt->seal;
    _cleanup_bytes_ struct bytes armour = {};
    _cleanup_bytes_ struct bytes line = {};
    sshsig_armour(SSHSIG_BATCH, receipt->header.author, seal->signature, &armour);
    sshsig_public_format(receipt->header.author, NULL, &line);
    if (armour.r < 0 || line.r < 0)
        return -ENOMEM;
    if (!file_is(&receipt->files[AUTHOR], &line))
        return verified_fail(
            check, "author.pub is not the key that batch.header names: ask again for the receipt.");
    if (!file_is(&receipt->files[SIGNATURE], &armour))
        return verified_fail(
            check, "batch.sig is not the signature in seal.record: ask again for the receipt.");
    if (sshsig_verify(SSHSIG_BATCH, seal->header, sizeof(seal->header), receipt->header.author,
                      seal->signature) < 0)
        return verified_fail(check, "The author's signature does not verify: nobody signed this "
                                    "batch. Keep the receipt and tell an auditor.");
    return 0;
}

static int header_check(struct verified_check *check, struct receipt *receipt) {
    const struct bytes *file = &receipt->files[HEADER], *record = &receipt->files[SEAL];
    if (record_seal_unpack(record->data, record->n, &receipt->seal) < 0)
        return verified_fail(check, "seal.record is no seal: ask again for the receipt.");
    if (file->n != BATCH_HEADER_BYTES ||
        memcmp(file->data, receipt->seal.header, BATCH_HEADER_BYTES) != 0)
        return verified_fail(
            check, "batch.header is not the header in seal.record: ask again for the receipt.");
    if (batch_header_unpack(file->data, &receipt->header) < 0)
        return verified_fail(check, "batch.header is none: ask again for the receipt.");
    int r = verified_chain_era(check, &receipt->chain, receipt->seal_proof.index, &receipt->era);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || !hash_equal(&receipt->header.ledger_id, &receipt->era.ledger_id)) {
        verified_fail(
            check,
            "The author signed this for another ledger than %s: name that one, or tell an auditor.",
            check->verifier.name);
        return TB_WRONG_LEDGER;
    }
    if (receipt->header.not_after_ms != 0 &&
        receipt->seal.received_at_ms > receipt->header.not_after_ms)
        return verified_fail(check, "The ledger recorded this later than its author allowed: keep "
                                    "the receipt and tell an auditor.");
    if (receipt->header.pin_size > receipt->seal_proof.index)
        return verified_fail(check, "The author had seen more records than stood before the seal: "
                                    "keep the receipt and tell an auditor.");
    return author_check(check, receipt);
}

/* The order is the one that its author signed at this place, and its number says the same. */
static int place_check(struct verified_check *check, struct receipt *receipt) {
    const struct bytes *file = &receipt->files[BATCH_PROOF], *record = &receipt->files[ENTRY];
    const struct batch_header *header = &receipt->header;
    struct proof *proof = &receipt->batch_proof;
    int r = proof_batch_parse(proof, file->data, file->n);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return verified_fail(check, "batch.proof is not as a receipt has it: ask again for the "
                                    "receipt.");
    struct hash leaf = merkle_leaf(record->data, record->n);
    if (proof->index >= header->n_orders ||
        merkle_verify_inclusion(proof->index, header->n_orders, &leaf, proof->path, proof->n_path,
                                &header->orders_root) < 0)
        return verified_fail(check, "The author's signature does not cover this order: it was put "
                                    "into the ledger without one. Keep the receipt and tell an "
                                    "auditor.");
    if (receipt->entry_proof.index - 1 - proof->index != receipt->seal_proof.index ||
        receipt->entry_proof.index <= proof->index)
        return verified_fail(check,
                             "The order stands at record %" PRIu64 ", and its seal covers it at "
                             "another number: it was put into the ledger a second time. Keep the "
                             "receipt and tell an auditor.",
                             receipt->entry_proof.index);
    return 0;
}

/* -------------------------------------------------------------------- words */

static int entry_take(struct verified_check *check, const struct receipt *receipt) {
    const struct bytes *record = &receipt->files[ENTRY];
    struct tb_verified_entry *entry = NULL;
    int r = verified_entry_add(check->verified, &entry);
    if (r == 0)
        r = record->data[0] == RECORD_ORDER
                ? verified_entry_decode(check->verified, record->data, record->n, entry)
                : -EBADMSG;
    if (r == -EBADMSG)
        return verified_fail(
            check, "entry.record is no order, which a receipt is of: ask again for the receipt.");
    if (r < 0)
        return r;
    entry->entry = receipt->entry_proof.index;
    entry->received_at_ms = receipt->seal.received_at_ms;
    memcpy(entry->author, receipt->header.author, sizeof(entry->author));
    return 0;
}

static int proven_say(struct verified_check *check, const struct receipt *receipt) {
    char received[64];
    _cleanup_bytes_ struct bytes line = {};
    sshsig_public_format(receipt->header.author, NULL, &line);
    if (line.r < 0)
        return line.r;
    verified_time(receipt->seal.received_at_ms, received);
    int r = verified_say(check, true,
                         "Entry %" PRIu64 " stands in the ledger %s, under its signed head of "
                         "%" PRIu64 " records.",
                         receipt->entry_proof.index, receipt->head.origin, receipt->head.size);
    if (r == 0)
        r = verified_say(check, true,
                         "It was recorded on %s by the ledger's clock, as order %" PRIu64
                         " of %" PRIu32 " under the seal %" PRIu64 ".",
                         received, receipt->batch_proof.index + 1, receipt->header.n_orders,
                         receipt->seal_proof.index);
    if (r == 0 && !receipt->era.is_last)
        r = verified_say(check, true,
                         "It was recorded before that ledger was restored from a backup of %s.",
                         receipt->era.origin);
    if (r == 0)
        r = verified_say(check, true, "It was signed, for %s and no other, by the key %.*s.",
                         receipt->era.is_last ? "this ledger" : "that one", (int)line.n - 1,
                         (const char *)line.data);
    return r;
}

static int unproven_say(struct verified_check *check) {
    static const char *const sentences[] = {
        "That this key had the right to record it then: that takes the whole ledger.",
        "That the same was not recorded a second time, under another number.",
        "That it was not taken back or corrected since.",
        "Anybody's balance: that takes a statement.",
    };
    int r = 0;
    for (size_t i = 0; i < N_ELEMENTS(sentences) && r == 0; i++)
        r = verified_say(check, false, "%s", sentences[i]);
    return r == 0 ? verified_head_leaves(check) : r;
}

/* The README is ours to the letter, so that nobody is told to run something else. */
static int readme_check(struct verified_check *check, const struct receipt *receipt) {
    _cleanup_bytes_ struct bytes text = {};
    const struct tb_verified *verified = check->verified;
    receipt_readme(
        &(struct receipt_readme){
            .verifier = &check->verifier,
            .head = &receipt->head,
            .header = &receipt->header,
            .seal = &receipt->seal,
            .order = &verified->entries[0].order,
            .entry = receipt->entry_proof.index,
            .place = receipt->batch_proof.index,
        },
        &text);
    if (text.r < 0)
        return text.r;
    if (!file_is(&receipt->files[README], &text))
        return verified_fail(check, "The README is not what belongs to this receipt: follow none "
                                    "of it, and ask again for the receipt.");
    return 0;
}

int verified_receipt(struct verified_check *check) {
    _cleanup_(receipt_fini) struct receipt receipt = {};
    check->verified->kind = TB_IS_RECEIPT;
    int r = files_read(check, &receipt);
    if (r == 0)
        r = verified_chain_read(check, &receipt.chain);
    if (r == 0)
        r = proofs_check(check, &receipt);
    if (r == 0)
        r = header_check(check, &receipt);
    if (r == 0)
        r = place_check(check, &receipt);
    if (r == 0)
        r = entry_take(check, &receipt);
    if (r == 0)
        r = readme_check(check, &receipt);
    if (r == 0)
        r = proven_say(check, &receipt);
    if (r == 0)
        r = verified_chain_say(check, &receipt.chain);
    if (r == 0)
        r = unproven_say(check);
    return r == 0 ? others_name(check, &receipt) : r;
}
