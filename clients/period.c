/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank period: fix a period's figures, list what is fixed, and show them again with what came
 * late. A restatement is two of the bank's own reports, that of the close's position and today's,
 * and every entry between that counts in the period.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "record.h"
#include "register.h"
#include "verbs.h"
#include "words.h"

#define MS_PER_DAY 86400000u
#define PATH_BYTES 400

static int close_run(struct client *client, int argc, char **argv) {
    char *words[2] = {NULL}, *why = NULL;
    const struct options_one options[] = {OPTION_TEXT("why", &why), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_period_close, argc, argv, options, 1, 2, words);
    if (r == CLIENT_DONE)
        r = client_date(client, words[0], &order.to_day);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_CLOSE_PERIOD;
    order.why = words[1] ? words[1] : why;
    return client_record(client, &order);
}

const struct verb verb_period_close = {
    .name = "period close",
    .summary = "fix the figures up to a day",
    .help =
        "timebank period close 2025-03-31 \"the year's report went to the council\"\n"
        "\n"
        "Closes everything up to that day, for ever. An entry of a date of service in it is "
        "then taken\n"
        "only with --late and --why, and period restate tells it apart. Reversals and imported\n"
        "history still pass, as late ones.\n",
    .run = close_run,
};

/* ---- list */

static int period_keep(void *user, const struct tb_register_row *row) {
    char to[16], closed[16];
    tb_date_format(row->to_day, to);
    tb_date_format((uint32_t)(row->due_ms / MS_PER_DAY), closed);
    return json_array_append_new(user,
                                 json_pack("{s:s, s:s, s:I, s:b}", "to", to, "closed", closed,
                                           "entry", (json_int_t)row->entry, "last", row->flag));
}

static void period_tell(const json_t *row) {
    client_line(stdout, "up to %s  closed on %s, entry %" JSON_INTEGER_FORMAT,
                json_string_value(json_object_get(row, "to")),
                json_string_value(json_object_get(row, "closed")),
                json_integer_value(json_object_get(row, "entry")));
}

static int list_run(struct client *client, int argc, char **argv) {
    static const struct register_listing listing = {
        .table = TB_REGISTER_PERIODS, .keep = period_keep, .tell = period_tell};
    return register_run(client, &verb_period_list, &listing, argc, argv);
}

const struct verb verb_period_list = {
    .name = "period list",
    .summary = "the periods that are closed",
    .help = "timebank period list\n"
            "\n"
            "Every period that was closed, by its last day, with the entry that closed it.\n",
    .run = list_run,
};

/* ---- restate */

struct restatement {
    uint32_t from_day;
    uint32_t to_day;
    uint64_t closed_entry; /* 0: no period holds to_day */
    uint32_t closed_day;
    json_t *closed; /* the report at the close */
    json_t *now;
    json_t *differences;
    json_t *late;
};

static void restatement_fini(struct restatement *restatement) {
    json_decref(restatement->closed);
    json_decref(restatement->now);
    json_decref(restatement->differences);
    json_decref(restatement->late);
}

/* The first of them that holds the last day; they come in ascending order. */
static int find_close(void *user, const struct tb_register_row *row) {
    struct restatement *restatement = user;
    if (restatement->closed_entry == 0 && row->to_day >= restatement->to_day) {
        restatement->closed_entry = row->entry;
        restatement->closed_day = (uint32_t)(row->due_ms / MS_PER_DAY);
    }
    return 0;
}

static int report_read(struct client *client, const struct tb_report_ask *ask, json_t **ret) {
    _cleanup_(freep) char *text = NULL;
    int r = tb_report_get(client->bank, ask, &text);
    if (r == 0)
        *ret = json_loads(text, 0, NULL);
    return r;
}

/* Of the records up to the close; where that was in the middle of a batch, of those before it. */
static int closed_report_read(struct client *client, const struct restatement *restatement,
                              json_t **ret) {
    struct tb_report_ask ask = {.from_day = restatement->from_day,
                                .to_day = restatement->to_day,
                                .at_size = restatement->closed_entry + 1};
    struct tb_entry entry;
    int r = report_read(client, &ask, ret);
    if (r != TB_NO_SUCH_POSITION)
        return r;
    r = tb_entry_get(client->bank, restatement->closed_entry, &entry);
    ask.at_size = entry.seal;
    return r == 0 ? report_read(client, &ask, ret) : r;
}

