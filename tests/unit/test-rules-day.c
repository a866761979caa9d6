/* SPDX-License-Identifier: Apache-2.0 */
/* Sums by day: a cell for each account, and a row of its own for what no cell holds. */
#include <errno.h>

#include "books.h"
#include "daemon/rules.h"

TestSuite(day, .timeout = 60, .init = books_open, .fini = books_close);

static uint64_t given(const char *code, uint32_t day) {
    struct rule rule = {.state = books_state};
    return rules_day_get(&rule, DAY_GIVEN, account_of(code), day);
}

static uint64_t seen(struct rule *rule, uint64_t number, uint32_t day) {
    struct state_account account = {.number = number};
    return rules_day_get(rule, DAY_SPENT + 1, &account, day);
}

static void add(struct rule *rule, uint64_t number, uint32_t day, int64_t minutes) {
    struct state_account account = {.number = number};
    cr_assert(rules_day_add(rule, DAY_SPENT + 1, &account, day, minutes) == 0);
}

Test(day, sums_what_each_gave_on_a_day) {
    exchange("m2", "m1", 60);
    exchange("m3", "m1", 90);
    on_day(exchange("m1", "m2", 30), today() - 1);
    done();
    cr_assert(given("m1", today()) == 150 && given("m2", today()) == 0);
    cr_assert(given("m2", today() - 1) == 30 && given("m1", today() - 1) == 0);
}

Test(day, keeps_neighbours_apart) {
    struct state *above = state_new_above(books_state);
    struct rule rule = {.state = above};
    for (uint64_t n = 0; n < 5 * STATE_DAY_ACCOUNTS; n++)
        for (uint32_t day = 100; day < 103; day++)
            add(&rule, n, day, (int64_t)(n * 1000 + day));
    for (uint64_t n = 0; n < 5 * STATE_DAY_ACCOUNTS; n++)
        for (uint32_t day = 99; day < 104; day++)
            cr_assert_eq(seen(&rule, n, day), day > 99 && day < 103 ? n * 1000 + day : 0);
    state_free(above);
}

Test(day, holds_what_no_cell_does_and_goes_on_from_it) {
    static const int64_t steps[] = {STATE_DAY_EXACT - 1, 1,   1,         -2, -STATE_DAY_EXACT, 5,
                                    100000000,           -60, 100000000, -1};
    struct state *above = state_new_above(books_state);
    struct rule rule = {.state = above};
    int64_t sum = 0;
    for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
        sum = MAX_OF(sum + steps[i], (int64_t)0);
        add(&rule, 7, 200, steps[i]);
        cr_assert_eq(seen(&rule, 7, 200), (uint64_t)sum);
        cr_assert(seen(&rule, 6, 200) == 0 && seen(&rule, 8, 200) == 0);
    }
    state_free(above);
}

Test(day, does_not_go_below_nothing) {
    struct state *above = state_new_above(books_state);
    struct rule rule = {.state = above};
    add(&rule, 3, 10, -50);
    cr_assert_eq(seen(&rule, 3, 10), 0);
    add(&rule, 3, 10, 20);
    add(&rule, 3, 10, -50);
    cr_assert_eq(seen(&rule, 3, 10), 0);
    state_free(above);
}

Test(day, sums_between_two_accounts_and_nothing_for_nobody) {
    struct state *above = state_new_above(books_state);
    struct rule rule = {.state = above};
    const struct state_account *swim = account_of("swim"), *m1 = account_of("m1");
    cr_assert(rules_day_add_between(&rule, DAY_ACCEPTED_FROM, swim, m1, 10, 30) == 0);
    cr_assert(rules_day_add_between(&rule, DAY_ACCEPTED_FROM, swim, m1, 10, 30) == 0);
    cr_assert(rules_day_add_between(&rule, DAY_ACCEPTED_FROM, swim, NULL, 10, 30) == 0);
    cr_assert(rules_day_add(&rule, DAY_ACCEPTED, NULL, 10, 30) == 0);
    cr_assert_eq(rules_day_get_between(&rule, DAY_ACCEPTED_FROM, swim, m1, 10), 60);
    cr_assert_eq(rules_day_get_between(&rule, DAY_ACCEPTED_FROM, m1, swim, 10), 0);
    cr_assert_eq(rules_day_get_between(&rule, DAY_ACCEPTED_FROM, swim, NULL, 10), 0);
    cr_assert_eq(rules_day_get(&rule, DAY_ACCEPTED, NULL, 10), 0);
    state_free(above);
}

