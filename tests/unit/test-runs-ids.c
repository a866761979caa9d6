/* SPDX-License-Identifier: Apache-2.0 */
/* Ids in packed rows: every one put is found again, whatever their order; damage is no list. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/runs-ids.h"
#include "helpers.h"

TestSuite(runs_ids, .timeout = 120);

#define MAP_BYTES (1u << 27)
#define N_MAX 60000

static const char *const tables[] = {"ids"};
static char directory[64];
static struct store *store;
static struct run_id all[N_MAX];
static size_t n_all;
static uint64_t seed;

static void start(void) {
    scratch_make(directory);
    cr_assert(store_create(directory, MAP_BYTES, tables, 1) == 0);
    cr_assert(store_open(&store, directory, MAP_BYTES, tables, 1, false) == 0);
    n_all = 0;
    seed = 7;
}

static void end(void) {
    store = store_close(store);
    scratch_remove(directory);
}

/* Puts a copy: the list is sorted on the way. */
static int put(const struct run_id *ids, size_t n) {
    struct store_write *write = NULL;
    struct run_id *copy = calloc(n, sizeof(*copy));
    cr_assert(copy && store_write_begin(store, &write) == 0);
    memcpy(copy, ids, n * sizeof(*copy));
    int r = runs_ids_put(write, 0, copy, n);
    free(copy);
    if (r < 0) {
        store_abort(write);
        return r;
    }
    memcpy(&all[n_all], ids, n * sizeof(*ids));
    n_all += n;
    return store_commit(write);
}

static void id_bytes(const struct run_id *id, uint8_t ret[ORDER_ID_BYTES]) {
    be64_put(ret, id->high);
    be64_put(ret + 8, id->low);
}

struct walk {
    size_t n_rows;
    size_t n_ids;
    size_t n_bytes;
    struct run_id last;
};

static int walk_row(void *user, struct store_value key, struct store_value value) {
    static struct run_id found[RUNS_IDS_OF_ROW];
    struct walk *walk = user;
    size_t n = 0;
    cr_assert(runs_ids_unpack(key, value, found, &n) == 0);
    cr_assert(n > 0);
    for (size_t i = 0; i < n; i++) {
        cr_assert((walk->n_ids == 0 && i == 0) || run_id_compare(&walk->last, &found[i]) < 0);
        walk->last = found[i];
    }
    walk->n_ids += n;
    walk->n_rows++;
    walk->n_bytes += value.n;
    return 0;
}

static struct walk expect_all_found(void) {
    struct store_read *read = NULL;
    struct walk walk = {0};
    cr_assert(store_read_begin(store, &read) == 0);
    for (size_t i = 0; i < n_all; i++) {
        uint8_t id[ORDER_ID_BYTES];
        uint64_t entry = 0;
        id_bytes(&all[i], id);
        cr_assert(runs_ids_find(read, 0, id, &entry) == 1);
        cr_assert(entry == all[i].entry);
        id[15] ^= 1; /* nearly every one of these is nobody's */
        int r = runs_ids_find(read, 0, id, &entry);
        cr_assert(r >= 0);
    }
    cr_assert(store_each(read, 0, NULL, 0, walk_row, &walk) == 0);
    cr_assert(walk.n_ids == n_all);
    store_read_end(read);
    return walk;
}

/* As a client makes them: a step of up to 32 bits from one to the next, now and then a new time. */
static void make_growing(struct run_id *ids, size_t n, uint64_t ms) {
    struct run_id id = {.high = ms << 16 | 7u << 12, .low = random_next(&seed) >> 2 | 2ull << 62};
    for (size_t i = 0; i < n; i++) {
        id.low += 1 + (uint32_t)random_next(&seed);
        id.entry = n_all + i + 3;
        ids[i] = id;
    }
}

Test(runs_ids, that_grow_take_six_bytes_each, .init = start, .fini = end) {
    static struct run_id ids[1000];
    for (uint64_t k = 0; k < 50; k++) {
        make_growing(ids, 1000, 1700000000000 + k);
        cr_assert(put(ids, 1000) == 0);
    }
    struct walk walk = expect_all_found();
    cr_assert(walk.n_bytes < 65 * n_all / 10);
    cr_assert(walk.n_rows < walk.n_bytes / 3500);
}

Test(runs_ids, in_no_order_are_found_again, .init = start, .fini = end) {
    static struct run_id ids[2000];
    for (int k = 0; k < 20; k++) {
        for (size_t i = 0; i < 2000; i++)
            ids[i] = (struct run_id){random_next(&seed), random_next(&seed), n_all + i};
        cr_assert(put(ids, 2000) == 0);
    }
    struct walk walk = expect_all_found();
    cr_assert(walk.n_bytes < 22 * n_all);
    cr_assert(walk.n_rows < 2 * walk.n_bytes / RUNS_IDS_BYTES + 2);
}

Test(runs_ids, that_fall_are_found_again, .init = start, .fini = end) {
    for (uint64_t k = 0; k < 3000; k += 20) {
        struct run_id ids[20];
        for (uint64_t i = 0; i < 20; i++)
            ids[i] = (struct run_id){.high = 100000 - k - i, .low = i, .entry = (k + i) * k};
        cr_assert(put(ids, 20) == 0);
    }
    struct walk walk = expect_all_found();
    cr_assert(walk.n_rows <= 2 * walk.n_bytes / RUNS_IDS_BYTES + 2);
}

