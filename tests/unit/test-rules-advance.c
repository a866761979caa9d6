/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advances and pledges, one sentence each: what is owed, what repays it, what a reversal gives
 * back, and what becomes of a pledge on its day. What is owed by all is what the account advances
 * lacks: every test ends with that.
 */
#include <string.h>

#include "base/clock.h"
#include "books.h"
#include "helpers.h"

static void owed_is_what_was_advanced(void);
TestSuite(advance, .timeout = 30, .init = books_open, .fini = owed_is_what_was_advanced);
TestSuite(advance_policy, .timeout = 30, .fini = owed_is_what_was_advanced);
TestSuite(pledge, .timeout = 30, .init = books_open, .fini = owed_is_what_was_advanced);

static uint64_t owed(const char *code) {
    return account_of(code)->owed_minutes;
}

static void owed_is_what_was_advanced(void) {
    int64_t all = 0;
    for (uint64_t i = 0; i < books_state->sums.n_accounts; i++)
        all += (int64_t)books_state->accounts[i]->owed_minutes;
    cr_assert_eq(balance("advances"), -all);
    books_close();
}

static Timebank__Order *advance(const char *to, uint64_t minutes) {
    return ENTER(advance, ADVANCE, "advances", to, minutes);
}

static Timebank__Order *pledge(const char *to, uint64_t minutes, uint32_t days) {
    Timebank__Order *order = ENTER(pledge, PLEDGE, "advances", to, minutes);
    order->pledge->due_day = today() + days;
    return order;
}

static const struct state_pending *pledge_of(uint64_t entry) {
    uint8_t key[8];
    be64_put(key, entry);
    return state_get(books_state, STATE_PENDINGS, key, sizeof(key), NULL);
}

/* ---- advances */

Test(advance, gives_credits_that_are_owed) {
    advance("m1", 120);
    done();
    cr_assert_eq(balance("m1"), 120);
    cr_assert_eq(balance("advances"), -120);
    cr_assert_eq(owed("m1"), 120);
}

Test(advance, is_for_members_and_by_brokers) {
    advance("food-bank", 60);
    refused(WRONG_KIND);
    ENTER(advance, ADVANCE, "issued", "m1", 60);
    refused(WRONG_KIND);
    as("m1-key");
    advance("m1", 60);
    refused(NO_AUTHORITY);
}

Test(advance, is_spent_like_any_credit) {
    advance("m1", 120);
    redeem("m1", "swim", 2, 120);
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(owed("m1"), 120);
}

Test(advance, holds_to_the_ceiling_of_its_member) {
    set_limit("m1", NULL, &(int64_t){60});
    done();
    advance("m1", 75);
    refused(ABOVE_CEILING);
}

Test(advance_policy, is_no_more_than_the_bank_advances_to_one) {
    books_open_with((const char *const[]){"advance-max=120", NULL});
    advance("m1", 90);
    advance("m2", 90);
    done();
    advance("m1", 45);
    refused(ADVANCE_CAP);
    says("m1 would owe 2 h 15, and the bank advances 2 h to one member at most: advance less.");
    exchange("m3", "m1", 60);
    warned(REPAID);
    advance("m1", 90);
    done();
}

/* ---- what is earned */

Test(advance, is_repaid_first_by_an_exchange) {
    advance("m1", 60);
    done();
    exchange("m2", "m1", 90);
    warned(REPAID);
    says("1 h of it repaid what was advanced to m1, who still owes 0 min");
    cr_assert_eq(balance("m1"), 90);
    cr_assert_eq(balance("m2"), -90);
    cr_assert_eq(balance("advances"), 0);
    cr_assert_eq(owed("m1"), 0);
    cr_assert_eq(leg_of(0, "m1")->minutes, 30);
}

Test(advance, is_repaid_by_what_an_organisation_or_a_session_gives) {
    issue("food-bank", 600);
    advance("m1", 120);
    advance("m3", 60);
    done();
    earn("food-bank", "m1", 60);
    warned(REPAID);
    cr_assert_eq(owed("m1"), 60);
    Timebank__Order *order = ENTER(session, SESSION, "food-bank", "", 165);
    char *codes[] = {"m1", "m2", "m3"};
    order->activity = "gardening";
    order->session->n_givers = order->session->n_giver_minutes = 3;
    order->session->givers = codes;
    order->session->giver_minutes = (uint64_t[]){45, 60, 60};
    cr_assert_eq(submit(), 0);
    cr_assert_eq(books_n_notes, 2);
    cr_assert_eq(owed("m1"), 15);
    cr_assert_eq(owed("m3"), 0);
    cr_assert_eq(leg_of(0, "advances")->minutes, 105);
    cr_assert_eq(leg_of(0, "m1")->minutes, 0);
    cr_assert_eq(leg_of(0, "m2")->minutes, 60);
    reverse(order, 0);
    cr_assert_eq(submit(), 0);
    cr_assert_eq(owed("m1"), 60);
    cr_assert_eq(owed("m3"), 60);
    cr_assert_eq(balance("m1"), 120);
    cr_assert_eq(balance("m3"), 60);
}

