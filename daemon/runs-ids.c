/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids into rows and out again. New ones mostly go behind all others: there rows are filled to their
 * end. One that is full and gets ids in between is cut into equal parts.
 */
#include "runs-ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

__extension__ typedef unsigned __int128 number;

#define VARINT_MAX 19u /* of 128 bits */

static number number_of(const struct run_id *id) {
    return (number)id->high << 64 | id->low;
}

static number number_get(const uint8_t id[ORDER_ID_BYTES]) {
    return (number)be64_get(id) << 64 | be64_get(id + 8);
}

static void number_put(uint8_t ret[ORDER_ID_BYTES], number value) {
    be64_put(ret, (uint64_t)(value >> 64));
    be64_put(ret + 8, (uint64_t)value);
}

struct run_id run_id_make(const uint8_t id[ORDER_ID_BYTES], uint64_t entry) {
    return (struct run_id){be64_get(id), be64_get(id + 8), entry};
}

int run_id_compare(const struct run_id *a, const struct run_id *b) {
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    return (a->low > b->low) - (a->low < b->low);
}

/* ---- reading */

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    number id;
    uint64_t entry;
    bool is_begun;
};

static bool take(struct reader *reader, unsigned n_bits, number *ret) {
    number value = 0;

    for (unsigned shift = 0; reader->at < reader->end && shift < n_bits; shift += 7) {
        uint8_t byte = *reader->at++;
        number bits = byte & 0x7f;
        if (shift + 7 > n_bits && bits >> (n_bits - shift) != 0)
            return false;
        value |= bits << shift;
        if (!(byte & 0x80)) {
            *ret = value;
            return byte != 0 || shift == 0;
        }
    }
    return false;
}

static int reader_begin(struct reader *reader, struct store_value key, struct store_value value) {
    if (key.n != ORDER_ID_BYTES || value.n == 0 || value.n > RUNS_IDS_BYTES)
        return -EUCLEAN;
    *reader =
        (struct reader){.at = value.data, .end = value.data + value.n, .id = number_get(key.data)};
    return 0;
}

/* 1 with one more, 0 no more, -EUCLEAN. */
static int reader_next(struct reader *reader) {
    number far, turned;

    if (reader->at == reader->end)
        return 0;
    if (!take(reader, 128, &far) || !take(reader, 64, &turned) || (far == 0 && reader->is_begun) ||
        reader->id + far < far)
        return -EUCLEAN;
    reader->id += far;
    reader->entry += (uint64_t)(turned >> 1) ^ -(uint64_t)(turned & 1);
    reader->is_begun = true;
    return 1;
}

int runs_ids_find(struct store_read *read, unsigned table, const uint8_t id[ORDER_ID_BYTES],
                  uint64_t *ret_entry) {
    struct store_value key, value;
    number wanted = number_get(id);
    struct reader reader;
    int r = store_get_at_most(read, table, id, ORDER_ID_BYTES, &key, &value);

    if (r <= 0)
        return r;
    r = reader_begin(&reader, key, value);
    if (r < 0)
        return r;
    do
        r = reader_next(&reader);
    while (r > 0 && reader.id < wanted);
    if (r <= 0 || reader.id != wanted)
        return MIN_OF(r, 0);
    *ret_entry = reader.entry;
    return 1;
}

static int take_key(void *user, struct store_value key, struct store_value value) {
    number *next = user;

    (void)value;
    if (key.n != ORDER_ID_BYTES)
        return -EUCLEAN;
    *next = number_get(key.data);
    return 1;
}

/* How far the gap after a row's last id goes: to where the next row begins. */
static int find_end(struct store_read *read, unsigned table, number id, number *ret) {
    uint8_t from[ORDER_ID_BYTES];
    number next;
    int r;

    *ret = ~(number)0;
    if (id == ~(number)0)
        return 0;
    number_put(from, id + 1);
    r = store_each(read, table, from, sizeof(from), take_key, &next);
    if (r > 0)
        *ret = next - 1;
    return MIN_OF(r, 0);
}

