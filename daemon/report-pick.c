/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which entries count: those known at the cut-off, less what the reversals known at the cut-off
 * took back. The period is the measures' business, because some look before it.
 */
#include <errno.h>
#include <stdlib.h>

#include "report-hide.h"

uint32_t report_pick_entered_day(const struct report_pick *pick,
                                 const struct fact_entered *entered) {
    return entered->claimed_day != 0 && !pick->as_recorded ? entered->claimed_day
                                                           : entered->recorded_day;
}

bool report_pick_knows(const struct report_pick *pick, const struct fact_entered *entered) {
    return entered->index < pick->size && report_pick_entered_day(pick, entered) <= pick->known_day;
}

/* ---- what was taken back */

static int compare_taken(const void *a, const void *b) {
    const struct report_taken *left = a, *right = b;
    return (left->order > right->order) - (left->order < right->order);
}

/* What the known reversals took of each order; at most all of it. */
static int list_taken(struct report_pick *pick) {
    const struct facts *facts = pick->facts;
    pick->taken = calloc(facts->n_reversals + 1, sizeof(*pick->taken));
    if (!pick->taken)
        return -ENOMEM;
    for (size_t i = 0; i < facts->n_reversals; i++) {
        const struct fact_reversal *reversal = &facts->reversals[i];
        if (!report_pick_knows(pick, &reversal->entered))
            continue;
        pick->n_corrections += report_period_holds(&pick->period, reversal->service_day);
        bool takes_all = reversal->minutes == 0 || reversal->minutes >= reversal->order_minutes;
        pick->taken[pick->n_taken++] =
            (struct report_taken){.order = reversal->order,
                                  .minutes = takes_all ? REPORT_ALL : reversal->minutes,
                                  .of_minutes = reversal->order_minutes};
    }
    return 0;
}

/* Several reversals of one order into one row. */
static void join_taken(struct report_pick *pick) {
    size_t n = 0;
    qsort(pick->taken, pick->n_taken, sizeof(*pick->taken), compare_taken);
    for (size_t i = 0; i < pick->n_taken; i++) {
        const struct report_taken *more = &pick->taken[i];
        if (n == 0 || pick->taken[n - 1].order != more->order) {
            pick->taken[n++] = *more;
            continue;
        }
        struct report_taken *row = &pick->taken[n - 1];
        if (__builtin_add_overflow(row->minutes, more->minutes, &row->minutes) ||
            row->minutes >= row->of_minutes)
            row->minutes = REPORT_ALL;
    }
    pick->n_taken = n;
}

/* Sixteen bits a row, so that few lines are looked up in vain. */
static int mark_taken(struct report_pick *pick) {
    uint64_t n_bits = 64;
    while (n_bits < 16 * (uint64_t)pick->n_taken && n_bits < (uint64_t)1 << 32)
        n_bits *= 2;
    pick->taken_mask = (uint32_t)(n_bits - 1);
    pick->taken_bits = calloc(n_bits / 64, sizeof(*pick->taken_bits));
    if (!pick->taken_bits)
        return -ENOMEM;
    for (size_t i = 0; i < pick->n_taken; i++) {
        uint32_t bit = pick->taken[i].order & pick->taken_mask;
        pick->taken_bits[bit / 64] |= (uint64_t)1 << bit % 64;
    }
    return 0;
}

static int take_back(struct report_pick *pick) {
    int r = list_taken(pick);
    if (r < 0 || pick->n_taken == 0)
        return r;
    join_taken(pick);
    return mark_taken(pick);
}

uint64_t report_pick_find_taken(const struct report_pick *pick, uint32_t order) {
    struct report_taken key = {.order = order};
    const struct report_taken *found =
        bsearch(&key, pick->taken, pick->n_taken, sizeof(key), compare_taken);
    return found ? found->minutes : 0;
}

static void count_waiting(struct report_pick *pick) {
    const struct facts *facts = pick->facts;
    for (size_t i = 0; i < facts->n_waits; i++) {
        const struct fact_wait *wait = &facts->waits[i];
        pick->n_waiting += report_pick_knows(pick, &wait->entered) &&
                           !report_pick_knows(pick, &wait->ended) &&
                           report_period_holds(&pick->period, wait->service_day);
    }
}

/* ---- merged accounts */

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

static int list_months(struct report_pick *pick) {
    const struct report_period *period = &pick->period;
    size_t n = (size_t)(period->to_day - period->from_day) + 1;
    pick->months = calloc(n, sizeof(*pick->months));
    if (!pick->months)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        pick->months[i] =
            report_period_month((uint32_t)period->from_day + (uint32_t)i) - period->first_month;
    return 0;
}

int report_pick_init(struct report_pick *ret, const struct facts *facts,
                     const struct report_period *period, const struct report_ask *ask) {
    bool as_recorded = ask->as_recorded != 0;
    struct report_pick pick = {.facts = facts,
                               .period = *period,
                               .size = ask->size,
                               .known_day = ask->known_day,
                               .as_recorded = as_recorded,
                               .line_by_line = ask->line_by_line != 0,
                               .report_class = report_class_get(ask->report_class),
                               .year_begins = ask->year_begins,
                               .reach_from_day = period->previous_from_day,
                               .reach_to_day = period->to_day,
                               .whole_from_day = period->from_day,
                               .is_cancelled = ask->is_cancelled,
                               .why = ask->ret_why};
    if (!pick.report_class)
        return -EINVAL;
    if (pick.report_class->threshold > 0) {
        report_cells_reach(&pick, &pick.reach_from_day, &pick.reach_to_day);
        pick.whole_from_day = pick.reach_from_day;
    }
    if (pick.known_day == 0)
        pick.known_day = facts_latest_day(facts, ask->size, as_recorded);
    int r = merge_persons(&pick);
    if (r == 0)
        r = list_months(&pick);
    if (r == 0)
        r = take_back(&pick);
    if (r < 0) {
        report_pick_fini(&pick);
        return r;
    }
    count_waiting(&pick);
    *ret = pick;
    return 0;
}

void report_pick_fini(struct report_pick *pick) {
    free(pick->account_of);
    free(pick->person_of);
    free(pick->months);
    free(pick->taken);
    free(pick->taken_bits);
    intern_fini(&pick->persons);
    *pick = (struct report_pick){0};
}
