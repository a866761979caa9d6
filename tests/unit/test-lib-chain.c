/* SPDX-License-Identifier: Apache-2.0 */
/* What a greeting shows of the ledger's keys, and what somebody else would like it to show. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "libtimebank/chain.h"

#define ORIGIN "ely.example/timebank"
#define N 4

static uint8_t secrets[N + 1][SSHSIG_SECRET_BYTES];
static uint8_t signatures[N][SSHSIG_SIGNATURE_BYTES]; /* i: by key i, for key i + 1 */
static ProtobufCBinaryData keys[N + 1], by_old[N + 1];
static Timebank__Greeting greeting;
static struct note_verifier newest;

static void begin(void) {
    struct rotation rotation;

    cr_assert(sodium_init() >= 0);
    for (size_t i = 0; i <= N; i++) {
        sshsig_secret_new(secrets[i]);
        keys[i] = (ProtobufCBinaryData){NOTE_KEY_BYTES, secrets[i] + 32};
    }
    rotation.ledger_id = note_ledger_id(ORIGIN, secrets[0] + 32);
    for (size_t i = 0; i < N; i++) {
        memcpy(rotation.old_key, secrets[i] + 32, NOTE_KEY_BYTES);
        memcpy(rotation.new_key, secrets[i + 1] + 32, NOTE_KEY_BYTES);
        cr_assert(rotation_sign(&rotation, secrets[i], signatures[i]) == 0);
        by_old[i] = (ProtobufCBinaryData){SSHSIG_SIGNATURE_BYTES, signatures[i]};
    }
    timebank__greeting__init(&greeting);
    greeting.keys = keys;
    greeting.n_keys = N;
    greeting.by_old = by_old;
    greeting.n_by_old = N - 1;
    cr_assert(note_verifier_init(&newest, ORIGIN, secrets[N - 1] + 32) == 0);
}

TestSuite(chain, .timeout = 30, .init = begin);

static int reads(void) {
    struct rotation_chain chain;

    return chain_read(&greeting, &newest, &chain);
}

Test(chain, leads_from_genesis_to_the_key_that_greets) {
    struct hash id = note_ledger_id(ORIGIN, secrets[0] + 32);
    struct rotation_chain chain;

    cr_assert(chain_read(&greeting, &newest, &chain) == 0 && chain.n == N);
    cr_assert(hash_equal(&chain.ledger_id, &id) && rotation_chain_find(&chain, &newest) == N - 1);
}

Test(chain, of_one_key_is_not_shown) {
    struct rotation_chain chain;

    greeting.n_keys = greeting.n_by_old = 0;
    cr_assert(chain_read(&greeting, &newest, &chain) == 0 && chain.n == 1);
    greeting.n_by_old = 1;
    cr_assert(reads() == -EBADMSG);
}

Test(chain, breaks_with_any_bit_of_a_key_or_a_signature) {
    for (size_t i = 0; i < N; i++)
        for (size_t byte = 0; byte < NOTE_KEY_BYTES; byte += 5) {
            keys[i].data[byte] ^= 1;
            cr_assert(reads() == -EBADMSG, "key %zu, byte %zu", i, byte);
            keys[i].data[byte] ^= 1;
        }
    for (size_t i = 0; i < N - 1; i++)
        for (size_t byte = 0; byte < SSHSIG_SIGNATURE_BYTES; byte++) {
            signatures[i][byte] ^= 1;
            cr_assert(reads() == -EBADMSG, "signature %zu, byte %zu", i, byte);
            signatures[i][byte] ^= 1;
        }
    cr_assert(reads() == 0);
}

Test(chain, breaks_where_a_key_is_left_out_or_put_in) {
    greeting.n_keys = N - 1;
    greeting.n_by_old = N - 2;
    cr_assert(reads() == -EBADMSG, "it ends before the key that greets");
    greeting.n_by_old = N - 1;
    cr_assert(reads() == -EBADMSG, "a signature too many");
    greeting.n_keys = N + 1;
    greeting.n_by_old = N;
    cr_assert(reads() == -EBADMSG, "it goes on after the key that greets");
    greeting.n_keys = N - 1;
    greeting.n_by_old = N - 2;
    greeting.keys = keys + 1;
    greeting.by_old = by_old + 1;
    cr_assert(reads() == -EBADMSG, "without its first key the ledger id is another");
    begin();
    keys[1].len = NOTE_KEY_BYTES - 1;
    cr_assert(reads() == -EBADMSG);
    begin();
    by_old[1].len = 0;
    cr_assert(reads() == -EBADMSG);
}

Test(chain, of_records_begins_with_genesis_and_takes_no_other_order) {
    static const uint8_t order[] = {RECORD_ORDER, 0x0a, 1, 7}, seal[] = {RECORD_SEAL, 1, 2};
    _cleanup_bytes_ struct bytes record = {0};
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    struct rotation_chain chain = {0};

    cr_assert(chain_take_record(&chain, order, sizeof(order)) == -EBADMSG);
    cr_assert(chain_take_record(&chain, seal, sizeof(seal)) == -EBADMSG);
    genesis.format = 1;
    genesis.origin = ORIGIN;
    genesis.ledger_key = keys[0];
    genesis.steward_keys = keys + 1;
    genesis.n_steward_keys = 1;
    genesis.created_ms = 1;
    record_genesis_encode(&genesis, &record);
    cr_assert(chain_take_record(&chain, record.data, record.n) == 0 && chain.n == 1);
    cr_assert(chain_take_record(&chain, record.data, record.n - 1) == -EBADMSG);
    cr_assert(chain_take_record(&chain, order, sizeof(order)) == -EBADMSG && chain.n == 1);
}
