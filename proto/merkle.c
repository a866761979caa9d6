/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One idea carries the file: a perfect subtree is (level, index) and covers the leaves
 * [index << level, (index + 1) << level). Compact ranges, roots and proofs are lists of them. The
 * verifiers follow RFC 9162 sections 2.1.3.2 and 2.1.4.2 line by line and share nothing with the
 * provers.
 */
#include "merkle.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define LEAF_PREFIX 0x00
#define NODE_PREFIX 0x01
#define LEAVES_AT_ONCE 1024u /* half as many hashes lie on the stack */

struct hash merkle_leaf(const void *record, size_t n) {
    struct iovec piece = {.iov_base = (void *)record, .iov_len = n};
    struct hash leaf;

    merkle_leaves(&piece, 1, &leaf);
    return leaf;
}

struct hash merkle_leaf_of_kind(uint8_t kind, const void *body, size_t n) {
    struct iovec piece = {.iov_base = (void *)body, .iov_len = n};
    struct hash leaf;

    merkle_leaves_of_kind(kind, &piece, 1, &leaf);
    return leaf;
}

void merkle_leaves(const struct iovec *records, size_t n, struct hash *ret) {
    hash_of_each(&(uint8_t){LEAF_PREFIX}, 1, records, n, ret);
}

void merkle_leaves_of_kind(uint8_t kind, const struct iovec *bodies, size_t n, struct hash *ret) {
    const uint8_t prefix[] = {LEAF_PREFIX, kind};

    hash_of_each(prefix, sizeof(prefix), bodies, n, ret);
}

void merkle_nodes(const struct hash *below, size_t n, struct hash *ret) {
    hash_of_pairs(NODE_PREFIX, below, n, ret);
}

struct hash merkle_node(const struct hash *left, const struct hash *right) {
    const struct hash pair[] = {*left, *right};
    struct hash node;

    merkle_nodes(pair, 1, &node);
    return node;
}

struct hash merkle_empty_root(void) {
    return hash_of("", 0);
}

static unsigned floor_log2(uint64_t n) {
    assert(n > 0);
    return 63u - (unsigned)__builtin_clzll(n);
}

/* Level of the largest perfect subtree that begins at begin and ends at end or before. */
static unsigned largest_level(uint64_t begin, uint64_t end) {
    unsigned level = floor_log2(end - begin);
    if (begin == 0)
        return level;
    unsigned aligned = (unsigned)__builtin_ctzll(begin);
    return aligned < level ? aligned : level;
}

void merkle_range_init(struct merkle_range *range, uint64_t begin) {
    range->begin = begin;
    range->end = begin;
    range->n_hashes = 0;
}

/* Appends a perfect subtree, then joins it with its left sibling as long as that lies in the range.
 */
static void range_append(struct merkle_range *range, unsigned level, struct hash hash,
                         merkle_visit visit, void *user) {
    uint64_t index = range->end >> level;
    assert(index << level == range->end && range->n_hashes < MERKLE_RANGE_MAX);
    range->end += (uint64_t)1 << level;
    assert(range->end > range->begin);
    while (index % 2 == 1 && (index - 1) << level >= range->begin) {
        hash = merkle_node(&range->hashes[--range->n_hashes], &hash);
        index /= 2;
        level++;
        if (visit)
            visit(user, level, index, &hash);
    }
    range->hashes[range->n_hashes++] = hash;
}

void merkle_range_append(struct merkle_range *range, const struct hash *leaf, merkle_visit visit,
                         void *user) {
    if (visit)
        visit(user, 0, range->end, leaf);
    range_append(range, 0, *leaf, visit, user);
}

/* What is appended stands level by level as [index, index + n) in `row`; what of it finds no
 * neighbour to its left is a hash of the range at once, what finds none to its right is one once
 * all that lies between is. */
struct appending {
    struct merkle_range *range;
    unsigned level;
    uint64_t index;
    const struct hash *row;
    size_t n;
    struct hash right[MERKLE_RANGE_MAX]; /* lowest first */
    size_t n_right;
};

/* Makes the row of the level above in `room`, which may hold the row itself. */
static void row_rise(struct appending *a, struct hash *room) {
    struct merkle_range *range = a->range;
    size_t n_above = 0;

    if (a->index % 2 == 1) {
        if ((a->index - 1) << a->level >= range->begin)
            room[n_above++] = merkle_node(&range->hashes[--range->n_hashes], &a->row[0]);
        else
            range->hashes[range->n_hashes++] = a->row[0];
        a->row++;
        a->n--;
    }
    if (a->n % 2 == 1)
        a->right[a->n_right++] = a->row[a->n - 1];
    merkle_nodes(a->row, a->n / 2, room + n_above);
    n_above += a->n / 2;
    a->level++;
    a->index = (a->index + 1) / 2 - (n_above > a->n / 2);
    a->row = room;
    a->n = n_above;
}

