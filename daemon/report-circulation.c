/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How credits go round: how much of what was earned is spent, how often credits change hands, how
 * old those outstanding are, and which members' accounts are below zero. Flows come from the
 * measures before it, what accounts have from their legs. proto/measures.def has the definitions.
 *
 * Oldest spent first: what an account has is made up by its newest gains. So of each account the
 * gains of each age are enough, whatever their order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dates.h"
#include "report-members.h"
#include "report-ratio.h"

#define N_AGES 4

static const struct {
    const char *key;
    uint32_t months; /* gains of this many months before the last day are older */
} ages[N_AGES] = {
    {"under_3_months", 3},
    {"3_to_6_months", 6},
    {"6_to_12_months", 12},
    {"over_12_months", 0},
};

/* What an account has, and what it gained of each age but the last. */
struct credits {
    int64_t minutes;
    uint64_t gains[N_AGES - 1];
};

struct circulation_sums {
    int64_t after[N_AGES - 1]; /* the last day that is too old for each age */
    struct credits *credits;   /* of each account that goes on */
    uint32_t *merges;          /* orders by which an account became another, ascending */
    size_t n_merges;
};

/* The same day of an earlier month, or that month's last; -1 before the first day of all. */
static int64_t months_before(int64_t day, uint32_t n_months) {
    int year;
    unsigned month, mday;
    uint32_t before;
    dates_to_civil((uint32_t)day, &year, &month, &mday);
    int at = year * 12 + (int)month - 1 - (int)n_months;
    unsigned length = dates_month_length(at / 12, (unsigned)(at % 12) + 1);
    return dates_from_civil(at / 12, (unsigned)(at % 12) + 1, MIN_OF(mday, length), &before) == 0
               ? (int64_t)before
               : -1;
}

