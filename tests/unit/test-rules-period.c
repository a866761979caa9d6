/* SPDX-License-Identifier: Apache-2.0 */
/* Closed periods and programmes, one sentence each. */
#include "books.h"

#include <string.h>

#include "base/bytes.h"

static void open_books(void) {
    books_open();
    as("broker");
}

TestSuite(period, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(programme, .timeout = 30, .init = open_books, .fini = books_close);

static Timebank__Order *close_period(uint32_t to_day) {
    Timebank__Order *order = ENTER(close_period, CLOSE_PERIOD, "", "", 0);
    order->service_day = 0;
    order->authority = TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    order->close_period->to_day = to_day;
    return order;
}

static void closed_to(uint32_t to_day) {
    close_period(to_day);
    done();
}

/* The record kept of what came late for a date of service, or 0. */
static uint64_t late_of(uint32_t service_day, uint64_t index) {
    uint8_t key[12];
    be32_put(key, service_day);
    be64_put(key + 4, index);
    const struct state_period *row = state_get(books_state, STATE_PERIODS, key, sizeof(key), NULL);
    return row ? row->closed : 0;
}

static const struct state_period *period_of(uint32_t to_day) {
    uint8_t key[4];
    be32_put(key, to_day);
    return state_get(books_state, STATE_PERIODS, key, sizeof(key), NULL);
}

Test(period, of_yesterday_can_be_closed) {
    closed_to(today() - 1);
    cr_assert_eq(books_state->sums.closed_to_day, today() - 1);
    cr_assert(period_of(today() - 1)->is_last);
    cr_assert_eq(period_of(today() - 1)->closed, books_entry[0]);
}

Test(period, of_today_is_not_over) {
    close_period(today());
    refused(FUTURE_DATE);
    close_period(0);
    refused(BAD_DATE);
}

Test(period, is_never_opened_again) {
    closed_to(today() - 10);
    close_period(today() - 10);
    refused(PERIOD_CLOSED);
    close_period(today() - 20);
    refused(PERIOD_CLOSED);
    says("stays closed");
}

Test(period, follows_the_one_before) {
    closed_to(today() - 10);
    closed_to(today() - 3);
    cr_assert(!period_of(today() - 10)->is_last);
    cr_assert(period_of(today() - 3)->is_last);
    cr_assert_eq(books_state->sums.closed_to_day, today() - 3);
}

Test(period, is_closed_by_brokers_only) {
    as("m1-key");
    close_period(today() - 1);
    refused(NO_AUTHORITY);
}

Test(period, that_is_closed_takes_no_entry_of_its_days) {
    closed_to(today() - 5);
    on_day(exchange("m1", "m2", 60), today() - 5);
    refused(PERIOD_CLOSED);
    says("--late");
    names_field("service_day");
    on_day(exchange("m1", "m2", 60), today() - 4);
    done();
}

Test(period, sends_a_member_to_a_broker) {
    closed_to(today() - 5);
    as("m1-key");
    on_day(exchange("m1", "m2", 60), today() - 6);
    refused(PERIOD_CLOSED);
    says("ask a broker");
}

Test(period, takes_a_late_entry_with_a_reason) {
    closed_to(today() - 5);
    on_day(with_why(exchange("m1", "m2", 60), 16), today() - 7);
    warned(LATE_ENTRY);
    cr_assert_eq(late_of(today() - 7, books_entry[0]), books_entry[0]);
    cr_assert_eq(balance("m2"), 60);
}

Test(period, takes_no_late_entry_without_a_reason) {
    closed_to(today() - 5);
    on_day(exchange("m1", "m2", 60), today() - 7)->override = 16;
    refused(NEEDS_WHY);
}

Test(period, lets_a_reversal_pass_as_late) {
    Timebank__Order *wrong = on_day(exchange("m1", "m2", 60), today() - 7);
    done();
    closed_to(today() - 5);
    reverse(wrong, 0);
    warned(LATE_ENTRY);
    cr_assert_eq(late_of(today() - 7, books_entry[0]), books_entry[0]);
}

Test(period, is_no_matter_to_a_reversal_of_later_days) {
    Timebank__Order *wrong = on_day(exchange("m1", "m2", 60), today() - 4);
    done();
    closed_to(today() - 5);
    reverse(wrong, 30);
    done();
}

Test(period, takes_both_halves_of_a_correction) {
    Timebank__Order *wrong = on_day(exchange("m1", "m2", 60), today() - 7), *right;
    done();
    closed_to(today() - 5);
    reverse(wrong, 0);
    right = on_day(with_why(exchange("m1", "m2", 90), 16), today() - 7);
    correcting(right, wrong);
    cr_assert_eq(submit(), 0);
    cr_assert_neq(late_of(today() - 7, books_entry[0]), 0);
    cr_assert_neq(late_of(today() - 7, books_entry[1]), 0);
}

Test(period, takes_history_with_a_warning) {
    closed_to(today() - 5);
    as("steward");
    on_day(from_source(exchange("m1", "m2", 60), TIMEBANK__SOURCE__HISTORY), today() - 7)
        ->claimed_day = today() - 6;
    warned(LATE_ENTRY);
    cr_assert_neq(late_of(today() - 7, books_entry[0]), 0);
}

/* ---- programmes */

static Timebank__Order *set_programme(const char *name, const char *funder) {
    Timebank__Order *order = ENTER(set_programme, SET_PROGRAMME, "", "", 0);
    order->service_day = 0;
    order->authority = TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    order->set_programme->name = (char *)name;
    order->set_programme->funder = (char *)funder;
    return order;
}

static void issue_for(const char *programme, const char *funder) {
    Timebank__Order *order = issue("food-bank", 60);
    order->issue->programme = (char *)programme;
    order->issue->funder = (char *)funder;
}

static void list_only(void) {
    as("steward");
    set_policy("programmes", "listed");
    done();
    as("broker");
}

Test(programme, of_any_name_is_taken_until_they_are_listed) {
    issue_for("warm winter", "council");
    done();
    list_only();
    issue_for("warm winter", "council");
    refused(UNKNOWN_PROGRAMME);
    says("programme add");
    issue_for("", "council");
    done();
}

Test(programme, that_is_listed_is_taken) {
    list_only();
    set_programme("warm winter", "council");
    done();
    issue_for("warm winter", "council");
    done();
}

Test(programme, belongs_to_its_funder) {
    list_only();
    set_programme("warm winter", "council");
    set_programme("own", "");
    done();
    issue_for("warm winter", "");
    refused(UNKNOWN_PROGRAMME);
    says("funded by council");
    issue_for("own", "council");
    done();
}

Test(programme, needs_a_known_funder_and_a_name) {
    set_programme("warm winter", "nobody");
    refused(UNKNOWN_FUNDER);
    set_programme("", "council");
    refused(BAD_TEXT);
}

Test(programme, can_be_set_again) {
    set_programme("warm winter", "");
    done();
    set_programme("warm winter", "council");
    done();
    const struct state_programme *row =
        state_get(books_state, STATE_PROGRAMMES, "warm winter", 11, NULL);
    cr_assert_str_eq(row->funder, "council");
    cr_assert_eq(row->set_by, books_entry[0]);
}
