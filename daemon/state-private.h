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

/*
 * state-ids.c, of the lowest state. find(): among those since the last step. ask(): the source, and
 * remembers the gap; 1, 0, < 0. add(): 1 done, 0 to be kept as a row, -ENOMEM.
 */
struct state_ids_item *state_ids_at(const struct state_ids_run *run, size_t i);
const struct state_id *state_ids_find(const struct state_ids *ids,
                                      const uint8_t id[ORDER_ID_BYTES]);
bool state_ids_is_in_gap(const struct state *lowest, const uint8_t id[ORDER_ID_BYTES]);
int state_ids_ask(struct state *lowest, const uint8_t id[ORDER_ID_BYTES],
                  struct state_id *ret) TB_MUST_CHECK;
int state_ids_add(struct state_ids *ids, const uint8_t id[ORDER_ID_BYTES],
                  struct state_id **ret_value) TB_MUST_CHECK;
void state_ids_begin(struct state_ids *ids);
void state_ids_roll_back(struct state_ids *ids);
/* Those since the last step are leaving; then they have left. */
void state_ids_leave(struct state_ids *ids);
void state_ids_left(struct state_ids *ids);
void state_ids_free(struct state_ids *ids);

/* state-due.c: a pending of the lowest state changed, from `before` (NULL: it is new): it may need
 * a place in the heap. */
int state_due_note(struct state *state, uint64_t key, const struct state_pending *before,
                   const struct state_pending *pending) TB_MUST_CHECK;

/* state-days.c: a row that is not in memory, by its key. */
bool state_days_may_be_stored(const struct state *lowest, const void *key);

/* state-policies.c. Without memory none are kept. */
void state_policies_begin(struct state *state);
void state_policies_forget(struct state *state);
