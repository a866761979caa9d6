/* SPDX-License-Identifier: Apache-2.0 */
/* Credits held for a booking, one sentence each: placed, captured, released, lapsed, taken back. */
#include "books.h"
#include "daemon/rules.h"

#include <string.h>

#include "base/clock.h"

static void open_books(void) {
    books_open();
    as("broker");
}

TestSuite(hold, .timeout = 30, .init = open_books, .fini = books_close);
TestSuite(hold_policy, .timeout = 30, .fini = books_close);

#define DAY(day) ((uint64_t)(day)*MS_PER_DAY)

/* Two adults swim in a week, held until that day ends. */
static Timebank__Order *hold(const char *member, uint32_t adults) {
    Timebank__Order *order = ENTER(hold, HOLD, member, "swim", 60 * adults);
    order->service_day = today() + 7;
    order->hold->offer = "swim";
    order->hold->adults = adults;
    order->hold->until_ms = DAY(today() + 8);
    return order;
}

static Timebank__Order *capture(const Timebank__Order *target, uint64_t minutes) {
    Timebank__Order *order = ENTER(capture, CAPTURE, "", "", minutes);
    order->service_day = 0;
    order->capture->target = target_of(target);
    return order;
}

static Timebank__Order *release(const Timebank__Order *target) {
    Timebank__Order *order = ENTER(release, RELEASE, "", "", 0);
    order->release->target = target_of(target);
    return order;
}

static Timebank__Order *held_for_m1(uint32_t adults) {
    Timebank__Order *order = hold("m1", adults);
    done();
    return order;
}

static struct state_offer_sum sum_of(enum rules_offer_sum letter) {
    int r = 0;
    struct state_offer_sum sum =
        rules_offer_sum(books_state, letter, "swim", "swim", "m1", on("2025-03-12"), &r);
    cr_assert(r == 0);
    return sum;
}

static void stands(const char *code, int64_t minutes, int64_t held_minutes) {
    cr_assert_eq(balance(code), minutes, "%s stands at %lld", code, (long long)balance(code));
    cr_assert_eq(held(code), held_minutes, "%s holds %lld", code, (long long)held(code));
}

/* ---- placing */

Test(hold, sets_credits_aside) {
    held_for_m1(2);
    stands("m1", -120, 120);
    stands("transit", 120, 0);
    stands("swim", 0, 0);
}

Test(hold, costs_the_price_and_keeps_to_the_offers_rules_of_its_day) {
    hold("m1", 2)->minutes = 60;
    refused(NOT_THE_PRICE);
    hold("m1", 0)->minutes = 60;
    refused(NO_HEADS);
    hold("m1", 1)->hold->offer = "sauna";
    refused(UNKNOWN_OFFER);
    set_offer("swim", "swim", 60)->set_offer->weekdays = 4; /* Wednesdays */
    done();
    held_for_m1(1);
    Timebank__Order *thursday = hold("m1", 1);
    thursday->service_day = today() + 8;
    thursday->hold->until_ms = DAY(today() + 9);
    refused(OFFER_NOT_TODAY);
}

Test(hold, falls_under_the_floor_of_the_balance) {
    hold("m1", 20);
    done();
    hold("m1", 1);
    refused(BELOW_FLOOR);
    as("swim-key");
    hold("m1", 1);
    refused(BELOW_FLOOR);
    cr_assert(!strpbrk(books_notes[0].message, "0123456789"), "%s", books_notes[0].message);
    as("broker");
    redeem("m1", "swim", 1, 60);
    refused(BELOW_FLOOR);
}

Test(hold, is_for_a_day_to_come_and_not_for_ever) {
    hold("m1", 1)->service_day = today() - 1;
    refused(BAD_DATE);
    hold("m1", 1)->service_day = 0;
    refused(BAD_DATE);
    hold("m1", 1)->hold->until_ms = books_now_ms;
    refused(BAD_DATE);
    hold("m1", 1)->hold->until_ms = DAY(today() + 7);
    refused(BAD_DATE);
    says("hold it until that day or later");
    hold("m1", 1)->hold->until_ms = DAY(today() + 61) + 1;
    refused(BAD_DATE);
    says("Credits are held for 60 days at most");
    hold("m1", 1)->hold->until_ms = DAY(today() + 61);
    done();
}

