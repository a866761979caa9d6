/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A venue accepts credits: price times heads, and the caps on what a venue's own key may accept on
 * the day it is recorded.
 */
#include <stdio.h>
#include <string.h>

#include "proto/hours.h"
#include "rules.h"

#define HEADS_MAX 1000u

static int check_price(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const Timebank__Redeem *redeem = order->redeem;
    uint64_t heads = (uint64_t)redeem->adults + redeem->under16;
    char key[CODE_MAX + 1 + NAME_MAX_BYTES + 1], price[32];
    const struct state_offer *offer = NULL;
    int r = 0, n = snprintf(key, sizeof(key), "%s/%s", order->to, redeem->offer);

    if (n < (int)sizeof(key))
        offer = state_get(rule->state, STATE_OFFERS, key, (size_t)n, &r);
    if (r < 0)
        return r;
    if (!offer)
        return rule_refuse(rule, REFUSAL_UNKNOWN_OFFER, "offer",
                           "%s has no offer %s: check the name, or set it with timebank offer set.",
                           order->to, redeem->offer);
    if (heads == 0 || heads > HEADS_MAX)
        return rule_refuse(rule, REFUSAL_NO_HEADS, "adults", NULL);
    if (order->minutes == heads * offer->price_minutes)
        return 0;
    hours_format((int64_t)(heads * offer->price_minutes), price);
    if (rule_is_history(rule) || rule_overrides(rule, 8))
        return rule_warn(rule, WARNING_NOT_THE_PRICE, 0, "The offer's price for %llu is %s.",
                         (unsigned long long)heads, price);
    return rule_refuse(
        rule, REFUSAL_NOT_THE_PRICE, "minutes",
        "The offer's price for %llu is %s: leave the time out, or insist with --why.",
        (unsigned long long)heads, price);
}

static int check_cap(struct rule *rule, const char *policy, enum state_day_sum sum,
                     const char *other) {
    const Timebank__Order *order = rule->order;
    int64_t cap = state_policy_number(rule->state, policy, INT64_MAX);

    if (order->minutes + rules_move_day_sum(rule, sum, order->to, other, rule->today) >
        (uint64_t)cap)
        return rule_refuse(rule, REFUSAL_CAP, "minutes", NULL);
    return 0;
}

int rules_redeem(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    int r = check_price(rule);

    if (r == 0 && !rule_is_broker(rule))
        r = check_cap(rule, "venue-cap-day", DAY_ACCEPTED, NULL);
    if (r == 0 && !rule_is_broker(rule))
        r = check_cap(rule, "venue-cap-member-day", DAY_ACCEPTED_FROM, order->from);
    if (r == 0)
        r = rules_move_check(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = rules_move(rule, order->from, order->to, order->minutes);
    if (r == 0 && !rule_is_broker(rule)) {
        r = rules_move_add_to_day(rule, DAY_ACCEPTED, order->to, NULL, rule->today,
                                  (int64_t)order->minutes);
        if (r == 0)
            r = rules_move_add_to_day(rule, DAY_ACCEPTED_FROM, order->to, order->from, rule->today,
                                      (int64_t)order->minutes);
    }
    return r;
}
