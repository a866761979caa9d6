/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line for each measure of proto/measures.def: which rows count for it. Written beside the
 * parts that sum them and not out of these, so that a test that adds up the one and finds the other
 * proves something.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts-block.h"
#include "report-scan.h"
#include "report-why.h"

#define KIND(name) TIMEBANK__ORDER__KIND_##name
#define HOUR 60u
#define LATE_DAYS 30

/* ---- rows by their kind */

static unsigned pick_service(const struct why *why, const struct report_row *row) {
    uint16_t kind = why->source->kind;
    return row->in_period && row->is_service && (kind == 0 || row->kind == kind)
               ? WHY_LISTS | WHY_GIVER
               : 0;
}

static unsigned pick_kind(const struct why *why, const struct report_row *row) {
    return row->in_period && row->kind == why->source->kind ? WHY_LISTS : 0;
}

static unsigned pick_redeem(const struct why *why, const struct report_row *row) {
    (void)why;
    return row->in_period && row->kind == KIND(REDEEM) ? WHY_LISTS | WHY_TAKER : 0;
}

static unsigned pick_adults(const struct why *why, const struct report_row *row) {
    return row->adults > 0 ? pick_redeem(why, row) : 0;
}

static unsigned pick_under16(const struct why *why, const struct report_row *row) {
    return row->under16 > 0 ? pick_redeem(why, row) : 0;
}

static bool is_grant(const struct report_row *row) {
    return row->in_period && (row->kind == KIND(GRANT) || row->kind == KIND(MINT_VOUCHERS));
}

static bool is_from_chest(const struct why *why, const struct report_row *row) {
    return why->pick->facts->accounts[row->from].kind == TIMEBANK__ACCOUNT_KIND__CHEST;
}

static unsigned pick_grant(const struct why *why, const struct report_row *row) {
    return is_grant(row) && !is_from_chest(why, row) ? WHY_LISTS : 0;
}

static unsigned pick_chest_grant(const struct why *why, const struct report_row *row) {
    return is_grant(row) && is_from_chest(why, row) ? WHY_LISTS : 0;
}

static unsigned pick_advance(const struct why *why, const struct report_row *row) {
    (void)why;
    return row->in_period && (row->kind == KIND(ADVANCE) || row->kind == KIND(PLEDGE)) ? WHY_LISTS
                                                                                       : 0;
}

static unsigned pick_exchange(const struct why *why, const struct report_row *row) {
    (void)why;
    return row->in_period && row->kind == KIND(EXCHANGE) ? WHY_LISTS | WHY_GIVER | WHY_TAKER : 0;
}

/* Merged: what they gave each other ties nobody. */
static unsigned pick_tie(const struct why *why, const struct report_row *row) {
    return row->from_person != row->to_person ? pick_exchange(why, row) : 0;
}

static unsigned pick_late(const struct why *why, const struct report_row *row) {
    return !row->is_further && (int64_t)row->entered_day - (int64_t)row->service_day > LATE_DAYS
               ? pick_service(why, row)
               : 0;
}

static unsigned pick_first_line(const struct why *why, const struct report_row *row) {
    return row->is_further ? 0 : pick_service(why, row);
}

static unsigned pick_insisted(const struct why *why, const struct report_row *row) {
    (void)why;
    return row->in_period && !row->is_further && row->insisted ? WHY_LISTS : 0;
}

static unsigned pick_rounded(const struct why *why, const struct report_row *row) {
    (void)why;
    return row->in_period && !row->is_further && row->rounded_minutes != 0 ? WHY_LISTS : 0;
}

static unsigned pick_claimed(const struct why *why, const struct report_row *row) {
    (void)why;
    return row->in_period && !row->is_further && row->is_claimed ? WHY_LISTS : 0;
}

/* ---- rows by their persons */

static bool is_giver(const struct why *why, const struct why_person *person) {
    (void)why;
    return person->gives;
}

static bool is_taker(const struct why *why, const struct why_person *person) {
    (void)why;
    return person->takes;
}

