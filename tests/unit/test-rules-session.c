/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions, one sentence each: who pays what, what is refused and in which words, and that a
 * session taken back leaves nothing behind. m1 to m4 and those of more_members() are on the books.
 */
#include <stdio.h>
#include <string.h>

#include "books.h"
#include "helpers.h"

TestSuite(session, .timeout = 60, .init = books_open, .fini = books_close);
TestSuite(session_policy, .timeout = 60, .fini = books_close);

#define TO_CHEST TIMEBANK__SESSION_REST__REST_TO_CHEST
#define SHARED TIMEBANK__SESSION_REST__REST_SHARED
#define BY_CHEST TIMEBANK__SESSION_REST__REST_BY_CHEST
#define LINES_MAX 400

/* What the lists of a session point to while the books are open. */
struct lists {
    char *codes[2][LINES_MAX + 1];
    uint64_t minutes[2][LINES_MAX + 1];
    char *persons[2][LINES_MAX + 1];
};
static struct lists lists[8];
static size_t n_lists;

static Timebank__Order *session(Timebank__SessionRest rest) {
    Timebank__Order *order = ENTER(session, SESSION, "", "", 0);
    struct lists *own = &lists[n_lists++ % N_ELEMENTS(lists)];
    order->activity = "gardening";
    order->session->rest = rest;
    order->session->givers = own->codes[0];
    order->session->giver_minutes = own->minutes[0];
    order->session->receivers = own->codes[1];
    order->session->receiver_minutes = own->minutes[1];
    return order;
}

static void gives(Timebank__Order *order, const char *code, uint64_t minutes) {
    Timebank__Session *s = order->session;
    s->givers[s->n_givers++] = (char *)code;
    s->giver_minutes[s->n_giver_minutes++] = minutes;
    order->minutes += minutes;
}

static void receives(Timebank__Order *order, const char *code, uint64_t minutes) {
    Timebank__Session *s = order->session;
    s->receivers[s->n_receivers++] = (char *)code;
    s->receiver_minutes[s->n_receiver_minutes++] = minutes;
}

/* m1 teaches m2 and m3 for an hour each. */
static Timebank__Order *class(Timebank__SessionRest rest) {
    Timebank__Order *order = session(rest);
    gives(order, "m1", 60);
    receives(order, "m2", 60);
    receives(order, "m3", 60);
    return order;
}

static void chest_gets(uint64_t minutes) {
    donate("m4", minutes);
    done();
}

/* ---- what moves */

Test(session, gives_what_is_over_to_the_chest) {
    class(TO_CHEST);
    done();
    cr_assert_eq(balance("m1"), 60);
    cr_assert_eq(balance("m2"), -60);
    cr_assert_eq(balance("m3"), -60);
    cr_assert_eq(balance("chest"), 60);
    cr_assert_eq(books_effects[0].n_legs, 4);
}

Test(session, needs_no_chest_where_both_sides_are_even) {
    Timebank__Order *order = session(TO_CHEST);
    gives(order, "m1", 60);
    gives(order, "m4", 60);
    receives(order, "m2", 90);
    receives(order, "m3", 30);
    done();
    cr_assert_eq(balance("chest"), 0);
    cr_assert_eq(books_effects[0].n_legs, 4);
    cr_assert_not(leg_of(0, "chest"));
}

Test(session, shares_what_was_given_by_largest_remainder_in_the_order_of_the_lines) {
    Timebank__Order *order = class(SHARED);
    receives(order, "m4", 60);
    done();
    cr_assert_eq(balance("m1"), 60);
    cr_assert_eq(balance("m2"), -20);
    order = session(SHARED);
    gives(order, "m1", 90);
    receives(order, "m4", 60);
    receives(order, "m2", 45);
    receives(order, "m3", 60);
    done(); /* 32.7, 24.5, 32.7 */
    cr_assert_eq(leg_of(0, "m4")->minutes, -33);
    cr_assert_eq(leg_of(0, "m2")->minutes, -24);
    cr_assert_eq(leg_of(0, "m3")->minutes, -33);
}

Test(session, breaks_a_tie_of_remainders_by_the_order_of_the_lines) {
    set_policy("quantum", "5");
    as("steward");
    done();
    as("broker");
    Timebank__Order *order = session(SHARED);
    gives(order, "m1", 100);
    receives(order, "m3", 60);
    receives(order, "m2", 60);
    receives(order, "m4", 60);
    done();
    cr_assert_eq(balance("m3"), -34);
    cr_assert_eq(balance("m2"), -33);
    cr_assert_eq(balance("m4"), -33);
}

