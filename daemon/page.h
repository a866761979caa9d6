/* SPDX-License-Identifier: Apache-2.0 */
/* A page of a table of the state in ascending order of key, after a given one. */
#pragma once

#include "state.h"

struct page_item {
    const char *name; /* the key as text, in the arena */
    const void *value;
};

struct page {
    struct page_item *items;
    size_t n;
    bool more;
};

/* Items live in the arena; values are the state's. max_entries bounds what ask->max may ask for. */
int page_make(struct page *ret, struct state *state, enum state_table table,
              const Timebank__Page *ask, uint32_t max_entries, struct arena *arena) TB_MUST_CHECK;
