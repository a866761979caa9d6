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

#define SECRETS_MAX (2 * N_ELEMENTS(sets) * N_ELEMENTS(sets) + HEADS_N)

struct sorts {
    struct cells *cells;
    uint64_t n[ROLES_N]; /* persons of each sort */
};

/* Nobody is new who gave before, and only givers are new or frequent; traders gave or received. */
static bool is_possible(unsigned sort) {
    bool gives = sort & ROLE_GIVER;
    return (gives || !(sort & (ROLE_NEW | ROLE_FREQUENT))) &&
           !(sort & ROLE_NEW && sort & ROLE_PREVIOUS) &&
           (!(sort & ROLE_TRADER) || sort & (ROLE_GIVER | ROLE_RECEIVER));
}

static bool counts(const struct heads *who, unsigned sort) {
    return is_possible(sort) && sort & who->any && (who->and_any == 0 || sort & who->and_any) &&
           !(sort & who->none);
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

/* ---- the others, by what follows from all that are shown */

static int follows(struct report_audit *audit, const struct sorts *sorts, const struct heads *who,
                   bool *ret) {
    struct report_audit_term terms[ROLES_N];
    struct report_audit_vector sum = {terms, 0};
    sum_of(sorts, who, &sum);
    return report_audit_follows(audit, &sum, ret);
}

/* Calls each() for all that must not follow: a few persons, and what is hidden for reasons of its
 * own, however many they are. Another value than 0 ends it. */
static int each_secret(const struct sorts *sorts, const struct report_hide_people *people,
                       int (*each)(void *user, size_t number, const struct heads *who),
                       void *user) {
    struct report_audit_term terms[ROLES_N];
    struct report_audit_vector sum = {terms, 0};
    size_t number = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(sets) * N_ELEMENTS(sets) * 2; i++) {
        unsigned other = sets[i / 2 % N_ELEMENTS(sets)];
        struct heads who = {.any = sets[i / 2 / N_ELEMENTS(sets)]};
        *(i % 2 ? &who.and_any : &who.none) = other;
        if (report_cells_weigh_is_count_small(sorts->cells, sum_of(sorts, &who, &sum)))
            r = each(user, number++, &who);
    }
    for (unsigned i = 0; r == 0 && i < HEADS_N; i++)
        if (report_cells_weigh_is_count_small(sorts->cells, people->n[i]) ||
            (i <= HEADS_GIVERS && !people->is_shown[i] && people->n[i] > 0))
            r = each(user, number++, &heads[i]);
    return r;
}

/* A count of nobody says that none of its sorts is anybody's. */
static int know(struct report_audit *audit, const struct sorts *sorts, const struct heads *who,
                bool is_nobody) {
    struct report_audit_term terms[ROLES_N];
    struct report_audit_vector sum = {terms, 0};
    int r = 0;
    sum_of(sorts, who, &sum);
    if (!is_nobody)
        return report_audit_know(audit, &sum);
    for (size_t i = 0; r == 0 && i < sum.n; i++)
        r = report_audit_know(audit, &(struct report_audit_vector){&terms[i], 1});
    return r;
}

/* All that are shown, together; and what of the secrets follows from them. */
struct trial {
    const struct sorts *sorts;
    struct report_audit audit;
    bool is_lost[SECRETS_MAX]; /* follows from what is known from elsewhere */
    bool is_first;
    bool is_betrayed;
};

static int try_secret(void *user, size_t number, const struct heads *who) {
    struct trial *trial = user;
    bool yes;
    int r = follows(&trial->audit, trial->sorts, who, &yes);
    if (r == 0 && trial->is_first)
        trial->is_lost[number] = yes;
    else if (r == 0 && yes && !trial->is_lost[number])
        trial->is_betrayed = true;
    return r;
}

static bool rests_on_few(const struct sorts *sorts, const struct report_audit_vector *row) {
    uint64_t n = 0;
    for (size_t i = 0; i < row->n; i++)
        n += sorts->n[row->terms[i].column];
    return report_cells_weigh_is_count_small(sorts->cells, n);
}

static int try_all(struct trial *trial, const struct report_hide_people *people) {
    int r = report_audit_init(&trial->audit, ROLES_N);
    trial->is_betrayed = false;
    for (unsigned i = 0; r == 0 && i < HEADS_N; i++)
        if (people->is_shown[i])
            r = know(&trial->audit, trial->sorts, &heads[i], people->n[i] == 0);
    if (r == 0)
        r = each_secret(trial->sorts, people, try_secret, trial);
    for (size_t i = 0; !trial->is_first && i < trial->audit.n_rows; i++)
        trial->is_betrayed =
            trial->is_betrayed || rests_on_few(trial->sorts, &trial->audit.rows[i]);
    report_audit_fini(&trial->audit);
    return r;
}

static int judge(struct sorts *sorts, struct report_hide_people *people) {
    struct trial trial = {.sorts = sorts, .is_first = true};
    bool redeems, audits = !sorts->cells->report_class->only_primary;
    int r = judge_known(sorts, people);
    if (r == 0)
        r = shows(sorts->cells, "minutes_redeemed", &redeems);
    if (r == 0)
        r = try_all(&trial, people);
    trial.is_first = false;
    for (unsigned i = HEADS_GIVERS + 1; r == 0 && i < HEADS_N; i++) {
        if (report_cells_weigh_is_count_small(sorts->cells, people->n[i]) ||
            (i == HEADS_REDEEMERS && !redeems))
            continue;
        people->is_shown[i] = true;
        if (audits)
            r = try_all(&trial, people);
        people->is_shown[i] = !trial.is_betrayed;
    }
    return r;
}

int report_hide_people_judge(struct cells *cells, struct report_hide_people *ret) {
    struct report_audit_term terms[ROLES_N];
    struct report_audit_vector sum = {terms, 0};
    struct sorts sorts = {.cells = cells};
    struct report_hide_people people = {0};
    for (size_t i = 0; i < cells->pick->n_persons; i++)
        sorts.n[cells->persons[i].roles & (ROLES_N - 1)]++;
    for (unsigned i = 0; i < HEADS_N; i++)
        people.n[i] = sum_of(&sorts, &heads[i], &sum);
    int r = judge(&sorts, &people);
    if (r == 0)
        *ret = people;
    return r;
}
