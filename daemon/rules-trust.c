/* SPDX-License-Identifier: Apache-2.0 */
/* Whose claims a receiver accepts at once: their own list, or one that a broker keeps for them. */
#include <string.h>

#include "base/bytes.h"
#include "rules.h"

#define KEY_BYTES 16

static bool trust_key(struct rule *rule, const char *receiver, const char *giver,
                      uint8_t ret[KEY_BYTES]) {
    const struct state_account *first = state_account(rule->state, receiver);
    const struct state_account *second = state_account(rule->state, giver);

    if (!first || !second)
        return false;
    be64_put(ret, first->number);
    be64_put(ret + 8, second->number);
    return true;
}

bool rules_trust_is_trusted(struct rule *rule, const char *receiver, const char *giver) {
    const struct state_trust *trust;
    uint8_t key[KEY_BYTES];

    if (!trust_key(rule, receiver, giver, key))
        return false;
    trust = state_get(rule->state, STATE_TRUSTS, key, sizeof(key), NULL);
    return trust && !trust->is_ended;
}

int rules_trust_set(struct rule *rule) {
    const Timebank__SetTrust *set = rule->order->set_trust;
    const struct state_account *giver = state_account(rule->state, set->giver);
    struct state_trust *trust;
    uint8_t key[KEY_BYTES];
    void *value;
    int r;

    if (!giver)
        return rule_refuse(rule, REFUSAL_NO_SUCH_ACCOUNT, "giver",
                           "There is no account %s: check the code of the giver.", set->giver);
    if (giver->kind != TIMEBANK__ACCOUNT_KIND__MEMBER)
        return rule_refuse(rule, REFUSAL_WRONG_KIND, "giver",
                           "%s is no member: only members give time; check the code.", giver->code);
    if (strcmp(set->giver, rule->order->to) == 0)
        return rule_refuse(rule, REFUSAL_SAME_ACCOUNT, "giver", NULL);
    if (!set->ended && rule_is_broker(rule) && rules_agree_is_own(rule, set->giver))
        return rule_refuse(rule, REFUSAL_OWN_HOURS, "giver",
                           "A broker's own hours are for the receiver or another broker to trust: "
                           "ask one.");
    trust_key(rule, rule->order->to, set->giver, key);
    r = state_make(rule->state, STATE_TRUSTS, key, sizeof(key), &value);
    if (r < 0)
        return r;
    trust = value;
    trust->is_ended = set->ended ? 1 : 0;
    trust->set_by = rule->index;
    return 0;
}
