/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of records: packed and found again, damage never read past the end, the tree out of leaves
 * and tiles. */
#include <criterion/criterion.h>
#include <errno.h>

#include "daemon/nodes.h"
#include "daemon/runs.h"
#include "helpers.h"

TestSuite(runs, .timeout = 60);

#define MAP_BYTES (1u << 26)
#define N_MAX 2000

static char directory[64];
static struct store *store;
static struct store_read *read_txn;
static struct hash leaves[N_MAX];
static uint64_t n_leaves;

static void start(void) {
    scratch_make(directory);
    cr_assert(store_create(directory, MAP_BYTES, runs_tables, RUNS_N_TABLES) == 0);
    cr_assert(store_open(&store, directory, MAP_BYTES, runs_tables, RUNS_N_TABLES, false) == 0);
}

static void end(void) {
    read_txn = store_read_end(read_txn);
    store = store_close(store);
    scratch_remove(directory);
}

/* Record i is the text of its number. */
static struct bytes run_make(uint64_t first, uint32_t n) {
    struct bytes value = {0};
    static char texts[600][16];
    struct iovec records[600];
    struct hash run_leaves[600];
    for (uint32_t i = 0; i < n; i++) {
        int length = snprintf(texts[i], sizeof(texts[i]), "record %d", (int)(first + i));
        records[i] = (struct iovec){texts[i], (size_t)length};
        run_leaves[i] = merkle_leaf(texts[i], (size_t)length);
    }
    run_pack(&value, n, records, run_leaves);
    cr_assert(value.r == 0);
    return value;
}

static int parse(uint64_t first, const void *data, size_t n, struct run *ret) {
    uint8_t key[8];
    be64_put(key, first);
    return run_parse(ret, (struct store_value){key, sizeof(key)}, (struct store_value){data, n});
}

Test(runs, give_back_their_records_and_leaves) {
    struct bytes value = run_make(40, 3);
    struct run run;
    size_t n = 0;
    cr_assert(parse(40, value.data, value.n, &run) == 0);
    cr_assert(run.first == 40 && run.n == 3);
    for (uint32_t i = 0; i < 3; i++) {
        const uint8_t *record = run_record(&run, i, &n);
        struct hash leaf = merkle_leaf(record, n), kept = run_leaf(&run, i);
        cr_assert(n == 9 && record[8] == '0' + (char)i);
        cr_assert(hash_equal(&leaf, &kept));
    }
    bytes_fini(&value);
}

Test(runs, take_no_other_length) {
    struct bytes value = run_make(0, 2);
    struct run run;
    for (size_t n = 0; n < value.n; n++)
        cr_assert(parse(0, value.data, n, &run) == -EUCLEAN, "%d bytes", (int)n);
    bytes_put_u8(&value, 0);
    cr_assert(parse(0, value.data, value.n, &run) == -EUCLEAN);
    cr_assert(run_parse(&run, (struct store_value){value.data, 7},
                        (struct store_value){value.data, value.n - 1}) == -EUCLEAN);
    bytes_fini(&value);
}

Test(runs, take_no_odd_counts_and_ends) {
    struct bytes value = run_make(0, 2);
    struct run run;
    be32_put(value.data, 0);
    cr_assert(parse(0, value.data, value.n, &run) == -EUCLEAN);
    be32_put(value.data, UINT32_MAX);
    cr_assert(parse(0, value.data, value.n, &run) == -EUCLEAN);
    be32_put(value.data, 2);
    be32_put(value.data + 4, 0);
    cr_assert(parse(0, value.data, value.n, &run) == -EUCLEAN);
    be32_put(value.data + 4, 16);
    cr_assert(parse(0, value.data, value.n, &run) == -EUCLEAN);
    be32_put(value.data + 4, UINT32_MAX);
    cr_assert(parse(0, value.data, value.n, &run) == -EUCLEAN);
    bytes_fini(&value);
}

