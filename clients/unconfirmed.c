/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank list unconfirmed: entries of late that count although their receiver has not said that
 * they are right. Each account's own statement is read back to the first day that counts; what a
 * receiver entered, and what is taken back, is left out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "verbs.h"
#include "words.h"

#define DAYS 30u
#define DAYS_MAX 36500ul
#define DAY_MS 86400000ull

struct reading {
    json_t *rows;
    json_t *codes; /* of accounts to read */
    const char *code;
    uint64_t since_ms;
    bool is_past; /* of the account being read */
};

/* Who confirms it. */
static const char *confirmer(const struct tb_order *order) {
    switch (order->kind) {
    case TB_EXCHANGE:
    case TB_EARN:
        return words_from(order);
    case TB_GIFT:
        return words_to(order);
    default:
        return "";
    }
}

static bool is_entered_by_a_side(const struct tb_statement_line *line,
                                 const struct tb_order *order) {
    const char *author = line->author_account ? line->author_account : "";
    return *author && (strcmp(author, words_from(order)) == 0 ||
                       (order->kind == TB_GIFT && strcmp(author, words_to(order)) == 0));
}

static bool is_open(const struct reading *reading, const struct tb_statement_line *line,
                    const struct tb_order *order) {
    const char *state = line->state ? line->state : "";
    return strcmp(confirmer(order), reading->code) == 0 && order->source != TB_FROM_HISTORY &&
           line->order.kind != TB_REVERSE && line->order.kind != TB_CONFIRM &&
           (*state == '\0' || strcmp(state, "settled") == 0) &&
           line->reversed_minutes < order->minutes &&
           !(line->order.kind == order->kind && !line->event && is_entered_by_a_side(line, order));
}

static int line_keep(void *user, const struct tb_statement_line *line) {
    struct reading *reading = user;
    bool speaks_of_another = line->target_entry != 0 && !line->event;
    const struct tb_order *order = speaks_of_another ? &line->target : &line->order;
    if (line->received_at_ms < reading->since_ms) {
        reading->is_past = true;
        return 1;
    }
    if (!is_open(reading, line, order))
        return 0;
    _cleanup_(freep) char *words = words_of_dated_order(order);
    uint64_t entry = line->target_entry ? line->target_entry : line->entry;
    json_t *row = json_pack(
        "{s:I, s:s, s:o, s:o, s:I, s:o, s:o}", "entry", (json_int_t)entry, "kind",
        tb_kind_name((int)order->kind), "from", client_json_text(words_from(order)), "to",
        client_json_text(words_to(order)), "minutes", (json_int_t)order->minutes, "confirms",
        client_json_text(reading->code), "is", client_json_text(words ? words : ""));
    return json_array_append_new(reading->rows, row);
}

static int account_keep(void *user, const struct tb_balance *balance) {
    if (balance->kind != TB_ACCOUNT_MEMBER && balance->kind != TB_ACCOUNT_ORGANISATION)
        return 0;
    return json_array_append_new(user, json_string(balance->code));
}

/* The code typed, one's own, or everybody's. */
static int codes_find(struct client *client, struct reading *reading, const char *typed) {
    const char *own = client_own_account(client, TB_ROLE_MEMBER);
    if (!own)
        own = client_own_account(client, TB_ROLE_ORGANISATION);
    if (!typed && !own)
        return tb_account_list(client->bank, account_keep, reading->codes);
    return json_array_append_new(reading->codes, json_string(typed ? typed : own));
}

static int accounts_read(struct client *client, struct reading *reading) {
    size_t i;
    json_t *code;
    json_array_foreach(reading->codes, i, code) {
        reading->code = json_string_value(code);
        reading->is_past = false;
        int r = tb_statement_list(client->bank, reading->code, line_keep, reading);
        if (r != 0 && !reading->is_past)
            return r;
    }
    return 0;
}

static int compare(const void *a, const void *b) {
    const json_t *const *x = a, *const *y = b;
    json_int_t first = json_integer_value(json_object_get(*x, "entry"));
    json_int_t second = json_integer_value(json_object_get(*y, "entry"));
    return (first > second) - (first < second);
}

/* By number, whosever they are. */
static int rows_sort(json_t *rows) {
    size_t n = json_array_size(rows);
    _cleanup_(freep) json_t **sorted = calloc(n + 1, sizeof(json_t *));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sorted[i] = json_incref(json_array_get(rows, i));
    qsort(sorted, n, sizeof(json_t *), compare);
    json_array_clear(rows);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, sorted[i]);
    return 0;
}

static void row_tell(const json_t *row) {
    client_line(stdout, "%8" JSON_INTEGER_FORMAT "  %s: ask %s whether that is right",
                json_integer_value(json_object_get(row, "entry")),
                json_string_value(json_object_get(row, "is")),
                json_string_value(json_object_get(row, "confirms")));
}

static int days_read(struct client *client, const char *text, uint64_t *ret_since_ms) {
    char *end = NULL;
    unsigned long days = text ? strtoul(text, &end, 10) : DAYS;
    if (text && (*text < '0' || *text > '9' || *end || days > DAYS_MAX))
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is not a number of days: say --days 30.", text);
    uint64_t today_ms = tb_today() * DAY_MS;
    *ret_since_ms = today_ms > days * DAY_MS ? today_ms - days * DAY_MS : 0;
    return CLIENT_DONE;
}

static int unconfirmed_run(struct client *client, int argc, char **argv) {
    struct reading reading = {0};
    char *code = NULL, *days = NULL;
    const struct options_one options[] = {OPTION_TEXT("days", &days), OPTION_END};
    int r = options_read(&verb_list_unconfirmed, argc, argv, options, 0, 1, &code);
    if (r == CLIENT_DONE)
        r = days_read(client, days, &reading.since_ms);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    reading.rows = json_array();
    reading.codes = json_array();
    r = codes_find(client, &reading, client_code(code));
    if (r == 0)
        r = accounts_read(client, &reading);
    if (r == 0)
        r = rows_sort(reading.rows);
    json_decref(reading.codes);
    if (r == 0 && !client->json && json_array_size(reading.rows) == 0)
        client_line(stdout, "Everything of late is confirmed, or was entered by who received it.");
    return client_list_outcome(client, r, reading.rows, row_tell);
}

const struct verb verb_list_unconfirmed = {
    .name = "list unconfirmed",
    .summary = "entries that the other side has not confirmed",
    .help = "timebank list unconfirmed\n"
            "timebank list unconfirmed m0012 --days 7\n"
            "\n"
            "Entries of the last 30 days that count although their receiver has not confirmed "
            "them: what\n"
            "brokers entered, and claims that stood because nobody answered. A broker sees "
            "everybody's,\n"
            "others their own.\n"
            "\n"
            "  --days N   of so many days\n",
    .run = unconfirmed_run,
};
