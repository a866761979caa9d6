/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders that wait for somebody's agreement: which have to, on whom they wait, and what becomes of
 * them when nobody answers. A proposal is tried out at once, so that what the rules refuse is told
 * to who enters it; when it takes effect the rules are asked again, under that record, and may
 * refuse then.
 *
 * An approval comes before the other side's: a large gift that a second broker approved then waits
 * for its receiver.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/dates.h"
#include "rules.h"

#define TRANSIT "transit"

static bool is_policy(struct rule *rule, const char *name, const char *value) {
    return strcmp(state_policy(rule->state, name), value) == 0;
}

/* ---- who has to agree */

/* A giver enters what somebody owes them. */
static bool is_claim(const struct rule *rule) {
    return rule->kind->traits & CLAIMABLE && !rule_is_broker(rule) &&
           !rules_agree_acts_for(rule, rule->order->from);
}

/* Whether another broker has to look at it. */
static bool needs_approval(struct rule *rule) {
    const Timebank__Order *order = rule->order;

    if (!rule_is_broker(rule))
        return rule->batch->author->role == TIMEBANK__ROLE__ROLE_MEMBER &&
               is_policy(rule, "approve-members", "on");
    return rules_agree_is_own(rule, order->to) ||
           order->minutes > (uint64_t)rule_policies(rule)->second_person_above;
}

/* Whether the other side has to say yes, or may be asked to: 0, or what then waits. */
static enum state_pending_what other_side(struct rule *rule, bool *ret_must) {
    const Timebank__Order *order = rule->order;

    *ret_must = false;
    if (order->kind_case == TIMEBANK__ORDER__KIND_GIFT) {
        *ret_must = rule_policies(rule)->gifts_wait;
        return PENDING_GIFT;
    }
    if (is_claim(rule)) {
        *ret_must = !rules_trust_is_trusted(rule, order->from, order->to);
        return PENDING_CLAIM;
    }
    return rule->kind->traits & CLAIMABLE && rule_is_broker(rule) ? PENDING_CLAIM : 0;
}

/* What the order waits for, 0: nothing; refused where it should, or should not. */
static int find_need(struct rule *rule, enum state_pending_what *ret) {
    bool approval = needs_approval(rule), is_must;
    enum state_pending_what other = other_side(rule, &is_must);

    *ret = approval ? PENDING_APPROVAL : other;
    if (rule->order->proposal)
        return *ret ? 0 : rule_refuse(rule, REFUSAL_NOT_A_PROPOSAL, "proposal", NULL);
    *ret = 0;
    if (approval)
        return rule_refuse(rule, REFUSAL_NEEDS_SECOND_PERSON, "proposal",
                           rule_is_broker(rule) ? NULL
                                                : "A broker has to approve this: propose it with "
                                                  "--propose.");
    return is_must ? rule_refuse(rule, REFUSAL_NEEDS_CONFIRMATION, "proposal", NULL) : 0;
}

/* ---- trying it out */

/* Of the warnings, those that speak of a balance are not true yet. */
static bool is_early(const struct ledger_note *note) {
    return note->is_warning && note->number != WARNING_LOOKS_LIKE &&
           note->number != WARNING_LONG_DAY && note->number != WARNING_VERY_LONG_DAY &&
           note->number != WARNING_BEFORE_JOINING;
}

static void drop_early(struct ledger_batch *batch, size_t from) {
    size_t n = from;

    for (size_t i = from; i < batch->n_notes; i++) {
        if (is_early(&batch->notes[i]))
            free(batch->notes[i].message);
        else
            batch->notes[n++] = batch->notes[i];
    }
    batch->n_notes = n;
}

/* Judges on a state that is thrown away. What a giver claims says nothing of the receiver's
 * credits: their limits are asked when they agree. */
static int try_out(struct rule *rule) {
    bool is_own = rule_is_broker(rule) || rules_agree_acts_for(rule, rule->order->from);
    Timebank__Order order = *rule->order;
    size_t n_notes = rule->batch->n_notes;
    struct rule trial = *rule;
    int r;

    trial.state = state_new_above(rule->state);
    if (!trial.state)
        return -ENOMEM;
    trial.order = &order;
    if (!is_own)
        order.override |= OVERRIDES_LIMITS;
    r = is_own ? rule_apply(&trial) : rule->kind->apply(&trial);
    state_free(trial.state);
    rule->batch->effects[rule->place] = (struct ledger_effect){0};
    drop_early(rule->batch, n_notes);
    return r;
}

/* ---- gifts: on their way in transit */

