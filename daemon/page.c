/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are gathered and sorted for each page: lists are for people, and no table here is on disk.
 */
#include "page.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
    const struct page_item *x = a, *y = b;

    return strcmp(x->name, y->name);
}

int page_make(struct page *ret, struct state *state, enum state_table table,
              const Timebank__Page *ask, uint32_t max_entries, struct arena *arena) {
    const struct rows *rows = &state->tables[table];
    uint32_t max = ask->max && ask->max < max_entries ? ask->max : max_entries;
    size_t n = 0;

    assert(!state->below && !state_is_on_disk(table));
    ret->items = arena_alloc(arena, (rows->n_rows + 1) * sizeof(*ret->items));
    if (!ret->items)
        return -ENOMEM;
    for (const struct row *row = rows_next(rows, NULL); row; row = rows_next(rows, row)) {
        char *name = arena_alloc(arena, (size_t)row->n_key + 1);
        if (!name)
            return -ENOMEM;
        memcpy(name, row->key, row->n_key);
        name[row->n_key] = '\0';
        if (strcmp(name, ask->after) > 0)
            ret->items[n++] = (struct page_item){name, row->value};
    }
    qsort(ret->items, n, sizeof(*ret->items), compare);
    ret->more = n > max;
    ret->n = MIN_OF(n, (size_t)max);
    return 0;
}
