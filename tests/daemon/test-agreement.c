/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for somebody, told by a bank that is served: listed to whom it concerns, kept over a
 * restart, and ended by the day that was set, whoever is there or not. */
#include <string.h>

#include "base/bytes.h"
#include "harness.h"

TestSuite(agreement, .timeout = STORY_TIMEOUT, .fini = bank_end);

#define KIND(name) TIMEBANK__ORDER__KIND_##name

static void start(void) {
    bank_start_with("claims", "on", "claim-days", "2", "gift", "pending", "gift-days", "3", NULL);
}

static Timebank__Order *proposed(Timebank__Order *order) {
    order->proposal = true;
    return order;
}

static Timebank__Order *gift(const char *from, const char *to, uint64_t minutes) {
    return order_move(KIND(GIFT), from, to, minutes);
}

/* Of the kinds that name a target; exactly the record that stands there is quoted. */
static Timebank__Order *about(Timebank__Order__KindCase kind, const Timebank__Order *target) {
    Timebank__Order *order = order_new(kind);
    struct bytes record = {0};
    struct hash leaf;

    record_order_encode(target, &record);
    leaf = merkle_leaf(record.data, record.n);
    if (kind == KIND(CONFIRM)) {
        order->confirm->quote.data = arena_alloc(&story.arena, sizeof(leaf.b));
        memcpy(order->confirm->quote.data, leaf.b, sizeof(leaf.b));
        order->confirm->quote.len = sizeof(leaf.b);
    }
    bytes_fini(&record);
    /* The target is the first field of each of them. */
    order->confirm->target = target->id;
    return order;
}

static const Timebank__Register *pending_of(enum actor actor) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_REGISTER);

    request->register_->table = TIMEBANK__REGISTER_TABLE__PENDING;
    ask(actor, request);
    cr_assert(!response_refused(), "%s", response_words());
    return story.response->register_;
}

Test(agreement, is_listed_to_whom_it_concerns) {
    const Timebank__Register *rows;

    start();
    recorded(M12, proposed(order_helps("m12", "m30", 45)));
    recorded(M12, proposed(gift("m12", "m7", 30)));
    rows = pending_of(BROKER);
    cr_assert_eq(rows->n_rows, 2);
    cr_assert_str_eq(rows->rows[0]->what, "claim");
    cr_assert_str_eq(rows->rows[0]->account, "m30");
    cr_assert_str_eq(rows->rows[0]->other, "m12");
    cr_assert_eq(rows->rows[0]->minutes, 45);
    cr_assert_eq(rows->rows[0]->due_ms, (TODAY + 3) * DAY_MS);
    cr_assert_str_eq(rows->rows[1]->what, "gift");
    cr_assert_eq(pending_of(M12)->n_rows, 2);
    cr_assert_eq(pending_of(GARDEN)->n_rows, 0);
    expect_balance("m12", -30);
    bank_restart();
    cr_assert_eq(pending_of(BROKER)->n_rows, 2);
}

Test(agreement, that_nobody_gives_ends_while_the_daemon_is_down) {
    start();
    recorded(M12, proposed(order_helps("m12", "m30", 45)));
    recorded(M12, proposed(gift("m12", "m7", 30)));
    bank_stop();
    time_passes(4 * DAY_MS);
    bank_restart();
    recorded(BROKER, order_helps("m7", "m30", 15));
    cr_assert_eq(pending_of(BROKER)->n_rows, 0);
    expect_balance("m12", 45);
    expect_balance("m30", -60);
    bank_restart();
    expect_balance("m12", 45);
}

Test(agreement, comes_before_the_batch_that_comes_on_the_day_after) {
    Timebank__Order *given;

    start();
    given = proposed(gift("m12", "m7", 30));
    recorded(M12, given);
    time_passes(3 * DAY_MS);
    recorded(BROKER, about(KIND(CONFIRM), given));
    given = proposed(gift("m12", "m7", 60));
    recorded(M12, given);
    time_passes(4 * DAY_MS);
    submit(BROKER, about(KIND(CONFIRM), given));
    expect_refused(NOT_WAITING);
    expect_balance("m12", -30);
    expect_balance("m7", 30);
}

Test(agreement, is_tried_out_in_a_dry_run_without_a_trace) {
    struct hash before;
    Timebank__Order *claimed;

    start();
    before = bank_print();
    claimed = proposed(order_helps("m12", "m30", 45));
    dry_run(BROKER, claimed);
    cr_assert(!response_refused(), "%s", response_words());
    dry_run(BROKER, about(KIND(CONFIRM), claimed));
    cr_assert(!response_refused(), "%s", response_words());
    end_dry_run(BROKER);
    expect_nothing_written(before);
}

Test(agreement, of_a_dispute_is_decided_or_lapses) {
    Timebank__Order *entry, *other;

    start();
    entry = order_helps("m7", "m12", 60);
    recorded(BROKER, entry);
    other = order_helps("m30", "m12", 30);
    recorded(BROKER, other);
    for (int i = 0; i < 2; i++) {
        struct parcel *parcel = parcel_new(M12);
        parcel_put_why(parcel, about(KIND(DISPUTE), i ? other : entry), "nobody came");
        parcel_send(parcel);
        expect_recorded();
    }
    expect_balance("m7", 0);
    struct parcel *parcel = parcel_new(BROKER);
    Timebank__Order *decided = about(KIND(DECIDE), entry);
    decided->minutes = 45;
    parcel_put_why(parcel, decided, "a quarter of an hour it was");
    parcel_send(parcel);
    expect_recorded();
    expect_balance("m7", 15);
    expect_balance("m12", -15 - 30);
    time_passes(31 * DAY_MS);
    recorded(BROKER, order_helps("m7", "m30", 15));
    expect_balance("m30", 15);
    cr_assert_eq(pending_of(BROKER)->n_rows, 0);
}
