/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Minutes from one account to another: the limits on both sides, and the posting. Running hashes
 * (proto/account-leaf.h) follow once a batch is judged, for nothing in between looks at them.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/account-leaf.h"
#include "proto/hours.h"
#include "rules.h"

#define LEGS_AT_ONCE 64u

static bool limits_only_warn(const struct rule *rule) {
    return rule_is_history(rule) || rule_overrides(rule, 1) ||
           (rule->kind->number == TIMEBANK__ORDER__KIND_REVERSE && rule_is_broker(rule));
}

static const char *way_out(const struct rule *rule) {
    return rule_is_broker(rule) ? "insist with --over-limit and --why" : "ask a broker";
}

/* What a member's venue or another member may learn of a balance is nothing: the figures are a
 * broker's. A venue's key learns its own account's neither: it lies open at the desk. */
static bool may_know(const struct rule *rule, const struct state_account *account) {
    return rule_is_broker(rule) || (strcmp(account->code, rule->batch->author->account) == 0 &&
                                    account->kind != TIMEBANK__ACCOUNT_KIND__VENUE);
}

static int below_floor(struct rule *rule, const struct state_account *account, int64_t after,
                       int64_t floor) {
    bool is_allotment = account->kind == TIMEBANK__ACCOUNT_KIND__ORGANISATION &&
                        (rule->kind->number == TIMEBANK__ORDER__KIND_EARN ||
                         rule->kind->number == TIMEBANK__ORDER__KIND_SESSION);
    const char *short_allotment = state_policy(rule->state, "short-allotment");
    char after_text[32], floor_text[32];

    hours_format(after, after_text);
    hours_format(floor, floor_text);
    if (is_allotment && strcmp(short_allotment, "allow") == 0)
        return 0;
    if (!may_know(rule, account) &&
        (limits_only_warn(rule) || (is_allotment && strcmp(short_allotment, "warn") == 0)))
        return 0;
    if (is_allotment && (strcmp(short_allotment, "warn") == 0 || limits_only_warn(rule)))
        return rule_warn(rule, WARNING_ALLOTMENT_SHORT, 0,
                         "%s now stands at %s: its allotment is short.", account->code, after_text);
    if (rule->kind->number == TIMEBANK__ORDER__KIND_REVERSE && limits_only_warn(rule))
        return rule_warn(rule, WARNING_REVERSAL_PAST_LIMIT, 0,
                         "%s now stands at %s, below its limit of %s.", account->code, after_text,
                         floor_text);
    if (limits_only_warn(rule))
        return rule_warn(rule, WARNING_BELOW_FLOOR, 0,
                         "%s now stands at %s, below its limit of %s.", account->code, after_text,
                         floor_text);
    if (account->kind == TIMEBANK__ACCOUNT_KIND__CHEST)
        return rule_refuse(rule, REFUSAL_CHEST_EMPTY, "from", NULL);
    if (!may_know(rule, account))
        return rule_refuse(
            rule, REFUSAL_BELOW_FLOOR, "from",
            "There are not enough credits for this: ask for less, or another way to pay.");
    return rule_refuse(rule, REFUSAL_BELOW_FLOOR, "from",
                       "%s would stand at %s, below its limit of %s: enter less, or %s.",
                       account->code, after_text, floor_text, way_out(rule));
}

static int above_ceiling(struct rule *rule, const struct state_account *account, int64_t after,
                         int64_t ceiling) {
    char after_text[32], ceiling_text[32];

    hours_format(after, after_text);
    hours_format(ceiling, ceiling_text);
    if (limits_only_warn(rule) && !may_know(rule, account))
        return 0;
    if (limits_only_warn(rule))
        return rule_warn(rule,
                         rule->kind->number == TIMEBANK__ORDER__KIND_REVERSE
                             ? WARNING_REVERSAL_PAST_LIMIT
                             : WARNING_ABOVE_CEILING,
                         0, "%s now stands at %s, above its limit of %s.", account->code,
                         after_text, ceiling_text);
    if (!may_know(rule, account))
        return rule_refuse(rule, REFUSAL_ABOVE_CEILING, "to", NULL);
    return rule_refuse(rule, REFUSAL_ABOVE_CEILING, "to",
                       "%s would stand at %s, above its limit of %s: enter less, or %s.",
                       account->code, after_text, ceiling_text, way_out(rule));
}

static bool soft_limit(const struct state_account *account, int64_t own, int64_t policy,
                       int64_t *ret) {
    *ret = own != STATE_FLOOR_BY_POLICY                      ? own
           : account->kind == TIMEBANK__ACCOUNT_KIND__MEMBER ? policy
                                                             : INT64_MAX;
    return *ret != INT64_MAX && *ret != STATE_NO_FLOOR;
}

