/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tb_verify() believes: a ledger made here by an operator who may forge anything but the
 * signatures of others, its receipts, proofs, statements and evidence; and each bit of them turned.
 */
#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

#include "base/files.h"
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
#include "proto/report-text.h"
#include "proto/statement-proof.h"
#include "proto/text64.h"

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

/* Of a file that belongs to the one that is verified. */
static void expect_each_bit_counts_beside(const char *path, const char *name) {
    char file[300];
    _cleanup_bytes_ struct bytes bytes = {};
    snprintf(file, sizeof(file), "%s/%s", world.directory, name);
    cr_assert(file_read(file, 1 << 20, &bytes) == 0);
    for (size_t i = 0; i < bytes.n * 8; i++) {
        byte_write(file, (long)(i / 8), (uint8_t)(bytes.data[i / 8] ^ 1u << i % 8));
        int r = verify(path);
        cr_assert(r > 0 && world.why[0], "bit %zu of %s: %d %s", i, file, r, world.why);
        byte_write(file, (long)(i / 8), bytes.data[i / 8]);
    }
    cr_assert(verify(path) == 0, "%s", world.why);
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
    expect_refused_saying(world.directory, "neither a receipt");
    scratch_write(world.directory, "file", "hello\n", 6);
    expect_refused_saying(world.path, "nothing that can be checked");
    scratch_write(world.directory, "file", "", 0);
    expect_refused_saying(world.path, "empty");
    scratch_write(world.directory, "file", "{\"checksum\":1}", 14);
    expect_refused_saying(world.path, "report");
}

/* ------------------------------------------------------------------ reports */

/* Every figure of a group is 0, every breakdown empty. */
static void figures_put(enum tb_measure_group group, struct bytes *to) {
    const char *comma = "";
    bytes_put_u8(to, '{');
    for (const struct tb_measure *measure = tb_measure_next(NULL); measure;
         measure = tb_measure_next(measure)) {
        if (measure->group != group || strchr(measure->key, '/'))
            continue;
        bytes_printf(to, "%s\"%s\":%s", comma, measure->key,
                     measure->unit == TB_UNIT_TABLE ? "{}" : "0");
        comma = ",";
    }
    bytes_put_u8(to, '}');
    bytes_put_u8(to, '\0');
}

static void report_sum(const struct bytes *figures, char ret[65]) {
    cr_assert(report_text_checksum(lines_make(figures->data, figures->n - 1), ret) == 0);
}

static const char *was, *is; /* a lie: one text for another, before it is signed */

static void report_make(struct bytes *to) {
    _cleanup_bytes_ struct bytes measures = {}, further = {}, text = {}, root = {};
    struct hash hash = merkle_root(world.leaves, world.n);
    char checksum[65], further_checksum[65];
    figures_put(TB_MEASURES_MEASURES, &measures);
    figures_put(TB_MEASURES_FURTHER, &further);
    report_sum(&measures, checksum);
    report_sum(&further, further_checksum);
    text64_encode(&root, hash.b, HASH_BYTES);
    bytes_printf(&text,
                 "{\"definition\":\"timebank-measures/1\",\"bank\":\"" ORIGIN "\","
                 "\"from\":\"2024-04-01\",\"to\":\"2025-03-31\",\"as_known_at\":\"2025-04-02\","
                 "\"class\":\"internal\",\"position\":{\"size\":%u,\"root\":\"%.*s\"},"
                 "\"rule\":{\"threshold\":0,\"round_to\":1},\"measures\":%s,"
                 "\"further_measures\":%s,\"suppressed\":0,\"checksum\":\"%s\","
                 "\"further_checksum\":\"%s\"}\n",
                 (unsigned)world.n, (int)root.n, (const char *)root.data,
                 (const char *)measures.data, (const char *)further.data, checksum,
                 further_checksum);
    const uint8_t *at = was ? memmem(text.data, text.n, was, strlen(was)) : NULL;
    cr_assert(!was || at, "%s", was);
    bytes_put(to, text.data, at ? (size_t)(at - text.data) : text.n);
    if (at) {
        bytes_put_text(to, is);
        bytes_put(to, at + strlen(was), (size_t)(text.data + text.n - at) - strlen(was));
    }
}

