/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pledges whose day ends while the bank serves or is down, what is listed of them, and what of a
 * session or a repayment is told to whom.
 */
#include <string.h>

#include "daemon/rules.h"
#include "harness.h"

#define PLEDGE_DAYS 10

TestSuite(pledges, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

static uint64_t pledge_of(const char *code, uint64_t minutes) {
    Timebank__Order *order = order_move(TIMEBANK__ORDER__KIND_PLEDGE, "advances", code, minutes);
    struct parcel *parcel;

    order->pledge->due_day = order->service_day + 1 + PLEDGE_DAYS;
    parcel = submit(BROKER, order);
    expect_recorded();
    return parcel->entries[0];
}

/* The open pledges that the actor is told of. */
static const Timebank__Register *pledges_listed(enum actor actor) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_REGISTER);

    request->register_->table = TIMEBANK__REGISTER_TABLE__PENDING;
    ask(actor, request);
    cr_assert(!response_refused(), "%s", response_words());
    return story.response->register_;
}

static uint64_t owed(const char *code) {
    return state_account(bank_state(story.bank), code)->owed_minutes;
}

Test(pledges, fall_due_while_the_bank_is_down_and_stay_listed) {
    uint64_t pledge = pledge_of("m12", 120), size;

    bank_stop();
    time_passes((PLEDGE_DAYS + 2) * DAY_MS);
    bank_restart();
    size = bank_state(story.bank)->sums.size;
    tick();
    cr_assert(bank_state(story.bank)->sums.size > size);
    expect_balance("m12", 120);
    cr_assert_eq(pledges_listed(BROKER)->n_rows, 1);
    cr_assert_eq(pledges_listed(M12)->n_rows, 1);
    cr_assert_eq(pledges_listed(BROKER)->rows[0]->entry, pledge);
    cr_assert_eq(pledges_listed(BROKER)->rows[0]->due_ms, 0, "it waits for no day any more");
    cr_assert_eq(pledges_listed(BROKER)->rows[0]->minutes, 120);
    cr_assert_eq(pledges_listed(BROKER)->rows[0]->count, 120);
    cr_assert_eq(pledges_listed(GARDEN)->n_rows, 0, "it is nobody else's to know");
}

Test(pledges, fall_due_once) {
    uint64_t size;

    pledge_of("m12", 120);
    time_passes((PLEDGE_DAYS + 1) * DAY_MS);
    tick();
    bank_restart();
    size = bank_state(story.bank)->sums.size;
    time_passes(500 * DAY_MS);
    tick();
    cr_assert_eq(bank_state(story.bank)->sums.size, size);
}

Test(pledges, leave_the_list_when_they_are_earned) {
    pledge_of("m12", 60);
    submit(BROKER, order_helps("m12", "m7", 90));
    expect_recorded();
    cr_assert(has_warning(WARNING_REPAID));
    cr_assert_eq(pledges_listed(BROKER)->n_rows, 0);
    cr_assert_eq(owed("m12"), 0);
    expect_balance("advances", 0);
}

Test(pledges, are_the_same_after_a_restart) {
    pledge_of("m12", 60);
    bank_restart();
    submit(BROKER, order_helps("m12", "m7", 30));
    expect_recorded();
    bank_restart();
    cr_assert_eq(owed("m12"), 30);
    cr_assert_eq(pledges_listed(BROKER)->rows[0]->count, 30);
}

Test(pledges, say_nothing_of_a_debt_to_who_was_helped) {
    pledge_of("m7", 60);
    submit(M12, order_helps("m7", "m12", 30));
    expect_recorded();
    cr_assert_not(has_warning(WARNING_REPAID));
    cr_assert_eq(response_answer()->n_other_code, 0);
    cr_assert_eq(owed("m7"), 30);
}

static Timebank__Order *gardens_session(void) {
    static char *givers[] = {"m7", "m12"};
    static uint64_t minutes[] = {60, 90};
    Timebank__Order *order = order_move(TIMEBANK__ORDER__KIND_SESSION, "garden", "", 150);

    order->activity = text_copy("gardening");
    order->session->n_givers = order->session->n_giver_minutes = 2;
    order->session->givers = givers;
    order->session->giver_minutes = minutes;
    return order;
}

Test(pledges, and_sessions_tell_an_organisation_its_own_balance_only) {
    submit(GARDEN, gardens_session());
    expect_recorded();
    cr_assert_eq(response_answer()->n_other_code, 0);
    cr_assert_eq(response_answer()->readable.data[0], 1);
    expect_balance("m7", 60);
    expect_balance("m12", 90);
}

Test(pledges, and_sessions_tell_a_broker_every_balance) {
    submit(BROKER, gardens_session());
    expect_recorded();
    expect_other("m7", 60);
    expect_other("m12", 90);
}
