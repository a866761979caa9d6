/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Minutes from one account to another: the limits on both sides, the posting with its running hash,
 * and the sums by day that other rules look at.
 *
 * Running hash: SHA-256(0x03 || running || leaf hash of the record || balance after || held after),
 * as timebank-ledger(5) says.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/hours.h"
#include "rules.h"

#define RUNNING_PREFIX 0x03

static bool limits_only_warn(const struct rule *rule) {
    return rule_is_history(rule) || rule_overrides(rule, 1) ||
           (rule->kind->number == TIMEBANK__ORDER__KIND_REVERSE && rule_is_broker(rule));
}

/* What a member's venue or another member may learn of a balance is nothing: the figures are a
 * broker's. */
static int below_floor(struct rule *rule, const struct state_account *account, int64_t after,
                       int64_t floor) {
    bool is_allotment = account->kind == TIMEBANK__ACCOUNT_KIND__ORGANISATION &&
                        rule->kind->number == TIMEBANK__ORDER__KIND_EARN;
    const char *short_allotment = state_policy(rule->state, "short-allotment");
    char after_text[32], floor_text[32];

    hours_format(after, after_text);
    hours_format(floor, floor_text);
    if (is_allotment && strcmp(short_allotment, "allow") == 0)
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
    if (!rule_is_broker(rule) && strcmp(account->code, rule->batch->author->account) != 0)
        return rule_refuse(
            rule, REFUSAL_BELOW_FLOOR, "from",
            "There are not enough credits for this: ask for less, or another way to pay.");
    return rule_refuse(rule, REFUSAL_BELOW_FLOOR, "from",
                       "%s would stand at %s, below its limit of %s: enter less, or ask a broker.",
                       account->code, after_text, floor_text);
}

static int above_ceiling(struct rule *rule, const struct state_account *account, int64_t after,
                         int64_t ceiling) {
    char after_text[32], ceiling_text[32];

    hours_format(after, after_text);
    hours_format(ceiling, ceiling_text);
    if (limits_only_warn(rule))
        return rule_warn(rule,
                         rule->kind->number == TIMEBANK__ORDER__KIND_REVERSE
                             ? WARNING_REVERSAL_PAST_LIMIT
                             : WARNING_ABOVE_CEILING,
                         0, "%s now stands at %s, above its limit of %s.", account->code,
                         after_text, ceiling_text);
    /* A venue's key learns no balance, its own account's neither: it lies open at the desk. */
    if (rule->batch->author->role == TIMEBANK__ROLE__ROLE_VENUE ||
        (!rule_is_broker(rule) && strcmp(account->code, rule->batch->author->account) != 0))
        return rule_refuse(rule, REFUSAL_ABOVE_CEILING, "to", NULL);
    return rule_refuse(rule, REFUSAL_ABOVE_CEILING, "to",
                       "%s would stand at %s, above its limit of %s: enter less, or ask a broker.",
                       account->code, after_text, ceiling_text);
}

int rules_move_check(struct rule *rule, const char *from, const char *to, uint64_t minutes) {
    const struct state_account *loser = state_account(rule->state, from);
    const struct state_account *gainer = state_account(rule->state, to);
    int64_t limit;
    int r = 0;

    assert(loser && gainer && loser != gainer);
    if (ledger_floor(rule->state, loser, &limit) && loser->balance - (int64_t)minutes < limit)
        r = below_floor(rule, loser, loser->balance - (int64_t)minutes, limit);
    if (r == 0 && ledger_ceiling(rule->state, gainer, &limit) &&
        gainer->balance + (int64_t)minutes > limit)
        r = above_ceiling(rule, gainer, gainer->balance + (int64_t)minutes, limit);
    return r;
}

/* The account's statement now begins here, and goes on at *ret_previous. */
static void add_line(struct rule *rule, struct state_account *account, uint64_t *ret_previous) {
    *ret_previous = account->last_line;
    account->last_line = rule->index;
    account->last_day = MAX_OF(account->last_day, rule->order->service_day);
}

