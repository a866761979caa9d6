/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what the bank tells of one figure: its value, its one definition, and the entries that
 * count for it where the bank lists them.
 */
#include "report-why.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "csv-out.h"

#define VALUE_BYTES 64

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *key) {
    return (int64_t)json_integer_value(json_object_get(object, key));
}

/* ------------------------------------------------------------------------ text */

/* Marks are told as they stand. */
static const char *value_format(const json_t *value, const char *unit, char ret[VALUE_BYTES]) {
    if (!json_is_integer(value))
        snprintf(ret, VALUE_BYTES, "%s", json_is_string(value) ? json_string_value(value) : "");
    else if (strcmp(unit, "minutes") == 0)
        tb_time_format((int64_t)json_integer_value(value), ret);
    else if (strcmp(unit, "count") == 0)
        snprintf(ret, VALUE_BYTES, "%" PRId64, (int64_t)json_integer_value(value));
    else
        snprintf(ret, VALUE_BYTES, "%" PRId64 " %s", (int64_t)json_integer_value(value), unit);
    return ret;
}

/* A breakdown's figures, each on a line of its own with its path. */
static void table_tell(const json_t *table, const char *path) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)table, name, value) {
        _cleanup_(freep) char *longer = NULL;
        char figure[VALUE_BYTES];
        bool is_time = strncmp(name, "minutes", strlen("minutes")) == 0;
        if (asprintf(&longer, "%s%s%s", path, *path ? "/" : "", name) < 0)
            return;
        if (json_is_object(value))
            table_tell(value, longer);
        else
            client_line(stdout, "  %s: %s", longer,
                        value_format(value, is_time ? "minutes" : "count", figure));
    }
}

static void head_tell(const json_t *why) {
    json_t *value = json_object_get(why, "value");
    char figure[VALUE_BYTES];
    if (json_is_object(value))
        client_line(stdout, "%s (%s):", text_of(why, "title"), text_of(why, "measure"));
    else
        client_line(stdout, "%s (%s): %s", text_of(why, "title"), text_of(why, "measure"),
                    value_format(value, text_of(why, "unit"), figure));
    if (json_is_object(value))
        table_tell(value, "");
    client_line(stdout, "What it is: %s.", text_of(why, "formula"));
    client_line(stdout,
                "From %s to %s, as known on %s, at the position of %" PRId64 " records; class %s.",
                text_of(why, "from"), text_of(why, "to"), text_of(why, "as_known_at"),
                number_of(json_object_get(why, "position"), "size"), text_of(why, "class"));
}

static void numbers_tell(const json_t *why) {
    int64_t n = number_of(why, "n_entries"), n_persons = number_of(why, "n_persons");
    if (json_object_get(why, "counted_from"))
        client_line(stdout, "It is counted from %s.", text_of(why, "counted_from"));
    else if (n_persons > 0)
        client_line(stdout, "%" PRId64 " %s of %" PRId64 " %s count%s for it.", n,
                    n == 1 ? "entry" : "entries", n_persons, n_persons == 1 ? "person" : "people",
                    n == 1 ? "s" : "");
    else if (json_object_get(why, "n_entries"))
        client_line(stdout, "%" PRId64 " %s for it.", n, n == 1 ? "entry counts" : "entries count");
    else
        client_line(stdout, "How many entries count for it is not told in this class.");
}

static void entry_tell(const json_t *entry, bool has_counts) {
    char minutes[32], counts[32] = "";
    tb_time_format(number_of(entry, "minutes"), minutes);
    if (has_counts)
        snprintf(counts, sizeof(counts), "%" PRId64, number_of(entry, "counts"));
    client_line(stdout, "  %8" PRId64 "  %s  %s  %-12s  %-16s  %-16s  %10s  %8s",
                number_of(entry, "entry"), text_of(entry, "on"), text_of(entry, "entered"),
                text_of(entry, "kind"), text_of(entry, "from"), text_of(entry, "to"), minutes,
                counts);
}

