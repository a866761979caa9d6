/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credits set aside for a booking. A hold moves them from the member into transit, where they count
 * as spent; the venue captures them, in part or whole, as the redemption of the hold's offer on the
 * hold's date; what is released, or not captured in time, goes back. The offer's rules, price and
 * caps are asked when the hold is placed; its heads count once, however many captures there are.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "proto/dates.h"
#include "proto/hours.h"
#include "rules.h"

#define TRANSIT "transit"

/* A hold that was placed before. */
struct hold {
    uint64_t entry;
    uint64_t received_at_ms;
    const struct state_pending *pending;
    const Timebank__Order *order;
};

static struct rules_taking taking_of(const Timebank__Order *hold, uint64_t minutes) {
    return (struct rules_taking){.venue = hold->to,
                                 .offer = hold->hold->offer,
                                 .member = hold->from,
                                 .adults = hold->hold->adults,
                                 .under16 = hold->hold->under16,
                                 .minutes = minutes,
                                 .day = hold->service_day,
                                 .is_hold = true};
}

static bool has_caps(const Timebank__Order *hold) {
    return hold->authority == TIMEBANK__AUTHORITY__BY_VENUE;
}

/* ---- hold */

static int check_dates(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    uint64_t until_ms = order->hold->until_ms;
    int64_t days = state_policy_number(rule->state, "hold-days", 0);
    char day[16];

    if (order->service_day == 0)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "service_day",
                           "The day of the booking is missing: enter it.");
    dates_format_iso(order->service_day, day);
    if (order->service_day < rule->today)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "service_day",
                           "%s is over: book a day to come, or redeem what was taken.", day);
    if (until_ms > rules_pending_due(rule, "hold-days"))
        return rule_refuse(rule, REFUSAL_BAD_DATE, "until_ms",
                           "Credits are held for %lld days at most, by the policy hold-days: "
                           "choose an earlier day, or book later.",
                           (long long)days);
    if (until_ms <= rule->batch->received_at_ms ||
        until_ms <= (uint64_t)order->service_day * MS_PER_DAY)
        return rule_refuse(rule, REFUSAL_BAD_DATE, "until_ms",
                           "The hold would lapse before the booking on %s: hold it until that "
                           "day or later.",
                           day);
    return 0;
}

static int set_aside(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct rules_legs legs = {0};
    int r;

    rules_legs_add(rule, &legs, order->from, -(int64_t)order->minutes, (int64_t)order->minutes);
    rules_legs_add(rule, &legs, TRANSIT, (int64_t)order->minutes, 0);
    r = rules_legs_post(rule, &legs);
    if (r == 0)
        r = rules_pending_open(rule, PENDING_HOLD, order->minutes, order->from, order->to,
                               order->hold->until_ms, rule->index);
    return r;
}

int rules_hold(struct rule *rule) {
    const Timebank__Order *order = rule->order;
    struct rules_taking taking = taking_of(order, order->minutes);
    int r = check_dates(rule);

    if (r == 0)
        r = rules_offer_check_price(rule, &taking);
    if (r == 0)
        r = rules_offer_check(rule, &taking);
    if (r == 0 && has_caps(order))
        r = rules_redeem_check_caps(rule, order->to, order->from, order->minutes);
    if (r == 0)
        r = rules_move_check(rule, order->from, TRANSIT, order->minutes);
    if (r == 0)
        r = set_aside(rule);
    if (r == 0)
        r = rules_offer_add(rule, "hdp", &taking, true);
    if (r == 0 && has_caps(order))
        r = rules_redeem_count_caps(rule, order->to, order->from, rule->today,
                                    (int64_t)order->minutes);
    return r;
}

/* ---- finding it again */

/* The pending that an id opened, whatever became of it; not found is refused. */
static int find(struct rule *rule, const ProtobufCBinaryData *target, struct hold *ret) {
    const struct state_id *id = NULL;
    uint8_t key[8];
    int r = 0;

    if (target->len == ORDER_ID_BYTES)
        id = state_get(rule->state, STATE_IDS, target->data, target->len, &r);
    if (!id)
        return r < 0 ? r : rule_refuse(rule, REFUSAL_NO_SUCH_ENTRY, "target", NULL);
    ret->entry = id->entry;
    be64_put(key, id->entry);
    ret->pending = state_get(rule->state, STATE_PENDINGS, key, sizeof(key), &r);
    if (r < 0)
        return r;
    if (!ret->pending || ret->pending->what != PENDING_HOLD)
        return rule_refuse(rule, REFUSAL_NOT_WAITING, "target",
                           "That entry is no hold: see timebank list pending.");
    return rules_pending_order(rule, ret->entry, &ret->order, &ret->received_at_ms);
}

