/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each person did, for the parts that count people: all of a person stands together, so that a
 * row looks at its two sides once, and not once for each measure. It puts no figure itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pairs.h"
#include "report-members.h"

struct persons {
    struct report_person *list;
    struct pairs months; /* of the period, and who gave in them */
};

static int begin(void *sums, const struct report_pick *pick) {
    struct persons *persons = sums;
    size_t n_bytes = (pick->n_persons + 1) * sizeof(*persons->list);
    persons->list = aligned_alloc(sizeof(*persons->list), n_bytes);
    if (!persons->list)
        return -ENOMEM;
    memset(persons->list, 0, n_bytes);
    for (uint32_t i = 0; i < pick->n_persons; i++) {
        persons->list[i].parent = i;
        persons->list[i].first_day = persons->list[i].joined_day = REPORT_NO_DAY;
    }
    int r = report_members_joined(pick, persons->list);
    if (r < 0)
        return r;
    return pairs_init(&persons->months, pick->period.last_month - pick->period.first_month + 1,
                      (uint32_t)pick->n_persons);
}

static void end(void *sums) {
    struct persons *persons = sums;
    free(persons->list);
    pairs_fini(&persons->months);
    *persons = (struct persons){0};
}

/* ---- who hangs together */

/* The one that stands for the person's part; paths are halved on the way. */
static uint32_t root_of(struct report_person *list, uint32_t person) {
    while (list[person].parent != person)
        person = list[person].parent = list[list[person].parent].parent;
    return person;
}

/* Of a list that others may read, too. */
static uint32_t find_root(const struct report_person *list, uint32_t person) {
    while (list[person].parent != person)
        person = list[person].parent;
    return person;
}

static void tie(struct report_person *list, uint32_t one, uint32_t other) {
    if (list[one].parent == list[other].parent)
        return;
    uint32_t a = root_of(list, one), b = root_of(list, other);
    if (a < b)
        list[b].parent = a;
    else
        list[a].parent = b;
}

/* ---- rows */

static inline bool is_exchange(uint16_t kind) {
    return kind == TIMEBANK__ORDER__KIND_EXCHANGE || kind == TIMEBANK__ORDER__KIND_EARN ||
           kind == TIMEBANK__ORDER__KIND_SESSION;
}

static inline void note_first(struct report_person *person, uint32_t day) {
    if (day >= person->joined_day && day < person->first_day)
        person->first_day = day;
}

static int note_giver(struct persons *persons, const struct report_pick *pick,
                      const struct report_row *row) {
    struct report_person *giver = &persons->list[row->to_person];
    if (row->service_day < pick->period.from_day) {
        giver->did |= REPORT_GAVE_BEFORE | (row->in_previous ? REPORT_GAVE_PREVIOUS : 0u);
        giver->before_minutes += row->minutes;
    }
    if (!row->in_period)
        return 0;
    giver->did |= REPORT_GAVE;
    giver->minutes += row->minutes;
    note_first(giver, row->service_day);
    return pairs_add(&persons->months, report_pick_month(pick, row->service_day), row->to_person);
}

/* The side that the credits come from. */
static void note_from(struct report_person *person, const struct report_row *row) {
    if (row->kind == TIMEBANK__ORDER__KIND_REDEEM)
        person->did |= REPORT_REDEEMED;
    else if (row->kind == TIMEBANK__ORDER__KIND_EXCHANGE ||
             row->kind == TIMEBANK__ORDER__KIND_SESSION)
        person->did |= REPORT_RECEIVED;
    else if (row->kind != TIMEBANK__ORDER__KIND_EARN)
        return;
    note_first(person, row->service_day);
}

/* Merged: what they gave each other ties nobody. */
static void note_tie(struct report_person *list, const struct report_row *row) {
    if (row->from_person == row->to_person)
        return;
    list[row->to_person].given_minutes += row->minutes;
    list[row->from_person].received_minutes += row->minutes;
    tie(list, row->from_person, row->to_person);
}

static void note_exchanged(struct report_person *list, uint32_t from_person, uint32_t to_person) {
    if (from_person != INTERN_NONE)
        list[from_person].did |= REPORT_EXCHANGED;
    if (to_person != INTERN_NONE)
        list[to_person].did |= REPORT_EXCHANGED;
}

/* All sides are on their way from memory before the first one is needed. */
static void fetch(const struct report_person *list, const struct report_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (rows[i].from_person != INTERN_NONE)
            __builtin_prefetch(&list[rows[i].from_person], 1);
        if (rows[i].to_person != INTERN_NONE)
            __builtin_prefetch(&list[rows[i].to_person], 1);
    }
}

static int note(void *sums, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct persons *persons = sums;
    int r = 0;
    fetch(persons->list, rows, n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct report_row *row = &rows[i];
        if (row->service_day > pick->period.to_day)
            continue;
        if (is_exchange(row->kind))
            note_exchanged(persons->list, row->from_person, row->to_person);
        if (row->is_service)
            r = note_giver(persons, pick, row);
        if (!row->in_period || row->from_person == INTERN_NONE)
            continue;
        note_from(&persons->list[row->from_person], row);
        if (row->kind == TIMEBANK__ORDER__KIND_EXCHANGE)
            note_tie(persons->list, row);
    }
    return r;
}

static int note_past(void *sums, const struct report_pick *pick, const struct report_past *rows,
                     size_t n) {
    struct report_person *list = ((struct persons *)sums)->list;
    (void)pick;
    for (size_t i = 0; i < n; i++) {
        const struct report_past *row = &rows[i];
        if (is_exchange(row->kind))
            note_exchanged(list, row->from_person, row->to_person);
        if (!row->is_service)
            continue;
        list[row->to_person].before_minutes += row->minutes;
        list[row->to_person].did |=
            REPORT_GAVE_BEFORE | (row->in_previous ? REPORT_GAVE_PREVIOUS : 0u);
    }
    return 0;
}

static int merge(void *sums, const struct report_pick *pick, void *other) {
    struct persons *persons = sums;
    const struct persons *from = other;
    for (uint32_t i = 0; i < pick->n_persons; i++) {
        struct report_person *person = &persons->list[i];
        const struct report_person *more = &from->list[i];
        person->minutes += more->minutes;
        person->before_minutes += more->before_minutes;
        person->given_minutes += more->given_minutes;
        person->received_minutes += more->received_minutes;
        person->first_day = MIN_OF(person->first_day, more->first_day);
        person->did |= more->did;
        tie(persons->list, i, find_root(from->list, i));
    }
    return pairs_merge(&persons->months, &from->months);
}

/* Whoever reads the list finds roots. */
static int put(void *sums, const struct report_pick *pick, struct report_out *out) {
    struct persons *persons = sums;
    for (uint32_t i = 0; i < pick->n_persons; i++)
        persons->list[i].parent = root_of(persons->list, i);
    out->persons = persons->list;
    out->givers_of_months = &persons->months;
    return 0;
}

const struct report_part report_persons = {.sums_bytes = sizeof(struct persons),
                                           .begin = begin,
                                           .note = note,
                                           .note_past = note_past,
                                           .merge = merge,
                                           .put = put,
                                           .end = end};
