/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several at once, all or nothing: a class, a working party. Each giver gains their own minutes. An
 * organisation pays them all; or the receivers pay, and what they pay and what was given are made
 * even as the session's rest says: what is over goes to the chest, or what was given is shared
 * among them in proportion to their minutes, or the chest pays what they do not. Others who were
 * there are counted and no more.
 *
 * What each receiver pays follows from the order alone, so a session taken back (whole, always) is
 * the same legs the other way round.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/hours.h"
#include "rules.h"
#include "split.h"

#define LINES_MAX SPLIT_MAX
#define HEADS_MAX 100000u
#define HEAD_MINUTES_MAX 1440u

/* One side of the order: its parallel lists. */
struct side {
    const char *name;  /* of one of it */
    const char *field; /* of the order */
    size_t n;
    char **codes;
    const uint64_t *minutes;
    size_t n_persons;
    char **persons;
};

static struct side givers_of(const Timebank__Session *session) {
    return (struct side){"Giver",
                         "givers",
                         session->n_givers,
                         session->givers,
                         session->giver_minutes,
                         session->n_giver_persons,
                         session->giver_persons};
}

static struct side receivers_of(const Timebank__Session *session) {
    return (struct side){"Receiver",
                         "receivers",
                         session->n_receivers,
                         session->receivers,
                         session->receiver_minutes,
                         session->n_receiver_persons,
                         session->receiver_persons};
}

static uint64_t sum_of(const uint64_t *minutes, size_t n) {
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += minutes[i];
    return sum;
}

/* ---- what the order says */

static int check_lists(struct rule *rule) {
    const Timebank__Session *session = rule->order->session;

    if (session->n_giver_minutes != session->n_givers ||
        session->n_receiver_minutes != session->n_receivers ||
        (session->n_giver_persons && session->n_giver_persons != session->n_givers) ||
        (session->n_receiver_persons && session->n_receiver_persons != session->n_receivers))
        return rule_refuse(rule, REFUSAL_SESSION_LINES, "givers", NULL);
    if (session->n_givers == 0)
        return rule_refuse(rule, REFUSAL_SESSION_LINES, "givers",
                           "Nobody gave time in this session: name the givers.");
    if (session->n_givers + session->n_receivers > LINES_MAX)
        return rule_refuse(rule, REFUSAL_SESSION_LINES, "givers",
                           "A session has %u lines at most: enter it as several.", LINES_MAX);
    return 0;
}

static int check_minutes_of(struct rule *rule, const struct side *side) {
    uint64_t quantum = (uint64_t)state_policy_number(rule->state, "quantum", 1);
    char text[32];

    for (size_t i = 0; i < side->n; i++) {
        hours_format((int64_t)MIN_OF(side->minutes[i], HOURS_MAX_MINUTES), text);
        if (side->minutes[i] == 0)
            return rule_refuse(rule, REFUSAL_ZERO, side->field,
                               "%s %zu, %s, has no time: enter how long it was.", side->name, i + 1,
                               side->codes[i]);
        if (side->minutes[i] > HOURS_MAX_MINUTES)
            return rule_refuse(rule, REFUSAL_TOO_LONG, side->field,
                               "%s %zu, %s, has more time than any scheme holds: check the figure.",
                               side->name, i + 1, side->codes[i]);
        if (side->minutes[i] % quantum != 0 && !rule_is_history(rule))
            return rule_refuse(rule, REFUSAL_NOT_IN_QUANTUM, side->field,
                               "%s %zu, %s: %s is not a multiple of the bank's step of %llu min: "
                               "round it.",
                               side->name, i + 1, side->codes[i], text,
                               (unsigned long long)quantum);
    }
    return 0;
}

static int check_heads(struct rule *rule) {
    const Timebank__Session *session = rule->order->session;

    if (session->heads > HEADS_MAX || session->head_minutes > HEAD_MINUTES_MAX)
        return rule_refuse(rule, REFUSAL_SESSION_LINES, "heads",
                           "That is more than a session holds: check the heads and their time.");
    if (session->heads == 0 && session->head_minutes > 0)
        return rule_refuse(rule, REFUSAL_SESSION_LINES, "heads",
                           "Time for nobody: say how many others were there.");
    return 0;
}

