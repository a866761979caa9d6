/* SPDX-License-Identifier: Apache-2.0 */
/* What the bank answers: balances order by order, proofs, heads, and the published state of all
 * accounts, each recomputed here from its definition. */
#include <stdio.h>
#include <string.h>

#include "harness.h"

TestSuite(answers, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

Test(answers, give_the_balances_after_each_order) {
    struct parcel *parcel = parcel_new(BROKER);
    const Timebank__Answer *answer;

    parcel_put(parcel, order_helps("m7", "m12", 30));
    parcel_put(parcel, order_helps("m7", "m30", 60));
    parcel_put(parcel, order_move(TIMEBANK__ORDER__KIND_GIFT, "m7", "m12", 15));
    parcel_put(parcel, order_move(TIMEBANK__ORDER__KIND_LOG, "", "m7", 45));
    parcel_send(parcel);
    expect_recorded();
    answer = response_answer();
    cr_assert(answer->readable.data[0] == 3 && answer->from_after[0] == -30 &&
              answer->to_after[0] == 30);
    cr_assert(answer->from_after[1] == -60 && answer->to_after[1] == 90);
    cr_assert(answer->from_after[2] == 75 && answer->to_after[2] == -15);
    cr_assert(answer->readable.data[3] == 0 && answer->to_after[3] == 0);
    cr_assert(answer->received_at_ms == story.wall_ms);
}

Test(answers, show_each_role_its_own_side_only) {
    const Timebank__Answer *answer;

    submit(M12, order_helps("m7", "m12", 30));
    answer = response_answer();
    cr_assert(answer->readable.data[0] == 1 && answer->from_after[0] == -30 &&
              answer->to_after[0] == 0);
    submit(GARDEN, order_move(TIMEBANK__ORDER__KIND_EARN, "garden", "m12", 90));
    answer = response_answer();
    cr_assert(answer->readable.data[0] == 1 && answer->from_after[0] == 6000 - 90 &&
              answer->to_after[0] == 0);
    submit(POOL, order_redeem("m12", "swim", 1, 60));
    answer = response_answer();
    cr_assert(answer->seal > 0 && answer->readable.data[0] == 0 && answer->from_after[0] == 0 &&
              answer->to_after[0] == 0);
    submit(BROKER, order_redeem("m12", "swim", 1, 60));
    cr_assert(response_answer()->readable.data[0] == 3);
    expect_balance("m12", -30 + 90 - 120);
}

Test(answers, show_the_same_of_a_dry_run_as_of_the_record) {
    Timebank__Order *order = order_helps("m7", "m12", 30);
    const Timebank__Answer *dry, *answer;

    dry_run(M12, order);
    expect_dry();
    dry = response_answer();
    submit(M12, order);
    expect_recorded();
    answer = response_answer();
    cr_assert(dry->readable.data[0] == answer->readable.data[0] &&
              dry->from_after[0] == answer->from_after[0] &&
              dry->to_after[0] == answer->to_after[0]);
}

Test(answers, show_both_sides_of_a_reversal_by_their_codes) {
    Timebank__Order *order = m7_helps("m12", 60);
    const Timebank__Answer *answer;

    submit(BROKER, order_reverse(order, 15));
    expect_recorded();
    answer = response_answer();
    cr_assert(answer->readable.data[0] == 0 && answer->n_other_place == 2);
    cr_assert(answer->other_place[0] == 0 && answer->other_place[1] == 0);
    expect_other("m7", 45);
    expect_other("m12", -45);
}

Test(answers, leave_out_balances_that_the_author_may_not_read) {
    struct parcel *accepted = submit(POOL, order_redeem("m30", "swim", 1, 60));
    Timebank__Order target = TIMEBANK__ORDER__INIT;
    struct bytes record = {0};
    Timebank__Order *order = NULL;

    expect_recorded();
    cr_assert(log_record(story.bank->log, accepted->entries[0], &record) == 1);
    cr_assert(record_order_decode(record.data + 1, record.n - 1, &story.arena, &order) == 0);
    bytes_fini(&record);
    target.id = order->id;
    submit(POOL, order_reverse(&target, 0));
    expect_recorded();
    cr_assert_eq(response_answer()->n_other_place, 0);
}

Test(answers, prove_two_batches_of_one_group_under_one_head) {
    struct parcel *first = parcel_new(BROKER), *second = parcel_new(GARDEN);
    struct reply *replies[2];
    const Timebank__Response *responses[2];
    uint64_t size = story.head.size;

    parcel_put(first, order_helps("m7", "m12", 30));
    parcel_put(first, order_helps("m7", "m30", 30));
    parcel_put(second, order_move(TIMEBANK__ORDER__KIND_EARN, "garden", "m12", 90));
    replies[0] = ask_later(BROKER, parcel_request(first));
    replies[1] = ask_later(GARDEN, parcel_request(second));
    cr_assert(replies[0]->ticket == replies[1]->ticket);
    cr_assert(!log_is_durable(story.bank->log, replies[0]->ticket));
    hand_over();
    responses[0] = reply_take(replies[0]);
    responses[1] = reply_take(replies[1]);
    cr_assert(responses[0]->answer->seal == size && responses[1]->answer->seal == size + 3);
    cr_assert(responses[0]->position->size == responses[1]->position->size);
    cr_assert(story.head.size == size + 6); /* two seals, three orders, one state */
    parcel_send(first);                     /* a retry verifies the range proof in the harness */
    cr_assert(response_answer()->already);
    parcel_send(second);
    cr_assert(response_answer()->already);
}

/* What is read of a moment is answered under the head of that moment. */
Test(answers, close_a_group_that_somebody_read) {
    struct parcel *first = parcel_new(BROKER), *second = parcel_new(BROKER);
    Timebank__Request *ask_balance = request_new(TIMEBANK__REQUEST__BODY_BALANCE);
    struct reply *replies[3];

    ask_balance->balance->code = text_copy("m7");
    parcel_put(first, order_helps("m7", "m12", 30));
    parcel_put(second, order_helps("m7", "m30", 30));
    replies[0] = ask_later(BROKER, parcel_request(first));
    replies[1] = ask_later(BROKER, ask_balance);
    replies[2] = ask_later(BROKER, parcel_request(second));
    cr_assert(replies[1]->ticket == replies[0]->ticket && replies[2]->ticket > replies[1]->ticket);
    hand_over();
    hand_over();
    cr_assert(reply_take(replies[0])->answer->seal > 0);
    cr_assert(reply_take(replies[1])->balance->minutes == 30);
    cr_assert(reply_take(replies[2])->answer->seal > 0);
}

/* ---- the tree */

/* Three hundred records and more, so that there are stored tiles. */
static void record_many(void) {
    for (int batch = 0; batch < 6; batch++) {
        struct parcel *parcel = parcel_new(BROKER);
        for (int i = 0; i < 50; i++) {
            Timebank__Order *funder = order_new(TIMEBANK__ORDER__KIND_SET_FUNDER);
            char name[32];
            snprintf(name, sizeof(name), "fund %d of %d", i, batch);
            funder->set_funder->name = text_copy(name);
            parcel_put(parcel, funder);
        }
        parcel_send(parcel);
        expect_recorded();
    }
}

static size_t hashes_of(const ProtobufCBinaryData *list, size_t n, struct hash *ret) {
    cr_assert(n <= MERKLE_PATH_MAX + 1);
    for (size_t i = 0; i < n; i++) {
        cr_assert(list[i].len == HASH_BYTES);
        memcpy(ret[i].b, list[i].data, HASH_BYTES);
    }
    return n;
}

Test(answers, sign_the_root_of_exactly_the_stored_records) {
    struct hash root;

    record_many();
    cr_assert(story.head.size > 300);
    root = naive_root(stored_leaves(story.head.size), story.head.size);
    cr_assert(hash_equal(&root, &story.head.root));
    m7_helps("m12", 30);
    root = naive_root(stored_leaves(story.head.size), story.head.size);
    cr_assert(hash_equal(&root, &story.head.root));
}

Test(answers, prove_every_earlier_size_to_be_a_prefix) {
    struct hash *leaves, path[MERKLE_PATH_MAX + 1];

    record_many();
    leaves = stored_leaves(story.head.size);
    for (uint64_t size = 1; size < story.head.size; size += size < 20 ? 1 : 7) {
        Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_STATUS);
        struct note_head head = story.head;
        struct hash root = naive_root(leaves, size);
        size_t n;
        story.head = (struct note_head){.size = size, .root = root};
        ask(STRANGER, request); /* the harness verifies from there to the head, too */
        cr_assert(story.head.size == head.size && hash_equal(&story.head.root, &head.root));
        n = hashes_of(story.response->position->consistency,
                      story.response->position->n_consistency, path);
        cr_assert(n > 0);
        path[0].b[0] ^= 1;
        cr_assert(merkle_verify_consistency(size, head.size, &root, &head.root, path, n) < 0);
    }
}

