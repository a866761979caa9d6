/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old books use activities, funders and offers that nobody set in this bank: they are declared by
 * orders of the same import, before the entries. A name is left out where the bank knows it from
 * elsewhere, and put in again where it knows it from this very order, so that a second import makes
 * the same batches. An offer's price is the minutes a head that occur most, of equals the smallest.
 */
#include "import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct price {
    uint64_t minutes;
    size_t n;
};

struct name {
    enum tb_kind kind;
    const char *venue; /* of an offer */
    const char *text;
    struct import_row *row; /* the first that uses it */
    struct price *prices;
    size_t n_prices;
    bool known; /* to the bank, from set_by */
    uint8_t set_by[TB_ORDER_ID_BYTES];
};

struct names {
    struct name *items;
    size_t n;
    size_t n_allocated;
    struct import_map places; /* "activity/gardening": place in items, from 1 */
};

static void names_fini(struct names *names) {
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i].prices);
    free(names->items);
    import_map_fini(&names->places);
}

static const char *source_of(enum tb_kind kind) {
    return kind == TB_SET_ACTIVITY ? "activity" : kind == TB_SET_FUNDER ? "funder" : "offer";
}

/* "activity/NAME", "offer/VENUE/NAME"; no name holds a '/'. The caller's; NULL on no memory. */
static char *name_key(enum tb_kind kind, const char *venue, const char *text) {
    char *key;
    if (!venue)
        return import_key(source_of(kind), text);
    return asprintf(&key, "%s/%s/%s", source_of(kind), venue, text) < 0 ? NULL : key;
}

static struct name *name_add(struct names *names) {
    if (names->n == names->n_allocated) {
        size_t n = names->n_allocated ? names->n_allocated * 2 : 64;
        struct name *items = reallocarray(names->items, n, sizeof(*items));
        if (!items)
            return NULL;
        names->items = items;
        names->n_allocated = n;
    }
    names->items[names->n] = (struct name){0};
    return &names->items[names->n++];
}

/* Finds the name or adds it; an empty one is none. */
static int name_meet(struct names *names, enum tb_kind kind, const struct import_item *item,
                     const char *venue, const char *text, struct name **ret_name) {
    uintptr_t place;
    if (!text || !*text)
        return 0;
    _cleanup_(freep) char *key = name_key(kind, venue, text);
    if (!key)
        return -ENOMEM;
    int r = import_map_put(&names->places, key, names->n + 1, &place);
    if (r < 0)
        return r;
    if (place == names->n + 1) {
        struct name *name = name_add(names);
        if (!name)
            return -ENOMEM;
        name->kind = kind;
        name->venue = venue;
        name->text = text;
        name->row = item->row;
    }
    *ret_name = &names->items[place - 1];
    return 0;
}

static int price_count(struct name *name, const struct tb_order *order) {
    uint64_t heads = (uint64_t)order->adults + order->under16;
    if (heads == 0 || order->minutes % heads != 0)
        return 0;
    uint64_t minutes = order->minutes / heads;
    for (size_t i = 0; i < name->n_prices; i++) {
        if (name->prices[i].minutes == minutes) {
            name->prices[i].n++;
            return 0;
        }
    }
    struct price *prices = reallocarray(name->prices, name->n_prices + 1, sizeof(*prices));
    if (!prices)
        return -ENOMEM;
    name->prices = prices;
    prices[name->n_prices++] = (struct price){.minutes = minutes, .n = 1};
    return 0;
}

/* 0 where no row says what one head costs. */
static uint64_t price_usual(const struct name *name) {
    struct price best = {0};
    for (size_t i = 0; i < name->n_prices; i++) {
        const struct price *price = &name->prices[i];
        if (price->n > best.n || (price->n == best.n && price->minutes < best.minutes))
            best = *price;
    }
    return best.minutes;
}