/* Told to whoever may know the balance, and only as it crosses the line. */
static int warn_softly(struct rule *rule, const struct state_account *account, int64_t after) {
    const struct ledger_policies *policies = rule_policies(rule);
    char text[32];
    int64_t limit;

    if (rule->event || rule_is_history(rule) || !may_know(rule, account))
        return 0;
    if (after < account->balance) {
        if (!soft_limit(account, account->soft_floor, policies->soft_floor_member, &limit) ||
            after >= limit || account->balance < limit)
            return 0;
        hours_format(after, text);
        return rule_warn(rule, WARNING_SOFT_FLOOR, 0, "%s now stands at %s: it is getting low.",
                         account->code, text);
    }
    if (!soft_limit(account, account->soft_ceiling, policies->soft_ceiling_member, &limit) ||
        after <= limit || account->balance > limit)
        return 0;
    hours_format(after, text);
    return rule_warn(rule, WARNING_SOFT_CEILING, 0, "%s now stands at %s: time to spend some.",
                     account->code, text);
}

void rules_legs_add(struct rule *rule, struct rules_legs *legs, const char *code, int64_t minutes,
                    int64_t held) {
    for (size_t i = 0; i < legs->n; i++)
        if (legs->items[i].code == code || strcmp(legs->items[i].code, code) == 0) {
            legs->items[i].minutes += minutes;
            legs->items[i].held += held;
            return;
        }
    if (legs->n == legs->n_allocated) {
        size_t n = legs->n_allocated ? legs->n_allocated * 4 : 4;
        struct rules_leg *items = arena_alloc(rule->arena, n * sizeof(*items));
        if (!items) {
            legs->r = -ENOMEM;
            return;
        }
        if (legs->n > 0)
            memcpy(items, legs->items, legs->n * sizeof(*items));
        legs->items = items;
        legs->n_allocated = n;
    }
    legs->items[legs->n++] = (struct rules_leg){code, minutes, held};
}

/* As ledger_floor() and ledger_ceiling(), INT64_MIN and INT64_MAX where there is none. */
static int64_t floor_of(struct rule *rule, const struct state_account *account) {
    int64_t policy = rule_policies(rule)->floors[account->kind];

    if (account->floor == STATE_FLOOR_BY_POLICY)
        return policy == INT64_MAX ? INT64_MIN : policy;
    return account->floor == STATE_NO_FLOOR ? INT64_MIN : account->floor;
}

static int64_t ceiling_of(struct rule *rule, const struct state_account *account) {
    return account->ceiling == STATE_CEILING_BY_POLICY
               ? rule_policies(rule)->ceilings[account->kind]
               : account->ceiling;
}

static int check_leg(struct rule *rule, const struct rules_leg *leg) {
    const struct state_account *account = rule_account(rule, leg->code);
    int64_t after;
    int r = 0;

    assert(account && account->kind < LEDGER_ACCOUNT_KINDS);
    after = account->balance + leg->minutes;
    if (leg->minutes < 0 && after < floor_of(rule, account))
        r = below_floor(rule, account, after, floor_of(rule, account));
    if (leg->minutes > 0 && after > ceiling_of(rule, account))
        r = above_ceiling(rule, account, after, ceiling_of(rule, account));
    return r == 0 && leg->minutes != 0 ? warn_softly(rule, account, after) : r;
}

int rules_legs_check(struct rule *rule, const struct rules_legs *legs) {
    int r = legs->r;

    for (size_t i = 0; r == 0 && i < legs->n; i++)
        r = check_leg(rule, &legs->items[i]);
    return r;
}

static int edit_account(struct rule *rule, const char *code, struct state_account **ret) {
    const struct state_account *account = rule_account(rule, code);

    assert(account);
    return state_account_edit(rule->state, account, ret);
}

/* The rows of a dry run are freed before its answer is written. */
static const char *code_kept(struct rule *rule, const struct state_account *account) {
    char *copy;

    if (!rule->state->below)
        return account->code;
    copy = arena_alloc(rule->batch->arena, sizeof(account->code));
    if (copy)
        memcpy(copy, account->code, sizeof(account->code));
    return copy;
}

/* The account's statement now begins here, and goes on where it began. */
static int add_line(struct rule *rule, struct state_account *account, struct ledger_leg *leg) {
    assert(account->last_line < rule->index);
    leg->account = account->number;
    leg->code = code_kept(rule, account);
    leg->after = account->balance;
    leg->held_after = account->held;
    leg->previous = account->last_line;
    account->last_line = rule->index;
    if (rule->kind->traits & COUNTS)
        account->last_day = MAX_OF(account->last_day, rule->order->service_day);
    return leg->code ? 0 : -ENOMEM;
}

