/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What venues accept credits for: an offer's price and rules as set, whether a taking keeps to
 * them, and what the offer was used for. Days are those of the date of service; an hour is only
 * known of what is typed as it happens. History, corrections and a broker who insists with a reason
 * pass with a warning for each rule.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "local-time.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "rules.h"

#define HEADS_MAX 1000u
#define MINUTES_PER_DAY 1440u
#define PRICE_MAX 100000u
#define WHAT_BYTES 300

/* ---- names and keys */

static const struct state_offer *find(struct state *state, const char *venue, const char *name,
                                      int *r) {
    char key[CODE_MAX + 1 + NAME_MAX_BYTES + 1];
    int n = snprintf(key, sizeof(key), "%s/%s", venue, name);

    return n < (int)sizeof(key) ? state_get(state, STATE_OFFERS, key, (size_t)n, r) : NULL;
}

#define SUM_KEY_BYTES (CODE_MAX + 1 + NAME_MAX_BYTES + 2 + 4 + 8 + 1)

static size_t sum_key(struct state *state, enum rules_offer_sum letter, const char *venue,
                      const char *offer, const char *code, uint32_t day,
                      uint8_t ret[SUM_KEY_BYTES]) {
    size_t n =
        (size_t)snprintf((char *)ret, CODE_MAX + 1 + NAME_MAX_BYTES + 1, "%s/%s", venue, offer) + 1;

    assert(n <= CODE_MAX + 1 + NAME_MAX_BYTES + 1);
    ret[n++] = (uint8_t)letter;
    be32_put(ret + n, letter == OFFER_DAY ? day : rules_offer_month(day));
    n += 4;
    if (letter == OFFER_PERSON) {
        be64_put(ret + n, state_account(state, code)->number);
        n += 8;
    }
    return n;
}

uint32_t rules_offer_month(uint32_t day) {
    unsigned month, mday;
    int year;

    dates_to_civil(day, &year, &month, &mday);
    return day - (mday - 1);
}

uint32_t rules_offer_next_month(uint32_t day) {
    unsigned month, mday;
    int year;

    dates_to_civil(day, &year, &month, &mday);
    return day - (mday - 1) + dates_month_length(year, month);
}

/* ---- set-offer */

static int check_days(struct rule *rule, const Timebank__SetOffer *set) {
    if (set->to_day && set->from_day > set->to_day)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "to_day",
                           "The offer would end before it begins: check --from and --to.");
    if (set->weekdays > 127)
        return rule_refuse(rule, REFUSAL_BAD_NUMBER, "weekdays",
                           "A week has seven days: name the days as mon-fri,sun.");
    if (set->from_minute >= MINUTES_PER_DAY || set->to_minute >= MINUTES_PER_DAY ||
        (set->from_minute == set->to_minute && set->from_minute))
        return rule_refuse(rule, REFUSAL_BAD_NUMBER, "from_minute",
                           "The offer would be on at no hour: give its hours as 9:00-12:00.");
    return 0;
}

static int check_set(struct rule *rule, const Timebank__SetOffer *set) {
    uint64_t quantum = (uint64_t)state_policy_number(rule->state, "quantum", 1);

    if (!code_name_is_valid(set->name))
        return rule_refuse(rule, REFUSAL_BAD_TEXT, "name", NULL);
    if (set->price_minutes == 0)
        return rule_refuse(rule, REFUSAL_ZERO, "price_minutes",
                           "The price is missing: give it in hours, as 1h.");
    if (set->price_minutes > PRICE_MAX ||
        (set->price_minutes % quantum != 0 && !rule_is_history(rule) && !set->withdrawn))
        return rule_refuse(rule, REFUSAL_NOT_IN_QUANTUM, "price_minutes", NULL);
    if (set->ages > TIMEBANK__OFFER_AGES__WITH_AN_ADULT)
        return rule_refuse(rule, REFUSAL_BAD_NUMBER, "ages",
                           "There is no such age: say adults, under16 or with-adult.");
    if (set->minutes_a_month > HOURS_MAX_MINUTES)
        return rule_refuse(rule, REFUSAL_TOO_LONG, "minutes_a_month",
                           "That is more time than any scheme holds: check the budget.");
    return check_days(rule, set);
}

