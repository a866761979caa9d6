/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules, one sentence each: what moves, what is refused and in which words, what only warns.
 * Each test ends with the laws and a replay from the start (books_close).
 */
#include "books.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/hours.h"
#include "proto/merkle.h"

TestSuite(ledger, .timeout = 30, .init = books_open, .fini = books_close);
TestSuite(genesis, .timeout = 10);
TestSuite(policy, .timeout = 30, .fini = books_close);
TestSuite(peers, .timeout = 30, .init = books_open, .fini = books_close);

#define MEMBER TIMEBANK__ACCOUNT_KIND__MEMBER
#define ORGANISATION TIMEBANK__ACCOUNT_KIND__ORGANISATION
#define VENUE TIMEBANK__ACCOUNT_KIND__VENUE
#define HISTORY TIMEBANK__SOURCE__HISTORY
#define LIMIT(minutes) (&(int64_t){minutes})
#define INSIST_LIMITS 1u
#define INSIST_DAY 2u
#define AGAIN 4u
#define INSIST_PRICE 8u

static Timebank__Order *history(Timebank__Order *order, const char *service, const char *claimed) {
    as("steward");
    order->claimed_day = claimed ? on(claimed) : 0;
    return from_source(on_day(order, on(service)), HISTORY);
}

static Timebank__Order *activity(Timebank__Order *order, const char *name) {
    order->activity = (char *)name;
    return order;
}

/* ---- genesis */

Test(genesis, opens_the_banks_own_accounts_in_order) {
    static const char *const codes[] = {"chest",    "issued",   "retired", "expired",
                                        "advances", "vouchers", "transit", "write-offs"};
    cr_assert(books_genesis(NULL) == 0);
    cr_assert_eq(books_state->sums.n_accounts, 8);
    cr_assert_eq(books_state->sums.size, 1);
    for (size_t i = 0; i < 8; i++) {
        cr_assert_eq(account_of(codes[i])->number, i);
        cr_assert_eq(balance(codes[i]), 0);
    }
    books_close();
}

Test(genesis, takes_no_unknown_policy_and_no_unfit_value) {
    cr_assert(books_genesis((const char *const[]){"quantum=7", NULL}) == -EBADMSG);
    cr_assert(books_genesis((const char *const[]){"floor-member=low", NULL}) == -EBADMSG);
    cr_assert(books_genesis((const char *const[]){"member-code=x", NULL}) == -EBADMSG);
}

static int genesis_of(size_t n_policies, char **names, char **values, size_t n_keys, size_t n_key) {
    uint8_t zeros[64] = {0};
    ProtobufCBinaryData key = {n_key, zeros};
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    struct state *state = state_new(NULL), *above = state_new_above(state);
    genesis.n_policy_names = genesis.n_policy_values = n_policies;
    genesis.policy_names = names;
    genesis.policy_values = values;
    genesis.n_steward_keys = n_keys;
    genesis.steward_keys = &key;
    int r = ledger_genesis(above, &genesis);
    state_free(above);
    state_free(state);
    return r;
}

Test(genesis, wants_a_steward_and_ascending_policies) {
    char *sorted[] = {"quantum", "rounding"}, *turned[] = {"rounding", "quantum"};
    char *twice[] = {"quantum", "quantum"}, *unknown[] = {"colour"};
    char *values[] = {"15", "up"}, *turned_values[] = {"up", "15"}, *same[] = {"15", "15"};
    cr_assert(genesis_of(2, sorted, values, 1, 32) == 0);
    cr_assert(genesis_of(2, turned, turned_values, 1, 32) == -EBADMSG);
    cr_assert(genesis_of(2, twice, same, 1, 32) == -EBADMSG);
    cr_assert(genesis_of(1, unknown, same, 1, 32) == -EBADMSG);
    cr_assert(genesis_of(2, sorted, values, 0, 32) == -EBADMSG);
    cr_assert(genesis_of(2, sorted, values, 1, 31) == -EBADMSG);
}

/* ---- what moves */

Test(ledger, moves_an_exchange_from_the_receiver_to_the_giver) {
    exchange("m1", "m2", 90);
    done();
    cr_assert_eq(balance("m1"), -90);
    cr_assert_eq(balance("m2"), 90);
    cr_assert_eq(books_effects[0].n_legs, 2);
    cr_assert_eq(leg_of(0, "m1")->after, -90);
    cr_assert_eq(leg_of(0, "m1")->side, LEG_FROM);
    cr_assert_eq(leg_of(0, "m2")->after, 90);
    cr_assert_eq(leg_of(0, "m2")->side, LEG_TO);
    cr_assert_eq(account_of("m2")->n_entries, 1);
    cr_assert_eq(account_of("m2")->last_entry, books_entry[0]);
}

Test(ledger, moves_nothing_when_hours_are_logged) {
    uint64_t n = books_state->sums.n_entries;
    log_hours("m1", 120);
    log_hours("m2", 60)->from = "food-bank";
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("food-bank"), 0);
    cr_assert_eq(books_effects[0].n_legs, 1);
    cr_assert(!leg_of(0, "m1")->moved && leg_of(0, "m1")->minutes == 0);
    cr_assert_eq(books_state->sums.n_entries, n + 2);
}

Test(ledger, moves_every_kind_between_its_own_accounts) {
    issue("food-bank", 600);
    earn("food-bank", "m1", 120);
    gift("m1", "m2", 30);
    donate("m2", 15);
    grant("chest", "m3", 15);
    grant("issued", "m4", 60);
    redeem("m4", "swim", 1, 60);
    done();
    cr_assert_eq(balance("issued"), -660);
    cr_assert_eq(balance("food-bank"), 480);
    cr_assert_eq(balance("m1"), 90);
    cr_assert_eq(balance("m2"), 15);
    cr_assert_eq(balance("chest"), 0);
    cr_assert_eq(balance("m3"), 15);
    cr_assert_eq(balance("m4"), 0);
    cr_assert_eq(balance("swim"), 60);
}

Test(ledger, counts_entries_but_not_the_register) {
    uint64_t n = books_state->sums.n_entries;
    Timebank__Order *slip = exchange("m1", "m2", 60);
    open_account("m5", MEMBER);
    set_funder("lottery");
    reverse(slip, 0);
    done();
    cr_assert_eq(books_state->sums.n_entries, n + 2);
}

Test(ledger, chains_the_running_hash_over_every_posting) {
    uint8_t zeros[32] = {0}, after_one[32];
    cr_assert(memcmp(account_of("m1")->running, zeros, 32) == 0);
    exchange("m1", "m2", 15);
    done();
    memcpy(after_one, account_of("m1")->running, 32);
    cr_assert(memcmp(after_one, zeros, 32) != 0);
    exchange("m1", "m2", 30);
    done();
    cr_assert(memcmp(account_of("m1")->running, after_one, 32) != 0);
    cr_assert(memcmp(account_of("m1")->running, account_of("m2")->running, 32) != 0);
    cr_assert(memcmp(account_of("m3")->running, zeros, 32) == 0);
}

Test(ledger, hashes_a_posting_as_the_manual_says) {
    struct bytes body = {0};
    Timebank__Order *order = exchange("m1", "m2", 15);
    uint8_t message[81] = {3};
    record_order_encode(order, &body);
    struct hash leaf = merkle_leaf(body.data, body.n);
    memcpy(message + 33, leaf.b, 32);
    be64_put(message + 65, (uint64_t)-15);
    struct hash running = hash_of(message, sizeof(message));
    done();
    cr_assert(memcmp(account_of("m1")->running, running.b, 32) == 0);
    bytes_fini(&body);
}

/* ---- limits */

Test(ledger, lets_a_fresh_bank_trade_twenty_hours_on_day_one) {
    gift("m1", "m2", 1200);
    done();
    cr_assert_eq(balance("m1"), -1200);
}

Test(ledger, refuses_an_exchange_below_the_floor) {
    gift("m1", "m2", 1200);
    done();
    exchange("m1", "m2", 15);
    refused(BELOW_FLOOR);
    names_field("from");
    says("m1 would stand at -20 h 15, below its limit of -20 h");
    gift("m3", "m2", 1215);
    refused(BELOW_FLOOR);
}

Test(ledger, refuses_a_balance_above_the_ceiling) {
    set_limit("m2", NULL, LIMIT(600));
    gift("m1", "m2", 600);
    done();
    gift("m1", "m2", 15);
    refused(ABOVE_CEILING);
    names_field("to");
    says("m2 would stand at 10 h 15, above its limit of 10 h");
}

Test(ledger, lets_an_over_limit_account_move_towards_zero) {
    gift("m1", "m2", 1200);
    set_limit("m1", LIMIT(-600), NULL);
    set_limit("m2", NULL, LIMIT(600));
    done();
    gift("m3", "m1", 60);
    gift("m2", "m3", 60);
    done();
    gift("m1", "m3", 15);
    refused(BELOW_FLOOR);
    gift("m3", "m2", 15);
    refused(ABOVE_CEILING);
}

