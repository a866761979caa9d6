/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Safeguarding holds, on one account or between two: everybody who enters something there is told
 * to see the coordinator, and nothing more. No reason is kept; who lifts a hold leaves it in the
 * log that it was set and lifted. History passes, for it happened.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "rules.h"

/* The same account twice is a hold on it alone. */
static void pair_key(uint64_t a, uint64_t b, uint8_t ret[16]) {
    be64_put(ret, MIN_OF(a, b));
    be64_put(ret + 8, MAX_OF(a, b));
}

static bool is_held(struct state *state, const struct state_account *a,
                    const struct state_account *b) {
    const struct state_safeguard *row;
    uint8_t key[16];

    pair_key(a->number, b->number, key);
    row = state_get(state, STATE_SAFEGUARDS, key, sizeof(key), NULL);
    return row && !row->is_lifted;
}

int rules_safeguard_check(struct rule *rule, const char *first, const char *second) {
    const struct state_account *a, *b;

    if (!state_has_any(rule->state, STATE_SAFEGUARDS) || rule_is_history(rule))
        return 0;
    a = *first ? rule_account(rule, first) : NULL;
    b = *second ? rule_account(rule, second) : NULL;
    if ((a && is_held(rule->state, a, a)) || (b && is_held(rule->state, b, b)) ||
        (a && b && is_held(rule->state, a, b)))
        return rule_refuse(rule, REFUSAL_SEE_COORDINATOR, "", NULL);
    return 0;
}

/* Where somebody acts, spends, or is handed what a voucher is worth. */
int rules_safeguard_check_sides(struct rule *rule) {
    if (!(rule->kind->fields & USES_PERSONS) && !(rule->kind->traits & SPENDS) &&
        rule->kind->number != TIMEBANK__ORDER__KIND_REDEEM_VOUCHER)
        return 0;
    return rules_safeguard_check(rule, rule->order->from, rule->order->to);
}

int rules_safeguard_set(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const Timebank__Safeguard *set = order->safeguard;
    const struct state_account *account = state_account(rule->state, order->to), *other = account;
    const char *own = rule->batch->author->account;
    struct state_safeguard *row;
    uint8_t key[16];
    void *value;
    int r;

    if (order->note.len > 0)
        return rule_refuse(rule, REFUSAL_REASON_NOT_KEPT, "note", NULL);
    if (*set->other)
        other = state_account(rule->state, set->other);
    if (!other)
        return rule_refuse(rule, REFUSAL_NO_SUCH_ACCOUNT, "other", NULL);
    if (*set->other && other == account)
        return rule_refuse(rule, REFUSAL_SAME_ACCOUNT, "other", NULL);
    if (other->kind >= TIMEBANK__ACCOUNT_KIND__CHEST)
        return rule_refuse(rule, REFUSAL_BANK_ACCOUNT, "other",
                           "That is not somebody who could be kept apart: check the code.");
    if (*own && (strcmp(own, order->to) == 0 || strcmp(own, other->code) == 0))
        return rule_refuse(rule, REFUSAL_PARTY, "to", NULL);
    if (set->lifted && !is_held(rule->state, account, other))
        return rule_refuse(rule, REFUSAL_NO_SUCH_ENTRY, "other",
                           "There is no such hold: see timebank safeguard list.");
    pair_key(account->number, other->number, key);
    r = state_make(rule->state, STATE_SAFEGUARDS, key, sizeof(key), &value);
    if (r < 0)
        return r;
    row = value;
    row->is_lifted = set->lifted != 0;
    row->set_by = rule->index;
    return 0;
}

static int carry_over(struct rule *rule, const struct row *row, uint64_t from, uint64_t to) {
    uint64_t a = be64_get(row->key), b = be64_get(row->key + 8);
    const struct state_safeguard *held =
        state_get(rule->state, STATE_SAFEGUARDS, row->key, row->n_key, NULL);
    uint8_t key[16];
    void *value;
    int r;

    if ((a != from && b != from) || held->is_lifted || (a != b && (a == to || b == to)))
        return 0; /* of others, or between the two that are one now */
    pair_key(a == from ? to : a, b == from ? to : b, key);
    r = state_make(rule->state, STATE_SAFEGUARDS, key, sizeof(key), &value);
    if (r < 0)
        return r;
    *(struct state_safeguard *)value = (struct state_safeguard){.set_by = rule->index};
    return 0;
}

/* Rows are added to the topmost table, so that it is not the one walked: what it holds is gathered
 * first. */
int rules_safeguard_carry_over(struct rule *rule, const char *from, const char *to) {
    uint64_t from_number = state_account(rule->state, from)->number;
    uint64_t to_number = state_account(rule->state, to)->number;
    const struct row **held;
    size_t n = 0, at = 0;
    int r = 0;

    for (const struct state *s = rule->state; s; s = s->below)
        n += s->tables[STATE_SAFEGUARDS].n_rows;
    held = arena_alloc(rule->arena, (n + 1) * sizeof(const struct row *));
    if (!held)
        return -ENOMEM;
    for (const struct state *s = rule->state; s; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_SAFEGUARDS], NULL); row;
             row = rows_next(&s->tables[STATE_SAFEGUARDS], row))
            held[at++] = row;
    for (size_t i = 0; i < at && r == 0; i++)
        r = carry_over(rule, held[i], from_number, to_number);
    return r;
}
