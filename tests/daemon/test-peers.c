/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What broke in peers, each a story here or a test elsewhere (unit: Test(peers, ...) in
 * tests/unit/test-ledger.c, which has the same words for the rule alone):
 *
 *   a payment charged twice by a lost counter     here; faults/test-kill.py
 *   half an hour floored to nothing               here; session.bats, of a split
 *   a deleted entry, a stale balance              here, unit
 *   a double click                                here, unit; sessions, lib_call
 *   double entry, the guard failing open          here
 *   a race on the limit                           here, a thousand times; limits.bats, by processes
 *   a silent import failure                       import.bats, "every bad row of a file is listed"
 *   zero-hour rows                                here, unit; import.bats
 *   totals that drop the bank's own account       here, unit
 *   ... or count expired vouchers                 here
 *   "inactive" wrong for a zero balance           lists.bats, "a zero balance is no sign of ..."
 *   a proposal booked at the old amount           agree.bats, "a proposal is not booked at ..."
 *   a nightly job that archived 415 groups        here; limits.bats, "... only for as many as ..."
 *   a reversal past a limit                       here, unit
 *   late hours lost from frozen reports           period.bats, "late hours are not lost ..."
 *   a spreadsheet formula in a name               report.bats, "a text that a spreadsheet would
 * ..." hours clamped without telling                 here, unit a dispute nobody can close
 * agree.bats, "a dispute always ends"; agreement a new bank that cannot trade here, unit;
 * limits.bats a half-done state after a crash               here; restarts; faults/test-kill.py the
 * same key with another body answered "ok"  here, unit the same id for another account here, unit
 *   the replay vector                             here, unit
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "proto/sshsig.h"

TestSuite(peers, .timeout = STORY_TIMEOUT, .fini = bank_end);

#define KIND(name) TIMEBANK__ORDER__KIND_##name
#define TRIES 1000
#define RACERS 8

static Timebank__Order *gift(const char *from, const char *to, uint64_t minutes) {
    return order_move(KIND(GIFT), from, to, minutes);
}

static Timebank__Order *limit(const char *code, int64_t floor) {
    Timebank__Order *order = order_new(KIND(SET_LIMIT));

    order->to = text_copy(code);
    order->set_limit->has_floor_case = TIMEBANK__SET_LIMIT__HAS_FLOOR_FLOOR;
    order->set_limit->floor = floor;
    return order;
}

/* Every account with its balance, as a broker is told, adds up to nothing. */
static void expect_all_to_sum_to_zero(void) {
    int64_t sum = 0;
    bool has_issued = false;

    ask(BROKER, request_new(TIMEBANK__REQUEST__BODY_ACCOUNTS));
    cr_assert(!response_refused() && !story.response->accounts->more, "%s", response_words());
    for (size_t i = 0; i < story.response->accounts->n_items; i++) {
        sum += story.response->accounts->items[i]->minutes;
        has_issued |= strcmp(story.response->accounts->items[i]->code, "issued") == 0;
    }
    cr_assert(has_issued && sum == 0, "%lld", (long long)sum);
}

Test(peers, a_payment_charged_twice_by_a_lost_counter) {
    struct parcel *parcel, *other;
    Timebank__Order *order;

    bank_start();
    order = gift("m12", "m7", 60);
    parcel = submit(BROKER, order);
    expect_recorded();
    for (int i = 0; i < 3; i++) {
        bank_restart();
        parcel_send(parcel);
        cr_assert(response_answer() && response_answer()->already, "%s", response_words());
    }
    other = parcel_new(BROKER); /* the same order in another batch */
    parcel_put(other, order);
    ask(BROKER, parcel_request(other));
    cr_assert(response_answer() && response_answer()->already && response_answer()->seal == 0);
    expect_balance("m12", -60);
    expect_balance("m7", 60);
}

Test(peers, half_an_hour_floored_to_nothing) {
    bank_start();
    m7_helps("m12", 30);
    expect_balance("m7", 30);
    expect_balance("m12", -30);
    recorded(STEWARD, order_set_policy("quantum", "60"));
    recorded(STEWARD, order_set_policy("rounding", "down"));
    submit(BROKER, order_helps("m7", "m30", 30));
    expect_refused(NOT_IN_QUANTUM);
    expect_balance("m7", 30);
}