Test(ledger, wants_a_why_to_pass_a_limit_and_warns) {
    gift("m1", "m2", 1260)->override = INSIST_LIMITS;
    refused(NEEDS_WHY);
    names_field("override");
    with_why(gift("m1", "m2", 1260), INSIST_LIMITS);
    warned(BELOW_FLOOR);
    set_limit("m2", NULL, LIMIT(0));
    done();
    with_why(gift("m3", "m2", 60), INSIST_LIMITS);
    warned(ABOVE_CEILING);
}

Test(ledger, warns_on_both_sides_at_once) {
    set_limit("m2", NULL, LIMIT(0));
    done();
    with_why(gift("m1", "m2", 1260), INSIST_LIMITS);
    cr_assert_eq(submit(), 0);
    cr_assert(was_warned(WARNING_BELOW_FLOOR) && was_warned(WARNING_ABOVE_CEILING));
}

Test(ledger, takes_no_other_override_for_a_limit) {
    with_why(gift("m1", "m2", 1260), INSIST_DAY | AGAIN | INSIST_PRICE);
    refused(BELOW_FLOOR);
}

Test(ledger, gives_the_limit_back_to_the_policy) {
    set_limit("m1", LIMIT(-60), NULL);
    done();
    gift("m1", "m2", 75);
    refused(BELOW_FLOOR);
    set_limit("m1", NULL, NULL);
    gift("m1", "m2", 75);
    done();
}

Test(ledger, knows_an_account_without_a_limit) {
    set_limit("m1", LIMIT(STATE_NO_FLOOR), NULL);
    gift("m1", "m2", 60000);
    done();
    cr_assert_eq(balance("m1"), -60000);
}

Test(ledger, keeps_a_venue_and_the_chest_at_or_above_zero) {
    grant("chest", "m1", 15);
    refused(CHEST_EMPTY);
    donate("m1", 60);
    grant("chest", "m2", 60);
    done();
    grant("chest", "m2", 15);
    refused(CHEST_EMPTY);
}

Test(ledger, has_no_floor_under_issued) {
    grant("issued", "m1", 600000);
    done();
    cr_assert_eq(balance("issued"), -600000);
}

Test(ledger, tells_a_member_nothing_of_anothers_balance) {
    set_limit("m2", NULL, LIMIT(0));
    done();
    as("m1-key");
    gift("m1", "m2", 15);
    refused(ABOVE_CEILING);
    cr_assert_not(strstr(books_notes[0].message, "would stand"));
    gift("m1", "m3", 1215);
    refused(BELOW_FLOOR);
    says("m1 would stand at");
}

Test(ledger, tells_a_venue_nothing_of_a_balance) {
    set_limit("m2", LIMIT(0), NULL);
    done();
    as("swim-key");
    redeem("m2", "swim", 1, 60);
    refused(BELOW_FLOOR);
    cr_assert_not(strstr(books_notes[0].message, "m2"));
    cr_assert_not(strstr(books_notes[0].message, "would stand"));
}

Test(ledger, warns_of_a_short_allotment) {
    earn("food-bank", "m1", 60);
    warned(ALLOTMENT_SHORT);
    issue("food-bank", 120);
    done();
    earn("food-bank", "m2", 60);
    done();
}

Test(policy, refuses_a_short_allotment_where_the_policy_says_so) {
    books_open_with((const char *const[]){"short-allotment=refuse", NULL});
    earn("food-bank", "m1", 60);
    refused(BELOW_FLOOR);
    with_why(earn("food-bank", "m1", 60), INSIST_LIMITS);
    warned(ALLOTMENT_SHORT);
}

Test(policy, says_nothing_of_a_short_allotment_where_it_is_allowed) {
    books_open_with((const char *const[]){"short-allotment=allow", NULL});
    earn("food-bank", "m1", 60);
    done();
}

Test(policy, lets_limits_follow_the_kind_of_account) {
    books_open_with((const char *const[]){"floor-member=none", "ceiling-member=1800",
                                          "ceiling-venue=60", "ceiling-organisation=600", NULL});
    gift("m1", "m2", 1800);
    done();
    gift("m1", "m2", 15);
    refused(ABOVE_CEILING);
    redeem("m1", "swim", 1, 60);
    done();
    redeem("m1", "swim", 1, 60);
    refused(ABOVE_CEILING);
    issue("food-bank", 615);
    refused(ABOVE_CEILING);
}

/* ---- amounts */

Test(ledger, refuses_no_time_at_all) {
    exchange("m1", "m2", 0);
    refused(ZERO);
    names_field("minutes");
}

Test(ledger, refuses_more_time_than_any_scheme_holds) {
    grant("issued", "m1", HOURS_MAX_MINUTES + 20);
    refused(TOO_LONG);
    grant("issued", "m1", UINT64_MAX - 15);
    refused(TOO_LONG);
}

Test(ledger, refuses_time_that_is_not_in_the_quantum) {
    exchange("m1", "m2", 20);
    refused(NOT_IN_QUANTUM);
    says("20 min is not a multiple of the bank's step of 15 min");
    gift("m1", "m2", 7);
    refused(NOT_IN_QUANTUM);
    from_source(exchange("m1", "m2", 20), TIMEBANK__SOURCE__SHEET);
    refused(NOT_IN_QUANTUM);
    from_source(exchange("m1", "m2", 20), TIMEBANK__SOURCE__IMPORT);
    refused(NOT_IN_QUANTUM);
}

Test(ledger, only_warns_of_historys_odd_minutes) {
    as("steward");
    history(exchange("m1", "m2", 50), "2025-03-01", "2025-03-02");
    warned(NOT_IN_QUANTUM);
    cr_assert_eq(balance("m2"), 50);
}

static void quantum_is(const char *change, uint64_t quantum) {
    books_open_with((const char *const[]){change, NULL});
    for (uint64_t minutes = 1; minutes <= 61; minutes++) {
        gift("m1", "m2", minutes);
        size_t n = submit();
        cr_assert_eq(n, minutes % quantum ? 1 : 0, "%s, %d min", change, (int)minutes);
        gift("m2", "m1", minutes);
        submit();
    }
}

Test(policy, quantum_of_one) {
    quantum_is("quantum=1", 1);
}

Test(policy, quantum_of_five) {
    books_open_with((const char *const[]){"quantum=5", NULL});
    gift("m1", "m2", 5);
    done();
    gift("m1", "m2", 6);
    refused(NOT_IN_QUANTUM);
}

Test(policy, quantum_of_thirty) {
    quantum_is("quantum=30", 30);
}

Test(policy, quantum_of_sixty) {
    quantum_is("quantum=60", 60);
}

static Timebank__Order *typed(uint64_t typed_minutes, uint64_t minutes) {
    Timebank__Order *order = gift("m1", "m2", minutes);
    order->typed_minutes = typed_minutes;
    return order;
}

Test(policy, rounding_refuse_takes_no_rounded_figure) {
    books_open();
    typed(50, 45);
    refused(NOT_IN_QUANTUM);
    names_field("typed_minutes");
}

Test(policy, rounding_nearest_goes_up_from_the_middle) {
    books_open_with((const char *const[]){"rounding=nearest", "quantum=30", NULL});
    typed(44, 30);
    typed(45, 60);
    typed(61, 60);
    done();
    typed(45, 30);
    refused(NOT_IN_QUANTUM);
    typed(44, 60);
    refused(NOT_IN_QUANTUM);
    typed(44, 45);
    refused(NOT_IN_QUANTUM);
}

Test(policy, rounding_up) {
    books_open_with((const char *const[]){"rounding=up", NULL});
    typed(46, 60);
    typed(1, 15);
    done();
    typed(46, 45);
    refused(NOT_IN_QUANTUM);
    typed(46, 75);
    refused(NOT_IN_QUANTUM);
}

Test(policy, rounding_down) {
    books_open_with((const char *const[]){"rounding=down", NULL});
    typed(59, 45);
    done();
    typed(59, 60);
    refused(NOT_IN_QUANTUM);
}

Test(policy, keeps_the_minutes_as_typed) {
    struct arena arena;
    Timebank__Order *read = NULL;
    uint64_t received_at_ms = 0;
    books_open_with((const char *const[]){"rounding=down", NULL});
    typed(59, 45);
    done();
    arena_init(&arena, 1 << 16);
    cr_assert(state_order(books_state, books_entry[0], &arena, &read, &received_at_ms) == 1);
    cr_assert_eq(read->typed_minutes, 59);
    cr_assert_eq(received_at_ms, books_now_ms);
    arena_fini(&arena);
}

Test(policy, a_change_of_quantum_binds_from_then_on) {
    books_open();
    as("steward");
    gift("m1", "m2", 5);
    refused(NOT_IN_QUANTUM);
    set_policy("quantum", "5");
    gift("m1", "m2", 5);
    done();
    cr_assert_str_eq(state_policy(books_state, "quantum"), "5");
}

/* ---- hours of one day */

Test(ledger, says_nothing_of_eight_hours_and_warns_above) {
    log_hours("m1", 480);
    done();
    log_hours("m2", 495);
    warned(LONG_DAY);
}