static bool is_two_way(const struct why *why, const struct why_person *person) {
    (void)why;
    return person->gives && person->takes;
}

static bool is_new(const struct why *why, const struct why_person *person) {
    (void)why;
    return person->gives && !person->gave_before;
}

static bool is_returning(const struct why *why, const struct why_person *person) {
    (void)why;
    return person->gives && person->gave_before;
}

static bool is_previous(const struct why *why, const struct why_person *person) {
    (void)why;
    return person->gave_previous;
}

static bool is_retained(const struct why *why, const struct why_person *person) {
    (void)why;
    return person->gives && person->gave_previous;
}

static bool is_lapsed(const struct why *why, const struct why_person *person) {
    (void)why;
    return !person->gives && person->gave_previous;
}

static bool is_frequent(const struct why *why, const struct why_person *person) {
    uint32_t n = why->pick->period.n_whole_months;
    return n > 0 && person->n_months == n;
}

static bool is_top(const struct why *why, const struct why_person *person) {
    (void)why;
    return person->is_top;
}

static const struct {
    const char *name;
    uint64_t from; /* minutes */
    uint64_t below;
} bands[] = {
    {"under_5_h", 1, 5 * HOUR},
    {"5_to_20_h", 5 * HOUR, 20 * HOUR},
    {"20_to_50_h", 20 * HOUR, 50 * HOUR},
    {"50_to_100_h", 50 * HOUR, 100 * HOUR},
    {"100_h_or_more", 100 * HOUR, UINT64_MAX},
};

static bool is_in_band(const struct why *why, const struct why_person *person) {
    if (why->n_names == 0)
        return person->gives;
    for (size_t i = 0; i < N_ELEMENTS(bands); i++)
        if (strcmp(why->names[0], bands[i].name) == 0)
            return person->minutes >= bands[i].from && person->minutes < bands[i].below;
    return false;
}

static bool reached(const struct why_person *person, uint64_t minutes) {
    return person->before_minutes < minutes && person->before_minutes + person->minutes >= minutes;
}

static bool is_at_20_h(const struct why *why, const struct why_person *person) {
    (void)why;
    return reached(person, 20 * HOUR);
}

static bool is_at_50_h(const struct why *why, const struct why_person *person) {
    (void)why;
    return reached(person, 50 * HOUR);
}

static bool is_at_100_h(const struct why *why, const struct why_person *person) {
    (void)why;
    return reached(person, 100 * HOUR);
}

static bool is_of_period(const struct why *why, const struct report_row *row) {
    bool (*is_one)(const struct why *, const struct why_person *) = why->source->is_one;
    bool counts_now = is_one != is_previous && is_one != is_lapsed;
    return (row->in_period && counts_now) || (row->in_previous && why->source->is_of_previous);
}

static unsigned pick_given(const struct why *why, const struct report_row *row) {
    return row->is_service && is_of_period(why, row) &&
                   why->source->is_one(why, &why->persons[row->to_person])
               ? WHY_LISTS | WHY_GIVER
               : 0;
}

static bool takes(const struct report_row *row) {
    return row->from_person != INTERN_NONE &&
           (row->kind == KIND(EXCHANGE) || row->kind == KIND(SESSION) || row->kind == KIND(REDEEM));
}

static unsigned pick_taken(const struct why *why, const struct report_row *row) {
    uint16_t kind = why->source->kind;
    bool is_asked = kind == 0 || (row->kind == KIND(REDEEM)) == (kind == KIND(REDEEM));
    return row->in_period && takes(row) && is_asked &&
                   why->source->is_one(why, &why->persons[row->from_person])
               ? WHY_LISTS | WHY_TAKER
               : 0;
}

static unsigned pick_given_or_taken(const struct why *why, const struct report_row *row) {
    return pick_given(why, row) | pick_taken(why, row);
}

/* Participants are givers and takers: whoever does one of them. */
static bool is_anybody(const struct why *why, const struct why_person *person) {
    (void)why;
    return person->gives || person->takes;
}

/* ---- groups: the names between a breakdown and its column */

