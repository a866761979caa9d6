/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct state, for state*.c only. */
#pragma once

#include "state.h"

/* A row of the lowest state, as it was before the journal's first change of it. */
struct state_undo {
    struct state_undo *before;         /* the one noted before this one */
    struct state_undo *before_pending; /* likewise, of the pendings alone */
    struct row *row;
    uint8_t table;
    bool is_new; /* it was not there */
    bool was_dirty;
    uint16_t at; /* the bytes of its value that are noted; none, if it is new */
    uint16_t n;
    uint64_t value[];
};

/* state-journal.c. Before a change of a row, and after a row was added: 0, -ENOMEM. */
int state_journal_change(struct state *state, enum state_table table,
                         struct row *row) TB_MUST_CHECK;
/* Of a row of which no other bytes are changed by the caller. */
int state_journal_change_part(struct state *state, enum state_table table, struct row *row,
                              size_t at, size_t n) TB_MUST_CHECK;
int state_journal_add(struct state *state, enum state_table table, struct row *row) TB_MUST_CHECK;
void state_journal_free(struct state_journal *journal);

/* state-due.c: a pending of the lowest state changed, from `before` (NULL: it is new): it may need
 * a place in the heap. */
int state_due_note(struct state *state, uint64_t key, const struct state_pending *before,
                   const struct state_pending *pending) TB_MUST_CHECK;

/* state-days.c: a row that is not in memory, by its key. */
bool state_days_may_be_stored(const struct state *lowest, const void *key);

/* state-policies.c. Without memory none are kept. */
void state_policies_begin(struct state *state);
void state_policies_forget(struct state *state);
