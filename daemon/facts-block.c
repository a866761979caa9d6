/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows into blocks and out of them. The last block of each series is open and grows; the others
 * never change.
 */
#include "facts-block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts-private.h"
#include "proto/hash.h"

#define LINES(field, how) FACTS_COLUMN_OF(struct fact_lines, field, how)
#define LEGS(field, how) FACTS_COLUMN_OF(struct fact_leg_lines, field, how)
#define FLOWS(field, how) FACTS_COLUMN_OF(struct fact_flow_lines, field, how)

/* In groups (enum fact_columns). An order's number is its record's, and is not kept. */
static const struct facts_column line_columns[] = {
    LINES(index, FACTS_CLIMBING),
    LINES(entry, FACTS_BEHIND),
    LINES(minutes, FACTS_PLAIN),
    LINES(service_day, FACTS_PLAIN),
    LINES(recorded_day, FACTS_PLAIN),
    LINES(claimed_day, FACTS_PLAIN),
    LINES(from, FACTS_FROM_NONE),
    LINES(to, FACTS_FROM_NONE),
    LINES(from_person, FACTS_FROM_NONE),
    LINES(to_person, FACTS_FROM_NONE),
    LINES(activity, FACTS_FROM_NONE),
    LINES(label, FACTS_FROM_NONE),
    LINES(programme, FACTS_FROM_NONE),
    LINES(adults, FACTS_PLAIN),
    LINES(under16, FACTS_PLAIN),
    LINES(rounded_minutes, FACTS_SIGNED),
    LINES(kind, FACTS_PLAIN),
    LINES(flags, FACTS_PLAIN),
};
#define ORDER_COLUMNS 0x3u
#define KNOWN_COLUMNS 0x30u
#define PAST_COLUMNS 0x3030cu
#define LEGS_COLUMNS 0x200ccu

static const struct facts_column leg_columns[] = {
    LEGS(index, FACTS_CLIMBING),    LEGS(minutes, FACTS_SIGNED),    LEGS(account, FACTS_PLAIN),
    LEGS(order, FACTS_FROM_NONE),   LEGS(service_day, FACTS_PLAIN), LEGS(recorded_day, FACTS_PLAIN),
    LEGS(claimed_day, FACTS_PLAIN),
};

static const struct facts_column flow_columns[] = {
    FLOWS(index, FACTS_CLIMBING),     FLOWS(order, FACTS_PLAIN),
    FLOWS(minutes[0], FACTS_SIGNED),  FLOWS(minutes[1], FACTS_SIGNED),
    FLOWS(minutes[2], FACTS_SIGNED),  FLOWS(minutes[3], FACTS_SIGNED),
    FLOWS(minutes[4], FACTS_SIGNED),  FLOWS(minutes[5], FACTS_SIGNED),
    FLOWS(minutes[6], FACTS_SIGNED),  FLOWS(minutes[7], FACTS_SIGNED),
    FLOWS(minutes[8], FACTS_SIGNED),  FLOWS(service_day, FACTS_PLAIN),
    FLOWS(recorded_day, FACTS_PLAIN), FLOWS(claimed_day, FACTS_PLAIN),
    FLOWS(kind, FACTS_PLAIN),
};
static_assert(FACTS_N_PLACES == 9, "as many columns of minutes");

const struct facts_shape facts_shapes[FACTS_N_SERIES] = {
    {line_columns, N_ELEMENTS(line_columns), sizeof(struct fact_lines)},
    {leg_columns, N_ELEMENTS(leg_columns), sizeof(struct fact_leg_lines)},
    {flow_columns, N_ELEMENTS(flow_columns), sizeof(struct fact_flow_lines)},
};

/* A block that is full is packed once another is needed: until then its last row may still be
 * marked. */
static int pack_block(struct facts_block *block, const struct fact_zone *zone,
                      const struct facts_shape *shape) {
    struct bytes packed = {0};
    facts_pack(shape->columns, shape->n_columns, block->rows, zone->n_lines, &packed);
    if (packed.r < 0) {
        bytes_fini(&packed);
        return -ENOMEM;
    }
    void *tight = realloc(packed.data, packed.n);
    block->packed = tight ? tight : packed.data;
    block->n_packed = packed.n;
    block->rows = NULL;
    return 0;
}

