/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every set-limit of one account, oldest first, in words; and what of members' credits may expire
 * as of a day.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "handle-register.h"
#include "proto/hours.h"
#include "rules.h"

#define WORDS_BYTES 512

struct words {
    char text[WORDS_BYTES];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *words, const char *format,
                                                      ...) {
    va_list arguments;
    int n;

    if (words->n > 0 && words->n + 2 < sizeof(words->text)) {
        memcpy(words->text + words->n, ", ", 3);
        words->n += 2;
    }
    va_start(arguments, format);
    n = vsnprintf(words->text + words->n, sizeof(words->text) - words->n, format, arguments);
    va_end(arguments);
    if (n > 0)
        words->n = MIN_OF(words->n + (size_t)n, sizeof(words->text) - 1);
}

static void say_bound(struct words *words, const char *name, bool is_set, int64_t bound) {
    char text[32];

    hours_format(bound, text);
    if (is_set && (bound == STATE_NO_FLOOR || bound == STATE_NO_CEILING))
        say(words, "no %s", name);
    else if (is_set)
        say(words, "%s %s", name, text);
}

static void say_span(struct words *words, uint32_t span, uint64_t most) {
    static const char *const names[] = {"?", "day", "week", "month", "year"};
    uint32_t number = span % STATE_SPAN_COUNTS;
    const char *name = names[number < N_ELEMENTS(names) ? number : 0];
    char text[32];

    hours_format((int64_t)MIN_OF(most, (uint64_t)HOURS_MAX_MINUTES), text);
    if (most == STATE_SPAN_NONE)
        say(words, "any %s a %s", span > STATE_SPAN_COUNTS ? "entries" : "time", name);
    else if (span > STATE_SPAN_COUNTS)
        say(words, "%llu entries a %s", (unsigned long long)most, name);
    else
        say(words, "%s a %s", text, name);
}

static void say_limit(struct words *words, const Timebank__SetLimit *set) {
    say_bound(words, "floor", set->has_floor_case == TIMEBANK__SET_LIMIT__HAS_FLOOR_FLOOR,
              set->floor);
    say_bound(words, "ceiling", set->has_ceiling_case == TIMEBANK__SET_LIMIT__HAS_CEILING_CEILING,
              set->ceiling);
    say_bound(words, "soft floor",
              set->has_soft_floor_case == TIMEBANK__SET_LIMIT__HAS_SOFT_FLOOR_SOFT_FLOOR,
              set->soft_floor);
    say_bound(words, "soft ceiling",
              set->has_soft_ceiling_case == TIMEBANK__SET_LIMIT__HAS_SOFT_CEILING_SOFT_CEILING,
              set->soft_ceiling);
    for (size_t i = 0; i < set->n_spans && i < set->n_most; i++)
        say_span(words, set->spans[i], set->most[i]);
    if (words->n == 0)
        say(words, "by policy");
}

static int add_limit(struct register_scan *scan, uint32_t place) {
    struct words words = {.n = 0};
    const struct state_limit *limit;
    Timebank__RegisterRow *row;
    Timebank__Order *order;
    uint8_t key[12];
    int r = 0;

    be64_put(key, scan->account->number);
    be32_put(key + 8, place);
    limit = state_get(scan->state, STATE_LIMITS, key, sizeof(key), &r);
    if (!limit)
        return r < 0 ? r : -EUCLEAN;
    row = register_row(scan, key + 8, 4);
    if (!row)
        return 0;
    r = state_order(scan->state, limit->set_by, scan->call->arena, &order, &row->due_ms);
    if (r <= 0 || order->kind_case != TIMEBANK__ORDER__KIND_SET_LIMIT)
        return r < 0 ? r : -EUCLEAN;
    say_limit(&words, order->set_limit);
    row->what = register_text(scan, "limit");
    row->account = register_text(scan, scan->account->code);
    row->name = register_text(scan, words.text);
    row->entry = limit->set_by;
    row->from_day = clock_day(row->due_ms);
    return 0;
}

int register_limits(struct register_scan *scan) {
    const struct state_limit *count;
    uint8_t key[12];
    int r = 0;

    if (!scan->account)
        return REFUSAL_NO_SUCH_ACCOUNT;
    be64_put(key, scan->account->number);
    be32_put(key + 8, 0);
    count = state_get(scan->state, STATE_LIMITS, key, sizeof(key), &r);
    for (uint32_t i = 1; r == 0 && count && i <= count->set_by; i++)
        r = add_limit(scan, i);
    return r;
}

static int add_expiring(struct register_scan *scan, const struct row *row) {
    const struct state_account *account = (const void *)row->value;
    uint32_t today = clock_day(MAX_OF(scan->state->sums.received_at_ms, scan->call->bank->wall_ms));
    uint32_t as_of_day = scan->ask->to_day ? MIN_OF(scan->ask->to_day, today) : today;
    Timebank__RegisterRow *to;
    uint64_t minutes;

    if ((scan->account && scan->account != account) || !register_may_read(scan, account->code))
        return 0;
    minutes = rules_expire_minutes(scan->state, account, as_of_day, today);
    if (minutes == 0)
        return 0;
    to = register_row(scan, account->code, strlen(account->code));
    if (!to)
        return 0;
    to->what = register_text(scan, "expiring");
    to->account = register_text(scan, account->code);
    to->minutes = (int64_t)minutes;
    to->to_day = as_of_day;
    return 0;
}

int register_expiring(struct register_scan *scan) {
    return register_each(scan, STATE_ACCOUNTS, add_expiring);
}
