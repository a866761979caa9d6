/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cells are shown, node by node: first each month by itself, then each quarter, then each
 * year. A node is shown where it is safe and nothing unsafe follows from it and what is shown
 * already; the more persons behind it, the earlier its turn. What was decided within a month stands
 * whatever comes later, and nothing outside a node has a say in it: so every report at one position
 * agrees, and a figure of any run of months is shown exactly where it follows from the nodes.
 *
 * Guarded are, of every cell, each union of months, quarters and runs of months of the node that is
 * unsafe; each atom that is; and the difference of two cells that have all but a few persons' rows
 * in common. Beyond these, no row of the reduced form may rest on a few persons: what is left of a
 * total when its shown parts are taken away is such a row.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/refusal.h"
#include "report-cells.h"

/* A month, a quarter or a year, of one universe. */
struct node {
    struct cells *cells;
    enum cells_universe universe;
    uint32_t first_month;
    uint32_t n_months;
    uint32_t first_atom;
    uint32_t end_atom;
    struct candidate *members; /* cells with rows in it */
    size_t n_members;
    uint32_t *scratch; /* room for every atom of the node, twice */
};

struct candidate {
    const struct cell *cell;
    uint64_t n_persons; /* of its months, the most: what its turn goes by */
    uint32_t present;   /* months with rows, by bits */
};

static uint32_t whole(const struct node *node) {
    return (1u << node->n_months) - 1;
}

/* ---- sums of atoms */

static void vector_fini(struct report_audit_vector *vector) {
    free(vector->terms);
}
#define _cleanup_vector_ _cleanup_(vector_fini)

static int vector_of(const uint32_t *atoms, size_t n, struct report_audit_vector *ret) {
    struct report_audit_term *terms = calloc(n + 1, sizeof(*terms));
    if (!terms)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        terms[i] = (struct report_audit_term){atoms[i], 1};
    *ret = (struct report_audit_vector){terms, n};
    return 0;
}

static size_t atoms_in(const struct node *node, const struct cell *cell, uint32_t mask,
                       uint32_t *ret) {
    size_t n = 0;
    for (uint32_t i = 0; i < cell->n_months; i++)
        if (report_cells_mask_has(mask, node->first_month, cell->months[i].month))
            for (uint32_t k = 0; k < cell->months[i].n; k++)
                ret[n++] = cell->atoms[cell->months[i].first + k];
    return n;
}

static int vector_in(const struct node *node, const struct cell *cell, uint32_t mask,
                     struct report_audit_vector *ret) {
    return vector_of(node->scratch, atoms_in(node, cell, mask, node->scratch), ret);
}

/* ---- what must not follow */

static int guard_atoms(const struct node *node, const uint32_t *atoms, size_t n) {
    _cleanup_vector_ struct report_audit_vector sum = {0};
    int r = vector_of(atoms, n, &sum);
    return r == 0 ? report_audit_guard(&node->cells->audit, &sum) : r;
}

static int guard_months(const struct node *node, const struct candidate *member, uint32_t mask) {
    if (!report_cells_weigh_is_cell_unsafe(node->cells, member->cell, node->first_month, mask))
        return 0;
    return guard_atoms(node, node->scratch, atoms_in(node, member->cell, mask, node->scratch));
}

/* Runs of months; of a quarter, any two; of a year, any quarters. */
static size_t list_masks(const struct node *node, uint32_t ret[128]) {
    size_t n = 0;
    if (node->n_months == 3)
        ret[n++] = 5;
    for (uint32_t quarters = 1; node->n_months == 12 && quarters < 16; quarters++) {
        ret[n] = 0;
        for (uint32_t i = 0; i < 4; i++)
            ret[n] |= quarters >> i & 1 ? 7u << 3 * i : 0;
        n++;
    }
    for (uint32_t from = 0; from < node->n_months; from++)
        for (uint32_t count = 1; from + count <= node->n_months; count++)
            ret[n++] = ((1u << count) - 1) << from;
    return n;
}

