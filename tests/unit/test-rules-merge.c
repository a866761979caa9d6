/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two accounts of one person, and credits to and from other banks (rules-merge.c,
 * rules-transfer.c). Each test ends with the laws and a replay from the start.
 */
#include "books.h"

#include <string.h>

#define BANK TIMEBANK__ACCOUNT_KIND__BANK
#define LIMIT(minutes) (&(int64_t){minutes})

static void open_books(void) {
    books_open();
    as("steward");
    grant_key("m1-broker", TIMEBANK__ROLE__BROKER, "m1");
    open_account("bank:riverside", BANK);
    done();
    as("broker");
}

TestSuite(merge, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(transfer, .timeout = 30, .init = open_books, .fini = books_close);

/* ---- what is entered */

static Timebank__Order *merge(const char *from, const char *to) {
    Timebank__Order *order = ENTER(merge, MERGE, from, to, 0);
    order->merge->balance = account_of(from) ? balance(from) : 0;
    return order;
}

static Timebank__Order *unmerge(const Timebank__Order *target) {
    Timebank__Order *order = ENTER(unmerge, UNMERGE, "", "", 0);
    order->unmerge->target = target_of(target);
    return order;
}

static Timebank__Order *transfer(const char *from, const char *to, uint64_t minutes,
                                 const char *id) {
    Timebank__Order *order = ENTER(transfer, TRANSFER, from, to, minutes);
    order->transfer->transfer_id = keep_bytes(id, 16);
    return order;
}

static Timebank__Order *safeguard(const char *code, const char *other) {
    Timebank__Order *order = ENTER(safeguard, SAFEGUARD, "", code, 0);
    order->safeguard->other = (char *)other;
    return order;
}

#define ID_1 "transfer-number1"
#define ID_2 "transfer-number2"

/* ---- merge */

Test(merge, moves_the_balance_whichever_way_it_stands) {
    exchange("m1", "m2", 90);
    done();
    merge("m1", "m3");
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("m3"), -90);
    merge("m2", "m4");
    done();
    cr_assert_eq(balance("m2"), 0);
    cr_assert_eq(balance("m4"), 90);
    cr_assert_eq(leg_of(0, "m4")->after, 90);
}

Test(merge, closes_the_one_and_names_the_other_to_who_asks) {
    merge("m1", "m2");
    done();
    exchange("m1", "m3", 60);
    refused(MERGED);
    says("m1 goes on as m2: use that code.");
    merge("m2", "m3");
    done();
    exchange("m1", "m4", 60);
    refused(MERGED);
    says("m1 goes on as m3");
    merge("m1", "m4");
    refused(MERGED);
}

Test(merge, is_taken_back_by_the_same_minutes) {
    exchange("m1", "m2", 60);
    done();
    Timebank__Order *order = merge("m2", "m3");
    done();
    gift("m3", "m4", 15);
    done();
    unmerge(order);
    done();
    cr_assert_eq(balance("m2"), 60);
    cr_assert_eq(balance("m3"), -15);
    exchange("m2", "m3", 60);
    done();
    unmerge(order);
    refused(NOT_MERGED);
}

Test(merge, is_of_two_open_accounts_of_one_kind) {
    merge("m1", "food-bank");
    refused(WRONG_KIND);
    merge("m1", "m1");
    refused(SAME_ACCOUNT);
    freeze("m2");
    done();
    merge("m1", "m2");
    refused(FROZEN);
    merge("m2", "m1");
    refused(FROZEN);
    close_account("m3");
    done();
    merge("m1", "m3");
    refused(CLOSED);
    open_account("food-club", TIMEBANK__ACCOUNT_KIND__ORGANISATION);
    issue("food-bank", 60);
    done();
    merge("food-bank", "food-club");
    done();
    cr_assert_eq(balance("food-club"), 60);
}

Test(merge, is_of_the_balance_that_was_looked_at_and_within_limits) {
    merge("m1", "m2")->merge->balance = 15;
    refused(BALANCE_MOVED);
    set_limit("m2", NULL, LIMIT(30));
    exchange("m3", "m1", 60);
    done();
    merge("m1", "m2");
    refused(ABOVE_CEILING);
    with_why(merge("m1", "m2"), 1);
    warned(ABOVE_CEILING);
}

Test(merge, is_not_for_a_broker_who_is_a_party) {
    as("m1-broker");
    merge("m2", "m1");
    refused(PARTY);
    merge("m1", "m2");
    refused(PARTY);
}

Test(merge, waits_for_what_is_on_its_way) {
    exchange("m1", "m2", 60)->proposal = 1;
    warned(WAITS);
    merge("m1", "m3");
    refused(STILL_WAITING);
    merge("m4", "m3");
    done();
}

Test(merge, keeps_a_safeguarding_hold_on_who_goes_on) {
    safeguard("m1", "m2");
    done();
    merge("m1", "m3");
    done();
    exchange("m3", "m2", 60);
    refused(SEE_COORDINATOR);
    exchange("m3", "m4", 60);
    done();
}

