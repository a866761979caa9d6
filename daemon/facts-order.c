/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders into rows and lines: one table says for each kind what it leaves for the measures. A
 * proposal has its lines from the first, and counts from the record on that gave it effect.
 */
#include <errno.h>
#include <string.h>

#include "facts-private.h"

#define CASE(name) TIMEBANK__ORDER__KIND_##name

/* One side of an order. */
static int read_side(struct facts *facts, const char *code, const char *person,
                     uint32_t *ret_account, uint32_t *ret_person) {
    *ret_account = *ret_person = INTERN_NONE;
    if (code[0] == '\0')
        return 0;
    uint32_t account = intern_find(&facts->account_codes, code, strlen(code));
    if (account == INTERN_NONE ||
        facts->accounts[account].kind == TIMEBANK__ACCOUNT_KIND__ACCOUNT_KIND_NONE)
        return -EBADMSG;
    *ret_account = account;
    return facts_number_person(facts, account, person, ret_person);
}

static int read_name(struct intern *names, const char *name, uint32_t *ret) {
    return intern_text_number(names, name[0] != '\0' ? name : FACTS_NAMELESS, ret);
}

static int read_offer(struct facts *facts, const char *venue, const char *name, uint32_t *ret) {
    _cleanup_bytes_ struct bytes key = {0};
    bytes_put_text(&key, venue);
    bytes_put_u8(&key, '/');
    bytes_put_text(&key, name[0] != '\0' ? name : FACTS_NAMELESS);
    if (key.r < 0)
        return key.r;
    return intern_number(&facts->offers, key.data, key.n, ret);
}

/* Appends a line of the order being read. */
static int add_fact(struct facts *facts, const struct fact *from) {
    int r = GROW(facts, own_lines);
    if (r < 0)
        return r;
    struct fact *fact = &facts->own_lines[facts->n_own_lines++];
    *fact = *from;
    fact->is_further = facts->own.n_facts++ > 0;
    facts->own.minutes += fact->minutes;
    facts_count_minutes(facts, fact->minutes);
    return 0;
}

/* The line of an order that has one, its names and both sides. */
static int read_line(struct facts *facts, const Timebank__Order *order, struct fact *ret) {
    struct fact fact = {.minutes = order->minutes,
                        .kind = (uint16_t)order->kind_case,
                        .label = INTERN_NONE,
                        .programme = INTERN_NONE};
    int r = read_side(facts, order->from, order->from_person, &fact.from, &fact.from_person);
    if (r == 0)
        r = read_side(facts, order->to, order->to_person, &fact.to, &fact.to_person);
    if (r == 0)
        r = read_name(&facts->activities, order->activity, &fact.activity);
    *ret = fact;
    return r;
}

/* A missing side would be counted as nobody. Hours without credit may name who had them, or nobody.
 */
static int add_plain(struct facts *facts, struct facts_reading *reading) {
    const Timebank__Order *order = reading->order;
    struct fact fact;
    int r = read_line(facts, order, &fact);
    if (r == 0 &&
        (fact.to == INTERN_NONE || (fact.from == INTERN_NONE && order->kind_case != CASE(LOG))))
        r = -EBADMSG;
    if (r == 0 && order->kind_case == CASE(ISSUE))
        r = read_name(&facts->funders, order->issue->funder, &fact.label);
    if (r == 0 && order->kind_case == CASE(ISSUE))
        r = read_name(&facts->programmes, order->issue->programme, &fact.programme);
    return r == 0 ? add_fact(facts, &fact) : r;
}

/* What a venue takes, by whatever means. */
static int add_admission(struct facts *facts, struct facts_reading *reading, const char *offer,
                         uint32_t adults, uint32_t under16) {
    struct fact fact;
    int r = read_line(facts, reading->order, &fact);
    if (r == 0 && (fact.to == INTERN_NONE || fact.from == INTERN_NONE))
        r = -EBADMSG;
    if (r == 0)
        r = read_offer(facts, reading->order->to, offer, &fact.label);
    fact.adults = adults;
    fact.under16 = under16;
    fact.kind = CASE(REDEEM);
    return r == 0 ? add_fact(facts, &fact) : r;
}

static int add_redeem(struct facts *facts, struct facts_reading *reading) {
    const Timebank__Redeem *redeem = reading->order->redeem;
    return add_admission(facts, reading, redeem->offer, redeem->adults, redeem->under16);
}

/* The line waits for the capture. */
static int add_hold(struct facts *facts, struct facts_reading *reading) {
    const Timebank__Hold *hold = reading->order->hold;
    facts->own.entered.index = FACTS_NEVER;
    return add_admission(facts, reading, hold->offer, hold->adults, hold->under16);
}