Test(hold, is_placed_by_the_member_the_venue_or_a_broker) {
    grant_key("m2-key", TIMEBANK__ROLE__ROLE_MEMBER, "m2");
    as("steward");
    done();
    as("m2-key");
    hold("m1", 1);
    refused(NO_AUTHORITY);
    hold("m2", 1);
    done();
    as("swim-key");
    hold("m1", 1)->to = "swim";
    done();
    as("steward");
    open_account("gym", TIMEBANK__ACCOUNT_KIND__VENUE);
    set_offer("gym", "swim", 60);
    done();
    as("swim-key");
    hold("m1", 1)->to = "gym";
    refused(NO_AUTHORITY);
    as("food-key");
    hold("m1", 1);
    refused(NO_AUTHORITY);
}

Test(hold, is_not_placed_on_a_frozen_account) {
    freeze("m1");
    done();
    hold("m1", 1);
    refused(FROZEN);
}

Test(hold, takes_places_of_the_day_and_of_the_budget) {
    Timebank__SetOffer *swim = set_offer("swim", "swim", 60)->set_offer;
    swim->heads_a_day = 3;
    swim->times_a_month = 1;
    done();
    Timebank__Order *first = held_for_m1(2);
    hold("m2", 2);
    refused(OFFER_FULL);
    hold("m1", 1);
    refused(PER_PERSON_USED_UP);
    release(first);
    done();
    swim = set_offer("swim", "swim", 60)->set_offer;
    swim->minutes_a_month = 60;
    done();
    hold("m1", 1);
    done();
    hold("m2", 1);
    refused(OFFER_BUDGET);
}

Test(hold, is_not_reversed) {
    Timebank__Order *order = held_for_m1(1);
    reverse(order, 0);
    refused(NOT_REVERSIBLE);
    says("release it with timebank release");
}

Test(hold_policy, counts_against_a_venues_caps_and_gives_them_back) {
    books_open_with((const char *const[]){"venue-cap-day=120", "venue-cap-member-day=60", NULL});
    as("swim-key");
    Timebank__Order *first = hold("m1", 1);
    done();
    hold("m1", 1);
    refused(CAP);
    redeem("m1", "swim", 1, 60);
    refused(CAP);
    release(first);
    done();
    redeem("m1", "swim", 1, 60);
    done();
}

Test(hold_policy, counts_as_spent_until_it_goes_back) {
    books_open_with((const char *const[]){"spend-day=60", NULL});
    as("m1-key");
    Timebank__Order *first = hold("m1", 1);
    done();
    hold("m1", 1);
    refused(DAILY_AMOUNT);
    release(first);
    done();
    gift("m1", "m2", 60);
    done();
}

/* ---- capturing */

Test(hold, is_captured_on_its_day_as_a_redemption) {
    Timebank__Order *order = held_for_m1(2);
    as("swim-key");
    capture(order, 0);
    refused(FUTURE_DATE);
    says("The booking is for 2025-03-12: capture it on that day");
    wait_days(7);
    capture(order, 0);
    done();
    stands("m1", -120, 0);
    stands("swim", 120, 0);
    stands("transit", 0, 0);
    cr_assert_eq(account_of("m1")->last_day, on("2025-03-12"));
    cr_assert_eq(sum_of(OFFER_MONTH).minutes, 120);
    cr_assert_eq(sum_of(OFFER_MONTH).heads, 2);
    cr_assert_eq(sum_of(OFFER_HELD).minutes, 0);
    cr_assert_eq(sum_of(OFFER_DAY).heads, 2);
    capture(order, 0);
    refused(HOLD_ENDED);
    release(order);
    refused(HOLD_ENDED);
}