static int compare_orders(const void *a, const void *b) {
    const uint32_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static int list_merges(struct circulation_sums *sums, const struct facts *facts) {
    sums->merges = calloc(facts->n_merges + 1, sizeof(*sums->merges));
    if (!sums->merges)
        return -ENOMEM;
    for (size_t i = 0; i < facts->n_merges; i++)
        sums->merges[sums->n_merges++] = facts->merges[i].order;
    qsort(sums->merges, sums->n_merges, sizeof(*sums->merges), compare_orders);
    return 0;
}

static bool is_merge(const struct circulation_sums *sums, uint32_t order) {
    return sums->n_merges > 0 && bsearch(&order, sums->merges, sums->n_merges,
                                         sizeof(*sums->merges), compare_orders) != NULL;
}

/* What was wholly taken back was never gained. */
static bool is_gain(const struct circulation_sums *sums, const struct report_pick *pick,
                    uint32_t order) {
    return order == INTERN_NONE ||
           (report_pick_taken(pick, order) != REPORT_ALL && !is_merge(sums, order));
}

static int note_legs(void *user, const struct report_pick *pick, const struct report_leg *legs,
                     size_t n) {
    struct circulation_sums *sums = user;
    for (size_t i = 0; i < n; i++) {
        const struct report_leg *leg = &legs[i];
        struct credits *credits = &sums->credits[report_pick_account(pick, leg->account)];
        credits->minutes += leg->minutes;
        if (leg->minutes <= 0 || leg->service_day <= sums->after[N_AGES - 2] ||
            !is_gain(sums, pick, leg->order))
            continue;
        size_t age = 0;
        while (leg->service_day <= sums->after[age])
            age++;
        credits->gains[age] += (uint64_t)leg->minutes;
    }
    return 0;
}

static int begin(void *user, const struct report_pick *pick) {
    struct circulation_sums *sums = user;
    sums->credits = calloc(pick->facts->n_accounts + 1, sizeof(*sums->credits));
    for (size_t i = 0; i < N_AGES - 1; i++)
        sums->after[i] = months_before(pick->period.to_day, ages[i].months);
    return sums->credits ? list_merges(sums, pick->facts) : -ENOMEM;
}

static void end(void *user) {
    struct circulation_sums *sums = user;
    free(sums->credits);
    free(sums->merges);
    *sums = (struct circulation_sums){0};
}

static int merge(void *user, const struct report_pick *pick, void *other) {
    struct circulation_sums *sums = user, *from = other;
    for (size_t i = 0; i < pick->facts->n_accounts; i++) {
        sums->credits[i].minutes += from->credits[i].minutes;
        for (size_t age = 0; age < N_AGES - 1; age++)
            sums->credits[i].gains[age] += from->credits[i].gains[age];
    }
    return 0;
}

/* ---- figures */

static bool is_outstanding(Timebank__AccountKind kind) {
    return kind == TIMEBANK__ACCOUNT_KIND__MEMBER || kind == TIMEBANK__ACCOUNT_KIND__ORGANISATION ||
           kind == TIMEBANK__ACCOUNT_KIND__CHEST || kind == TIMEBANK__ACCOUNT_KIND__VOUCHERS;
}

/* Newest first; what no gain explains is as old as can be. */
static void add_ages(const struct credits *credits, uint64_t sums[N_AGES]) {
    uint64_t rest = credits->minutes > 0 ? (uint64_t)credits->minutes : 0;
    for (size_t i = 0; i < N_AGES; i++) {
        uint64_t minutes = i + 1 < N_AGES ? MIN_OF(rest, credits->gains[i]) : rest;
        sums[i] += minutes;
        rest -= minutes;
    }
}

static int put_ages(const struct circulation_sums *sums, const struct facts *facts,
                    struct report_json *further) {
    _cleanup_json_ struct report_json by_age = {0};
    uint64_t minutes[N_AGES] = {0};
    for (uint32_t i = 0; i < facts->n_accounts; i++)
        if (is_outstanding(facts->accounts[i].kind))
            add_ages(&sums->credits[i], minutes);
    int r = report_json_init(&by_age);
    for (size_t i = 0; r == 0 && i < N_AGES; i++) {
        _cleanup_json_ struct report_json figures = {0};
        r = report_json_init(&figures);
        if (r < 0)
            break;
        report_json_put(&figures, "minutes", minutes[i]);
        report_json_put_object(&by_age, ages[i].key, &figures);
    }
    if (r == 0)
        report_json_put_object(further, "outstanding_by_age", &by_age);
    return r;
}

static int put_below_zero(const struct circulation_sums *sums, const struct report_pick *pick,
                          struct report_json *further) {
    _cleanup_(freep) uint32_t *ends = NULL;
    uint64_t n = 0, n_below = 0;
    int r = report_members_ends(pick, &ends);
    if (r < 0)
        return r;
    for (uint32_t i = 0; i < pick->facts->n_accounts; i++) {
        const struct fact_account *account = &pick->facts->accounts[i];
        if (account->kind != TIMEBANK__ACCOUNT_KIND__MEMBER || report_pick_account(pick, i) != i ||
            account->opened.index >= pick->size || account->joined_day > pick->period.to_day ||
            ends[i] <= pick->period.to_day)
            continue;
        n++;
        n_below += sums->credits[i].minutes < 0;
    }
    report_json_put(further, "below_zero", n_below);
    report_json_put(further, "below_zero_permille", report_ratio(n_below, 1000, n));
    return 0;
}

static int64_t measure_of(const struct report_out *out, const char *key) {
    return json_integer_value(json_object_get(out->measures->object, key));
}

static void put_rates(const struct report_out *out) {
    uint64_t redeemed = (uint64_t)measure_of(out, "minutes_redeemed");
    uint64_t earned = (uint64_t)measure_of(out, "minutes_given_earn");
    uint64_t moved = (uint64_t)measure_of(out, "minutes_given_exchange") +
                     (uint64_t)measure_of(out, "minutes_gifted") + redeemed +
                     (uint64_t)measure_of(out, "minutes_donated");
    int64_t both = measure_of(out, "outstanding_opening") + measure_of(out, "outstanding_closing");
    report_json_put(out->further, "spend_rate_permille", report_ratio(redeemed, 1000, earned));
    report_json_put(out->further, "velocity_permille",
                    report_ratio(moved, 2000, both > 0 ? (uint64_t)both : 0));
}

static int put(void *user, const struct report_pick *pick, struct report_out *out) {
    put_rates(out);
    int r = put_ages(user, pick->facts, out->further);
    return r == 0 ? put_below_zero(user, pick, out->further) : r;
}

const struct report_part report_circulation = {.sums_bytes = sizeof(struct circulation_sums),
                                               .begin = begin,
                                               .note_legs = note_legs,
                                               .merge = merge,
                                               .put = put,
                                               .end = end};