static void report_write(void) {
    _cleanup_bytes_ struct bytes text = {}, armour = {};
    uint8_t signature[SSHSIG_SIGNATURE_BYTES];
    report_make(&text);
    cr_assert(sshsig_sign(SSHSIG_REPORT, text.data, text.n, world.secret, signature) == 0);
    sshsig_armour(SSHSIG_REPORT, world.verifier.key, signature, &armour);
    scratch_write(world.directory, "file", text.data, text.n);
    scratch_write(world.directory, "file.sig", armour.data, armour.n);
}

Test(lib_verified, says_what_a_report_proves_and_what_not, .init = setup, .fini = teardown) {
    uint64_t size = 0;
    report_write();
    cr_assert(verify(world.path) == 0, "%s", world.why);
    cr_assert(tb_verified_kind(world.verified) == TB_IS_REPORT);
    cr_assert(says(true, "signed this report of Mon 1 April 2024") && says(true, "add up"));
    cr_assert(says(false, "the bank's word") && says(false, "--export"));
    tb_verified_position(world.verified, &size, NULL);
    cr_assert(size == world.n);
}

Test(lib_verified, refuses_each_single_bit_change_of_a_report, .init = setup, .fini = teardown) {
    report_write();
    _cleanup_bytes_ struct bytes file = {};
    expect_each_bit_counts_beside(world.path, "file.sig");
    report_make(&file);
    for (size_t i = 0; i < file.n; i++) {
        byte_write(world.path, (long)i, (uint8_t)(file.data[i] ^ 1u << i % 8));
        cr_assert(verify(world.path) > 0, "byte %zu", i);
        byte_write(world.path, (long)i, file.data[i]);
    }
    cr_assert(verify(world.path) == 0);
}

/* The key's holder may sign anything; what cannot be true is refused all the same. */
Test(lib_verified, refuses_a_signed_report_that_cannot_be, .init = setup, .fini = teardown) {
    static const char *const lies[][3] = {
        {"\"minutes_given\":0", "\"minutes_given\":1", "checksum"},
        {"\"isolates\":0", "\"isolates\":1", "checksum"},
        {"\"checksum\":\"", "\"checksum\":\"0", "checksum"},
        {"measures/1", "measures/2", "newer program"},
        {"\"to\":\"2025", "\"to\":\"2023", "names no period"},
        {"\"threshold\":0", "\"threshold\":5", "do not fit"},
        {"\"class\":\"internal\"", "\"class\":\"secret\"", "do not fit"},
        {"\"suppressed\":0", "\"suppressed\":1", "do not fit"},
        {"\"suppressed\":0,", "", "no report"},
        {"{\"definition\"", "{\"more\":1,\"definition\"", "no report"},
        {"}\n", "} \n", "no report"},
        {"\"size\":", "\"size\":0", "no report"},
    };
    for (size_t i = 0; i < N_ELEMENTS(lies); i++) {
        was = lies[i][0];
        is = lies[i][1];
        report_write();
        expect_refused_saying(world.path, lies[i][2]);
    }
    was = "\"bank\":\"operator";
    is = "\"bank\":\"another";
    report_write();
    cr_assert(verify(world.path) == TB_WRONG_LEDGER, "%s", world.why);
    was = NULL;
}

