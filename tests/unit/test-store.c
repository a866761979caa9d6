/* SPDX-License-Identifier: Apache-2.0 */
/* The store: what was committed is there, what failed is not, and keys come in order of bytes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>

#include "daemon/store.h"
#include "helpers.h"

TestSuite(store, .timeout = 60);

#define MAP_BYTES (1u << 24)

enum { LOG, TILES, N_TABLES };
static const char *const tables[N_TABLES] = {"log", "tiles"};
static char directory[64];
static struct store *store;

static void start(void) {
    scratch_make(directory);
    cr_assert(store_create(directory, MAP_BYTES, tables, N_TABLES) == 0);
    cr_assert(store_open(&store, directory, MAP_BYTES, tables, N_TABLES, false) == 0);
}

static void end(void) {
    store = store_close(store);
    scratch_remove(directory);
}

static struct store_write *write_begin(void) {
    struct store_write *write = NULL;
    cr_assert(store_write_begin(store, &write) == 0);
    return write;
}

static void append(struct store_write *write, uint64_t number, const char *text) {
    uint8_t key[8];
    be64_put(key, number);
    store_append(write, LOG, key, sizeof(key), text, strlen(text));
}

static void put_some(void) {
    struct store_write *write = write_begin();
    append(write, 1, "one");
    append(write, 5, "five");
    append(write, 300, "three hundred");
    store_put(write, TILES, "a", 1, "tile", 4);
    cr_assert(store_commit(write) == 0);
}

static bool holds(unsigned table, const void *key, size_t n_key, const char *text) {
    struct store_read *read = NULL;
    struct store_value value;
    cr_assert(store_read_begin(store, &read) == 0);
    int r = store_get(read, table, key, n_key, &value);
    cr_assert(r >= 0);
    bool is_equal = r > 0 && value.n == strlen(text) && memcmp(value.data, text, value.n) == 0;
    store_read_end(read);
    return is_equal;
}

static bool holds_number(uint64_t number, const char *text) {
    uint8_t key[8];
    be64_put(key, number);
    return holds(LOG, key, sizeof(key), text);
}

Test(store, keeps_what_was_committed, .init = start, .fini = end) {
    put_some();
    store_close(store);
    cr_assert(store_open(&store, directory, MAP_BYTES, tables, N_TABLES, true) == 0);
    cr_assert(holds_number(5, "five"));
    cr_assert(holds(TILES, "a", 1, "tile"));
    cr_assert_not(holds(TILES, "b", 1, "tile"));
}

Test(store, keeps_nothing_of_what_was_given_up, .init = start, .fini = end) {
    struct store_write *write = write_begin();
    append(write, 1, "one");
    store_abort(write);
    cr_assert_not(holds_number(1, "one"));
}

Test(store, sees_its_own_puts_before_the_commit, .init = start, .fini = end) {
    struct store_write *write = write_begin();
    struct store_value value;
    store_put(write, TILES, "a", 1, "tile", 4);
    cr_assert(store_write_get(write, TILES, "a", 1, &value) == 1);
    cr_assert(value.n == 4);
    cr_assert(store_write_get(write, TILES, "b", 1, &value) == 0);
    cr_assert_not(holds(TILES, "a", 1, "tile"));
    cr_assert(store_commit(write) == 0);
}

Test(store, appends_in_ascending_order_only_and_loses_the_whole_line, .init = start, .fini = end) {
    put_some();
    struct store_write *write = write_begin();
    append(write, 301, "more");
    append(write, 299, "behind");
    append(write, 302, "after the slip");
    cr_assert(store_commit(write) == -EEXIST);
    cr_assert_not(holds_number(301, "more"));
    cr_assert_not(holds_number(302, "after the slip"));
    write = write_begin();
    append(write, 300, "again");
    cr_assert(store_commit(write) == -EEXIST);
    cr_assert(holds_number(300, "three hundred"));
}

static int count(void *user, struct store_value key, struct store_value value) {
    uint32_t *n = user;
    cr_assert(key.n == 4 && value.n == 100 && be32_get(key.data) == *n);
    cr_assert_eq(value.data[0], (uint8_t)(*n % 3));
    (*n)++;
    return 0;
}

static void put_numbers(uint32_t begin, uint32_t end, uint32_t step) {
    struct store_write *write = write_begin();
    for (uint32_t i = begin; i < end; i += step) {
        uint8_t key[4], value[100] = {(uint8_t)(i % 3)};
        be32_put(key, i);
        store_put_ascending(write, 1, key, sizeof(key), value, sizeof(value));
    }
    cr_assert(store_commit(write) == 0);
}

Test(store, fills_pages_with_what_comes_in_order, .init = start, .fini = end) {
    struct store_read *read = NULL;
    uint64_t before = store_map_used_bytes(store), one_after_another;
    uint32_t n = 0;
    put_numbers(0, 3000, 1);
    one_after_another = store_map_used_bytes(store) - before;
    cr_assert_lt(one_after_another, 100 * 4096); /* 35 to a page */
    put_numbers(3001, 4000, 2);
    put_numbers(0, 4000, 2); /* some are there, some lie between, none is the last */
    cr_assert(store_read_begin(store, &read) == 0);
    cr_assert(store_each(read, 1, NULL, 0, count, &n) == 0);
    store_read_end(read);
    cr_assert_eq(n, 4000);
}