/* In the room of the block before it, where there is one. */
static int new_block(struct facts_series *series, size_t row_bytes, void *rows) {
    int r = GROW(series, zones);
    if (r == 0)
        r = GROW(series, blocks);
    if (r == 0 && rows)
        memset(rows, 0, sizeof(uint32_t)); /* the number of rows */
    else if (r == 0)
        rows = calloc(1, row_bytes);
    if (r < 0 || !rows) {
        free(rows);
        return r < 0 ? r : -ENOMEM;
    }
    series->blocks[series->n_blocks++] = (struct facts_block){.rows = rows};
    series->zones[series->n_zones++] = (struct fact_zone){0};
    return 0;
}

/* The block that has room for a row, and its zone. */
static int open_block(struct facts_series *series, const struct facts_shape *shape,
                      struct fact_zone **ret_zone, void **ret_rows) {
    size_t last = series->n_zones - 1;
    int r = 0;
    if (series->n_zones == 0) {
        r = new_block(series, shape->row_bytes, NULL);
    } else if (series->zones[last].n_lines == FACTS_BLOCK_LINES) {
        void *rows = series->blocks[last].rows;
        r = pack_block(&series->blocks[last], &series->zones[last], shape);
        if (r == 0)
            r = new_block(series, shape->row_bytes, rows);
    }
    if (r < 0)
        return r;
    *ret_zone = &series->zones[series->n_zones - 1];
    *ret_rows = series->blocks[series->n_blocks - 1].rows;
    return 0;
}

static void note_row(struct fact_zone *zone, const struct fact_entered *entered,
                     uint32_t service_day, uint32_t order) {
    uint32_t first = entered->recorded_day, last = entered->recorded_day;
    if (entered->claimed_day != 0) {
        first = MIN_OF(first, entered->claimed_day);
        last = MAX_OF(last, entered->claimed_day);
    }
    if (zone->n_lines++ == 0)
        *zone = (struct fact_zone){.n_lines = 1,
                                   .first_index = entered->index,
                                   .first_service_day = service_day,
                                   .first_entered_day = first,
                                   .first_order = order};
    zone->last_index = entered->index;
    zone->first_service_day = MIN_OF(zone->first_service_day, service_day);
    zone->last_service_day = MAX_OF(zone->last_service_day, service_day);
    zone->first_entered_day = MIN_OF(zone->first_entered_day, first);
    zone->last_entered_day = MAX_OF(zone->last_entered_day, last);
    zone->first_order = MIN_OF(zone->first_order, order);
    zone->last_order = MAX_OF(zone->last_order, order);
}

int facts_block_add_line(struct facts *facts, const struct fact_order *order,
                         const struct fact *fact) {
    struct fact_zone *zone;
    void *block;
    int r = open_block(&facts->lines, &facts_shapes[0], &zone, &block);
    if (r < 0)
        return r;
    struct fact_lines *lines = block;
    size_t i = lines->n++;
    lines->index[i] = order->entered.index;
    lines->entry[i] = order->entry;
    lines->minutes[i] = fact->minutes;
    lines->order[i] = (uint32_t)order->entry;
    lines->service_day[i] = order->service_day;
    lines->recorded_day[i] = order->entered.recorded_day;
    lines->claimed_day[i] = order->entered.claimed_day;
    lines->from[i] = fact->from;
    lines->to[i] = fact->to;
    lines->from_person[i] = fact->from_person;
    lines->to_person[i] = fact->to_person;
    lines->activity[i] = fact->activity;
    lines->label[i] = fact->label;
    lines->programme[i] = fact->programme;
    lines->adults[i] = fact->adults;
    lines->under16[i] = fact->under16;
    lines->rounded_minutes[i] = fact->is_further ? 0 : (int32_t)order->rounded_minutes;
    lines->kind[i] = fact->kind;
    lines->flags[i] =
        (uint8_t)((fact->is_further ? FACT_FURTHER : 0) | (order->insisted ? FACT_INSISTED : 0) |
                  (order->n_facts > 1 ? FACT_SEVERAL : 0));
    note_row(zone, &order->entered, order->service_day, (uint32_t)order->entry);
    return 0;
}

