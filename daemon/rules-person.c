/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The persons of an account: a household has several, and every entry names the one who acts. What
 * names them is a number or a letter, for names do not belong in the ledger; the first one is "1",
 * and is the only person of an account of which nothing was said. Who is under 18 enters for
 * themselves as the policy under-18 says.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rules.h"

#define FIRST_PERSON "1"
#define PERSON_DIGITS_MAX 3
#define PERSON_KEY_BYTES (CODE_MAX + 1 + 1 + PERSON_DIGITS_MAX + 1)

/* One letter, or a number, or both. */
static bool is_person(const char *person) {
    size_t n_letters = *person >= 'a' && *person <= 'z';
    size_t n_digits = strspn(person + n_letters, "0123456789");

    return n_letters + n_digits > 0 && n_digits <= PERSON_DIGITS_MAX &&
           person[n_letters + n_digits] == '\0';
}

static size_t person_key(const char *code, const char *person, char ret[PERSON_KEY_BYTES]) {
    const char *name = strcmp(person, FIRST_PERSON) == 0 ? "" : person;

    return (size_t)snprintf(ret, PERSON_KEY_BYTES, "%s/%s", code, name);
}

static const struct state_person *person_row(struct rule *rule, const char *code,
                                             const char *person) {
    char key[PERSON_KEY_BYTES];
    size_t n = person_key(code, person, key);

    return state_get(rule->state, STATE_PERSONS, key, n, NULL);
}

static bool is_there(struct rule *rule, const char *code, const char *person) {
    const struct state_person *row = person_row(rule, code, person);
    bool is_first = strcmp(person, FIRST_PERSON) == 0 || *person == '\0';

    return row ? !row->is_gone : is_first;
}

static size_t count_persons(struct rule *rule, const struct state_account *account) {
    return account->n_persons + (is_there(rule, account->code, FIRST_PERSON) ? 1 : 0);
}

/* ---- the kind set-person */

static int check_set(struct rule *rule, const struct state_account *account) {
    const Timebank__SetPerson *set = rule->order->set_person;
    const struct state_person *row;

    if (*set->person && !is_person(set->person))
        return rule_refuse(rule, REFUSAL_BAD_TEXT, "person",
                           "Names do not belong in the ledger: call a person of a household by a "
                           "number or a letter, as 2 or b.");
    if (account->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_CLOSED, "to", NULL);
    row = person_row(rule, account->code, set->person);
    if (row && row->is_erased)
        return rule_refuse(rule, REFUSAL_ERASED, "person",
                           "That person was erased: add them under another number.");
    if (!set->gone)
        return 0;
    if (!is_there(rule, account->code, set->person))
        return rule_refuse(rule, REFUSAL_UNKNOWN_PERSON, "person", NULL);
    if (count_persons(rule, account) == 1)
        return rule_refuse(rule, REFUSAL_NOT_LEAVING, "person",
                           "Nobody would be left in %s: begin with timebank account leave.",
                           account->code);
    return 0;
}

