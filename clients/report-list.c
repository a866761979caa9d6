/* SPDX-License-Identifier: Apache-2.0 */
/* timebank report list: the reports that left the bank. */
#include <inttypes.h>

#include "options.h"
#include "verbs.h"

static json_t *day_json(uint32_t day) {
    char text[16];
    tb_date_format(day, text);
    return json_string(text);
}

static int row_keep(void *user, const struct tb_register_row *row) {
    char hex[2 * sizeof(row->key) + 1] = "";
    for (size_t i = 0; i < row->key_bytes && i < sizeof(row->key); i++)
        snprintf(hex + 2 * i, 3, "%02x", row->key[i]);
    json_t *release =
        json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:b, s:s}", "entry", (json_int_t)row->entry,
                  "class", client_json_text(row->what), "from", day_json(row->from_day), "to",
                  day_json(row->to_day), "as_known_at", day_json((uint32_t)row->count), "size",
                  (json_int_t)row->other_entry, "as_recorded", row->flag, "checksum", hex);
    return json_array_append_new(user, release);
}

static void row_tell(const json_t *row) {
    client_line(stdout,
                "entry %-8" JSON_INTEGER_FORMAT
                " %-7s %s to %s, as known at %s%s, at position %" JSON_INTEGER_FORMAT,
                json_integer_value(json_object_get(row, "entry")),
                json_string_value(json_object_get(row, "class")),
                json_string_value(json_object_get(row, "from")),
                json_string_value(json_object_get(row, "to")),
                json_string_value(json_object_get(row, "as_known_at")),
                json_is_true(json_object_get(row, "as_recorded")) ? " as recorded" : "",
                json_integer_value(json_object_get(row, "size")));
}

static int list_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_report_list, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    json_t *rows = json_array();
    r = tb_register_list(client->bank, TB_REGISTER_RELEASES, NULL, row_keep, rows);
    return client_list_outcome(client, r, rows, row_tell);
}

const struct verb verb_report_list = {
    .name = "report list",
    .summary = "the reports that left the bank",
    .help = "timebank report list\n"
            "\n"
            "Every report that was released, with the period, the cut-off and the position that "
            "give it\n"
            "again: timebank report --from ... --to ... --as-known-at ... --at ... --class ... "
            "An\n"
            "evaluator's key sees those of the classes that it gets.\n",
    .run = list_run,
};
