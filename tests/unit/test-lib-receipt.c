/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts asked of a bank that lies: nothing is handed out that does not verify by itself. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "client-state.h"
#include "fake-bank.h"
#include "helpers.h"
#include "proto/proof.h"
#include "proto/record.h"
#include "proto/refusal.h"
#include "proto/text64.h"
#include "timebank.h"

static struct fake_bank fake;
static struct tb_bank *bank;

static void submit(size_t n) {
    struct tb_batch *batch = NULL;
    struct tb_answer *answer = NULL;
    cr_assert(tb_batch_new(bank, &batch) == 0);
    for (size_t i = 0; i < n; i++) {
        struct tb_order order = TB_ORDER_INIT;
        order.kind = TB_EXCHANGE;
        order.from = "m1";
        order.to = "m2";
        order.minutes = 60 + i;
        order.service_day = 20000;
        cr_assert(tb_batch_add(batch, &order, NULL) == 0);
    }
    cr_assert(tb_batch_submit(batch, &answer) == 0, "%s", tb_bank_message(bank));
    tb_answer_free(answer);
    tb_batch_free(batch);
}

/* A bank with a batch of three; its last one. */
static void setup(void) {
    char state[CLIENT_PATH_BYTES], key[CLIENT_PATH_BYTES];
    fake_bank_start(&fake);
    client_state_begin(fake.directory, state, key);
    bank = client_state_bank(state, key, 2000);
    cr_assert(tb_bank_open(bank, fake.address) == 0, "%s", tb_bank_message(bank));
    submit(1);
    submit(3);
}

static void teardown(void) {
    bank = tb_bank_free(bank);
    fake_bank_fini(&fake);
}

TestSuite(lib_receipt, .timeout = 60, .init = setup, .fini = teardown);

static char *head_of(uint64_t size) {
    struct note_head head = {.size = size, .root = merkle_root(fake.leaves, size)};
    struct bytes text = {};
    strcpy(head.origin, fake.verifier.name);
    cr_assert(note_checkpoint_sign(&head, &fake.verifier, fake.secret, &text) == 0);
    return bytes_take_text(&text);
}

static void expect_receipt(uint64_t entry, const char *head) {
    struct tb_receipt *receipt = NULL;
    struct proof proof = {};
    char *text = NULL;
    int r = tb_receipt_get(bank, entry, head, &receipt);
    cr_assert(r == 0, "%d %s", r, tb_bank_message(bank));
    cr_assert(tb_receipt_proof(receipt, &text) == 0);
    cr_assert(proof_parse(&proof, text, strlen(text)) == 0 && proof.index == entry);
    const struct bytes *order = &fake.orders[entry - fake.seal - 1];
    cr_assert(proof.extra.n == order->n && memcmp(proof.extra.data, order->data, order->n) == 0);
    if (head)
        cr_assert_str_eq(proof.checkpoint, head);
    proof_fini(&proof);
    free(text);
    tb_receipt_free(receipt);
}

Test(lib_receipt, of_every_order_of_a_batch_is_handed_out) {
    for (size_t i = 1; i <= 3; i++)
        expect_receipt(fake.seal + i, NULL);
    cr_assert(tb_receipt_free(NULL) == NULL);
}

Test(lib_receipt, is_taken_once_and_outlives_its_call) {
    struct tb_receipt *receipt = NULL, *second = NULL;
    struct tb_call *call = NULL;
    char *text = NULL;
    cr_assert(tb_receipt_start(bank, fake.seal + 2, NULL, &call) == 0);
    cr_assert(tb_receipt_take(call, &receipt) == -EAGAIN);
    cr_assert(tb_call_wait(call) == 0);
    cr_assert(tb_receipt_take(call, &receipt) == 0);
    cr_assert(tb_receipt_take(call, &second) == -EINVAL);
    tb_call_free(call);
    cr_assert(tb_receipt_proof(receipt, &text) == 0);
    free(text);
    tb_receipt_free(receipt);
}

Test(lib_receipt, is_made_under_an_older_head_of_the_same_history) {
    struct tb_status status;
    _cleanup_(freep) char *head = head_of(fake.n_leaves);
    fake_bank_replay(&fake); /* the ledger goes on */
    cr_assert(tb_status_get(bank, &status) == 0);
    for (size_t i = 1; i <= 3; i++)
        expect_receipt(fake.seal + i, head);
}

Test(lib_receipt, keeps_the_cosignatures_of_the_head_that_it_is_made_under) {
    struct bytes text = {};
    uint8_t signature[4 + 72] = {1, 2, 3};
    char *head = head_of(fake.n_leaves);
    bytes_printf(&text, "%s\u2014 witness.example ", head);
    free(head);
    text64_encode(&text, signature, sizeof(signature));
    bytes_put_u8(&text, '\n');
    head = bytes_take_text(&text);
    expect_receipt(fake.seal + 1, head);
    free(head);
}

static void expect_caught(uint64_t entry, const char *head) {
    struct tb_receipt *receipt = NULL;
    struct stat status;
    int r = tb_receipt_get(bank, entry, head, &receipt);
    cr_assert(r == -EBADMSG && !receipt, "%d %s", r, tb_bank_message(bank));
    cr_assert(stat(tb_bank_evidence(bank), &status) == 0, "no evidence: %s", tb_bank_message(bank));
}