Test(peers, a_deleted_entry_and_a_stale_balance) {
    Timebank__Request *request;
    Timebank__Order *order;
    uint64_t entry;

    bank_start();
    order = m7_helps("m12", 60);
    entry = response_answer()->entries[0];
    recorded(BROKER, order_reverse(order, 0));
    bank_restart();
    request = request_new(TIMEBANK__REQUEST__BODY_ENTRY);
    request->entry->number = entry;
    ask(BROKER, request);
    cr_assert(!response_refused() && story.response->entry->reversed_minutes == 60);
    expect_balance("m7", 0);
    expect_balance("m12", 0);
}

Test(peers, a_double_click) {
    struct parcel *parcel;
    struct reply *first, *second;

    bank_start();
    parcel = parcel_new(BROKER);
    parcel_put(parcel, order_helps("m7", "m12", 60));
    first = ask_later(BROKER, parcel_request(parcel));
    second = ask_later(BROKER, parcel_request(parcel));
    hand_over();
    reply_take(first);
    expect_recorded();
    reply_take(second);
    cr_assert(response_answer() && response_answer()->already, "%s", response_words());
    expect_balance("m7", 60);
    submit(BROKER, order_helps("m7", "m12", 60)); /* typed anew, with an id of its own */
    expect_refused(LOOKS_LIKE);
    expect_balance("m7", 60);
}

/* The tables that the guard reads are what may be lost: they are made anew from the log. */
Test(peers, double_entry_with_the_guard_failing_open) {
    struct parcel *parcel;
    Timebank__Order *order;

    story_settings();
    story.settings.log.step_records = 1u << 20;
    bank_make(NOON, NULL);
    bank_furnish();
    order = order_helps("m7", "m12", 60);
    parcel = submit(BROKER, order);
    expect_recorded();
    bank_restart();
    parcel_send(parcel);
    cr_assert(response_answer() && response_answer()->already, "%s", response_words());
    submit(BROKER, order_helps("m7", "m12", 60));
    expect_refused(LOOKS_LIKE);
    order->minutes = 75;
    submit(BROKER, order);
    expect_refused_field(ID_DIFFERS, "minutes");
    expect_balance("m7", 60);
}

/* ---- the race: whoever may spend m12's credits asks for the last hour at once */

static Timebank__Order *last_hour(int racer, unsigned turn) {
    Timebank__Order *order;

    if (racer == 0)
        return order_redeem("m12", "swim", 1, 60);
    order = racer == 1 ? gift("m12", "m30", 60) : gift("m12", "m7", 60);
    order->service_day -= turn % 365 + (unsigned)racer;
    return order;
}

/* Who won. */
static unsigned expect_one_winner(unsigned turn) {
    static const enum actor who[RACERS] = {POOL,       M12,    BROKER,     STRANGER,
                                           BROKER_M30, BROKER, BROKER_M30, STRANGER};
    struct reply *replies[RACERS], *reset;
    struct parcel *hour = parcel_new(STEWARD);
    unsigned n_recorded = 0, winner = 0;

    parcel_put(hour, order_move(KIND(GRANT), "issued", "m12", 60));
    reset = ask_later(STEWARD, parcel_request(hour));
    for (unsigned i = 0; i < RACERS; i++) {
        unsigned racer = (i + turn) % RACERS;
        struct parcel *parcel = parcel_new(who[racer]);
        parcel_put(parcel, last_hour((int)racer, turn));
        replies[i] = ask_later(who[racer], parcel_request(parcel));
        if (turn % 3 == 1 && i == turn % RACERS)
            hand_over(); /* some in one group, the others in the next */
    }
    hand_over();
    reply_take(reset);
    expect_recorded();
    for (unsigned i = 0; i < RACERS; i++) {
        reply_take(replies[i]);
        if (response_answer()) {
            winner = (i + turn) % RACERS;
            n_recorded++;
        }
        if (response_refused() && who[(i + turn) % RACERS] != POOL)
            expect_refused(BELOW_FLOOR);
    }
    cr_assert(n_recorded == 1, "try %u: %u won", turn, n_recorded);
    expect_balance("m12", -1200);
    return winner;
}

