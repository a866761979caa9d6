/* SPDX-License-Identifier: Apache-2.0 */
/* Writing behind, the state's side: a step touches what changed and nothing else. */
#include <assert.h>

#include "state-private.h"

#define N_AHEAD 8 /* rows lie anywhere: they are asked for before they are read */

size_t state_step_rows(const struct state *lowest) {
    size_t n = 0;

    for (size_t t = 0; t < STATE_N_TABLES; t++)
        n += lowest->tables[t].n_dirty;
    return n;
}

int state_step_apart(struct state *lowest,
                     int (*each)(void *user, enum state_table table, const void *key, size_t n_key,
                                 const void *value),
                     void *user) {
    int r = 0;

    assert(!lowest->below && !lowest->journal.is_open);
    for (size_t t = 0; t < STATE_N_TABLES && r == 0; t++) {
        struct rows *rows = &lowest->tables[t];
        for (size_t i = 0; i < rows->n_dirty && r == 0; i++) {
            const struct row *row = rows->dirty[i];
            if (i + N_AHEAD < rows->n_dirty)
                __builtin_prefetch(rows->dirty[i + N_AHEAD]);
            r = each(user, (enum state_table)t, row->key, row->n_key, row->value);
        }
    }
    for (size_t t = 0; t < STATE_N_TABLES && r == 0; t++)
        rows_leave(&lowest->tables[t]);
    if (r == 0)
        state_ids_leave(&lowest->ids);
    return r;
}

int state_step(struct state *lowest,
               int (*each)(void *user, enum state_table table, const void *key, size_t n_key,
                           const void *value),
               void *user) {
    int r = state_step_apart(lowest, each, user);

    return r == 0 ? state_ids_leaving(lowest, each, user) : r;
}

void state_step_left(struct state *lowest) {
    state_ids_left(&lowest->ids);
    for (size_t t = 0; t < STATE_N_TABLES; t++)
        rows_left(&lowest->tables[t], state_is_on_disk((enum state_table)t));
}
