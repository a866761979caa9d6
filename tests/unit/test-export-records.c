/* SPDX-License-Identifier: Apache-2.0 */
/* A small log of our own making: each thing that an operator could do to it is found. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "helpers.h"
#include "libtimebank/export-records.h"
#include "timebank.h"

#define ORIGIN "test.example/timebank"
#define N_MAX 32

static char place[64];
static struct tile_files files;
static struct tile_roots roots;
static struct export_records records;
static struct note_verifier verifier;
static struct hash ledger_id;
static uint8_t ledger_key[SSHSIG_SECRET_BYTES], author[SSHSIG_SECRET_BYTES];
static struct bytes log_records[N_MAX];
static struct hash leaves[N_MAX];
static unsigned n_records;

static const uint8_t *public_half(const uint8_t *secret) {
    return secret + 32;
}

static void put(struct bytes *record) {
    cr_assert(record->r == 0 && n_records < N_MAX);
    leaves[n_records] = merkle_leaf(record->data, record->n);
    log_records[n_records++] = *record;
}

static void put_genesis(const char *origin, const uint8_t *key, uint64_t old_size,
                        const struct hash *old_root) {
    Timebank__Genesis genesis = TIMEBANK__GENESIS__INIT;
    struct bytes record = {0};
    genesis.format = 1;
    genesis.origin = (char *)(uintptr_t)origin;
    genesis.ledger_key = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)public_half(key)};
    genesis.created_ms = 1000;
    genesis.old_size = old_size;
    if (old_root) {
        genesis.old_root = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)old_root->b};
        genesis.old_origin = ORIGIN;
    }
    record_genesis_encode(&genesis, &record);
    put(&record);
    ledger_id = note_ledger_id(origin, public_half(key));
}

static void put_state(uint64_t covers) {
    struct record_state state = {.covers = covers, .n_accounts = 8, .ledger_time_ms = 1000};
    struct bytes record = {0};
    record_state_pack(&state, bytes_reserve(&record, RECORD_STATE_BYTES));
    put(&record);
}

static void order_make(uint8_t number, struct bytes *to) {
    static Timebank__Log log = TIMEBANK__LOG__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    uint8_t id[16] = {number, 1};
    order.id = (ProtobufCBinaryData){16, id};
    order.service_day = 20000;
    order.to = "m0001";
    order.minutes = 60;
    order.kind_case = TIMEBANK__ORDER__KIND_LOG;
    order.log = &log;
    record_order_encode(&order, to);
}

/* A seal for the orders that follow; changed by what stands in it already. */
static struct batch_header header;
static uint64_t received_at_ms;

static void put_seal(const struct hash *order_leaves, uint32_t n) {
    struct record_seal seal = {.received_at_ms = received_at_ms};
    struct bytes record = {0};
    header.n_orders = n;
    header.ledger_id = ledger_id;
    memcpy(header.author, public_half(author), 32);
    header.orders_root = merkle_root(order_leaves, n);
    batch_header_pack(&header, seal.header);
    cr_assert(sshsig_sign(SSHSIG_BATCH, seal.header, sizeof(seal.header), author, seal.signature) ==
              0);
    record_seal_pack(&seal, bytes_reserve(&record, RECORD_SEAL_BYTES));
    put(&record);
}

static void put_batch(uint32_t n) {
    struct bytes orders[4] = {{0}};
    struct hash order_leaves[4];
    for (uint32_t i = 0; i < n; i++) {
        order_make((uint8_t)(n_records + i), &orders[i]);
        order_leaves[i] = merkle_leaf(orders[i].data, orders[i].n);
    }
    put_seal(order_leaves, n);
    for (uint32_t i = 0; i < n; i++)
        put(&orders[i]);
}

static void put_rotation(const uint8_t *by_new_key) {
    Timebank__RotateKey rotate = TIMEBANK__ROTATE_KEY__INIT;
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    struct rotation rotation = {.ledger_id = ledger_id};
    uint8_t new_key[SSHSIG_SECRET_BYTES], by_old[64], by_new[64], id[16] = {9, 9};
    struct bytes record = {0};
    sshsig_secret_new(new_key);
    memcpy(rotation.old_key, public_half(ledger_key), 32);
    memcpy(rotation.new_key, public_half(new_key), 32);
    cr_assert(rotation_sign(&rotation, ledger_key, by_old) == 0);
    cr_assert(rotation_sign(&rotation, by_new_key ? by_new_key : new_key, by_new) == 0);
    rotate.key = (ProtobufCBinaryData){32, rotation.new_key};
    rotate.by_old = (ProtobufCBinaryData){64, by_old};
    rotate.by_new = (ProtobufCBinaryData){64, by_new};
    order.id = (ProtobufCBinaryData){16, id};
    order.service_day = 20000;
    order.kind_case = TIMEBANK__ORDER__KIND_ROTATE_KEY;
    order.rotate_key = &rotate;
    record_order_encode(&order, &record);
    struct hash leaf = merkle_leaf(record.data, record.n);
    put_seal(&leaf, 1);
    put(&record);
    cr_assert(note_verifier_init(&verifier, ORIGIN, public_half(new_key)) == 0);
}