Test(ledger, refuses_more_than_a_day_in_a_day) {
    log_hours("m1", 1440);
    warned(LONG_DAY);
    log_hours("m1", 15);
    refused(TOO_LONG);
    says("m1 would have given 24 h 15 on 2025-03-05");
    with_why(log_hours("m1", 15), INSIST_DAY);
    warned(VERY_LONG_DAY);
}

Test(ledger, wants_a_why_for_more_than_a_day) {
    log_hours("m1", 1455)->override = INSIST_DAY;
    refused(NEEDS_WHY);
}

Test(ledger, adds_up_the_day_over_kinds_and_batches) {
    issue("food-bank", 600);
    exchange("m2", "m1", 180);
    earn("food-bank", "m1", 180);
    done();
    log_hours("m1", 120);
    done();
    log_hours("m1", 15);
    warned(LONG_DAY);
}

Test(ledger, counts_the_giver_only_and_the_day_of_service_only) {
    exchange("m2", "m1", 480);
    done();
    exchange("m1", "m2", 480);
    done();
    on_day(exchange("m2", "m1", 480), today() - 1);
    gift("m2", "m1", 480);
    grant("issued", "m1", 600);
    done();
}

Test(ledger, gives_the_day_back_when_an_entry_is_reversed) {
    Timebank__Order *first = log_hours("m1", 480);
    done();
    reverse(first, 240);
    done();
    log_hours("m1", 240);
    done();
    log_hours("m1", 15);
    warned(LONG_DAY);
    reverse(first, 0);
    done();
    log_hours("m1", 225);
    done();
}

Test(policy, the_days_limits_are_policies) {
    books_open_with((const char *const[]){"day-warn=60", "day-refuse=120", NULL});
    log_hours("m1", 75);
    warned(LONG_DAY);
    log_hours("m1", 60);
    refused(TOO_LONG);
}

Test(ledger, only_warns_of_historys_long_days) {
    as("steward");
    history(log_hours("m1", 1500), "2025-03-01", "2025-03-01");
    warned(VERY_LONG_DAY);
}

/* ---- duplicates */

Test(ledger, refuses_by_hand_what_looks_like_an_earlier_entry) {
    exchange("m1", "m2", 60);
    done();
    uint64_t first = books_entry[0];
    exchange("m1", "m2", 60);
    refused(LOOKS_LIKE);
    cr_assert_eq(books_notes[0].entry, first);
    says("m2 gave 1 h on 2025-03-05 to m1");
    says("--again");
}

Test(ledger, takes_a_second_one_when_told_again_without_a_why) {
    exchange("m1", "m2", 60);
    done();
    uint64_t first = books_entry[0];
    exchange("m1", "m2", 60)->override = AGAIN;
    warned(LOOKS_LIKE);
    cr_assert_eq(books_notes[0].entry, first);
}

Test(ledger, only_warns_of_duplicates_in_sheets_and_imports) {
    exchange("m1", "m2", 60);
    done();
    from_source(exchange("m1", "m2", 60), TIMEBANK__SOURCE__SHEET);
    warned(LOOKS_LIKE);
    from_source(exchange("m1", "m2", 60), TIMEBANK__SOURCE__IMPORT);
    warned(LOOKS_LIKE);
    as("steward");
    history(exchange("m1", "m2", 60), "2025-03-05", NULL);
    warned(LOOKS_LIKE);
}

Test(ledger, finds_a_duplicate_in_the_same_batch) {
    exchange("m1", "m2", 60);
    exchange("m1", "m2", 60);
    refused(LOOKS_LIKE);
    cr_assert_eq(books_notes[0].place, 1);
    cr_assert_eq(balance("m1"), 0);
}

Test(ledger, takes_entries_that_differ_in_one_thing) {
    exchange("m1", "m2", 60);
    exchange("m1", "m2", 75);
    exchange("m3", "m2", 60);
    exchange("m1", "m3", 60);
    on_day(exchange("m1", "m2", 60), today() - 1);
    activity(exchange("m1", "m2", 60), "cooking");
    log_hours("m2", 60);
    done();
}

Test(ledger, takes_an_entry_anew_after_a_full_reversal_only) {
    Timebank__Order *first = exchange("m1", "m2", 60);
    done();
    reverse(first, 15);
    done();
    exchange("m1", "m2", 60);
    refused(LOOKS_LIKE);
    reverse(first, 0);
    done();
    exchange("m1", "m2", 60);
    done();
}

/* Entries 0 to 63, no two alike. */
static Timebank__Order *one_of_64(unsigned i) {
    return on_day(log_hours("m1", 15 + 15 * (i / 30)), today() - i % 30);
}

Test(ledger, looks_among_the_givers_last_64_entries) {
    for (unsigned i = 0; i < 64; i++)
        one_of_64(i);
    done();
    for (unsigned i = 0; i < 64; i++) {
        one_of_64(i);
        refused(LOOKS_LIKE);
    }
    log_hours("m1", 120);
    done();
    one_of_64(0);
    done();
    one_of_64(2);
    refused(LOOKS_LIKE);
}

Test(ledger, links_each_line_of_a_statement_to_the_one_before) {
    uint64_t moved, logged;
    Timebank__Order *slip = exchange("m1", "m2", 60);
    done();
    moved = books_entry[0];
    cr_assert_eq(leg_of(0, "m2")->previous, 0);
    log_hours("m2", 30);
    done();
    logged = books_entry[0];
    cr_assert(!leg_of(0, "m2")->moved && leg_of(0, "m2")->previous == moved);
    cr_assert_eq(leg_of(0, "m2")->after, 60);
    reverse(slip, 0);
    done();
    cr_assert_eq(leg_of(0, "m2")->previous, logged);
    cr_assert_eq(leg_of(0, "m1")->previous, moved);
    cr_assert_eq(account_of("m2")->last_line, books_entry[0]);
    cr_assert_eq(account_of("m2")->last_entry, books_entry[0]);
}

Test(ledger, shows_a_reversal_of_logged_hours_in_the_statement) {
    Timebank__Order *slip = log_hours("m2", 30);
    done();
    uint64_t logged = books_entry[0];
    reverse(slip, 0);
    done();
    cr_assert_eq(books_effects[0].n_legs, 1);
    cr_assert(!leg_of(0, "m2")->moved && leg_of(0, "m2")->previous == logged);
    cr_assert_eq(account_of("m2")->last_line, books_entry[0]);
}

Test(ledger, never_takes_gifts_for_duplicates) {
    gift("m1", "m2", 60);
    gift("m1", "m2", 60);
    done();
}

/* ---- dates */

Test(ledger, takes_tomorrow_and_refuses_the_day_after) {
    on_day(exchange("m1", "m2", 60), today() + 1);
    done();
    on_day(exchange("m1", "m2", 60), today() + 2);
    refused(FUTURE_DATE);
    names_field("service_day");
    says("2025-03-07 has not come yet");
}

Test(ledger, refuses_an_entry_without_a_date) {
    on_day(gift("m1", "m2", 60), 0);
    refused(BAD_DATE);
}

Test(ledger, warns_of_service_over_thirty_days_ago) {
    on_day(exchange("m1", "m2", 60), today() - 30);
    done();
    on_day(exchange("m1", "m2", 60), today() - 31);
    warned(OLD_SERVICE_DATE);
}

Test(policy, takes_any_age_unless_the_policy_says_otherwise) {
    books_open_with((const char *const[]){"age-of-service=60", "service-warn-days=any", NULL});
    on_day(exchange("m1", "m2", 60), today() - 60);
    done();
    on_day(exchange("m1", "m2", 60), today() - 61);
    refused(BAD_DATE);
    says("age-of-service");
    as("steward");
    history(exchange("m1", "m2", 60), "2022-01-03", "2022-01-03");
    done();
}

Test(ledger, refuses_a_claimed_date_of_entry_without_history) {
    exchange("m1", "m2", 60)->claimed_day = today();
    refused(HISTORY_ONLY);
    names_field("claimed_day");
    from_source(exchange("m1", "m2", 60), TIMEBANK__SOURCE__IMPORT)->claimed_day = today();
    refused(HISTORY_ONLY);
}

Test(ledger, leaves_history_to_stewards) {
    from_source(exchange("m1", "m2", 60), HISTORY);
    refused(HISTORY_STEWARD);
    as("steward");
    history(exchange("m1", "m2", 60), "2025-03-05", NULL);
    done();
}

Test(ledger, orders_service_claimed_date_and_today) {
    as("steward");
    history(exchange("m1", "m2", 60), "2024-05-01", "2024-05-02");
    done();
    history(exchange("m1", "m2", 60), "2024-05-03", "2024-05-02");
    refused(BAD_DATE);
    names_field("claimed_day");
    history(exchange("m1", "m2", 60), "2025-03-05", "2025-03-06");
    refused(FUTURE_DATE);
    names_field("claimed_day");
}

Test(ledger, measures_historys_lag_to_the_claimed_date) {
    as("steward");
    history(exchange("m1", "m2", 60), "2024-05-01", "2024-05-31");
    done();
    history(exchange("m1", "m3", 60), "2024-05-01", "2024-06-01");
    warned(OLD_SERVICE_DATE);
    history(exchange("m1", "m4", 60), "2024-05-01", NULL);
    warned(OLD_SERVICE_DATE);
}