Test(hold, is_captured_in_parts_and_its_heads_count_once) {
    Timebank__Order *order = held_for_m1(2);
    wait_days(7);
    capture(order, 30);
    done();
    stands("m1", -120, 90);
    capture(order, 91);
    refused(MORE_THAN_REMAINS);
    says("Only 1 h 30 is held");
    capture(order, 30);
    done();
    cr_assert_eq(sum_of(OFFER_MONTH).heads, 2);
    cr_assert_eq(sum_of(OFFER_MONTH).times, 1);
    cr_assert_eq(sum_of(OFFER_MONTH).minutes, 60);
    cr_assert_eq(sum_of(OFFER_HELD).minutes, 60);
    cr_assert_eq(sum_of(OFFER_HELD).heads, 0);
    release(order);
    done();
    stands("m1", -60, 0);
    stands("swim", 60, 0);
    cr_assert_eq(sum_of(OFFER_DAY).heads, 2);
    cr_assert_eq(sum_of(OFFER_HELD).minutes, 0);
}

Test(hold, may_be_captured_in_part_with_the_rest_given_back) {
    Timebank__Order *order = held_for_m1(2);
    wait_days(7);
    capture(order, 60)->capture->release_rest = true;
    done();
    stands("m1", -60, 0);
    stands("swim", 60, 0);
    stands("transit", 0, 0);
    capture(order, 0);
    refused(HOLD_ENDED);
}

Test(hold, is_captured_by_its_own_venue_only) {
    Timebank__Order *order = held_for_m1(1);
    as("steward");
    open_account("gym", TIMEBANK__ACCOUNT_KIND__VENUE);
    grant_key("gym-key", TIMEBANK__ROLE__ROLE_VENUE, "gym");
    done();
    wait_days(7);
    as("gym-key");
    capture(order, 0);
    refused(NO_AUTHORITY);
    release(order);
    refused(NO_AUTHORITY);
    as("m1-key");
    capture(order, 0);
    refused(NO_AUTHORITY);
    as("swim-key");
    capture(order, 0);
    done();
}

Test(hold, of_a_frozen_member_is_captured_by_a_broker) {
    Timebank__Order *order = held_for_m1(1);
    wait_days(7);
    freeze("m1");
    done();
    as("swim-key");
    capture(order, 0);
    refused(FROZEN);
    as("broker");
    capture(order, 0);
    done();
}

Test(hold, keeps_both_of_its_accounts_from_closing) {
    Timebank__Order *order = held_for_m1(1);
    close_account("swim");
    refused(STILL_WAITING);
    close_account("m1");
    cr_assert_eq(submit(), 1);
    release(order);
    close_account("swim");
    close_account("m1");
    done();
}

Test(hold, and_its_capture_may_stand_in_one_batch) {
    Timebank__Order *order = hold("m1", 1);
    order->service_day = today();
    capture(order, 0);
    done();
    stands("swim", 60, 0);
}

Test(hold, is_nothing_else_that_waits) {
    Timebank__Order *slip = redeem("m1", "swim", 1, 60);
    done();
    capture(slip, 0);
    refused(NOT_WAITING);
    Timebank__Order *unknown = capture(slip, 0);
    unknown->capture->target = keep_bytes("0123456789abcdef", 16);
    refused(NO_SUCH_ENTRY);
}

/* ---- giving back */

Test(hold, is_released_by_member_venue_or_broker) {
    const char *keys[] = {"m1-key", "swim-key", "broker"};
    for (size_t i = 0; i < 3; i++) {
        as("broker");
        Timebank__Order *order = held_for_m1(2);
        as(keys[i]);
        release(order);
        done();
        stands("m1", 0, 0);
        stands("transit", 0, 0);
        cr_assert_eq(sum_of(OFFER_DAY).heads, 0);
        cr_assert_eq(sum_of(OFFER_PERSON).times, 0);
        release(order);
        refused(HOLD_ENDED);
    }
}

