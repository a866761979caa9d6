/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What looks like an entry made before, past the room for a few and past all that is remembered,
 * and where prints agree that say different things.
 */
#include "books.h"

TestSuite(recent, .timeout = 60, .init = books_open, .fini = books_close);

#define DAYS_BACK 29

/* A different entry for each i. */
static void gives(size_t i) {
    on_day(exchange("m2", "m1", 15 * (1 + i / DAYS_BACK)), today() - (uint32_t)(i % DAYS_BACK));
}

static void fill(size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        gives(i);
        done();
    }
}

static void lift_limits(void) {
    int64_t none = STATE_NO_FLOOR;
    set_limit("m2", &none, NULL);
    done();
}

Test(recent, finds_each_of_the_few_and_of_the_many_they_become) {
    lift_limits();
    for (size_t n = 1; n <= STATE_RECENT_FEW + 2; n++) {
        fill(n - 1, n);
        for (size_t i = 0; i < n; i++) {
            gives(i);
            refused(LOOKS_LIKE);
        }
    }
}

Test(recent, forgets_the_oldest_once_there_are_more_than_it_keeps) {
    lift_limits();
    fill(0, STATE_RECENT + 3);
    for (size_t i = 0; i < 3; i++) {
        gives(STATE_RECENT + i);
        refused(LOOKS_LIKE);
    }
    gives(3);
    refused(LOOKS_LIKE);
    gives(2);
    done();
}

Test(recent, remembers_across_a_start) {
    lift_limits();
    fill(0, STATE_RECENT_FEW);
    books_write_behind();
    gives(0);
    refused(LOOKS_LIKE);
    gives(STATE_RECENT_FEW);
    done();
    books_write_behind();
    gives(0);
    refused(LOOKS_LIKE);
}

/* The print of an entry is forged in the state, so that it agrees with that of another one. */
Test(recent, takes_no_print_for_the_entry_itself) {
    struct state_recent_few *few;
    uint8_t key[8];
    void *value;
    uint32_t first, second;

    exchange("m2", "m1", 60);
    done();
    exchange("m3", "m1", 90);
    done();
    be64_put(key, account_of("m1")->number);
    cr_assert(state_edit(books_state, STATE_RECENTS_FEW, key, sizeof(key), &value) == 1);
    few = value;
    cr_assert(few->n == 2 && few->print[0] != few->print[1]);
    first = few->print[0];
    second = few->print[1];
    few->print[0] = second;
    exchange("m3", "m1", 90);
    refused(LOOKS_LIKE);
    cr_assert_eq(books_notes[0].entry, account_of("m1")->last_line);
    few->print[0] = few->print[1] = first;
    exchange("m2", "m1", 60);
    refused(LOOKS_LIKE);
    cr_assert_lt(books_notes[0].entry, account_of("m1")->last_line);
    Timebank__Order *third = exchange("m2", "m1", 75);
    done();
    reverse(third, 0);
    done();
    few->print[0] = few->print[1] = few->print[2];
    exchange("m2", "m1", 75);
    done();
    few->print[0] = first;
    few->print[1] = second;
}