/* Whose it is comes first: nobody learns what became of another's. */
static int check_party(struct rule *rule, const struct hold *hold) {
    bool is_venue = rule->batch->author->role == TIMEBANK__ROLE__ROLE_VENUE;

    if (rule_is_broker(rule))
        return 0;
    return rules_mandate_check_author(rule, is_venue ? hold->pending->to : hold->pending->from,
                                      "target");
}

static int find_waiting(struct rule *rule, const ProtobufCBinaryData *target, struct hold *ret) {
    int r = find(rule, target, ret);

    if (r == 0)
        r = check_party(rule, ret);
    if (r != 0 || !ret->pending->is_over)
        return r;
    return rule_refuse(
        rule, ret->pending->outcome == OUTCOME_LAPSED ? REFUSAL_HOLD_LAPSED : REFUSAL_HOLD_ENDED,
        "target", NULL);
}

static int edit(struct rule *rule, uint64_t entry, struct state_pending **ret) {
    uint8_t key[8];
    void *value;
    int r;

    be64_put(key, entry);
    r = state_edit(rule->state, STATE_PENDINGS, key, sizeof(key), &value);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    *ret = value;
    return 0;
}

/* ---- giving back */

static void add_back(struct rule *rule, struct rules_legs *legs, const Timebank__Order *hold,
                     uint64_t minutes) {
    rules_legs_add(rule, legs, hold->from, (int64_t)minutes, -(int64_t)minutes);
    rules_legs_add(rule, legs, TRANSIT, -(int64_t)minutes, 0);
}

/* What counted as the hold was placed, and now does not. */
static int note_back(struct rule *rule, const struct hold *hold, uint64_t taken, uint64_t minutes) {
    struct rules_taking taking = taking_of(hold->order, minutes);
    uint32_t day = clock_day(hold->received_at_ms);
    int r = rules_offer_take_off(rule, "hdp", &taking, taken == 0);

    if (r == 0 && has_caps(hold->order))
        r = rules_redeem_count_caps(rule, hold->order->to, hold->order->from, day,
                                    -(int64_t)minutes);
    if (r == 0)
        r = rules_limits_give_back(rule, hold->order->from, minutes, taken == 0, day);
    return r;
}

/* All that is still held goes back, and the hold is over. */
static int give_back(struct rule *rule, const struct hold *hold, struct state_pending *pending,
                     enum state_outcome outcome) {
    struct rules_legs legs = {0};
    uint64_t minutes = pending->minutes;
    int r;

    add_back(rule, &legs, hold->order, minutes);
    r = rules_legs_post(rule, &legs);
    if (r == 0)
        r = note_back(rule, hold, pending->taken, minutes);
    if (r == 0)
        rules_pending_end(rule, pending, outcome);
    return r;
}

static int check_standing(struct rule *rule, const char *code) {
    const struct state_account *account = state_account(rule->state, code);

    if (account->standing == STANDING_CLOSED)
        return rule_refuse(rule, REFUSAL_CLOSED, "target", "%s is closed: release the hold.", code);
    if (account->standing == STANDING_FROZEN && !rule_is_broker(rule))
        return rule_refuse(rule, REFUSAL_FROZEN, "target", NULL);
    return 0;
}

int rules_hold_release(struct rule *rule) {
    struct state_pending *pending = NULL;
    struct hold hold = {0};
    int r = find_waiting(rule, &rule->order->release->target, &hold);

    if (r == 0)
        r = edit(rule, hold.entry, &pending);
    return r == 0 ? give_back(rule, &hold, pending, OUTCOME_WITHDRAWN) : r;
}

int rules_hold_plan(struct rule *rule, const struct state_pending *pending,
                    Timebank__EventKind *ret_event, uint64_t *ret_minutes) {
    (void)rule;
    *ret_event = TIMEBANK__EVENT_KIND__HOLD_LAPSED;
    *ret_minutes = pending->minutes;
    return 0;
}

int rules_hold_lapse(struct rule *rule, struct state_pending *pending) {
    struct hold hold = {.entry = rule->proposed, .pending = pending};
    int r = rules_pending_order(rule, hold.entry, &hold.order, &hold.received_at_ms);

    return r == 0 ? give_back(rule, &hold, pending, OUTCOME_LAPSED) : r;
}

/* ---- capture */

