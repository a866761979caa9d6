/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the ledger: few rows, which are only ever added, so the layers of a state are simply
 * gone through. */
#include <string.h>

#include "base/bytes.h"
#include "state.h"

/* Keeps the list ascending, whatever the order of the rows in their table. */
static void insert(struct state_chain *chain, uint64_t record, const struct state_ledger_key *row) {
    size_t at = chain->n;

    if (chain->n == ROTATION_KEYS_MAX)
        return;
    for (; at > 0 && chain->keys[at - 1].record > record; at--)
        chain->keys[at] = chain->keys[at - 1];
    chain->keys[at] = (struct state_chain_key){.record = record, .row = *row};
    chain->n++;
}

/* The last one before a record, or 0. */
static uint64_t last_genesis(const struct state *state, uint64_t before) {
    uint64_t last = 0;

    for (const struct state *s = state; s; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_LEDGER_KEYS], NULL); row;
             row = rows_next(&s->tables[STATE_LEDGER_KEYS], row))
            if (((const struct state_ledger_key *)(const void *)row->value)->is_genesis &&
                be64_get(row->key) < before)
                last = MAX_OF(last, be64_get(row->key));
    return last;
}

size_t state_chain_geneses(const struct state *state, uint64_t record,
                           uint64_t ret[ROTATION_KEYS_MAX]) {
    uint64_t found[ROTATION_KEYS_MAX];
    uint64_t at = last_genesis(state, UINT64_MAX);
    size_t n = 0;

    for (found[n++] = at; at > record && n < ROTATION_KEYS_MAX; found[n++] = at)
        at = last_genesis(state, at);
    for (size_t i = 0; i < n; i++)
        ret[i] = found[n - 1 - i];
    return n;
}

void state_chain_read(const struct state *state, struct state_chain *ret) {
    uint64_t begin = last_genesis(state, UINT64_MAX);

    *ret = (struct state_chain){0};
    for (const struct state *s = state; s; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_LEDGER_KEYS], NULL); row;
             row = rows_next(&s->tables[STATE_LEDGER_KEYS], row))
            if (be64_get(row->key) >= begin)
                insert(ret, be64_get(row->key), (const void *)row->value);
}

const struct state_chain_key *state_chain_last(const struct state_chain *chain) {
    return chain->n > 0 ? &chain->keys[chain->n - 1] : NULL;
}

const struct state_chain_key *state_chain_beside(const struct state_chain *chain,
                                                 uint64_t ledger_time_ms) {
    const struct state_chain_key *last = state_chain_last(chain);

    return chain->n > 1 && ledger_time_ms < last->row.old_until_ms ? last - 1 : NULL;
}

bool state_chain_knows(const struct state *state, const uint8_t key[NOTE_KEY_BYTES]) {
    for (const struct state *s = state; s; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_LEDGER_KEYS], NULL); row;
             row = rows_next(&s->tables[STATE_LEDGER_KEYS], row))
            if (memcmp(((const struct state_ledger_key *)(const void *)row->value)->key, key,
                       NOTE_KEY_BYTES) == 0)
                return true;
    return false;
}
