/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What evidence proves to somebody who trusts neither side. Two heads signed by the ledger's key
 * that cannot both be true prove two histories, whoever kept them. All else in the file could have
 * been written by anybody, and that is said.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bank.h"
#include "proto/batch.h"
#include "proto/evidence-file.h"
#include "proto/merkle.h"
#include "proto/text64.h"
#include "reply.h"
#include "verified.h"

struct evidence {
    struct evidence_file file;
    bool has_before; /* a head signed by the ledger */
    bool has_named;
    bool has_now;
    struct note_head before;
    struct note_head named;
    struct note_head now;
    struct hash other_root; /* that the newer head's own history has at the older one's size */
};

/* A signed head under a title; false where there is none, or not by this ledger. */
static bool head_read(const struct verified_check *check, const struct evidence_file *file,
                      const char *title, struct note_head *ret) {
    struct evidence_piece note = evidence_file_find(file, title);
    return note.n > 0 && note_checkpoint_open(note.text, note.n, &check->verifier, ret) == 0;
}

static int hashes_take(const Timebank__Position *position, struct hash *ret, size_t *ret_n) {
    if (!position || position->n_consistency > MERKLE_PATH_MAX + 1)
        return -EBADMSG;
    for (size_t i = 0; i < position->n_consistency; i++) {
        if (position->consistency[i].len != HASH_BYTES)
            return -EBADMSG;
        memcpy(ret[i].b, position->consistency[i].data, HASH_BYTES);
    }
    *ret_n = position->n_consistency;
    return 0;
}

/* The proof in the bank's own reply, where it leads to the newer head: then it says which root that
 * history had before, and no other can be found for it. */
static int reply_look(struct evidence *evidence) {
    _cleanup_bytes_ struct bytes data = {};
    _cleanup_(reply_freep) struct reply *reply = NULL;
    struct hash path[MERKLE_PATH_MAX + 1], root;
    size_t n = 0;
    int r = evidence_file_decode(&evidence->file, EVIDENCE_REPLY, &data);
    if (r == 0 && data.n > 0)
        r = reply_new(&data, &reply);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || !reply || hashes_take(reply->message->position, path, &n) < 0 ||
        merkle_consistency_roots(evidence->before.size, evidence->now.size, path, n,
                                 &evidence->other_root, &root) < 0 ||
        !hash_equal(&root, &evidence->now.root))
        evidence->other_root = evidence->before.root;
    return 0;
}

static int histories_say(struct verified_check *check, uint64_t size, const struct hash *one,
                         const struct hash *other) {
    char hexes[2][2 * HASH_BYTES + 1];
    text64_hex(hexes[0], one->b, HASH_BYTES);
    text64_hex(hexes[1], other->b, HASH_BYTES);
    int r = verified_say(check, true,
                         "The key of the ledger %s signed two histories: of its first %" PRIu64
                         " records, one has the root %s, the other %s.",
                         check->verifier.name, size, hexes[0], hexes[1]);
    if (r == 0)
        r = verified_say(check, true,
                         "No honest ledger can sign both: whoever holds its key showed different "
                         "people different books, or changed the books.");
    if (r == 0)
        r = verified_say(check, false,
                         "Which of the two is the true one, and who was shown which.");
    return r == 0 ? verified_say(check, false,
                                 "When it was found, and by whom: anybody may have written the "
                                 "rest of the file.")
                  : r;
}

static int unproven(struct verified_check *check, const struct evidence *evidence) {
    return verified_fail(check,
                         "This file shows that a program would not believe a bank: \"%.*s\" It "
                         "proves nothing to others, as anybody could have written it: ask the bank "
                         "for the same again, and keep both.",
                         (int)MIN_OF(evidence->file.sentence.n, (size_t)200),
                         evidence->file.sentence.text);
}