Test(answers, prove_every_record_to_be_in) {
    struct hash *leaves, path[MERKLE_PATH_MAX + 1];

    record_many();
    leaves = stored_leaves(story.head.size);
    for (uint64_t i = 0; i < story.head.size; i++) {
        Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_INCLUSION);
        const Timebank__Inclusion *inclusion;
        size_t n;
        request->inclusion->index = i;
        inclusion = ask(STRANGER, request)->inclusion;
        cr_assert(!response_refused() && inclusion->size == story.head.size);
        n = hashes_of(inclusion->path, inclusion->n_path, path);
        cr_assert(memcmp(inclusion->leaf_hash.data, leaves[i].b, HASH_BYTES) == 0);
        cr_assert(merkle_verify_inclusion(i, story.head.size, &leaves[i], path, n,
                                          &story.head.root) == 0);
    }
}

Test(answers, refuse_a_proof_beyond_the_head) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_INCLUSION);

    request->inclusion->index = story.head.size;
    ask(AUDITOR, request);
    expect_refused(NO_SUCH_POSITION);
    request = request_new(TIMEBANK__REQUEST__BODY_INCLUSION);
    request->inclusion->size = story.head.size + 1;
    ask(AUDITOR, request);
    expect_refused(NO_SUCH_POSITION);
}

