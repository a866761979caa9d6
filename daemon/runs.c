/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in and out of their stored form, and the tree's nodes out of leaf hashes and tiles. */
#include "runs.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "proto/tile.h"

const char *const runs_tables[RUNS_N_TABLES] = {[RUNS_LOG] = "log",
                                                [RUNS_TILES] = "tiles",
                                                [RUNS_AFTER] = "after",
                                                [RUNS_META] = "meta",
#define X(ENUM, name, type, on_disk) [RUNS_STATE + STATE_##ENUM] = #name,
                                                STATE_TABLES(X)
#undef X
};

/* All but where its records end, of which there may be thousands. */
static int parse_leaves(struct run *ret, struct store_value key, struct store_value value) {
    uint64_t head_bytes;

    if (key.n != 8 || value.n < 4)
        return -EUCLEAN;
    *ret = (struct run){.first = be64_get(key.data), .n = be32_get(value.data)};
    head_bytes = 4 + (uint64_t)ret->n * (4 + HASH_BYTES);
    if (ret->n == 0 || head_bytes > value.n)
        return -EUCLEAN;
    ret->ends = value.data + 4;
    ret->leaves = ret->ends + 4 * (size_t)ret->n;
    ret->records = value.data + head_bytes;
    return 0;
}

int run_parse(struct run *ret, struct store_value key, struct store_value value) {
    uint32_t end = 0;
    int r = parse_leaves(ret, key, value);

    for (uint32_t i = 0; r == 0 && i < ret->n; i++) {
        uint32_t next = be32_get(ret->ends + 4 * (size_t)i);
        if (next <= end || next - end > RECORD_MAX)
            return -EUCLEAN;
        end = next;
    }
    if (r < 0)
        return r;
    return value.n - (size_t)(ret->records - value.data) == end ? 0 : -EUCLEAN;
}

const uint8_t *run_record(const struct run *run, uint32_t i, size_t *ret_n) {
    uint32_t begin = i ? be32_get(run->ends + 4 * (size_t)(i - 1)) : 0;

    assert(i < run->n);
    *ret_n = be32_get(run->ends + 4 * (size_t)i) - begin;
    return run->records + begin;
}

void run_records(const struct run *run, uint32_t i, uint32_t n, struct iovec *ret) {
    uint32_t begin = i ? be32_get(run->ends + 4 * (size_t)(i - 1)) : 0, end;

    assert(i <= run->n && n <= run->n - i);
    for (uint32_t j = 0; j < n; j++, begin = end) {
        end = be32_get(run->ends + 4 * (size_t)(i + j));
        ret[j] = (struct iovec){(void *)(uintptr_t)(run->records + begin), end - begin};
    }
}

struct hash run_leaf(const struct run *run, uint32_t i) {
    struct hash leaf;

    assert(i < run->n);
    memcpy(leaf.b, run->leaves + HASH_BYTES * (size_t)i, HASH_BYTES);
    return leaf;
}

/* Where a value of n records of so many bytes is to be written: its ends, its leaves, its records.
 */
struct packing {
    uint8_t *ends;
    uint8_t *leaves;
    uint8_t *records;
    uint32_t end;
};

static bool pack_begin(struct packing *packing, struct bytes *to, uint32_t n, size_t n_records) {
    uint8_t *value = bytes_reserve(to, 4 + (size_t)n * (4 + HASH_BYTES) + n_records);

    if (!value)
        return false;
    be32_put(value, n);
    packing->ends = value + 4;
    packing->leaves = packing->ends + 4 * (size_t)n;
    packing->records = packing->leaves + HASH_BYTES * (size_t)n;
    packing->end = 0;
    return true;
}

/* The next record: n bytes after it are the caller's to write. */
static uint8_t *pack_record(struct packing *packing, size_t n) {
    uint8_t *record = packing->records + packing->end;

    packing->end += (uint32_t)n;
    be32_put(packing->ends, packing->end);
    packing->ends += 4;
    return record;
}