static void spoil_record(Timebank__Receipt *receipt) {
    receipt->record.data[receipt->record.len - 1] ^= 1;
}

static void spoil_seal_time(Timebank__Receipt *receipt) {
    receipt->seal_record.data[RECORD_SEAL_BYTES - 1] ^= 1;
}

static void spoil_signature(Timebank__Receipt *receipt) {
    receipt->seal_record.data[1 + BATCH_HEADER_BYTES] ^= 1;
}

static void spoil_path(Timebank__Receipt *receipt) {
    receipt->path[0].data[31] ^= 1;
}

static void spoil_seal_path(Timebank__Receipt *receipt) {
    receipt->seal_path[0].data[0] ^= 1;
}

static void spoil_batch_path(Timebank__Receipt *receipt) {
    receipt->batch_path[0].data[0] ^= 0x80;
}

static void spoil_batch_path_length(Timebank__Receipt *receipt) {
    receipt->n_batch_path--;
}

Test(lib_receipt, is_evidence_where_anything_in_it_was_changed) {
    static void (*const spoils[])(Timebank__Receipt *) = {
        spoil_record,    spoil_seal_time,  spoil_signature,        spoil_path,
        spoil_seal_path, spoil_batch_path, spoil_batch_path_length};
    for (size_t i = 0; i < N_ELEMENTS(spoils); i++) {
        fake.spoil = spoils[i];
        expect_caught(fake.seal + 2, NULL);
        fake.spoil = NULL;
        expect_receipt(fake.seal + 2, NULL);
    }
}

Test(lib_receipt, of_an_order_recorded_again_under_no_seal_is_evidence) {
    expect_caught(fake_bank_replay(&fake), NULL);
}

static void spoil_number(Timebank__Receipt *receipt) {
    receipt->number--;
}

static void spoil_size(Timebank__Receipt *receipt) {
    receipt->size--;
}

static void spoil_seal_length(Timebank__Receipt *receipt) {
    receipt->seal_record.len--;
}

static void spoil_seal_number(Timebank__Receipt *receipt) {
    receipt->seal = receipt->number;
}

static void spoil_hash_length(Timebank__Receipt *receipt) {
    receipt->path[0].len--;
}

static void spoil_record_kind(Timebank__Receipt *receipt) {
    receipt->record.data[0] = RECORD_EVENT;
}

static void spoil_record_length(Timebank__Receipt *receipt) {
    receipt->record.len = 0;
}

static void spoil_checkpoint(Timebank__Receipt *receipt) {
    receipt->checkpoint.len = 0;
}

Test(lib_receipt, that_is_not_what_was_asked_for_is_not_handed_out) {
    static void (*const spoils[])(Timebank__Receipt *) = {
        spoil_number,      spoil_size,        spoil_seal_length,   spoil_seal_number,
        spoil_hash_length, spoil_record_kind, spoil_record_length, spoil_checkpoint};
    for (size_t i = 0; i < N_ELEMENTS(spoils); i++) {
        struct tb_receipt *receipt = NULL;
        fake.spoil = spoils[i];
        int r = tb_receipt_get(bank, fake.seal + 2, NULL, &receipt);
        cr_assert(r < 0 && !receipt, "lie %zu: %d %s", i, r, tb_bank_message(bank));
    }
}

Test(lib_receipt, under_a_head_of_another_history_is_evidence) {
    _cleanup_(freep) char *older = NULL, *same = NULL;
    struct hash honest = fake.leaves[1];
    fake.leaves[1].b[0] ^= 1;
    older = head_of(fake.n_leaves - 1);
    same = head_of(fake.n_leaves);
    fake.leaves[1] = honest;
    expect_caught(fake.seal + 2, older);
    expect_caught(fake.seal + 2, same);
}

Test(lib_receipt, under_a_head_that_is_none_is_refused_unasked) {
    struct tb_receipt *receipt = NULL;
    cr_assert(tb_receipt_get(bank, fake.seal + 2, "a head", &receipt) == TB_NOT_VERIFIED);
    cr_assert(tb_receipt_get(bank, fake.seal + 2, "", &receipt) == TB_NOT_VERIFIED);
    expect_receipt(fake.seal + 2, NULL);
}

Test(lib_receipt, is_never_written_over_what_is_there) {
    struct tb_receipt *receipt = NULL;
    char directory[160], why[512] = "";
    struct stat status;
    cr_assert(tb_receipt_get(bank, fake.seal + 2, NULL, &receipt) == 0);
    snprintf(directory, sizeof(directory), "%s/receipt", fake.directory);
    cr_assert(tb_receipt_write(receipt, directory, why, sizeof(why)) == 0, "%s", why);
    cr_assert(tb_receipt_write(receipt, directory, why, sizeof(why)) == -EEXIST);
    cr_assert(strstr(why, "is there already"));
    snprintf(directory, sizeof(directory), "%s/no/receipt", fake.directory);
    cr_assert(tb_receipt_write(receipt, directory, why, sizeof(why)) == -ENOENT, "%s", why);
    cr_assert(stat(directory, &status) < 0);
    tb_receipt_free(receipt);
}
