/* SPDX-License-Identifier: Apache-2.0 */
/* Credits that lapse by lot: against lots kept one by one, and a sentence for each rule. */
#include "books.h"
#include "daemon/rules.h"

#include <string.h>

#define DAYS 30

static void open_books(void) {
    static const char *const changes[] = {"expiry-days=30", "expiry-cap=120", NULL};
    books_open_with(changes);
    as("broker");
}

TestSuite(expiry, .timeout = 60, .init = open_books, .fini = books_close);
TestSuite(expiry_policy, .timeout = 60, .fini = books_close);

static uint64_t may_expire(const char *code) {
    return rules_expire_minutes(books_state, account_of(code), today(), today());
}

static Timebank__Order *expire(const char *code, uint64_t minutes) {
    Timebank__Order *order = ENTER(expire, EXPIRE, code, "expired", minutes);

    order->service_day = today();
    order->expire->as_of_day = today();
    return order;
}

static void gained(const char *code, uint64_t minutes) {
    with_why(exchange("m4", code, minutes), 4);
    cr_assert_eq(submit(), 0);
}

Test(expiry, takes_what_is_older_than_the_days_of_the_policy) {
    gained("m1", 60);
    wait_days(DAYS - 1);
    cr_assert_eq(may_expire("m1"), 0);
    expire("m1", 60);
    refused(NOTHING_TO_EXPIRE);
    wait_days(1);
    cr_assert_eq(may_expire("m1"), 60);
    expire("m1", 61);
    refused(NOTHING_TO_EXPIRE);
    expire("m1", 60);
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("expired"), 60);
    cr_assert_eq(may_expire("m1"), 0);
}

Test(expiry, lets_the_oldest_be_spent_first) {
    gained("m1", 60);
    wait_days(20);
    gained("m1", 60);
    exchange("m1", "m2", 45);
    done();
    wait_days(10);
    cr_assert_eq(may_expire("m1"), 15);
    wait_days(20);
    cr_assert_eq(may_expire("m1"), 75);
}

Test(expiry, leaves_who_owes_alone) {
    exchange("m1", "m2", 60);
    done();
    gained("m1", 30);
    wait_days(60);
    cr_assert_eq(may_expire("m1"), 0);
    gained("m1", 90);
    wait_days(60);
    cr_assert_eq(may_expire("m1"), 60);
}

Test(expiry, has_a_cap_for_each_day) {
    gained("m1", 90);
    gained("m2", 90);
    wait_days(DAYS);
    expire("m1", 90);
    done();
    expire("m2", 90);
    refused(EXPIRY_CAP);
    expire("m2", 30);
    done();
    wait_days(1);
    expire("m2", 60);
    done();
}

Test(expiry, can_be_taken_back_and_begins_anew) {
    Timebank__Order *order;

    gained("m1", 60);
    wait_days(DAYS);
    order = expire("m1", 60);
    done();
    reverse(order, 0);
    done();
    cr_assert_eq(balance("m1"), 60);
    cr_assert_eq(may_expire("m1"), 0);
    wait_days(DAYS);
    cr_assert_eq(may_expire("m1"), 60);
}

Test(expiry, is_as_of_a_day_that_has_come) {
    Timebank__Order *order;

    gained("m1", 60);
    wait_days(DAYS);
    order = expire("m1", 60);
    order->service_day = order->expire->as_of_day = today() + 1;
    refused(BAD_DATE);
    order = expire("m1", 60);
    order->service_day = today() - 1;
    refused(BAD_DATE);
    order = expire("m1", 60);
    order->service_day = order->expire->as_of_day = today() - 1;
    refused(NOTHING_TO_EXPIRE);
}

Test(expiry, is_a_brokers_to_record) {
    gained("m1", 60);
    wait_days(DAYS);
    as("m1-key");
    expire("m1", 60)->authority = TIMEBANK__AUTHORITY__BY_SELF;
    refused(NO_AUTHORITY);
}

Test(expiry_policy, takes_nothing_unless_a_scheme_wants_it) {
    books_open();
    as("broker");
    gained("m1", 60);
    wait_days(1000);
    cr_assert_eq(may_expire("m1"), 0);
    expire("m1", 60);
    refused(NOTHING_TO_EXPIRE);
}

Test(expiry_policy, counts_what_was_there_before_as_gained_on_its_first_day) {
    books_open();
    as("broker");
    gained("m1", 60);
    wait_days(500);
    as("steward");
    set_policy("expiry-days", "30");
    done();
    as("broker");
    cr_assert_eq(may_expire("m1"), 0);
    wait_days(29);
    cr_assert_eq(may_expire("m1"), 0);
    wait_days(1);
    cr_assert_eq(may_expire("m1"), 60);
    as("steward");
    set_policy("expiry-days", "none");
    done();
    cr_assert_eq(may_expire("m1"), 0);
}

/* ---- against lots */

#define LOTS_MAX 512

struct lots {
    uint32_t day[LOTS_MAX];
    int64_t minutes[LOTS_MAX];
    size_t n;
    int64_t debt;
};

static void lots_gain(struct lots *lots, uint32_t day, int64_t minutes) {
    int64_t repaid = minutes < lots->debt ? minutes : lots->debt;

    lots->debt -= repaid;
    if (minutes == repaid)
        return;
    cr_assert(lots->n < LOTS_MAX);
    lots->day[lots->n] = day;
    lots->minutes[lots->n++] = minutes - repaid;
}

static void lots_spend(struct lots *lots, int64_t minutes) {
    for (size_t i = 0; i < lots->n && minutes > 0; i++) {
        int64_t part = minutes < lots->minutes[i] ? minutes : lots->minutes[i];
        lots->minutes[i] -= part;
        minutes -= part;
    }
    lots->debt += minutes;
}

static int64_t lots_older(const struct lots *lots, uint32_t day) {
    int64_t sum = 0;

    for (size_t i = 0; i < lots->n; i++)
        if (lots->day[i] <= day)
            sum += lots->minutes[i];
    return sum;
}

static uint32_t seed = 20250305;

static uint32_t dice(uint32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

Test(expiry_policy, takes_exactly_what_lots_kept_one_by_one_would) {
    static const char *const changes[] = {"expiry-days=30", "floor-member=none", NULL};
    struct lots lots = {0};

    books_open_with(changes);
    as("broker");
    for (int i = 0; i < 400; i++) {
        int64_t minutes = 15 * (1 + (int64_t)dice(8));
        if (dice(2)) {
            gained("m1", (uint64_t)minutes);
            lots_gain(&lots, today(), minutes);
        } else {
            with_why(exchange("m1", "m4", (uint64_t)minutes), 4);
            cr_assert_eq(submit(), 0);
            lots_spend(&lots, minutes);
        }
        cr_assert_eq(may_expire("m1"), (uint64_t)lots_older(&lots, today() - DAYS), "step %d", i);
        if (may_expire("m1") > 0 && dice(4) == 0) {
            int64_t part = 1 + (int64_t)dice((uint32_t)may_expire("m1"));
            expire("m1", (uint64_t)part);
            done();
            lots_spend(&lots, part);
        }
        wait_days(dice(12));
    }
}
