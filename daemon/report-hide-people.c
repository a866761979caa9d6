/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persons by what they were in the period, 128 sorts at most; each count is a sum over sorts. A few
 * persons must not follow: neither a count, nor what two of them have in common, nor what one has
 * that another has not. The order of the counts is that in which they are given room.
 */
#include "report-hide-people.h"

#include <string.h>

#define TAKERS (ROLE_RECEIVER | ROLE_REDEEMER)

/* Who is counted: any of some roles, and all of some others, and none of the rest. */
struct heads {
    const char *key;
    unsigned any, and_any, none;
};

static const struct heads heads[HEADS_N] = {
    [HEADS_PREVIOUS] = {"previous_givers", .any = ROLE_PREVIOUS},
    [HEADS_NEW] = {"new_givers", .any = ROLE_NEW},
    [HEADS_GIVERS] = {"givers", .any = ROLE_GIVER},
    [HEADS_PARTICIPANTS] = {"participants", .any = ROLE_GIVER | TAKERS},
    [HEADS_RECEIVERS] = {"receivers", .any = ROLE_RECEIVER},
    [HEADS_REDEEMERS] = {"redeemers", .any = ROLE_REDEEMER},
    [HEADS_TRADERS] = {"traders", .any = ROLE_TRADER},
    [HEADS_RETAINED] = {"retained_givers", .any = ROLE_GIVER, .and_any = ROLE_PREVIOUS},
    [HEADS_TWO_WAY] = {"two_way", .any = ROLE_GIVER, .and_any = TAKERS},
    [HEADS_FREQUENT] = {"frequent_givers", .any = ROLE_FREQUENT},
    [HEADS_RETURNING] = {"returning_givers", .any = ROLE_GIVER, .none = ROLE_NEW},
    [HEADS_LAPSED] = {"lapsed_givers", .any = ROLE_PREVIOUS, .none = ROLE_GIVER},
    [HEADS_ISOLATES] = {"isolates", .any = ROLE_GIVER | TAKERS, .none = ROLE_TRADER},
};

/* What people can be seen to be: of any two of these, what they share and what sets them apart. */
static const unsigned sets[] = {
    ROLE_GIVER,    ROLE_RECEIVER, ROLE_REDEEMER, TAKERS,      ROLE_GIVER | TAKERS,
    ROLE_PREVIOUS, ROLE_NEW,      ROLE_FREQUENT, ROLE_TRADER,
};

struct sorts {
    struct cells *cells;
    struct report_audit audit;
    uint64_t n[ROLES_N]; /* persons of each sort */
};

static bool counts(const struct heads *who, unsigned sort) {
    return sort & who->any && (who->and_any == 0 || sort & who->and_any) && !(sort & who->none);
}

/* The sum in terms, and its value. */
static uint64_t sum_of(const struct sorts *sorts, const struct heads *who,
                       struct report_audit_vector *ret) {
    uint64_t n = 0;
    ret->n = 0;
    for (unsigned sort = 1; sort < ROLES_N; sort++)
        if (counts(who, sort)) {
            ret->terms[ret->n++] = (struct report_audit_term){sort, 1};
            n += sorts->n[sort];
        }
    return n;
}

enum report_heads report_hide_people_find(const char *key) {
    unsigned i = 0;
    while (i < HEADS_N && strcmp(heads[i].key, key) != 0)
        i++;
    return (enum report_heads)i;
}

int report_hide_people_givers(struct cells *cells, uint32_t first_month, uint32_t last_month,
                              uint64_t n_givers, uint64_t n_new, bool *ret) {
    bool total, beginners;
    int r = report_cells_judge_shows(cells, report_cells_list_find(cells, "minutes_given"),
                                     first_month, last_month, &total);
    if (r == 0)
        r = report_cells_judge_shows(cells, report_cells_list_find(cells, "new_givers"),
                                     first_month, last_month, &beginners);
    if (r < 0)
        return r;
    *ret = total && !report_cells_weigh_is_count_small(cells, n_givers) &&
           !(beginners && report_cells_weigh_is_count_small(cells, n_givers - n_new));
    return 0;
}

/* ---- the four that are decided before the others */

static int shows(struct cells *cells, const char *path, bool *ret) {
    const struct report_period *period = &cells->pick->period;
    return report_cells_judge_shows(cells, report_cells_list_find(cells, path), period->first_month,
                                    period->last_month, ret);
}

static int judge_previous(struct cells *cells, struct report_hide_people *people) {
    const struct report_period *period = &cells->pick->period;
    uint64_t n_new = 0;
    if (period->previous_from_day < 0)
        return 0;
    for (size_t i = 0; i < cells->pick->n_persons; i++)
        n_new += cells->persons[i].roles & ROLE_PREVIOUS &&
                 cells->persons[i].first_day >= period->previous_from_day;
    return report_hide_people_givers(
        cells, report_period_month((uint32_t)period->previous_from_day),
        report_period_month((uint32_t)period->previous_to_day), people->n[HEADS_PREVIOUS], n_new,
        &people->is_shown[HEADS_PREVIOUS]);
}

