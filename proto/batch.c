/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts by straight lines; the asserts beside them hold the offsets of timebank-ledger(5). */
#include "batch.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define HEADER_MAGIC 0x54424231u /* TBB1 */
#define HELLO_MAGIC "TBA1"
#define ID_PREFIX "timebank-id/1\n"

static_assert(4 + 4 + 32 + 32 + 16 + 8 + 8 + 8 + 32 + 32 == BATCH_HEADER_BYTES, "header's fields");
static_assert(4 + 4 * 32 == BATCH_HELLO_BYTES, "hello's fields");
static_assert(SSHSIG_PUBLIC_BYTES == 32 && HASH_BYTES == 32 && BATCH_NONCE_BYTES == 32, "sizes");

static uint8_t *field_put(uint8_t *at, const void *data, size_t n) {
    memcpy(at, data, n);
    return at + n;
}

static uint8_t *field_put_u32(uint8_t *at, uint32_t v) {
    be32_put(at, v);
    return at + 4;
}

static uint8_t *field_put_u64(uint8_t *at, uint64_t v) {
    be64_put(at, v);
    return at + 8;
}

void batch_header_pack(const struct batch_header *header, uint8_t ret[BATCH_HEADER_BYTES]) {
    uint8_t *at = ret;
    at = field_put_u32(at, HEADER_MAGIC);
    at = field_put_u32(at, header->n_orders);
    at = field_put(at, header->ledger_id.b, HASH_BYTES);
    at = field_put(at, header->author, SSHSIG_PUBLIC_BYTES);
    at = field_put(at, header->batch_id, BATCH_ID_BYTES);
    at = field_put_u64(at, header->created_ms);
    at = field_put_u64(at, header->not_after_ms);
    at = field_put_u64(at, header->pin_size);
    at = field_put(at, header->pin_root.b, HASH_BYTES);
    at = field_put(at, header->orders_root.b, HASH_BYTES);
    assert(at == ret + BATCH_HEADER_BYTES);
}

static void field_get(struct cursor *c, void *ret, size_t n) {
    const uint8_t *p = cursor_bytes(c, n);
    assert(p);
    memcpy(ret, p, n);
}

int batch_header_unpack(const uint8_t bytes[BATCH_HEADER_BYTES], struct batch_header *ret) {
    struct cursor c = cursor_make(bytes, BATCH_HEADER_BYTES);
    struct batch_header header;
    uint32_t magic = cursor_u32(&c);
    header.n_orders = cursor_u32(&c);
    field_get(&c, header.ledger_id.b, HASH_BYTES);
    field_get(&c, header.author, SSHSIG_PUBLIC_BYTES);
    field_get(&c, header.batch_id, BATCH_ID_BYTES);
    header.created_ms = cursor_u64(&c);
    header.not_after_ms = cursor_u64(&c);
    header.pin_size = cursor_u64(&c);
    field_get(&c, header.pin_root.b, HASH_BYTES);
    field_get(&c, header.orders_root.b, HASH_BYTES);
    int r = cursor_end(&c);
    if (r < 0)
        return r;
    bool has_root = !sodium_is_zero(header.pin_root.b, HASH_BYTES);
    if (magic != HEADER_MAGIC || header.n_orders == 0 || (header.pin_size == 0 && has_root))
        return -EBADMSG;
    *ret = header;
    return 0;
}

/* A UUID of version 7 without its six fixed bits, as three numbers: ms, rand_a (12), rand_b (62).
 */
struct id_state {
    uint64_t ms;
    uint64_t a;
    uint64_t b;
};

#define ID_MS_MAX ((UINT64_C(1) << 48) - 1)
#define ID_A_BITS 12
#define ID_B_BITS 62

/* The last id of this process, and random steps fetched many at a time: the kernel is asked anew
 * for each otherwise, which costs more than all else of an order's id. A child that is forked must
 * not go on with its parent's steps. */
static struct {
    pthread_mutex_t lock;
    pthread_once_t once;
    bool forks_are_seen;
    struct id_state last;
    size_t n_steps;
    uint32_t steps[256];
} ids = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

