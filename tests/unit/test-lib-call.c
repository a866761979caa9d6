/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on a loop of the caller's: many at once, cut off, given up, late, and lied to. */
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "client-state.h"
#include "fake-bank.h"
#include "helpers.h"
#include "proto/refusal.h"
#include "timebank.h"

TestSuite(lib_call, .timeout = 60);

#define MANY 20

static struct fake_bank fake;
static struct tb_bank *bank;
static char state[CLIENT_PATH_BYTES];
static char key[CLIENT_PATH_BYTES];

static struct tb_bank *bank_make(void) {
    return client_state_bank(state, key, 3000);
}

static void setup(void) {
    fake_bank_start(&fake);
    client_state_begin(fake.directory, state, key);
    bank = bank_make();
}

static void teardown(void) {
    bank = tb_bank_free(bank);
    fake_bank_fini(&fake);
}

static size_t files_count(const char *folder) {
    return client_state_files(state, folder, "");
}

/* One turn of a loop as a caller would write it; no turn may wait inside the library. */
static void turn(struct tb_bank *of) {
    int timeout_ms = 0;
    int events = tb_bank_events(of, &timeout_ms);
    struct pollfd pollfd = {.fd = tb_bank_fd(of), .events = (short)events};
    cr_assert(timeout_ms != -1 || events != 0, "nothing would ever happen");
    cr_assert(poll(&pollfd, 1, timeout_ms) >= 0);
    uint64_t before_ms = clock_monotonic_ms();
    cr_assert(tb_bank_process(of) == 0);
    cr_assert(clock_monotonic_ms() - before_ms < 1000, "it waited");
}

static int ended(struct tb_call *call) {
    for (unsigned i = 0; i < 100000 && !tb_call_is_done(call); i++)
        turn(bank);
    cr_assert(tb_call_is_done(call));
    return tb_call_result(call);
}

static void bank_open(void) {
    struct tb_call *call = NULL;
    cr_assert(tb_bank_open_start(bank, fake.address, &call) == 0, "%s", tb_bank_message(bank));
    cr_assert(tb_call_result(call) == -EAGAIN && !tb_call_message(call)[0]);
    cr_assert(ended(call) == 0, "%s", tb_call_message(call));
    tb_call_free(call);
}

static struct tb_batch *batches[MANY];
static struct tb_call *calls[MANY];

static void batches_start(unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        batches[i] = client_state_batch(bank, 1 + i % 3, "m2");
        cr_assert(tb_batch_submit_start(batches[i], &calls[i]) == 0, "%s", tb_bank_message(bank));
    }
}

static void batches_free(unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        calls[i] = tb_call_free(calls[i]);
        batches[i] = tb_batch_free(batches[i]);
    }
}

/* All done, each in the place where an earlier one ended. */
static void batches_expect_done(unsigned n) {
    uint64_t last = 0;
    for (unsigned i = 0; i < n; i++) {
        struct tb_answer *answer = NULL;
        cr_assert(ended(calls[i]) == 0, "%u: %s", i, tb_call_message(calls[i]));
        cr_assert(tb_answer_take(calls[i], &answer) == 0);
        cr_assert(tb_answer_count(answer) == 1 + i % 3 && tb_answer_entry(answer, 0) > last);
        cr_assert(!tb_answer_already(answer, 0), "%u", i);
        last = tb_answer_entry(answer, tb_answer_count(answer) - 1);
        tb_answer_free(answer);
        answer = NULL;
        cr_assert(tb_answer_take(calls[i], &answer) == -EINVAL, "taken once");
    }
}

Test(lib_call, opens_without_waiting, .init = setup, .fini = teardown) {
    struct tb_status status;
    struct tb_call *call = NULL;
    bank_open();
    cr_assert(strcmp(tb_bank_origin(bank), "fake.example/bank") == 0);
    cr_assert(tb_status_start(bank, &call) == 0);
    cr_assert(tb_status_read(call, &status) == -EAGAIN);
    cr_assert(ended(call) == 0);
    cr_assert(tb_status_read(call, &status) == 0 && status.size == fake.n_leaves);
    cr_assert(strcmp(status.version, "0") == 0, "what was read lives as long as the call");
    tb_call_free(call);
}