static int add_leg(struct facts *facts, const struct fact_aside *moved) {
    struct fact_zone *zone;
    void *block;
    int r = open_block(&facts->legs, &facts_shapes[1], &zone, &block);
    if (r < 0)
        return r;
    struct fact_leg_lines *legs = block;
    size_t i = legs->n++;
    legs->index[i] = moved->entered.index;
    legs->minutes[i] = moved->minutes[0];
    legs->account[i] = moved->account;
    legs->order[i] = moved->order;
    legs->service_day[i] = moved->service_day;
    legs->recorded_day[i] = moved->entered.recorded_day;
    legs->claimed_day[i] = moved->entered.claimed_day;
    note_row(zone, &moved->entered, moved->service_day, moved->order);
    return 0;
}

static int add_flow(struct facts *facts, const struct fact_aside *moved) {
    struct fact_zone *zone;
    void *block;
    int r = open_block(&facts->flows, &facts_shapes[2], &zone, &block);
    if (r < 0)
        return r;
    struct fact_flow_lines *flows = block;
    size_t i = flows->n++;
    flows->index[i] = moved->entered.index;
    for (size_t place = 0; place < FACTS_N_PLACES; place++)
        flows->minutes[place][i] = moved->minutes[place];
    flows->order[i] = moved->order;
    flows->service_day[i] = moved->service_day;
    flows->recorded_day[i] = moved->entered.recorded_day;
    flows->claimed_day[i] = moved->entered.claimed_day;
    flows->kind[i] = moved->kind;
    note_row(zone, &moved->entered, moved->service_day, moved->order);
    return 0;
}

int facts_block_add_moved(struct facts *facts, const struct fact_aside *moved) {
    return moved->account == INTERN_NONE ? add_flow(facts, moved) : add_leg(facts, moved);
}

/* Which of the two changes is the giving one does not matter. */
bool facts_block_is_plain(struct facts *facts, uint32_t number, uint64_t index,
                          const struct fact_change *changes, size_t n) {
    const struct facts_series *series = &facts->lines;
    struct fact_lines *lines = series->n_blocks ? series->blocks[series->n_blocks - 1].rows : NULL;
    if (n != 2 || !lines || lines->n == 0)
        return false;
    size_t i = lines->n - 1;
    const struct fact_change *less = changes[0].minutes < 0 ? &changes[0] : &changes[1];
    const struct fact_change *more = less == changes ? &changes[1] : &changes[0];
    bool is_plain = lines->order[i] == number && lines->index[i] == index &&
                    (lines->flags[i] & (FACT_FURTHER | FACT_SEVERAL)) == 0 &&
                    lines->minutes[i] <= INT64_MAX && less->account == lines->from[i] &&
                    more->account == lines->to[i] && more->minutes == (int64_t)lines->minutes[i] &&
                    less->minutes == -more->minutes;
    if (is_plain)
        lines->flags[i] |= FACT_PLAIN;
    return is_plain;
}

void facts_block_fini(struct facts_series *series) {
    for (size_t i = 0; i < series->n_blocks; i++) {
        free(series->blocks[i].rows);
        if (!series->blocks[i].is_mapped)
            free((void *)series->blocks[i].packed);
    }
    free(series->blocks);
    free(series->zones);
}

/* ---- reading */

void facts_block_checksum(const uint8_t key[FACTS_KEY_BYTES], const void *data, size_t n,
                          uint8_t ret[FACTS_CHECKSUM_BYTES]) {
    struct hash hash =
        hash_of_pieces((struct iovec[]){{(void *)key, FACTS_KEY_BYTES}, {(void *)data, n}}, 2);
    memcpy(ret, hash.b, FACTS_CHECKSUM_BYTES);
}

int facts_block_prove(struct facts_block *block) {
    uint8_t checksum[FACTS_CHECKSUM_BYTES];
    if (!block->is_mapped || atomic_load_explicit(&block->is_proven, memory_order_relaxed))
        return 0;
    facts_block_checksum(block->key, block->packed, block->n_packed, checksum);
    if (memcmp(checksum, block->packed + block->n_packed, sizeof(checksum)) != 0)
        return -EUCLEAN;
    atomic_store_explicit(&block->is_proven, true, memory_order_relaxed);
    return 0;
}

