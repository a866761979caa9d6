/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaving: the choice made before of where the credits go, the days to spend them, and the
 * settlement that closes the account. A balance goes whole to who was chosen (else as the policy
 * leave-to says; an organisation's allotment goes back, a venue's takings are retired), a debt and
 * what is owed of advances is met by write-offs. Nothing may be on its way any more. A settlement
 * is not reversed: what was settled wrongly is given anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "rules.h"

#define LEAVE_DAYS_MAX 3660

static const char chest[] = "chest", expired[] = "expired", write_offs[] = "write-offs";

/* ---- the choice */

static const struct state_choice *choice_of(struct state *state,
                                            const struct state_account *account) {
    uint8_t key[8];

    be64_put(key, account->number);
    return state_get(state, STATE_CHOICES, key, sizeof(key), NULL);
}

static int make_choice(struct rule *rule, const struct state_account *account,
                       struct state_choice **ret) {
    uint8_t key[8];
    void *value;
    int r;

    be64_put(key, account->number);
    r = state_make(rule->state, STATE_CHOICES, key, sizeof(key), &value);
    if (r == 0)
        *ret = value;
    return r;
}

static int check_heir(struct rule *rule, const struct state_account *account, const char *heir) {
    const struct state_account *chosen;

    if (*heir == '\0' || strcmp(heir, chest) == 0 || strcmp(heir, expired) == 0)
        return 0;
    chosen = state_account(rule->state, heir);
    if (!chosen)
        return rule_refuse(rule, REFUSAL_NO_SUCH_ACCOUNT, "heir", NULL);
    if (chosen->kind != TIMEBANK__ACCOUNT_KIND__MEMBER)
        return rule_refuse(rule, REFUSAL_WRONG_KIND, "heir",
                           "Credits that are left go to a member, to chest or to expired: choose "
                           "one of them.");
    if (chosen == account)
        return rule_refuse(rule, REFUSAL_SAME_ACCOUNT, "heir", NULL);
    return chosen->standing == STANDING_CLOSED ? rule_refuse(rule, REFUSAL_CLOSED, "heir", NULL)
                                               : 0;
}

int rules_leave_choose(struct rule *rule) {
    const char *heir = rule->order->set_choice->heir, *own = rule->batch->author->account;
    const struct state_account *account = state_account(rule->state, rule->order->to);
    struct state_choice *choice = NULL;
    int r = 0;

    if (account->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_CLOSED, "to", NULL);
    if (rule_is_broker(rule) && *own && strcmp(heir, own) == 0)
        return rule_refuse(rule, REFUSAL_OWN_HOURS, "heir", NULL);
    r = check_heir(rule, account, heir);
    if (r == 0)
        r = rules_person_check_author(rule, account->code, "");
    if (r == 0)
        r = make_choice(rule, account, &choice);
    if (r == 0)
        snprintf(choice->heir, sizeof(choice->heir), "%s", heir);
    return r;
}

/* Who was chosen and is there no more leaves it to the policy. */
static const char *member_heir(struct state *state, const struct state_account *account) {
    const struct state_choice *choice = choice_of(state, account);
    const struct state_account *heir;

    if (choice && (strcmp(choice->heir, chest) == 0 || strcmp(choice->heir, expired) == 0))
        return choice->heir;
    heir = choice && *choice->heir ? state_account(state, choice->heir) : NULL;
    heir = heir ? rules_merge_survivor(state, heir) : NULL;
    if (heir && heir != account && heir->standing != STANDING_CLOSED)
        return heir->code;
    return strcmp(state_policy(state, "leave-to"), expired) == 0 ? expired : chest;
}

const char *rules_leave_heir(struct state *state, const struct state_account *account) {
    if (account->balance < 0)
        return write_offs;
    switch (account->kind) {
    case TIMEBANK__ACCOUNT_KIND__ORGANISATION:
        return "issued";
    case TIMEBANK__ACCOUNT_KIND__VENUE:
        return "retired";
    default:
        return member_heir(state, account);
    }
}

/* ---- days to spend */

