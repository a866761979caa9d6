/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each kind of order means to the measures of the report, one sentence each. That the bridge
 * balances at every position, books_close() sees to.
 */
#include "agree.h"

#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "proto/voucher.h"

static void open_figures(void) {
    agree_open_with((const char *const[]){"claims=on", "gift=pending", "expiry-days=30", NULL});
    as("steward");
    ENTER(set_voucher_key, SET_VOUCHER_KEY, "", "", 0)->set_voucher_key->key =
        keep_bytes(key_of("vouchers"), SSHSIG_PUBLIC_BYTES);
    open_account("bank:river", TIMEBANK__ACCOUNT_KIND__BANK);
    open_account("gym", TIMEBANK__ACCOUNT_KIND__VENUE);
    done();
    as("broker");
}

TestSuite(figures, .timeout = 30, .init = open_figures, .fini = books_close);

#define figure(name, wanted)                                                                       \
    cr_expect_eq(books_figure(name), (wanted), "%s: %lld", name, books_figure(name))
#define figure_known(name, known_day, wanted)                                                      \
    cr_expect_eq(books_figure_of(name, on("2000-01-01"), on("2049-12-31"), known_day), (wanted))

/* ---- sessions */

static Timebank__Order *class_of(Timebank__SessionRest rest) {
    static char *givers[] = {"m1", "m2"}, *receivers[] = {"m3", "m4"};
    static uint64_t given[] = {60, 30}, paid[] = {60, 60};
    Timebank__Order *order = ENTER(session, SESSION, "", "", 90);
    Timebank__Session *session = order->session;
    order->activity = "gardening";
    session->rest = rest;
    session->givers = givers;
    session->giver_minutes = given;
    session->n_givers = session->n_giver_minutes = 2;
    session->receivers = receivers;
    session->receiver_minutes = paid;
    session->n_receivers = session->n_receiver_minutes = 2;
    session->heads = 7;
    session->head_minutes = 60;
    return order;
}

Test(figures, of_a_session_are_service_of_its_givers_and_one_entry) {
    class_of(TIMEBANK__SESSION_REST__REST_TO_CHEST);
    done();
    figure("minutes_given", 90);
    figure("minutes_given_session", 90);
    figure("minutes_given_exchange", 0);
    figure("givers", 2);
    figure("receivers", 2);
    figure("participants", 4);
    figure("entries", 1);
    figure("ties_directed", 0);
    figure("minutes_donated", 0);
    figure("outstanding_closing", 0);
}

Test(figures, of_a_session_taken_back_are_none) {
    Timebank__Order *class = class_of(TIMEBANK__SESSION_REST__REST_SHARED);
    done();
    reverse(class, 0);
    done();
    figure("minutes_given", 0);
    figure("givers", 0);
    figure("receivers", 0);
    figure("corrections", 1);
}

/* ---- what waits */

Test(figures, of_a_claim_count_from_the_day_it_was_confirmed) {
    Timebank__Order *claim;
    as("m2-key");
    claim = proposed(exchange("m1", "m2", 60));
    claim->authority = TIMEBANK__AUTHORITY__BY_SELF;
    warned(WAITS);
    figure("minutes_given", 0);
    figure("unconfirmed", 1);
    wait_days(3);
    as("m1-key");
    confirm(claim);
    done();
    figure("minutes_given", 60);
    figure("unconfirmed", 0);
    figure("lag_median_days", 3);
    figure_known("minutes_given", today() - 1, 0);
    figure_known("unconfirmed", today() - 1, 1);
}

Test(figures, of_a_claim_that_nobody_answered_count_from_the_day_it_stood) {
    as("m2-key");
    proposed(exchange("m1", "m2", 60))->authority = TIMEBANK__AUTHORITY__BY_SELF;
    warned(WAITS);
    wait_days(20);
    expect_event(CLAIM_ACCEPTED, 60);
    figure("minutes_given", 60);
    figure("unconfirmed", 0);
    figure("lag_median_days", 15);
    as("broker");
}

Test(figures, of_a_gift_are_gifted_when_it_is_accepted) {
    Timebank__Order *kept, *back;
    grant("issued", "m1", 120);
    done();
    kept = proposed(gift("m1", "m2", 60));
    warned(WAITS);
    back = proposed(gift("m1", "m3", 30));
    warned(WAITS);
    figure("minutes_gifted", 0);
    figure("unconfirmed", 2);
    figure("outstanding_closing", 120);
    as("m2-key");
    confirm(kept);
    done();
    as("m3-key");
    decline(back);
    done();
    figure("minutes_gifted", 60);
    figure("unconfirmed", 0);
    figure("outstanding_closing", 120);
    as("broker");
}