Test(runs_ids, at_the_ends_of_the_numbers_are_found_again, .init = start, .fini = end) {
    const struct run_id ids[] = {{UINT64_MAX, UINT64_MAX, UINT64_MAX},
                                 {0, 0, 0},
                                 {0, 1, UINT64_MAX},
                                 {UINT64_MAX, 0, 1},
                                 {1, 0, UINT64_MAX - 1}};
    cr_assert(put(ids, 5) == 0);
    expect_all_found();
}

Test(runs_ids, are_put_once, .init = start, .fini = end) {
    static struct run_id ids[300];
    make_growing(ids, 300, 5);
    cr_assert(put(ids, 300) == 0);
    cr_assert(put(&ids[299], 1) == -EEXIST);
    cr_assert(put(&ids[0], 1) == -EEXIST);
    const struct run_id twice[] = {{1, 1, 8}, {1, 1, 9}};
    cr_assert(put(twice, 2) == -EEXIST);
    expect_all_found();
}

Test(runs_ids, of_an_empty_table_are_not_found, .init = start, .fini = end) {
    struct store_read *read = NULL;
    uint8_t id[ORDER_ID_BYTES] = {0};
    uint64_t entry;
    cr_assert(store_read_begin(store, &read) == 0);
    cr_assert(runs_ids_find(read, 0, id, &entry) == 0);
    store_read_end(read);
}

static int compare_all(const void *a, const void *b) {
    return run_id_compare(a, b);
}

/* How many of the ids (sorted) are less. */
static size_t n_below(const struct run_id *id) {
    size_t begin = 0, end = n_all;
    while (begin < end) {
        size_t middle = (begin + end) / 2;
        if (run_id_compare(&all[middle], id) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

static void expect_gap_around(struct store_read *read, struct run_id id) {
    uint8_t bytes[ORDER_ID_BYTES];
    struct state_gap gap;
    uint64_t entry = 0;
    id_bytes(&id, bytes);
    size_t n = n_below(&id);
    if (n < n_all && run_id_compare(&all[n], &id) == 0) {
        cr_assert(runs_ids_find_gap(read, 0, bytes, &entry, &gap) == 1);
        cr_assert_eq(entry, all[n].entry);
        return;
    }
    cr_assert(runs_ids_find_gap(read, 0, bytes, &entry, &gap) == 0);
    struct run_id first = run_id_make(gap.first, 0), last = run_id_make(gap.last, 0);
    cr_assert(run_id_compare(&first, &id) <= 0 && run_id_compare(&id, &last) <= 0);
    cr_assert_eq(n_below(&first), n);
    cr_assert_eq(n_below(&last), n);
    cr_assert(n == n_all || run_id_compare(&last, &all[n]) < 0);
}

Test(runs_ids, that_are_not_there_lie_in_a_gap, .init = start, .fini = end) {
    struct store_read *read = NULL;
    cr_assert(store_read_begin(store, &read) == 0);
    expect_gap_around(read, (struct run_id){.high = 5});
    store_read_end(read);
    static struct run_id ids[3000];
    make_growing(ids, 2000, 77);
    for (size_t i = 2000; i < 3000; i++)
        ids[i] = (struct run_id){random_next(&seed), random_next(&seed), i};
    ids[2998] = (struct run_id){0, 0, 8};
    ids[2999] = (struct run_id){UINT64_MAX, UINT64_MAX, 9};
    cr_assert(put(ids, 3000) == 0);
    qsort(all, n_all, sizeof(*all), compare_all);
    cr_assert(store_read_begin(store, &read) == 0);
    for (size_t i = 0; i < n_all; i++) {
        struct run_id id = all[i];
        expect_gap_around(read, id);
        id.low++;
        expect_gap_around(read, id);
        id.low -= 2;
        expect_gap_around(read, id);
        expect_gap_around(read, (struct run_id){random_next(&seed), random_next(&seed), 0});
    }
    store_read_end(read);
}

static int unpack(const void *value, size_t n) {
    static struct run_id found[RUNS_IDS_OF_ROW];
    static const uint8_t key[ORDER_ID_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0};
    size_t n_found;
    return runs_ids_unpack((struct store_value){key, sizeof(key)}, (struct store_value){value, n},
                           found, &n_found);
}

Test(runs_ids, of_another_form_are_refused) {
    static const uint8_t whole[RUNS_IDS_BYTES + 1] = {0};
    cr_assert(unpack("\x01\x02\x01\x02", 4) == 0);
    cr_assert(unpack("\x00\x02\x01\x02", 4) == 0); /* the key itself is the first */
    cr_assert(unpack("\x01\x02\x00\x02", 4) == -EUCLEAN);
    cr_assert(unpack("\x01\x02\x01", 3) == -EUCLEAN);
    cr_assert(unpack("\x81\x00\x02", 3) == -EUCLEAN); /* not in the fewest bytes */
    cr_assert(unpack("\x10\x02", 2) == -EUCLEAN);     /* beyond the greatest number */
    cr_assert(unpack("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11) == 0);
    cr_assert(unpack("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11) == -EUCLEAN);
    cr_assert(unpack("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01", 12) == -EUCLEAN);
    cr_assert(unpack("", 0) == -EUCLEAN);
    cr_assert(unpack(whole, sizeof(whole)) == -EUCLEAN);
}

Test(runs_ids, of_bytes_by_chance_never_read_beyond_them) {
    seed = 11;
    for (int k = 0; k < 200000; k++) {
        uint8_t value[64];
        size_t n = random_next(&seed) % sizeof(value);
        for (size_t i = 0; i < n; i++)
            value[i] = (uint8_t)random_next(&seed);
        uint8_t *exact = malloc(n + 1);
        memcpy(exact, value, n);
        int r = unpack(exact, n);
        cr_assert(r == 0 || r == -EUCLEAN);
        free(exact);
    }
}