static void text_print(const json_t *why) {
    json_t *entries = json_object_get(why, "entries"), *entry;
    bool has_counts = json_object_get(why, "sum") != NULL;
    size_t i;
    head_tell(why);
    numbers_tell(why);
    if (json_array_size(entries) > 0)
        client_line(stdout, "  %8s  %-10s  %-10s  %-12s  %-16s  %-16s  %10s  %8s", "entry", "on",
                    "entered", "kind", "from", "to", "time", has_counts ? "counts" : "");
    json_array_foreach(entries, i, entry) entry_tell(entry, has_counts);
    if (json_is_true(json_object_get(why, "more")))
        client_line(stdout, "There are more: go on with --after %" PRId64 ".",
                    number_of(json_array_get(entries, json_array_size(entries) - 1), "entry"));
}

/* ------------------------------------------------------------------------- CSV */

static void csv_print(const json_t *why) {
    static const char *const columns[] = {"entry", "kind", "on",      "entered",
                                          "from",  "to",   "minutes", "counts"};
    json_t *entry;
    size_t i;
    csv_out_begin();
    for (size_t k = 0; k < sizeof(columns) / sizeof(*columns); k++)
        csv_out_text(columns[k]);
    csv_out_end();
    json_array_foreach(json_object_get(why, "entries"), i, entry) {
        csv_out_number(number_of(entry, "entry"));
        csv_out_text(text_of(entry, "kind"));
        csv_out_text(text_of(entry, "on"));
        csv_out_text(text_of(entry, "entered"));
        csv_out_text(text_of(entry, "from"));
        csv_out_text(text_of(entry, "to"));
        csv_out_number(number_of(entry, "minutes"));
        if (json_object_get(entry, "counts"))
            csv_out_number(number_of(entry, "counts"));
        else
            csv_out_text("");
        csv_out_end();
    }
}

/* ------------------------------------------------------------------------- verb */

static int after_read(struct client *client, const char *text, uint64_t *ret) {
    size_t n = strlen(text);
    if (n == 0 || n > 18 || strspn(text, "0123456789") != n)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is no entry: --after takes the last entry's number.", text);
    *ret = strtoull(text, NULL, 10);
    return CLIENT_DONE;
}

static int why_get(struct client *client, struct tb_report_ask *ask, char **ret_json) {
    int status = client_open(client);
    if (status == CLIENT_DONE)
        status = report_release_first(client, ask);
    return status == CLIENT_DONE
               ? client_outcome(client, tb_report_get(client->bank, ask, ret_json))
               : status;
}

static int why_print(struct client *client, const char *text, const char *format) {
    if (client->json || (format && strcmp(format, "json") == 0)) {
        puts(text);
        return CLIENT_DONE;
    }
    json_t *why = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!why)
        return client_outcome(client, -EBADMSG);
    if (format && strcmp(format, "csv") == 0)
        csv_print(why);
    else
        text_print(why);
    json_decref(why);
    return CLIENT_DONE;
}

int report_why(struct client *client, const struct report_options *options, const char *measure,
               const char *after) {
    static const char *const formats[] = {"text", "json", "csv"};
    struct tb_report_ask ask = {.what = TB_REPORT_WHY, .why = measure};
    _cleanup_(freep) char *text = NULL;
    bool is_format = !options->format;
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
        is_format = is_format || strcmp(options->format, formats[i]) == 0;
    if (!is_format)
        return client_usage(&verb_report, "What a figure is made of comes as text, csv or json.");
    if (!options->from || !options->to)
        return client_usage(&verb_report, "A report needs --from and --to.");
    int status = report_ask_read(client, options, &ask);
    if (status == CLIENT_DONE && after)
        status = after_read(client, after, &ask.why_after);
    if (status == CLIENT_DONE)
        status = why_get(client, &ask, &text);
    return status == CLIENT_DONE ? why_print(client, text, options->format) : status;
}
