/* SPDX-License-Identifier: Apache-2.0 */
/* Who gave to whom, as bits and as a table: the same twos either way, each met once. */
#include <criterion/criterion.h>
#include <string.h>

#include "daemon/mutual.h"

TestSuite(mutual, .timeout = 20);

#define SIDES 300u
#define MANY 17000u /* too many for bits */
#define APART 53u   /* so that the few are spread over the many */

static bool has[SIDES][SIDES]; /* from, to */

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

static void add(struct mutual *bits, struct mutual *table, uint32_t from, uint32_t to) {
    has[from][to] = true;
    cr_assert(mutual_add(bits, from, to) == 0);
    cr_assert(mutual_add(table, from * APART, to * APART) == 0);
}

static void expect_both(const struct mutual *bits, const struct mutual *table) {
    expect_met(bits, 1);
    expect_met(table, APART);
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
    struct mutual bits[2], table[2];
    uint64_t random = 9;
    for (int i = 0; i < 2; i++) {
        cr_assert(mutual_init(&bits[i], SIDES) == 0 && bits[i].bits);
        cr_assert(mutual_init(&table[i], MANY) == 0 && !table[i].bits);
    }
    expect_both(&bits[0], &table[0]);
    add(&bits[0], &table[0], 1, 0);
    add(&bits[0], &table[0], SIDES - 1, SIDES - 2);
    add(&bits[0], &table[0], SIDES - 2, SIDES - 1);
    add(&bits[0], &table[0], 0, SIDES - 1);
    expect_both(&bits[0], &table[0]);
    for (int i = 0; i < 20000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t from = (uint32_t)(random >> 33) % SIDES, to = (uint32_t)(random >> 45) % SIDES;
        if (from != to)
            add(&bits[i % 2], &table[i % 2], from, to);
        if (from != to && i % 3 == 0)
            add(&bits[i % 2], &table[i % 2], to, from);
    }
    cr_assert(mutual_merge(&bits[0], &bits[1]) == 0 && mutual_merge(&table[0], &table[1]) == 0);
    expect_both(&bits[0], &table[0]);
    for (int i = 0; i < 2; i++) {
        mutual_fini(&bits[i]);
        mutual_fini(&table[i]);
    }
}
