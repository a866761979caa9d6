/* SPDX-License-Identifier: Apache-2.0 */
/* Names and numbers of tiles, against the examples of c2sp.org/tlog-tiles and a plain count. */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/tile.h"

TestSuite(tile, .timeout = 30);

static const char *path_of(unsigned level, uint64_t number, unsigned width) {
    static char path[TILE_PATH_MAX];
    tile_path(&(struct tile){level, number, width}, path);
    return path;
}

Test(tile, has_the_path_that_the_standard_gives) {
    cr_assert_str_eq(path_of(0, 1234067, 256), "tile/0/x001/x234/067");
    cr_assert_str_eq(path_of(0, 0, 256), "tile/0/000");
    cr_assert_str_eq(path_of(0, 273, 112), "tile/0/273.p/112");
    cr_assert_str_eq(path_of(1, 1, 17), "tile/1/001.p/17");
    cr_assert_str_eq(path_of(2, 0, 1), "tile/2/000.p/1");
    cr_assert_str_eq(path_of(0, 1000, 256), "tile/0/x001/000");
    cr_assert_str_eq(path_of(0, 999, 256), "tile/0/999");
    cr_assert_str_eq(path_of(TILE_ENTRIES, 1067, 12), "tile/entries/x001/067.p/12");
    cr_assert_str_eq(path_of(0, UINT64_MAX / 256, 255),
                     "tile/0/x072/x057/x594/x037/x927/935.p/255");
}

struct counts {
    unsigned n_full[256];
    unsigned partial[256]; /* width, or 0 */
    unsigned n_partial;
    unsigned n;
    struct tile tiles[2000];
};

static int count(void *user, const struct tile *tile) {
    struct counts *counts = user;
    cr_assert(tile->width >= 1 && tile->width <= TILE_WIDTH);
    cr_assert(counts->n < 2000);
    counts->tiles[counts->n++] = *tile;
    if (tile->width == TILE_WIDTH) {
        counts->n_full[tile->level]++;
    } else {
        cr_assert(counts->partial[tile->level] == 0);
        counts->partial[tile->level] = tile->width;
        counts->n_partial++;
    }
    return 0;
}

Test(tile, a_log_of_70000_records_has_three_levels) {
    struct counts counts = {0};
    cr_assert(tile_each(0, 70000, false, count, &counts) == 0);
    cr_assert(counts.n_full[0] == 273 && counts.partial[0] == 112);
    cr_assert(counts.n_full[1] == 1 && counts.partial[1] == 17);
    cr_assert(counts.n_full[2] == 0 && counts.partial[2] == 1);
    cr_assert(counts.n == 277);
}

Test(tile, a_full_tile_is_one_hash_of_the_next_level) {
    struct counts counts = {0};
    cr_assert(tile_each(0, 256, false, count, &counts) == 0);
    cr_assert(counts.n == 2);
    cr_assert(counts.n_full[0] == 1 && counts.partial[0] == 0);
    cr_assert(counts.n_full[1] == 0 && counts.partial[1] == 1);
}

Test(tile, entries_are_cut_as_the_lowest_level_is) {
    struct counts counts = {0};
    cr_assert(tile_each(0, 300, true, count, &counts) == 0);
    cr_assert(counts.n_full[TILE_ENTRIES] == 1 && counts.partial[TILE_ENTRIES] == 44);
    cr_assert(counts.n_full[0] == 1 && counts.partial[0] == 44 && counts.partial[1] == 1);
    cr_assert(counts.n == 5);
}

Test(tile, the_largest_size_ends) {
    struct counts counts = {0};
    cr_assert(tile_each(UINT64_MAX - 1, UINT64_MAX, true, count, &counts) == 0);
    cr_assert(counts.n == 2 && counts.partial[0] == 255 && counts.partial[TILE_ENTRIES] == 255);
}

static bool has(const struct counts *counts, const struct tile *tile) {
    for (unsigned i = 0; i < counts->n; i++)
        if (counts->tiles[i].level == tile->level && counts->tiles[i].number == tile->number &&
            counts->tiles[i].width == tile->width)
            return true;
    return false;
}

static void expect_difference(uint64_t old_size, uint64_t size) {
    struct counts before = {0}, after = {0}, added = {0};
    unsigned n = 0;
    cr_assert(tile_each(0, old_size, true, count, &before) == 0);
    cr_assert(tile_each(0, size, true, count, &after) == 0);
    cr_assert(tile_each(old_size, size, true, count, &added) == 0);
    for (unsigned i = 0; i < after.n; i++) {
        bool is_new = !has(&before, &after.tiles[i]);
        cr_assert(has(&added, &after.tiles[i]) == is_new, "%lu to %lu", old_size, size);
        n += is_new;
    }
    cr_assert(n == added.n);
}

Test(tile, a_longer_log_adds_exactly_what_it_had_not) {
    static const uint64_t sizes[] = {0,   1,   2,   255,   256,   257,   511,   512,
                                     513, 767, 768, 65535, 65536, 65537, 65792, 70000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (size_t j = i; j < sizeof(sizes) / sizeof(*sizes); j++)
            expect_difference(sizes[i], sizes[j]);
}

static int stop(void *user, const struct tile *tile) {
    (void)tile;
    return ++*(int *)user == 3 ? 7 : 0;
}

Test(tile, what_the_caller_says_ends_it) {
    int n = 0;
    cr_assert(tile_each(0, 70000, true, stop, &n) == 7 && n == 3);
}