Test(lib_call, says_how_an_opening_failed, .init = setup, .fini = teardown) {
    struct tb_call *call = NULL;
    cr_assert(tb_bank_open_start(bank, "tcp:host", &call) == -EINVAL && !call);
    cr_assert(tb_bank_open_start(bank, "unix:/nowhere/at/all", &call) == 0);
    cr_assert(ended(call) == TB_NO_BANK && strstr(tb_call_message(call), "timebankd run"));
    call = tb_call_free(call);
    cr_assert(tb_status_start(bank, &call) == -ENOTCONN && !call);
    fake.lie = FAKE_WELCOME;
    cr_assert(tb_bank_open_start(bank, fake.address, &call) == 0);
    cr_assert(ended(call) == -EBADMSG && tb_bank_evidence(bank)[0]);
    tb_call_free(call);
}

Test(lib_call, records_many_batches_at_once_and_in_order, .init = setup, .fini = teardown) {
    bank_open();
    batches_start(MANY);
    cr_assert(files_count("outbox") == MANY, "each is kept before it leaves");
    batches_expect_done(MANY);
    cr_assert(fake.n_batches == MANY && fake.n_submits == MANY && files_count("outbox") == 0);
    uint64_t size = 0;
    tb_bank_position(bank, &size, NULL);
    cr_assert(size == fake.n_leaves);
    batches_free(MANY);
}

Test(lib_call, answers_that_follow_one_another_need_no_other_question, .init = setup,
     .fini = teardown) {
    bank_open();
    for (unsigned i = 0; i < 3; i++) {
        int n_before = fake.n_requests;
        batches_start(MANY);
        batches_expect_done(MANY);
        cr_assert(fake.n_requests == n_before + MANY, "%d", fake.n_requests - n_before);
        batches_free(MANY);
    }
}

Test(lib_call, asks_everything_in_both_forms, .init = setup, .fini = teardown) {
    struct tb_call *started[4] = {};
    struct tb_report_ask ask = {.from_day = 1, .to_day = 2};
    struct tb_entry entry, same;
    char *json = NULL, *again = NULL;
    bank_open();
    batches_start(1);
    batches_expect_done(1);
    cr_assert(tb_report_start(bank, &ask, &started[0]) == 0);
    cr_assert(tb_entry_start(bank, 3, &started[1]) == 0);
    cr_assert(tb_entry_start(bank, 3, &started[2]) == 0);
    /* The blocking form meanwhile: it moves the others along. */
    cr_assert(tb_entry_get(bank, 3, &same) == 0, "%s", tb_bank_message(bank));
    cr_assert(same.order.minutes == 60 && strcmp(same.order.why, "because") == 0);
    cr_assert(ended(started[0]) == 0 && ended(started[1]) == 0 && ended(started[2]) == 0);
    cr_assert(tb_entry_read(started[1], &entry) == 0 && entry.number == same.number);
    cr_assert(tb_entry_read(started[0], &entry) == -EINVAL, "a report is no entry");
    cr_assert(tb_report_read(started[0], &json) == 0 && strlen(json) > 300 * 1024);
    cr_assert(tb_report_get(bank, &ask, &again) == 0 && strcmp(json, again) == 0);
    free(json);
    free(again);
    for (unsigned i = 0; i < 4; i++)
        tb_call_free(started[i]);
    cr_assert(tb_bank_settle_start(bank, &started[3]) == 0);
    size_t n_settled = 9;
    cr_assert(tb_call_wait(started[3]) == 0 && tb_bank_settle_read(started[3], &n_settled) == 0);
    cr_assert(n_settled == 0);
    tb_call_free(started[3]);
    batches_free(1);
}

Test(lib_call, stacks_dry_runs, .init = setup, .fini = teardown) {
    bank_open();
    struct tb_batch *batch = client_state_batch(bank, 2, "m2");
    struct tb_call *first = NULL, *second = NULL, *end = NULL;
    struct tb_answer *answer = NULL;
    cr_assert(tb_batch_dry_run_start(batch, &first) == 0);
    cr_assert(tb_batch_dry_run_start(batch, &second) == -EBUSY, "the batch is under way");
    cr_assert(tb_call_wait(first) == 0 && tb_answer_take(first, &answer) == 0);
    tb_answer_free(answer);
    cr_assert(tb_batch_dry_run_start(batch, &second) == 0 && ended(second) == 0);
    cr_assert(fake.n_dry_runs == 2 && fake.n_batches == 0 && files_count("outbox") == 0);
    cr_assert(tb_bank_end_dry_run_start(bank, &end) == 0 && ended(end) == 0);
    cr_assert(fake.n_dry_runs == 0);
    tb_call_free(first);
    tb_call_free(second);
    tb_call_free(end);
    tb_batch_free(batch);
}

