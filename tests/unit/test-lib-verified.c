/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tb_verify() believes: a ledger made here by an operator who may forge anything but the
 * signatures of others, its receipts, proofs, statements and evidence; and each bit of them turned.
 */
#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

#include "helpers.h"
#include "libtimebank/order.h"
#include "libtimebank/receipt.h"
#include "libtimebank/timebank.h"
#include "proto/account-leaf.h"
#include "proto/batch.h"
#include "proto/evidence-file.h"
#include "proto/note.h"
#include "proto/proof.h"
#include "proto/record.h"
#include "proto/statement-proof.h"

TestSuite(lib_verified, .timeout = 240);

#define ORIGIN "operator.example/bank"
#define RECORDS_MAX 64
#define RECEIVED_MS UINT64_C(1741183380000) /* Wed 5 March 2025, 14:03 UTC */
#define WHY_BYTES 1024

static struct {
    char directory[64];
    char path[200];
    uint8_t secret[64];
    uint8_t author_secret[64];
    uint8_t author[32];
    struct note_verifier verifier;
    struct hash ledger_id;
    char *key;
    struct bytes records[RECORDS_MAX];
    struct hash leaves[RECORDS_MAX];
    uint64_t n;
    char why[WHY_BYTES];
    struct tb_verified *verified;
} world;

static void record_add(const void *data, size_t n) {
    cr_assert(world.n < RECORDS_MAX);
    bytes_put(&world.records[world.n], data, n);
    world.leaves[world.n++] = merkle_leaf(data, n);
}

static void key_make(const uint8_t seed[32]) {
    _cleanup_bytes_ struct bytes text = {};
    uint8_t public[32];
    crypto_sign_seed_keypair(public, world.secret, seed);
    cr_assert(note_verifier_init(&world.verifier, ORIGIN, public) == 0);
    world.ledger_id = note_ledger_id(ORIGIN, public);
    note_verifier_format(&world.verifier, &text);
    world.key = bytes_take_text(&text);
}

static void setup(void) {
    static const uint8_t seed[32] = {1}, author_seed[32] = {2};
    cr_assert(sodium_init() >= 0);
    memset(&world, 0, sizeof(world));
    scratch_make(world.directory);
    snprintf(world.path, sizeof(world.path), "%s/file", world.directory);
    key_make(seed);
    crypto_sign_seed_keypair(world.author, world.author_secret, author_seed);
    record_add("\0genesis", 8);
    record_add("\4state", 6);
}

static void verified_forget(void) {
    world.verified = tb_verified_free(world.verified);
}

static void teardown(void) {
    verified_forget();
    for (size_t i = 0; i < world.n; i++)
        bytes_fini(&world.records[i]);
    free(world.key);
    scratch_remove(world.directory);
}

/* ------------------------------------------------------------------- ledger */

static void exchange_put(const char *giver, const char *receiver, uint64_t minutes, uint8_t number,
                         struct bytes *to) {
    Timebank__Order order = TIMEBANK__ORDER__INIT;
    Timebank__Exchange exchange = TIMEBANK__EXCHANGE__INIT;
    uint8_t id[16] = {7, number};
    order.id = (ProtobufCBinaryData){.len = sizeof(id), .data = id};
    order.service_day = 20152;
    order.from = (char *)receiver;
    order.to = (char *)giver;
    order.minutes = minutes;
    order.authority = TIMEBANK__AUTHORITY__BY_BROKER;
    order.activity = "gardening";
    order.kind_case = TIMEBANK__ORDER__KIND_EXCHANGE;
    order.exchange = &exchange;
    record_order_encode(&order, to);
}

struct batch {
    struct record_seal seal;
    struct batch_header header;
    struct hash leaves[8];
};