Test(peers, a_race_on_the_limit, .timeout = 300) {
    unsigned n_won[RACERS] = {0};

    bank_start();
    recorded(STEWARD, order_grant_key(actor_key(STRANGER), TIMEBANK__ROLE__BROKER, ""));
    recorded(BROKER, gift("m12", "m7", 1200));
    for (unsigned turn = 0; turn < TRIES; turn++) {
        n_won[expect_one_winner(turn)]++;
        time_passes(DAY_MS);
        arena_reset(&story.arena);
    }
    for (unsigned i = 0; i < RACERS; i++)
        cr_assert(n_won[i] > 0, "racer %u never won", i);
}

/* ---- */

Test(peers, zero_hour_rows) {
    bank_start();
    submit(BROKER, order_helps("m7", "m12", 0));
    expect_refused(ZERO);
    submit(BROKER, order_move(KIND(LOG), "", "m7", 0));
    expect_refused(ZERO);
    submit(BROKER, gift("m7", "m12", 0));
    expect_refused(ZERO);
}

Test(peers, totals_that_drop_the_banks_own_account) {
    bank_start();
    m7_helps("m12", 90);
    recorded(M12, order_move(KIND(DONATE), "m12", "chest", 60));
    recorded(BROKER, order_redeem("m7", "swim", 1, 60));
    recorded(GARDEN, order_move(KIND(EARN), "garden", "m30", 120));
    expect_all_to_sum_to_zero();
}

Test(peers, totals_that_count_expired_vouchers) {
    static uint8_t secret[SSHSIG_SECRET_BYTES];
    Timebank__Order *order;

    bank_start();
    sshsig_secret_new(secret);
    order = order_new(KIND(SET_VOUCHER_KEY));
    order->set_voucher_key->key = (ProtobufCBinaryData){SSHSIG_PUBLIC_BYTES, secret + 32};
    recorded(STEWARD, order);
    order = order_move(KIND(MINT_VOUCHERS), "garden", "vouchers", 300);
    order->mint_vouchers->first_serial = 1;
    order->mint_vouchers->count = 5;
    order->mint_vouchers->each_minutes = 60;
    order->mint_vouchers->expires_day = TODAY + 30;
    recorded(BROKER, order);
    expect_balance("vouchers", 300);
    expect_balance("garden", 5700);
    time_passes(60 * DAY_MS);
    tick();
    expect_balance("vouchers", 0);
    expect_balance("garden", 6000);
    expect_all_to_sum_to_zero();
}

Test(peers, a_nightly_job_that_archived_415_groups) {
    struct hash before;

    bank_start();
    m7_helps("m12", 60);
    before = bank_print();
    for (int night = 0; night < 1000; night++) {
        time_passes(DAY_MS);
        cr_assert(bank_run_due(story.bank) == 0);
    }
    hand_over();
    expect_nothing_written(before);
    m7_helps("m30", 60);
    expect_balance("m7", 120);
}

Test(peers, a_reversal_past_a_limit) {
    Timebank__Order *order;
    struct parcel *parcel;

    bank_start();
    recorded(BROKER, limit("m7", 0));
    order = m7_helps("m12", 60);
    recorded(BROKER, gift("m7", "m30", 60));
    submit(BROKER, gift("m7", "m30", 15));
    expect_refused(BELOW_FLOOR);
    parcel = submit(BROKER, order_reverse(order, 0));
    expect_recorded();
    cr_assert(has_warning(WARNING_REVERSAL_PAST_LIMIT) && parcel->n == 1);
    expect_balance("m7", -60);
}

Test(peers, hours_clamped_without_telling) {
    struct parcel *parcel;
    Timebank__Order *order;

    bank_start();
    submit(BROKER, order_move(KIND(LOG), "", "m7", 1500));
    expect_refused(TOO_LONG);
    parcel = parcel_new(BROKER);
    order = order_move(KIND(LOG), "", "m7", 1500);
    order->override = 2;
    parcel_put_why(parcel, order, "two nights at the shelter");
    parcel_send(parcel);
    expect_recorded();
    cr_assert(has_warning(WARNING_VERY_LONG_DAY));
    submit(BROKER, order_helps("m7", "m12", 1260));
    cr_assert(response_refused());
    expect_balance("m12", 0);
}