static int judge_known(struct sorts *sorts, struct report_hide_people *people) {
    struct cells *cells = sorts->cells;
    const struct report_period *period = &cells->pick->period;
    int r = judge_previous(cells, people);
    if (r == 0)
        r = shows(cells, "new_givers", &people->is_shown[HEADS_NEW]);
    if (r == 0)
        r = report_hide_people_givers(cells, period->first_month, period->last_month,
                                      people->n[HEADS_GIVERS], people->n[HEADS_NEW],
                                      &people->is_shown[HEADS_GIVERS]);
    return r;
}

/* ---- the others, by what follows */

static int guard_if_few(struct sorts *sorts, const struct heads *who) {
    struct report_audit_term terms[ROLES_N];
    struct report_audit_vector sum = {terms, 0};
    if (!report_cells_weigh_is_count_small(sorts->cells, sum_of(sorts, who, &sum)))
        return 0;
    return report_audit_guard(&sorts->audit, &sum);
}

static int guard_sets(struct sorts *sorts) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(sets); i++)
        for (size_t k = 0; r == 0 && k < N_ELEMENTS(sets); k++) {
            r = guard_if_few(sorts, &(struct heads){.any = sets[i], .and_any = sets[k]});
            if (r == 0)
                r = guard_if_few(sorts, &(struct heads){.any = sets[i], .none = sets[k]});
        }
    for (size_t i = 0; r == 0 && i < HEADS_N; i++)
        r = guard_if_few(sorts, &heads[i]);
    return r;
}

static int know(struct sorts *sorts, const struct heads *who) {
    struct report_audit_term terms[ROLES_N];
    struct report_audit_vector sum = {terms, 0};
    sum_of(sorts, who, &sum);
    return report_audit_know(&sorts->audit, &sum);
}

/* A count of nobody says that none of its sorts is anybody's. */
static int know_nobody(struct sorts *sorts, const struct heads *who) {
    int r = 0;
    for (unsigned sort = 1; r == 0 && sort < ROLES_N; sort++) {
        struct report_audit_term term = {sort, 1};
        if (counts(who, sort))
            r = report_audit_know(&sorts->audit, &(struct report_audit_vector){&term, 1});
    }
    return r;
}

/* What is hidden for reasons of its own stays so, however many they are. */
static int keep(struct sorts *sorts, const struct heads *who) {
    struct report_audit_term terms[ROLES_N];
    struct report_audit_vector sum = {terms, 0};
    sum_of(sorts, who, &sum);
    return report_audit_guard(&sorts->audit, &sum);
}

static bool rests_on_few(void *user, const struct report_audit_vector *row) {
    const struct sorts *sorts = user;
    uint64_t n = 0;
    for (size_t i = 0; i < row->n; i++)
        n += sorts->n[row->terms[i].column];
    return report_cells_weigh_is_count_small(sorts->cells, n);
}

static int judge_rest(struct sorts *sorts, struct report_hide_people *people, bool redeems) {
    bool audits = !sorts->cells->pick->report_class->only_primary;
    int r = 0;
    for (unsigned i = HEADS_GIVERS + 1; r == 0 && i < HEADS_N; i++) {
        struct report_audit_term terms[ROLES_N];
        struct report_audit_vector sum = {terms, 0};
        if (report_cells_weigh_is_count_small(sorts->cells, sum_of(sorts, &heads[i], &sum)) ||
            (i == HEADS_REDEEMERS && !redeems))
            continue;
        people->is_shown[i] = true;
        if (audits)
            r = report_audit_show(&sorts->audit, &sum, rests_on_few, sorts, &people->is_shown[i]);
    }
    return r;
}

static int judge(struct sorts *sorts, struct report_hide_people *people) {
    bool redeems;
    int r = judge_known(sorts, people);
    for (unsigned i = 0; r == 0 && i < HEADS_N; i++)
        if (people->n[i] == 0 && (i > HEADS_GIVERS || people->is_shown[i]))
            r = know_nobody(sorts, &heads[i]);
    for (unsigned i = 0; r == 0 && i <= HEADS_GIVERS; i++)
        r = people->is_shown[i] ? know(sorts, &heads[i]) : keep(sorts, &heads[i]);
    if (r == 0)
        r = guard_sets(sorts);
    if (r == 0)
        r = shows(sorts->cells, "minutes_redeemed", &redeems);
    return r == 0 ? judge_rest(sorts, people, redeems) : r;
}

int report_hide_people_judge(struct cells *cells, struct report_hide_people *ret) {
    struct report_audit_term terms[ROLES_N];
    struct report_audit_vector sum = {terms, 0};
    struct sorts sorts = {.cells = cells};
    struct report_hide_people people = {0};
    int r = report_audit_init(&sorts.audit, ROLES_N);
    if (r < 0)
        return r;
    for (size_t i = 0; i < cells->pick->n_persons; i++)
        sorts.n[cells->persons[i].roles & (ROLES_N - 1)]++;
    for (unsigned i = 0; i < HEADS_N; i++)
        people.n[i] = sum_of(&sorts, &heads[i], &sum);
    r = judge(&sorts, &people);
    report_audit_fini(&sorts.audit);
    if (r == 0)
        *ret = people;
    return r;
}
