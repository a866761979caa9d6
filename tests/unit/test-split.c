/* SPDX-License-Identifier: Apache-2.0 */
/* Largest remainder: examples by hand, then what holds of any weights. */
#include "daemon/split.h"

#include "helpers.h"

TestSuite(split, .timeout = 60);

static void expect(uint64_t total, const uint64_t *weights, size_t n, const uint64_t *parts) {
    uint64_t got[SPLIT_MAX];
    split_shares(total, weights, n, got);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(got[i], parts[i], "place %zu: %llu", i, (unsigned long long)got[i]);
}

#define LIST(...) ((const uint64_t[]){__VA_ARGS__})

Test(split, shares_evenly_where_it_can) {
    expect(120, LIST(60, 60), 2, LIST(60, 60));
    expect(90, LIST(60, 30), 2, LIST(60, 30));
    expect(60, LIST(15), 1, LIST(60));
}

Test(split, gives_what_is_left_over_to_the_first_of_equals) {
    expect(100, LIST(60, 60, 60), 3, LIST(34, 33, 33));
    expect(2, LIST(1, 1, 1), 3, LIST(1, 1, 0));
}

Test(split, gives_what_is_left_over_to_the_largest_remainder) {
    /* 100/70 of 10, 20, 40: 14.28.., 28.57.., 57.14.. */
    expect(100, LIST(10, 20, 40), 3, LIST(14, 29, 57));
    /* 7/10 of 1, 4, 5: 0.7, 2.8, 3.5 */
    expect(7, LIST(1, 4, 5), 3, LIST(1, 3, 3));
}

Test(split, floors_no_half_hour_to_nothing) {
    expect(30, LIST(60, 60), 2, LIST(15, 15));
    expect(1, LIST(60, 60), 2, LIST(1, 0));
}

Test(split, gives_nothing_to_no_weight) {
    expect(7, LIST(0, 3, 0, 3), 4, LIST(0, 4, 0, 3));
    expect(0, LIST(1, 2), 2, LIST(0, 0));
}

Test(split, takes_the_largest_figures) {
    expect(UINT64_MAX, LIST(UINT64_MAX, UINT64_MAX), 2, LIST(UINT64_MAX / 2 + 1, UINT64_MAX / 2));
}

/* Parts sum to the whole; each lies less than a minute from its share; of two equal weights the
 * earlier gets no less; of two weights the greater gets no less. */
static void check(uint64_t total, const uint64_t *weights, size_t n) {
    uint64_t parts[SPLIT_MAX], whole = 0, sum = 0;
    split_shares(total, weights, n, parts);
    for (size_t i = 0; i < n; i++) {
        whole += parts[i];
        sum += weights[i];
    }
    cr_assert_eq(whole, total);
    for (size_t i = 0; i < n; i++) {
        unsigned __int128 scaled = (unsigned __int128)parts[i] * sum;
        unsigned __int128 share = (unsigned __int128)total * weights[i];
        cr_assert(scaled < share + sum && share < scaled + sum);
        for (size_t j = 0; j < i; j++) {
            cr_assert(weights[j] < weights[i] || parts[j] >= parts[i]);
            cr_assert(weights[j] >= weights[i] || parts[j] <= parts[i]);
        }
    }
}

Test(split, sums_to_the_whole_for_any_weights) {
    uint64_t seed = 41;
    for (size_t round = 0; round < 20000; round++) {
        uint64_t weights[40], n = 1 + random_next(&seed) % 40;
        uint64_t most = 1 + random_next(&seed) % 500;
        for (size_t i = 0; i < n; i++)
            weights[i] = random_next(&seed) % most;
        weights[random_next(&seed) % n] += 1;
        check(random_next(&seed) % 5000, weights, n);
    }
}

Test(split, takes_as_many_as_a_session_holds) {
    uint64_t weights[SPLIT_MAX], seed = 43;
    for (size_t i = 0; i < SPLIT_MAX; i++)
        weights[i] = 1 + random_next(&seed) % 600;
    for (uint64_t total = 0; total < 2000; total += 37)
        check(total, weights, SPLIT_MAX);
}