int rules_offer_set(struct rule *rule) {
    const Timebank__SetOffer *set = rule->order->set_offer;
    char key[CODE_MAX + 1 + NAME_MAX_BYTES + 1];
    struct state_offer *offer;
    void *value;
    int n, r = check_set(rule, set);

    if (r != 0)
        return r;
    n = snprintf(key, sizeof(key), "%s/%s", rule->order->to, set->name);
    r = state_make(rule->state, STATE_OFFERS, key, (size_t)n, &value);
    if (r < 0)
        return r;
    offer = value;
    *offer = (struct state_offer){
        .price_minutes = set->price_minutes,
        .weekdays = set->weekdays,
        .from_minute = set->from_minute,
        .to_minute = set->to_minute,
        .from_day = set->from_day,
        .to_day = set->to_day,
        .ages = (uint32_t)set->ages,
        .party_max = set->party_max,
        .heads_a_day = set->heads_a_day,
        .times_a_month = set->times_a_month,
        .minutes_a_month = set->minutes_a_month,
        .is_withdrawn = set->withdrawn != 0,
    };
    memcpy(offer->set_by, rule->order->id.data, ORDER_ID_BYTES);
    return 0;
}

/* ---- price */

static uint64_t heads_of(const struct rules_taking *taking) {
    return (uint64_t)taking->adults + taking->under16;
}

static int refuse_unknown(struct rule *rule, const struct rules_taking *taking) {
    return rule_refuse(rule, REFUSAL_UNKNOWN_OFFER, "offer",
                       "%s has no offer %s: check the name, or set it with timebank offer set.",
                       taking->venue, taking->offer);
}

/* Another time than the price was typed by somebody, so the quantum binds it. */
static int check_step(struct rule *rule, const struct rules_taking *taking) {
    uint64_t quantum = (uint64_t)state_policy_number(rule->state, "quantum", 1);
    char text[32];

    if (taking->minutes % quantum == 0)
        return 0;
    hours_format((int64_t)taking->minutes, text);
    if (rule_is_history(rule))
        return rule_warn(rule, WARNING_NOT_IN_QUANTUM, 0,
                         "%s is not a multiple of the bank's step of %llu min.", text,
                         (unsigned long long)quantum);
    return rule_refuse(rule, REFUSAL_NOT_IN_QUANTUM, "minutes",
                       "%s is not a multiple of the bank's step of %llu min: round it.", text,
                       (unsigned long long)quantum);
}

int rules_offer_check_price(struct rule *rule, const struct rules_taking *taking) {
    uint64_t heads = heads_of(taking), minutes;
    char price[32];
    int r = 0;
    const struct state_offer *offer = find(rule->state, taking->venue, taking->offer, &r);

    if (!offer)
        return r < 0 ? r : refuse_unknown(rule, taking);
    if (heads == 0 || heads > HEADS_MAX)
        return rule_refuse(rule, REFUSAL_NO_HEADS, "adults", NULL);
    minutes = heads * offer->price_minutes;
    if (taking->minutes == minutes)
        return 0;
    hours_format((int64_t)minutes, price);
    if (!rule_is_history(rule) && !rule_overrides(rule, OVERRIDES_PRICE))
        return rule_refuse(
            rule, REFUSAL_NOT_THE_PRICE, "minutes",
            "The offer's price for %llu is %s: leave the time out, or insist with --why.",
            (unsigned long long)heads, price);
    r = check_step(rule, taking);
    return r == 0 ? rule_warn(rule, WARNING_NOT_THE_PRICE, 0, "The offer's price for %llu is %s.",
                              (unsigned long long)heads, price)
                  : r;
}

/* ---- rules */

struct check {
    struct rule *rule;
    const struct rules_taking *taking;
    const struct state_offer *offer;
};

/* `what` says which rule it is, `advice` what to do. */
static int broken(const struct check *check, int refusal, const char *field, const char *what,
                  const char *advice) {
    struct rule *rule = check->rule;

    if (check->taking->only_warns || rule_is_history(rule) ||
        (rule_is_broker(rule) && rule->order->corrects.len > 0) ||
        rule_overrides(rule, OVERRIDES_RULES))
        return rule_warn(rule, WARNING_VENUE_RULE, 0, "%s.", what);
    return rule_refuse(rule, refusal, field, "%s: %s.", what, advice);
}

static int check_withdrawn(const struct check *check) {
    char what[WHAT_BYTES];

    if (!check->offer->is_withdrawn)
        return 0;
    snprintf(what, sizeof(what), "%s was withdrawn", check->taking->offer);
    return broken(check, REFUSAL_OFFER_WITHDRAWN, "offer", what, "choose another offer");
}

static int check_season(const struct check *check) {
    const struct state_offer *offer = check->offer;
    uint32_t day = check->taking->day;
    bool is_early = day < offer->from_day;
    char what[WHAT_BYTES], iso[16];

    if (!is_early && (offer->to_day == 0 || day <= offer->to_day))
        return 0;
    dates_format_iso(is_early ? offer->from_day : offer->to_day, iso);
    snprintf(what, sizeof(what), "%s %s on %s", check->taking->offer,
             is_early ? "only begins" : "ended", iso);
    return broken(check, REFUSAL_OFFER_NOT_TODAY, "service_day", what,
                  "choose another day or offer");
}

