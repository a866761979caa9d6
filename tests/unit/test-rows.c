/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: found again however many there are, standing still, dropped as asked. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/bytes.h"
#include "daemon/rows.h"

TestSuite(rows, .timeout = 30);

#define N_MANY 5000

static struct rows rows;

static struct row *add(const void *key, size_t n) {
    return rows_add(&rows, rows_hash(key, n), key, n, sizeof(uint64_t));
}

static struct row *find(const void *key, size_t n) {
    return rows_find(&rows, rows_hash(key, n), key, n);
}

static struct row *find_number(uint64_t number) {
    uint8_t key[8];
    be64_put(key, number);
    return find(key, sizeof(key));
}

static void add_many(void) {
    uint8_t key[8];
    for (uint64_t i = 0; i < N_MANY; i++) {
        be64_put(key, i);
        struct row *row = add(key, sizeof(key));
        cr_assert(row);
        memcpy(row->value, &i, sizeof(i));
    }
}

static uint64_t value_of(const struct row *row) {
    uint64_t value;
    memcpy(&value, row->value, sizeof(value));
    return value;
}

Test(rows, finds_nothing_in_an_empty_table) {
    cr_assert_null(find("m1", 2));
    cr_assert_null(rows_next(&rows, NULL));
    rows_drop(&rows, NULL);
}

Test(rows, finds_each_of_many) {
    add_many();
    cr_assert_eq(rows.n_rows, N_MANY);
    for (uint64_t i = 0; i < N_MANY; i++)
        cr_assert_eq(value_of(find_number(i)), i);
    cr_assert_null(find_number(N_MANY));
    rows_drop(&rows, NULL);
    cr_assert_eq(rows.n_rows, 0);
}

Test(rows, makes_a_zeroed_value_and_keeps_the_key) {
    struct row *row = add("m1", 2);
    cr_assert_eq(value_of(row), 0);
    cr_assert_eq(row->n_key, 2);
    cr_assert(memcmp(row->key, "m1", 2) == 0);
    cr_assert_not(row->is_dirty);
    rows_drop(&rows, NULL);
}

Test(rows, tells_keys_apart_by_length) {
    add("m1", 2);
    cr_assert_null(find("m", 1));
    cr_assert_null(find("m1\0", 3));
    add("m1\0", 3);
    cr_assert(find("m1", 2) != find("m1\0", 3));
    rows_drop(&rows, NULL);
}

Test(rows, keeps_rows_where_they_are_while_it_grows) {
    struct row *first = add("first", 5);
    add_many();
    cr_assert_eq(find("first", 5), first);
    rows_drop(&rows, NULL);
}

Test(rows, walks_over_each_row_once) {
    static bool seen[N_MANY];
    size_t n = 0;
    add_many();
    for (struct row *row = rows_next(&rows, NULL); row; row = rows_next(&rows, row), n++) {
        cr_assert_not(seen[value_of(row)]);
        seen[value_of(row)] = true;
    }
    cr_assert_eq(n, N_MANY);
    rows_drop(&rows, NULL);
}

static bool is_odd(const struct row *row) {
    return value_of(row) % 2;
}

Test(rows, drops_what_it_is_told_to) {
    add_many();
    rows_drop(&rows, is_odd);
    cr_assert_eq(rows.n_rows, N_MANY / 2);
    for (uint64_t i = 0; i < N_MANY; i++)
        cr_assert_eq(find_number(i) == NULL, i % 2, "%d", (int)i);
    rows_drop(&rows, NULL);
}

Test(rows, hashes_the_same_key_the_same_way) {
    cr_assert_eq(rows_hash("m1", 2), rows_hash("m1", 2));
    cr_assert_neq(rows_hash("m1", 2), rows_hash("m2", 2));
}

Test(rows, lists_what_changed_once_and_lets_it_leave) {
    add_many();
    struct row *first = find_number(1), *second = find_number(2), *third = find_number(3);
    cr_assert(rows_mark(&rows, first) == 0 && rows_mark(&rows, second) == 0);
    cr_assert(rows_mark(&rows, first) == 0 && rows_mark(&rows, third) == 0);
    cr_assert_eq(rows.n_dirty, 3);
    rows_leave(&rows);
    cr_assert_eq(rows.n_dirty, 0);
    cr_assert(first->is_leaving && !first->is_dirty);
    cr_assert(rows_mark(&rows, second) == 0);
    rows_left(&rows, true);
    cr_assert_null(find_number(1));
    cr_assert_eq(find_number(2), second);
    cr_assert_null(find_number(3));
    cr_assert(second->is_dirty && !second->is_leaving);
    cr_assert(rows.n_rows == N_MANY - 2 && rows.n_dirty == 1);
    rows_leave(&rows);
    rows_left(&rows, false);
    cr_assert_eq(find_number(2), second);
    rows_drop(&rows, NULL);
}

Test(rows, finds_the_row_of_a_value) {
    struct row *row = add("food-bank", 9);
    cr_assert_eq(rows_of_value(row->value, 9), row);
    rows_remove(&rows, row);
    cr_assert_null(find("food-bank", 9));
    rows_drop(&rows, NULL);
}
