/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree against RFC 6962's own recursive definitions, written again here from the text, and
 * against vectors from outside. See tests/data/vectors/README.md for the cases of definition.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>

#include "helpers.h"
#include "proto/merkle.h"

TestSuite(merkle, .timeout = 60);

#define N_LEAVES 130u

/* ---- the second path: section 2.1 of RFC 6962, by libsodium's SHA-256 */

static struct hash leaves[N_LEAVES];

static void leaves_make(void) {
    for (unsigned i = 0; i < N_LEAVES; i++) {
        uint8_t record[2] = {0, (uint8_t)i};
        crypto_hash_sha256(leaves[i].b, record, sizeof(record));
    }
}

static struct hash plain_node(struct hash left, struct hash right) {
    uint8_t message[65] = {1};
    struct hash hash;
    memcpy(message + 1, left.b, 32);
    memcpy(message + 33, right.b, 32);
    crypto_hash_sha256(hash.b, message, sizeof(message));
    return hash;
}

static size_t plain_split(size_t n) {
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

static struct hash plain_root(const struct hash *d, size_t n) {
    if (n == 1)
        return d[0];
    size_t k = plain_split(n);
    return plain_node(plain_root(d, k), plain_root(d + k, n - k));
}

static size_t plain_path(size_t m, const struct hash *d, size_t n, struct hash *ret) {
    if (n == 1)
        return 0;
    size_t k = plain_split(n), n_path;
    if (m < k) {
        n_path = plain_path(m, d, k, ret);
        ret[n_path] = plain_root(d + k, n - k);
    } else {
        n_path = plain_path(m - k, d + k, n - k, ret);
        ret[n_path] = plain_root(d, k);
    }
    return n_path + 1;
}

static size_t plain_subproof(size_t m, const struct hash *d, size_t n, bool is_whole,
                             struct hash *ret) {
    if (m == n) {
        if (!is_whole)
            ret[0] = plain_root(d, n);
        return is_whole ? 0 : 1;
    }
    size_t k = plain_split(n), n_path;
    if (m <= k) {
        n_path = plain_subproof(m, d, k, is_whole, ret);
        ret[n_path] = plain_root(d + k, n - k);
    } else {
        n_path = plain_subproof(m - k, d + k, n - k, false, ret);
        ret[n_path] = plain_root(d, k);
    }
    return n_path + 1;
}

static int lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    uint64_t size = *(uint64_t *)user;
    cr_assert(level < 8 && (index + 1) << level <= size, "asked for what is not there yet");
    *ret = plain_root(leaves + (index << level), (size_t)1 << level);
    return 0;
}

static bool hashes_equal(const struct hash *a, size_t n_a, const struct hash *b, size_t n_b) {
    return n_a == n_b && memcmp(a, b, n_a * sizeof(*a)) == 0;
}

static void expect_hex(struct hash hash, const char *expected) {
    char hex[65];
    text64_hex(hex, hash.b, 32);
    cr_assert(strncmp(hex, expected, strlen(expected)) == 0, "%s is not %s", hex, expected);
}

/* ---- known values */

