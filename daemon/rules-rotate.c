/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's own key is followed by another, for which both signed. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "rules.h"

int rules_rotate_begin(struct state *state, uint64_t index, const char *origin,
                       const uint8_t key[NOTE_KEY_BYTES]) {
    struct hash id = note_ledger_id(origin, key);
    struct state_ledger_key *row;
    uint8_t at[8];
    void *value;
    int r;

    be64_put(at, index);
    r = state_make(state, STATE_LEDGER_KEYS, at, sizeof(at), &value);
    if (r < 0)
        return r;
    row = value;
    memcpy(row->key, key, NOTE_KEY_BYTES);
    memcpy(row->ledger_id, id.b, HASH_BYTES);
    row->is_genesis = 1;
    return 0;
}

/* One key, one use: what an author or a voucher signed must never pass for a head. */
static int check_key(struct rule *rule, const ProtobufCBinaryData *key) {
    int r = 0;

    if (key->len != NOTE_KEY_BYTES || !sshsig_public_is_usable(key->data))
        return rule_refuse(rule, REFUSAL_BAD_KEY, "key", NULL);
    if (state_chain_knows(rule->state, key->data))
        return rule_refuse(rule, REFUSAL_BAD_ROTATION, "key",
                           "That key is or was the ledger's already: ask for the next key again.");
    if (state_get(rule->state, STATE_KEYS, key->data, key->len, &r) ||
        state_get(rule->state, STATE_VOUCHER_KEYS, key->data, key->len, &r))
        return rule_refuse(rule, REFUSAL_BAD_ROTATION, "key",
                           "That key has another use here: ask for the next key again.");
    return r;
}

static int check_signatures(struct rule *rule, const struct state_ledger_key *now) {
    const Timebank__RotateKey *rotate = rule->order->rotate_key;
    struct rotation rotation;

    memcpy(rotation.ledger_id.b, now->ledger_id, HASH_BYTES);
    memcpy(rotation.old_key, now->key, NOTE_KEY_BYTES);
    memcpy(rotation.new_key, rotate->key.data, NOTE_KEY_BYTES);
    if (rotate->by_old.len != SSHSIG_SIGNATURE_BYTES ||
        rotation_check_old(&rotation, rotate->by_old.data) < 0)
        return rule_refuse(rule, REFUSAL_BAD_ROTATION, "by_old",
                           "The key in use did not sign for the new one: ask for the next key "
                           "again.");
    if (rotate->by_new.len != SSHSIG_SIGNATURE_BYTES ||
        rotation_check_new(&rotation, rotate->by_new.data) < 0)
        return rule_refuse(rule, REFUSAL_BAD_ROTATION, "by_new",
                           "The new key did not sign for itself: ask for the next key again.");
    return 0;
}

static int put(struct rule *rule, const struct state_ledger_key *now) {
    const Timebank__RotateKey *rotate = rule->order->rotate_key;
    struct state_ledger_key *row;
    uint8_t at[8];
    void *value;
    int r;

    be64_put(at, rule->index);
    r = state_make(rule->state, STATE_LEDGER_KEYS, at, sizeof(at), &value);
    if (r < 0)
        return r;
    row = value;
    memcpy(row->key, rotate->key.data, NOTE_KEY_BYTES);
    memcpy(row->by_old, rotate->by_old.data, SSHSIG_SIGNATURE_BYTES);
    memcpy(row->ledger_id, now->ledger_id, HASH_BYTES);
    row->old_until_ms = rule->batch->received_at_ms + (uint64_t)rotate->overlap_days * MS_PER_DAY;
    return 0;
}

int rules_rotate(struct rule *rule) {
    const Timebank__RotateKey *rotate = rule->order->rotate_key;
    struct state_chain chain;
    struct state_ledger_key now;
    int r;

    state_chain_read(rule->state, &chain);
    if (chain.n == 0)
        return -EUCLEAN;
    now = state_chain_last(&chain)->row;
    r = check_key(rule, &rotate->key);
    if (r != 0)
        return r;
    if (rotate->overlap_days > ROTATION_OVERLAP_DAYS_MAX)
        return rule_refuse(rule, REFUSAL_BAD_ROTATION, "overlap_days",
                           "The old key may sign for %d days at most: choose fewer.",
                           ROTATION_OVERLAP_DAYS_MAX);
    if (chain.n == ROTATION_KEYS_MAX)
        return rule_refuse(rule, REFUSAL_BAD_ROTATION, "key",
                           "The ledger's key was changed %d times, as often as it can be: keep "
                           "this one, or have the ledger begin anew with timebankd restore.",
                           ROTATION_MAX);
    r = check_signatures(rule, &now);
    return r == 0 ? put(rule, &now) : r;
}
