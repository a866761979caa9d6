/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disputes: a party says that an entry is not right, and what it gave is set aside in transit until
 * a broker who is no party decides, or until the time for that is over and the entry stands. What
 * is found wrong falls like a reversal, under the entry's own number.
 *
 * What is set aside may take a balance below its limit, as taking it back would: the order says who
 * asked for it and why.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "rules.h"

#define TRANSIT "transit"

/* What somebody may still do who cannot dispute an entry. */
static const char *way_out(const struct rule *rule) {
    return rule_is_broker(rule) ? "take back what is wrong with timebank reverse"
                                : "ask a broker to look at it";
}

static int check_kind(struct rule *rule, const struct rules_entry *entry) {
    char words[RULE_ENTRY_WORDS_BYTES];

    switch (entry->order->kind_case) {
    case TIMEBANK__ORDER__KIND_EXCHANGE:
    case TIMEBANK__ORDER__KIND_EARN:
    case TIMEBANK__ORDER__KIND_GIFT:
    case TIMEBANK__ORDER__KIND_REDEEM:
        return 0;
    default:
        return rule_refuse(rule, REFUSAL_NOT_REVERSIBLE, "target",
                           "%s is of kind %s, which nobody disputes: %s.",
                           rule_entry_words(entry->number, true, words),
                           record_kind_name(entry->order->kind_case), way_out(rule));
    }
}

static int check_time(struct rule *rule, const struct rules_entry *entry) {
    int64_t days = state_policy_number(rule->state, "dispute-within", 0);
    char words[RULE_ENTRY_WORDS_BYTES];

    if (entry->dispute)
        return rule_refuse(rule, REFUSAL_TOO_LATE_TO_DISPUTE, "target",
                           "%s was disputed before, and that is settled: %s.",
                           rule_entry_words(entry->number, true, words), way_out(rule));
    if ((int64_t)rule->today - entry->day > days)
        return rule_refuse(rule, REFUSAL_TOO_LATE_TO_DISPUTE, "target",
                           "The time to dispute %s is over: %s.",
                           rule_entry_words(entry->number, false, words), way_out(rule));
    return 0;
}

static int check_why(struct rule *rule) {
    return rule->order->note.len
               ? 0
               : rule_refuse(rule, REFUSAL_NEEDS_WHY, "note", "Say why, in a few words.");
}

static int check_disputable(struct rule *rule, const struct rules_entry *entry) {
    const struct state_account *gainer = state_account(rule->state, entry->order->to);
    char words[RULE_ENTRY_WORDS_BYTES];
    int r = check_kind(rule, entry);

    if (r == 0 && !rule_is_broker(rule) && !rules_agree_is_party(rule, entry->order))
        r = rule_refuse(rule, REFUSAL_NOT_THE_OTHER_SIDE, "target",
                        "Only who is a party to that entry may dispute it: ask them.");
    if (r == 0)
        r = check_why(rule);
    if (r == 0)
        r = rules_agree_check_stands(rule, entry);
    if (r == 0)
        r = check_time(rule, entry);
    if (r == 0 && entry->reversed >= entry->order->minutes)
        r = rule_refuse(rule, REFUSAL_ALREADY_REVERSED, "target",
                        "%s was taken back in full: nothing is left to dispute.",
                        rule_entry_words(entry->number, true, words));
    if (r == 0 && gainer->standing == STANDING_CLOSED)
        r = rule_refuse(rule, REFUSAL_CLOSED, "target", "%s is closed: see the coordinator.",
                        gainer->code);
    return r;
}

/* Told to brokers only: it is somebody's balance. */
static int warn_below(struct rule *rule, const char *code, uint64_t minutes) {
    const struct state_account *account = state_account(rule->state, code);
    int64_t after = account->balance - (int64_t)minutes, floor;
    char after_text[32], floor_text[32];

    if (!rule_is_broker(rule) || !ledger_floor(rule->state, account, &floor) || after >= floor)
        return 0;
    hours_format(after, after_text);
    hours_format(floor, floor_text);
    return rule_warn(rule, WARNING_BELOW_FLOOR, 0, "%s now stands at %s, below its limit of %s.",
                     code, after_text, floor_text);
}

int rules_dispute(struct rule *rule) {
    struct rules_legs legs = {0};
    struct state_mark *mark;
    struct rules_entry entry;
    const Timebank__Order *order;
    uint64_t minutes;
    int r = rules_agree_find(rule, &rule->order->dispute->target, &entry);

    if (r == 0)
        r = check_disputable(rule, &entry);
    if (r != 0)
        return r;
    order = entry.order;
    minutes = order->minutes - entry.reversed;
    r = warn_below(rule, order->to, minutes);
    if (r < 0)
        return r;
    rules_legs_add(rule, &legs, order->to, -(int64_t)minutes, (int64_t)minutes);
    rules_legs_add(rule, &legs, TRANSIT, (int64_t)minutes, 0);
    r = rules_legs_post(rule, &legs);
    if (r == 0)
        r = rules_pending_open(rule, PENDING_DISPUTE, minutes, order->from, order->to,
                               rules_pending_due(rule, "dispute-days"), entry.number);
    if (r == 0)
        r = rules_agree_mark(rule, entry.number, &mark);
    if (r == 0)
        mark->dispute = rule->index;
    return r;
}