static int guard_cell(const struct node *node, const struct candidate *member) {
    uint32_t masks[128];
    uint64_t seen[64] = {0}; /* a bit for each mask of twelve */
    size_t n = list_masks(node, masks);
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        uint32_t mask = masks[i] & member->present;
        if (mask == 0 || seen[mask / 64] >> mask % 64 & 1)
            continue;
        seen[mask / 64] |= (uint64_t)1 << mask % 64;
        r = guard_months(node, member, mask);
    }
    return r;
}

/* Two cells as they differ in some months: what only the one has, and what only the other has. */
struct difference {
    uint32_t *atoms;
    struct report_audit_vector sum;
};

static void differ(const struct node *node, const struct cell *a, const struct cell *b,
                   uint32_t mask, struct difference *ret) {
    uint32_t *left = node->scratch, *right = left + (node->end_atom - node->first_atom);
    size_t n_left = atoms_in(node, a, mask, left);
    size_t n_right = atoms_in(node, b, mask, right);
    ret->sum.n = 0;
    for (size_t i = 0, k = 0; i < n_left || k < n_right;) {
        if (i < n_left && k < n_right && left[i] == right[k]) {
            i++;
            k++;
            continue;
        }
        bool is_left = k == n_right || (i < n_left && left[i] < right[k]);
        uint32_t atom = is_left ? left[i++] : right[k++];
        ret->atoms[ret->sum.n] = atom;
        ret->sum.terms[ret->sum.n++] =
            (struct report_audit_term){atom, is_left ? 1 : REPORT_AUDIT_PRIME - 1};
    }
}

static const struct cells_month *month_in(const struct cell *cell, uint32_t month) {
    static const struct cells_month nothing;
    for (uint32_t i = 0; i < cell->n_months; i++)
        if (cell->months[i].month == month)
            return &cell->months[i];
    return &nothing;
}

/* So many more persons at the one than at the other that they have rows that the other has not. */
static bool is_far(const struct node *node, const struct cell *a, const struct cell *b,
                   uint32_t month) {
    const struct cells_month *left = month_in(a, month), *right = month_in(b, month);
    uint64_t threshold = node->cells->report_class->threshold;
    bool has_two_ends = node->universe >= CELLS_WARDS;
    uint64_t more = MAX_OF(left->n_persons, right->n_persons);
    uint64_t fewer = MIN_OF(left->n_persons, right->n_persons);
    uint64_t more_others = MAX_OF(left->n_others, right->n_others);
    uint64_t fewer_others = MIN_OF(left->n_others, right->n_others);
    return more - fewer >= threshold && (!has_two_ends || more_others - fewer_others >= threshold);
}

/* Months in which they differ by nobody or by a few: only among these can a union do so. */
static uint32_t few_months(const struct node *node, const struct cell *a, const struct cell *b,
                           struct difference *difference) {
    uint32_t few = 0;
    for (uint32_t i = 0; i < node->n_months; i++) {
        if (is_far(node, a, b, node->first_month + i))
            continue;
        differ(node, a, b, 1u << i, difference);
        if (difference->sum.n == 0 ||
            report_cells_weigh_is_few(node->cells, difference->atoms, difference->sum.n))
            few |= 1u << i;
    }
    return few;
}

static int guard_difference(const struct node *node, const struct cell *a, const struct cell *b,
                            struct difference *difference) {
    uint32_t masks[128], few = few_months(node, a, b, difference);
    size_t n = few == 0 ? 0 : list_masks(node, masks);
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (masks[i] & ~few)
            continue;
        differ(node, a, b, masks[i], difference);
        if (difference->sum.n == 0)
            continue;
        if (report_cells_weigh_is_few(node->cells, difference->atoms, difference->sum.n))
            r = report_audit_guard(&node->cells->audit, &difference->sum);
    }
    return r;
}

/* Members that have rows in common: what others differ by is all that they are. */
struct pair {
    uint32_t left;
    uint32_t right;
};

struct meeting {
    struct pair *pairs; /* ascending */
    size_t n;
    size_t n_allocated;
};

static void meeting_fini(struct meeting *meeting) {
    free(meeting->pairs);
}

