/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a receipt shows where the ledger's key was changed before its head: genesis and each order
 * that changed the key, each proven under the head, so that whoever trusts an earlier key can check
 * the head that a later one signed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "chain.h"
#include "receipt.h"

static int path_take(struct proof *proof, const Timebank__Receipt *message, size_t at, size_t n) {
    if (n > MERKLE_PATH_MAX || at > message->n_chain_path || n > message->n_chain_path - at)
        return -EBADMSG;
    for (size_t i = 0; i < n; i++) {
        const ProtobufCBinaryData *hash = &message->chain_path[at + i];
        if (hash->len != HASH_BYTES)
            return -EBADMSG;
        memcpy(proof->path[i].b, hash->data, HASH_BYTES);
    }
    proof->n_path = n;
    return 0;
}

int receipt_chain_take(const Timebank__Receipt *message, struct tb_receipt *receipt) {
    size_t n = message->n_chain, at = 0;
    if (n > RECEIPT_LINKS_MAX || n == 1 || message->n_chain_record != n ||
        message->n_chain_n_path != n)
        return -EBADMSG;
    for (size_t i = 0; i < n; i++) {
        struct receipt_link *link = &receipt->chain[receipt->n_chain++];
        const ProtobufCBinaryData *record = &message->chain_record[i];
        link->proof.index = message->chain[i];
        int r = record->len < 2 || record->len > RECORD_MAX
                    ? -EBADMSG
                    : path_take(&link->proof, message, at, message->chain_n_path[i]);
        if (r < 0)
            return r;
        at += message->chain_n_path[i];
        bytes_put(&link->record, record->data, record->len);
        if (link->record.r < 0)
            return link->record.r;
    }
    return at == message->n_chain_path ? 0 : -EBADMSG;
}

/* A genesis stands where it says, and goes on from the ledger of the one before. */
static int genesis_check(const struct receipt_link *link, const struct rotation_chain *before) {
    const struct bytes *record = &link->record;
    Timebank__Genesis *genesis = NULL;
    struct arena arena;
    arena_init(&arena, 4 * RECORD_MAX);
    int r = record_genesis_decode(record->data + 1, record->n - 1, &arena, &genesis);
    if (r == 0 &&
        (genesis->old_size != link->proof.index ||
         (before->n > 0 && strcmp(genesis->old_origin, rotation_chain_last(before)->name) != 0)))
        r = -EBADMSG;
    arena_fini(&arena);
    return r;
}

static bool link_is_genesis(const struct receipt_link *link) {
    return link->record.n > 1 && link->record.data[0] == RECORD_GENESIS;
}

int receipt_chain_era(const struct receipt_link *links, size_t n, uint64_t record,
                      struct receipt_era *ret) {
    struct rotation_chain chain = {};
    struct receipt_era era = {};
    int r = -EBADMSG;
    for (size_t i = 0; i < n; i++) {
        if (!link_is_genesis(&links[i]))
            continue;
        era.is_last = links[i].proof.index <= record;
        if (!era.is_last)
            break;
        r = chain_take_record(&chain, links[i].record.data, links[i].record.n);
        if (r < 0)
            return r;
        era.ledger_id = chain.ledger_id;
        memcpy(era.origin, chain.verifiers[0].name, sizeof(era.origin));
    }
    if (r == 0)
        *ret = era;
    return r;
}

int receipt_chain_read(const struct receipt_link *links, size_t n, const struct note_head *head,
                       struct rotation_chain *ret) {
    struct rotation_chain chain = {};
    for (size_t i = 0; i < n; i++) {
        const struct bytes *record = &links[i].record;
        const struct proof *proof = &links[i].proof;
        struct hash leaf = merkle_leaf(record->data, record->n);
        bool is_genesis = link_is_genesis(&links[i]);
        if ((i == 0 && !is_genesis) || (i > 0 && proof->index <= links[i - 1].proof.index) ||
            proof->index >= head->size ||
            merkle_verify_inclusion(proof->index, head->size, &leaf, proof->path, proof->n_path,
                                    &head->root) < 0)
            return -EBADMSG;
        int r = is_genesis ? genesis_check(&links[i], &chain) : 0;
        if (r == 0)
            r = chain_take_record(&chain, record->data, record->n);
        if (r < 0)
            return r;
    }
    *ret = chain;
    return 0;
}

bool receipt_chain_holds(const struct tb_receipt *receipt, const struct hash *ledger_id) {
    struct rotation_chain chain;
    /* The ledger's first key needs no record; a later one that no record names has no right to it.
     */
    struct hash id = note_ledger_id(receipt->verifier.name, receipt->verifier.key);
    if (receipt->n_chain == 0)
        return hash_equal(&id, ledger_id);
    return receipt_chain_read(receipt->chain, receipt->n_chain, &receipt->head, &chain) == 0 &&
           hash_equal(&chain.ledger_id, ledger_id) &&
           rotation_chain_find(&chain, &receipt->verifier) == (int)chain.n - 1;
}

void receipt_chain_name(size_t i, bool is_proof, char ret[RECEIPT_CHAIN_NAME_BYTES]) {
    snprintf(ret, RECEIPT_CHAIN_NAME_BYTES, "chain-%u.%s", (unsigned)i,
             is_proof ? "proof" : "record");
}

static int file_write(const char *directory, const char *name, const struct bytes *bytes) {
    _cleanup_(freep) char *path = NULL;
    if (bytes->r < 0 || asprintf(&path, "%s/%s", directory, name) < 0)
        return -ENOMEM;
    return file_create(path, 0644, bytes->data, bytes->n);
}

int receipt_chain_write(const struct tb_receipt *receipt, const char *directory) {
    int r = 0;
    for (size_t i = 0; i < receipt->n_chain && r == 0; i++) {
        _cleanup_bytes_ struct bytes text = {};
        char name[RECEIPT_CHAIN_NAME_BYTES];
        struct proof proof = receipt->chain[i].proof;
        proof.checkpoint = receipt->entry_proof.checkpoint;
        proof.n_checkpoint = receipt->entry_proof.n_checkpoint;
        proof_format(&proof, &text);
        receipt_chain_name(i, false, name);
        r = file_write(directory, name, &receipt->chain[i].record);
        receipt_chain_name(i, true, name);
        if (r == 0)
            r = file_write(directory, name, &text);
    }
    return r;
}

void receipt_chain_remove(const char *directory) {
    for (size_t i = 0; i < 2 * RECEIPT_LINKS_MAX; i++) {
        _cleanup_(freep) char *path = NULL;
        char name[RECEIPT_CHAIN_NAME_BYTES];
        receipt_chain_name(i / 2, i % 2, name);
        if (asprintf(&path, "%s/%s", directory, name) > 0)
            unlink(path);
    }
}
