/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many persons stand behind some atoms, and how much is the largest's. Two sets that are safe
 * and have no row in common are safe together, because the largest shares do not grow: so the
 * months of a cell that are safe one by one need no second look.
 */
#include "report-cells.h"

#define FEW_FOR_ONE 10 /* persons below which nobody may have more than half */

static void count_person(struct cells_weight *weight, uint64_t minutes) {
    weight->n_persons++;
    if (minutes > weight->largest) {
        weight->largest_two = weight->largest + minutes;
        weight->largest = minutes;
    } else if (minutes > weight->largest_two - weight->largest) {
        weight->largest_two = weight->largest + minutes;
    }
}

/* One set of atoms being weighed. */
struct scale {
    struct cells *cells;
    struct cells_weight ends[2];
    size_t n_touched;
};

static void scale_add(struct scale *scale, uint32_t number) {
    struct cells *cells = scale->cells;
    const struct cells_atom *atom = &cells->atoms[number];
    scale->ends[0].minutes += atom->minutes;
    scale->ends[1].minutes += atom->minutes;
    for (size_t i = 0; i < atom->n_pairs; i++) {
        const struct cells_pair *pair = &cells->pairs[atom->first_pair + i];
        if (pair->minutes > 0 && cells->sums[pair->person] == 0)
            cells->touched[scale->n_touched++] = pair->person;
        cells->sums[pair->person] += pair->minutes;
    }
}

static void scale_read(struct scale *scale) {
    struct cells *cells = scale->cells;
    for (size_t i = 0; i < scale->n_touched; i++) {
        uint32_t person = cells->touched[i];
        count_person(&scale->ends[person >= cells->pick->n_persons], cells->sums[person]);
        cells->sums[person] = 0;
    }
}

bool report_cells_weigh_is_count_small(const struct cells *cells, uint64_t n_persons) {
    return n_persons > 0 && n_persons < cells->report_class->threshold;
}

static bool is_dominated(const struct cells_weight *end) {
    return (end->n_persons < FEW_FOR_ONE && 2 * end->largest > end->minutes) ||
           100 * end->largest_two > 85 * end->minutes;
}

static bool is_unsafe(const struct cells *cells, const struct cells_weight ends[2]) {
    for (size_t i = 0; i < 2; i++)
        if (ends[i].n_persons > 0 &&
            (report_cells_weigh_is_count_small(cells, ends[i].n_persons) || is_dominated(&ends[i])))
            return true;
    return false;
}

bool report_cells_weigh_is_unsafe(struct cells *cells, const uint32_t *atoms, size_t n) {
    struct scale scale = {.cells = cells};
    for (size_t i = 0; i < n; i++)
        scale_add(&scale, atoms[i]);
    scale_read(&scale);
    return is_unsafe(cells, scale.ends);
}

void report_cells_weigh_months(struct cells *cells, struct cell *cell) {
    for (uint32_t i = 0; i < cell->n_months; i++) {
        struct cells_month *month = &cell->months[i];
        struct scale scale = {.cells = cells};
        for (uint32_t k = 0; k < month->n; k++)
            scale_add(&scale, cell->atoms[month->first + k]);
        scale_read(&scale);
        month->n_persons = scale.ends[0].n_persons;
        month->n_others = scale.ends[1].n_persons;
        month->is_unsafe = is_unsafe(cells, scale.ends);
    }
}

bool report_cells_weigh_is_cell_unsafe(struct cells *cells, const struct cell *cell,
                                       uint32_t first_month, uint32_t mask) {
    struct scale scale = {.cells = cells};
    bool all_safe = true;
    for (uint32_t i = 0; i < cell->n_months; i++)
        if (report_cells_mask_has(mask, first_month, cell->months[i].month))
            all_safe = all_safe && !cell->months[i].is_unsafe;
    for (uint32_t i = 0; !all_safe && i < cell->n_atoms; i++)
        if (report_cells_mask_has(mask, first_month, cells->atoms[cell->atoms[i]].month))
            scale_add(&scale, cell->atoms[i]);
    scale_read(&scale);
    return is_unsafe(cells, scale.ends);
}

/* Stops at the threshold: most sets have more. */
bool report_cells_weigh_is_few(struct cells *cells, const uint32_t *atoms, size_t n) {
    uint64_t n_ends[2] = {0}, threshold = cells->report_class->threshold;
    bool has_two_ends = n > 0 && cells->atoms[atoms[0]].universe >= CELLS_WARDS;
    size_t n_touched = 0;
    for (size_t i = 0; i < n; i++) {
        const struct cells_atom *atom = &cells->atoms[atoms[i]];
        for (size_t k = 0; k < atom->n_pairs; k++) {
            uint32_t person = cells->pairs[atom->first_pair + k].person;
            if (n_ends[0] >= threshold && (!has_two_ends || n_ends[1] >= threshold))
                break;
            if (cells->sums[person] != 0)
                continue;
            n_ends[person >= cells->pick->n_persons]++;
            cells->touched[n_touched++] = person;
            cells->sums[person] = 1;
        }
    }
    for (size_t i = 0; i < n_touched; i++)
        cells->sums[cells->touched[i]] = 0;
    return report_cells_weigh_is_count_small(cells, n_ends[0]) ||
           report_cells_weigh_is_count_small(cells, n_ends[1]);
}
