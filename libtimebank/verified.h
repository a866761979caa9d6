/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One check of a file or directory under way, and what it found: sentences, entries, an account, a
 * head. path-check.c tells which kind of thing it is; each kind has a file of its own, which
 * asks nothing of the network and believes nothing that the verifier key does not lead to.
 *
 * Each verified_KIND() returns 0, a refusal with its sentence set by verified_fail(), or < 0.
 */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "proto/code.h"
#include "proto/note.h"
#include "receipt.h"
#include "timebank.h"

#define VERIFIED_FILE_MAX (128u * 1024 * 1024)         /* bytes of any one file that is looked at */
#define VERIFIED_ARENA_MAX ((size_t)256 * 1024 * 1024) /* bytes of decoded entries */

struct tb_verified {
    enum tb_evidence_kind kind;
    struct verified_sentence {
        char *text;
        bool is_proven;
    } * sentences;
    size_t n_sentences;
    struct tb_verified_entry *entries;
    size_t n_entries;
    size_t n_entries_allocated;
    uint64_t size;
    struct hash root;
    struct tb_verified_account account;
    char code[CODE_MAX + 1];
    struct arena arena; /* what the entries' orders borrow from */
};

DEFINE_CLEANUP(struct tb_verified *, tb_verified_free)

struct verified_check {
    const struct tb_verify_ask *ask;
    const char *path;
    struct note_verifier verifier; /* signs the heads */
    struct hash ledger_id;         /* that of the genesis key */
    struct tb_verified *verified;
    struct rotation_chain *chain; /* NULL, or where an export puts the keys that its records name */
    char *why;
    size_t n_why;
};

/* Sets the sentence (control bytes replaced) and returns TB_NOT_VERIFIED. */
int verified_fail(struct verified_check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One more sentence; -ENOMEM. */
int verified_say(struct verified_check *check, bool is_proven, const char *format, ...)
    __attribute__((format(printf, 3, 4))) TB_MUST_CHECK;
/* Reads a file of the thing that is checked: regular, of 1 to n_max bytes. */
int verified_read(struct verified_check *check, const char *path, size_t n_max,
                  struct bytes *to) TB_MUST_CHECK;
/* Another entry, zeros but for its order's size; borrowed until the next one. */
int verified_entry_add(struct tb_verified *verified,
                       struct tb_verified_entry **ret_entry) TB_MUST_CHECK;
/* Decodes the record of an order or an event into an entry; any other is -EBADMSG. */
int verified_entry_decode(struct tb_verified *verified, const uint8_t *record, size_t n,
                          struct tb_verified_entry *entry) TB_MUST_CHECK;
/* "Wed 5 March 2025, 14:03 UTC" */
void verified_time(uint64_t time_ms, char ret[64]);

/* verified-head.c */
/* Sets verifier and ledger id from what is asked. */
int verified_ledger(struct verified_check *check) TB_MUST_CHECK;
/* Opens the checkpoint that all stands under: signed by the ledger, cosigned as the policy demands;
 * it becomes the position. TB_WRONG_LEDGER where it names another ledger. */
int verified_head(struct verified_check *check, const char *note, size_t n,
                  struct note_head *ret_head) TB_MUST_CHECK;
/* What every head leaves open, said last. */
int verified_head_leaves(struct verified_check *check) TB_MUST_CHECK;
/* A file that is a checkpoint. */
int verified_checkpoint(struct verified_check *check, const struct bytes *file) TB_MUST_CHECK;

/* verified-chain.c: the keys that a receipt shows. read() moves check->verifier on to the one that
 * signed the head, where the one given is of the chain; prove() once the head is opened. */
struct verified_chain {
    size_t n;
    size_t n_followed; /* changes after the key that was given */
    struct receipt_link links[RECEIPT_LINKS_MAX];
    struct bytes texts[RECEIPT_LINKS_MAX];
};
int verified_chain_read(struct verified_check *check, struct verified_chain *chain) TB_MUST_CHECK;
int verified_chain_prove(struct verified_check *check, const struct verified_chain *chain,
                         const struct note_head *head, const char *checkpoint,
                         size_t n_checkpoint) TB_MUST_CHECK;
/* Which ledger it was when a record was made: check's, unless that was restored since. */
int verified_chain_era(const struct verified_check *check, const struct verified_chain *chain,
                       uint64_t record, struct receipt_era *ret) TB_MUST_CHECK;
int verified_chain_say(struct verified_check *check,
                       const struct verified_chain *chain) TB_MUST_CHECK;
/* A file of the chain. */
bool verified_chain_has(const struct verified_chain *chain, const char *name);
void verified_chain_fini(struct verified_chain *chain);

int verified_receipt(struct verified_check *check) TB_MUST_CHECK;
int verified_proof(struct verified_check *check, const struct bytes *file) TB_MUST_CHECK;
int verified_statement(struct verified_check *check, const struct bytes *file) TB_MUST_CHECK;
int verified_evidence(struct verified_check *check, const struct bytes *file) TB_MUST_CHECK;
int verified_report(struct verified_check *check, const struct bytes *file) TB_MUST_CHECK;