Test(advance, is_not_repaid_by_gifts_grants_or_hours_without_credit) {
    advance("m1", 60);
    done();
    gift("m2", "m1", 60);
    grant("issued", "m1", 30);
    log_hours("m1", 60);
    done();
    cr_assert_eq(owed("m1"), 60);
    cr_assert_eq(balance("m1"), 150);
}

Test(advance, is_not_repaid_by_history) {
    advance("m1", 60);
    done();
    as("steward");
    from_source(on_day(exchange("m2", "m1", 60), today() - 3), TIMEBANK__SOURCE__HISTORY);
    done();
    cr_assert_eq(owed("m1"), 60);
    cr_assert_eq(balance("m1"), 120);
}

Test(advance, says_nothing_of_a_debt_to_others) {
    advance("m2", 60);
    done();
    as("m1-key");
    exchange("m1", "m2", 30);
    done();
    cr_assert_eq(owed("m2"), 30);
}

Test(advance_policy, is_repaid_by_half_rounded_down_to_whole_minutes) {
    books_open_with((const char *const[]){"advance-repay=half", "quantum=5", NULL});
    advance("m1", 60);
    done();
    exchange("m2", "m1", 75);
    warned(REPAID);
    cr_assert_eq(owed("m1"), 23);
    cr_assert_eq(balance("m1"), 60 + 38);
    exchange("m2", "m1", 60);
    warned(REPAID);
    cr_assert_eq(owed("m1"), 0);
    cr_assert_eq(balance("m1"), 98 + 37);
}

Test(advance_policy, is_not_repaid_where_the_policy_says_off) {
    books_open_with((const char *const[]){"advance-repay=off", NULL});
    advance("m1", 60);
    exchange("m2", "m1", 75);
    done();
    cr_assert_eq(owed("m1"), 60);
    cr_assert_eq(balance("m1"), 135);
}

/* ---- what is taken back */

Test(advance, is_owed_again_when_what_repaid_it_is_taken_back) {
    Timebank__Order *earned;
    advance("m1", 60);
    done();
    earned = exchange("m2", "m1", 90);
    warned(REPAID);
    reverse(earned, 0);
    warned(REPAID);
    says("1 h of it had repaid what was advanced to m1, and is owed again.");
    cr_assert_eq(owed("m1"), 60);
    cr_assert_eq(balance("m1"), 60);
    cr_assert_eq(balance("m2"), 0);
}

Test(advance, gives_up_first_what_was_kept_of_an_entry_taken_back_in_part) {
    Timebank__Order *earned;
    advance("m1", 60);
    done();
    earned = exchange("m2", "m1", 90);
    warned(REPAID);
    reverse(earned, 15);
    done();
    cr_assert_eq(owed("m1"), 0);
    cr_assert_eq(balance("m1"), 75);
    reverse(earned, 45);
    warned(REPAID);
    says("30 min of it had repaid");
    cr_assert_eq(owed("m1"), 30);
    cr_assert_eq(balance("m1"), 60);
    reverse(earned, 0);
    warned(REPAID);
    cr_assert_eq(owed("m1"), 60);
    cr_assert_eq(balance("m1"), 60);
    cr_assert_eq(balance("m2"), 0);
}

Test(advance, is_taken_back_while_it_is_owed) {
    Timebank__Order *advanced = advance("m1", 120);
    done();
    reverse(advanced, 30);
    done();
    cr_assert_eq(owed("m1"), 90);
    exchange("m2", "m1", 60);
    warned(REPAID);
    reverse(advanced, 0);
    refused(MORE_THAN_REMAINS);
    says("m1 still owes only 30 min");
    reverse(advanced, 30);
    done();
    cr_assert_eq(owed("m1"), 0);
    cr_assert_eq(balance("m1"), 60);
    reverse(advanced, 15);
    refused(MORE_THAN_REMAINS);
    says("m1 has earned all that was advanced");
}

Test(advance, is_corrected_in_one_batch) {
    Timebank__Order *wrong = advance("m1", 120);
    done();
    reverse(wrong, 0);
    correcting(advance("m1", 60), wrong);
    done();
    cr_assert_eq(owed("m1"), 60);
}

/* ---- pledges */

Test(pledge, is_an_advance_with_a_day) {
    pledge("m1", 120, 90);
    done();
    cr_assert_eq(balance("m1"), 120);
    cr_assert_eq(owed("m1"), 120);
    cr_assert_eq(pledge_of(books_entry[0])->due_ms, (uint64_t)(today() + 91) * MS_PER_DAY);
}

Test(pledge, wants_a_day_that_is_to_come) {
    pledge("m1", 120, 0)->pledge->due_day = today() - 1;
    refused(BAD_DATE);
    names_field("due_day");
    pledge("m1", 120, 0)->pledge->due_day = 0;
    refused(BAD_DATE);
    pledge("m1", 120, 3661);
    refused(BAD_DATE);
}

Test(pledge, counts_in_what_the_bank_advances) {
    set_policy("advance-max", "60");
    as("steward");
    done();
    as("broker");
    pledge("m1", 75, 30);
    refused(ADVANCE_CAP);
}

