/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank venue return: a venue's statement of a month, as one command. The bank holds it against
 * its own figures, line by line; with --retire what was taken goes out of circulation in the same
 * batch.
 */
#include "venue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "record.h"
#include "verbs.h"
#include "words.h"

struct typed {
    char *venue;
    char *path;
    char *month;
    char *why;
    bool retire;
    bool dry_run;
};

struct month {
    uint32_t from_day;
    uint32_t to_day;
};

/* ---- lines */

int venue_return_add(struct venue_return *lines, const char *offer, uint64_t heads,
                     uint64_t minutes, bool new_line) {
    size_t i = 0;
    while (i < lines->n && (new_line || strcmp(lines->offers[i], offer) != 0))
        i++;
    if (i == VENUE_LINES_MAX)
        return -E2BIG;
    if (i == lines->n) {
        lines->offers[i] = strdup(offer);
        if (!lines->offers[i])
            return -ENOMEM;
        lines->n++;
    }
    lines->heads[i] += heads;
    lines->minutes[i] += minutes;
    return 0;
}

void venue_return_fini(struct venue_return *lines) {
    while (lines->n > 0)
        free(lines->offers[--lines->n]);
}

static uint64_t minutes_of(const struct venue_return *lines) {
    uint64_t minutes = 0;
    for (size_t i = 0; i < lines->n; i++)
        minutes += lines->minutes[i];
    return minutes;
}

static int sum_take(void *user, const struct tb_register_row *row) {
    return venue_return_add(user, row->name, row->count, (uint64_t)row->minutes, false);
}

static int ledger_read(struct venue_return *lines, const char *venue, const struct month *month) {
    struct tb_register_ask ask = {
        .code = venue, .from_day = month->from_day, .to_day = month->to_day};
    return tb_register_list(lines->client->bank, TB_REGISTER_OFFER_SUMS, &ask, sum_take, lines);
}

/* ---- the month */

static int month_read(struct client *client, const char *text, struct month *ret) {
    char first[24], next[24];
    unsigned year, month;
    int n = 0;
    if (sscanf(text, "%4u-%2u%n", &year, &month, &n) != 2 || text[n] || month < 1 || month > 12 ||
        n != 7)
        return client_refuse(client, TB_BAD_DATE, "\"%s\" is no month: write it as 2025-03.", text);
    snprintf(first, sizeof(first), "%04u-%02u-01", year, month);
    snprintf(next, sizeof(next), "%04u-%02u-01", month == 12 ? year + 1 : year,
             month == 12 ? 1 : month + 1);
    int r = client_date(client, first, &ret->from_day);
    if (r == CLIENT_DONE)
        r = client_date(client, next, &ret->to_day);
    ret->to_day--;
    return r;
}

/* ---- telling */

static json_t *lines_json(const struct venue_return *lines) {
    json_t *rows = json_array();
    for (size_t i = 0; i < lines->n; i++)
        json_array_append_new(
            rows, json_pack("{s:o, s:I, s:I}", "offer", client_json_text(lines->offers[i]), "heads",
                            (json_int_t)lines->heads[i], "minutes", (json_int_t)lines->minutes[i]));
    return rows;
}

static void lines_tell(const struct venue_return *lines, const char *venue, const char *month,
                       const char *whose) {
    uint64_t heads = 0;
    char time[32];
    client_line(stdout, "%s, %s, by %s:", venue, month, whose);
    for (size_t i = 0; i < lines->n; i++) {
        tb_time_format((int64_t)lines->minutes[i], time);
        client_line(stdout, "  %-30s %8" PRIu64 " head%s %12s",
                    *lines->offers[i] ? lines->offers[i] : "vouchers for no offer", lines->heads[i],
                    lines->heads[i] == 1 ? " " : "s", time);
        heads += lines->heads[i];
    }
    tb_time_format((int64_t)minutes_of(lines), time);
    client_line(stdout, "  %-30s %8" PRIu64 " head%s %12s", "in all", heads, heads == 1 ? " " : "s",
                time);
}

/* Balances are those after the last order. */
static void return_tell(struct client *client, const struct tb_answer *answer,
                        const struct typed *typed, const struct venue_return *lines,
                        const struct tb_order *order, const struct tb_order *retire) {
    _cleanup_(freep) char *words = words_of_order(order);
    _cleanup_(freep) char *retired = words_of_dated_order(retire);
    struct record_told told = {.kind = TB_VENUE_RETURN, .words = words ? words : ""};
    int64_t minutes;
    told.more = json_pack("{s:s, s:s, s:o}", "venue", order->from, "month", typed->month, "lines",
                          lines_json(lines));
    if (retire->minutes > 0) {
        json_object_set_new(told.more, "retired_minutes",
                            json_integer((json_int_t)retire->minutes));
        json_object_set_new(told.more, "retired_entry",
                            json_integer((json_int_t)tb_answer_entry(answer, 1)));
        if (tb_answer_from_after(answer, 1, &minutes) == 1)
            record_balance_add(&told, order->from, minutes);
        if (!client->json)
            client_line(stdout, "%s; entry %" PRIu64, retired ? retired : "",
                        tb_answer_entry(answer, 1));
    }
    record_tell(client, answer, &told);
}