static int rollback_tell(struct verified_check *check, const struct evidence *evidence) {
    return verified_fail(
        check,
        "Both heads are signed by the ledger, one of %" PRIu64 " records and, said to be shown "
        "after it, one of %" PRIu64 ". Nobody signed which came first, so this alone proves "
        "nothing: ask the ledger for a head of %" PRIu64 " records or more that extends the "
        "longer one; if it has none, entries were taken out.",
        evidence->before.size, evidence->now.size, evidence->before.size);
}

static int unconnected_tell(struct verified_check *check, const struct evidence *evidence) {
    return verified_fail(
        check,
        "Both heads are signed by the ledger, of %" PRIu64 " and of %" PRIu64 " records, and the "
        "reply does not connect them. An honest ledger can: ask it for the proof (timebank ledger "
        "export); if it has none, these two heads prove that it has two histories.",
        evidence->before.size, evidence->now.size);
}

static bool is_fork(const struct note_head *a, const struct note_head *b) {
    return a->size == b->size && !hash_equal(&a->root, &b->root);
}

/* The reply's proof goes from the head that the request named. Where that and the one verified
 * before are of one size and differ, nothing else is needed. */
static int heads_judge(struct verified_check *check, struct evidence *evidence) {
    const struct note_head *before = &evidence->before, *now = &evidence->now;
    if (evidence->has_named && is_fork(before, &evidence->named))
        return histories_say(check, before->size, &before->root, &evidence->named.root);
    if (evidence->has_named && !is_fork(before, now))
        evidence->before = evidence->named;
    check->verified->size = before->size;
    check->verified->root = before->root;
    if (before->size == now->size)
        return hash_equal(&before->root, &now->root)
                   ? unproven(check, evidence)
                   : histories_say(check, before->size, &before->root, &now->root);
    if (now->size < before->size)
        return rollback_tell(check, evidence);
    int r = reply_look(evidence);
    if (r < 0)
        return r;
    if (hash_equal(&evidence->other_root, &before->root))
        return unconnected_tell(check, evidence);
    return histories_say(check, before->size, &before->root, &evidence->other_root);
}

/* ------------------------------------------- a batch whose author saw another history */

struct pin {
    struct batch_header header;
    struct note_head own;
    struct hash root; /* that this ledger has at the pin's size */
};

static int header_read(struct verified_check *check, const struct evidence_file *file,
                       struct pin *pin) {
    _cleanup_bytes_ struct bytes header = {};
    _cleanup_bytes_ struct bytes signature = {};
    int r = evidence_file_decode(file, EVIDENCE_HEADER, &header);
    if (r == 0)
        r = evidence_file_decode(file, EVIDENCE_SIGNATURE, &signature);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || header.n != BATCH_HEADER_BYTES || signature.n != SSHSIG_SIGNATURE_BYTES ||
        batch_header_unpack(header.data, &pin->header) < 0)
        return verified_fail(
            check, "The batch in this evidence is none, so it proves nothing: find another copy.");
    if (sshsig_verify(SSHSIG_BATCH, header.data, header.n, pin->header.author, signature.data) < 0)
        return verified_fail(check, "The author's signature in this evidence does not verify, so "
                                    "it proves nothing: find another copy.");
    if (!hash_equal(&pin->header.ledger_id, &check->ledger_id)) {
        verified_fail(check,
                      "The batch in this evidence is for another ledger than %s: name that one.",
                      check->verifier.name);
        return TB_WRONG_LEDGER;
    }
    return 0;
}

/* This ledger's root at the pin's size, as its own signed head binds it. */
static int own_root(const struct evidence_file *file, struct pin *pin) {
    _cleanup_bytes_ struct bytes data = {};
    struct hash path[MERKLE_PATH_MAX + 1], root;
    if (pin->own.size == pin->header.pin_size) {
        pin->root = pin->own.root;
        return 0;
    }
    int r = evidence_file_decode(file, EVIDENCE_CONSISTENCY, &data);
    if (r < 0)
        return r;
    if (data.n % HASH_BYTES != 0 || data.n > sizeof(path))
        return -EBADMSG;
    if (data.n > 0)
        memcpy(path, data.data, data.n);
    r = merkle_consistency_roots(pin->header.pin_size, pin->own.size, path, data.n / HASH_BYTES,
                                 &pin->root, &root);
    return r == 0 && hash_equal(&root, &pin->own.root) ? 0 : -EBADMSG;
}

