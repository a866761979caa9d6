/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between an entry and its effect: whether it waits for somebody, fell, is disputed or
 * stands, and who is a party to it. Proposals, confirmations, disputes and reversals all ask here.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "proto/merkle.h"
#include "rules.h"

#define WAITS_FOR_SOMEBODY (1u << PENDING_GIFT | 1u << PENDING_CLAIM | 1u << PENDING_APPROVAL)

static const void *get_by_number(struct rule *rule, enum state_table table, uint64_t number,
                                 int *r) {
    uint8_t key[8];

    be64_put(key, number);
    return state_get(rule->state, table, key, sizeof(key), r);
}

/* All but the order itself. */
static int read_standing(struct rule *rule, uint64_t number, struct rules_entry *ret) {
    const struct state_reversal *reversal;
    const struct state_mark *mark;
    int r = 0;

    *ret = (struct rules_entry){.number = number};
    ret->pending = get_by_number(rule, STATE_PENDINGS, number, &r);
    mark = get_by_number(rule, STATE_MARKS, number, &r);
    if (mark && mark->dispute)
        ret->dispute = get_by_number(rule, STATE_PENDINGS, mark->dispute, &r);
    ret->is_confirmed = mark && mark->confirmed;
    reversal = get_by_number(rule, STATE_REVERSALS, number, &r);
    ret->reversed = reversal ? reversal->minutes : 0;
    return r;
}

int rules_agree_read(struct rule *rule, uint64_t number, struct rules_entry *ret) {
    uint64_t received_at_ms;
    int r = read_standing(rule, number, ret);

    if (r == 0)
        r = rules_pending_order(rule, number, &ret->order, &received_at_ms);
    if (r == 0)
        ret->day = ret->pending && ret->pending->is_over ? ret->pending->ended_day
                                                         : clock_day(received_at_ms);
    return r;
}

int rules_agree_find(struct rule *rule, const ProtobufCBinaryData *target,
                     struct rules_entry *ret) {
    const struct state_id *id = NULL;
    int r = 0;

    if (target->len == ORDER_ID_BYTES)
        id = state_get(rule->state, STATE_IDS, target->data, target->len, &r);
    if (!id)
        return r < 0 ? r : rule_refuse(rule, REFUSAL_NO_SUCH_ENTRY, "target", NULL);
    return rules_agree_read(rule, id->entry, ret);
}

static bool is_proposal(const struct state_pending *pending) {
    return pending && WAITS_FOR_SOMEBODY & (1u << pending->what);
}

bool rules_agree_waits(const struct rules_entry *entry) {
    return is_proposal(entry->pending) && !entry->pending->is_over;
}

bool rules_agree_is_disputed(const struct rules_entry *entry) {
    return entry->dispute && !entry->dispute->is_over;
}

static bool is_fallen(const struct state_pending *pending) {
    return is_proposal(pending) && pending->is_over && pending->outcome != OUTCOME_SETTLED;
}

bool rules_agree_is_fallen(struct rule *rule, uint64_t number) {
    return is_fallen(get_by_number(rule, STATE_PENDINGS, number, NULL));
}

int rules_agree_check_stands(struct rule *rule, const struct rules_entry *entry) {
    char words[RULE_ENTRY_WORDS_BYTES];

    if (rules_agree_waits(entry))
        return rule_refuse(rule, REFUSAL_STILL_WAITING, "target",
                           "%s still waits for somebody: withdraw or decline it instead.",
                           rule_entry_words(entry->number, true, words));
    if (is_fallen(entry->pending))
        return rule_refuse(rule, REFUSAL_NOT_WAITING, "target",
                           "%s never took effect: enter it anew if it is right.",
                           rule_entry_words(entry->number, true, words));
    if (rules_agree_is_disputed(entry))
        return rule_refuse(rule, REFUSAL_DISPUTED, "target", NULL);
    return 0;
}

int rules_agree_check_number(struct rule *rule, uint64_t number) {
    struct rules_entry entry;
    int r = read_standing(rule, number, &entry);

    return r == 0 ? rules_agree_check_stands(rule, &entry) : r;
}

uint32_t rules_agree_counted_day(struct rule *rule, const struct rules_target *target) {
    const struct state_pending *pending = get_by_number(rule, STATE_PENDINGS, target->index, NULL);

    return pending && pending->counted_day ? pending->counted_day
                                           : clock_day(target->received_at_ms);
}

bool rules_agree_is_own(const struct rule *rule, const char *code) {
    const char *own = rule->batch->author->account;

    return *own && strcmp(own, code) == 0;
}

/* By mandate only where the order claims that authority. */
bool rules_agree_acts_for(const struct rule *rule, const char *code) {
    const struct ledger_author *author = rule->batch->author;

    if (rule->order->authority != TIMEBANK__AUTHORITY__BY_GUARDIAN)
        return rules_agree_is_own(rule, code);
    return author->role == TIMEBANK__ROLE__ROLE_MEMBER &&
           rules_mandate_holds(rule->state, author->account, code, rule->today);
}

bool rules_agree_is_party(const struct rule *rule, const Timebank__Order *order) {
    return rules_agree_acts_for(rule, order->from) || rules_agree_acts_for(rule, order->to);
}

int rules_agree_check_quote(struct rule *rule, const struct rules_entry *entry,
                            const ProtobufCBinaryData *quote) {
    _cleanup_bytes_ struct bytes record = {0};
    struct hash leaf;

    record_order_encode(entry->order, &record);
    if (record.r < 0)
        return record.r;
    leaf = merkle_leaf(record.data, record.n);
    return quote->len == HASH_BYTES && memcmp(quote->data, leaf.b, HASH_BYTES) == 0
               ? 0
               : rule_refuse(rule, REFUSAL_OTHER_PROPOSAL, "quote", NULL);
}

int rules_agree_mark(struct rule *rule, uint64_t number, struct state_mark **ret) {
    uint8_t key[8];
    void *value;
    int r;

    be64_put(key, number);
    r = state_make(rule->state, STATE_MARKS, key, sizeof(key), &value);
    if (r == 0)
        *ret = value;
    return r;
}
