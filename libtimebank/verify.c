/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing here asks the network or keeps state of its own: bytes that came, a head we had, a
 * verdict. A verdict of "no" goes through verify_fail(), so that none is without evidence.
 */
#include "verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "connect.h"
#include "evidence.h"
#include "opened.h"
#include "proto/merkle.h"

int verify_fail(struct tb_bank *bank, const void *checkpoint, size_t n, const char *format, ...) {
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    bank_clean_text(sentence);
    evidence_write(bank, sentence, checkpoint, n);
    connect_close(bank);
    return bank_fail(bank, -EBADMSG, "%s %s%s%s", refusal_sentence(REFUSAL_NOT_VERIFIED), sentence,
                     bank->evidence ? " Evidence: " : "", bank->evidence ? bank->evidence : "");
}

/* Hashes as they travel; -EBADMSG when one is not 32 bytes or there are more than n_max. */
static int hashes_read(const ProtobufCBinaryData *data, size_t n, size_t n_max, struct hash *ret) {
    if (n > n_max)
        return -EBADMSG;
    for (size_t i = 0; i < n; i++) {
        if (data[i].len != HASH_BYTES)
            return -EBADMSG;
        memcpy(ret[i].b, data[i].data, HASH_BYTES);
    }
    return 0;
}

static int consistency_check(const struct note_head *known, const struct note_head *head,
                             const Timebank__Position *position) {
    struct hash path[MERKLE_PATH_MAX + 1];
    int r = hashes_read(position->consistency, position->n_consistency, MERKLE_PATH_MAX + 1, path);
    if (r < 0)
        return r;
    return merkle_verify_consistency(known->size, head->size, &known->root, &head->root, path,
                                     position->n_consistency);
}

int verify_two_histories(struct tb_bank *bank, const void *checkpoint, size_t n) {
    return verify_fail(bank, checkpoint, n,
                       "Two different heads of the same size were signed: the ledger has two "
                       "histories.");
}

/* The replies to what was asked at once bring one note: its signature is checked once. */
static int note_open(struct tb_bank *bank, const void *note, size_t n, struct note_head *ret) {
    struct bank_opened *opened = &bank->opened_note;
    if (n > 0 && n == opened->checkpoint.n && memcmp(note, opened->checkpoint.data, n) == 0 &&
        memcmp(opened->verifier, bank->verifier.key, NOTE_KEY_BYTES) == 0 &&
        strcmp(opened->head.origin, bank->verifier.name) == 0) {
        *ret = opened->head;
        return 0;
    }
    int r = opened_checkpoint(note, n, &bank->verifier, ret);
    if (r < 0)
        return r;
    bytes_clear(&opened->checkpoint);
    bytes_put(&opened->checkpoint, note, n);
    if (opened->checkpoint.r < 0)
        bytes_clear(&opened->checkpoint);
    memcpy(opened->verifier, bank->verifier.key, NOTE_KEY_BYTES);
    opened->head = *ret;
    opened->known_size = 0;
    return 0;
}

static bool is_known_to_extend(const struct tb_bank *bank, const struct note_head *known) {
    const struct bank_opened *opened = &bank->opened_note;
    return known->size > 0 && known->size == opened->known_size &&
           hash_equal(&known->root, &opened->known_root);
}

/* The head that a note shows, once its signature and what it claims to extend are right. */
static int head_check(struct tb_bank *bank, const struct note_head *known,
                      const Timebank__Position *position, struct note_head *head) {
    const void *note = position->checkpoint.data;
    size_t n = position->checkpoint.len;
    int r = note_open(bank, note, n, head);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || head->size != position->size)
        return verify_fail(bank, note, n, "The signature on the ledger's head is not right.");
    if (head->size == known->size && !hash_equal(&head->root, &known->root))
        return verify_two_histories(bank, note, n);
    if (!is_known_to_extend(bank, known) && consistency_check(known, head, position) < 0)
        return verify_fail(bank, note, n,
                           "The ledger's head does not extend the one seen before: the history was "
                           "changed.");
    bank->opened_note.known_size = known->size;
    bank->opened_note.known_root = known->root;
    return 0;
}

int verify_position(struct tb_bank *bank, const struct note_head *known,
                    const Timebank__Position *position, struct bank_head *ret_seen) {
    const void *note = position->checkpoint.data;
    size_t n = position->checkpoint.len;
    if (position->size < known->size)
        return verify_fail(bank, note, n,
                           "The ledger went back from %llu records to %llu: entries were lost or "
                           "taken out.",
                           (unsigned long long)known->size, (unsigned long long)position->size);
    if (n == 0 && (position->size != known->size || known->size == 0))
        return verify_fail(bank, NULL, 0, "A reply came without a signed head.");
    struct bank_head seen = {.head = *known};
    if (n > 0) {
        int r = head_check(bank, known, position, &seen.head);
        if (r != 0)
            return r;
        bytes_put(&seen.checkpoint, note, n);
        if (seen.checkpoint.r < 0)
            return seen.checkpoint.r;
    }
    *ret_seen = seen;
    return 0;
}

