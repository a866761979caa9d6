/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disputes, a sentence each: who may, what is set aside, who decides, and that each one ends. Each
 * test ends with the laws and a replay from the start. At the end random proposals, answers,
 * disputes and reversals, whatever comes of them.
 */
#include "agree.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

TestSuite(dispute, .timeout = 30, .init = agree_open, .fini = books_close);

static Timebank__Order *help(uint64_t minutes) {
    Timebank__Order *order = exchange("m1", "m2", minutes);
    done();
    return order;
}

Test(dispute, sets_the_minutes_aside_until_somebody_decides) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    cr_assert_eq(balance("m1"), -60);
    cr_assert_eq(balance("m2"), 0);
    cr_assert_eq(held("m2"), 60);
    cr_assert_eq(balance("transit"), 60);
    dispute(entry);
    refused(DISPUTED);
    confirm(entry);
    refused(DISPUTED);
    as("broker");
    reverse(entry, 0);
    refused(DISPUTED);
    says("no party");
}

Test(dispute, decided_to_stand_gives_back_what_was_set_aside) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    as("broker");
    decide(entry, 0);
    done();
    cr_assert_eq(balance("m2"), 60);
    cr_assert_eq(held("m2"), 0);
    decide(entry, 0);
    refused(NOT_DISPUTED);
    reverse(entry, 0);
    done();
}

Test(dispute, decided_to_fall_takes_back_as_a_reversal_does) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    as("broker");
    decide(entry, 60);
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("m2"), 0);
    cr_assert_eq(held("m2"), 0);
    reverse(entry, 0);
    refused(ALREADY_REVERSED);
    exchange("m1", "m2", 60); /* no duplicate of what fell */
    done();
}

Test(dispute, may_fall_in_part) {
    Timebank__Order *entry = help(60);
    as("m2-key");
    dispute(entry);
    done();
    as("broker");
    decide(entry, 75);
    refused(MORE_THAN_REMAINS);
    decide(entry, 20);
    refused(NOT_IN_QUANTUM);
    decide(entry, 15);
    done();
    cr_assert_eq(balance("m1"), -45);
    cr_assert_eq(balance("m2"), 45);
    reverse(entry, 0);
    done();
    cr_assert_eq(balance("m1"), 0);
}

Test(dispute, is_about_what_was_not_taken_back_before) {
    Timebank__Order *entry = help(60);
    reverse(entry, 15);
    done();
    as("m1-key");
    dispute(entry);
    done();
    cr_assert_eq(held("m2"), 45);
    as("broker");
    decide(entry, 60);
    refused(MORE_THAN_REMAINS);
    decide(entry, 45);
    done();
    cr_assert_eq(balance("m1"), 0);
    as("m1-key");
    dispute(entry);
    cr_assert_eq(submit(), 1);
}

Test(dispute, that_nobody_decides_ends_by_itself) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    wait_days(30);
    cr_assert_eq(books_run_due(), 0);
    wait_days(1);
    expect_event(DISPUTE_LAPSED, 60);
    cr_assert_eq(balance("m2"), 60);
    as("broker");
    decide(entry, 0);
    refused(NOT_DISPUTED);
    as("m1-key");
    dispute(entry);
    refused(TOO_LATE_TO_DISPUTE);
    says("disputed before");
}

Test(dispute, is_decided_by_nobody_who_is_a_party) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry);
    done();
    decide(entry, 0);
    refused(NO_AUTHORITY);
    as("broker-m1");
    decide(entry, 60);
    refused(PARTY);
    as("broker-m3");
    decide(entry, 60);
    done();
}

Test(dispute, opened_by_a_broker_is_decided_by_another_or_by_a_steward) {
    Timebank__Order *entry = help(60);
    dispute(entry);
    done();
    decide(entry, 0);
    refused(PARTY);
    as("broker-2");
    decide(entry, 0);
    done();
    as("steward");
    Timebank__Order *other = exchange("m1", "m2", 45);
    dispute(other);
    done();
    decide(other, 45);
    done();
}

