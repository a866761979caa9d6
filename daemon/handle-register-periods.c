/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed periods. Without dates the periods themselves; with dates what came late for a date of
 * service between them, by date of service.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "handle-register.h"

#define DAY_KEY_BYTES 4
#define LATE_KEY_BYTES 12

/* 1 with the order at an index, or an error. */
static int read_order(struct register_scan *scan, uint64_t index, Timebank__Order **ret_order,
                      uint64_t *ret_received_at_ms) {
    int r = state_order(scan->state, index, scan->call->arena, ret_order, ret_received_at_ms);

    return r == 0 ? -EUCLEAN : r;
}

static int add_late(struct register_scan *scan, const struct row *row) {
    const struct state_period *late = (const void *)row->value;
    uint32_t day = be32_get(row->key);
    Timebank__RegisterRow *to;
    Timebank__Order *order;
    int r;

    if (row->n_key != LATE_KEY_BYTES || day < scan->ask->from_day || day > scan->ask->to_day)
        return 0;
    to = register_row(scan, row->key, row->n_key);
    if (!to)
        return 0;
    r = read_order(scan, late->closed, &order, &to->due_ms);
    if (r < 0)
        return r;
    to->what = register_text(scan, "late");
    to->name = register_text(scan, record_kind_name(order->kind_case));
    to->account = register_text(scan, order->to);
    to->other = register_text(scan, order->from);
    to->entry = late->closed;
    to->other_entry = be64_get(row->key + DAY_KEY_BYTES);
    to->minutes = (int64_t)order->minutes;
    to->from_day = day;
    return 0;
}

static int add_period(struct register_scan *scan, const struct row *row) {
    const struct state_period *period = (const void *)row->value;
    Timebank__RegisterRow *to;
    Timebank__Order *order;
    int r;

    if (row->n_key != DAY_KEY_BYTES)
        return 0;
    to = register_row(scan, row->key, row->n_key);
    if (!to)
        return 0;
    r = read_order(scan, period->closed, &order, &to->due_ms);
    if (r < 0)
        return r;
    to->what = register_text(scan, "period");
    to->to_day = be32_get(row->key);
    to->entry = period->closed;
    to->flag = period->is_last;
    return 0;
}

int register_periods(struct register_scan *scan) {
    bool lists_late = scan->ask->from_day != 0 || scan->ask->to_day != 0;

    return register_each(scan, STATE_PERIODS, lists_late ? add_late : add_period);
}