Test(session, floors_no_half_hour_to_nothing) {
    Timebank__Order *order = session(SHARED);
    gives(order, "m1", 30);
    receives(order, "m2", 60);
    receives(order, "m3", 60);
    done();
    cr_assert_eq(balance("m2"), -15);
    cr_assert_eq(balance("m3"), -15);
    cr_assert_eq(balance("m1"), 30);
}

Test(session, lets_the_chest_pay_what_the_receivers_do_not) {
    chest_gets(120);
    Timebank__Order *order = session(BY_CHEST);
    gives(order, "m1", 120);
    receives(order, "m2", 30);
    done();
    cr_assert_eq(balance("m1"), 120);
    cr_assert_eq(balance("m2"), -30);
    cr_assert_eq(balance("chest"), 30);
}

Test(session, lets_the_chest_pay_all_where_only_heads_are_counted) {
    chest_gets(60);
    Timebank__Order *order = session(BY_CHEST);
    gives(order, "m1", 60);
    order->session->heads = 12;
    order->session->head_minutes = 60;
    done();
    cr_assert_eq(balance("chest"), 0);
    cr_assert_eq(balance("m1"), 60);
}

Test(session, is_paid_by_an_organisation_from_its_allotment) {
    issue("food-bank", 600);
    done();
    Timebank__Order *order = session(TO_CHEST);
    order->from = "food-bank";
    gives(order, "m1", 120);
    gives(order, "m2", 60);
    order->session->heads = 30;
    done();
    cr_assert_eq(balance("food-bank"), 420);
    cr_assert_eq(balance("m1"), 120);
    cr_assert_eq(balance("m2"), 60);
}

Test(session, is_recorded_by_the_organisation_that_pays) {
    issue("food-bank", 600);
    done();
    as("food-key");
    Timebank__Order *order = session(TO_CHEST);
    order->from = "food-bank";
    gives(order, "m1", 60);
    done();
    gives(session(TO_CHEST), "m1", 60);
    refused(NO_AUTHORITY);
}

Test(session, warns_of_a_short_allotment_as_earn_does) {
    Timebank__Order *order = session(TO_CHEST);
    order->from = "food-bank";
    gives(order, "m1", 60);
    warned(ALLOTMENT_SHORT);
}

Test(session, counts_heads_and_moves_nothing_for_them) {
    Timebank__Order *order = class(TO_CHEST);
    order->session->heads = 4;
    order->session->head_minutes = 45;
    done();
    cr_assert_eq(balance("chest"), 60);
}

Test(session, is_one_entry_of_every_statement) {
    uint64_t n = books_state->sums.n_entries;
    class(TO_CHEST);
    done();
    cr_assert_eq(books_state->sums.n_entries, n + 1);
    cr_assert_eq(account_of("m2")->last_entry, books_entry[0]);
    cr_assert_eq(account_of("m1")->last_entry, books_entry[0]);
    cr_assert_eq(leg_of(0, "m1")->after, 60);
}

/* ---- all or nothing */

Test(session, is_all_or_nothing) {
    Timebank__Order *order = class(TO_CHEST);
    receives(order, "m99", 60);
    refused(NO_SUCH_ACCOUNT);
    says("Receiver 3: There is no account m99");
    names_field("receivers");
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("m2"), 0);
}

Test(session, invents_no_members) {
    Timebank__Order *order = class(TO_CHEST);
    gives(order, "visitor", 60);
    refused(NO_SUCH_ACCOUNT);
    says("Giver 2: ");
}

Test(session, is_for_members_only) {
    Timebank__Order *order = class(TO_CHEST);
    receives(order, "swim", 60);
    refused(WRONG_KIND);
    order = class(TO_CHEST);
    gives(order, "food-bank", 15);
    refused(WRONG_KIND);
    order = class(TO_CHEST);
    order->from = "m4";
    refused(WRONG_KIND);
}

Test(session, is_refused_whole_where_one_receiver_has_not_enough) {
    set_limit("m3", &(int64_t){-30}, NULL);
    done();
    class(TO_CHEST);
    refused(BELOW_FLOOR);
    says("m3 would stand at");
    with_why(class(TO_CHEST), 1);
    warned(BELOW_FLOOR);
    cr_assert_eq(balance("m3"), -60);
}

Test(session, is_refused_whole_where_one_giver_has_too_much) {
    set_limit("m1", NULL, &(int64_t){30});
    done();
    class(TO_CHEST);
    refused(ABOVE_CEILING);
}

