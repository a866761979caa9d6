/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of the lowest state were before a batch or an event changed them, each noted once.
 * Keeping costs the batch nothing per row but for what waits; taking back goes through the notes,
 * the last one first, and needs no memory.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "state-private.h"

/* Notes lie in blocks, each as large as all before it; the largest is kept for the next journal. */
#define BLOCK_BYTES_FIRST (64u * 1024)
#define BLOCK_BYTES_KEPT (8u * 1024 * 1024)

struct state_block {
    struct state_block *next;
    size_t n_used;
    size_t n_total;
    uint64_t data[];
};

static struct state_block *block_new(struct state_journal *journal, size_t n) {
    size_t n_total = journal->blocks
                         ? MIN_OF(journal->blocks->n_total * 2, (size_t)BLOCK_BYTES_KEPT)
                         : BLOCK_BYTES_FIRST;
    struct state_block *block = malloc(sizeof(*block) + MAX_OF(n, n_total));

    if (!block)
        return NULL;
    *block = (struct state_block){.next = journal->blocks, .n_total = MAX_OF(n, n_total)};
    journal->blocks = block;
    return block;
}

static struct state_undo *undo_new(struct state_journal *journal, size_t n_value) {
    size_t n = (sizeof(struct state_undo) + n_value + 7) / 8 * 8;
    struct state_block *block = journal->blocks;
    struct state_undo *undo;

    if (!block || n > block->n_total - block->n_used)
        block = block_new(journal, n);
    if (!block)
        return NULL;
    undo = (struct state_undo *)(block->data + block->n_used / 8);
    block->n_used += n;
    return undo;
}

static void blocks_free(struct state_block *block) {
    while (block) {
        struct state_block *next = block->next;
        free(block);
        block = next;
    }
}

void state_journal_free(struct state_journal *journal) {
    blocks_free(TAKE(journal->blocks));
}

/* `n` bytes of its value from `at` on; of a new row none. */
static int note(struct state *state, enum state_table table, struct row *row, size_t at, size_t n) {
    struct state_journal *journal = &state->journal;
    struct state_undo *undo = undo_new(journal, n);

    if (!undo)
        return -ENOMEM;
    *undo = (struct state_undo){.before = journal->last,
                                .row = row,
                                .table = (uint8_t)table,
                                .is_new = n == 0,
                                .was_dirty = row->is_dirty,
                                .at = (uint16_t)at,
                                .n = (uint16_t)n};
    if (n > 0)
        memcpy(undo->value, row->value + at, n);
    journal->last = undo;
    if (n == 0 || n == state_value_bytes(table))
        row->noted = journal->number;
    if (table == STATE_PENDINGS) {
        undo->before_pending = journal->last_pending;
        journal->last_pending = undo;
    }
    return 0;
}

int state_journal_change(struct state *state, enum state_table table, struct row *row) {
    if (!state->journal.is_open || row->noted == state->journal.number)
        return 0;
    return note(state, table, row, 0, state_value_bytes(table));
}

int state_journal_change_part(struct state *state, enum state_table table, struct row *row,
                              size_t at, size_t n) {
    assert(n > 0 && at + n <= state_value_bytes(table));
    if (!state->journal.is_open || row->noted == state->journal.number)
        return 0;
    return note(state, table, row, at, n);
}

int state_journal_add(struct state *state, enum state_table table, struct row *row) {
    return state->journal.is_open ? note(state, table, row, 0, 0) : 0;
}

/* After 2^32 journals their numbers begin anew. */
static void forget_numbers(struct state *state) {
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        for (struct row *row = rows_next(&state->tables[t], NULL); row;
             row = rows_next(&state->tables[t], row))
            row->noted = 0;
    state->journal.number = 1;
}

void state_begin(struct state *lowest) {
    struct state_journal *journal = &lowest->journal;

    assert(!lowest->below && !journal->is_open);
    journal->is_open = true;
    journal->sums = lowest->sums;
    journal->n_touched = lowest->n_touched;
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        journal->n_dirty[t] = lowest->tables[t].n_dirty;
    state_ids_begin(&lowest->ids);
    if (++journal->number == 0)
        forget_numbers(lowest);
}

static void end(struct state_journal *journal) {
    struct state_block *kept = journal->blocks;

    journal->is_open = false;
    journal->last = journal->last_pending = NULL;
    if (!kept)
        return;
    blocks_free(TAKE(kept->next));
    kept->n_used = 0;
    if (kept->n_total > BLOCK_BYTES_KEPT)
        state_journal_free(journal);
}

int state_keep(struct state *lowest) {
    struct state_journal *journal = &lowest->journal;
    int r = 0;

    assert(journal->is_open);
    for (const struct state_undo *undo = journal->last_pending; undo && r == 0;
         undo = undo->before_pending)
        r = state_due_note(lowest, be64_get(undo->row->key),
                           undo->is_new ? NULL : (const void *)undo->value,
                           (const void *)undo->row->value);
    end(journal);
    return r;
}

static void take_out(struct state *lowest, enum state_table table, struct row *row) {
    const struct state_account *account = (const void *)row->value;

    if (table == STATE_ACCOUNTS && account->number < lowest->n_accounts_allocated &&
        lowest->accounts[account->number] == account)
        lowest->accounts[account->number] = NULL;
    rows_remove(&lowest->tables[table], row);
}

void state_roll_back(struct state *lowest) {
    struct state_journal *journal = &lowest->journal;

    assert(journal->is_open);
    for (const struct state_undo *undo = journal->last; undo; undo = undo->before) {
        enum state_table table = (enum state_table)undo->table;
        if (table == STATE_POLICIES)
            state_policies_forget(lowest);
        if (undo->is_new) {
            take_out(lowest, table, undo->row);
            continue;
        }
        memcpy(undo->row->value + undo->at, undo->value, undo->n);
        undo->row->is_dirty = undo->was_dirty;
    }
    lowest->sums = journal->sums;
    lowest->n_touched = journal->n_touched;
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        lowest->tables[t].n_dirty = journal->n_dirty[t];
    state_ids_roll_back(&lowest->ids);
    memset(lowest->met, 0, sizeof(lowest->met));
    end(journal);
}