static int check_capture(struct rule *rule, const struct hold *hold, uint64_t minutes) {
    char text[32];
    int r;

    if (hold->order->service_day > rule->today + 1) {
        dates_format_iso(hold->order->service_day, text);
        return rule_refuse(rule, REFUSAL_FUTURE_DATE, "target",
                           "The booking is for %s: capture it on that day, or release it.", text);
    }
    if (minutes > hold->pending->minutes) {
        hours_format((int64_t)hold->pending->minutes, text);
        return rule_refuse(rule, REFUSAL_MORE_THAN_REMAINS, "minutes",
                           "Only %s is held: capture that or less.", text);
    }
    r = rules_safeguard_check(rule, hold->order->from, hold->order->to);
    if (r == 0)
        r = check_standing(rule, hold->order->to);
    if (r == 0)
        r = check_standing(rule, hold->order->from);
    return r == 0 ? rules_move_check(rule, TRANSIT, hold->order->to, minutes) : r;
}

/* Posted under the hold's date of service, as the redemption that it is. */
static int post_capture(struct rule *rule, const struct hold *hold, uint64_t minutes,
                        uint64_t rest) {
    struct rule dated = *rule;
    struct rules_legs legs = {0};

    dated.order = hold->order;
    rules_legs_add(&dated, &legs, hold->order->from, 0, -(int64_t)minutes);
    rules_legs_add(&dated, &legs, TRANSIT, -(int64_t)minutes, 0);
    rules_legs_add(&dated, &legs, hold->order->to, (int64_t)minutes, 0);
    if (rest > 0)
        add_back(&dated, &legs, hold->order, rest);
    return rules_legs_post(&dated, &legs);
}

static int count_capture(struct rule *rule, const struct hold *hold, bool is_first,
                         uint64_t minutes) {
    struct rules_taking taking = taking_of(hold->order, minutes);
    int r = rules_offer_take_off(rule, "h", &taking, is_first);

    return r == 0 ? rules_offer_add(rule, "m", &taking, is_first) : r;
}

int rules_hold_capture(struct rule *rule) {
    const Timebank__Capture *capture = rule->order->capture;
    struct state_pending *pending = NULL;
    struct hold hold = {0};
    uint64_t minutes = 0, rest = 0;
    int r = find_waiting(rule, &capture->target, &hold);

    if (r == 0) {
        minutes = rule->order->minutes ? rule->order->minutes : hold.pending->minutes;
        r = check_capture(rule, &hold, minutes);
    }
    if (r == 0)
        r = edit(rule, hold.entry, &pending);
    if (r != 0)
        return r;
    rest = capture->release_rest ? pending->minutes - minutes : 0;
    r = post_capture(rule, &hold, minutes, rest);
    if (r == 0)
        r = count_capture(rule, &hold, pending->taken == 0, minutes);
    if (r < 0)
        return r;
    pending->taken += minutes;
    if (rest > 0)
        r = note_back(rule, &hold, pending->taken, rest);
    if (pending->minutes - minutes - rest > 0) {
        pending->minutes -= minutes;
        return r;
    }
    pending->minutes = minutes;
    rules_pending_end(rule, pending, OUTCOME_SETTLED);
    return r;
}

/* ---- a capture that is taken back */

int rules_hold_captured(struct rule *rule, const Timebank__Order **order) {
    Timebank__Order *taken = arena_alloc(rule->arena, sizeof(*taken));
    struct hold hold = {0};
    int r = taken ? find(rule, &(*order)->capture->target, &hold) : -ENOMEM;

    if (r != 0)
        return r < 0 ? r : -EUCLEAN;
    *taken = **order;
    taken->service_day = hold.order->service_day;
    taken->from = hold.order->from;
    taken->to = hold.order->to;
    if (taken->minutes == 0) /* it took all, and ended the hold */
        taken->minutes = hold.pending->minutes;
    *order = taken;
    return 0;
}

int rules_hold_taken_back(struct rule *rule, const struct rules_target *target, uint64_t minutes) {
    struct state_pending *pending = NULL;
    struct rules_taking taking;
    struct hold hold = {0};
    bool is_all;
    uint32_t day;
    int r = find(rule, &target->order->capture->target, &hold);

    if (r == 0)
        r = edit(rule, hold.entry, &pending);
    if (r != 0)
        return r < 0 ? r : -EUCLEAN;
    day = clock_day(hold.received_at_ms);
    pending->taken -= minutes;
    is_all = pending->taken == 0;
    taking = taking_of(hold.order, minutes);
    r = rules_offer_take_off(rule, "m", &taking, is_all);
    if (r == 0)
        r = rules_offer_take_off(rule, "dp", &taking, is_all && pending->is_over);
    if (r == 0 && is_all && !pending->is_over) { /* the heads may still come */
        taking.minutes = 0;
        r = rules_offer_add(rule, "h", &taking, true);
    }
    if (r == 0 && has_caps(hold.order))
        r = rules_redeem_count_caps(rule, hold.order->to, hold.order->from, day, -(int64_t)minutes);
    if (r == 0)
        r = rules_limits_give_back(rule, hold.order->from, minutes, is_all && pending->is_over,
                                   day);
    return r;
}
