/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for somebody's agreement, a sentence each: who has to agree to what, what becomes of
 * it, and what is refused. Each test ends with the laws and a replay from the start.
 */
#include "agree.h"
#include "daemon/rules.h"

#include <stdio.h>
#include <string.h>

#define POLICIES(...) ((const char *const[]){__VA_ARGS__, NULL})

TestSuite(gift, .timeout = 30, .fini = books_close);
TestSuite(claim, .timeout = 30, .fini = books_close);
TestSuite(approval, .timeout = 30, .fini = books_close);
TestSuite(confirm, .timeout = 30, .init = agree_open, .fini = books_close);

/* ---- gifts */

Test(gift, arrives_at_once_unless_the_scheme_says_otherwise) {
    agree_open();
    gift("m1", "m2", 60);
    done();
    cr_assert_eq(balance("m2"), 60);
}

Test(gift, waits_in_transit_until_it_is_accepted) {
    agree_open_with(POLICIES("gift=pending"));
    as("m1-key");
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    uint64_t n = books_state->sums.n_entries;
    warned(WAITS);
    says("waits for m2 to accept it, up to 2025-04-04");
    cr_assert_eq(balance("m1"), -60);
    cr_assert_eq(held("m1"), 60);
    cr_assert_eq(balance("m2"), 0);
    cr_assert_eq(balance("transit"), 60);
    cr_assert_eq(books_state->sums.n_entries, n);
    as("m2-key");
    confirm(given);
    done();
    cr_assert_eq(balance("m1"), -60);
    cr_assert_eq(held("m1"), 0);
    cr_assert_eq(balance("m2"), 60);
    cr_assert_eq(balance("transit"), 0);
    cr_assert_eq(books_state->sums.n_entries, n + 1);
}

Test(gift, needs_the_receivers_word_where_the_scheme_says_so) {
    agree_open_with(POLICIES("gift=pending"));
    gift("m1", "m2", 60);
    refused(NEEDS_CONFIRMATION);
    says("--propose");
    as("m1-key");
    gift("m1", "m2", 60);
    refused(NEEDS_CONFIRMATION);
}

Test(gift, may_wait_by_choice) {
    agree_open();
    as("m1-key");
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    as("broker");
    confirm(given);
    done();
    cr_assert_eq(balance("m2"), 60);
}

Test(gift, goes_back_when_it_is_declined_or_withdrawn) {
    agree_open();
    as("m1-key");
    Timebank__Order *first = proposed(gift("m1", "m2", 60)),
                    *second = proposed(gift("m1", "m2", 30));
    cr_assert_eq(submit(), 0);
    cr_assert_eq(balance("m1"), -90);
    decline(first);
    refused(NOT_THE_OTHER_SIDE);
    says("withdraw it instead");
    withdraw(first);
    done();
    as("m2-key");
    withdraw(second);
    refused(NOT_THE_OTHER_SIDE);
    says("decline it instead");
    decline(second);
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(held("m1"), 0);
    confirm(second);
    refused(NOT_WAITING);
    decline(second);
    refused(NOT_WAITING);
}

Test(gift, that_nobody_accepts_goes_back) {
    agree_open_with(POLICIES("gift=pending", "gift-days=10"));
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    wait_days(10);
    cr_assert_eq(books_run_due(), 0);
    wait_days(1);
    expect_event(GIFT_LAPSED, 60);
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("transit"), 0);
    as("m2-key");
    confirm(given);
    refused(NOT_WAITING);
}

Test(gift, is_accepted_only_by_its_receiver_or_a_broker_who_gives_nothing) {
    agree_open();
    as("m1-key");
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    confirm(given);
    refused(NOT_THE_OTHER_SIDE);
    as("m3-key");
    confirm(given);
    refused(NOT_THE_OTHER_SIDE);
    decline(given);
    refused(NOT_THE_OTHER_SIDE);
    withdraw(given);
    refused(NOT_THE_OTHER_SIDE);
    as("broker-m1");
    confirm(given);
    refused(NOT_THE_OTHER_SIDE);
    as("broker-m3");
    confirm(given);
    done();
}