static void number_lines(struct fact_lines *lines) {
    for (uint32_t i = 0; i < FACTS_BLOCK_LINES; i++)
        lines->order[i] = (uint32_t)lines->entry[i];
}

static int fill(unsigned series, uint32_t wanted, const void *data, size_t n_data, void *ret) {
    const struct facts_shape *shape = &facts_shapes[series];
    uint32_t n;
    int r = facts_pack_rows(data, n_data, FACTS_BLOCK_LINES, &n);
    if (r == 0)
        r = facts_unpack_some(shape->columns, shape->n_columns, wanted, data, n_data, ret);
    if (r == 0)
        memcpy(ret, &n, sizeof(n));
    return r;
}

int facts_block_fill(unsigned series, const void *data, size_t n_data, void *ret) {
    int r = fill(series, UINT32_MAX, data, n_data, ret);
    if (r == 0 && series == 0)
        number_lines(ret);
    return r;
}

static int read_rows(const struct facts_series *from, unsigned series, size_t number,
                     uint32_t wanted, void *ret) {
    struct facts_block *block = &from->blocks[number];
    if (block->rows) {
        memcpy(ret, block->rows, facts_shapes[series].row_bytes);
        return 0;
    }
    int r = facts_block_prove(block);
    return r == 0 ? fill(series, wanted, block->packed, block->n_packed, ret) : r;
}
static_assert(offsetof(struct fact_lines, n) == 0 && offsetof(struct fact_leg_lines, n) == 0 &&
                  offsetof(struct fact_flow_lines, n) == 0,
              "the number of rows comes first");

static int read_lines(const struct facts *facts, size_t block, uint32_t wanted,
                      struct fact_lines *ret) {
    int r = read_rows(&facts->lines, 0, block, wanted, ret);
    if (r == 0)
        number_lines(ret);
    return r;
}

size_t facts_n_blocks(const struct facts *facts) {
    return facts->lines.n_blocks;
}

const struct fact_zone *facts_zone(const struct facts *facts, size_t block) {
    return &facts->lines.zones[block];
}

int facts_read_block(const struct facts *facts, size_t block, struct fact_lines *ret) {
    return read_lines(facts, block, UINT32_MAX, ret);
}

int facts_read_columns(const struct facts *facts, size_t block, unsigned columns,
                       struct fact_lines *ret) {
    uint32_t wanted = ORDER_COLUMNS;
    if (columns & FACT_COLUMNS_KNOWN)
        wanted |= KNOWN_COLUMNS;
    if (columns & FACT_COLUMNS_PAST)
        wanted |= PAST_COLUMNS;
    if (columns & FACT_COLUMNS_LEGS)
        wanted |= LEGS_COLUMNS;
    return read_lines(facts, block, wanted, ret);
}

/* Lines of one order stand together, at most across the seam of two blocks. */
static int find_in(const struct facts *facts, size_t block, uint32_t number,
                   struct fact_lines *lines, struct facts_found *found) {
    int r = read_lines(facts, block, ORDER_COLUMNS, lines);
    bool is_there = false;
    for (uint32_t i = 0; r == 0 && i < lines->n; i++)
        is_there |= lines->order[i] == number;
    if (r < 0 || !is_there)
        return r;
    r = read_lines(facts, block, UINT32_MAX, lines);
    for (uint32_t i = 0; r == 0 && i < lines->n; i++) {
        if (lines->order[i] != number)
            continue;
        found->entered = (struct fact_entered){.index = lines->index[i],
                                               .recorded_day = lines->recorded_day[i],
                                               .claimed_day = lines->claimed_day[i]};
        found->service_day = lines->service_day[i];
        found->minutes += lines->minutes[i];
        found->n_lines++;
    }
    return r;
}

int facts_block_find(const struct facts *facts, uint32_t number, struct facts_found *ret) {
    struct facts_found found = {0};
    _cleanup_(freep) struct fact_lines *lines = calloc(1, sizeof(*lines));
    int r = lines ? 0 : -ENOMEM;
    for (size_t i = facts->lines.n_zones; r == 0 && i-- > 0;) {
        const struct fact_zone *zone = &facts->lines.zones[i];
        uint32_t before = found.n_lines;
        if (number >= zone->first_order && number <= zone->last_order)
            r = find_in(facts, i, number, lines, &found);
        if (before > 0 && found.n_lines == before)
            break;
    }
    if (r == 0)
        *ret = found;
    return r;
}