/* The bearer of a voucher is nobody known. One taken twice waits for a decision. */
static int add_voucher(struct facts *facts, struct facts_reading *reading) {
    const Timebank__RedeemVoucher *redeem = reading->order->redeem_voucher;
    uint32_t to =
        intern_find(&facts->account_codes, reading->order->to, strlen(reading->order->to));
    if (to == INTERN_NONE)
        return -EBADMSG;
    if (facts->accounts[to].kind != TIMEBANK__ACCOUNT_KIND__VENUE)
        return 0;
    if (reading->moved[PLACE_VENUES] == 0)
        facts->own.entered.index = FACTS_NEVER;
    int r = add_admission(facts, reading, redeem->offer, redeem->adults, redeem->under16);
    if (r == 0)
        facts->own_lines[facts->n_own_lines - 1].from_person = INTERN_NONE;
    return r;
}

/* Vouchers out of `issued` are new credit; others were outstanding before. */
static int add_mint(struct facts *facts, struct facts_reading *reading) {
    uint32_t from =
        intern_find(&facts->account_codes, reading->order->from, strlen(reading->order->from));
    if (from == INTERN_NONE)
        return -EBADMSG;
    return facts->accounts[from].kind == TIMEBANK__ACCOUNT_KIND__ISSUED ? add_plain(facts, reading)
                                                                        : 0;
}

static int add_session_side(struct facts *facts, struct facts_reading *reading, bool gives) {
    const Timebank__Session *session = reading->order->session;
    size_t n = gives ? session->n_givers : session->n_receivers;
    char *const *codes = gives ? session->givers : session->receivers;
    char *const *names = gives ? session->giver_persons : session->receiver_persons;
    size_t n_names = gives ? session->n_giver_persons : session->n_receiver_persons;
    for (size_t i = 0; i < n; i++) {
        struct fact fact = {.kind = CASE(SESSION), .label = INTERN_NONE, .programme = INTERN_NONE};
        uint32_t account, person;
        int r = read_side(facts, codes[i], i < n_names ? names[i] : "", &account, &person);
        if (r == 0)
            r = read_name(&facts->activities, reading->order->activity, &fact.activity);
        if (r < 0)
            return r;
        fact.from = gives ? INTERN_NONE : account;
        fact.from_person = gives ? INTERN_NONE : person;
        fact.to = gives ? account : INTERN_NONE;
        fact.to_person = gives ? person : INTERN_NONE;
        fact.minutes = gives && i < session->n_giver_minutes ? session->giver_minutes[i] : 0;
        r = add_fact(facts, &fact);
        if (r < 0)
            return r;
    }
    return 0;
}

/* What the givers gave is service; the receivers are counted as persons only. */
static int add_session(struct facts *facts, struct facts_reading *reading) {
    int r = add_session_side(facts, reading, true);
    return r == 0 ? add_session_side(facts, reading, false) : r;
}

/* ---- what is about an earlier order */

static int find_target(struct facts *facts, struct facts_reading *reading) {
    int r = facts_wait_target(facts, record_order_target(reading->order), reading);
    return r == 0 ? -EBADMSG : MIN_OF(r, 0);
}

static int take_back(struct facts *facts, const struct facts_reading *reading) {
    int r = GROW(facts, reversals);
    if (r < 0)
        return r;
    facts->reversals[facts->n_reversals++] =
        (struct fact_reversal){.entered = reading->entered,
                               .minutes = reading->order->minutes,
                               .order_minutes = reading->about_minutes,
                               .order = reading->about,
                               .service_day = reading->service_day};
    return 0;
}

static int add_reversal(struct facts *facts, struct facts_reading *reading) {
    int r = find_target(facts, reading);
    return r == 0 ? take_back(facts, reading) : r;
}

/* The order counts from here on: its lines join the others. One of no minutes never counts. */
static int add_effect(struct facts *facts, const struct fact_order *order,
                      const struct fact *lines) {
    int r = facts_known_effect(facts, &order->entered);
    for (size_t i = 0; r == 0 && order->minutes > 0 && i < order->n_facts; i++)
        r = facts_block_add_line(facts, order, &lines[i]);
    return r;
}

static int add_asides(struct facts *facts, const struct facts_waiting *waiting) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < waiting->n_asides; i++) {
        struct fact_aside aside = waiting->asides[i];
        aside.entered = facts_known_later(&waiting->order.entered, &aside.entered);
        r = facts_block_add_moved(facts, &aside);
    }
    return r;
}

static void end_wait(struct facts *facts, struct facts_waiting *waiting,
                     const struct facts_reading *reading) {
    if (waiting->order.wait != INTERN_NONE)
        facts->waits[waiting->order.wait].ended = reading->entered;
    facts_wait_end(facts, waiting);
}

