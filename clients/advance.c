/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank advance and pledge: credits before they are earned, and the promise to earn them; and
 * the list of what was promised.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "entries.h"
#include "entry.h"
#include "options.h"
#include "verbs.h"
#include "words.h"

#define ADVANCE_HELP                                                                               \
    "  --to CODE         the member\n"                                                             \
    "  --time TIME       2h30, 2:30, 2.5, 150m or 45 min\n" ENTRIES_ON_HELP                        \
    "  --why TEXT        a note, kept beside the ledger\n"                                         \
    "  --over-limit      insist although a limit is passed (needs --why)\n" ENTRIES_LATE_HELP      \
        ENTRIES_PROPOSE_HELP

/* The order of what was typed; exit status. */
static int advance_read(struct client *client, const struct verb *verb, struct entries_typed *typed,
                        struct tb_order *order) {
    int r = CLIENT_DONE;
    if (!typed->time)
        r = client_usage(verb, "The time is missing: say how much with --time.");
    if (r == CLIENT_DONE)
        r = entries_side(client, verb, "to", typed->to, 0, &order->to);
    return r == CLIENT_DONE ? entries_read(client, verb, typed, order) : r;
}

static int advance_run(struct client *client, int argc, char **argv) {
    struct entries_typed typed = {0};
    const struct options_one options[] = {OPTION_TEXT("to", &typed.to), ENTRIES_OPTIONS(typed),
                                          ENTRIES_PROPOSE(typed), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_ADVANCE;
    int r = options_read(&verb_advance, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = advance_read(client, &verb_advance, &typed, &order);
    return r == CLIENT_DONE ? client_record(client, &order) : r;
}

const struct verb verb_advance = {
    .name = "advance",
    .summary = "give a member credits before they are earned",
    .help =
        "timebank advance --to m0007 --time 2h --why \"the link worker asked\"\n"
        "\n"
        "Gives a member credits that are owed. What the member then earns repays them first, as "
        "the\n"
        "policy advance-repay says. To set a day for it, see timebank pledge.\n"
        "\n" ADVANCE_HELP,
    .run = advance_run,
};

static int pledge_run(struct client *client, int argc, char **argv) {
    struct entries_typed typed = {0};
    char *until = NULL;
    const struct options_one options[] = {OPTION_TEXT("to", &typed.to),
                                          OPTION_TEXT("until", &until), ENTRIES_OPTIONS(typed),
                                          ENTRIES_PROPOSE(typed), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_PLEDGE;
    int r = options_read(&verb_pledge, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE && !until)
        r = client_usage(&verb_pledge,
                         "The day is missing: say with --until by when it is earned.");
    if (r == CLIENT_DONE)
        r = client_date(client, until, &order.due_day);
    if (r == CLIENT_DONE)
        r = advance_read(client, &verb_pledge, &typed, &order);
    return r == CLIENT_DONE ? client_record(client, &order) : r;
}

const struct verb verb_pledge = {
    .name = "pledge",
    .summary = "the same, with a promise to earn them by a day",
    .help =
        "timebank pledge --to m0007 --time 2h --until 2025-06-30\n"
        "\n"
        "Gives a member credits that they promise to earn. What is still owed when the day ends "
        "is\n"
        "listed as overdue (timebank list pledges); nothing moves by itself.\n"
        "\n"
        "  --until DATE      the last day to earn them\n" ADVANCE_HELP,
    .run = pledge_run,
};

/* ---- the list */

static int row_keep(void *user, const struct tb_register_row *row) {
    json_t *rows = user;
    if (strcmp(row->what, "pledge") != 0)
        return 0;
    return json_array_append_new(
        rows, json_pack("{s:o, s:I, s:I, s:b, s:I}", "code", client_json_text(row->other),
                        "pledge_minutes", (json_int_t)row->minutes, "owed_minutes",
                        (json_int_t)row->count, "overdue", row->due_ms == 0, "entry",
                        (json_int_t)row->other_entry));
}

/* The day stands in the pledge itself. */
static int day_add(struct client *client, json_t *row) {
    struct tb_entry entry;
    char day[16] = "";
    uint64_t number = (uint64_t)json_integer_value(json_object_get(row, "entry"));
    int r = tb_entry_get(client->bank, number, &entry);
    if (r != 0)
        return r;
    if (entry.order.due_day)
        tb_date_format(entry.order.due_day, day);
    json_object_set_new(row, "until", json_string(day));
    json_object_set_new(row, "days",
                        json_integer((json_int_t)entry.order.due_day - (json_int_t)tb_today()));
    return 0;
}

static void row_tell(const json_t *row) {
    char owed[32], pledged[32];
    json_int_t days = json_integer_value(json_object_get(row, "days"));
    tb_time_format(json_integer_value(json_object_get(row, "pledge_minutes")), pledged);
    tb_time_format(json_integer_value(json_object_get(row, "owed_minutes")), owed);
    if (json_is_true(json_object_get(row, "overdue")))
        client_line(stdout,
                    "%-12s %12s  OVERDUE since %s, owes %s in all; entry %" JSON_INTEGER_FORMAT,
                    json_string_value(json_object_get(row, "code")), pledged,
                    json_string_value(json_object_get(row, "until")), owed,
                    json_integer_value(json_object_get(row, "entry")));
    else
        client_line(stdout,
                    "%-12s %12s  until %s (%" JSON_INTEGER_FORMAT
                    " days), owes %s in all; entry %" JSON_INTEGER_FORMAT,
                    json_string_value(json_object_get(row, "code")), pledged,
                    json_string_value(json_object_get(row, "until")), days, owed,
                    json_integer_value(json_object_get(row, "entry")));
}

static int list_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    json_t *rows, *row;
    size_t i;
    int r = options_read(&verb_list_pledges, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    rows = json_array();
    r = tb_register_list(client->bank, TB_REGISTER_PENDING, NULL, row_keep, rows);
    json_array_foreach(rows, i, row) if (r == 0) r = day_add(client, row);
    if (r == 0 && !client->json && json_array_size(rows) == 0)
        client_line(stdout, "No pledge is open.");
    return client_list_outcome(client, r, rows, row_tell);
}

const struct verb verb_list_pledges = {
    .name = "list pledges",
    .summary = "credits that members promised to earn, and by when",
    .help =
        "timebank list pledges\n"
        "\n"
        "Each pledge that is not kept yet: whose, how much, until when, and what the member owes "
        "in all.\n"
        "What is overdue stays listed until nothing is owed any more, or it is taken back.\n",
    .run = list_run,
};