/* ---- legs: two half blocks that follow from each block of lines, then those that do not */

size_t facts_n_leg_blocks(const struct facts *facts) {
    return 2 * facts->lines.n_blocks + facts->legs.n_blocks;
}

size_t facts_n_plain_leg_blocks(const struct facts *facts) {
    return 2 * facts->lines.n_blocks;
}

const struct fact_zone *facts_leg_zone(const struct facts *facts, size_t block) {
    return block < 2 * facts->lines.n_blocks
               ? &facts->lines.zones[block / 2]
               : &facts->legs.zones[block - 2 * facts->lines.n_blocks];
}

static void put_leg(struct fact_leg_lines *legs, const struct fact_lines *lines, size_t i,
                    uint32_t account, int64_t minutes) {
    size_t k = legs->n++;
    legs->index[k] = lines->index[i];
    legs->minutes[k] = minutes;
    legs->account[k] = account;
    legs->order[k] = lines->order[i];
    legs->service_day[k] = lines->service_day[i];
    legs->recorded_day[k] = lines->recorded_day[i];
    legs->claimed_day[k] = lines->claimed_day[i];
}

static int read_plain_legs(const struct facts *facts, size_t half, struct fact_leg_lines *ret) {
    _cleanup_(freep) struct fact_lines *lines = malloc(sizeof(*lines));
    int r = lines ? facts_read_block(facts, half / 2, lines) : -ENOMEM;
    if (r < 0)
        return r;
    size_t first = half % 2 == 0 ? 0 : FACTS_BLOCK_LINES / 2;
    ret->n = 0;
    for (size_t i = first; i < first + FACTS_BLOCK_LINES / 2 && i < lines->n; i++) {
        if (!(lines->flags[i] & FACT_PLAIN))
            continue;
        put_leg(ret, lines, i, lines->from[i], -(int64_t)lines->minutes[i]);
        put_leg(ret, lines, i, lines->to[i], (int64_t)lines->minutes[i]);
    }
    return 0;
}

int facts_read_legs(const struct facts *facts, size_t block, struct fact_leg_lines *ret) {
    size_t n_plain = 2 * facts->lines.n_blocks;
    return block < n_plain ? read_plain_legs(facts, block, ret)
                           : read_rows(&facts->legs, 1, block - n_plain, UINT32_MAX, ret);
}

size_t facts_n_flow_blocks(const struct facts *facts) {
    return facts->flows.n_blocks;
}

const struct fact_zone *facts_flow_zone(const struct facts *facts, size_t block) {
    return &facts->flows.zones[block];
}

int facts_read_flows(const struct facts *facts, size_t block, struct fact_flow_lines *ret) {
    return read_rows(&facts->flows, 2, block, UINT32_MAX, ret);
}

/* ---- measures */

static uint64_t memory_of(const struct facts_block *blocks, size_t n) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += sizeof(*blocks) + (blocks[i].is_mapped ? 0 : blocks[i].n_packed);
    return bytes;
}

void facts_measure(const struct facts *facts, uint64_t *ret_n_lines, uint64_t *ret_memory_bytes) {
    uint64_t n_lines = 0, bytes = 0;
    for (unsigned i = 0; i < FACTS_N_SERIES; i++) {
        const struct facts_series *series = facts_series_get((struct facts *)facts, i);
        bytes += memory_of(series->blocks, series->n_blocks) + facts_shapes[i].row_bytes +
                 series->n_zones_allocated * sizeof(*series->zones);
    }
    bytes += memory_of(facts->ids.chunks, facts->ids.n_chunks) +
             facts->ids.n_open_allocated * sizeof(*facts->ids.open) +
             FACTS_IDS_RECORDS * 2 * sizeof(*facts->ids.slots);
    for (size_t i = 0; i < facts->lines.n_zones; i++)
        n_lines += facts->lines.zones[i].n_lines;
    *ret_n_lines = n_lines;
    *ret_memory_bytes = bytes;
}
