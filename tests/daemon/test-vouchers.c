/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vouchers in a bank that goes down in between: their rows are read back, their list goes on page
 * by page, and what was never used finds its way back by itself.
 */
#include <sodium.h>
#include <string.h>

#include "daemon/bank.h"
#include "harness.h"
#include "proto/voucher.h"

#define LAST_DAY (TODAY + 30)

static uint8_t secret[SSHSIG_SECRET_BYTES];

static ProtobufCBinaryData keep(const uint8_t *bytes, size_t n) {
    uint8_t *copy = arena_alloc(&story.arena, n);

    cr_assert(copy);
    memcpy(copy, bytes, n);
    return (ProtobufCBinaryData){n, copy};
}

static void start(void) {
    Timebank__Order *order;

    bank_start();
    sshsig_secret_new(secret);
    order = order_new(TIMEBANK__ORDER__KIND_SET_VOUCHER_KEY);
    order->set_voucher_key->key = keep(secret + 32, SSHSIG_PUBLIC_BYTES);
    recorded(STEWARD, order);
}

TestSuite(vouchers, .timeout = STORY_TIMEOUT, .init = start, .fini = bank_end);

static void mint(const char *from, uint64_t first, uint32_t count) {
    Timebank__Order *order =
        order_move(TIMEBANK__ORDER__KIND_MINT_VOUCHERS, from, "vouchers", count * 60);

    order->mint_vouchers->first_serial = first;
    order->mint_vouchers->count = count;
    order->mint_vouchers->each_minutes = 60;
    order->mint_vouchers->expires_day = LAST_DAY;
    recorded(BROKER, order);
}

static Timebank__Order *redeem_of(uint64_t serial, uint32_t ledger_tag) {
    struct voucher voucher = {
        .serial = serial, .ledger_tag = ledger_tag, .minutes = 60, .expires_day = LAST_DAY};
    uint8_t claims[VOUCHER_CLAIMS_BYTES], signature[SSHSIG_SIGNATURE_BYTES];
    Timebank__Order *order =
        order_move(TIMEBANK__ORDER__KIND_REDEEM_VOUCHER, "vouchers", "pool", 60);

    voucher_pack(&voucher, claims);
    cr_assert(voucher_sign(claims, secret, signature) == 0);
    order->redeem_voucher->claims = keep(claims, sizeof(claims));
    order->redeem_voucher->signature = keep(signature, sizeof(signature));
    return order;
}

static Timebank__Order *redeem(uint64_t serial) {
    return redeem_of(serial, voucher_ledger_tag(log_ledger_id(story.bank->log)));
}

static const Timebank__Register *list(enum actor actor, Timebank__RegisterTable table,
                                      const char *code, const ProtobufCBinaryData *after) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_REGISTER);

    request->register_->table = table;
    request->register_->code = text_copy(code);
    if (after) {
        request->register_->after = *after;
        request->register_->max = 1;
    }
    ask(actor, request);
    cr_assert(!response_refused(), "%s", response_words());
    return story.response->register_;
}

#define MINTED TIMEBANK__REGISTER_TABLE__VOUCHERS_MINTED

static void expect_row(const Timebank__RegisterRow *row, const char *name, const char *what,
                       const char *account) {
    cr_assert_str_eq(row->name, name);
    cr_assert_str_eq(row->what, what);
    cr_assert_str_eq(row->account, account);
}

Test(vouchers, are_taken_after_the_bank_was_down) {
    mint("garden", 1, 5);
    bank_stop();
    time_passes(DAY_MS);
    bank_restart();
    submit(POOL, redeem(3));
    expect_recorded();
    bank_stop();
    bank_restart();
    submit(POOL, redeem(3));
    expect_refused(VOUCHER_USED);
    expect_balance("pool", 60);
    expect_balance("vouchers", 240);
}

Test(vouchers, of_another_ledger_are_not_genuine_by_the_same_key) {
    mint("garden", 1, 5);
    submit(POOL, redeem_of(3, voucher_ledger_tag(log_ledger_id(story.bank->log)) + 1));
    expect_refused(VOUCHER_NOT_GENUINE);
    submit(POOL, redeem(3));
    expect_recorded();
}

Test(vouchers, never_used_go_back_though_the_bank_was_down_on_the_day) {
    mint("garden", 1, 5);
    submit(POOL, redeem(1));
    expect_recorded();
    expect_balance("garden", 5700);
    time_passes(30 * DAY_MS);
    m7_helps("m30", 60);
    bank_stop();
    time_passes((14 + 2) * DAY_MS);
    bank_restart();
    expect_balance("vouchers", 240);
    tick();
    expect_balance("garden", 5940);
    expect_balance("vouchers", 0);
    submit(POOL, redeem(2));
    expect_refused(VOUCHER_EXPIRED);
    bank_restart();
    expect_row(list(BROKER, MINTED, "", NULL)->rows[0], "2-5", "expired", "garden");
}

Test(vouchers, are_listed_from_the_newest_on_page_by_page) {
    const Timebank__Register *page;
    ProtobufCBinaryData mark;

    mint("garden", 1, 5);
    mint("m12", 6, 2);
    submit(POOL, redeem(3));
    expect_recorded();
    bank_restart();
    page = list(BROKER, MINTED, "", NULL);
    cr_assert(page->n_rows == 4 && !page->more);
    expect_row(page->rows[0], "6-7", "open", "m12");
    expect_row(page->rows[1], "4-5", "open", "garden");
    expect_row(page->rows[2], "3", "used", "garden");
    expect_row(page->rows[3], "1-2", "open", "garden");
    cr_assert(page->rows[0]->minutes == 60 && page->rows[0]->count == 2 &&
              page->rows[0]->to_day == LAST_DAY);
    mark = page->rows[1]->mark;
    page = list(BROKER, MINTED, "", &mark);
    cr_assert(page->n_rows == 1 && page->more);
    expect_row(page->rows[0], "3", "used", "garden");
    mark = page->rows[0]->mark;
    page = list(BROKER, MINTED, "", &mark);
    cr_assert(page->n_rows == 1 && !page->more);
    expect_row(page->rows[0], "1-2", "open", "garden");
}

Test(vouchers, are_listed_for_who_paid_and_their_keys_for_everybody) {
    const Timebank__Register *page;

    mint("garden", 1, 5);
    mint("m12", 6, 2);
    page = list(M12, MINTED, "", NULL);
    cr_assert_eq(page->n_rows, 1);
    expect_row(page->rows[0], "6-7", "open", "m12");
    page = list(BROKER, MINTED, "garden", NULL);
    cr_assert_eq(page->n_rows, 1);
    page = list(POOL, TIMEBANK__REGISTER_TABLE__VOUCHER_KEYS, "", NULL);
    cr_assert(page->n_rows == 1 && page->rows[0]->flag);
    cr_assert(memcmp(page->rows[0]->key.data, secret + 32, SSHSIG_PUBLIC_BYTES) == 0);
}