static void append_row(struct merkle_range *range, const struct hash *leaves, size_t n,
                       merkle_visit_level visit, void *user) {
    struct hash room[LEAVES_AT_ONCE / 2 + 1];
    struct appending a = {.range = range, .index = range->end, .row = leaves, .n = n};

    assert(n <= LEAVES_AT_ONCE && range->end + n >= range->end);
    while (a.n > 0) {
        row_rise(&a, room);
        if (visit && a.n > 0)
            visit(user, a.level, a.index, a.row, a.n);
    }
    assert(range->n_hashes + a.n_right <= MERKLE_RANGE_MAX);
    while (a.n_right > 0)
        range->hashes[range->n_hashes++] = a.right[--a.n_right];
    range->end += n;
}

void merkle_range_append_all(struct merkle_range *range, const struct hash *leaves, size_t n,
                             merkle_visit_level visit, void *user) {
    for (size_t i = 0, n_now; i < n; i += n_now) {
        n_now = n - i < LEAVES_AT_ONCE ? n - i : LEAVES_AT_ONCE;
        append_row(range, leaves + i, n_now, visit, user);
    }
}

void merkle_range_join(struct merkle_range *range, const struct merkle_range *right,
                       merkle_visit visit, void *user) {
    uint8_t levels[MERKLE_RANGE_MAX];
    size_t n = merkle_range_shape(right->begin, right->end, levels);
    assert(right->begin == range->end && right->n_hashes == n);
    for (size_t i = 0; i < n; i++)
        range_append(range, levels[i], right->hashes[i], visit, user);
}

size_t merkle_range_shape(uint64_t begin, uint64_t end, uint8_t levels[MERKLE_RANGE_MAX]) {
    size_t n = 0;
    while (begin < end) {
        unsigned level = largest_level(begin, end);
        if (levels)
            levels[n] = (uint8_t)level;
        n++;
        begin += (uint64_t)1 << level;
    }
    assert(n <= MERKLE_RANGE_MAX);
    return n;
}

int merkle_range_load(struct merkle_range *range, uint64_t begin, uint64_t end,
                      const struct hash *hashes, size_t n_hashes) {
    if (begin > end || n_hashes != merkle_range_shape(begin, end, NULL))
        return -EBADMSG;
    range->begin = begin;
    range->end = end;
    range->n_hashes = n_hashes;
    for (size_t i = 0; i < n_hashes; i++)
        range->hashes[i] = hashes[i];
    return 0;
}

static struct hash hashes_fold(const struct hash *hashes, size_t n) {
    assert(n > 0);
    struct hash root = hashes[n - 1];
    for (size_t i = n - 1; i-- > 0;)
        root = merkle_node(&hashes[i], &root);
    return root;
}

struct hash merkle_range_root(const struct merkle_range *range) {
    assert(range->begin == 0);
    return range->n_hashes == 0 ? merkle_empty_root() : hashes_fold(range->hashes, range->n_hashes);
}

struct hash merkle_root(const struct hash *leaves, size_t n) {
    struct merkle_range range;
    merkle_range_init(&range, 0);
    merkle_range_append_all(&range, leaves, n, NULL, NULL);
    return merkle_range_root(&range);
}

int merkle_prove_range(merkle_lookup lookup, void *user, uint64_t begin, uint64_t end,
                       struct merkle_range *ret) {
    uint8_t levels[MERKLE_RANGE_MAX];
    struct hash hashes[MERKLE_RANGE_MAX];
    if (begin > end)
        return -EINVAL;
    size_t n = merkle_range_shape(begin, end, levels);
    uint64_t at = begin;
    for (size_t i = 0; i < n; i++) {
        int r = lookup(user, levels[i], at >> levels[i], &hashes[i]);
        if (r < 0)
            return r;
        at += (uint64_t)1 << levels[i];
    }
    return merkle_range_load(ret, begin, end, hashes, n);
}

/* Root of the subtree of a log over [begin, end), which begins where a subtree of its size may. */
static int subtree_root(merkle_lookup lookup, void *user, uint64_t begin, uint64_t end,
                        struct hash *ret) {
    struct merkle_range range;
    int r = merkle_prove_range(lookup, user, begin, end, &range);
    if (r < 0)
        return r;
    *ret = hashes_fold(range.hashes, range.n_hashes);
    return 0;
}

/* Where RFC 6962 splits n > 1 leaves: the largest power of two below n. */
static uint64_t split_of(uint64_t n) {
    return (uint64_t)1 << floor_log2(n - 1);
}

/* Both proofs go down from the root and name the half not taken; the wire wants them from below. */
static void path_reverse(const struct hash *down, size_t n, struct hash *ret, size_t *ret_n) {
    for (size_t i = 0; i < n; i++)
        ret[i] = down[n - 1 - i];
    *ret_n = n;
}

