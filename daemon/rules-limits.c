/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an account may do: its floor and ceiling, hard and soft, and how much it may spend, in
 * minutes and in entries, in a day, a week (from Monday), a month and a year of the ledger's day of
 * recording. What is not set for an account follows the policies, which speak of members. Every
 * set-limit is kept in a history of the account.
 *
 * Sums are kept only where something limits them, so that a scheme without such limits pays
 * nothing: a limit set in the middle of a month counts from then on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "rules.h"

struct span {
    unsigned number;
    const char *words;
    const char *policy;
    int refusal;
};

static const struct span spans[] = {
    {1, "a day", "spend-day", REFUSAL_DAILY_AMOUNT},
    {2, "a week", "spend-week", REFUSAL_WEEKLY_AMOUNT},
    {3, "a month", "spend-month", REFUSAL_MONTHLY_AMOUNT},
    {4, "a year", "spend-year", REFUSAL_YEARLY_AMOUNT},
    {STATE_SPAN_COUNTS + 1, "a day", "entries-day", REFUSAL_DAILY_COUNT},
    {STATE_SPAN_COUNTS + 2, "a week", "entries-week", REFUSAL_WEEKLY_COUNT},
    {STATE_SPAN_COUNTS + 3, "a month", "entries-month", REFUSAL_MONTHLY_COUNT},
    {STATE_SPAN_COUNTS + 4, "a year", "entries-year", REFUSAL_YEARLY_COUNT},
};

static bool counts_entries(const struct span *span) {
    return span->number > STATE_SPAN_COUNTS;
}

static uint32_t first_day(const struct span *span, uint32_t day) {
    unsigned month, mday;
    uint32_t first = day;
    int year;

    dates_to_civil(day, &year, &month, &mday);
    switch (span->number % STATE_SPAN_COUNTS) {
    case 1:
        return day;
    case 2:
        return day - MIN_OF(day, (day + 3) % 7); /* day 0 was a Thursday */
    case 3:
        return day - (mday - 1);
    default:
        return dates_from_civil(year, 1, 1, &first) == 0 ? first : day;
    }
}

void rules_limits_count_policies(struct state *state) {
    state->sums.spans_limited = 0;
    for (size_t i = 0; i < N_ELEMENTS(spans); i++)
        if (state_policy_number(state, spans[i].policy, -1) >= 0)
            state->sums.spans_limited |= 1ull << spans[i].number;
}

static void span_key(const struct state_account *account, unsigned number, uint8_t ret[9]) {
    be64_put(ret, account->number);
    ret[8] = (uint8_t)number;
}

/* The most of a span; false where nothing limits it. */
static bool most_of(struct rule *rule, const struct state_account *account, const struct span *span,
                    uint64_t *ret) {
    const struct state_span *own = NULL;
    uint8_t key[9];
    int64_t policy;

    if (account->n_spans > 0) {
        span_key(account, span->number, key);
        own = state_get(rule->state, STATE_SPANS, key, sizeof(key), NULL);
    }
    if (own && own->most != STATE_SPAN_BY_POLICY) {
        *ret = own->most;
        return own->most != STATE_SPAN_NONE;
    }
    if (account->kind != TIMEBANK__ACCOUNT_KIND__MEMBER ||
        !(rule->state->sums.spans_limited & (1ull << span->number)))
        return false;
    policy = state_policy_number(rule->state, span->policy, -1);
    *ret = (uint64_t)policy;
    return policy >= 0;
}

static bool is_limited(struct rule *rule, const struct state_account *account) {
    return account && (account->n_spans > 0 || (rule->state->sums.spans_limited != 0 &&
                                                account->kind == TIMEBANK__ACCOUNT_KIND__MEMBER));
}

static enum state_day_sum sum_of(const struct span *span) {
    unsigned base = counts_entries(span) ? DAY_ENTRIES : DAY_SPENT;

    return (enum state_day_sum)(base + span->number % STATE_SPAN_COUNTS);
}

