/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register: accounts opened, frozen, thawed, closed and limited; policies, activities, offers
 * and funders. Nothing moves.
 */
#include <stdio.h>
#include <string.h>

#include "policy.h"
#include "rules.h"

static int edit_account(struct rule *rule, struct state_account **ret) {
    void *value;
    int r =
        state_edit(rule->state, STATE_ACCOUNTS, rule->order->to, strlen(rule->order->to), &value);

    if (r > 0)
        *ret = value;
    return r < 0 ? r : 0;
}

/* Another bank is dealt with once a steward says so. */
static int check_bank(struct rule *rule, const char *code) {
    if (!(ROLE_BIT(rule->batch->author->role) & STEWARDS))
        return rule_refuse(rule, REFUSAL_NO_AUTHORITY, "account_kind",
                           "Only a steward opens an account for another bank: ask one.");
    return code_is_bank(code) ? 0
                              : rule_refuse(rule, REFUSAL_BAD_CODE, "to",
                                            "Another bank's code is bank: and a name of a-z, 0-9 "
                                            "and single hyphens, 32 characters in all: write for "
                                            "example bank:riverside.");
}

static int check_code(struct rule *rule, const char *code, Timebank__AccountKind kind) {
    int r = 0;

    if (kind == TIMEBANK__ACCOUNT_KIND__BANK)
        r = check_bank(rule, code);
    else if (kind < TIMEBANK__ACCOUNT_KIND__MEMBER || kind > TIMEBANK__ACCOUNT_KIND__VENUE)
        r = rule_refuse(rule, REFUSAL_BANK_ACCOUNT, "account_kind", NULL);
    else if (!code_is_valid(code) || code_is_reserved(code))
        r = rule_refuse(rule, REFUSAL_BAD_CODE, "to", NULL);
    if (r != 0)
        return r;
    if (kind == TIMEBANK__ACCOUNT_KIND__MEMBER &&
        !code_matches_pattern(code, state_policy(rule->state, "member-code")))
        return rule_refuse(rule, REFUSAL_NOT_A_MEMBER_CODE, "to", NULL);
    if (state_account(rule->state, code))
        return rule_refuse(rule, REFUSAL_CODE_TAKEN, "to",
                           "The code %s is or was in use: choose another, or use --next.", code);
    if (rule->order->service_day > rule->today + 1)
        return rule_refuse(rule, REFUSAL_FUTURE_DATE, "service_day",
                           "The date of joining has not come yet: check it.");
    return 0;
}

int rules_register_open(struct rule *rule) {
    const char *code = rule->order->to;
    Timebank__AccountKind kind = rule->order->open_account->kind;
    struct state_account *account;
    int r = check_code(rule, code, kind);

    if (r == 0)
        r = state_account_open(rule->state, code, &account);
    if (r != 0)
        return r;
    account->kind = (uint8_t)kind;
    account->floor = STATE_FLOOR_BY_POLICY;
    account->ceiling = STATE_CEILING_BY_POLICY;
    account->soft_floor = STATE_FLOOR_BY_POLICY;
    account->soft_ceiling = STATE_CEILING_BY_POLICY;
    account->opened = rule->index;
    account->joined_day = rule->order->service_day ? rule->order->service_day : rule->today;
    return 0;
}

int rules_register_freeze(struct rule *rule) {
    struct state_account *account = NULL;
    int r = edit_account(rule, &account);

    if (r < 0)
        return r;
    if (account->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_ALREADY_CLOSED, "to", NULL);
    if (account->standing == STANDING_FROZEN)
        return rule_refuse(rule, REFUSAL_ALREADY_FROZEN, "to", NULL);
    account->standing = STANDING_FROZEN;
    return 0;
}

int rules_register_thaw(struct rule *rule) {
    struct state_account *account = NULL;
    int r = edit_account(rule, &account);

    if (r < 0)
        return r;
    if (account->standing != STANDING_FROZEN)
        return rule_refuse(rule, REFUSAL_NOT_FROZEN, "to", NULL);
    account->standing = STANDING_OPEN;
    return 0;
}

