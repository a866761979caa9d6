/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: record, seal and batch under the head of the reply, held against the tree as RFC 6962
 * defines it and against what the author signed.
 */
#include <stdio.h>
#include <string.h>

#include "harness.h"

static void start(void) {
    bank_start_with("gift", "pending", "gift-days", "7", "quantum", "1", NULL);
}

TestSuite(receipts, .timeout = STORY_TIMEOUT, .init = start, .fini = bank_end);

static const char *text_of_number(uint64_t number) {
    char text[32];

    snprintf(text, sizeof(text), " %llu,", (unsigned long long)number);
    return text_copy(text);
}

static const Timebank__Receipt *ask_receipt(enum actor actor, uint64_t number, uint64_t size) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_RECEIPT);

    request->receipt->number = number;
    request->receipt->size = size;
    ask(actor, request);
    return story.response->body_case == TIMEBANK__RESPONSE__BODY_RECEIPT ? story.response->receipt
                                                                         : NULL;
}

static void expect_path(uint64_t index, uint64_t size, const ProtobufCBinaryData *record,
                        ProtobufCBinaryData *path, size_t n, const struct hash *root) {
    struct hash hashes[MERKLE_PATH_MAX], leaf = merkle_leaf(record->data, record->len);

    cr_assert(n <= MERKLE_PATH_MAX);
    for (size_t i = 0; i < n; i++) {
        cr_assert(path[i].len == HASH_BYTES);
        memcpy(hashes[i].b, path[i].data, HASH_BYTES);
    }
    cr_assert(merkle_verify_inclusion(index, size, &leaf, hashes, n, root) == 0, "record %llu",
              (unsigned long long)index);
}

/* Everything in it holds, and it is of that order of that parcel. */
static void expect_receipt(const Timebank__Receipt *receipt, const struct parcel *parcel,
                           size_t i) {
    struct hash root = naive_root(stored_leaves(receipt->size), receipt->size);
    struct batch_header header;
    struct record_seal seal;

    cr_assert(receipt->number == parcel->entries[i] && receipt->seal == parcel->entries[0] - 1);
    expect_path(receipt->number, receipt->size, &receipt->record, receipt->path, receipt->n_path,
                &root);
    expect_path(receipt->seal, receipt->size, &receipt->seal_record, receipt->seal_path,
                receipt->n_seal_path, &root);
    cr_assert(record_seal_unpack(receipt->seal_record.data, receipt->seal_record.len, &seal) == 0);
    cr_assert(memcmp(seal.header, parcel->header_bytes, BATCH_HEADER_BYTES) == 0);
    cr_assert(memcmp(seal.signature, parcel->signature, SSHSIG_SIGNATURE_BYTES) == 0);
    cr_assert(batch_header_unpack(seal.header, &header) == 0);
    cr_assert(header.n_orders == parcel->n);
    expect_path(i, parcel->n, &receipt->record, receipt->batch_path, receipt->n_batch_path,
                &header.orders_root);
}

static struct parcel *three_orders(void) {
    struct parcel *parcel = parcel_new(BROKER);

    parcel_put(parcel, order_helps("m7", "m12", 60));
    parcel_put(parcel, order_helps("m7", "m12", 75));
    parcel_put(parcel, order_helps("m30", "m7", 30));
    parcel_send(parcel);
    expect_recorded();
    return parcel;
}

Test(receipts, of_each_of_three_orders_of_a_batch_hold) {
    struct parcel *parcel = three_orders();

    for (size_t i = 0; i < 3; i++) {
        const Timebank__Receipt *receipt = ask_receipt(BROKER, parcel->entries[i], 0);
        cr_assert(receipt, "%s", response_words());
        cr_assert(receipt->size == story.head.size && receipt->checkpoint.len > 0);
        expect_receipt(receipt, parcel, i);
    }
}

Test(receipts, of_a_batch_of_one_has_an_empty_path_to_its_author) {
    struct parcel *parcel = submit(BROKER, order_helps("m7", "m12", 60));
    const Timebank__Receipt *receipt = ask_receipt(BROKER, parcel->entries[0], 0);

    cr_assert(receipt && receipt->n_batch_path == 0);
    expect_receipt(receipt, parcel, 0);
}

