/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A venue accepts credits: the offer's price and rules, and the caps on what a venue's own key may
 * accept on the day it is recorded.
 */
#include <string.h>

#include "base/clock.h"
#include "proto/dates.h"
#include "rules.h"

static int check_cap(struct rule *rule, const char *policy, uint64_t minutes) {
    int64_t cap = state_policy_number(rule->state, policy, INT64_MAX);

    return minutes > (uint64_t)cap ? rule_refuse(rule, REFUSAL_CAP, "minutes", NULL) : 0;
}

int rules_redeem_check_caps(struct rule *rule, const char *venue, const char *member,
                            uint64_t minutes) {
    const struct state_account *at = rule_account(rule, venue);
    const struct state_account *from = *member ? rule_account(rule, member) : NULL;
    int r = check_cap(rule, "venue-cap-day",
                      minutes + rules_day_get(rule, DAY_ACCEPTED, at, rule->today));

    if (r == 0 && *member)
        r = check_cap(rule, "venue-cap-member-day",
                      minutes +
                          rules_day_get_between(rule, DAY_ACCEPTED_FROM, at, from, rule->today));
    return r;
}

int rules_redeem_count_caps(struct rule *rule, const char *venue, const char *member, uint32_t day,
                            int64_t minutes) {
    const struct state_account *at = rule_account(rule, venue);
    const struct state_account *from = *member ? rule_account(rule, member) : NULL;
    int r = rules_day_add(rule, DAY_ACCEPTED, at, day, minutes);

    return r == 0 && from ? rules_day_add_between(rule, DAY_ACCEPTED_FROM, at, from, day, minutes)
                          : r;
}

/* At the desk the customer stands there; what is older has a broker to look at it, where the offer
 * goes by the day. (Where it does not, ledgers hold such entries from before there were rules.) */
static int check_age(struct rule *rule, const struct rules_taking *taking) {
    uint32_t day = rule->order->service_day;
    char iso[16];
    int r = 0;

    if (rule->batch->author->role != TIMEBANK__ROLE__ROLE_VENUE ||
        (day <= rule->today && day + 1 >= rule->today) ||
        !rules_offer_goes_by_day(rule, taking, &r))
        return r;
    dates_format_iso(day, iso);
    return rule_refuse(rule, REFUSAL_BAD_DATE, "service_day",
                       "A venue enters what it takes today or took yesterday, not on %s: check "
                       "the date, or ask a broker to enter it.",
                       iso);
}

static struct rules_taking taking_of(const Timebank__Order *order, uint64_t minutes) {
    return (struct rules_taking){.venue = order->to,
                                 .offer = order->redeem->offer,
                                 .member = order->from,
                                 .adults = order->redeem->adults,
                                 .under16 = order->redeem->under16,
                                 .minutes = minutes,
                                 .day = order->service_day};
}

int rules_redeem(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct rules_taking taking = taking_of(order, order->minutes);
    bool has_caps = !rule_is_broker(rule);
    int r = check_age(rule, &taking);

    if (r == 0)
        r = rules_offer_check_price(rule, &taking);
    if (r == 0)
        r = rules_offer_check(rule, &taking);
    if (r == 0 && has_caps)
        r = rules_redeem_check_caps(rule, order->to, order->from, order->minutes);
    if (r == 0)
        r = rules_move_check(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_move(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_offer_count(rule, &taking);
    if (r == 0 && has_caps)
        r = rules_redeem_count_caps(rule, order->to, order->from, rule->today,
                                    (int64_t)order->minutes);
    return r;
}

int rules_redeem_taken_back(struct rule *rule, const struct rules_target *target,
                            uint64_t minutes) {
    const Timebank__Order *order = target->order;
    struct rules_taking taking = taking_of(order, minutes);
    int r = rules_offer_give_back(rule, &taking, target->reversed + minutes == order->minutes);

    if (r == 0 && order->authority == TIMEBANK__AUTHORITY__BY_VENUE)
        r = rules_redeem_count_caps(rule, order->to, order->from, clock_day(target->received_at_ms),
                                    -(int64_t)minutes);
    return r;
}
