/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of vouchers, one sentence each. Each test ends with the laws, with the pendings of
 * vouchers adding up to the balance of `vouchers`, and with a replay from the start.
 */
#include "books.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "daemon/rules.h"
#include "proto/voucher.h"

static uint8_t secret[SSHSIG_SECRET_BYTES], other_secret[SSHSIG_SECRET_BYTES];

static int add_minutes(void *user, uint64_t entry) {
    uint8_t key[8];
    be64_put(key, entry);
    const struct state_pending *pending =
        state_get(books_state, STATE_PENDINGS, key, sizeof(key), NULL);
    if (pending->what == PENDING_VOUCHERS)
        *(uint64_t *)user += pending->minutes;
    return 0;
}

static void close_books(void) {
    uint64_t minutes = 0;
    cr_assert(state_due_each(books_state, add_minutes, &minutes) == 0);
    cr_assert((int64_t)minutes == balance("vouchers"), "%llu minutes wait, vouchers holds %lld",
              (unsigned long long)minutes, (long long)balance("vouchers"));
    books_close();
}

static Timebank__Order *set_key(const uint8_t *public) {
    Timebank__Order *order = ENTER(set_voucher_key, SET_VOUCHER_KEY, "", "", 0);
    order->set_voucher_key->key = keep_bytes(public, SSHSIG_PUBLIC_BYTES);
    return order;
}

static void open_bare(void) {
    uint8_t seed[32] = "seed of the key for vouchers", public[32];
    books_open();
    crypto_sign_seed_keypair(public, secret, seed);
    seed[0] ^= 1;
    crypto_sign_seed_keypair(public, other_secret, seed);
}

static void open_books(void) {
    open_bare();
    as("steward");
    open_account("gym", TIMEBANK__ACCOUNT_KIND__VENUE);
    grant_key("gym-key", TIMEBANK__ROLE__ROLE_VENUE, "gym");
    set_key(secret + 32);
    done();
    as("broker");
}

TestSuite(voucher_key, .timeout = 30, .init = open_bare, .fini = close_books);
TestSuite(voucher_rules, .timeout = 30, .init = open_books, .fini = close_books);

/* ---- what is entered */

#define LAST_DAY (on("2025-06-30"))

static Timebank__Order *mint(const char *from, uint64_t first, uint32_t count, uint64_t each) {
    Timebank__Order *order = ENTER(mint_vouchers, MINT_VOUCHERS, from, "vouchers", count * each);
    order->mint_vouchers->first_serial = first;
    order->mint_vouchers->count = count;
    order->mint_vouchers->each_minutes = each;
    order->mint_vouchers->expires_day = LAST_DAY;
    return order;
}

/* What m1 paid for: numbers 1 to 5, of an hour. */
static Timebank__Order *mint_five(void) {
    Timebank__Order *order = mint("m1", 1, 5, 60);
    done();
    return order;
}

static struct voucher terms(uint64_t serial) {
    return (struct voucher){.serial = serial,
                            .ledger_tag = (uint32_t)books_state->sums.ledger_tag,
                            .minutes = 60,
                            .expires_day = LAST_DAY};
}

static Timebank__Order *redeem_as(struct voucher voucher, const uint8_t *key, const char *to) {
    uint8_t claims[VOUCHER_CLAIMS_BYTES], signature[SSHSIG_SIGNATURE_BYTES];
    Timebank__Order *order = ENTER(redeem_voucher, REDEEM_VOUCHER, "vouchers", to, voucher.minutes);
    voucher_pack(&voucher, claims);
    cr_assert(voucher_sign(claims, key, signature) == 0);
    order->redeem_voucher->claims = keep_bytes(claims, sizeof(claims));
    order->redeem_voucher->signature = keep_bytes(signature, sizeof(signature));
    return order;
}

static Timebank__Order *redeem_voucher(uint64_t serial, const char *to) {
    return redeem_as(terms(serial), secret, to);
}

