/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disputes, a sentence each: who may, what is set aside, who decides, and that each one ends. Each
 * test ends with the laws and a replay from the start.
 */
#include "agree.h"

#include <stdio.h>
#include <string.h>

TestSuite(dispute, .timeout = 30, .init = agree_open, .fini = books_close);

static Timebank__Order *help(uint64_t minutes) {
    Timebank__Order *order = exchange("m1", "m2", minutes);
    done();
    return order;
}

Test(dispute, sets_the_minutes_aside_until_somebody_decides) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    cr_assert_eq(balance("m1"), -60);
    cr_assert_eq(balance("m2"), 0);
    cr_assert_eq(held("m2"), 60);
    cr_assert_eq(balance("transit"), 60);
    dispute(entry);
    refused(DISPUTED);
    confirm(entry);
    refused(DISPUTED);
    as("broker");
    reverse(entry, 0);
    refused(DISPUTED);
    says("no party");
}

Test(dispute, decided_to_stand_gives_back_what_was_set_aside) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    as("broker");
    decide(entry, 0);
    done();
    cr_assert_eq(balance("m2"), 60);
    cr_assert_eq(held("m2"), 0);
    decide(entry, 0);
    refused(NOT_DISPUTED);
    reverse(entry, 0);
    done();
}

Test(dispute, decided_to_fall_takes_back_as_a_reversal_does) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    as("broker");
    decide(entry, 60);
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("m2"), 0);
    cr_assert_eq(held("m2"), 0);
    reverse(entry, 0);
    refused(ALREADY_REVERSED);
    exchange("m1", "m2", 60); /* no duplicate of what fell */
    done();
}

Test(dispute, may_fall_in_part) {
    Timebank__Order *entry = help(60);
    as("m2-key");
    dispute(entry);
    done();
    as("broker");
    decide(entry, 75);
    refused(MORE_THAN_REMAINS);
    decide(entry, 20);
    refused(NOT_IN_QUANTUM);
    decide(entry, 15);
    done();
    cr_assert_eq(balance("m1"), -45);
    cr_assert_eq(balance("m2"), 45);
    reverse(entry, 0);
    done();
    cr_assert_eq(balance("m1"), 0);
}

Test(dispute, is_about_what_was_not_taken_back_before) {
    Timebank__Order *entry = help(60);
    reverse(entry, 15);
    done();
    as("m1-key");
    dispute(entry);
    done();
    cr_assert_eq(held("m2"), 45);
    as("broker");
    decide(entry, 60);
    refused(MORE_THAN_REMAINS);
    decide(entry, 45);
    done();
    cr_assert_eq(balance("m1"), 0);
    as("m1-key");
    dispute(entry);
    cr_assert_eq(submit(), 1);
}

Test(dispute, that_nobody_decides_ends_by_itself) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    wait_days(30);
    cr_assert_eq(books_run_due(), 0);
    wait_days(1);
    expect_event(DISPUTE_LAPSED, 60);
    cr_assert_eq(balance("m2"), 60);
    as("broker");
    decide(entry, 0);
    refused(NOT_DISPUTED);
    as("m1-key");
    dispute(entry);
    refused(TOO_LATE_TO_DISPUTE);
    says("disputed before");
}

Test(dispute, is_decided_by_nobody_who_is_a_party) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    decide(entry, 0);
    refused(NO_AUTHORITY);
    as("broker-m1");
    decide(entry, 60);
    refused(PARTY);
    as("broker-m3");
    decide(entry, 60);
    done();
}

Test(dispute, opened_by_a_broker_is_decided_by_another_or_by_a_steward) {
    Timebank__Order *entry = help(60);
    dispute(entry);
    done();
    decide(entry, 0);
    refused(PARTY);
    as("broker-2");
    decide(entry, 0);
    done();
    as("steward");
    Timebank__Order *other = exchange("m1", "m2", 45);
    dispute(other);
    done();
    decide(other, 45);
    done();
}

