/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaving: the choice made before, the days to spend, the settlement, and being forgotten
 * (rules-leave.c, rules-settle.c, rules-erase.c). Each test ends with the laws and a replay from
 * the start.
 */
#include "books.h"

#include <string.h>

#define LEFT TIMEBANK__SETTLE_AS__LEFT
#define DIED TIMEBANK__SETTLE_AS__DIED
#define ENDED TIMEBANK__SETTLE_AS__ENDED
#define LIMIT(minutes) (&(int64_t){minutes})

static void open_books(void) {
    books_open();
    as("steward");
    grant_key("m1-broker", TIMEBANK__ROLE__BROKER, "m1");
    done();
    as("broker");
}

TestSuite(choice, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(leave, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(settle, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(erase, .timeout = 30, .init = open_books, .fini = books_close);

/* ---- what is entered */

static Timebank__Order *choose(const char *code, const char *heir) {
    Timebank__Order *order = ENTER(set_choice, SET_CHOICE, "", code, 0);
    order->set_choice->heir = (char *)heir;
    return order;
}

static Timebank__Order *leave(const char *code, uint32_t until_day) {
    Timebank__Order *order = ENTER(leave, LEAVE, "", code, 0);
    order->leave->until_day = until_day;
    return order;
}

static Timebank__Order *stay(const char *code) {
    Timebank__Order *order = ENTER(leave, LEAVE, "", code, 0);
    order->leave->stays = 1;
    return order;
}

static Timebank__Order *settle(const char *code, const char *to, Timebank__SettleAs how) {
    Timebank__Order *order = ENTER(settle, SETTLE, code, to, 0);
    order->settle->as = how;
    order->settle->balance = balance(code);
    return order;
}

static Timebank__Order *erase(const char *code, const char *person) {
    Timebank__Order *order = ENTER(erase, ERASE, "", code, 0);
    order->to_person = (char *)person;
    return order;
}

static Timebank__Order *claim(const char *from, const char *to, uint64_t minutes) {
    Timebank__Order *order = exchange(from, to, minutes);
    order->proposal = 1;
    return order;
}

static Timebank__Order *advance(const char *code, uint64_t minutes) {
    return ENTER(advance, ADVANCE, "advances", code, minutes);
}

static void grant_hours(const char *code, uint64_t minutes) {
    grant("issued", code, minutes);
    done();
}

/* ---- the choice */

Test(choice, is_the_members_own_or_a_brokers_and_is_a_member_the_chest_or_expiry) {
    as("m1-key");
    choose("m1", "m2");
    choose("m1", "chest");
    choose("m1", "expired");
    choose("m1", "");
    done();
    choose("m2", "m1");
    refused(NO_AUTHORITY);
    choose("m1", "m1");
    refused(SAME_ACCOUNT);
    choose("m1", "m9");
    refused(NO_SUCH_ACCOUNT);
    names_field("heir");
    choose("m1", "food-bank");
    refused(WRONG_KIND);
    as("m1-broker");
    choose("m2", "m1");
    refused(OWN_HOURS);
    as("broker");
    choose("m2", "m1");
    done();
}

Test(choice, is_where_the_credits_go) {
    grant_hours("m1", 60);
    choose("m1", "m2");
    done();
    settle("m1", "chest", DIED);
    refused(OTHER_CHOICE);
    says("It was arranged that the credits go to m2");
    settle("m1", "m2", DIED);
    done();
    cr_assert_eq(balance("m2"), 60);
    cr_assert_eq(balance("m1"), 0);
}

Test(choice, of_somebody_who_left_themselves_leaves_it_to_the_policy) {
    choose("m1", "m2");
    settle("m2", "chest", DIED);
    done();
    settle("m1", "m2", DIED);
    refused(OTHER_CHOICE);
    settle("m1", "chest", DIED);
    done();
    as("steward");
    set_policy("leave-to", "expired");
    done();
    as("broker");
    grant_hours("m3", 45);
    settle("m3", "chest", DIED);
    refused(OTHER_CHOICE);
    settle("m3", "expired", DIED);
    done();
    cr_assert_eq(balance("expired"), 45);
}

/* ---- days to spend */

Test(leave, gives_days_to_spend_and_tells_when_they_are_over) {
    Timebank__Order *order = leave("m1", today() + 10);
    done();
    cr_assert_eq(account_of("m1")->leaving_day, today() + 10);
    wait_days(10);
    cr_assert_eq(books_run_due(), 0);
    wait_days(1);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(event_before(0)->kind, TIMEBANK__EVENT_KIND__LEAVE_DUE);
    cr_assert(memcmp(event_before(0)->follows, order->id.data, ORDER_ID_BYTES) == 0);
    cr_assert_eq(event_before(0)->minutes, 0);
    cr_assert_eq(account_of("m1")->standing, STANDING_OPEN);
    cr_assert_neq(account_of("m1")->leaving_day, 0);
}

Test(leave, takes_the_days_of_the_policy_where_none_are_said) {
    leave("m1", 0);
    done();
    cr_assert_eq(account_of("m1")->leaving_day, today() + 90);
    leave("m1", today() - 1);
    refused(BAD_DATE);
    leave("m1", today() + 4000);
    refused(BAD_DATE);
}

Test(leave, lets_a_leaver_spend_but_not_be_settled_before_the_last_day_is_over) {
    grant_hours("m1", 120);
    leave("m1", today() + 2);
    done();
    settle("m1", "chest", LEFT);
    refused(SPEND_DOWN);
    says("or let the member settle earlier");
    wait_days(2);
    redeem("m1", "swim", 1, 60);
    done();
    settle("m1", "chest", LEFT);
    refused(SPEND_DOWN);
    wait_days(1);
    settle("m1", "chest", LEFT);
    done();
    cr_assert_eq(balance("chest"), 60);
    cr_assert_eq(account_of("m1")->standing, STANDING_CLOSED);
}

Test(leave, is_taken_back_by_who_stays) {
    stay("m1");
    refused(NOT_LEAVING);
    says("m1 is not leaving");
    as("m1-key");
    leave("m1", today() + 1);
    stay("m1");
    done();
    cr_assert_eq(account_of("m1")->leaving_day, 0);
    wait_days(5);
    cr_assert_eq(books_run_due(), 0);
    as("broker");
    settle("m1", "chest", LEFT);
    refused(NOT_LEAVING);
}

Test(leave, may_be_set_to_another_day_and_falls_due_once) {
    leave("m1", today() + 2);
    leave("m1", today() + 4);
    done();
    wait_days(3);
    cr_assert_eq(books_run_due(), 0);
    wait_days(2);
    cr_assert_eq(books_run_due(), 1);
}

Test(leave, ends_with_an_account_that_is_closed_empty) {
    leave("m1", today() + 2);
    close_account("m1");
    done();
    cr_assert_eq(account_of("m1")->leaving_day, 0);
    wait_days(5);
    cr_assert_eq(books_run_due(), 0);
    advance("m2", 60);
    gift("m2", "m3", 60);
    done();
    close_account("m2");
    refused(NOT_EMPTY);
}

Test(leave, of_who_is_under_18_is_a_guardians_word_by_policy) {
    as("steward");
    set_policy("under-18", "guardian");
    ENTER(set_person, SET_PERSON, "", "m1", 0)->set_person->minor = 1;
    done();
    as("m1-key");
    leave("m1", 0);
    refused(NEEDS_GUARDIAN);
    choose("m1", "m2");
    refused(NEEDS_GUARDIAN);
    settle("m1", "chest", LEFT);
    refused(NEEDS_GUARDIAN);
}

Test(leave, is_the_members_own_or_a_brokers) {
    as("m1-key");
    leave("m2", 0);
    refused(NO_AUTHORITY);
    leave("m1", 0);
    done();
    as("broker");
    settle("m2", "chest", DIED);
    done();
    leave("m2", 0);
    refused(ALREADY_CLOSED);
}

/* ---- the settlement */

Test(settle, closes_the_account_and_is_entered_once) {
    grant_hours("m1", 75);
    settle("m1", "chest", DIED);
    done();
    cr_assert_eq(leg_of(0, "m1")->after, 0);
    cr_assert_eq(leg_of(0, "chest")->after, 75);
    settle("m1", "chest", DIED);
    refused(ALREADY_CLOSED);
    exchange("m1", "m2", 15);
    refused(CLOSED);
}

Test(settle, of_a_death_may_follow_a_freeze) {
    grant_hours("m1", 30);
    freeze("m1");
    settle("m1", "chest", DIED);
    done();
}

Test(settle, meets_a_debt_out_of_write_offs) {
    exchange("m1", "m2", 90);
    done();
    settle("m1", "chest", DIED);
    refused(OTHER_CHOICE);
    says("A debt is met by write-offs");
    settle("m1", "write-offs", DIED);
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("write-offs"), -90);
    cr_assert_eq(balance("m2"), 90);
}

Test(settle, writes_off_what_is_owed_of_advances) {
    advance("m1", 120);
    done();
    gift("m1", "m2", 60);
    done();
    settle("m1", "chest", DIED);
    done();
    cr_assert_eq(balance("chest"), 60);
    cr_assert_eq(balance("advances"), 0);
    cr_assert_eq(balance("write-offs"), -120);
    cr_assert_eq(account_of("m1")->owed_minutes, 0);
}

Test(settle, is_of_the_balance_that_was_looked_at) {
    grant_hours("m1", 60);
    settle("m1", "chest", DIED)->settle->balance = 45;
    refused(BALANCE_MOVED);
    says("m1 stands at 1 h by now");
}

Test(settle, is_the_members_own_to_make_before_the_days_are_over) {
    grant_hours("m1", 60);
    as("m1-key");
    settle("m1", "chest", DIED);
    refused(NO_AUTHORITY);
    settle("m2", "chest", LEFT);
    refused(NO_AUTHORITY);
    settle("m1", "chest", LEFT);
    done();
    cr_assert_eq(balance("chest"), 60);
}

/* Or whoever owes would be rid of it by their own key. */
Test(settle, of_a_debt_or_of_what_is_owed_is_a_brokers) {
    gift("m1", "m2", 60);
    advance("m3", 60);
    gift("m3", "m2", 60);
    done();
    as("steward");
    grant_key("m3-key", TIMEBANK__ROLE__ROLE_MEMBER, "m3");
    done();
    as("m1-key");
    settle("m1", "write-offs", LEFT);
    refused(NO_AUTHORITY);
    as("m3-key");
    settle("m3", "chest", LEFT);
    refused(NO_AUTHORITY);
    as("broker");
    leave("m1", today());
    leave("m3", today());
    done();
    wait_days(1);
    settle("m1", "write-offs", LEFT);
    settle("m3", "chest", LEFT);
    done();
}

Test(settle, waits_for_what_is_on_its_way) {
    claim("m1", "m2", 60);
    warned(WAITS);
    uint64_t entry = books_entry[0];
    settle("m1", "chest", DIED);
    refused(STILL_WAITING);
    cr_assert_eq(books_notes[0].entry, entry);
    says("see timebank list pending");
    settle("m2", "chest", DIED);
    refused(STILL_WAITING);
    claim("m3", "m4", 60);
    settle("m3", "chest", DIED);
    cr_assert_eq(submit(), 1);
    cr_assert_eq(books_notes[books_n_notes - 1].number, REFUSAL_STILL_WAITING);
}

Test(settle, ends_a_leaving_for_good) {
    leave("m1", today() + 3);
    done();
    as("m1-key");
    settle("m1", "chest", LEFT);
    done();
    cr_assert_eq(account_of("m1")->leaving_day, 0);
    wait_days(10);
    cr_assert_eq(books_run_due(), 0);
}

Test(settle, gives_an_allotment_back_and_retires_what_a_venue_took) {
    issue("food-bank", 600);
    gift("m1", "m2", 60);
    redeem("m2", "swim", 1, 60);
    done();
    settle("food-bank", "chest", ENDED);
    refused(OTHER_CHOICE);
    settle("food-bank", "issued", ENDED);
    settle("swim", "retired", ENDED);
    done();
    cr_assert_eq(balance("issued"), 0);
    cr_assert_eq(balance("retired"), 60);
    cr_assert_eq(account_of("food-bank")->standing, STANDING_CLOSED);
}

Test(settle, says_how_it_ends_in_words_that_fit) {
    settle("m1", "chest", ENDED);
    refused(WRONG_KIND);
    says("settle with --left or --died");
    settle("food-bank", "issued", DIED);
    refused(WRONG_KIND);
    says("settle it with --ended");
    settle("m1", "chest", TIMEBANK__SETTLE_AS__SETTLE_NONE);
    refused(NOT_CANONICAL);
}

Test(settle, passes_the_heirs_ceiling_only_with_a_reason) {
    grant_hours("m1", 60);
    choose("m1", "m2");
    set_limit("m2", NULL, LIMIT(30));
    done();
    settle("m1", "m2", DIED);
    refused(ABOVE_CEILING);
    with_why(settle("m1", "m2", DIED), 1);
    warned(ABOVE_CEILING);
    cr_assert_eq(balance("m2"), 60);
}

Test(settle, does_not_go_to_the_brokers_own_account_or_a_frozen_one) {
    grant_hours("m2", 60);
    choose("m2", "m1");
    done();
    as("m1-broker");
    settle("m2", "m1", DIED);
    refused(OWN_HOURS);
    as("broker");
    freeze("m1");
    done();
    settle("m2", "m1", DIED);
    refused(FROZEN);
    says("thaw it first");
}

Test(settle, is_not_reversed) {
    grant_hours("m1", 60);
    Timebank__Order *order = settle("m1", "chest", DIED);
    done();
    reverse(order, 0);
    refused(NOT_REVERSIBLE);
}

Test(settle, tells_of_vouchers_good_at_a_closed_venue_only) {
    uint8_t public[32];
    memcpy(public, key_of("vouchers"), 32);
    as("steward");
    ENTER(set_voucher_key, SET_VOUCHER_KEY, "", "", 0)->set_voucher_key->key =
        keep_bytes(public, 32);
    done();
    as("broker");
    Timebank__Order *order = ENTER(mint_vouchers, MINT_VOUCHERS, "m1", "vouchers", 120);
    order->mint_vouchers->first_serial = 1;
    order->mint_vouchers->count = 2;
    order->mint_vouchers->each_minutes = 60;
    order->mint_vouchers->expires_day = today() + 60;
    order->mint_vouchers->venue = "swim";
    done();
    settle("swim", "retired", ENDED);
    warned(VOUCHERS_LEFT);
    settle("m1", "write-offs", DIED);
    refused(STILL_WAITING);
}

/* ---- being forgotten */

Test(erase, is_of_an_account_that_is_closed_and_empty) {
    as("steward");
    erase("m1", "");
    refused(NOT_EMPTY);
    says("settle it first");
    settle("m1", "chest", DIED);
    erase("m1", "");
    done();
    cr_assert(account_of("m1")->is_erased);
    erase("m1", "");
    refused(ERASED);
    exchange("m1", "m2", 60);
    refused(ERASED);
    says("open a new account");
}

Test(erase, is_a_stewards_and_gives_no_reason) {
    settle("m1", "chest", DIED);
    done();
    erase("m1", "");
    refused(NO_AUTHORITY);
    as("steward");
    erase("m1", "")->note = keep_bytes("12345678901234567890123456789012", 32);
    refused(REASON_NOT_KEPT);
}

Test(erase, is_of_one_person_who_is_gone_from_a_household) {
    Timebank__Order *order = ENTER(set_person, SET_PERSON, "", "m1", 0);
    order->set_person->person = "2";
    done();
    as("steward");
    erase("m1", "3");
    refused(UNKNOWN_PERSON);
    char name[30000];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    erase("m1", name);
    refused(UNKNOWN_PERSON);
    erase("m1", "2");
    refused(NOT_EMPTY);
    order = ENTER(set_person, SET_PERSON, "", "m1", 0);
    order->set_person->person = "2";
    order->set_person->gone = 1;
    erase("m1", "2");
    done();
    erase("m1", "2");
    refused(ERASED);
    order = ENTER(set_person, SET_PERSON, "", "m1", 0);
    order->set_person->person = "2";
    refused(ERASED);
    exchange("m1", "m2", 60);
    done();
}
