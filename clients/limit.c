/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank account limit, limits: how far one account may go, and all that was ever said of it. A
 * new limit replaces the whole of the last: what is left out follows the policies again.
 */
#include <inttypes.h>
#include <string.h>

#include "balance.h"
#include "base/cleanup.h"
#include "options.h"
#include "verbs.h"

#define SPANS_MAX 8

struct limit {
    char *floor;
    char *ceiling;
    char *soft_floor;
    char *soft_ceiling;
    struct options_list spend;   /* day=4h */
    struct options_list entries; /* week=3 */
    bool by_policy;
    int64_t bounds[4];
    uint32_t spans[SPANS_MAX];
    uint64_t most[SPANS_MAX];
    size_t n_spans;
};

static int bound_read(struct client *client, const char *text, int64_t none, int64_t *place,
                      const int64_t **ret) {
    int r = CLIENT_DONE;
    if (!text)
        return CLIENT_DONE;
    if (strcmp(text, "none") == 0)
        *place = none;
    else
        r = balance_parse(client, text, place);
    *ret = place;
    return r;
}

static int bounds_read(struct client *client, struct limit *limit, struct tb_order *order) {
    int r = bound_read(client, limit->floor, -INT64_MAX, &limit->bounds[0], &order->floor_minutes);
    if (r == CLIENT_DONE)
        r = bound_read(client, limit->ceiling, INT64_MAX, &limit->bounds[1],
                       &order->ceiling_minutes);
    if (r == CLIENT_DONE)
        r = bound_read(client, limit->soft_floor, -INT64_MAX, &limit->bounds[2],
                       &order->soft_floor_minutes);
    if (r == CLIENT_DONE)
        r = bound_read(client, limit->soft_ceiling, INT64_MAX, &limit->bounds[3],
                       &order->soft_ceiling_minutes);
    return r;
}

/* "day" of "day=4h"; what is after the sign in *ret_most. 0: no span. */
static uint32_t span_read(const char *text, const char **ret_most) {
    static const char *const names[] = {
        [TB_SPAN_DAY] = "day=",
        [TB_SPAN_WEEK] = "week=",
        [TB_SPAN_MONTH] = "month=",
        [TB_SPAN_YEAR] = "year=",
    };
    for (uint32_t span = TB_SPAN_DAY; span < N_ELEMENTS(names); span++)
        if (strncmp(text, names[span], strlen(names[span])) == 0) {
            *ret_most = text + strlen(names[span]);
            return span;
        }
    return 0;
}

static int most_read(struct client *client, const char *text, bool is_time, uint64_t *ret) {
    char why[256], *end = NULL;
    if (strcmp(text, "none") == 0) {
        *ret = TB_SPAN_NO_LIMIT;
        return CLIENT_DONE;
    }
    if (is_time) {
        int r = tb_time_parse(text, ret, why, sizeof(why));
        return r == 0 ? CLIENT_DONE : client_outcome_why(client, r, why);
    }
    unsigned long long n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > 1000000)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is no number of entries: write --entries week=3.", text);
    *ret = n;
    return CLIENT_DONE;
}

/* In ascending order, each span once, as the bank wants them. */
static void span_add(struct limit *limit, uint32_t span, uint64_t most) {
    size_t at = limit->n_spans++;
    for (; at > 0 && limit->spans[at - 1] > span; at--) {
        limit->spans[at] = limit->spans[at - 1];
        limit->most[at] = limit->most[at - 1];
    }
    limit->spans[at] = span;
    limit->most[at] = most;
}

static int spans_read(struct client *client, struct limit *limit, const struct options_list *list,
                      bool is_time) {
    for (size_t i = 0; i < list->n; i++) {
        const char *text = list->items[i], *most_text = NULL;
        uint32_t span = span_read(text, &most_text);
        uint64_t most = 0;
        int r;
        if (span == 0)
            return client_usage(&verb_account_limit,
                                "\"%s\" names no span: write day=, week=, month= or year=.", text);
        span += is_time ? 0 : TB_SPAN_ENTRIES;
        for (size_t j = 0; j < limit->n_spans; j++)
            if (limit->spans[j] == span)
                return client_usage(&verb_account_limit, "\"%s\" names a span twice.", text);
        r = most_read(client, most_text, is_time, &most);
        if (r != CLIENT_DONE)
            return r;
        span_add(limit, span, most);
    }
    return CLIENT_DONE;
}