Test(dispute, is_for_the_parties_and_for_brokers) {
    Timebank__Order *entry = help(60);
    as("m3-key");
    dispute(entry);
    refused(NOT_THE_OTHER_SIDE);
    as("food-key");
    dispute(entry);
    refused(NOT_THE_OTHER_SIDE);
    as("swim-key");
    dispute(entry);
    refused(NO_AUTHORITY);
}

Test(dispute, says_why_and_so_does_its_decision) {
    Timebank__Order *entry = help(60);
    as("m1-key");
    dispute(entry)->note.len = 0;
    refused(NEEDS_WHY);
    dispute(entry);
    done();
    as("broker");
    decide(entry, 0)->note.len = 0;
    refused(NEEDS_WHY);
}

Test(dispute, comes_in_time) {
    Timebank__Order *entry = help(60);
    wait_days(90);
    as("m1-key");
    dispute(entry);
    done();
    as("broker");
    Timebank__Order *other = help(45);
    wait_days(91);
    books_run_due();
    as("m1-key");
    dispute(other);
    refused(TOO_LATE_TO_DISPUTE);
}

Test(dispute, of_a_claim_runs_from_the_day_it_took_effect) {
    Timebank__Order *entry = proposed(exchange("m1", "m2", 60));
    warned(WAITS);
    as("m1-key");
    dispute(entry);
    refused(STILL_WAITING);
    wait_days(15);
    expect_event(CLAIM_ACCEPTED, 60);
    wait_days(90);
    dispute(entry);
    done();
    as("broker");
    decide(entry, 60);
    done();
    cr_assert_eq(balance("m2"), 0);
}

Test(dispute, may_take_a_balance_below_its_limit_and_tells_no_member_so) {
    Timebank__Order *entry = help(60), *other;
    gift("m2", "m3", 60);
    set_limit("m2", LIMIT(0), NULL);
    done();
    as("m1-key");
    dispute(entry);
    done();
    cr_assert_eq(balance("m2"), -60);
    as("m2-key");
    gift("m2", "m3", 15);
    refused(BELOW_FLOOR);
    as("broker");
    decide(entry, 60);
    done();
    other = exchange("m1", "m2", 30);
    done();
    dispute(other);
    warned(BELOW_FLOOR);
}

Test(dispute, is_about_hours_gifts_and_visits) {
    Timebank__Order *granted = grant("issued", "m1", 60), *logged = log_hours("m2", 30);
    Timebank__Order *visit = redeem("m1", "swim", 1, 60), *given = gift("m1", "m2", 15);
    done();
    dispute(granted);
    refused(NOT_REVERSIBLE);
    dispute(logged);
    refused(NOT_REVERSIBLE);
    dispute(visit);
    dispute(given);
    done();
    cr_assert_eq(held("swim"), 60);
    as("broker-2");
    decide(visit, 60);
    decide(given, 15);
    done();
    cr_assert_eq(balance("m1"), 60);
}

Test(dispute, freezes_a_closed_account_of_nobody) {
    Timebank__Order *entry = help(60);
    exchange("m2", "m1", 60);
    close_account("m2");
    done();
    as("m1-key");
    dispute(entry);
    refused(CLOSED);
}

Test(dispute, keeps_an_account_from_being_closed) {
    Timebank__Order *entry = help(60);
    dispute(entry);
    done();
    close_account("m2");
    refused(NOT_EMPTY);
    as("broker-2");
    decide(entry, 60);
    close_account("m2");
    done();
}

Test(dispute, is_found_again_from_disk) {
    Timebank__Order *entry = help(60);
    dispute(entry);
    done();
    books_write_behind();
    as("broker-2");
    decide(entry, 30);
    done();
    books_write_behind();
    reverse(entry, 0);
    done();
    cr_assert_eq(balance("m1"), 0);
}