/* What waited counts from here on. */
static int take_effect(struct facts *facts, struct facts_waiting *waiting,
                       struct facts_reading *reading) {
    waiting->order.entered = reading->about_entered = reading->entered;
    int r = add_effect(facts, &waiting->order, waiting->lines);
    if (r == 0)
        r = add_asides(facts, waiting);
    if (r == 0)
        end_wait(facts, waiting, reading);
    return r;
}

static void set_minutes(struct facts *facts, struct facts_waiting *waiting, uint64_t minutes) {
    if (waiting->order.n_facts == 0)
        return;
    waiting->lines[0].minutes = minutes;
    waiting->order.minutes = minutes;
    facts_count_minutes(facts, minutes);
}

/* Of an entry: what falls is taken back. Of a voucher taken twice: what the chest pays for it. */
static int add_decision(struct facts *facts, struct facts_reading *reading) {
    int r = find_target(facts, reading);
    if (r < 0 || reading->order->minutes == 0)
        return r;
    struct facts_waiting *waiting = facts_wait_find(facts, reading->about);
    if (!waiting)
        return take_back(facts, reading);
    set_minutes(facts, waiting, reading->order->minutes);
    return take_effect(facts, waiting, reading);
}

/* Of a hold the offer, the sides and, once, the heads; the minutes are what the venue got. It is
 * about itself. */
static int add_capture(struct facts *facts, struct facts_reading *reading) {
    struct facts_reading of_hold = *reading;
    int r = find_target(facts, &of_hold);
    if (r < 0)
        return r;
    struct facts_waiting *hold = facts_wait_find(facts, of_hold.about);
    if (!hold || hold->order.n_facts != 1 || reading->moved[PLACE_VENUES] <= 0)
        return -EBADMSG;
    struct fact fact = hold->lines[0];
    hold->lines[0].adults = hold->lines[0].under16 = 0;
    if (reading->order->service_day == 0)
        reading->service_day = facts->own.service_day = hold->order.service_day;
    fact.minutes = (uint64_t)reading->moved[PLACE_VENUES];
    hold->remains_minutes -= MIN_OF(hold->remains_minutes, fact.minutes);
    if (hold->remains_minutes == 0 || reading->order->capture->release_rest)
        facts_wait_end(facts, hold);
    return add_fact(facts, &fact);
}

/* Nothing is left to capture. It is about itself. */
static int add_release(struct facts *facts, struct facts_reading *reading) {
    struct facts_reading of_hold = *reading;
    int r = find_target(facts, &of_hold);
    struct facts_waiting *hold = r == 0 ? facts_wait_find(facts, of_hold.about) : NULL;
    if (hold)
        facts_wait_end(facts, hold);
    return r;
}

/* A confirm of what took effect before only says so. */
static int add_agreement(struct facts *facts, struct facts_reading *reading) {
    int r = find_target(facts, reading);
    struct facts_waiting *waiting = r == 0 ? facts_wait_find(facts, reading->about) : NULL;
    if (!waiting)
        return r;
    uint32_t to = waiting->order.n_facts > 0 ? waiting->lines[0].to : INTERN_NONE;
    if (to != INTERN_NONE && !facts_move_has(facts, reading, to))
        return 0; /* somebody else has to agree, too */
    return take_effect(facts, waiting, reading);
}

static int add_refusal(struct facts *facts, struct facts_reading *reading) {
    int r = find_target(facts, reading);
    struct facts_waiting *waiting = r == 0 ? facts_wait_find(facts, reading->about) : NULL;
    if (waiting)
        end_wait(facts, waiting, reading);
    return r;
}

static int add_merge(struct facts *facts, struct facts_reading *reading) {
    struct fact_merge merge = {
        .entered = reading->entered, .ended = {.index = FACTS_NEVER}, .order = reading->about};
    uint32_t person;
    int r = read_side(facts, reading->order->from, "", &merge.from, &person);
    if (r == 0)
        r = read_side(facts, reading->order->to, "", &merge.to, &person);
    if (r == 0 && (merge.from == INTERN_NONE || merge.to == INTERN_NONE))
        r = -EBADMSG;
    if (r == 0)
        r = GROW(facts, merges);
    if (r < 0)
        return r;
    facts->merges[facts->n_merges++] = merge;
    return 0;
}

static int add_unmerge(struct facts *facts, struct facts_reading *reading) {
    int r = find_target(facts, reading);
    for (size_t i = 0; r == 0 && i < facts->n_merges; i++)
        if (facts->merges[i].order == reading->about)
            facts->merges[i].ended = reading->entered;
    return r;
}

