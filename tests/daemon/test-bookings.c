/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A venue's bookings from the first to the last: held, full, captured, lapsed while nobody looked,
 * added up by month; and what the venue's own key learns of it all.
 */
#include <string.h>

#include "daemon/rules.h"
#include "harness.h"

#define KIND(name) TIMEBANK__ORDER__KIND_##name

static void start(void) {
    bank_start_with("quantum", "1", NULL);
}

TestSuite(bookings, .timeout = STORY_TIMEOUT, .init = start, .fini = bank_end);
TestSuite(desk, .timeout = STORY_TIMEOUT, .fini = bank_end);

static uint32_t today(void) {
    return (uint32_t)(story.wall_ms / DAY_MS);
}

/* One adult swims so many days from now, held until that day ends. */
static Timebank__Order *books(const char *member, uint32_t days) {
    Timebank__Order *order = order_move(KIND(HOLD), member, "pool", 60);

    order->service_day = today() + days;
    order->hold->offer = text_copy("swim");
    order->hold->adults = 1;
    order->hold->until_ms = (uint64_t)(today() + days + 1) * DAY_MS;
    return order;
}

static Timebank__Order *captures(const Timebank__Order *hold, uint64_t minutes) {
    Timebank__Order *order = order_new(KIND(CAPTURE));

    order->minutes = minutes;
    order->capture->target = hold->id;
    return order;
}

static void places_a_day(uint32_t heads) {
    Timebank__Order *order = order_new(KIND(SET_OFFER));

    order->to = text_copy("pool");
    order->set_offer->name = text_copy("swim");
    order->set_offer->price_minutes = 60;
    order->set_offer->heads_a_day = heads;
    recorded(BROKER, order);
}

/* Heads and minutes that the ledger has of the offer in the month of a day. */
static const Timebank__RegisterRow *month_of(enum actor actor, uint32_t day) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_REGISTER);

    request->register_->table = TIMEBANK__REGISTER_TABLE__OFFER_SUMS;
    request->register_->code = text_copy("pool");
    request->register_->from_day = request->register_->to_day = day;
    ask(actor, request);
    cr_assert(!response_refused(), "%s", response_words());
    cr_assert(story.response->register_->n_rows <= 1);
    return story.response->register_->n_rows ? story.response->register_->rows[0] : NULL;
}

Test(bookings, fill_the_day_and_free_it_when_they_lapse) {
    places_a_day(2);
    recorded(M12, books("m12", 3));
    recorded(POOL, books("m7", 3));
    submit(BROKER, books("m30", 3));
    expect_refused(OFFER_FULL);
    bank_restart();
    submit(BROKER, books("m30", 3));
    expect_refused(OFFER_FULL);
    time_passes(4 * DAY_MS);
    tick();
    expect_balance("m12", 0);
    expect_balance("m7", 0);
    expect_balance("transit", 0);
    cr_assert(!month_of(POOL, today()));
    recorded(BROKER, books("m30", 0));
}

Test(bookings, are_captured_up_to_their_last_moment) {
    Timebank__Order *early = books("m12", 1), *late = books("m7", 1);

    recorded(M12, early);
    recorded(BROKER, late);
    time_passes(2 * DAY_MS - (NOON % DAY_MS) - 1);
    submit(POOL, captures(early, 0));
    expect_recorded();
    time_passes(1);
    submit(POOL, captures(late, 0));
    expect_refused(HOLD_LAPSED);
    expect_balance("m12", -60);
    expect_balance("m7", 0);
    expect_balance("pool", 60);
}

Test(bookings, that_are_captured_stand_in_the_month_of_their_day) {
    Timebank__Order *hold = books("m12", 30); /* 3 November */

    recorded(M12, hold);
    time_passes(30 * DAY_MS);
    submit(POOL, captures(hold, 0));
    expect_recorded();
    cr_assert(!month_of(POOL, TODAY));
    cr_assert_eq(month_of(POOL, today())->minutes, 60);
    cr_assert_eq(month_of(BROKER, today())->count, 1);
    cr_assert_str_eq(month_of(POOL, today())->name, "swim");
    bank_restart();
    cr_assert_eq(month_of(POOL, today())->minutes, 60);
}

Test(bookings, may_be_tried_by_a_broker_from_hold_to_capture) {
    struct hash before = bank_print();
    Timebank__Order *hold = books("m12", 0);

    dry_run(BROKER, hold);
    expect_dry();
    dry_run(BROKER, captures(hold, 30));
    expect_dry();
    dry_run(BROKER, captures(hold, 31));
    expect_refused(MORE_THAN_REMAINS);
    end_dry_run(BROKER);
    expect_nothing_written(before);
}

Test(bookings, of_one_venue_are_none_of_anothers_business) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_REGISTER);

    recorded(BROKER, order_open("gym", TIMEBANK__ACCOUNT_KIND__VENUE));
    request->register_->table = TIMEBANK__REGISTER_TABLE__OFFER_SUMS;
    request->register_->code = text_copy("gym");
    request->register_->from_day = request->register_->to_day = today();
    ask(POOL, request);
    expect_refused(NO_AUTHORITY);
    request->register_->code = text_copy("pool");
    ask(M12, request);
    expect_refused(NO_AUTHORITY);
    request->register_->code = text_copy("m12");
    ask(BROKER, request);
    expect_refused(BAD_REQUEST);
    request->register_->code = text_copy("pool");
    request->register_->to_day = today() - 1;
    ask(BROKER, request);
    expect_refused(BAD_PERIOD);
    request->register_->from_day = request->register_->to_day = UINT32_MAX;
    ask(BROKER, request);
    expect_refused(BAD_PERIOD);
}

/* What a member may spend in a day is as much the member's as the balance. */
Test(desk, learns_check_when_it_asks_on_about_what_a_member_may_spend) {
    bank_start_with("spend-day", "60", "quantum", "1", NULL);
    recorded(POOL, order_redeem("m12", "swim", 1, 60));
    for (int i = 0; i < 3; i++) {
        submit(POOL, order_redeem("m12", "swim", 1, 60));
        expect_refused(DAILY_AMOUNT);
    }
    submit(POOL, order_redeem("m12", "swim", 1, 60));
    expect_refused(SEE_COORDINATOR);
}