static int check_weekday(const struct check *check) {
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    uint32_t weekday = (check->taking->day + 3) % 7; /* 1 January 1970 was a Thursday */
    char what[WHAT_BYTES], days[40] = "";
    size_t n = 0;

    if (check->offer->weekdays == 0 || check->offer->weekdays & (1u << weekday))
        return 0;
    for (size_t i = 0; i < N_ELEMENTS(names); i++)
        if (check->offer->weekdays & (1u << i))
            n += (size_t)snprintf(days + n, sizeof(days) - n, "%s%s", n ? ", " : "", names[i]);
    snprintf(what, sizeof(what), "%s is on %s, and this is a %s", check->taking->offer, days,
             names[weekday]);
    return broken(check, REFUSAL_OFFER_NOT_TODAY, "service_day", what,
                  "choose another day or offer");
}

/* What is typed later, or comes from a sheet, does not say at which hour it was. */
static int check_hours(const struct check *check) {
    const struct rule *rule = check->rule;
    uint32_t from = check->offer->from_minute, to = check->offer->to_minute, minute;
    char what[WHAT_BYTES];

    if ((from == 0 && to == 0) || check->taking->is_hold || check->taking->only_warns ||
        check->taking->day != rule->today || rule->order->source != TIMEBANK__SOURCE__HAND)
        return 0;
    if (to == 0)
        to = MINUTES_PER_DAY;
    minute =
        local_time_minute(state_policy(rule->state, "local-time"), rule->batch->received_at_ms);
    if (from < to ? minute >= from && minute < to : minute >= from || minute < to)
        return 0;
    snprintf(what, sizeof(what), "%s is on from %u:%02u to %u:%02u, and it is %u:%02u",
             check->taking->offer, from / 60, from % 60, to / 60, to % 60, minute / 60,
             minute % 60);
    return broken(check, REFUSAL_OFFER_NOT_NOW, "offer", what,
                  "come back in its hours, or choose another offer");
}

static int check_ages(const struct check *check) {
    const struct rules_taking *taking = check->taking;
    char what[WHAT_BYTES];

    switch (check->offer->ages) {
    case TIMEBANK__OFFER_AGES__ADULTS_ONLY:
        if (taking->under16 == 0)
            return 0;
        snprintf(what, sizeof(what), "%s is for adults only", taking->offer);
        return broken(check, REFUSAL_OFFER_NOT_AT_THIS_AGE, "under16", what,
                      "choose another offer for those under 16");
    case TIMEBANK__OFFER_AGES__UNDER16_ONLY:
        if (taking->adults == 0)
            return 0;
        snprintf(what, sizeof(what), "%s is for those under 16 only", taking->offer);
        return broken(check, REFUSAL_OFFER_NOT_AT_THIS_AGE, "adults", what,
                      "choose another offer for adults");
    case TIMEBANK__OFFER_AGES__WITH_AN_ADULT:
        if (taking->under16 == 0 || taking->adults > 0)
            return 0;
        snprintf(what, sizeof(what), "At %s those under 16 need an adult with them", taking->offer);
        return broken(check, REFUSAL_OFFER_NOT_AT_THIS_AGE, "adults", what,
                      "ask for one, or choose another offer");
    default:
        return 0;
    }
}

static int check_party(const struct check *check) {
    char what[WHAT_BYTES];

    if (check->offer->party_max == 0 || heads_of(check->taking) <= check->offer->party_max)
        return 0;
    snprintf(what, sizeof(what), "%s takes parties of up to %u", check->taking->offer,
             check->offer->party_max);
    return broken(check, REFUSAL_PARTY_TOO_LARGE, "adults", what,
                  "come in smaller parties, or choose another offer");
}

static int check_places(const struct check *check) {
    const struct rules_taking *taking = check->taking;
    uint64_t most = check->offer->heads_a_day;
    char what[WHAT_BYTES], iso[16];
    struct state_offer_sum sum;
    int r = 0;

    if (most == 0)
        return 0;
    sum = rules_offer_sum(check->rule->state, OFFER_DAY, taking->venue, taking->offer, "",
                          taking->day, &r);
    if (r < 0 || sum.heads + heads_of(taking) <= most)
        return r;
    dates_format_iso(taking->day, iso);
    snprintf(what, sizeof(what), "%s is full on %s, %llu of %llu places are taken", taking->offer,
             iso, (unsigned long long)sum.heads, (unsigned long long)most);
    return broken(check, REFUSAL_OFFER_FULL, "adults", what, "choose another day or offer");
}

