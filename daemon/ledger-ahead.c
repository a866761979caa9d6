/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the next orders of a batch will ask for, looked for while those before them are judged: each
 * step of a search waits for memory, so each is made for a few orders together and one such chunk
 * before the next step, when what it reads has come. What is found is found for good, because rows
 * of the lowest state stand still; what is not is left to whoever asks, for an order before it may
 * make it.
 */
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "rules.h"

#define CACHE_LINE_BYTES 64

static void search_begin(const struct state *lowest, enum state_table table, const void *key,
                         size_t n_key, struct ahead_search *ret) {
    *ret = (struct ahead_search){.rows = &lowest->tables[table], .key = key};
    if (n_key == 0 || ret->rows->n_rows == 0)
        return;
    ret->n_key = n_key;
    ret->hash = rows_hash(key, n_key);
    __builtin_prefetch(&ret->rows->slots[ret->hash & (ret->rows->n_slots - 1)]);
}

/* A row, and its key where that ends in the next line. */
static void search_go_on(const struct ahead_search *search) {
    const struct row *row =
        search->n_key > 0 ? search->rows->slots[search->hash & (search->rows->n_slots - 1)] : NULL;

    if (!row)
        return;
    __builtin_prefetch(row);
    __builtin_prefetch(row->key + search->n_key - 1);
}

/* The value that is there, of which so many bytes are on their way; or NULL. */
static const void *search_end(const struct ahead_search *search, size_t n_value) {
    const struct row *row = search->n_key > 0
                                ? rows_find(search->rows, search->hash, search->key, search->n_key)
                                : NULL;

    for (size_t i = 0; row && i < n_value; i += CACHE_LINE_BYTES)
        __builtin_prefetch(row->value + i);
    return row ? row->value : NULL;
}

/* ---- the steps, one after another */

static void begin_sides(const struct state *lowest, struct ahead_chunk *chunk) {
    for (size_t i = 0; i < chunk->n; i++) {
        const Timebank__Order *order = chunk->orders[i];
        const char *from = order ? order->from : "", *to = order ? order->to : "";
        chunk->found[i] = (struct rules_ahead){0};
        search_begin(lowest, STATE_ACCOUNTS, from, strlen(from), &chunk->searches[i][0]);
        search_begin(lowest, STATE_ACCOUNTS, to, strlen(to), &chunk->searches[i][1]);
    }
}

static void go_on(const struct state *lowest, struct ahead_chunk *chunk) {
    (void)lowest;
    for (size_t i = 0; i < 2 * chunk->n; i++)
        search_go_on(&chunk->searches[i / 2][i % 2]);
}

static void end_sides(const struct state *lowest, struct ahead_chunk *chunk) {
    (void)lowest;
    for (size_t i = 0; i < 2 * chunk->n; i++)
        chunk->found[i / 2].sides[i % 2] =
            search_end(&chunk->searches[i / 2][i % 2], sizeof(struct state_account));
}

static bool gives_time(const Timebank__Order *order) {
    return order && (order->kind_case == TIMEBANK__ORDER__KIND_EXCHANGE ||
                     order->kind_case == TIMEBANK__ORDER__KIND_EARN ||
                     order->kind_case == TIMEBANK__ORDER__KIND_LOG);
}

/* What is asked of whoever gives time: their last entries, and their hours of that day. */
static void begin_givers(const struct state *lowest, struct ahead_chunk *chunk) {
    for (size_t i = 0; i < chunk->n; i++) {
        const Timebank__Order *order = chunk->orders[i];
        const struct state_account *giver = gives_time(order) ? chunk->found[i].sides[1] : NULL;
        uint8_t *key = chunk->keys[i], *day_key = chunk->day_keys[i];
        if (giver) {
            be64_put(key, giver->number);
            rules_day_key(DAY_GIVEN, giver->number, order->service_day, day_key);
            chunk->found[i].service_day = order->service_day;
        }
        search_begin(lowest, STATE_RECENTS, key, giver ? sizeof(chunk->keys[i]) : 0,
                     &chunk->searches[i][0]);
        search_begin(lowest, STATE_DAYS, day_key, giver ? sizeof(chunk->day_keys[i]) : 0,
                     &chunk->searches[i][1]);
    }
}

static void end_givers(const struct state *lowest, struct ahead_chunk *chunk) {
    (void)lowest;
    for (size_t i = 0; i < chunk->n; i++) {
        chunk->found[i].recent =
            search_end(&chunk->searches[i][0], offsetof(struct state_recent, entry));
        chunk->found[i].day = search_end(&chunk->searches[i][1], sizeof(struct state_day));
    }
}

static void (*const steps[])(const struct state *lowest, struct ahead_chunk *chunk) = {
    begin_sides, go_on, end_sides, begin_givers, go_on, end_givers};
static_assert(N_ELEMENTS(steps) < AHEAD_CHUNKS, "the chunk being judged is kept as well");

static struct ahead_chunk *chunk_at(struct ledger_ahead *ahead, size_t i) {
    return &ahead->chunks[i % AHEAD_CHUNKS];
}

/* One step of each chunk that is on its way, the last one of chunk `next`. */
static void take_steps(struct ledger_ahead *ahead, size_t next, size_t n_steps) {
    for (size_t back = 0; back < n_steps; back++) {
        size_t i = next + back, begin = i * AHEAD_ORDERS;
        struct ahead_chunk *chunk = chunk_at(ahead, i);
        if (begin >= ahead->n)
            break;
        chunk->orders = ahead->orders + begin;
        chunk->n = MIN_OF(ahead->n - begin, (size_t)AHEAD_ORDERS);
        steps[n_steps - 1 - back](ahead->lowest, chunk);
    }
}

void ledger_ahead_begin(struct ledger_ahead *ahead, const struct state *lowest,
                        Timebank__Order *const *orders, size_t n) {
    assert(!lowest->below);
    ahead->lowest = lowest;
    ahead->orders = orders;
    ahead->n = n;
    for (size_t n_steps = 1; n_steps <= N_ELEMENTS(steps); n_steps++)
        take_steps(ahead, 0, n_steps);
}

const struct rules_ahead *ledger_ahead(struct ledger_ahead *ahead, size_t i) {
    if (i % AHEAD_ORDERS == 0)
        take_steps(ahead, i / AHEAD_ORDERS + 1, N_ELEMENTS(steps));
    return &chunk_at(ahead, i / AHEAD_ORDERS)->found[i % AHEAD_ORDERS];
}
