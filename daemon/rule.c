/* SPDX-License-Identifier: Apache-2.0 */
/* What the families of rules ask of the order being judged. */
#include <inttypes.h>
#include <stdio.h>

#include "rules.h"

bool rule_is_history(const struct rule *rule) {
    return rule->order->source == TIMEBANK__SOURCE__HISTORY;
}

bool rule_is_broker(const struct rule *rule) {
    return (ROLE_BIT(rule->batch->author->role) & BROKERS) != 0;
}

bool rule_overrides(const struct rule *rule, uint32_t what) {
    return (rule->order->override & what) != 0;
}

void rule_look_ahead(struct rule *rule, const struct rules_ahead *ahead) {
    rule->ahead = ahead;
    for (size_t side = 0; side < 2 && rule->order; side++)
        if (ahead->sides[side]) {
            rule->sides[side].code = side == 0 ? rule->order->from : rule->order->to;
            rule->sides[side].account = ahead->sides[side];
        }
}

const struct state_account *rule_account(struct rule *rule, const char *code) {
    size_t side = code == rule->order->from ? 0 : 1;
    const struct state_account *account;

    if (rule->state->below || (side == 1 && code != rule->order->to))
        return state_account(rule->state, code);
    if (rule->sides[side].code == code)
        return rule->sides[side].account;
    account = state_account(rule->state, code);
    if (account) {
        rule->sides[side].code = code;
        rule->sides[side].account = account;
    }
    return account;
}

const struct ledger_policies *rule_policies(struct rule *rule) {
    struct ledger_policies *policies = &rule->batch->policies;

    if (!policies->is_read)
        ledger_policies_read(rule->state, policies);
    return policies;
}

void rule_policies_changed(struct rule *rule) {
    rule->batch->policies.is_read = false;
}

uint64_t rule_entry(const struct rule *rule) {
    return rule->is_settling ? rule->proposed : rule->index;
}

const char *rule_entry_words(uint64_t index, bool begins, char ret[RULE_ENTRY_WORDS_BYTES]) {
    if (index >= LEDGER_DRY_BEGIN)
        snprintf(ret, RULE_ENTRY_WORDS_BYTES, "%s", begins ? "The entry" : "the entry");
    else
        snprintf(ret, RULE_ENTRY_WORDS_BYTES, "%s %" PRIu64, begins ? "Entry" : "entry", index);
    return ret;
}

int rule_apply(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    bool spends = rule->kind->traits & SPENDS && *order->from;
    int r = rule->is_settling ? rules_safeguard_check_sides(rule) : 0;

    if (r == 0 && spends)
        r = rules_limits_check(rule, order->from, order->minutes);
    if (r == 0)
        r = rule->kind->apply(rule);
    if (r == 0 && spends)
        r = rules_limits_note(rule, order->from, order->minutes);
    if (r == 0 && rule->kind->traits & COUNTS)
        rule->state->sums.n_entries++;
    return r == 0 ? rules_period_note_late(rule) : r;
}
