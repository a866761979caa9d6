/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credits before they are earned. What is advanced to a member is owed, one sum for each account;
 * what the member then earns repays it first, as the policy says, in the record that earns it. An
 * entry taken back gives up what its member kept of it first, then what it repaid, which is owed
 * again.
 *
 * A pledge is an advance that is to be earned by a day. It ends when its member owes nothing any
 * more. What is still owed when the day ends is marked overdue, and goes on waiting for no day;
 * what other pledges put off until later is not counted, so that earnings repay in the order of the
 * days, an advance without one first.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "rules.h"

#define PLEDGE_DAYS_MAX 3660

static int owe(struct rule *rule, const char *code, int64_t minutes) {
    void *value;
    int r = state_edit(rule->state, STATE_ACCOUNTS, code, strlen(code), &value);

    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    ((struct state_account *)value)->owed_minutes += (uint64_t)minutes;
    return 0;
}

static uint64_t owed(struct rule *rule, const char *code) {
    return rule_account(rule, code)->owed_minutes;
}

/* ---- pledges */

struct pledges {
    struct rule *rule;
    const char *code;
    uint64_t *keys; /* in the rule's arena */
    size_t n;
    size_t n_allocated;
};

/* A row that was changed is met in each state that has it. */
static int keep_key(struct pledges *pledges, uint64_t key) {
    for (size_t i = 0; i < pledges->n; i++)
        if (pledges->keys[i] == key)
            return 0;
    if (pledges->n == pledges->n_allocated) {
        size_t n = pledges->n_allocated ? pledges->n_allocated * 2 : 8;
        uint64_t *keys = arena_alloc(pledges->rule->arena, n * sizeof(*keys));
        if (!keys)
            return -ENOMEM;
        if (pledges->n > 0)
            memcpy(keys, pledges->keys, pledges->n * sizeof(*keys));
        pledges->keys = keys;
        pledges->n_allocated = n;
    }
    pledges->keys[pledges->n++] = key;
    return 0;
}

static bool is_open_pledge(const struct state_pending *pending, const char *code) {
    return pending->what == PENDING_PLEDGE && !pending->is_over && strcmp(pending->to, code) == 0;
}

static const struct state_pending *pledge_get(struct rule *rule, uint64_t key, int *r) {
    uint8_t bytes[8];

    be64_put(bytes, key);
    return state_get(rule->state, STATE_PENDINGS, bytes, sizeof(bytes), r);
}

static int find_pledge(void *user, uint64_t key) {
    struct pledges *pledges = user;
    int r = 0;
    const struct state_pending *pending = pledge_get(pledges->rule, key, &r);

    return pending && is_open_pledge(pending, pledges->code) ? keep_key(pledges, key) : r;
}

/* All that are open of an account: those of the log, and those that stand above it only. */
static int find_pledges(struct rule *rule, const char *code, struct pledges *ret) {
    const struct state *state = rule->state;
    int r;

    *ret = (struct pledges){.rule = rule, .code = code};
    for (; state->below; state = state->below)
        for (struct row *row = rows_next(&state->tables[STATE_PENDINGS], NULL); row;
             row = rows_next(&state->tables[STATE_PENDINGS], row)) {
            r = find_pledge(ret, be64_get(row->key));
            if (r < 0)
                return r;
        }
    return state_due_each(rule->state, find_pledge, ret);
}