Test(figures, of_what_falls_in_a_dispute_are_taken_back) {
    Timebank__Order *help = exchange("m1", "m2", 90);
    done();
    as("m1-key");
    dispute(help)->authority = TIMEBANK__AUTHORITY__BY_SELF;
    done();
    figure("minutes_given", 90);
    as("broker");
    decide(help, 60);
    done();
    figure("minutes_given", 30);
    figure("corrections", 1);
}

Test(figures, of_a_visit_in_dispute_are_not_outstanding_until_it_falls) {
    Timebank__Order *visit;
    grant("issued", "m1", 120);
    done();
    visit = redeem("m1", "swim", 1, 60);
    done();
    dispute(visit);
    done();
    figure("minutes_redeemed", 60);
    figure("outstanding_closing", 60);
    as("broker-2");
    decide(visit, 60);
    done();
    figure("minutes_redeemed", 0);
    figure("redemptions", 0);
    figure("outstanding_closing", 120);
}

/* ---- venues */

Test(figures, of_a_capture_are_a_redemption_of_the_holds_offer_and_its_heads_once) {
    Timebank__Order *hold = ENTER(hold, HOLD, "m1", "swim", 120), *first, *second;
    hold->service_day = today() + 1;
    hold->hold->offer = "swim";
    hold->hold->adults = 2;
    hold->hold->until_ms = (uint64_t)(today() + 3) * MS_PER_DAY;
    done();
    figure("minutes_redeemed", 0);
    figure("outstanding_closing", 0);
    first = ENTER(capture, CAPTURE, "", "", 60);
    first->service_day = 0;
    first->capture->target = target_of(hold);
    done();
    second = ENTER(capture, CAPTURE, "", "", 0);
    second->service_day = 0;
    second->capture->target = target_of(hold);
    done();
    figure("minutes_redeemed", 120);
    figure("redemptions", 2);
    figure("admitted_adults", 2);
    figure("redeemers", 1);
    figure("outstanding_closing", -120);
    cr_expect_eq(books_figure_of("minutes_redeemed", hold->service_day, hold->service_day, 0), 120);
    reverse(second, 0);
    done();
    figure("minutes_redeemed", 60);
}

Test(figures, of_a_hold_that_lapsed_are_none) {
    Timebank__Order *hold = ENTER(hold, HOLD, "m1", "swim", 60);
    hold->service_day = today() + 1;
    hold->hold->offer = "swim";
    hold->hold->adults = 1;
    hold->hold->until_ms = (uint64_t)(today() + 2) * MS_PER_DAY;
    done();
    wait_days(5);
    expect_event(HOLD_LAPSED, 60);
    figure("minutes_redeemed", 0);
    figure("outstanding_closing", 0);
}

Test(figures, of_what_a_venue_retires_are_a_line_of_their_own) {
    redeem("m1", "swim", 1, 60);
    done();
    ENTER(retire, RETIRE, "swim", "retired", 60);
    done();
    figure("minutes_retired", 60);
    figure("minutes_redeemed", 60);
    figure("outstanding_closing", -60);
}

/* ---- vouchers */

static Timebank__Order *mint(const char *from, uint64_t first, uint32_t count) {
    Timebank__Order *order = ENTER(mint_vouchers, MINT_VOUCHERS, from, "vouchers", count * 60);
    order->mint_vouchers->first_serial = first;
    order->mint_vouchers->count = count;
    order->mint_vouchers->each_minutes = 60;
    order->mint_vouchers->expires_day = today() + 10;
    return order;
}

static Timebank__Order *take_voucher(uint64_t serial, const char *to) {
    struct voucher voucher = {.serial = serial,
                              .ledger_tag = (uint32_t)books_state->sums.ledger_tag,
                              .minutes = 60,
                              .expires_day = on("2025-03-15")};
    struct hash seed = hash_of("vouchers", 8);
    uint8_t secret[SSHSIG_SECRET_BYTES], public[32], claims[VOUCHER_CLAIMS_BYTES];
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    Timebank__Order *order = ENTER(redeem_voucher, REDEEM_VOUCHER, "vouchers", to, 60);
    crypto_sign_seed_keypair(public, secret, seed.b);
    voucher_pack(&voucher, claims);
    cr_assert(voucher_sign(claims, secret, signature) == 0);
    order->redeem_voucher->claims = keep_bytes(claims, sizeof(claims));
    order->redeem_voucher->signature = keep_bytes(signature, sizeof(signature));
    return order;
}

Test(figures, of_vouchers_are_outstanding_until_a_venue_takes_them) {
    Timebank__Order *taken;
    grant("issued", "m1", 300);
    done();
    mint("m1", 1, 5);
    done();
    figure("outstanding_closing", 300);
    figure("minutes_granted", 300);
    taken = take_voucher(1, "swim");
    taken->redeem_voucher->offer = "swim";
    taken->redeem_voucher->adults = 1;
    done();
    take_voucher(2, "m2");
    done();
    figure("minutes_redeemed", 60);
    figure("redemptions", 1);
    figure("admitted_adults", 1);
    figure("redeemers", 0);
    figure("outstanding_closing", 240);
}

