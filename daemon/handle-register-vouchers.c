/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vouchers as a table, newest first: neighbours of one mint that stand alike are one row, a used
 * one is a row of its own. And the keys that sign them, which anybody may know who has a key here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "handle-register.h"
#include "rules.h"

#define ROWS_MAX 256u /* of a page: each may stand for a thousand vouchers */

/* Numbers from `last` down that are told in one row. */
struct stretch {
    uint64_t last;
    uint64_t count;
    struct state_voucher voucher;
};

/* Marks ascend, numbers descend. */
static uint64_t mark_of(uint64_t serial) {
    return ~serial;
}

static const void *row_of(struct register_scan *scan, enum state_table table, uint64_t number,
                          int *r) {
    uint8_t key[8];

    be64_put(key, number);
    return state_get(scan->state, table, key, sizeof(key), r);
}

static bool goes_on(const struct stretch *stretch, const struct state_voucher *voucher) {
    return voucher->mint == stretch->voucher.mint &&
           voucher->standing == stretch->voucher.standing &&
           voucher->used == stretch->voucher.used && voucher->standing != VOUCHER_USED;
}

/* 1 with the stretch that ends at `last`, 0 with none there. */
static int read_stretch(struct register_scan *scan, uint64_t last, struct stretch *ret) {
    int r = 0;
    const struct state_voucher *voucher = row_of(scan, STATE_VOUCHERS, last, &r);

    if (!voucher)
        return r;
    *ret = (struct stretch){.last = last, .count = 1, .voucher = *voucher};
    for (uint64_t serial = last - 1; serial > 0; serial--) {
        voucher = row_of(scan, STATE_VOUCHERS, serial, &r);
        if (!voucher || !goes_on(ret, voucher))
            break;
        ret->count++;
    }
    return r < 0 ? r : 1;
}

static int add_stretch(struct register_scan *scan, const struct stretch *stretch) {
    static const char *const words[] = {[VOUCHER_OPEN] = "open",
                                        [VOUCHER_USED] = "used",
                                        [VOUCHER_VOID] = "void",
                                        [VOUCHER_EXPIRED] = "expired"};
    const struct state_voucher *voucher = &stretch->voucher;
    uint64_t first = stretch->last - stretch->count + 1;
    const struct state_pending *pending;
    Timebank__RegisterRow *row;
    const char *payer;
    uint8_t mark[8];
    char name[48];
    int r = 0;

    pending = row_of(scan, STATE_PENDINGS, voucher->mint, &r);
    if (!pending)
        return r < 0 ? r : -EUCLEAN;
    payer = rules_voucher_payer(scan->state, pending);
    if (!register_may_read(scan, payer) ||
        (scan->account && strcmp(scan->account->code, payer) != 0))
        return 0;
    be64_put(mark, mark_of(first));
    row = register_row(scan, mark, sizeof(mark));
    if (!row)
        return 0;
    if (stretch->count > 1)
        snprintf(name, sizeof(name), "%llu-%llu", (unsigned long long)first,
                 (unsigned long long)stretch->last);
    else
        snprintf(name, sizeof(name), "%llu", (unsigned long long)first);
    row->what = register_text(scan, words[voucher->standing % N_ELEMENTS(words)]);
    row->account = register_text(scan, payer);
    row->other = register_text(scan, voucher->venue ? register_code(scan, voucher->venue - 1) : "");
    row->name = register_text(scan, name);
    row->entry = pending->entry;
    row->other_entry = voucher->used;
    row->minutes = (int64_t)voucher->minutes;
    row->count = stretch->count;
    row->from_day = voucher->from_day;
    row->to_day = voucher->expires_day;
    row->due_ms = pending->due_ms;
    return 0;
}

int register_vouchers(struct register_scan *scan) {
    const ProtobufCBinaryData *after = &scan->ask->after;
    uint64_t serial = scan->state->sums.next_serial;
    int r = 0;

    if (after->len == sizeof(serial))
        serial = MIN_OF(serial, mark_of(be64_get(after->data)));
    scan->max = MIN_OF(scan->max, (size_t)ROWS_MAX);
    while (r == 0 && serial > 1 && scan->n_rows <= scan->max && scan->call->arena->r == 0) {
        struct stretch stretch = {0};
        r = read_stretch(scan, serial - 1, &stretch);
        if (r <= 0)
            return r < 0 ? r : -EUCLEAN;
        r = add_stretch(scan, &stretch);
        serial = stretch.last - stretch.count + 1;
    }
    return r;
}

static int add_key(struct register_scan *scan, const struct row *from) {
    const struct state_voucher_key *key = (const void *)from->value;
    Timebank__RegisterRow *row;
    uint8_t mark[8];

    be64_put(mark, key->set_by);
    row = register_row(scan, mark, sizeof(mark));
    if (!row)
        return 0;
    row->what = register_text(scan, key->is_last ? "last" : "earlier");
    row->entry = key->set_by;
    row->flag = key->is_last;
    row->key.data = arena_alloc(scan->call->arena, from->n_key);
    if (!row->key.data)
        return 0;
    memcpy(row->key.data, from->key, from->n_key);
    row->key.len = from->n_key;
    return 0;
}

int register_voucher_keys(struct register_scan *scan) {
    return register_each(scan, STATE_VOUCHER_KEYS, add_key);
}