Test(lib_call, walks_lists_item_by_item, .init = setup, .fini = teardown) {
    struct tb_list *list = NULL;
    const struct tb_balance *balance = NULL;
    int64_t n = 0;
    bank_open();
    cr_assert(tb_account_begin(bank, &list) == 0);
    for (;;) {
        while (!tb_list_is_ready(list))
            turn(bank);
        balance = tb_account_next(list);
        if (!balance)
            break;
        cr_assert(balance->minutes == n++);
    }
    cr_assert(n == 7 && !tb_account_next(list), "the end stays the end");
    cr_assert(tb_list_end(list) == 0);
    /* The same, waiting; and given up in the middle. */
    cr_assert(tb_account_begin(bank, &list) == 0);
    for (n = 0; n < 3; n++)
        cr_assert(tb_account_next(list)->minutes == n);
    cr_assert(tb_list_end(list) == 0);
    cr_assert(tb_account_begin(bank, &list) == 0);
    cr_assert(!tb_funder_next(list), "another kind of list");
    cr_assert(tb_list_end(list) == -EINVAL);
    cr_assert(tb_list_end(NULL) == -EINVAL);
}

Test(lib_call, lists_the_refusals_of_each_batch, .init = setup, .fini = teardown) {
    struct tb_refused refused;
    bank_open();
    batches_start(3);
    batches[3] = client_state_batch(bank, 2, "nobody");
    cr_assert(tb_batch_submit_start(batches[3], &calls[3]) == 0);
    batches_expect_done(3);
    cr_assert(ended(calls[3]) == TB_NO_SUCH_ACCOUNT);
    cr_assert(tb_batch_refusals(batches[3]) == 1 && tb_batch_refusals(batches[0]) == 0);
    cr_assert(tb_batch_refusal(batches[3], 0, &refused) == 0);
    cr_assert(refused.refusal == TB_NO_SUCH_ACCOUNT && files_count("outbox") == 0);
    batches_free(4);
}

Test(lib_call, a_batch_under_way_is_not_changed, .init = setup, .fini = teardown) {
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_LOG;
    order.to = "m1";
    order.minutes = 1;
    bank_open();
    batches_start(1);
    cr_assert(tb_batch_add(batches[0], &order, NULL) == -EBUSY);
    cr_assert(tb_batch_drop(batches[0], 0) == -EBUSY);
    batches_expect_done(1);
    cr_assert(tb_batch_add(batches[0], &order, NULL) == 0);
    batches_free(1);
}

/* ------------------------------------------------------- cut off, busy, late */

Test(lib_call, sends_again_what_a_lost_connection_left_open, .init = setup, .fini = teardown) {
    for (int cut = FAKE_CUT_BEFORE; cut <= FAKE_CUT_AFTER; cut++) {
        if (cut == FAKE_CUT_BEFORE)
            bank_open();
        size_t n_before = fake.n_batches;
        fake.cut = cut;
        batches_start(5);
        batches_expect_done(5);
        cr_assert(fake.n_batches == n_before + 5, "each counts once");
        cr_assert(files_count("outbox") == 0);
        batches_free(5);
    }
}

Test(lib_call, waits_out_a_busy_bank, .init = setup, .fini = teardown) {
    bank_open();
    fake.busy = 3;
    batches_start(3);
    batches_expect_done(3);
    cr_assert(fake.n_batches == 3);
    batches_free(3);
    fake.busy = 100000;
    cr_assert(tb_bank_set_deadline(bank, 200) == 0);
    batches_start(2);
    cr_assert(ended(calls[0]) == TB_TRY_LATER && ended(calls[1]) == TB_TRY_LATER);
    cr_assert(files_count("outbox") == 0, "what was refused is known");
    batches_free(2);
}

