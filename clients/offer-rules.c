/* SPDX-License-Identifier: Apache-2.0 */
/* See offer-rules.h. */
#include "offer-rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "words-fields.h"

#define WHY_BYTES 400
#define N_DAYS 7u
#define NUMBER_MAX 1000000u

static const char *const day_names[N_DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const age_words[] = {"any", "adults", "under16", "with-adult"};

static bool is_any(const char *text) {
    return strcasecmp(text, "any") == 0;
}

/* ---- days */

/* 0 to 6 by its first three letters, which end at a sign; N_DAYS for none. */
static unsigned day_find(const char *text, size_t n) {
    for (unsigned i = 0; i < N_DAYS; i++)
        if (n >= 3 && strncasecmp(text, day_names[i], 3) == 0)
            return i;
    return N_DAYS;
}

/* One of "mon" and "mon-fri"; "sat-mon" goes round the end of the week. */
static bool days_take(const char *text, size_t n, uint32_t *weekdays) {
    const char *dash = memchr(text, '-', n);
    size_t n_first = dash ? (size_t)(dash - text) : n;
    unsigned first = day_find(text, n_first);
    unsigned last = dash ? day_find(dash + 1, n - n_first - 1) : first;
    if (first == N_DAYS || last == N_DAYS)
        return false;
    for (unsigned i = first;; i = (i + 1) % N_DAYS) {
        *weekdays |= 1u << i;
        if (i == last)
            return true;
    }
}

static int days_read(struct client *client, const char *text, struct tb_order *order) {
    uint32_t weekdays = 0;
    const char *at = text;
    while (!is_any(text) && at) {
        size_t n = strcspn(at, ",");
        if (!days_take(at, n, &weekdays))
            return client_refuse(client, TB_BAD_DATE,
                                 "\"%s\" is no list of weekdays: write mon-fri,sun, or any.", text);
        at = at[n] ? at + n + 1 : NULL;
    }
    order->weekdays = weekdays == (1u << N_DAYS) - 1 ? 0 : weekdays;
    return CLIENT_DONE;
}

/* ---- hours */

/* "9", "9:00", "24:00"; NULL where it is none, else what follows. */
static const char *hour_take(const char *text, uint32_t *ret_minute) {
    char *end;
    if (*text < '0' || *text > '9')
        return NULL;
    unsigned long hour = strtoul(text, &end, 10), minute = 0;
    if (*end == ':') {
        if (end[1] < '0' || end[1] > '5' || end[2] < '0' || end[2] > '9')
            return NULL;
        minute = strtoul(end + 1, &end, 10);
    }
    if (hour > 24 || minute > 59 || (hour == 24 && minute > 0))
        return NULL;
    *ret_minute = (uint32_t)(hour * 60 + minute) % (24 * 60);
    return end;
}

static int hours_read(struct client *client, const char *text, struct tb_order *order) {
    uint32_t from = 0, to = 0;
    const char *end = is_any(text) ? "" : hour_take(text, &from);
    if (end && !is_any(text))
        end = *end == '-' ? hour_take(end + 1, &to) : NULL;
    if (!end || *end || (from == to && from))
        return client_refuse(client, TB_BAD_TIME,
                             "\"%s\" are no hours of a day: write 9:00-12:00, or any.", text);
    order->from_minute = from;
    order->to_minute = to;
    return CLIENT_DONE;
}

/* ---- the rest */

static int day_read(struct client *client, const char *text, uint32_t *ret_day) {
    if (!is_any(text))
        return client_date(client, text, ret_day);
    *ret_day = 0;
    return CLIENT_DONE;
}

static int ages_read(struct client *client, const char *text, struct tb_order *order) {
    for (size_t i = 0; i < N_ELEMENTS(age_words); i++)
        if (strcasecmp(text, age_words[i]) == 0) {
            order->ages = (enum tb_ages)i;
            return CLIENT_DONE;
        }
    return client_refuse(client, TB_BAD_NUMBER,
                         "\"%s\" is no age: say adults, under16, with-adult or any.", text);
}

static int number_read(struct client *client, const char *option, const char *text,
                       uint32_t *ret_number) {
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (is_any(text))
        number = 0;
    else if (*text < '0' || *text > '9' || *end || number == 0 || number > NUMBER_MAX)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is not a number for --%s: write 6, or any.", text, option);
    *ret_number = (uint32_t)number;
    return CLIENT_DONE;
}

static int budget_read(struct client *client, const char *text, struct tb_order *order) {
    char why[WHY_BYTES] = "";
    uint64_t minutes = 0;
    int r = is_any(text) ? 0 : tb_time_parse(text, &minutes, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    order->minutes_a_month = minutes;
    return CLIENT_DONE;
}

int offer_rules_read(struct client *client, const struct offer_rules_typed *typed,
                     struct tb_order *order) {
    int r = typed->days ? days_read(client, typed->days, order) : CLIENT_DONE;
    if (r == CLIENT_DONE && typed->hours)
        r = hours_read(client, typed->hours, order);
    if (r == CLIENT_DONE && typed->from)
        r = day_read(client, typed->from, &order->from_day);
    if (r == CLIENT_DONE && typed->to)
        r = day_read(client, typed->to, &order->to_day);
    if (r == CLIENT_DONE && typed->ages)
        r = ages_read(client, typed->ages, order);
    if (r == CLIENT_DONE && typed->party)
        r = number_read(client, "party", typed->party, &order->party_max);
    if (r == CLIENT_DONE && typed->per_day)
        r = number_read(client, "per-day", typed->per_day, &order->heads_a_day);
    if (r == CLIENT_DONE && typed->per_month)
        r = number_read(client, "per-month", typed->per_month, &order->times_a_month);
    if (r == CLIENT_DONE && typed->budget)
        r = budget_read(client, typed->budget, order);
    return r;
}

/* ---- as read */

void offer_rules_copy(const struct tb_offer *offer, struct tb_order *order) {
    order->price_minutes = offer->price_minutes;
    order->weekdays = offer->weekdays;
    order->from_minute = offer->from_minute;
    order->to_minute = offer->to_minute;
    order->from_day = offer->from_day;
    order->to_day = offer->to_day;
    order->ages = offer->ages;
    order->party_max = offer->party_max;
    order->heads_a_day = offer->heads_a_day;
    order->times_a_month = offer->times_a_month;
    order->minutes_a_month = offer->minutes_a_month;
    order->withdrawn = offer->withdrawn;
}

char *offer_rules_words(const struct tb_order *order) {
    char *text = NULL;
    size_t n_text = 0;
    FILE *to = open_memstream(&text, &n_text);
    if (!to)
        return NULL;
    words_put_rules(to, order);
    if (order->withdrawn)
        fputs(", withdrawn", to);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    if (strncmp(text, ", ", 2) == 0)
        memmove(text, text + 2, strlen(text + 2) + 1);
    return text;
}

static json_t *number_json(uint64_t number) {
    return number ? json_integer((json_int_t)number) : json_null();
}

static json_t *day_json(uint32_t day) {
    char text[16];
    if (day == 0)
        return json_null();
    tb_date_format(day, text);
    return json_string(text);
}

static json_t *weekdays_json(uint32_t weekdays) {
    json_t *days = weekdays ? json_array() : json_null();
    for (size_t i = 0; weekdays && i < N_DAYS; i++)
        if (weekdays & 1u << i)
            json_array_append_new(days, json_string(day_names[i]));
    return days;
}

json_t *offer_rules_json(const struct tb_order *order) {
    bool has_hours = order->from_minute || order->to_minute;
    _cleanup_(freep) char *words = offer_rules_words(order);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "days",
        weekdays_json(order->weekdays), "from_minute",
        has_hours ? json_integer(order->from_minute) : json_null(), "to_minute",
        has_hours ? json_integer(order->to_minute ? order->to_minute : 24 * 60) : json_null(),
        "from", day_json(order->from_day), "to", day_json(order->to_day), "ages",
        order->ages < N_ELEMENTS(age_words) && order->ages ? json_string(age_words[order->ages])
                                                           : json_null(),
        "party", number_json(order->party_max), "per_day", number_json(order->heads_a_day),
        "per_month", number_json(order->times_a_month), "budget_minutes",
        number_json(order->minutes_a_month), "withdrawn", order->withdrawn, "rules",
        client_json_text(words ? words : ""));
}