Test(store, puts_in_order_whatever_was_put_otherwise_meanwhile, .init = start, .fini = end) {
    static const struct {
        unsigned table;
        const char *key;
        bool in_order;
    } puts[] = {{1, "b", true},  {1, "m", false}, {1, "d", true}, {0, "z", true},
                {1, "n", true},  {1, "x", false}, {1, "o", true}, {1, "y", true},
                {0, "aa", true}, {1, "y", true},  {1, "yy", true}};
    struct store_write *write = write_begin();
    struct store_value value;
    for (size_t i = 0; i < sizeof(puts) / sizeof(*puts); i++) {
        void (*put)(struct store_write *, unsigned, const void *, size_t, const void *, size_t) =
            puts[i].in_order ? store_put_ascending : store_put;
        put(write, puts[i].table, puts[i].key, strlen(puts[i].key), "v", 1);
    }
    for (size_t i = 0; i < sizeof(puts) / sizeof(*puts); i++)
        cr_assert(store_write_get(write, puts[i].table, puts[i].key, strlen(puts[i].key), &value) ==
                  1);
    cr_assert(store_commit(write) == 0);
}

Test(store, hands_out_room_to_be_filled, .init = start, .fini = end) {
    struct store_write *write = write_begin();
    void *room = store_append_reserve(write, LOG, "\0\0\0\0\0\0\0\7", 8, 5);
    cr_assert(room);
    memcpy(room, "seven", 5);
    cr_assert(store_commit(write) == 0);
    cr_assert(holds_number(7, "seven"));
    write = write_begin();
    append(write, 1, "one");
    cr_assert_null(store_append_reserve(write, LOG, "\0\0\0\0\0\0\0\x9", 8, 5));
    cr_assert(store_commit(write) == -EEXIST);
}

Test(store, replaces_and_deletes, .init = start, .fini = end) {
    put_some();
    struct store_write *write = write_begin();
    store_put(write, TILES, "a", 1, "other", 5);
    store_delete(write, TILES, "not there", 9);
    cr_assert(store_commit(write) == 0);
    cr_assert(holds(TILES, "a", 1, "other"));
    write = write_begin();
    store_delete(write, TILES, "a", 1);
    cr_assert(store_commit(write) == 0);
    cr_assert_not(holds(TILES, "a", 1, "other"));
}

/* The key at most `number`, or 0. */
static uint64_t at_most(uint64_t number, bool any) {
    struct store_read *read = NULL;
    struct store_value key, value;
    uint8_t wanted[8];
    be64_put(wanted, number);
    cr_assert(store_read_begin(store, &read) == 0);
    int r = store_get_at_most(read, LOG, any ? NULL : wanted, sizeof(wanted), &key, &value);
    uint64_t found = r > 0 ? be64_get(key.data) : 0;
    store_read_end(read);
    cr_assert(r >= 0);
    return found;
}

Test(store, finds_the_greatest_key_at_most, .init = start, .fini = end) {
    cr_assert_eq(at_most(9, false), 0);
    cr_assert_eq(at_most(0, true), 0);
    put_some();
    cr_assert_eq(at_most(0, false), 0);
    cr_assert_eq(at_most(1, false), 1);
    cr_assert_eq(at_most(4, false), 1);
    cr_assert_eq(at_most(5, false), 5);
    cr_assert_eq(at_most(256, false), 5);
    cr_assert_eq(at_most(UINT64_MAX, false), 300);
    cr_assert_eq(at_most(0, true), 300);
}

struct walk {
    uint64_t seen[10];
    size_t n;
    size_t stop_after;
};

static int visit(void *user, struct store_value key, struct store_value value) {
    struct walk *walk = user;
    cr_assert(value.n > 0);
    walk->seen[walk->n++] = be64_get(key.data);
    return walk->n == walk->stop_after ? 42 : 0;
}

Test(store, walks_in_order_from_a_key_until_told_to_stop, .init = start, .fini = end) {
    struct store_read *read = NULL;
    struct walk all = {0}, later = {0}, stopped = {.stop_after = 2}, none = {0};
    put_some();
    cr_assert(store_read_begin(store, &read) == 0);
    cr_assert(store_each(read, LOG, NULL, 0, visit, &all) == 0);
    cr_assert(all.n == 3 && all.seen[0] == 1 && all.seen[1] == 5 && all.seen[2] == 300);
    cr_assert(store_each(read, LOG, "\0\0\0\0\0\0\0\2", 8, visit, &later) == 0);
    cr_assert(later.n == 2 && later.seen[0] == 5);
    cr_assert(store_each(read, LOG, NULL, 0, visit, &stopped) == 42);
    cr_assert_eq(stopped.n, 2);
    cr_assert(store_each(read, LOG, "\1\0\0\0\0\0\0\0", 8, visit, &none) == 0);
    cr_assert_eq(none.n, 0);
    store_read_end(read);
}