static bool is_named(const struct intern *names, uint32_t number, const char *name,
                     const char *nameless) {
    const char *found = number < names->n_keys ? intern_text(names, number) : nameless;
    return found && strcmp(found, name) == 0;
}

static bool is_in_month(const struct why *why, const struct report_row *row) {
    char name[16];
    report_period_month_name(report_period_month(row->service_day), name);
    return strcmp(name, why->names[0]) == 0;
}

static bool is_of_activity(const struct why *why, const struct report_row *row) {
    return is_named(&why->pick->facts->activities, row->activity, why->names[0], FACTS_NAMELESS);
}

static bool is_from(const struct why *why, const struct report_row *row) {
    return is_named(&why->pick->facts->account_codes, row->from, why->names[0], NULL);
}

static bool is_to(const struct why *why, const struct report_row *row) {
    return is_named(&why->pick->facts->account_codes, row->to, why->names[0], NULL);
}

static bool is_of_offer(const struct why *why, const struct report_row *row) {
    return is_named(&why->pick->facts->offers, row->label, why->names[0], FACTS_NAMELESS);
}

static bool is_of_funder(const struct why *why, const struct report_row *row) {
    return is_named(&why->pick->facts->funders, row->label, why->names[0], FACTS_NAMELESS);
}

static bool is_of_programme(const struct why *why, const struct report_row *row) {
    return is_named(&why->pick->facts->programmes, row->programme, why->names[0], FACTS_NAMELESS);
}

struct tag_search {
    const struct why *why;
    bool has_set;
    bool has_value;
};

/* "set:value"; with nothing before or behind the colon it is a plain word, of the set "tag". */
static int see_tag(void *user, const char *tag) {
    struct tag_search *search = user;
    const char *colon = strchr(tag, ':'), *set = search->why->names[0];
    bool has_set = colon && colon != tag && colon[1] != '\0';
    size_t n = has_set ? (size_t)(colon - tag) : strlen("tag");
    if (strlen(set) != n || memcmp(set, has_set ? tag : "tag", n) != 0)
        return 0;
    search->has_set = true;
    search->has_value |=
        search->why->n_names < 2 || strcmp(search->why->names[1], has_set ? colon + 1 : tag) == 0;
    return 0;
}

static bool is_tagged(const struct why *why, const struct report_row *row) {
    struct tag_search search = {.why = why};
    if (facts_each_tag(why->pick->facts, why->latest_tags, row->activity, see_tag, &search) != 0)
        return false;
    return search.has_value ||
           (!search.has_set && (why->n_names < 2 || strcmp(why->names[1], FACTS_NAMELESS) == 0));
}

static bool are_named(const struct why *why, const struct intern *names, uint32_t giver,
                      uint32_t receiver) {
    return is_named(names, giver, why->names[0], FACTS_NO_WARD) &&
           (why->n_names < 2 || is_named(names, receiver, why->names[1], FACTS_NO_WARD));
}

static const struct fact_account *giver_of(const struct why *why, const struct report_row *row) {
    return &why->pick->facts->accounts[report_pick_account(why->pick, row->to)];
}

static const struct fact_account *receiver_of(const struct why *why, const struct report_row *row) {
    return &why->pick->facts->accounts[report_pick_account(why->pick, row->from)];
}

static bool is_between_wards(const struct why *why, const struct report_row *row) {
    return are_named(why, &why->pick->facts->wards, giver_of(why, row)->ward,
                     receiver_of(why, row)->ward);
}

static bool is_between_ages(const struct why *why, const struct report_row *row) {
    return are_named(why, &why->pick->facts->age_bands, giver_of(why, row)->age_band,
                     receiver_of(why, row)->age_band);
}

static unsigned pick_across_wards(const struct why *why, const struct report_row *row) {
    unsigned mask = pick_exchange(why, row);
    return mask && giver_of(why, row)->ward != receiver_of(why, row)->ward ? mask : 0;
}

/* ---- what no order states */

static bool is_in(const struct why *why, uint32_t day) {
    return report_period_holds(&why->pick->period, day);
}