static Timebank__Order *offline(Timebank__Order *order, uint32_t day) {
    order->redeem_voucher->offline = true;
    return on_day(order, day);
}

static Timebank__Order *void_vouchers(uint64_t first, uint32_t count, const char *to,
                                      uint64_t minutes) {
    Timebank__Order *order = ENTER(void_vouchers, VOID_VOUCHERS, "vouchers", to, minutes);
    order->void_vouchers->first_serial = first;
    order->void_vouchers->count = count;
    return order;
}

static Timebank__Order *reissue(uint64_t serial, uint64_t new_serial) {
    Timebank__Order *order = ENTER(reissue_voucher, REISSUE_VOUCHER, "", "", 0);
    order->reissue_voucher->serial = serial;
    order->reissue_voucher->new_serial = new_serial;
    return order;
}

static int standing(uint64_t serial) {
    uint8_t key[8];
    be64_put(key, serial);
    const struct state_voucher *voucher =
        state_get(books_state, STATE_VOUCHERS, key, sizeof(key), NULL);
    cr_assert(voucher, "no voucher %llu", (unsigned long long)serial);
    return voucher->standing;
}

/* ---- the key */

Test(voucher_key, is_set_by_a_steward_only) {
    set_key(secret + 32);
    refused(NO_AUTHORITY);
    as("steward");
    set_key(secret + 32);
    done();
    set_key(secret + 32);
    refused(KEY_GRANTED);
    set_key(key_of("broker"));
    refused(KEY_GRANTED);
    set_key((const uint8_t[32]){1});
    refused(BAD_KEY);
}

Test(voucher_key, is_there_before_anything_is_minted) {
    mint("m1", 1, 5, 60);
    refused(NO_VOUCHER_KEY);
    redeem_voucher(1, "swim");
    refused(VOUCHER_NOT_GENUINE);
}

Test(voucher_key, of_before_goes_on_being_good) {
    as("steward");
    set_key(secret + 32);
    done();
    as("broker");
    mint_five();
    as("steward");
    set_key(other_secret + 32);
    done();
    as("broker");
    redeem_voucher(1, "swim");
    done();
    redeem_as(terms(2), other_secret, "swim");
    done();
}

/* ---- mint */

Test(voucher_rules, mint_takes_the_credits_of_all_from_who_pays) {
    mint_five();
    cr_assert_eq(balance("m1"), -300);
    cr_assert_eq(balance("vouchers"), 300);
    mint("issued", 6, 1000, 15);
    done();
    cr_assert_eq(balance("issued"), -15000);
    cr_assert_eq(books_state->sums.next_serial, 1006);
    cr_assert_eq(standing(1005), VOUCHER_OPEN);
}

Test(voucher_rules, mint_goes_on_with_the_next_number) {
    mint_five();
    mint("m1", 5, 1, 60);
    refused(VOUCHER_SERIAL);
    says("number 6");
    mint("m1", 7, 1, 60);
    refused(VOUCHER_SERIAL);
    mint("m1", 6, 1, 60);
    done();
}

Test(voucher_rules, mint_keeps_to_its_limits) {
    mint("m1", 1, 0, 60);
    refused(ZERO);
    mint("m1", 1, 1001, 15);
    refused(BAD_NUMBER);
    mint("m1", 1, 2, 50);
    refused(NOT_IN_QUANTUM);
    mint("m1", 1, 3, 20); /* an hour together */
    refused(NOT_IN_QUANTUM);
    mint("issued", 1, 1, 65535 + 15 - 65535 % 15);
    refused(TOO_LONG);
    mint("m1", 1, 2, 60)->minutes = 60;
    refused(NOT_CANONICAL);
    mint("m1", 1, 21, 60);
    refused(BELOW_FLOOR);
    mint("chest", 1, 1, 60);
    refused(CHEST_EMPTY);
    as("m1-key");
    mint("m1", 1, 1, 60);
    refused(NO_AUTHORITY);
}