Test(ledger, warns_of_service_before_the_giver_joined) {
    open_account("m5", MEMBER);
    done();
    on_day(exchange("m1", "m5", 60), today() - 1);
    warned(BEFORE_JOINING);
    on_day(exchange("m5", "m1", 60), today() - 1);
    done();
}

Test(ledger, history_warns_where_the_rules_would_refuse) {
    as("steward");
    freeze("m3");
    done();
    history(exchange("m1", "m2", 1475), "2025-03-01", "2025-03-01");
    cr_assert_eq(submit(), 0);
    cr_assert(was_warned(WARNING_BELOW_FLOOR));
    cr_assert(was_warned(WARNING_VERY_LONG_DAY));
    cr_assert(was_warned(WARNING_NOT_IN_QUANTUM));
    history(exchange("m3", "m4", 60), "2025-03-01", "2025-03-01");
    done();
    history(redeem("m4", "swim", 2, 60), "2025-03-01", "2025-03-01");
    warned(NOT_THE_PRICE);
}

Test(ledger, history_too_wants_what_is_known) {
    as("steward");
    activity(history(exchange("m1", "m2", 60), "2025-03-01", NULL), "juggling");
    refused(UNKNOWN_ACTIVITY);
    history(exchange("m1", "m9", 60), "2025-03-01", NULL);
    refused(NO_SUCH_ACCOUNT);
    history(exchange("m1", "m2", 0), "2025-03-01", NULL);
    refused(ZERO);
    history(exchange("m1", "m2", 60), "2025-03-07", NULL);
    refused(FUTURE_DATE);
}

/* ---- sides */

Test(ledger, names_the_right_verb_for_the_wrong_kind_of_account) {
    exchange("food-bank", "m1", 60);
    refused(WRONG_KIND);
    names_field("from");
    says("food-bank is an organisation: for time given to it use earn");
    exchange("m1", "swim", 60);
    refused(WRONG_KIND);
    names_field("to");
    says("to spend credits there use redeem");
    earn("m1", "m2", 60);
    refused(WRONG_KIND);
    says("m1 is a member: for time between members use exchange, for credits gift");
    gift("m1", "food-bank", 60);
    refused(WRONG_KIND);
    exchange("m1", "chest", 60);
    refused(WRONG_KIND);
    says("use donate, grant or issue");
    redeem("m1", "m2", 1, 60);
    refused(WRONG_KIND);
    issue("m1", 60);
    refused(WRONG_KIND);
    grant("m1", "m2", 60);
    refused(WRONG_KIND);
    grant("retired", "m2", 60);
    refused(WRONG_KIND);
    donate("m1", 60)->to = "issued";
    refused(WRONG_KIND);
    set_offer("m1", "tea", 15);
    refused(WRONG_KIND);
}

Test(ledger, wants_two_different_accounts_that_exist) {
    exchange("m1", "m1", 60);
    refused(SAME_ACCOUNT);
    exchange("m1", "m9", 60);
    refused(NO_SUCH_ACCOUNT);
    says("There is no account m9");
    names_field("to");
    exchange("", "m1", 60);
    refused(NO_SUCH_ACCOUNT);
    says("missing");
    log_hours("", 60);
    refused(NO_SUCH_ACCOUNT);
    freeze("m9");
    refused(NO_SUCH_ACCOUNT);
}

Test(ledger, wants_a_known_activity) {
    activity(exchange("m1", "m2", 60), "juggling");
    refused(UNKNOWN_ACTIVITY);
    says("There is no activity juggling");
    activity(log_hours("m1", 60), "");
    refused(UNKNOWN_ACTIVITY);
    says("missing");
    set_activity("juggling");
    activity(exchange("m1", "m2", 60), "juggling");
    done();
}

Test(ledger, wants_a_known_funder) {
    issue("food-bank", 60)->issue->funder = "lottery";
    refused(UNKNOWN_FUNDER);
    issue("food-bank", 60)->issue->funder = "";
    done();
    set_funder("lottery");
    issue("food-bank", 60)->issue->funder = "lottery";
    done();
}

Test(ledger, wants_readable_texts) {
    issue("food-bank", 60)->issue->programme = "a\nb";
    refused(BAD_TEXT);
    issue("food-bank", 60)->issue->reference = "a\tb";
    refused(BAD_TEXT);
    exchange("m1", "m2", 60)->sheet = "a\x1b[31m";
    refused(BAD_TEXT);
    names_field("sheet");
    set_activity("a/b");
    refused(BAD_TEXT);
    set_activity("");
    refused(BAD_TEXT);
    set_funder(" x");
    refused(BAD_TEXT);
    set_offer("swim", "", 60);
    refused(BAD_TEXT);
}

Test(ledger, keeps_an_activitys_tags) {
    char *tags[] = {"outdoors", "green"}, *bad[] = {"two words"}, *many[40];
    Timebank__Order *order = set_activity("digging");
    order->set_activity->n_tags = 2;
    order->set_activity->tags = tags;
    done();
    const struct state_activity *row = state_get(books_state, STATE_ACTIVITIES, "digging", 7, NULL);
    cr_assert_str_eq(row->tags, "outdoors green");
    order = set_activity("digging");
    order->set_activity->n_tags = 1;
    order->set_activity->tags = bad;
    refused(BAD_TEXT);
    for (size_t i = 0; i < 40; i++)
        many[i] = "a-tag-of-sixteen";
    order = set_activity("digging");
    order->set_activity->n_tags = 40;
    order->set_activity->tags = many;
    refused(BAD_TEXT);
}

/* ---- redemptions */

Test(ledger, redeems_the_price_times_the_heads) {
    redeem("m1", "swim", 2, 120);
    done();
    redeem("m1", "swim", 2, 60);
    refused(NOT_THE_PRICE);
    says("The offer's price for 2 is 2 h");
    redeem("m1", "swim", 1, 120)->redeem->under16 = 1;
    done();
    cr_assert_eq(balance("swim"), 240);
}

Test(ledger, takes_another_price_with_a_why) {
    redeem("m1", "swim", 2, 60)->override = INSIST_PRICE;
    refused(NEEDS_WHY);
    with_why(redeem("m1", "swim", 2, 60), INSIST_PRICE);
    warned(NOT_THE_PRICE);
}

Test(ledger, wants_heads_and_a_known_offer) {
    redeem("m1", "swim", 0, 60);
    refused(NO_HEADS);
    redeem("m1", "swim", 1001, 60060);
    refused(NO_HEADS);
    redeem("m1", "swim", UINT32_MAX, 60)->redeem->under16 = 2;
    refused(NO_HEADS);
    redeem("m1", "swim", 1, 60)->redeem->offer = "sauna";
    refused(UNKNOWN_OFFER);
    says("swim has no offer sauna");
}

Test(ledger, changes_the_price_from_then_on) {
    set_offer("swim", "swim", 90);
    redeem("m1", "swim", 1, 90);
    done();
    redeem("m1", "swim", 1, 60);
    refused(NOT_THE_PRICE);
}

Test(ledger, wants_a_price_in_the_quantum) {
    set_offer("swim", "sauna", 0);
    refused(ZERO);
    set_offer("swim", "sauna", 20);
    refused(NOT_IN_QUANTUM);
    set_offer("swim", "sauna", 100005);
    refused(NOT_IN_QUANTUM);
}

Test(policy, caps_what_a_venues_own_key_takes_in_a_day) {
    books_open_with((const char *const[]){"venue-cap-day=180", "venue-cap-member-day=120", NULL});
    as("swim-key");
    redeem("m1", "swim", 2, 120);
    done();
    redeem("m1", "swim", 1, 60);
    refused(CAP);
    redeem("m2", "swim", 1, 60);
    done();
    redeem("m3", "swim", 1, 60);
    refused(CAP);
    as("broker");
    redeem("m3", "swim", 1, 60);
    done();
    wait_days(1);
    as("swim-key");
    redeem("m1", "swim", 1, 60);
    done();
}

Test(policy, gives_a_venues_cap_back_when_it_undoes) {
    books_open_with((const char *const[]){"venue-cap-day=60", "venue-cap-member-day=60", NULL});
    as("swim-key");
    Timebank__Order *slip = redeem("m1", "swim", 1, 60);
    done();
    reverse(slip, 0);
    done();
    redeem("m1", "swim", 1, 60);
    done();
    redeem("m1", "swim", 1, 60);
    refused(CAP);
}

/* ---- reversals */

Test(ledger, reverses_in_full_by_contrary_legs) {
    Timebank__Order *slip = exchange("m1", "m2", 90);
    done();
    reverse(slip, 0);
    done();
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(balance("m2"), 0);
    cr_assert_eq(books_effects[0].n_legs, 2);
    cr_assert_eq(leg_of(0, "m2")->minutes, -90);
    cr_assert_eq(leg_of(0, "m1")->minutes, 90);
    cr_assert_eq(account_of("m1")->n_entries, 2);
}