int rules_register_close(struct rule *rule) {
    struct state_account *account = NULL;
    int r = edit_account(rule, &account);

    if (r < 0)
        return r;
    if (account->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_ALREADY_CLOSED, "to", NULL);
    if (account->balance != 0 || account->held != 0 || account->owed_minutes != 0)
        return rule_refuse(rule, REFUSAL_NOT_EMPTY, "to", NULL);
    /* Vouchers know what to do with who paid or took them and is closed by then. */
    r = rules_leave_check_waits(rule, account, 1u << PENDING_VOUCHERS | 1u << PENDING_CONFLICT,
                                "to");
    if (r != 0)
        return r;
    account->standing = STANDING_CLOSED;
    account->leaving_day = 0;
    return rules_leave_end(rule, account, NULL);
}

/* Gains are counted from the day on which credits may first expire. */
static uint64_t gains_since(const struct rule *rule) {
    uint64_t since = rule->state->sums.gains_since_day;

    if (state_policy_number(rule->state, "expiry-days", -1) < 0)
        return 0;
    return since ? since : rule->today;
}

int rules_register_policy(struct rule *rule) {
    const Timebank__SetPolicy *set = rule->order->set_policy;
    const struct policy *policy = policy_find(set->name);
    void *value;
    int r;

    if (!policy)
        return rule_refuse(rule, REFUSAL_UNKNOWN_POLICY, "name", NULL);
    if (!policy_takes(policy, set->value))
        return rule_refuse(
            rule, REFUSAL_BAD_POLICY_VALUE, "value",
            "The policy %s (%s) does not take the value given%s%s: see timebank policy "
            "list.",
            policy->name, policy->help, *policy->argument ? "; one of " : "", policy->argument);
    r = rules_release_check_policy(rule, policy->name);
    if (r != 0)
        return r;
    r = state_make(rule->state, STATE_POLICIES, policy->name, strlen(policy->name), &value);
    if (r < 0)
        return r;
    snprintf(((struct state_policy *)value)->value, STATE_POLICY_BYTES, "%s", set->value);
    rule_policies_changed(rule);
    rules_limits_count_policies(rule->state);
    rule->state->sums.gains_since_day = gains_since(rule);
    return 0;
}

int rules_register_activity(struct rule *rule) {
    const Timebank__SetActivity *set = rule->order->set_activity;
    char tags[STATE_TAGS_BYTES] = "";
    struct state_activity *activity;
    size_t n = 0;
    void *value;
    int r;

    if (!code_name_is_valid(set->name))
        return rule_refuse(rule, REFUSAL_BAD_TEXT, "name", NULL);
    for (size_t i = 0; i < set->n_tags; i++) {
        if (!code_name_is_valid(set->tags[i]) || strchr(set->tags[i], ' '))
            return rule_refuse(rule, REFUSAL_BAD_TEXT, "tags", NULL);
        n += (size_t)snprintf(tags + n, sizeof(tags) - n, "%s%s", i ? " " : "", set->tags[i]);
        if (n >= sizeof(tags))
            return rule_refuse(rule, REFUSAL_BAD_TEXT, "tags", NULL);
    }
    r = state_make(rule->state, STATE_ACTIVITIES, set->name, strlen(set->name), &value);
    if (r < 0)
        return r;
    activity = value;
    memcpy(activity->set_by, rule->order->id.data, ORDER_ID_BYTES);
    memcpy(activity->tags, tags, sizeof(tags));
    return 0;
}

int rules_register_funder(struct rule *rule) {
    const Timebank__SetFunder *set = rule->order->set_funder;
    void *value;
    int r;

    if (!code_name_is_valid(set->name))
        return rule_refuse(rule, REFUSAL_BAD_TEXT, "name", NULL);
    r = state_make(rule->state, STATE_FUNDERS, set->name, strlen(set->name), &value);
    if (r == 0)
        memcpy(((struct state_funder *)value)->set_by, rule->order->id.data, ORDER_ID_BYTES);
    return r;
}