Test(voucher_rules, mint_wants_days_on_which_a_voucher_is_good) {
    mint("m1", 1, 1, 60)->mint_vouchers->expires_day = today() - 1;
    refused(BAD_DATE);
    mint("m1", 1, 1, 60)->mint_vouchers->expires_day = 0;
    refused(BAD_DATE);
    mint("m1", 1, 1, 60)->mint_vouchers->from_day = LAST_DAY + 1;
    refused(BAD_DATE);
    mint("m1", 1, 1, 60)->mint_vouchers->expires_day = today() + 366;
    refused(BAD_DATE);
    says("365 days");
    mint("m1", 1, 1, 60)->mint_vouchers->expires_day = today();
    done();
}

Test(voucher_rules, mint_binds_to_a_venue_only) {
    mint("m1", 1, 1, 60)->mint_vouchers->venue = "m2";
    refused(NO_SUCH_ACCOUNT);
    mint("m1", 1, 1, 60)->mint_vouchers->venue = "nowhere";
    refused(NO_SUCH_ACCOUNT);
    close_account("gym");
    done();
    mint("m1", 1, 1, 60)->mint_vouchers->venue = "gym";
    refused(CLOSED);
}

Test(voucher_rules, mint_is_made_void_and_not_reversed) {
    Timebank__Order *minted = mint_five();
    reverse(minted, 0);
    refused(NOT_REVERSIBLE);
}

static Timebank__Order *approve(const Timebank__Order *target) {
    Timebank__Order *order = ENTER(approve, APPROVE, "", "", 0);
    order->approve->target = target_of(target);
    order->approve->quote = quote_of(target);
    return order;
}

Test(voucher_rules, mint_above_a_set_size_waits_for_a_second_broker) {
    as("steward");
    grant_key("second", TIMEBANK__ROLE__BROKER, "");
    set_policy("second-person-above", "120");
    done();
    as("broker");
    mint("m1", 1, 5, 60);
    refused(NEEDS_SECOND_PERSON);
    Timebank__Order *minted = mint("m1", 1, 5, 60);
    minted->proposal = true;
    warned(WAITS);
    cr_assert_eq(balance("vouchers"), 0);
    redeem_voucher(1, "swim");
    refused(VOUCHER_UNKNOWN);
    as("second");
    approve(minted);
    done();
    cr_assert_eq(balance("vouchers"), 300);
    redeem_voucher(1, "swim");
    done();
    wait_days(200);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(balance("m1"), -60);
    cr_assert_eq(standing(5), VOUCHER_EXPIRED);
    cr_assert(memcmp(event_before(0)->follows, minted->id.data, ORDER_ID_BYTES) == 0);
}

Test(voucher_rules, mint_that_waited_too_long_has_to_be_entered_again) {
    as("steward");
    grant_key("second", TIMEBANK__ROLE__BROKER, "");
    set_policy("second-person-above", "120");
    done();
    as("broker");
    Timebank__Order *minted = mint("m1", 1, 5, 60);
    minted->proposal = true;
    warned(WAITS);
    mint("m1", 1, 1, 60); /* takes the number */
    done();
    as("second");
    approve(minted);
    refused(VOUCHER_SERIAL);
}

/* ---- redeem */

Test(voucher_rules, redeem_moves_the_vouchers_credits_to_the_venue_once) {
    mint_five();
    as("swim-key");
    redeem_voucher(3, "swim");
    done();
    cr_assert_eq(balance("swim"), 60);
    cr_assert_eq(balance("vouchers"), 240);
    cr_assert_eq(standing(3), VOUCHER_USED);
    redeem_voucher(3, "swim");
    refused(VOUCHER_USED);
    as("gym-key");
    redeem_voucher(3, "gym");
    refused(VOUCHER_USED);
    as("broker");
    redeem_voucher(3, "gym");
    refused(VOUCHER_USED);
    says("Voucher 3 was used before");
}