Test(ledger, reverses_in_parts_and_then_the_rest) {
    Timebank__Order *slip = exchange("m1", "m2", 90);
    done();
    reverse(slip, 30);
    reverse(slip, 15);
    done();
    cr_assert_eq(balance("m2"), 45);
    reverse(slip, 60);
    refused(MORE_THAN_REMAINS);
    says("Only 45 min remains");
    reverse(slip, 0);
    done();
    cr_assert_eq(balance("m2"), 0);
    reverse(slip, 0);
    refused(ALREADY_REVERSED);
    reverse(slip, 15);
    refused(ALREADY_REVERSED);
}

Test(ledger, reverses_an_entry_of_the_same_batch_once) {
    Timebank__Order *slip = exchange("m1", "m2", 90);
    reverse(slip, 0);
    done();
    cr_assert_eq(balance("m1"), 0);
    slip = exchange("m1", "m3", 90);
    reverse(slip, 0);
    reverse(slip, 0);
    refused(ALREADY_REVERSED);
    cr_assert_eq(books_notes[0].place, 2);
}

Test(ledger, reverses_no_reversal_and_no_register_order) {
    Timebank__Order *slip = exchange("m1", "m2", 90);
    Timebank__Order *back = reverse(slip, 0);
    Timebank__Order *opened = open_account("m5", MEMBER);
    done();
    reverse(back, 0);
    refused(NOT_REVERSIBLE);
    reverse(opened, 0);
    refused(NOT_REVERSIBLE);
    says("of kind open-account");
}

Test(ledger, reverses_only_what_is_there) {
    uint8_t nobody[ORDER_ID_BYTES] = {9};
    reverse_id(nobody, sizeof(nobody), 0);
    refused(NO_SUCH_ENTRY);
    names_field("target");
    Timebank__Order *refused_one = gift("m1", "m2", 7);
    reverse(refused_one, 0);
    cr_assert_eq(submit(), 2);
    cr_assert_eq(refusal_at(0)->number, REFUSAL_NOT_IN_QUANTUM);
    cr_assert_eq(refusal_at(1)->number, REFUSAL_NO_SUCH_ENTRY);
}

Test(ledger, reverses_in_the_quantum_or_the_odd_rest) {
    as("steward");
    Timebank__Order *old = history(exchange("m1", "m2", 50), "2025-03-01", NULL);
    warned(NOT_IN_QUANTUM);
    as("broker");
    reverse(old, 20);
    refused(NOT_IN_QUANTUM);
    reverse(old, 15);
    done();
    reverse(old, 35);
    done();
    cr_assert_eq(balance("m2"), 0);
}

Test(ledger, rounds_a_reversal_as_the_policy_says) {
    as("steward");
    Timebank__Order *slip = exchange("m1", "m2", 90);
    done();
    reverse(slip, 15)->typed_minutes = 17;
    refused(NOT_IN_QUANTUM);
    set_policy("rounding", "down");
    done();
    reverse(slip, 15)->typed_minutes = 17;
    done();
    cr_assert_eq(balance("m2"), 75);
}

Test(ledger, takes_no_time_rounded_to_nothing_for_all_of_it) {
    as("steward");
    Timebank__Order *slip = exchange("m1", "m2", 90);
    set_policy("rounding", "down");
    done();
    reverse(slip, 0)->typed_minutes = 10;
    refused(ZERO);
    cr_assert_eq(balance("m2"), 90);
}

Test(ledger, reverses_every_kind_that_counts) {
    Timebank__Order *all[9] = {issue("food-bank", 600)};
    all[1] = earn("food-bank", "m1", 120);
    all[2] = gift("m1", "m2", 30);
    all[3] = donate("m2", 15);
    all[4] = grant("chest", "m3", 15);
    all[5] = grant("issued", "m4", 60);
    all[6] = redeem("m4", "swim", 1, 60);
    all[7] = log_hours("m3", 45);
    all[8] = exchange("m1", "m2", 45);
    done();
    for (size_t i = 9; i-- > 0;)
        reverse(all[i], 0);
    done();
    for (uint64_t i = 0; i < books_state->sums.n_accounts; i++)
        cr_assert_eq(books_state->accounts[i]->balance, 0);
}

Test(ledger, reverses_past_a_limit_with_a_warning) {
    Timebank__Order *slip = gift("m1", "m2", 1200);
    gift("m2", "m3", 2400);
    done();
    reverse(slip, 0);
    warned(REVERSAL_PAST_LIMIT);
    cr_assert_eq(balance("m2"), -2400);
}

Test(ledger, reverses_past_a_ceiling_with_the_same_warning) {
    Timebank__Order *slip = gift("m1", "m2", 600);
    gift("m3", "m1", 600);
    set_limit("m1", NULL, LIMIT(0));
    done();
    reverse(slip, 0);
    warned(REVERSAL_PAST_LIMIT);
    cr_assert_eq(balance("m1"), 600);
}

Test(ledger, reverses_on_a_frozen_account_but_not_on_a_closed_one) {
    Timebank__Order *slip = exchange("m1", "m2", 60);
    Timebank__Order *other = exchange("m3", "m4", 60);
    freeze("m1");
    gift("m4", "m3", 60);
    close_account("m4");
    done();
    reverse(slip, 0);
    done();
    reverse(other, 0);
    refused(CLOSED);
}

Test(ledger, keeps_reversal_from_members_and_organisations) {
    as("m1-key");
    Timebank__Order *mine = gift("m1", "m2", 60);
    done();
    reverse(mine, 0);
    refused(NO_AUTHORITY);
    as("food-key");
    reverse(mine, 0);
    refused(NO_AUTHORITY);
}

Test(ledger, lets_a_venue_undo_its_last_acceptance) {
    as("swim-key");
    Timebank__Order *slip = redeem("m1", "swim", 1, 60);
    done();
    wait_minutes(15);
    reverse(slip, 0);
    done();
    cr_assert_eq(balance("swim"), 0);
}

Test(ledger, refuses_a_venues_undo_that_is_late_or_not_the_last_or_in_part) {
    as("swim-key");
    Timebank__Order *first = redeem("m1", "swim", 1, 60);
    Timebank__Order *second = redeem("m2", "swim", 1, 60);
    done();
    reverse(first, 0);
    refused(TOO_LATE_TO_UNDO);
    reverse(second, 15);
    refused(TOO_LATE_TO_UNDO);
    wait_minutes(16);
    reverse(second, 0);
    refused(TOO_LATE_TO_UNDO);
}

Test(ledger, refuses_a_venues_undo_of_what_others_did) {
    Timebank__Order *other = gift("m1", "m2", 60);
    done();
    as("swim-key");
    reverse(other, 0);
    refused(NO_AUTHORITY);
    says("only what swim itself accepted");
}

Test(ledger, refuses_a_venues_undo_for_a_frozen_member) {
    as("swim-key");
    Timebank__Order *slip = redeem("m1", "swim", 1, 60);
    done();
    as("broker");
    freeze("m1");
    done();
    as("swim-key");
    reverse(slip, 0);
    refused(FROZEN);
}

/* ---- corrections */

Test(ledger, corrects_by_a_reversal_and_the_right_entry) {
    Timebank__Order *wrong = exchange("m1", "m2", 90);
    done();
    reverse(wrong, 0);
    correcting(exchange("m1", "m2", 60), wrong);
    done();
    cr_assert_eq(balance("m2"), 60);
}

Test(ledger, corrects_to_the_same_figures_without_a_duplicate) {
    Timebank__Order *wrong = exchange("m1", "m2", 90);
    done();
    reverse(wrong, 0);
    correcting(exchange("m1", "m2", 90), wrong);
    done();
}

Test(ledger, corrects_only_what_was_reversed_in_full) {
    Timebank__Order *wrong = exchange("m1", "m2", 90);
    done();
    correcting(exchange("m1", "m2", 60), wrong);
    refused(BAD_CORRECTION);
    names_field("corrects");
    reverse(wrong, 75);
    correcting(exchange("m1", "m2", 60), wrong);
    refused(BAD_CORRECTION);
    correcting(exchange("m1", "m2", 60), wrong);
    reverse(wrong, 0);
    refused(BAD_CORRECTION);
}

Test(ledger, corrects_nothing_that_is_no_entry) {
    Timebank__Order nobody = TIMEBANK__ORDER__INIT;
    uint8_t id[ORDER_ID_BYTES] = {9};
    nobody.id = (ProtobufCBinaryData){sizeof(id), id};
    Timebank__Order *opened = open_account("m5", MEMBER);
    Timebank__Order *wrong = exchange("m1", "m2", 90);
    Timebank__Order *back = reverse(wrong, 0);
    done();
    correcting(exchange("m1", "m2", 60), &nobody);
    refused(BAD_CORRECTION);
    correcting(exchange("m1", "m2", 60), opened);
    refused(BAD_CORRECTION);
    correcting(exchange("m1", "m2", 60), back);
    refused(BAD_CORRECTION);
    correcting(open_account("m6", MEMBER), wrong);
    refused(NOT_CANONICAL);
}