static int edit_account(struct rule *rule, const char *code, struct state_account **ret) {
    void *value;
    int r = state_edit(rule->state, STATE_ACCOUNTS, code, strlen(code), &value);

    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    *ret = value;
    return 0;
}

/* Ends the pending of a leaving that is still open. */
static int end_pending(struct rule *rule, const struct state_account *account,
                       enum state_outcome outcome) {
    const struct state_choice *choice = choice_of(rule->state, account);
    struct state_pending *pending;
    uint8_t key[8];
    void *value;
    int r;

    if (!choice || choice->leave == 0)
        return 0;
    be64_put(key, choice->leave);
    r = state_edit(rule->state, STATE_PENDINGS, key, sizeof(key), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    pending = value;
    if (!pending->is_over)
        rules_pending_end(rule, pending, outcome);
    return 0;
}

static int stay(struct rule *rule, struct state_account *account) {
    int r;

    if (account->leaving_day == 0)
        return rule_refuse(rule, REFUSAL_NOT_LEAVING, "to",
                           "%s is not leaving: nothing to take back.", account->code);
    r = end_pending(rule, account, OUTCOME_WITHDRAWN);
    if (r == 0)
        account->leaving_day = 0;
    return r;
}

static int begin(struct rule *rule, struct state_account *account, uint32_t until_day) {
    struct state_choice *choice = NULL;
    int r = end_pending(rule, account, OUTCOME_WITHDRAWN); /* another day than before */

    if (r == 0)
        r = make_choice(rule, account, &choice);
    if (r == 0)
        r = rules_pending_open(rule, PENDING_LEAVE, 0, account->code, "",
                               ((uint64_t)until_day + 1) * MS_PER_DAY, rule->index);
    if (r < 0)
        return r;
    choice->leave = rule->index;
    account->leaving_day = until_day;
    return 0;
}

int rules_leave(struct rule *rule) {
    const Timebank__Leave *leave = rule->order->leave;
    uint32_t days = (uint32_t)state_policy_number(rule->state, "leave-days", 0);
    uint32_t until_day = leave->until_day ? leave->until_day : rule->today + days;
    struct state_account *account = NULL;
    int r = rules_person_check_author(rule, rule->order->to, "");

    if (r != 0)
        return r;
    if (state_account(rule->state, rule->order->to)->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_ALREADY_CLOSED, "to", NULL);
    if (!leave->stays && (until_day < rule->today || until_day > rule->today + LEAVE_DAYS_MAX))
        return rule_refuse(rule, REFUSAL_BAD_DATE, "until_day",
                           "The last day to spend lies in the past or too far ahead: check it.");
    r = edit_account(rule, rule->order->to, &account);
    if (r < 0)
        return r;
    return leave->stays ? stay(rule, account) : begin(rule, account, until_day);
}

int rules_leave_plan(struct rule *rule, const struct state_pending *pending,
                     Timebank__EventKind *ret_event, uint64_t *ret_minutes) {
    (void)rule;
    (void)pending;
    *ret_event = TIMEBANK__EVENT_KIND__LEAVE_DUE;
    *ret_minutes = 0;
    return 0;
}

/* A broker settles it now: nothing moves by itself. */
int rules_leave_due(struct rule *rule, struct state_pending *pending) {
    rules_pending_end(rule, pending, OUTCOME_LAPSED);
    return 0;
}

/* ---- what still waits */

struct waiting {
    struct rule *rule;
    const char *code;
    uint32_t but;   /* bits of what may go on waiting */
    uint64_t entry; /* the first that waits, or UINT64_MAX */
};

/* A promise and a leaving end with the account. */
static bool ends_with_it(const struct state_pending *pending) {
    return pending->what == PENDING_PLEDGE || pending->what == PENDING_LEAVE;
}

static int look(void *user, uint64_t key) {
    struct waiting *waiting = user;
    const struct state_pending *pending;
    uint8_t bytes[8];
    int r = 0;

    be64_put(bytes, key);
    pending = state_get(waiting->rule->state, STATE_PENDINGS, bytes, sizeof(bytes), &r);
    if (!pending)
        return r < 0 ? r : -EUCLEAN;
    if (!pending->is_over && !ends_with_it(pending) && !(waiting->but & (1u << pending->what)) &&
        (strcmp(pending->from, waiting->code) == 0 || strcmp(pending->to, waiting->code) == 0))
        waiting->entry = MIN_OF(waiting->entry, key);
    return 0;
}

/* Those opened in states above the lowest are in no heap yet. */
static int each_waiting(struct rule *rule, int (*each)(void *user, uint64_t key), void *user) {
    int r = state_due_each(rule->state, each, user);

    for (const struct state *s = rule->state; s->below && r == 0; s = s->below)
        for (const struct row *row = rows_next(&s->tables[STATE_PENDINGS], NULL); row && r == 0;
             row = rows_next(&s->tables[STATE_PENDINGS], row))
            r = each(user, be64_get(row->key));
    return r;
}

int rules_leave_check_waits(struct rule *rule, const struct state_account *account, uint32_t but,
                            const char *field) {
    struct waiting waiting = {.rule = rule, .code = account->code, .but = but, .entry = UINT64_MAX};
    char words[RULE_ENTRY_WORDS_BYTES];
    int r = each_waiting(rule, look, &waiting);

    if (r < 0)
        return r;
    if (waiting.entry == UINT64_MAX)
        return account->held == 0 ? 0 : rule_refuse(rule, REFUSAL_STILL_WAITING, field, NULL);
    r = rule_refuse(rule, REFUSAL_STILL_WAITING, field,
                    "%s of %s still waits: end that first, see timebank list pending.",
                    rule_entry_words(waiting.entry, true, words), account->code);
    if (r > 0 && waiting.entry < LEDGER_DRY_BEGIN)
        rule->batch->notes[rule->batch->n_notes - 1].entry = waiting.entry;
    return r;
}

/* A list of what to end, for ending adds rows where they are walked. */
struct ending {
    struct rule *rule;
    const char *code;
    uint64_t *keys;
    size_t n;
    size_t n_allocated;
};

static int gather(void *user, uint64_t key) {
    struct ending *ending = user;
    const struct state_pending *pending;
    uint8_t bytes[8];
    int r = 0;

    be64_put(bytes, key);
    pending = state_get(ending->rule->state, STATE_PENDINGS, bytes, sizeof(bytes), &r);
    if (!pending)
        return r < 0 ? r : -EUCLEAN;
    if (pending->is_over || !ends_with_it(pending) ||
        (strcmp(pending->from, ending->code) != 0 && strcmp(pending->to, ending->code) != 0))
        return 0;
    if (ending->n == ending->n_allocated) {
        size_t n = ending->n ? ending->n * 2 : 8;
        uint64_t *keys = arena_alloc(ending->rule->arena, n * sizeof(*keys));
        if (!keys)
            return -ENOMEM;
        if (ending->n > 0)
            memcpy(keys, ending->keys, ending->n * sizeof(*keys));
        ending->keys = keys;
        ending->n_allocated = n;
    }
    ending->keys[ending->n++] = key;
    return 0;
}

static void end_one(struct rule *rule, struct state_pending *pending, const char *goes_on) {
    if (pending->is_over)
        return;
    if (pending->what == PENDING_PLEDGE && goes_on)
        snprintf(pending->to, sizeof(pending->to), "%s", goes_on);
    else
        rules_pending_end(rule, pending, OUTCOME_LAPSED);
}

int rules_leave_end(struct rule *rule, const struct state_account *account, const char *goes_on) {
    struct ending ending = {.rule = rule, .code = account->code};
    int r = each_waiting(rule, gather, &ending);

    for (size_t i = 0; i < ending.n && r == 0; i++) {
        uint8_t key[8];
        void *value;
        be64_put(key, ending.keys[i]);
        r = state_edit(rule->state, STATE_PENDINGS, key, sizeof(key), &value);
        if (r == 0)
            r = -EUCLEAN;
        if (r > 0)
            end_one(rule, value, goes_on);
        r = MIN_OF(r, 0);
    }
    return r;
}