static int64_t flow_expired(const struct why *why, const int64_t *minutes, uint16_t kind,
                            uint32_t day) {
    (void)kind;
    return is_in(why, day) ? minutes[PLACE_EXPIRED] : 0;
}

static int64_t flow_retired(const struct why *why, const int64_t *minutes, uint16_t kind,
                            uint32_t day) {
    (void)kind;
    return is_in(why, day) ? minutes[PLACE_RETIRED] : 0;
}

static int64_t flow_repaid(const struct why *why, const int64_t *minutes, uint16_t kind,
                           uint32_t day) {
    bool is_service = kind == KIND(EXCHANGE) || kind == KIND(EARN) || kind == KIND(SESSION);
    return is_in(why, day) && is_service ? minutes[PLACE_ADVANCES] : 0;
}

static int64_t flow_opening(const struct why *why, const int64_t *minutes, uint16_t kind,
                            uint32_t day) {
    (void)kind;
    return day < why->pick->period.from_day ? minutes[PLACE_OUTSTANDING] : 0;
}

static int64_t flow_closing(const struct why *why, const int64_t *minutes, uint16_t kind,
                            uint32_t day) {
    (void)kind;
    return day <= why->pick->period.to_day ? minutes[PLACE_OUTSTANDING] : 0;
}

/* ---- the table */

#define MEMBERS "members' accounts and persons, as they were opened, joined and left"
#define TIES "the pairs of givers and receivers in exchanges: see ties"
#define BALANCES "the accounts' balances at the period's last day"