Test(answers, leave_the_checkpoint_out_for_who_has_it) {
    ask(STRANGER, request_new(TIMEBANK__REQUEST__BODY_STATUS));
    ask(STRANGER, request_new(TIMEBANK__REQUEST__BODY_STATUS));
    cr_assert(story.response->position->checkpoint.len == 0 &&
              story.response->position->n_consistency == 0 &&
              story.response->position->size == story.head.size);
}

/* ---- account states */

static void put_leaf(struct bytes *to, const struct state_account *account) {
    bytes_put(to, "\0TBA1", 5);
    bytes_put_u64(to, account->number);
    bytes_put_u8(to, account->kind);
    bytes_put_u8(to, account->standing);
    bytes_put_u8(to, (uint8_t)strlen(account->code));
    bytes_put_text(to, account->code);
    bytes_put_i64(to, account->floor);
    bytes_put_i64(to, account->ceiling);
    bytes_put_i64(to, account->balance);
    bytes_put_i64(to, account->held);
    bytes_put_u64(to, account->n_entries);
    bytes_put_u64(to, account->last_entry);
    bytes_put(to, account->running, sizeof(account->running));
}

static struct hash account_root(void) {
    struct state *state = bank_state(story.bank);
    struct hash leaves[64];
    uint64_t n = state->sums.n_accounts;

    cr_assert(n <= 64);
    for (uint64_t i = 0; i < n; i++) {
        _cleanup_bytes_ struct bytes leaf = {0};
        put_leaf(&leaf, state->accounts[i]);
        leaves[i] = hash_of(leaf.data, leaf.n);
    }
    return naive_root(leaves, n);
}

/* The last record of the head states all accounts as they are. */
static void expect_published(void) {
    _cleanup_bytes_ struct bytes record = {0};
    struct hash root = account_root();
    struct cursor c;

    cr_assert(log_record(story.bank->log, story.head.size - 1, &record) == 1);
    cr_assert(record.n == 57);
    c = cursor_make(record.data, record.n);
    cr_assert(cursor_u8(&c) == 4);
    cr_assert(cursor_u64(&c) == story.head.size - 1);
    cr_assert(cursor_u64(&c) == bank_state(story.bank)->sums.n_accounts);
    cr_assert(memcmp(cursor_bytes(&c, HASH_BYTES), root.b, HASH_BYTES) == 0);
    cr_assert(cursor_u64(&c) == bank_state(story.bank)->sums.ledger_time_ms);
    cr_assert(cursor_end(&c) == 0);
}

