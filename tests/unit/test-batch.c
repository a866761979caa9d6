/* SPDX-License-Identifier: Apache-2.0 */
/* The header's layout byte by byte, ids that grow, notes, and the hello's signed bytes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "proto/batch.h"

TestSuite(batch, .timeout = 30);

static struct batch_header header_make(void) {
    struct batch_header header = {
        .n_orders = 3,
        .created_ms = UINT64_C(0x0102030405060708),
        .not_after_ms = UINT64_C(0x1112131415161718),
        .pin_size = UINT64_C(0x2122232425262728),
    };
    memset(header.ledger_id.b, 0xa1, 32);
    memset(header.author, 0xa2, 32);
    memset(header.batch_id, 0xa3, 16);
    memset(header.pin_root.b, 0xa4, 32);
    memset(header.orders_root.b, 0xa5, 32);
    return header;
}

Test(batch, packs_the_header_as_the_manual_lays_it_out) {
    struct batch_header header = header_make();
    uint8_t packed[BATCH_HEADER_BYTES], expected[BATCH_HEADER_BYTES];
    batch_header_pack(&header, packed);
    unhex("5442423100000003", expected);
    memset(expected + 8, 0xa1, 32);
    memset(expected + 40, 0xa2, 32);
    memset(expected + 72, 0xa3, 16);
    unhex("010203040506070811121314151617182122232425262728", expected + 88);
    memset(expected + 112, 0xa4, 32);
    memset(expected + 144, 0xa5, 32);
    cr_assert(memcmp(packed, expected, sizeof(expected)) == 0);
}

/* No bit of the header is slack: each flip is refused or gives another header. */
Test(batch, reads_every_bit_of_the_header) {
    struct batch_header header = header_make(), back;
    uint8_t packed[BATCH_HEADER_BYTES], again[BATCH_HEADER_BYTES];
    batch_header_pack(&header, packed);
    cr_assert(batch_header_unpack(packed, &back) == 0);
    batch_header_pack(&back, again);
    cr_assert(memcmp(packed, again, sizeof(packed)) == 0);
    for (size_t bit = 0; bit < 8 * sizeof(packed); bit++) {
        packed[bit / 8] ^= 1 << bit % 8;
        int r = batch_header_unpack(packed, &back);
        if (bit < 32)
            cr_assert(r == -EBADMSG, "magic");
        if (r == 0) {
            batch_header_pack(&back, again);
            cr_assert(memcmp(packed, again, sizeof(packed)) == 0);
        }
        packed[bit / 8] ^= 1 << bit % 8;
    }
}

Test(batch, refuses_no_order_and_a_root_of_nothing) {
    struct batch_header header = header_make(), back = {.n_orders = 77};
    uint8_t packed[BATCH_HEADER_BYTES];
    header.n_orders = 0;
    batch_header_pack(&header, packed);
    cr_assert(batch_header_unpack(packed, &back) == -EBADMSG);
    header = header_make();
    header.pin_size = 0;
    batch_header_pack(&header, packed);
    cr_assert(batch_header_unpack(packed, &back) == -EBADMSG);
    cr_assert(back.n_orders == 77);
    memset(header.pin_root.b, 0, 32);
    batch_header_pack(&header, packed);
    cr_assert(batch_header_unpack(packed, &back) == 0);
    cr_assert(back.n_orders == 3 && back.pin_size == 0);
}

Test(batch, makes_uuids_of_version_7_that_grow) {
    uint8_t last[16] = {}, id[16];
    const uint64_t ms = UINT64_C(0x018f00112233);
    for (unsigned i = 0; i < 20000; i++) {
        /* The clock stands still, goes on, and jumps back. */
        uint64_t now = ms + i / 1000 - (i % 5000 == 0 ? 100000 : 0);
        batch_id_new(now, id);
        cr_assert(memcmp(id, last, 16) > 0, "id %u is not greater", i);
        cr_assert(id[6] >> 4 == 7 && id[8] >> 6 == 2);
        memcpy(last, id, 16);
    }
    batch_id_new(ms + 1000000, id);
    cr_assert(be64_get(id) >> 16 == ms + 1000000, "the first 48 bits are the clock's");
}

