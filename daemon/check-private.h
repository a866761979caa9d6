/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the check of a ledger, for check-ledger.c and check-tables.c only. */
#pragma once

#include "check-facts.h"
#include "check-ledger.h"
#include "head.h"
#include "replay.h"

struct checking {
    struct check_progress *progress;
    const char *directory;
    const struct bank_settings *settings;
    enum check_extent extent;
    FILE *to;
    struct store *store;
    struct store_read *read;
    struct state *state;
    struct account_tree accounts;
    struct replay replay;
    struct check_facts *facts; /* under way on a thread, or NULL */
    struct head_slot slots[HEAD_SLOTS];
    bool slot_is_whole[HEAD_SLOTS];
    struct note_head heads[HEAD_SLOTS];
    bool met[HEAD_SLOTS];
    struct log_layout layout;
    uint64_t size;            /* records in the store */
    uint64_t state_size;      /* where the derived tables stand */
    uint64_t genesis;         /* record of the one in force */
    struct state_chain chain; /* the ledger's keys */
    struct state_sums state_sums;
    bool met_state;
    uint64_t n_after;
    uint64_t n_orders; /* gone through: each has one id */
    bool is_damaged;
    enum state_table table; /* being compared */
    size_t n_rows;
    size_t n_ids;
};

/* Tells of a fault: -EUCLEAN. */
int check_ledger_damaged(struct checking *checking, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Where the reader is, should it die there. */
void check_ledger_at(struct checking *checking, const char *where, uint64_t index);
/* store_each(), which names a table whose pages are not in the order of their keys. */
int check_ledger_walk(struct checking *checking, unsigned table, const void *from, size_t n_from,
                      int (*each)(void *user, struct store_value key, struct store_value value),
                      void *user) TB_MUST_CHECK;
/* A row that its key does not lead to is as good as lost, though a walk of the tree meets it. */
bool check_ledger_is_found(struct checking *checking, unsigned table, struct store_value key,
                           struct store_value value);
/* A start will empty the derived tables, or goes on filling them. */
bool check_ledger_will_rebuild(const struct checking *checking);

/* Every table that the rules look at, where the replay stands now. */
int check_tables_compare(struct checking *checking) TB_MUST_CHECK;
/* The row of table `after` of the run just judged. */
int check_tables_compare_after(struct checking *checking, const struct run *run) TB_MUST_CHECK;
/* What can be said once the whole log was gone through. */
int check_tables_end(struct checking *checking) TB_MUST_CHECK;