Test(gift, is_still_bound_by_its_receivers_ceiling) {
    agree_open();
    as("m1-key");
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    as("broker");
    set_limit("m2", NULL, LIMIT(30));
    done();
    as("m2-key");
    confirm(given);
    refused(ABOVE_CEILING);
    decline(given);
    done();
    cr_assert_eq(balance("m1"), 0);
}

Test(gift, cannot_be_proposed_below_the_givers_floor) {
    agree_open();
    as("m1-key");
    proposed(gift("m1", "m2", 1260));
    refused(BELOW_FLOOR);
    says("m1 would stand at -21 h");
}

Test(gift, waiting_is_withdrawn_and_not_reversed) {
    agree_open();
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    reverse(given, 0);
    refused(STILL_WAITING);
    withdraw(given);
    done();
    reverse(given, 0);
    refused(NOT_WAITING);
    says("never took effect");
}

Test(gift, accepted_is_reversed_by_its_own_number) {
    agree_open();
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    confirm(given);
    done();
    reverse(given, 15);
    done();
    cr_assert_eq(balance("m2"), 45);
    reverse(given, 0);
    done();
    cr_assert_eq(balance("m1"), 0);
    reverse(given, 0);
    refused(ALREADY_REVERSED);
}

Test(gift, to_a_frozen_account_cannot_be_accepted_and_keeps_its_givers_open) {
    agree_open();
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    freeze("m2");
    done();
    confirm(given);
    refused(FROZEN);
    thaw("m2");
    done();
    close_account("m1");
    refused(NOT_EMPTY);
    decline(given);
    refused(NOT_THE_OTHER_SIDE); /* who proposed it withdraws it */
    as("broker-2");
    decline(given);
    done();
    cr_assert_eq(balance("m1"), 0);
}

Test(gift, between_two_who_are_kept_apart_meanwhile_does_not_arrive) {
    agree_open_with(POLICIES("claims=on"));
    as("m1-key");
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    as("m2-key");
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 30));
    warned(WAITS);
    as("broker");
    ENTER(safeguard, SAFEGUARD, "", "m1", 0)->safeguard->other = "m2";
    done();
    as("m2-key");
    confirm(given);
    refused(SEE_COORDINATOR);
    as("m1-key");
    confirm(claimed);
    refused(SEE_COORDINATOR);
    wait_days(15);
    expect_event(CLAIM_LAPSED, 0);
    wait_days(16);
    expect_event(GIFT_LAPSED, 60);
    cr_assert_eq(balance("m1"), 0);
}

Test(gift, waits_and_is_found_again_from_disk) {
    agree_open();
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    books_write_behind();
    as("m2-key");
    confirm(given);
    done();
    books_write_behind();
    confirm(given);
    refused(ALREADY_CONFIRMED);
}

Test(gift, counts_as_spent_while_it_waits_and_not_when_it_comes_back) {
    agree_open_with(POLICIES("spend-day=60"));
    as("m1-key");
    Timebank__Order *given = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    proposed(gift("m1", "m3", 15));
    refused(DAILY_AMOUNT);
    withdraw(given);
    done();
    proposed(gift("m1", "m3", 60));
    warned(WAITS);
}

/* ---- claims */

Test(claim, is_for_brokers_unless_the_scheme_lets_givers) {
    agree_open();
    as("m2-key");
    proposed(exchange("m1", "m2", 60));
    refused(NO_AUTHORITY);
    earn("food-bank", "m2", 60);
    refused(NO_AUTHORITY);
}

