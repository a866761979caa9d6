/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A voucher is taken: by a venue's key into its own account, or by a broker into a venue's or a
 * member's. Each thing that can be wrong with one has an answer of its own, in this order: not
 * genuine, never issued, good elsewhere, void or used, expired, not good yet.
 *
 * Taken without asking (offline), a voucher is judged as of the day it was taken, and may be handed
 * in until the time of grace is over. Where it was used or made void meanwhile, the first received
 * stands; the second is recorded and moves nothing until a broker decides whether the chest pays.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "proto/voucher.h"
#include "rules.h"

#define HEADS_MAX 1000u

struct taking {
    struct voucher claims;
    const struct state_voucher *row;
    uint32_t day;     /* on which it was taken */
    bool is_conflict; /* it was used, or void, when this was received */
};

/* Flags, version and figures are under the signature, so what is genuine can be read. */
static int read_claims(struct rule *rule, struct taking *taking) {
    const Timebank__RedeemVoucher *redeem = rule->order->redeem_voucher;

    if (redeem->claims.len != VOUCHER_CLAIMS_BYTES ||
        redeem->signature.len != SSHSIG_SIGNATURE_BYTES ||
        !rules_voucher_is_genuine(rule, redeem->claims.data, redeem->signature.data) ||
        voucher_unpack(redeem->claims.data, &taking->claims) < 0)
        return rule_refuse(rule, REFUSAL_VOUCHER_NOT_GENUINE, "claims", NULL);
    return 0;
}

/* What the ledger minted under this number, to the letter. */
static int find_row(struct rule *rule, struct taking *taking) {
    const struct voucher *claims = &taking->claims;
    int r = 0;
    const struct state_voucher *row = rules_voucher_get(rule, claims->serial, &r);

    if (!row)
        return r < 0 ? r : rule_refuse(rule, REFUSAL_VOUCHER_UNKNOWN, "claims", NULL);
    if (claims->ledger_tag != rule->state->sums.ledger_tag || claims->minutes != row->minutes ||
        claims->from_day != row->from_day || claims->expires_day != row->expires_day ||
        claims->venue != row->venue)
        return rule_refuse(rule, REFUSAL_VOUCHER_NOT_GENUINE, "claims",
                           "The voucher does not say what was minted under its number: do not "
                           "accept it, and see the coordinator.");
    if (rule->order->minutes != row->minutes)
        return rule_refuse(rule, REFUSAL_NOT_CANONICAL, "minutes",
                           "The time is the voucher's, not another: update the client.");
    taking->row = row;
    return 0;
}

static int check_place(struct rule *rule, const struct taking *taking) {
    const struct state_account *to = state_account(rule->state, rule->order->to);

    if (taking->row->venue == 0 || taking->row->venue == to->number + 1)
        return 0;
    return rule_refuse(rule, REFUSAL_VOUCHER_OTHER_PLACE, "to", NULL);
}

/* Under which a venue's taking of a voucher too late is remembered. */
static void conflict_key(struct rule *rule, const struct taking *taking, uint8_t ret[16]) {
    be64_put(ret, taking->claims.serial);
    be64_put(ret + 8, state_account(rule->state, rule->order->to)->number);
}

/* Whoever hands one in again has been heard: it would be decided, and paid, twice. */
static int check_first_conflict(struct rule *rule, struct taking *taking) {
    uint8_t key[16];
    int r = 0;

    conflict_key(rule, taking, key);
    if (state_get(rule->state, STATE_MARKS, key, sizeof(key), &r))
        taking->is_conflict = false;
    return r;
}

/* Taken before the record that ended it was received, by somebody else than that record's. */
static int check_conflict(struct rule *rule, struct taking *taking) {
    const Timebank__Order *order = rule->order, *ending = NULL;
    uint64_t received_at_ms = 0;
    int r = rules_pending_order(rule, taking->row->used, &ending, &received_at_ms);

    if (r < 0)
        return r;
    if (taking->row->standing == VOUCHER_USED)
        taking->is_conflict = strcmp(ending->to, order->to) != 0;
    else
        taking->is_conflict = taking->day <= clock_day(received_at_ms);
    return taking->is_conflict ? check_first_conflict(rule, taking) : 0;
}

static int check_standing(struct rule *rule, struct taking *taking) {
    int r = 0;

    if (taking->row->standing == VOUCHER_OPEN)
        return 0;
    if (rule->order->redeem_voucher->offline && taking->row->standing != VOUCHER_EXPIRED)
        r = check_conflict(rule, taking);
    if (r < 0 || taking->is_conflict)
        return r;
    if (rule_is_broker(rule))
        return rules_voucher_refuse_standing(rule, taking->claims.serial, taking->row);
    return rule_refuse(rule,
                       taking->row->standing == VOUCHER_USED   ? REFUSAL_VOUCHER_USED
                       : taking->row->standing == VOUCHER_VOID ? REFUSAL_VOUCHER_VOID
                                                               : REFUSAL_VOUCHER_EXPIRED,
                       "claims", NULL);
}

