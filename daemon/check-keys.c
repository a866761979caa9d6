/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's keys as its records say, and as the files beside it hold them. */
#include "check-keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/record.h"

#define ARENA_BYTES (1024u * 1024)

static void begin(struct state_chain *chain, uint64_t index, const Timebank__Genesis *genesis) {
    struct state_ledger_key *row = &chain->keys[0].row;
    struct hash id;

    *chain = (struct state_chain){.n = 1};
    chain->keys[0].record = index;
    memcpy(row->key, genesis->ledger_key.data, NOTE_KEY_BYTES);
    id = note_ledger_id(genesis->origin, genesis->ledger_key.data);
    memcpy(row->ledger_id, id.b, HASH_BYTES);
    row->is_genesis = 1;
}

/* Canonical: a kind's member is the last one, under a tag of its own. */
static bool may_rotate(const uint8_t *record, size_t n) {
    static const uint8_t tag[] = {(TIMEBANK__ORDER__KIND_ROTATE_KEY << 3 & 0x7f) | 0x82,
                                  TIMEBANK__ORDER__KIND_ROTATE_KEY >> 4};

    return n > 1 && record[0] == RECORD_ORDER && memmem(record + 1, n - 1, tag, sizeof(tag));
}

static int add(struct state_chain *chain, uint64_t index, const Timebank__RotateKey *rotate) {
    const struct state_chain_key *now = state_chain_last(chain);
    const struct state_ledger_key *last;
    struct state_chain_key *next;
    struct rotation rotation;

    if (!now || chain->n == ROTATION_KEYS_MAX || rotate->key.len != NOTE_KEY_BYTES ||
        rotate->by_old.len != SSHSIG_SIGNATURE_BYTES)
        return -EBADMSG;
    last = &now->row;
    next = &chain->keys[chain->n];
    memcpy(rotation.ledger_id.b, last->ledger_id, HASH_BYTES);
    memcpy(rotation.old_key, last->key, NOTE_KEY_BYTES);
    memcpy(rotation.new_key, rotate->key.data, NOTE_KEY_BYTES);
    if (rotation_check_old(&rotation, rotate->by_old.data) < 0)
        return -EBADMSG;
    *next = (struct state_chain_key){.record = index};
    memcpy(next->row.key, rotate->key.data, NOTE_KEY_BYTES);
    memcpy(next->row.ledger_id, last->ledger_id, HASH_BYTES);
    chain->n++;
    return 0;
}

static int take_order(struct state_chain *chain, uint64_t index, const uint8_t *record, size_t n) {
    Timebank__Order *order = NULL;
    struct arena arena;
    int r;

    arena_init(&arena, ARENA_BYTES);
    r = record_order_decode(record + 1, n - 1, &arena, &order);
    if (r == 0 && order->kind_case == TIMEBANK__ORDER__KIND_ROTATE_KEY)
        r = add(chain, index, order->rotate_key);
    arena_fini(&arena);
    return r;
}

static int take_genesis(struct state_chain *chain, uint64_t index, const uint8_t *record,
                        size_t n) {
    Timebank__Genesis *genesis = NULL;
    struct arena arena;
    int r;

    arena_init(&arena, ARENA_BYTES);
    r = record_genesis_decode(record + 1, n - 1, &arena, &genesis);
    if (r == 0 && genesis->ledger_key.len != NOTE_KEY_BYTES)
        r = -EBADMSG;
    if (r == 0)
        begin(chain, index, genesis);
    arena_fini(&arena);
    return r;
}

int check_keys_take(struct state_chain *chain, const struct run *run) {
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < run->n; i++) {
        size_t n;
        const uint8_t *record = run_record(run, i, &n);
        if (record[0] == RECORD_GENESIS)
            r = take_genesis(chain, run->first + i, record, n);
        else if (may_rotate(record, n))
            r = take_order(chain, run->first + i, record, n);
    }
    return r;
}

const uint8_t *check_keys_at(const struct state_chain *chain, uint64_t size) {
    const uint8_t *key = NULL;

    for (size_t i = 0; i < chain->n && chain->keys[i].record < size; i++)
        key = chain->keys[i].row.key;
    return key;
}

static bool holds(const char *path, const char *origin, const uint8_t key[NOTE_KEY_BYTES]) {
    _cleanup_(keyring_closep) struct keyring *keyring = NULL;

    return keyring_open(&keyring, path, origin) == 0 && keyring_find(keyring, key);
}

bool check_keys_has_last(const struct state_chain *chain, const char *path, const char *origin) {
    _cleanup_(freep) char *next = NULL;
    const struct state_chain_key *last = state_chain_last(chain);

    if (!last || asprintf(&next, "%s.next", path) < 0)
        return false;
    return holds(path, origin, last->row.key) || holds(next, origin, last->row.key);
}
