/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank status: which ledger this is, where it stands, and how its daemon does.
 */
#include <inttypes.h>

#include "options.h"
#include "verbs.h"

static void json_tell(struct client *client, const struct tb_status *status) {
    json_t *object = json_pack(
        "{s:o, s:o, s:I, s:o, s:o, s:I, s:I, s:I, s:I}", "origin", client_json_text(status->origin),
        "version", client_json_text(status->version), "size", (json_int_t)status->size, "root",
        client_json_root(status->root), "verifier_key", client_json_text(status->verifier_key),
        "accounts", (json_int_t)status->accounts, "entries", (json_int_t)status->entries,
        "uptime_s", (json_int_t)status->uptime_s, "ledger_time_ms",
        (json_int_t)status->ledger_time_ms);
    json_object_set_new(object, "read_only", json_boolean(status->read_only));
    json_object_set_new(object, "read_only_why", client_json_text(status->read_only_why));
    json_object_set_new(object, "connections", json_integer((json_int_t)status->connections));
    json_object_set_new(object, "map_bytes", json_integer((json_int_t)status->map_bytes));
    json_object_set_new(object, "map_used_bytes", json_integer((json_int_t)status->map_used_bytes));
    json_object_set_new(object, "position", client_position(client));
    client_print_json(object);
}

static void words_tell(const struct tb_status *status) {
    json_t *root = client_json_root(status->root);
    client_line(stdout, "ledger        %s", status->origin);
    client_line(stdout, "verifier key  %s", status->verifier_key);
    client_line(stdout, "position      %" PRIu64 " records, root %s", status->size,
                json_string_value(root));
    client_line(stdout, "accounts      %" PRIu64, status->accounts);
    client_line(stdout, "entries       %" PRIu64, status->entries);
    client_line(stdout, "daemon        timebankd %s, up %" PRIu64 " s, %" PRIu32 " connection%s",
                status->version, status->uptime_s, status->connections,
                status->connections == 1 ? "" : "s");
    client_line(stdout, "map           %" PRIu64 " of %" PRIu64 " MiB used",
                status->map_used_bytes >> 20, status->map_bytes >> 20);
    if (status->read_only)
        client_line(stdout, "READ ONLY     %s", status->read_only_why);
    json_decref(root);
}

static int status_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_status, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    struct tb_status status;
    r = tb_status_get(client->bank, &status);
    if (r != 0)
        return client_outcome(client, r);
    if (client->json)
        json_tell(client, &status);
    else
        words_tell(&status);
    return CLIENT_DONE;
}

const struct verb verb_status = {
    .name = "status",
    .summary = "which ledger this is and where it stands",
    .help = "timebank status\n"
            "\n"
            "The ledger's name and verifier key, the size and root of its signed head, how many "
            "accounts\n"
            "and entries it has, and how its daemon does. Anyone may ask.\n",
    .run = status_run,
};