/* ---- earlier days, which leave memory */

#define FIRST_DAY 10000u
#define N_DAYS 400u
#define N_BLOCKS 400u

static struct rows stored[STATE_N_TABLES];
static int answer;

static int stored_row(void *user, enum state_table table, const void *key, size_t n_key,
                      void *ret_value) {
    const struct row *row = rows_find(&stored[table], rows_hash(key, n_key), key, n_key);
    (void)user;
    if (answer < 0 || !row)
        return answer;
    memcpy(ret_value, row->value, state_value_bytes(table));
    return 1;
}

static int store_row(void *user, enum state_table table, const void *key, size_t n_key,
                     const void *value) {
    uint64_t hash = rows_hash(key, n_key);
    size_t n = state_value_bytes(table);
    struct row *row = rows_find(&stored[table], hash, key, n_key);
    (void)user;
    if (!row)
        row = rows_add(&stored[table], hash, key, n_key, n);
    memcpy(row->value, value, n);
    return 0;
}

static void step(struct state *state) {
    cr_assert(state_step(state, store_row, NULL) == 0);
    state_step_left(state);
    state_days_forget(state);
}

/* What account `number` was given on a day at first: of some, more than a cell holds. */
static int64_t minutes_at(uint64_t number, uint32_t day) {
    return (int64_t)(number % 97 == 0 ? 70000 + day : number + day % 7);
}

Test(day, reads_earlier_days_back_and_goes_on_from_them) {
    struct state *state = state_new(&(struct state_source){.row = stored_row});
    struct rule rule = {.state = state};
    uint32_t last = FIRST_DAY + N_DAYS - 1;
    state->sums.ledger_time_ms = last * 86400000ull;
    for (uint32_t day = FIRST_DAY; day <= last; day++)
        for (uint64_t block = 0; block < N_BLOCKS; block++)
            add(&rule, block * STATE_DAY_ACCOUNTS + day % STATE_DAY_ACCOUNTS, day,
                minutes_at(block, day));
    cr_assert_eq(state->tables[STATE_DAYS].n_rows, N_DAYS * N_BLOCKS);
    step(state);
    cr_assert_eq(state->tables[STATE_DAYS].n_rows, 63 * N_BLOCKS);
    for (uint32_t day = FIRST_DAY; day <= last; day += 3)
        for (uint64_t block = 0; block < N_BLOCKS; block += 7) {
            uint64_t number = block * STATE_DAY_ACCOUNTS + day % STATE_DAY_ACCOUNTS;
            int64_t minutes = minutes_at(block, day);
            cr_assert_eq(seen(&rule, number, day), (uint64_t)minutes);
            cr_assert_eq(seen(&rule, number ^ 1, day), 0);
            add(&rule, number, day, -5);
            cr_assert_eq(seen(&rule, number, day), (uint64_t)MAX_OF(minutes - 5, 0));
        }
    add(&rule, 3, FIRST_DAY - 1, 20); /* where nothing was */
    step(state);
    cr_assert_eq(seen(&rule, 3, FIRST_DAY - 1), 20);
    cr_assert_eq(state_broken(state), 0);
    state_free(state);
}

Test(day, stops_where_an_earlier_day_cannot_be_read) {
    struct state *state = state_new(&(struct state_source){.row = stored_row});
    struct rule rule = {.state = state};
    state->sums.ledger_time_ms = 20000 * 86400000ull;
    cr_assert_eq(state_days_begin(state), 20000 - 62);
    answer = -EIO;
    cr_assert_eq(seen(&rule, 3, 20000), 0);
    cr_assert_eq(state_broken(state), 0);
    cr_assert_eq(seen(&rule, 3, 19000), 0);
    cr_assert_eq(state_broken(state), -EIO);
    state_free(state);
}
