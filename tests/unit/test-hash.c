/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ways of hashing, against libsodium and against each other: every length around the blocks'
 * edges, many at once and mixed, ranges that begin anywhere. Known values: FIPS 180-4's examples
 * (csrc.nist.gov, "Cryptographic Standards and Guidelines: Example Values").
 */
#include <criterion/criterion.h>
#include <sodium.h>

#include "base/cleanup.h"
#include "helpers.h"
#include "proto/hash-lanes.h"
#include "proto/merkle.h"

TestSuite(hash, .timeout = 60);

#define N_MESSAGES 301u

/* The test once with what the processor has, and once without. */
static void in_both_ways(void (*test)(void)) {
    test();
    hash_lanes_hide(true);
    cr_assert(!hash_lanes_are_here());
    test();
    hash_lanes_hide(false);
}

static uint64_t seed;

static uint8_t next_byte(void) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint8_t)(seed >> 56);
}

static void fill(uint8_t *to, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] = next_byte();
}

static void expect_hash(struct hash hash, const char *expected) {
    char hex[65];

    text64_hex(hex, hash.b, 32);
    cr_assert_str_eq(hex, expected);
}

static void known_values(void) {
    static uint8_t many[1000000];

    memset(many, 'a', sizeof(many));
    expect_hash(hash_of("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_hash(hash_of(NULL, 0),
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_hash(hash_of("abc", 3),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_hash(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect_hash(hash_of(many, sizeof(many)),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(hash, has_the_known_values_of_sha_256) {
    in_both_ways(known_values);
}

static void every_length(void) {
    uint8_t message[HASH_PREFIX_MAX + N_MESSAGES + 1];

    fill(message, sizeof(message));
    for (size_t n_prefix = 0; n_prefix <= HASH_PREFIX_MAX; n_prefix++)
        for (size_t n = 0; n <= N_MESSAGES; n++) {
            /* A body of its own size, so that a sanitizer sees one byte too many. */
            _cleanup_(freep) uint8_t *body = malloc(n);
            struct iovec piece = {body, n};
            struct hash hash, expected;
            memcpy(body, message + n_prefix, n);
            hash_of_each(message, n_prefix, &piece, 1, &hash);
            crypto_hash_sha256(expected.b, message, n_prefix + n);
            cr_assert(hash_equal(&hash, &expected), "%zu bytes after %zu", n, n_prefix);
        }
}

Test(hash, is_right_at_every_length_behind_every_prefix) {
    in_both_ways(every_length);
}

static void many_at_once(void) {
    static uint8_t bytes[N_MESSAGES][N_MESSAGES + 1];
    struct iovec bodies[N_MESSAGES];
    struct hash hashes[N_MESSAGES];

    fill(&bytes[0][0], sizeof(bytes));
    for (size_t n = 0; n <= N_MESSAGES; n += n < 6 ? 1 : 59)
        for (unsigned round = 0; round < 8; round++) {
            for (size_t i = 0; i < n; i++) {
                bytes[i][0] = 0x42;
                bodies[i] =
                    (struct iovec){&bytes[i][1], (size_t)next_byte() % 3 * next_byte() % 300};
            }
            hash_of_each("\x42", 1, bodies, n, hashes);
            for (size_t i = 0; i < n; i++) {
                struct hash expected;
                crypto_hash_sha256(expected.b, bytes[i], bodies[i].iov_len + 1);
                cr_assert(hash_equal(&hashes[i], &expected), "message %zu of %zu", i, n);
            }
        }
}

Test(hash, of_many_is_the_hash_of_each_however_long_the_others_are) {
    in_both_ways(many_at_once);
}

static void pairs(void) {
    struct hash below[2 * 65], above[65];

    for (size_t n = 0; n <= 65; n++) {
        fill(&below[0].b[0], sizeof(below));
        hash_of_pairs(0x77, below, n, above);
        for (size_t i = 0; i < n; i++) {
            uint8_t message[65] = {0x77};
            struct hash expected;
            memcpy(message + 1, &below[2 * i], 64);
            crypto_hash_sha256(expected.b, message, sizeof(message));
            cr_assert(hash_equal(&above[i], &expected), "pair %zu of %zu", i, n);
        }
        hash_of_pairs(0x77, below, n, below);
        cr_assert(memcmp(below, above, n * sizeof(*above)) == 0, "in place, %zu", n);
    }
}

Test(hash, of_pairs_is_right_in_place_too) {
    in_both_ways(pairs);
}

Test(hash, over_pieces_is_the_hash_of_what_they_make) {
    uint8_t bytes[200];

    fill(bytes, sizeof(bytes));
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        struct iovec pieces[] = {{bytes, n}, {bytes + n, sizeof(bytes) - n}};
        struct hash hash = hash_of_pieces(pieces, 2), whole = hash_of(bytes, sizeof(bytes));
        cr_assert(hash_equal(&hash, &whole));
    }
}

/* ---- many leaves of a tree */

#define N_LEAVES 2100u

static struct hash leaves[N_LEAVES];

struct told {
    size_t n;
    struct {
        unsigned level;
        uint64_t index;
        struct hash hash;
    } nodes[2 * N_LEAVES];
};

static void tell(void *user, unsigned level, uint64_t index, const struct hash *hash) {
    struct told *told = user;

    if (level == 0)
        return;
    told->nodes[told->n].level = level;
    told->nodes[told->n].index = index;
    told->nodes[told->n++].hash = *hash;
}

static void tell_level(void *user, unsigned level, uint64_t index, const struct hash *hashes,
                       size_t n) {
    for (size_t i = 0; i < n; i++)
        tell(user, level, index + i, &hashes[i]);
}

static int compare_nodes(const void *a, const void *b) {
    return memcmp(a, b, sizeof(((struct told *)0)->nodes[0]));
}

static void expect_same_range(uint64_t begin, size_t n_before, size_t n) {
    static struct told one_by_one, at_once;
    struct merkle_range plain, range;

    memset(&one_by_one, 0, sizeof(one_by_one));
    memset(&at_once, 0, sizeof(at_once));
    merkle_range_init(&plain, begin);
    for (size_t i = 0; i < n_before; i++)
        merkle_range_append(&plain, &leaves[i], NULL, NULL);
    range = plain;
    for (size_t i = n_before; i < n_before + n; i++)
        merkle_range_append(&plain, &leaves[i], tell, &one_by_one);
    merkle_range_append_all(&range, leaves + n_before, n, tell_level, &at_once);
    cr_assert(range.begin == plain.begin && range.end == plain.end);
    cr_assert_eq(range.n_hashes, plain.n_hashes);
    cr_assert(memcmp(range.hashes, plain.hashes, plain.n_hashes * sizeof(struct hash)) == 0,
              "%zu leaves after %zu from %zu", n, n_before, (size_t)begin);
    cr_assert_eq(at_once.n, one_by_one.n);
    qsort(one_by_one.nodes, one_by_one.n, sizeof(one_by_one.nodes[0]), compare_nodes);
    qsort(at_once.nodes, at_once.n, sizeof(at_once.nodes[0]), compare_nodes);
    cr_assert(memcmp(one_by_one.nodes, at_once.nodes, at_once.n * sizeof(at_once.nodes[0])) == 0);
}

Test(hash, leaves_appended_at_once_make_the_range_that_they_make_one_by_one) {
    fill(&leaves[0].b[0], sizeof(leaves));
    for (uint64_t begin = 0; begin < 20; begin++)
        for (size_t n_before = 0; n_before < 20; n_before++)
            for (size_t n = 0; n < 40; n++)
                expect_same_range(begin, n_before, n);
    for (unsigned round = 0; round < 40; round++) {
        size_t n_before = (size_t)next_byte() * 4;
        expect_same_range(round % 2 ? 0 : (uint64_t)next_byte() << next_byte() % 40, n_before,
                          (size_t)next_byte() * 4);
    }
    for (size_t n = 1020; n < 1030; n++)
        expect_same_range(0, 7, n);
    expect_same_range(0, 0, 2049);
    expect_same_range(3, 1, 2099);
}
