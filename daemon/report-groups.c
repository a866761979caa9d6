/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The breakdowns. Each is a choice of rows, what to group them by, whom to count in a group, and
 * the names of the three figures: one table, one loop.
 */
#include <errno.h>

#include "pairs.h"
#include "report-part.h"

enum breakdown_group {
    GROUP_MONTH, /* from the period's first on */
    GROUP_ACTIVITY,
    GROUP_FROM,
    GROUP_TO,
    GROUP_OFFER,
    GROUP_FUNDER,
};

enum breakdown_rows { ROWS_SERVICE, ROWS_EARN, ROWS_ISSUE, ROWS_REDEEM, N_ROWS };

static const struct breakdown {
    const char *key;
    enum breakdown_rows rows;
    enum breakdown_group group;
    bool counts_giver; /* the credits' to side; else the from side */
    const char *minutes_key;
    const char *entries_key; /* NULL: not counted */
    const char *persons_key; /* NULL: not counted */
} breakdowns[] = {
    {"by_month", ROWS_SERVICE, GROUP_MONTH, true, "minutes_given", NULL, "givers"},
    {"by_activity", ROWS_SERVICE, GROUP_ACTIVITY, true, "minutes_given", "entries", "givers"},
    {"by_organisation", ROWS_EARN, GROUP_FROM, true, "minutes_given", "entries", "givers"},
    {"by_funder", ROWS_ISSUE, GROUP_FUNDER, true, "minutes_issued", "entries", NULL},
    {"by_venue", ROWS_REDEEM, GROUP_TO, false, "minutes_redeemed", "redemptions", "redeemers"},
    {"by_offer", ROWS_REDEEM, GROUP_OFFER, false, "minutes_redeemed", "redemptions", "redeemers"},
};

#define BY_ACTIVITY 1 /* its place among them */

static bool counts_persons(const struct breakdown *breakdown) {
    return breakdown->persons_key && breakdown->group != GROUP_MONTH;
}

struct groups {
    uint32_t n;
    struct report_group *figures;
    struct pairs persons; /* of months report_persons has them */
};

struct sums {
    unsigned breakdowns[N_ROWS]; /* a bit for each that takes such rows */
    struct groups by[N_ELEMENTS(breakdowns)];
    uint32_t *places;   /* of each account among groups: members, who are never one, come last */
    uint32_t *accounts; /* in that order */
};

static uint32_t n_groups_of(const struct report_pick *pick, enum breakdown_group group) {
    const struct facts *facts = pick->facts;
    switch (group) {
    case GROUP_MONTH:
        return pick->period.last_month - pick->period.first_month + 1;
    case GROUP_ACTIVITY:
        return facts->activities.n_keys;
    case GROUP_FROM:
    case GROUP_TO:
        return (uint32_t)facts->n_accounts;
    case GROUP_OFFER:
        return facts->offers.n_keys;
    case GROUP_FUNDER:
        return facts->funders.n_keys;
    }
    return 0;
}

static const char *name_of(const struct report_pick *pick, const struct sums *sums,
                           enum breakdown_group group, uint32_t number, char month[16]) {
    const struct facts *facts = pick->facts;
    switch (group) {
    case GROUP_MONTH:
        report_period_month_name(pick->period.first_month + number, month);
        return month;
    case GROUP_ACTIVITY:
        return intern_text(&facts->activities, number);
    case GROUP_FROM:
    case GROUP_TO:
        return intern_text(&facts->account_codes, sums->accounts[number]);
    case GROUP_OFFER:
        return intern_text(&facts->offers, number);
    case GROUP_FUNDER:
        return intern_text(&facts->funders, number);
    }
    return NULL;
}

/* Groups that stand together share pages of their sets. */
static int list_places(const struct facts *facts, struct sums *sums) {
    uint32_t n = 0;
    sums->places = calloc(facts->n_accounts + 1, sizeof(*sums->places));
    sums->accounts = calloc(facts->n_accounts + 1, sizeof(*sums->accounts));
    for (int members = 0; members < 2 && sums->places && sums->accounts; members++)
        for (uint32_t i = 0; i < facts->n_accounts; i++)
            if ((facts->accounts[i].kind == TIMEBANK__ACCOUNT_KIND__MEMBER) == members) {
                sums->accounts[n] = i;
                sums->places[i] = n++;
            }
    return sums->places && sums->accounts ? 0 : -ENOMEM;
}

static int begin(void *sums, const struct report_pick *pick) {
    struct groups *by = ((struct sums *)sums)->by;
    int r = list_places(pick->facts, sums);
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(breakdowns); i++) {
        ((struct sums *)sums)->breakdowns[breakdowns[i].rows] |= 1u << i;
        by[i].n = n_groups_of(pick, breakdowns[i].group);
        by[i].figures = calloc((size_t)by[i].n + 1, sizeof(*by[i].figures));
        r = by[i].figures ? 0 : -ENOMEM;
        if (r == 0 && counts_persons(&breakdowns[i]))
            r = pairs_init(&by[i].persons, by[i].n, (uint32_t)pick->n_persons);
    }
    return r;
}

static void end(void *sums) {
    struct groups *by = ((struct sums *)sums)->by;
    free(((struct sums *)sums)->places);
    free(((struct sums *)sums)->accounts);
    for (size_t i = 0; i < N_ELEMENTS(breakdowns); i++) {
        free(by[i].figures);
        pairs_fini(&by[i].persons);
    }
}

