/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a key acts for: its own account, or one for which its account holds a mandate, from its
 * first day to its last. Such an entry says so in its authority, beside the key. Nobody credits
 * themselves out of an account they look after, and nothing of the register is done by mandate.
 */
#include <string.h>

#include "base/bytes.h"
#include "rules.h"

#define FIRST_REGISTER_KIND 64

static void mandate_key(const struct state_account *holder, const struct state_account *ward,
                        uint8_t ret[16]) {
    be64_put(ret, holder->number);
    be64_put(ret + 8, ward->number);
}

static const struct state_mandate *find(struct state *state, const char *holder_code,
                                        const char *ward_code) {
    const struct state_account *holder, *ward;
    uint8_t key[16];

    if (!state_has_any(state, STATE_MANDATES))
        return NULL;
    holder = state_account(state, holder_code);
    ward = state_account(state, ward_code);
    if (!holder || !ward)
        return NULL;
    mandate_key(holder, ward, key);
    return state_get(state, STATE_MANDATES, key, sizeof(key), NULL);
}

/* Whose own account is frozen or closed acts for nobody. */
static bool is_in_force(struct state *state, const struct state_mandate *mandate,
                        const char *holder, uint32_t today) {
    const struct state_account *account = state_account(state, holder);

    return account->standing == STANDING_OPEN && today >= mandate->from_day &&
           (mandate->to_day == 0 || today <= mandate->to_day);
}

bool rules_mandate_holds(struct state *state, const char *holder, const char *ward,
                         uint32_t today) {
    const struct state_mandate *mandate = find(state, holder, ward);

    return mandate && is_in_force(state, mandate, holder, today);
}

bool rules_mandate_is_guardian(struct rule *rule, const char *code) {
    const struct ledger_author *author = rule->batch->author;
    const struct state_mandate *mandate = find(rule->state, author->account, code);

    return author->role == TIMEBANK__ROLE__ROLE_MEMBER && mandate &&
           mandate->kind == TIMEBANK__MANDATE_KIND__GUARDIAN &&
           is_in_force(rule->state, mandate, author->account, rule->today);
}

int rules_mandate_check_author(struct rule *rule, const char *code, const char *field) {
    const struct ledger_author *author = rule->batch->author;
    const Timebank__Order *order = rule->order;
    bool claims = order->authority == TIMEBANK__AUTHORITY__BY_GUARDIAN;
    const struct state_mandate *mandate = NULL;

    if (*author->account && strcmp(code, author->account) == 0)
        return claims ? rule_refuse(rule, REFUSAL_WRONG_AUTHORITY, "authority", NULL) : 0;
    if (author->role == TIMEBANK__ROLE__ROLE_MEMBER && order->kind_case < FIRST_REGISTER_KIND)
        mandate = find(rule->state, author->account, code);
    if (!mandate)
        return rule_refuse(rule, REFUSAL_NO_AUTHORITY, field,
                           "This key acts for %s only: ask a broker.", author->account);
    if (!is_in_force(rule->state, mandate, author->account, rule->today))
        return rule_refuse(rule, REFUSAL_MANDATE_OVER, field, NULL);
    if (strcmp(order->from, code) == 0 && strcmp(order->to, author->account) == 0)
        return rule_refuse(rule, REFUSAL_OWN_HOURS, "to",
                           "Who acts for somebody takes no credits from them: ask a broker to "
                           "enter this.");
    return claims ? 0 : rule_refuse(rule, REFUSAL_WRONG_AUTHORITY, "authority", NULL);
}

static int check_set(struct rule *rule, const struct state_account *holder,
                     const struct state_account *ward) {
    const Timebank__SetMandate *set = rule->order->set_mandate;
    const char *own = rule->batch->author->account;

    if (set->kind < TIMEBANK__MANDATE_KIND__CARER || set->kind > TIMEBANK__MANDATE_KIND__FOR_BROKER)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, "mandate_kind", NULL);
    if (!holder)
        return rule_refuse(rule, REFUSAL_NO_SUCH_ACCOUNT, "holder", NULL);
    if (holder->kind != TIMEBANK__ACCOUNT_KIND__MEMBER)
        return rule_refuse(rule, REFUSAL_WRONG_KIND, "holder",
                           "Only a member holds a mandate: name their code.");
    if (holder == ward)
        return rule_refuse(rule, REFUSAL_SAME_ACCOUNT, "holder", NULL);
    if (holder->standing == STANDING_CLOSED || ward->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_CLOSED,
                           holder->standing == STANDING_CLOSED ? "holder" : "to", NULL);
    if (*own && (strcmp(own, holder->code) == 0 || strcmp(own, ward->code) == 0))
        return rule_refuse(rule, REFUSAL_PARTY, "holder", NULL);
    if (set->from_day == 0 || (set->to_day != 0 && set->to_day < set->from_day))
        return rule_refuse(rule, REFUSAL_BAD_DATE, "from_day",
                           "A mandate has a first day, and no last day before it: check both.");
    return 0;
}

int rules_mandate_set(struct rule *rule) {
    const Timebank__SetMandate *set = rule->order->set_mandate;
    const struct state_account *ward = state_account(rule->state, rule->order->to);
    const struct state_account *holder = state_account(rule->state, set->holder);
    struct state_mandate *mandate;
    uint8_t key[16];
    void *value;
    int r = check_set(rule, holder, ward);

    if (r != 0)
        return r;
    mandate_key(holder, ward, key);
    r = state_make(rule->state, STATE_MANDATES, key, sizeof(key), &value);
    if (r < 0)
        return r;
    mandate = value;
    mandate->kind = (uint8_t)set->kind;
    mandate->from_day = set->from_day;
    mandate->to_day = set->to_day;
    mandate->set_by = rule->index;
    return 0;
}
