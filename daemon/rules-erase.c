/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody is to be forgotten: an account that is closed and empty, or a person who is gone from a
 * household. The ledger keeps the order and nothing else of it; what the register of people holds
 * of them is destroyed when the order is durable (erasing.c), and at every start as long as it is
 * not.
 */
#include <errno.h>
#include <string.h>

#include "rules.h"

static int check_account(struct rule *rule, const struct state_account *account) {
    if (account->standing != STANDING_CLOSED || account->balance != 0 || account->held != 0)
        return rule_refuse(rule, REFUSAL_NOT_EMPTY, "to",
                           "%s is not closed: settle it first, with timebank account settle.",
                           account->code);
    return 0;
}

static int erase_account(struct rule *rule) {
    const char *code = rule->order->to;
    void *value;
    int r = check_account(rule, state_account(rule->state, code));

    if (r != 0)
        return r;
    r = state_edit(rule->state, STATE_ACCOUNTS, code, strlen(code), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    ((struct state_account *)value)->is_erased = true;
    return 0;
}

static int erase_person(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const struct state_person *person = rules_person_find(rule, order->to, order->to_person);

    if (person && person->is_erased)
        return rule_refuse(rule, REFUSAL_ERASED, "to_person",
                           "That person was erased before: nothing to do.");
    if (!person)
        return rule_refuse(rule, REFUSAL_UNKNOWN_PERSON, "to_person", NULL);
    if (!person->is_gone)
        return rule_refuse(rule, REFUSAL_NOT_EMPTY, "to_person",
                           "%s/%s is still one of the household: take them out first, with "
                           "timebank person leave.",
                           order->to, order->to_person);
    return rules_person_erase(rule, order->to, order->to_person);
}

int rules_erase(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    int r;

    if (order->note.len > 0)
        return rule_refuse(rule, REFUSAL_REASON_NOT_KEPT, "note", NULL);
    r = *order->to_person ? erase_person(rule) : erase_account(rule);
    if (r == 0)
        rule->state->sums.n_erasures++;
    return r;
}
