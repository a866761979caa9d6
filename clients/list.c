/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank list: the broker's lists of whom to speak to: members nobody has seen for long, and
 * members deep below zero (entries that nobody confirmed are unconfirmed.c). Each line is a code,
 * the balance, the last date of service and what to say. A balance of zero is no sign of anything:
 * only dates are.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "balance.h"
#include "options.h"
#include "verbs.h"

#define QUIET_DAYS 90u
#define SAY_BYTES 200

struct listing {
    json_t *rows;
    const char *list;
    uint32_t today;
    uint32_t n_days;
    bool has_below;
    int64_t below_minutes;
};

/* The day that a member was last seen on: the last service, else the joining; 0 where neither is
 * known. */
static uint32_t day_seen(const struct tb_balance *balance) {
    return balance->last_day ? balance->last_day : balance->joined_day;
}

static json_t *day_json(uint32_t day) {
    char text[16];
    if (day == 0)
        return json_null();
    tb_date_format(day, text);
    return json_string(text);
}

static int row_add(const struct listing *listing, const struct tb_balance *balance,
                   const char *say) {
    uint32_t seen = day_seen(balance);
    bool is_past = seen && seen <= listing->today;
    json_t *row = balance_json(balance);
    json_t *more = json_pack(
        "{s:s, s:o, s:o, s:o, s:s}", "list", listing->list, "last_date",
        day_json(balance->last_day), "joined", day_json(balance->joined_day), "days",
        is_past ? json_integer((json_int_t)(listing->today - seen)) : json_null(), "say", say);
    json_object_update(row, more);
    json_decref(more);
    return json_array_append_new(listing->rows, row);
}

static void row_tell(const json_t *row) {
    const char *last = json_string_value(json_object_get(row, "last_date"));
    char minutes[32];
    tb_time_format(json_integer_value(json_object_get(row, "minutes")), minutes);
    client_line(stdout, "%-12s %12s  %-10s  %s", json_string_value(json_object_get(row, "code")),
                minutes, last ? last : "never", json_string_value(json_object_get(row, "say")));
}

static int rows_fetch(struct client *client, struct listing *listing,
                      int (*keep)(void *user, const struct tb_balance *balance), const char *none) {
    int r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    listing->today = tb_today();
    listing->rows = json_array();
    r = tb_account_list(client->bank, keep, listing);
    if (r == 0 && !client->json && json_array_size(listing->rows) == 0)
        client_line(stdout, "%s", none);
    return client_list_outcome(client, r, listing->rows, row_tell);
}

/* ---- quiet */

static void quiet_say(const struct tb_balance *balance, char ret[SAY_BYTES]) {
    char time[32], since[32] = "a day that is not known";
    if (day_seen(balance))
        tb_date_format_words(day_seen(balance), since);
    tb_time_format(llabs(balance->minutes), time);
    if (balance->last_day == 0)
        snprintf(ret, SAY_BYTES,
                 "joined on %s, and has no entry yet: offer to arrange a first exchange", since);
    else if (balance->minutes > 0)
        snprintf(ret, SAY_BYTES, "no entry since %s: ask how they are, and what the %s could do",
                 since, time);
    else if (balance->minutes < 0)
        snprintf(ret, SAY_BYTES,
                 "no entry since %s: ask how they are, and what they would like to give", since);
    else
        snprintf(ret, SAY_BYTES, "no entry since %s: ask how they are, and what would help", since);
}

static int quiet_keep(void *user, const struct tb_balance *balance) {
    const struct listing *listing = user;
    char say[SAY_BYTES];
    if (balance->kind != TB_ACCOUNT_MEMBER || balance->standing != TB_STANDING_OPEN)
        return 0;
    if ((uint64_t)day_seen(balance) + listing->n_days > listing->today)
        return 0;
    quiet_say(balance, say);
    return row_add(listing, balance, say);
}

