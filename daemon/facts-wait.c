/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has no effect yet, kept aside until it has or falls; and what an order is about: an id leads
 * to a record of the log, and from there to what waits or to the lines that joined.
 */
#include <errno.h>
#include <string.h>

#include "facts-private.h"

struct facts_waiting *facts_wait_find(struct facts *facts, uint32_t number) {
    size_t low = 0, high = facts->n_waiting;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uint32_t)facts->waiting[middle].order.entry < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == facts->n_waiting || (uint32_t)facts->waiting[low].order.entry != number ||
        facts->waiting[low].is_over)
        return NULL;
    return &facts->waiting[low];
}

int facts_wait_add(struct facts *facts) {
    struct facts_waiting waiting = {.order = facts->own};
    if (facts->own.kind == TIMEBANK__ORDER__KIND_HOLD)
        waiting.remains_minutes = facts->own.minutes;
    int r = GROW(facts, waiting);
    if (r < 0)
        return r;
    if (facts->n_own_lines > 0) {
        waiting.lines = calloc(facts->n_own_lines, sizeof(*waiting.lines));
        if (!waiting.lines)
            return -ENOMEM;
        memcpy(waiting.lines, facts->own_lines, facts->n_own_lines * sizeof(*waiting.lines));
    }
    facts->waiting[facts->n_waiting++] = waiting;
    return 0;
}

static void waiting_fini(struct facts_waiting *waiting) {
    free(waiting->lines);
    free(waiting->asides);
    waiting->lines = NULL;
    waiting->asides = NULL;
    waiting->n_asides = 0;
}

/* Those that are over go in one sweep, now and then. */
static void sweep(struct facts *facts) {
    size_t n = 0;
    for (size_t i = 0; i < facts->n_waiting; i++)
        if (!facts->waiting[i].is_over)
            facts->waiting[n++] = facts->waiting[i];
    facts->n_waiting = n;
    facts->n_over = 0;
}

void facts_wait_end(struct facts *facts, struct facts_waiting *waiting) {
    waiting_fini(waiting);
    waiting->is_over = true;
    if (++facts->n_over > facts->n_waiting / 2)
        sweep(facts);
}

void facts_wait_fini(struct facts *facts) {
    for (size_t i = 0; i < facts->n_waiting; i++)
        waiting_fini(&facts->waiting[i]);
    free(facts->waiting);
}

/* ---- targets */

struct target {
    struct facts *facts;
    const ProtobufCBinaryData *id;
    const Timebank__Order *order;
};

static int try(void *user, uint64_t index) {
    struct target *target = user;
    struct facts *facts = target->facts;
    bytes_clear(&facts->target);
    int r = facts->source.record ? facts->source.record(facts->source.user, index, &facts->target)
                                 : -EINVAL;
    if (r == 0)
        r = -EUCLEAN;
    if (r > 0)
        r = facts->target.r;
    if (r < 0)
        return r;
    Timebank__Order *order;
    if (facts->target.n == 0 || facts->target.data[0] != RECORD_ORDER)
        return 0;
    arena_reset(&facts->target_arena);
    r = record_order_decode(facts->target.data + 1, facts->target.n - 1, &facts->target_arena,
                            &order);
    if (r < 0)
        return r;
    target->order = order;
    return order->id.len == target->id->len &&
           memcmp(order->id.data, target->id->data, order->id.len) == 0;
}

static void read_waiting(const struct facts_waiting *waiting, struct facts_reading *reading) {
    reading->service_day = waiting->order.service_day;
    reading->about_minutes = waiting->order.minutes;
    reading->about_entered = (struct fact_entered){.index = FACTS_NEVER};
}

/* An order without a line counts nowhere, but what is about it asks when it was. */
static void read_order(const struct facts *facts, const Timebank__Order *order,
                       struct facts_reading *reading) {
    uint32_t day = facts_last_day(facts, (uint64_t)reading->about + 1);
    reading->service_day = order->service_day ? order->service_day : day;
    reading->about_minutes = 0;
    reading->about_entered = (struct fact_entered){
        .index = reading->about, .recorded_day = day, .claimed_day = order->claimed_day};
}

int facts_wait_target(struct facts *facts, const ProtobufCBinaryData *id,
                      struct facts_reading *reading) {
    struct target target = {.facts = facts, .id = id};
    uint64_t index;
    if (id->len != ORDER_ID_BYTES)
        return 0;
    int r = facts_ids_find(&facts->ids, id->data, try, &target, &index);
    if (r <= 0)
        return r;
    reading->about = (uint32_t)index;
    reading->kind = (uint16_t)target.order->kind_case;
    const struct facts_waiting *waiting = facts_wait_find(facts, reading->about);
    if (waiting) {
        read_waiting(waiting, reading);
        return 1;
    }
    struct facts_found found;
    r = facts_block_find(facts, reading->about, &found);
    if (r < 0)
        return r;
    if (found.n_lines == 0) {
        read_order(facts, target.order, reading);
        return 1;
    }
    reading->service_day = found.service_day;
    reading->about_minutes = found.minutes;
    reading->about_entered = found.entered;
    return 1;
}