/* The first one is not counted in the account's row. */
static int count_anew(struct rule *rule, bool was_there) {
    const Timebank__Order *order = rule->order;
    struct state_account *account;
    void *value;
    int r;

    if (*order->set_person->person == '\0' ||
        strcmp(order->set_person->person, FIRST_PERSON) == 0 ||
        was_there == !order->set_person->gone)
        return 0;
    r = state_edit(rule->state, STATE_ACCOUNTS, order->to, strlen(order->to), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    account = value;
    account->n_persons = was_there ? account->n_persons - 1 : account->n_persons + 1;
    return 0;
}

int rules_person_set(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const Timebank__SetPerson *set = order->set_person;
    const struct state_account *account = state_account(rule->state, order->to);
    struct state_person *person;
    char key[PERSON_KEY_BYTES];
    bool was_there;
    void *value;
    int r = check_set(rule, account);

    if (r != 0)
        return r;
    was_there = is_there(rule, order->to, set->person);
    r = state_make(rule->state, STATE_PERSONS, key, person_key(order->to, set->person, key),
                   &value);
    if (r < 0)
        return r;
    person = value;
    person->is_minor = set->minor != 0;
    person->is_gone = set->gone != 0;
    person->set_by = rule->index;
    return count_anew(rule, was_there);
}

int rules_person_erase(struct rule *rule, const char *code, const char *person) {
    char key[PERSON_KEY_BYTES];
    struct state_person *row;
    void *value;
    int r = state_make(rule->state, STATE_PERSONS, key, person_key(code, person, key), &value);

    if (r < 0)
        return r;
    row = value;
    *row = (struct state_person){.is_gone = true, .is_erased = true, .set_by = rule->index};
    return 0;
}

const struct state_person *rules_person_find(struct rule *rule, const char *code,
                                             const char *person) {
    return is_person(person) ? person_row(rule, code, person) : NULL;
}

/* ---- what an order names */

int rules_person_check(struct rule *rule, const char *code, const char *person, const char *field) {
    const struct state_account *account;

    if (*person == '\0' && !state_has_any(rule->state, STATE_PERSONS))
        return 0;
    account = rule_account(rule, code);
    if (*person == '\0') {
        if (!account || account->n_persons == 0 || rule_is_history(rule) ||
            count_persons(rule, account) == 1)
            return 0;
        return rule_refuse(rule, REFUSAL_NAME_THE_PERSON, field,
                           "Several persons share %s: name the one, as %s/2.", code, code);
    }
    if (account && account->kind == TIMEBANK__ACCOUNT_KIND__MEMBER && is_person(person) &&
        is_there(rule, code, person))
        return 0;
    return rule_refuse(
        rule, REFUSAL_UNKNOWN_PERSON, field, "%s has no person %s: check the number, or %s.", code,
        person, rule_is_broker(rule) ? "add it with timebank person add" : "see the coordinator");
}

/* Of a household of which only one is left, that one. */
static const struct state_person *only_person(struct rule *rule, const char *code) {
    size_t n_code = strlen(code);

    for (const struct state *s = rule->state; s; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_PERSONS], NULL); row;
             row = rows_next(&s->tables[STATE_PERSONS], row)) {
            const struct state_person *person;
            if (row->n_key <= n_code || memcmp(row->key, code, n_code) != 0 ||
                row->key[n_code] != '/')
                continue;
            person = state_get(rule->state, STATE_PERSONS, row->key, row->n_key, NULL);
            if (!person->is_gone)
                return person;
        }
    return NULL;
}

static bool is_minor(struct rule *rule, const char *code, const char *person) {
    const struct state_person *row = person_row(rule, code, person);

    if (*person == '\0' && row && row->is_gone)
        row = only_person(rule, code);
    return row && row->is_minor;
}

int rules_person_check_author(struct rule *rule, const char *code, const char *person) {
    const char *policy;
    bool by_guardian;

    if (rule_is_broker(rule) || !state_has_any(rule->state, STATE_PERSONS) ||
        !is_minor(rule, code, person))
        return 0;
    policy = state_policy(rule->state, "under-18");
    if (strcmp(policy, "allow") == 0)
        return 0;
    if (strcmp(policy, "refuse") == 0)
        return rule_refuse(rule, REFUSAL_NEEDS_GUARDIAN, "",
                           "A broker enters for somebody under 18 here: ask one.");
    by_guardian = rules_mandate_is_guardian(rule, code);
    return by_guardian ? 0 : rule_refuse(rule, REFUSAL_NEEDS_GUARDIAN, "", NULL);
}

int rules_person_check_sides(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    const struct ledger_author *author = rule->batch->author;
    int r = 0;

    if (!(rule->kind->fields & USES_PERSONS))
        return 0;
    if (*order->from || *order->from_person)
        r = rules_person_check(rule, order->from, order->from_person, "from_person");
    if (r == 0)
        r = rules_person_check(rule, order->to, order->to_person, "to_person");
    if (r != 0 || author->role != TIMEBANK__ROLE__ROLE_MEMBER)
        return r;
    return rules_agree_acts_for(rule, order->from)
               ? rules_person_check_author(rule, order->from, order->from_person)
               : rules_person_check_author(rule, order->to, order->to_person);
}
