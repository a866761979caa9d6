/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank expire: credits that nobody spent in time lapse, oldest first. First it only tells: who,
 * how much, as of when. Recording wants the number of accounts that was told, so that a sweep over
 * more of them than anybody looked at cannot happen.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "record.h"
#include "verbs.h"

struct sweep {
    struct client *client;
    json_t *rows; /* {"code","minutes"} */
    uint64_t minutes;
    uint32_t as_of_day;
    char day[16];
};

static int row_keep(void *user, const struct tb_register_row *row) {
    struct sweep *sweep = user;
    sweep->as_of_day = row->to_day;
    sweep->minutes += (uint64_t)row->minutes;
    return json_array_append_new(sweep->rows, json_pack("{s:s, s:I}", "code", row->account,
                                                        "minutes", (json_int_t)row->minutes));
}

static void row_tell(const json_t *row) {
    char time[32];
    tb_time_format(json_integer_value(json_object_get(row, "minutes")), time);
    client_line(stdout, "%-12s %12s", json_string_value(json_object_get(row, "code")), time);
}

static int sweep_tell(struct sweep *sweep, const char *done) {
    char total[32];
    size_t i;
    json_t *row;
    tb_time_format((int64_t)sweep->minutes, total);
    if (sweep->client->json) {
        client_print_json(json_pack("{s:b, s:s, s:I, s:I, s:O, s:o}", "dry_run", *done == '\0',
                                    "as_of", sweep->day, "accounts",
                                    (json_int_t)json_array_size(sweep->rows), "minutes",
                                    (json_int_t)sweep->minutes, "expired", sweep->rows, "position",
                                    client_position(sweep->client)));
        return CLIENT_DONE;
    }
    json_array_foreach(sweep->rows, i, row) row_tell(row);
    client_line(stdout, "%s%s in %zu account%s%s as of %s", *done ? done : "", total,
                json_array_size(sweep->rows), json_array_size(sweep->rows) == 1 ? "" : "s",
                *done ? "" : " may expire", sweep->day);
    if (!*done)
        client_line(stdout,
                    "Nothing was recorded. To do it: timebank expire --as-of %s --accounts %zu WHY",
                    sweep->day, json_array_size(sweep->rows));
    return CLIENT_DONE;
}

static int batch_record(struct sweep *sweep, size_t begin, size_t end, const char *why) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = tb_batch_new(sweep->client->bank, &batch);
    for (size_t i = begin; r == 0 && i < end; i++) {
        const json_t *row = json_array_get(sweep->rows, i);
        struct tb_order order = TB_ORDER_INIT;
        order.kind = TB_EXPIRE;
        order.from = json_string_value(json_object_get(row, "code"));
        order.minutes = (uint64_t)json_integer_value(json_object_get(row, "minutes"));
        order.service_day = order.as_of_day = sweep->as_of_day;
        order.why = why;
        r = tb_batch_add(batch, &order, NULL);
    }
    return r == 0 ? record_submit(sweep->client, batch, &answer)
                  : record_outcome(sweep->client, batch, r);
}

static int sweep_record(struct sweep *sweep, const char *accounts, const char *why) {
    size_t n = json_array_size(sweep->rows);
    char *end = NULL;
    if (strtoull(accounts, &end, 10) != n || *end || end == accounts)
        return client_refuse(sweep->client, TB_CONTROL_TOTAL,
                             "%zu accounts have credits to expire, not %s: look at the dry run "
                             "again and say --accounts %zu.",
                             n, accounts, n);
    if (n > TB_BATCH_ORDERS_MAX)
        return client_refuse(sweep->client, TB_EXPIRY_CAP,
                             "That is more than one batch holds: expire as of an earlier date "
                             "first.");
    if (n > 0) {
        int r = batch_record(sweep, 0, n, why);
        if (r != CLIENT_DONE)
            return r;
    }
    return sweep_tell(sweep, "Expired: ");
}

static int sweep_run(struct sweep *sweep, const struct tb_register_ask *ask, const char *accounts,
                     const char *why) {
    int r = client_open(sweep->client);
    if (r == CLIENT_DONE)
        r = client_outcome(
            sweep->client,
            tb_register_list(sweep->client->bank, TB_REGISTER_EXPIRING, ask, row_keep, sweep));
    if (r != CLIENT_DONE)
        return r;
    if (strcmp(client_policy(sweep->client, "expiry-days"), "none") == 0)
        return client_refuse(sweep->client, TB_NOTHING_TO_EXPIRE,
                             "Credits do not expire here: a steward sets the policy expiry-days.");
    tb_date_format(sweep->as_of_day, sweep->day);
    return accounts ? sweep_record(sweep, accounts, why) : sweep_tell(sweep, "");
}

static int expire_run(struct client *client, int argc, char **argv) {
    char *as_of = NULL, *accounts = NULL, *why = NULL;
    bool dry_run = false;
    const struct options_one options[] = {
        OPTION_TEXT("as-of", &as_of),
        OPTION_TEXT("accounts", &accounts),
        OPTION_FLAG("dry-run", &dry_run),
        OPTION_END,
    };
    struct sweep sweep = {.client = client, .as_of_day = tb_today()};
    int r = options_read(&verb_expire, argc, argv, options, 0, 1, &why);
    if (r == CLIENT_DONE && dry_run == (accounts != NULL))
        r = client_usage(&verb_expire, "Say --dry-run first; then --accounts N, and why.");
    if (r == CLIENT_DONE && accounts && !why)
        r = client_usage(&verb_expire, "Say why, for those who ask where their credits went.");
    if (r == CLIENT_DONE && as_of)
        r = client_date(client, as_of, &sweep.as_of_day);
    if (r == CLIENT_DONE && sweep.as_of_day > tb_today())
        r = client_refuse(client, TB_FUTURE_DATE,
                          "Credits expire as of a day that has come: check --as-of.");
    if (r != CLIENT_DONE)
        return r;
    struct tb_register_ask ask = {.to_day = sweep.as_of_day};
    sweep.rows = json_array();
    r = sweep.rows ? sweep_run(&sweep, &ask, accounts, why) : client_outcome(client, -ENOMEM);
    json_decref(sweep.rows);
    return r;
}

const struct verb verb_expire = {
    .name = "expire",
    .summary = "let credits lapse that were not spent in time",
    .help = "timebank expire --as-of 2025-03-31 --dry-run\n"
            "timebank expire --as-of 2025-03-31 --accounts 12 \"as announced in January\"\n"
            "\n"
            "What members gained longer ago than the policy expiry-days and have not spent, the "
            "oldest\n"
            "first. The dry run is the list of whom to tell. Each account becomes one entry, which "
            "can be\n"
            "reversed.\n"
            "\n"
            "  --as-of DATE     today, if not said\n"
            "  --dry-run        only tell\n"
            "  --accounts N     how many accounts the dry run told\n",
    .run = expire_run,
};