Test(claim, moves_nothing_until_the_receiver_confirms_it) {
    agree_open_with(POLICIES("claims=on"));
    uint64_t n = books_state->sums.n_entries;
    as("m2-key");
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    says("waits for m1 to confirm it, up to 2025-03-19; then it stands");
    cr_assert_eq(balance("m2"), 0);
    cr_assert_eq(books_state->sums.n_entries, n);
    wait_days(3);
    as("m1-key");
    confirm(claimed);
    done();
    cr_assert_eq(balance("m1"), -60);
    cr_assert_eq(balance("m2"), 60);
    cr_assert_eq(books_state->sums.n_entries, n + 1);
    cr_assert_eq(leg_of(0, "m2")->side, LEG_OTHER);
}

Test(claim, by_a_giver_is_not_taken_at_their_word) {
    agree_open_with(POLICIES("claims=on"));
    as("m2-key");
    exchange("m1", "m2", 60);
    refused(NEEDS_CONFIRMATION);
    earn("food-bank", "m2", 60);
    refused(NEEDS_CONFIRMATION);
    exchange("m1", "m3", 60);
    refused(NO_AUTHORITY);
}

Test(claim, of_somebody_elses_hours_is_no_members_business) {
    agree_open_with(POLICIES("claims=on"));
    as("m2-key");
    proposed(exchange("m1", "m3", 60));
    refused(NO_AUTHORITY);
    proposed(gift("m1", "m2", 60));
    refused(NO_AUTHORITY);
}

Test(claim, is_confirmed_by_nobody_for_their_own_hours) {
    agree_open_with(POLICIES("claims=on"));
    as("m2-key");
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    confirm(claimed);
    refused(OWN_HOURS);
    says("Nobody confirms their own hours");
    as("broker");
    Timebank__Order *other = proposed(exchange("m2", "m1", 30));
    warned(WAITS);
    as("broker-m1");
    confirm(other);
    refused(OWN_HOURS);
    as("m3-key");
    confirm(claimed);
    refused(NOT_THE_OTHER_SIDE);
}

Test(claim, on_an_organisation_is_confirmed_with_its_key) {
    agree_open_with(POLICIES("claims=on", "floor-organisation=none"));
    as("m2-key");
    Timebank__Order *claimed = proposed(earn("food-bank", "m2", 60));
    warned(WAITS);
    as("food-key");
    confirm(claimed);
    done();
    cr_assert_eq(balance("m2"), 60);
}

static Timebank__Order *mandate(const char *holder, const char *ward) {
    Timebank__Order *order = ENTER(set_mandate, SET_MANDATE, "", ward, 0);
    order->set_mandate->holder = (char *)holder;
    order->set_mandate->kind = TIMEBANK__MANDATE_KIND__GUARDIAN;
    order->set_mandate->from_day = today();
    return order;
}

static Timebank__Order *by_guardian(Timebank__Order *order) {
    order->authority = TIMEBANK__AUTHORITY__BY_GUARDIAN;
    return order;
}

Test(claim, is_confirmed_by_who_acts_for_the_receiver_but_not_for_their_own_hours) {
    agree_open_with(POLICIES("claims=on", "under-18=guardian"));
    Timebank__Order *first, *own, *ward;
    mandate("m3", "m1");
    Timebank__Order *minor = ENTER(set_person, SET_PERSON, "", "m1", 0);
    minor->set_person->minor = true;
    first = proposed(exchange("m1", "m2", 60));
    own = proposed(exchange("m1", "m3", 60));
    cr_assert_eq(submit(), 0);
    as("m1-key");
    confirm(first);
    refused(NEEDS_GUARDIAN);
    as("m3-key");
    confirm(first);
    refused(NOT_THE_OTHER_SIDE);
    by_guardian(confirm(own));
    refused(OWN_HOURS);
    by_guardian(confirm(first));
    done();
    cr_assert_eq(balance("m2"), 60);
    ward = proposed(by_guardian(exchange("m2", "m1", 30)));
    warned(WAITS);
    by_guardian(confirm(ward));
    refused(OWN_HOURS);
    by_guardian(withdraw(ward));
    done();
    as("m2-key");
    by_guardian(confirm(own));
    refused(NOT_THE_OTHER_SIDE);
}

