/* SPDX-License-Identifier: Apache-2.0 */
/* Levels of perfect nodes in arrays; touched leaves first, then their parents, level by level. */
#include "account-tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

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

/* Hashes the touched leaves; numbers (ascending) of what changed are left in `changed`. */
static int update_leaves(struct account_tree *tree, struct state *state, uint64_t *changed) {
    int r = make_room(tree, 0, state->sums.n_accounts);

    if (r < 0)
        return r;
    for (size_t i = 0; i < state->n_touched; i++) {
        struct state_account *account = state->touched[i];
        tree->levels[0].nodes[account->number] = account_tree_leaf(account);
        account->is_touched = false;
        changed[i] = account->number;
    }
    qsort(changed, state->n_touched, sizeof(*changed), compare_numbers);
    return 0;
}

static int update_parents(struct account_tree *tree, uint64_t n_leaves, uint64_t *changed,
                          size_t n_changed) {
    for (size_t level = 1; (n_leaves >> level) > 0; level++) {
        struct hash *below = tree->levels[level - 1].nodes;
        size_t n = 0;
        int r = make_room(tree, level, n_leaves >> level);
        if (r < 0)
            return r;
        for (size_t i = 0; i < n_changed; i++) {
            uint64_t parent = changed[i] / 2;
            if (parent >= n_leaves >> level || (n > 0 && changed[n - 1] == parent))
                continue;
            tree->levels[level].nodes[parent] =
                merkle_node(&below[2 * parent], &below[2 * parent + 1]);
            changed[n++] = parent;
        }
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
    int r;

    if (!changed)
        return -ENOMEM;
    r = update_leaves(tree, state, changed);
    if (r == 0)
        r = update_parents(tree, state->sums.n_accounts, changed, state->n_touched);
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