static int check_dates(struct rule *rule, const struct taking *taking) {
    const struct state_pending *pending;
    char day[16];
    int r = rules_voucher_pending(rule, taking->row->mint, &pending);

    if (r < 0)
        return r;
    dates_format_iso(taking->row->expires_day, day);
    if (taking->day > taking->row->expires_day)
        return rule_refuse(rule, REFUSAL_VOUCHER_EXPIRED, "claims",
                           "The voucher was good until %s: ask for another way to pay.", day);
    if (rule->batch->received_at_ms >= pending->due_ms)
        return rule_refuse(rule, REFUSAL_VOUCHER_EXPIRED, "claims",
                           "The voucher was good until %s, and the time to hand it in is over: "
                           "see the coordinator.",
                           day);
    dates_format_iso(taking->row->from_day, day);
    if (taking->day < taking->row->from_day)
        return rule_refuse(rule, REFUSAL_VOUCHER_NOT_YET, "claims",
                           "The voucher is good from %s: ask its holder to come back then.", day);
    return 0;
}

static bool is_at_venue(struct rule *rule, const Timebank__Order *order) {
    return KIND_BIT(state_account(rule->state, order->to)->kind) & VENUES;
}

static struct rules_taking visit_of(const Timebank__Order *order) {
    const Timebank__RedeemVoucher *redeem = order->redeem_voucher;

    return (struct rules_taking){.venue = order->to,
                                 .offer = redeem->offer,
                                 .member = "",
                                 .adults = redeem->adults,
                                 .under16 = redeem->under16,
                                 .minutes = order->minutes,
                                 .day = order->service_day,
                                 .only_warns = redeem->offline};
}

/* A voucher may pay a part of a visit only, so its time is not held against the offer's price. */
static int check_offer(struct rule *rule) {
    const Timebank__RedeemVoucher *redeem = rule->order->redeem_voucher;
    struct rules_taking visit = visit_of(rule->order);
    uint64_t heads = (uint64_t)redeem->adults + redeem->under16;

    if (!is_at_venue(rule, rule->order) && (redeem->offline || *redeem->offer || heads > 0))
        return rule_refuse(rule, REFUSAL_WRONG_KIND, "to",
                           "Only a venue takes vouchers without asking, or for an offer: leave "
                           "that out for a member.");
    if (heads > HEADS_MAX)
        return rule_refuse(rule, REFUSAL_NO_HEADS, "adults", NULL);
    return *redeem->offer ? rules_offer_check(rule, &visit) : 0;
}

static int take(struct rule *rule, const struct taking *taking) {
    const Timebank__Order *order = rule->order;
    struct rules_taking visit = visit_of(order);
    int r = rules_move(rule, order->from, order->to, order->minutes);

    if (r == 0)
        r = rules_voucher_take_out(rule, taking->row->mint, order->minutes);
    if (r == 0)
        r = rules_voucher_mark(rule, taking->claims.serial, VOUCHER_USED);
    if (r == 0 && !rule_is_broker(rule))
        r = rules_redeem_count_caps(rule, order->to, "", rule->today, (int64_t)order->minutes);
    return r == 0 && is_at_venue(rule, order) ? rules_offer_count(rule, &visit) : r;
}

static int record_conflict(struct rule *rule, const struct taking *taking) {
    const Timebank__Order *order = rule->order;
    uint64_t first = taking->row->used;
    uint8_t key[16];
    void *mark;
    int r = rules_pending_open(rule, PENDING_CONFLICT, order->minutes, order->from, order->to, 0,
                               first);

    conflict_key(rule, taking, key);
    if (r == 0)
        r = rules_move_add_line(rule, order->to);
    if (r == 0)
        r = state_make(rule->state, STATE_MARKS, key, sizeof(key), &mark);
    if (r < 0)
        return r;
    ((struct state_mark *)mark)->dispute = rule->index;
    return rule_warn(rule, WARNING_VOUCHER_CONFLICT, rule_is_broker(rule) ? first : 0,
                     taking->row->standing == VOUCHER_USED
                         ? "This voucher was taken before: nothing moves, and a broker settles "
                           "who pays."
                         : "This voucher was made void: nothing moves, and a broker settles who "
                           "pays.");
}