Test(claim, quotes_the_very_record_that_is_confirmed) {
    agree_open_with(POLICIES("claims=on"));
    as("m2-key");
    Timebank__Order *old = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    withdraw(old);
    done();
    Timebank__Order *new = proposed(exchange("m1", "m2", 120));
    warned(WAITS);
    as("m1-key");
    confirm(old); /* a proposal booked at the old amount */
    refused(NOT_WAITING);
    confirm(new)->confirm->quote = quote_of(old);
    refused(OTHER_PROPOSAL);
    confirm(new)->confirm->quote = keep_bytes("", 0);
    refused(OTHER_PROPOSAL);
    confirm(new);
    done();
    cr_assert_eq(balance("m2"), 120);
}

Test(claim, that_nobody_answers_stands_where_the_scheme_says_so) {
    agree_open_with(POLICIES("claims=on", "claim-days=7"));
    uint64_t n = books_state->sums.n_entries;
    as("m2-key");
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    wait_days(8);
    expect_event(CLAIM_ACCEPTED, 60);
    cr_assert_eq(balance("m1"), -60);
    cr_assert_eq(balance("m2"), 60);
    cr_assert_eq(books_state->sums.n_entries, n + 1);
    as("m1-key");
    confirm(claimed); /* late, but welcome */
    done();
    as("broker");
    reverse(claimed, 0);
    done();
    cr_assert_eq(balance("m2"), 0);
}

Test(claim, that_nobody_answers_falls_where_the_scheme_says_so) {
    agree_open_with(POLICIES("claims=on", "claim-lapse=falls"));
    as("m2-key");
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    says("then it falls");
    wait_days(15);
    expect_event(CLAIM_LAPSED, 0);
    cr_assert_eq(balance("m2"), 0);
    as("m1-key");
    confirm(claimed);
    refused(NOT_WAITING);
}

Test(claim, that_the_limits_refuse_when_its_time_is_over_falls) {
    agree_open_with(POLICIES("claims=on"));
    as("m2-key");
    proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    as("broker");
    set_limit("m1", LIMIT(0), NULL);
    done();
    wait_days(15);
    expect_event(CLAIM_LAPSED, 0);
    cr_assert_eq(balance("m1"), 0);
}

Test(claim, on_a_frozen_receiver_falls) {
    agree_open_with(POLICIES("claims=on"));
    as("m2-key");
    proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    as("broker");
    freeze("m1");
    done();
    wait_days(15);
    expect_event(CLAIM_LAPSED, 0);
}

Test(claim, tells_nothing_of_the_receivers_credits) {
    agree_open_with(POLICIES("claims=on", "floor-member=0", "spend-day=15"));
    as("m2-key");
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 300));
    warned(WAITS);
    cr_assert_eq(books_n_notes, 1);
    as("m1-key");
    confirm(claimed);
    cr_assert_eq(submit(), 1);
    as("broker");
    confirm(claimed);
    cr_assert_eq(submit(), 1);
    proposed(exchange("m1", "m3", 300));
    cr_assert_eq(submit(), 1);
}

Test(claim, by_somebody_trusted_takes_effect_at_once) {
    agree_open_with(POLICIES("claims=on"));
    as("m1-key");
    trust("m1", "m2", false);
    done();
    as("m2-key");
    exchange("m1", "m2", 60);
    done();
    cr_assert_eq(balance("m2"), 60);
    proposed(exchange("m1", "m2", 30));
    warned(WAITS);
    as("m1-key");
    trust("m1", "m2", true);
    done();
    as("m2-key");
    exchange("m1", "m2", 45);
    refused(NEEDS_CONFIRMATION);
}

