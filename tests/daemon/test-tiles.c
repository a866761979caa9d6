/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of the tree for anybody, records for those who may read everything, both as stored. */
#include <string.h>

#include "harness.h"

TestSuite(tiles, .timeout = STORY_TIMEOUT, .init = bank_start, .fini = bank_end);

static void ask_tiles(enum actor actor, uint32_t level, uint64_t first, uint32_t n) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_TILES);
    request->tiles->level = level;
    request->tiles->first = first;
    request->tiles->n = n;
    ask(actor, request);
}

static const Timebank__Records *ask_records(enum actor actor, uint64_t first, uint32_t max) {
    Timebank__Request *request = request_new(TIMEBANK__REQUEST__BODY_RECORDS);
    request->records->first = first;
    request->records->max = max;
    ask(actor, request);
    return story.response->records;
}

static void many_entries(unsigned n) {
    for (unsigned i = 0; i < n; i += PARCEL_ORDERS_MAX) {
        struct parcel *parcel = parcel_new(BROKER);
        for (unsigned j = 0; j < PARCEL_ORDERS_MAX; j++) {
            char code[16];
            snprintf(code, sizeof(code), "x%u", i + j);
            parcel_put(parcel, order_open(code, TIMEBANK__ACCOUNT_KIND__MEMBER));
        }
        parcel_send(parcel);
        expect_recorded();
    }
}

Test(tiles, the_lowest_level_is_the_leaf_hashes) {
    const struct hash *leaves = stored_leaves(story.head.size);
    uint64_t size = story.head.size;
    cr_assert(size > 10);
    ask_tiles(STRANGER, 0, 0, (uint32_t)size);
    cr_assert(!response_refused(), "%s", response_words());
    cr_assert(story.response->tiles->hashes.len == size * HASH_BYTES);
    cr_assert(memcmp(story.response->tiles->hashes.data, leaves, size * HASH_BYTES) == 0);
    ask_tiles(STRANGER, 0, 3, 2);
    cr_assert(story.response->tiles->hashes.len == 2 * HASH_BYTES);
    cr_assert(memcmp(story.response->tiles->hashes.data, leaves + 3, 2 * HASH_BYTES) == 0);
}

Test(tiles, a_higher_level_is_the_roots_of_whole_subtrees) {
    many_entries(600);
    uint64_t n = story.head.size / 256;
    const struct hash *leaves = stored_leaves(story.head.size);
    cr_assert(n >= 2);
    ask_tiles(M12, 1, 0, (uint32_t)n);
    cr_assert(!response_refused(), "%s", response_words());
    cr_assert(story.response->tiles->hashes.len == n * HASH_BYTES);
    for (uint64_t i = 0; i < n; i++) {
        struct hash root = naive_root(leaves + 256 * i, 256);
        cr_assert(memcmp(story.response->tiles->hashes.data + HASH_BYTES * i, root.b, HASH_BYTES) ==
                  0);
    }
    ask_tiles(M12, 1, 0, (uint32_t)n + 1);
    expect_refused(NO_SUCH_POSITION);
    ask_tiles(M12, 2, 0, 1);
    expect_refused(NO_SUCH_POSITION);
}

Test(tiles, what_is_not_there_or_too_much_is_refused) {
    ask_tiles(BROKER, 0, story.head.size, 1);
    expect_refused(NO_SUCH_POSITION);
    ask_tiles(BROKER, 0, story.head.size - 1, 2);
    expect_refused(NO_SUCH_POSITION);
    ask_tiles(BROKER, 0, UINT64_MAX, 1);
    expect_refused(NO_SUCH_POSITION);
    ask_tiles(BROKER, UINT32_MAX, 0, 1);
    expect_refused(NO_SUCH_POSITION);
    ask_tiles(BROKER, 0, 0, 0);
    expect_refused(BAD_REQUEST);
    ask_tiles(BROKER, 0, 0, 2049);
    expect_refused(BAD_REQUEST);
}

Test(tiles, records_come_as_they_are_page_after_page) {
    many_entries(128);
    const struct hash *leaves = stored_leaves(story.head.size);
    uint64_t size = story.head.size, at = 0;
    unsigned n_pages = 0;
    for (; at < size; n_pages++) {
        const Timebank__Records *records = ask_records(AUDITOR, at, 50);
        cr_assert(!response_refused(), "%s", response_words());
        cr_assert(records->first == at && records->n == (size - at < 50 ? size - at : 50));
        cr_assert(records->more == (at + records->n < size));
        struct cursor c = cursor_make(records->records.data, records->records.len);
        for (uint32_t i = 0; i < records->n; i++, at++) {
            uint16_t n = cursor_u16(&c);
            const uint8_t *record = cursor_bytes(&c, n);
            cr_assert(record);
            struct hash leaf = merkle_leaf(record, n);
            cr_assert(hash_equal(&leaf, &leaves[at]));
        }
        cr_assert(cursor_end(&c) == 0);
    }
    cr_assert(n_pages == (size + 49) / 50);
    ask_records(AUDITOR, size, 1);
    expect_refused(NO_SUCH_POSITION);
}

Test(tiles, records_are_for_stewards_and_auditors_alone) {
    cr_assert(ask_records(STEWARD, 0, 1)->n == 1);
    cr_assert(ask_records(STEWARD, 0, 0)->n > 1);
    ask_records(BROKER, 0, 1);
    expect_refused(NO_AUTHORITY);
    ask_records(POOL, 0, 1);
    expect_refused(NO_AUTHORITY);
    ask_records(STRANGER, 0, 1);
    expect_refused(UNKNOWN_KEY);
}
