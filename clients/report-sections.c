/* SPDX-License-Identifier: Apache-2.0 */
#include "report-sections.h"

#include <stdio.h>
#include <string.h>

static const struct report_row given[] = {
    {.key = "minutes_given", .name = "All service", .unit = REPORT_TIME},
    {.key = "minutes_given_exchange",
     .name = "between members",
     .unit = REPORT_TIME,
     .base = "minutes_given",
     .is_part = true},
    {.key = "minutes_given_earn",
     .name = "to organisations",
     .unit = REPORT_TIME,
     .base = "minutes_given",
     .is_part = true},
    {.key = "minutes_given_session",
     .name = "in sessions",
     .unit = REPORT_TIME,
     .base = "minutes_given",
     .is_part = true,
     .is_left_out = true},
    {.key = "minutes_given_without_credit",
     .name = "Given without credit, not in the above",
     .unit = REPORT_TIME},
    {.key = "median_minutes_per_giver",
     .name = "Half of the givers gave at least",
     .unit = REPORT_TIME},
    {.key = "p90_minutes_per_giver", .name = "Nine in ten gave at most", .unit = REPORT_TIME},
    {.key = "top_tenth_minutes",
     .name = "The tenth who gave most gave together",
     .unit = REPORT_TIME,
     .base = "minutes_given"},
    {.key = NULL}};

static const struct report_row people[] = {
    {.key = "givers", .name = "Gave time", .unit = REPORT_COUNT},
    {.key = "new_givers",
     .name = "for the first time",
     .unit = REPORT_COUNT,
     .base = "givers",
     .is_part = true},
    {.key = "returning_givers",
     .name = "who had given before",
     .unit = REPORT_COUNT,
     .base = "givers",
     .is_part = true},
    {.key = "frequent_givers",
     .name = "in every month",
     .unit = REPORT_COUNT,
     .base = "givers",
     .is_part = true},
    {.key = "receivers", .name = "Received time from a member", .unit = REPORT_COUNT},
    {.key = "redeemers", .name = "Spent credits at a venue", .unit = REPORT_COUNT},
    {.key = "participants", .name = "Took part in any of these ways", .unit = REPORT_COUNT},
    {.key = "two_way",
     .name = "both gave, and received or spent",
     .unit = REPORT_COUNT,
     .base = "participants",
     .is_part = true},
    {.key = "previous_givers", .name = "Gave in the period before", .unit = REPORT_COUNT},
    {.key = "retained_givers",
     .name = "and gave again",
     .unit = REPORT_COUNT,
     .base = "previous_givers",
     .is_part = true},
    {.key = "lapsed_givers",
     .name = "and did not",
     .unit = REPORT_COUNT,
     .base = "previous_givers",
     .is_part = true},
    {.key = "milestone_20_h",
     .name = "Reached 20 hours of all they ever gave",
     .unit = REPORT_COUNT,
     .is_fine = true},
    {.key = "milestone_50_h", .name = "Reached 50 hours", .unit = REPORT_COUNT, .is_fine = true},
    {.key = "milestone_100_h", .name = "Reached 100 hours", .unit = REPORT_COUNT, .is_fine = true},
    {.key = NULL}};

static const struct report_row members[] = {
    {.key = "members_opening", .name = "At the opening", .unit = REPORT_COUNT},
    {.key = "members_joined", .name = "joined", .unit = REPORT_COUNT, .sign = "+", .is_part = true},
    {.key = "members_left", .name = "left", .unit = REPORT_COUNT, .sign = "-", .is_part = true},
    {.key = "members_closing",
     .name = "at the closing",
     .unit = REPORT_COUNT,
     .sign = "=",
     .is_part = true},
    {.key = "never_exchanged",
     .name = "Never gave nor received, of 90 days or more",
     .unit = REPORT_COUNT,
     .base = "members_closing"},
    {.key = "median_days_to_first_entry",
     .name = "From joining to a first entry, half within",
     .unit = REPORT_DAYS},
    {.key = NULL}};