Test(hold, of_somebody_else_is_not_released) {
    Timebank__Order *order = hold("m2", 1);
    done();
    as("m1-key");
    release(order);
    refused(NO_AUTHORITY);
}

Test(hold, lapses_when_its_time_has_come) {
    Timebank__Order *order = held_for_m1(2);
    wait_days(8);
    wait_minutes(-9 * 60 - 1);
    cr_assert_eq(books_run_due(), 0);
    wait_minutes(1);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(event_before(0)->kind, TIMEBANK__EVENT_KIND__HOLD_LAPSED);
    cr_assert_eq(event_before(0)->minutes, 120);
    stands("m1", 0, 0);
    cr_assert_eq(sum_of(OFFER_DAY).heads, 0);
    cr_assert_eq(sum_of(OFFER_HELD).minutes, 0);
    capture(order, 0);
    refused(HOLD_LAPSED);
    says("The hold has lapsed");
    release(order);
    refused(HOLD_LAPSED);
}

Test(hold, lapses_with_what_is_left_of_it) {
    Timebank__Order *order = held_for_m1(2);
    wait_days(7);
    capture(order, 60);
    done();
    wait_days(1);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(event_before(0)->minutes, 60);
    stands("m1", -60, 0);
    cr_assert_eq(sum_of(OFFER_DAY).heads, 2);
}

/* ---- taking a capture back */

Test(hold, whose_capture_is_taken_back_gives_from_the_venue_to_the_member) {
    Timebank__Order *order = held_for_m1(2);
    wait_days(7);
    Timebank__Order *taken = capture(order, 0);
    done();
    reverse(taken, 30);
    done();
    stands("m1", -90, 0);
    stands("swim", 90, 0);
    cr_assert_eq(sum_of(OFFER_MONTH).minutes, 90);
    cr_assert_eq(sum_of(OFFER_MONTH).heads, 2);
    reverse(taken, 0);
    done();
    stands("m1", 0, 0);
    stands("swim", 0, 0);
    cr_assert_eq(sum_of(OFFER_MONTH).heads, 0);
    cr_assert_eq(sum_of(OFFER_DAY).heads, 0);
    cr_assert_eq(sum_of(OFFER_PERSON).times, 0);
    reverse(taken, 0);
    refused(ALREADY_REVERSED);
    capture(order, 0);
    refused(HOLD_ENDED);
}

Test(hold, whose_capture_in_part_is_taken_back_waits_on) {
    Timebank__Order *order = held_for_m1(2);
    wait_days(7);
    Timebank__Order *taken = capture(order, 60);
    done();
    reverse(taken, 0);
    done();
    stands("m1", -60, 60);
    cr_assert_eq(sum_of(OFFER_HELD).heads, 2);
    cr_assert_eq(sum_of(OFFER_MONTH).heads, 0);
    cr_assert_eq(sum_of(OFFER_DAY).heads, 2);
    books_write_behind();
    release(order);
    done();
    stands("m1", 0, 0);
    cr_assert_eq(sum_of(OFFER_HELD).heads, 0);
    cr_assert_eq(sum_of(OFFER_DAY).heads, 0);
}

Test(hold, whose_capture_was_its_venues_last_is_undone_by_it_for_some_minutes) {
    Timebank__Order *order = held_for_m1(1);
    wait_days(7);
    as("swim-key");
    Timebank__Order *taken = capture(order, 0);
    done();
    wait_minutes(16);
    reverse(taken, 0);
    refused(TOO_LATE_TO_UNDO);
    wait_minutes(-1);
    reverse(taken, 0);
    done();
    stands("m1", 0, 0);
}

Test(hold, of_a_brokers_own_is_taken_back_by_another) {
    grant_key("broker-m1", TIMEBANK__ROLE__BROKER, "m1");
    as("steward");
    done();
    as("broker");
    Timebank__Order *order = held_for_m1(1);
    wait_days(7);
    Timebank__Order *taken = capture(order, 0);
    done();
    as("broker-m1");
    reverse(taken, 0);
    refused(OWN_HOURS);
}