Test(claim, trusts_no_stranger_and_nobody_themselves) {
    agree_open();
    as("m1-key");
    trust("m1", "m9", false);
    refused(NO_SUCH_ACCOUNT);
    trust("m1", "food-bank", false);
    refused(WRONG_KIND);
    trust("m1", "m1", false);
    refused(SAME_ACCOUNT);
    trust("m2", "m1", false);
    refused(NO_AUTHORITY);
    as("broker");
    trust("m2", "m1", false);
    trust("food-bank", "m1", false);
    done();
    trust("swim", "m1", false);
    refused(WRONG_KIND);
}

/* With a member's key beside it, their hours would need nobody's word. */
Test(claim, by_a_broker_is_not_trusted_by_their_own_hand) {
    agree_open_with(POLICIES("claims=on"));
    as("broker-m1");
    trust("m2", "m1", false);
    refused(OWN_HOURS);
    trust("m2", "m3", false);
    trust("m1", "m3", false);
    done();
    as("broker");
    trust("m2", "m1", false);
    done();
    as("broker-m1");
    trust("m2", "m1", true);
    done();
}

Test(claim, that_is_trusted_tells_the_giver_no_balance) {
    agree_open_with(POLICIES("claims=on"));
    trust("food-bank", "m1", false);
    done();
    as("m1-key");
    earn("food-bank", "m1", 60);
    done(); /* a broker would be told that the allotment is short */
    cr_assert_eq(balance("food-bank"), -60);
    as("broker");
    earn("food-bank", "m1", 45);
    warned(ALLOTMENT_SHORT);
}

Test(confirm, tells_a_member_only_their_own_balance) {
    set_limit("m2", NULL, LIMIT(30));
    done();
    with_why(proposed(exchange("m1", "m2", 60)), OVERRIDES_LIMITS);
    Timebank__Order *order = with_why(proposed(exchange("m1", "m2", 45)), OVERRIDES_LIMITS);
    cr_assert_eq(submit(), 0);
    as("m1-key");
    confirm(order);
    done();
    cr_assert_eq(balance("m2"), 45);
}

Test(claim, looks_like_one_that_still_waits) {
    agree_open_with(POLICIES("claims=on"));
    as("m2-key");
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    proposed(exchange("m1", "m2", 60));
    refused(LOOKS_LIKE);
    cr_assert_neq(books_notes[0].entry, 0);
    withdraw(claimed);
    done();
    Timebank__Order *anew = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    as("m1-key");
    confirm(anew);
    done();
}

Test(claim, is_refused_at_once_for_what_is_wrong_with_it) {
    agree_open_with(POLICIES("claims=on", "day-refuse=480"));
    as("m2-key");
    proposed(exchange("m1", "m2", 600));
    refused(TOO_LONG);
    proposed(exchange("m1", "m2", 60))->activity = "juggling";
    refused(UNKNOWN_ACTIVITY);
    proposed(exchange("m9", "m2", 60));
    refused(NO_SUCH_ACCOUNT);
}

Test(claim, counts_against_the_givers_day_only_once_it_stands) {
    agree_open_with(POLICIES("claims=on", "day-refuse=480"));
    as("m2-key");
    Timebank__Order *first = proposed(exchange("m1", "m2", 300)),
                    *second = proposed(exchange("m1", "m2", 240));
    cr_assert_eq(submit(), 0);
    as("m1-key");
    confirm(first);
    done();
    confirm(second);
    refused(TOO_LONG);
    decline(second);
    done();
    as("broker");
    reverse(first, 0);
    done();
    as("m2-key");
    proposed(exchange("m1", "m2", 480));
    warned(WAITS);
}

Test(claim, by_a_broker_waits_for_the_receiver_by_choice) {
    agree_open();
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    as("m1-key");
    confirm(claimed);
    done();
    cr_assert_eq(balance("m2"), 60);
}

Test(claim, is_confirmed_once_and_in_one_batch_with_its_making) {
    agree_open();
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 60));
    confirm(claimed);
    warned(WAITS);
    cr_assert_eq(balance("m2"), 60);
    as("m1-key");
    confirm(claimed);
    refused(ALREADY_CONFIRMED);
}

/* ---- approval */

