/* SPDX-License-Identifier: Apache-2.0 */
/* Venues' offers. A page begins after VENUE/NAME: a name holds no slash, and neither does a code.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "list.h"

struct each_offer {
    int (*each)(void *user, const struct tb_offer *offer);
    void *user;
    const char *venue; /* NULL: of all venues */
};

static int offer_tell(const struct each_offer *to, const Timebank__Offers *page, size_t i) {
    struct tb_offer offer = {
        .venue = page->venues[i],
        .name = page->names[i],
        .price_minutes = page->price_minutes[i],
    };
    if (page->set_by[i].len == sizeof(offer.set_by))
        memcpy(offer.set_by, page->set_by[i].data, sizeof(offer.set_by));
    if (to->venue && strcmp(to->venue, offer.venue) != 0)
        return 0;
    return to->each(to->user, &offer);
}

/* The place of the page's last offer, in the arena. */
static const char *place_make(struct tb_bank *bank, const char *venue, const char *name) {
    size_t n = strlen(venue) + 1 + strlen(name) + 1;
    char *place = arena_alloc(&bank->arena, n);
    if (place)
        snprintf(place, n, "%s/%s", venue, name);
    return place;
}

static int offers_page(struct tb_bank *bank, const Timebank__Response *response, void *user,
                       const char **ret_last, bool *ret_more) {
    const struct each_offer *to = user;
    const Timebank__Offers *page = response->offers;
    size_t n = page->n_names;
    if (page->n_venues != n || page->n_price_minutes != n || page->n_set_by != n)
        return bank_fail(bank, -EPROTO, "The bank's list of offers cannot be read.");
    for (size_t i = 0; i < n; i++) {
        int r = offer_tell(to, page, i);
        if (r != 0)
            return r;
    }
    if (n > 0)
        *ret_last = place_make(bank, page->venues[n - 1], page->names[n - 1]);
    *ret_more = page->more;
    return 0;
}

int tb_offer_list(struct tb_bank *bank, const char *venue,
                  int (*each)(void *user, const struct tb_offer *offer), void *user) {
    if (!bank || !each)
        return -EINVAL;
    struct each_offer to = {.each = each, .user = user, .venue = venue};
    return list_walk(bank, TIMEBANK__REQUEST__BODY_OFFERS, TIMEBANK__RESPONSE__BODY_OFFERS,
                     offers_page, &to);
}