static size_t sum_of(const struct iovec *pieces, uint32_t n) {
    size_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += pieces[i].iov_len;
    return sum;
}

void run_pack(struct bytes *to, uint32_t n, const struct iovec *records,
              const struct hash *leaves) {
    struct packing packing;

    if (!pack_begin(&packing, to, n, sum_of(records, n)))
        return;
    memcpy(packing.leaves, leaves, HASH_BYTES * (size_t)n);
    for (uint32_t i = 0; i < n; i++)
        memcpy(pack_record(&packing, records[i].iov_len), records[i].iov_base, records[i].iov_len);
}

void run_pack_batch(struct bytes *to, const struct iovec *seal, const struct hash *seal_leaf,
                    uint32_t n, const struct iovec *bodies, const struct hash *leaves) {
    struct packing packing;

    if (!pack_begin(&packing, to, n + 1, seal->iov_len + n + sum_of(bodies, n)))
        return;
    memcpy(packing.leaves, seal_leaf, HASH_BYTES);
    memcpy(packing.leaves + HASH_BYTES, leaves, HASH_BYTES * (size_t)n);
    memcpy(pack_record(&packing, seal->iov_len), seal->iov_base, seal->iov_len);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *record = pack_record(&packing, 1 + bodies[i].iov_len);
        record[0] = RECORD_ORDER;
        if (bodies[i].iov_len > 0)
            memcpy(record + 1, bodies[i].iov_base, bodies[i].iov_len);
    }
}

const struct hash *run_packed_leaves(const struct bytes *value, uint32_t *ret_n) {
    *ret_n = be32_get(value->data);
    return (const struct hash *)(value->data + 4 + 4 * (size_t)*ret_n);
}

static int find(struct store_read *read, uint64_t index,
                int (*parse)(struct run *, struct store_value, struct store_value),
                struct run *ret) {
    struct store_value key, value;
    uint8_t wanted[8];
    int r;

    be64_put(wanted, index);
    r = store_get_at_most(read, RUNS_LOG, wanted, sizeof(wanted), &key, &value);
    if (r <= 0)
        return r;
    r = parse(ret, key, value);
    if (r < 0)
        return r;
    return index - ret->first < ret->n ? 1 : 0;
}

int runs_find(struct store_read *read, uint64_t index, struct run *ret) {
    return find(read, index, run_parse, ret);
}

int runs_find_leaves(struct store_read *read, uint64_t index, struct run *ret) {
    return find(read, index, parse_leaves, ret);
}

int runs_size(struct store_read *read, uint64_t *ret) {
    struct store_value key, value;
    struct run run;
    int r = store_get_at_most(read, RUNS_LOG, NULL, 0, &key, &value);

    if (r < 0)
        return r;
    if (r == 0) {
        *ret = 0;
        return 0;
    }
    r = run_parse(&run, key, value);
    if (r == 0)
        *ret = run.first + run.n;
    return r;
}

void runs_tile_key(unsigned tile_level, uint64_t tile, uint8_t ret[9]) {
    ret[0] = (uint8_t)tile_level;
    be64_put(ret + 1, tile);
}

struct leaves {
    struct hash hashes[TILE_WIDTH];
    uint64_t first;
    size_t n;
    size_t n_wanted;
};

/* The run's part of the leaves wanted; 1 when they are all there. */
static int take_leaves(void *user, struct store_value key, struct store_value value) {
    struct leaves *leaves = user;
    uint64_t at = leaves->first + leaves->n;
    struct run run;
    size_t n;
    int r = parse_leaves(&run, key, value);

    if (r < 0)
        return r;
    if (at < run.first || at - run.first >= run.n)
        return -EUCLEAN;
    n = MIN_OF(run.n - (at - run.first), leaves->n_wanted - leaves->n);
    memcpy(&leaves->hashes[leaves->n], run.leaves + HASH_BYTES * (at - run.first), n * HASH_BYTES);
    leaves->n += n;
    return leaves->n == leaves->n_wanted;
}

