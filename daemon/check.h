/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of a ledger at rest. It runs in a child process, because a damaged store can abort
 * whoever reads it; the parent then names the place the child had reached.
 *
 * Not full: every record against its leaf, the tree against the stored nodes and the signed head,
 * every author's signature, both slots of the head file, every record of the register of people.
 * Full: also every rule again from record 0, and every derived table compared.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "bank.h"

struct check_result {
    uint64_t size;
    bool has_counts; /* not after a crash, unless full: the tables are then behind the log */
    bool has_tables; /* the derived tables were compared too, where full */
    uint64_t n_facts_faults; /* of DIR/facts, where full: the ledger is sound all the same */
    uint64_t n_accounts;
    uint64_t n_entries;
    char root[64]; /* base64 */
    char verifier_key[NOTE_ORIGIN_MAX + 64];
};

/* 0 sound, -EUCLEAN damaged with every fault told on `to`, another negative errno: could not be
 * read. The caller holds the lock. */
int check_ledger(const char *directory, const struct bank_settings *settings, bool is_full,
                 FILE *to, struct check_result *ret_result);
/* Before a start: what changed since the derived tables were last written (everything, in a small
 * ledger), in a child. Faults are told on standard error. */
int check_before_start(const char *directory, const struct bank_settings *settings);