int rules_voucher_redeem(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct taking taking = {.day =
                                order->redeem_voucher->offline ? order->service_day : rule->today};
    int r = read_claims(rule, &taking);

    if (r == 0)
        r = find_row(rule, &taking);
    if (r == 0)
        r = check_offer(rule);
    if (r == 0)
        r = check_place(rule, &taking);
    if (r == 0)
        r = check_standing(rule, &taking);
    if (r == 0)
        r = check_dates(rule, &taking);
    if (r == 0 && taking.is_conflict)
        return record_conflict(rule, &taking);
    if (r == 0 && !rule_is_broker(rule))
        r = rules_redeem_check_caps(rule, order->to, "", order->minutes);
    if (r == 0)
        r = rules_move_check(rule, order->from, order->to, order->minutes);
    return r == 0 ? take(rule, &taking) : r;
}

/* ---- afterwards */

static int check_payment(struct rule *rule, const struct state_pending *pending) {
    uint64_t minutes = rule->order->minutes;
    char text[32];

    hours_format((int64_t)pending->minutes, text);
    if (minutes > pending->minutes)
        return rule_refuse(rule, REFUSAL_MORE_THAN_REMAINS, "minutes",
                           "The voucher was of %s: pay that, less, or nothing.", text);
    if (minutes == 0)
        return 0;
    if (state_account(rule->state, pending->to)->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_CLOSED, "target",
                           "%s is closed: decide that nothing is paid.", pending->to);
    return rules_move_check(rule, "chest", pending->to, minutes);
}

/* What is paid counts as what the visit brought. */
static int pay(struct rule *rule, const struct state_pending *pending,
               const Timebank__Order *redemption) {
    struct rules_taking visit = visit_of(redemption);
    int r = rules_move(rule, "chest", pending->to, rule->order->minutes);

    visit.minutes = rule->order->minutes;
    return r == 0 ? rules_offer_count(rule, &visit) : r;
}

int rules_voucher_decide(struct rule *rule, struct state_pending *pending) {
    const Timebank__Order *redemption = NULL;
    struct state_pending *found = NULL;
    uint64_t entry = 0;
    int r = rules_pending_find(rule, &rule->order->decide->target, 1u << PENDING_CONFLICT, &found,
                               &redemption, &entry);

    if (r == 0)
        r = check_payment(rule, pending);
    if (r != 0)
        return r;
    assert(found == pending);
    if (rule->order->minutes > 0)
        r = pay(rule, pending, redemption);
    else
        r = rules_move_add_line(rule, pending->to);
    if (r == 0)
        rules_pending_end(rule, pending,
                          rule->order->minutes > 0 ? OUTCOME_SETTLED : OUTCOME_DECLINED);
    return r;
}

/* Of claims that were judged when they were recorded. */
static uint64_t serial_of(const Timebank__Order *redemption) {
    struct voucher claims = {0};

    if (voucher_unpack(redemption->redeem_voucher->claims.data, &claims) < 0)
        return 0;
    return claims.serial;
}

/* A voucher that is good again is good for all its time. */
int rules_voucher_take_back(struct rule *rule, const struct rules_target *target, uint64_t minutes,
                            struct rules_legs *legs) {
    const Timebank__Order *order = target->order;
    int r = 0;
    const struct state_voucher *voucher = rules_voucher_get(rule, serial_of(order), &r);

    if (!voucher)
        return r < 0 ? r : -EUCLEAN;
    if (voucher->standing != VOUCHER_USED || voucher->used != target->index)
        return rule_refuse(rule, REFUSAL_NOT_REVERSIBLE, "target",
                           "This voucher was taken twice and nothing moved: a broker decides it "
                           "with timebank decide.");
    if (minutes != order->minutes)
        return rule_refuse(rule, REFUSAL_MORE_THAN_REMAINS, "minutes",
                           "A voucher is taken back whole: leave the time out.");
    rules_legs_add(rule, legs, order->to, -(int64_t)minutes, 0);
    rules_legs_add(rule, legs, order->from, (int64_t)minutes, 0);
    return 0;
}

int rules_voucher_taken_back(struct rule *rule, const struct rules_target *target,
                             uint64_t minutes) {
    const Timebank__Order *order = target->order;
    struct rules_taking visit = visit_of(order);
    uint64_t serial = serial_of(order);
    int r = 0;
    const struct state_voucher *voucher = rules_voucher_get(rule, serial, &r);

    if (!voucher)
        return r < 0 ? r : -EUCLEAN;
    r = rules_voucher_put_back(rule, voucher->mint, minutes);
    if (r == 0)
        r = rules_voucher_mark(rule, serial, VOUCHER_OPEN);
    if (r == 0 && order->authority == TIMEBANK__AUTHORITY__BY_VENUE)
        r = rules_redeem_count_caps(rule, order->to, "", clock_day(target->received_at_ms),
                                    -(int64_t)minutes);
    return r == 0 && is_at_venue(rule, order) ? rules_offer_give_back(rule, &visit, true) : r;
}
