/* SPDX-License-Identifier: Apache-2.0 */
/* Venues' rules, one sentence each: what an offer may say, whom it refuses, and its sums. Books
 * open on Wednesday 5 March 2025 at 9:00 UTC, with the offer swim at 60 min. */
#include "books.h"
#include "daemon/rules.h"

#include <string.h>

static void open_books(void) {
    books_open();
    as("broker");
}

TestSuite(offer, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(offer_policy, .timeout = 30, .fini = books_close);

#define MONDAY 1u
#define WEDNESDAY 4u
#define SUNDAY 64u

/* The offer swim with rules of its own; the caller fills them in. */
static Timebank__SetOffer *swim_is(void) {
    return set_offer("swim", "swim", 60)->set_offer;
}

static Timebank__Order *swims(const char *member) {
    return redeem(member, "swim", 1, 60);
}

static void recorded(void) {
    cr_assert(submit() == 0, "%s", books_notes[0].message);
}

static struct state_offer_sum sum_of(enum rules_offer_sum letter, const char *code, uint32_t day) {
    int r = 0;
    struct state_offer_sum sum =
        rules_offer_sum(books_state, letter, "swim", "swim", code, day, &r);
    cr_assert(r == 0);
    return sum;
}

/* ---- days and hours */

Test(offer, that_is_withdrawn_is_refused) {
    swim_is()->withdrawn = true;
    done();
    swims("m1");
    refused(OFFER_WITHDRAWN);
    says("swim was withdrawn: choose another offer.");
    swim_is();
    done();
    swims("m1");
    done();
}

Test(offer, is_on_its_weekdays_only) {
    swim_is()->weekdays = MONDAY | SUNDAY;
    done();
    swims("m1");
    refused(OFFER_NOT_TODAY);
    says("swim is on Mon, Sun, and this is a Wed: choose another day or offer.");
    names_field("service_day");
    on_day(swims("m1"), on("2025-03-03"));
    done();
    on_day(swims("m1"), on("2025-03-02"));
    done();
    swim_is()->weekdays = WEDNESDAY;
    done();
    swims("m1");
    done();
}

Test(offer, has_a_first_and_a_last_day) {
    Timebank__SetOffer *swim = swim_is();
    swim->from_day = on("2025-03-06");
    swim->to_day = on("2025-03-08");
    done();
    swims("m1");
    refused(OFFER_NOT_TODAY);
    says("swim only begins on 2025-03-06");
    wait_days(1);
    swims("m1");
    done();
    wait_days(2);
    swims("m1");
    done();
    wait_days(1);
    swims("m1");
    refused(OFFER_NOT_TODAY);
    says("swim ended on 2025-03-08");
}

Test(offer, is_on_in_its_hours_only) {
    Timebank__SetOffer *swim = swim_is();
    swim->from_minute = 9 * 60;
    swim->to_minute = 12 * 60;
    done();
    swims("m1");
    done();
    wait_minutes(180);
    as("swim-key");
    swims("m1");
    refused(OFFER_NOT_NOW);
    says("swim is on from 9:00 to 12:00, and it is 12:00: come back in its hours");
    wait_minutes(-1);
    swims("m1");
    done();
}

Test(offer, may_be_on_past_midnight) {
    Timebank__SetOffer *swim = swim_is();
    swim->from_minute = 22 * 60;
    swim->to_minute = 2 * 60;
    done();
    swims("m1");
    refused(OFFER_NOT_NOW);
    wait_minutes(13 * 60);
    swims("m1");
    done();
    wait_minutes(3 * 60);
    swims("m1");
    done();
    swim = swim_is();
    swim->from_minute = 9 * 60; /* until midnight */
    done();
    swims("m2");
    refused(OFFER_NOT_NOW);
    says("from 9:00 to 24:00, and it is 1:00");
}

Test(offer, asks_no_hour_of_what_is_typed_later_or_comes_from_a_sheet) {
    Timebank__SetOffer *swim = swim_is();
    swim->from_minute = 12 * 60;
    done();
    on_day(swims("m1"), today() - 1);
    done();
    from_source(swims("m1"), TIMEBANK__SOURCE__SHEET);
    done();
}

Test(offer_policy, keeps_the_hours_of_the_clock_on_the_wall) {
    books_open_with((const char *const[]){"local-time=cet", NULL});
    Timebank__SetOffer *swim = swim_is();
    swim->from_minute = 10 * 60;
    swim->to_minute = 11 * 60;
    done();
    wait_minutes(59);
    swims("m1"); /* 9:59 UTC */
    done();
    wait_minutes(1);
    swims("m1");
    refused(OFFER_NOT_NOW);
    says("and it is 11:00");
}

/* ---- who comes */

Test(offer, for_adults_only_takes_no_one_under_16) {
    swim_is()->ages = TIMEBANK__OFFER_AGES__ADULTS_ONLY;
    done();
    redeem("m1", "swim", 1, 120)->redeem->under16 = 1;
    refused(OFFER_NOT_AT_THIS_AGE);
    says("swim is for adults only: choose another offer for those under 16.");
    names_field("under16");
    swims("m1");
    done();
}

Test(offer, for_those_under_16_takes_no_adult) {
    swim_is()->ages = TIMEBANK__OFFER_AGES__UNDER16_ONLY;
    done();
    swims("m1");
    refused(OFFER_NOT_AT_THIS_AGE);
    redeem("m1", "swim", 0, 60)->redeem->under16 = 1;
    done();
}

Test(offer, may_want_an_adult_with_those_under_16) {
    swim_is()->ages = TIMEBANK__OFFER_AGES__WITH_AN_ADULT;
    done();
    redeem("m1", "swim", 0, 60)->redeem->under16 = 1;
    refused(OFFER_NOT_AT_THIS_AGE);
    says("need an adult with them");
    redeem("m1", "swim", 1, 120)->redeem->under16 = 1;
    done();
    swims("m1");
    done();
}

Test(offer, takes_parties_up_to_a_size) {
    swim_is()->party_max = 2;
    done();
    redeem("m1", "swim", 1, 180)->redeem->under16 = 2;
    refused(PARTY_TOO_LARGE);
    says("swim takes parties of up to 2");
    redeem("m1", "swim", 2, 120);
    done();
}

/* ---- how many */

Test(offer, is_full_when_its_places_of_the_day_are_taken) {
    swim_is()->heads_a_day = 3;
    done();
    redeem("m1", "swim", 2, 120);
    done();
    redeem("m2", "swim", 2, 120);
    refused(OFFER_FULL);
    says("swim is full on 2025-03-05, 2 of 3 places are taken");
    Timebank__Order *third = swims("m3");
    done();
    swims("m2");
    refused(OFFER_FULL);
    on_day(swims("m2"), today() - 1); /* another day */
    done();
    reverse(third, 0);
    done();
    swims("m2");
    done();
}

Test(offer, counts_two_of_one_batch_one_after_the_other) {
    swim_is()->heads_a_day = 1;
    done();
    swims("m1");
    swims("m2");
    cr_assert_eq(submit(), 1);
    cr_assert_eq(refusal_at(1)->number, REFUSAL_OFFER_FULL);
}

Test(offer, may_be_used_so_often_by_one_member_in_a_month) {
    swim_is()->times_a_month = 2;
    done();
    swims("m1");
    done();
    Timebank__Order *second = redeem("m1", "swim", 3, 180);
    done();
    swims("m1");
    refused(PER_PERSON_USED_UP);
    says("One member may use swim 2 times a month");
    swims("m2");
    done();
    on_day(swims("m1"), on("2025-02-28"));
    done();
    reverse(second, 60); /* a part: they did come */
    done();
    swims("m1");
    refused(PER_PERSON_USED_UP);
    reverse(second, 0);
    done();
    swims("m1");
    done();
}

Test(offer, has_a_budget_of_the_month) {
    swim_is()->minutes_a_month = 150;
    done();
    redeem("m1", "swim", 2, 120);
    done();
    swims("m2");
    refused(OFFER_BUDGET);
    says("swim has used up its budget of that month: choose another month or offer.");
    on_day(swims("m2"), on("2025-02-28"));
    done();
    swim_is()->minutes_a_month = 180;
    done();
    swims("m2");
    done();
}

Test(offer, sums_what_was_taken_less_what_was_taken_back) {
    Timebank__Order *first = redeem("m1", "swim", 2, 180);
    first->redeem->under16 = 1;
    swims("m1");
    done();
    cr_assert_eq(sum_of(OFFER_MONTH, "", today()).minutes, 240);
    cr_assert_eq(sum_of(OFFER_MONTH, "", today()).heads, 4);
    cr_assert_eq(sum_of(OFFER_MONTH, "", today()).times, 2);
    cr_assert_eq(sum_of(OFFER_PERSON, "m1", on("2025-03-31")).times, 2);
    cr_assert_eq(sum_of(OFFER_PERSON, "m2", today()).times, 0);
    reverse(first, 60);
    done();
    cr_assert_eq(sum_of(OFFER_MONTH, "", today()).minutes, 180);
    cr_assert_eq(sum_of(OFFER_MONTH, "", today()).heads, 4);
    books_write_behind();
    reverse(first, 0);
    done();
    cr_assert_eq(sum_of(OFFER_MONTH, "", today()).minutes, 60);
    cr_assert_eq(sum_of(OFFER_MONTH, "", today()).heads, 1);
    cr_assert_eq(sum_of(OFFER_DAY, "", today()).heads, 1);
    cr_assert_eq(sum_of(OFFER_PERSON, "m1", today()).times, 1);
}

/* ---- who may insist */

Test(offer, lets_a_broker_insist_with_a_reason) {
    Timebank__SetOffer *swim = swim_is();
    swim->weekdays = MONDAY;
    swim->party_max = 1;
    done();
    redeem("m1", "swim", 2, 120)->override = OVERRIDES_RULES;
    refused(NEEDS_WHY);
    with_why(redeem("m1", "swim", 2, 120), OVERRIDES_RULES);
    recorded();
    cr_assert_eq(books_n_notes, 2);
    cr_assert(was_warned(WARNING_VENUE_RULE));
    says("swim is on Mon, and this is a Wed.");
    as("swim-key");
    with_why(swims("m1"), OVERRIDES_RULES);
    refused(NO_AUTHORITY);
}

Test(offer, warns_of_what_history_did) {
    swim_is()->weekdays = MONDAY;
    done();
    as("steward");
    from_source(swims("m1"), TIMEBANK__SOURCE__HISTORY);
    warned(VENUE_RULE);
}

Test(offer, warns_a_broker_who_corrects_and_not_a_venue) {
    Timebank__Order *wrong = swims("m1");
    done();
    swim_is()->weekdays = MONDAY;
    done();
    as("swim-key");
    reverse(wrong, 0);
    correcting(redeem("m1", "swim", 2, 120), wrong);
    refused(OFFER_NOT_TODAY);
    as("broker");
    reverse(wrong, 0);
    correcting(redeem("m1", "swim", 2, 120), wrong);
    warned(VENUE_RULE);
}

/* ---- setting one */

Test(offer, that_contradicts_itself_is_refused) {
    Timebank__SetOffer *swim = swim_is();
    swim->from_day = today();
    swim->to_day = today() - 1;
    refused(BAD_DATE);
    swim_is()->weekdays = 128;
    refused(BAD_NUMBER);
    swim = swim_is();
    swim->from_minute = swim->to_minute = 60;
    refused(BAD_NUMBER);
    swim_is()->from_minute = 1440;
    refused(BAD_NUMBER);
    swim_is()->minutes_a_month = UINT64_MAX;
    refused(TOO_LONG);
}

Test(offer, that_is_set_anew_forgets_its_old_rules) {
    swim_is()->weekdays = MONDAY;
    done();
    swim_is();
    done();
    swims("m1");
    done();
}

Test(offer, is_redeemed_at_its_price_whatever_the_quantum_became) {
    set_offer("swim", "sauna", 45);
    done();
    as("steward");
    set_policy("quantum", "60");
    done();
    as("broker");
    redeem("m1", "swim", 1, 45)->redeem->offer = "sauna";
    done();
    with_why(redeem("m1", "swim", 1, 50), OVERRIDES_PRICE)->redeem->offer = "sauna";
    refused(NOT_IN_QUANTUM);
    with_why(redeem("m1", "swim", 1, 60), OVERRIDES_PRICE)->redeem->offer = "sauna";
    warned(NOT_THE_PRICE);
    as("steward");
    set_offer("swim", "sauna", 45);
    refused(NOT_IN_QUANTUM);
    set_offer("swim", "sauna", 45)->set_offer->withdrawn = true;
    done();
}

/* As before there were rules of offers: a ledger that holds such entries must go on replaying. */
Test(offer, without_rules_is_taken_by_a_venues_key_on_any_day) {
    as("swim-key");
    on_day(swims("m1"), today() - 20);
    done();
    on_day(swims("m1"), today() + 1);
    done();
}

Test(offer, that_goes_by_the_day_is_taken_by_a_venues_key_today_or_yesterday) {
    as("steward");
    set_offer("swim", "swim", 60)->set_offer->heads_a_day = 100;
    done();
    as("swim-key");
    on_day(swims("m1"), today() - 2);
    refused(BAD_DATE);
    says("not on 2025-03-03: check the date, or ask a broker");
    on_day(swims("m1"), today() + 1);
    refused(BAD_DATE);
    on_day(swims("m1"), today() - 1);
    done();
    as("broker");
    on_day(swims("m1"), today() - 2);
    done();
}