static const struct report_row network[] = {
    {.key = "traders",
     .name = "Members in any exchange",
     .unit = REPORT_COUNT,
     .base = "participants"},
    {.key = "largest_component",
     .name = "connected, directly or through others",
     .unit = REPORT_COUNT,
     .base = "traders",
     .is_part = true},
    {.key = "isolates",
     .name = "Took part without any exchange",
     .unit = REPORT_COUNT,
     .base = "participants"},
    {.key = "ties", .name = "Pairs of members who helped at all", .unit = REPORT_COUNT},
    {.key = "ties_within_wards",
     .name = "of one ward",
     .unit = REPORT_COUNT,
     .base = "ties",
     .is_part = true,
     .is_fine = true},
    {.key = "ties_across_wards",
     .name = "of different wards",
     .unit = REPORT_COUNT,
     .base = "ties",
     .is_part = true},
    {.key = "ties_directed", .name = "Pairs of giver and receiver", .unit = REPORT_COUNT},
    {.key = "ties_reciprocated",
     .name = "who also helped the other way round",
     .unit = REPORT_COUNT,
     .base = "ties_directed",
     .is_part = true},
    {.key = "ties_with_organisations",
     .name = "Pairs of member and organisation",
     .unit = REPORT_COUNT},
    {.key = "mean_partners_permille", .name = "Partners of each, on average", .unit = REPORT_RATIO},
    {.key = "density_per_million",
     .name = "Pairs there are, of all there could be",
     .unit = REPORT_PER_MILLION,
     .is_fine = true},
    {.key = "balance_reciprocity_permille",
     .name = "Balance of giving and receiving, 0 to 1",
     .unit = REPORT_RATIO,
     .is_fine = true},
    {.key = "minutes_across_wards",
     .name = "Time between members of different wards",
     .unit = REPORT_TIME,
     .base = "minutes_given_exchange"},
    {.key = NULL}};

static const struct report_row spent[] = {
    {.key = "minutes_redeemed", .name = "Redeemed at venues", .unit = REPORT_TIME},
    {.key = "redemptions", .name = "redemptions", .unit = REPORT_COUNT, .is_part = true},
    {.key = "admitted_adults", .name = "adults admitted", .unit = REPORT_COUNT, .is_part = true},
    {.key = "admitted_under16",
     .name = "under-16s admitted",
     .unit = REPORT_COUNT,
     .is_part = true},
    {.key = "minutes_gifted",
     .name = "Gifts between members",
     .unit = REPORT_TIME,
     .is_left_out = true},
    {.key = "minutes_donated",
     .name = "Donated to the community chest",
     .unit = REPORT_TIME,
     .is_left_out = true},
    {.key = "minutes_granted_from_chest",
     .name = "Granted out of the chest",
     .unit = REPORT_TIME,
     .is_left_out = true},
    {.key = "minutes_retired", .name = "Retired", .unit = REPORT_TIME, .is_left_out = true},
    {.key = NULL}};

static const struct report_row bridge[] = {
    {.key = "outstanding_opening", .name = "At the opening", .unit = REPORT_TIME},
    {.key = "minutes_issued", .name = "issued", .unit = REPORT_TIME, .sign = "+", .is_part = true},
    {.key = "minutes_granted",
     .name = "granted as new credit",
     .unit = REPORT_TIME,
     .sign = "+",
     .is_part = true},
    {.key = "minutes_advanced",
     .name = "advanced",
     .unit = REPORT_TIME,
     .sign = "+",
     .is_part = true,
     .is_left_out = true},
    {.key = "minutes_repaid",
     .name = "repaid",
     .unit = REPORT_TIME,
     .sign = "-",
     .is_part = true,
     .is_left_out = true},
    {.key = "minutes_redeemed",
     .name = "redeemed",
     .unit = REPORT_TIME,
     .sign = "-",
     .is_part = true},
    {.key = "minutes_expired",
     .name = "expired",
     .unit = REPORT_TIME,
     .sign = "-",
     .is_part = true,
     .is_left_out = true},
    {.key = REPORT_REST,
     .name = "other banks, given back, debts gone",
     .unit = REPORT_TIME,
     .sign = "+",
     .is_part = true},
    {.key = "outstanding_closing",
     .name = "at the closing",
     .unit = REPORT_TIME,
     .sign = "=",
     .is_part = true},
    {.key = NULL}};