static int compare_pairs(const void *a, const void *b) {
    const struct pair *left = a, *right = b;
    if (left->left != right->left)
        return left->left < right->left ? -1 : 1;
    return (left->right > right->right) - (left->right < right->right);
}

/* Atom and member, by atom: first what stands in them side by side, then who meets there. */
static int list_places(const struct node *node, struct meeting *ret) {
    for (uint32_t i = 0; i < node->n_members; i++) {
        size_t n = atoms_in(node, node->members[i].cell, whole(node), node->scratch);
        for (size_t k = 0; k < n; k++) {
            void *pairs = ret->pairs;
            int r = intern_grow(&pairs, ret->n, &ret->n_allocated, sizeof(*ret->pairs));
            ret->pairs = pairs;
            if (r < 0)
                return r;
            ret->pairs[ret->n++] = (struct pair){node->scratch[k], i};
        }
    }
    if (ret->n > 0)
        qsort(ret->pairs, ret->n, sizeof(*ret->pairs), compare_pairs);
    return 0;
}

static void sort_pairs(struct meeting *meeting) {
    size_t n = 0;
    if (meeting->n > 0)
        qsort(meeting->pairs, meeting->n, sizeof(*meeting->pairs), compare_pairs);
    for (size_t i = 0; i < meeting->n; i++)
        if (n == 0 || compare_pairs(&meeting->pairs[n - 1], &meeting->pairs[i]) != 0)
            meeting->pairs[n++] = meeting->pairs[i];
    meeting->n = n;
}

static int list_pairs(const struct node *node, struct meeting *ret) {
    _cleanup_(meeting_fini) struct meeting places = {0};
    int r = list_places(node, &places);
    for (size_t i = 0; r == 0 && i < places.n; i++)
        for (size_t k = i + 1; r == 0 && k < places.n; k++) {
            if (places.pairs[k].left != places.pairs[i].left)
                break;
            void *pairs = ret->pairs;
            r = intern_grow(&pairs, ret->n, &ret->n_allocated, sizeof(*ret->pairs));
            ret->pairs = pairs;
            if (r == 0)
                ret->pairs[ret->n++] = (struct pair){places.pairs[i].right, places.pairs[k].right};
        }
    sort_pairs(ret);
    return r;
}

static int guard_differences(const struct node *node) {
    size_t n_atoms = 2 * (size_t)(node->end_atom - node->first_atom) + 1;
    _cleanup_(meeting_fini) struct meeting meeting = {0};
    _cleanup_(freep) uint32_t *atoms = calloc(n_atoms, sizeof(*atoms));
    _cleanup_vector_ struct report_audit_vector sum = {
        calloc(n_atoms, sizeof(struct report_audit_term)), 0};
    struct difference difference = {atoms, sum};
    int r = atoms && sum.terms ? list_pairs(node, &meeting) : -ENOMEM;
    for (size_t i = 0; r == 0 && i < meeting.n; i++)
        r = guard_difference(node, node->members[meeting.pairs[i].left].cell,
                             node->members[meeting.pairs[i].right].cell, &difference);
    return r;
}

static bool is_known_elsewhere(const struct cell *cell) {
    return strcmp(cell->path, CELLS_KNOWN_BY_WARD) == 0 ||
           strcmp(cell->path, CELLS_KNOWN_BY_BAND) == 0;
}

/* A month that was hidden, and a quarter, stays so, however safe: with nothing behind it yet, it is
 * what a quarter or a year has that is not shown, and who has it then has what comes later, too. */
static int guard_decided(const struct node *node, const struct candidate *member) {
    int r = 0;
    for (uint32_t size = 1; size < node->n_months; size *= 3)
        for (uint32_t from = 0; r == 0 && size <= 3 && from < node->n_months; from += size) {
            uint32_t mask = ((1u << size) - 1) << from & member->present;
            if (mask != 0)
                r = guard_atoms(node, node->scratch,
                                atoms_in(node, member->cell, mask, node->scratch));
        }
    return r;
}

