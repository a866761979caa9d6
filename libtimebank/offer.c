/* SPDX-License-Identifier: Apache-2.0 */
/* Venues' offers. A page begins after VENUE/NAME: a name holds no slash, and neither does a code.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "list.h"
#include "reply.h"

static int page_count(struct tb_list *list, const Timebank__Response *response, size_t *ret_n,
                      bool *ret_more) {
    const Timebank__Offers *page = response->offers;
    size_t n = page->n_names;
    if (page->n_venues != n || page->n_price_minutes != n || page->n_set_by != n ||
        (page->n_rules != n && page->n_rules != 0))
        return bank_fail(list->bank, -EPROTO, "The bank's list of offers cannot be read.");
    *ret_n = n;
    *ret_more = page->more;
    return 0;
}

static void rules_take(const Timebank__SetOffer *rules, struct tb_offer *offer) {
    offer->weekdays = rules->weekdays;
    offer->from_minute = rules->from_minute;
    offer->to_minute = rules->to_minute;
    offer->from_day = rules->from_day;
    offer->to_day = rules->to_day;
    offer->ages = (enum tb_ages)rules->ages;
    offer->party_max = rules->party_max;
    offer->heads_a_day = rules->heads_a_day;
    offer->times_a_month = rules->times_a_month;
    offer->minutes_a_month = rules->minutes_a_month;
    offer->withdrawn = rules->withdrawn;
}

static int page_item(struct tb_list *list, const Timebank__Response *response, size_t i) {
    const Timebank__Offers *page = response->offers;
    struct tb_offer *offer = &list->item.offer;
    *offer = (struct tb_offer){
        .venue = page->venues[i],
        .name = page->names[i],
        .price_minutes = page->price_minutes[i],
    };
    if (page->n_rules > 0)
        rules_take(page->rules[i], offer);
    if (page->set_by[i].len == sizeof(offer->set_by))
        memcpy(offer->set_by, page->set_by[i].data, sizeof(offer->set_by));
    return !list->of || strcmp(list->of, offer->venue) == 0;
}

/* In the reply's own memory. */
static const char *page_place(struct tb_list *list, const Timebank__Response *response, size_t i) {
    const Timebank__Offers *page = response->offers;
    size_t n = strlen(page->venues[i]) + 1 + strlen(page->names[i]) + 1;
    char *place = arena_alloc(&list->call->reply->arena, n);
    if (place)
        snprintf(place, n, "%s/%s", page->venues[i], page->names[i]);
    return place;
}

static const struct list_noun noun = {
    .ask = TIMEBANK__REQUEST__BODY_OFFERS,
    .wants = TIMEBANK__RESPONSE__BODY_OFFERS,
    .count = page_count,
    .item = page_item,
    .place = page_place,
};

int tb_offer_begin(struct tb_bank *bank, const char *venue, struct tb_list **ret_list) {
    return list_begin(bank, &noun, venue, ret_list);
}

const struct tb_offer *tb_offer_next(struct tb_list *list) {
    return list_next(list, &noun) ? &list->item.offer : NULL;
}

int tb_offer_list(struct tb_bank *bank, const char *venue,
                  int (*each)(void *user, const struct tb_offer *offer), void *user) {
    struct tb_list *list = NULL;
    const struct tb_offer *offer = NULL;
    int r = each ? tb_offer_begin(bank, venue, &list) : -EINVAL;
    while (r == 0 && (offer = tb_offer_next(list)))
        r = each(user, offer);
    return list_finish(list, r);
}
