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

static int check_day(struct rule *rule, const struct rules_giver *giver) {
    uint32_t service_day = rule->order->service_day;
    uint64_t warn = (uint64_t)state_policy_number(rule->state, "day-warn", INT64_MAX);
    uint64_t refuse = (uint64_t)state_policy_number(rule->state, "day-refuse", INT64_MAX);
    uint64_t total =
        giver->minutes + rules_move_day_sum(rule, DAY_GIVEN, giver->code, NULL, service_day);
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

/* A number and what ends it; printf would take a twentieth of an order's time. */
static char *put_number(char *at, uint64_t number, char end) {
    char digits[20];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *at++ = digits[--n];
    *at++ = end;
    return at;
}

/* Hash of kind, receiver, date, minutes and activity, a line each. */
static uint64_t print_of(const Timebank__Order *order, uint64_t minutes) {
    char text[4 * 24 + CODE_MAX + NAME_MAX_BYTES + 2 * (CODE_MAX + 1)], *at;
    struct hash hash;

    assert(strlen(order->from) <= CODE_MAX && strlen(order->activity) <= NAME_MAX_BYTES &&
           strlen(order->from_person) <= CODE_MAX && strlen(order->to_person) <= CODE_MAX);
    at = put_number(text, order->kind_case, '\n');
    at = stpcpy(at, order->from);
    *at++ = '\n';
    at = put_number(at, order->service_day, '\n');
    at = put_number(at, minutes, '\n');
    at = stpcpy(at, order->activity);
    if (*order->from_person || *order->to_person) { /* who of a household */
        *at++ = '\n';
        at = stpcpy(at, order->from_person);
        *at++ = '\n';
        at = stpcpy(at, order->to_person);
    }
    hash = hash_of(text, (size_t)(at - text));
    return be64_get(hash.b);
}

/* True for an entry that was taken back in full: entering it anew is no duplicate. */
static bool is_reversed(struct rule *rule, uint64_t entry, uint64_t minutes) {
    uint8_t key[8];
    const struct state_reversal *reversal;

    be64_put(key, entry);
    reversal = state_get(rule->state, STATE_REVERSALS, key, sizeof(key), NULL);
    return reversal && reversal->minutes >= minutes;
}

static int tell_duplicate(struct rule *rule, const struct rules_giver *giver, uint64_t entry) {
    const Timebank__Order *order = rule->order;
    bool is_dry = entry >= LEDGER_DRY_BEGIN;
    char day[16], hours[32], words[RULE_ENTRY_WORDS_BYTES];
    const char *which = is_dry ? "an entry before it" : rule_entry_words(entry, false, words);
    int r;

    dates_format_iso(order->service_day, day);
    hours_format((int64_t)giver->minutes, hours);
    if (order->source != TIMEBANK__SOURCE__HAND || rule->is_settling ||
        rule_overrides(rule, OVERRIDES_DUPLICATE))
        return rule_warn(rule, WARNING_LOOKS_LIKE, is_dry ? 0 : entry,
                         "This looks like %s: %s, %s, %s.", which, giver->code, day, hours);
    r = rule_refuse(rule, REFUSAL_LOOKS_LIKE, "",
                    "This looks like %s: %s gave %s on %s%s%s. If it is another one, insist "
                    "with --again.",
                    which, giver->code, hours, day, *order->from ? " to " : "", order->from);
    if (r > 0)
        rule->batch->notes[rule->batch->n_notes - 1].entry = is_dry ? 0 : entry;
    return r;
}

/* A proposal is remembered when it is made, so that the same is not claimed twice meanwhile. */
static bool is_itself(const struct rule *rule, uint64_t entry) {
    return rule->is_settling && rule->proposed == entry;
}

static int check_duplicate(struct rule *rule, const struct rules_giver *giver) {
    const struct state_recent *recent =
        state_get(rule->state, STATE_RECENTS, giver->key, sizeof(giver->key), NULL);
    uint64_t n = recent ? MIN_OF(recent->n, (uint64_t)STATE_RECENT) : 0, entry = 0;

    for (uint64_t i = 0; i < n; i++)
        if (recent->print[i] == giver->print && recent->entry[i] > entry &&
            !is_reversed(rule, recent->entry[i], giver->minutes) &&
            !is_itself(rule, recent->entry[i]) && !rules_agree_is_fallen(rule, recent->entry[i]))
            entry = recent->entry[i];
    return entry ? tell_duplicate(rule, giver, entry) : 0;
}

static int warn_before_joining(struct rule *rule, const struct state_account *giver) {
    if (giver->joined_day == 0 || rule->order->service_day >= giver->joined_day)
        return 0;
    return rule_warn(rule, WARNING_BEFORE_JOINING, 0, "The date of service is before %s joined.",
                     giver->code);
}

int rules_time_check(struct rule *rule, const char *code, uint64_t minutes,
                     struct rules_giver *ret_giver) {
    const struct state_account *account = state_account(rule->state, code);
    int r;

    *ret_giver = (struct rules_giver){
        .code = code, .minutes = minutes, .print = print_of(rule->order, minutes)};
    be64_put(ret_giver->key, account->number);
    r = check_day(rule, ret_giver);
    if (r == 0)
        r = check_duplicate(rule, ret_giver);
    return r == 0 ? warn_before_joining(rule, account) : r;
}

static int remember(struct rule *rule, const struct rules_giver *giver) {
    struct state_recent *recent;
    void *value;
    int r = state_make(rule->state, STATE_RECENTS, giver->key, sizeof(giver->key), &value);

    if (r < 0)
        return r;
    recent = value;
    recent->entry[recent->n % STATE_RECENT] = rule_entry(rule);
    recent->print[recent->n % STATE_RECENT] = giver->print;
    recent->n++;
    return 0;
}

int rules_time_propose(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct rules_giver giver = {.code = order->to, .minutes = order->minutes};

    if (!(rule->kind->traits & GIVES_TIME))
        return 0;
    giver.print = print_of(order, order->minutes);
    be64_put(giver.key, state_account(rule->state, order->to)->number);
    return remember(rule, &giver);
}

int rules_time_note(struct rule *rule, const struct rules_giver *giver) {
    bool is_known = rule->is_settling && rule->kind->traits & GIVES_TIME;
    int r = is_known ? 0 : remember(rule, giver);

    if (r < 0)
        return r;
    return rules_move_add_to_day(rule, DAY_GIVEN, giver->code, NULL, rule->order->service_day,
                                 (int64_t)giver->minutes);
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
    int r = rules_move_add_to_day(rule, DAY_GIVEN, order->to, NULL, order->service_day,
                                  -(int64_t)minutes);

    return r == 0 ? rules_advance_note_unearned(rule, target->index, order->to,
                                                left_of(target, minutes))
                  : r;
}