static int guard(const struct node *node) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < node->n_members; i++)
        if (!is_known_elsewhere(node->members[i].cell))
            r = guard_decided(node, &node->members[i]);
    for (uint32_t atom = node->first_atom; r == 0 && atom < node->end_atom; atom++)
        if (report_cells_weigh_is_unsafe(node->cells, &atom, 1))
            r = guard_atoms(node, &atom, 1);
    for (size_t i = 0; r == 0 && i < node->n_members; i++)
        if (!is_known_elsewhere(node->members[i].cell))
            r = guard_cell(node, &node->members[i]);
    return r == 0 ? guard_differences(node) : r;
}

/* ---- what is shown */

/* Does a row of the reduced form rest on a few? */
static bool rests_on_few(void *user, const struct report_audit_vector *row) {
    const struct node *node = user;
    bool is_sum = true;
    for (size_t i = 0; i < row->n; i++) {
        node->scratch[i] = row->terms[i].column;
        is_sum = is_sum && row->terms[i].value == row->terms[0].value;
    }
    return is_sum ? report_cells_weigh_is_unsafe(node->cells, node->scratch, row->n)
                  : report_cells_weigh_is_few(node->cells, node->scratch, row->n);
}

/* Each run of months of the exchanges that is shown as such. */
static int know_run(const struct node *node, const struct candidate *member, uint32_t from,
                    uint32_t n_months) {
    struct cells *cells = node->cells;
    _cleanup_vector_ struct report_audit_vector sum = {0};
    const struct cell *exchanges = report_cells_list_find(cells, "minutes_given_exchange");
    uint32_t first = node->first_month + from;
    bool shown = false;
    int r = report_cells_judge_shows(cells, exchanges, first, first + n_months - 1, &shown);
    if (r < 0 || !shown)
        return r;
    r = vector_in(node, member->cell, ((1u << n_months) - 1) << from, &sum);
    return r == 0 ? report_audit_know(&cells->audit, &sum) : r;
}

static int know(const struct node *node, const struct candidate *member) {
    int r = 0;
    for (uint32_t from = 0; from < node->n_months; from++)
        for (uint32_t n = 1; r == 0 && from + n <= node->n_months; n++)
            r = know_run(node, member, from, n);
    return r;
}

/* A node whose rows are all in one smaller node was judged there. */
static bool is_new_here(const struct node *node, const struct candidate *member) {
    if (node->n_months == 1)
        return true;
    if (node->n_months == 3)
        return (member->present & (member->present - 1)) != 0;
    for (uint32_t i = 0; i < 4; i++)
        if ((member->present & ~(7u << 3 * i)) == 0)
            return false;
    return true;
}

static int show(struct node *node, const struct candidate *member) {
    struct cells *cells = node->cells;
    _cleanup_vector_ struct report_audit_vector sum = {0};
    bool shown, audits = !cells->report_class->only_primary;
    if (is_known_elsewhere(member->cell))
        return know(node, member);
    if (!is_new_here(node, member) ||
        report_cells_weigh_is_cell_unsafe(cells, member->cell, node->first_month, member->present))
        return 0;
    int r = vector_in(node, member->cell, member->present, &sum);
    if (r < 0)
        return r;
    return audits ? report_audit_show(&cells->audit, &sum, rests_on_few, node, &shown)
                  : report_audit_know(&cells->audit, &sum);
}

/* Totals first, then whoever has most persons; by name where nothing else decides. */
static int compare_turns(const void *a, const void *b) {
    const struct candidate *left = a, *right = b;
    unsigned left_level = MIN_OF(left->cell->level, 2u);
    unsigned right_level = MIN_OF(right->cell->level, 2u);
    if (left_level != right_level)
        return left_level < right_level ? -1 : 1;
    if (left->n_persons != right->n_persons)
        return left->n_persons > right->n_persons ? -1 : 1;
    if (left->cell->level != right->cell->level)
        return left->cell->level < right->cell->level ? -1 : 1;
    return strcmp(left->cell->path, right->cell->path);
}