/* The root that follows from the batch as sent and the hashes beside it. */
static int range_root(const struct verify_batch *batch, const Timebank__Answer *answer,
                      uint64_t size, struct hash *ret_root) {
    uint64_t end = answer->seal + 1 + batch->n_orders;
    if (answer->seal >= size || end > size || end < answer->seal)
        return -EBADMSG;
    struct hash hashes[MERKLE_RANGE_MAX];
    struct merkle_range tree;
    struct merkle_range right;
    int r = hashes_read(answer->left, answer->n_left, MERKLE_RANGE_MAX, hashes);
    if (r == 0)
        r = merkle_range_load(&tree, 0, answer->seal, hashes, answer->n_left);
    if (r == 0)
        r = hashes_read(answer->right, answer->n_right, MERKLE_RANGE_MAX, hashes);
    if (r == 0)
        r = merkle_range_load(&right, end, size, hashes, answer->n_right);
    if (r < 0)
        return -EBADMSG;
    struct record_seal seal = {.received_at_ms = answer->received_at_ms};
    uint8_t record[RECORD_SEAL_BYTES];
    memcpy(seal.header, batch->header, BATCH_HEADER_BYTES);
    memcpy(seal.signature, batch->signature, SSHSIG_SIGNATURE_BYTES);
    record_seal_pack(&seal, record);
    struct hash leaf = merkle_leaf(record, sizeof(record));
    merkle_range_append(&tree, &leaf, NULL, NULL);
    merkle_range_append_all(&tree, batch->leaves, batch->n_orders, NULL, NULL);
    if (right.n_hashes > 0)
        merkle_range_join(&tree, &right, NULL, NULL);
    *ret_root = merkle_range_root(&tree);
    return 0;
}

bool verify_follows(const struct note_head *head, const Timebank__Answer *answer) {
    struct hash hashes[MERKLE_RANGE_MAX];
    struct merkle_range tree;
    if (answer->seal == 0 || answer->seal != head->size ||
        hashes_read(answer->left, answer->n_left, MERKLE_RANGE_MAX, hashes) < 0 ||
        merkle_range_load(&tree, 0, answer->seal, hashes, answer->n_left) < 0)
        return false;
    struct hash root = merkle_range_root(&tree);
    return hash_equal(&root, &head->root);
}

/* Lists run parallel to the orders; those that may be left out are empty then. */
static bool answer_has_shape(const Timebank__Answer *answer, size_t n_orders, bool dry_run) {
    if ((answer->dry_run != 0) != dry_run)
        return false;
    bool balances = answer->readable.len == 0 ||
                    (answer->readable.len == n_orders && answer->n_from_after == n_orders &&
                     answer->n_to_after == n_orders);
    bool entries = answer->n_entries == n_orders || (dry_run && answer->n_entries == 0);
    bool others = answer->n_other_code == answer->n_other_place &&
                  answer->n_other_after == answer->n_other_place;
    for (size_t i = 0; i < answer->n_other_place; i++)
        others = others && answer->other_place[i] < n_orders;
    for (size_t i = 0; i < answer->n_warnings; i++) {
        if (answer->warnings[i]->place >= n_orders)
            return false;
    }
    return balances && entries && others;
}

int verify_answer(struct tb_bank *bank, const struct bank_head *seen,
                  const struct verify_batch *batch, const Timebank__Answer *answer) {
    const struct note_head *head = &seen->head;
    if (!answer_has_shape(answer, batch->n_orders, batch->dry_run))
        return verify_fail(bank, NULL, 0, "The answer to a batch does not fit what was sent.");
    if (batch->dry_run)
        return 0;
    for (size_t i = 0; i < answer->n_entries; i++) {
        if (answer->entries[i] == 0 || answer->entries[i] >= head->size)
            return verify_fail(bank, NULL, 0, "An entry is said to stand outside the ledger.");
        if (answer->seal != 0 && answer->entries[i] != answer->seal + 1 + i)
            return verify_fail(bank, NULL, 0, "The entries do not follow their seal.");
    }
    if (answer->seal == 0)
        return 0;
    struct hash root;
    int r = range_root(batch, answer, head->size, &root);
    if (r < 0 || !hash_equal(&root, &head->root))
        return verify_fail(bank, seen->checkpoint.data, seen->checkpoint.n,
                           "The batch was answered as recorded, but is not in the ledger as sent.");
    return 0;
}