static void batch_sign(struct batch *batch, const struct bytes *orders, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        batch->leaves[i] = merkle_leaf(orders[i].data, orders[i].n);
    batch->header = (struct batch_header){
        .n_orders = n,
        .ledger_id = world.ledger_id,
        .created_ms = RECEIVED_MS - 500,
        .not_after_ms = RECEIVED_MS + 1000,
        .orders_root = merkle_root(batch->leaves, n),
    };
    memcpy(batch->header.author, world.author, 32);
    batch_header_pack(&batch->header, batch->seal.header);
    batch->seal.received_at_ms = RECEIVED_MS;
    cr_assert(sshsig_sign(SSHSIG_BATCH, batch->seal.header, BATCH_HEADER_BYTES, world.author_secret,
                          batch->seal.signature) == 0);
}

/* Three exchanges under one seal; its number. */
static uint64_t batch_record(struct batch *batch) {
    struct bytes orders[3] = {};
    uint8_t seal[RECORD_SEAL_BYTES];
    uint64_t at = world.n;
    for (uint8_t i = 0; i < 3; i++)
        exchange_put("m0007", "m0012", 150, i, &orders[i]);
    batch_sign(batch, orders, 3);
    record_seal_pack(&batch->seal, seal);
    record_add(seal, sizeof(seal));
    for (size_t i = 0; i < 3; i++) {
        record_add(orders[i].data, orders[i].n);
        bytes_fini(&orders[i]);
    }
    return at;
}

static int leaf_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    const struct hash *leaves = user;
    *ret = merkle_root(leaves + (index << level), (size_t)1 << level);
    return 0;
}

static void checkpoint_put(uint64_t size, const struct hash *root, struct bytes *to) {
    struct note_head head = {.size = size, .root = *root};
    strcpy(head.origin, ORIGIN);
    cr_assert(note_checkpoint_sign(&head, &world.verifier, world.secret, to) == 0);
}

static void head_put(uint64_t size, struct bytes *to) {
    struct hash root = merkle_root(world.leaves, size);
    checkpoint_put(size, &root, to);
}

static void proof_make(uint64_t index, const struct bytes *checkpoint, bool with_record,
                       struct bytes *to) {
    struct proof proof = {.index = index,
                          .checkpoint = (const char *)checkpoint->data,
                          .n_checkpoint = checkpoint->n,
                          .has_extra = with_record};
    if (with_record)
        bytes_put(&proof.extra, world.records[index].data, world.records[index].n);
    cr_assert(merkle_prove_inclusion(leaf_lookup, world.leaves, index, world.n, proof.path,
                                     &proof.n_path) == 0);
    proof_format(&proof, to);
    proof_fini(&proof);
}

/* ----------------------------------------------------------------- receipts */

static const char *const names[] = {"entry.record", "entry.proof",  "seal.record",
                                    "seal.proof",   "batch.header", "batch.sig",
                                    "author.pub",   "batch.proof",  "README"};
enum {
    ENTRY,
    ENTRY_PROOF,
    SEAL,
    SEAL_PROOF,
    HEADER,
    SIGNATURE,
    AUTHOR,
    BATCH_PROOF,
    README,
    FILES
};

static void readme_put(const struct batch *batch, uint64_t entry, uint64_t place,
                       struct bytes *to) {
    struct note_head head = {.size = world.n, .root = merkle_root(world.leaves, world.n)};
    const struct bytes *record = &world.records[entry];
    struct arena arena;
    Timebank__Order *message = NULL;
    struct tb_order order;
    strcpy(head.origin, ORIGIN);
    arena_init(&arena, 1 << 20);
    cr_assert(record_order_decode(record->data + 1, record->n - 1, &arena, &message) == 0);
    cr_assert(order_decode(message, &arena, &order) == 0);
    receipt_readme(&(struct receipt_readme){.verifier = &world.verifier,
                                            .head = &head,
                                            .header = &batch->header,
                                            .seal = &batch->seal,
                                            .order = &order,
                                            .entry = entry,
                                            .place = place},
                   to);
    arena_fini(&arena);
}