Test(merge, takes_along_what_is_owed_of_advances_and_gives_it_back) {
    ENTER(advance, ADVANCE, "advances", "m1", 120);
    done();
    Timebank__Order *order = merge("m1", "m2");
    done();
    cr_assert_eq(account_of("m2")->owed_minutes, 120);
    unmerge(order);
    done();
    cr_assert_eq(account_of("m2")->owed_minutes, 0);
    cr_assert_eq(account_of("m1")->owed_minutes, 120);
}

Test(merge, sends_a_reversal_to_who_goes_on) {
    Timebank__Order *slip = exchange("m1", "m2", 60);
    done();
    merge("m1", "m3");
    done();
    reverse(slip, 0);
    refused(MERGED);
    says("m1 goes on as m3: enter the contrary for that one instead.");
}

Test(merge, is_found_by_its_entry) {
    Timebank__Order *slip = exchange("m1", "m2", 60), *order;
    done();
    unmerge(slip);
    refused(NOT_MERGED);
    order = merge("m1", "m3");
    done();
    merge("m3", "m4");
    done();
    unmerge(order);
    refused(MERGED);
    reverse(order, 0);
    refused(NOT_REVERSIBLE);
    ENTER(unmerge, UNMERGE, "", "", 0)->unmerge->target = keep_bytes("no such order id", 16);
    refused(NO_SUCH_ENTRY);
}

Test(merge, is_followed_to_where_a_choice_leads) {
    Timebank__Order *order = ENTER(set_choice, SET_CHOICE, "", "m1", 0);
    order->set_choice->heir = "m2";
    grant("issued", "m1", 60);
    merge("m2", "m3");
    done();
    order = ENTER(settle, SETTLE, "m1", "m3", 0);
    order->settle->as = TIMEBANK__SETTLE_AS__DIED;
    order->settle->balance = 60;
    done();
    cr_assert_eq(balance("m3"), 60);
}

/* ---- transfer */

Test(transfer, goes_between_a_member_and_another_bank) {
    transfer("m1", "bank:riverside", 60, ID_1);
    transfer("bank:riverside", "m2", 90, ID_2);
    done();
    cr_assert_eq(balance("bank:riverside"), -30);
    cr_assert_eq(balance("m2"), 90);
    transfer("m1", "m2", 60, "transfer-number3");
    refused(WRONG_KIND);
    transfer("food-bank", "bank:riverside", 60, "transfer-number3");
    refused(WRONG_KIND);
    exchange("bank:riverside", "m2", 60);
    refused(WRONG_KIND);
    says("another bank: for credits to or from it use transfer");
}

Test(transfer, is_taken_once_even_after_it_was_taken_back) {
    Timebank__Order *order = transfer("m1", "bank:riverside", 60, ID_1);
    done();
    transfer("m2", "bank:riverside", 30, ID_1);
    refused(TRANSFER_USED);
    says("nothing moves twice");
    reverse(order, 0);
    done();
    transfer("m1", "bank:riverside", 60, ID_1);
    refused(TRANSFER_USED);
    transfer("m1", "bank:riverside", 60, ID_2)->transfer->transfer_id = keep_bytes("short", 0);
    refused(NOT_CANONICAL);
}

Test(transfer, has_a_cap_of_the_year_that_a_reversal_gives_back) {
    as("steward");
    set_policy("transfer-cap-year", "120");
    done();
    as("broker");
    Timebank__Order *order = transfer("m1", "bank:riverside", 75, ID_1);
    done();
    transfer("bank:riverside", "m1", 60, ID_2);
    refused(TRANSFER_CAP);
    says("transfer-cap-year");
    transfer("bank:riverside", "m1", 45, ID_2);
    done();
    reverse(order, 30);
    done();
    transfer("m1", "bank:riverside", 45, "transfer-number3");
    refused(TRANSFER_CAP);
    transfer("m1", "bank:riverside", 30, "transfer-number3");
    done();
    wait_days(365);
    transfer("m1", "bank:riverside", 120, "transfer-number4");
    done();
}

Test(transfer, holds_within_the_limits_set_for_a_bank) {
    set_limit("bank:riverside", LIMIT(-60), LIMIT(60));
    done();
    transfer("m1", "bank:riverside", 75, ID_1);
    refused(ABOVE_CEILING);
    transfer("bank:riverside", "m1", 75, ID_1);
    refused(BELOW_FLOOR);
    freeze("bank:riverside");
    done();
    transfer("bank:riverside", "m1", 15, ID_1);
    refused(FROZEN);
}

Test(transfer, is_a_brokers_to_enter_and_a_bank_a_stewards_to_open) {
    open_account("bank:hill", BANK);
    refused(NO_AUTHORITY);
    as("steward");
    open_account("hill", BANK);
    refused(BAD_CODE);
    says("bank:riverside");
    open_account("bank:a-name-that-is-too-long-for-it", BANK);
    refused(BAD_CODE);
    open_account("bank:hill", TIMEBANK__ACCOUNT_KIND__ORGANISATION);
    refused(BAD_CODE);
    open_account("bank:hill", BANK);
    open_account("bank:riverside", BANK);
    cr_assert_eq(submit(), 1);
    cr_assert_eq(books_notes[0].number, REFUSAL_CODE_TAKEN);
    as("m1-key");
    transfer("m1", "bank:riverside", 15, ID_1);
    refused(NO_AUTHORITY);
}