Test(approval, is_asked_of_a_second_broker_above_a_set_size) {
    agree_open_with(POLICIES("second-person-above=600"));
    grant("issued", "m1", 600);
    done();
    grant("issued", "m1", 615);
    refused(NEEDS_SECOND_PERSON);
    says("--propose");
    Timebank__Order *granted = proposed(grant("issued", "m1", 615));
    warned(WAITS);
    says("another broker to approve it, up to 2025-04-04; then it is dropped");
    cr_assert_eq(balance("m1"), 600);
    approve(granted);
    refused(NEEDS_SECOND_PERSON);
    says("ask another broker");
    as("m1-key");
    approve(granted);
    refused(NO_AUTHORITY);
    as("broker-m1");
    approve(granted);
    refused(PARTY);
    as("broker-2");
    approve(granted);
    done();
    cr_assert_eq(balance("m1"), 1215);
}

Test(approval, of_large_sums_holds_for_every_kind_that_moves_them) {
    agree_open_with(POLICIES("second-person-above=60"));
    exchange("m1", "m2", 90);
    refused(NEEDS_SECOND_PERSON);
    earn("food-bank", "m2", 90);
    refused(NEEDS_SECOND_PERSON);
    gift("m1", "m2", 90);
    refused(NEEDS_SECOND_PERSON);
    donate("m1", 90);
    refused(NEEDS_SECOND_PERSON);
    issue("food-bank", 90);
    refused(NEEDS_SECOND_PERSON);
}

static Timebank__Order *lesson(uint64_t minutes) {
    static char *givers[] = {"m1"}, *receivers[] = {"m2", "m3"};
    static uint64_t given[1], received[2];
    Timebank__Order *order = ENTER(session, SESSION, "", "", minutes);
    given[0] = received[0] = received[1] = minutes;
    order->activity = "gardening";
    order->session->n_givers = order->session->n_giver_minutes = 1;
    order->session->givers = givers;
    order->session->giver_minutes = given;
    order->session->n_receivers = order->session->n_receiver_minutes = 2;
    order->session->receivers = receivers;
    order->session->receiver_minutes = received;
    return order;
}

Test(approval, of_sessions_advances_and_pledges_lets_them_in_whole) {
    agree_open_with(POLICIES("second-person-above=60"));
    lesson(90);
    refused(NEEDS_SECOND_PERSON);
    Timebank__Order *taught = proposed(lesson(90));
    warned(WAITS);
    Timebank__Order *advanced = proposed(ENTER(advance, ADVANCE, "advances", "m3", 75));
    Timebank__Order *pledged = proposed(ENTER(pledge, PLEDGE, "advances", "m4", 90));
    pledged->pledge->due_day = today() + 10;
    cr_assert_eq(submit(), 0);
    cr_assert_eq(balance("m1"), 0);
    as("broker-m1");
    approve(taught);
    refused(OWN_HOURS);
    as("broker-2");
    approve(taught);
    approve(advanced);
    approve(pledged);
    done();
    cr_assert_eq(balance("m1"), 90);
    cr_assert_eq(balance("chest"), 90);
    cr_assert_eq(balance("m3"), -15);
    cr_assert_eq(balance("m4"), 90);
    wait_days(11);
    expect_event(PLEDGE_DUE, 0);
    reverse(taught, 0);
    reverse(advanced, 0);
    reverse(pledged, 0);
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("m4"), 0);
}

Test(approval, quotes_the_very_record_that_is_approved) {
    agree_open_with(POLICIES("second-person-above=60"));
    Timebank__Order *first = proposed(grant("issued", "m1", 90)),
                    *second = proposed(grant("issued", "m1", 120));
    cr_assert_eq(submit(), 0);
    as("broker-2");
    approve(first)->approve->quote = quote_of(second);
    refused(OTHER_PROPOSAL);
    decline(second);
    done();
    approve(second);
    refused(NOT_WAITING);
    approve(first);
    done();
    approve(first);
    refused(NOT_WAITING);
}