Test(peers, a_new_bank_that_cannot_trade) {
    bank_start();
    m7_helps("m12", 480);
    recorded(BROKER, order_helps("m12", "m30", 480));
    recorded(BROKER, order_helps("m30", "m7", 480));
    expect_balance("m7", 0);
}

/* What is refused at its last order leaves nothing of the others, and nothing is left after a stop
 * before it was handed over. */
Test(peers, a_half_done_state_after_a_crash) {
    struct parcel *parcel;
    struct hash before;

    bank_start();
    before = bank_print();
    parcel = parcel_new(STEWARD);
    parcel_put(parcel, gift("m12", "m7", 60));
    parcel_put(parcel, order_open("m44", TIMEBANK__ACCOUNT_KIND__MEMBER));
    parcel_put(parcel, gift("m12", "m99", 60));
    parcel_send(parcel);
    cr_assert(response_refused());
    expect_nothing_written(before);
    bank_restart();
    expect_nothing_written(before);
}

Test(peers, the_same_id_with_another_body_answered_ok) {
    Timebank__Order *order;

    bank_start();
    order = gift("m12", "m7", 60);
    recorded(BROKER, order);
    order->minutes = 90;
    submit(BROKER, order);
    expect_refused_field(ID_DIFFERS, "minutes");
    expect_balance("m7", 60);
}

Test(peers, the_same_id_for_another_account_answered_with_the_first_result) {
    Timebank__Order *order;

    bank_start();
    order = gift("m12", "m7", 60);
    recorded(BROKER, order);
    order->to = text_copy("m30");
    submit(BROKER, order);
    expect_refused_field(ID_DIFFERS, "to");
    submit(STEWARD, order);
    expect_refused_field(ID_DIFFERS, "to");
    expect_balance("m30", 0);
}

/* ---- cents of a real incident, as minutes: snapshot, sent, received, mints, and what is right */

static const int64_t incident[][5] = {
    {12277, 2800, 0, 0, 9477},   {8000, 2700, 0, 0, 5300},     {8000, 6500, 0, 5000, 6500},
    {4326, 4000, 0, 6004, 6330}, {0, 2100, 0, 45900, 43800},   {5260, 2000, 0, 0, 3260},
    {0, 900, 0, 1100, 200},      {0, 2900, 0, 3100, 200},      {0, 900, 0, 0, -900},
    {0, 0, 10500, 800, 11300},   {6700, 0, 4000, 8000, 18700}, {171660, 1000, 100, 1045, 171805},
    {0, 0, 11200, 5100, 16300},
};

/* Once by the counter, once more because it was lost: sent again it counts once; what somebody did
 * type twice is taken back. */
static void send_twice(const char *code, uint64_t minutes) {
    struct parcel *parcel = submit(BROKER, gift(code, "m7", minutes));
    Timebank__Order *twice;

    expect_recorded();
    parcel_send(parcel);
    cr_assert(response_answer() && response_answer()->already, "%s", response_words());
    twice = gift(code, "m7", minutes);
    recorded(BROKER, twice);
    recorded(BROKER, order_reverse(twice, 0));
}

static void move(const char *code, const int64_t v[5]) {
    recorded(BROKER, order_open(code, TIMEBANK__ACCOUNT_KIND__MEMBER));
    if (v[0])
        recorded(BROKER, order_move(KIND(GRANT), "issued", code, (uint64_t)v[0]));
    if (v[3])
        recorded(BROKER, order_move(KIND(GRANT), "issued", code, (uint64_t)v[3]));
    if (v[1])
        send_twice(code, (uint64_t)v[1]);
    if (v[2])
        recorded(BROKER, gift("m7", code, (uint64_t)v[2]));
}

Test(peers, the_replay_of_a_real_incident) {
    char code[8];

    bank_start_with("quantum", "1", "floor-member", "none", NULL);
    for (size_t i = 0; i < N_ELEMENTS(incident); i++) {
        snprintf(code, sizeof(code), "v%zu", i + 1);
        move(code, incident[i]);
        expect_balance(code, incident[i][4]);
    }
    bank_restart();
    for (size_t i = 0; i < N_ELEMENTS(incident); i++) {
        snprintf(code, sizeof(code), "v%zu", i + 1);
        expect_balance(code, incident[i][4]);
    }
    expect_all_to_sum_to_zero();
}
