/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to what was proposed: confirm, decline, withdraw, approve; and a confirmation of what
 * took effect at once. Each quotes the very record it agrees to, and nobody confirms their own
 * hours.
 */
#include <string.h>

#include "rules.h"

static bool is_service(const Timebank__Order *order) {
    return order->kind_case == TIMEBANK__ORDER__KIND_EXCHANGE ||
           order->kind_case == TIMEBANK__ORDER__KIND_EARN;
}

static bool is_gift(const Timebank__Order *order) {
    return order->kind_case == TIMEBANK__ORDER__KIND_GIFT;
}

static bool is_author(const struct rule *rule, const struct rules_entry *entry) {
    return entry->pending &&
           memcmp(entry->pending->author, rule->batch->author->key, SSHSIG_PUBLIC_BYTES) == 0;
}

/* Whose yes it waits for, and who asked for it. */
static const char *answerer(const Timebank__Order *order) {
    return is_gift(order) ? order->to : order->from;
}

static const char *asker(const Timebank__Order *order) {
    return is_gift(order) ? order->from : order->to;
}

static int refuse_not_waiting(struct rule *rule, const struct rules_entry *entry) {
    char words[RULE_ENTRY_WORDS_BYTES];

    return rule_refuse(rule, REFUSAL_NOT_WAITING, "target",
                       "%s does not wait for this any more: see timebank list pending.",
                       rule_entry_words(entry->number, true, words));
}

static int refuse_own_hours(struct rule *rule) {
    return rule_refuse(rule, REFUSAL_OWN_HOURS, "target",
                       "Nobody confirms their own hours: ask the receiver to.");
}

/* ---- confirm */

/* A broker may pass on the word of a receiver, but not where they are the one that asks. */
static int check_answerer(struct rule *rule, const struct rules_entry *entry) {
    const Timebank__Order *order = entry->order;
    bool asked =
        rules_agree_is_own(rule, asker(order)) || (is_author(rule, entry) && !rule_is_broker(rule));

    if (asked && is_service(order))
        return refuse_own_hours(rule);
    if (!asked && (rules_agree_acts_for(rule, answerer(order)) || rule_is_broker(rule)))
        return rules_person_check_author(rule, answerer(order),
                                         is_gift(order) ? order->to_person : order->from_person);
    return rule_refuse(rule, REFUSAL_NOT_THE_OTHER_SIDE, "target", NULL);
}

/* Of what stands already, a side's own key says that it is right. */
static int check_side(struct rule *rule, const struct rules_entry *entry) {
    const Timebank__Order *order = entry->order;

    if (is_service(order) && rules_agree_is_own(rule, order->to))
        return refuse_own_hours(rule);
    if (rules_agree_acts_for(rule, order->from) ||
        (is_gift(order) && rules_agree_acts_for(rule, order->to)))
        return 0;
    return rule_refuse(rule, REFUSAL_NOT_THE_OTHER_SIDE, "target", NULL);
}

static int mark_confirmed(struct rule *rule, const struct rules_entry *entry) {
    struct state_mark *mark;
    int r = rules_agree_mark(rule, entry->number, &mark);

    if (r == 0)
        mark->confirmed = rule->index;
    return r;
}

static int confirm_standing(struct rule *rule, const struct rules_entry *entry) {
    const ProtobufCBinaryData *quote = &rule->order->confirm->quote;
    char words[RULE_ENTRY_WORDS_BYTES];
    int r;

    if (!is_service(entry->order) && !is_gift(entry->order))
        return rule_refuse(rule, REFUSAL_NOT_WAITING, "target",
                           "%s is of kind %s, which nobody has to confirm: nothing to do.",
                           rule_entry_words(entry->number, true, words),
                           record_kind_name(entry->order->kind_case));
    if (rules_agree_is_fallen(rule, entry->number) &&
        (rule_is_broker(rule) || rules_agree_is_party(rule, entry->order)))
        return refuse_not_waiting(rule, entry);
    r = check_side(rule, entry);
    if (r == 0)
        r = rules_agree_check_stands(rule, entry);
    if (r == 0)
        r = rules_agree_check_quote(rule, entry, quote);
    if (r == 0 && entry->is_confirmed)
        r = rule_refuse(rule, REFUSAL_ALREADY_CONFIRMED, "target", NULL);
    if (r == 0 && entry->reversed >= entry->order->minutes)
        r = rule_refuse(rule, REFUSAL_ALREADY_REVERSED, "target",
                        "%s was taken back in full: nothing is left to confirm.",
                        rule_entry_words(entry->number, true, words));
    return r == 0 ? mark_confirmed(rule, entry) : r;
}

