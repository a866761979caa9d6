/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place for the bytes of an account's leaf and of its running hash. Judging an order goes
 * through account_leaf_run(), so nothing here allocates. Which kinds and standings there are is
 * not asked: what a leaf says is proven by the root above it.
 */
#include "account-leaf.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MAGIC "TBA1"
#define MAGIC_BYTES 4
#define RUNNING_PREFIX 0x03
#define STEPS_AT_ONCE 8u

size_t account_leaf_pack(const struct account_leaf *leaf, uint8_t ret[ACCOUNT_LEAF_MAX]) {
    const uint64_t numbers[] = {(uint64_t)leaf->floor,   (uint64_t)leaf->ceiling,
                                (uint64_t)leaf->balance, (uint64_t)leaf->held,
                                leaf->n_entries,         leaf->last_entry};
    size_t n_code = strnlen(leaf->code, CODE_MAX);
    uint8_t *at = ret;

    memcpy(at, MAGIC, MAGIC_BYTES);
    be64_put(at + MAGIC_BYTES, leaf->number);
    at += MAGIC_BYTES + 8;
    *at++ = leaf->kind;
    *at++ = leaf->standing;
    *at++ = (uint8_t)n_code;
    memcpy(at, leaf->code, n_code);
    at += n_code;
    for (size_t i = 0; i < N_ELEMENTS(numbers); i++, at += 8)
        be64_put(at, numbers[i]);
    memcpy(at, leaf->running.b, HASH_BYTES);
    return (size_t)(at - ret) + HASH_BYTES;
}

static int code_take(struct cursor *from, struct account_leaf *leaf) {
    size_t n = cursor_u8(from);
    const uint8_t *code = cursor_bytes(from, n);

    if (!code || n > CODE_MAX)
        return -EBADMSG;
    memcpy(leaf->code, code, n);
    return strlen(leaf->code) == n && (code_is_valid(leaf->code) || code_is_bank(leaf->code))
               ? 0
               : -EBADMSG;
}

int account_leaf_unpack(const void *data, size_t n, struct account_leaf *ret) {
    struct cursor cursor = cursor_make(data, n);
    struct account_leaf leaf = {0};
    const uint8_t *magic = cursor_bytes(&cursor, MAGIC_BYTES), *running;

    if (!magic || memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
        return -EBADMSG;
    leaf.number = cursor_u64(&cursor);
    leaf.kind = cursor_u8(&cursor);
    leaf.standing = cursor_u8(&cursor);
    if (code_take(&cursor, &leaf) < 0)
        return -EBADMSG;
    leaf.floor = cursor_i64(&cursor);
    leaf.ceiling = cursor_i64(&cursor);
    leaf.balance = cursor_i64(&cursor);
    leaf.held = cursor_i64(&cursor);
    leaf.n_entries = cursor_u64(&cursor);
    leaf.last_entry = cursor_u64(&cursor);
    running = cursor_bytes(&cursor, HASH_BYTES);
    if (!running || cursor_end(&cursor) < 0)
        return -EBADMSG;
    memcpy(leaf.running.b, running, HASH_BYTES);
    *ret = leaf;
    return 0;
}

struct message {
    uint8_t running[HASH_BYTES];
    uint8_t record_leaf[HASH_BYTES];
    uint8_t balance[8];
    uint8_t held[8];
};
static_assert(sizeof(struct message) == 2 * HASH_BYTES + 16, "what is hashed has no gaps");

static void message_make(struct message *message, const struct account_step *step) {
    memcpy(message->running, step->running, HASH_BYTES);
    memcpy(message->record_leaf, step->record_leaf->b, HASH_BYTES);
    be64_put(message->balance, (uint64_t)step->balance);
    be64_put(message->held, (uint64_t)step->held);
}

struct hash account_leaf_running(const struct hash *running, const struct hash *record_leaf,
                                 int64_t balance, int64_t held) {
    struct hash next = *running;

    account_leaf_run(&(struct account_step){next.b, record_leaf, balance, held}, 1);
    return next;
}

/* How many of the next steps, eight at most, are of as many accounts. */
static size_t count_apart(const struct account_step *steps, size_t n) {
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (steps[j].running == steps[i].running)
                return i;
    return n;
}

void account_leaf_run(const struct account_step *steps, size_t n) {
    struct message messages[STEPS_AT_ONCE];
    struct iovec pieces[STEPS_AT_ONCE];
    struct hash hashes[STEPS_AT_ONCE];

    for (size_t i = 0, n_now; i < n; i += n_now) {
        n_now = count_apart(steps + i, MIN_OF(n - i, STEPS_AT_ONCE));
        for (size_t j = 0; j < n_now; j++) {
            message_make(&messages[j], &steps[i + j]);
            pieces[j] = (struct iovec){&messages[j], sizeof(messages[j])};
        }
        hash_of_each(&(uint8_t){RUNNING_PREFIX}, 1, pieces, n_now, hashes);
        for (size_t j = 0; j < n_now; j++)
            memcpy(steps[i + j].running, hashes[j].b, HASH_BYTES);
    }
}
