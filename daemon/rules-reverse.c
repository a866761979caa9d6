/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking an entry back, in full or in part, by contrary legs. The original's kind and date of
 * service are kept, so that totals net out. A reversal is not itself reversed.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "proto/hours.h"
#include "rules.h"

#define MS_PER_MINUTE 60000

static int read_target(struct rule *rule, uint64_t index, struct rules_target *ret) {
    const struct ledger_batch *batch = rule->batch;
    const struct state_reversal *reversal;
    Timebank__Order *order = NULL;
    uint8_t key[8];
    int r = 0;

    ret->index = index;
    if (index >= batch->first && index < batch->first + batch->n) {
        ret->order = batch->orders[index - batch->first];
        ret->received_at_ms = batch->received_at_ms;
    } else {
        r = state_order(rule->state, index, rule->arena, &order, &ret->received_at_ms);
        if (r <= 0)
            return r < 0 ? r : -EUCLEAN;
        ret->order = order;
    }
    if (ret->order->kind_case == TIMEBANK__ORDER__KIND_CAPTURE) {
        r = rules_hold_captured(rule, &ret->order);
        if (r < 0)
            return r;
    }
    be64_put(key, index);
    r = 0;
    reversal = state_get(rule->state, STATE_REVERSALS, key, sizeof(key), &r);
    ret->reversed = reversal ? reversal->minutes : 0;
    return r;
}

static bool is_reversible(const struct rules_target *target) {
    const struct kind *kind = kind_find(target->order->kind_case);

    return kind && kind->traits & REVERSIBLE;
}

static int find_target(struct rule *rule, struct rules_target *ret) {
    const ProtobufCBinaryData *id = &rule->order->reverse->target;
    const struct state_id *row = NULL;
    char words[RULE_ENTRY_WORDS_BYTES];
    int r = 0;

    if (id->len == ORDER_ID_BYTES)
        row = state_get(rule->state, STATE_IDS, id->data, ORDER_ID_BYTES, &r);
    if (!row)
        return r < 0 ? r : rule_refuse(rule, REFUSAL_NO_SUCH_ENTRY, "target", NULL);
    r = read_target(rule, row->entry, ret);
    if (r < 0)
        return r;
    if (ret->order->kind_case == TIMEBANK__ORDER__KIND_HOLD)
        return rule_refuse(rule, REFUSAL_NOT_REVERSIBLE, "target",
                           "%s is a hold, which moves nothing for good: release it with timebank "
                           "release.",
                           rule_entry_words(ret->index, true, words));
    if (!is_reversible(ret))
        return rule_refuse(
            rule, REFUSAL_NOT_REVERSIBLE, "target",
            "%s is of kind %s, which cannot be reversed: enter the contrary instead.",
            rule_entry_words(ret->index, true, words), record_kind_name(ret->order->kind_case));
    return rules_agree_check_number(rule, ret->index);
}

/* What a venue takes: a redemption, of a hold or not, or a voucher. */
static bool is_accepted(const Timebank__Order *order) {
    return order->kind_case == TIMEBANK__ORDER__KIND_REDEEM ||
           order->kind_case == TIMEBANK__ORDER__KIND_CAPTURE ||
           order->kind_case == TIMEBANK__ORDER__KIND_REDEEM_VOUCHER;
}

/* A venue may undo the last thing it accepted, for some minutes. */
static int check_undo(struct rule *rule, const struct rules_target *target) {
    const struct ledger_author *author = rule->batch->author;
    const struct state_account *venue = state_account(rule->state, author->account);
    int64_t minutes = state_policy_number(rule->state, "venue-undo", 0);

    if (rule_is_broker(rule))
        return 0;
    if (!is_accepted(target->order) || strcmp(target->order->to, author->account) != 0)
        return rule_refuse(rule, REFUSAL_NO_AUTHORITY, "target",
                           "This key may undo only what %s itself accepted: ask a broker.",
                           author->account);
    if (!venue || venue->last_entry != target->index || rule->order->minutes != 0 ||
        rule->batch->received_at_ms > target->received_at_ms + (uint64_t)(minutes * MS_PER_MINUTE))
        return rule_refuse(rule, REFUSAL_TOO_LATE_TO_UNDO, "target", NULL);
    return 0;
}

/* What comes back to the broker's own account is for another broker to take back. */
static int check_own(struct rule *rule, const struct rules_target *target) {
    const char *own = rule->batch->author->account;

    if (!rule_is_broker(rule) || *own == '\0' || strcmp(target->order->from, own) != 0)
        return 0;
    return rule_refuse(rule, REFUSAL_OWN_HOURS, "target", NULL);
}