Test(receipts, hold_for_batches_of_every_small_size) {
    uint64_t minutes = 0;

    for (size_t n = 2; n <= 9; n++) {
        struct parcel *parcel = parcel_new(BROKER);
        for (size_t i = 0; i < n; i++)
            parcel_put(parcel, order_helps(i % 2 ? "m7" : "m12", i % 2 ? "m12" : "m7", ++minutes));
        parcel_send(parcel);
        expect_recorded();
        for (size_t i = 0; i < n; i++) {
            const Timebank__Receipt *receipt = ask_receipt(BROKER, parcel->entries[i], 0);
            cr_assert(receipt, "%s", response_words());
            expect_receipt(receipt, parcel, i);
        }
    }
}

Test(receipts, are_made_under_an_older_head_that_is_named) {
    struct parcel *parcel = three_orders();
    uint64_t size = story.head.size;
    const Timebank__Receipt *receipt;

    recorded(BROKER, order_helps("m7", "m12", 45));
    receipt = ask_receipt(BROKER, parcel->entries[1], size);
    cr_assert(receipt && receipt->size == size);
    expect_receipt(receipt, parcel, 1);
    receipt = ask_receipt(BROKER, parcel->entries[1], parcel->entries[1] + 1);
    cr_assert(receipt && receipt->checkpoint.len == 0, "no head of that size is kept");
    expect_receipt(receipt, parcel, 1);
}

Test(receipts, are_refused_under_a_head_that_lacks_the_entry_or_is_none) {
    struct parcel *parcel = three_orders();

    cr_assert(!ask_receipt(BROKER, parcel->entries[1], parcel->entries[1]));
    expect_refused(NO_SUCH_POSITION);
    cr_assert(!ask_receipt(BROKER, parcel->entries[1], story.head.size + 1));
    expect_refused(NO_SUCH_POSITION);
}

Test(receipts, are_of_orders_only) {
    struct parcel *parcel = three_orders();

    cr_assert(!ask_receipt(BROKER, parcel->entries[0] - 1, 0));
    expect_refused(NO_SUCH_ENTRY);
    cr_assert(!ask_receipt(BROKER, 0, 0));
    expect_refused(NO_SUCH_ENTRY);
    cr_assert(!ask_receipt(BROKER, 1u << 30, 0));
    expect_refused(NO_SUCH_ENTRY);
}

Test(receipts, of_what_fell_due_are_refused_and_name_the_entry_it_follows_from) {
    Timebank__Order *gift = order_move(TIMEBANK__ORDER__KIND_GIFT, "m12", "m7", 30);
    struct parcel *parcel;
    uint64_t event;

    gift->proposal = true;
    parcel = submit(M12, gift);
    expect_recorded();
    time_passes(8 * DAY_MS);
    event = bank_state(story.bank)->sums.size;
    tick();
    cr_assert(!ask_receipt(M12, event, 0));
    expect_refused(NO_SUCH_ENTRY);
    cr_assert(strstr(response_refused()->refusals[0]->message, text_of_number(parcel->entries[0])),
              "%s", response_words());
    cr_assert(!ask_receipt(GARDEN, event, 0));
    expect_refused(NO_AUTHORITY);
}

Test(receipts, are_given_to_a_member_of_own_entries_only) {
    struct parcel *parcel = three_orders();

    for (size_t i = 0; i < 2; i++) {
        const Timebank__Receipt *receipt = ask_receipt(M12, parcel->entries[i], 0);
        cr_assert(receipt, "%s", response_words());
        expect_receipt(receipt, parcel, i);
    }
    cr_assert(!ask_receipt(M12, parcel->entries[2], 0));
    expect_refused(NO_AUTHORITY);
}

Test(receipts, of_an_order_asked_for_before_it_is_durable_wait_for_its_head) {
    struct parcel *parcel = parcel_new(BROKER);
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_RECEIPT);
    struct reply *recorded_later, *receipt_later;

    parcel_put(parcel, order_helps("m7", "m12", 60));
    parcel_sign(parcel);
    request->receipt->number = story.head.size + 1;
    recorded_later = ask_later(BROKER, parcel_request(parcel));
    receipt_later = ask_later(BROKER, request);
    hand_over();
    reply_take(recorded_later);
    parcel->entries[0] = story.response->answer->entries[0];
    cr_assert(parcel->entries[0] == request->receipt->number);
    reply_take(receipt_later);
    cr_assert(story.response->body_case == TIMEBANK__RESPONSE__BODY_RECEIPT, "%s",
              response_words());
    expect_receipt(story.response->receipt, parcel, 0);
}