static int post(struct rule *rule, const char *code, int64_t minutes, int64_t *ret_after,
                uint64_t *ret_previous) {
    const struct hash *leaf = &rule->batch->leaves[rule->place];
    uint8_t message[1 + HASH_BYTES + HASH_BYTES + 16];
    struct state_account *account;
    struct hash running;
    void *value;
    int r = state_edit(rule->state, STATE_ACCOUNTS, code, strlen(code), &value);

    if (r < 0)
        return r;
    assert(r > 0);
    account = value;
    account->balance += minutes;
    account->n_entries++;
    account->last_entry = rule->index;
    add_line(rule, account, ret_previous);
    message[0] = RUNNING_PREFIX;
    memcpy(message + 1, account->running, HASH_BYTES);
    memcpy(message + 1 + HASH_BYTES, leaf->b, HASH_BYTES);
    be64_put(message + 1 + 2 * HASH_BYTES, (uint64_t)account->balance);
    be64_put(message + 1 + 2 * HASH_BYTES + 8, (uint64_t)account->held);
    running = hash_of(message, sizeof(message));
    memcpy(account->running, running.b, HASH_BYTES);
    *ret_after = account->balance;
    return 0;
}

static void copy_code(const char *code, char ret[CODE_MAX + 1]) {
    size_t n = strlen(code);

    assert(n <= CODE_MAX);
    memcpy(ret, code, n + 1);
}

int rules_move(struct rule *rule, const char *from, const char *to, uint64_t minutes) {
    struct ledger_effect *effect = &rule->batch->effects[rule->place];
    int r = post(rule, from, -(int64_t)minutes, &effect->from_after, &effect->from_previous);

    if (r == 0)
        r = post(rule, to, (int64_t)minutes, &effect->to_after, &effect->to_previous);
    if (r < 0)
        return r;
    effect->has_from = effect->has_to = true;
    copy_code(from, effect->from);
    copy_code(to, effect->to);
    return 0;
}

int rules_move_add_line(struct rule *rule, const char *to) {
    struct ledger_effect *effect = &rule->batch->effects[rule->place];
    void *value;
    int r = state_edit(rule->state, STATE_ACCOUNTS, to, strlen(to), &value);

    if (r < 0)
        return r;
    assert(r > 0);
    effect->is_line_of_to = true;
    effect->to_after = ((struct state_account *)value)->balance;
    snprintf(effect->to, sizeof(effect->to), "%s", to);
    add_line(rule, value, &effect->to_previous);
    return 0;
}

/* Key of a sum; 0 when an account is not there. */
static size_t day_key(struct rule *rule, enum state_day_sum sum, const char *code,
                      const char *other, uint32_t day, uint8_t ret[21]) {
    const struct state_account *account = state_account(rule->state, code);
    const struct state_account *second = other ? state_account(rule->state, other) : NULL;

    if (!account || (other && !second))
        return 0;
    be64_put(ret, account->number);
    be32_put(ret + 8, day);
    ret[12] = (uint8_t)sum;
    if (second)
        be64_put(ret + 13, second->number);
    return second ? 21 : 13;
}

uint64_t rules_move_day_sum(struct rule *rule, enum state_day_sum sum, const char *code,
                            const char *other, uint32_t day) {
    uint8_t key[21];
    size_t n = day_key(rule, sum, code, other, day, key);
    const struct state_day *row = n ? state_get(rule->state, STATE_DAYS, key, n, NULL) : NULL;

    return row ? row->minutes : 0;
}

int rules_move_add_to_day(struct rule *rule, enum state_day_sum sum, const char *code,
                          const char *other, uint32_t day, int64_t minutes) {
    uint8_t key[21];
    size_t n = day_key(rule, sum, code, other, day, key);
    struct state_day *row;
    void *value;
    int r;

    if (n == 0)
        return 0;
    r = state_make(rule->state, STATE_DAYS, key, n, &value);
    if (r < 0)
        return r;
    row = value;
    row->minutes =
        minutes < 0 && row->minutes < (uint64_t)-minutes ? 0 : row->minutes + (uint64_t)minutes;
    return 0;
}