Test(approval, lets_a_brokers_own_hours_in) {
    agree_open();
    as("broker-m1");
    exchange("m2", "m1", 60);
    refused(OWN_HOURS);
    says("--propose");
    Timebank__Order *own = proposed(exchange("m2", "m1", 60));
    warned(WAITS);
    as("other-broker-m1");
    approve(own);
    refused(PARTY);
    as("broker");
    approve(own);
    done();
    cr_assert_eq(balance("m1"), 60);
}

Test(approval, is_not_given_by_another_key_of_the_same_person) {
    agree_open_with(POLICIES("second-person-above=60"));
    as("broker-m1");
    Timebank__Order *given = proposed(gift("m2", "m3", 90));
    warned(WAITS);
    as("other-broker-m1");
    approve(given);
    refused(PARTY);
    as("broker-m3");
    approve(given);
    refused(PARTY);
    as("broker");
    approve(given);
    done();
}

Test(approval, may_be_asked_of_all_that_members_enter) {
    agree_open_with(POLICIES("approve-members=on", "claims=on"));
    as("m1-key");
    exchange("m1", "m2", 60);
    refused(NEEDS_SECOND_PERSON);
    says("A broker has to approve this");
    Timebank__Order *entered = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    says("waits for a broker to approve it");
    donate("m1", 15);
    refused(NEEDS_SECOND_PERSON);
    as("m2-key");
    Timebank__Order *claimed = proposed(exchange("m1", "m2", 30));
    warned(WAITS);
    as("m1-key");
    confirm(claimed); /* the broker's yes is asked for */
    refused(NOT_WAITING);
    says("timebank approve");
    as("broker");
    approve(entered);
    approve(claimed);
    done();
    cr_assert_eq(balance("m2"), 90);
    grant("issued", "m3", 30); /* brokers' own entries are not asked about */
    done();
}

Test(approval, that_nobody_gives_is_dropped) {
    agree_open_with(POLICIES("second-person-above=60", "approval-days=5"));
    Timebank__Order *granted = proposed(grant("issued", "m1", 90));
    warned(WAITS);
    wait_days(6);
    expect_event(APPROVAL_LAPSED, 0);
    as("broker-2");
    approve(granted);
    refused(NOT_WAITING);
    cr_assert_eq(balance("m1"), 0);
}

Test(approval, of_a_gift_comes_before_its_acceptance) {
    agree_open_with(POLICIES("second-person-above=60", "gift=pending"));
    Timebank__Order *given = proposed(gift("m1", "m2", 90));
    warned(WAITS);
    cr_assert_eq(balance("m1"), 0);
    as("broker-2");
    approve(given);
    warned(WAITS);
    says("waits for m2 to accept it");
    cr_assert_eq(held("m1"), 90);
    approve(given);
    refused(NOT_WAITING);
    wait_days(5);
    as("m2-key");
    confirm(given);
    done();
    cr_assert_eq(balance("m2"), 90);
}

Test(approval, of_a_gift_that_is_then_not_accepted_gives_back) {
    agree_open_with(POLICIES("second-person-above=60", "gift=pending", "approval-days=60"));
    Timebank__Order *given = proposed(gift("m1", "m2", 90));
    warned(WAITS);
    wait_days(29);
    as("broker-2");
    approve(given);
    warned(WAITS);
    wait_days(30);
    cr_assert_eq(books_run_due(), 0);
    wait_days(1);
    expect_event(GIFT_LAPSED, 90);
    cr_assert_eq(balance("m1"), 0);
}

Test(approval, meets_the_limits_of_its_own_day) {
    agree_open_with(POLICIES("second-person-above=60"));
    Timebank__Order *given = proposed(gift("m1", "m2", 1200));
    warned(WAITS);
    gift("m1", "m3", 60);
    done();
    as("broker-2");
    approve(given);
    refused(BELOW_FLOOR);
    reverse_id(given->id.data, given->id.len, 0);
    refused(STILL_WAITING);
    withdraw(given);
    done();
}