static const struct report_row circulation[] = {
    {.key = "spend_rate_permille",
     .name = "Redeemed, of what organisations gave",
     .unit = REPORT_PERCENT},
    {.key = "velocity_permille",
     .name = "Times that each credit changed hands",
     .unit = REPORT_RATIO},
    {.key = "below_zero", .name = "Members’ accounts below zero", .unit = REPORT_COUNT},
    {.key = "below_zero_permille",
     .name = "of all open members’ accounts",
     .unit = REPORT_PERCENT,
     .is_part = true},
    {.key = NULL}};

static const struct report_row quality[] = {
    {.key = "lag_median_days", .name = "From service to entry, half within", .unit = REPORT_DAYS},
    {.key = "late_over_30_days", .name = "Entered more than 30 days late", .unit = REPORT_COUNT},
    {.key = "corrections", .name = "Corrections", .unit = REPORT_COUNT},
    {.key = "insisted_duplicates",
     .name = "Entered though it looked like another",
     .unit = REPORT_COUNT},
    {.key = "minutes_rounded", .name = "Added or taken by rounding", .unit = REPORT_TIME},
    {.key = "unconfirmed", .name = "Not yet confirmed", .unit = REPORT_COUNT},
    {.key = "entries_by_claimed_date",
     .name = "Counted by the dates of older books",
     .unit = REPORT_COUNT},
    {.key = NULL}};

const struct report_section report_sections[REPORT_N_SECTIONS] = {
    [REPORT_GIVEN] = {"Time given", "Time given", given, false},
    [REPORT_PEOPLE] = {"People", "People", people, false},
    [REPORT_MEMBERS] = {"Members", "Members from the opening to the closing", members, true},
    [REPORT_NETWORK] = {"Who helped whom", "Exchanges between members", network, false},
    [REPORT_SPENT] = {"Credits spent and passed on", "Spent and passed on", spent, false},
    [REPORT_BRIDGE] = {"Credits outstanding, with members, organisations and the chest",
                       "From the opening to the closing, with members, organisations and the chest",
                       bridge, false},
    [REPORT_CIRCULATION] = {"How credits go round", "Spending and balances", circulation, true},
    [REPORT_QUALITY] = {"How good the figures are", "Data quality", quality, false},
};

static struct report_figure figure_of(const struct report_words *words,
                                      const struct report_row *row) {
    return strcmp(row->key, REPORT_REST) == 0 ? report_words_bridge_rest(words)
                                              : report_words_figure(words, row->key);
}

/* A hidden figure is something. */
static bool is_nothing(struct report_figure figure) {
    return figure.mark == REPORT_MARK_ABSENT ||
           (report_figure_is_shown(figure) && figure.value == 0);
}

bool report_section_is_told(const struct report_words *words, const struct report_section *section,
                            bool all) {
    bool any = false, present = false;
    for (const struct report_row *row = section->rows; row->key; row++) {
        struct report_figure figure = figure_of(words, row);
        any = any || !is_nothing(figure);
        present = present || figure.mark != REPORT_MARK_ABSENT;
    }
    return present && (any || all || !section->is_left_out);
}

static const char *share_text(const struct report_words *words, const struct report_row *row,
                              struct report_figure figure, char *ret, size_t n) {
    char percent[REPORT_FIGURE_BYTES], whole[REPORT_FIGURE_BYTES];
    struct report_figure base, share;
    *ret = '\0';
    if (!row->base)
        return ret;
    base = report_words_figure(words, row->base);
    share = report_figure_share(figure, base);
    if (report_figure_is_shown(share))
        snprintf(ret, n, "%s of %s", report_figure_text(share, REPORT_PERCENT, percent),
                 report_figure_text(base, row->unit, whole));
    return ret;
}

void report_section_each(const struct report_words *words, const struct report_section *section,
                         bool fine, bool all,
                         void (*each)(void *user, const struct report_row *row, const char *figure,
                                      const char *share),
                         void *user) {
    for (const struct report_row *row = section->rows; row->key; row++) {
        struct report_figure figure = figure_of(words, row);
        char text[REPORT_FIGURE_BYTES], share[2 * REPORT_FIGURE_BYTES + 4];
        if (figure.mark == REPORT_MARK_ABSENT || (row->is_fine && !fine && !all) ||
            (row->is_left_out && is_nothing(figure) && !all))
            continue;
        each(user, row, report_figure_text(figure, row->unit, text),
             share_text(words, row, figure, share, sizeof(share)));
    }
}