Test(session, is_refused_for_a_frozen_or_closed_account) {
    freeze("m3");
    close_account("m4");
    done();
    class(TO_CHEST);
    refused(FROZEN);
    says("Receiver 2: m3 is frozen");
    Timebank__Order *order = session(BY_CHEST);
    gives(order, "m4", 60);
    refused(CLOSED);
}

/* ---- its lines */

Test(session, names_a_member_once) {
    Timebank__Order *order = class(TO_CHEST);
    receives(order, "m2", 15);
    refused(SESSION_LINES);
    says("m2 stands on two lines");
    order = class(TO_CHEST);
    gives(order, "m2", 15);
    refused(SESSION_LINES);
    says("m2 is among the givers and the receivers");
}

Test(session, has_no_line_without_time) {
    Timebank__Order *order = class(TO_CHEST);
    receives(order, "m4", 0);
    refused(ZERO);
    says("Receiver 3, m4, has no time");
    session(TO_CHEST);
    refused(ZERO);
}

Test(session, wants_the_quantum_on_every_line) {
    Timebank__Order *order = class(TO_CHEST);
    receives(order, "m4", 20);
    refused(NOT_IN_QUANTUM);
    says("Receiver 3, m4: 20 min is not a multiple");
    order = session(SHARED);
    gives(order, "m1", 50);
    gives(order, "m2", 10);
    receives(order, "m3", 60);
    refused(NOT_IN_QUANTUM);
    says("Giver 1");
}

Test(session, wants_lists_of_equal_length) {
    class(TO_CHEST)->session->n_receiver_minutes = 1;
    refused(SESSION_LINES);
    Timebank__Order *order = class(TO_CHEST);
    order->session->giver_persons = lists[0].persons[0];
    lists[0].persons[0][0] = lists[0].persons[0][1] = "";
    order->session->n_giver_persons = 2;
    refused(SESSION_LINES);
}

Test(session, wants_its_time_to_be_the_sum_of_what_was_given) {
    class(TO_CHEST)->minutes = 75;
    refused(SESSION_LINES);
    names_field("minutes");
}

Test(session, wants_somebody_who_gave) {
    Timebank__Order *order = session(BY_CHEST);
    receives(order, "m2", 60);
    order->minutes = 60;
    refused(SESSION_LINES);
    says("Nobody gave time");
}

Test(session, has_no_receivers_where_an_organisation_pays) {
    class(TO_CHEST)->from = "food-bank";
    refused(SESSION_LINES);
    says("food-bank pays for this session");
    Timebank__Order *order = session(SHARED);
    order->from = "food-bank";
    gives(order, "m1", 60);
    refused(SESSION_LINES);
}

Test(session, is_short_where_the_receivers_pay_less_than_was_given) {
    Timebank__Order *order = session(TO_CHEST);
    gives(order, "m1", 120);
    receives(order, "m2", 60);
    refused(SESSION_SHORT);
    says("The receivers pay 1 h, the givers gave 2 h: share it, or let the chest pay.");
    gives(session(SHARED), "m1", 120);
    refused(SESSION_SHORT);
    says("name the receivers");
}

Test(session, clamps_no_time_without_telling) {
    chest_gets(60);
    class(BY_CHEST);
    refused(SESSION_LINES);
    says("The receivers pay 2 h, the givers gave only 1 h");
}

Test(session, does_not_empty_the_chest_below_its_floor) {
    chest_gets(30);
    Timebank__Order *order = session(BY_CHEST);
    gives(order, "m1", 60);
    refused(CHEST_EMPTY);
    says("let the receivers share it");
    order = with_why(session(BY_CHEST), 1);
    gives(order, "m1", 60);
    warned(BELOW_FLOOR);
    cr_assert_eq(balance("chest"), -30);
}

Test(session, counts_no_time_of_nobody) {
    class(TO_CHEST)->session->head_minutes = 60;
    refused(SESSION_LINES);
    Timebank__Order *order = class(TO_CHEST);
    order->session->heads = 100001;
    refused(SESSION_LINES);
}

static char many[LINES_MAX + 2][16];

static void more_members(size_t n) {
    for (size_t i = 0; i < n; i++) {
        snprintf(many[i], sizeof(many[i]), "x%zu", i + 1);
        open_account(many[i], TIMEBANK__ACCOUNT_KIND__MEMBER);
        if (i % BOOKS_PENDING_MAX == BOOKS_PENDING_MAX - 1 || i == n - 1)
            done();
    }
}

