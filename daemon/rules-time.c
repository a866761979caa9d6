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

static int check_day(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    uint64_t warn = (uint64_t)state_policy_number(rule->state, "day-warn", INT64_MAX);
    uint64_t refuse = (uint64_t)state_policy_number(rule->state, "day-refuse", INT64_MAX);
    uint64_t total =
        order->minutes + rules_move_day_sum(rule, DAY_GIVEN, order->to, NULL, order->service_day);
    char day[16], hours[32];

    if (total <= MIN_OF(warn, refuse))
        return 0;
    /* What somebody gave elsewhere on that day is a broker's to know. */
    if (!rule_is_broker(rule) && total > order->minutes)
        return total > refuse ? rule_refuse(rule, REFUSAL_TOO_LONG, "minutes", NULL)
                              : rule_warn(rule, WARNING_LONG_DAY, 0, NULL);
    dates_format_iso(order->service_day, day);
    hours_format((int64_t)total, hours);
    if (total > refuse && !rule_is_history(rule) && !rule_overrides(rule, 2))
        return rule_refuse(rule, REFUSAL_TOO_LONG, "minutes",
                           "%s would have given %s on %s: check the time, or insist with --why.",
                           order->to, hours, day);
    if (total > refuse)
        return rule_warn(rule, WARNING_VERY_LONG_DAY, 0, "%s gave %s on %s.", order->to, hours,
                         day);
    return rule_warn(rule, WARNING_LONG_DAY, 0, "%s gave %s on %s.", order->to, hours, day);
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
static uint64_t print_of(const Timebank__Order *order) {
    char text[4 * 24 + CODE_MAX + NAME_MAX_BYTES], *at;
    struct hash hash;

    assert(strlen(order->from) <= CODE_MAX && strlen(order->activity) <= NAME_MAX_BYTES);
    at = put_number(text, order->kind_case, '\n');
    at = stpcpy(at, order->from);
    *at++ = '\n';
    at = put_number(at, order->service_day, '\n');
    at = put_number(at, order->minutes, '\n');
    at = stpcpy(at, order->activity);
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

static int check_duplicate(struct rule *rule, const struct state_recent *recent, uint64_t print) {
    const Timebank__Order *order = rule->order;
    uint64_t n = recent ? MIN_OF(recent->n, (uint64_t)STATE_RECENT) : 0, entry = 0;
    char day[16], hours[32], words[RULE_ENTRY_WORDS_BYTES];
    int r;

    for (uint64_t i = 0; i < n; i++)
        if (recent->print[i] == print && recent->entry[i] > entry &&
            !is_reversed(rule, recent->entry[i], order->minutes))
            entry = recent->entry[i];
    if (entry == 0)
        return 0;
    bool is_dry = entry >= LEDGER_DRY_BEGIN;
    const char *which = is_dry ? "an entry before it" : rule_entry_words(entry, false, words);
    dates_format_iso(order->service_day, day);
    hours_format((int64_t)order->minutes, hours);
    if (order->source != TIMEBANK__SOURCE__HAND || rule_overrides(rule, 4))
        return rule_warn(rule, WARNING_LOOKS_LIKE, is_dry ? 0 : entry,
                         "This looks like %s: %s, %s, %s.", which, order->to, day, hours);
    r = rule_refuse(rule, REFUSAL_LOOKS_LIKE, "",
                    "This looks like %s: %s gave %s on %s%s%s. If it is another one, insist "
                    "with --again.",
                    which, order->to, hours, day, *order->from ? " to " : "", order->from);
    if (r > 0)
        rule->batch->notes[rule->batch->n_notes - 1].entry = is_dry ? 0 : entry;
    return r;
}

static int remember(struct rule *rule, const uint8_t key[8], uint64_t print) {
    struct state_recent *recent;
    void *value;
    int r = state_make(rule->state, STATE_RECENTS, key, 8, &value);

    if (r < 0)
        return r;
    recent = value;
    recent->entry[recent->n % STATE_RECENT] = rule->index;
    recent->print[recent->n % STATE_RECENT] = print;
    recent->n++;
    return rules_move_add_to_day(rule, DAY_GIVEN, rule->order->to, NULL, rule->order->service_day,
                                 (int64_t)rule->order->minutes);
}

static int warn_before_joining(struct rule *rule) {
    const struct state_account *giver = state_account(rule->state, rule->order->to);

    if (giver->joined_day == 0 || rule->order->service_day >= giver->joined_day)
        return 0;
    return rule_warn(rule, WARNING_BEFORE_JOINING, 0, "The date of service is before %s joined.",
                     giver->code);
}

static int give(struct rule *rule, bool moves) {
    const Timebank__Order *order = rule->order;
    uint64_t print = print_of(order);
    uint8_t key[8];
    int r;

    be64_put(key, state_account(rule->state, order->to)->number);
    r = check_day(rule);
    if (r == 0)
        r = check_duplicate(rule, state_get(rule->state, STATE_RECENTS, key, 8, NULL), print);
    if (r == 0)
        r = warn_before_joining(rule);
    if (r == 0 && moves)
        r = rules_move_check(rule, order->from, order->to, order->minutes);
    if (r == 0)
        r = moves ? rules_move(rule, order->from, order->to, order->minutes)
                  : rules_move_add_line(rule, order->to);
    return r == 0 ? remember(rule, key, print) : r;
}

int rules_time_give(struct rule *rule) {
    return give(rule, true);
}

int rules_time_log(struct rule *rule) {
    return give(rule, false);
}