/* At most a tile of them, by one walk over the runs: where each holds one order, a search for each
 * would cost more than all the hashing. */
static int read_leaves(struct store_read *read, uint64_t first, size_t n, struct leaves *ret) {
    struct store_value key, value;
    uint8_t wanted[8];
    int r;

    ret->first = first;
    ret->n = 0;
    ret->n_wanted = n;
    be64_put(wanted, first);
    r = store_get_at_most(read, RUNS_LOG, wanted, sizeof(wanted), &key, &value);
    if (r > 0)
        r = store_each(read, RUNS_LOG, key.data, key.n, take_leaves, ret);
    return r > 0 ? 0 : r < 0 ? r : -EUCLEAN;
}

static int lookup_tile(struct store_read *read, unsigned tile_level, uint64_t index,
                       struct hash *ret) {
    struct store_value value;
    uint8_t key[9];
    size_t at = (index & 255) * HASH_BYTES;
    int r;

    runs_tile_key(tile_level, index >> 8, key);
    r = store_get(read, RUNS_TILES, key, sizeof(key), &value);
    if (r < 0)
        return r;
    if (r == 0 || value.n < at + HASH_BYTES)
        return -EUCLEAN;
    memcpy(ret->b, value.data + at, HASH_BYTES);
    return 0;
}

int runs_lookup(void *user, unsigned level, uint64_t index, struct hash *ret) {
    struct store_read *read = user;
    unsigned below = level % 8;
    struct leaves leaves;
    struct hash *nodes = leaves.hashes;
    uint64_t first = index << below;
    size_t n = (size_t)1 << below;
    int r = 0;

    if (level < 8)
        r = read_leaves(read, first, n, &leaves);
    for (size_t i = 0; level >= 8 && i < n && r == 0; i++)
        r = lookup_tile(read, level / 8, first + i, &nodes[i]);
    if (r < 0)
        return r;
    for (; n > 1; n /= 2)
        merkle_nodes(nodes, n / 2, nodes);
    *ret = nodes[0];
    return 0;
}

int runs_range_extend(struct store_read *read, uint64_t end, struct merkle_range *range) {
    int r = 1;

    while (r > 0 && range->end < end) {
        struct leaves leaves = {.first = range->end,
                                .n_wanted = MIN_OF(end - range->end, TILE_WIDTH)};
        struct store_value key, value;
        uint8_t wanted[8];
        be64_put(wanted, range->end);
        r = store_get_at_most(read, RUNS_LOG, wanted, sizeof(wanted), &key, &value);
        if (r > 0)
            r = store_each(read, RUNS_LOG, key.data, key.n, take_leaves, &leaves);
        if (r > 0)
            merkle_range_append_all(range, leaves.hashes, leaves.n, NULL, NULL);
    }
    return r > 0 ? 0 : r < 0 ? r : -EUCLEAN;
}

int runs_range_between(struct store_read *read, uint64_t begin, uint64_t end,
                       struct merkle_range *ret) {
    uint64_t first = (begin + TILE_WIDTH - 1) / TILE_WIDTH * TILE_WIDTH;
    uint64_t last = end / TILE_WIDTH * TILE_WIDTH;
    struct merkle_range range, tiles;
    int r = 0;

    if (begin > end || end > INT64_MAX)
        return -EINVAL;
    merkle_range_init(&range, begin);
    if (first < last) {
        r = runs_range_extend(read, first, &range);
        if (r == 0)
            r = merkle_prove_range(runs_lookup, read, first, last, &tiles);
        if (r == 0)
            merkle_range_join(&range, &tiles, NULL, NULL);
    }
    if (r == 0)
        r = runs_range_extend(read, end, &range);
    if (r == 0)
        *ret = range;
    return r;
}

int runs_range(struct store_read *read, uint64_t size, struct merkle_range *ret) {
    return runs_range_between(read, 0, size, ret);
}

#define VARINT_MAX 10u

