/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part that sums who stands behind each cell: rows into atoms (report-cells.h), and of each
 * atom the minutes of each person. It puts nothing: report_hide() asks it.
 */
#include "report-cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dates.h"

#define YEAR_BEGINS 4 /* April, where the pick does not say */
#define SLOTS_FIRST 1024
#define KEY_PARTS 5 /* universe, month, three parts */

/* The first month of the reporting year that month is in. */
static uint32_t year_of(const struct report_pick *pick, uint32_t month) {
    uint32_t begins = (pick->year_begins != 0 ? pick->year_begins : YEAR_BEGINS) - 1;
    return month - (month + 12 - begins) % 12;
}

/* Days before 1970 are nobody's. */
static uint32_t first_day_of(uint32_t month) {
    uint32_t day;
    return dates_from_civil((int)(month / 12), month % 12 + 1, 1, &day) == 0 ? day : 0;
}

static uint32_t month_of(int64_t day) {
    return report_period_month(day < 0 ? 0 : (uint32_t)day);
}

void report_cells_reach(const struct report_pick *pick, int64_t *ret_from_day,
                        int64_t *ret_to_day) {
    uint32_t first = year_of(pick, month_of(pick->period.previous_from_day));
    uint32_t last = year_of(pick, pick->period.last_month) + 12;
    *ret_from_day = first_day_of(first);
    *ret_to_day = (int64_t)first_day_of(last) - 1;
}

/* ---- atoms and the persons in them */

static uint64_t hash_key(uint64_t key) {
    key = (key ^ key >> 33) * 0xff51afd7ed558ccdu;
    return key ^ key >> 29;
}

static struct cells_slot *find_slot(struct cells_slot *slots, size_t n_slots, uint64_t key) {
    for (size_t i = hash_key(key) & (n_slots - 1);; i = (i + 1) & (n_slots - 1))
        if (slots[i].key == key || slots[i].key == 0)
            return &slots[i];
}

static int grow_slots(struct cells *cells) {
    if (2 * cells->n_pairs < cells->n_slots)
        return 0;
    size_t n_slots = MAX_OF(2 * cells->n_slots, (size_t)SLOTS_FIRST);
    struct cells_slot *slots = calloc(n_slots, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < cells->n_slots; i++)
        if (cells->slots[i].key != 0)
            *find_slot(slots, n_slots, cells->slots[i].key) = cells->slots[i];
    free(cells->slots);
    cells->slots = slots;
    cells->n_slots = n_slots;
    return 0;
}

static int add_pair(struct cells *cells, uint32_t atom, uint32_t person, uint64_t minutes) {
    int r = grow_slots(cells);
    if (r < 0)
        return r;
    uint64_t key = ((uint64_t)atom << 32 | person) + 1;
    struct cells_slot *slot = find_slot(cells->slots, cells->n_slots, key);
    cells->n_pairs += slot->key == 0;
    slot->key = key;
    slot->minutes += minutes;
    return 0;
}

static int number_atom(struct cells *cells, const uint8_t key[4 * KEY_PARTS], uint32_t *ret) {
    uint32_t n_before = cells->keys.n_keys;
    void *minutes = cells->key_minutes;
    int r = intern_grow(&minutes, n_before, &cells->n_key_minutes_allocated,
                        sizeof(*cells->key_minutes));
    cells->key_minutes = minutes;
    if (r == 0)
        r = intern_number(&cells->keys, key, 4 * KEY_PARTS, ret);
    if (r == 0 && *ret == n_before)
        cells->key_minutes[*ret] = 0;
    return r;
}

static int atom_of(struct cells *cells, enum cells_universe universe, uint32_t month,
                   const uint32_t parts[3], uint32_t *ret) {
    uint8_t key[4 * KEY_PARTS];
    be32_put(key, universe);
    be32_put(key + 4, month);
    for (size_t i = 0; i < 3; i++)
        be32_put(key + 8 + 4 * i, parts[i]);
    return number_atom(cells, key, ret);
}

int report_cells_add(struct cells *cells, enum cells_universe universe, uint32_t month,
                     const uint32_t parts[3], uint32_t person, uint64_t minutes) {
    uint32_t atom;
    int r = atom_of(cells, universe, month, parts, &atom);
    if (r < 0)
        return r;
    cells->key_minutes[atom] += minutes;
    return person == INTERN_NONE ? 0 : add_pair(cells, atom, person, minutes);
}