static void receipt_make(const struct batch *batch, uint64_t seal, uint64_t entry, uint64_t place,
                         struct bytes files[FILES]) {
    _cleanup_bytes_ struct bytes checkpoint = {};
    struct proof proof = {.index = place};
    head_put(world.n, &checkpoint);
    bytes_put(&files[ENTRY], world.records[entry].data, world.records[entry].n);
    bytes_put(&files[SEAL], world.records[seal].data, world.records[seal].n);
    proof_make(entry, &checkpoint, false, &files[ENTRY_PROOF]);
    proof_make(seal, &checkpoint, false, &files[SEAL_PROOF]);
    bytes_put(&files[HEADER], batch->seal.header, BATCH_HEADER_BYTES);
    sshsig_armour(SSHSIG_BATCH, world.author, batch->seal.signature, &files[SIGNATURE]);
    sshsig_public_format(world.author, NULL, &files[AUTHOR]);
    cr_assert(merkle_prove_inclusion(leaf_lookup, (void *)batch->leaves, place,
                                     batch->header.n_orders, proof.path, &proof.n_path) == 0);
    proof_batch_format(&proof, &files[BATCH_PROOF]);
    readme_put(batch, entry, place, &files[README]);
}

static void files_write(const char *directory, struct bytes files[FILES]) {
    mkdir(directory, 0700);
    for (size_t i = 0; i < FILES; i++)
        scratch_write(directory, names[i], files[i].data, files[i].n);
}

static void files_fini(struct bytes files[FILES]) {
    for (size_t i = 0; i < FILES; i++)
        bytes_fini(&files[i]);
}

static int verify(const char *path) {
    struct tb_verify_ask ask = {.verifier_key = world.key};
    verified_forget();
    strcpy(world.why, "?");
    return tb_verify(path, &ask, &world.verified, world.why, sizeof(world.why));
}

static void expect_refused_saying(const char *path, const char *word) {
    int r = verify(path);
    cr_assert(r == TB_NOT_VERIFIED && strstr(world.why, word), "%d %s", r, world.why);
}

/* Some sentence among those proven, or not, has the word. */
static bool says(bool proven, const char *word) {
    const char *sentence;
    int is_proven = 0;
    for (size_t i = 0; (sentence = tb_verified_sentence(world.verified, i, &is_proven)); i++)
        if (is_proven == proven && strstr(sentence, word))
            return true;
    return false;
}

static void receipt_write(uint64_t place) {
    struct batch batch;
    struct bytes files[FILES] = {};
    uint64_t seal = batch_record(&batch);
    record_add("\4another", 8);
    receipt_make(&batch, seal, seal + 1 + place, place, files);
    files_write(world.path, files);
    files_fini(files);
}

Test(lib_verified, says_what_a_receipt_proves_and_what_not, .init = setup, .fini = teardown) {
    struct tb_verified_entry entry;
    uint64_t size = 0;
    uint8_t root[32];
    receipt_write(1);
    cr_assert(verify(world.path) == 0, "%s", world.why);
    cr_assert(tb_verified_kind(world.verified) == TB_IS_RECEIPT);
    cr_assert(says(true, "Entry 4 stands in the ledger " ORIGIN ", under its signed head of 7"));
    cr_assert(says(true, "Wed 5 March 2025, 14:03 UTC") && says(true, "order 2 of 3"));
    cr_assert(says(true, "ssh-ed25519 AAAA"));
    cr_assert(says(false, "right to record") && says(false, "second time"));
    cr_assert(says(false, "taken back") && says(false, "balance") && says(false, "witness"));
    cr_assert(tb_verified_entries(world.verified) == 1);
    cr_assert(tb_verified_entry(world.verified, 0, &entry) == 0 && entry.entry == 4);
    cr_assert(entry.order.kind == TB_EXCHANGE && entry.order.minutes == 150);
    cr_assert(strcmp(entry.order.to, "m0007") == 0 && entry.received_at_ms == RECEIVED_MS);
    cr_assert(memcmp(entry.author, world.author, 32) == 0);
    tb_verified_position(world.verified, &size, root);
    struct hash wanted = merkle_root(world.leaves, world.n);
    cr_assert(size == world.n && memcmp(root, wanted.b, 32) == 0);
    cr_assert(tb_verified_entry(world.verified, 1, &entry) == -EINVAL);
}

