/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank entry: one entry as the ledger has it, with who recorded it and when.
 */
#include "entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "entry-json.h"
#include "options.h"
#include "verbs.h"
#include "words.h"

int entry_number_read(struct client *client, const char *text, uint64_t *ret_number) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno != 0)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is not an entry number: it is the figure told when the entry "
                             "was recorded.",
                             text);
    *ret_number = number;
    return CLIENT_DONE;
}

int entry_read(struct client *client, const char *text, struct tb_entry *ret_entry) {
    uint64_t number;
    int r = entry_number_read(client, text, &number);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    return client_outcome(client, tb_entry_get(client->bank, number, ret_entry));
}

static const char *copy_string(struct entry_copy *copy, size_t i, const char *text, int *r) {
    copy->strings[i] = strdup(text ? text : "");
    if (!copy->strings[i])
        *r = -ENOMEM;
    return copy->strings[i];
}

int entry_copy_init(struct entry_copy *copy, const struct tb_order *order) {
    int r = 0;
    *copy = (struct entry_copy){.order = TB_ORDER_INIT};
    copy->order.kind = order->kind;
    copy->order.service_day = order->service_day;
    copy->order.minutes = order->minutes;
    copy->order.adults = order->adults;
    copy->order.under16 = order->under16;
    copy->order.due_day = order->due_day;
    copy->order.from = copy_string(copy, 0, order->from, &r);
    copy->order.to = copy_string(copy, 1, order->to, &r);
    copy->order.activity = copy_string(copy, 2, order->activity, &r);
    copy->order.funder = copy_string(copy, 3, order->funder, &r);
    copy->order.programme = copy_string(copy, 4, order->programme, &r);
    copy->order.reference = copy_string(copy, 5, order->reference, &r);
    copy->order.offer = copy_string(copy, 6, order->offer, &r);
    if (r != 0)
        entry_copy_fini(copy);
    return r;
}

void entry_copy_fini(struct entry_copy *copy) {
    for (size_t i = 0; i < N_ELEMENTS(copy->strings); i++)
        free(TAKE(copy->strings[i]));
}

/* On what authority it was recorded. */
static const char *authority_name(enum tb_authority authority) {
    static const char *const names[] = {"",         "self", "broker", "venue", "organisation",
                                        "guardian", "sheet"};
    return authority < N_ELEMENTS(names) ? names[authority] : "";
}

static void json_tell(struct client *client, const struct tb_entry *entry) {
    _cleanup_(freep) char *author = tb_key_line(entry->author);
    json_t *object = json_pack("{s:I, s:s}", "entry", (json_int_t)entry->number, "kind",
                               tb_kind_name((int)entry->order.kind));
    entry_json_put(object, &entry->order);
    json_object_set_new(object, "reversed_minutes",
                        json_integer((json_int_t)entry->reversed_minutes));
    json_object_set_new(object, "received_at_ms", json_integer((json_int_t)entry->received_at_ms));
    json_object_set_new(object, "seal", json_integer((json_int_t)entry->seal));
    entry_json_put_bytes(object, "leaf", entry->leaf, sizeof(entry->leaf));
    if (entry->event) {
        json_object_set_new(object, "event", json_string(tb_event_name(entry->event)));
        json_object_set_new(object, "event_ms", json_integer((json_int_t)entry->event_ms));
        json_object_set_new(object, "event_minutes",
                            json_integer((json_int_t)entry->event_minutes));
    } else if (author) {
        json_object_set_new(object, "author", client_json_text(author));
        if (entry->order.authority)
            json_object_set_new(object, "authority",
                                json_string(authority_name(entry->order.authority)));
    }
    if (*entry->state)
        json_object_set_new(object, "state", client_json_text(entry->state));
    json_object_set_new(object, "position", client_position(client));
    client_print_json(object);
}

static void instant_format(uint64_t ms, char ret[40]) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) || strftime(ret, 40, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        strcpy(ret, "?");
}

static void words_tell(const struct tb_entry *entry) {
    const struct tb_order *order = &entry->order;
    _cleanup_(freep) char *words = words_of_dated_order(order);
    _cleanup_(freep) char *author = tb_key_line(entry->author);
    char instant[40], reversed[32];
    instant_format(entry->received_at_ms, instant);
    client_line(stdout, "%s%s%s; entry %" PRIu64, entry->event ? tb_event_name(entry->event) : "",
                entry->event ? ": " : "", words ? words : "", entry->number);
    client_line(stdout, "  kind %s", tb_kind_name((int)order->kind));
    if (order->activity && *order->activity)
        client_line(stdout, "  activity %s", order->activity);
    if (order->sheet && *order->sheet)
        client_line(stdout, "  sheet %s, line %" PRIu32, order->sheet, order->line);
    if (order->why && *order->why)
        client_line(stdout, "  why: %s", order->why);
    if (*entry->state)
        client_line(stdout, "  state: %s", entry->state);
    client_line(stdout, "  recorded %s", instant);
    if (author && !entry->event)
        client_line(stdout, "  by %s%s", author,
                    order->authority == TB_BY_GUARDIAN ? ", with a mandate" : "");
    if (entry->reversed_minutes) {
        tb_time_format((int64_t)entry->reversed_minutes, reversed);
        client_line(stdout, "  of which taken back: %s", reversed);
    }
}

static int show_run(struct client *client, int argc, char **argv) {
    char *number = NULL;
    const struct options_one options[] = {OPTION_END};
    struct tb_entry entry;
    int r = options_read(&verb_entry_show, argc, argv, options, 1, 1, &number);
    if (r == CLIENT_DONE)
        r = entry_read(client, number, &entry);
    if (r != CLIENT_DONE)
        return r;
    if (client->json)
        json_tell(client, &entry);
    else
        words_tell(&entry);
    return CLIENT_DONE;
}

const struct verb verb_entry_show = {
    .name = "entry show",
    .summary = "one entry as recorded",
    .help = "timebank entry show 1042\n"
            "\n"
            "The entry in words, when it was recorded, and whose key signed it.\n",
    .run = show_run,
};