/* ---- recording */

static int batch_make(struct client *client, const struct tb_order *order,
                      const struct tb_order *retire, struct tb_batch **ret_batch) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    size_t place;
    int r = tb_batch_new(client->bank, &batch);
    if (r == 0)
        r = tb_batch_add(batch, order, &place);
    if (r == 0 && retire->minutes > 0)
        r = tb_batch_add(batch, retire, &place);
    if (r == 0)
        *ret_batch = TAKE(batch);
    return client_outcome(client, r);
}

static int return_record(struct client *client, const struct typed *typed,
                         const struct venue_return *given, const struct venue_return *ledger,
                         const struct month *month) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    struct tb_order order = TB_ORDER_INIT, retire = TB_ORDER_INIT;
    order.kind = TB_VENUE_RETURN;
    order.from = typed->venue;
    order.from_day = month->from_day;
    order.to_day = month->to_day;
    order.n_lines = given->n;
    order.line_offers = (const char *const *)given->offers;
    order.line_heads = given->heads;
    order.line_minutes = given->minutes;
    order.why = typed->why;
    if (typed->why)
        order.override |= TB_OVERRIDE_RULES;
    retire.kind = TB_RETIRE;
    retire.from = typed->venue;
    retire.service_day = tb_today();
    retire.minutes = typed->retire ? minutes_of(ledger) : 0;
    int r = batch_make(client, &order, &retire, &batch);
    if (r == CLIENT_DONE)
        r = record_submit(client, batch, &answer);
    if (r == CLIENT_DONE)
        return_tell(client, answer, typed, given, &order, &retire);
    return r;
}

static int return_make(struct client *client, const struct typed *typed) {
    _cleanup_(venue_return_fini) struct venue_return given = {.client = client};
    _cleanup_(venue_return_fini) struct venue_return ledger = {.client = client};
    struct month month;
    int r = month_read(client, typed->month, &month);
    if (r == CLIENT_DONE && typed->path)
        r = venue_return_file(&given, typed->path);
    if (r == CLIENT_DONE)
        r = client_outcome(client, ledger_read(&ledger, typed->venue, &month));
    if (r != CLIENT_DONE)
        return r;
    if (!client->json && (!typed->path || typed->dry_run))
        lines_tell(&ledger, typed->venue, typed->month, "the ledger");
    if (client->json && typed->dry_run)
        client_print_json(json_pack("{s:s, s:s, s:o, s:o}", "venue", typed->venue, "month",
                                    typed->month, "lines", lines_json(&ledger), "position",
                                    client_position(client)));
    if (typed->dry_run)
        return CLIENT_DONE;
    return return_record(client, typed, typed->path ? &given : &ledger, &ledger, &month);
}

static int return_run(struct client *client, int argc, char **argv) {
    struct typed typed = {0};
    char *words[2];
    const struct options_one options[] = {
        OPTION_TEXT("month", &typed.month), OPTION_TEXT("why", &typed.why),
        OPTION_FLAG("retire", &typed.retire), OPTION_FLAG("dry-run", &typed.dry_run), OPTION_END};
    int r = options_read(&verb_venue_return, argc, argv, options, 1, 2, words);
    if (r == CLIENT_DONE && !typed.month)
        r = client_usage(&verb_venue_return, "The month is missing: say --month 2025-03.");
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    typed.venue = words[0];
    typed.path = words[1];
    client_code(typed.venue);
    return return_make(client, &typed);
}

const struct verb verb_venue_return = {
    .name = "venue return",
    .summary = "a venue's statement of a month, against the ledger's",
    .help = "timebank venue return leisure-centre --month 2025-03 march.csv\n"
            "\n"
            "Records the venue's own figures of the month, by offer, if the ledger has the same; "
            "else every\n"
            "line that differs is named with both. The file has the columns offer, heads and time. "
            "Without\n"
            "a file the ledger's figures are taken, and printed to be checked.\n"
            "\n"
            "  --dry-run         only print the ledger's figures\n"
            "  --retire          take what the venue accepted in the month out of circulation "
            "(brokers)\n"
            "  --why TEXT        record it although it differs (brokers)\n",
    .run = return_run,
};
