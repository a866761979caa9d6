/* SPDX-License-Identifier: Apache-2.0 */
/* So many orders are asked after at once as the bank answers; each request begins where the tree
 * ends that the earlier ones led to. */
#include "already.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"
#include "wire.h"

#define ORDERS_A_TIME 1024u

struct already_order {
    uint64_t entry;
    struct hash leaf;
};

static int orders_compare(const void *a, const void *b) {
    const struct already_order *x = a, *y = b;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static int already_fail(struct tb_bank *bank) {
    return verify_fail(bank, NULL, 0,
                       "The batch was answered as in already, but the ledger has no such orders "
                       "there.");
}

int already_begin(struct already *already, struct tb_bank *bank, const struct hash *leaves,
                  const Timebank__Answer *answer, const struct note_head *head) {
    size_t n = answer->n_entries;
    already_fini(already);
    if (n == 0)
        return already_fail(bank);
    already->orders = calloc(n, sizeof(*already->orders));
    if (!already->orders)
        return bank_fail(bank, -ENOMEM, NULL);
    already->n = n;
    already->head = *head;
    merkle_range_init(&already->tree, 0);
    for (size_t i = 0; i < n; i++)
        already->orders[i] = (struct already_order){answer->entries[i], leaves[i]};
    qsort(already->orders, n, sizeof(*already->orders), orders_compare);
    for (size_t i = 1; i < n; i++) {
        if (already->orders[i - 1].entry == already->orders[i].entry)
            return already_fail(bank);
    }
    return 0;
}

bool already_is_open(const struct already *already) {
    return already->orders && already->tree.end < already->head.size;
}

static size_t orders_next(const struct already *already) {
    return MIN_OF(already->n - already->n_proven, (size_t)ORDERS_A_TIME);
}

/* Where the next request's part of the tree ends. */
static uint64_t end_next(const struct already *already) {
    size_t last = already->n_proven + orders_next(already);
    return last == already->n ? already->head.size : already->orders[last - 1].entry + 1;
}

int already_ask(const struct already *already, struct bytes *ret_body) {
    Timebank__AskRanges ask = TIMEBANK__ASK_RANGES__INIT;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    uint64_t leaves[ORDERS_A_TIME];
    ask.begin = already->tree.end;
    ask.end = end_next(already);
    ask.leaves = leaves;
    ask.n_leaves = orders_next(already);
    for (size_t i = 0; i < ask.n_leaves; i++)
        leaves[i] = already->orders[already->n_proven + i].entry;
    request.body_case = TIMEBANK__REQUEST__BODY_RANGES;
    request.ranges = &ask;
    bytes_clear(ret_body);
    return wire_body(&request, ret_body);
}

/* The tree up to `end`, from hashes that are cut off the front. */
static int gap_join(struct already *already, uint64_t end, struct cursor *hashes) {
    struct hash pieces[MERKLE_RANGE_MAX];
    struct merkle_range gap;
    size_t n = merkle_range_shape(already->tree.end, end, NULL);
    const uint8_t *bytes = cursor_bytes(hashes, n * HASH_BYTES);
    if (n == 0 || hashes->r < 0)
        return hashes->r;
    memcpy(pieces, bytes, n * HASH_BYTES);
    int r = merkle_range_load(&gap, already->tree.end, end, pieces, n);
    if (r == 0)
        merkle_range_join(&already->tree, &gap, NULL, NULL);
    return r;
}

int already_take(struct already *already, struct tb_bank *bank, const Timebank__Hashes *hashes) {
    struct cursor cursor = cursor_make(hashes->hashes.data, hashes->hashes.len);
    uint64_t end = end_next(already);
    size_t last = already->n_proven + orders_next(already);
    int r = 0;
    for (; r == 0 && already->n_proven < last; already->n_proven++) {
        const struct already_order *order = &already->orders[already->n_proven];
        r = gap_join(already, order->entry, &cursor);
        if (r == 0)
            merkle_range_append(&already->tree, &order->leaf, NULL, NULL);
    }
    if (r == 0)
        r = gap_join(already, end, &cursor);
    if (r == 0)
        r = cursor_end(&cursor);
    if (r < 0)
        return already_fail(bank);
    if (already_is_open(already))
        return 0;
    struct hash root = merkle_range_root(&already->tree);
    return hash_equal(&root, &already->head.root) ? 0 : already_fail(bank);
}

void already_fini(struct already *already) {
    free(already->orders);
    *already = (struct already){};
}
