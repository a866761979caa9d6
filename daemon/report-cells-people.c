/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person's whole history says: when they gave for the first time, when they reached a
 * milestone, and whether they gave in every month of the period. Who began or arrived in a month is
 * a cell of that month like any other, for such counts add up from month to month.
 */
#include <errno.h>
#include <stdlib.h>

#include "report-cells.h"

/* Minutes that a person gave in a month, of one atom. */
struct given {
    uint32_t month;
    uint64_t minutes;
};

/* Of each person the givens from begins[person] to begins[person + 1]. */
struct history {
    size_t *begins;
    struct given *given;
    uint64_t *by_month; /* scratch: from the first month of the reach on */
};

static void history_fini(struct history *history) {
    free(history->begins);
    free(history->given);
    free(history->by_month);
}

/* The person of a slot that says who gave service in which month. */
static bool read_slot(const struct cells *cells, const struct cells_slot *slot, uint32_t *ret_month,
                      uint32_t *ret_person) {
    if (slot->key == 0)
        return false;
    const uint8_t *key =
        (const uint8_t *)intern_text(&cells->keys, (uint32_t)((slot->key - 1) >> 32));
    *ret_month = be32_get(key + 4);
    *ret_person = (uint32_t)(slot->key - 1);
    return be32_get(key) == CELLS_SERVICE;
}

static int history_init(struct history *ret, const struct cells *cells) {
    size_t n_persons = cells->pick->n_persons;
    uint32_t month, person;
    ret->begins = calloc(n_persons + 2, sizeof(*ret->begins));
    ret->given = calloc(cells->n_pairs + 1, sizeof(*ret->given));
    ret->by_month = calloc((size_t)cells->n_months + 1, sizeof(*ret->by_month));
    if (!ret->begins || !ret->given || !ret->by_month)
        return -ENOMEM;
    /* Counted one behind, so that begins[person + 1] grows to its end while it is filled. */
    for (size_t i = 0; i < cells->n_slots; i++)
        if (read_slot(cells, &cells->slots[i], &month, &person) && person + 2 < n_persons + 2)
            ret->begins[person + 2]++;
    for (size_t i = 1; i < n_persons + 2; i++)
        ret->begins[i] += ret->begins[i - 1];
    for (size_t i = 0; i < cells->n_slots; i++)
        if (read_slot(cells, &cells->slots[i], &month, &person))
            ret->given[ret->begins[person + 1]++] = (struct given){month, cells->slots[i].minutes};
    return 0;
}

static int add_one(struct cells *cells, enum cells_alone alone, uint32_t month, uint32_t person) {
    return report_cells_add(cells, CELLS_ALONE, month, (const uint32_t[3]){alone}, person, 1);
}

static int add_milestones(struct cells *cells, uint32_t person, const uint64_t *by_month) {
    uint64_t before = cells->persons[person].past_minutes;
    for (uint32_t i = 0; i < cells->n_months; i++) {
        uint64_t after = before + by_month[i];
        for (unsigned k = 0; k < REPORT_N_MILESTONES; k++) {
            uint64_t milestone = report_bands_milestones[k].minutes;
            bool reached = before < milestone && after >= milestone;
            int r =
                reached ? add_one(cells, ALONE_20_HOURS + k, cells->first_month + i, person) : 0;
            if (r < 0)
                return r;
        }
        before = after;
    }
    return 0;
}

static bool gave_every_month(const struct cells *cells, const uint64_t *by_month) {
    const struct report_period *period = &cells->pick->period;
    for (uint32_t i = 0; i < period->n_whole_months; i++)
        if (by_month[period->first_whole_month + i - cells->first_month] == 0)
            return false;
    return period->n_whole_months > 0;
}

static int add_person(struct cells *cells, struct history *history, uint32_t number) {
    struct cells_person *person = &cells->persons[number];
    uint64_t *by_month = history->by_month;
    for (uint32_t i = 0; i < cells->n_months; i++)
        by_month[i] = 0;
    for (size_t i = history->begins[number]; i < history->begins[number + 1]; i++)
        by_month[history->given[i].month - cells->first_month] += history->given[i].minutes;
    if (person->roles & ROLE_GIVER && person->first_day >= cells->pick->period.from_day)
        person->roles |= ROLE_NEW;
    if (gave_every_month(cells, by_month))
        person->roles |= ROLE_FREQUENT;
    int r = 0;
    uint32_t month = person->first_day != UINT32_MAX ? report_period_month(person->first_day) : 0;
    if (month >= cells->first_month && month - cells->first_month < cells->n_months)
        r = add_one(cells, ALONE_NEW_GIVER, month, number);
    return r == 0 ? add_milestones(cells, number, by_month) : r;
}

int report_cells_people_add(struct cells *cells) {
    _cleanup_(history_fini) struct history history = {0};
    int r = history_init(&history, cells);
    for (uint32_t i = 0; r == 0 && i < cells->pick->n_persons; i++)
        r = add_person(cells, &history, i);
    return r;
}