/* The giver of a gift, `rule` being the gift's own. */
static int set_out(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct rules_legs legs = {0};
    int r = rule->is_settling ? rules_safeguard_check_sides(rule) : 0;

    if (r == 0)
        r = rules_limits_check(rule, order->from, order->minutes);
    rules_legs_add(rule, &legs, order->from, -(int64_t)order->minutes, (int64_t)order->minutes);
    rules_legs_add(rule, &legs, TRANSIT, (int64_t)order->minutes, 0);
    if (r == 0)
        r = rules_legs_check(rule, &legs);
    if (r == 0)
        r = rules_legs_post(rule, &legs);
    return r == 0 ? rules_limits_note(rule, order->from, order->minutes) : r;
}

static int arrive(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct rules_legs legs = {0};
    int r = rules_safeguard_check_sides(rule);

    rules_legs_add(rule, &legs, order->from, 0, -(int64_t)order->minutes);
    rules_legs_add(rule, &legs, TRANSIT, -(int64_t)order->minutes, 0);
    rules_legs_add(rule, &legs, order->to, (int64_t)order->minutes, 0);
    if (r == 0)
        r = rules_legs_check(rule, &legs);
    if (r == 0)
        r = rules_legs_post(rule, &legs);
    if (r != 0)
        return r;
    rule->state->sums.n_entries++;
    return rules_period_note_late(rule);
}

static int give_back(struct rule *rule, const struct state_pending *pending) {
    struct rules_legs legs = {0};
    int r;

    rules_legs_add(rule, &legs, pending->from, (int64_t)pending->minutes,
                   -(int64_t)pending->minutes);
    rules_legs_add(rule, &legs, TRANSIT, -(int64_t)pending->minutes, 0);
    r = rules_legs_post(rule, &legs);
    return r == 0 ? rules_limits_give_back(rule, pending->from, pending->minutes, true,
                                           pending->counted_day)
                  : r;
}

/* ---- proposing */

static int warn_waits(struct rule *rule, enum state_pending_what what) {
    const Timebank__Order *order = rule->order;
    bool stands = is_policy(rule, "claim-lapse", "stands");
    int64_t days = state_policy_number(rule->state, rules_propose_days(what), 0);
    char last[16];

    dates_format_iso(rule->today + (uint32_t)days, last);
    switch (what) {
    case PENDING_GIFT:
        return rule_warn(rule, WARNING_WAITS, 0,
                         "It waits for %s to accept it, up to %s; then it goes back to %s.",
                         order->to, last, order->from);
    case PENDING_CLAIM:
        return rule_warn(rule, WARNING_WAITS, 0,
                         "It waits for %s to confirm it, up to %s; then it %s.", order->from, last,
                         stands ? "stands" : "falls");
    default:
        return rule_warn(rule, WARNING_WAITS, 0,
                         "It waits for %s to approve it, up to %s; then it is dropped.",
                         rule_is_broker(rule) ? "another broker" : "a broker", last);
    }
}

const char *rules_propose_days(enum state_pending_what what) {
    return what == PENDING_GIFT    ? "gift-days"
           : what == PENDING_CLAIM ? "claim-days"
                                   : "approval-days";
}