static int days_read(struct client *client, const char *text, uint32_t *ret_days) {
    size_t n = strlen(text);
    if (n == 0 || n > 5 || strspn(text, "0123456789") != n || strtoul(text, NULL, 10) == 0)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is no number of days: write for example --days 60.", text);
    *ret_days = (uint32_t)strtoul(text, NULL, 10);
    return CLIENT_DONE;
}

static int quiet_run(struct client *client, int argc, char **argv) {
    char *days = NULL, none[SAY_BYTES];
    const struct options_one options[] = {OPTION_TEXT("days", &days), OPTION_END};
    struct listing listing = {.list = "quiet", .n_days = QUIET_DAYS};
    int r = options_read(&verb_list_quiet, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE && days)
        r = days_read(client, days, &listing.n_days);
    if (r != CLIENT_DONE)
        return r;
    snprintf(none, sizeof(none),
             "Nobody is quiet: every open member has an entry of the last "
             "%" PRIu32 " days, or joined in them.",
             listing.n_days);
    return rows_fetch(client, &listing, quiet_keep, none);
}

const struct verb verb_list_quiet = {
    .name = "list quiet",
    .summary = "members without an entry for long",
    .help =
        "timebank list quiet --days 60\n"
        "\n"
        "Open members whose last date of service is so many days ago, or who joined so long ago "
        "and\n"
        "have none; with the balance and what to say to them.\n"
        "\n"
        "  --days N   90\n",
    .run = quiet_run,
};

/* ---- deep */

static void deep_say(const struct tb_balance *balance, char ret[SAY_BYTES]) {
    char floor[32], room[32];
    int64_t room_minutes = balance->minutes - balance->floor_minutes;
    tb_time_format(balance->floor_minutes, floor);
    tb_time_format(llabs(room_minutes), room);
    if (!balance->has_floor)
        snprintf(ret, SAY_BYTES, "has no limit: ask what they would like to give");
    else if (room_minutes > 0)
        snprintf(ret, SAY_BYTES, "%s above the limit of %s: ask what they would like to give", room,
                 floor);
    else if (room_minutes == 0)
        snprintf(ret, SAY_BYTES,
                 "at the limit of %s and can receive no more: arrange something they can give",
                 floor);
    else
        snprintf(ret, SAY_BYTES,
                 "%s below the limit of %s and can receive no more: arrange something they can "
                 "give, or set a limit of their own",
                 room, floor);
}

static int deep_keep(void *user, const struct tb_balance *balance) {
    const struct listing *listing = user;
    char say[SAY_BYTES];
    if (balance->kind != TB_ACCOUNT_MEMBER || balance->standing == TB_STANDING_CLOSED)
        return 0;
    if (listing->has_below ? balance->minutes >= listing->below_minutes
                           : !balance->has_floor || 2 * balance->minutes >= balance->floor_minutes)
        return 0;
    deep_say(balance, say);
    return row_add(listing, balance, say);
}

static int deep_run(struct client *client, int argc, char **argv) {
    char *below = NULL;
    const struct options_one options[] = {OPTION_TEXT("below", &below), OPTION_END};
    struct listing listing = {.list = "deep", .has_below = false};
    int r = options_read(&verb_list_deep, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE && below) {
        r = balance_parse(client, below, &listing.below_minutes);
        listing.has_below = true;
    }
    if (r != CLIENT_DONE)
        return r;
    return rows_fetch(client, &listing, deep_keep,
                      below ? "Nobody is below that."
                            : "Nobody is deep: no member is below half of their limit.");
}

const struct verb verb_list_deep = {
    .name = "list deep",
    .summary = "members far below zero",
    .help = "timebank list deep --below -10h\n"
            "\n"
            "Members whose balance is below half of their lowest, so that they can soon receive no "
            "more;\n"
            "with the last date of service and what to say to them.\n"
            "\n"
            "  --below TIME   below this balance instead\n",
    .run = deep_run,
};