static int check_twice(struct rule *rule, const struct side *side, const struct side *other) {
    for (size_t i = 0; i < side->n; i++) {
        for (size_t j = 0; j < i; j++)
            if (strcmp(side->codes[i], side->codes[j]) == 0)
                return rule_refuse(rule, REFUSAL_SESSION_LINES, side->field,
                                   "%s stands on two lines: give each member one line with a time.",
                                   side->codes[i]);
        for (size_t j = 0; j < other->n; j++)
            if (strcmp(side->codes[i], other->codes[j]) == 0)
                return rule_refuse(rule, REFUSAL_SESSION_LINES, side->field,
                                   "%s is among the givers and the receivers: name each member on "
                                   "one side only.",
                                   side->codes[i]);
    }
    return 0;
}

static int check_payers(struct rule *rule) {
    const Timebank__Session *session = rule->order->session;

    if (rule->order->minutes != sum_of(session->giver_minutes, session->n_givers))
        return rule_refuse(rule, REFUSAL_SESSION_LINES, "minutes",
                           "The session's time is not the sum of what the givers gave: update the "
                           "client.");
    if (*rule->order->from && (session->n_receivers > 0 || session->rest != 0))
        return rule_refuse(rule, REFUSAL_SESSION_LINES, "receivers",
                           "%s pays for this session: leave the receivers and the rest out, and "
                           "count them as heads.",
                           rule->order->from);
    return 0;
}

static int check_lines(struct rule *rule) {
    const struct side givers = givers_of(rule->order->session);
    const struct side receivers = receivers_of(rule->order->session);
    int r = check_lists(rule);

    if (r == 0)
        r = check_minutes_of(rule, &givers);
    if (r == 0)
        r = check_minutes_of(rule, &receivers);
    if (r == 0)
        r = check_heads(rule);
    if (r == 0)
        r = check_twice(rule, &givers, &receivers);
    if (r == 0)
        r = check_twice(rule, &receivers, &givers);
    return r == 0 ? check_payers(rule) : r;
}

/* ---- who they are */

/* The refusal just made, with the line that it is about before it. */
static int name_line(struct rule *rule, int r, const struct side *side, size_t i) {
    struct ledger_note *note = &rule->batch->notes[rule->batch->n_notes - 1];
    char *message;

    if (asprintf(&message, "%s %zu: %s", side->name, i + 1, note->message) < 0)
        return -ENOMEM;
    free(note->message);
    note->message = message;
    return r;
}

static int check_members(struct rule *rule, const struct side *side) {
    for (size_t i = 0; i < side->n; i++) {
        const char *person = side->n_persons ? side->persons[i] : "";
        int r = ledger_side_check(rule, side->codes[i], MEMBERS, side->field);
        if (r == 0)
            r = rules_person_check(rule, side->codes[i], person, side->field);
        if (r != 0)
            return r > 0 ? name_line(rule, r, side, i) : r;
    }
    return 0;
}

/* A broker's own hours are another broker's to enter, and what comes back to them to take back. */
static int check_own(struct rule *rule, const struct side *side, const char *field) {
    const char *own = rule->batch->author->account;

    for (size_t i = 0; rule_is_broker(rule) && *own && i < side->n; i++)
        if (strcmp(side->codes[i], own) == 0)
            return rule_refuse(rule, REFUSAL_OWN_HOURS, field, NULL);
    return 0;
}

/* No two of a session may be those who have to be kept apart. */
static int check_apart(struct rule *rule) {
    const struct side sides[] = {givers_of(rule->order->session),
                                 receivers_of(rule->order->session)};
    size_t n = sides[0].n + sides[1].n;
    int r = 0;

    if (!state_has_any(rule->state, STATE_SAFEGUARDS))
        return 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        const char *code = i < sides[0].n ? sides[0].codes[i] : sides[1].codes[i - sides[0].n];
        r = rules_safeguard_check(rule, code, rule->order->from);
        for (size_t j = 0; r == 0 && j < i; j++)
            r = rules_safeguard_check(
                rule, code, j < sides[0].n ? sides[0].codes[j] : sides[1].codes[j - sides[0].n]);
    }
    return r;
}