/* Genesis, its state, and a batch of three orders whose author saw both. */
static void log_make(void) {
    cr_assert(sodium_init() >= 0);
    scratch_make(place);
    sshsig_secret_new(ledger_key);
    sshsig_secret_new(author);
    cr_assert(note_verifier_init(&verifier, ORIGIN, public_half(ledger_key)) == 0);
    put_genesis(ORIGIN, ledger_key, 0, NULL);
    put_state(1);
    header.pin_size = 2;
    header.pin_root = merkle_root(leaves, 2);
    received_at_ms = 5000;
    put_batch(3);
}

static void log_remove(void) {
    for (unsigned i = 0; i < n_records; i++)
        bytes_fini(&log_records[i]);
    scratch_remove(place);
}

TestSuite(export_records, .timeout = 20, .init = log_make, .fini = log_remove);

/* Reads them all, the tiles being right: 0, or -EBADMSG with the sentence in records.why. */
static int read_all(void) {
    char name[64];
    int r = 0;
    snprintf(name, sizeof(name), "tile/0/000.p/%u", n_records);
    cr_assert(scratch_run(place, "mkdir -p tile/0/000.p") == 0);
    scratch_write(place, name, leaves, n_records * sizeof(*leaves));
    files = (struct tile_files){.directory = place};
    roots = (struct tile_roots){.files = &files, .size = n_records};
    export_records_init(&records, &roots, &verifier);
    for (unsigned i = 0; r == 0 && i < n_records; i++)
        r = export_records_take(&records, log_records[i].data, log_records[i].n);
    if (r == 0)
        r = export_records_end(&records);
    export_records_fini(&records);
    return r;
}

static void expect_found(const char *sentence) {
    cr_assert(read_all() == -EBADMSG);
    cr_assert(strstr(records.why, sentence), "%s", records.why);
}

Test(export_records, a_good_log_is_taken) {
    put_state(6);
    header.pin_size = 0;
    memset(&header.pin_root, 0, sizeof(header.pin_root));
    put_batch(1);
    cr_assert(read_all() == 0, "%s", records.why);
    cr_assert(records.n_batches == 2 && records.verifier_is_met);
}

Test(export_records, an_order_is_not_what_was_signed) {
    struct bytes other = {0};
    order_make(77, &other);
    bytes_fini(&log_records[4]);
    log_records[4] = other;
    expect_found("Record 5 ends a batch whose orders are not those that were signed");
}

Test(export_records, a_seal_is_not_what_was_signed) {
    log_records[2].data[1 + 90] ^= 1; /* created-at */
    expect_found("Record 2 seals a batch that its author did not sign");
}

Test(export_records, a_batch_was_signed_on_another_history) {
    header.pin_root.b[0] ^= 1;
    put_batch(1);
    expect_found("Record 6 seals a batch whose author saw another history");
}

Test(export_records, a_batch_was_signed_on_a_later_head) {
    header.pin_size = 7;
    put_batch(1);
    expect_found("saw a head that came later");
}

Test(export_records, a_batch_is_of_another_ledger) {
    ledger_id.b[0] ^= 1;
    put_batch(1);
    expect_found("of another ledger");
}

Test(export_records, the_time_of_receipt_goes_back) {
    received_at_ms = 4999;
    put_batch(1);
    expect_found("Record 6 was received before the one before it");
}

Test(export_records, a_batch_came_too_late) {
    header.not_after_ms = 4999;
    put_batch(1);
    expect_found("came too late");
}

Test(export_records, an_order_stands_under_no_seal) {
    struct bytes order = {0};
    order_make(9, &order);
    put(&order);
    expect_found("Record 6 is an order under no seal");
}

Test(export_records, something_stands_in_the_middle_of_a_batch) {
    struct bytes last = log_records[--n_records];
    put_state(5);
    put(&last);
    expect_found("Record 5 stands in the middle of a batch");
}

Test(export_records, the_last_batch_is_not_whole) {
    bytes_fini(&log_records[--n_records]);
    expect_found("the last batch is not whole");
}

Test(export_records, a_state_covers_others) {
    put_state(5);
    expect_found("does not cover");
}

Test(export_records, the_first_record_is_no_genesis) {
    bytes_fini(&log_records[0]);
    log_records[0] = (struct bytes){0};
    bytes_put(&log_records[0], log_records[1].data, log_records[1].n);
    expect_found("Record 0 is no genesis");
}

Test(export_records, the_head_is_signed_by_a_key_that_the_log_does_not_name) {
    uint8_t other[SSHSIG_SECRET_BYTES];
    sshsig_secret_new(other);
    cr_assert(note_verifier_init(&verifier, ORIGIN, public_half(other)) == 0);
    expect_found("none that the records name");
}