static void fork_prepare(void) {
    pthread_mutex_lock(&ids.lock);
}

static void fork_in_parent(void) {
    pthread_mutex_unlock(&ids.lock);
}

static void fork_in_child(void) {
    ids.n_steps = 0;
    pthread_mutex_unlock(&ids.lock);
}

static void forks_watch(void) {
    ids.forks_are_seen = pthread_atfork(fork_prepare, fork_in_parent, fork_in_child) == 0;
}

static uint32_t step_random(void) {
    if (!ids.forks_are_seen)
        return randombytes_random();
    if (ids.n_steps == 0) {
        randombytes_buf(ids.steps, sizeof(ids.steps));
        ids.n_steps = sizeof(ids.steps) / sizeof(ids.steps[0]);
    }
    return ids.steps[--ids.n_steps];
}

/* The next id in the same millisecond: a random step on, so that ids cannot be counted by
 * outsiders. */
static void id_step(struct id_state *id) {
    id->b += UINT64_C(1) + step_random();
    id->a += id->b >> ID_B_BITS;
    id->b &= (UINT64_C(1) << ID_B_BITS) - 1;
    id->ms += id->a >> ID_A_BITS;
    id->a &= (UINT64_C(1) << ID_A_BITS) - 1;
    assert(id->ms <= ID_MS_MAX);
}

static void id_begin(struct id_state *id, uint64_t ms) {
    uint64_t random[2];
    randombytes_buf(random, sizeof(random));
    id->ms = ms;
    id->a = random[0] & ((UINT64_C(1) << ID_A_BITS) - 1);
    id->b = random[1] & ((UINT64_C(1) << ID_B_BITS) - 1);
}

void batch_id_new(uint64_t wall_ms, uint8_t ret[16]) {
    uint64_t ms = wall_ms & ID_MS_MAX;
    pthread_once(&ids.once, forks_watch);
    pthread_mutex_lock(&ids.lock);
    if (ms > ids.last.ms)
        id_begin(&ids.last, ms);
    else
        id_step(&ids.last);
    struct id_state id = ids.last;
    pthread_mutex_unlock(&ids.lock);
    be64_put(ret, id.ms << 16 | UINT64_C(7) << 12 | id.a);
    be64_put(ret + 8, UINT64_C(2) << ID_B_BITS | id.b);
}

void batch_order_id(const struct hash *ledger_id, const char *source, const char *key,
                    uint8_t ret[ORDER_ID_BYTES]) {
    struct iovec pieces[] = {
        {.iov_base = (void *)ID_PREFIX, .iov_len = sizeof(ID_PREFIX) - 1},
        {.iov_base = (void *)ledger_id->b, .iov_len = HASH_BYTES},
        {.iov_base = (void *)source, .iov_len = strlen(source)},
        {.iov_base = (void *)"\n", .iov_len = 1},
        {.iov_base = (void *)key, .iov_len = strlen(key)},
    };
    struct hash hash = hash_of_pieces(pieces, N_ELEMENTS(pieces));
    memcpy(ret, hash.b, ORDER_ID_BYTES);
}

void batch_note(const char *text, const uint8_t salt[32], uint8_t ret[32]) {
    crypto_generichash(ret, 32, (const uint8_t *)text, strlen(text), salt, 32);
}

void batch_hello_bytes(const struct hash *ledger_id, const uint8_t nonce_daemon[BATCH_NONCE_BYTES],
                       const uint8_t nonce_client[BATCH_NONCE_BYTES], const uint8_t *binding,
                       uint8_t ret[BATCH_HELLO_BYTES]) {
    static const uint8_t no_binding[32];
    uint8_t *at = ret;
    at = field_put(at, HELLO_MAGIC, 4);
    at = field_put(at, ledger_id->b, HASH_BYTES);
    at = field_put(at, nonce_daemon, BATCH_NONCE_BYTES);
    at = field_put(at, nonce_client, BATCH_NONCE_BYTES);
    at = field_put(at, binding ? binding : no_binding, sizeof(no_binding));
    assert(at == ret + BATCH_HELLO_BYTES);
}