static int names_meet(struct names *names, const struct import_item *item) {
    const struct tb_order *order = &item->order;
    struct name *name = NULL;
    int r = name_meet(names, TB_SET_ACTIVITY, item, NULL, order->activity, &name);
    if (r == 0 && order->kind == TB_ISSUE)
        r = name_meet(names, TB_SET_FUNDER, item, NULL, order->funder, &name);
    if (r != 0 || order->kind != TB_REDEEM)
        return r;
    name = NULL;
    r = name_meet(names, TB_SET_OFFER, item, order->to, order->offer, &name);
    return r == 0 && name ? price_count(name, order) : r;
}

/* ------------------------------------------------------ what the bank knows */

static int name_known(struct names *names, enum tb_kind kind, const char *venue, const char *text,
                      const uint8_t set_by[TB_ORDER_ID_BYTES]) {
    _cleanup_(freep) char *key = name_key(kind, venue, text);
    if (!key)
        return -ENOMEM;
    uintptr_t place = import_map_get(&names->places, key);
    if (place) {
        names->items[place - 1].known = true;
        memcpy(names->items[place - 1].set_by, set_by, TB_ORDER_ID_BYTES);
    }
    return 0;
}

static int activity_known(void *user, const struct tb_activity *activity) {
    return name_known(user, TB_SET_ACTIVITY, NULL, activity->name, activity->set_by);
}

static int funder_known(void *user, const struct tb_funder *funder) {
    return name_known(user, TB_SET_FUNDER, NULL, funder->name, funder->set_by);
}

static int offer_known(void *user, const struct tb_offer *offer) {
    return name_known(user, TB_SET_OFFER, offer->venue, offer->name, offer->set_by);
}

static int names_ask(struct names *names, struct tb_bank *bank) {
    int r = tb_activity_list(bank, activity_known, names);
    if (r == 0)
        r = tb_funder_list(bank, funder_known, names);
    return r ? r : tb_offer_list(bank, NULL, offer_known, names);
}

/* ----------------------------------------------------------------- orders */

static int id_make(const struct import *import, const struct name *name, uint64_t price_minutes,
                   uint8_t ret_id[TB_ORDER_ID_BYTES]) {
    _cleanup_(freep) char *key = NULL;
    if (!name->venue)
        return tb_order_id(import->client->bank, source_of(name->kind), name->text, ret_id);
    if (asprintf(&key, "%s/%s/%llu", name->venue, name->text, (unsigned long long)price_minutes) <
        0) {
        key = NULL;
        return -ENOMEM;
    }
    return tb_order_id(import->client->bank, "offer", key, ret_id);
}

static int name_declare(struct import *import, const struct name *name) {
    uint8_t id[TB_ORDER_ID_BYTES];
    uint64_t price_minutes = name->venue ? price_usual(name) : 0;
    if (name->venue && !price_minutes)
        return 0; /* the bank says of each of its rows that there is no such offer */
    int r = id_make(import, name, price_minutes, id);
    if (r != 0)
        return r;
    if (name->known && memcmp(name->set_by, id, sizeof(id)) != 0)
        return 0;
    struct import_item *item = import_list_add(&import->lists[PHASE_NAMES]);
    if (!item)
        return -ENOMEM;
    item->phase = PHASE_NAMES;
    item->row = name->row;
    item->order.kind = name->kind;
    item->order.source = TB_FROM_HISTORY;
    memcpy(item->order.id, id, sizeof(id));
    if (name->venue) {
        item->order.to = name->venue;
        item->order.offer = name->text;
        item->order.price_minutes = price_minutes;
    } else {
        item->order.name = name->text;
    }
    return 0;
}

int import_names_declare(struct import *import) {
    _cleanup_(names_fini) struct names names = {0};
    const struct import_list *entries = &import->lists[PHASE_ENTRIES];
    int r = 0;
    for (size_t i = 0; i < entries->n && r == 0; i++)
        r = names_meet(&names, &entries->items[i]);
    if (r == 0 && names.n > 0)
        r = names_ask(&names, import->client->bank);
    for (size_t i = 0; i < names.n && r == 0; i++)
        r = name_declare(import, &names.items[i]);
    return r;
}