static int check_people(struct rule *rule) {
    const struct side givers = givers_of(rule->order->session);
    const struct side receivers = receivers_of(rule->order->session);
    int r = check_members(rule, &givers);

    if (r == 0)
        r = check_members(rule, &receivers);
    if (r == 0)
        r = check_own(rule, &givers, "givers");
    return r == 0 ? check_apart(rule) : r;
}

/* ---- who pays what */

struct shares {
    uint64_t parts[LINES_MAX]; /* of each receiver */
    int64_t chest;             /* what it gets, or pays */
};

static int check_enough(struct rule *rule, uint64_t given, uint64_t paid) {
    Timebank__SessionRest rest = rule->order->session->rest;
    char given_text[32], paid_text[32];

    if (*rule->order->from)
        return 0;
    hours_format((int64_t)given, given_text);
    hours_format((int64_t)paid, paid_text);
    if (rest == TIMEBANK__SESSION_REST__REST_TO_CHEST && paid < given)
        return rule_refuse(rule, REFUSAL_SESSION_SHORT, "receivers",
                           "The receivers pay %s, the givers gave %s: share it, or let the chest "
                           "pay.",
                           paid_text, given_text);
    if (rest == TIMEBANK__SESSION_REST__REST_SHARED && paid == 0)
        return rule_refuse(rule, REFUSAL_SESSION_SHORT, "receivers",
                           "Nobody is named who could share it: name the receivers, or let the "
                           "chest pay.");
    if (rest == TIMEBANK__SESSION_REST__REST_BY_CHEST && paid > given)
        return rule_refuse(rule, REFUSAL_SESSION_LINES, "receivers",
                           "The receivers pay %s, the givers gave only %s: share it, or give the "
                           "rest to the chest.",
                           paid_text, given_text);
    return 0;
}

/* Follows from the order alone. */
static void find_shares(const Timebank__Order *order, struct shares *ret) {
    const Timebank__Session *session = order->session;
    uint64_t paid = sum_of(session->receiver_minutes, session->n_receivers);

    if (session->rest == TIMEBANK__SESSION_REST__REST_SHARED) {
        split_shares(order->minutes, session->receiver_minutes, session->n_receivers, ret->parts);
        ret->chest = 0;
        return;
    }
    for (size_t i = 0; i < session->n_receivers; i++)
        ret->parts[i] = session->receiver_minutes[i];
    ret->chest = *order->from ? 0 : (int64_t)paid - (int64_t)order->minutes;
}

static void add_payers(struct rule *rule, const Timebank__Order *order, const struct shares *shares,
                       int sign, struct rules_legs *legs) {
    for (size_t i = 0; i < order->session->n_receivers; i++)
        rules_legs_add(rule, legs, order->session->receivers[i], -sign * (int64_t)shares->parts[i],
                       0);
    if (*order->from)
        rules_legs_add(rule, legs, order->from, -sign * (int64_t)order->minutes, 0);
    if (shares->chest != 0)
        rules_legs_add(rule, legs, "chest", sign * shares->chest, 0);
}

/* The same refusal as a grant's has another way out here. */
static int check_chest(struct rule *rule, const struct shares *shares) {
    const struct state_account *chest = state_account(rule->state, "chest");
    int64_t floor;

    if (shares->chest >= 0 || rule_is_history(rule) || rule_overrides(rule, OVERRIDES_LIMITS) ||
        !ledger_floor(rule->state, chest, &floor) || chest->balance + shares->chest >= floor)
        return 0;
    return rule_refuse(rule, REFUSAL_CHEST_EMPTY, "rest",
                       "The community chest does not hold that much: let the receivers share it.");
}

static int check_spending(struct rule *rule, const struct shares *shares) {
    const Timebank__Session *session = rule->order->session;
    int r = 0;

    for (size_t i = 0; r == 0 && i < session->n_receivers; i++)
        r = rules_limits_check(rule, session->receivers[i], shares->parts[i]);
    return r;
}