static int pin_say(struct verified_check *check, const struct pin *pin) {
    char created[64], root[2 * HASH_BYTES + 1], own[2 * HASH_BYTES + 1];
    _cleanup_bytes_ struct bytes line = {};
    sshsig_public_format(pin->header.author, NULL, &line);
    if (line.r < 0)
        return line.r;
    verified_time(pin->header.created_ms, created);
    text64_hex(root, pin->header.pin_root.b, HASH_BYTES);
    text64_hex(own, pin->root.b, HASH_BYTES);
    int r =
        verified_say(check, true,
                     "The key %.*s signed, on %s by its own clock, that it had seen a head of "
                     "%" PRIu64 " records with the root %s.",
                     (int)line.n - 1, (const char *)line.data, created, pin->header.pin_size, root);
    if (r == 0)
        r = verified_say(check, true,
                         "This ledger signed that its first %" PRIu64
                         " records have another root: %s.",
                         pin->header.pin_size, own);
    if (r == 0)
        r = verified_say(check, false,
                         "That the ledger ever signed what the author says it saw: the author's "
                         "program keeps that head; with it there are two histories, without it the "
                         "author is wrong.");
    return r;
}

static int pin_check(struct verified_check *check, const struct evidence *evidence) {
    struct pin pin;
    int r = header_read(check, &evidence->file, &pin);
    if (r != 0)
        return r;
    if (!head_read(check, &evidence->file, EVIDENCE_HEAD_OWN, &pin.own))
        return verified_fail(check,
                             "The ledger's own head in this evidence is not signed by the key that "
                             "you gave, so it proves nothing: give the key of then.");
    check->verified->size = pin.own.size;
    check->verified->root = pin.own.root;
    r = own_root(&evidence->file, &pin);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || hash_equal(&pin.root, &pin.header.pin_root))
        return verified_fail(check,
                             "The author signed to have seen %" PRIu64 " records with a root of "
                             "their own, and the file does not show what this ledger had there: "
                             "ask the ledger to connect it with its head of %" PRIu64 " records.",
                             pin.header.pin_size, pin.own.size);
    return pin_say(check, &pin);
}

/* --------------------------------------------------------------------- both */

static int ledger_check(struct verified_check *check, const struct evidence_file *file) {
    const char *asked = check->ask->verifier_key;
    bool is_none = file->verifier_key.n == 1 && file->verifier_key.text[0] == '-';
    if (is_none || (file->verifier_key.n == strlen(asked) &&
                    memcmp(file->verifier_key.text, asked, file->verifier_key.n) == 0))
        return 0;
    verified_fail(check, "This evidence is of the ledger %.*s: name that one.",
                  (int)MIN_OF(file->verifier_key.n, (size_t)300), file->verifier_key.text);
    return TB_WRONG_LEDGER;
}

int verified_evidence(struct verified_check *check, const struct bytes *file) {
    struct evidence evidence = {};
    check->verified->kind = TB_IS_EVIDENCE;
    if (evidence_file_parse(&evidence.file, file->data, file->n) < 0)
        return verified_fail(check, "The evidence was damaged or changed since it was written: "
                                    "find another copy.");
    int r = ledger_check(check, &evidence.file);
    if (r != 0)
        return r;
    if (evidence_file_find(&evidence.file, EVIDENCE_HEADER).n > 0)
        return pin_check(check, &evidence);
    evidence.has_before = head_read(check, &evidence.file, EVIDENCE_HEAD_BEFORE, &evidence.before);
    evidence.has_named = head_read(check, &evidence.file, EVIDENCE_HEAD_NAMED, &evidence.named);
    evidence.has_now = head_read(check, &evidence.file, EVIDENCE_HEAD_NOW, &evidence.now);
    if (evidence.has_before && evidence.has_now)
        return heads_judge(check, &evidence);
    return unproven(check, &evidence);
}