static Timebank__Order *session_of(size_t n_givers, size_t n) {
    Timebank__Order *order = session(SHARED);
    for (size_t i = 0; i < n; i++)
        if (i < n_givers)
            gives(order, many[i], 60);
        else
            receives(order, many[i], 15 + i % 4 * 15);
    return order;
}

Test(session, takes_four_hundred_lines_and_no_more) {
    more_members(LINES_MAX + 1);
    session_of(7, LINES_MAX);
    done();
    cr_assert_eq(books_effects[0].n_legs, LINES_MAX);
    session_of(7, LINES_MAX + 1);
    refused(SESSION_LINES);
    says("400 lines at most");
}

Test(session, splits_random_sessions_exactly_and_takes_them_back_without_a_trace) {
    uint64_t seed = 7;
    more_members(40);
    for (size_t round = 0; round < 200; round++) {
        size_t n_givers = 1 + random_next(&seed) % 5, n = n_givers + 1 + random_next(&seed) % 20;
        int64_t before[40], given = 0;
        Timebank__Order *order = with_why(session(SHARED), 7);
        for (size_t i = 0; i < 40; i++)
            before[i] = balance(many[i]);
        for (size_t i = 0; i < n; i++) {
            uint64_t minutes = 15 * (1 + random_next(&seed) % 12);
            if (i < n_givers)
                gives(order, many[i], minutes);
            else
                receives(order, many[i], minutes);
            given += i < n_givers ? (int64_t)minutes : 0;
        }
        cr_assert_eq(submit(), 0);
        for (size_t i = n_givers; i < n; i++)
            given += balance(many[i]) - before[i];
        cr_assert_eq(given, 0);
        reverse(order, 0);
        cr_assert_eq(submit(), 0);
        for (size_t i = 0; i < 40; i++)
            cr_assert_eq(balance(many[i]), before[i]);
    }
}

/* ---- households, and who is kept apart */

static void second_person(const char *code) {
    ENTER(set_person, SET_PERSON, "", code, 0)->set_person->person = "2";
    done();
}

Test(session, names_the_persons_of_households) {
    second_person("m2");
    class(TO_CHEST);
    refused(NAME_THE_PERSON);
    says("Receiver 1: Several persons share m2");
    Timebank__Order *order = class(TO_CHEST);
    static char *persons[] = {"2", "", "3"};
    order->session->receiver_persons = persons;
    order->session->n_receiver_persons = 2;
    done();
    order = session(TO_CHEST);
    gives(order, "m2", 60);
    receives(order, "m4", 60);
    order->session->giver_persons = &persons[2];
    order->session->n_giver_persons = 1;
    refused(UNKNOWN_PERSON);
    says("Giver 1: m2 has no person 3");
}

Test(session, keeps_apart_whom_the_coordinator_keeps_apart) {
    ENTER(safeguard, SAFEGUARD, "", "m2", 0)->safeguard->other = "m3";
    done();
    class(TO_CHEST);
    refused(SEE_COORDINATOR);
    Timebank__Order *order = session(TO_CHEST);
    gives(order, "m1", 60);
    receives(order, "m3", 60);
    done();
}

/* ---- the rules of everybody who gives */

Test(session, counts_in_the_hours_of_each_givers_day) {
    exchange("m2", "m1", 420);
    done();
    Timebank__Order *order = session(SHARED);
    gives(order, "m4", 60);
    gives(order, "m1", 120);
    receives(order, "m3", 60);
    warned(LONG_DAY);
    cr_assert(strstr(books_notes[0].message, "m1 gave 9 h"));
    exchange("m2", "m1", 960);
    refused(TOO_LONG);
}

Test(session, looks_like_an_earlier_one_of_any_of_its_givers) {
    Timebank__Order *order = class(TO_CHEST);
    done();
    order = session(SHARED);
    gives(order, "m4", 60);
    gives(order, "m1", 60);
    receives(order, "m3", 60);
    refused(LOOKS_LIKE);
    says("m1 gave 1 h");
    order = with_why(session(SHARED), 4);
    gives(order, "m4", 60);
    gives(order, "m1", 60);
    receives(order, "m3", 60);
    warned(LOOKS_LIKE);
}

Test(session, is_not_entered_by_a_broker_who_gave) {
    grant_key("m1-broker", TIMEBANK__ROLE__BROKER, "m1");
    as("steward");
    done();
    as("m1-broker");
    class(TO_CHEST);
    refused(OWN_HOURS);
    as("broker");
    Timebank__Order *order = class(TO_CHEST);
    done();
    Timebank__Order *other = session(TO_CHEST);
    gives(other, "m4", 60);
    receives(other, "m1", 60);
    done();
    as("m1-broker");
    reverse(order, 0);
    done();
    reverse(other, 0);
    refused(OWN_HOURS);
}

