/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain way of the commonest order: a broker's exchange between two open members, against which
 * nothing stands and of which nothing is to be told. Whatever else an order is or asks for is left,
 * untouched, to the checks of ledger-judge.c, which say what is refused and why; so here is no
 * refusal, no warning and no note. What it does is what rules_time_give() does, and the tests hold
 * both ways to the same.
 */
#include <string.h>

#include "proto/hours.h"
#include "rules.h"

/* One order, and what was found for it. */
struct plain {
    struct rule *rule;
    const struct ledger_policies *policies;
    const struct state_account *from;
    const struct state_account *to;
    struct rules_giver giver;
};

static bool is_simple(const Timebank__Order *order) {
    return order->kind_case == TIMEBANK__ORDER__KIND_EXCHANGE &&
           order->authority == TIMEBANK__AUTHORITY__BY_BROKER &&
           order->source != TIMEBANK__SOURCE__HISTORY && order->override == 0 && !order->proposal &&
           order->claimed_day == 0 && order->typed_minutes == 0 && order->corrects.len == 0 &&
           !*order->from_person && !*order->to_person && !*order->sheet;
}

/* What lies in the way of every order for as long as it lasts. */
static bool is_quiet(const struct state *state) {
    return state->sums.closed_to_day == 0 && state->sums.gains_since_day == 0 &&
           state->sums.spans_limited == 0 && state->tables[STATE_SAFEGUARDS].n_rows == 0 &&
           state->tables[STATE_PERSONS].n_rows == 0;
}

static bool fits_policies(const struct plain *plain) {
    const struct ledger_policies *policies = plain->policies;
    const Timebank__Order *order = plain->rule->order;
    int64_t age = (int64_t)plain->rule->today - order->service_day;

    return order->service_day != 0 && age >= -1 && age <= policies->oldest_service_days &&
           age <= policies->service_warn_days && order->minutes > 0 &&
           order->minutes <= HOURS_MAX_MINUTES &&
           order->minutes % (uint64_t)policies->quantum == 0 &&
           order->minutes <= (uint64_t)policies->second_person_above;
}

static bool is_open_member(const struct state_account *account) {
    return account->kind == TIMEBANK__ACCOUNT_KIND__MEMBER && account->standing == STANDING_OPEN &&
           account->merged_into == 0 && !account->is_erased && account->n_spans == 0;
}

static bool may_lose(const struct plain *plain) {
    const struct state_account *account = plain->from;
    int64_t after = account->balance - (int64_t)plain->rule->order->minutes;
    int64_t floor = account->floor == STATE_FLOOR_BY_POLICY
                        ? plain->policies->floors[TIMEBANK__ACCOUNT_KIND__MEMBER]
                        : account->floor;
    int64_t soft = account->soft_floor == STATE_FLOOR_BY_POLICY ? plain->policies->soft_floor_member
                                                                : account->soft_floor;

    return (after >= floor || floor == INT64_MAX) && (after >= soft || soft == INT64_MAX);
}

static bool may_gain(const struct plain *plain) {
    const struct state_account *account = plain->to;
    int64_t after = account->balance + (int64_t)plain->rule->order->minutes;
    int64_t ceiling = account->ceiling == STATE_CEILING_BY_POLICY
                          ? plain->policies->ceilings[TIMEBANK__ACCOUNT_KIND__MEMBER]
                          : account->ceiling;
    int64_t soft = account->soft_ceiling == STATE_CEILING_BY_POLICY
                       ? plain->policies->soft_ceiling_member
                       : account->soft_ceiling;

    return account->owed_minutes == 0 && account->joined_day <= plain->rule->order->service_day &&
           after <= ceiling && after <= soft;
}

static bool fits_accounts(struct plain *plain) {
    const struct ledger_author *author = plain->rule->batch->author;

    return plain->from && plain->to && plain->from != plain->to && is_open_member(plain->from) &&
           is_open_member(plain->to) && may_lose(plain) && may_gain(plain) &&
           (!*author->account || strcmp(author->account, plain->to->code) != 0);
}

static bool fits_giver(struct plain *plain) {
    uint64_t most =
        (uint64_t)MIN_OF(plain->policies->day_warn_minutes, plain->policies->day_refuse_minutes);
    struct rule *rule = plain->rule;

    plain->giver = rules_recent_giver(rule, plain->to, rule->order->minutes);
    return rule->order->minutes + rules_day_find(rule, &plain->giver.day) <= most &&
           rules_recent_is_new(rule, &plain->giver);
}

static bool is_plain(struct rule *rule) {
    const struct ledger_bar *bars = rule->batch->bars;

    return !rule->state->below && rule_is_broker(rule) && is_simple(rule->order) &&
           is_quiet(rule->state) && !(bars && bars[rule->place].refusal) &&
           ledger_activity_is(rule, rule->order->activity);
}

static int apply(struct plain *plain) {
    struct rule *rule = plain->rule;
    const Timebank__Order *order = rule->order;
    struct rules_leg items[2] = {{.code = order->from, .minutes = -(int64_t)order->minutes},
                                 {.code = order->to, .minutes = (int64_t)order->minutes}};
    struct rules_legs legs = {.items = items, .n = 2, .n_allocated = 2};
    int r = rules_legs_post(rule, &legs);

    if (r == 0)
        r = rules_recent_add(rule, &plain->giver);
    if (r == 0)
        r = rules_day_add_to(rule, &plain->giver.day, (int64_t)order->minutes);
    if (r == 0)
        rule->state->sums.n_entries++;
    return r;
}

int ledger_plain(struct rule *rule, bool *ret_is_done) {
    struct plain plain = {.rule = rule};

    if (!is_plain(rule))
        return 0;
    plain.policies = rule_policies(rule);
    if (!fits_policies(&plain))
        return 0;
    plain.from = rule_account(rule, rule->order->from);
    plain.to = rule_account(rule, rule->order->to);
    if (!fits_accounts(&plain) || !fits_giver(&plain))
        return 0;
    *ret_is_done = true;
    return apply(&plain);
}
