/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: keys granted a role and revoked, by stewards, in the log. */
#include <stdio.h>
#include <string.h>

#include "rules.h"

/* The kind of account a role acts for; 0: none. */
static uint32_t account_kind_of(Timebank__Role role) {
    switch (role) {
    case TIMEBANK__ROLE__ROLE_ORGANISATION:
        return ORGANISATIONS;
    case TIMEBANK__ROLE__ROLE_VENUE:
        return VENUES;
    case TIMEBANK__ROLE__ROLE_MEMBER:
        return MEMBERS;
    default:
        return 0;
    }
}

/* A broker may name the account that holds their own hours; stewards are brokers too. */
static bool account_is_optional(Timebank__Role role) {
    return (ROLE_BIT(role) & BROKERS) != 0;
}

static int check_account(struct rule *rule, Timebank__Role role) {
    const char *code = rule->order->to;
    const struct state_account *account = state_account(rule->state, code);
    uint32_t kinds = account_is_optional(role) ? MEMBERS : account_kind_of(role);

    if (*code == '\0')
        return account_kind_of(role) == 0
                   ? 0
                   : rule_refuse(rule, REFUSAL_BAD_ROLE, "to",
                                 "This role acts for an account: name it with --account.");
    if (kinds == 0)
        return rule_refuse(rule, REFUSAL_BAD_ROLE, "to",
                           "This role acts for no account: leave --account out.");
    if (!account)
        return rule_refuse(rule, REFUSAL_NO_SUCH_ACCOUNT, "to", NULL);
    if (account->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_CLOSED, "to", NULL);
    if (!(kinds & KIND_BIT(account->kind)))
        return rule_refuse(rule, REFUSAL_BAD_ROLE, "to",
                           "%s is not the kind of account this role acts for: check the code.",
                           code);
    return 0;
}

/* An evaluator reads reports of one class; nobody else has one. */
static int check_class(struct rule *rule, const Timebank__GrantKey *grant) {
    if (grant->role != TIMEBANK__ROLE__EVALUATOR)
        return grant->report_class == TIMEBANK__REPORT_CLASS__CLASS_NONE
                   ? 0
                   : rule_refuse(rule, REFUSAL_BAD_ROLE, "report_class",
                                 "Only an evaluator's key has a class: leave --class out.");
    if (grant->report_class == TIMEBANK__REPORT_CLASS__INTERNAL)
        return rule_refuse(rule, REFUSAL_BAD_ROLE, "report_class",
                           "An evaluator's key is of the class funder or public: choose one with "
                           "--class, or grant the role auditor.");
    return 0;
}

int rules_keys_grant(struct rule *rule) {
    const Timebank__GrantKey *grant = rule->order->grant_key;
    struct state_key *key;
    void *value;
    int r = 0;

    if (grant->key.len != SSHSIG_PUBLIC_BYTES || !sshsig_public_is_usable(grant->key.data))
        return rule_refuse(rule, REFUSAL_BAD_KEY, "key", NULL);
    if (grant->role == TIMEBANK__ROLE__ROLE_NONE)
        return rule_refuse(rule, REFUSAL_BAD_ROLE, "role", NULL);
    if (state_get(rule->state, STATE_KEYS, grant->key.data, grant->key.len, &r))
        return rule_refuse(rule, REFUSAL_KEY_GRANTED, "key", NULL);
    if (r == 0)
        r = check_account(rule, grant->role);
    if (r == 0)
        r = check_class(rule, grant);
    if (r == 0)
        r = state_make(rule->state, STATE_KEYS, grant->key.data, grant->key.len, &value);
    if (r != 0)
        return r;
    key = value;
    key->role = (uint8_t)grant->role;
    key->granted = rule->index;
    if (grant->role == TIMEBANK__ROLE__EVALUATOR)
        key->report_class = (uint8_t)(grant->report_class ? grant->report_class
                                                          : TIMEBANK__REPORT_CLASS__FOR_FUNDER);
    snprintf(key->account, sizeof(key->account), "%s", rule->order->to);
    return 0;
}

static size_t count_stewards(struct state *state) {
    size_t n = 0;

    for (struct state *s = state; s; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_KEYS], NULL); row;
             row = rows_next(&s->tables[STATE_KEYS], row)) {
            const struct state_key *key = state_get(state, STATE_KEYS, row->key, row->n_key, NULL);
            /* Counted once: in the topmost state that holds the row. */
            if ((const void *)key == (const void *)row->value &&
                key->role == TIMEBANK__ROLE__STEWARD && key->revoked == 0)
                n++;
        }
    return n;
}

int rules_keys_revoke(struct rule *rule) {
    const ProtobufCBinaryData *bytes = &rule->order->revoke_key->key;
    const struct state_key *key;
    void *value;
    int r = 0;

    key = state_get(rule->state, STATE_KEYS, bytes->data, bytes->len, &r);
    if (!key || key->revoked)
        return r < 0 ? r : rule_refuse(rule, REFUSAL_NO_SUCH_KEY, "key", NULL);
    if (key->role == TIMEBANK__ROLE__STEWARD && count_stewards(rule->state) == 1)
        return rule_refuse(rule, REFUSAL_LAST_STEWARD, "key", NULL);
    r = state_edit(rule->state, STATE_KEYS, bytes->data, bytes->len, &value);
    if (r < 0)
        return r;
    ((struct state_key *)value)->revoked = rule->index;
    return 0;
}