Test(lib_call, one_late_answer_holds_up_no_other, .init = setup, .fini = teardown) {
    struct tb_call *late = NULL, *next = NULL;
    bank_open();
    fake.mute = 1;
    cr_assert(tb_bank_set_deadline(bank, 200) == 0);
    cr_assert(tb_status_start(bank, &late) == 0);
    cr_assert(tb_bank_set_deadline(bank, 3000) == 0);
    cr_assert(tb_status_start(bank, &next) == 0);
    cr_assert(ended(next) == 0 && !tb_call_is_done(late));
    cr_assert(ended(late) == -ETIMEDOUT && strstr(tb_call_message(late), "200 ms"));
    tb_call_free(late);
    tb_call_free(next);
}

Test(lib_call, a_batch_without_an_answer_is_settled_later, .init = setup, .fini = teardown) {
    size_t n_settled = 0;
    bank_open();
    fake.mute = 1000;
    cr_assert(tb_bank_set_deadline(bank, 200) == 0);
    batches_start(2);
    cr_assert(ended(calls[0]) == -EINPROGRESS && ended(calls[1]) == -EINPROGRESS);
    cr_assert(strstr(tb_call_message(calls[0]), "nothing counts twice"));
    cr_assert(files_count("outbox") == 2 && fake.n_batches == 0);
    cr_assert(tb_batch_count(batches[0]) == 1);
    batches_free(2);
    fake.mute = 0;
    cr_assert(tb_bank_set_deadline(bank, 3000) == 0);
    struct tb_call *call = NULL;
    cr_assert(tb_bank_settle_start(bank, &call) == 0 && ended(call) == 0, "%s",
              tb_bank_message(bank));
    cr_assert(tb_bank_settle_read(call, &n_settled) == 0 && n_settled == 2);
    cr_assert(files_count("outbox") == 0 && fake.n_batches == 2);
    tb_call_free(call);
}

Test(lib_call, nothing_new_goes_out_before_the_outbox_is_settled, .init = setup, .fini = teardown) {
    bank_open();
    fake.mute = 1000;
    cr_assert(tb_bank_set_deadline(bank, 200) == 0);
    batches_start(1);
    cr_assert(ended(calls[0]) == -EINPROGRESS);
    batches_free(1);
    batches_start(1);
    cr_assert(ended(calls[0]) == -ETIMEDOUT || tb_call_result(calls[0]) == TB_TRY_LATER, "%d",
              tb_call_result(calls[0]));
    cr_assert(files_count("outbox") == 1, "the second never left, and that is known");
    batches_free(1);
    fake.mute = 0;
    cr_assert(tb_bank_set_deadline(bank, 3000) == 0);
    batches_start(3);
    batches_expect_done(3);
    cr_assert(fake.n_batches == 4 && files_count("outbox") == 0);
    batches_free(3);
}

/* ------------------------------------------------------------------ given up */

Test(lib_call, a_call_given_up_before_it_left_leaves_nothing, .init = setup, .fini = teardown) {
    bank_open();
    batches_start(3);
    batches_free(3);
    cr_assert(files_count("outbox") == 0);
    batches_start(1);
    batches_expect_done(1);
    cr_assert(fake.n_batches == 1);
    batches_free(1);
}

Test(lib_call, a_call_given_up_on_its_way_is_still_heard_out, .init = setup, .fini = teardown) {
    struct tb_status status;
    bank_open();
    batches_start(3);
    cr_assert(tb_bank_process(bank) == 0, "they leave");
    batches_free(3);
    cr_assert(tb_status_get(bank, &status) == 0, "%s", tb_bank_message(bank));
    for (unsigned i = 0; i < 1000 && files_count("outbox") > 0; i++)
        turn(bank);
    cr_assert(fake.n_batches == 3 && files_count("outbox") == 0);
    /* A reader's reply that nobody waits for any more is dropped. */
    struct tb_call *call = NULL;
    cr_assert(tb_status_start(bank, &call) == 0 && tb_bank_process(bank) == 0);
    tb_call_free(call);
    cr_assert(tb_status_get(bank, &status) == 0, "%s", tb_bank_message(bank));
}