/* Each figure that differs, under its path of keys; one that one report does not have is 0. */
static void differences_find(json_t *differences, const char *path, const json_t *closed,
                             const json_t *now) {
    char below[PATH_BYTES];
    const char *key;
    json_t *value;
    if (json_is_integer(closed) || json_is_integer(now)) {
        if (json_integer_value(closed) != json_integer_value(now))
            json_array_append_new(differences, json_pack("{s:s, s:I, s:I}", "figure", path,
                                                         "closed", json_integer_value(closed),
                                                         "now", json_integer_value(now)));
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)now, key, value) {
        snprintf(below, sizeof(below), "%s%s%s", path, *path ? "|" : "", key);
        differences_find(differences, below, json_object_get(closed, key), value);
    }
    json_object_foreach((json_t *)(uintptr_t)closed, key, value) {
        snprintf(below, sizeof(below), "%s%s%s", path, *path ? "|" : "", key);
        if (!json_object_get(now, key))
            differences_find(differences, below, value, NULL);
    }
}

static int late_keep(void *user, const struct tb_register_row *row) {
    struct restatement *restatement = user;
    char day[16], entered[16];
    if (row->other_entry <= restatement->closed_entry)
        return 0; /* late for an earlier period, but in this one's figures */
    tb_date_format(row->from_day, day);
    tb_date_format((uint32_t)(row->due_ms / MS_PER_DAY), entered);
    return json_array_append_new(
        restatement->late, json_pack("{s:I, s:I, s:s, s:s, s:s}", "entry", (json_int_t)row->entry,
                                     "record", (json_int_t)row->other_entry, "kind", row->name,
                                     "service_date", day, "entry_date", entered));
}

/* What each late entry says; a reversal says what it took back. */
static int late_describe(struct client *client, json_t *row) {
    struct tb_entry entry;
    int r = tb_entry_get(client->bank, (uint64_t)json_integer_value(json_object_get(row, "entry")),
                         &entry);
    _cleanup_(freep) char *words = r == 0 ? words_of_order(&entry.order) : NULL;
    char text[PATH_BYTES], taken[32] = "all of it";
    if (r == 0 && entry.order.kind == TB_REVERSE) {
        if (entry.order.minutes)
            tb_time_format((int64_t)entry.order.minutes, taken);
        r = tb_entry_by_id(client->bank, entry.order.target, &entry);
        snprintf(text, sizeof(text), "taken back of entry %" PRIu64 ": %s", entry.number, taken);
    } else {
        snprintf(text, sizeof(text), "%s", words ? words : "");
    }
    json_object_set_new(row, "words", client_json_text(text));
    return r;
}

static int restatement_read(struct client *client, struct restatement *restatement) {
    const struct tb_register_ask ask = {.from_day = restatement->from_day,
                                        .to_day = restatement->to_day};
    const struct tb_report_ask now = {.from_day = restatement->from_day,
                                      .to_day = restatement->to_day};
    size_t i;
    json_t *row;
    int r = closed_report_read(client, restatement, &restatement->closed);
    if (r == 0)
        r = report_read(client, &now, &restatement->now);
    if (r == 0)
        r = tb_register_list(client->bank, TB_REGISTER_PERIODS, &ask, late_keep, restatement);
    json_array_foreach(restatement->late, i, row) if (r == 0) r = late_describe(client, row);
    if (r == 0)
        differences_find(restatement->differences, "",
                         json_object_get(restatement->closed, "measures"),
                         json_object_get(restatement->now, "measures"));
    return r;
}

static void figure_format(const char *figure, json_int_t value, char ret[32]) {
    if (strstr(figure, "minutes") || strstr(figure, "outstanding"))
        tb_time_format(value, ret);
    else
        snprintf(ret, 32, "%" JSON_INTEGER_FORMAT, value);
}

static void difference_tell(const json_t *row) {
    const char *figure = json_string_value(json_object_get(row, "figure"));
    char name[PATH_BYTES], closed[32], now[32];
    snprintf(name, sizeof(name), "%s", figure);
    for (char *at = name; *at; at++)
        *at = *at == '_' || *at == '|' ? ' ' : *at;
    figure_format(figure, json_integer_value(json_object_get(row, "closed")), closed);
    figure_format(figure, json_integer_value(json_object_get(row, "now")), now);
    client_line(stdout, "  %-56s %14s %14s", name, closed, now);
}

