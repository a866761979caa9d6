/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RFC 6962 / RFC 9162 tree: leaves H(0x00 || record), nodes H(0x01 || left || right), SHA-256.
 *
 * A compact range is the list of roots of the perfect subtrees that cover [begin, end), left to
 * right, the fewest there are. [0, size) is what a log keeps in memory (at most 64 hashes).
 */
#pragma once

#include <stdbool.h>

#include "hash.h"

#define MERKLE_RANGE_MAX 128 /* hashes in any compact range */
#define MERKLE_PATH_MAX 64   /* hashes in an inclusion proof; a consistency proof has one more */

struct hash merkle_leaf(const void *record, size_t n);
/* Leaf of kind || body: hashes 0x00, kind, body without a copy. */
struct hash merkle_leaf_of_kind(uint8_t kind, const void *body, size_t n);
/* The same of n records, or of n bodies, at once: ret[i] is the leaf of the i-th. */
void merkle_leaves(const struct iovec *records, size_t n, struct hash *ret);
void merkle_leaves_of_kind(uint8_t kind, const struct iovec *bodies, size_t n, struct hash *ret);
/* The n nodes above 2 * n hashes; ret may be below itself. */
void merkle_nodes(const struct hash *below, size_t n, struct hash *ret);
struct hash merkle_node(const struct hash *left, const struct hash *right);
struct hash merkle_empty_root(void);

struct merkle_range {
    uint64_t begin;
    uint64_t end;
    size_t n_hashes;
    struct hash hashes[MERKLE_RANGE_MAX];
};

void merkle_range_init(struct merkle_range *range, uint64_t begin);
/* Told of each perfect subtree as it is completed, leaves (level 0) included; may be NULL. */
typedef void (*merkle_visit)(void *user, unsigned level, uint64_t index, const struct hash *hash);
void merkle_range_append(struct merkle_range *range, const struct hash *leaf, merkle_visit visit,
                         void *user);
/* Many leaves at once, at half the cost. Told level by level: n subtrees of one level, the first at
 * index; `leaves` themselves are not told of. */
typedef void (*merkle_visit_level)(void *user, unsigned level, uint64_t index,
                                   const struct hash *hashes, size_t n);
void merkle_range_append_all(struct merkle_range *range, const struct hash *leaves, size_t n,
                             merkle_visit_level visit, void *user);
/* Appends the range right of it (right->begin == range->end); visit is told only of the subtrees
 * that the joining completes. */
void merkle_range_join(struct merkle_range *range, const struct merkle_range *right,
                       merkle_visit visit, void *user);
/* How many hashes the compact range [begin, end) has, and the level of each (levels may be NULL).
 */
size_t merkle_range_shape(uint64_t begin, uint64_t end, uint8_t levels[MERKLE_RANGE_MAX]);
/* Sets a range from its hashes as they travelled; -EBADMSG when the count is wrong. */
int merkle_range_load(struct merkle_range *range, uint64_t begin, uint64_t end,
                      const struct hash *hashes, size_t n_hashes);
/* Root of the tree of range->end leaves; range->begin must be 0. */
struct hash merkle_range_root(const struct merkle_range *range);
/* Root over n leaf hashes. */
struct hash merkle_root(const struct hash *leaves, size_t n);

/* Root of the perfect subtree of 1 << level leaves beginning at index << level. 0 or negative
 * errno. */
typedef int (*merkle_lookup)(void *user, unsigned level, uint64_t index, struct hash *ret);

/* Proofs out of a source of nodes, in the order of RFC 6962 sections 2.1.1 and 2.1.2.
 * ret holds MERKLE_PATH_MAX + 1. */
int merkle_prove_inclusion(merkle_lookup lookup, void *user, uint64_t index, uint64_t size,
                           struct hash *ret, size_t *ret_n);
int merkle_prove_consistency(merkle_lookup lookup, void *user, uint64_t old_size, uint64_t size,
                             struct hash *ret, size_t *ret_n);
int merkle_prove_range(merkle_lookup lookup, void *user, uint64_t begin, uint64_t end,
                       struct merkle_range *ret);

/* 0 proven, -EBADMSG not. Equal sizes want equal roots; any other old size of 0 has nothing to
 * prove (and an empty proof), and its root is not looked at. */
int merkle_verify_inclusion(uint64_t index, uint64_t size, const struct hash *leaf,
                            const struct hash *path, size_t n_path, const struct hash *root);
int merkle_verify_consistency(uint64_t old_size, uint64_t size, const struct hash *old_root,
                              const struct hash *root, const struct hash *path, size_t n_path);
/* The roots that a consistency proof leads to: where the newer is a signed head's, the older is
 * that of the same history at old_size. -EBADMSG also where the old size is a power of two: its
 * root is not in the proof. */
int merkle_consistency_roots(uint64_t old_size, uint64_t size, const struct hash *path,
                             size_t n_path, struct hash *ret_old_root, struct hash *ret_root);