Test(approval, is_not_asked_for_where_nobody_has_to_agree) {
    agree_open();
    proposed(grant("issued", "m1", 60));
    refused(NOT_A_PROPOSAL);
    proposed(issue("food-bank", 60));
    refused(NOT_A_PROPOSAL);
    as("m1-key");
    proposed(donate("m1", 60));
    refused(NOT_A_PROPOSAL);
    proposed(exchange("m1", "m2", 60));
    refused(NOT_A_PROPOSAL);
    as("food-key");
    proposed(earn("food-bank", "m1", 60));
    refused(NOT_A_PROPOSAL);
    as("broker");
    proposed(redeem("m1", "swim", 1, 60));
    refused(NOT_CANONICAL);
    proposed(log_hours("m1", 60));
    refused(NOT_CANONICAL);
}

Test(approval, is_never_asked_of_history) {
    agree_open_with(POLICIES("second-person-above=60", "gift=pending"));
    as("steward");
    from_source(gift("m1", "m2", 90), TIMEBANK__SOURCE__HISTORY);
    done();
    proposed(from_source(gift("m1", "m2", 90), TIMEBANK__SOURCE__HISTORY));
    refused(NOT_A_PROPOSAL);
}

Test(approval, does_not_carry_a_correction_past_the_second_person) {
    agree_open_with(POLICIES("second-person-above=60"));
    Timebank__Order *wrong = exchange("m1", "m2", 30);
    done();
    reverse(wrong, 0);
    correcting(exchange("m1", "m2", 90), wrong);
    refused(NEEDS_SECOND_PERSON);
    reverse(wrong, 0);
    Timebank__Order *right = proposed(correcting(exchange("m1", "m2", 90), wrong));
    warned(WAITS);
    cr_assert_eq(balance("m2"), 0);
    as("broker-2");
    approve(right);
    done();
    cr_assert_eq(balance("m2"), 90);
}

/* ---- confirming what stands */

Test(confirm, is_the_receivers_word_on_what_a_broker_entered) {
    Timebank__Order *entered = exchange("m1", "m2", 60);
    done();
    as("m2-key");
    confirm(entered);
    refused(OWN_HOURS);
    as("m3-key");
    confirm(entered);
    refused(NOT_THE_OTHER_SIDE);
    as("broker");
    confirm(entered);
    refused(NOT_THE_OTHER_SIDE);
    as("m1-key");
    confirm(entered);
    done();
    confirm(entered);
    refused(ALREADY_CONFIRMED);
    cr_assert_eq(balance("m2"), 60);
}

Test(confirm, is_both_sides_of_a_gift) {
    Timebank__Order *first = gift("m1", "m2", 15), *second = gift("m1", "m2", 30);
    done();
    as("m1-key");
    confirm(first);
    done();
    as("m2-key");
    confirm(second);
    done();
}

Test(confirm, is_for_hours_and_gifts) {
    Timebank__Order *granted = grant("issued", "m1", 60);
    done();
    as("m1-key");
    confirm(granted);
    refused(NOT_WAITING);
    says("which nobody has to confirm");
    decline(granted);
    refused(NOT_THE_OTHER_SIDE);
}

Test(confirm, is_not_for_what_was_taken_back) {
    Timebank__Order *entered = exchange("m1", "m2", 60);
    done();
    reverse(entered, 0);
    done();
    as("m1-key");
    confirm(entered);
    refused(ALREADY_REVERSED);
}

Test(confirm, knows_no_entry_that_is_not_there) {
    Timebank__Order *entered = exchange("m1", "m2", 60);
    done();
    confirm(entered)->confirm->target = keep_bytes("sixteen bytes...", 16);
    refused(NO_SUCH_ENTRY);
    approve(entered);
    refused(NOT_WAITING);
    withdraw(entered);
    refused(NOT_WAITING);
}
