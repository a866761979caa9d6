/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of agreement share: verbs about an order that was entered before. */
#pragma once

#include "books.h"

#define LIMIT(minutes) (&(int64_t){minutes})

/* Beside those of books_open(): a second broker, brokers whose own account is m1 and m3, and the
 * keys of m2 and m3. */
static inline void agree_open_with(const char *const *changes) {
    books_open_with(changes);
    as("steward");
    grant_key("broker-2", TIMEBANK__ROLE__BROKER, "");
    grant_key("broker-m1", TIMEBANK__ROLE__BROKER, "m1");
    grant_key("other-broker-m1", TIMEBANK__ROLE__BROKER, "m1");
    grant_key("broker-m3", TIMEBANK__ROLE__BROKER, "m3");
    grant_key("m2-key", TIMEBANK__ROLE__ROLE_MEMBER, "m2");
    grant_key("m3-key", TIMEBANK__ROLE__ROLE_MEMBER, "m3");
    done();
    as("broker");
}

static inline void agree_open(void) {
    agree_open_with(NULL);
}

static inline Timebank__Order *proposed(Timebank__Order *order) {
    order->proposal = true;
    return order;
}

static inline Timebank__Order *confirm(const Timebank__Order *target) {
    Timebank__Order *order = ENTER(confirm, CONFIRM, "", "", 0);
    order->confirm->target = target_of(target);
    order->confirm->quote = quote_of(target);
    return order;
}

static inline Timebank__Order *approve(const Timebank__Order *target) {
    Timebank__Order *order = ENTER(approve, APPROVE, "", "", 0);
    order->approve->target = target_of(target);
    order->approve->quote = quote_of(target);
    return order;
}

static inline Timebank__Order *decline(const Timebank__Order *target) {
    Timebank__Order *order = ENTER(decline, DECLINE, "", "", 0);
    order->decline->target = target_of(target);
    return order;
}

static inline Timebank__Order *withdraw(const Timebank__Order *target) {
    Timebank__Order *order = ENTER(withdraw, WITHDRAW, "", "", 0);
    order->withdraw->target = target_of(target);
    return order;
}

static inline Timebank__Order *dispute(const Timebank__Order *target) {
    Timebank__Order *order = ENTER(dispute, DISPUTE, "", "", 0);
    order->dispute->target = target_of(target);
    return with_why(order, 0);
}

/* minutes 0: the entry stands. */
static inline Timebank__Order *decide(const Timebank__Order *target, uint64_t minutes) {
    Timebank__Order *order = ENTER(decide, DECIDE, "", "", minutes);
    order->decide->target = target_of(target);
    return with_why(order, 0);
}

static inline Timebank__Order *trust(const char *receiver, const char *giver, bool ended) {
    Timebank__Order *order = ENTER(set_trust, SET_TRUST, "", receiver, 0);
    order->set_trust->giver = (char *)giver;
    order->set_trust->ended = ended;
    return order;
}

#define expect_event(NAME, count)                                                                  \
    do {                                                                                           \
        cr_assert_eq(books_run_due(), 1);                                                          \
        cr_assert_eq(event_before(0)->kind, TIMEBANK__EVENT_KIND__##NAME);                         \
        cr_assert_eq(event_before(0)->minutes, (count));                                           \
    } while (0)
