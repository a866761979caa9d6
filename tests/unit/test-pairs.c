/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of pairs, as bits and as a table: the same pairs either way. */
#include <criterion/criterion.h>
#include <string.h>

#include "daemon/pairs.h"

TestSuite(pairs, .timeout = 20);

#define GROUPS 40u
#define MEMBERS 130u
#define MANY 4000000000u /* members: too many for bits */

static struct pairs few, many;

static void open_both(void) {
    cr_assert(pairs_init(&few, GROUPS, MEMBERS) == 0);
    cr_assert(pairs_init(&many, GROUPS, MANY) == 0);
    cr_assert(few.bits && !few.slots && many.slots && !many.bits);
}

static void add_both(uint32_t group, uint32_t member) {
    cr_assert(pairs_add(&few, group, member) == 0);
    cr_assert(pairs_add(&many, group, member) == 0);
}

static uint64_t counts_of(const struct pairs *pairs, uint64_t groups[GROUPS],
                          uint64_t members[MEMBERS]) {
    uint64_t n = 0;
    uint32_t group, member;
    for (uint64_t at = 0; pairs_next(pairs, &at, &group, &member); n++)
        cr_assert(group < GROUPS && member < MEMBERS && pairs_has(pairs, group, member));
    memset(groups, 0, GROUPS * sizeof(*groups));
    memset(members, 0, MEMBERS * sizeof(*members));
    pairs_count(pairs, groups, members);
    uint64_t alone[GROUPS] = {0};
    pairs_count(pairs, alone, NULL);
    cr_expect_arr_eq(alone, groups, sizeof(alone));
    return n;
}

static void expect_same(uint64_t wanted) {
    uint64_t groups[GROUPS], members[MEMBERS], other_groups[GROUPS], other_members[MEMBERS];
    cr_expect_eq(counts_of(&few, groups, members), wanted);
    cr_expect_eq(counts_of(&many, other_groups, other_members), wanted);
    cr_expect_arr_eq(groups, other_groups, sizeof(groups));
    cr_expect_arr_eq(members, other_members, sizeof(members));
}

Test(pairs, of_an_empty_set_are_none) {
    open_both();
    expect_same(0);
    cr_expect_not(pairs_has(&few, 0, 0) || pairs_has(&many, 0, 0));
    pairs_fini(&few);
    pairs_fini(&many);
    cr_assert(pairs_init(&few, 0, 0) == 0);
    uint32_t group, member;
    cr_expect_not(pairs_next(&few, &(uint64_t){0}, &group, &member));
    pairs_fini(&few);
}

Test(pairs, count_once_however_often_they_are_added) {
    open_both();
    for (int i = 0; i < 3; i++) {
        add_both(0, 0);
        add_both(GROUPS - 1, MEMBERS - 1);
        add_both(7, 63);
        add_both(7, 64);
    }
    expect_same(4);
    cr_expect_not(pairs_has(&few, GROUPS - 1, 0) || pairs_has(&many, GROUPS - 1, 0));
    cr_expect_not(pairs_has(&few, 7, 62) || pairs_has(&many, 7, 62));
    pairs_fini(&few);
    pairs_fini(&many);
}

Test(pairs, are_the_same_as_bits_and_as_a_table_and_when_merged) {
    struct pairs other_few, other_many;
    uint64_t n = 0, random = 5;
    bool has[GROUPS][MEMBERS] = {0};
    open_both();
    cr_assert(pairs_init(&other_few, GROUPS, MEMBERS) == 0);
    cr_assert(pairs_init(&other_many, GROUPS, MANY) == 0);
    for (unsigned i = 0; i < 4000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t group = (uint32_t)(random >> 33) % GROUPS;
        uint32_t member = (uint32_t)(random >> 48) % MEMBERS;
        n += !has[group][member];
        has[group][member] = true;
        if (i % 2 == 0) {
            add_both(group, member);
            continue;
        }
        cr_assert(pairs_add(&other_few, group, member) == 0);
        cr_assert(pairs_add(&other_many, group, member) == 0);
    }
    cr_assert(pairs_merge(&few, &other_few) == 0);
    cr_assert(pairs_merge(&many, &other_many) == 0);
    expect_same(n);
    pairs_fini(&few);
    pairs_fini(&many);
    pairs_fini(&other_few);
    pairs_fini(&other_many);
}
