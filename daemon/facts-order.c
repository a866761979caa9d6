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

static void count_minutes(struct facts *facts, uint64_t minutes) {
    if (__builtin_add_overflow(facts->total_minutes, minutes, &facts->total_minutes))
        facts->total_minutes = UINT64_MAX;
}

/* Appends a line of the order last added. */
static int add_fact(struct facts *facts, const struct fact *from) {
    uint32_t number = (uint32_t)facts->n_orders - 1;
    struct fact_order *order = &facts->orders[number];
    int r = GROW(facts, facts);
    if (r < 0)
        return r;
    struct fact *fact = &facts->facts[facts->n_facts++];
    *fact = *from;
    fact->order = number;
    fact->is_further = order->n_facts > 0;
    order->n_facts++;
    order->minutes += fact->minutes;
    count_minutes(facts, fact->minutes);
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
    facts->orders[reading->about].entered.index = FACTS_NEVER;
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
        facts->orders[reading->about].entered.index = FACTS_NEVER;
    int r = add_admission(facts, reading, redeem->offer, redeem->adults, redeem->under16);
    if (r == 0)
        facts->facts[facts->n_facts - 1].from_person = INTERN_NONE;
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

static int find_target(struct facts *facts, const ProtobufCBinaryData *id,
                       struct facts_reading *reading) {
    uint32_t target = intern_find(&facts->ids, id->data, id->len);
    if (target == INTERN_NONE)
        return -EBADMSG;
    reading->about = target;
    reading->service_day = facts->orders[target].service_day;
    reading->kind = facts->orders[target].kind;
    return 0;
}

static int take_back(struct facts *facts, const struct facts_reading *reading) {
    int r = GROW(facts, reversals);
    if (r < 0)
        return r;
    facts->reversals[facts->n_reversals++] =
        (struct fact_reversal){.entered = reading->entered,
                               .minutes = reading->order->minutes,
                               .order_minutes = facts->orders[reading->about].minutes,
                               .order = reading->about,
                               .service_day = facts->orders[reading->about].service_day};
    return 0;
}

static int add_reversal(struct facts *facts, struct facts_reading *reading) {
    int r = find_target(facts, record_order_target(reading->order), reading);
    return r == 0 ? take_back(facts, reading) : r;
}

/* The order counts from here on: its lines join the others. One of no minutes never counts. */
static int add_effect(struct facts *facts, uint32_t number) {
    const struct fact_order *order = &facts->orders[number];
    int r = facts_known_effect(facts, &order->entered);
    for (size_t i = 0; r == 0 && order->minutes > 0 && i < order->n_facts; i++)
        r = facts_block_add_line(facts, order, &facts->facts[order->first_fact + i], number);
    return r;
}

/* What waited counts from here on. */
static int take_effect(struct facts *facts, const struct facts_reading *reading) {
    facts->orders[reading->about].entered = reading->entered;
    int r = add_effect(facts, reading->about);
    return r == 0 ? facts_move_join(facts, reading->about) : r;
}

static void set_minutes(struct facts *facts, uint32_t number, uint64_t minutes) {
    struct fact_order *order = &facts->orders[number];
    if (order->n_facts == 0)
        return;
    facts->facts[order->first_fact].minutes = minutes;
    order->minutes = minutes;
    count_minutes(facts, minutes);
}

/* Of an entry: what falls is taken back. Of a voucher taken twice: what the chest pays for it. */
static int add_decision(struct facts *facts, struct facts_reading *reading) {
    int r = find_target(facts, record_order_target(reading->order), reading);
    if (r < 0 || reading->order->minutes == 0)
        return r;
    if (facts->orders[reading->about].entered.index != FACTS_NEVER)
        return take_back(facts, reading);
    set_minutes(facts, reading->about, reading->order->minutes);
    return take_effect(facts, reading);
}

/* Of a hold the offer, the sides and, once, the heads; the minutes are what the venue got. */
static int add_capture(struct facts *facts, struct facts_reading *reading) {
    const ProtobufCBinaryData *id = record_order_target(reading->order);
    uint32_t hold = intern_find(&facts->ids, id->data, id->len), own = reading->about;
    if (hold == INTERN_NONE || facts->orders[hold].n_facts != 1)
        return -EBADMSG;
    struct fact *line = &facts->facts[facts->orders[hold].first_fact], fact = *line;
    line->adults = line->under16 = 0;
    if (reading->order->service_day == 0)
        reading->service_day = facts->orders[own].service_day = facts->orders[hold].service_day;
    if (reading->moved[PLACE_VENUES] <= 0)
        return -EBADMSG;
    fact.minutes = (uint64_t)reading->moved[PLACE_VENUES];
    return add_fact(facts, &fact);
}

static void end_wait(struct facts *facts, const struct facts_reading *reading) {
    uint32_t wait = facts->orders[reading->about].wait;
    if (wait != INTERN_NONE)
        facts->waits[wait].ended = reading->entered;
    if (facts->orders[reading->about].entered.index == FACTS_NEVER)
        facts_move_drop(facts, reading->about);
}

/* A confirm of what took effect before only says so. */
static int add_agreement(struct facts *facts, struct facts_reading *reading) {
    int r = find_target(facts, record_order_target(reading->order), reading);
    if (r < 0 || facts->orders[reading->about].entered.index != FACTS_NEVER)
        return r;
    const struct fact_order *order = &facts->orders[reading->about];
    uint32_t to = order->n_facts > 0 ? facts->facts[order->first_fact].to : INTERN_NONE;
    if (to != INTERN_NONE && !facts_move_has(facts, reading, to))
        return 0; /* somebody else has to agree, too */
    r = take_effect(facts, reading);
    if (r == 0)
        end_wait(facts, reading);
    return r;
}

static int add_refusal(struct facts *facts, struct facts_reading *reading) {
    int r = find_target(facts, record_order_target(reading->order), reading);
    if (r == 0)
        end_wait(facts, reading);
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
    int r = find_target(facts, record_order_target(reading->order), reading);
    for (size_t i = 0; r == 0 && i < facts->n_merges; i++)
        if (facts->merges[i].order == reading->about)
            facts->merges[i].ended = reading->entered;
    return r;
}

static const struct {
    Timebank__Order__KindCase kind;
    int (*add)(struct facts *facts, struct facts_reading *reading);
} kinds[] = {
    {CASE(EXCHANGE), add_plain},
    {CASE(EARN), add_plain},
    {CASE(LOG), add_plain},
    {CASE(GIFT), add_plain},
    {CASE(DONATE), add_plain},
    {CASE(GRANT), add_plain},
    {CASE(ISSUE), add_plain},
    {CASE(ADVANCE), add_plain},
    {CASE(PLEDGE), add_plain},
    {CASE(REDEEM), add_redeem},
    {CASE(HOLD), add_hold},
    {CASE(CAPTURE), add_capture},
    {CASE(REDEEM_VOUCHER), add_voucher},
    {CASE(MINT_VOUCHERS), add_mint},
    {CASE(SESSION), add_session},
    {CASE(REVERSE), add_reversal},
    {CASE(DECIDE), add_decision},
    {CASE(CONFIRM), add_agreement},
    {CASE(APPROVE), add_agreement},
    {CASE(DECLINE), add_refusal},
    {CASE(WITHDRAW), add_refusal},
    {CASE(MERGE), add_merge},
    {CASE(UNMERGE), add_unmerge},
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
    facts->orders[reading->about].wait = (uint32_t)facts->n_waits;
    facts->waits[facts->n_waits++] =
        (struct fact_wait){.entered = reading->entered,
                           .ended = {.index = FACTS_NEVER},
                           .order = reading->about,
                           .service_day = facts->orders[reading->about].service_day};
    facts->orders[reading->about].entered.index = FACTS_NEVER;
    return 0;
}

/* The order's own row; what it is about is itself, until its kind says otherwise. */
static int add_row(struct facts *facts, struct facts_reading *reading) {
    const Timebank__Order *order = reading->order;
    uint32_t number;
    int r = intern_number(&facts->ids, order->id.data, order->id.len, &number);
    if (r < 0)
        return r;
    if (number != facts->n_orders)
        return -EBADMSG;
    r = GROW(facts, orders);
    if (r < 0)
        return r;
    reading->about = number;
    reading->kind = (uint16_t)order->kind_case;
    reading->service_day = order->service_day ? order->service_day : reading->entered.recorded_day;
    facts->orders[facts->n_orders++] = (struct fact_order){
        .entered = reading->entered,
        .entry = reading->entered.index,
        .rounded_minutes =
            order->typed_minutes ? (int64_t)(order->minutes - order->typed_minutes) : 0,
        .first_fact = facts->n_facts,
        .service_day = reading->service_day,
        .wait = INTERN_NONE,
        .kind = reading->kind,
        .insisted = (order->override & 4) != 0,
    };
    count_minutes(facts, order->typed_minutes);
    return 0;
}

int facts_order_add(struct facts *facts, struct facts_reading *reading) {
    int r = add_row(facts, reading);
    uint32_t own = reading->about;
    if (r == 0)
        r = add_lines(facts, reading);
    if (r == 0 && reading->order->proposal)
        r = add_wait(facts, reading);
    if (r == 0 && facts->orders[own].entered.index != FACTS_NEVER)
        r = add_effect(facts, own);
    return r == 0 ? facts_move_add(facts, reading) : r;
}

int facts_order_event(struct facts *facts, struct facts_reading *reading,
                      const Timebank__Event *event) {
    reading->about = intern_find(&facts->ids, event->follows.data, event->follows.len);
    reading->service_day = reading->entered.recorded_day;
    if (reading->about == INTERN_NONE)
        return facts_move_add(facts, reading);
    if (event->kind == TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED) {
        reading->kind = facts->orders[reading->about].kind;
        reading->service_day = facts->orders[reading->about].service_day;
        int r = take_effect(facts, reading);
        if (r < 0)
            return r;
    }
    if (event->kind == TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED ||
        event->kind == TIMEBANK__EVENT_KIND__CLAIM_LAPSED ||
        event->kind == TIMEBANK__EVENT_KIND__GIFT_LAPSED ||
        event->kind == TIMEBANK__EVENT_KIND__APPROVAL_LAPSED)
        end_wait(facts, reading);
    return facts_move_add(facts, reading);
}