Test(store, reads_one_commit_until_it_is_renewed, .init = start, .fini = end) {
    struct store_read *read = NULL;
    struct store_value value;
    cr_assert(store_read_begin(store, &read) == 0);
    put_some();
    cr_assert(store_get(read, TILES, "a", 1, &value) == 0);
    cr_assert(store_read_renew(read) == 0);
    cr_assert(store_get(read, TILES, "a", 1, &value) == 1);
    store_read_end(read);
}

Test(store, opens_only_what_was_made, .init = start, .fini = end) {
    static const char *const more[] = {"log", "tiles", "colours"};
    char empty[64];
    struct store *other = NULL;
    scratch_make(empty);
    cr_assert(store_open(&other, empty, MAP_BYTES, tables, N_TABLES, false) == -ENOENT);
    cr_assert_null(other);
    store = store_close(store);
    cr_assert(store_open(&other, directory, MAP_BYTES, more, 3, false) < 0);
    cr_assert_null(other);
    scratch_write(empty, "data.mdb", "not a store at all, but long enough to be looked at", 51);
    cr_assert(store_open(&other, empty, MAP_BYTES, tables, N_TABLES, false) < 0);
    scratch_remove(empty);
}

Test(store, refuses_more_than_the_map_holds, .init = start, .fini = end) {
    static uint8_t much[1 << 20];
    struct store_write *write = write_begin();
    char key = 0;
    for (int i = 0; i < 20; i++, key++)
        store_put(write, TILES, &key, 1, much, sizeof(much));
    cr_assert(store_commit(write) < 0);
    cr_assert_not(holds(TILES, "\0", 1, ""));
    put_some();
}

Test(store, copies_itself_into_a_new_file_only, .init = start, .fini = end) {
    char copy[100], path[120];
    struct store *other = NULL;
    struct store_read *read = NULL;
    struct store_value value;
    put_some();
    snprintf(copy, sizeof(copy), "%s/copy", directory);
    cr_assert(mkdir(copy, 0700) == 0);
    snprintf(path, sizeof(path), "%s/data.mdb", copy);
    cr_assert(store_copy(store, path) == 0);
    cr_assert(store_copy(store, path) == -EEXIST);
    cr_assert(store_open(&other, copy, MAP_BYTES, tables, N_TABLES, true) == 0);
    cr_assert(store_inode(other) != store_inode(store));
    cr_assert(store_read_begin(other, &read) == 0);
    cr_assert(store_get(read, TILES, "a", 1, &value) == 1);
    store_read_end(read);
    store_close(other);
}

Test(store, tells_its_sizes_and_its_directory, .init = start, .fini = end) {
    uint64_t before = store_map_used_bytes(store);
    put_some();
    cr_assert_eq(store_map_bytes(store), MAP_BYTES);
    cr_assert(before > 0 && store_map_used_bytes(store) >= before);
    cr_assert(store_map_used_bytes(store) < MAP_BYTES);
    cr_assert_str_eq(store_directory(store), directory);
}

/* ---- of an older version */

enum { MORE = N_TABLES, N_MORE };
static const char *const more_tables[N_MORE] = {"log", "tiles", "more"};

Test(store, of_an_older_version_lacks_a_table_until_it_is_made, .init = start, .fini = end) {
    struct store_write *write;
    put_some();
    store_close(store);
    cr_assert(store_open(&store, directory, MAP_BYTES, more_tables, N_MORE, true) == -EUCLEAN);
    cr_assert(store_open_lacking(&store, directory, MAP_BYTES, more_tables, N_MORE, false) == 0);
    cr_assert(store_lacks(store, MORE) && !store_lacks(store, LOG));
    cr_assert_not(holds(MORE, "a", 1, "tile"));
    cr_assert(holds_number(5, "five"));
    write = write_begin();
    store_make_tables(write, more_tables);
    store_put(write, MORE, "a", 1, "tile", 4);
    cr_assert(store_commit(write) == 0);
    cr_assert(!store_lacks(store, MORE) && holds(MORE, "a", 1, "tile"));
    store_close(store);
    cr_assert(store_open(&store, directory, MAP_BYTES, more_tables, N_MORE, false) == 0);
    cr_assert(holds(MORE, "a", 1, "tile") && holds(TILES, "a", 1, "tile"));
}

Test(store, empties_a_table_and_no_other, .init = start, .fini = end) {
    struct store_write *write;
    put_some();
    write = write_begin();
    store_clear(write, LOG);
    append(write, 1, "one again");
    cr_assert(store_commit(write) == 0);
    cr_assert(holds_number(1, "one again") && !holds_number(5, "five"));
    cr_assert(holds(TILES, "a", 1, "tile"));
    write = write_begin();
    store_clear(write, TILES);
    store_abort(write);
    cr_assert(holds(TILES, "a", 1, "tile"));
}