static int note_group(struct groups *groups, uint32_t group, uint32_t person,
                      const struct report_row *row) {
    struct report_group *figures = &groups->figures[group];
    figures->minutes += row->minutes;
    figures->n_entries += !row->is_further;
    figures->n_rows++;
    return person == INTERN_NONE || !groups->persons.has
               ? 0
               : pairs_add(&groups->persons, group, person);
}

static uint32_t group_of(const struct report_pick *pick, const struct sums *sums,
                         const struct report_row *row, enum breakdown_group group) {
    switch (group) {
    case GROUP_MONTH:
        return report_pick_month(pick, row->service_day);
    case GROUP_ACTIVITY:
        return row->activity;
    case GROUP_FROM:
        return sums->places[row->from];
    case GROUP_TO:
        return sums->places[row->to];
    case GROUP_OFFER:
    case GROUP_FUNDER:
        return row->label;
    }
    return INTERN_NONE;
}

/* The breakdowns that the row belongs to, a bit each. */
static unsigned breakdowns_of(const struct sums *sums, const struct report_row *row) {
    unsigned bits = row->is_service ? sums->breakdowns[ROWS_SERVICE] : 0;
    if (row->kind == TIMEBANK__ORDER__KIND_EARN)
        bits |= sums->breakdowns[ROWS_EARN];
    else if (row->kind == TIMEBANK__ORDER__KIND_ISSUE)
        bits |= sums->breakdowns[ROWS_ISSUE];
    else if (row->kind == TIMEBANK__ORDER__KIND_REDEEM)
        bits |= sums->breakdowns[ROWS_REDEEM];
    return bits;
}

static int note(void *user, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct sums *sums = user;
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct report_row *row = &rows[i];
        unsigned bits = row->in_period ? breakdowns_of(sums, row) : 0;
        for (; r == 0 && bits != 0; bits &= bits - 1) {
            unsigned by = (unsigned)__builtin_ctz(bits);
            r = note_group(&sums->by[by], group_of(pick, sums, row, breakdowns[by].group),
                           breakdowns[by].counts_giver ? row->to_person : row->from_person, row);
        }
    }
    return r;
}

static int merge(void *user, const struct report_pick *pick, void *other) {
    (void)pick;
    struct sums *sums = user, *from = other;
    int r = 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(breakdowns); i++) {
        for (uint32_t k = 0; k < sums->by[i].n; k++) {
            sums->by[i].figures[k].minutes += from->by[i].figures[k].minutes;
            sums->by[i].figures[k].n_entries += from->by[i].figures[k].n_entries;
            sums->by[i].figures[k].n_rows += from->by[i].figures[k].n_rows;
        }
        if (counts_persons(&breakdowns[i]))
            r = pairs_merge(&sums->by[i].persons, &from->by[i].persons);
    }
    return r;
}

static int put_group(const struct breakdown *breakdown, const char *name,
                     const struct report_group *group, uint64_t n_persons,
                     struct report_json *names) {
    _cleanup_json_ struct report_json figures = {0};
    int r = report_json_init(&figures);
    if (r < 0)
        return r;
    report_json_put(&figures, breakdown->minutes_key, group->minutes);
    if (breakdown->entries_key)
        report_json_put(&figures, breakdown->entries_key, group->n_entries);
    if (breakdown->persons_key)
        report_json_put(&figures, breakdown->persons_key, n_persons);
    report_json_put_object(names, name, &figures);
    return 0;
}

/* Months with nothing in them are shown, other groups are not. */
static int put_breakdown(const struct report_pick *pick, const struct sums *sums, size_t by,
                         const struct report_out *out) {
    const struct breakdown *breakdown = &breakdowns[by];
    const struct groups *groups = &sums->by[by];
    _cleanup_json_ struct report_json names = {0};
    _cleanup_(freep) uint64_t *n_persons = calloc((size_t)groups->n + 1, sizeof(*n_persons));
    char month[16];
    int r = n_persons ? report_json_init(&names) : -ENOMEM;
    if (r == 0 && breakdown->persons_key)
        pairs_count(breakdown->group == GROUP_MONTH ? out->givers_of_months : &groups->persons,
                    n_persons, NULL);
    for (uint32_t i = 0; r == 0 && i < groups->n; i++)
        if (breakdown->group == GROUP_MONTH || groups->figures[i].n_rows > 0)
            r = put_group(breakdown, name_of(pick, sums, breakdown->group, i, month),
                          &groups->figures[i], n_persons[i], &names);
    if (r == 0 && breakdown->group != GROUP_MONTH)
        r = report_json_sort(&names);
    if (r == 0)
        report_json_put_object(out->measures, breakdown->key, &names);
    return r;
}

static int put(void *user, const struct report_pick *pick, struct report_out *out) {
    const struct sums *sums = user;
    int r = 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(breakdowns); i++)
        r = put_breakdown(pick, sums, i, out);
    out->activities = sums->by[BY_ACTIVITY].figures;
    out->givers_of_activities = &sums->by[BY_ACTIVITY].persons;
    return r;
}

const struct report_part report_groups = {.sums_bytes = sizeof(struct sums),
                                          .begin = begin,
                                          .note = note,
                                          .merge = merge,
                                          .put = put,
                                          .end = end};