Test(voucher_rules, redeem_by_a_venues_key_goes_to_its_own_account_only) {
    mint_five();
    as("swim-key");
    redeem_voucher(1, "gym");
    refused(NO_AUTHORITY);
    as("m1-key");
    redeem_voucher(1, "m1");
    refused(NO_AUTHORITY);
    as("broker");
    redeem_voucher(1, "gym");
    done();
}

Test(voucher_rules, redeem_by_a_broker_may_go_to_a_member) {
    mint_five();
    redeem_voucher(1, "m2");
    done();
    cr_assert_eq(balance("m2"), 60);
    redeem_voucher(2, "food-bank");
    refused(WRONG_KIND);
    offline(redeem_voucher(2, "m2"), today());
    refused(WRONG_KIND);
}

Test(voucher_rules, redeem_tells_what_is_not_genuine_from_what_was_never_issued) {
    mint_five();
    redeem_as(terms(1), other_secret, "swim");
    refused(VOUCHER_NOT_GENUINE);
    redeem_voucher(6, "swim");
    refused(VOUCHER_UNKNOWN);
    struct voucher another = terms(1);
    another.minutes = 120;
    redeem_as(another, secret, "swim");
    refused(VOUCHER_NOT_GENUINE);
    another = terms(1);
    another.expires_day++;
    redeem_as(another, secret, "swim");
    refused(VOUCHER_NOT_GENUINE);
    another = terms(1);
    another.ledger_tag++;
    redeem_as(another, secret, "swim");
    refused(VOUCHER_NOT_GENUINE);
    redeem_voucher(1, "swim")->minutes = 120;
    refused(NOT_CANONICAL);
}

Test(voucher_rules, redeem_refuses_every_flip_of_one_bit) {
    mint_five();
    size_t n_refused = 0;
    for (size_t bit = 0; bit < VOUCHER_BYTES * 8; bit++) {
        Timebank__Order *order = redeem_voucher(1, "swim");
        ProtobufCBinaryData *bytes = bit < VOUCHER_CLAIMS_BYTES * 8
                                         ? &order->redeem_voucher->claims
                                         : &order->redeem_voucher->signature;
        size_t at = bit < VOUCHER_CLAIMS_BYTES * 8 ? bit : bit - VOUCHER_CLAIMS_BYTES * 8;
        bytes->data[at / 8] ^= (uint8_t)(1u << at % 8);
        cr_assert(submit() == 1 && books_notes[0].number == REFUSAL_VOUCHER_NOT_GENUINE);
        n_refused++;
    }
    cr_assert_eq(n_refused, 688);
    redeem_voucher(1, "swim");
    done();
}

Test(voucher_rules, redeem_keeps_to_the_place_and_the_days) {
    struct voucher voucher = terms(1);
    Timebank__Order *order = mint("m1", 1, 1, 60);
    order->mint_vouchers->venue = "swim";
    order->mint_vouchers->from_day = voucher.from_day = today() + 2;
    voucher.venue = (uint32_t)account_of("swim")->number + 1;
    done();
    redeem_as(voucher, secret, "gym");
    refused(VOUCHER_OTHER_PLACE);
    redeem_as(voucher, secret, "m2");
    refused(VOUCHER_OTHER_PLACE);
    redeem_as(voucher, secret, "swim");
    refused(VOUCHER_NOT_YET);
    says("2025-03-07");
    wait_days(2);
    redeem_as(voucher, secret, "swim");
    done();
}

Test(voucher_rules, redeem_is_refused_after_the_last_day) {
    mint_five();
    wait_days(LAST_DAY - today());
    redeem_voucher(1, "swim");
    done();
    wait_days(1);
    redeem_voucher(2, "swim");
    refused(VOUCHER_EXPIRED);
    says("2025-06-30");
    on_day(redeem_voucher(2, "swim"), LAST_DAY); /* an earlier date of service changes nothing */
    refused(VOUCHER_EXPIRED);
}

