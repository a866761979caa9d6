/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger whose own key is changed: who signs which head, what becomes of the files, and what no
 * order can make of it. And keys of authors that come and go: rights go by the place in the log. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "harness.h"
#include "proto/rotation.h"

#define ROTATE TIMEBANK__ORDER__KIND_ROTATE_KEY

TestSuite(rotation, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

static char *path_of(const char *name) {
    static char paths[4][128];
    static unsigned i;
    char *path = paths[i++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", story.directory, name);
    return path;
}

static bool has(const char *name) {
    return access(path_of(name), F_OK) == 0;
}

/* As the daemon does after each group, and now and then. */
static void step(void) {
    cr_assert(bank_keys_step(story.bank) == 0);
    if (story.bank->log && log_fd(story.bank->log) >= 0)
        cr_assert(log_collect(story.bank->log) == 0);
    cr_assert(bank_keys_step(story.bank) == 0);
}

static Timebank__RotateKey *next_key(void) {
    const Timebank__Response *response =
        ask(STEWARD, request_new(TIMEBANK__REQUEST__BODY_NEXT_KEY));

    cr_assert(response->body_case == TIMEBANK__RESPONSE__BODY_NEXT_KEY, "%s", response_words());
    return response->next_key;
}

static Timebank__Order *rotation(uint32_t overlap_days) {
    Timebank__Order *order = order_new(ROTATE);

    *order->rotate_key = *next_key();
    order->rotate_key->overlap_days = overlap_days;
    return order;
}

static struct note_verifier verifier_of(const Timebank__Order *order) {
    struct note_verifier verifier;

    cr_assert(note_verifier_init(&verifier, story.verifier.name, order->rotate_key->key.data) == 0);
    return verifier;
}

static bool signs_now(const struct note_verifier *verifier) {
    struct note_head head;
    size_t n;
    const char *text = log_checkpoint(story.bank->log, &n);

    return note_checkpoint_open(text, n, verifier, &head) == 0;
}

static bool names(const struct note_verifier *verifier) {
    struct note_verifier named;

    return note_verifier_parse(&named, story.bank->verifier_key) == 0 &&
           memcmp(named.key, verifier->key, NOTE_KEY_BYTES) == 0;
}

Test(rotation, has_heads_signed_by_both_keys_until_the_overlap_is_over) {
    struct note_verifier old_key = story.verifier, new_key;
    Timebank__Order *order = rotation(10);

    new_key = verifier_of(order);
    cr_assert(signs_now(&old_key) && !signs_now(&new_key) && has("ledger.key.next"));
    recorded(STEWARD, order);
    cr_assert(signs_now(&old_key) && signs_now(&new_key));
    step();
    cr_assert(!has("ledger.key.next") && has("ledger.key.old") && has("ledger.key"));
    time_passes(10 * DAY_MS - MINUTE_MS);
    m7_helps("m12", 30);
    cr_assert(signs_now(&old_key) && signs_now(&new_key));
    story.verifier = new_key;
    time_passes(2 * MINUTE_MS);
    m7_helps("m30", 30);
    cr_assert(!signs_now(&old_key) && signs_now(&new_key));
    step();
    cr_assert(!has("ledger.key.old"), "the old key is destroyed");
    bank_restart();
    m7_helps("m30", 45);
    cr_assert(!signs_now(&old_key) && signs_now(&new_key));
}

Test(rotation, ends_the_overlap_though_nobody_records_anything) {
    struct note_verifier old_key = story.verifier;
    Timebank__Order *order = rotation(1);

    recorded(STEWARD, order);
    step();
    story.verifier = verifier_of(order);
    time_passes(2 * DAY_MS);
    step();
    cr_assert(!signs_now(&old_key) && signs_now(&story.verifier) && !has("ledger.key.old"));
}

Test(rotation, changes_at_once_where_there_is_no_overlap) {
    struct note_verifier old_key = story.verifier;
    Timebank__Order *order = rotation(0);

    story.verifier = verifier_of(order);
    recorded(STEWARD, order);
    cr_assert(!signs_now(&old_key) && signs_now(&story.verifier));
    step();
    cr_assert(has("ledger.key") && !has("ledger.key.old") && !has("ledger.key.next"));
    bank_restart();
    cr_assert(names(&story.verifier), "the bank names %s", story.bank->verifier_key);
    m7_helps("m12", 30);
}

Test(rotation, gives_the_same_next_key_until_it_is_in_use) {
    Timebank__RotateKey *first = next_key(), *second;

    bank_restart();
    second = next_key();
    cr_assert(memcmp(first->key.data, second->key.data, NOTE_KEY_BYTES) == 0);
    recorded(STEWARD, rotation(5));
    ask(STEWARD, request_new(TIMEBANK__REQUEST__BODY_NEXT_KEY));
    expect_refused(TRY_LATER);
    step();
    second = next_key();
    cr_assert(memcmp(first->key.data, second->key.data, NOTE_KEY_BYTES) != 0);
}

Test(rotation, makes_another_next_key_where_the_file_cannot_be_read) {
    Timebank__RotateKey *first = next_key();

    bank_stop();
    cr_assert(file_replace(path_of("ledger.key.next"), 0600, "half", 4) == 0);
    bank_restart();
    cr_assert(memcmp(first->key.data, next_key()->key.data, NOTE_KEY_BYTES) != 0);
    recorded(STEWARD, rotation(5));
}

static void refuse_field(Timebank__Order *order, const char *field) {
    struct hash before = bank_print();

    submit(STEWARD, order);
    expect_refused_(0, REFUSAL_BAD_ROTATION, field, __FILE__, __LINE__);
    expect_nothing_written(before);
}

Test(rotation, refuses_what_either_key_did_not_sign) {
    for (int i = 0; i < 2; i++) {
        Timebank__Order *order = rotation(3);
        ProtobufCBinaryData *signature =
            i == 0 ? &order->rotate_key->by_old : &order->rotate_key->by_new;
        uint8_t *changed = arena_alloc(&story.arena, 64);
        memcpy(changed, signature->data, 64);
        changed[20] ^= 4;
        signature->data = changed;
        refuse_field(order, i == 0 ? "by_old" : "by_new");
        order = rotation(3);
        signature = i == 0 ? &order->rotate_key->by_old : &order->rotate_key->by_new;
        *signature = (ProtobufCBinaryData){0};
        refuse_field(order, i == 0 ? "by_old" : "by_new");
    }
}

Test(rotation, refuses_a_key_that_the_daemon_does_not_hold) {
    Timebank__Order *order = rotation(3);
    uint8_t secret[SSHSIG_SECRET_BYTES];
    struct rotation link = {.ledger_id = *log_ledger_id(story.bank->log)};

    sshsig_secret_new(secret);
    memcpy(link.new_key, secret + 32, NOTE_KEY_BYTES);
    order->rotate_key->key.data = secret + 32;
    cr_assert(rotation_sign(&link, secret, order->rotate_key->by_new.data) == 0);
    refuse_field(order, "key");
}

Test(rotation, refuses_a_key_of_an_author_and_one_that_was_used) {
    Timebank__Order *order = rotation(3);
    Timebank__RotateKey now = *order->rotate_key;

    recorded(STEWARD, order_grant_key(now.key.data, TIMEBANK__ROLE__AUDITOR, ""));
    refuse_field(order, "key");
    order = rotation(3);
    order->rotate_key->key.data = story.verifier.key;
    refuse_field(order, "key");
}

Test(rotation, refuses_an_overlap_of_more_than_ten_years_and_any_but_stewards) {
    refuse_field(rotation(3651), "overlap_days");
    submit(BROKER, rotation(3));
    expect_refused(NO_AUTHORITY);
    ask(BROKER, request_new(TIMEBANK__REQUEST__BODY_NEXT_KEY));
    expect_refused(NO_AUTHORITY);
    recorded(STEWARD, rotation(3650));
}

Test(rotation, lets_a_later_change_end_the_overlap_of_the_one_before) {
    struct note_verifier first = story.verifier, second, third;
    Timebank__Order *order = rotation(100);

    second = verifier_of(order);
    recorded(STEWARD, order);
    step();
    order = rotation(100);
    third = verifier_of(order);
    story.verifier = second;
    recorded(STEWARD, order);
    cr_assert(!signs_now(&first) && signs_now(&second) && signs_now(&third));
    step();
    cr_assert(has("ledger.key.old") && !has("ledger.key.next"));
    bank_restart();
    m7_helps("m12", 30);
    cr_assert(signs_now(&second) && signs_now(&third));
}

Test(rotation, can_be_done_twenty_times) {
    for (int i = 0; i < ROTATION_MAX; i++) {
        Timebank__Order *order = rotation(0);
        story.verifier = verifier_of(order);
        recorded(STEWARD, order);
        step();
    }
    refuse_field(rotation(0), "key");
    bank_restart();
    m7_helps("m12", 30);
}

/* What a start finds after a crash anywhere in a change. */
Test(rotation, is_gone_on_with_after_a_crash_at_any_step) {
    Timebank__Order *order = rotation(10);

    bank_restart(); /* the next key is there, and no order names it */
    cr_assert(has("ledger.key.next"));
    recorded(STEWARD, order);
    story.verifier = verifier_of(order);
    bank_stop(); /* recorded, and no file has followed */
    cr_assert(has("ledger.key.next") && !has("ledger.key.old"));
    cr_assert(link(path_of("ledger.key"), path_of("ledger.key.old")) == 0);
    bank_restart(); /* linked, and not renamed */
    cr_assert(!has("ledger.key.next") && has("ledger.key.old"));
    cr_assert(signs_now(&story.verifier));
    m7_helps("m12", 30);
    bank_check();
}

Test(rotation, keeps_a_start_from_going_on_without_the_key) {
    char why[512] = "";
    Timebank__Order *order = rotation(10);

    recorded(STEWARD, order);
    story.verifier = verifier_of(order);
    bank_stop();
    cr_assert(rename(path_of("ledger.key.next"), path_of("away")) == 0);
    cr_assert(bank_try_open(why, sizeof(why)) == -ENOKEY && strstr(why, "ledger.key.next"), "%s",
              why);
    story.bank = NULL;
    cr_assert(rename(path_of("away"), path_of("ledger.key.next")) == 0);
    bank_restart();
    m7_helps("m12", 30);
}

/* ---- keys of authors */

Test(rotation, of_an_authors_key_takes_effect_after_the_batch_that_says_so) {
    struct parcel *parcel = parcel_new(STEWARD);

    parcel_put(parcel, order_grant_key(actor_key(STRANGER), TIMEBANK__ROLE__STEWARD, ""));
    parcel_put(parcel, order_revoke_key(actor_key(STEWARD)));
    parcel_put(parcel, order_set_policy("quantum", "5")); /* a key's rights hold for its batch */
    parcel_send(parcel);
    expect_recorded();
    submit(STEWARD, order_set_policy("quantum", "15"));
    expect_refused(REVOKED_KEY);
    recorded(STRANGER, order_set_policy("quantum", "15"));
    bank_restart();
    submit(STEWARD, order_set_policy("quantum", "5"));
    expect_refused(REVOKED_KEY);
}

Test(rotation, of_an_authors_key_gives_no_right_to_a_batch_of_its_own) {
    struct parcel *parcel = parcel_new(STRANGER);
    struct hash before = bank_print();

    parcel_put(parcel, order_grant_key(actor_key(STRANGER), TIMEBANK__ROLE__STEWARD, ""));
    parcel_send(parcel);
    expect_refused(UNKNOWN_KEY);
    expect_nothing_written(before);
}

Test(rotation, of_an_authors_key_lets_stand_what_it_signed_before) {
    struct parcel *parcel = submit(BROKER, order_helps("m7", "m12", 30));

    expect_recorded();
    recorded(STEWARD, order_revoke_key(actor_key(BROKER)));
    submit(BROKER, order_helps("m7", "m12", 45));
    expect_refused(REVOKED_KEY);
    parcel_send(parcel);
    cr_assert(response_answer() && response_answer()->already, "its first answer again");
    bank_check();
    expect_balance("m7", 30);
}
