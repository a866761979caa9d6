/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits: opened by an order, found again by its id, ended once. The families of rules say what
 * each kind of it means; here is only the keeping of it.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "rules.h"

int rules_pending_open(struct rule *rule, enum state_pending_what what, uint64_t minutes,
                       const char *from, const char *to, uint64_t due_ms, uint64_t entry) {
    struct state_pending *pending;
    uint8_t key[8];
    void *value;
    int r;

    be64_put(key, rule->index);
    r = state_add(rule->state, STATE_PENDINGS, key, sizeof(key), &value);
    if (r < 0)
        return r;
    pending = value;
    pending->what = (uint8_t)what;
    memcpy(pending->id, rule->order->id.data, ORDER_ID_BYTES);
    pending->due_ms = due_ms;
    pending->minutes = minutes;
    pending->entry = entry;
    memcpy(pending->author, rule->batch->author->key, SSHSIG_PUBLIC_BYTES);
    snprintf(pending->from, sizeof(pending->from), "%s", from);
    snprintf(pending->to, sizeof(pending->to), "%s", to);
    return 0;
}

int rules_pending_order(struct rule *rule, uint64_t entry, const Timebank__Order **ret_order,
                        uint64_t *ret_received_at_ms) {
    const struct ledger_batch *batch = rule->batch;
    Timebank__Order *order = NULL;
    int r;

    if (batch->orders && entry >= batch->first && entry < batch->first + batch->n) {
        *ret_order = batch->orders[entry - batch->first];
        *ret_received_at_ms = batch->received_at_ms;
        return 0;
    }
    r = state_order(rule->state, entry, rule->arena, &order, ret_received_at_ms);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    *ret_order = order;
    return 0;
}

int rules_pending_find(struct rule *rule, const ProtobufCBinaryData *target, uint32_t whats,
                       struct state_pending **ret_pending, const Timebank__Order **ret_order,
                       uint64_t *ret_entry) {
    const struct state_pending *pending;
    const struct state_id *id = NULL;
    uint64_t received_at_ms;
    uint8_t key[8];
    void *value;
    int r = 0;

    if (target->len == ORDER_ID_BYTES)
        id = state_get(rule->state, STATE_IDS, target->data, target->len, &r);
    if (!id)
        return r < 0 ? r : rule_refuse(rule, REFUSAL_NO_SUCH_ENTRY, "target", NULL);
    *ret_entry = id->entry;
    be64_put(key, id->entry);
    pending = state_get(rule->state, STATE_PENDINGS, key, sizeof(key), &r);
    if (!pending || !(whats & (1u << pending->what)) || pending->is_over)
        return r < 0 ? r : rule_refuse(rule, REFUSAL_NOT_WAITING, "target", NULL);
    r = rules_pending_order(rule, id->entry, ret_order, &received_at_ms);
    if (r == 0)
        r = state_edit(rule->state, STATE_PENDINGS, key, sizeof(key), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    *ret_pending = value;
    return 0;
}

void rules_pending_end(struct rule *rule, struct state_pending *pending,
                       enum state_outcome outcome) {
    assert(!pending->is_over);
    pending->is_over = true;
    pending->outcome = (uint8_t)outcome;
    pending->ended = rule->index;
    pending->ended_day = rule->today;
}

uint64_t rules_pending_due(const struct rule *rule, const char *policy) {
    int64_t days = state_policy_number(rule->state, policy, 0);

    return ((uint64_t)rule->today + (uint64_t)days + 1) * MS_PER_DAY;
}