Test(lib_verified, takes_each_place_of_a_batch, .init = setup, .fini = teardown) {
    struct batch batch;
    uint64_t seal = batch_record(&batch);
    for (uint64_t place = 0; place < 3; place++) {
        struct bytes files[FILES] = {};
        receipt_make(&batch, seal, seal + 1 + place, place, files);
        files_write(world.path, files);
        files_fini(files);
        cr_assert(verify(world.path) == 0, "%s", world.why);
    }
}

/* The operator records a signed order once more, outside its batch, and signs the head over it. */
Test(lib_verified, refuses_an_order_replayed_under_no_seal, .init = setup, .fini = teardown) {
    struct batch batch;
    struct bytes files[FILES] = {};
    uint64_t seal = batch_record(&batch);
    record_add(world.records[seal + 2].data, world.records[seal + 2].n);
    receipt_make(&batch, seal, world.n - 1, 1, files);
    files_write(world.path, files);
    files_fini(files);
    expect_refused_saying(world.path, "a second time");
}

/* A seal of the author's, and an order that is none of its. */
Test(lib_verified, refuses_an_order_that_its_author_did_not_sign, .init = setup, .fini = teardown) {
    struct batch batch;
    struct bytes files[FILES] = {};
    _cleanup_bytes_ struct bytes order = {};
    uint64_t seal = batch_record(&batch);
    exchange_put("m0007", "m0012", 600, 1, &order);
    bytes_clear(&world.records[seal + 2]);
    bytes_put(&world.records[seal + 2], order.data, order.n);
    world.leaves[seal + 2] = merkle_leaf(order.data, order.n);
    receipt_make(&batch, seal, seal + 2, 1, files);
    files_write(world.path, files);
    files_fini(files);
    expect_refused_saying(world.path, "does not cover this order");
}

Test(lib_verified, refuses_a_receipt_put_together_from_two_heads, .init = setup, .fini = teardown) {
    struct batch batch;
    struct bytes files[FILES] = {}, later[FILES] = {};
    uint64_t seal = batch_record(&batch);
    receipt_make(&batch, seal, seal + 1, 0, files);
    record_add("\4later", 6);
    receipt_make(&batch, seal, seal + 1, 0, later);
    bytes_clear(&files[SEAL_PROOF]);
    bytes_put(&files[SEAL_PROOF], later[SEAL_PROOF].data, later[SEAL_PROOF].n);
    files_write(world.path, files);
    files_fini(files);
    files_fini(later);
    expect_refused_saying(world.path, "different heads");
}

Test(lib_verified, tells_another_ledger_from_a_wrong_receipt, .init = setup, .fini = teardown) {
    static const uint8_t seed[32] = {9};
    struct tb_verify_ask ask = {.verifier_key = "nonsense"};
    receipt_write(0);
    cr_assert(tb_verify(world.path, &ask, &world.verified, world.why, WHY_BYTES) ==
              TB_NOT_VERIFIED);
    cr_assert(strstr(world.why, "verifier key"));
    /* The same name and another key. */
    free(world.key);
    key_make(seed);
    expect_refused_saying(world.path, "not signed by the key");
    ask.verifier_key = "other.example/bank+c74f20a3+AZ1bBf5MGzU9jBhVvDOiv4NfPn4/MPmE3jM9dOHCwOmA";
    struct note_verifier other;
    _cleanup_bytes_ struct bytes text = {};
    cr_assert(note_verifier_init(&other, "other.example/bank", world.author) == 0);
    note_verifier_format(&other, &text);
    _cleanup_(freep) char *key = bytes_take_text(&text);
    ask.verifier_key = key;
    cr_assert(tb_verify(world.path, &ask, &world.verified, world.why, WHY_BYTES) ==
              TB_WRONG_LEDGER);
    cr_assert(strstr(world.why, ORIGIN) && strstr(world.why, "other.example/bank"));
}