static void put_words(const struct span *span, uint64_t number, char ret[48]) {
    char hours[32];

    hours_format((int64_t)number, hours);
    if (counts_entries(span))
        snprintf(ret, 48, "%llu %s", (unsigned long long)number, number == 1 ? "entry" : "entries");
    else
        snprintf(ret, 48, "%s", hours);
}

static int past_span(struct rule *rule, const struct state_account *account,
                     const struct span *span, uint64_t sum, uint64_t most) {
    char most_words[48], sum_words[48];

    put_words(span, most, most_words);
    put_words(span, sum, sum_words);
    if (rule_is_history(rule) || rule_overrides(rule, OVERRIDES_LIMITS))
        return rule_warn(rule, WARNING_SPENDING, 0, "%s has now spent %s; it may spend %s %s.",
                         account->code, sum_words, most_words, span->words);
    if (!rule_is_broker(rule))
        return rule_refuse(rule, span->refusal, "minutes", NULL);
    return rule_refuse(rule, span->refusal, "minutes",
                       "%s may spend %s %s, and this would make it %s: enter less, or insist with "
                       "--over-limit and --why.",
                       account->code, most_words, span->words, sum_words);
}

int rules_limits_check(struct rule *rule, const char *code, uint64_t minutes) {
    const struct state_account *account = rule_account(rule, code);
    int r = 0;

    if (!is_limited(rule, account))
        return 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(spans); i++) {
        uint64_t most, sum;
        if (!most_of(rule, account, &spans[i], &most))
            continue;
        sum = rules_day_get(rule, sum_of(&spans[i]), account, first_day(&spans[i], rule->today)) +
              (counts_entries(&spans[i]) ? 1 : minutes);
        if (sum > most)
            r = past_span(rule, account, &spans[i], sum, most);
    }
    return r;
}

static int add_to_spans(struct rule *rule, const char *code, int64_t minutes, int64_t n_entries,
                        uint32_t day) {
    const struct state_account *account = rule_account(rule, code);
    uint64_t most;
    int r = 0;

    if (!is_limited(rule, account))
        return 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(spans); i++)
        if (most_of(rule, account, &spans[i], &most))
            r = rules_day_add(rule, sum_of(&spans[i]), account, first_day(&spans[i], day),
                              counts_entries(&spans[i]) ? n_entries : minutes);
    return r;
}

int rules_limits_note(struct rule *rule, const char *code, uint64_t minutes) {
    return add_to_spans(rule, code, (int64_t)minutes, 1, rule->today);
}

int rules_limits_give_back(struct rule *rule, const char *code, uint64_t minutes, bool is_all,
                           uint32_t day) {
    return add_to_spans(rule, code, -(int64_t)minutes, is_all ? -1 : 0, day);
}

/* ---- the kind set-limit */

static const struct span *find_span(uint32_t number) {
    for (size_t i = 0; i < N_ELEMENTS(spans); i++)
        if (spans[i].number == number)
            return &spans[i];
    return NULL;
}

static int check_spans(struct rule *rule, const Timebank__SetLimit *set) {
    if (set->n_spans != set->n_most)
        return rule_refuse(rule, REFUSAL_BAD_LIMIT, "spans", NULL);
    for (size_t i = 0; i < set->n_spans; i++)
        if (!find_span(set->spans[i]) || (i > 0 && set->spans[i - 1] >= set->spans[i]) ||
            (set->most[i] > HOURS_MAX_MINUTES && set->most[i] != STATE_SPAN_NONE))
            return rule_refuse(rule, REFUSAL_BAD_LIMIT, "spans",
                               "A limit of spending names a day, week, month or year once, with "
                               "its minutes or entries: check the figures.");
    return 0;
}

