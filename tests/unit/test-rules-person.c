/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who acts: the persons of a household, those under 18, mandates, and whom the coordinator keeps
 * apart (rules-person.c, rules-mandate.c, rules-safeguard.c). Each test ends with the laws and a
 * replay from the start.
 */
#include "books.h"

#include <string.h>

#define GUARDIAN TIMEBANK__MANDATE_KIND__GUARDIAN
#define CARER TIMEBANK__MANDATE_KIND__CARER
#define BY_GUARDIAN TIMEBANK__AUTHORITY__BY_GUARDIAN

static void open_books(void) {
    books_open();
    as("steward");
    grant_key("m2-key", TIMEBANK__ROLE__ROLE_MEMBER, "m2");
    grant_key("m1-broker", TIMEBANK__ROLE__BROKER, "m1");
    done();
    as("broker");
}

TestSuite(person, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(under_18, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(mandate, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(safeguard, .timeout = 30, .init = open_books, .fini = books_close);

/* ---- what is entered */

static Timebank__Order *set_person(const char *code, const char *person, bool minor, bool gone) {
    Timebank__Order *order = ENTER(set_person, SET_PERSON, "", code, 0);
    order->set_person->person = (char *)person;
    order->set_person->minor = minor;
    order->set_person->gone = gone;
    return order;
}

static Timebank__Order *set_mandate(const char *holder, const char *ward,
                                    Timebank__MandateKind kind, uint32_t from_day,
                                    uint32_t to_day) {
    Timebank__Order *order = ENTER(set_mandate, SET_MANDATE, "", ward, 0);
    order->set_mandate->holder = (char *)holder;
    order->set_mandate->kind = kind;
    order->set_mandate->from_day = from_day;
    order->set_mandate->to_day = to_day;
    return order;
}

static Timebank__Order *safeguard(const char *code, const char *other, bool lifted) {
    Timebank__Order *order = ENTER(safeguard, SAFEGUARD, "", code, 0);
    order->safeguard->other = (char *)other;
    order->safeguard->lifted = lifted;
    return order;
}

static Timebank__Order *persons(Timebank__Order *order, const char *from, const char *to) {
    order->from_person = (char *)from;
    order->to_person = (char *)to;
    return order;
}

static Timebank__Order *by(Timebank__Order *order, Timebank__Authority authority) {
    order->authority = authority;
    return order;
}

/* m2 is shared by the first person and by 2. */
static void open_household(void) {
    set_person("m2", "2", false, false);
    done();
    cr_assert_eq(account_of("m2")->n_persons, 1);
}

/* ---- households */

Test(person, is_named_where_several_share_an_account) {
    open_household();
    exchange("m1", "m2", 60);
    refused(NAME_THE_PERSON);
    names_field("to_person");
    says("Several persons share m2: name the one, as m2/2.");
    gift("m2", "m1", 60);
    refused(NAME_THE_PERSON);
    names_field("from_person");
    persons(exchange("m1", "m2", 60), "", "2");
    persons(exchange("m1", "m2", 45), "", "1");
    persons(redeem("m2", "swim", 1, 60), "2", "");
    done();
    cr_assert_eq(balance("m2"), 45);
}

Test(person, need_not_be_named_where_there_is_only_one) {
    persons(exchange("m1", "m2", 60), "1", "");
    persons(exchange("m1", "m2", 30), "", "1");
    done();
}

Test(person, has_to_be_one_of_the_account) {
    persons(exchange("m1", "m2", 60), "", "3");
    refused(UNKNOWN_PERSON);
    says("m2 has no person 3: check the number, or add it with timebank person add.");
    persons(earn("food-bank", "m2", 60), "2", "");
    refused(UNKNOWN_PERSON);
    as("m1-key");
    persons(exchange("m1", "m2", 60), "", "3");
    refused(UNKNOWN_PERSON);
    says("see the coordinator");
}

Test(person, is_called_by_a_number_or_a_letter_for_names_do_not_belong_in_the_ledger) {
    for (const char *name = "anna\0"
                            "1234\0"
                            "B\0"
                            "2a\0"
                            "ab\0";
         *name; name += strlen(name) + 1) {
        set_person("m2", name, false, false);
        refused(BAD_TEXT);
        names_field("person");
    }
    for (const char *name = "2\0"
                            "999\0"
                            "b\0"
                            "p12\0";
         *name; name += strlen(name) + 1)
        set_person("m2", name, false, false);
    done();
    cr_assert_eq(account_of("m2")->n_persons, 4);
}

Test(person, who_leaves_the_household_is_named_no_more_and_may_come_back) {
    open_household();
    set_person("m2", "2", false, true);
    done();
    cr_assert_eq(account_of("m2")->n_persons, 0);
    exchange("m1", "m2", 60);
    done();
    persons(exchange("m1", "m2", 30), "", "2");
    refused(UNKNOWN_PERSON);
    set_person("m2", "2", false, true);
    refused(UNKNOWN_PERSON);
    set_person("m2", "2", false, false);
    done();
    exchange("m1", "m2", 45);
    refused(NAME_THE_PERSON);
}

Test(person, who_is_left_alone_need_not_be_named_even_if_the_first_one_left) {
    open_household();
    set_person("m2", "1", false, true);
    exchange("m1", "m2", 60);
    done();
    persons(exchange("m1", "m2", 30), "", "1");
    refused(UNKNOWN_PERSON);
}

Test(person, the_last_one_does_not_leave_a_household_but_the_account) {
    set_person("m2", "", false, true);
    refused(NOT_LEAVING);
    says("begin with timebank account leave");
    open_household();
    set_person("m2", "", false, true);
    done();
    set_person("m2", "2", false, true);
    refused(NOT_LEAVING);
}

Test(person, of_a_household_are_no_duplicates_of_each_other) {
    open_household();
    persons(exchange("m1", "m2", 60), "", "1");
    persons(exchange("m1", "m2", 60), "", "2");
    done();
    persons(exchange("m1", "m2", 60), "", "2");
    refused(LOOKS_LIKE);
}

Test(person, is_not_asked_for_by_the_old_books) {
    open_household();
    as("steward");
    from_source(on_day(exchange("m1", "m2", 60), on("2024-01-01")), TIMEBANK__SOURCE__HISTORY);
    cr_assert_eq(submit(), 0);
}

Test(person, belongs_to_a_member_and_is_set_by_a_broker) {
    set_person("food-bank", "2", false, false);
    refused(WRONG_KIND);
    as("m2-key");
    set_person("m2", "2", false, false);
    refused(NO_AUTHORITY);
    as("broker");
    close_account("m2");
    done();
    set_person("m2", "2", false, false);
    refused(CLOSED);
}

/* ---- under 18 */

Test(under_18, may_enter_for_themselves_unless_a_policy_says_otherwise) {
    set_person("m1", "", true, false);
    done();
    as("m1-key");
    gift("m1", "m2", 15);
    done();
}

Test(under_18, needs_a_guardian_by_policy) {
    as("steward");
    set_policy("under-18", "guardian");
    set_person("m1", "", true, false);
    done();
    as("m1-key");
    gift("m1", "m2", 15);
    refused(NEEDS_GUARDIAN);
    says("ask the guardian or a broker");
    as("broker");
    gift("m1", "m2", 15);
    set_mandate("m2", "m1", CARER, today(), 0);
    done();
    as("m2-key");
    by(donate("m1", 15), BY_GUARDIAN);
    refused(NEEDS_GUARDIAN);
    as("broker");
    set_mandate("m2", "m1", GUARDIAN, today(), 0);
    done();
    as("m2-key");
    by(donate("m1", 15), BY_GUARDIAN);
    done();
}

Test(under_18, is_a_brokers_to_enter_where_the_policy_refuses) {
    as("steward");
    set_policy("under-18", "refuse");
    set_person("m1", "", true, false);
    set_mandate("m2", "m1", GUARDIAN, today(), 0);
    done();
    as("m2-key");
    by(donate("m1", 15), BY_GUARDIAN);
    refused(NEEDS_GUARDIAN);
    says("A broker enters for somebody under 18 here: ask one.");
    as("broker");
    donate("m1", 15);
    done();
}

Test(under_18, is_one_person_of_a_household_and_not_the_others) {
    as("steward");
    set_policy("under-18", "guardian");
    set_person("m1", "2", true, false);
    done();
    as("m1-key");
    persons(donate("m1", 15), "2", "");
    refused(NEEDS_GUARDIAN);
    persons(donate("m1", 15), "1", "");
    done();
}

Test(under_18, is_known_even_when_they_are_the_only_one_left) {
    as("steward");
    set_policy("under-18", "guardian");
    set_person("m1", "2", true, false);
    set_person("m1", "1", false, true);
    done();
    as("m1-key");
    donate("m1", 15);
    refused(NEEDS_GUARDIAN);
}

/* ---- mandates */

Test(mandate, lets_one_member_enter_for_another_and_says_so_in_the_entry) {
    set_mandate("m2", "m1", CARER, today(), 0);
    done();
    as("m2-key");
    by(exchange("m1", "m3", 60), BY_GUARDIAN);
    by(gift("m1", "m3", 15), BY_GUARDIAN);
    done();
    cr_assert_eq(balance("m1"), -75);
    gift("m1", "m3", 30);
    refused(WRONG_AUTHORITY);
    by(gift("m2", "m3", 30), BY_GUARDIAN);
    refused(WRONG_AUTHORITY);
}

Test(mandate, is_asked_for_by_nobody_else) {
    set_mandate("m2", "m1", CARER, today(), 0);
    done();
    as("m2-key");
    by(gift("m3", "m4", 15), BY_GUARDIAN);
    refused(NO_AUTHORITY);
    as("m1-key");
    by(gift("m2", "m4", 15), BY_GUARDIAN);
    refused(NO_AUTHORITY);
    says("This key acts for m1 only");
}

Test(mandate, begins_and_ends) {
    set_mandate("m2", "m1", CARER, today() + 2, today() + 3);
    done();
    as("m2-key");
    for (int day = 0; day < 6; day++, wait_days(1)) {
        by(gift("m1", "m3", 15), BY_GUARDIAN);
        if (day == 2 || day == 3)
            done();
        else
            refused(MANDATE_OVER);
    }
    as("broker");
    set_mandate("m2", "m1", CARER, today() - 1, today() - 1);
    done();
    as("m2-key");
    by(gift("m1", "m3", 15), BY_GUARDIAN);
    refused(MANDATE_OVER);
    says("ask a broker");
}

Test(mandate, is_not_in_force_while_its_holder_is_frozen) {
    set_mandate("m2", "m1", CARER, today(), 0);
    freeze("m2");
    done();
    as("m2-key");
    by(gift("m1", "m3", 15), BY_GUARDIAN);
    refused(MANDATE_OVER);
}

Test(mandate, credits_nobody_out_of_the_account_they_look_after) {
    set_mandate("m2", "m1", GUARDIAN, today(), 0);
    done();
    as("m2-key");
    by(exchange("m1", "m2", 60), BY_GUARDIAN);
    refused(OWN_HOURS);
    says("ask a broker to enter this");
    by(gift("m1", "m2", 60), BY_GUARDIAN);
    refused(OWN_HOURS);
}

Test(mandate, is_a_brokers_to_set_and_not_for_themselves) {
    as("m2-key");
    set_mandate("m2", "m1", CARER, today(), 0);
    refused(NO_AUTHORITY);
    as("m1-broker");
    set_mandate("m1", "m2", CARER, today(), 0);
    refused(PARTY);
    set_mandate("m2", "m1", CARER, today(), 0);
    refused(PARTY);
}

Test(mandate, is_between_two_open_members_and_has_a_first_day) {
    set_mandate("m9", "m1", CARER, today(), 0);
    refused(NO_SUCH_ACCOUNT);
    names_field("holder");
    set_mandate("food-bank", "m1", CARER, today(), 0);
    refused(WRONG_KIND);
    set_mandate("m1", "m1", CARER, today(), 0);
    refused(SAME_ACCOUNT);
    set_mandate("m2", "m1", CARER, 0, 0);
    refused(BAD_DATE);
    set_mandate("m2", "m1", CARER, today(), today() - 1);
    refused(BAD_DATE);
    set_mandate("m2", "m1", TIMEBANK__MANDATE_KIND__MANDATE_NONE, today(), 0);
    refused(NOT_CANONICAL);
    close_account("m2");
    done();
    set_mandate("m2", "m1", CARER, today(), 0);
    refused(CLOSED);
}

/* ---- safeguarding */

Test(safeguard, sends_everybody_to_the_coordinator_and_says_nothing_more) {
    safeguard("m1", "", false);
    done();
    exchange("m1", "m2", 60);
    refused(SEE_COORDINATOR);
    cr_assert_str_eq(books_notes[0].message, refusal_sentence(REFUSAL_SEE_COORDINATOR));
    names_field("");
    earn("food-bank", "m1", 60);
    refused(SEE_COORDINATOR);
    log_hours("m1", 60);
    refused(SEE_COORDINATOR);
    donate("m1", 15);
    refused(SEE_COORDINATOR);
    as("swim-key");
    redeem("m1", "swim", 1, 60);
    refused(SEE_COORDINATOR);
    as("m1-key");
    gift("m1", "m3", 15);
    refused(SEE_COORDINATOR);
}

Test(safeguard, holds_a_pair_apart_whichever_way_and_leaves_the_rest) {
    safeguard("m2", "m1", false);
    exchange("m1", "m3", 60);
    exchange("m2", "m3", 60);
    done();
    exchange("m1", "m2", 60);
    refused(SEE_COORDINATOR);
    gift("m2", "m1", 15);
    refused(SEE_COORDINATOR);
}

Test(safeguard, is_lifted_by_whoever_may_set_it) {
    safeguard("m1", "m2", false);
    safeguard("m1", "", false);
    done();
    safeguard("m2", "m1", true);
    done();
    exchange("m1", "m3", 60);
    refused(SEE_COORDINATOR);
    safeguard("m1", "", true);
    exchange("m1", "m2", 60);
    done();
    safeguard("m1", "", true);
    refused(NO_SUCH_ENTRY);
    as("m1-key");
    safeguard("m1", "", false);
    refused(NO_AUTHORITY);
}

Test(safeguard, stands_before_what_was_booked_or_proposed_earlier) {
    Timebank__Order *hold = ENTER(hold, HOLD, "m1", "swim", 60);
    hold->hold->offer = "swim";
    hold->hold->adults = 1;
    on_day(hold, today());
    hold->hold->until_ms = books_now_ms + 3600 * 1000;
    Timebank__Order *claim = exchange("m1", "m2", 60);
    claim->proposal = 1;
    cr_assert_eq(submit(), 0, "%s", books_notes[0].message);
    safeguard("m1", "", false);
    done();
    on_day(ENTER(capture, CAPTURE, "", "", 0), 0)->capture->target = target_of(hold);
    refused(SEE_COORDINATOR);
    as("m1-key");
    Timebank__Order *yes = ENTER(confirm, CONFIRM, "", "", 0);
    yes->confirm->target = target_of(claim);
    yes->confirm->quote = quote_of(claim);
    refused(SEE_COORDINATOR);
    as("broker");
    ENTER(release, RELEASE, "", "", 0)->release->target = target_of(hold);
    done();
    cr_assert_eq(balance("m1"), 0);
}

Test(safeguard, keeps_no_reason) {
    Timebank__Order *order = safeguard("m1", "m2", false);
    order->note = keep_bytes("12345678901234567890123456789012", 32);
    refused(REASON_NOT_KEPT);
    says("leave --why out");
}

Test(safeguard, is_not_for_a_broker_who_is_a_party) {
    as("m1-broker");
    safeguard("m1", "", false);
    refused(PARTY);
    safeguard("m2", "m1", false);
    refused(PARTY);
    safeguard("m2", "", false);
    done();
}

Test(safeguard, lets_history_and_corrections_pass) {
    Timebank__Order *order = exchange("m1", "m2", 60);
    done();
    safeguard("m1", "m2", false);
    done();
    reverse(order, 0);
    done();
    as("steward");
    from_source(on_day(exchange("m1", "m2", 60), on("2024-01-01")), TIMEBANK__SOURCE__HISTORY);
    cr_assert_eq(submit(), 0);
}

Test(safeguard, names_two_accounts_that_are_somebodys) {
    safeguard("m1", "m9", false);
    refused(NO_SUCH_ACCOUNT);
    names_field("other");
    safeguard("m1", "m1", false);
    refused(SAME_ACCOUNT);
    safeguard("m1", "chest", false);
    refused(BANK_ACCOUNT);
    safeguard("m1", "swim", false);
    done();
    redeem("m1", "swim", 1, 60);
    refused(SEE_COORDINATOR);
}
