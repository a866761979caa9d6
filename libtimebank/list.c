/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page's memory is given back before the next one is asked for, and each page must begin after
 * the last name of the one before: a daemon that turns in a circle ends the list.
 */
#include "list.h"

#include <errno.h>
#include <string.h>

/* All lists ask with a Page; the member of the oneof is one pointer. */
static void page_set(Timebank__Request *request, Timebank__Request__BodyCase ask,
                     Timebank__Page *page) {
    request->body_case = ask;
    switch (ask) {
    case TIMEBANK__REQUEST__BODY_ACCOUNTS:
        request->accounts = page;
        return;
    case TIMEBANK__REQUEST__BODY_ACTIVITIES:
        request->activities = page;
        return;
    case TIMEBANK__REQUEST__BODY_OFFERS:
        request->offers = page;
        return;
    case TIMEBANK__REQUEST__BODY_POLICIES:
        request->policies = page;
        return;
    case TIMEBANK__REQUEST__BODY_FUNDERS:
        request->funders = page;
        return;
    default:
        request->body_case = TIMEBANK__REQUEST__BODY_KEYS;
        request->keys = page;
        return;
    }
}

static int page_run(struct tb_bank *bank, Timebank__Request__BodyCase ask,
                    Timebank__Response__BodyCase body, const char *after,
                    Timebank__Response **ret) {
    Timebank__Page page = TIMEBANK__PAGE__INIT;
    page.after = (char *)after;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    page_set(&request, ask, &page);
    arena_reset(&bank->arena);
    return call_read(bank, &request, body, ret);
}

int list_walk(struct tb_bank *bank, Timebank__Request__BodyCase ask,
              Timebank__Response__BodyCase body, list_page page, void *user) {
    _cleanup_(freep) char *after = strdup("");
    if (!after)
        return -ENOMEM;
    int r = bank_begin_opened(bank);
    bool more = true;
    while (r == 0 && more) {
        Timebank__Response *response = NULL;
        const char *last = NULL;
        more = false;
        r = page_run(bank, ask, body, after, &response);
        if (r == 0)
            r = page(bank, response, user, &last, &more);
        if (r != 0 || !more)
            return r;
        if (!last || strcmp(last, after) <= 0)
            return bank_fail(bank, -EPROTO, "The bank's list does not go on: update the bank.");
        free(after);
        after = strdup(last);
        r = after ? 0 : -ENOMEM;
    }
    return r;
}