Test(session, holds_to_the_dates_of_any_service) {
    on_day(class(TO_CHEST), today() + 2);
    refused(FUTURE_DATE);
    on_day(open_account("m5", TIMEBANK__ACCOUNT_KIND__MEMBER), today() - 5);
    done();
    Timebank__Order *order = on_day(session(SHARED), today() - 7);
    gives(order, "m5", 60);
    receives(order, "m2", 60);
    warned(BEFORE_JOINING);
}

Test(session, wants_an_activity_that_is_known) {
    class(TO_CHEST)->activity = "yoga";
    refused(UNKNOWN_ACTIVITY);
}

Test(session_policy, counts_as_what_its_receivers_spend) {
    books_open_with((const char *const[]){"spend-day=90", NULL});
    class(TO_CHEST);
    done();
    Timebank__Order *again = session(TO_CHEST);
    gives(again, "m4", 45);
    receives(again, "m2", 45);
    refused(DAILY_AMOUNT);
}

Test(session_policy, gives_back_what_its_receivers_spent_when_it_is_taken_back) {
    books_open_with((const char *const[]){"spend-day=90", NULL});
    Timebank__Order *order = class(TO_CHEST);
    done();
    reverse(order, 0);
    done();
    Timebank__Order *again = session(TO_CHEST);
    gives(again, "m4", 90);
    receives(again, "m2", 90);
    done();
}

/* ---- taken back */

Test(session, is_taken_back_by_the_contrary_of_every_leg) {
    chest_gets(90);
    Timebank__Order *order = session(BY_CHEST);
    gives(order, "m1", 90);
    gives(order, "m4", 30);
    receives(order, "m2", 45);
    done();
    reverse(order, 0);
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("m2"), 0);
    cr_assert_eq(balance("m4"), -90);
    cr_assert_eq(balance("chest"), 90);
    reverse(order, 0);
    refused(ALREADY_REVERSED);
}

Test(session, gives_its_day_back_when_it_is_taken_back) {
    Timebank__Order *order = session(SHARED);
    gives(order, "m1", 1440);
    receives(order, "m2", 60);
    receives(order, "m3", 60);
    order = with_why(order, 1);
    cr_assert_eq(submit(), 0);
    exchange("m3", "m1", 60);
    refused(TOO_LONG);
    reverse(order, 0);
    cr_assert_eq(submit(), 0);
    exchange("m3", "m1", 60);
    done();
}

Test(session, is_no_duplicate_of_one_taken_back) {
    Timebank__Order *order = class(TO_CHEST);
    done();
    reverse(order, 0);
    done();
    class(TO_CHEST);
    done();
}

Test(session, is_taken_back_whole) {
    Timebank__Order *order = class(TO_CHEST);
    done();
    reverse(order, 30);
    refused(NOT_REVERSIBLE);
    says("taken back whole");
    reverse(order, 60);
    done();
    cr_assert_eq(balance("chest"), 0);
}

Test(session, is_corrected_in_one_batch) {
    Timebank__Order *order = class(TO_CHEST);
    done();
    reverse(order, 0);
    Timebank__Order *right = correcting(session(SHARED), order);
    gives(right, "m1", 60);
    receives(right, "m2", 60);
    receives(right, "m4", 60);
    done();
    cr_assert_eq(balance("m3"), 0);
    cr_assert_eq(balance("m4"), -30);
}

Test(session, is_taken_back_from_an_organisation_too) {
    issue("food-bank", 60);
    done();
    Timebank__Order *order = session(TO_CHEST);
    order->from = "food-bank";
    gives(order, "m1", 60);
    done();
    reverse(order, 0);
    done();
    cr_assert_eq(balance("food-bank"), 60);
    cr_assert_eq(balance("m1"), 0);
}

Test(session, is_not_taken_back_from_who_left) {
    Timebank__Order *order = session(SHARED);
    gives(order, "m1", 60);
    receives(order, "m2", 60);
    done();
    gift("m1", "m2", 60);
    close_account("m1");
    done();
    reverse(order, 0);
    refused(CLOSED);
    says("m1 is closed");
}

Test(session, may_take_a_chest_past_its_floor_when_taken_back) {
    Timebank__Order *order = class(TO_CHEST);
    grant("chest", "m4", 60);
    done();
    reverse(order, 0);
    warned(REVERSAL_PAST_LIMIT);
    cr_assert_eq(balance("chest"), -60);
}