/* Every flipped bit of counts and ends is refused or moves a boundary; nothing is read outside. */
Test(runs, stay_within_their_bytes_whatever_is_flipped) {
    struct bytes value = run_make(0, 5);
    struct run run;
    for (size_t bit = 0; bit < 8 * 24; bit++) {
        value.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        uint8_t *copy = malloc(value.n); /* of its exact size, for the sanitizer */
        memcpy(copy, value.data, value.n);
        if (parse(0, copy, value.n, &run) == 0)
            for (uint32_t i = 0; i < run.n; i++) {
                size_t n = 0;
                const uint8_t *record = run_record(&run, i, &n);
                cr_assert(record >= copy && record + n <= copy + value.n);
                run_leaf(&run, i);
            }
        free(copy);
        value.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    bytes_fini(&value);
}

/* ---- in the store */

static struct store_write *writing;
static struct { uint8_t nodes[256 * HASH_BYTES]; } open_tiles[3][16];

/* As the log writes them: levels 8 and 16 are the bottoms of tile levels 1 and 2. */
static void keep_node(void *user, unsigned level, uint64_t index, const struct hash *hash) {
    (void)user;
    uint8_t key[9];
    if (level == 0 || level % 8 != 0)
        return;
    uint8_t *nodes = open_tiles[level / 8][index >> 8].nodes;
    memcpy(nodes + (index & 255) * HASH_BYTES, hash->b, HASH_BYTES);
    runs_tile_key(level / 8, index >> 8, key);
    store_put(writing, RUNS_TILES, key, sizeof(key), nodes, ((index & 255) + 1) * HASH_BYTES);
}

static void write_runs(uint64_t n) {
    struct merkle_range range;
    uint64_t seed = n;
    merkle_range_init(&range, 0);
    cr_assert(store_write_begin(store, &writing) == 0);
    for (n_leaves = 0; n_leaves < n;) {
        uint32_t n_run = (uint32_t)MIN_OF(1 + random_next(&seed) % 50, n - n_leaves);
        struct bytes value = run_make(n_leaves, n_run);
        struct run run;
        uint8_t key[8];
        be64_put(key, n_leaves);
        store_append(writing, RUNS_LOG, key, sizeof(key), value.data, value.n);
        cr_assert(parse(n_leaves, value.data, value.n, &run) == 0);
        for (uint32_t i = 0; i < n_run; i++) {
            leaves[n_leaves + i] = run_leaf(&run, i);
            merkle_range_append(&range, &leaves[n_leaves + i], keep_node, NULL);
        }
        n_leaves += n_run;
        bytes_fini(&value);
    }
    cr_assert(store_commit(writing) == 0);
    cr_assert(store_read_begin(store, &read_txn) == 0);
}

Test(runs, are_none_in_an_empty_store, .init = start, .fini = end) {
    struct run run;
    uint64_t size = 7;
    write_runs(0);
    cr_assert(runs_size(read_txn, &size) == 0 && size == 0);
    cr_assert(runs_find(read_txn, 0, &run) == 0);
}

Test(runs, are_found_by_any_of_their_records, .init = start, .fini = end) {
    struct run run;
    uint64_t size = 0;
    char text[16];
    write_runs(1000);
    cr_assert(runs_size(read_txn, &size) == 0 && size == 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        size_t n = 0;
        cr_assert(runs_find(read_txn, i, &run) == 1);
        const uint8_t *record = run_record(&run, (uint32_t)(i - run.first), &n);
        snprintf(text, sizeof(text), "record %d", (int)i);
        cr_assert(n == strlen(text) && memcmp(record, text, n) == 0);
    }
    cr_assert(runs_find(read_txn, 1000, &run) == 0);
    cr_assert(runs_find(read_txn, UINT64_MAX, &run) == 0);
}

Test(runs, give_the_tree_of_every_size, .init = start, .fini = end) {
    struct merkle_range range;
    write_runs(N_MAX);
    for (uint64_t size = 1; size <= N_MAX; size += size < 300 ? 1 : 77) {
        struct hash wanted = merkle_root(leaves, size), got;
        cr_assert(runs_range(read_txn, size, &range) == 0);
        got = merkle_range_root(&range);
        cr_assert(hash_equal(&wanted, &got), "size %d", (int)size);
    }
}

Test(runs, give_the_range_between_any_two_records, .init = start, .fini = end) {
    static const uint64_t places[] = {0,   1,   2,   7,   100, 255, 256,  257,
                                      300, 511, 512, 600, 767, 768, 1000, N_MAX};
    write_runs(N_MAX);
    for (size_t i = 0; i < N_ELEMENTS(places); i++)
        for (size_t j = i; j < N_ELEMENTS(places); j++) {
            struct merkle_range range, wanted, grown;
            merkle_range_init(&wanted, places[i]);
            for (uint64_t k = places[i]; k < places[j]; k++)
                merkle_range_append(&wanted, &leaves[k], NULL, NULL);
            cr_assert(runs_range_between(read_txn, places[i], places[j], &range) == 0);
            merkle_range_init(&grown, places[i]);
            cr_assert(runs_range_extend(read_txn, places[j], &grown) == 0);
            cr_assert(range.end == places[j] && range.n_hashes == wanted.n_hashes &&
                      grown.n_hashes == wanted.n_hashes);
            cr_assert(
                memcmp(range.hashes, wanted.hashes, wanted.n_hashes * sizeof(struct hash)) == 0 &&
                memcmp(grown.hashes, wanted.hashes, wanted.n_hashes * sizeof(struct hash)) == 0);
        }
    cr_assert(runs_range_between(read_txn, 2, 1, &(struct merkle_range){0}) == -EINVAL);
    cr_assert(runs_range_between(read_txn, 0, N_MAX + 1, &(struct merkle_range){0}) == -EUCLEAN);
    cr_assert(runs_range_between(read_txn, 0, UINT64_MAX, &(struct merkle_range){0}) == -EINVAL);
}

Test(runs, prove_inclusion_out_of_the_store, .init = start, .fini = end) {
    struct hash path[MERKLE_PATH_MAX + 1], root;
    size_t n = 0;
    write_runs(1500);
    root = merkle_root(leaves, 1500);
    for (uint64_t i = 0; i < 1500; i += 13) {
        cr_assert(merkle_prove_inclusion(runs_lookup, read_txn, i, 1500, path, &n) == 0);
        cr_assert(merkle_verify_inclusion(i, 1500, &leaves[i], path, n, &root) == 0);
    }
}

/* More nodes than are kept, and each asked for more than once. */
Test(runs, give_the_same_nodes_to_who_keeps_those_asked_for_lately, .init = start, .fini = end) {
    static struct nodes nodes;
    struct nodes_source source = {.nodes = &nodes};
    struct hash wanted, got;
    uint64_t seed = 7;
    write_runs(N_MAX);
    source.read = read_txn;
    for (int i = 0; i < 20000; i++) {
        unsigned level = (unsigned)(random_next(&seed) % 11);
        uint64_t index = random_next(&seed) % (N_MAX >> level);
        cr_assert(runs_lookup(read_txn, level, index, &wanted) == 0);
        cr_assert(nodes_lookup(&source, level, index, &got) == 0);
        cr_assert(hash_equal(&wanted, &got), "level %u index %d", level, (int)index);
    }
    cr_assert(nodes_lookup(&source, 0, N_MAX, &got) == -EUCLEAN);
    cr_assert(nodes_lookup(&source, 0, N_MAX, &got) == -EUCLEAN, "nothing is kept of that");
}

/* As the answers to small batches ask: each position's halves, once it is there. */
Test(runs, make_a_node_of_its_halves_where_one_is_kept, .init = start, .fini = end) {
    static struct nodes nodes;
    struct nodes_source source = {.nodes = &nodes};
    struct merkle_range wanted, got;
    write_runs(1500);
    source.read = read_txn;
    for (uint64_t end = 1; end <= 1500; end++) {
        uint64_t begin = end % 7 == 0 ? end / 2 : 0;
        cr_assert(merkle_prove_range(runs_lookup, read_txn, begin, end, &wanted) == 0);
        cr_assert(merkle_prove_range(nodes_lookup, &source, begin, end, &got) == 0);
        cr_assert(wanted.n_hashes == got.n_hashes &&
                      memcmp(wanted.hashes, got.hashes, got.n_hashes * HASH_BYTES) == 0,
                  "end %d", (int)end);
    }
}

Test(runs, give_the_same_roots_to_who_keeps_those_named_lately, .init = start, .fini = end) {
    static struct nodes nodes;
    struct nodes_source source = {.nodes = &nodes};
    struct hash got;
    uint64_t seed = 9;
    write_runs(N_MAX);
    source.read = read_txn;
    for (int i = 0; i < 3000; i++) {
        uint64_t size = random_next(&seed) % (i % 2 ? N_MAX + 1 : 40);
        struct merkle_range range;
        cr_assert(runs_range(read_txn, size, &range) == 0);
        struct hash wanted = merkle_range_root(&range);
        cr_assert(nodes_root(&source, size, &got) == 0);
        cr_assert(hash_equal(&wanted, &got), "size %d", (int)size);
    }
    cr_assert(nodes_root(&source, N_MAX + 1, &got) == -EUCLEAN);
    cr_assert(nodes_root(&source, N_MAX + 1, &got) == -EUCLEAN, "nothing is kept of that");
}

Test(runs, miss_what_is_not_there, .init = start, .fini = end) {
    struct hash hash;
    write_runs(300);
    cr_assert(runs_lookup(read_txn, 0, 300, &hash) == -EUCLEAN);
    cr_assert(runs_lookup(read_txn, 3, 37, &hash) == -EUCLEAN);
    cr_assert(runs_lookup(read_txn, 8, 1, &hash) == -EUCLEAN);
    cr_assert(runs_lookup(read_txn, 16, 0, &hash) == -EUCLEAN);
    cr_assert(runs_lookup(read_txn, 8, 0, &hash) == 0);
}

/* Proofs look up thousands of leaves of batches of thousands of orders: each lookup must not go
 * through all the records beside it. So it does not see that where they end is damaged. */
Test(runs, are_looked_up_without_a_look_at_their_records, .init = start, .fini = end) {
    struct hash hash;
    struct run run;
    struct bytes value = run_make(0, 5);
    uint8_t key[8];
    be64_put(key, 0);
    be32_put(value.data + 4, 0);
    cr_assert(store_write_begin(store, &writing) == 0);
    store_append(writing, RUNS_LOG, key, sizeof(key), value.data, value.n);
    bytes_fini(&value);
    cr_assert(store_commit(writing) == 0);
    cr_assert(store_read_begin(store, &read_txn) == 0);
    cr_assert(runs_find(read_txn, 3, &run) == -EUCLEAN);
    cr_assert(runs_find_leaves(read_txn, 3, &run) == 1 && run.n == 5);
    cr_assert(runs_lookup(read_txn, 0, 3, &hash) == 0);
    struct hash leaf = run_leaf(&run, 3);
    cr_assert(hash_equal(&hash, &leaf));
}

Test(runs, of_a_batch_are_those_of_its_records) {
    uint8_t seal[RECORD_SEAL_BYTES] = {RECORD_SEAL, 7}, records[3][20] = {{0}};
    struct iovec seal_piece = {seal, sizeof(seal)}, bodies[3], pieces[4], got[4];
    struct bytes packed = {0}, wanted = {0};
    struct hash hashes[4];
    const struct hash *found;
    struct run run;
    uint32_t n;
    pieces[0] = seal_piece;
    for (size_t i = 0; i < 3; i++) {
        memset(records[i], (int)i + 1, sizeof(records[i]));
        records[i][0] = RECORD_ORDER;
        pieces[i + 1] = (struct iovec){records[i], 1 + 9 * i};
        bodies[i] = (struct iovec){records[i] + 1, 9 * i};
    }
    merkle_leaves(pieces, 4, hashes);
    run_pack(&wanted, 4, pieces, hashes);
    run_pack_batch(&packed, &seal_piece, &hashes[0], 3, bodies, hashes + 1);
    cr_assert(packed.n == wanted.n && memcmp(packed.data, wanted.data, wanted.n) == 0);
    found = run_packed_leaves(&packed, &n);
    cr_assert(n == 4 && memcmp(found, hashes, sizeof(hashes)) == 0);
    cr_assert(parse(40, packed.data, packed.n, &run) == 0);
    for (uint32_t first = 0; first < 4; first++) {
        run_records(&run, first, 4 - first, got);
        for (uint32_t i = first; i < 4; i++)
            cr_assert(got[i - first].iov_len == pieces[i].iov_len &&
                      memcmp(got[i - first].iov_base, pieces[i].iov_base, pieces[i].iov_len) == 0);
    }
    bytes_fini(&packed);
    bytes_fini(&wanted);
}

/* ---- what records did */

static struct run_leg legs[] = {
    {.account = 0, .moved = true, .side = 1, .minutes = -60, .after = -60, .previous = 3},
    {.account = 7, .moved = true, .side = 2, .minutes = 60, .after = 60, .held_after = 30},
    {.account = UINT32_MAX, .side = 0, .after = INT64_MAX, .held_after = INT64_MIN, .previous = 99},
    {.account = 1, .moved = true, .minutes = INT64_MIN, .after = INT64_MAX, .previous = 1},
};

/* Three rows: two legs, none, two legs; of the records 100 to 102. */
static struct bytes after_make(void) {
    struct bytes value = {0};
    size_t begin = runs_after_begin(&value, 3);
    run_leg_pack(&legs[0], 100, &value);
    run_leg_pack(&legs[1], 100, &value);
    runs_after_end(&value, begin, 0);
    runs_after_end(&value, begin, 1);
    run_leg_pack(&legs[2], 102, &value);
    run_leg_pack(&legs[3], 102, &value);
    runs_after_end(&value, begin, 2);
    cr_assert(value.r == 0);
    return value;
}

static bool leg_equal(const struct run_leg *a, const struct run_leg *b) {
    return a->account == b->account && a->moved == b->moved && a->side == b->side &&
           a->minutes == b->minutes && a->after == b->after && a->held_after == b->held_after &&
           a->previous == b->previous;
}

Test(runs, give_back_the_legs_of_each_record) {
    struct bytes bytes = after_make();
    struct store_value value = {bytes.data, bytes.n};
    struct run_leg leg;
    size_t at = 0;
    uint32_t n = 0;
    cr_assert(runs_after_count(value, &n) == 0 && n == 3);
    for (size_t i = 0; i < 2; i++) {
        cr_assert(runs_after_next(value, 0, 100, &at, &leg) == 1);
        cr_assert(leg_equal(&leg, &legs[i]));
    }
    cr_assert(runs_after_next(value, 0, 100, &at, &leg) == 0);
    at = 0;
    cr_assert(runs_after_next(value, 1, 101, &at, &leg) == 0);
    for (size_t i = 2; i < 4; i++) {
        cr_assert(runs_after_next(value, 2, 102, &at, &leg) == 1);
        cr_assert(leg_equal(&leg, &legs[i]));
    }
    cr_assert(runs_after_next(value, 2, 102, &at, &leg) == 0);
    at = 0;
    cr_assert(runs_after_next(value, 3, 103, &at, &leg) == -EUCLEAN);
    bytes_fini(&bytes);
}

/* A row of one leg in bytes of their exact size, its last `n_cut` bytes cut off. */
static int read_cut(const struct run_leg *leg, uint64_t index, size_t n_cut, struct run_leg *ret) {
    struct bytes bytes = {0};
    size_t begin = runs_after_begin(&bytes, 1), at = 0;
    run_leg_pack(leg, index, &bytes);
    bytes.n -= n_cut;
    runs_after_end(&bytes, begin, 0);
    uint8_t *copy = malloc(bytes.n); /* for the sanitizer */
    memcpy(copy, bytes.data, bytes.n);
    int r = runs_after_next((struct store_value){copy, bytes.n}, 0, index, &at, ret);
    cr_assert(r < 0 || at == bytes.n - begin - 8);
    free(copy);
    bytes_fini(&bytes);
    return r;
}

Test(runs, read_numbers_of_every_length_that_end_a_row) {
    const uint64_t index = UINT64_C(1) << 62;
    for (unsigned n_bytes = 1; n_bytes <= 9; n_bytes++)
        for (unsigned low = 0; low < 2; low++) {
            uint64_t back = low ? UINT64_C(1) << 7 * (n_bytes - 1)
                                : MIN_OF((UINT64_C(1) << 7 * n_bytes) - 1, index - 1);
            struct run_leg leg = {.account = 3, .minutes = 60, .previous = index - back}, got;
            cr_assert(read_cut(&leg, index, 0, &got) == 1 && leg_equal(&leg, &got));
            for (size_t n_cut = 1; n_cut <= n_bytes; n_cut++)
                cr_assert(read_cut(&leg, index, n_cut, &got) == -EUCLEAN);
        }
}

/* Goes through all it can find: it may be anything, but nothing outside. */
static void read_all(const uint8_t *data, size_t n) {
    uint8_t *copy = malloc(n + !n); /* of its exact size, for the sanitizer */
    struct store_value value = {copy, n};
    struct run_leg leg;
    uint32_t count;
    memcpy(copy, data, n);
    if (runs_after_count(value, &count) == 0)
        for (size_t i = 0; i < MIN_OF(count, 8u); i++)
            for (size_t at = 0, k = 0; k < 1000 && runs_after_next(value, i, 100, &at, &leg) > 0;)
                k++;
    free(copy);
}

Test(runs, read_legs_within_their_bytes_whatever_is_flipped_or_cut) {
    struct bytes bytes = after_make();
    for (size_t n = 0; n <= bytes.n; n++)
        read_all(bytes.data, n);
    for (size_t bit = 0; bit < 8 * bytes.n; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        read_all(bytes.data, bytes.n);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    bytes_fini(&bytes);
}
