/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credits that lapse by lot, the oldest spent first. Then what a member still has is what came in
 * last: of a balance, all that exceeds the gains of the last days has been there for longer. So no
 * lots are kept, only what each day brought, from the day on which a scheme sets the policy
 * expiry-days; what was there before counts as gained on that day.
 *
 * Minutes that come back to a member out of transit (a hold released, a gift declined) are not
 * gained anew.
 */
#include <string.h>

#include "proto/hours.h"
#include "rules.h"

/* First day whose gains are fresh as of a day; false where nothing expires. */
static bool fresh_from(struct state *state, uint32_t as_of_day, uint32_t *ret) {
    int64_t days = state_policy_number(state, "expiry-days", -1);
    uint64_t since = state->sums.gains_since_day;

    if (days < 0 || since == 0 || since + (uint64_t)days > as_of_day)
        return false;
    *ret = as_of_day - (uint32_t)days + 1;
    return true;
}

static uint64_t gains(struct state *state, const struct state_account *account, uint32_t from_day,
                      uint32_t to_day) {
    struct rule rule = {.state = state};
    uint64_t sum = 0;

    for (uint32_t day = from_day; day <= to_day; day++)
        sum += rules_day_get(&rule, DAY_GAINED, account, day);
    return sum;
}

uint64_t rules_expire_minutes(struct state *state, const struct state_account *account,
                              uint32_t as_of_day, uint32_t today) {
    uint64_t fresh;
    uint32_t from_day;

    if (account->kind != TIMEBANK__ACCOUNT_KIND__MEMBER || account->balance <= 0 ||
        !fresh_from(state, as_of_day, &from_day))
        return 0;
    fresh = gains(state, account, from_day, today);
    return (uint64_t)account->balance > fresh ? (uint64_t)account->balance - fresh : 0;
}

static int check_cap(struct rule *rule) {
    int64_t cap = state_policy_number(rule->state, "expiry-cap", INT64_MAX);
    uint64_t sum =
        rules_day_get(rule, DAY_EXPIRED, state_account(rule->state, "expired"), rule->today);
    char text[32];

    if (sum + rule->order->minutes <= (uint64_t)cap)
        return 0;
    hours_format(cap - (int64_t)MIN_OF(sum, (uint64_t)cap), text);
    return rule_refuse(rule, REFUSAL_EXPIRY_CAP, "minutes",
                       "Only %s more may expire today: expire the rest tomorrow, or raise the "
                       "policy expiry-cap.",
                       text);
}

int rules_expire(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    uint32_t as_of_day = order->expire->as_of_day;
    uint64_t most;
    char text[32];
    int r;

    if (as_of_day == 0 || as_of_day > rule->today || order->service_day != as_of_day)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "as_of_day",
                           "Credits expire as of a day that has come: check the date.");
    most = rules_expire_minutes(rule->state, state_account(rule->state, order->from), as_of_day,
                                rule->today);
    hours_format((int64_t)most, text);
    if (order->minutes > most)
        return rule_refuse(rule, REFUSAL_NOTHING_TO_EXPIRE, "minutes",
                           "%s of %s has expired by then: see timebank expire --dry-run.",
                           most ? text : "Nothing", order->from);
    r = check_cap(rule);
    if (r == 0)
        r = rules_move_check(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_move(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_day_add(rule, DAY_EXPIRED, state_account(rule->state, "expired"), rule->today,
                          (int64_t)order->minutes);
    return r;
}
