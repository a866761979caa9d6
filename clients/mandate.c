/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank mandate: who may enter for somebody else, and from when to when. The key of who holds
 * one enters as for itself, with the other's code on the side.
 */
#include <inttypes.h>
#include <string.h>

#include "options.h"
#include "record.h"
#include "register.h"
#include "verbs.h"

static int kind_read(const struct verb *verb, const char *name, enum tb_mandate *ret) {
    int kind = name ? tb_mandate_from_name(name) : TB_MANDATE_NONE;
    if (kind < TB_MANDATE_CARER)
        return client_usage(verb, "Say what it is with --kind: carer, guardian or for-broker.");
    *ret = (enum tb_mandate)kind;
    return CLIENT_DONE;
}

static int set_run(struct client *client, int argc, char **argv) {
    char *words[2], *ward = NULL, *kind = NULL, *from = NULL, *to = NULL;
    const struct options_one options[] = {
        OPTION_TEXT("for", &ward),
        OPTION_TEXT("kind", &kind),
        OPTION_TEXT("from", &from),
        OPTION_TEXT("to", &to),
        OPTION_END,
    };
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_mandate_set, argc, argv, options, 1, 2, words);
    if (r == CLIENT_DONE && !ward)
        r = client_usage(&verb_mandate_set, "Say for whom with --for.");
    if (r == CLIENT_DONE)
        r = kind_read(&verb_mandate_set, kind, &order.mandate_kind);
    if (r == CLIENT_DONE)
        r = client_date(client, from ? from : "today", &order.from_day);
    if (r == CLIENT_DONE && to)
        r = client_date(client, to, &order.to_day);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SET_MANDATE;
    order.holder = client_code(words[0]);
    order.to = client_code(ward);
    order.why = words[1];
    return client_record(client, &order);
}

const struct verb verb_mandate_set = {
    .name = "mandate set",
    .summary = "let a member enter for another",
    .help = "timebank mandate set m0012 --for m0007 --kind guardian --from 2025-03-01 --to "
            "2026-02-28\n"
            "\n"
            "The key of m0012 then enters and reads for m0007 as for itself, from the first day to "
            "the last;\n"
            "each entry says that it came by a mandate, and whose key it was. Nobody credits "
            "themselves\n"
            "out of an account that they act for. Said again, it takes the place of the earlier "
            "one.\n"
            "\n"
            "  --for CODE    whom they act for\n"
            "  --kind KIND   carer, guardian (of somebody under 18) or for-broker\n"
            "  --from DATE   the first day; today\n"
            "  --to DATE     the last day; until it is ended\n",
    .run = set_run,
};

struct ending {
    const char *holder;
    const char *ward;
    bool found;
    enum tb_mandate kind;
    uint32_t from_day;
};

static int ending_look(void *user, const struct tb_register_row *row) {
    struct ending *ending = user;
    if (strcmp(row->other, ending->holder) != 0 || strcmp(row->account, ending->ward) != 0)
        return 0;
    ending->found = true;
    ending->from_day = row->from_day;
    ending->kind = (enum tb_mandate)tb_mandate_from_name(row->name);
    return 0;
}

/* Yesterday was its last day, even of one that began today. */
static int end_record(struct client *client, const struct ending *ending, const char *why) {
    struct tb_order order = TB_ORDER_INIT;
    uint32_t yesterday = tb_today() - 1;
    order.kind = TB_SET_MANDATE;
    order.holder = ending->holder;
    order.to = ending->ward;
    order.mandate_kind = ending->kind;
    order.from_day = ending->from_day < yesterday ? ending->from_day : yesterday;
    order.to_day = yesterday;
    order.why = why;
    return client_record(client, &order);
}

static int end_run(struct client *client, int argc, char **argv) {
    char *words[2], *ward = NULL;
    const struct options_one options[] = {OPTION_TEXT("for", &ward), OPTION_END};
    struct ending ending = {0};
    int r = options_read(&verb_mandate_end, argc, argv, options, 1, 2, words);
    if (r == CLIENT_DONE && !ward)
        r = client_usage(&verb_mandate_end, "Say for whom with --for.");
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    ending.holder = client_code(words[0]);
    ending.ward = client_code(ward);
    const struct tb_register_ask ask = {.code = ending.ward};
    r = tb_register_list(client->bank, TB_REGISTER_MANDATES, &ask, ending_look, &ending);
    if (r != 0)
        return client_outcome(client, r);
    if (!ending.found)
        return client_refuse(client, TB_MANDATE_OVER,
                             "%s holds no mandate for %s: see timebank mandate list.",
                             ending.holder, ending.ward);
    return end_record(client, &ending, words[1]);
}

const struct verb verb_mandate_end = {
    .name = "mandate end",
    .summary = "end a mandate at once",
    .help = "timebank mandate end m0012 --for m0007\n"
            "\n"
            "m0012 enters nothing more for m0007. What was entered stays.\n"
            "\n"
            "  --for CODE    whom they acted for\n",
    .run = end_run,
};

static json_t *day_json(uint32_t day) {
    char text[16];
    if (day == 0)
        return json_null();
    tb_date_format(day, text);
    return json_string(text);
}

static int row_keep(void *user, const struct tb_register_row *row) {
    return json_array_append_new(
        user,
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:I}", "holder", client_json_text(row->other),
                  "for", client_json_text(row->account), "kind", client_json_text(row->name),
                  "from", day_json(row->from_day), "to", day_json(row->to_day), "in_force",
                  row->flag != 0, "entry", (json_int_t)row->entry));
}

static void row_tell(const json_t *row) {
    const char *to = json_string_value(json_object_get(row, "to"));
    client_line(stdout, "%s acts for %s as %s, from %s%s%s%s",
                json_string_value(json_object_get(row, "holder")),
                json_string_value(json_object_get(row, "for")),
                json_string_value(json_object_get(row, "kind")),
                json_string_value(json_object_get(row, "from")), to ? " to " : "", to ? to : "",
                json_is_true(json_object_get(row, "in_force")) ? "" : ": not in force");
}

static int list_run(struct client *client, int argc, char **argv) {
    static const struct register_listing listing = {
        .table = TB_REGISTER_MANDATES, .takes_code = true, .keep = row_keep, .tell = row_tell};
    return register_run(client, &verb_mandate_list, &listing, argc, argv);
}

const struct verb verb_mandate_list = {
    .name = "mandate list",
    .summary = "who may enter for whom, and when",
    .help = "timebank mandate list m0007\n"
            "\n"
            "The mandates of one member, held by them or for them, or all; those that are over, "
            "too.\n",
    .run = list_run,
};