Test(merkle, has_the_known_values_of_nothing) {
    expect_hex(merkle_empty_root(),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_hex(merkle_root(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb924");
    expect_hex(merkle_leaf("", 0),
               "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

Test(merkle, hashes_a_leaf_the_same_whole_or_by_kind) {
    uint8_t record[1000], message[1001] = {0};
    memset(record, 0x5a, sizeof(record));
    for (size_t n = 1; n <= sizeof(record); n++) {
        struct hash expected;
        memcpy(message + 1, record, n);
        crypto_hash_sha256(expected.b, message, n + 1);
        struct hash whole = merkle_leaf(record, n);
        struct hash by_kind = merkle_leaf_of_kind(record[0], record + 1, n - 1);
        cr_assert(hash_equal(&whole, &expected) && hash_equal(&by_kind, &expected), "%zu bytes", n);
    }
}

/* ---- roots and ranges */

Test(merkle, gives_the_recursive_root_for_every_size) {
    leaves_make();
    for (size_t n = 1; n <= N_LEAVES; n++) {
        struct hash root = merkle_root(leaves, n), expected = plain_root(leaves, n);
        cr_assert(hash_equal(&root, &expected), "%zu leaves", n);
    }
}

struct visited {
    unsigned n_of_level[8];
};

static void visit(void *user, unsigned level, uint64_t index, const struct hash *hash) {
    struct visited *visited = user;
    struct hash expected = plain_root(leaves + (index << level), (size_t)1 << level);
    cr_assert(index == visited->n_of_level[level], "subtrees of a level complete in order");
    cr_assert(hash_equal(hash, &expected));
    visited->n_of_level[level]++;
}

Test(merkle, tells_of_every_perfect_subtree_once) {
    leaves_make();
    struct merkle_range range;
    struct visited visited = {};
    merkle_range_init(&range, 0);
    for (size_t i = 0; i < N_LEAVES; i++)
        merkle_range_append(&range, &leaves[i], visit, &visited);
    for (unsigned level = 0; level < 8; level++)
        cr_assert(visited.n_of_level[level] == N_LEAVES >> level);
}

Test(merkle, joins_any_two_ranges_into_the_range_of_both) {
    leaves_make();
    for (uint64_t begin = 0; begin <= 40; begin++)
        for (uint64_t end = begin; end <= 40; end++)
            for (uint64_t middle = begin; middle <= end; middle++) {
                struct merkle_range left, right, whole;
                merkle_range_init(&left, begin);
                merkle_range_init(&right, middle);
                merkle_range_init(&whole, begin);
                for (uint64_t i = begin; i < end; i++) {
                    merkle_range_append(i < middle ? &left : &right, &leaves[i], NULL, NULL);
                    merkle_range_append(&whole, &leaves[i], NULL, NULL);
                }
                merkle_range_join(&left, &right, NULL, NULL);
                cr_assert(left.begin == begin && left.end == end);
                cr_assert(hashes_equal(left.hashes, left.n_hashes, whole.hashes, whole.n_hashes));
                cr_assert(whole.n_hashes == merkle_range_shape(begin, end, NULL));
            }
}

Test(merkle, joining_tells_of_the_subtrees_that_it_completes) {
    leaves_make();
    struct merkle_range left, right;
    merkle_range_init(&left, 0);
    merkle_range_init(&right, 5);
    for (size_t i = 0; i < 16; i++)
        merkle_range_append(i < 5 ? &left : &right, &leaves[i], NULL, NULL);
    struct visited visited = {.n_of_level = {0, 2, 1, 0, 0}};
    merkle_range_join(&left, &right, visit, &visited);
    cr_assert(visited.n_of_level[1] == 3 && visited.n_of_level[2] == 2);
    cr_assert(visited.n_of_level[3] == 1 && visited.n_of_level[4] == 1);
}

Test(merkle, shapes_a_range_by_aligned_subtrees_at_both_ends_of_the_numbers) {
    uint8_t levels[MERKLE_RANGE_MAX];
    cr_assert(merkle_range_shape(1, UINT64_MAX, levels) == 126, "the longest there is");
    cr_assert(levels[0] == 0 && levels[62] == 62 && levels[63] == 62 && levels[125] == 0);
    cr_assert(merkle_range_shape(0, UINT64_MAX, levels) == 64 && levels[0] == 63);
    cr_assert(merkle_range_shape(7, 7, NULL) == 0);
    cr_assert(merkle_range_shape(5, 13, levels) == 4);
    cr_assert(levels[0] == 0 && levels[1] == 1 && levels[2] == 2 && levels[3] == 0);
}

Test(merkle, loads_a_range_only_with_the_right_count) {
    leaves_make();
    struct merkle_range range = {.begin = 99};
    cr_assert(merkle_range_load(&range, 5, 13, leaves, 3) == -EBADMSG);
    cr_assert(merkle_range_load(&range, 5, 13, leaves, 5) == -EBADMSG);
    cr_assert(merkle_range_load(&range, 13, 5, leaves, 0) == -EBADMSG);
    cr_assert(range.begin == 99);
    cr_assert(merkle_range_load(&range, 5, 13, leaves, 4) == 0);
    cr_assert(range.begin == 5 && range.end == 13 && range.n_hashes == 4);
}

/* What a client does with an answer: left + its own records + right give the root. */
Test(merkle, proves_any_range_of_records_under_the_root) {
    leaves_make();
    for (uint64_t size = 1; size <= 40; size++)
        for (uint64_t begin = 0; begin <= size; begin++)
            for (uint64_t end = begin; end <= size; end++) {
                struct merkle_range whole, own, right;
                cr_assert(merkle_prove_range(lookup, &size, 0, begin, &whole) == 0);
                cr_assert(merkle_prove_range(lookup, &size, end, size, &right) == 0);
                merkle_range_init(&own, begin);
                for (uint64_t i = begin; i < end; i++)
                    merkle_range_append(&own, &leaves[i], NULL, NULL);
                merkle_range_join(&whole, &own, NULL, NULL);
                merkle_range_join(&whole, &right, NULL, NULL);
                struct hash root = merkle_range_root(&whole), expected = plain_root(leaves, size);
                cr_assert(hash_equal(&root, &expected));
            }
}

/* ---- proofs */

Test(merkle, makes_the_inclusion_proofs_of_the_rfc_and_verifies_them) {
    leaves_make();
    for (uint64_t size = 1; size <= N_LEAVES; size++) {
        struct hash root = plain_root(leaves, size);
        for (uint64_t index = 0; index < size; index++) {
            struct hash path[MERKLE_PATH_MAX + 1], expected[MERKLE_PATH_MAX + 1];
            size_t n, n_expected = plain_path(index, leaves, size, expected);
            cr_assert(merkle_prove_inclusion(lookup, &size, index, size, path, &n) == 0);
            cr_assert(hashes_equal(path, n, expected, n_expected));
            cr_assert(merkle_verify_inclusion(index, size, &leaves[index], path, n, &root) == 0);
        }
    }
}

Test(merkle, makes_the_consistency_proofs_of_the_rfc_and_verifies_them) {
    leaves_make();
    for (uint64_t size = 1; size <= N_LEAVES; size++) {
        struct hash root = plain_root(leaves, size);
        for (uint64_t old_size = 1; old_size <= size; old_size++) {
            struct hash path[MERKLE_PATH_MAX + 1], expected[MERKLE_PATH_MAX + 1];
            struct hash old_root = plain_root(leaves, old_size);
            size_t n, n_expected = plain_subproof(old_size, leaves, size, true, expected);
            cr_assert(merkle_prove_consistency(lookup, &size, old_size, size, path, &n) == 0);
            cr_assert(hashes_equal(path, n, expected, n_expected), "%d to %d", (int)old_size,
                      (int)size);
            cr_assert(merkle_verify_consistency(old_size, size, &old_root, &root, path, n) == 0);
        }
    }
}

Test(merkle, has_nothing_to_prove_from_an_empty_tree) {
    leaves_make();
    uint64_t size = 9;
    struct hash path[MERKLE_PATH_MAX + 1], root = plain_root(leaves, 9);
    size_t n = 99;
    cr_assert(merkle_prove_consistency(lookup, &size, 0, 9, path, &n) == 0 && n == 0);
    cr_assert(merkle_verify_consistency(0, 9, &root, &root, NULL, 0) == 0);
    cr_assert(merkle_verify_consistency(0, 9, &root, &root, leaves, 1) == -EBADMSG);
}

Test(merkle, refuses_to_prove_what_is_not_so) {
    leaves_make();
    uint64_t size = 9;
    struct hash path[MERKLE_PATH_MAX + 1];
    size_t n;
    struct merkle_range range;
    cr_assert(merkle_prove_inclusion(lookup, &size, 9, 9, path, &n) == -EINVAL);
    cr_assert(merkle_prove_inclusion(lookup, &size, 0, 0, path, &n) == -EINVAL);
    cr_assert(merkle_prove_consistency(lookup, &size, 10, 9, path, &n) == -EINVAL);
    cr_assert(merkle_prove_range(lookup, &size, 5, 4, &range) == -EINVAL);
}

static int lookup_failing(void *user, unsigned level, uint64_t index, struct hash *ret) {
    uint64_t size = UINT64_MAX;
    unsigned *n_left = user;
    (void)level, (void)index, (void)size;
    memset(ret->b, 7, sizeof(ret->b));
    return (*n_left)-- == 0 ? -EIO : 0;
}

Test(merkle, passes_a_failing_lookup_up_and_leaves_the_result_alone) {
    struct hash path[MERKLE_PATH_MAX + 1] = {};
    for (unsigned n_good = 0;; n_good++) {
        unsigned n_left = n_good;
        size_t n = 99;
        int r = merkle_prove_consistency(lookup_failing, &n_left, 100, 1000, path, &n);
        if (r == 0)
            break;
        cr_assert(r == -EIO && n == 99 && path[0].b[0] == 0);
        n_left = n_good;
        cr_assert(merkle_prove_inclusion(lookup_failing, &n_left, 100, 1000, path, &n) <= 0);
    }
}

Test(merkle, proves_at_the_largest_size) {
    unsigned n_left = UINT32_MAX;
    struct hash path[MERKLE_PATH_MAX + 1], computed[2];
    size_t n = 0;
    cr_assert(
        merkle_prove_inclusion(lookup_failing, &n_left, UINT64_MAX - 2, UINT64_MAX, path, &n) == 0);
    cr_assert(n == 64);
    cr_assert(merkle_prove_consistency(lookup_failing, &n_left, UINT64_MAX - 1, UINT64_MAX, path,
                                       &n) == 0);
    cr_assert(n <= MERKLE_PATH_MAX + 1);
    memset(computed, 0, sizeof(computed));
    cr_assert(merkle_verify_inclusion(UINT64_MAX - 2, UINT64_MAX, computed, path, n,
                                      computed + 1) == -EBADMSG);
}

/* ---- flips */

Test(merkle, refuses_every_flipped_bit_of_an_inclusion_proof) {
    leaves_make();
    for (uint64_t size = 1; size <= 20; size++)
        for (uint64_t index = 0; index < size; index++) {
            struct hash parts[MERKLE_PATH_MAX + 3]; /* path, leaf, root */
            size_t n = plain_path(index, leaves, size, parts);
            parts[n] = leaves[index];
            parts[n + 1] = plain_root(leaves, size);
            for (size_t bit = 0; bit < (n + 2) * 256; bit++) {
                uint8_t *byte = &parts[bit / 256].b[bit % 256 / 8];
                *byte ^= 1 << bit % 8;
                cr_assert(merkle_verify_inclusion(index, size, &parts[n], parts, n,
                                                  &parts[n + 1]) == -EBADMSG);
                *byte ^= 1 << bit % 8;
            }
            for (uint64_t other = 0; other < size + 2; other++)
                if (other != index)
                    cr_assert(merkle_verify_inclusion(other, size, &parts[n], parts, n,
                                                      &parts[n + 1]) == -EBADMSG);
            cr_assert(merkle_verify_inclusion(index, size, &parts[n], parts, n + 1,
                                              &parts[n + 1]) == -EBADMSG);
            if (n > 0)
                cr_assert(merkle_verify_inclusion(index, size, &parts[n], parts, n - 1,
                                                  &parts[n + 1]) == -EBADMSG);
        }
}

Test(merkle, refuses_every_flipped_bit_of_a_consistency_proof) {
    leaves_make();
    for (uint64_t size = 1; size <= 20; size++)
        for (uint64_t old_size = 1; old_size <= size; old_size++) {
            struct hash parts[MERKLE_PATH_MAX + 3]; /* path, old root, root */
            size_t n = plain_subproof(old_size, leaves, size, true, parts);
            parts[n] = plain_root(leaves, old_size);
            parts[n + 1] = plain_root(leaves, size);
            for (size_t bit = 0; bit < (n + 2) * 256; bit++) {
                uint8_t *byte = &parts[bit / 256].b[bit % 256 / 8];
                *byte ^= 1 << bit % 8;
                cr_assert(merkle_verify_consistency(old_size, size, &parts[n], &parts[n + 1], parts,
                                                    n) == -EBADMSG);
                *byte ^= 1 << bit % 8;
            }
            cr_assert(merkle_verify_consistency(old_size, size, &parts[n], &parts[n + 1], parts,
                                                n + 1) == -EBADMSG);
            if (n > 0)
                cr_assert(merkle_verify_consistency(old_size, size, &parts[n], &parts[n + 1], parts,
                                                    n - 1) == -EBADMSG);
        }
}

/* ---- vectors from outside */

static bool hash_read(const json_t *json, struct hash *ret) {
    _cleanup_bytes_ struct bytes bytes = {};
    const char *text = json_string_value(json);
    cr_assert(text64_decode(&bytes, text, strlen(text)) == 0);
    *ret = (struct hash){};
    if (bytes.n > 0)
        memcpy(ret->b, bytes.data, MIN_OF(bytes.n, (size_t)32));
    return bytes.n == 32;
}

/* False when a hash of the proof is not of 32 bytes, or they are too many. */
static bool proof_read(const json_t *json, struct hash *ret, size_t *ret_n) {
    *ret_n = json_array_size(json);
    if (*ret_n > MERKLE_PATH_MAX + 1)
        return false;
    bool is_good = true;
    for (size_t i = 0; i < *ret_n; i++)
        is_good &= hash_read(json_array_get(json, i), &ret[i]);
    return is_good;
}

/* jansson holds signed integers; the vectors' largest are read through a real. */
static json_t *vectors_load_unsigned(const char *name) {
    char path[512];
    snprintf(path, sizeof(path), "%s/vectors/%s", TESTS_DATA, name);
    json_error_t error;
    json_t *json = json_load_file(path, JSON_DECODE_INT_AS_REAL, &error);
    cr_assert(json, "%s: %s", path, error.text);
    return json;
}

static uint64_t number_read(const json_t *json) {
    double v = json_real_value(json);
    return v >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)v;
}

Test(merkle, agrees_with_every_inclusion_vector) {
    json_t *cases = vectors_load_unsigned("rfc6962-inclusion.json"), *item;
    size_t i, n_agreed = 0;
    json_array_foreach(cases, i, item) {
        struct hash path[MERKLE_PATH_MAX + 1], leaf, root;
        size_t n;
        bool is_read = proof_read(json_object_get(item, "proof"), path, &n);
        is_read &= hash_read(json_object_get(item, "leafHash"), &leaf);
        is_read &= hash_read(json_object_get(item, "root"), &root);
        uint64_t index = number_read(json_object_get(item, "leafIdx"));
        uint64_t size = number_read(json_object_get(item, "treeSize"));
        bool is_proven =
            is_read && merkle_verify_inclusion(index, size, &leaf, path, n, &root) == 0;
        bool is_expected = !json_is_true(json_object_get(item, "wantErr"));
        cr_assert(is_proven == is_expected, "inclusion[%zu] %s", i,
                  json_string_value(json_object_get(item, "name")));
        n_agreed++;
    }
    cr_assert(n_agreed == 98);
    json_decref(cases);
}

Test(merkle, agrees_with_every_consistency_vector_but_four_of_definition) {
    json_t *cases = vectors_load_unsigned("rfc6962-consistency.json"), *item;
    size_t i, n_differing = 0;
    json_array_foreach(cases, i, item) {
        struct hash path[MERKLE_PATH_MAX + 1], old_root = {}, root = {};
        size_t n;
        uint64_t old_size = number_read(json_object_get(item, "size1"));
        uint64_t size = number_read(json_object_get(item, "size2"));
        bool is_read = hash_read(json_object_get(item, "root1"), &old_root);
        is_read &= hash_read(json_object_get(item, "root2"), &root);
        is_read |= old_size == 0; /* not for the length of a root that proves nothing */
        is_read &= proof_read(json_object_get(item, "proof"), path, &n);
        bool is_proven =
            is_read && merkle_verify_consistency(old_size, size, &old_root, &root, path, n) == 0;
        bool is_expected = !json_is_true(json_object_get(item, "wantErr"));
        if (i == 89 || i == 90 || i == 93)
            cr_assert(is_proven && !is_expected);
        else if (i == 91)
            cr_assert(!is_proven && is_expected);
        else
            cr_assert(is_proven == is_expected, "consistency[%zu] %s", i,
                      json_string_value(json_object_get(item, "name")));
        n_differing += is_proven != is_expected;
    }
    cr_assert(json_array_size(cases) == 98 && n_differing == 4);
    json_decref(cases);
}

/* Any proof that leads to the newer root names the older one, whoever made it. */
Test(merkle, names_the_older_root_that_a_consistency_proof_is_from) {
    struct hash path[MERKLE_PATH_MAX + 1], old_root, root;
    uint64_t size = N_LEAVES;
    size_t n;
    leaves_make();
    for (uint64_t old_size = 1; old_size < N_LEAVES; old_size++) {
        bool is_perfect = (old_size & (old_size - 1)) == 0;
        cr_assert(merkle_prove_consistency(lookup, &size, old_size, size, path, &n) == 0);
        int r = merkle_consistency_roots(old_size, size, path, n, &old_root, &root);
        cr_assert(r == (is_perfect ? -EBADMSG : 0), "%u", (unsigned)old_size);
        struct hash wanted = merkle_root(leaves, old_size), whole = merkle_root(leaves, size);
        cr_assert(is_perfect || (hash_equal(&old_root, &wanted) && hash_equal(&root, &whole)));
        cr_assert(merkle_consistency_roots(old_size, size, path, n - 1, &old_root, &root) < 0);
        cr_assert(merkle_consistency_roots(old_size, size, path, 0, &old_root, &root) < 0);
    }
    cr_assert(merkle_consistency_roots(0, 5, path, 1, &old_root, &root) < 0);
    cr_assert(merkle_consistency_roots(5, 5, path, 1, &old_root, &root) < 0);
}