static int open_pending(struct rule *rule, enum state_pending_what what) {
    const Timebank__Order *order = rule->order;
    struct state_pending *pending;
    uint8_t key[8];
    void *value;
    int r = rules_pending_open(rule, what, order->minutes, order->from, order->to,
                               rules_pending_due(rule, rules_propose_days(what)), rule->index);

    if (r < 0 || what != PENDING_GIFT)
        return r;
    be64_put(key, rule->index);
    r = state_edit(rule->state, STATE_PENDINGS, key, sizeof(key), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    pending = value;
    pending->counted_day = rule->today;
    return 0;
}

int rules_propose_or_apply(struct rule *rule) {
    enum state_pending_what what = 0;
    int r = 0;

    if (!(rule->kind->traits & PROPOSABLE))
        return rule_apply(rule);
    if (rule_is_history(rule)) /* it has happened */
        return rule->order->proposal ? rule_refuse(rule, REFUSAL_NOT_A_PROPOSAL, "proposal", NULL)
                                     : rule_apply(rule);
    r = find_need(rule, &what);
    if (r != 0)
        return r;
    if (what == 0)
        return rule_apply(rule);
    r = try_out(rule);
    if (r == 0 && what == PENDING_GIFT)
        r = set_out(rule);
    if (r == 0)
        r = rules_time_propose(rule);
    if (r == 0)
        r = open_pending(rule, what);
    return r == 0 ? warn_waits(rule, what) : r;
}

/* ---- taking effect, or not */

/* The rule of the order proposed, under the record of `rule`. */
static struct rule rule_of_proposal(const struct rule *rule, const struct rules_entry *entry) {
    struct rule own = *rule;

    own.order = entry->order;
    own.kind = kind_find(entry->order->kind_case);
    own.is_settling = true;
    own.proposed = entry->number;
    return own;
}

/* `pending` is as it was: the caller ends it. */
static int take_effect(struct rule *rule, const struct rules_entry *entry) {
    struct rule own = rule_of_proposal(rule, entry);
    struct state_mark *mark;
    int r = ledger_sides_check(&own);

    if (r == 0)
        r = entry->pending->what == PENDING_GIFT ? arrive(&own) : rule_apply(&own);
    if (r == 0)
        r = rules_agree_mark(rule, entry->number, &mark);
    if (r == 0)
        mark->settled = rule->index;
    return r;
}

static int edit_pending(struct rule *rule, uint64_t number, struct state_pending **ret) {
    uint8_t key[8];
    void *value;
    int r;

    be64_put(key, number);
    r = state_edit(rule->state, STATE_PENDINGS, key, sizeof(key), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    *ret = value;
    return 0;
}

int rules_propose_settle(struct rule *rule, const struct rules_entry *entry) {
    struct state_pending *pending;
    int r = take_effect(rule, entry);

    if (r == 0)
        r = edit_pending(rule, entry->number, &pending);
    if (r != 0)
        return r;
    if (pending->counted_day == 0)
        pending->counted_day = rule->today;
    rules_pending_end(rule, pending, OUTCOME_SETTLED);
    return 0;
}

/* A gift that was approved now waits for its receiver, where the scheme says so. */
static int wait_for_receiver(struct rule *rule, const struct rules_entry *entry) {
    struct rule own = rule_of_proposal(rule, entry);
    struct state_pending *pending;
    int r = ledger_sides_check(&own);

    if (r == 0)
        r = set_out(&own);
    if (r == 0)
        r = edit_pending(rule, entry->number, &pending);
    if (r != 0)
        return r;
    pending->what = PENDING_GIFT;
    pending->due_ms = rules_pending_due(rule, rules_propose_days(PENDING_GIFT));
    pending->counted_day = rule->today;
    return warn_waits(&own, PENDING_GIFT);
}

int rules_propose_approved(struct rule *rule, const struct rules_entry *entry) {
    return entry->order->kind_case == TIMEBANK__ORDER__KIND_GIFT &&
                   is_policy(rule, "gift", "pending")
               ? wait_for_receiver(rule, entry)
               : rules_propose_settle(rule, entry);
}

int rules_propose_drop(struct rule *rule, uint64_t number, enum state_outcome outcome) {
    struct state_pending *pending;
    int r = edit_pending(rule, number, &pending);

    if (r == 0 && pending->what == PENDING_GIFT)
        r = give_back(rule, pending);
    if (r == 0)
        rules_pending_end(rule, pending, outcome);
    return r;
}

/* ---- nobody answered */

/* Whether the claim could stand now: 0 it could, > 0 refused. */
static int try_claim(struct rule *rule) {
    struct rule trial = *rule;
    struct rules_entry entry;
    int r;

    trial.state = state_new_above(rule->state);
    if (!trial.state)
        return -ENOMEM;
    trial.event = TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED;
    r = rules_agree_read(&trial, rule->proposed, &entry);
    if (r == 0)
        r = take_effect(&trial, &entry);
    state_free(trial.state);
    rule->batch->effects[rule->place] = (struct ledger_effect){0};
    return r;
}

int rules_propose_plan(struct rule *rule, const struct state_pending *pending,
                       Timebank__EventKind *ret_event, uint64_t *ret_minutes) {
    int r = 1;

    *ret_minutes = 0;
    switch (pending->what) {
    case PENDING_GIFT:
        *ret_event = TIMEBANK__EVENT_KIND__GIFT_LAPSED;
        *ret_minutes = pending->minutes;
        return 0;
    case PENDING_APPROVAL:
        *ret_event = TIMEBANK__EVENT_KIND__APPROVAL_LAPSED;
        return 0;
    default:
        if (is_policy(rule, "claim-lapse", "stands"))
            r = try_claim(rule);
        if (r < 0)
            return r;
        *ret_event =
            r == 0 ? TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED : TIMEBANK__EVENT_KIND__CLAIM_LAPSED;
        *ret_minutes = r == 0 ? pending->minutes : 0;
        return 0;
    }
}

int rules_propose_lapse(struct rule *rule, struct state_pending *pending) {
    struct rules_entry entry;
    int r;

    (void)pending;
    if (rule->event != TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED)
        return rules_propose_drop(rule, rule->proposed, OUTCOME_LAPSED);
    r = rules_agree_read(rule, rule->proposed, &entry);
    return r == 0 ? rules_propose_settle(rule, &entry) : r;
}