static int check_minutes(struct rule *rule, const struct rules_target *target,
                         uint64_t *ret_minutes) {
    uint64_t remains = target->order->minutes - target->reversed, minutes = rule->order->minutes;
    uint64_t quantum = (uint64_t)state_policy_number(rule->state, "quantum", 1);
    char text[32], words[RULE_ENTRY_WORDS_BYTES];

    hours_format((int64_t)remains, text);
    if (remains == 0)
        return rule_refuse(rule, REFUSAL_ALREADY_REVERSED, "target",
                           "%s was taken back in full before: nothing is left to reverse.",
                           rule_entry_words(target->index, true, words));
    if (minutes > remains)
        return rule_refuse(rule, REFUSAL_MORE_THAN_REMAINS, "minutes",
                           "Only %s remains of %s: take back less.", text,
                           rule_entry_words(target->index, false, words));
    if (minutes % quantum != 0 && minutes != remains && !rule_is_history(rule))
        return rule_refuse(rule, REFUSAL_NOT_IN_QUANTUM, "minutes", NULL);
    *ret_minutes = minutes ? minutes : remains;
    return 0;
}

/* A closed account stays as it is; a frozen one may be put right by a broker. */
static int check_open(struct rule *rule, const char *code) {
    const struct state_account *account = state_account(rule->state, code);

    if (account && account->merged_into)
        return rule_refuse(rule, REFUSAL_MERGED, "target",
                           "%s goes on as %s: enter the contrary for that one instead.", code,
                           rules_merge_survivor(rule->state, account)->code);
    if (!account || (account->standing == STANDING_CLOSED && !rule_is_history(rule)))
        return rule_refuse(rule, REFUSAL_CLOSED, "target", "%s is closed: see the coordinator.",
                           code);
    if (account->standing == STANDING_FROZEN && !rule_is_broker(rule))
        return rule_refuse(rule, REFUSAL_FROZEN, "target", NULL);
    return 0;
}

static int note_reversal(struct rule *rule, const struct rules_target *target, uint64_t minutes) {
    const struct kind *kind = kind_find(target->order->kind_case);
    uint8_t key[8];
    void *value;
    int r;

    be64_put(key, target->index);
    r = state_make(rule->state, STATE_REVERSALS, key, sizeof(key), &value);
    if (r < 0)
        return r;
    ((struct state_reversal *)value)->minutes += minutes;
    if (kind->traits & SPENDS) {
        bool is_all = ((struct state_reversal *)value)->minutes == target->order->minutes;
        r = rules_limits_give_back(rule, target->order->from, minutes, is_all,
                                   rules_agree_counted_day(rule, target));
        if (r < 0)
            return r;
    }
    return kind->taken_back ? kind->taken_back(rule, target, minutes) : 0;
}

/* Contrary legs: from `to` to `from`, or what the kind says. */
static int move_back(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                     struct rules_legs *legs) {
    const struct kind *kind = kind_find(target->order->kind_case);
    int r = 0;

    if (kind->take_back) {
        r = kind->take_back(rule, target, minutes, legs);
    } else {
        rules_legs_add(rule, legs, target->order->to, -(int64_t)minutes, 0);
        rules_legs_add(rule, legs, target->order->from, (int64_t)minutes, 0);
    }
    for (size_t i = 0; r == 0 && i < legs->n; i++)
        r = check_open(rule, legs->items[i].code);
    if (r == 0)
        r = rules_legs_check(rule, legs);
    return r == 0 ? rules_legs_post(rule, legs) : r;
}

int rules_reverse_fall(struct rule *rule, uint64_t entry, uint64_t minutes,
                       struct rules_legs *legs) {
    struct rules_target target = {0};
    struct rule contrary = *rule;
    int r = read_target(rule, entry, &target);

    contrary.kind = kind_find(TIMEBANK__ORDER__KIND_REVERSE);
    if (r == 0)
        r = move_back(&contrary, &target, minutes, legs);
    return r == 0 ? note_reversal(&contrary, &target, minutes) : r;
}

int rules_reverse(struct rule *rule) {
    struct rules_target target = {0};
    struct rules_legs legs = {0};
    uint64_t minutes = 0;
    bool moves;
    int r = find_target(rule, &target);

    if (r == 0)
        r = check_undo(rule, &target);
    if (r == 0)
        r = check_own(rule, &target);
    if (r == 0)
        r = check_minutes(rule, &target, &minutes);
    moves = r == 0 && target.order->kind_case != TIMEBANK__ORDER__KIND_LOG;
    if (moves)
        r = move_back(rule, &target, minutes, &legs);
    else if (r == 0)
        r = rules_move_add_line(rule, target.order->to);
    return r == 0 ? note_reversal(rule, &target, minutes) : r;
}

int rules_reverse_check_correction(struct rule *rule) {
    const ProtobufCBinaryData *id = &rule->order->corrects;
    const struct state_id *row;
    struct rules_target target;
    int r = 0;

    if (id->len == 0)
        return 0;
    row = state_get(rule->state, STATE_IDS, id->data, id->len, &r);
    if (!row)
        return r < 0 ? r : rule_refuse(rule, REFUSAL_BAD_CORRECTION, "corrects", NULL);
    r = read_target(rule, row->entry, &target);
    if (r < 0)
        return r;
    if (!is_reversible(&target) || target.reversed < target.order->minutes)
        return rule_refuse(rule, REFUSAL_BAD_CORRECTION, "corrects", NULL);
    return 0;
}