Test(voucher_rules, redeem_names_an_offer_of_the_venue) {
    mint_five();
    Timebank__Order *order = redeem_voucher(1, "swim");
    order->redeem_voucher->offer = "sauna";
    refused(UNKNOWN_OFFER);
    order = redeem_voucher(1, "swim");
    order->redeem_voucher->offer = "swim";
    order->redeem_voucher->adults = 1;
    done();
}

Test(voucher_rules, redeem_keeps_to_the_offers_rules_unless_it_has_happened) {
    mint_five();
    set_offer("swim", "swim", 60)->set_offer->party_max = 2;
    done();
    Timebank__Order *order = redeem_voucher(1, "swim");
    order->redeem_voucher->offer = "swim";
    order->redeem_voucher->adults = 3;
    refused(PARTY_TOO_LARGE);
    order = offline(redeem_voucher(1, "swim"), today());
    order->redeem_voucher->offer = "swim";
    order->redeem_voucher->adults = 3;
    warned(VENUE_RULE);
}

Test(voucher_rules, redeem_counts_as_a_use_of_the_offer_until_it_is_taken_back) {
    int r = 0;
    mint_five();
    Timebank__Order *order = redeem_voucher(1, "swim");
    order->redeem_voucher->offer = "swim";
    order->redeem_voucher->adults = 2;
    redeem_voucher(2, "swim"); /* for the same visit */
    done();
    struct state_offer_sum sum =
        rules_offer_sum(books_state, OFFER_MONTH, "swim", "swim", "", today(), &r);
    cr_assert(sum.minutes == 60 && sum.heads == 2 && sum.times == 1);
    sum = rules_offer_sum(books_state, OFFER_MONTH, "swim", "", "", today(), &r);
    cr_assert(sum.minutes == 60 && sum.heads == 0);
    reverse(order, 0);
    done();
    sum = rules_offer_sum(books_state, OFFER_MONTH, "swim", "swim", "", today(), &r);
    cr_assert(sum.minutes == 0 && sum.heads == 0);
}

Test(voucher_rules, redeem_keeps_to_the_venues_cap) {
    mint_five();
    as("steward");
    set_policy("venue-cap-day", "120");
    done();
    as("swim-key");
    Timebank__Order *last = NULL;
    redeem_voucher(1, "swim");
    last = redeem_voucher(2, "swim");
    done();
    redeem_voucher(3, "swim");
    refused(CAP);
    reverse(last, 0);
    done();
    redeem_voucher(3, "swim");
    done();
}

Test(voucher_rules, redeem_goes_on_when_the_quantum_was_raised) {
    mint("m1", 1, 1, 15);
    done();
    as("steward");
    set_policy("quantum", "60");
    done();
    as("broker");
    struct voucher voucher = terms(1);
    voucher.minutes = 15;
    redeem_as(voucher, secret, "swim");
    done();
}

/* ---- taken without asking */

Test(voucher_rules, offline_is_judged_by_the_day_it_was_taken) {
    mint_five();
    wait_days(LAST_DAY - today() + 10);
    as("swim-key");
    redeem_voucher(1, "swim");
    refused(VOUCHER_EXPIRED);
    offline(redeem_voucher(1, "swim"), LAST_DAY + 1);
    refused(VOUCHER_EXPIRED);
    offline(redeem_voucher(1, "swim"), LAST_DAY);
    done();
    cr_assert_eq(balance("swim"), 60);
}

Test(voucher_rules, offline_is_too_late_after_the_time_of_grace) {
    mint_five();
    wait_days(LAST_DAY - today() + 14);
    offline(redeem_voucher(1, "swim"), LAST_DAY);
    done();
    wait_days(1);
    cr_assert_eq(books_run_due(), 1);
    offline(redeem_voucher(2, "swim"), LAST_DAY);
    refused(VOUCHER_EXPIRED);
    cr_assert_eq(standing(2), VOUCHER_EXPIRED);
}

