/* SPDX-License-Identifier: Apache-2.0 */
/* Levels of perfect nodes in arrays; touched leaves first, then their parents, level by level. */
#include "account-tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define HASHES_AT_ONCE 32u

void account_tree_fini(struct account_tree *tree) {
    for (size_t i = 0; i < N_ELEMENTS(tree->levels); i++)
        free(tree->levels[i].nodes);
    *tree = (struct account_tree){0};
}

size_t account_tree_pack_leaf(const struct state_account *account, uint8_t ret[ACCOUNT_LEAF_MAX]) {
    struct account_leaf leaf = {
        .number = account->number,
        .kind = account->kind,
        .standing = account->standing,
        .floor = account->floor,
        .ceiling = account->ceiling,
        .balance = account->balance,
        .held = account->held,
        .n_entries = account->n_entries,
        .last_entry = account->last_entry,
    };

    memcpy(leaf.code, account->code, sizeof(leaf.code));
    memcpy(leaf.running.b, account->running, HASH_BYTES);
    return account_leaf_pack(&leaf, ret);
}

struct hash account_tree_leaf(const struct state_account *account) {
    uint8_t leaf[ACCOUNT_LEAF_MAX];

    return merkle_leaf(leaf, account_tree_pack_leaf(account, leaf));
}

static int make_room(struct account_tree *tree, size_t level, size_t n) {
    size_t n_new = MAX_OF(tree->levels[level].n_allocated, (size_t)64);
    struct hash *nodes;

    if (n <= tree->levels[level].n_allocated)
        return 0;
    while (n_new < n)
        n_new *= 2;
    nodes = realloc(tree->levels[level].nodes, n_new * sizeof(*nodes));
    if (!nodes)
        return -ENOMEM;
    tree->levels[level].nodes = nodes;
    tree->levels[level].n_allocated = n_new;
    return 0;
}

static int compare_numbers(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Numbers of what changed, ascending: where they are many they are marked in a map of all. */
static int list_touched(const struct state *state, uint64_t *ret, size_t *ret_n) {
    uint64_t n_words = state->sums.n_accounts / 64 + 1;
    _cleanup_(freep) uint64_t *marks = NULL;
    size_t n = 0;

    if (n_words > 4 * state->n_touched) {
        for (size_t i = 0; i < state->n_touched; i++)
            ret[i] = state->touched[i]->number;
        qsort(ret, state->n_touched, sizeof(*ret), compare_numbers);
        *ret_n = state->n_touched;
        return 0;
    }
    marks = calloc(n_words, sizeof(*marks));
    if (!marks)
        return -ENOMEM;
    for (size_t i = 0; i < state->n_touched; i++)
        marks[state->touched[i]->number / 64] |= 1ull << state->touched[i]->number % 64;
    for (uint64_t word = 0; word < n_words; word++)
        for (uint64_t left = marks[word]; left; left &= left - 1)
            ret[n++] = word * 64 + (uint64_t)__builtin_ctzll(left);
    *ret_n = n;
    return 0;
}

/* Hashes the touched leaves. */
static int update_leaves(struct account_tree *tree, struct state *state) {
    uint8_t packed[HASHES_AT_ONCE][ACCOUNT_LEAF_MAX];
    struct iovec pieces[HASHES_AT_ONCE];
    struct hash leaves[HASHES_AT_ONCE];
    int r = make_room(tree, 0, state->sums.n_accounts);

    for (size_t i = 0, n; r == 0 && i < state->n_touched; i += n) {
        struct state_account **accounts = state->touched + i;
        n = MIN_OF(state->n_touched - i, HASHES_AT_ONCE);
        for (size_t j = 0; j < n; j++)
            pieces[j] = (struct iovec){packed[j], account_tree_pack_leaf(accounts[j], packed[j])};
        merkle_leaves(pieces, n, leaves);
        for (size_t j = 0; j < n; j++) {
            tree->levels[0].nodes[accounts[j]->number] = leaves[j];
            accounts[j]->is_touched = false;
        }
    }
    return r;
}

static void update_nodes(struct account_tree *tree, size_t level, const uint64_t *numbers,
                         size_t n) {
    const struct hash *below = tree->levels[level - 1].nodes;
    struct hash pairs[2 * HASHES_AT_ONCE], nodes[HASHES_AT_ONCE];

    for (size_t i = 0, n_now; i < n; i += n_now) {
        n_now = MIN_OF(n - i, HASHES_AT_ONCE);
        for (size_t j = 0; j < n_now; j++)
            memcpy(&pairs[2 * j], &below[2 * numbers[i + j]], 2 * sizeof(*pairs));
        merkle_nodes(pairs, n_now, nodes);
        for (size_t j = 0; j < n_now; j++)
            tree->levels[level].nodes[numbers[i + j]] = nodes[j];
    }
}

static int update_parents(struct account_tree *tree, uint64_t n_leaves, uint64_t *changed,
                          size_t n_changed) {
    for (size_t level = 1; (n_leaves >> level) > 0; level++) {
        size_t n = 0;
        int r = make_room(tree, level, n_leaves >> level);
        if (r < 0)
            return r;
        for (size_t i = 0; i < n_changed; i++) {
            uint64_t parent = changed[i] / 2;
            if (parent < n_leaves >> level && (n == 0 || changed[n - 1] != parent))
                changed[n++] = parent;
        }
        update_nodes(tree, level, changed, n);
        n_changed = n;
    }
    return 0;
}

static int lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    const struct account_tree *tree = user;

    assert(index < tree->levels[level].n_allocated);
    *ret = tree->levels[level].nodes[index];
    return 0;
}

int account_tree_root(struct account_tree *tree, struct state *state, struct hash *ret_root) {
    _cleanup_(freep) uint64_t *changed = calloc(state->n_touched + 1, sizeof(*changed));
    struct merkle_range range;
    size_t n_changed;
    int r;

    if (!changed)
        return -ENOMEM;
    r = list_touched(state, changed, &n_changed);
    if (r == 0)
        r = update_leaves(tree, state);
    if (r == 0)
        r = update_parents(tree, state->sums.n_accounts, changed, n_changed);
    if (r == 0)
        r = merkle_prove_range(lookup, tree, 0, state->sums.n_accounts, &range);
    if (r < 0)
        return r;
    state->n_touched = 0;
    *ret_root = merkle_range_root(&range);
    return 0;
}

int account_tree_path(struct account_tree *tree, uint64_t n_accounts, uint64_t number,
                      struct hash *ret_path, size_t *ret_n) {
    return merkle_prove_inclusion(lookup, tree, number, n_accounts, ret_path, ret_n);
}