/* An exchange between two groups of people: one atom, and the persons of both its ends. */
static int add_between(struct cells *cells, enum cells_universe universe, uint32_t month,
                       const uint32_t groups[3], const struct report_row *row) {
    uint32_t atom;
    int r = atom_of(cells, universe, month, groups, &atom);
    if (r < 0)
        return r;
    cells->key_minutes[atom] += row->minutes;
    if (row->to_person != INTERN_NONE)
        r = add_pair(cells, atom, row->to_person, row->minutes);
    if (r == 0 && row->from_person != INTERN_NONE)
        r = add_pair(cells, atom, row->from_person + (uint32_t)cells->pick->n_persons,
                     row->minutes);
    return r;
}

static int add_alone(struct cells *cells, enum cells_alone alone, uint32_t month, uint32_t person,
                     uint64_t minutes) {
    return report_cells_add(cells, CELLS_ALONE, month, (const uint32_t[3]){alone}, person, minutes);
}

/* ---- rows */

static void note_roles(struct cells *cells, const struct report_row *row) {
    struct cells_person *giver =
        row->is_service && row->to_person != INTERN_NONE ? &cells->persons[row->to_person] : NULL;
    struct cells_person *taker =
        row->from_person != INTERN_NONE ? &cells->persons[row->from_person] : NULL;
    bool exchanges = row->kind == TIMEBANK__ORDER__KIND_EXCHANGE;
    if (giver) {
        giver->first_day = MIN_OF(giver->first_day, row->service_day);
        giver->roles |= row->in_previous ? ROLE_PREVIOUS : 0;
    }
    if (!row->in_period)
        return;
    if (giver) {
        giver->roles |= ROLE_GIVER;
        giver->period_minutes += row->minutes;
    }
    if (taker && (exchanges || row->kind == TIMEBANK__ORDER__KIND_SESSION))
        taker->roles |= ROLE_RECEIVER;
    if (taker && row->kind == TIMEBANK__ORDER__KIND_REDEEM)
        taker->roles |= ROLE_REDEEMER;
    if (giver && taker && giver != taker && exchanges) {
        giver->roles |= ROLE_TRADER;
        taker->roles |= ROLE_TRADER;
    }
}

static const struct fact_account *account_of(const struct report_pick *pick, uint32_t account) {
    return &pick->facts->accounts[report_pick_account(pick, account)];
}

static int add_exchange(struct cells *cells, uint32_t month, const struct report_row *row) {
    const struct fact_account *giver = account_of(cells->pick, row->to);
    const struct fact_account *receiver = account_of(cells->pick, row->from);
    const uint32_t wards[3] = {giver->ward, receiver->ward};
    const uint32_t bands[3] = {giver->age_band, receiver->age_band};
    int r = add_between(cells, CELLS_WARDS, month, wards, row);
    return r == 0 ? add_between(cells, CELLS_BANDS, month, bands, row) : r;
}

static int add_service(struct cells *cells, uint32_t month, const struct report_row *row) {
    bool is_earn = row->kind == TIMEBANK__ORDER__KIND_EARN;
    const uint32_t parts[3] = {row->kind, row->activity, is_earn ? row->from : INTERN_NONE};
    int r = report_cells_add(cells, CELLS_SERVICE, month, parts, row->to_person, row->minutes);
    if (r < 0 || row->kind != TIMEBANK__ORDER__KIND_EXCHANGE)
        return r;
    return add_exchange(cells, month, row);
}

static int add_flow(struct cells *cells, uint32_t month, const struct report_row *row) {
    const struct fact_account *accounts = cells->pick->facts->accounts;
    switch (row->kind) {
    case TIMEBANK__ORDER__KIND_LOG:
        return add_alone(cells, ALONE_LOG, month, row->to_person, row->minutes);
    case TIMEBANK__ORDER__KIND_GIFT:
        return add_alone(cells, ALONE_GIFT, month, row->from_person, row->minutes);
    case TIMEBANK__ORDER__KIND_DONATE:
        return add_alone(cells, ALONE_DONATE, month, row->from_person, row->minutes);
    case TIMEBANK__ORDER__KIND_GRANT:
    case TIMEBANK__ORDER__KIND_MINT_VOUCHERS:
        return add_alone(cells,
                         row->from != INTERN_NONE &&
                                 accounts[row->from].kind == TIMEBANK__ACCOUNT_KIND__CHEST
                             ? ALONE_CHEST_GRANT
                             : ALONE_GRANT,
                         month, row->to_person, row->minutes);
    case TIMEBANK__ORDER__KIND_ADVANCE:
    case TIMEBANK__ORDER__KIND_PLEDGE:
        return add_alone(cells, ALONE_ADVANCE, month, row->to_person, row->minutes);
    case TIMEBANK__ORDER__KIND_REDEEM:
        return report_cells_add(cells, CELLS_REDEEM, month,
                                (const uint32_t[3]){row->to, row->label}, row->from_person,
                                row->minutes);
    default:
        return 0;
    }
}