Test(lib_call, a_bank_may_end_with_calls_under_way, .init = setup, .fini = teardown) {
    bank_open();
    batches_start(3);
    cr_assert(tb_bank_process(bank) == 0);
    struct tb_call *opening = NULL;
    cr_assert(tb_bank_open_start(bank, fake.address, &opening) == -EBUSY);
    batches_free(2);
    calls[2] = tb_call_free(calls[2]);
    tb_batch_free(batches[2]);
    bank = tb_bank_free(bank);
    bank = bank_make();
    bank_open();
    cr_assert(tb_bank_settle(bank, NULL) == 0);
    cr_assert(fake.n_batches == 3 && files_count("outbox") == 0, "nothing lost, nothing twice");
}

/* --------------------------------------------------------------------- lies */

Test(lib_call, catches_every_lie_with_several_calls_under_way, .init = setup, .fini = teardown) {
    for (int lie = FAKE_HEAD; lie < FAKE_LIES; lie++) {
        fake.lie = FAKE_HONEST;
        bank_open();
        batches_start(2);
        batches_expect_done(2);
        batches_free(2);
        fake.lie = lie;
        for (unsigned i = 0; i < 4; i++) {
            batches[i] = client_state_batch(bank, 3, "m2");
            cr_assert(tb_batch_submit_start(batches[i], &calls[i]) == 0);
        }
        for (unsigned i = 0; i < 4; i++)
            cr_assert(ended(calls[i]) == -EBADMSG, "lie %d: %d %s", lie, tb_call_result(calls[i]),
                      tb_call_message(calls[i]));
        cr_assert(files_count("evidence") == 1, "lie %d", lie);
        /* All are kept, as what became of them is not known; or the lie was found before any left.
         */
        cr_assert(files_count("outbox") == 4 || (files_count("outbox") == 0 && fake.n_batches == 2),
                  "lie %d: %zu in the outbox, %zu arrived", lie, files_count("outbox"),
                  (size_t)fake.n_batches);
        batches_free(4);
        teardown();
        setup();
    }
}

/* What is kept convinces a stranger. */
static void expect_proof(void) {
    char why[1024] = "";
    struct tb_verified *verified = NULL;
    struct tb_verify_ask ask = {.verifier_key = tb_bank_verifier_key(bank)};
    int r = tb_verify(tb_bank_evidence(bank), &ask, &verified, why, sizeof(why));
    cr_assert(r == 0 && strstr(tb_verified_sentence(verified, 0, NULL), "two histories"), "%d %s",
              r, why);
    tb_verified_free(verified);
}

/* Each reply extends the head that all of them named, and none extends the other. */
Test(lib_call, catches_a_bank_that_shows_each_call_another_future, .init = setup,
     .fini = teardown) {
    bank_open();
    fake.lie = FAKE_SPLIT;
    batches_start(6);
    unsigned n_caught = 0;
    for (unsigned i = 0; i < 6; i++) {
        int r = ended(calls[i]);
        cr_assert(r == 0 || r == -EBADMSG, "%u: %d %s", i, r, tb_call_message(calls[i]));
        n_caught += r == -EBADMSG;
    }
    cr_assert(n_caught >= 5 && files_count("evidence") == 1, "%u", n_caught);
    expect_proof();
    batches_free(6);
}

/* Another program of this user goes on; this one connects what both saw. */
Test(lib_call, connects_its_head_with_the_one_another_program_saved, .init = setup,
     .fini = teardown) {
    bank_open();
    struct tb_bank *first = bank;
    for (int forked = 0; forked < 2; forked++) {
        /* The fake has ears for one connection at a time. */
        fake_bank_stop(&fake);
        fake_bank_serve(&fake);
        bank = bank_make();
        bank_open();
        batches_start(2);
        batches_expect_done(2);
        batches_free(2);
        tb_bank_free(bank);
        bank = first;
        if (forked)
            fake.n_leaves -= 3; /* what the other one saw is gone */
        batches_start(2);
        if (!forked) {
            batches_expect_done(2);
        } else {
            cr_assert(ended(calls[0]) == -EBADMSG, "%d", tb_call_result(calls[0]));
            cr_assert(files_count("evidence") == 1);
        }
        batches_free(2);
    }
}