Test(export_records, a_change_of_key_is_followed) {
    put_rotation(NULL);
    cr_assert(read_all() == 0, "%s", records.why);
    cr_assert(records.chain.n == 2);
}

Test(export_records, a_change_of_key_that_the_new_key_did_not_sign) {
    put_rotation(author);
    expect_found("the keys did not both sign it");
}

Test(export_records, a_restored_ledger_goes_on_under_another_name) {
    uint8_t next[SSHSIG_SECRET_BYTES];
    struct hash root = merkle_root(leaves, n_records);
    sshsig_secret_new(next);
    put_genesis(ORIGIN "/2", next, n_records, &root);
    put_batch(2);
    cr_assert(note_verifier_init(&verifier, ORIGIN "/2", public_half(next)) == 0);
    cr_assert(read_all() == 0, "%s", records.why);
}

Test(export_records, a_restored_ledger_does_not_go_on_from_another_history) {
    uint8_t next[SSHSIG_SECRET_BYTES];
    struct hash root = merkle_root(leaves, n_records);
    sshsig_secret_new(next);
    root.b[5] ^= 1;
    put_genesis(ORIGIN "/2", next, n_records, &root);
    expect_found("goes on from another history");
}

/* ---- the whole directory */

static void bundle_write(const char *name, unsigned n) {
    struct bytes bundle = {0};
    for (unsigned i = 0; i < n; i++) {
        bytes_put_u16(&bundle, (uint16_t)log_records[i].n);
        bytes_put(&bundle, log_records[i].data, log_records[i].n);
    }
    scratch_write(place, name, bundle.data, bundle.n);
    bytes_fini(&bundle);
}

/* As an export would be that was made of two records, then of all. */
static void export_write(void) {
    struct note_head head = {.size = n_records, .root = merkle_root(leaves, n_records)};
    struct bytes note = {0};
    char name[64];
    strcpy(head.origin, ORIGIN);
    cr_assert(note_checkpoint_sign(&head, &verifier, ledger_key, &note) == 0);
    cr_assert(scratch_run(place, "mkdir -p tile/0/000.p tile/entries/000.p") == 0);
    scratch_write(place, "checkpoint", note.data, note.n);
    scratch_write(place, "tile/0/000.p/2", leaves, 2 * sizeof(*leaves));
    bundle_write("tile/entries/000.p/2", 2);
    snprintf(name, sizeof(name), "tile/0/000.p/%u", n_records);
    scratch_write(place, name, leaves, n_records * sizeof(*leaves));
    snprintf(name, sizeof(name), "tile/entries/000.p/%u", n_records);
    bundle_write(name, n_records);
    bytes_fini(&note);
}

static int export_verify(void) {
    _cleanup_bytes_ struct bytes key = {0};
    struct tb_verified *verified = NULL;
    char why[512];
    note_verifier_format(&verifier, &key);
    bytes_put_u8(&key, 0);
    struct tb_verify_ask ask = {.verifier_key = (const char *)key.data};
    int r = tb_verify(place, &ask, &verified, why, sizeof(why));
    cr_assert(r != 0 || tb_verified_kind(verified) == TB_IS_EXPORT);
    tb_verified_free(verified);
    return r;
}

static unsigned flip_each_bit(const char *name) {
    char path[128];
    uint8_t data[4096];
    snprintf(path, sizeof(path), "%s/%s", place, name);
    FILE *file = fopen(path, "r+");
    cr_assert(file);
    unsigned n = (unsigned)fread(data, 1, sizeof(data), file);
    for (unsigned bit = 0; bit < 8 * n; bit++) {
        uint8_t was = data[bit / 8];
        for (int turn = 0; turn < 2; turn++) {
            uint8_t now = turn ? was : was ^ (uint8_t)(1 << bit % 8);
            cr_assert(pwrite(fileno(file), &now, 1, bit / 8) == 1);
            if (turn == 0) {
                int r = export_verify();
                cr_assert(r == TB_NOT_VERIFIED || r == TB_WRONG_LEDGER, "%s bit %u: %d", name, bit,
                          r);
            }
        }
    }
    fclose(file);
    return n;
}

Test(export_records, each_single_bit_of_every_file_counts, .timeout = 120) {
    char name[2][64];
    setenv("XDG_STATE_HOME", place, 1);
    export_write();
    cr_assert(export_verify() == 0);
    snprintf(name[0], sizeof(name[0]), "tile/0/000.p/%u", n_records);
    snprintf(name[1], sizeof(name[1]), "tile/entries/000.p/%u", n_records);
    cr_assert(flip_each_bit("checkpoint") > 150);
    cr_assert(flip_each_bit("tile/0/000.p/2") == 64);
    cr_assert(flip_each_bit("tile/entries/000.p/2") > 100);
    cr_assert(flip_each_bit(name[0]) == 32 * n_records);
    cr_assert(flip_each_bit(name[1]) > 400);
    cr_assert(export_verify() == 0);
}
