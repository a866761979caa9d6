/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the next orders of a batch will ask for, looked for all together: each step of a search
 * waits for memory, and the waits of many searches pass at once. What is found is found for good,
 * because rows of the lowest state stand still; what is not is left to whoever asks, for an order
 * before it may make it.
 */
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "rules.h"

#define CACHE_LINE_BYTES 64

struct search {
    const struct rows *rows;
    uint64_t hash;
    const void *key;
    size_t n_key; /* 0: nothing is looked for */
};

static struct search search_begin(const struct state *lowest, enum state_table table,
                                  const void *key, size_t n_key) {
    struct search search = {.rows = &lowest->tables[table], .key = key};

    if (n_key == 0 || search.rows->n_rows == 0)
        return search;
    search.n_key = n_key;
    search.hash = rows_hash(key, n_key);
    __builtin_prefetch(&search.rows->slots[search.hash & (search.rows->n_slots - 1)]);
    return search;
}

static void search_go_on(const struct search *search) {
    if (search->n_key > 0)
        __builtin_prefetch(search->rows->slots[search->hash & (search->rows->n_slots - 1)]);
}

/* The value that is there, of which so many bytes are on their way; or NULL. */
static const void *search_end(const struct search *search, size_t n_value) {
    const struct row *row = search->n_key > 0
                                ? rows_find(search->rows, search->hash, search->key, search->n_key)
                                : NULL;

    for (size_t i = 0; row && i < n_value; i += CACHE_LINE_BYTES)
        __builtin_prefetch(row->value + i);
    return row ? row->value : NULL;
}

static void find_sides(const struct state *lowest, Timebank__Order *const *orders, size_t n,
                       struct rules_ahead *ret) {
    struct search searches[LEDGER_AHEAD][2];

    for (size_t i = 0; i < n; i++) {
        const char *from = orders[i] ? orders[i]->from : "", *to = orders[i] ? orders[i]->to : "";
        searches[i][0] = search_begin(lowest, STATE_ACCOUNTS, from, strlen(from));
        searches[i][1] = search_begin(lowest, STATE_ACCOUNTS, to, strlen(to));
    }
    for (size_t i = 0; i < 2 * n; i++)
        search_go_on(&searches[i / 2][i % 2]);
    for (size_t i = 0; i < 2 * n; i++)
        ret[i / 2].sides[i % 2] = search_end(&searches[i / 2][i % 2], sizeof(struct state_account));
}

static bool gives_time(const Timebank__Order *order) {
    return order && (order->kind_case == TIMEBANK__ORDER__KIND_EXCHANGE ||
                     order->kind_case == TIMEBANK__ORDER__KIND_EARN ||
                     order->kind_case == TIMEBANK__ORDER__KIND_LOG);
}

/* What is asked of whoever gives time: their last entries, and their hours of that day. */
static void find_givers(const struct state *lowest, Timebank__Order *const *orders, size_t n,
                        struct rules_ahead *ret) {
    struct search searches[LEDGER_AHEAD][2];
    uint8_t keys[LEDGER_AHEAD][8], day_keys[LEDGER_AHEAD][RULES_DAY_KEY_BYTES];

    for (size_t i = 0; i < n; i++) {
        const struct state_account *giver = gives_time(orders[i]) ? ret[i].sides[1] : NULL;
        if (giver) {
            be64_put(keys[i], giver->number);
            rules_day_key(DAY_GIVEN, giver->number, orders[i]->service_day, day_keys[i]);
            ret[i].service_day = orders[i]->service_day;
        }
        searches[i][0] = search_begin(lowest, STATE_RECENTS, keys[i], giver ? sizeof(keys[i]) : 0);
        searches[i][1] =
            search_begin(lowest, STATE_DAYS, day_keys[i], giver ? sizeof(day_keys[i]) : 0);
    }
    for (size_t i = 0; i < 2 * n; i++)
        search_go_on(&searches[i / 2][i % 2]);
    for (size_t i = 0; i < n; i++) {
        ret[i].recent = search_end(&searches[i][0], sizeof(struct state_recent));
        ret[i].day = search_end(&searches[i][1], sizeof(struct state_day));
    }
}

void ledger_ahead(const struct state *lowest, Timebank__Order *const *orders, size_t n,
                  struct rules_ahead *ret) {
    assert(!lowest->below && n <= LEDGER_AHEAD);
    memset(ret, 0, n * sizeof(*ret));
    find_sides(lowest, orders, n, ret);
    find_givers(lowest, orders, n, ret);
}