Test(dispute, and_its_decision_stand_in_one_batch) {
    Timebank__Order *entry = help(60);
    as("steward");
    dispute(entry);
    decide(entry, 30);
    done();
    cr_assert_eq(balance("m2"), 30);
}

/* ---- at random */

#define N_STEPS 3000
#define N_KEPT 40

static uint64_t seed = 20250305;

static uint32_t chance(uint32_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static Timebank__Order *kept[N_KEPT];

static Timebank__Order *any_entry(void) {
    static const char *const members[] = {"m1", "m2", "m3"};
    uint32_t giver = chance(3);
    const char *from = members[giver], *to = members[(giver + 1 + chance(2)) % 3];
    uint64_t minutes = 15 * (1 + chance(8));
    Timebank__Order *order = NULL;
    switch (chance(5)) {
    case 0:
        order = gift(from, to, minutes);
        break;
    case 1:
        order = earn("food-bank", to, minutes);
        break;
    case 2:
        order = donate(to, minutes);
        break;
    default:
        order = exchange(from, to, minutes);
    }
    order->proposal = chance(2);
    order->override = 4;
    return order;
}

static Timebank__Order *any_answer(const Timebank__Order *target) {
    switch (chance(8)) {
    case 0:
        return decline(target);
    case 1:
        return withdraw(target);
    case 2:
        return approve(target);
    case 3:
        return dispute(target);
    case 4:
        return decide(target, 15 * chance(4));
    case 5:
        return reverse(target, chance(2) ? 15 : 0);
    default:
        return confirm(target);
    }
}

static int add_waiting(void *user, uint64_t entry) {
    uint8_t key[8];
    be64_put(key, entry);
    const struct state_pending *pending =
        state_get(books_state, STATE_PENDINGS, key, sizeof(key), NULL);
    if (pending->what == PENDING_GIFT || pending->what == PENDING_DISPUTE)
        *(uint64_t *)user += pending->minutes;
    return 0;
}

static void check_transit(void) {
    uint64_t waiting = 0;
    cr_assert(state_due_each(books_state, add_waiting, &waiting) == 0);
    cr_assert_eq((int64_t)waiting, balance("transit"));
}

static bool step(void) {
    static const char *const authors[] = {"broker", "broker-2", "broker-m1", "m1-key",
                                          "m2-key", "m3-key",   "food-key",  "steward"};
    as(authors[chance(chance(2) ? 2 : 8)]);
    uint32_t made = N_KEPT;
    for (uint32_t n = chance(5) ? 1 : 2; n > 0; n--) {
        uint32_t i = chance(N_KEPT);
        if (kept[i] && chance(4))
            any_answer(kept[i]);
        else
            kept[made = i] = any_entry();
    }
    if (chance(20) == 0)
        wait_days(1 + chance(12));
    bool is_recorded = submit() == 0;
    if (!is_recorded && made < N_KEPT)
        kept[made] = NULL;
    return is_recorded;
}

TestSuite(anything, .timeout = 120, .fini = books_close);

Test(anything, that_waits_lies_in_transit_and_ends_in_the_end) {
    size_t n_recorded = 0;
    agree_open_with((const char *const[]){"claims=on", "second-person-above=90", "gift=pending",
                                          "claim-days=5", "gift-days=9", "approval-days=7",
                                          "dispute-days=12", "floor-organisation=none",
                                          "ceiling-member=3000", NULL});
    for (int i = 0; i < N_STEPS; i++) {
        n_recorded += step();
        check_transit();
        if (i % 500 == 0)
            books_write_behind();
    }
    cr_assert(n_recorded > N_STEPS / 10, "%zu", n_recorded);
    wait_days(60);
    cr_assert(books_run_due() > 0);
    cr_assert_eq(balance("transit"), 0);
    cr_assert_eq(held("m1") + held("m2") + held("m3"), 0);
}