#define N_THREADS 4
#define N_IDS 5000

static uint8_t ids[N_THREADS * N_IDS][16];

static void *ids_take(void *user) {
    uint8_t(*mine)[16] = user;
    for (size_t i = 0; i < N_IDS; i++) {
        batch_id_new(1700000000000, mine[i]);
        if (i > 0 && memcmp(mine[i - 1], mine[i], 16) >= 0)
            return mine[i];
    }
    return NULL;
}

static int id_compare(const void *a, const void *b) {
    return memcmp(a, b, 16);
}

Test(batch, gives_no_id_twice_to_many_threads) {
    pthread_t threads[N_THREADS];
    for (size_t i = 0; i < N_THREADS; i++)
        cr_assert(pthread_create(&threads[i], NULL, ids_take, ids + i * N_IDS) == 0);
    for (size_t i = 0; i < N_THREADS; i++) {
        void *wrong = NULL;
        cr_assert(pthread_join(threads[i], &wrong) == 0 && !wrong);
    }
    qsort(ids, N_THREADS * N_IDS, 16, id_compare);
    for (size_t i = 1; i < N_THREADS * N_IDS; i++)
        cr_assert(memcmp(ids[i - 1], ids[i], 16) != 0);
}

Test(batch, derives_an_order_id_from_ledger_source_and_key) {
    struct hash ledger_id;
    memset(ledger_id.b, 9, 32);
    uint8_t id[16], digest[32], message[128];
    batch_order_id(&ledger_id, "ref", "two-years/17", id);
    memcpy(message, "timebank-id/1\n", 14);
    memset(message + 14, 9, 32);
    memcpy(message + 46, "ref\ntwo-years/17", 16);
    crypto_hash_sha256(digest, message, 62);
    cr_assert(memcmp(id, digest, 16) == 0);
}

Test(batch, notes_are_keyed_blake2b) {
    uint8_t salt[32], note[32], expected[32], other[32];
    memset(salt, 3, 32);
    batch_note("helped after dark", salt, note);
    crypto_generichash(expected, 32, (const uint8_t *)"helped after dark", 17, salt, 32);
    cr_assert(memcmp(note, expected, 32) == 0);
    salt[31] ^= 1;
    batch_note("helped after dark", salt, other);
    cr_assert(memcmp(note, other, 32) != 0);
}

Test(batch, lays_out_the_hello_with_and_without_a_binding) {
    struct hash ledger_id;
    uint8_t nonce_daemon[32], nonce_client[32], binding[32], hello[BATCH_HELLO_BYTES],
        expected[BATCH_HELLO_BYTES];
    memset(ledger_id.b, 1, 32);
    memset(nonce_daemon, 2, 32);
    memset(nonce_client, 3, 32);
    memset(binding, 4, 32);
    memcpy(expected, "TBA1", 4);
    for (int i = 0; i < 4; i++)
        memset(expected + 4 + 32 * i, i + 1, 32);
    batch_hello_bytes(&ledger_id, nonce_daemon, nonce_client, binding, hello);
    cr_assert(memcmp(hello, expected, sizeof(expected)) == 0);
    memset(expected + 100, 0, 32);
    batch_hello_bytes(&ledger_id, nonce_daemon, nonce_client, NULL, hello);
    cr_assert(memcmp(hello, expected, sizeof(expected)) == 0);
}

Test(batch, a_forked_child_makes_other_ids_than_its_parent) {
    const uint64_t ms = UINT64_C(1700000000000);
    uint8_t mine[16], theirs[16];
    int ends[2];
    cr_assert(pipe(ends) == 0);
    for (unsigned i = 0; i < 3; i++)
        batch_id_new(ms, mine);
    pid_t child = fork();
    cr_assert(child >= 0);
    batch_id_new(ms, mine);
    if (child == 0)
        _exit(write(ends[1], mine, sizeof(mine)) != sizeof(mine));
    cr_assert(read(ends[0], theirs, sizeof(theirs)) == sizeof(theirs));
    waitpid(child, NULL, 0);
    cr_assert(memcmp(mine, theirs, sizeof(mine)) != 0);
    close(ends[0]);
    close(ends[1]);
}