/* Counts of entries, by whoever they are about. */
static int add_quality(struct cells *cells, uint32_t month, const struct report_row *row) {
    uint32_t person = row->to_person != INTERN_NONE ? row->to_person : row->from_person;
    const bool counts[] = {
        row->is_service && (int64_t)row->entered_day - (int64_t)row->service_day > REPORT_LATE_DAYS,
        row->insisted, row->is_claimed, row->rounded_minutes != 0};
    int r = 0;
    for (unsigned i = 0; r == 0 && !row->is_further && i < N_ELEMENTS(counts); i++)
        if (counts[i])
            r = add_alone(cells, ALONE_LATE + i, month, person, 1);
    return r;
}

static int note_row(struct cells *cells, const struct report_row *row) {
    if (cells->last_month == 0 || row->service_day != cells->last_day) {
        cells->last_day = row->service_day;
        cells->last_month = report_period_month(row->service_day);
    }
    uint32_t month = cells->last_month;
    note_roles(cells, row);
    int r = add_quality(cells, month, row);
    if (r == 0)
        r = row->is_service ? add_service(cells, month, row) : add_flow(cells, month, row);
    return r;
}

/* ---- the part */

static bool hides(const struct report_pick *pick) {
    return pick->report_class && pick->report_class->threshold > 0;
}

static int begin(void *user, const struct report_pick *pick) {
    struct cells *cells = user;
    cells->pick = pick;
    if (!hides(pick))
        return 0;
    int64_t from_day, to_day;
    report_cells_reach(pick, &from_day, &to_day);
    cells->first_month = month_of(from_day);
    cells->n_months = month_of(to_day) - cells->first_month + 1;
    cells->persons = calloc(pick->n_persons + 1, sizeof(*cells->persons));
    if (!cells->persons)
        return -ENOMEM;
    for (size_t i = 0; i < pick->n_persons; i++)
        cells->persons[i].first_day = UINT32_MAX;
    return 0;
}

static int note(void *user, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    int r = 0;
    for (size_t i = 0; r == 0 && hides(pick) && i < n; i++)
        r = note_row(user, &rows[i]);
    return r;
}

static int note_past(void *user, const struct report_pick *pick, const struct report_past *rows,
                     size_t n) {
    struct cells *cells = user;
    for (size_t i = 0; hides(pick) && i < n; i++) {
        if (!rows[i].is_service || rows[i].to_person == INTERN_NONE)
            continue;
        struct cells_person *giver = &cells->persons[rows[i].to_person];
        giver->first_day = MIN_OF(giver->first_day, rows[i].service_day);
        giver->past_minutes += rows[i].minutes;
    }
    return 0;
}

static int merge_atoms(struct cells *cells, const struct cells *from) {
    _cleanup_(freep) uint32_t *numbers = calloc(from->keys.n_keys + 1u, sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    for (uint32_t i = 0; i < from->keys.n_keys; i++) {
        int r = number_atom(cells, (const uint8_t *)intern_text(&from->keys, i), &numbers[i]);
        if (r < 0)
            return r;
        cells->key_minutes[numbers[i]] += from->key_minutes[i];
    }
    for (size_t i = 0; i < from->n_slots; i++) {
        uint64_t key = from->slots[i].key - 1;
        int r = from->slots[i].key == 0
                    ? 0
                    : add_pair(cells, numbers[key >> 32], (uint32_t)key, from->slots[i].minutes);
        if (r < 0)
            return r;
    }
    return 0;
}

static int merge(void *user, const struct report_pick *pick, void *other) {
    struct cells *cells = user;
    const struct cells *from = other;
    for (size_t i = 0; hides(pick) && i < pick->n_persons; i++) {
        struct cells_person *person = &cells->persons[i];
        const struct cells_person *more = &from->persons[i];
        person->past_minutes += more->past_minutes;
        person->period_minutes += more->period_minutes;
        person->first_day = MIN_OF(person->first_day, more->first_day);
        person->roles |= more->roles;
    }
    return hides(pick) ? merge_atoms(cells, from) : 0;
}

static void end(void *user) {
    struct cells *cells = user;
    intern_fini(&cells->keys);
    intern_fini(&cells->paths);
    for (uint32_t i = 0; cells->cells && i < cells->n_cells; i++) {
        free(cells->cells[i].atoms);
        free(cells->cells[i].months);
    }
    report_audit_fini(&cells->audit);
    free(cells->cells);
    free(cells->key_minutes);
    free(cells->slots);
    free(cells->persons);
    free(cells->atoms);
    free(cells->pairs);
    free(cells->sums);
    free(cells->touched);
    *cells = (struct cells){0};
}

const struct report_part report_cells = {
    .sums_bytes = sizeof(struct cells),
    .begin = begin,
    .note = note,
    .note_past = note_past,
    .merge = merge,
    .end = end,
};
