/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which entries count: those known at the cut-off, less what the reversals known at the cut-off
 * took back. The period is the measures' business, because some look before it.
 */
#include <errno.h>
#include <stdlib.h>

#include "report-parts.h"

static uint32_t entered_day(uint32_t recorded_day, uint32_t claimed_day, bool as_recorded) {
    return claimed_day != 0 && !as_recorded ? claimed_day : recorded_day;
}

/* What the known reversals took of each fact; at most all of it. */
static void take_back(struct report_pick *pick, const struct report_ask *ask, uint64_t *taken) {
    const struct facts *facts = pick->facts;
    for (size_t i = 0; i < facts->n_reversals; i++) {
        const struct fact_reversal *reversal = &facts->reversals[i];
        if (reversal->index >= ask->size)
            break;
        if (entered_day(reversal->recorded_day, reversal->claimed_day, ask->as_recorded) >
            ask->known_day)
            continue;
        const struct fact *fact = &facts->facts[reversal->target];
        uint64_t remains = fact->minutes - taken[reversal->target];
        if (reversal->minutes == 0 || reversal->minutes > remains)
            taken[reversal->target] = fact->minutes;
        else
            taken[reversal->target] += reversal->minutes;
        pick->n_corrections += report_period_holds(&pick->period, fact->service_day);
    }
}

static void pick_rows(struct report_pick *pick, const struct report_ask *ask,
                      const uint64_t *taken) {
    const struct facts *facts = pick->facts;
    for (size_t i = 0; i < facts->n_facts && facts->facts[i].index < ask->size; i++) {
        const struct fact *fact = &facts->facts[i];
        uint32_t day = entered_day(fact->recorded_day, fact->claimed_day, ask->as_recorded);
        if (day > ask->known_day || taken[i] == fact->minutes)
            continue;
        pick->rows[pick->n_rows++] = (struct report_row){
            .fact = fact,
            .minutes = fact->minutes - taken[i],
            .entered_day = day,
            .is_claimed = fact->claimed_day != 0 && !ask->as_recorded,
        };
    }
}

int report_pick_init(struct report_pick *ret, const struct facts *facts,
                     const struct report_period *period, const struct report_ask *ask) {
    struct report_pick pick = {.facts = facts, .period = *period};
    _cleanup_(freep) uint64_t *taken = calloc(facts->n_facts + 1, sizeof(*taken));
    pick.rows = calloc(facts->n_facts + 1, sizeof(*pick.rows));
    if (!taken || !pick.rows) {
        report_pick_fini(&pick);
        return -ENOMEM;
    }
    take_back(&pick, ask, taken);
    pick_rows(&pick, ask, taken);
    *ret = pick;
    return 0;
}

void report_pick_fini(struct report_pick *pick) {
    free(pick->rows);
    *pick = (struct report_pick){0};
}

bool report_row_in_period(const struct report_pick *pick, const struct report_row *row) {
    return report_period_holds(&pick->period, row->fact->service_day);
}

bool report_row_is_service(const struct report_row *row) {
    return row->fact->kind == TIMEBANK__ORDER__KIND_EXCHANGE ||
           row->fact->kind == TIMEBANK__ORDER__KIND_EARN;
}