Test(lib_verified, refuses_a_report_without_its_signature, .init = setup, .fini = teardown) {
    char sig[300];
    snprintf(sig, sizeof(sig), "%s.sig", world.path);
    report_write();
    unlink(sig);
    expect_refused_saying(world.path, "signature is not beside it");
    scratch_write(world.directory, "file.sig", "x", 1);
    expect_refused_saying(world.path, "was not signed by the key");
    scratch_write(world.directory, "file.sig", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END", 42);
    expect_refused_saying(world.path, "was not signed by the key");
}

/* --------------------------------------------------------------- statements */

/* Entries of m0007 in the ledger's order, and its leaf as the state record has it. */
struct books {
    struct account_leaf account;
    struct hash accounts[2]; /* the other account's leaf, and ours */
    uint64_t entries[16];
    size_t n_entries;
    uint64_t state;
};

static void books_move(struct books *books, int64_t minutes) {
    struct account_leaf *account = &books->account;
    account->balance += minutes;
    account->n_entries++;
    account->last_entry = world.n - 1;
    account->running = account_leaf_running(&account->running, &world.leaves[world.n - 1],
                                            account->balance, account->held);
    books->entries[books->n_entries++] = world.n - 1;
}

/* Twelve exchanges with others' records between them, and a state record. */
static void books_make(struct books *books, int64_t wrong_minutes) {
    uint8_t leaf[ACCOUNT_LEAF_MAX], state[RECORD_STATE_BYTES];
    *books = (struct books){.account = {.number = 1,
                                        .kind = TB_ACCOUNT_MEMBER,
                                        .code = "m0007",
                                        .floor = INT64_MIN,
                                        .ceiling = INT64_MIN}};
    for (uint8_t i = 0; i < 12; i++) {
        _cleanup_bytes_ struct bytes order = {};
        bool gives = i % 3 != 0;
        exchange_put(gives ? "m0007" : "m0012", gives ? "m0012" : "m0007", 30, i, &order);
        record_add(order.data, order.n);
        books_move(books, (gives ? 30 : -30) + (i == 5 ? wrong_minutes : 0));
        if (i % 2 == 0)
            record_add(&i, 1);
    }
    books->accounts[0] = merkle_leaf("TBA1other", 9);
    books->accounts[1] = merkle_leaf(leaf, account_leaf_pack(&books->account, leaf));
    struct record_state record = {.covers = world.n,
                                  .n_accounts = 2,
                                  .root = merkle_node(&books->accounts[0], &books->accounts[1]),
                                  .ledger_time_ms = RECEIVED_MS};
    record_state_pack(&record, state);
    books->state = world.n;
    record_add(state, sizeof(state));
    record_add("\1after", 6);
}

static void between_put(uint64_t begin, uint64_t end, struct bytes *to) {
    struct merkle_range range;
    cr_assert(merkle_prove_range(leaf_lookup, world.leaves, begin, end, &range) == 0);
    statement_proof_between(to, range.hashes, range.n_hashes);
}

static void statement_put(const struct books *books, struct bytes *to) {
    uint8_t leaf[ACCOUNT_LEAF_MAX];
    _cleanup_bytes_ struct bytes checkpoint = {};
    uint64_t at = 0;
    struct hash running = {};
    int64_t balance = 0;
    statement_proof_begin(to, leaf, account_leaf_pack(&books->account, leaf), books->accounts, 1);
    for (size_t i = 0; i < books->n_entries; i++) {
        uint64_t number = books->entries[i];
        int64_t minutes = i % 3 != 0 ? 30 : -30;
        struct hash right, wrong;
        /* The figure that the account's running hash was made with. */
        right = account_leaf_running(&running, &world.leaves[number], balance + minutes, 0);
        wrong = account_leaf_running(&running, &world.leaves[number], balance + minutes + 60, 0);
        if (i == 5 && books->account.balance != 120) {
            minutes += 60;
            right = wrong;
        }
        running = right;
        balance += minutes;
        between_put(at, number, to);
        statement_proof_entry(to,
                              &(struct statement_proof_entry){.number = number,
                                                              .moved = true,
                                                              .minutes = minutes,
                                                              .after = balance,
                                                              .record = world.records[number].data,
                                                              .n_record = world.records[number].n});
        at = number + 1;
    }
    between_put(at, books->state, to);
    statement_proof_state(to, books->state, world.records[books->state].data,
                          world.records[books->state].n);
    between_put(books->state + 1, world.n, to);
    head_put(world.n, &checkpoint);
    statement_proof_end(to, checkpoint.data, checkpoint.n);
}

static void statement_write(int64_t wrong_minutes) {
    struct books books;
    _cleanup_bytes_ struct bytes text = {};
    books_make(&books, wrong_minutes);
    statement_put(&books, &text);
    cr_assert(text.r == 0);
    scratch_write(world.directory, "file", text.data, text.n);
}

Test(lib_verified, says_that_a_statement_is_complete, .init = setup, .fini = teardown) {
    struct tb_verified_account account;
    struct tb_verified_entry entry;
    statement_write(0);
    cr_assert(verify(world.path) == 0, "%s", world.why);
    cr_assert(tb_verified_kind(world.verified) == TB_IS_STATEMENT);
    cr_assert(says(true, "The statement of m0007 in the ledger " ORIGIN " is complete and correct "
                         "as of record 20, Wed 5 March 2025, 14:03 UTC: 12 entries"));
    cr_assert(says(true, "below the signed head of 22 records"));
    cr_assert(says(false, "Hours without credit") && says(false, "who signed it"));
    cr_assert(tb_verified_entries(world.verified) == 12);
    cr_assert(tb_verified_entry(world.verified, 11, &entry) == 0 && entry.after_minutes == 120 &&
              entry.minutes == 30 && strcmp(entry.order.to, "m0007") == 0);
    tb_verified_account(world.verified, &account);
    cr_assert(strcmp(account.code, "m0007") == 0 && account.kind == TB_ACCOUNT_MEMBER &&
              account.minutes == 120 && account.covers == 20);
    expect_each_bit_counts(world.path, NULL);
}

/* Hashes, state and head all agree: but the order says 30 minutes, and the account got 90. */
Test(lib_verified, refuses_a_figure_that_the_order_does_not_bear_out, .init = setup,
     .fini = teardown) {
    statement_write(60);
    expect_refused_saying(world.path, "is not what the statement says");
}

/* ----------------------------------------------------------------- evidence */

static void evidence_put(const struct bytes *before, const struct bytes *now,
                         const struct bytes *reply, struct bytes *to) {
    evidence_file_begin(to, "So it was found.", "unix:/run/bank/socket", world.key, RECEIVED_MS);
    evidence_file_note(to, EVIDENCE_HEAD_BEFORE, before->data, before->n);
    evidence_file_note(to, EVIDENCE_HEAD_NOW, now->data, now->n);
    evidence_file_data(to, EVIDENCE_REQUEST, "request", 7);
    evidence_file_data(to, EVIDENCE_REPLY, reply->data, reply->n);
    evidence_file_end(to);
    cr_assert(to->r == 0);
}

static void evidence_write_heads(const struct bytes *before, const struct bytes *now,
                                 const struct bytes *reply) {
    _cleanup_bytes_ struct bytes text = {};
    evidence_put(before, now, reply, &text);
    scratch_write(world.directory, "file", text.data, text.n);
}

static void ledger_grow(uint64_t n) {
    while (world.n < n)
        record_add(&world.n, sizeof(world.n));
}

Test(lib_verified, proves_two_histories_by_two_heads_of_one_size, .init = setup, .fini = teardown) {
    _cleanup_bytes_ struct bytes before = {}, now = {}, nothing = {};
    ledger_grow(7);
    head_put(7, &before);
    world.leaves[3].b[0] ^= 1;
    head_put(7, &now);
    evidence_write_heads(&before, &now, &nothing);
    cr_assert(verify(world.path) == 0, "%s", world.why);
    cr_assert(tb_verified_kind(world.verified) == TB_IS_EVIDENCE);
    cr_assert(says(true, "signed two histories: of its first 7 records") &&
              says(false, "true one"));
    expect_each_bit_counts(world.path, NULL);
    /* The same head twice proves nothing. */
    evidence_write_heads(&before, &before, &nothing);
    expect_refused_saying(world.path, "anybody could have written it");
}

static void reply_put(uint64_t old_size, uint64_t size, struct bytes *to) {
    Timebank__Response response = TIMEBANK__RESPONSE__INIT;
    Timebank__Position position = TIMEBANK__POSITION__INIT;
    struct hash path[MERKLE_PATH_MAX + 1];
    ProtobufCBinaryData data[MERKLE_PATH_MAX + 1];
    size_t n = 0;
    cr_assert(merkle_prove_consistency(leaf_lookup, world.leaves, old_size, size, path, &n) == 0);
    for (size_t i = 0; i < n; i++)
        data[i] = (ProtobufCBinaryData){.len = HASH_BYTES, .data = path[i].b};
    position.size = size;
    position.n_consistency = n;
    position.consistency = data;
    response.position = &position;
    timebank__response__pack(&response,
                             bytes_reserve(to, timebank__response__get_packed_size(&response)));
}

/* The bank's own proof says which root its longer history had before. */
Test(lib_verified, proves_two_histories_by_the_banks_own_proof, .init = setup, .fini = teardown) {
    _cleanup_bytes_ struct bytes before = {}, now = {}, reply = {}, nothing = {}, other = {};
    ledger_grow(13);
    head_put(7, &before);
    head_put(13, &other);
    reply_put(7, 13, &reply);
    evidence_write_heads(&before, &other, &reply);
    expect_refused_saying(world.path, "does not connect them");
    world.leaves[3].b[0] ^= 1;
    head_put(13, &now);
    bytes_clear(&reply);
    reply_put(7, 13, &reply);
    evidence_write_heads(&before, &now, &reply);
    cr_assert(verify(world.path) == 0, "%s", world.why);
    cr_assert(says(true, "of its first 7 records"));
    /* Without the proof, and with one of another head, the two heads alone are not enough. */
    evidence_write_heads(&before, &now, &nothing);
    expect_refused_saying(world.path, "does not connect them");
    evidence_write_heads(&before, &other, &reply);
    expect_refused_saying(world.path, "does not connect them");
}

/* The request named another head than the newest that was verified. */
Test(lib_verified, proves_two_histories_by_the_head_that_was_named, .init = setup,
     .fini = teardown) {
    _cleanup_bytes_ struct bytes before = {}, named = {}, now = {}, reply = {}, text = {};
    ledger_grow(13);
    head_put(9, &before);
    head_put(7, &named);
    world.leaves[3].b[0] ^= 1;
    head_put(13, &now);
    reply_put(7, 13, &reply);
    evidence_file_begin(&text, "So it was found.", "-", world.key, RECEIVED_MS);
    evidence_file_note(&text, EVIDENCE_HEAD_BEFORE, before.data, before.n);
    evidence_file_note(&text, EVIDENCE_HEAD_NAMED, named.data, named.n);
    evidence_file_note(&text, EVIDENCE_HEAD_NOW, now.data, now.n);
    evidence_file_data(&text, EVIDENCE_REPLY, reply.data, reply.n);
    evidence_file_end(&text);
    scratch_write(world.directory, "file", text.data, text.n);
    cr_assert(verify(world.path) == 0, "%s", world.why);
    cr_assert(says(true, "of its first 7 records"));
}

Test(lib_verified, does_not_take_a_rollback_for_proven, .init = setup, .fini = teardown) {
    _cleanup_bytes_ struct bytes before = {}, now = {}, nothing = {};
    ledger_grow(13);
    head_put(13, &before);
    head_put(7, &now);
    evidence_write_heads(&before, &now, &nothing);
    expect_refused_saying(world.path, "Nobody signed which came first");
}

Test(lib_verified, does_not_believe_evidence_without_two_signed_heads, .init = setup,
     .fini = teardown) {
    static const uint8_t seed[32] = {9};
    _cleanup_bytes_ struct bytes before = {}, now = {}, nothing = {};
    head_put(2, &before);
    bytes_put_text(&now, "\n--- reply, base64 of the protobuf message\nnonsense\n");
    evidence_write_heads(&before, &now, &nothing);
    expect_refused_saying(world.path, "So it was found.");
    evidence_write_heads(&nothing, &nothing, &nothing);
    expect_refused_saying(world.path, "anybody could have written it");
    free(world.key);
    key_make(seed);
    cr_assert(verify(world.path) == TB_WRONG_LEDGER && strstr(world.why, "of the ledger"));
}

/* What a daemon keeps of a batch whose author saw another history. */
static void pin_evidence_write(uint64_t pin_size, const struct hash *pin_root, uint64_t size,
                               bool with_proof) {
    _cleanup_bytes_ struct bytes text = {}, head = {};
    struct batch batch = {};
    struct hash path[MERKLE_PATH_MAX + 1];
    size_t n = 0;
    batch.header = (struct batch_header){.n_orders = 1,
                                         .ledger_id = world.ledger_id,
                                         .created_ms = RECEIVED_MS,
                                         .pin_size = pin_size,
                                         .pin_root = *pin_root};
    memcpy(batch.header.author, world.author, 32);
    batch_header_pack(&batch.header, batch.seal.header);
    cr_assert(sshsig_sign(SSHSIG_BATCH, batch.seal.header, BATCH_HEADER_BYTES, world.author_secret,
                          batch.seal.signature) == 0);
    head_put(size, &head);
    if (with_proof)
        cr_assert(merkle_prove_consistency(leaf_lookup, world.leaves, pin_size, size, path, &n) ==
                  0);
    evidence_file_begin(&text, "An author saw another history.", "-", world.key, RECEIVED_MS);
    evidence_file_note(&text, EVIDENCE_HEAD_OWN, head.data, head.n);
    evidence_file_data(&text, EVIDENCE_HEADER, batch.seal.header, BATCH_HEADER_BYTES);
    evidence_file_data(&text, EVIDENCE_SIGNATURE, batch.seal.signature, 64);
    evidence_file_data(&text, EVIDENCE_CONSISTENCY, path, n * HASH_BYTES);
    evidence_file_end(&text);
    scratch_write(world.directory, "file", text.data, text.n);
}

Test(lib_verified, explains_a_batch_whose_author_saw_another_history, .init = setup,
     .fini = teardown) {
    ledger_grow(13);
    struct hash root = merkle_root(world.leaves, 7), other = root;
    other.b[31] ^= 1;
    pin_evidence_write(7, &other, 13, true);
    cr_assert(verify(world.path) == 0, "%s", world.why);
    cr_assert(says(true, "that it had seen a head of 7 records with the root"));
    cr_assert(says(true, "another root") && says(false, "ever signed"));
    expect_each_bit_counts(world.path, NULL);
    pin_evidence_write(13, &other, 13, false);
    cr_assert(verify(world.path) == 0, "%s", world.why);
    pin_evidence_write(7, &other, 13, false);
    expect_refused_saying(world.path, "does not show what this ledger had there");
    pin_evidence_write(7, &root, 13, true);
    expect_refused_saying(world.path, "does not show what this ledger had there");
}

/* ------------------------------------------------------------------ mutants */

/* Bytes set, taken out, doubled or moved: nothing is believed, nothing crashes. */
static void expect_mutants_refused(const char *path, uint64_t seed) {
    _cleanup_bytes_ struct bytes good = {};
    FILE *from = fopen(path, "r");
    for (int c; (c = fgetc(from)) != EOF;)
        bytes_put_u8(&good, (uint8_t)c);
    fclose(from);
    for (size_t i = 0; i < 2000; i++) {
        _cleanup_bytes_ struct bytes bad = {};
        size_t at = random_next(&seed) % good.n, n = random_next(&seed) % 64;
        size_t end = MIN_OF(at + n + 1, good.n);
        bytes_put(&bad, good.data, at);
        switch (random_next(&seed) % 4) {
        case 0: /* what follows is missing */
            break;
        case 1:
            bytes_put(&bad, good.data + end, good.n - end);
            break;
        case 2:
            bytes_put(&bad, good.data + at, end - at);
            bytes_put(&bad, good.data + at, good.n - at);
            break;
        default:
            bytes_put_u64(&bad, random_next(&seed));
            bytes_put(&bad, good.data + end, good.n - end);
        }
        scratch_write(world.directory, "mutant", bad.data, bad.n);
        if (bad.n == good.n && memcmp(bad.data, good.data, bad.n) == 0)
            continue;
        char mutant[200];
        snprintf(mutant, sizeof(mutant), "%s/mutant", world.directory);
        cr_assert(verify(mutant) > 0, "mutant %zu of %s", i, path);
    }
}

Test(lib_verified, survives_mutants_of_each_kind_of_file, .init = setup, .fini = teardown) {
    _cleanup_bytes_ struct bytes before = {}, now = {}, nothing = {};
    struct batch batch;
    uint64_t seal = batch_record(&batch);
    proof_write(seal + 1);
    expect_mutants_refused(world.path, 1);
    statement_write(0);
    expect_mutants_refused(world.path, 2);
    head_put(7, &before);
    world.leaves[3].b[0] ^= 1;
    head_put(7, &now);
    evidence_write_heads(&before, &now, &nothing);
    expect_mutants_refused(world.path, 3);
    report_write();
    char mutant_sig[300], sig[300];
    snprintf(sig, sizeof(sig), "%s.sig", world.path);
    snprintf(mutant_sig, sizeof(mutant_sig), "%s/mutant.sig", world.directory);
    cr_assert(rename(sig, mutant_sig) == 0);
    expect_mutants_refused(world.path, 4);
}

Test(lib_verified, takes_a_callers_slip, .init = setup, .fini = teardown) {
    struct tb_verify_ask ask = {.verifier_key = world.key};
    struct tb_verified_account account;
    uint64_t size = 9;
    uint8_t root[32] = {9};
    receipt_write(0);
    cr_assert(tb_verify(NULL, &ask, &world.verified, NULL, 0) == -EINVAL);
    cr_assert(tb_verify(world.path, NULL, &world.verified, NULL, 0) == -EINVAL);
    cr_assert(tb_verify(world.path, &ask, NULL, NULL, 0) == -EINVAL);
    cr_assert(tb_verify(world.path, &ask, &world.verified, NULL, 0) == 0,
              "a sentence is not asked for");
    cr_assert(tb_verified_entry(world.verified, 0, NULL) == -EINVAL);
    tb_verified_account(world.verified, &account);
    cr_assert(account.code[0] == '\0' && account.covers == 0);
    cr_assert(tb_verified_kind(NULL) == TB_IS_NOTHING && tb_verified_entries(NULL) == 0);
    cr_assert(tb_verified_sentence(NULL, 0, NULL) == NULL && tb_verified_free(NULL) == NULL);
    tb_verified_position(NULL, &size, root);
    cr_assert(size == 0 && root[0] == 0);
    verified_forget();
    ask.verifier_key = NULL;
    cr_assert(tb_verify(world.path, &ask, &world.verified, NULL, 0) == TB_NOT_VERIFIED);
}

/* Whatever lies beside the parts, a person reads a page and not a flood. */
Test(lib_verified, names_a_few_other_files_and_no_flood, .init = setup, .fini = teardown) {
    size_t n = 0;
    receipt_write(0);
    for (unsigned i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof(name), "other-%u\x1b", i);
        scratch_write(world.path, name, "x", 1);
    }
    cr_assert(verify(world.path) == 0, "%s", world.why);
    for (const char *text; (text = tb_verified_sentence(world.verified, n, NULL)); n++)
        cr_assert(!strchr(text, '\x1b'));
    cr_assert(n < 30 && says(false, "and more"));
}