/* ---- accounts */

Test(ledger, opens_accounts_under_fit_codes) {
    static const char *const bad[] = {"",     "-m",   "m--1",  "M1",
                                      "m 1",  "m_1",  "chest", "all",
                                      "next", "bank", "none",  "abcdefghijabcdefghijabcdefghij123"};
    for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
        open_account(bad[i], ORGANISATION);
        refused(BAD_CODE);
    }
    open_account("abcdefghijabcdefghijabcdefghij12", ORGANISATION);
    open_account("8-till-late", VENUE);
    open_account("anna", ORGANISATION);
    done();
}

Test(ledger, keeps_names_out_of_members_codes) {
    static const char *const bad[] = {"anna", "anna1", "an-1", "12", "abc", "m1234567890"};
    for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
        open_account(bad[i], MEMBER);
        refused(NOT_A_MEMBER_CODE);
    }
    open_account("abc123456789", MEMBER);
    done();
}

Test(policy, the_form_of_members_codes_is_a_policy) {
    books_open_with((const char *const[]){"member-code=0-1/1-4", NULL});
    open_account("12", MEMBER);
    open_account("m1234", MEMBER);
    done();
    open_account("ab1", MEMBER);
    refused(NOT_A_MEMBER_CODE);
}

Test(ledger, never_uses_a_code_twice) {
    open_account("m1", MEMBER);
    refused(CODE_TAKEN);
    open_account("m5", MEMBER);
    open_account("m5", MEMBER);
    refused(CODE_TAKEN);
    close_account("m4");
    done();
    open_account("m4", MEMBER);
    refused(CODE_TAKEN);
}

Test(ledger, opens_only_members_organisations_and_venues) {
    open_account("chest2", TIMEBANK__ACCOUNT_KIND__CHEST);
    refused(BANK_ACCOUNT);
    open_account("m9", TIMEBANK__ACCOUNT_KIND__ACCOUNT_KIND_NONE);
    refused(BANK_ACCOUNT);
}

Test(ledger, numbers_accounts_in_the_order_of_the_log) {
    uint64_t n = books_state->sums.n_accounts;
    on_day(open_account("m5", MEMBER), on("2024-01-05"));
    open_account("m6", MEMBER);
    done();
    cr_assert_eq(account_of("m5")->number, n);
    cr_assert_eq(account_of("m6")->number, n + 1);
    cr_assert_eq(account_of("m5")->joined_day, on("2024-01-05"));
    cr_assert_eq(account_of("m6")->joined_day, today());
    cr_assert_eq(account_of("m6")->opened, books_entry[1]);
}

Test(ledger, refuses_a_date_of_joining_to_come) {
    on_day(open_account("m5", MEMBER), today() + 2);
    refused(FUTURE_DATE);
}

Test(ledger, freezes_both_ways_and_thaws) {
    freeze("m1");
    done();
    exchange("m1", "m2", 60);
    refused(FROZEN);
    says("m1 is frozen: see the coordinator");
    exchange("m2", "m1", 60);
    refused(FROZEN);
    freeze("m1");
    refused(ALREADY_FROZEN);
    thaw("m1");
    done();
    exchange("m1", "m2", 60);
    done();
    thaw("m1");
    refused(NOT_FROZEN);
}

Test(ledger, closes_an_empty_account_for_good) {
    exchange("m1", "m2", 60);
    done();
    close_account("m1");
    refused(NOT_EMPTY);
    close_account("m2");
    refused(NOT_EMPTY);
    gift("m2", "m1", 60);
    close_account("m1");
    done();
    gift("m2", "m1", 15);
    refused(CLOSED);
    gift("m1", "m2", 15);
    refused(CLOSED);
    close_account("m1");
    refused(ALREADY_CLOSED);
    freeze("m1");
    refused(ALREADY_CLOSED);
    thaw("m1");
    refused(NOT_FROZEN);
}

Test(ledger, leaves_the_banks_own_accounts_alone) {
    freeze("chest");
    refused(BANK_ACCOUNT);
    close_account("issued");
    refused(BANK_ACCOUNT);
    thaw("transit");
    refused(BANK_ACCOUNT);
    set_limit("issued", LIMIT(0), NULL);
    refused(BANK_ACCOUNT);
    set_limit("chest", LIMIT(-60), NULL);
    grant("chest", "m1", 60);
    done();
}

Test(ledger, wants_limits_around_zero) {
    set_limit("m1", LIMIT(15), NULL);
    refused(BAD_LIMIT);
    set_limit("m1", LIMIT(INT64_MIN), NULL);
    refused(BAD_LIMIT);
    set_limit("m1", NULL, LIMIT(-15));
    refused(BAD_LIMIT);
    set_limit("m1", LIMIT(0), LIMIT(0));
    done();
}

/* ---- policies */

Test(ledger, refuses_unknown_policies_and_unfit_values) {
    as("steward");
    set_policy("colour", "blue");
    refused(UNKNOWN_POLICY);
    set_policy("quantum", "7");
    refused(BAD_POLICY_VALUE);
    says("one of 1|5|15|30|60");
    set_policy("quantum", "");
    refused(BAD_POLICY_VALUE);
    set_policy("gift", "later");
    refused(BAD_POLICY_VALUE);
    set_policy("day-warn", "0");
    refused(BAD_POLICY_VALUE);
}

Test(ledger, refuses_policies_that_no_bank_could_trade_under) {
    as("steward");
    set_policy("floor-member", "60");
    refused(BAD_POLICY_VALUE);
    set_policy("ceiling-member", "-60");
    refused(BAD_POLICY_VALUE);
    set_policy("venue-cap-day", "-60");
    refused(BAD_POLICY_VALUE);
    set_policy("floor-member", "0");
    set_policy("ceiling-member", "0");
    set_policy("venue-cap-day", "0");
    done();
}

/* ---- keys */

Test(ledger, grants_and_revokes_keys) {
    as("steward");
    grant_key("new", TIMEBANK__ROLE__BROKER, "");
    done();
    as("new");
    gift("m1", "m2", 60);
    done();
    as("steward");
    revoke_key("new");
    done();
    as("new");
    gift("m1", "m2", 60);
    refused(NO_AUTHORITY);
    struct ledger_author author;
    cr_assert(ledger_author(books_state, key_of("new"), &author) == 0);
    cr_assert(author.is_revoked && author.role == TIMEBANK__ROLE__ROLE_NONE);
}

Test(ledger, grants_a_key_once_for_ever) {
    as("steward");
    grant_key("broker", TIMEBANK__ROLE__AUDITOR, "");
    refused(KEY_GRANTED);
    revoke_key("broker");
    done();
    grant_key("broker", TIMEBANK__ROLE__BROKER, "");
    refused(KEY_GRANTED);
    revoke_key("broker");
    refused(NO_SUCH_KEY);
    revoke_key("nobody");
    refused(NO_SUCH_KEY);
}

Test(ledger, keeps_at_least_one_steward) {
    as("steward");
    revoke_key("steward");
    refused(LAST_STEWARD);
    grant_key("second", TIMEBANK__ROLE__STEWARD, "");
    revoke_key("steward");
    revoke_key("second");
    refused(LAST_STEWARD);
    cr_assert_eq(books_notes[0].place, 2);
    grant_key("second", TIMEBANK__ROLE__STEWARD, "");
    revoke_key("steward");
    done();
    as("second");
    set_policy("quantum", "5");
    revoke_key("second");
    refused(LAST_STEWARD);
}

Test(ledger, fits_a_roles_account_to_the_role) {
    as("steward");
    grant_key("k1", TIMEBANK__ROLE__ROLE_MEMBER, "");
    refused(BAD_ROLE);
    grant_key("k1", TIMEBANK__ROLE__ROLE_MEMBER, "swim");
    refused(BAD_ROLE);
    grant_key("k1", TIMEBANK__ROLE__ROLE_VENUE, "m1");
    refused(BAD_ROLE);
    grant_key("k1", TIMEBANK__ROLE__ROLE_ORGANISATION, "swim");
    refused(BAD_ROLE);
    grant_key("k1", TIMEBANK__ROLE__AUDITOR, "m1");
    refused(BAD_ROLE);
    grant_key("k1", TIMEBANK__ROLE__EVALUATOR, "m1");
    refused(BAD_ROLE);
    grant_key("k1", TIMEBANK__ROLE__BROKER, "swim");
    refused(BAD_ROLE);
    grant_key("k1", TIMEBANK__ROLE__ROLE_NONE, "");
    refused(BAD_ROLE);
    grant_key("k1", TIMEBANK__ROLE__ROLE_MEMBER, "m9");
    refused(NO_SUCH_ACCOUNT);
    close_account("m4");
    grant_key("k1", TIMEBANK__ROLE__ROLE_MEMBER, "m4");
    refused(CLOSED);
    grant_key("k1", TIMEBANK__ROLE__AUDITOR, "");
    grant_key("k2", TIMEBANK__ROLE__EVALUATOR, "");
    grant_key("k3", TIMEBANK__ROLE__BROKER, "m2");
    grant_key("k4", TIMEBANK__ROLE__STEWARD, "m3");
    done();
}