static const struct why_source sources[] = {
    {.key = "minutes_given", .picks = pick_service, .amount = WHY_MINUTES},
    {.key = "minutes_given_exchange",
     .picks = pick_service,
     .kind = KIND(EXCHANGE),
     .amount = WHY_MINUTES},
    {.key = "minutes_given_earn", .picks = pick_service, .kind = KIND(EARN), .amount = WHY_MINUTES},
    {.key = "minutes_given_session",
     .picks = pick_service,
     .kind = KIND(SESSION),
     .amount = WHY_MINUTES},
    {.key = "minutes_given_without_credit",
     .picks = pick_kind,
     .kind = KIND(LOG),
     .amount = WHY_MINUTES},
    {.key = "minutes_redeemed", .picks = pick_redeem, .amount = WHY_MINUTES},
    {.key = "redemptions", .picks = pick_redeem, .amount = WHY_ENTRIES},
    {.key = "admitted_adults", .picks = pick_adults, .amount = WHY_ADULTS},
    {.key = "admitted_under16", .picks = pick_under16, .amount = WHY_UNDER16},
    {.key = "minutes_gifted", .picks = pick_kind, .kind = KIND(GIFT), .amount = WHY_MINUTES},
    {.key = "minutes_donated", .picks = pick_kind, .kind = KIND(DONATE), .amount = WHY_MINUTES},
    {.key = "minutes_granted", .picks = pick_grant, .amount = WHY_MINUTES},
    {.key = "minutes_granted_from_chest", .picks = pick_chest_grant, .amount = WHY_MINUTES},
    {.key = "minutes_issued", .picks = pick_kind, .kind = KIND(ISSUE), .amount = WHY_MINUTES},
    {.key = "minutes_advanced", .picks = pick_advance, .amount = WHY_MINUTES},
    {.key = "minutes_repaid", .flow = flow_repaid, .amount = WHY_MINUTES},
    {.key = "minutes_expired", .flow = flow_expired, .amount = WHY_MINUTES},
    {.key = "minutes_retired", .flow = flow_retired, .amount = WHY_MINUTES},
    {.key = "givers", .picks = pick_given, .is_one = is_giver},
    {.key = "receivers", .picks = pick_taken, .is_one = is_taker, .kind = KIND(EXCHANGE)},
    {.key = "redeemers", .picks = pick_taken, .is_one = is_taker, .kind = KIND(REDEEM)},
    {.key = "participants", .picks = pick_given_or_taken, .is_one = is_anybody},
    {.key = "two_way", .picks = pick_given_or_taken, .is_one = is_two_way},
    {.key = "new_givers", .picks = pick_given, .is_one = is_new},
    {.key = "returning_givers", .picks = pick_given, .is_one = is_returning},
    {.key = "previous_givers", .picks = pick_given, .is_one = is_previous, .is_of_previous = true},
    {.key = "retained_givers", .picks = pick_given, .is_one = is_retained, .is_of_previous = true},
    {.key = "lapsed_givers", .picks = pick_given, .is_one = is_lapsed, .is_of_previous = true},
    {.key = "frequent_givers", .picks = pick_given, .is_one = is_frequent},
    {.key = "median_minutes_per_giver", .counted_from = "each giver's minutes: see minutes_given"},
    {.key = "p90_minutes_per_giver", .counted_from = "each giver's minutes: see minutes_given"},
    {.key = "top_tenth_minutes", .picks = pick_given, .is_one = is_top, .amount = WHY_MINUTES},
    {.key = "outstanding_opening", .flow = flow_opening, .amount = WHY_MINUTES},
    {.key = "outstanding_closing", .flow = flow_closing, .amount = WHY_MINUTES},
    {.key = "ties_directed", .picks = pick_tie},
    {.key = "ties_reciprocated", .counted_from = "the pairs of ties_directed"},
    {.key = "ties", .picks = pick_tie},
    {.key = "traders", .picks = pick_tie},
    {.key = "by_month", .picks = pick_service, .is_in_group = is_in_month},
    {.key = "by_activity", .picks = pick_service, .is_in_group = is_of_activity},
    {.key = "by_organisation", .picks = pick_service, .kind = KIND(EARN), .is_in_group = is_from},
    {.key = "by_funder", .picks = pick_kind, .kind = KIND(ISSUE), .is_in_group = is_of_funder},
    {.key = "by_venue", .picks = pick_redeem, .is_in_group = is_to},
    {.key = "by_offer", .picks = pick_redeem, .is_in_group = is_of_offer},
    {.key = "lag_median_days", .picks = pick_first_line},
    {.key = "late_over_30_days", .picks = pick_late, .amount = WHY_ENTRIES},
    {.key = "unconfirmed", .lists_waits = true, .amount = WHY_ENTRIES},
    {.key = "corrections", .lists_reversals = true, .amount = WHY_ENTRIES},
    {.key = "insisted_duplicates", .picks = pick_insisted, .amount = WHY_ENTRIES},
    {.key = "minutes_rounded", .picks = pick_rounded, .amount = WHY_ROUNDED},
    {.key = "entries_by_claimed_date", .picks = pick_claimed, .amount = WHY_ENTRIES},
    {.key = "members_opening", .counted_from = MEMBERS},
    {.key = "members_joined", .counted_from = MEMBERS},
    {.key = "members_left", .counted_from = MEMBERS},
    {.key = "members_closing", .counted_from = MEMBERS},
    {.key = "never_exchanged", .counted_from = MEMBERS},
    {.key = "median_days_to_first_entry", .counted_from = MEMBERS},
    {.key = "by_band", .picks = pick_given, .is_one = is_in_band},
    {.key = "milestone_20_h", .picks = pick_given, .is_one = is_at_20_h},
    {.key = "milestone_50_h", .picks = pick_given, .is_one = is_at_50_h},
    {.key = "milestone_100_h", .picks = pick_given, .is_one = is_at_100_h},
    {.key = "spend_rate_permille", .counted_from = "minutes_redeemed and minutes_given_earn"},
    {.key = "velocity_permille",
     .counted_from = "minutes_given_exchange, minutes_gifted, minutes_redeemed, minutes_donated, "
                     "outstanding_opening and outstanding_closing"},
    {.key = "outstanding_by_age", .counted_from = BALANCES},
    {.key = "below_zero", .counted_from = BALANCES},
    {.key = "below_zero_permille", .counted_from = BALANCES},
    {.key = "balance_reciprocity_permille",
     .counted_from = "what each person gave and received: see minutes_given_exchange"},
    {.key = "density_per_million", .counted_from = TIES},
    {.key = "mean_partners_permille", .counted_from = TIES},
    {.key = "largest_component", .counted_from = TIES},
    {.key = "isolates", .counted_from = "participants, less traders"},
    {.key = "ties_with_organisations", .picks = pick_service, .kind = KIND(EARN)},
    {.key = "by_tag", .picks = pick_service, .is_in_group = is_tagged},
    {.key = "by_programme",
     .picks = pick_kind,
     .kind = KIND(ISSUE),
     .is_in_group = is_of_programme},
    {.key = "minutes_across_wards", .picks = pick_across_wards, .amount = WHY_MINUTES},
    {.key = "ties_within_wards", .counted_from = TIES},
    {.key = "ties_across_wards", .counted_from = TIES},
    {.key = "between_wards", .picks = pick_exchange, .is_in_group = is_between_wards},
    {.key = "between_age_bands", .picks = pick_exchange, .is_in_group = is_between_ages},
};