static void find_atoms(struct node *node) {
    const struct cells *cells = node->cells;
    for (int is_end = 0; is_end < 2; is_end++) {
        uint32_t low = 0, high = cells->n_atoms;
        uint32_t month = node->first_month + (is_end ? node->n_months : 0);
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            const struct cells_atom *atom = &cells->atoms[middle];
            if (atom->universe < node->universe ||
                (atom->universe == node->universe && atom->month < month))
                low = middle + 1;
            else
                high = middle;
        }
        *(is_end ? &node->end_atom : &node->first_atom) = low;
    }
}

static void find_members(struct node *node) {
    for (uint32_t i = 0; i < node->cells->n_cells; i++) {
        const struct cell *cell = &node->cells->cells[i];
        struct candidate member = {.cell = cell};
        for (uint32_t k = 0; cell->universe == node->universe && k < cell->n_months; k++)
            if (report_cells_mask_has(whole(node), node->first_month, cell->months[k].month)) {
                member.present |= 1u << (cell->months[k].month - node->first_month);
                member.n_persons = MAX_OF(member.n_persons, cell->months[k].n_persons);
            }
        if (member.present != 0)
            node->members[node->n_members++] = member;
    }
    if (node->n_members > 0)
        qsort(node->members, node->n_members, sizeof(*node->members), compare_turns);
}

static int judge_node(struct node *node) {
    struct cells *cells = node->cells;
    if (cells->pick->is_cancelled && atomic_load(cells->pick->is_cancelled))
        return -ECANCELED;
    find_atoms(node);
    if (node->first_atom == node->end_atom)
        return 0;
    node->n_members = 0;
    find_members(node);
    int r = cells->report_class->only_primary ? 0 : guard(node);
    for (size_t i = 0; r == 0 && i < node->n_members; i++)
        r = show(node, &node->members[i]);
    report_audit_drop_guards(&cells->audit);
    return r;
}

static int judge_universe(struct cells *cells, struct node *node) {
    static const uint32_t sizes[] = {1, 3, 12};
    int r = 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(sizes); i++)
        for (uint32_t month = 0; r == 0 && month < cells->n_months; month += sizes[i]) {
            node->first_month = cells->first_month + month;
            node->n_months = sizes[i];
            r = judge_node(node);
        }
    return r;
}

int report_cells_judge(struct cells *cells) {
    _cleanup_(freep) struct candidate *members = calloc(cells->n_cells + 1u, sizeof(*members));
    _cleanup_(freep) uint32_t *scratch = calloc(2 * (size_t)cells->n_atoms + 2, sizeof(*scratch));
    struct node node = {.cells = cells, .members = members, .scratch = scratch};
    if (!members || !scratch)
        return -ENOMEM;
    report_audit_fini(&cells->audit);
    for (uint32_t i = 0; i < cells->n_cells; i++)
        report_cells_weigh_months(cells, &cells->cells[i]);
    int r = report_audit_init(&cells->audit, cells->n_atoms);
    for (unsigned i = 0; r == 0 && i < CELLS_N_UNIVERSES; i++) {
        node.universe = (enum cells_universe)i;
        r = judge_universe(cells, &node);
    }
    return r;
}

int report_cells_judge_shows(struct cells *cells, const struct cell *cell, uint32_t first_month,
                             uint32_t last_month, bool *ret) {
    _cleanup_vector_ struct report_audit_vector sum = {0};
    _cleanup_(freep) uint32_t *atoms = NULL;
    size_t n = 0;
    if (!cell) {
        *ret = true;
        return 0;
    }
    atoms = calloc(cell->n_atoms + 1u, sizeof(*atoms));
    if (!atoms)
        return -ENOMEM;
    for (uint32_t i = 0; i < cell->n_atoms; i++) {
        uint32_t month = cells->atoms[cell->atoms[i]].month;
        if (month >= first_month && month <= last_month)
            atoms[n++] = cell->atoms[i];
    }
    if (cells->report_class->only_primary && report_cells_weigh_is_unsafe(cells, atoms, n)) {
        *ret = false;
        return 0;
    }
    int r = vector_of(atoms, n, &sum);
    return r == 0 ? report_audit_follows(&cells->audit, &sum, ret) : r;
}
