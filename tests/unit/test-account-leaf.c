/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of an account's leaf as timebank-ledger(5) writes them down, and what is none. */
#include <criterion/criterion.h>
#include <errno.h>

#include "helpers.h"
#include "proto/account-leaf.h"

TestSuite(account_leaf, .timeout = 60);

static struct account_leaf sample(void) {
    struct account_leaf leaf = {.number = 9,
                                .kind = 1,
                                .standing = 2,
                                .code = "m7",
                                .floor = INT64_MIN,
                                .ceiling = INT64_MAX,
                                .balance = -90,
                                .held = 60,
                                .n_entries = 3,
                                .last_entry = 258};
    for (size_t i = 0; i < HASH_BYTES; i++)
        leaf.running.b[i] = (uint8_t)(i + 1);
    return leaf;
}

static void expect_equal(const struct account_leaf *a, const struct account_leaf *b) {
    cr_assert_eq(a->number, b->number);
    cr_assert_eq(a->kind, b->kind);
    cr_assert_eq(a->standing, b->standing);
    cr_assert_str_eq(a->code, b->code);
    cr_assert_eq(a->floor, b->floor);
    cr_assert_eq(a->ceiling, b->ceiling);
    cr_assert_eq(a->balance, b->balance);
    cr_assert_eq(a->held, b->held);
    cr_assert_eq(a->n_entries, b->n_entries);
    cr_assert_eq(a->last_entry, b->last_entry);
    cr_assert(hash_equal(&a->running, &b->running));
}

Test(account_leaf, has_the_bytes_of_the_manual) {
    struct account_leaf leaf = sample();
    uint8_t got[ACCOUNT_LEAF_MAX], wanted[ACCOUNT_LEAF_MAX];
    size_t n = account_leaf_pack(&leaf, got);
    cr_assert_eq(n, unhex("54424131"
                          "0000000000000009"
                          "01"
                          "02"
                          "02"
                          "6d37"
                          "8000000000000000"
                          "7fffffffffffffff"
                          "ffffffffffffffa6"
                          "000000000000003c"
                          "0000000000000003"
                          "0000000000000102"
                          "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
                          wanted));
    cr_assert(memcmp(got, wanted, n) == 0);
}

Test(account_leaf, comes_back_as_it_was_with_a_code_of_any_length) {
    for (size_t n_code = 1; n_code <= CODE_MAX; n_code++) {
        struct account_leaf leaf = sample(), back;
        uint8_t bytes[ACCOUNT_LEAF_MAX];
        memset(leaf.code, 0, sizeof(leaf.code));
        memset(leaf.code, 'a', n_code);
        size_t n = account_leaf_pack(&leaf, bytes);
        cr_assert_leq(n, sizeof(bytes));
        cr_assert_eq(account_leaf_unpack(bytes, n, &back), 0);
        expect_equal(&leaf, &back);
    }
}

Test(account_leaf, may_be_another_banks) {
    struct account_leaf leaf = sample(), back;
    uint8_t bytes[ACCOUNT_LEAF_MAX];
    strcpy(leaf.code, "bank:hackney");
    cr_assert_eq(account_leaf_unpack(bytes, account_leaf_pack(&leaf, bytes), &back), 0);
    cr_assert_str_eq(back.code, "bank:hackney");
}

Test(account_leaf, is_refused_cut_off_or_with_a_byte_too_many) {
    struct account_leaf leaf = sample(), back;
    uint8_t bytes[ACCOUNT_LEAF_MAX + 1] = {};
    size_t n = account_leaf_pack(&leaf, bytes);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(account_leaf_unpack(bytes, i, &back), -EBADMSG, "%d bytes", (int)i);
    cr_assert_eq(account_leaf_unpack(bytes, n + 1, &back), -EBADMSG);
}

Test(account_leaf, is_refused_without_its_mark_or_a_good_code) {
    static const char *const codes[] = {"M7", "-7", "m\0", "m ", ""};
    for (size_t i = 0; i < N_ELEMENTS(codes); i++) {
        struct account_leaf leaf = sample(), back;
        uint8_t bytes[ACCOUNT_LEAF_MAX];
        size_t n = account_leaf_pack(&leaf, bytes);
        if (*codes[i] == '\0')
            bytes[0] ^= 1;
        else
            memcpy(bytes + 15, codes[i], 2);
        cr_assert_eq(account_leaf_unpack(bytes, n, &back), -EBADMSG, "case %d", (int)i);
    }
}

Test(account_leaf, is_refused_when_its_code_is_said_to_be_longer) {
    for (unsigned n_code = 0; n_code < 256; n_code++) {
        struct account_leaf leaf = sample(), back;
        uint8_t bytes[ACCOUNT_LEAF_MAX];
        size_t n = account_leaf_pack(&leaf, bytes);
        bytes[14] = (uint8_t)n_code;
        cr_assert_eq(account_leaf_unpack(bytes, n, &back), n_code == 2 ? 0 : -EBADMSG);
    }
}

Test(account_leaf, runs_on_by_the_hash_of_what_moved_it) {
    uint8_t message[81] = {0x03};
    struct hash before, record, wanted, got;
    for (size_t i = 0; i < HASH_BYTES; i++) {
        before.b[i] = message[1 + i] = (uint8_t)(i * 3);
        record.b[i] = message[33 + i] = (uint8_t)(i * 5);
    }
    unhex("ffffffffffffffa6000000000000003c", message + 65);
    wanted = hash_of(message, sizeof(message));
    got = account_leaf_running(&before, &record, -90, 60);
    cr_assert(hash_equal(&wanted, &got));
}

Test(account_leaf, runs_on_through_many_steps_as_through_one_after_another) {
    enum { ACCOUNTS = 5, STEPS = 400 };
    struct hash one_by_one[ACCOUNTS] = {0}, at_once[ACCOUNTS] = {0}, records[STEPS];
    struct account_step steps[STEPS];
    uint32_t seed = 7;
    for (size_t i = 0; i < STEPS; i++) {
        seed = seed * 1664525u + 1013904223u;
        size_t n_accounts = i < 200 ? ACCOUNTS : 2, account = (seed >> 16) % n_accounts;
        records[i] = hash_of(&seed, sizeof(seed));
        steps[i] = (struct account_step){at_once[account].b, &records[i], (int64_t)i - 50,
                                         (int64_t)(seed >> 20)};
        one_by_one[account] = account_leaf_running(&one_by_one[account], &records[i],
                                                   (int64_t)i - 50, (int64_t)(seed >> 20));
    }
    account_leaf_run(steps, STEPS);
    cr_assert(memcmp(one_by_one, at_once, sizeof(at_once)) == 0);
}