static const struct {
    Timebank__Order__KindCase kind;
    int (*add)(struct facts *facts, struct facts_reading *reading);
} kinds[] = {
    {CASE(EXCHANGE), add_plain},     {CASE(EARN), add_plain},
    {CASE(LOG), add_plain},          {CASE(GIFT), add_plain},
    {CASE(DONATE), add_plain},       {CASE(GRANT), add_plain},
    {CASE(ISSUE), add_plain},        {CASE(ADVANCE), add_plain},
    {CASE(PLEDGE), add_plain},       {CASE(REDEEM), add_redeem},
    {CASE(HOLD), add_hold},          {CASE(CAPTURE), add_capture},
    {CASE(RELEASE), add_release},    {CASE(REDEEM_VOUCHER), add_voucher},
    {CASE(MINT_VOUCHERS), add_mint}, {CASE(SESSION), add_session},
    {CASE(REVERSE), add_reversal},   {CASE(DECIDE), add_decision},
    {CASE(CONFIRM), add_agreement},  {CASE(APPROVE), add_agreement},
    {CASE(DECLINE), add_refusal},    {CASE(WITHDRAW), add_refusal},
    {CASE(MERGE), add_merge},        {CASE(UNMERGE), add_unmerge},
};

static int add_lines(struct facts *facts, struct facts_reading *reading) {
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
        if (kinds[i].kind == reading->order->kind_case)
            return kinds[i].add(facts, reading);
    return 0;
}

static int add_wait(struct facts *facts, const struct facts_reading *reading) {
    int r = GROW(facts, waits);
    if (r < 0)
        return r;
    facts->own.wait = (uint32_t)facts->n_waits;
    facts->own.entered.index = FACTS_NEVER;
    facts->waits[facts->n_waits++] = (struct fact_wait){.entered = reading->entered,
                                                        .ended = {.index = FACTS_NEVER},
                                                        .order = (uint32_t)reading->entered.index,
                                                        .service_day = facts->own.service_day};
    return 0;
}

/* The order itself; what it is about is itself, until its kind says otherwise. */
static void begin_order(struct facts *facts, struct facts_reading *reading) {
    const Timebank__Order *order = reading->order;
    reading->about = (uint32_t)reading->entered.index;
    reading->kind = (uint16_t)order->kind_case;
    reading->service_day = order->service_day ? order->service_day : reading->entered.recorded_day;
    facts->n_own_lines = 0;
    facts->own = (struct fact_order){
        .entered = reading->entered,
        .entry = reading->entered.index,
        .rounded_minutes =
            order->typed_minutes ? (int64_t)(order->minutes - order->typed_minutes) : 0,
        .service_day = reading->service_day,
        .wait = INTERN_NONE,
        .kind = reading->kind,
        .insisted = (order->override & 4) != 0,
    };
    facts_count_minutes(facts, order->typed_minutes);
}

/* Joins what has an effect, or waits. */
static int end_order(struct facts *facts) {
    return facts->own.entered.index == FACTS_NEVER
               ? facts_wait_add(facts)
               : add_effect(facts, &facts->own, facts->own_lines);
}

int facts_order_add(struct facts *facts, struct facts_reading *reading) {
    begin_order(facts, reading);
    int r = add_lines(facts, reading);
    if (r == 0)
        r = facts_ids_add(&facts->ids, reading->order->id.data, reading->entered.index);
    if (r == 0 && reading->order->proposal)
        r = add_wait(facts, reading);
    if (r == 0)
        r = end_order(facts);
    if (reading->about == (uint32_t)reading->entered.index)
        reading->about_entered = facts->own.entered;
    return r == 0 ? facts_move_add(facts, reading) : r;
}

/* What fell; or, of a claim that nobody answered, what stands. */
static int end_waiting(struct facts *facts, struct facts_reading *reading,
                       struct facts_waiting *waiting, const Timebank__Event *event) {
    switch (event->kind) {
    case TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED:
        return take_effect(facts, waiting, reading);
    case TIMEBANK__EVENT_KIND__CLAIM_LAPSED:
    case TIMEBANK__EVENT_KIND__GIFT_LAPSED:
    case TIMEBANK__EVENT_KIND__APPROVAL_LAPSED:
    case TIMEBANK__EVENT_KIND__HOLD_LAPSED:
        end_wait(facts, waiting, reading);
        return 0;
    default:
        return 0;
    }
}

int facts_order_event(struct facts *facts, struct facts_reading *reading,
                      const Timebank__Event *event) {
    struct facts_reading target = *reading;
    int r = facts_wait_target(facts, &event->follows, &target);
    reading->service_day = reading->entered.recorded_day;
    if (r <= 0)
        return r < 0 ? r : facts_move_add(facts, reading);
    reading->about = target.about;
    reading->about_entered = target.about_entered;
    if (event->kind == TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED) {
        reading->kind = target.kind;
        reading->service_day = target.service_day;
    }
    struct facts_waiting *waiting = facts_wait_find(facts, reading->about);
    r = waiting ? end_waiting(facts, reading, waiting, event) : 0;
    return r == 0 ? facts_move_add(facts, reading) : r;
}
