/* SPDX-License-Identifier: Apache-2.0 */
/* What the families of rules ask of the order being judged. */
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