Test(ledger, grants_only_usable_keys) {
    uint8_t zeros[32] = {0};
    as("steward");
    grant_key("k1", TIMEBANK__ROLE__BROKER, "")->grant_key->key.data = zeros;
    refused(BAD_KEY);
}

Test(ledger, holds_a_keys_rights_for_the_whole_batch) {
    as("steward");
    grant_key("second", TIMEBANK__ROLE__STEWARD, "");
    done();
    revoke_key("steward");
    set_policy("quantum", "5");
    done();
    set_policy("quantum", "15");
    refused(NO_AUTHORITY);
}

Test(ledger, lets_each_role_do_its_own) {
    as("m1-key");
    exchange("m1", "m2", 60);
    gift("m1", "m2", 60);
    donate("m1", 60);
    done();
    exchange("m2", "m1", 60);
    refused(NO_AUTHORITY);
    names_field("from");
    says("This key acts for m1 only");
    log_hours("m1", 60);
    refused(NO_AUTHORITY);
    as("food-key");
    earn("food-bank", "m2", 60);
    warned(ALLOTMENT_SHORT);
    issue("food-bank", 60);
    refused(NO_AUTHORITY);
    as("swim-key");
    redeem("m1", "swim", 1, 60);
    done();
    gift("m1", "m2", 60);
    refused(NO_AUTHORITY);
    as("broker");
    set_policy("quantum", "5");
    refused(NO_AUTHORITY);
    grant_key("k1", TIMEBANK__ROLE__BROKER, "");
    refused(NO_AUTHORITY);
    as("nobody");
    gift("m1", "m2", 60);
    refused(NO_AUTHORITY);
}

Test(ledger, keeps_a_venues_key_to_its_own_account) {
    open_account("gym", VENUE);
    set_offer("gym", "swim", 60);
    done();
    as("swim-key");
    redeem("m1", "gym", 1, 60);
    refused(NO_AUTHORITY);
    names_field("to");
}

Test(ledger, lets_only_brokers_insist_or_import) {
    as("m1-key");
    with_why(gift("m1", "m2", 1215), INSIST_LIMITS);
    refused(NO_AUTHORITY);
    from_source(gift("m1", "m2", 60), TIMEBANK__SOURCE__IMPORT);
    refused(NO_AUTHORITY);
    exchange("m1", "m2", 60);
    done();
    exchange("m1", "m2", 60)->override = AGAIN;
    warned(LOOKS_LIKE);
}

Test(ledger, records_the_authority_that_the_key_has) {
    as("m1-key");
    gift("m1", "m2", 60)->authority = TIMEBANK__AUTHORITY__BY_BROKER;
    refused(WRONG_AUTHORITY);
    as("broker");
    gift("m1", "m2", 60)->authority = TIMEBANK__AUTHORITY__BY_SELF;
    refused(WRONG_AUTHORITY);
    gift("m1", "m2", 60)->authority = TIMEBANK__AUTHORITY__AUTHORITY_NONE;
    refused(WRONG_AUTHORITY);
    gift("m1", "m2", 60)->authority = TIMEBANK__AUTHORITY__BY_SHEET;
    done();
    freeze("m1")->authority = TIMEBANK__AUTHORITY__BY_BROKER;
    refused(WRONG_AUTHORITY);
    as("food-key");
    earn("food-bank", "m1", 60)->authority = TIMEBANK__AUTHORITY__BY_VENUE;
    refused(WRONG_AUTHORITY);
    as("swim-key");
    redeem("m1", "swim", 1, 60)->authority = TIMEBANK__AUTHORITY__BY_ORGANISATION;
    refused(WRONG_AUTHORITY);
}

Test(ledger, keeps_a_broker_from_their_own_hours) {
    as("steward");
    grant_key("anna", TIMEBANK__ROLE__BROKER, "m1");
    done();
    as("anna");
    exchange("m2", "m1", 60);
    refused(OWN_HOURS);
    earn("food-bank", "m1", 60);
    refused(OWN_HOURS);
    log_hours("m1", 60);
    refused(OWN_HOURS);
    exchange("m1", "m2", 60);
    done();
    as("broker");
    exchange("m2", "m1", 60);
    done();
}

Test(ledger, keeps_a_broker_from_giving_themselves_credits) {
    as("steward");
    grant_key("anna", TIMEBANK__ROLE__BROKER, "m1");
    done();
    as("anna");
    grant("issued", "m1", 60);
    refused(OWN_HOURS);
    gift("m2", "m1", 60);
    refused(OWN_HOURS);
    gift("m1", "m2", 60);
    done();
}

/* ---- form */

Test(ledger, takes_canonical_bytes_only) {
    enter_bytes("\xff\xff", 2);
    refused(NOT_CANONICAL);
    gift("m1", "m2", 15);
    enter_bytes("\x00", 1);
    refused(NOT_CANONICAL);
    cr_assert_eq(books_notes[0].place, 1);
}

Test(ledger, takes_no_field_that_its_kind_does_not_use) {
    gift("m1", "m2", 15)->activity = "gardening";
    refused(NOT_CANONICAL);
    names_field("activity");
    says("An order of kind gift does not take the field activity");
    on_day(freeze("m1"), today());
    refused(NOT_CANONICAL);
    freeze("m1")->from = "m2";
    refused(NOT_CANONICAL);
    set_policy("quantum", "5")->to = "m1";
    refused(NOT_CANONICAL);
    freeze("m1")->minutes = 15;
    refused(NOT_CANONICAL);
    freeze("m1")->typed_minutes = 15;
    refused(NOT_CANONICAL);
    freeze("m1")->sheet = "a";
    refused(NOT_CANONICAL);
    freeze("m1")->line = 1;
    refused(NOT_CANONICAL);
    with_why(freeze("m1"), INSIST_LIMITS);
    refused(NOT_CANONICAL);
    issue("food-bank", 15)->from_person = "2";
    refused(NOT_CANONICAL);
    freeze("m1")->to_person = "2";
    refused(NOT_CANONICAL);
    Timebank__Order *slip = gift("m1", "m2", 15);
    done();
    correcting(reverse(slip, 0), slip);
    refused(NOT_CANONICAL);
    names_field("corrects");
    on_day(reverse(slip, 0), today());
    refused(NOT_CANONICAL);
}

Test(ledger, knows_six_overrides_only) {
    with_why(gift("m1", "m2", 15), 64);
    refused(NOT_CANONICAL);
    names_field("override");
    with_why(gift("m1", "m2", 15), 63);
    done();
}

/* ---- ids and batches */

Test(ledger, answers_a_repeated_order_with_its_first_entry) {
    Timebank__Order *order = exchange("m1", "m2", 60);
    done();
    uint64_t first = books_entry[0];
    repeat(order);
    refused(ALREADY);
    cr_assert_eq(books_notes[0].entry, first);
    cr_assert_eq(books_entry[0], first);
    cr_assert_eq(balance("m2"), 60);
}

Test(ledger, finds_a_repeated_order_in_the_same_batch) {
    Timebank__Order *order = exchange("m1", "m2", 60);
    repeat(order);
    refused(ALREADY);
    cr_assert_eq(books_notes[0].place, 1);
    order = exchange("m1", "m2", 60);
    repeat(order)->minutes = 75;
    refused(ID_DIFFERS);
}

Test(ledger, names_the_field_that_differs_under_the_same_id) {
    Timebank__Order *order = exchange("m1", "m2", 60);
    done();
    uint64_t first = books_entry[0];
    repeat(order)->minutes = 75;
    refused(ID_DIFFERS);
    names_field("minutes");
    cr_assert_eq(books_notes[0].entry, first);
    repeat(order)->activity = "cooking";
    refused(ID_DIFFERS);
    names_field("activity");
    on_day(repeat(order), today() - 1);
    refused(ID_DIFFERS);
    names_field("service_day");
    with_why(repeat(order), 0);
    refused(ID_DIFFERS);
    names_field("note");
    set_policy("quantum", "5")->id.data = order->id.data;
    refused(ID_DIFFERS);
}

Test(ledger, records_a_batch_whole_or_not_at_all) {
    gift("m1", "m2", 60);
    gift("m2", "m3", 7);
    gift("m3", "m9", 60);
    open_account("m5", MEMBER);
    cr_assert_eq(submit(), 2);
    cr_assert_eq(refusal_at(1)->number, REFUSAL_NOT_IN_QUANTUM);
    cr_assert_eq(refusal_at(2)->number, REFUSAL_NO_SUCH_ACCOUNT);
    cr_assert_null(refusal_at(0));
    cr_assert_null(refusal_at(3));
    cr_assert_eq(balance("m1"), 0);
    cr_assert_null(state_account(books_state, "m5"));
}