const struct why_source *why_source_find(const char *key) {
    for (size_t i = 0; i < N_ELEMENTS(sources); i++)
        if (strcmp(sources[i].key, key) == 0)
            return &sources[i];
    return NULL;
}

/* ---- persons */

struct reading {
    struct why *why;
    bool *months; /* persons x whole months: seen */
};

static void note_month(const struct reading *reading, const struct report_row *row) {
    const struct report_period *period = &reading->why->pick->period;
    uint32_t month = report_period_month(row->service_day);
    if (!report_period_holds_month(period, month))
        return;
    bool *seen = &reading->months[(size_t)row->to_person * period->n_whole_months + month -
                                  period->first_whole_month];
    reading->why->persons[row->to_person].n_months += !*seen;
    *seen = true;
}

static void note_row(const struct reading *reading, const struct report_row *row) {
    struct why_person *persons = reading->why->persons;
    if (row->in_period && takes(row))
        persons[row->from_person].takes = true;
    if (!row->is_service)
        return;
    struct why_person *giver = &persons[row->to_person];
    giver->gave_previous |= row->in_previous;
    if (row->in_period) {
        giver->gives = true;
        giver->minutes += row->minutes;
        note_month(reading, row);
    } else if (row->service_day < reading->why->pick->period.from_day) {
        giver->gave_before = true;
        giver->before_minutes += row->minutes;
    }
}

static int note_rows(void *user, const struct report_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++)
        note_row(user, &rows[i]);
    return 0;
}

static int compare_persons(const void *a, const void *b) {
    const struct why_person *one = *(struct why_person *const *)a;
    const struct why_person *other = *(struct why_person *const *)b;
    if (one->minutes != other->minutes)
        return one->minutes > other->minutes ? -1 : 1;
    return (one > other) - (one < other);
}

/* The tenth of the givers, rounded up, who gave most. */
static int mark_top(const struct why *why) {
    _cleanup_(freep) struct why_person **givers = calloc(why->pick->n_persons + 1, sizeof(*givers));
    size_t n = 0;
    if (!givers)
        return -ENOMEM;
    for (size_t i = 0; i < why->pick->n_persons; i++)
        if (why->persons[i].gives)
            givers[n++] = &why->persons[i];
    qsort(givers, n, sizeof(struct why_person *), compare_persons);
    for (size_t i = 0; i < (n + 9) / 10; i++)
        givers[i]->is_top = true;
    return 0;
}

int why_source_prepare(struct why *why) {
    size_t n_months = (size_t)why->pick->period.n_whole_months;
    if (why->source->is_in_group == is_tagged)
        return facts_latest_tags(why->pick->facts, why->pick->size, &why->latest_tags);
    if (!why->source->is_one)
        return 0;
    _cleanup_(freep) bool *months = calloc(why->pick->n_persons * n_months + 1, sizeof(bool));
    why->persons = calloc(why->pick->n_persons + 1, sizeof(*why->persons));
    if (!why->persons || !months)
        return -ENOMEM;
    struct reading reading = {.why = why, .months = months};
    int r = report_scan_rows(why->pick, note_rows, &reading);
    return r == 0 ? mark_top(why) : r;
}
