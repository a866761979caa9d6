/* SPDX-License-Identifier: Apache-2.0 */
/* The genesis of a ledger that goes on from a backup: what it must name, and what it changes. */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "books.h"
#include "proto/note.h"

#define OLD "old.example/timebank"

static Timebank__Genesis genesis;
static uint8_t ledger_key[32], steward_key[32];
static ProtobufCBinaryData stewards[1];
static struct hash old_root;

static void fresh_key(uint8_t ret[32]) {
    uint8_t secret[64];

    cr_assert(crypto_sign_keypair(ret, secret) == 0);
}

/* A good one, for each test to spoil. */
static void open_books(void) {
    books_open();
    fresh_key(ledger_key);
    fresh_key(steward_key);
    old_root = hash_of("root", 4);
    stewards[0] = (ProtobufCBinaryData){32, steward_key};
    timebank__genesis__init(&genesis);
    genesis.format = 1;
    genesis.origin = "old.example/timebank/2";
    genesis.ledger_key = (ProtobufCBinaryData){32, ledger_key};
    genesis.steward_keys = stewards;
    genesis.n_steward_keys = 1;
    genesis.created_ms = books_state->sums.ledger_time_ms;
    genesis.old_origin = OLD;
    genesis.old_size = books_state->sums.size;
    genesis.old_root = (ProtobufCBinaryData){HASH_BYTES, old_root.b};
}

TestSuite(restore, .timeout = 10, .init = open_books, .fini = books_close);

static int judged(void) {
    struct state *above = state_new_above(books_state);
    struct hash root = hash_of("root", 4);
    int r;

    cr_assert(above);
    r = ledger_restore(above, &genesis, OLD, &root);
    state_free(above);
    return r;
}

Test(restore, keeps_accounts_and_keys_and_adds_its_stewards) {
    struct state *above = state_new_above(books_state);
    uint64_t size = books_state->sums.size;
    struct ledger_author author;

    cr_assert(above && ledger_restore(above, &genesis, OLD, &old_root) == 0);
    cr_assert(above->sums.size == size + 1 && above->sums.genesis == size);
    cr_assert(above->sums.n_accounts == books_state->sums.n_accounts);
    cr_assert(above->sums.ledger_tag == books_state->sums.ledger_tag);
    cr_assert(ledger_author(above, steward_key, &author) == 0);
    cr_assert(author.role == TIMEBANK__ROLE__STEWARD);
    cr_assert(ledger_author(above, key_of("broker"), &author) == 0);
    cr_assert(author.role == TIMEBANK__ROLE__BROKER);
    state_free(above);
}

Test(restore, names_exactly_what_it_goes_on_from) {
    cr_assert(judged() == 0);
    genesis.old_size++;
    cr_assert(judged() == -EBADMSG);
    genesis.old_size -= 2;
    cr_assert(judged() == -EBADMSG);
    genesis.old_size++;
    old_root.b[31] ^= 1;
    cr_assert(judged() == -EBADMSG);
    old_root.b[31] ^= 1;
    genesis.old_root.len = 0;
    cr_assert(judged() == -EBADMSG);
    genesis.old_root.len = HASH_BYTES;
    genesis.old_origin = "other.example/timebank";
    cr_assert(judged() == -EBADMSG);
    genesis.old_origin = OLD;
    cr_assert(judged() == 0);
}

Test(restore, never_goes_on_under_the_old_name) {
    genesis.origin = OLD;
    cr_assert(judged() == -EBADMSG);
    genesis.origin = "two words";
    cr_assert(judged() == -EBADMSG);
    genesis.origin = "";
    cr_assert(judged() == -EBADMSG);
}

Test(restore, does_not_go_back_in_time) {
    genesis.created_ms--;
    cr_assert(judged() == -EBADMSG);
}

Test(restore, changes_no_policy) {
    char *name = "quantum", *value = "5";

    genesis.n_policy_names = genesis.n_policy_values = 1;
    genesis.policy_names = &name;
    genesis.policy_values = &value;
    cr_assert(judged() == -EBADMSG);
}

Test(restore, takes_no_steward_with_another_past) {
    uint8_t bad[32] = {1};

    genesis.n_steward_keys = 0;
    cr_assert(judged() == -EBADMSG);
    genesis.n_steward_keys = 1;
    stewards[0].data = (uint8_t *)(uintptr_t)key_of("broker");
    cr_assert(judged() == -EBADMSG);
    stewards[0].data = bad; /* a point of small order */
    cr_assert(judged() == -EBADMSG);
    stewards[0].data = (uint8_t *)(uintptr_t)key_of("steward");
    cr_assert(judged() == 0);
}

Test(restore, is_no_first_genesis) {
    struct state *empty = state_new(NULL), *above = state_new_above(empty);

    cr_assert(empty && above && ledger_genesis(above, &genesis) == -EBADMSG);
    state_free(above);
    state_free(empty);
}