int rules_confirm(struct rule *rule) {
    const Timebank__Confirm *confirm = rule->order->confirm;
    char words[RULE_ENTRY_WORDS_BYTES];
    struct rules_entry entry;
    int r = rules_agree_find(rule, &confirm->target, &entry);

    if (r != 0)
        return r;
    if (!rules_agree_waits(&entry))
        return confirm_standing(rule, &entry);
    r = check_answerer(rule, &entry);
    if (r == 0 && entry.pending->what == PENDING_APPROVAL)
        r = rule_refuse(rule, REFUSAL_NOT_WAITING, "target",
                        "%s waits for a second broker: one approves it with timebank approve.",
                        rule_entry_words(entry.number, true, words));
    if (r == 0)
        r = rules_agree_check_quote(rule, &entry, &confirm->quote);
    if (r == 0)
        r = rules_propose_settle(rule, &entry);
    return r == 0 ? mark_confirmed(rule, &entry) : r;
}

/* ---- decline, withdraw */

int rules_confirm_decline(struct rule *rule) {
    struct rules_entry entry;
    int r = rules_agree_find(rule, &rule->order->decline->target, &entry);

    if (r != 0)
        return r;
    if (rule_is_broker(rule) ? is_author(rule, &entry)
                             : !rules_agree_acts_for(rule, answerer(entry.order)))
        return rule_refuse(rule, REFUSAL_NOT_THE_OTHER_SIDE, "target",
                           rules_agree_is_party(rule, entry.order) || is_author(rule, &entry)
                               ? "Only the other side may decline this: withdraw it instead."
                               : NULL);
    if (!rules_agree_waits(&entry))
        return refuse_not_waiting(rule, &entry);
    return rules_propose_drop(rule, entry.number, OUTCOME_DECLINED);
}

int rules_confirm_withdraw(struct rule *rule) {
    struct rules_entry entry;
    int r = rules_agree_find(rule, &rule->order->withdraw->target, &entry);

    if (r != 0)
        return r;
    if (!rule_is_broker(rule) && !is_author(rule, &entry) &&
        !rules_agree_acts_for(rule, asker(entry.order)))
        return rule_refuse(rule, REFUSAL_NOT_THE_OTHER_SIDE, "target",
                           rules_agree_is_party(rule, entry.order)
                               ? "Only who proposed this may withdraw it: decline it instead."
                               : NULL);
    if (!rules_agree_waits(&entry))
        return refuse_not_waiting(rule, &entry);
    return rules_propose_drop(rule, entry.number, OUTCOME_WITHDRAWN);
}

/* ---- approve */

/* Two keys of one person are one person, where both are granted for their account. */
static int check_approver(struct rule *rule, const struct rules_entry *entry) {
    const struct state_pending *pending = entry->pending;
    const struct state_key *proposer;
    int r = 0;

    proposer = state_get(rule->state, STATE_KEYS, pending->author, SSHSIG_PUBLIC_BYTES, &r);
    if (r < 0)
        return r;
    if (is_author(rule, entry))
        return rule_refuse(rule, REFUSAL_NEEDS_SECOND_PERSON, "target",
                           "Whoever entered this cannot approve it: ask another broker.");
    if (rules_agree_is_party(rule, entry->order) ||
        (proposer && rules_agree_is_own(rule, proposer->account)))
        return rule_refuse(rule, REFUSAL_PARTY, "target", NULL);
    return 0;
}

int rules_confirm_approve(struct rule *rule) {
    const Timebank__Approve *approve = rule->order->approve;
    struct rules_entry entry;
    int r = rules_agree_find(rule, &approve->target, &entry);

    if (r != 0)
        return r;
    if (!rules_agree_waits(&entry) || entry.pending->what != PENDING_APPROVAL)
        return refuse_not_waiting(rule, &entry);
    r = check_approver(rule, &entry);
    if (r == 0)
        r = rules_agree_check_quote(rule, &entry, &approve->quote);
    return r == 0 ? rules_propose_approved(rule, &entry) : r;
}