static uint8_t *put_varint(uint8_t *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

static uint8_t *put_signed(uint8_t *to, int64_t value) {
    return put_varint(to, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

/* What is left of a row. */
struct legs {
    const uint8_t *at;
    const uint8_t *end;
    bool is_damaged;
};

static uint64_t take_long_varint(struct legs *legs) {
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && legs->at < legs->end; shift += 7) {
        uint8_t byte = *legs->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    legs->is_damaged = true;
    return 0;
}

/* Nearly all take one byte or two. */
static inline uint64_t take_varint(struct legs *legs) {
    const uint8_t *at = legs->at;

    if (legs->end - at < 2)
        return take_long_varint(legs);
    if (at[0] < 0x80) {
        legs->at = at + 1;
        return at[0];
    }
    if (at[1] < 0x80) {
        legs->at = at + 2;
        return (at[0] & 0x7fu) | (uint64_t)at[1] << 7;
    }
    return take_long_varint(legs);
}

static inline int64_t take_signed(struct legs *legs) {
    uint64_t value = take_varint(legs);

    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

size_t runs_after_begin(struct bytes *to, uint32_t n) {
    size_t begin = to->n;

    bytes_put_u32(to, n);
    bytes_reserve(to, 4 * (size_t)n);
    return begin;
}

void run_leg_pack(const struct run_leg *leg, uint64_t index, struct bytes *to) {
    uint8_t *row = bytes_reserve(to, 5 * VARINT_MAX), *at = row;

    assert(leg->previous < index);
    if (!row)
        return;
    at = put_varint(at, leg->account * 8 + leg->side * 2u + leg->moved);
    at = put_signed(at, leg->minutes);
    at = put_signed(at, leg->after);
    at = put_signed(at, leg->held_after);
    at = put_varint(at, leg->previous ? index - leg->previous : 0);
    to->n -= 5 * VARINT_MAX - (size_t)(at - row);
}

void runs_after_end(struct bytes *to, size_t begin, uint32_t i) {
    uint32_t n;

    if (to->r < 0)
        return;
    n = be32_get(to->data + begin);
    assert(i < n);
    be32_put(to->data + begin + 4 + 4 * (size_t)i, (uint32_t)(to->n - begin - 4 - 4 * (size_t)n));
}

int runs_after_count(struct store_value value, uint32_t *ret) {
    uint64_t n = value.n >= 4 ? be32_get(value.data) : 0, begin = 4 + 4 * n;

    if (n == 0 || begin > value.n || begin + be32_get(value.data + 4 * n) != value.n)
        return -EUCLEAN;
    *ret = (uint32_t)n;
    return 0;
}

int runs_after_next(struct store_value value, size_t i, uint64_t index, size_t *at,
                    struct run_leg *ret) {
    uint32_t n, begin, end;
    uint64_t account, back;
    const uint8_t *row;
    struct legs legs;
    int r = runs_after_count(value, &n);

    if (r < 0 || i >= n)
        return -EUCLEAN;
    begin = i ? be32_get(value.data + 4 * i) : 0;
    end = be32_get(value.data + 4 * (i + 1));
    if (begin > end || end > value.n - 4 - 4 * (size_t)n || *at > end - begin)
        return -EUCLEAN;
    if (*at == end - begin)
        return 0;
    row = value.data + 4 + 4 * (size_t)n + begin;
    legs = (struct legs){.at = row + *at, .end = row + (end - begin)};
    account = take_varint(&legs);
    *ret = (struct run_leg){
        .account = account / 8, .side = (uint8_t)(account / 2 & 3), .moved = account & 1};
    ret->minutes = take_signed(&legs);
    ret->after = take_signed(&legs);
    ret->held_after = take_signed(&legs);
    back = take_varint(&legs);
    if (legs.is_damaged || back > index)
        return -EUCLEAN;
    ret->previous = back ? index - back : 0;
    *at = (size_t)(legs.at - row);
    return 1;
}
