/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How accounts stood: leaf, path and state record lead to the head that is published, whatever the
 * ledger just did, and asking makes it grow by one record at most.
 */
#include <string.h>

#include "daemon/log-private.h"
#include "harness.h"
#include "proto/account-leaf.h"

TestSuite(states, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

#define BODY(name) TIMEBANK__REQUEST__BODY_##name

static Timebank__Request *state_request(const char *code) {
    Timebank__Request *request = request_new(BODY(ACCOUNT_STATE));

    request->account_state->code = text_copy(code);
    return request;
}

/* The leaf, once path, record and tree are right. */
static struct account_leaf expect_state(const char *code) {
    const Timebank__AccountState *state = story.response->account_state;
    struct hash path[MERKLE_PATH_MAX + 1], leaf, *leaves, root;
    struct account_leaf account;
    struct record_state record;

    cr_assert(!response_refused(), "%s", response_words());
    cr_assert(story.response->body_case == TIMEBANK__RESPONSE__BODY_ACCOUNT_STATE);
    cr_assert(account_leaf_unpack(state->leaf.data, state->leaf.len, &account) == 0);
    cr_assert_str_eq(account.code, code);
    cr_assert(record_state_unpack(state->record.data, state->record.len, &record) == 0);
    cr_assert(record.covers == state->covers);
    for (size_t i = 0; i < state->n_path; i++)
        memcpy(path[i].b, state->path[i].data, HASH_BYTES);
    leaf = merkle_leaf(state->leaf.data, state->leaf.len);
    cr_assert(merkle_verify_inclusion(account.number, record.n_accounts, &leaf, path, state->n_path,
                                      &record.root) == 0);
    cr_assert(state->covers < story.head.size, "told before it was durable");
    leaves = stored_leaves(story.head.size);
    leaf = merkle_leaf(state->record.data, state->record.len);
    cr_assert(hash_equal(&leaf, &leaves[state->covers]));
    root = naive_root(leaves, story.head.size);
    cr_assert(hash_equal(&root, &story.head.root));
    return account;
}

static struct account_leaf state_of(enum actor actor, const char *code) {
    ask(actor, state_request(code));
    return expect_state(code);
}

/* The head that is published is the one just seen. */
static void expect_published(void) {
    const Timebank__Published *published;
    struct note_head head;

    ask(STRANGER, request_new(BODY(PUBLISHED)));
    cr_assert(!response_refused(), "%s", response_words());
    published = story.response->published;
    cr_assert(note_checkpoint_open(published->checkpoint.data, published->checkpoint.len,
                                   &story.verifier, &head) == 0);
    cr_assert(head.size == published->size && head.size == story.head.size);
    cr_assert(hash_equal(&head.root, &story.head.root));
}

Test(states, tell_how_an_account_stands) {
    struct parcel *parcel;
    struct account_leaf account;

    m7_helps("m12", 90);
    parcel = submit(BROKER, order_move(TIMEBANK__ORDER__KIND_GIFT, "m7", "m30", 15));
    account = state_of(BROKER, "m7");
    cr_assert(account.balance == 75 && account.held == 0 && account.n_entries == 2);
    cr_assert(account.last_entry == parcel->entries[0]);
    expect_published();
}

Test(states, are_there_for_every_account_of_the_bank) {
    m7_helps("m12", 90);
    recorded(BROKER, order_move(TIMEBANK__ORDER__KIND_DONATE, "m7", "chest", 30));
    for (size_t i = 0; i < RECORD_BANK_ACCOUNTS; i++) {
        struct account_leaf account = state_of(BROKER, record_bank_accounts[i].code);
        cr_assert(account.number == i);
        cr_assert(account.balance == balance_of(account.code));
    }
}

Test(states, let_the_ledger_grow_by_one_record_at_most) {
    uint64_t size;

    m7_helps("m12", 90);
    state_of(BROKER, "m7");
    size = story.head.size;
    for (int i = 0; i < 5; i++) {
        time_passes(HOUR_MS);
        state_of(BROKER, "m12");
        state_of(M12, "m12");
        tick();
        expect_published();
        cr_assert(story.head.size == size, "reading made the ledger grow");
    }
}

/* The log as a group leaves it that went without a state record. */
static void hand_over_without_a_state(void) {
    cr_assert(log_hand_over(story.bank->log, 0) == 0);
    cr_assert(log_collect(story.bank->log) == 0);
}

Test(states, are_made_once_where_the_last_group_went_without) {
    struct parcel *parcel = parcel_new(BROKER);
    struct reply *reply;
    uint64_t size;

    parcel_put(parcel, order_helps("m7", "m12", 45));
    reply = ask_later(BROKER, parcel_request(parcel));
    hand_over_without_a_state();
    reply_take(reply);
    expect_recorded();
    size = story.head.size;
    cr_assert(state_of(BROKER, "m7").balance == 45);
    cr_assert(story.head.size == size + 1);
    state_of(BROKER, "m12");
    cr_assert(story.head.size == size + 1);
    expect_published();
}

Test(states, see_what_is_not_durable_yet_and_wait_for_it) {
    struct parcel *parcel = parcel_new(BROKER), *after = parcel_new(BROKER);
    struct reply *written, *reply, *later;

    parcel_put(parcel, order_helps("m7", "m12", 45));
    parcel_put(after, order_helps("m7", "m12", 30));
    written = ask_later(BROKER, parcel_request(parcel));
    reply = ask_later(BROKER, state_request("m7"));
    cr_assert(!log_is_durable(story.bank->log, reply->ticket));
    later = ask_later(BROKER, parcel_request(after));
    hand_over();
    hand_over();
    reply_take(written);
    reply_take(reply);
    cr_assert(expect_state("m7").balance == 45);
    reply_take(later);
    expect_recorded();
    cr_assert(state_of(BROKER, "m7").balance == 75);
}

Test(states, are_refused_for_a_moment_while_two_groups_are_under_way) {
    struct parcel *parcel = parcel_new(BROKER);
    struct log *log = story.bank->log;
    size_t n_in_flight = log->n_in_flight;
    struct reply *written, *reply;

    parcel_put(parcel, order_helps("m7", "m12", 45));
    written = ask_later(BROKER, parcel_request(parcel));
    log->collecting->is_closed = true;
    log->n_in_flight = LOG_GROUPS_IN_FLIGHT;
    reply = ask_later(BROKER, state_request("m7"));
    log->n_in_flight = n_in_flight;
    hand_over();
    reply_take(written);
    reply_take(reply);
    expect_refused(TRY_LATER);
    cr_assert(state_of(BROKER, "m7").balance == 45);
}

Test(states, are_refused_where_there_is_no_room_and_told_where_none_is_needed) {
    struct parcel *parcel = parcel_new(BROKER);
    struct log *log = story.bank->log;
    uint64_t reserve = log->settings.reserve_bytes;
    struct reply *written;

    parcel_put(parcel, order_helps("m7", "m12", 45));
    written = ask_later(BROKER, parcel_request(parcel));
    hand_over_without_a_state();
    reply_take(written);
    log->settings.reserve_bytes = UINT64_MAX / 2;
    ask(BROKER, state_request("m7"));
    expect_refused(LEDGER_FULL);
    log->settings.reserve_bytes = reserve;
    state_of(BROKER, "m7");
    log->settings.reserve_bytes = UINT64_MAX / 2;
    cr_assert(state_of(BROKER, "m7").balance == 45);
    log->settings.reserve_bytes = reserve;
}

/* Each changes an account of its own, many in one group. Returns whether a state record ended it.
 */
static bool many_accounts_open(const char *begins, int n) {
    struct reply *replies[64];
    struct log *log = story.bank->log;
    size_t n_replies = 0;
    char code[24];

    for (int i = 0; i < n;) {
        struct parcel *parcel = parcel_new(BROKER);
        for (int end = MIN_OF(i + PARCEL_ORDERS_MAX, n); i < end; i++) {
            snprintf(code, sizeof(code), "%s%d", begins, i);
            parcel_put(parcel, order_open(text_copy(code), TIMEBANK__ACCOUNT_KIND__MEMBER));
        }
        replies[n_replies++] = ask_later(BROKER, parcel_request(parcel));
    }
    cr_assert(log->n_in_flight == 0 && log->collecting);
    hand_over();
    for (size_t i = 0; i < n_replies; i++) {
        reply_take(replies[i]);
        expect_recorded();
    }
    return log->published_head_size == log->size;
}

Test(states, rest_where_very_many_accounts_changed_and_are_made_up_for) {
    m7_helps("m12", 15);
    expect_published();
    cr_assert(many_accounts_open("a", 1024), "so many are cheap");
    expect_published();
    cr_assert(!many_accounts_open("b", 1025), "one was just made");
    tick();
    cr_assert(story.bank->log->published_head_size == story.bank->log->size);
    cr_assert(state_of(BROKER, "b1024").number > 2048);
}

Test(states, rest_for_a_tenth_of_a_second) {
    cr_assert(!many_accounts_open("a", 1025));
    time_passes(99);
    cr_assert(!many_accounts_open("b", 5), "of those before it, too");
    time_passes(1);
    cr_assert(many_accounts_open("c", 1025));
    expect_published();
}

Test(states, rest_not_where_somebody_asks_how_an_account_stands) {
    uint64_t size;

    cr_assert(!many_accounts_open("a", 1025));
    size = story.head.size;
    cr_assert(state_of(BROKER, "a1024").balance == 0);
    cr_assert(story.head.size == size + 1);
    expect_published();
}

Test(states, that_rested_are_made_at_a_stop_or_after_the_start) {
    cr_assert(!many_accounts_open("a", 1025));
    bank_restart();
    tick();
    cr_assert(story.bank->log->published_head_size == story.bank->log->size);
    cr_assert(state_of(BROKER, "a1024").balance == 0);
}

Test(states, are_there_after_a_restart) {
    struct account_leaf account;
    uint64_t size;

    m7_helps("m12", 90);
    bank_restart();
    expect_published();
    size = story.head.size;
    account = state_of(BROKER, "m7");
    cr_assert(account.balance == 90 && story.head.size == size);
}

Test(states, are_published_after_a_kill_that_left_none) {
    uint64_t size;

    m7_helps("m12", 90);
    /* As a start finds it that met another record last. */
    story.bank->log->state_size = story.bank->log->published_size = 0;
    story.bank->log->published_head_size = 0;
    ask(STRANGER, request_new(BODY(PUBLISHED)));
    expect_refused(TRY_LATER);
    size = story.head.size;
    tick();
    expect_published();
    cr_assert(story.head.size == size + 1);
    tick();
    expect_published();
    cr_assert(story.head.size == size + 1);
}

/* ---- ranges */

static const struct hash *ranges_of(uint64_t begin, const uint64_t *leaves, size_t n_leaves,
                                    uint64_t end, size_t *ret_n) {
    static const struct hash none;
    Timebank__Request *request = request_new(BODY(RANGES));

    request->ranges->begin = begin;
    request->ranges->leaves = (uint64_t *)(uintptr_t)leaves;
    request->ranges->n_leaves = n_leaves;
    request->ranges->end = end;
    ask(STRANGER, request);
    if (response_refused())
        return NULL;
    cr_assert(story.response->ranges->hashes.len % HASH_BYTES == 0);
    *ret_n = story.response->ranges->hashes.len / HASH_BYTES;
    /* Of an empty range there are none. */
    return *ret_n > 0 ? (const struct hash *)story.response->ranges->hashes.data : &none;
}

/* Joined with the leaves held, they lead to the root. */
static void expect_ranges(const uint64_t *held, size_t n_held, uint64_t size) {
    struct hash *leaves = stored_leaves(size), wanted = naive_root(leaves, size), root;
    struct merkle_range tree;
    size_t n, at = 0;
    const struct hash *hashes = ranges_of(0, held, n_held, size, &n);

    cr_assert(hashes, "%s", response_words());
    merkle_range_init(&tree, 0);
    for (size_t i = 0; i <= n_held; i++) {
        uint64_t end = i == n_held ? size : held[i];
        size_t n_gap = merkle_range_shape(tree.end, end, NULL);
        struct merkle_range gap;
        cr_assert(at + n_gap <= n);
        cr_assert(merkle_range_load(&gap, tree.end, end, hashes + at, n_gap) == 0);
        merkle_range_join(&tree, &gap, NULL, NULL);
        at += n_gap;
        if (i < n_held)
            merkle_range_append(&tree, &leaves[held[i]], NULL, NULL);
    }
    cr_assert(at == n);
    root = merkle_range_root(&tree);
    cr_assert(hash_equal(&root, &wanted));
}

Test(states, ranges_lead_from_any_leaves_to_the_head) {
    uint64_t all[64], size;

    for (int i = 0; i < 6; i++)
        m7_helps("m12", 15 * (uint64_t)(i + 1));
    size = story.head.size;
    for (uint64_t i = 0; i < size; i++)
        expect_ranges(&i, 1, size);
    for (uint64_t i = 0; i + 3 < size; i++)
        expect_ranges((uint64_t[]){i, i + 1, i + 3}, 3, size);
    cr_assert(size <= N_ELEMENTS(all));
    for (uint64_t i = 0; i < size; i++)
        all[i] = i;
    expect_ranges(all, size, size);
    expect_ranges(NULL, 0, size);
    expect_ranges(NULL, 0, size - 1);
}

Test(states, ranges_may_begin_and_end_anywhere) {
    size_t n = 1;

    m7_helps("m12", 15);
    for (uint64_t begin = 0; begin <= story.head.size; begin++)
        for (uint64_t end = begin; end <= story.head.size; end++) {
            cr_assert(ranges_of(begin, NULL, 0, end, &n));
            cr_assert(n == merkle_range_shape(begin, end, NULL));
        }
}

Test(states, ranges_are_refused_out_of_order_or_place) {
    static uint64_t many[1025];
    uint64_t size, same[] = {3, 3}, down[] = {4, 3}, past[] = {9, 10}, low[] = {3};
    uint64_t last[] = {UINT64_MAX}, zero[] = {0, 0};
    size_t n;

    m7_helps("m12", 15);
    m7_helps("m12", 30);
    size = story.head.size;
    cr_assert(size > 10);
    cr_assert(!ranges_of(0, same, 2, size, &n));
    expect_refused(BAD_REQUEST);
    cr_assert(!ranges_of(0, down, 2, size, &n));
    expect_refused(BAD_REQUEST);
    cr_assert(!ranges_of(0, zero, 2, size, &n));
    expect_refused(BAD_REQUEST);
    cr_assert(!ranges_of(0, past, 2, 10, &n));
    expect_refused(BAD_REQUEST);
    cr_assert(!ranges_of(4, low, 1, size, &n));
    expect_refused(BAD_REQUEST);
    cr_assert(!ranges_of(0, last, 1, size, &n));
    expect_refused(BAD_REQUEST);
    cr_assert(!ranges_of(5, NULL, 0, 4, &n));
    expect_refused(BAD_REQUEST);
    cr_assert(!ranges_of(UINT64_MAX, NULL, 0, size, &n));
    expect_refused(BAD_REQUEST);
    for (uint64_t i = 0; i < N_ELEMENTS(many); i++)
        many[i] = i;
    cr_assert(!ranges_of(0, many, N_ELEMENTS(many), size, &n));
    expect_refused(BAD_REQUEST);
    cr_assert(!ranges_of(0, NULL, 0, size + 1, &n));
    expect_refused(NO_SUCH_POSITION);
    cr_assert(!ranges_of(0, NULL, 0, UINT64_MAX, &n));
    expect_refused(NO_SUCH_POSITION);
}
