/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two accounts of one person become one: the balance moves by a visible entry, whichever way it
 * stands, the one that ends is closed and names the one that goes on. Its history stays where it
 * is. An unmerge moves the same minutes back and opens it again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/hours.h"
#include "rules.h"

static const struct state_account *account_by_number(struct state *state, uint64_t number) {
    const struct state *s = state;
    const char *code;

    while (s->below)
        s = s->below;
    /* A merge is of two accounts that are there: in the lowest state, or opened with this batch. */
    if (number < s->n_accounts_allocated && s->accounts[number]) {
        code = s->accounts[number]->code;
        return state_account(state, code);
    }
    for (s = state; s->below; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_ACCOUNTS], NULL); row;
             row = rows_next(&s->tables[STATE_ACCOUNTS], row))
            if (((const struct state_account *)row->value)->number == number)
                return state_get(state, STATE_ACCOUNTS, row->key, row->n_key, NULL);
    return NULL;
}

const struct state_account *rules_merge_survivor(struct state *state,
                                                 const struct state_account *account) {
    while (account && account->merged_into)
        account = account_by_number(state, account->merged_into - 1);
    return account;
}

static int edit_account(struct rule *rule, const char *code, struct state_account **ret) {
    void *value;
    int r = state_edit(rule->state, STATE_ACCOUNTS, code, strlen(code), &value);

    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    *ret = value;
    return 0;
}

static struct rules_legs legs_of(struct rule *rule, const char *from, const char *to,
                                 int64_t balance) {
    struct rules_legs legs = {0};

    rules_legs_add(rule, &legs, from, -balance, 0);
    rules_legs_add(rule, &legs, to, balance, 0);
    return legs;
}

static int check_open(struct rule *rule, const struct state_account *account, const char *field) {
    if (account->standing == STANDING_CLOSED)
        return rule_refuse(rule, account->merged_into ? REFUSAL_MERGED : REFUSAL_CLOSED, field,
                           "%s is closed: check the code.", account->code);
    if (account->standing == STANDING_FROZEN)
        return rule_refuse(rule, REFUSAL_FROZEN, field, "%s is frozen: thaw it first.",
                           account->code);
    return 0;
}

/* What two accounts of a broker's would become is for another broker. */
static int check_party(struct rule *rule, const char *from, const char *to) {
    const char *own = rule->batch->author->account;

    if (*own == '\0' || (strcmp(own, from) != 0 && strcmp(own, to) != 0))
        return 0;
    return rule_refuse(rule, REFUSAL_PARTY, "to", NULL);
}

static int check_balance(struct rule *rule, const struct state_account *from) {
    char text[32];

    if (rule->order->merge->balance == from->balance)
        return 0;
    hours_format(from->balance, text);
    return rule_refuse(rule, REFUSAL_BALANCE_MOVED, "balance",
                       "%s stands at %s by now: look at it and enter this again.", from->code,
                       text);
}

static int check(struct rule *rule, const struct state_account *from,
                 const struct state_account *to) {
    int r;

    if (from->kind != to->kind)
        return rule_refuse(rule, REFUSAL_WRONG_KIND, "to",
                           "Two accounts of one kind are merged: check the codes.");
    r = check_open(rule, from, "from");
    if (r == 0)
        r = check_open(rule, to, "to");
    if (r == 0)
        r = check_party(rule, from->code, to->code);
    if (r == 0)
        r = check_balance(rule, from);
    return r == 0 ? rules_leave_check_waits(rule, from, 0, "from") : r;
}

/* What the one owes, the other owes from now on; the one remembers it for an unmerge. */
static int close_into(struct rule *rule, const char *from_code, const char *to_code) {
    struct state_account *from = NULL, *to = NULL;
    int r = edit_account(rule, from_code, &from);

    if (r == 0)
        r = edit_account(rule, to_code, &to);
    if (r < 0)
        return r;
    from->standing = STANDING_CLOSED;
    from->merged_into = to->number + 1;
    from->leaving_day = 0;
    to->owed_minutes += from->owed_minutes;
    r = rules_leave_end(rule, from, to_code);
    return r == 0 ? rules_safeguard_carry_over(rule, from_code, to_code) : r;
}

int rules_merge(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const struct state_account *from = state_account(rule->state, order->from);
    const struct state_account *to = state_account(rule->state, order->to);
    struct rules_legs legs;
    int r = check(rule, from, to);

    if (r != 0)
        return r;
    legs = legs_of(rule, order->from, order->to, from->balance);
    r = rules_legs_check(rule, &legs);
    if (r == 0)
        r = rules_legs_post(rule, &legs);
    return r == 0 ? close_into(rule, order->from, order->to) : r;
}

static int find_merge(struct rule *rule, const Timebank__Order **ret) {
    const ProtobufCBinaryData *target = &rule->order->unmerge->target;
    const struct state_account *from, *to;
    const struct state_id *id = NULL;
    uint64_t received_at_ms;
    int r = 0;

    if (target->len == ORDER_ID_BYTES)
        id = state_get(rule->state, STATE_IDS, target->data, target->len, &r);
    if (!id)
        return r < 0 ? r : rule_refuse(rule, REFUSAL_NO_SUCH_ENTRY, "target", NULL);
    r = rules_pending_order(rule, id->entry, ret, &received_at_ms);
    if (r < 0)
        return r;
    if ((*ret)->kind_case != TIMEBANK__ORDER__KIND_MERGE)
        return rule_refuse(rule, REFUSAL_NOT_MERGED, "target", NULL);
    from = state_account(rule->state, (*ret)->from);
    to = state_account(rule->state, (*ret)->to);
    if (from->merged_into != to->number + 1)
        return rule_refuse(rule, REFUSAL_NOT_MERGED, "target", NULL);
    return 0;
}

static int open_again(struct rule *rule, const Timebank__Order *merge) {
    struct state_account *from = NULL, *to = NULL;
    int r = edit_account(rule, merge->from, &from);

    if (r == 0)
        r = edit_account(rule, merge->to, &to);
    if (r < 0)
        return r;
    from->standing = STANDING_OPEN;
    from->merged_into = 0;
    from->owed_minutes = MIN_OF(from->owed_minutes, to->owed_minutes);
    to->owed_minutes -= from->owed_minutes;
    return 0;
}

int rules_merge_undo(struct rule *rule) {
    const struct state_account *from;
    const Timebank__Order *merge = NULL;
    struct rules_legs legs;
    int r = find_merge(rule, &merge);

    if (r != 0)
        return r;
    from = state_account(rule->state, merge->from);
    if (from->is_erased)
        return rule_refuse(rule, REFUSAL_ERASED, "target", NULL);
    r = check_open(rule, state_account(rule->state, merge->to), "target");
    if (r == 0)
        r = check_party(rule, merge->from, merge->to);
    if (r != 0)
        return r;
    legs = legs_of(rule, merge->to, merge->from, merge->merge->balance);
    r = rules_legs_check(rule, &legs);
    if (r == 0)
        r = rules_legs_post(rule, &legs);
    return r == 0 ? open_again(rule, merge) : r;
}