Test(voucher_rules, offline_a_second_time_is_a_conflict_that_moves_nothing) {
    mint_five();
    as("swim-key");
    offline(redeem_voucher(1, "swim"), today());
    done();
    as("gym-key");
    offline(redeem_voucher(1, "gym"), today());
    warned(VOUCHER_CONFLICT);
    cr_assert_eq(balance("gym"), 0);
    cr_assert_eq(balance("swim"), 60);
    cr_assert_eq(balance("vouchers"), 240);
    redeem_voucher(1, "gym");
    refused(VOUCHER_USED);
}

Test(voucher_rules, offline_twice_at_one_place_is_no_conflict) {
    mint_five();
    as("swim-key");
    offline(redeem_voucher(1, "swim"), today());
    done();
    offline(redeem_voucher(1, "swim"), today());
    refused(VOUCHER_USED);
}

Test(voucher_rules, offline_before_it_was_made_void_is_a_conflict) {
    mint_five();
    wait_days(3);
    void_vouchers(1, 1, "m1", 60);
    done();
    wait_days(2);
    as("swim-key");
    offline(redeem_voucher(1, "swim"), today());
    refused(VOUCHER_VOID);
    offline(redeem_voucher(1, "swim"), today() - 3);
    warned(VOUCHER_CONFLICT);
    cr_assert_eq(balance("swim"), 0);
}

/* By a counter that lost its list, or a venue that would be paid for each. */
Test(voucher_rules, is_a_conflict_once_at_one_place) {
    Timebank__Order *second;
    mint_five();
    offline(redeem_voucher(1, "swim"), today());
    second = offline(redeem_voucher(1, "gym"), today());
    warned(VOUCHER_CONFLICT);
    as("gym-key");
    offline(redeem_voucher(1, "gym"), today());
    refused(VOUCHER_USED);
    as("broker");
    with_why(ENTER(decide, DECIDE, "", "", 0), 0)->decide->target = target_of(second);
    void_vouchers(2, 2, "m1", 120);
    done();
    offline(redeem_voucher(1, "gym"), today());
    refused(VOUCHER_USED);
    as("swim-key");
    for (uint64_t serial = 2; serial <= 3; serial++) {
        offline(redeem_voucher(serial, "swim"), today());
        warned(VOUCHER_CONFLICT);
        offline(redeem_voucher(serial, "swim"), today());
        refused(VOUCHER_VOID);
    }
}

Test(voucher_rules, a_conflict_is_not_reversed) {
    mint_five();
    offline(redeem_voucher(1, "swim"), today());
    Timebank__Order *second = offline(redeem_voucher(1, "gym"), today());
    warned(VOUCHER_CONFLICT);
    reverse(second, 0);
    refused(NOT_REVERSIBLE);
    says("timebank decide");
}

static Timebank__Order *decide(const Timebank__Order *target, uint64_t minutes) {
    Timebank__Order *order = ENTER(decide, DECIDE, "", "", minutes);
    order->decide->target = target_of(target);
    return with_why(order, 0);
}

static Timebank__Order *conflict(void) {
    mint_five();
    offline(redeem_voucher(1, "swim"), today());
    Timebank__Order *second = offline(redeem_voucher(1, "gym"), today());
    warned(VOUCHER_CONFLICT);
    donate("m2", 120);
    done();
    return second;
}

Test(voucher_rules, a_conflict_is_settled_by_what_the_chest_pays) {
    Timebank__Order *second = conflict();
    decide(second, 90);
    refused(MORE_THAN_REMAINS);
    decide(second, 60);
    done();
    cr_assert_eq(balance("gym"), 60);
    cr_assert_eq(balance("chest"), 60);
    cr_assert_eq(balance("vouchers"), 240);
    decide(second, 60);
    refused(NOT_DISPUTED);
    reverse(second, 0);
    refused(NOT_REVERSIBLE);
}

Test(voucher_rules, a_conflict_may_be_settled_by_paying_nothing) {
    Timebank__Order *second = conflict();
    as("gym-key");
    decide(second, 0);
    refused(NO_AUTHORITY);
    as("broker");
    decide(second, 0);
    done();
    cr_assert_eq(balance("gym"), 0);
    cr_assert_eq(balance("chest"), 120);
    decide(second, 60);
    refused(NOT_DISPUTED);
}