int runs_ids_find_gap(struct store_read *read, unsigned table, const uint8_t id[ORDER_ID_BYTES],
                      uint64_t *ret_entry, struct state_gap *ret_gap) {
    struct store_value key, value;
    number wanted = number_get(id), first = 0, last;
    struct reader reader = {0};
    int r = store_get_at_most(read, table, id, ORDER_ID_BYTES, &key, &value);

    if (r > 0) {
        r = reader_begin(&reader, key, value);
        first = reader.id;
        while (r >= 0 && (r = reader_next(&reader)) > 0 && reader.id < wanted)
            first = reader.id + 1;
    }
    if (r > 0 && reader.id == wanted) {
        *ret_entry = reader.entry;
        return 1;
    }
    last = reader.id - 1; /* of the first id after it, where there is one */
    if (r == 0)
        r = find_end(read, table, wanted, &last);
    if (r < 0)
        return r;
    number_put(ret_gap->first, first);
    number_put(ret_gap->last, last);
    return 0;
}

int runs_ids_unpack(struct store_value key, struct store_value value, struct run_id *ret,
                    size_t *ret_n) {
    struct reader reader;
    size_t n = 0;
    int r = reader_begin(&reader, key, value);

    if (r < 0)
        return r;
    while ((r = reader_next(&reader)) > 0)
        ret[n++] = (struct run_id){(uint64_t)(reader.id >> 64), (uint64_t)reader.id, reader.entry};
    if (r == 0)
        *ret_n = n;
    return r;
}

/* ---- writing */

struct row_out {
    uint8_t key[ORDER_ID_BYTES];
    uint8_t value[RUNS_IDS_BYTES];
    size_t n;
    number id;
    uint64_t entry;
};

static size_t put_varint(uint8_t *to, number value) {
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        to[n++] = (uint8_t)(value | 0x80);
    to[n++] = (uint8_t)value;
    return n;
}

/* Bytes of one id after another, into ret. */
static size_t pack_one(number before, uint64_t entry_before, const struct run_id *id,
                       uint8_t ret[2 * VARINT_MAX]) {
    uint64_t far = id->entry - entry_before;
    size_t n = put_varint(ret, number_of(id) - before);

    return n + put_varint(ret + n, far << 1 ^ -(far >> 63));
}

static void row_begin(struct row_out *row, number key) {
    number_put(row->key, key);
    row->n = 0;
    row->id = key;
    row->entry = 0;
}

static size_t bytes_of(number key, const struct run_id *ids, size_t n) {
    uint8_t one[2 * VARINT_MAX];
    uint64_t entry = 0;
    size_t n_bytes = 0;

    for (size_t i = 0; i < n; i++) {
        n_bytes += pack_one(key, entry, &ids[i], one);
        key = number_of(&ids[i]);
        entry = ids[i].entry;
    }
    return n_bytes;
}

/* One row, or as many as it takes, of which none has more than `most` bytes. */
static void put_rows(struct store_write *write, unsigned table, number key,
                     const struct run_id *ids, size_t n, size_t most) {
    struct row_out row;

    row_begin(&row, key);
    for (size_t i = 0; i < n; i++) {
        uint8_t one[2 * VARINT_MAX];
        size_t n_one = pack_one(row.id, row.entry, &ids[i], one);
        if (row.n > 0 && row.n + n_one > most) {
            store_put(write, table, row.key, sizeof(row.key), row.value, row.n);
            row_begin(&row, number_of(&ids[i]));
            n_one = pack_one(row.id, row.entry, &ids[i], one);
        }
        memcpy(row.value + row.n, one, n_one);
        row.n += n_one;
        row.id = number_of(&ids[i]);
        row.entry = ids[i].entry;
    }
    store_put(write, table, row.key, sizeof(row.key), row.value, row.n);
}