Test(ledger, judges_on_as_if_the_refused_order_were_not_there) {
    gift("m1", "m2", 1215);
    gift("m1", "m2", 1200);
    gift("m1", "m2", 15);
    cr_assert_eq(submit(), 2);
    cr_assert_eq(refusal_at(0)->number, REFUSAL_BELOW_FLOOR);
    cr_assert_null(refusal_at(1));
    cr_assert_eq(refusal_at(2)->number, REFUSAL_BELOW_FLOOR);
    open_account("anna", MEMBER);
    gift("m1", "anna", 60);
    cr_assert_eq(submit(), 2);
    cr_assert_eq(refusal_at(1)->number, REFUSAL_NO_SUCH_ACCOUNT);
}

Test(ledger, forgets_a_refused_batch) {
    Timebank__Order *order = gift("m1", "m2", 1215);
    refused(BELOW_FLOOR);
    set_limit("m1", LIMIT(-2000), NULL);
    done();
    repeat(order);
    done();
}

Test(ledger, judges_a_later_order_by_what_an_earlier_one_did) {
    open_account("m5", MEMBER);
    set_activity("juggling");
    set_offer("swim", "sauna", 30);
    activity(exchange("m1", "m5", 60), "juggling");
    redeem("m5", "swim", 2, 60)->redeem->offer = "sauna";
    done();
    cr_assert_eq(balance("m5"), 0);
}

Test(ledger, judges_the_same_when_rows_are_read_back) {
    Timebank__Order *slip = exchange("m1", "m2", 60);
    done();
    uint64_t first = books_entry[0];
    reverse(slip, 15);
    done();
    books_write_behind();
    repeat(slip);
    refused(ALREADY);
    cr_assert_eq(books_notes[0].entry, first);
    books_write_behind();
    reverse(slip, 60);
    refused(MORE_THAN_REMAINS);
    reverse(slip, 0);
    done();
    books_write_behind();
    reverse(slip, 0);
    refused(ALREADY_REVERSED);
}

Test(ledger, seals_follow_time) {
    struct batch_header header = {.n_orders = 1};
    struct state *above = state_new_above(books_state);
    cr_assert(ledger_seal(above, &header, books_now_ms - 1) == -EBADMSG);
    cr_assert(ledger_seal(above, &header, books_now_ms) == 0);
    state_free(above);
}

Test(ledger, check_finds_a_balance_that_does_not_sum) {
    char why[100] = "";
    struct state_account *account = books_state->accounts[3];
    account->balance++;
    cr_assert(ledger_check(books_state, why, sizeof(why)) == -EUCLEAN);
    cr_assert(strstr(why, "sum to 1"));
    account->balance--;
    account->standing = 7;
    cr_assert(ledger_check(books_state, why, sizeof(why)) == -EUCLEAN);
    account->standing = 0;
}

/* ---- what broke in peers */

Test(peers, a_payment_charged_twice_by_a_lost_counter) {
    Timebank__Order *payment = gift("m1", "m2", 60);
    done();
    for (int i = 0; i < 3; i++) {
        repeat(payment);
        refused(ALREADY);
    }
    cr_assert_eq(balance("m1"), -60);
}

Test(peers, half_an_hour_floored_to_nothing) {
    as("steward");
    set_policy("quantum", "60");
    set_policy("rounding", "down");
    done();
    exchange("m1", "m2", 0)->typed_minutes = 30;
    refused(ZERO);
    exchange("m1", "m2", 30);
    refused(NOT_IN_QUANTUM);
}

Test(peers, a_deleted_entry_and_a_stale_balance) {
    Timebank__Order *slip = exchange("m1", "m2", 60);
    done();
    uint64_t entry = books_entry[0];
    reverse(slip, 0);
    done();
    repeat(slip);
    refused(ALREADY);
    cr_assert_eq(books_notes[0].entry, entry);
    cr_assert_eq(balance("m1"), 0);
}

Test(peers, a_double_click) {
    exchange("m1", "m2", 60);
    done();
    exchange("m1", "m2", 60);
    refused(LOOKS_LIKE);
    cr_assert_eq(balance("m2"), 60);
}

Test(peers, a_race_on_the_limit) {
    set_limit("m1", LIMIT(-60), NULL);
    done();
    size_t n_won = 0;
    for (int i = 0; i < 5; i++) {
        gift("m1", "m2", 60);
        n_won += submit() == 0;
    }
    cr_assert_eq(n_won, 1);
    cr_assert_eq(balance("m1"), -60);
}

Test(peers, zero_hour_rows) {
    from_source(exchange("m1", "m2", 0), TIMEBANK__SOURCE__IMPORT);
    refused(ZERO);
    from_source(log_hours("m1", 0), TIMEBANK__SOURCE__SHEET);
    refused(ZERO);
    gift("m1", "m2", 0);
    refused(ZERO);
}

Test(peers, totals_that_drop_the_banks_own_account) {
    int64_t sum = 0;
    grant("issued", "m1", 120);
    issue("food-bank", 600);
    donate("m1", 30);
    done();
    for (uint64_t i = 0; i < books_state->sums.n_accounts; i++)
        sum += books_state->accounts[i]->balance;
    cr_assert_eq(sum, 0);
    cr_assert_eq(balance("issued"), -720);
}

Test(peers, a_reversal_past_a_limit) {
    set_limit("m2", LIMIT(0), NULL);
    Timebank__Order *slip = gift("m1", "m2", 60);
    gift("m2", "m3", 60);
    done();
    reverse(slip, 0);
    warned(REVERSAL_PAST_LIMIT);
    says("m2 now stands at -1 h, below its limit of 0 min");
}

Test(peers, hours_clamped_without_telling) {
    Timebank__Order *slip = exchange("m1", "m2", 60);
    done();
    reverse(slip, 75);
    refused(MORE_THAN_REMAINS);
    log_hours("m1", 1455);
    refused(TOO_LONG);
    set_limit("m3", LIMIT(-30), NULL);
    done();
    gift("m3", "m2", 45);
    refused(BELOW_FLOOR);
    cr_assert_eq(balance("m3"), 0);
}

Test(peers, a_new_bank_that_cannot_trade) {
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(balance((const char *const[]){"m1", "m2", "m3", "m4"}[i]), 0);
    exchange("m1", "m2", 480);
    exchange("m2", "m3", 480);
    exchange("m3", "m4", 480);
    exchange("m4", "m1", 480);
    done();
}

Test(peers, a_half_done_state_after_a_failure) {
    struct state_sums before = books_state->sums;
    gift("m1", "m2", 60);
    open_account("m5", MEMBER);
    set_activity("juggling");
    gift("m2", "m9", 60);
    refused(NO_SUCH_ACCOUNT);
    cr_assert(memcmp(&before, &books_state->sums, sizeof(before)) == 0);
    cr_assert_null(state_get(books_state, STATE_ACTIVITIES, "juggling", 8, NULL));
    books_replay();
}

Test(peers, the_same_id_with_another_body_answered_ok) {
    Timebank__Order *order = gift("m1", "m2", 60);
    done();
    repeat(order)->minutes = 90;
    refused(ID_DIFFERS);
    names_field("minutes");
}

Test(peers, the_same_id_for_another_account_answered_with_the_first_result) {
    Timebank__Order *order = gift("m1", "m2", 60);
    done();
    repeat(order)->to = "m3";
    refused(ID_DIFFERS);
    names_field("to");
    repeat(order)->from = "m3";
    refused(ID_DIFFERS);
    names_field("from");
}

Test(peers, the_replay_of_a_real_incident) {
    static const int64_t vector[][5] = {
        {12277, 2800, 0, 0, 9477},    {8000, 2700, 0, 0, 5300},
        {8000, 6500, 0, 5000, 6500},  {4326, 4000, 0, 6004, 6330},
        {0, 2100, 0, 45900, 43800},   {5260, 2000, 0, 0, 3260},
        {0, 900, 0, 1100, 200},       {0, 2900, 0, 3100, 200},
        {0, 900, 0, 0, -900},         {0, 0, 10500, 800, 11300},
        {6700, 0, 4000, 8000, 18700}, {171660, 1000, 100, 1045, 171805},
        {0, 0, 11200, 5100, 16300}};
    char codes[N_ELEMENTS(vector)][8];
    as("steward");
    set_policy("quantum", "1");
    set_limit("m1", LIMIT(STATE_NO_FLOOR), NULL);
    done();
    for (size_t i = 0; i < N_ELEMENTS(vector); i++) {
        const int64_t *v = vector[i];
        Timebank__Order *orders[4];
        size_t n = 0;
        snprintf(codes[i], sizeof(codes[i]), "v%zu", i);
        open_account(codes[i], MEMBER);
        done();
        if (v[0])
            orders[n++] = grant("issued", codes[i], (uint64_t)v[0]);
        if (v[3])
            orders[n++] = grant("issued", codes[i], (uint64_t)v[3]);
        if (v[1])
            orders[n++] = gift(codes[i], "m1", (uint64_t)v[1]);
        if (v[2])
            orders[n++] = gift("m1", codes[i], (uint64_t)v[2]);
        done();
        cr_assert_eq(balance(codes[i]), v[4], "line %zu", i);
        for (size_t k = 0; k < n; k++)
            repeat(orders[k]);
        cr_assert_eq(submit(), n);
        cr_assert_eq(balance(codes[i]), v[4], "line %zu, sent again", i);
    }
}