Test(dispute, is_for_the_parties_and_for_brokers) {
    Timebank__Order *entry = help(60);
    as("m3-key");
    dispute(entry);
    refused(NOT_THE_OTHER_SIDE);
    as("food-key");
    dispute(entry);
    refused(NOT_THE_OTHER_SIDE);
    as("swim-key");
    dispute(entry);
    refused(NO_AUTHORITY);
}

Test(dispute, says_why_and_so_does_its_decision) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry)->note.len = 0;
    refused(NEEDS_WHY);
    dispute(entry);
    done();
    as("broker");
    decide(entry, 0)->note.len = 0;
    refused(NEEDS_WHY);
}

Test(dispute, comes_in_time) {
    Timebank__Order *entry = help(60);
    wait_days(90);
    as("m1-key");
    dispute(entry);
    done();
    as("broker");
    Timebank__Order *other = help(45);
    wait_days(91);
    books_run_due();
    as("m1-key");
    dispute(other);
    refused(TOO_LATE_TO_DISPUTE);
}

Test(dispute, of_a_claim_runs_from_the_day_it_took_effect) {
    Timebank__Order *entry = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    as("m1-key");
    dispute(entry);
    refused(STILL_WAITING);
    wait_days(15);
    expect_event(CLAIM_ACCEPTED, 60);
    wait_days(90);
    dispute(entry);
    done();
    as("broker");
    decide(entry, 60);
    done();
    cr_assert_eq(balance("m2"), 0);
}

Test(dispute, may_take_a_balance_below_its_limit_and_tells_no_member_so) {
    Timebank__Order *entry = help(60), *other;
    gift("m2", "m3", 60);
    set_limit("m2", LIMIT(0), NULL);
    done();
    as("m1-key");
    dispute(entry);
    done();
    cr_assert_eq(balance("m2"), -60);
    as("m2-key");
    gift("m2", "m3", 15);
    refused(BELOW_FLOOR);
    as("broker");
    decide(entry, 60);
    done();
    other = exchange("m1", "m2", 30);
    done();
    dispute(other);
    warned(BELOW_FLOOR);
}

Test(dispute, is_about_hours_gifts_and_visits) {
    Timebank__Order *granted = grant("issued", "m1", 60), *logged = log_hours("m2", 30);
    Timebank__Order *visit = redeem("m1", "swim", 1, 60), *given = gift("m1", "m2", 15);
    done();
    dispute(granted);
    refused(NOT_REVERSIBLE);
    dispute(logged);
    refused(NOT_REVERSIBLE);
    dispute(visit);
    dispute(given);
    done();
    cr_assert_eq(held("swim"), 60);
    as("broker-2");
    decide(visit, 60);
    decide(given, 15);
    done();
    cr_assert_eq(balance("m1"), 60);
}

Test(dispute, freezes_a_closed_account_of_nobody) {
    Timebank__Order *entry = help(60);
    exchange("m2", "m1", 60);
    close_account("m2");
    done();
    as("m1-key");
    dispute(entry);
    refused(CLOSED);
}

Test(dispute, keeps_an_account_from_being_closed) {
    Timebank__Order *entry = help(60);
    dispute(entry);
    done();
    close_account("m2");
    refused(NOT_EMPTY);
    as("broker-2");
    decide(entry, 60);
    close_account("m2");
    done();
}

Test(dispute, is_found_again_from_disk) {
    Timebank__Order *entry = help(60);
    dispute(entry);
    done();
    books_write_behind();
    as("broker-2");
    decide(entry, 30);
    done();
    books_write_behind();
    reverse(entry, 0);
    done();
    cr_assert_eq(balance("m1"), 0);
}

Test(dispute, and_its_decision_stand_in_one_batch) {
    Timebank__Order *entry = help(60);
    as("steward");
    dispute(entry);
    decide(entry, 30);
    done();
    cr_assert_eq(balance("m2"), 30);
}
