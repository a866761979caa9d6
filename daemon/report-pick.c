/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which entries count: those known at the cut-off, less what the reversals known at the cut-off
 * took back. The period is the measures' business, because some look before it.
 */
#include <errno.h>
#include <stdlib.h>

#include "report-parts.h"

static uint32_t entered_day(const struct fact_entered *entered, bool as_recorded) {
    return entered->claimed_day != 0 && !as_recorded ? entered->claimed_day : entered->recorded_day;
}

bool report_pick_knows(const struct report_pick *pick, const struct fact_entered *entered) {
    return entered->index < pick->size &&
           entered_day(entered, pick->as_recorded) <= pick->known_day;
}

/* What the known reversals took of each order; at most all of it. */
static void take_back(struct report_pick *pick, uint64_t *taken) {
    const struct facts *facts = pick->facts;
    for (size_t i = 0; i < facts->n_reversals; i++) {
        const struct fact_reversal *reversal = &facts->reversals[i];
        if (!report_pick_knows(pick, &reversal->entered))
            continue;
        const struct fact_order *order = &facts->orders[reversal->order];
        uint64_t remains = order->minutes - taken[reversal->order];
        if (reversal->minutes == 0 || reversal->minutes > remains)
            taken[reversal->order] = order->minutes;
        else
            taken[reversal->order] += reversal->minutes;
        pick->n_corrections += report_period_holds(&pick->period, order->service_day);
    }
}

static uint32_t person_of(const struct report_pick *pick, uint32_t person) {
    return person == INTERN_NONE || !pick->person_of ? person : pick->person_of[person];
}

/* Of an order with several lines nothing is taken back in part. */
static void pick_rows(struct report_pick *pick, const uint64_t *taken) {
    const struct facts *facts = pick->facts;
    for (size_t i = 0; i < facts->n_facts; i++) {
        const struct fact *fact = &facts->facts[i];
        const struct fact_order *order = &facts->orders[fact->order];
        if (!report_pick_knows(pick, &order->entered) || taken[fact->order] == order->minutes)
            continue;
        pick->rows[pick->n_rows++] = (struct report_picked){
            .fact = fact,
            .order = order,
            .minutes = order->n_facts == 1 ? fact->minutes - taken[fact->order] : fact->minutes,
            .entered_day = entered_day(&order->entered, pick->as_recorded),
            .from_person = person_of(pick, fact->from_person),
            .to_person = person_of(pick, fact->to_person),
            .is_claimed = order->entered.claimed_day != 0 && !pick->as_recorded,
        };
    }
}

static void count_waiting(struct report_pick *pick) {
    const struct facts *facts = pick->facts;
    for (size_t i = 0; i < facts->n_waits; i++) {
        const struct fact_wait *wait = &facts->waits[i];
        pick->n_waiting +=
            report_pick_knows(pick, &wait->entered) && !report_pick_knows(pick, &wait->ended) &&
            report_period_holds(&pick->period, facts->orders[wait->order].service_day);
    }
}

/* The day of entry of the latest entry: nothing is left out. */
static uint32_t last_day(const struct facts *facts, uint64_t size, bool as_recorded) {
    uint32_t day = 0;
    for (size_t i = 0; i < facts->n_orders; i++)
        if (facts->orders[i].entered.index < size)
            day = MAX_OF(day, entered_day(&facts->orders[i].entered, as_recorded));
    for (size_t i = 0; i < facts->n_moves; i++)
        if (facts->moves[i].entered.index < size)
            day = MAX_OF(day, entered_day(&facts->moves[i].entered, as_recorded));
    return day != 0 ? day : facts_last_day(facts, size);
}

/* Where each account's entries count now: merged accounts lead to the one that goes on. */
static uint32_t *new_roots(const struct report_pick *pick, bool *ret_any) {
    const struct facts *facts = pick->facts;
    uint32_t *roots = calloc(facts->n_accounts + 1, sizeof(*roots));
    *ret_any = false;
    for (uint32_t i = 0; roots && i < facts->n_accounts; i++)
        roots[i] = i;
    for (size_t i = 0; roots && i < facts->n_merges; i++) {
        const struct fact_merge *merge = &facts->merges[i];
        if (!report_pick_knows(pick, &merge->entered) || report_pick_knows(pick, &merge->ended))
            continue;
        for (uint32_t k = 0; k < facts->n_accounts; k++)
            if (roots[k] == merge->from)
                roots[k] = merge->to;
        *ret_any = true;
    }
    return roots;
}

static int number_persons(struct report_pick *pick) {
    const struct facts *facts = pick->facts;
    pick->person_of = calloc(facts->persons.n_keys + 1u, sizeof(*pick->person_of));
    if (!pick->person_of)
        return -ENOMEM;
    for (uint32_t i = 0; i < facts->persons.n_keys; i++) {
        _cleanup_bytes_ struct bytes key = {0};
        bytes_put_u32(&key, report_pick_account(pick, facts_person_account(facts, i)));
        bytes_put_text(&key, facts_person_name(facts, i));
        int r =
            key.r < 0 ? key.r : intern_number(&pick->persons, key.data, key.n, &pick->person_of[i]);
        if (r < 0)
            return r;
    }
    pick->n_persons = pick->persons.n_keys;
    return 0;
}

static int merge_persons(struct report_pick *pick) {
    bool any;
    pick->n_persons = pick->facts->persons.n_keys;
    if (pick->facts->n_merges == 0)
        return 0;
    pick->account_of = new_roots(pick, &any);
    if (!pick->account_of)
        return -ENOMEM;
    return any ? number_persons(pick) : 0;
}

int report_pick_init(struct report_pick *ret, const struct facts *facts,
                     const struct report_period *period, const struct report_ask *ask) {
    bool as_recorded = ask->as_recorded != 0;
    struct report_pick pick = {.facts = facts,
                               .period = *period,
                               .size = ask->size,
                               .known_day = ask->known_day,
                               .as_recorded = as_recorded};
    _cleanup_(freep) uint64_t *taken = calloc(facts->n_orders + 1, sizeof(*taken));
    pick.rows = calloc(facts->n_facts + 1, sizeof(*pick.rows));
    if (pick.known_day == 0)
        pick.known_day = last_day(facts, ask->size, as_recorded);
    int r = taken && pick.rows ? merge_persons(&pick) : -ENOMEM;
    if (r < 0) {
        report_pick_fini(&pick);
        return r;
    }
    take_back(&pick, taken);
    pick_rows(&pick, taken);
    count_waiting(&pick);
    *ret = pick;
    return 0;
}

void report_pick_fini(struct report_pick *pick) {
    free(pick->rows);
    free(pick->account_of);
    free(pick->person_of);
    intern_fini(&pick->persons);
    *pick = (struct report_pick){0};
}

uint32_t report_pick_account(const struct report_pick *pick, uint32_t account) {
    return pick->account_of ? pick->account_of[account] : account;
}

bool report_picked_in_period(const struct report_pick *pick, const struct report_picked *row) {
    return report_period_holds(&pick->period, row->order->service_day);
}

bool report_picked_is_service(const struct report_picked *row) {
    return row->fact->kind == TIMEBANK__ORDER__KIND_EXCHANGE ||
           row->fact->kind == TIMEBANK__ORDER__KIND_EARN ||
           (row->fact->kind == TIMEBANK__ORDER__KIND_SESSION && row->to_person != INTERN_NONE);
}