/* Two ascending lists into one; -EEXIST. */
static int merge(const struct run_id *a, size_t n_a, const struct run_id *b, size_t n_b,
                 struct run_id *ret) {
    size_t i = 0, j = 0;

    while (i < n_a || j < n_b) {
        int order = i == n_a ? 1 : j == n_b ? -1 : run_id_compare(&a[i], &b[j]);
        if (order == 0)
            return -EEXIST;
        *ret++ = order < 0 ? a[i++] : b[j++];
    }
    return 0;
}

/* The row that an id belongs to, and where the next one begins (UINT128_MAX + 1 is not reached:
 * then *ret_has_next is false). */
static int find_row(struct store_write *write, unsigned table, const struct run_id *id,
                    struct run_id *ret_ids, size_t *ret_n, number *ret_key, bool *ret_has_next,
                    number *ret_next) {
    struct store_value key, value;
    uint8_t wanted[ORDER_ID_BYTES];
    int r;

    number_put(wanted, number_of(id));
    *ret_n = 0;
    *ret_key = 0;
    r = store_write_get_at_most(write, table, wanted, sizeof(wanted), &key, &value);
    if (r > 0) {
        *ret_key = key.n == ORDER_ID_BYTES ? number_get(key.data) : 0;
        r = runs_ids_unpack(key, value, ret_ids, ret_n);
    }
    if (r < 0)
        return r;
    r = store_write_get_after(write, table, wanted, sizeof(wanted), &key, &value);
    if (r > 0 && key.n != ORDER_ID_BYTES)
        return -EUCLEAN;
    *ret_has_next = r > 0;
    if (r > 0)
        *ret_next = number_get(key.data);
    return MIN_OF(r, 0);
}

static size_t even_part(size_t n_bytes) {
    size_t n_parts = (n_bytes + RUNS_IDS_BYTES - 1) / RUNS_IDS_BYTES;

    return MIN_OF(n_bytes / n_parts + 2 * VARINT_MAX, (size_t)RUNS_IDS_BYTES);
}

/* All ids of the list that belong to the row of its first one; how many. */
static int put_some(struct store_write *write, unsigned table, const struct run_id *ids, size_t n,
                    size_t *ret_n) {
    _cleanup_(freep) struct run_id *found = calloc(RUNS_IDS_OF_ROW, sizeof(*found));
    _cleanup_(freep) struct run_id *all = NULL;
    size_t n_found, n_new = 1, most = RUNS_IDS_BYTES;
    number key, next = 0;
    bool has_next;
    int r = found ? find_row(write, table, ids, found, &n_found, &key, &has_next, &next) : -ENOMEM;

    if (r < 0)
        return r;
    while (n_new < n && (!has_next || number_of(&ids[n_new]) < next))
        n_new++;
    all = calloc(n_found + n_new, sizeof(*all));
    r = all ? merge(found, n_found, ids, n_new, all) : -ENOMEM;
    if (r < 0)
        return r;
    if (n_found > 0 && run_id_compare(&found[n_found - 1], &ids[0]) > 0)
        most = even_part(bytes_of(key, all, n_found + n_new));
    put_rows(write, table, key, all, n_found + n_new, most);
    *ret_n = n_new;
    return 0;
}

static int compare_ids(const void *a, const void *b) {
    return run_id_compare(a, b);
}

static bool is_ascending(const struct run_id *ids, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (run_id_compare(&ids[i - 1], &ids[i]) >= 0)
            return false;
    return true;
}

int runs_ids_put(struct store_write *write, unsigned table, struct run_id *ids, size_t n) {
    size_t n_put = 0;
    int r = 0;

    if (!is_ascending(ids, n)) {
        qsort(ids, n, sizeof(*ids), compare_ids);
        if (!is_ascending(ids, n))
            return -EEXIST;
    }
    for (size_t i = 0; r == 0 && i < n; i += n_put)
        r = put_some(write, table, ids + i, n - i, &n_put);
    return r;
}
