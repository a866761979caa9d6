/* SPDX-License-Identifier: Apache-2.0 */
/* Dry runs stack on one another in their session, are judged as what comes before them will stand,
 * and leave nothing. */
#include <string.h>

#include "harness.h"

TestSuite(dry_runs, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

Test(dry_runs, leave_nothing) {
    struct hash before = bank_print();

    dry_run(BROKER, order_helps("m7", "m12", 30));
    expect_dry();
    cr_assert(response_answer()->to_after[0] == 30);
    expect_nothing_written(before);
    end_dry_run(BROKER);
    expect_nothing_written(before);
    bank_restart();
    expect_nothing_written(before);
}

Test(dry_runs, stack_on_one_another) {
    Timebank__Order *order;

    dry_run(BROKER, order_open("m40", TIMEBANK__ACCOUNT_KIND__MEMBER));
    expect_dry();
    order = order_helps("m40", "m12", 30);
    dry_run(BROKER, order);
    expect_dry();
    cr_assert(response_answer()->to_after[0] == 30);
    dry_run(BROKER, order_move(TIMEBANK__ORDER__KIND_GIFT, "m40", "m7", 15));
    expect_dry();
    cr_assert(response_answer()->from_after[0] == 15);
    dry_run(BROKER, order);
    cr_assert(response_answer() && response_answer()->already && response_answer()->dry_run, "%s",
              response_words());
}

Test(dry_runs, are_seen_by_their_own_session_only) {
    dry_run(BROKER, order_open("m40", TIMEBANK__ACCOUNT_KIND__MEMBER));
    expect_dry();
    dry_run(STEWARD, order_helps("m40", "m12", 30));
    expect_refused(NO_SUCH_ACCOUNT);
    submit(BROKER, order_helps("m40", "m12", 30)); /* nor by what the same session records */
    expect_refused(NO_SUCH_ACCOUNT);
}

Test(dry_runs, are_forgotten_at_their_end) {
    dry_run(BROKER, order_open("m40", TIMEBANK__ACCOUNT_KIND__MEMBER));
    expect_dry();
    end_dry_run(BROKER);
    dry_run(BROKER, order_helps("m40", "m12", 30));
    expect_refused(NO_SUCH_ACCOUNT);
    dry_run(BROKER, order_open("m40", TIMEBANK__ACCOUNT_KIND__MEMBER));
    expect_dry();
}

Test(dry_runs, take_back_what_an_earlier_dry_run_entered) {
    Timebank__Order *order = order_helps("m7", "m12", 60);

    dry_run(BROKER, order);
    expect_dry();
    dry_run(BROKER, order_reverse(order, 15));
    expect_dry();
    expect_other("m7", 45);
    expect_other("m12", -45);
    dry_run(BROKER, order_reverse(order, 60));
    expect_refused(MORE_THAN_REMAINS);
    dry_run(BROKER, order_reverse(order, 0));
    expect_dry();
    expect_other("m7", 0);
    dry_run(BROKER, order_reverse(order, 0));
    expect_refused(ALREADY_REVERSED);
    end_dry_run(BROKER);
    dry_run(BROKER, order_reverse(order, 0));
    expect_refused(NO_SUCH_ENTRY);
}

Test(dry_runs, keep_the_good_orders_of_a_refused_batch) {
    struct parcel *parcel = parcel_new(BROKER);
    struct hash before = bank_print();

    parcel->is_dry_run = true;
    parcel_put(parcel, order_open("m40", TIMEBANK__ACCOUNT_KIND__MEMBER));
    parcel_put(parcel, order_open("anna-smith", TIMEBANK__ACCOUNT_KIND__MEMBER));
    parcel_put(parcel, order_helps("m40", "m12", 30));
    parcel_put(parcel, order_helps("m7", "m12", 31));
    parcel_send(parcel);
    expect_n_refusals(2);
    expect_refusal(0, 1, NOT_A_MEMBER_CODE);
    expect_refusal(1, 3, NOT_IN_QUANTUM);
    /* The next part of the same import finds m40 and its 30 minutes; the refused left no trace. */
    dry_run(BROKER, order_move(TIMEBANK__ORDER__KIND_GIFT, "m40", "m7", 30));
    expect_dry();
    cr_assert(response_answer()->from_after[0] == 0 && response_answer()->to_after[0] == 30);
    dry_run(BROKER, order_helps("m7", "anna-smith", 30));
    expect_refused(NO_SUCH_ACCOUNT);
    expect_nothing_written(before);
}

/* As the client does: what was refused is taken out, the same batch asked again. */
Test(dry_runs, answer_the_rest_of_a_refused_batch_when_asked_again) {
    struct parcel *first = parcel_new(BROKER), *again = parcel_new(BROKER);
    Timebank__Order *good = order_helps("m7", "m12", 30), *other = order_helps("m7", "m30", 45);
    const Timebank__Answer *answer;

    first->is_dry_run = again->is_dry_run = true;
    parcel_put(first, good);
    parcel_put(first, order_helps("m7", "nobody", 30));
    parcel_put(first, other);
    parcel_send(first);
    expect_n_refusals(1);
    parcel_put(again, good);
    parcel_put(again, other);
    parcel_send(again);
    answer = response_answer();
    cr_assert(answer && answer->dry_run && answer->already && answer->seal == 0, "%s",
              response_words());
    for (size_t i = 0; i < 2; i++) /* not in the ledger, as the client must be able to tell */
        cr_assert(answer->entries[i] >= 1ull << 62);
    end_dry_run(BROKER);
    again->is_dry_run = false;
    parcel_send(again);
    expect_recorded();
    expect_balance("m7", 75);
}

/* What the ledger itself never sees (the reason's text, the open end) is refused as any rule
 * refuses: without a trace, and only one refusal an order. */
Test(dry_runs, keep_no_order_whose_reason_did_not_come) {
    struct parcel *parcel = parcel_new(BROKER);
    Timebank__Order *order = order_helps("m7", "m12", 30);
    static uint8_t note[32] = {1};

    order->note = (ProtobufCBinaryData){sizeof(note), note};
    parcel->is_dry_run = true;
    parcel_put(parcel, order);
    parcel_put(parcel, order_move(TIMEBANK__ORDER__KIND_GIFT, "m7", "m30", 15));
    parcel_send(parcel);
    expect_refused(BAD_TEXT);
    dry_run(BROKER, order_helps("m7", "m30", 60));
    expect_dry();
    cr_assert(response_answer()->to_after[0] == 60 - 15, "%lld",
              (long long)response_answer()->to_after[0]);
}

Test(dry_runs, keep_no_typed_order_with_an_open_end) {
    struct parcel *parcel = parcel_new(BROKER);

    parcel->is_dry_run = true;
    parcel->header.not_after_ms = 0;
    parcel_put(parcel, order_helps("m7", "m12", 30));
    parcel_send(parcel);
    expect_refused(BAD_NOT_AFTER);
    dry_run(BROKER, order_helps("m7", "m30", 60));
    expect_dry();
    cr_assert(response_answer()->to_after[0] == 60);
}

Test(dry_runs, tell_one_refusal_of_an_order_that_is_known) {
    Timebank__Order *order = m7_helps("m12", 30);
    static uint8_t note[32] = {1};

    order->note = (ProtobufCBinaryData){sizeof(note), note};
    submit(BROKER, order);
    expect_refused_field(ID_DIFFERS, "note");
}

Test(dry_runs, have_a_limit) {
    story.settings.dry_run_orders = 30;
    bank_restart();
    for (int i = 0; i < 3; i++) {
        struct parcel *parcel = parcel_new(BROKER);
        parcel->is_dry_run = true;
        for (int j = 0; j < 10; j++) {
            Timebank__Order *order = order_helps("m7", "m12", 15);
            order->service_day -= (uint32_t)(10 * i + j);
            parcel_put(parcel, order);
        }
        parcel_send(parcel);
        expect_dry();
    }
    dry_run(BROKER, order_helps("m7", "m12", 60));
    expect_refused(TOO_LARGE);
    end_dry_run(BROKER);
    dry_run(BROKER, order_helps("m7", "m12", 60));
    expect_dry();
}

Test(dry_runs, stand_above_what_others_record_meanwhile) {
    dry_run(BROKER, order_helps("m7", "m12", 30));
    expect_dry();
    recorded(STEWARD, order_open("m40", TIMEBANK__ACCOUNT_KIND__MEMBER));
    recorded(STEWARD, order_helps("m40", "m30", 45));
    dry_run(BROKER, order_helps("m7", "m40", 15));
    expect_dry();
    cr_assert(response_answer()->to_after[0] == 45 && response_answer()->from_after[0] == 30);
    dry_run(BROKER, order_open("m41", TIMEBANK__ACCOUNT_KIND__MEMBER));
    expect_dry();
}

Test(dry_runs, are_not_stopped_by_a_clock_that_goes_back) {
    dry_run(BROKER, order_helps("m7", "m12", 30));
    expect_dry();
    time_passes(HOUR_MS);
    dry_run(BROKER, order_helps("m7", "m12", 45));
    expect_dry();
    wall_clock_jumps(-(int64_t)HOUR_MS / 2);
    dry_run(BROKER, order_helps("m7", "m12", 60));
    expect_dry();
}

Test(dry_runs, are_judged_while_nothing_may_be_written) {
    struct hash before = bank_print();

    story.bank->is_draining = true;
    dry_run(BROKER, order_helps("m7", "m12", 30));
    expect_dry();
    expect_nothing_written(before);
}

Test(dry_runs, do_not_use_up_a_batch_id) {
    struct parcel *parcel = parcel_new(BROKER);

    parcel->is_dry_run = true;
    parcel_put(parcel, order_helps("m7", "m12", 30));
    parcel_send(parcel);
    expect_dry();
    parcel->is_dry_run = false;
    parcel_send(parcel);
    expect_recorded();
    parcel->is_dry_run = true; /* in by now: the first answer, not a second dry one */
    parcel_send(parcel);
    cr_assert(response_answer() && response_answer()->already && response_answer()->seal > 0);
}