Test(voucher_rules, a_conflict_with_a_place_that_closed_is_settled_by_nothing) {
    Timebank__Order *second = conflict();
    close_account("gym");
    done();
    decide(second, 60);
    refused(CLOSED);
    decide(second, 0);
    done();
}

/* ---- taken back */

Test(voucher_rules, a_redemption_taken_back_makes_the_voucher_good_again) {
    mint_five();
    as("swim-key");
    Timebank__Order *taken = redeem_voucher(1, "swim");
    done();
    wait_minutes(10);
    reverse(taken, 0);
    done();
    cr_assert_eq(balance("swim"), 0);
    cr_assert_eq(balance("vouchers"), 300);
    cr_assert_eq(standing(1), VOUCHER_OPEN);
    as("gym-key");
    redeem_voucher(1, "gym");
    done();
}

Test(voucher_rules, a_redemption_is_taken_back_whole) {
    mint_five();
    Timebank__Order *taken = redeem_voucher(1, "swim");
    done();
    reverse(taken, 30);
    refused(MORE_THAN_REMAINS);
    says("whole");
}

Test(voucher_rules, the_last_of_a_mint_taken_back_waits_again) {
    mint("m1", 1, 1, 60);
    done();
    Timebank__Order *taken = redeem_voucher(1, "swim");
    done();
    books_write_behind();
    reverse(taken, 0);
    done();
    wait_days(LAST_DAY - today() + 15);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(balance("m1"), 0);
}

Test(voucher_rules, a_redemption_taken_back_after_the_time_of_grace_expires_at_once) {
    mint_five();
    Timebank__Order *taken = redeem_voucher(1, "swim");
    done();
    wait_days(LAST_DAY - today() + 20);
    reverse(taken, 0);
    done();
    cr_assert_eq(balance("m1"), -60);
    cr_assert_eq(balance("vouchers"), 60);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(standing(1), VOUCHER_EXPIRED);
}

/* ---- void and reissue */

Test(voucher_rules, void_gives_back_to_who_paid) {
    mint_five();
    void_vouchers(2, 3, "m1", 180);
    done();
    cr_assert_eq(balance("m1"), -120);
    cr_assert_eq(standing(3), VOUCHER_VOID);
    redeem_voucher(3, "swim");
    refused(VOUCHER_VOID);
    as("swim-key");
    redeem_voucher(3, "swim");
    refused(VOUCHER_VOID);
}

Test(voucher_rules, void_names_what_stands_in_its_way) {
    mint_five();
    mint("m2", 6, 1, 60);
    done();
    redeem_voucher(3, "swim");
    done();
    void_vouchers(1, 5, "m1", 300);
    refused(VOUCHER_USED);
    says("Voucher 3");
    void_vouchers(4, 3, "m1", 180);
    refused(VOUCHER_SERIAL);
    says("Voucher 6");
    void_vouchers(6, 2, "m2", 120);
    refused(VOUCHER_UNKNOWN);
    void_vouchers(4, 1, "m2", 60);
    refused(WRONG_KIND);
    says("m1");
    void_vouchers(4, 1, "m1", 120);
    refused(NOT_CANONICAL);
    void_vouchers(4, 0, "m1", 60);
    refused(BAD_NUMBER);
    void_vouchers(4, 1, "m1", 60);
    done();
    void_vouchers(4, 1, "m1", 60);
    refused(VOUCHER_VOID);
}

Test(voucher_rules, void_for_an_account_that_closed_goes_to_the_chest) {
    exchange("m3", "m2", 300);
    done();
    mint("m2", 1, 5, 60);
    done();
    close_account("m2");
    done();
    void_vouchers(1, 5, "m2", 300);
    refused(CLOSED);
    void_vouchers(1, 5, "chest", 300);
    done();
    cr_assert_eq(balance("chest"), 300);
}

