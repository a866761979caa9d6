/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of account states against the plain root over all leaves, through random changes. */
#include <criterion/criterion.h>
#include <string.h>

#include "daemon/account-tree.h"
#include "helpers.h"

TestSuite(account_tree, .timeout = 60);

#define N_MAX 700

static struct state *state;
static struct account_tree tree;
static uint64_t seed = 4711;

static void start(void) {
    state = state_new(NULL);
}

static void end(void) {
    state = state_free(state);
    account_tree_fini(&tree);
}

static void open_one(struct state *top) {
    char code[16];
    void *value = NULL;
    uint64_t number = top->sums.n_accounts++;
    snprintf(code, sizeof(code), "m%d", (int)number);
    cr_assert(state_make(top, STATE_ACCOUNTS, code, strlen(code), &value) == 0);
    struct state_account *account = value;
    account->number = number;
    account->kind = 1;
    strcpy(account->code, code);
}

static void change_one(struct state *top) {
    char code[16];
    void *value = NULL;
    snprintf(code, sizeof(code), "m%d", (int)(random_next(&seed) % top->sums.n_accounts));
    cr_assert(state_edit(top, STATE_ACCOUNTS, code, strlen(code), &value) == 1);
    struct state_account *account = value;
    account->balance += (int64_t)(random_next(&seed) % 1000) - 500;
    account->running[random_next(&seed) % 32]++;
    account->last_entry++;
}

static struct hash root_of_all(void) {
    static struct hash leaves[N_MAX];
    for (uint64_t i = 0; i < state->sums.n_accounts; i++)
        leaves[i] = account_tree_leaf(state->accounts[i]);
    return merkle_root(leaves, state->sums.n_accounts);
}

static void expect_equal(void) {
    struct hash wanted = root_of_all(), got;
    cr_assert(account_tree_root(&tree, state, &got) == 0);
    cr_assert(hash_equal(&wanted, &got), "with %d accounts", (int)state->sums.n_accounts);
    cr_assert_eq(state->n_touched, 0);
}

Test(account_tree, has_the_root_of_its_leaves_at_every_size, .init = start, .fini = end) {
    for (int i = 0; i < 130; i++) {
        struct state *top = state_new_above(state);
        open_one(top);
        cr_assert(state_merge(top) == 0);
        expect_equal();
    }
}

Test(account_tree, follows_random_changes, .init = start, .fini = end) {
    for (int i = 0; i < 300; i++) {
        struct state *top = state_new_above(state);
        for (uint64_t n = random_next(&seed) % 5; n > 0 && top->sums.n_accounts < N_MAX; n--)
            open_one(top);
        for (uint64_t n = random_next(&seed) % 8; n > 0 && top->sums.n_accounts > 0; n--)
            change_one(top);
        cr_assert(state_merge(top) == 0);
        if (state->sums.n_accounts > 0 && random_next(&seed) % 3)
            expect_equal();
    }
    expect_equal();
}

Test(account_tree, built_late_is_the_same_tree, .init = start, .fini = end) {
    struct hash grown, built;
    struct account_tree fresh = {0};
    for (int i = 0; i < 77; i++) {
        struct state *top = state_new_above(state);
        open_one(top);
        change_one(top);
        cr_assert(state_merge(top) == 0);
        cr_assert(account_tree_root(&tree, state, &grown) == 0);
    }
    struct state *again = state_new(NULL);
    for (uint64_t i = 0; i < state->sums.n_accounts; i++) {
        struct state_account *account = state->accounts[i];
        cr_assert(
            state_load(again, STATE_ACCOUNTS, account->code, strlen(account->code), account) == 0);
    }
    again->sums = state->sums;
    cr_assert(account_tree_root(&fresh, again, &built) == 0);
    cr_assert(hash_equal(&grown, &built));
    state_free(again);
    account_tree_fini(&fresh);
}

Test(account_tree, leaf_is_laid_out_as_the_manual_says) {
    struct state_account account = {.number = 8,
                                    .kind = 1,
                                    .standing = 2,
                                    .floor = -1200,
                                    .ceiling = STATE_NO_CEILING,
                                    .balance = -90,
                                    .held = 15,
                                    .n_entries = 7,
                                    .last_entry = 99,
                                    .running = {1, 2, 3},
                                    .code = "m7"};
    struct bytes leaf = {0};
    bytes_put_text(&leaf, "TBA1");
    bytes_put_u64(&leaf, 8);
    bytes_put_u8(&leaf, 1);
    bytes_put_u8(&leaf, 2);
    bytes_put_u8(&leaf, 2);
    bytes_put_text(&leaf, "m7");
    bytes_put_i64(&leaf, -1200);
    bytes_put_i64(&leaf, STATE_NO_CEILING);
    bytes_put_i64(&leaf, -90);
    bytes_put_i64(&leaf, 15);
    bytes_put_u64(&leaf, 7);
    bytes_put_u64(&leaf, 99);
    bytes_put(&leaf, account.running, 32);
    struct hash wanted = merkle_leaf(leaf.data, leaf.n), got = account_tree_leaf(&account);
    cr_assert(hash_equal(&wanted, &got));
    bytes_fini(&leaf);
}

Test(account_tree, leaf_holds_the_longest_code) {
    struct state_account a = {.number = 1}, b;
    memset(a.code, 'x', CODE_MAX);
    b = a;
    b.code[CODE_MAX - 1] = 'y';
    struct hash of_a = account_tree_leaf(&a), of_b = account_tree_leaf(&b);
    cr_assert_not(hash_equal(&of_a, &of_b));
}