static void late_tell(const json_t *row) {
    client_line(stdout, "  %s  entered %s  entry %" JSON_INTEGER_FORMAT ": %s",
                json_string_value(json_object_get(row, "service_date")),
                json_string_value(json_object_get(row, "entry_date")),
                json_integer_value(json_object_get(row, "entry")),
                json_string_value(json_object_get(row, "words")));
}

static json_int_t closed_size(const struct restatement *restatement) {
    const json_t *position = json_object_get(restatement->closed, "position");
    return json_integer_value(json_object_get(position, "size"));
}

static void restatement_tell(struct client *client, const struct restatement *restatement) {
    char from[16], to[16], closed[16];
    size_t i;
    json_t *row;
    tb_date_format(restatement->from_day, from);
    tb_date_format(restatement->to_day, to);
    tb_date_format(restatement->closed_day, closed);
    client_line(stdout, "%s: %s to %s, closed on %s by entry %" PRIu64,
                tb_bank_origin(client->bank), from, to, closed, restatement->closed_entry);
    client_line(
        stdout,
        "The report as it was: timebank report --from %s --to %s --at %" JSON_INTEGER_FORMAT, from,
        to, closed_size(restatement));
    if (json_array_size(restatement->differences) == 0)
        client_line(stdout, "The figures are as they were closed.");
    else
        client_line(stdout, "  %-56s %14s %14s", "", "as closed", "now");
    json_array_foreach(restatement->differences, i, row) difference_tell(row);
    client_line(stdout, "Came late: %zu", json_array_size(restatement->late));
    json_array_foreach(restatement->late, i, row) late_tell(row);
}

static void restatement_tell_json(struct client *client, const struct restatement *restatement) {
    char from[16], to[16], closed[16];
    tb_date_format(restatement->from_day, from);
    tb_date_format(restatement->to_day, to);
    tb_date_format(restatement->closed_day, closed);
    client_print_json(json_pack(
        "{s:s, s:s, s:s, s:I, s:O, s:O, s:O, s:O, s:o}", "from", from, "to", to, "closed", closed,
        "entry", (json_int_t)restatement->closed_entry, "as_closed", restatement->closed, "now",
        restatement->now, "differences", restatement->differences, "late", restatement->late,
        "position", client_position(client)));
}

static int restate(struct client *client, struct restatement *restatement) {
    char to[16];
    int r = tb_register_list(client->bank, TB_REGISTER_PERIODS, NULL, find_close, restatement);
    if (r == 0 && restatement->closed_entry == 0) {
        tb_date_format(restatement->to_day, to);
        return client_refuse(client, TB_BAD_PERIOD,
                             "No closed period holds %s: see timebank period list, or ask for a "
                             "report.",
                             to);
    }
    if (r == 0)
        r = restatement_read(client, restatement);
    if (r != 0)
        return client_outcome(client, r);
    if (client->json)
        restatement_tell_json(client, restatement);
    else
        restatement_tell(client, restatement);
    return CLIENT_DONE;
}

static int restate_run(struct client *client, int argc, char **argv) {
    char *from = NULL, *to = NULL;
    const struct options_one options[] = {OPTION_TEXT("from", &from), OPTION_TEXT("to", &to),
                                          OPTION_END};
    struct restatement restatement = {0};
    int r = options_read(&verb_period_restate, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE && (!from || !to))
        r = client_usage(&verb_period_restate, "A restatement needs --from and --to.");
    if (r == CLIENT_DONE)
        r = client_date(client, from, &restatement.from_day);
    if (r == CLIENT_DONE)
        r = client_date(client, to, &restatement.to_day);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    restatement.differences = json_array();
    restatement.late = json_array();
    r = restate(client, &restatement);
    restatement_fini(&restatement);
    return r;
}

const struct verb verb_period_restate = {
    .name = "period restate",
    .summary = "a closed period's figures, then and now",
    .help = "timebank period restate --from 2024-04-01 --to 2025-03-31\n"
            "\n"
            "Shows each figure of the report that is not what it was when the period was closed, "
            "and every\n"
            "entry that came late.\n"
            "\n"
            "  --from DATE --to DATE  the period, both days included\n",
    .run = restate_run,
};