static int end_pledge(struct rule *rule, uint64_t key, enum state_outcome outcome) {
    uint8_t bytes[8];
    void *value;
    int r;

    be64_put(bytes, key);
    r = state_edit(rule->state, STATE_PENDINGS, bytes, sizeof(bytes), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    if (!((struct state_pending *)value)->is_over)
        rules_pending_end(rule, value, outcome);
    return 0;
}

/* Nothing is owed any more: every pledge is kept. */
static int end_pledges(struct rule *rule, const char *code) {
    struct pledges pledges;
    int r = find_pledges(rule, code, &pledges);

    for (size_t i = 0; r == 0 && i < pledges.n; i++)
        r = end_pledge(rule, pledges.keys[i], OUTCOME_SETTLED);
    return r;
}

/* What is still owed of a pledge whose day ends. */
static int find_overdue(struct rule *rule, const struct state_pending *pledge, uint64_t *ret) {
    uint64_t left = owed(rule, pledge->to), later = 0;
    struct pledges pledges;
    int r = find_pledges(rule, pledge->to, &pledges);

    for (size_t i = 0; r == 0 && i < pledges.n; i++) {
        const struct state_pending *other = pledge_get(rule, pledges.keys[i], &r);
        if (other && memcmp(other->id, pledge->id, ORDER_ID_BYTES) != 0 && other->due_ms > 0)
            later += other->minutes;
    }
    if (r < 0)
        return r;
    left -= MIN_OF(left, later);
    *ret = MIN_OF(left, pledge->minutes);
    return 0;
}

int rules_advance_plan(struct rule *rule, const struct state_pending *pending,
                       Timebank__EventKind *ret_event, uint64_t *ret_minutes) {
    (void)rule;
    (void)pending;
    *ret_event = TIMEBANK__EVENT_KIND__PLEDGE_DUE;
    *ret_minutes = 0;
    return 0;
}

int rules_advance_due(struct rule *rule, struct state_pending *pending) {
    uint64_t overdue = 0;
    int r = find_overdue(rule, pending, &overdue);

    if (r < 0)
        return r;
    if (overdue == 0) {
        rules_pending_end(rule, pending, OUTCOME_SETTLED);
        return 0;
    }
    pending->minutes = overdue;
    pending->due_ms = 0;
    pending->outcome = OUTCOME_LAPSED;
    return rules_move_add_line(rule, pending->to);
}

/* ---- what is earned */

static void repayment_key(uint64_t entry, const struct state_account *account, uint8_t ret[16]) {
    be64_put(ret, entry);
    be64_put(ret + 8, account->number);
}

uint64_t rules_advance_earn(struct rule *rule, struct rules_legs *legs, const char *code,
                            uint64_t minutes) {
    const struct state_account *account = rule_account(rule, code);
    uint64_t repaid = 0;

    if (account->owed_minutes > 0 && !rule_is_history(rule)) {
        const char *policy = state_policy(rule->state, "advance-repay");
        repaid = strcmp(policy, "all") == 0    ? minutes
                 : strcmp(policy, "half") == 0 ? minutes / 2
                                               : 0;
        repaid = MIN_OF(repaid, account->owed_minutes);
    }
    rules_legs_add(rule, legs, code, (int64_t)(minutes - repaid), 0);
    if (repaid > 0)
        rules_legs_add(rule, legs, "advances", (int64_t)repaid, 0);
    return repaid;
}

int rules_advance_note(struct rule *rule, const char *code, uint64_t repaid) {
    char repaid_text[32], left_text[32];
    uint8_t key[16];
    uint64_t left;
    void *value;
    int r;

    if (repaid == 0)
        return 0;
    repayment_key(rule_entry(rule), rule_account(rule, code), key);
    r = state_make(rule->state, STATE_REPAYMENTS, key, sizeof(key), &value);
    if (r < 0)
        return r;
    ((struct state_repayment *)value)->minutes = repaid;
    r = owe(rule, code, -(int64_t)repaid);
    if (r < 0)
        return r;
    left = owed(rule, code);
    if (left == 0)
        r = end_pledges(rule, code);
    if (r < 0 || !rule_is_broker(rule))
        return r;
    hours_format((int64_t)repaid, repaid_text);
    hours_format((int64_t)left, left_text);
    return rule_warn(rule, WARNING_REPAID, 0,
                     "%s of it repaid what was advanced to %s, who still owes %s.", repaid_text,
                     code, left_text);
}

/* What is owed again when only `left` minutes of an entry stay given. */
static int find_unearned(struct rule *rule, uint64_t entry, const char *code, uint64_t left,
                         uint64_t *ret) {
    const struct state_repayment *row;
    uint8_t key[16];
    int r = 0;

    repayment_key(entry, rule_account(rule, code), key);
    row = state_get(rule->state, STATE_REPAYMENTS, key, sizeof(key), &r);
    *ret = row && row->minutes > left ? row->minutes - left : 0;
    return r;
}

int rules_advance_unearn(struct rule *rule, struct rules_legs *legs, uint64_t entry,
                         const char *code, uint64_t minutes, uint64_t left) {
    uint64_t unearned = 0;
    int r = find_unearned(rule, entry, code, left, &unearned);

    if (r < 0)
        return r;
    rules_legs_add(rule, legs, code, (int64_t)unearned - (int64_t)minutes, 0);
    if (unearned > 0)
        rules_legs_add(rule, legs, "advances", -(int64_t)unearned, 0);
    return 0;
}

int rules_advance_note_unearned(struct rule *rule, uint64_t entry, const char *code,
                                uint64_t left) {
    char text[32];
    uint8_t key[16];
    uint64_t unearned = 0;
    void *value;
    int r = find_unearned(rule, entry, code, left, &unearned);

    if (r < 0 || unearned == 0)
        return r;
    repayment_key(entry, rule_account(rule, code), key);
    r = state_edit(rule->state, STATE_REPAYMENTS, key, sizeof(key), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    ((struct state_repayment *)value)->minutes -= unearned;
    r = owe(rule, code, (int64_t)unearned);
    if (r < 0 || !rule_is_broker(rule))
        return r;
    hours_format((int64_t)unearned, text);
    return rule_warn(rule, WARNING_REPAID, 0,
                     "%s of it had repaid what was advanced to %s, and is owed again.", text, code);
}

/* ---- what is advanced */

static int check_cap(struct rule *rule) {
    int64_t most = state_policy_number(rule->state, "advance-max", INT64_MAX);
    uint64_t after = owed(rule, rule->order->to) + rule->order->minutes;
    char after_text[32], most_text[32];

    if (after <= (uint64_t)most || rule_is_history(rule))
        return 0;
    hours_format((int64_t)after, after_text);
    hours_format(most, most_text);
    return rule_refuse(rule, REFUSAL_ADVANCE_CAP, "minutes",
                       "%s would owe %s, and the bank advances %s to one member at most: advance "
                       "less.",
                       rule->order->to, after_text, most_text);
}

int rules_advance(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    int r = check_cap(rule);

    if (r == 0)
        r = rules_move_check(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_move(rule, order->from, order->to, order->minutes);
    return r == 0 ? owe(rule, order->to, (int64_t)order->minutes) : r;
}

int rules_advance_pledge(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    uint32_t due_day = order->pledge->due_day;
    int r;

    if (!rule->is_settling && (due_day < rule->today || due_day < order->service_day ||
                               due_day > rule->today + PLEDGE_DAYS_MAX))
        return rule_refuse(rule, REFUSAL_BAD_DATE, "due_day",
                           "The day to earn it by lies in the past, or ten years off: name another "
                           "with --until.");
    r = rules_advance(rule);
    if (r != 0)
        return r;
    return rules_pending_open(rule, PENDING_PLEDGE, order->minutes, order->from, order->to,
                              ((uint64_t)due_day + 1) * MS_PER_DAY, rule_entry(rule));
}

int rules_advance_take_back(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                            struct rules_legs *legs) {
    const char *code = target->order->to;
    uint64_t left = owed(rule, code);
    char text[32];

    if (left == 0)
        return rule_refuse(rule, REFUSAL_MORE_THAN_REMAINS, "minutes",
                           "%s has earned all that was advanced: nothing is left to take back.",
                           code);
    hours_format((int64_t)left, text);
    if (left < minutes)
        return rule_refuse(rule, REFUSAL_MORE_THAN_REMAINS, "minutes",
                           "%s still owes only %s, the rest was earned: take back less, with "
                           "--time.",
                           code, text);
    rules_legs_add(rule, legs, code, -(int64_t)minutes, 0);
    rules_legs_add(rule, legs, target->order->from, (int64_t)minutes, 0);
    return 0;
}

/* The pending of a pledge stands under the record that gave it effect. */
static int find_own_pledge(struct rule *rule, uint64_t entry, uint64_t *ret_key) {
    const struct state_mark *mark;
    uint8_t key[8];
    int r = 0;

    be64_put(key, entry);
    mark = state_get(rule->state, STATE_MARKS, key, sizeof(key), &r);
    *ret_key = mark && mark->settled ? mark->settled : entry;
    return r;
}

static int lower_pledge(struct rule *rule, uint64_t entry, uint64_t minutes) {
    struct state_pending *pending;
    uint64_t number;
    uint8_t key[8];
    void *value;
    int r = find_own_pledge(rule, entry, &number);

    if (r < 0)
        return r;
    be64_put(key, number);
    r = state_edit(rule->state, STATE_PENDINGS, key, sizeof(key), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    pending = value;
    if (pending->is_over)
        return 0;
    pending->minutes -= MIN_OF(minutes, pending->minutes);
    if (pending->minutes == 0)
        rules_pending_end(rule, pending, OUTCOME_WITHDRAWN);
    return 0;
}

int rules_advance_taken_back(struct rule *rule, const struct rules_target *target,
                             uint64_t minutes) {
    const char *code = target->order->to;
    int r = owe(rule, code, -(int64_t)minutes);

    if (r == 0 && target->order->kind_case == TIMEBANK__ORDER__KIND_PLEDGE)
        r = lower_pledge(rule, target->index, minutes);
    if (r == 0 && owed(rule, code) == 0)
        r = end_pledges(rule, code);
    return r;
}
