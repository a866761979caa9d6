/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the offers of one venue were used for, a row for each offer and month of the date of service
 * that has any: takings less what was taken back. These are the figures that a venue's return is
 * held against.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "handle-register.h"
#include "rules.h"

#define DAYS_MAX (5u * 366)
#define DAY_MAX 2932896u /* 31 December 9999 */

static int add_month(struct register_scan *scan, const char *offer, uint32_t month) {
    uint8_t mark[NAME_MAX_BYTES + 1 + 4];
    size_t n_offer = strlen(offer);
    Timebank__RegisterRow *row;
    int r = 0;
    struct state_offer_sum sum =
        rules_offer_sum(scan->state, OFFER_MONTH, scan->account->code, offer, "", month, &r);

    if (r < 0 || (sum.heads == 0 && sum.minutes == 0))
        return r;
    memcpy(mark, offer, n_offer + 1);
    be32_put(mark + n_offer + 1, month);
    row = register_row(scan, mark, n_offer + 5);
    if (!row)
        return 0;
    row->what = register_text(scan, "offer");
    row->account = register_text(scan, scan->account->code);
    row->name = register_text(scan, offer);
    row->minutes = (int64_t)sum.minutes;
    row->count = sum.heads;
    row->from_day = month;
    row->to_day = rules_offer_next_month(month) - 1;
    return 0;
}

static int add_offer(struct register_scan *scan, const char *offer) {
    int r = 0;

    for (uint32_t month = rules_offer_month(scan->ask->from_day);
         r == 0 && month <= scan->ask->to_day; month = rules_offer_next_month(month))
        r = add_month(scan, offer, month);
    return r;
}

static int add_row(struct register_scan *scan, const struct row *row) {
    size_t n_venue = strlen(scan->account->code);
    char offer[NAME_MAX_BYTES + 1];
    size_t n;

    if (row->n_key <= n_venue || memcmp(row->key, scan->account->code, n_venue) != 0 ||
        row->key[n_venue] != '/')
        return 0;
    n = row->n_key - n_venue - 1u;
    if (n > NAME_MAX_BYTES)
        return -EUCLEAN;
    memcpy(offer, row->key + n_venue + 1, n);
    offer[n] = '\0';
    return add_offer(scan, offer);
}

int register_offer_sums(struct register_scan *scan) {
    const Timebank__AskRegister *ask = scan->ask;
    int r;

    if (!scan->account || scan->account->kind != TIMEBANK__ACCOUNT_KIND__VENUE)
        return REFUSAL_BAD_REQUEST;
    if (ask->from_day == 0 || ask->to_day < ask->from_day || ask->to_day > DAY_MAX ||
        ask->to_day - ask->from_day > DAYS_MAX)
        return REFUSAL_BAD_PERIOD;
    r = add_offer(scan, ""); /* vouchers taken for none */
    return r == 0 ? register_each(scan, STATE_OFFERS, add_row) : r;
}