Test(answers, publish_the_state_of_all_accounts) {
    Timebank__Order *limit = order_new(TIMEBANK__ORDER__KIND_SET_LIMIT);

    expect_published();
    m7_helps("m12", 30);
    expect_published();
    time_passes(5000);
    recorded(BROKER, order_open("m41", TIMEBANK__ACCOUNT_KIND__MEMBER));
    expect_published();
    limit->to = text_copy("m41");
    limit->set_limit->has_floor_case = TIMEBANK__SET_LIMIT__HAS_FLOOR_FLOOR;
    limit->set_limit->floor = -300;
    recorded(BROKER, limit);
    expect_published();
    bank_restart();
    expect_published();
}

static void run_on(uint8_t running[HASH_BYTES], const struct hash *leaf, int64_t after) {
    _cleanup_bytes_ struct bytes bytes = {0};
    struct hash hash;

    bytes_put_u8(&bytes, 3);
    bytes_put(&bytes, running, HASH_BYTES);
    bytes_put(&bytes, leaf->b, HASH_BYTES);
    bytes_put_i64(&bytes, after);
    bytes_put_i64(&bytes, 0);
    hash = hash_of(bytes.data, bytes.n);
    memcpy(running, hash.b, HASH_BYTES);
}

Test(answers, run_a_hash_over_each_accounts_entries) {
    uint8_t running[HASH_BYTES] = {0};
    struct parcel *parcel = submit(BROKER, order_helps("m7", "m12", 30));
    Timebank__Order *second = order_helps("m7", "m30", 45);

    run_on(running, &parcel->leaves[0], 30);
    parcel = submit(BROKER, second);
    run_on(running, &parcel->leaves[0], 75);
    m7_helps("m12", 15);
    cr_assert(memcmp(running, state_account(bank_state(story.bank), "m7")->running, 32) != 0);
    parcel = submit(BROKER, order_reverse(second, 0));
    /* the third help was not kept above: its leaf is read from the log */
    run_on(running, &stored_leaves(story.head.size)[parcel->entries[0] - 3], 90);
    run_on(running, &parcel->leaves[0], 45);
    cr_assert(memcmp(running, state_account(bank_state(story.bank), "m7")->running, 32) == 0);
    cr_assert(state_account(bank_state(story.bank), "m7")->n_entries == 4);
}

Test(answers, begin_every_running_hash_with_zeros) {
    static const uint8_t zeros[HASH_BYTES];

    cr_assert(memcmp(state_account(bank_state(story.bank), "m7")->running, zeros, 32) == 0);
    cr_assert(memcmp(state_account(bank_state(story.bank), "chest")->running, zeros, 32) == 0);
}

/* Three groups, one after the other before any was known to be durable. */
Test(answers, end_in_a_published_state_when_nothing_waits) {
    struct reply *replies[6];
    uint64_t size[3];

    for (size_t i = 0; i < 6; i += 2) {
        struct parcel *parcel = parcel_new(BROKER);
        parcel_put(parcel, order_helps("m7", "m12", 15 * (i + 1)));
        replies[i] = ask_later(BROKER, parcel_request(parcel));
        replies[i + 1] = ask_later(BROKER, request_new(TIMEBANK__REQUEST__BODY_STATUS));
        if (i == 2)
            cr_assert(log_collect(story.bank->log) == 0);
    }
    for (int i = 0; i < 3; i++)
        hand_over();
    for (size_t i = 0; i < 6; i++)
        cr_assert(reply_take(replies[i]) != NULL);
    for (int i = 0; i < 3; i++) { /* now and then, as the server's tick does */
        cr_assert(log_publish(story.bank->log, story.wall_ms) == 0);
        cr_assert(log_collect(story.bank->log) == 0);
        ask(STRANGER, request_new(TIMEBANK__REQUEST__BODY_STATUS));
        size[i] = story.head.size;
        expect_published();
    }
    cr_assert(size[0] == size[2], "once is enough");
}