static bool says_something(const struct limit *limit) {
    return limit->floor || limit->ceiling || limit->soft_floor || limit->soft_ceiling ||
           limit->spend.n > 0 || limit->entries.n > 0;
}

static int limit_run(struct client *client, int argc, char **argv) {
    struct limit limit = {0};
    char *code = NULL, *why = NULL;
    const struct options_one options[] = {
        OPTION_TEXT("floor", &limit.floor),
        OPTION_TEXT("ceiling", &limit.ceiling),
        OPTION_TEXT("soft-floor", &limit.soft_floor),
        OPTION_TEXT("soft-ceiling", &limit.soft_ceiling),
        OPTION_LIST("spend", &limit.spend),
        OPTION_LIST("entries", &limit.entries),
        OPTION_FLAG("by-policy", &limit.by_policy),
        OPTION_TEXT("why", &why),
        OPTION_END,
    };
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_account_limit, argc, argv, options, 1, 1, &code);
    if (r == CLIENT_DONE && says_something(&limit) == limit.by_policy)
        r = client_usage(&verb_account_limit,
                         "Say what is limited: --floor, --ceiling, --spend...; or --by-policy.");
    if (r == CLIENT_DONE)
        r = bounds_read(client, &limit, &order);
    if (r == CLIENT_DONE)
        r = spans_read(client, &limit, &limit.spend, true);
    if (r == CLIENT_DONE)
        r = spans_read(client, &limit, &limit.entries, false);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SET_LIMIT;
    order.to = client_code(code);
    order.n_spans = limit.n_spans;
    order.spans = limit.spans;
    order.most = limit.most;
    order.why = why;
    return client_record(client, &order);
}

const struct verb verb_account_limit = {
    .name = "account limit",
    .summary = "set how far one account may go",
    .help =
        "timebank account limit m0007 --floor -30h --ceiling 40h --spend week=8h\n"
        "\n"
        "Sets the limits of one account, all of them: what is left out follows the policies for "
        "its\n"
        "kind again. account limits tells what was said before.\n"
        "\n"
        "  --floor TIME        lowest balance, at or below zero: -30h; or none\n"
        "  --ceiling TIME      highest balance, at or above zero; or none\n"
        "  --soft-floor TIME   a warning below it\n"
        "  --soft-ceiling TIME a warning above it\n"
        "  --spend SPAN=TIME   most that may be spent in a day, week, month or year: day=4h; "
        "repeated\n"
        "  --entries SPAN=N    in how many entries: week=3; repeated\n"
        "  --by-policy         nothing of its own: as the policies say\n"
        "  --why TEXT          kept beside the ledger\n",
    .run = limit_run,
};

/* ---- what was said */

static int limits_keep(void *user, const struct tb_register_row *row) {
    char day[16];
    tb_date_format(row->from_day, day);
    return json_array_append_new(user, json_pack("{s:s, s:I, s:s, s:o}", "code", row->account,
                                                 "entry", (json_int_t)row->entry, "on", day,
                                                 "limit", client_json_text(row->name)));
}

static void limits_tell(const json_t *row) {
    client_line(stdout, "%s  entry %" JSON_INTEGER_FORMAT ": %s",
                json_string_value(json_object_get(row, "on")),
                json_integer_value(json_object_get(row, "entry")),
                json_string_value(json_object_get(row, "limit")));
}

static int limits_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    struct tb_register_ask ask = {0};
    char *code = NULL;
    int r = options_read(&verb_account_limits, argc, argv, options, 1, 1, &code);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    ask.code = client_code(code);
    json_t *rows = json_array();
    r = tb_register_list(client->bank, TB_REGISTER_LIMITS, &ask, limits_keep, rows);
    if (r == 0 && json_array_size(rows) == 0 && !client->json)
        client_line(stdout, "Nothing was ever set for %s: it follows the policies.", ask.code);
    return client_list_outcome(client, r, rows, limits_tell);
}

const struct verb verb_account_limits = {
    .name = "account limits",
    .summary = "every limit that was set for an account",
    .help = "timebank account limits m0007\n"
            "\n"
            "The limits of an account since it was opened, oldest first; the last one holds. "
            "timebank entry\n"
            "show tells of each who set it and why.\n",
    .run = limits_run,
};