static int check_bounds(struct rule *rule, const Timebank__SetLimit *set) {
    bool has_floor = set->has_floor_case == TIMEBANK__SET_LIMIT__HAS_FLOOR_FLOOR;
    bool has_ceiling = set->has_ceiling_case == TIMEBANK__SET_LIMIT__HAS_CEILING_CEILING;

    if ((has_floor && (set->floor > 0 || set->floor < STATE_NO_FLOOR)) ||
        (has_ceiling && set->ceiling < 0))
        return rule_refuse(rule, REFUSAL_BAD_LIMIT, "set_limit", NULL);
    if ((set->has_soft_floor_case == TIMEBANK__SET_LIMIT__HAS_SOFT_FLOOR_SOFT_FLOOR &&
         set->soft_floor == INT64_MIN) ||
        (set->has_soft_ceiling_case == TIMEBANK__SET_LIMIT__HAS_SOFT_CEILING_SOFT_CEILING &&
         set->soft_ceiling == INT64_MIN))
        return rule_refuse(rule, REFUSAL_BAD_LIMIT, "set_limit", NULL);
    return check_spans(rule, set);
}

/* A span that is not named follows the policy again. */
static int set_span(struct rule *rule, const struct state_account *account, unsigned number,
                    uint64_t most) {
    uint8_t key[9];
    void *value;
    int r;

    span_key(account, number, key);
    if (most == STATE_SPAN_BY_POLICY) {
        r = state_edit(rule->state, STATE_SPANS, key, sizeof(key), &value);
        if (r <= 0)
            return r;
    } else {
        r = state_make(rule->state, STATE_SPANS, key, sizeof(key), &value);
        if (r < 0)
            return r;
    }
    ((struct state_span *)value)->most = most;
    return 0;
}

static int set_spans(struct rule *rule, struct state_account *account,
                     const Timebank__SetLimit *set) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < N_ELEMENTS(spans); i++) {
        uint64_t most = STATE_SPAN_BY_POLICY;
        for (size_t j = 0; j < set->n_spans; j++)
            if (set->spans[j] == spans[i].number)
                most = set->most[j];
        r = set_span(rule, account, spans[i].number, most);
    }
    account->n_spans = (uint8_t)set->n_spans;
    return r;
}

static int add_to_history(struct rule *rule, const struct state_account *account) {
    uint8_t key[12];
    void *value;
    int r;

    be64_put(key, account->number);
    be32_put(key + 8, 0);
    r = state_make(rule->state, STATE_LIMITS, key, sizeof(key), &value);
    if (r < 0)
        return r;
    be32_put(key + 8, (uint32_t)++((struct state_limit *)value)->set_by);
    r = state_make(rule->state, STATE_LIMITS, key, sizeof(key), &value);
    if (r == 0)
        ((struct state_limit *)value)->set_by = rule->index;
    return r;
}

static void set_bounds(struct state_account *account, const Timebank__SetLimit *set) {
    bool has_soft_floor =
        set->has_soft_floor_case == TIMEBANK__SET_LIMIT__HAS_SOFT_FLOOR_SOFT_FLOOR;
    bool has_soft_ceiling =
        set->has_soft_ceiling_case == TIMEBANK__SET_LIMIT__HAS_SOFT_CEILING_SOFT_CEILING;

    account->floor = set->has_floor_case == TIMEBANK__SET_LIMIT__HAS_FLOOR_FLOOR
                         ? set->floor
                         : STATE_FLOOR_BY_POLICY;
    account->ceiling = set->has_ceiling_case == TIMEBANK__SET_LIMIT__HAS_CEILING_CEILING
                           ? set->ceiling
                           : STATE_CEILING_BY_POLICY;
    account->soft_floor = has_soft_floor ? set->soft_floor : STATE_FLOOR_BY_POLICY;
    account->soft_ceiling = has_soft_ceiling ? set->soft_ceiling : STATE_CEILING_BY_POLICY;
}

int rules_limits_set(struct rule *rule) {
    const Timebank__SetLimit *set = rule->order->set_limit;
    void *value;
    int r = check_bounds(rule, set);

    if (r != 0)
        return r;
    r = state_edit(rule->state, STATE_ACCOUNTS, rule->order->to, strlen(rule->order->to), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    set_bounds(value, set);
    r = set_spans(rule, value, set);
    return r == 0 ? add_to_history(rule, value) : r;
}