int merkle_prove_inclusion(merkle_lookup lookup, void *user, uint64_t index, uint64_t size,
                           struct hash *ret, size_t *ret_n) {
    struct hash down[MERKLE_PATH_MAX];
    size_t n = 0;
    if (index >= size)
        return -EINVAL;
    for (uint64_t begin = 0, end = size; end - begin > 1; n++) {
        uint64_t middle = begin + split_of(end - begin);
        bool is_left = index < middle;
        assert(n < MERKLE_PATH_MAX);
        int r =
            subtree_root(lookup, user, is_left ? middle : begin, is_left ? end : middle, &down[n]);
        if (r < 0)
            return r;
        if (is_left)
            end = middle;
        else
            begin = middle;
    }
    path_reverse(down, n, ret, ret_n);
    return 0;
}

int merkle_prove_consistency(merkle_lookup lookup, void *user, uint64_t old_size, uint64_t size,
                             struct hash *ret, size_t *ret_n) {
    struct hash down[MERKLE_PATH_MAX + 1];
    size_t n = 0;
    if (old_size > size)
        return -EINVAL;
    uint64_t begin = 0, end = size;
    while (old_size > 0 && old_size < end) {
        uint64_t middle = begin + split_of(end - begin);
        bool is_left = old_size <= middle;
        assert(n < MERKLE_PATH_MAX);
        int r = subtree_root(lookup, user, is_left ? middle : begin, is_left ? end : middle,
                             &down[n++]);
        if (r < 0)
            return r;
        if (is_left)
            end = middle;
        else
            begin = middle;
    }
    /* A verifier has the old root already; any other subtree that ends the old tree it must be
     * told. */
    if (begin > 0) {
        int r = subtree_root(lookup, user, begin, end, &down[n++]);
        if (r < 0)
            return r;
    }
    path_reverse(down, n, ret, ret_n);
    return 0;
}

int merkle_verify_inclusion(uint64_t index, uint64_t size, const struct hash *leaf,
                            const struct hash *path, size_t n_path, const struct hash *root) {
    if (index >= size)
        return -EBADMSG;
    uint64_t fn = index, sn = size - 1;
    struct hash computed = *leaf;
    for (size_t i = 0; i < n_path; i++) {
        if (sn == 0)
            return -EBADMSG;
        if (fn % 2 == 1 || fn == sn) {
            computed = merkle_node(&path[i], &computed);
            for (; fn % 2 == 0 && fn != 0; fn /= 2)
                sn /= 2;
        } else {
            computed = merkle_node(&computed, &path[i]);
        }
        fn /= 2;
        sn /= 2;
    }
    return sn == 0 && hash_equal(&computed, root) ? 0 : -EBADMSG;
}

/* RFC 9162 section 2.1.4.2 from step 5 on; first is the old root where the old tree is perfect. */
static int consistency_follow(uint64_t fn, uint64_t sn, const struct hash *first,
                              const struct hash *path, size_t n_path, struct hash *ret_old_root,
                              struct hash *ret_root) {
    for (; fn % 2 == 1; fn /= 2)
        sn /= 2;
    struct hash old_computed = *first, computed = *first;
    for (size_t i = 0; i < n_path; i++) {
        if (sn == 0)
            return -EBADMSG;
        if (fn % 2 == 1 || fn == sn) {
            old_computed = merkle_node(&path[i], &old_computed);
            computed = merkle_node(&path[i], &computed);
            for (; fn % 2 == 0 && fn != 0; fn /= 2)
                sn /= 2;
        } else {
            computed = merkle_node(&computed, &path[i]);
        }
        fn /= 2;
        sn /= 2;
    }
    if (sn != 0)
        return -EBADMSG;
    *ret_old_root = old_computed;
    *ret_root = computed;
    return 0;
}

int merkle_consistency_roots(uint64_t old_size, uint64_t size, const struct hash *path,
                             size_t n_path, struct hash *ret_old_root, struct hash *ret_root) {
    if (old_size == 0 || old_size >= size || n_path == 0 || (old_size & (old_size - 1)) == 0)
        return -EBADMSG;
    return consistency_follow(old_size - 1, size - 1, path, path + 1, n_path - 1, ret_old_root,
                              ret_root);
}

int merkle_verify_consistency(uint64_t old_size, uint64_t size, const struct hash *old_root,
                              const struct hash *root, const struct hash *path, size_t n_path) {
    if (old_size > size)
        return -EBADMSG;
    if (old_size == size)
        return n_path == 0 && hash_equal(old_root, root) ? 0 : -EBADMSG;
    if (old_size == 0)
        return n_path == 0 ? 0 : -EBADMSG;
    if (n_path == 0)
        return -EBADMSG;
    bool is_perfect = (old_size & (old_size - 1)) == 0;
    size_t n_skipped = is_perfect ? 0 : 1;
    struct hash old_computed, computed;
    int r = consistency_follow(old_size - 1, size - 1, is_perfect ? old_root : path,
                               path + n_skipped, n_path - n_skipped, &old_computed, &computed);
    if (r < 0)
        return r;
    return hash_equal(&old_computed, old_root) && hash_equal(&computed, root) ? 0 : -EBADMSG;
}