static int check_person(const struct check *check) {
    const struct rules_taking *taking = check->taking;
    uint32_t most = check->offer->times_a_month;
    struct state_offer_sum sum;
    char what[WHAT_BYTES];
    int r = 0;

    if (most == 0 || *taking->member == '\0')
        return 0;
    sum = rules_offer_sum(check->rule->state, OFFER_PERSON, taking->venue, taking->offer,
                          taking->member, taking->day, &r);
    if (r < 0 || sum.times < most)
        return r;
    snprintf(what, sizeof(what), "One member may use %s %u time%s a month", taking->offer, most,
             most == 1 ? "" : "s");
    return broken(check, REFUSAL_PER_PERSON_USED_UP, "from", what,
                  "choose another offer, or come again next month");
}

static int check_budget(const struct check *check) {
    const struct rules_taking *taking = check->taking;
    uint64_t most = check->offer->minutes_a_month;
    struct state_offer_sum taken, held;
    char what[WHAT_BYTES];
    int r = 0;

    if (most == 0)
        return 0;
    taken = rules_offer_sum(check->rule->state, OFFER_MONTH, taking->venue, taking->offer, "",
                            taking->day, &r);
    held = rules_offer_sum(check->rule->state, OFFER_HELD, taking->venue, taking->offer, "",
                           taking->day, &r);
    if (r < 0 || taken.minutes + held.minutes + taking->minutes <= most)
        return r;
    snprintf(what, sizeof(what), "%s has used up its budget of that month", taking->offer);
    return broken(check, REFUSAL_OFFER_BUDGET, "minutes", what, "choose another month or offer");
}

bool rules_offer_goes_by_day(struct rule *rule, const struct rules_taking *taking, int *r) {
    const struct state_offer *offer = find(rule->state, taking->venue, taking->offer, r);

    return offer &&
           (offer->weekdays || offer->from_minute || offer->to_minute || offer->from_day ||
            offer->to_day || offer->heads_a_day || offer->times_a_month || offer->minutes_a_month);
}

int rules_offer_check(struct rule *rule, const struct rules_taking *taking) {
    static int (*const checks[])(const struct check *) = {
        check_withdrawn, check_season, check_weekday, check_hours, check_ages,
        check_party,     check_places, check_person,  check_budget};
    struct check check = {.rule = rule, .taking = taking};
    int r = 0;

    check.offer = find(rule->state, taking->venue, taking->offer, &r);
    if (!check.offer)
        return r < 0 ? r : refuse_unknown(rule, taking);
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(checks); i++)
        r = checks[i](&check);
    return r;
}

/* ---- sums */

struct state_offer_sum rules_offer_sum(struct state *state, enum rules_offer_sum letter,
                                       const char *venue, const char *offer, const char *code,
                                       uint32_t day, int *r) {
    uint8_t key[SUM_KEY_BYTES];
    size_t n = sum_key(state, letter, venue, offer, code, day, key);
    const struct state_offer_sum *sum = state_get(state, STATE_OFFER_SUMS, key, n, r);

    return sum ? *sum : (struct state_offer_sum){0};
}

static uint64_t moved(uint64_t from, int64_t by) {
    return by < 0 && from < (uint64_t)-by ? 0 : from + (uint64_t)by;
}

static int move_sums(struct rule *rule, const char *letters, const struct rules_taking *taking,
                     bool has_heads, int sign) {
    for (; *letters; letters++) {
        uint8_t key[SUM_KEY_BYTES];
        struct state_offer_sum *sum;
        void *value;
        size_t n;
        int r;

        if (*letters == OFFER_PERSON && *taking->member == '\0')
            continue;
        n = sum_key(rule->state, (enum rules_offer_sum) * letters, taking->venue, taking->offer,
                    taking->member, taking->day, key);
        r = state_make(rule->state, STATE_OFFER_SUMS, key, n, &value);
        if (r < 0)
            return r;
        sum = value;
        sum->minutes = moved(sum->minutes, sign * (int64_t)taking->minutes);
        if (has_heads) {
            sum->heads = moved(sum->heads, sign * (int64_t)heads_of(taking));
            sum->times = moved(sum->times, sign);
        }
    }
    return 0;
}

int rules_offer_add(struct rule *rule, const char *letters, const struct rules_taking *taking,
                    bool has_heads) {
    return move_sums(rule, letters, taking, has_heads, 1);
}

int rules_offer_take_off(struct rule *rule, const char *letters, const struct rules_taking *taking,
                         bool has_heads) {
    return move_sums(rule, letters, taking, has_heads, -1);
}

int rules_offer_count(struct rule *rule, const struct rules_taking *taking) {
    return rules_offer_add(rule, "mdp", taking, true);
}

int rules_offer_give_back(struct rule *rule, const struct rules_taking *taking, bool is_all) {
    return rules_offer_take_off(rule, "mdp", taking, is_all);
}
