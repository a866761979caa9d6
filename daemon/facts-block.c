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

/* The block that has room for a row, and its zone. */
static int open_block(struct facts_series *series, size_t block_bytes, struct fact_zone **ret_zone,
                      void **ret_block) {
    if (series->n_zones == 0 || series->zones[series->n_zones - 1].n_lines == FACTS_BLOCK_LINES) {
        int r = GROW(series, zones);
        if (r == 0)
            r = GROW(series, blocks);
        void *block = r == 0 ? calloc(1, block_bytes) : NULL;
        if (!block)
            return r < 0 ? r : -ENOMEM;
        series->blocks[series->n_blocks++] = block;
        series->zones[series->n_zones++] = (struct fact_zone){0};
    }
    *ret_zone = &series->zones[series->n_zones - 1];
    *ret_block = series->blocks[series->n_blocks - 1];
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
                         const struct fact *fact, uint32_t number) {
    struct fact_zone *zone;
    void *block;
    int r = open_block(&facts->lines, sizeof(struct fact_lines), &zone, &block);
    if (r < 0)
        return r;
    struct fact_lines *lines = block;
    size_t i = lines->n++;
    lines->index[i] = order->entered.index;
    lines->entry[i] = order->entry;
    lines->minutes[i] = fact->minutes;
    lines->order[i] = number;
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
    note_row(zone, &order->entered, order->service_day, number);
    return 0;
}

static int add_leg(struct facts *facts, const struct fact_aside *moved) {
    struct fact_zone *zone;
    void *block;
    int r = open_block(&facts->legs, sizeof(struct fact_leg_lines), &zone, &block);
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
    int r = open_block(&facts->flows, sizeof(struct fact_flow_lines), &zone, &block);
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

static void series_fini(struct facts_series *series) {
    for (size_t i = 0; i < series->n_blocks; i++)
        free(series->blocks[i]);
    free(series->blocks);
    free(series->zones);
}

void facts_block_fini(struct facts *facts) {
    series_fini(&facts->lines);
    series_fini(&facts->legs);
    series_fini(&facts->flows);
}

/* ---- reading */

size_t facts_n_blocks(const struct facts *facts) {
    return facts->lines.n_blocks;
}

const struct fact_zone *facts_zone(const struct facts *facts, size_t block) {
    return &facts->lines.zones[block];
}

int facts_read_block(const struct facts *facts, size_t block, struct fact_lines *ret) {
    memcpy(ret, facts->lines.blocks[block], sizeof(*ret));
    return 0;
}

size_t facts_n_leg_blocks(const struct facts *facts) {
    return facts->legs.n_blocks;
}

const struct fact_zone *facts_leg_zone(const struct facts *facts, size_t block) {
    return &facts->legs.zones[block];
}

int facts_read_legs(const struct facts *facts, size_t block, struct fact_leg_lines *ret) {
    memcpy(ret, facts->legs.blocks[block], sizeof(*ret));
    return 0;
}

size_t facts_n_flow_blocks(const struct facts *facts) {
    return facts->flows.n_blocks;
}

const struct fact_zone *facts_flow_zone(const struct facts *facts, size_t block) {
    return &facts->flows.zones[block];
}

int facts_read_flows(const struct facts *facts, size_t block, struct fact_flow_lines *ret) {
    memcpy(ret, facts->flows.blocks[block], sizeof(*ret));
    return 0;
}