Test(figures, of_vouchers_out_of_new_credit_are_granted) {
    mint("issued", 1, 5);
    done();
    figure("minutes_granted", 300);
    figure("outstanding_closing", 300);
    wait_days(60);
    expect_event(VOUCHERS_EXPIRED, 300);
    figure("minutes_granted", 300);
    figure("minutes_expired", 0);
    figure("outstanding_closing", 0);
}

Test(figures, of_a_voucher_taken_twice_count_when_the_chest_pays) {
    Timebank__Order *again;
    donate("m4", 60);
    done();
    mint("m1", 1, 1);
    done();
    take_voucher(1, "swim")->redeem_voucher->offline = true;
    done();
    again = take_voucher(1, "gym");
    again->redeem_voucher->offline = true;
    warned(VOUCHER_CONFLICT);
    figure("redemptions", 1);
    decide(again, 60);
    done();
    figure("redemptions", 2);
    figure("minutes_redeemed", 120);
    figure("outstanding_closing", -120);
}

/* ---- advances */

Test(figures, of_an_advance_are_repaid_by_what_is_earned) {
    Timebank__Order *help;
    ENTER(advance, ADVANCE, "advances", "m1", 60);
    done();
    ENTER(pledge, PLEDGE, "advances", "m2", 30)->pledge->due_day = today() + 9;
    done();
    figure("minutes_advanced", 90);
    figure("outstanding_closing", 90);
    help = exchange("m3", "m1", 90);
    submit();
    figure("minutes_given", 90);
    figure("minutes_repaid", 60);
    figure("outstanding_closing", 30);
    reverse(help, 0);
    submit();
    figure("minutes_repaid", 0);
    figure("outstanding_closing", 90);
}

/* ---- leaving */

Test(figures, of_what_expires_leave_what_is_outstanding) {
    Timebank__Order *expired;
    grant("issued", "m1", 120);
    done();
    wait_days(40);
    expired = ENTER(expire, EXPIRE, "m1", "expired", 120);
    expired->expire->as_of_day = today();
    done();
    figure("minutes_expired", 120);
    figure("outstanding_closing", 0);
    reverse(expired, 60);
    done();
    figure("minutes_expired", 60);
    figure("outstanding_closing", 60);
}

static void settle(const char *code, const char *to, Timebank__SettleAs how) {
    Timebank__Order *order = ENTER(settle, SETTLE, code, to, 0);
    order->settle->as = how;
    order->settle->balance = balance(code);
    done();
}

Test(figures, of_a_debt_left_behind_are_written_off) {
    exchange("m1", "m2", 60);
    done();
    ENTER(advance, ADVANCE, "advances", "m1", 30);
    done();
    settle("m1", "write-offs", TIMEBANK__SETTLE_AS__DIED);
    figure("minutes_repaid", 0);
    figure("minutes_advanced", 30);
    figure("outstanding_closing", 60);
}

Test(figures, of_an_allotment_given_back_are_no_issue) {
    issue("food-bank", 600);
    done();
    settle("food-bank", "issued", TIMEBANK__SETTLE_AS__ENDED);
    figure("minutes_issued", 600);
    figure("outstanding_closing", 0);
}

Test(figures, of_a_transfer_go_to_the_other_bank_and_come_from_it) {
    Timebank__Order *out = ENTER(transfer, TRANSFER, "m1", "bank:river", 60);
    out->transfer->transfer_id = keep_bytes("0123456789abcdef", 16);
    done();
    figure("outstanding_closing", -60);
    out = ENTER(transfer, TRANSFER, "bank:river", "m2", 45);
    out->transfer->transfer_id = keep_bytes("1123456789abcdef", 16);
    done();
    figure("outstanding_closing", -15);
}

/* ---- merged */

Test(figures, of_a_merged_account_count_as_the_one_that_goes_on) {
    Timebank__Order *merge;
    exchange("m3", "m1", 60);
    done();
    exchange("m3", "m2", 60);
    done();
    exchange("m1", "m2", 30);
    done();
    figure("givers", 2);
    figure("traders", 3);
    figure("ties_directed", 3);
    wait_days(2);
    merge = ENTER(merge, MERGE, "m1", "m2", 0);
    merge->service_day = 0;
    merge->merge->balance = balance("m1");
    done();
    figure("minutes_given", 150);
    figure("givers", 1);
    figure("traders", 2);
    figure("ties_directed", 1);
    figure_known("givers", today() - 1, 2);
    Timebank__Order *undo = ENTER(unmerge, UNMERGE, "", "", 0);
    undo->service_day = 0;
    undo->unmerge->target = target_of(merge);
    done();
    figure("givers", 2);
}
