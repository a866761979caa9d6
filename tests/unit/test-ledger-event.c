/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What falls due follows from the records alone: in which order, at what ledger time, with which
 * bytes. books_close() goes through everything again and compares each event.
 */
#include "agree.h"
#include "daemon/rules.h"

#include <string.h>

#include "base/clock.h"

static void start(void) {
    agree_open_with(
        (const char *const[]){"gift=pending", "gift-days=2", "claims=on", "claim-days=2", NULL});
}

TestSuite(ledger_event, .timeout = 60, .init = start, .fini = books_close);

#define END_OF(days) (((uint64_t)today() + 1 + (days)) * MS_PER_DAY)

static Timebank__Order *pending_gift(const char *from, const char *to, uint64_t minutes) {
    Timebank__Order *order = proposed(gift(from, to, minutes));
    warned(WAITS);
    return order;
}

/* ---- when */

Test(ledger_event, comes_with_the_end_of_the_last_day_and_not_before) {
    uint64_t due_ms = END_OF(2);
    pending_gift("m1", "m2", 30);
    books_now_ms = due_ms - 1;
    cr_assert_eq(books_run_due(), 0);
    books_now_ms = due_ms;
    cr_assert_eq(books_run_due(), 1);
    cr_assert(event_before(0)->kind == TIMEBANK__EVENT_KIND__GIFT_LAPSED);
    cr_assert_eq(event_before(0)->time_ms, due_ms);
    cr_assert_eq(books_run_due(), 0);
}

Test(ledger_event, is_of_its_due_time_however_late_the_daemon_is) {
    uint64_t due_ms = END_OF(2);
    pending_gift("m1", "m2", 30);
    wait_days(400);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(event_before(0)->time_ms, due_ms);
    cr_assert_eq(books_state->sums.ledger_time_ms, due_ms);
}

Test(ledger_event, comes_in_the_order_of_due_time_and_then_of_recording) {
    Timebank__Order *first = pending_gift("m1", "m2", 30), *second = pending_gift("m3", "m2", 15);
    wait_days(1);
    Timebank__Order *third = pending_gift("m1", "m3", 45);
    wait_days(9);
    cr_assert_eq(books_run_due(), 3);
    cr_assert(memcmp(event_before(2)->follows, first->id.data, ORDER_ID_BYTES) == 0);
    cr_assert(memcmp(event_before(1)->follows, second->id.data, ORDER_ID_BYTES) == 0);
    cr_assert(memcmp(event_before(0)->follows, third->id.data, ORDER_ID_BYTES) == 0);
    cr_assert(event_before(0)->index == event_before(1)->index + 1);
    cr_assert(event_before(0)->time_ms == event_before(1)->time_ms + MS_PER_DAY);
}

Test(ledger_event, stands_before_the_next_batch) {
    uint64_t size;
    pending_gift("m1", "m2", 30);
    wait_days(9);
    size = books_state->sums.size;
    exchange("m3", "m2", 60);
    done();
    cr_assert_eq(event_before(0)->index, size);
    cr_assert_eq(books_entry[0], size + 2);
}

/* ---- what */

Test(ledger_event, gives_back_what_waited_in_transit) {
    pending_gift("m1", "m2", 30);
    cr_assert(balance("m1") == -30 && held("m1") == 30 && balance("transit") == 30);
    wait_days(9);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(event_before(0)->minutes, 30);
    cr_assert(balance("m1") == 0 && held("m1") == 0 && balance("transit") == 0);
    cr_assert_eq(account_of("m1")->last_entry, event_before(0)->index);
    cr_assert_eq(account_of("m1")->last_line, event_before(0)->index);
    cr_assert_eq(account_of("m1")->n_entries, 2);
}

Test(ledger_event, decides_by_the_state_as_it_is_when_it_happens) {
    as("m1-key");
    proposed(exchange("m2", "m1", 60));
    warned(WAITS);
    wait_days(9);
    as("broker");
    cr_assert_eq(books_run_due(), 1);
    cr_assert(event_before(0)->kind == TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED);
    cr_assert(event_before(0)->minutes == 60 && balance("m1") == 60 && balance("m2") == -60);
    as("m1-key");
    proposed(exchange("m3", "m1", 45));
    warned(WAITS);
    as("broker");
    set_limit("m3", LIMIT(0), NULL);
    done();
    wait_days(9);
    cr_assert_eq(books_run_due(), 1);
    cr_assert(event_before(0)->kind == TIMEBANK__EVENT_KIND__CLAIM_LAPSED);
    cr_assert(event_before(0)->minutes == 0 && balance("m1") == 60 && balance("m3") == 0);
}

/* The earlier one may take what the later one would need. */
Test(ledger_event, sees_what_the_one_before_it_did) {
    as("m1-key");
    proposed(exchange("m3", "m1", 45));
    warned(WAITS);
    proposed(exchange("m3", "m1", 30));
    warned(WAITS);
    as("broker");
    set_limit("m3", LIMIT(-60), NULL);
    done();
    wait_days(9);
    cr_assert_eq(books_run_due(), 2);
    cr_assert(event_before(1)->kind == TIMEBANK__EVENT_KIND__CLAIM_ACCEPTED);
    cr_assert(event_before(0)->kind == TIMEBANK__EVENT_KIND__CLAIM_LAPSED);
    cr_assert_eq(balance("m3"), -45);
}

Test(ledger_event, finds_what_was_written_behind) {
    for (uint64_t i = 1; i <= 20; i++) {
        pending_gift("m1", i % 2 ? "m2" : "m3", 15);
        if (i % 7 == 0)
            books_write_behind();
    }
    books_write_behind();
    wait_days(9);
    cr_assert_eq(books_run_due(), 20);
    cr_assert(balance("m1") == 0 && held("m1") == 0);
    books_write_behind();
}