/* ---- the kind */

struct giving {
    struct rules_giver giver;
    uint64_t repaid;
};

static int check_giving(struct rule *rule, struct giving *givings, struct rules_legs *legs) {
    const Timebank__Session *session = rule->order->session;
    int r = 0;

    for (size_t i = 0; r == 0 && i < session->n_givers; i++) {
        r = rules_time_check(rule, session->givers[i], session->giver_minutes[i],
                             &givings[i].giver);
        givings[i].repaid =
            rules_advance_earn(rule, legs, session->givers[i], session->giver_minutes[i]);
    }
    return r;
}

static int note_all(struct rule *rule, const struct giving *givings, const struct shares *shares) {
    const Timebank__Session *session = rule->order->session;
    int r = 0;

    for (size_t i = 0; r == 0 && i < session->n_givers; i++) {
        r = rules_time_note(rule, &givings[i].giver);
        if (r == 0)
            r = rules_advance_note(rule, session->givers[i], givings[i].repaid);
    }
    for (size_t i = 0; r == 0 && i < session->n_receivers; i++)
        r = rules_limits_note(rule, session->receivers[i], shares->parts[i]);
    return r;
}

static int record(struct rule *rule) {
    const Timebank__Session *session = rule->order->session;
    struct giving *givings = arena_alloc(rule->arena, session->n_givers * sizeof(*givings));
    struct rules_legs legs = {0};
    struct shares shares;
    int r = check_enough(rule, rule->order->minutes,
                         sum_of(session->receiver_minutes, session->n_receivers));

    if (!givings)
        return -ENOMEM;
    if (r != 0)
        return r;
    find_shares(rule->order, &shares);
    add_payers(rule, rule->order, &shares, 1, &legs);
    r = check_giving(rule, givings, &legs);
    if (r == 0)
        r = check_spending(rule, &shares);
    if (r == 0)
        r = check_chest(rule, &shares);
    if (r == 0)
        r = rules_legs_check(rule, &legs);
    if (r == 0)
        r = rules_legs_post(rule, &legs);
    return r == 0 ? note_all(rule, givings, &shares) : r;
}

int rules_session(struct rule *rule) {
    int r = check_lines(rule);

    if (r == 0)
        r = check_people(rule);
    return r == 0 ? record(rule) : r;
}

/* ---- taken back */

int rules_session_take_back(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                            struct rules_legs *legs) {
    const Timebank__Session *session = target->order->session;
    const struct side receivers = receivers_of(session);
    struct shares shares;
    int r = check_own(rule, &receivers, "target");

    if (r != 0)
        return r;
    if (minutes != target->order->minutes)
        return rule_refuse(rule, REFUSAL_NOT_REVERSIBLE, "minutes",
                           "A session is taken back whole: leave --time out, and enter what is "
                           "right as a new one.");
    find_shares(target->order, &shares);
    for (size_t i = 0; r == 0 && i < session->n_givers; i++)
        r = rules_advance_unearn(rule, legs, target->index, session->givers[i],
                                 session->giver_minutes[i], 0);
    if (r == 0)
        add_payers(rule, target->order, &shares, -1, legs);
    return r;
}

int rules_session_taken_back(struct rule *rule, const struct rules_target *target,
                             uint64_t minutes) {
    const Timebank__Order *order = target->order;
    const Timebank__Session *session = order->session;
    uint32_t day = rules_agree_counted_day(rule, target);
    struct shares shares;
    int r = 0;

    (void)minutes;
    find_shares(order, &shares);
    for (size_t i = 0; r == 0 && i < session->n_givers; i++) {
        r = rules_day_add(rule, DAY_GIVEN, state_account(rule->state, session->givers[i]),
                          order->service_day, -(int64_t)session->giver_minutes[i]);
        if (r == 0)
            r = rules_advance_note_unearned(rule, target->index, session->givers[i], 0);
    }
    for (size_t i = 0; r == 0 && i < session->n_receivers; i++)
        r = rules_limits_give_back(rule, session->receivers[i], shares.parts[i], true, day);
    return r;
}
