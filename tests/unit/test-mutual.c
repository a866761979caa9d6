/* SPDX-License-Identifier: Apache-2.0 */
/* Who gave to whom, as bits, as bits that are listed first and as a table: the same twos each way,
 * each met once. */
#include <criterion/criterion.h>
#include <string.h>

#include "daemon/mutual.h"

TestSuite(mutual, .timeout = 20);

#define SIDES 300u
#define WAYS 3u
static const struct {
    uint32_t n;     /* few enough for bits, for lists of them, or for neither */
    uint32_t apart; /* so that the few sides are spread over the many */
    int times;      /* each pair is added: more than lists have room for */
} ways[WAYS] = {{SIDES, 1, 1}, {2000, 6, 30}, {17000, 53, 1}};

static bool has[SIDES][SIDES]; /* from, to */

static uint64_t n_of(bool both_ways) {
    uint64_t n = 0;
    for (uint32_t one = 0; one < SIDES; one++)
        for (uint32_t other = 0; other < one; other++)
            n +=
                both_ways ? has[one][other] && has[other][one] : has[one][other] || has[other][one];
    return n;
}

static void expect_met(const struct mutual *mutual, uint32_t apart) {
    static unsigned met[SIDES][SIDES];
    struct mutual_walk walk = {0};
    struct mutual_pair pair;
    memset(met, 0, sizeof(met));
    while (mutual_next(mutual, &walk, &pair)) {
        cr_assert(pair.one > pair.other && pair.one % apart == 0 && pair.other % apart == 0);
        uint32_t one = pair.one / apart, other = pair.other / apart;
        cr_assert(one < SIDES && met[one][other] == 0 && pair.ways != 0);
        met[one][other] = pair.ways;
    }
    for (uint32_t one = 0; one < SIDES; one++)
        for (uint32_t other = 0; other < one; other++)
            cr_assert_eq(met[one][other], (unsigned)has[one][other] + 2 * has[other][one],
                         "%u and %u", one, other);
}

static void add(struct mutual sets[WAYS], uint32_t from, uint32_t to) {
    has[from][to] = true;
    for (unsigned i = 0; i < WAYS; i++)
        for (int k = 0; k < ways[i].times; k++)
            cr_assert(mutual_add(&sets[i], from * ways[i].apart, to * ways[i].apart) == 0);
}

static void expect_all(struct mutual sets[WAYS]) {
    uint64_t n[WAYS], n_both[WAYS];
    for (unsigned i = 0; i < WAYS; i++) {
        cr_assert(mutual_settle(&sets[i]) == 0);
        mutual_count(&sets[i], &n[i], &n_both[i]);
        expect_met(&sets[i], ways[i].apart);
        cr_expect(n[i] == n_of(false) && n_both[i] == n_of(true));
    }
}

Test(mutual, of_nobody_and_of_one_are_none) {
    for (uint32_t n = 0; n < 3; n++) {
        struct mutual mutual;
        struct mutual_pair pair;
        cr_assert(mutual_init(&mutual, n) == 0);
        cr_expect_not(mutual_next(&mutual, &(struct mutual_walk){0}, &pair));
        mutual_fini(&mutual);
    }
}

Test(mutual, are_met_once_with_their_ways_and_when_merged) {
    struct mutual sets[2][WAYS];
    uint64_t random = 9;
    for (int i = 0; i < 2; i++)
        for (unsigned k = 0; k < WAYS; k++) {
            cr_assert(mutual_init(&sets[i][k], ways[k].n) == 0);
            cr_assert((sets[i][k].bits != NULL) == (k == 0) &&
                      (sets[i][k].lists != NULL) == (k == 1));
        }
    expect_all(sets[0]);
    add(sets[0], 1, 0);
    add(sets[0], SIDES - 1, SIDES - 2);
    add(sets[0], SIDES - 2, SIDES - 1);
    add(sets[0], 0, SIDES - 1);
    expect_all(sets[0]);
    for (int i = 0; i < 20000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t from = (uint32_t)(random >> 33) % SIDES, to = (uint32_t)(random >> 45) % SIDES;
        if (from != to)
            add(sets[i % 2], from, to);
        if (from != to && i % 3 == 0)
            add(sets[i % 2], to, from);
    }
    for (unsigned k = 0; k < WAYS; k++)
        cr_assert(mutual_merge(&sets[0][k], &sets[1][k]) == 0);
    expect_all(sets[0]);
    for (int i = 0; i < 2; i++)
        for (unsigned k = 0; k < WAYS; k++)
            mutual_fini(&sets[i][k]);
}

Test(mutual, that_are_listed_are_there_once_they_are_merged_and_settled) {
    struct mutual sets[2];
    for (uint32_t i = 0; i < 2; i++)
        cr_assert(mutual_init(&sets[i], ways[1].n) == 0 &&
                  mutual_add(&sets[i], i, ways[1].n - 1 - i) == 0);
    cr_assert(mutual_merge(&sets[0], &sets[1]) == 0 && mutual_settle(&sets[0]) == 0);
    uint64_t n, n_both;
    mutual_count(&sets[0], &n, &n_both);
    cr_expect(n == 2 && n_both == 0);
    mutual_fini(&sets[0]);
    mutual_fini(&sets[1]);
}