/* ---- decided */

/* Who opened it for a party speaks for that party; a steward may still have to decide. */
static int check_decider(struct rule *rule, const struct rules_entry *entry) {
    const struct ledger_author *author = rule->batch->author;

    if (rules_agree_is_party(rule, entry->order) ||
        (author->role != TIMEBANK__ROLE__STEWARD && entry->dispute &&
         memcmp(author->key, entry->dispute->author, SSHSIG_PUBLIC_BYTES) == 0))
        return rule_refuse(rule, REFUSAL_PARTY, "target", NULL);
    return check_why(rule);
}

static int check_minutes(struct rule *rule, const struct rules_entry *entry) {
    uint64_t quantum = (uint64_t)state_policy_number(rule->state, "quantum", 1);
    uint64_t minutes = rule->order->minutes, most = entry->dispute->minutes;
    char text[32], words[RULE_ENTRY_WORDS_BYTES];

    hours_format((int64_t)most, text);
    if (minutes > most)
        return rule_refuse(rule, REFUSAL_MORE_THAN_REMAINS, "minutes",
                           "Only %s of %s is disputed: take back less.", text,
                           rule_entry_words(entry->number, false, words));
    if (minutes % quantum != 0 && minutes != most)
        return rule_refuse(rule, REFUSAL_NOT_IN_QUANTUM, "minutes", NULL);
    return 0;
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

static void add_release(struct rule *rule, struct rules_legs *legs,
                        const struct state_pending *dispute) {
    rules_legs_add(rule, legs, dispute->to, (int64_t)dispute->minutes, -(int64_t)dispute->minutes);
    rules_legs_add(rule, legs, TRANSIT, -(int64_t)dispute->minutes, 0);
}

static int decide_entry(struct rule *rule, const struct rules_entry *entry) {
    uint64_t minutes = rule->order->minutes, number = 0;
    struct state_pending *dispute = NULL;
    struct rules_legs legs = {0};
    struct state_mark *mark;
    int r = check_minutes(rule, entry);

    if (r != 0)
        return r;
    add_release(rule, &legs, entry->dispute);
    r = minutes ? rules_reverse_fall(rule, entry->number, minutes, &legs)
                : rules_legs_post(rule, &legs);
    if (r == 0)
        r = rules_agree_mark(rule, entry->number, &mark);
    if (r == 0)
        number = mark->dispute;
    if (r == 0)
        r = edit_pending(rule, number, &dispute);
    if (r == 0)
        rules_pending_end(rule, dispute, OUTCOME_SETTLED);
    return r;
}

static int decide_conflict(struct rule *rule, const struct rules_entry *entry) {
    struct state_pending *conflict;
    int r = edit_pending(rule, entry->number, &conflict);

    return r == 0 ? rules_voucher_decide(rule, conflict) : r;
}

int rules_dispute_decide(struct rule *rule) {
    struct rules_entry entry;
    bool is_conflict;
    int r = rules_agree_find(rule, &rule->order->decide->target, &entry);

    if (r != 0)
        return r;
    is_conflict =
        entry.pending && entry.pending->what == PENDING_CONFLICT && !entry.pending->is_over;
    if (!is_conflict && !rules_agree_is_disputed(&entry))
        return rule_refuse(rule, REFUSAL_NOT_DISPUTED, "target", NULL);
    r = check_decider(rule, &entry);
    if (r != 0)
        return r;
    return is_conflict ? decide_conflict(rule, &entry) : decide_entry(rule, &entry);
}

/* ---- nobody decided: the entry stands */

int rules_dispute_plan(struct rule *rule, const struct state_pending *pending,
                       Timebank__EventKind *ret_event, uint64_t *ret_minutes) {
    (void)rule;
    *ret_event = TIMEBANK__EVENT_KIND__DISPUTE_LAPSED;
    *ret_minutes = pending->minutes;
    return 0;
}

int rules_dispute_lapse(struct rule *rule, struct state_pending *pending) {
    struct rules_legs legs = {0};
    int r;

    add_release(rule, &legs, pending);
    r = rules_legs_post(rule, &legs);
    if (r == 0)
        rules_pending_end(rule, pending, OUTCOME_LAPSED);
    return r;
}