Test(lib_verified, names_a_file_that_is_no_part_and_misses_one_that_is, .init = setup,
     .fini = teardown) {
    receipt_write(2);
    scratch_write(world.path, "more.txt", "x", 1);
    cr_assert(verify(world.path) == 0 && says(false, "more.txt"));
    for (size_t i = 0; i < FILES; i++) {
        char path[300], aside[300];
        snprintf(path, sizeof(path), "%s/%s", world.path, names[i]);
        snprintf(aside, sizeof(aside), "%s/aside", world.path);
        cr_assert(rename(path, aside) == 0);
        cr_assert(verify(world.path) == TB_NOT_VERIFIED, "%s", names[i]);
        cr_assert(symlink(aside, path) == 0);
        cr_assert(verify(world.path) == TB_NOT_VERIFIED, "%s by a link", names[i]);
        cr_assert(unlink(path) == 0 && rename(aside, path) == 0);
    }
}

/* ----------------------------------------------------------------- each bit */

static void byte_write(const char *path, long at, uint8_t byte) {
    FILE *file = fopen(path, "r+");
    cr_assert(file && fseek(file, at, SEEK_SET) == 0 && fputc(byte, file) == byte &&
              fclose(file) == 0);
}

static void expect_each_bit_counts(const char *path, const char *name) {
    char file[300];
    _cleanup_bytes_ struct bytes bytes = {};
    snprintf(file, sizeof(file), "%s%s%s", path, name ? "/" : "", name ? name : "");
    FILE *from = fopen(file, "r");
    for (int c; (c = fgetc(from)) != EOF;)
        bytes_put_u8(&bytes, (uint8_t)c);
    fclose(from);
    cr_assert(bytes.n > 0);
    for (size_t i = 0; i < bytes.n * 8; i++) {
        byte_write(file, (long)(i / 8), (uint8_t)(bytes.data[i / 8] ^ 1u << i % 8));
        int r = verify(path);
        cr_assert(r > 0 && world.why[0] != '?' && world.why[0], "bit %zu of %s: %d %s", i, file, r,
                  world.why);
        byte_write(file, (long)(i / 8), bytes.data[i / 8]);
    }
    cr_assert(verify(path) == 0, "%s", world.why);
}

Test(lib_verified, refuses_each_single_bit_change_of_a_receipt, .init = setup, .fini = teardown) {
    receipt_write(1);
    for (size_t i = 0; i < FILES; i++)
        expect_each_bit_counts(world.path, names[i]);
}

static void proof_write(uint64_t index) {
    _cleanup_bytes_ struct bytes checkpoint = {};
    _cleanup_bytes_ struct bytes text = {};
    head_put(world.n, &checkpoint);
    proof_make(index, &checkpoint, true, &text);
    scratch_write(world.directory, "file", text.data, text.n);
}

Test(lib_verified, says_of_one_proof_only_that_the_record_stands, .init = setup, .fini = teardown) {
    struct batch batch;
    uint64_t seal = batch_record(&batch);
    proof_write(seal + 2);
    cr_assert(verify(world.path) == 0, "%s", world.why);
    cr_assert(tb_verified_kind(world.verified) == TB_IS_PROOF);
    cr_assert(says(true, "Record 4 stands in the ledger") && says(false, "Who signed it"));
    expect_each_bit_counts(world.path, NULL);
    proof_write(seal);
    expect_refused_saying(world.path, "neither an order");
}

Test(lib_verified, takes_a_head_for_a_head, .init = setup, .fini = teardown) {
    _cleanup_bytes_ struct bytes checkpoint = {};
    head_put(world.n, &checkpoint);
    scratch_write(world.directory, "file", checkpoint.data, checkpoint.n);
    cr_assert(verify(world.path) == 0 && tb_verified_kind(world.verified) == TB_IS_HEAD);
    cr_assert(says(true, "signed a head of 2 records"));
    expect_each_bit_counts(world.path, NULL);
}

Test(lib_verified, refuses_what_is_none_of_ours, .init = setup, .fini = teardown) {
    expect_refused_saying(world.path, "cannot be looked at");
    expect_refused_saying(world.directory, "no receipt in this directory");
    scratch_write(world.directory, "file", "hello\n", 6);
    expect_refused_saying(world.path, "nothing that can be checked");
    scratch_write(world.directory, "file", "", 0);
    expect_refused_saying(world.path, "empty");
    scratch_write(world.directory, "file", "{\"checksum\":1}", 14);
    expect_refused_saying(world.path, "report");
}