static uint8_t side_of(const struct rule *rule, const char *code) {
    const Timebank__Order *order = rule->event ? NULL : rule->batch->orders[rule->place];

    if (!order)
        return LEG_OTHER;
    if (code == order->from)
        return LEG_FROM;
    if (code == order->to)
        return LEG_TO;
    return strcmp(code, order->from) == 0 ? LEG_FROM
           : strcmp(code, order->to) == 0 ? LEG_TO
                                          : LEG_OTHER;
}

static int post(struct rule *rule, const struct rules_leg *from, struct ledger_leg *leg) {
    struct state_account *account = NULL;
    int r = edit_account(rule, from->code, &account);

    if (r < 0)
        return r;
    account->balance += from->minutes;
    account->held += from->held;
    account->n_entries++;
    account->last_entry = rule->index;
    *leg = (struct ledger_leg){
        .minutes = from->minutes, .moved = true, .row = account, .side = side_of(rule, from->code)};
    return add_line(rule, account, leg);
}

/* In the order of the records, so that an account's follow each other; neighbours together. */
void rules_legs_hash(const struct ledger_effect *effects, const struct hash *leaves, size_t n) {
    struct account_step steps[LEGS_AT_ONCE];
    size_t n_steps = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < effects[i].n_legs; j++) {
            const struct ledger_leg *leg = &effects[i].legs[j];
            if (!leg->moved)
                continue;
            steps[n_steps++] =
                (struct account_step){leg->row->running, &leaves[i], leg->after, leg->held_after};
            if (n_steps == LEGS_AT_ONCE) {
                account_leaf_run(steps, n_steps);
                n_steps = 0;
            }
        }
    account_leaf_run(steps, n_steps);
}

static struct ledger_leg *new_legs(struct rule *rule, size_t n) {
    struct ledger_effect *effect = &rule->batch->effects[rule->place];

    assert(effect->n_legs == 0);
    effect->legs = arena_alloc(rule->batch->arena, n * sizeof(*effect->legs));
    effect->n_legs = effect->legs ? n : 0;
    return effect->legs;
}

/* What comes back out of transit was gained before. */
static int note_gain(struct rule *rule, const struct rules_leg *leg) {
    const struct state_account *account;

    if (rule->state->sums.gains_since_day == 0 || leg->minutes <= 0 || leg->held != 0)
        return 0;
    account = rule_account(rule, leg->code);
    if (account->kind != TIMEBANK__ACCOUNT_KIND__MEMBER)
        return 0;
    return rules_day_add(rule, DAY_GAINED, account, rule->today, leg->minutes);
}

int rules_legs_post(struct rule *rule, const struct rules_legs *legs) {
    struct ledger_leg *to;
    int64_t sum = 0;
    int r = legs->r;

    if (r < 0)
        return r;
    to = new_legs(rule, legs->n);
    if (!to)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < legs->n; i++) {
        r = post(rule, &legs->items[i], &to[i]);
        if (r == 0)
            r = note_gain(rule, &legs->items[i]);
        sum += legs->items[i].minutes;
    }
    assert(r < 0 || sum == 0);
    return r;
}

static struct rules_legs legs_of_two(struct rules_leg items[2], const char *from, const char *to,
                                     uint64_t minutes) {
    assert(strcmp(from, to) != 0);
    items[0] = (struct rules_leg){.code = from, .minutes = -(int64_t)minutes};
    items[1] = (struct rules_leg){.code = to, .minutes = (int64_t)minutes};
    return (struct rules_legs){.items = items, .n = 2, .n_allocated = 2};
}

int rules_move_check(struct rule *rule, const char *from, const char *to, uint64_t minutes) {
    struct rules_leg items[2];
    struct rules_legs legs = legs_of_two(items, from, to, minutes);

    return rules_legs_check(rule, &legs);
}

int rules_move(struct rule *rule, const char *from, const char *to, uint64_t minutes) {
    struct rules_leg items[2];
    struct rules_legs legs = legs_of_two(items, from, to, minutes);

    return rules_legs_post(rule, &legs);
}

int rules_move_add_line(struct rule *rule, const char *to) {
    struct ledger_leg *leg = new_legs(rule, 1);
    struct state_account *account = NULL;
    int r = leg ? edit_account(rule, to, &account) : -ENOMEM;

    if (r < 0)
        return r;
    *leg = (struct ledger_leg){0};
    return add_line(rule, account, leg);
}
