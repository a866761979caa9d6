/* SPDX-License-Identifier: Apache-2.0 */
/* The price is the offer's times the heads, unless --time says otherwise and --why says why. */
#include "visit.h"

#include <stdlib.h>
#include <string.h>

#include "desk-answer.h"
#include "options.h"

struct search {
    const char *name;
    uint64_t price_minutes;
};

static int offer_compare(void *user, const struct tb_offer *offer) {
    struct search *search = user;
    if (strcmp(offer->name, search->name) == 0)
        search->price_minutes = offer->price_minutes;
    return 0;
}

/* Where no offer is found the bank has the exact refusal (unknown venue, unknown offer); any time
 * will do to ask for it. */
static int price_find(struct client *client, const struct tb_order *order, uint64_t *ret_minutes) {
    struct search search = {.name = order->offer, .price_minutes = 60};
    int r = tb_offer_list(client->bank, order->to, offer_compare, &search);
    if (r == 0)
        *ret_minutes = search.price_minutes * (order->adults + order->under16);
    return r;
}

int visit_heads_read(struct client *client, const char *option, const char *text,
                     uint32_t *ret_heads) {
    if (!text)
        return CLIENT_DONE;
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > VISIT_HEADS_MAX)
        return client_refuse(client, TB_BAD_NUMBER, "\"%s\" is not a number of people: say --%s 2.",
                             text, option);
    *ret_heads = (uint32_t)n;
    return CLIENT_DONE;
}

static int minutes_read(struct client *client, const struct visit_typed *typed,
                        struct tb_order *order) {
    uint64_t minutes;
    int r = price_find(client, order, &minutes);
    if (r != 0)
        return client_outcome(client, r);
    if (!typed->entry.time)
        order->minutes = minutes;
    else if (order->minutes != minutes && typed->entry.why)
        order->override |= TB_OVERRIDE_PRICE;
    return CLIENT_DONE;
}

int visit_read(struct client *client, const struct verb *verb, struct visit_typed *typed,
               int own_from, struct tb_order *order) {
    int r = CLIENT_DONE;
    if (!typed->offer)
        r = client_usage(verb, "The offer is missing: name it with --offer.");
    if (r == CLIENT_DONE && typed->over_rules && !typed->entry.why)
        r = client_usage(verb, "To pass over a venue's rules say why, with --why.");
    order->offer = typed->offer;
    if (typed->over_rules)
        order->override |= TB_OVERRIDE_RULES;
    if (r == CLIENT_DONE)
        r = visit_heads_read(client, "adults", typed->adults, &order->adults);
    if (r == CLIENT_DONE)
        r = visit_heads_read(client, "under16", typed->under16, &order->under16);
    if (r == CLIENT_DONE)
        r = entries_side(client, verb, "from", typed->entry.from, own_from, &order->from);
    if (r == CLIENT_DONE)
        r = entries_side(client, verb, "to", typed->entry.to, TB_ROLE_VENUE, &order->to);
    return r == CLIENT_DONE ? entries_read(client, verb, &typed->entry, order) : r;
}

int visit_record(struct client *client, const struct visit_typed *typed, struct tb_order *order) {
    if (order->adults + order->under16 == 0)
        return client_refuse(client, TB_NO_HEADS, "%s", tb_refusal_sentence(TB_NO_HEADS));
    int r = minutes_read(client, typed, order);
    if (r != CLIENT_DONE)
        return r;
    return tb_bank_role(client->bank) == TB_ROLE_VENUE ? desk_answer_record(client, order, order)
                                                       : client_record(client, order);
}
