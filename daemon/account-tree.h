/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of account states: leaf k is H(0x00 || the bytes of proto/account-leaf.h) of the k-th
 * account; nodes as in RFC 6962. A state record commits its root. Only what changed since the last
 * root is hashed again.
 */
#pragma once

#include "proto/account-leaf.h"
#include "proto/merkle.h"
#include "state.h"

struct account_tree {
    struct {
        struct hash *nodes;
        size_t n_allocated;
    } levels[64];
};

void account_tree_fini(struct account_tree *tree);
/* The bytes of its leaf, and how many. */
size_t account_tree_pack_leaf(const struct state_account *account, uint8_t ret[ACCOUNT_LEAF_MAX]);
struct hash account_tree_leaf(const struct state_account *account);
/* Brings the tree up to the lowest state, whose touched accounts are then clean. */
int account_tree_root(struct account_tree *tree, struct state *state,
                      struct hash *ret_root) TB_MUST_CHECK;
/* The path of a leaf as of the last account_tree_root(), of n_accounts leaves; ret_path holds
 * MERKLE_PATH_MAX + 1. */
int account_tree_path(struct account_tree *tree, uint64_t n_accounts, uint64_t number,
                      struct hash *ret_path, size_t *ret_n) TB_MUST_CHECK;
