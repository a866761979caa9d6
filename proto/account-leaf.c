/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place for the bytes of an account's leaf and of its running hash. Judging an order goes
 * through account_leaf_running(), so nothing here allocates. Which kinds and standings there are is
 * not asked: what a leaf says is proven by the root above it.
 */
#include "account-leaf.h"

#include <errno.h>
#include <string.h>

#define MAGIC "TBA1"
#define MAGIC_BYTES 4
#define RUNNING_PREFIX 0x03

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

struct hash account_leaf_running(const struct hash *running, const struct hash *record_leaf,
                                 int64_t balance, int64_t held) {
    uint8_t message[1 + 2 * HASH_BYTES + 16];

    message[0] = RUNNING_PREFIX;
    memcpy(message + 1, running->b, HASH_BYTES);
    memcpy(message + 1 + HASH_BYTES, record_leaf->b, HASH_BYTES);
    be64_put(message + 1 + 2 * HASH_BYTES, (uint64_t)balance);
    be64_put(message + 1 + 2 * HASH_BYTES + 8, (uint64_t)held);
    return hash_of(message, sizeof(message));
}
