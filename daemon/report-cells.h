/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who stands behind each cell of each month, and which cells may be shown.
 *
 * Rows that no cell tells apart are an atom: service of one kind, activity and organisation in one
 * month; redemptions of one offer at one venue in one month; and so on. A cell of a month, a
 * quarter or a year is a set of atoms; audited figures are sums over them, so that every relation
 * between cells (a total and its parts, a venue and its offers, an activity and the organisation
 * that is alone with it) is known without being listed.
 *
 * Quarters and years are those of the reporting year: it begins with the pick's month.
 */
#pragma once

#include "report-audit.h"
#include "report-hide.h"

/* Atoms of different kinds never meet in a sum. */
enum cells_universe {
    CELLS_SERVICE, /* kind, activity, organisation (of an earn) */
    CELLS_REDEEM,  /* venue, offer */
    CELLS_ALONE,   /* enum cells_alone: cells that stand alone */
    CELLS_WARDS,   /* exchanges: the giver's ward, the receiver's; persons of both ends */
    CELLS_BANDS,   /* likewise by age band */
    CELLS_N_UNIVERSES
};

enum cells_alone {
    ALONE_LOG,
    ALONE_GIFT,
    ALONE_DONATE,
    ALONE_GRANT,
    ALONE_CHEST_GRANT,
    ALONE_ADVANCE,
    ALONE_LATE, /* from here on each row or person weighs one */
    ALONE_INSISTED,
    ALONE_CLAIMED,
    ALONE_ROUNDED,
    ALONE_NEW_GIVER,
    ALONE_20_HOURS,
    ALONE_50_HOURS,
    ALONE_100_HOURS,
    ALONE_N
};

/* Sets the parts of a path apart: no name holds it. */
#define CELLS_STROKE "\t"
/* The exchanges, where wards or age bands tell them apart: known wherever they are shown as such.
 */
#define CELLS_KNOWN_BY_WARD "exchanges by ward"
#define CELLS_KNOWN_BY_BAND "exchanges by age band"

/* In the period, what a person was. */
enum cells_role {
    ROLE_GIVER = 1,
    ROLE_RECEIVER = 2,
    ROLE_REDEEMER = 4,
    ROLE_TRADER = 8,
    ROLE_PREVIOUS = 16, /* gave in the previous period */
    ROLE_NEW = 32,
    ROLE_FREQUENT = 64,
    ROLES_N = 128
};

struct cells_person {
    uint64_t past_minutes;   /* of service before the reach */
    uint64_t period_minutes; /* of service in the period */
    uint32_t first_day;      /* of service, ever; UINT32_MAX: none */
    uint8_t roles;
};

/* Minutes by atom and person: open addressing, (atom << 32 | person) + 1, or 0. */
struct cells_slot {
    uint64_t key;
    uint64_t minutes;
};

struct cells_atom {
    uint32_t universe;
    uint32_t month;
    uint32_t parts[3];
    uint64_t minutes; /* of nobody known included */
    size_t first_pair;
    size_t n_pairs;
};

struct cells_pair {
    uint32_t person; /* an exchange's receiver, by wards and bands: plus n_persons */
    uint64_t minutes;
};

/* Of some atoms together, one end of them. */
struct cells_weight {
    uint64_t n_persons;
    uint64_t minutes;
    uint64_t largest;
    uint64_t largest_two;
};

struct cells_month {
    uint32_t month;
    uint32_t first; /* of the cell's atoms */
    uint32_t n;
    uint64_t n_persons;
    uint64_t n_others; /* of the other end */
    bool is_unsafe;
};

struct cell {
    const char *path;
    enum cells_universe universe;
    unsigned level;  /* totals are 0 */
    uint32_t *atoms; /* ascending: by month */
    uint32_t n_atoms;
    struct cells_month *months;
    uint32_t n_months;
};

struct cells {
    const struct report_pick *pick;
    uint32_t first_month; /* of the reach */
    uint32_t n_months;
    struct intern keys; /* of atoms: universe, month, parts, as big-endian u32 */
    uint64_t *key_minutes;
    size_t n_key_minutes_allocated;
    struct cells_slot *slots;
    size_t n_slots; /* a power of two, at most half full */
    size_t n_pairs;
    struct cells_person *persons; /* of the pick */
    uint32_t last_day;            /* last day asked for, and its month */
    uint32_t last_month;
    const struct report_class *report_class; /* that is judged; once sealed: */
    struct cells_atom *atoms;                /* ascending by universe, month and parts */
    uint32_t n_atoms;
    struct cells_pair *pairs;
    struct intern paths;
    struct cell *cells; /* ascending by path */
    uint32_t n_cells;
    struct report_audit audit;
    uint64_t *sums; /* scratch: two for each person */
    uint32_t *touched;
};

/* report-cells.c: rows into atoms. */
int report_cells_add(struct cells *cells, enum cells_universe universe, uint32_t month,
                     const uint32_t parts[3], uint32_t person, uint64_t minutes) TB_MUST_CHECK;
/* Is month among those of the mask, whose lowest bit is first_month? */
static inline bool report_cells_mask_has(uint32_t mask, uint32_t first_month, uint32_t month) {
    return month - first_month < 32 && mask >> (month - first_month) & 1;
}

/* report-cells-people.c: what follows from a person's whole history. Before the atoms are sorted.
 */
int report_cells_people_add(struct cells *cells) TB_MUST_CHECK;

/* report-cells-list.c: atoms in order, and the cells made of them. Once. */
int report_cells_list_make(struct cells *cells) TB_MUST_CHECK;
const struct cell *report_cells_list_find(const struct cells *cells, const char *path);

/* report-cells-weigh.c: is a set of atoms (ascending) unsafe to show? */
bool report_cells_weigh_is_unsafe(struct cells *cells, const uint32_t *atoms, size_t n);
void report_cells_weigh_months(struct cells *cells, struct cell *cell);
/* Likewise of some months of a cell, by a mask from a first month on. */
bool report_cells_weigh_is_cell_unsafe(struct cells *cells, const struct cell *cell,
                                       uint32_t first_month, uint32_t mask);
/* Do fewer persons than the threshold stand behind them, yet some? */
bool report_cells_weigh_is_few(struct cells *cells, const uint32_t *atoms, size_t n);
bool report_cells_weigh_is_count_small(const struct cells *cells, uint64_t n_persons);

/* report-cells-judge.c: what is shown in the cells' class, node by node, once more for another one;
 * then what follows for a run of months. */
int report_cells_judge(struct cells *cells) TB_MUST_CHECK;
/* NULL: nothing ever happened in it, and it is shown. */
int report_cells_judge_shows(struct cells *cells, const struct cell *cell, uint32_t first_month,
                             uint32_t last_month, bool *ret) TB_MUST_CHECK;
