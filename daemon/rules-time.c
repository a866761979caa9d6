/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds in which somebody gives time: exchange, earn, log. The hours of one person on one day, and
 * what looks like an entry made before, are looked at here.
 */
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "rules.h"

static int check_day(struct rule *rule, struct rules_giver *giver) {
    uint32_t service_day = rule->order->service_day;
    uint64_t warn = (uint64_t)rule_policies(rule)->day_warn_minutes;
    uint64_t refuse = (uint64_t)rule_policies(rule)->day_refuse_minutes;
    uint64_t total = giver->minutes + rules_day_find(rule, &giver->day);
    /* What somebody gave elsewhere on that day is a broker's to know. */
    bool is_known = rule_is_broker(rule) || total == giver->minutes, is_refused;
    char day[16], hours[32];

    if (total <= MIN_OF(warn, refuse))
        return 0;
    is_refused = total > refuse && !rule_is_history(rule) && !rule_overrides(rule, OVERRIDES_DAY);
    if (!is_known)
        return is_refused
                   ? rule_refuse(rule, REFUSAL_TOO_LONG, "minutes", NULL)
                   : rule_warn(rule, total > refuse ? WARNING_VERY_LONG_DAY : WARNING_LONG_DAY, 0,
                               NULL);
    dates_format_iso(service_day, day);
    hours_format((int64_t)total, hours);
    if (is_refused)
        return rule_refuse(rule, REFUSAL_TOO_LONG, "minutes",
                           "%s would have given %s on %s: check the time, or insist with --why.",
                           giver->code, hours, day);
    if (total > refuse)
        return rule_warn(rule, WARNING_VERY_LONG_DAY, 0, "%s gave %s on %s.", giver->code, hours,
                         day);
    return rule_warn(rule, WARNING_LONG_DAY, 0, "%s gave %s on %s.", giver->code, hours, day);
}

static int warn_before_joining(struct rule *rule, const struct state_account *giver) {
    if (giver->joined_day == 0 || rule->order->service_day >= giver->joined_day)
        return 0;
    return rule_warn(rule, WARNING_BEFORE_JOINING, 0, "The date of service is before %s joined.",
                     giver->code);
}

int rules_time_check(struct rule *rule, const char *code, uint64_t minutes,
                     struct rules_giver *ret_giver) {
    const struct state_account *account = rule_account(rule, code);
    int r;

    *ret_giver = rules_recent_giver(rule, account, minutes);
    r = check_day(rule, ret_giver);
    if (r == 0)
        r = rules_recent_check(rule, ret_giver);
    return r == 0 ? warn_before_joining(rule, account) : r;
}

int rules_time_propose(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct rules_giver giver;

    if (!(rule->kind->traits & GIVES_TIME))
        return 0;
    giver = rules_recent_giver(rule, rule_account(rule, order->to), order->minutes);
    return rules_recent_add(rule, &giver);
}

int rules_time_note(struct rule *rule, const struct rules_giver *giver) {
    bool is_known = rule->is_settling && rule->kind->traits & GIVES_TIME;
    int r = is_known ? 0 : rules_recent_add(rule, giver);

    if (r < 0)
        return r;
    return rules_day_add_to(rule, &giver->day, (int64_t)giver->minutes);
}

int rules_time_give(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct rules_legs legs = {0};
    struct rules_giver giver;
    uint64_t repaid;
    int r = rules_time_check(rule, order->to, order->minutes, &giver);

    if (r != 0)
        return r;
    rules_legs_add(rule, &legs, order->from, -(int64_t)order->minutes, 0);
    repaid = rules_advance_earn(rule, &legs, order->to, order->minutes);
    r = rules_legs_check(rule, &legs);
    if (r == 0)
        r = rules_legs_post(rule, &legs);
    if (r == 0)
        r = rules_time_note(rule, &giver);
    return r == 0 ? rules_advance_note(rule, order->to, repaid) : r;
}

int rules_time_log(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct rules_giver giver;
    int r = rules_time_check(rule, order->to, order->minutes, &giver);

    if (r == 0)
        r = rules_move_add_line(rule, order->to);
    return r == 0 ? rules_time_note(rule, &giver) : r;
}

/* Of the entry, once these minutes are taken back too. */
static uint64_t left_of(const struct rules_target *target, uint64_t minutes) {
    return target->order->minutes - target->reversed - minutes;
}

int rules_time_take_back(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                         struct rules_legs *legs) {
    int r = rules_advance_unearn(rule, legs, target->index, target->order->to, minutes,
                                 left_of(target, minutes));

    if (r == 0)
        rules_legs_add(rule, legs, target->order->from, (int64_t)minutes, 0);
    return r;
}

int rules_time_taken_back(struct rule *rule, const struct rules_target *target, uint64_t minutes) {
    const Timebank__Order *order = target->order;
    int r = rules_day_add(rule, DAY_GIVEN, state_account(rule->state, order->to),
                          order->service_day, -(int64_t)minutes);

    return r == 0 ? rules_advance_note_unearned(rule, target->index, order->to,
                                                left_of(target, minutes))
                  : r;
}
