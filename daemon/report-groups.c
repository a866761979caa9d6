/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The breakdowns. Each is a choice of rows, what to group them by, whom to count in a group, and
 * the names of the three figures: one table, one loop.
 */
#include "report-parts.h"

enum breakdown_group {
    GROUP_ACTIVITY,
    GROUP_FROM,
    GROUP_TO,
    GROUP_OFFER,
    GROUP_FUNDER,
};

struct breakdown {
    const char *key;
    bool (*picks)(const struct report_picked *row);
    enum breakdown_group group;
    bool counts_giver; /* the credits' to side; else the from side */
    const char *minutes_key;
    const char *entries_key;
    const char *persons_key; /* NULL: not counted */
};

static bool is_earn(const struct report_picked *row) {
    return row->fact->kind == TIMEBANK__ORDER__KIND_EARN;
}

static bool is_issue(const struct report_picked *row) {
    return row->fact->kind == TIMEBANK__ORDER__KIND_ISSUE;
}

static bool is_redeem(const struct report_picked *row) {
    return row->fact->kind == TIMEBANK__ORDER__KIND_REDEEM;
}

static const struct breakdown breakdowns[] = {
    {"by_activity", report_picked_is_service, GROUP_ACTIVITY, true, "minutes_given", "entries",
     "givers"},
    {"by_organisation", is_earn, GROUP_FROM, true, "minutes_given", "entries", "givers"},
    {"by_funder", is_issue, GROUP_FUNDER, true, "minutes_issued", "entries", NULL},
    {"by_venue", is_redeem, GROUP_TO, false, "minutes_redeemed", "redemptions", "redeemers"},
    {"by_offer", is_redeem, GROUP_OFFER, false, "minutes_redeemed", "redemptions", "redeemers"},
};

static uint32_t group_of(const struct fact *fact, enum breakdown_group group) {
    switch (group) {
    case GROUP_ACTIVITY:
        return fact->activity;
    case GROUP_FROM:
        return fact->from;
    case GROUP_TO:
        return fact->to;
    case GROUP_OFFER:
    case GROUP_FUNDER:
        return fact->label;
    }
    return INTERN_NONE;
}

static const char *name_of(const struct facts *facts, enum breakdown_group group, uint32_t number) {
    switch (group) {
    case GROUP_ACTIVITY:
        return intern_text(&facts->activities, number);
    case GROUP_FROM:
    case GROUP_TO:
        return intern_text(&facts->account_codes, number);
    case GROUP_OFFER:
        return intern_text(&facts->offers, number);
    case GROUP_FUNDER:
        return intern_text(&facts->funders, number);
    }
    return NULL;
}

static int put_group(const struct breakdown *breakdown, const char *name,
                     const struct tally_group *group, struct report_json *names) {
    _cleanup_json_ struct report_json figures = {0};
    int r = report_json_init(&figures);
    if (r < 0)
        return r;
    report_json_put(&figures, breakdown->minutes_key, group->minutes);
    report_json_put(&figures, breakdown->entries_key, group->n_entries);
    if (breakdown->persons_key)
        report_json_put(&figures, breakdown->persons_key, group->n_persons);
    report_json_put_object(names, name, &figures);
    return 0;
}

static int collect(const struct report_pick *pick, const struct breakdown *breakdown,
                   struct tally *tally) {
    for (size_t i = 0; i < pick->n_rows; i++) {
        const struct report_picked *row = &pick->rows[i];
        if (!report_picked_in_period(pick, row) || !breakdown->picks(row))
            continue;
        int r = tally_add_part(tally, group_of(row->fact, breakdown->group),
                               breakdown->counts_giver ? row->to_person : row->from_person,
                               row->minutes, row->fact->is_further);
        if (r < 0)
            return r;
    }
    tally_sort(tally);
    return 0;
}

static int put_breakdown(const struct report_pick *pick, const struct breakdown *breakdown,
                         struct report_json *measures) {
    _cleanup_tally_ struct tally tally = {0};
    _cleanup_json_ struct report_json names = {0};
    int r = report_json_init(&names);
    if (r == 0)
        r = collect(pick, breakdown, &tally);
    struct tally_group group;
    for (size_t at = 0; r == 0 && tally_next_group(&tally, &at, &group);)
        r = put_group(breakdown, name_of(pick->facts, breakdown->group, group.group), &group,
                      &names);
    if (r == 0)
        r = report_json_sort(&names);
    if (r < 0)
        return r;
    report_json_put_object(measures, breakdown->key, &names);
    return 0;
}

static int put_month(uint32_t month, const struct tally_group *group, struct report_json *months) {
    _cleanup_json_ struct report_json figures = {0};
    int r = report_json_init(&figures);
    if (r < 0)
        return r;
    char name[16];
    report_period_month_name(month, name);
    report_json_put(&figures, "minutes_given", group->minutes);
    report_json_put(&figures, "givers", group->n_persons);
    report_json_put_object(months, name, &figures);
    return 0;
}

static int collect_months(const struct report_pick *pick, struct tally *tally) {
    for (size_t i = 0; i < pick->n_rows; i++) {
        const struct report_picked *row = &pick->rows[i];
        if (!report_picked_in_period(pick, row) || !report_picked_is_service(row))
            continue;
        int r = tally_add(tally, report_period_month(row->order->service_day), row->to_person,
                          row->minutes);
        if (r < 0)
            return r;
    }
    tally_sort(tally);
    return 0;
}

/* Unlike the other breakdowns this one shows groups with nothing in them. */
static int put_months(const struct report_pick *pick, struct report_json *measures) {
    _cleanup_tally_ struct tally tally = {0};
    _cleanup_json_ struct report_json months = {0};
    int r = report_json_init(&months);
    if (r == 0)
        r = collect_months(pick, &tally);
    size_t at = 0;
    for (uint32_t month = pick->period.first_month; r == 0 && month <= pick->period.last_month;
         month++) {
        struct tally_group group = {0};
        if (at < tally.n_rows && tally.rows[at].group == month)
            tally_next_group(&tally, &at, &group);
        r = put_month(month, &group, &months);
    }
    if (r < 0)
        return r;
    report_json_put_object(measures, "by_month", &months);
    return 0;
}

int report_groups_put(const struct report_pick *pick, struct report_json *measures) {
    int r = put_months(pick, measures);
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(breakdowns); i++)
        r = put_breakdown(pick, &breakdowns[i], measures);
    return r;
}