Test(voucher_rules, reissue_ends_a_lost_voucher_and_moves_nothing) {
    mint_five();
    reissue(2, 5);
    refused(VOUCHER_SERIAL);
    reissue(2, 6);
    done();
    cr_assert_eq(balance("vouchers"), 300);
    redeem_voucher(2, "swim");
    refused(VOUCHER_VOID);
    redeem_voucher(6, "swim");
    done();
    reissue(6, 7);
    refused(VOUCHER_USED);
    reissue(2, 7);
    refused(VOUCHER_VOID);
    reissue(9, 7);
    refused(VOUCHER_UNKNOWN);
}

/* ---- what was never used */

Test(voucher_rules, expired_credits_go_back_to_who_paid) {
    Timebank__Order *minted = mint_five();
    redeem_voucher(1, "swim");
    done();
    wait_days(LAST_DAY - today() + 14);
    cr_assert_eq(books_run_due(), 0);
    wait_days(1);
    cr_assert_eq(books_run_due(), 1);
    const struct books_event *event = event_before(0);
    cr_assert_eq(event->kind, TIMEBANK__EVENT_KIND__VOUCHERS_EXPIRED);
    cr_assert_eq(event->minutes, 240);
    cr_assert(memcmp(event->follows, minted->id.data, ORDER_ID_BYTES) == 0);
    cr_assert_eq(event->time_ms, ((uint64_t)LAST_DAY + 15) * MS_PER_DAY);
    cr_assert_eq(balance("m1"), -60);
    cr_assert_eq(standing(1), VOUCHER_USED);
    cr_assert_eq(standing(2), VOUCHER_EXPIRED);
    void_vouchers(2, 1, "m1", 60);
    refused(VOUCHER_EXPIRED);
    redeem_voucher(2, "swim");
    refused(VOUCHER_EXPIRED);
}

Test(voucher_rules, expired_credits_are_lost_where_the_scheme_says_so) {
    mint_five();
    as("steward");
    set_policy("voucher-lapse", "expire");
    done();
    wait_days(200);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(balance("expired"), 300);
    cr_assert_eq(balance("m1"), -300);
}

Test(voucher_rules, a_reissued_voucher_expires_by_itself) {
    mint_five();
    reissue(2, 6);
    done();
    books_write_behind();
    wait_days(200);
    cr_assert_eq(books_run_due(), 2);
    cr_assert_eq(balance("m1"), 0);
    cr_assert_eq(standing(2), VOUCHER_VOID);
    cr_assert_eq(standing(6), VOUCHER_EXPIRED);
}

Test(voucher_rules, nothing_expires_of_what_was_all_used) {
    mint("m1", 1, 1, 60);
    done();
    redeem_voucher(1, "swim");
    done();
    wait_days(200);
    cr_assert_eq(books_run_due(), 0);
}

Test(voucher_rules, expired_credits_come_back_past_a_ceiling_and_to_the_frozen) {
    mint_five();
    set_limit("m1", NULL, &(int64_t){0});
    freeze("m1");
    done();
    exchange("m2", "m3", 60);
    done();
    wait_days(200);
    cr_assert_eq(books_run_due(), 1);
    cr_assert_eq(balance("m1"), 0);
}

/* Each mint is read back from the log as the venue ends. */
Test(voucher_rules, of_however_many_mints_do_not_stand_in_the_way_of_a_venue_that_ends) {
    for (uint64_t serial = 1; serial <= 1500; serial++) {
        mint("issued", serial, 1, 60)->mint_vouchers->venue = "gym";
        if (serial % BOOKS_PENDING_MAX == 0 || serial == 1500)
            done();
    }
    Timebank__Order *order = ENTER(settle, SETTLE, "gym", "retired", 0);
    order->settle->as = TIMEBANK__SETTLE_AS__ENDED;
    warned(VOUCHERS_LEFT);
    says("Vouchers of 1500 h are good at gym only");
}