Test(pledge, is_overdue_when_its_day_ends_and_it_is_not_earned) {
    uint64_t entry;
    pledge("m1", 120, 30);
    done();
    entry = books_entry[0];
    exchange("m2", "m1", 45);
    warned(REPAID);
    wait_days(30);
    cr_assert_eq(books_run_due(), 0);
    wait_days(1);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(event_before(0)->kind, TIMEBANK__EVENT_KIND__PLEDGE_DUE);
    cr_assert_eq(event_before(0)->minutes, 0);
    cr_assert_not(pledge_of(entry)->is_over);
    cr_assert_eq(pledge_of(entry)->outcome, OUTCOME_LAPSED);
    cr_assert_eq(pledge_of(entry)->minutes, 75);
    cr_assert_eq(balance("m1"), 120);
    wait_days(400);
    cr_assert_eq(books_run_due(), 0);
}

Test(pledge, ends_when_nothing_is_owed_any_more) {
    uint64_t first, second;
    pledge("m1", 60, 10);
    pledge("m1", 60, 20);
    done();
    first = books_entry[0];
    second = books_entry[1];
    wait_days(12);
    exchange("m2", "m1", 90);
    warned(REPAID);
    cr_assert_eq(pledge_of(first)->outcome, OUTCOME_LAPSED);
    cr_assert_not(pledge_of(first)->is_over);
    exchange("m2", "m1", 30);
    warned(REPAID);
    cr_assert(pledge_of(first)->is_over && pledge_of(second)->is_over);
    cr_assert_eq(pledge_of(first)->outcome, OUTCOME_SETTLED);
    wait_days(30);
    cr_assert_eq(books_run_due(), 0);
}

Test(pledge, ends_in_the_batch_that_earns_it_too) {
    pledge("m1", 60, 10);
    exchange("m2", "m1", 60);
    warned(REPAID);
    cr_assert(pledge_of(books_entry[0])->is_over);
}

Test(pledge, is_kept_though_a_later_one_is_still_owed) {
    uint64_t first, second;
    pledge("m1", 60, 10);
    pledge("m1", 120, 20);
    done();
    first = books_entry[0];
    second = books_entry[1];
    exchange("m2", "m1", 75);
    warned(REPAID);
    wait_days(11);
    cr_assert_eq(books_run_due(), 1);
    cr_assert(pledge_of(first)->is_over);
    cr_assert_eq(pledge_of(first)->outcome, OUTCOME_SETTLED);
    wait_days(10);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(pledge_of(second)->minutes, 105);
    cr_assert_eq(pledge_of(second)->outcome, OUTCOME_LAPSED);
}

Test(pledge, is_owed_after_an_advance_without_a_day) {
    uint64_t entry;
    advance("m1", 30);
    pledge("m1", 60, 10);
    done();
    entry = books_entry[1];
    exchange("m2", "m1", 45);
    warned(REPAID);
    wait_days(11);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(pledge_of(entry)->minutes, 45);
}

Test(pledge, ends_when_it_is_taken_back) {
    Timebank__Order *order = pledge("m1", 60, 10);
    uint64_t entry;
    done();
    entry = books_entry[0];
    reverse(order, 15);
    done();
    cr_assert_eq(pledge_of(entry)->minutes, 45);
    reverse(order, 0);
    done();
    cr_assert(pledge_of(entry)->is_over);
    cr_assert_eq(pledge_of(entry)->outcome, OUTCOME_WITHDRAWN);
    cr_assert_eq(owed("m1"), 0);
    wait_days(20);
    cr_assert_eq(books_run_due(), 0);
}

Test(pledge, falls_due_however_the_rows_are_kept) {
    pledge("m1", 60, 10);
    pledge("m2", 60, 10);
    done();
    books_write_behind();
    exchange("m3", "m2", 60);
    warned(REPAID);
    wait_days(11);
    cr_assert_eq(books_run_due(), 1);
}

Test(pledge, takes_random_histories_exactly) {
    static const char *const codes[] = {"m1", "m2", "m3", "m4"};
    Timebank__Order *orders[400];
    uint64_t seed = 11;
    size_t n = 0;
    for (size_t round = 0; round < 400; round++) {
        const char *a = codes[random_next(&seed) % 4], *b = codes[random_next(&seed) % 4];
        uint64_t minutes = 15 * (1 + random_next(&seed) % 8), what = random_next(&seed) % 6;
        if (what == 0)
            orders[n] = with_why(advance(a, minutes), 1);
        else if (what == 1)
            orders[n] = with_why(pledge(a, minutes, (uint32_t)(random_next(&seed) % 9)), 1);
        else if (what < 4 && a != b)
            orders[n] = with_why(exchange(a, b, minutes), 7);
        else if (n > 0) {
            size_t i = random_next(&seed) % n;
            reverse(orders[i], random_next(&seed) % 2 ? 15 : 0);
            submit();
            continue;
        } else
            continue;
        if (submit() == 0)
            n++;
        if (round % 16 == 0)
            wait_days(1);
        int64_t all = 0;
        for (size_t i = 0; i < 4; i++)
            all += (int64_t)owed(codes[i]);
        cr_assert_eq(balance("advances"), -all);
    }
}
