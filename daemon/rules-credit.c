/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds that move credits and are never service: gift, donate, grant, issue. */
#include <string.h>

#include "rules.h"

int rules_credit_move(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    int r = rules_move_check(rule, order->from, order->to, order->minutes);

    return r == 0 ? rules_move(rule, order->from, order->to, order->minutes) : r;
}

int rules_credit_grant(struct rule *rule) {
    return rules_credit_move(rule);
}

int rules_credit_issue(struct rule *rule) {
    const Timebank__Issue *issue = rule->order->issue;
    int r = 0;

    if (!code_text_is_valid(issue->programme, NAME_MAX_BYTES) ||
        !code_text_is_valid(issue->reference, NAME_MAX_BYTES))
        return rule_refuse(rule, REFUSAL_BAD_TEXT, "issue", NULL);
    if (*issue->funder &&
        !state_get(rule->state, STATE_FUNDERS, issue->funder, strlen(issue->funder), &r))
        return r < 0 ? r
                     : rule_refuse(rule, REFUSAL_UNKNOWN_FUNDER, "funder",
                                   "There is no funder %s: check the spelling, or add it with "
                                   "timebank funder add.",
                                   issue->funder);
    r = rules_period_check_programme(rule);
    return r == 0 ? rules_credit_move(rule) : r;
}
