/* SPDX-License-Identifier: Apache-2.0 */
/* What an account may do: soft limits, and spending by day, week, month and year; a sentence each.
 */
#include "books.h"
#include "daemon/rules.h"

#include <string.h>

#include "base/bytes.h"

enum { A_DAY = 1, A_WEEK = 2, A_MONTH = 3, A_YEAR = 4, ENTRIES_A_DAY = 9, ENTRIES_A_WEEK = 10 };

static void open_books(void) {
    books_open();
    as("broker");
}

TestSuite(limits, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(limits_policy, .timeout = 30, .fini = books_close);

/* Bound to stay where the test stands still: a limit of one span. */
static Timebank__SetLimit *limit_span(const char *code, uint32_t span, uint64_t most) {
    static uint32_t spans[8];
    static uint64_t mosts[8];
    static size_t n;
    Timebank__SetLimit *set = set_limit(code, NULL, NULL)->set_limit;

    n = (n + 1) % 8;
    spans[n] = span;
    mosts[n] = most;
    set->n_spans = set->n_most = 1;
    set->spans = &spans[n];
    set->most = &mosts[n];
    return set;
}

static void limited(const char *code, uint32_t span, uint64_t most) {
    limit_span(code, span, most);
    done();
}

/* m1 has help from somebody, and spends. */
static Timebank__Order *spends(uint64_t minutes) {
    static int n;
    return exchange("m1", n++ % 2 ? "m2" : "m3", minutes);
}

static void spent(uint64_t minutes) {
    with_why(spends(minutes), 4);
    cr_assert_eq(submit(), 0);
}

Test(limits, of_a_day_count_all_of_it_and_no_more) {
    limited("m1", A_DAY, 120);
    spent(60);
    spent(60);
    spends(15);
    refused(DAILY_AMOUNT);
}

Test(limits, of_a_day_begin_anew_the_next_day) {
    limited("m1", A_DAY, 60);
    spent(60);
    wait_days(1);
    spent(60);
    spends(15);
    refused(DAILY_AMOUNT);
}

Test(limits, of_a_week_begin_on_monday) {
    limited("m1", A_WEEK, 60); /* on a Wednesday */
    spent(60);
    wait_days(4);
    spends(15);
    refused(WEEKLY_AMOUNT); /* Sunday */
    wait_days(1);
    spent(60); /* Monday */
    spends(15);
    refused(WEEKLY_AMOUNT);
}

Test(limits, of_a_month_end_with_it) {
    limited("m1", A_MONTH, 60);
    spent(60);
    wait_days(26);
    spends(15);
    refused(MONTHLY_AMOUNT); /* 31 March */
    wait_days(1);
    spent(60);
}

Test(limits, of_a_year_end_with_it) {
    limited("m1", A_YEAR, 60);
    spent(60);
    wait_days(301);
    cr_assert_eq(today(), on("2025-12-31"));
    spends(15);
    refused(YEARLY_AMOUNT);
    wait_days(1);
    spent(60);
}

Test(limits, of_entries_count_them_whatever_their_time) {
    limited("m1", ENTRIES_A_DAY, 2);
    spent(15);
    spent(600);
    spends(15);
    refused(DAILY_COUNT);
    wait_days(1);
    spent(15);
}

Test(limits, of_zero_let_nothing_be_spent) {
    limited("m1", A_WEEK, 0);
    spends(15);
    refused(WEEKLY_AMOUNT);
    exchange("m2", "m1", 30); /* what comes in is not spent */
    done();
}

Test(limits, bind_gifts_donations_and_redemptions_too) {
    limited("m1", A_DAY, 30);
    gift("m1", "m2", 45);
    refused(DAILY_AMOUNT);
    donate("m1", 45);
    refused(DAILY_AMOUNT);
    redeem("m1", "swim", 1, 60);
    refused(DAILY_AMOUNT);
    gift("m1", "m2", 30);
    done();
    donate("m1", 15);
    refused(DAILY_AMOUNT);
}

Test(limits, a_broker_insists_with_a_reason) {
    limited("m1", A_DAY, 30);
    with_why(spends(60), OVERRIDES_LIMITS);
    warned(SPENDING);
    spends(15);
    refused(DAILY_AMOUNT);
}

static void agrees(const Timebank__Order *target) {
    Timebank__Order *order = ENTER(confirm, CONFIRM, "", "", 0);
    order->confirm->target = target_of(target);
    order->confirm->quote = quote_of(target);
}

/* The reason was given with the order: whoever agrees to it needs none of their own. */
Test(limits, a_broker_insisted_on_stay_so_when_the_member_agrees) {
    limited("m1", A_DAY, 30);
    Timebank__Order *helped = with_why(spends(60), OVERRIDES_LIMITS);
    helped->proposal = true;
    cr_assert_eq(submit(), 0);
    as("m1-key");
    agrees(helped);
    warned(SPENDING);
}

Test(limits, of_a_day_of_giving_stay_so_too) {
    as("steward");
    set_policy("day-refuse", "240");
    done();
    as("broker");
    exchange("m4", "m2", 180);
    done();
    Timebank__Order *helped = with_why(exchange("m1", "m2", 120), OVERRIDES_DAY);
    helped->proposal = true;
    cr_assert_eq(submit(), 0);
    as("m1-key");
    agrees(helped);
    warned(VERY_LONG_DAY);
    cr_assert_eq(balance("m2"), 300);
}

Test(limits, tell_a_member_no_figures) {
    limited("m1", A_DAY, 30);
    as("m1-key");
    spends(60)->authority = TIMEBANK__AUTHORITY__BY_SELF;
    cr_assert_eq(submit(), 1);
    cr_assert_str_eq(refusal_at(0)->message, refusal_sentence(REFUSAL_DAILY_AMOUNT));
}

Test(limits, what_is_taken_back_may_be_spent_again) {
    Timebank__Order *order;

    limited("m1", A_DAY, 60);
    order = spends(60);
    done();
    reverse(order, 30);
    done();
    spent(30);
    spends(15);
    refused(DAILY_AMOUNT);
    reverse(order, 0);
    done();
    spent(30);
}

Test(limits, an_entry_taken_back_whole_is_no_entry) {
    Timebank__Order *order;

    limited("m1", ENTRIES_A_DAY, 1);
    order = spends(60);
    done();
    reverse(order, 30);
    done();
    spends(15);
    refused(DAILY_COUNT);
    reverse(order, 0);
    done();
    spent(15);
}

Test(limits, what_is_taken_back_later_counts_for_its_own_day) {
    Timebank__Order *order;

    limited("m1", A_DAY, 60);
    order = spends(60);
    done();
    wait_days(1);
    spent(60);
    reverse(order, 0);
    done();
    spends(15);
    refused(DAILY_AMOUNT);
}

Test(limits, replace_each_other_whole) {
    limited("m1", A_DAY, 30);
    limited("m1", A_WEEK, 60);
    spent(60); /* the limit of a day is gone */
    spends(15);
    refused(WEEKLY_AMOUNT);
    set_limit("m1", NULL, NULL);
    done();
    spent(60);
}

Test(limits, of_several_spans_hold_at_once) {
    static uint32_t spans[] = {A_DAY, A_WEEK, ENTRIES_A_WEEK};
    static uint64_t most[] = {60, 90, 3};
    Timebank__SetLimit *set = set_limit("m1", NULL, NULL)->set_limit;

    set->n_spans = set->n_most = 3;
    set->spans = spans;
    set->most = most;
    done();
    spent(60);
    spends(15);
    refused(DAILY_AMOUNT);
    wait_days(1);
    spends(45);
    refused(WEEKLY_AMOUNT);
    spent(15);
    spent(15);
    wait_days(1);
    spends(15);
    cr_assert(submit() > 0);
}

Test(limits, name_a_span_once_in_order_with_a_figure) {
    static uint32_t spans[] = {A_WEEK, A_DAY};
    static uint64_t most[] = {60, 60};
    Timebank__SetLimit *set;

    limit_span("m1", 5, 60);
    refused(BAD_LIMIT);
    limit_span("m1", 0, 60);
    refused(BAD_LIMIT);
    limit_span("m1", A_DAY, 1ull << 40);
    refused(BAD_LIMIT);
    limit_span("m1", A_DAY, 60)->n_most = 0;
    refused(BAD_LIMIT);
    set = set_limit("m1", NULL, NULL)->set_limit;
    set->n_spans = set->n_most = 2;
    set->spans = spans;
    set->most = most;
    refused(BAD_LIMIT);
}

Test(limits, are_kept_in_a_history) {
    uint8_t key[12];
    const struct state_limit *row;
    uint64_t second;

    limited("m1", A_DAY, 60);
    limited("m1", A_WEEK, 60);
    second = books_entry[0];
    be64_put(key, account_of("m1")->number);
    be32_put(key + 8, 0);
    row = state_get(books_state, STATE_LIMITS, key, sizeof(key), NULL);
    cr_assert(row && row->set_by == 2);
    be32_put(key + 8, 2);
    row = state_get(books_state, STATE_LIMITS, key, sizeof(key), NULL);
    cr_assert(row && row->set_by == second);
}

/* ---- by policy */

static void open_with(const char *one, const char *two) {
    const char *const changes[] = {one, two, NULL};
    books_open_with(changes);
    as("broker");
}

Test(limits_policy, of_spending_bind_every_member_but_no_organisation) {
    open_with("spend-day=60", NULL);
    spent(60);
    spends(15);
    refused(DAILY_AMOUNT);
    earn("food-bank", "m2", 120);
    cr_assert_eq(submit(), 0);
}

Test(limits_policy, of_spending_count_from_when_they_are_set) {
    open_with("spend-day=none", NULL);
    spent(120);
    as("steward");
    set_policy("spend-day", "60");
    done();
    as("broker");
    spent(60);
    spends(15);
    refused(DAILY_AMOUNT);
    as("steward");
    set_policy("spend-day", "none");
    done();
    as("broker");
    spent(120);
}

Test(limits_policy, of_an_account_of_its_own_go_before) {
    open_with("spend-day=60", "entries-day=2");
    limited("m1", A_DAY, 120);
    spent(60);
    spent(60);
    spends(15);
    refused(DAILY_AMOUNT);
    limited("m2", A_DAY, STATE_SPAN_NONE);
    exchange("m2", "m3", 300);
    done();
    exchange("m2", "m4", 300);
    done();
    exchange("m2", "m1", 15);
    refused(DAILY_COUNT); /* the policy on entries still holds */
}

Test(limits_policy, of_spending_only_warn_about_old_books) {
    open_with("spend-day=60", NULL);
    as("steward");
    from_source(spends(600), TIMEBANK__SOURCE__HISTORY);
    cr_assert_eq(submit(), 0);
    cr_assert(was_warned(WARNING_SPENDING));
}

Test(limits_policy, soft_ones_warn_only_as_they_are_crossed) {
    open_with("soft-floor-member=-60", "soft-ceiling-member=120");
    exchange("m1", "m2", 60);
    done();
    exchange("m1", "m2", 15);
    warned(SOFT_FLOOR);
    exchange("m1", "m2", 30);
    done(); /* below it already */
    exchange("m3", "m2", 30);
    warned(SOFT_CEILING);
}

Test(limits, soft_ones_of_an_account_go_before_the_policy) {
    Timebank__SetLimit *set = set_limit("m1", NULL, NULL)->set_limit;

    set->has_soft_floor_case = TIMEBANK__SET_LIMIT__HAS_SOFT_FLOOR_SOFT_FLOOR;
    set->soft_floor = 0;
    done();
    exchange("m1", "m2", 15);
    warned(SOFT_FLOOR);
    set = set_limit("m2", NULL, NULL)->set_limit;
    set->has_soft_ceiling_case = TIMEBANK__SET_LIMIT__HAS_SOFT_CEILING_SOFT_CEILING;
    set->soft_ceiling = 30;
    done();
    exchange("m3", "m2", 30);
    warned(SOFT_CEILING);
}

Test(limits_policy, soft_ones_tell_nobody_else) {
    open_with("soft-ceiling-member=30", NULL);
    as("m1-key");
    gift("m1", "m2", 60)->authority = TIMEBANK__AUTHORITY__BY_SELF;
    done();
}
