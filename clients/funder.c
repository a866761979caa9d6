/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank funder: who pays for the credits that organisations give out.
 */
#include "options.h"
#include "verbs.h"

static int add_run(struct client *client, int argc, char **argv) {
    char *name = NULL;
    const struct options_one options[] = {OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_funder_add, argc, argv, options, 1, 1, &name);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SET_FUNDER;
    order.name = name;
    return client_record(client, &order);
}

const struct verb verb_funder_add = {
    .name = "funder add",
    .summary = "add a funder",
    .help = "timebank funder add council\n"
            "\n"
            "Adds a funder whose name can stand on credits issued.\n",
    .run = add_run,
};

static int funder_keep(void *user, const struct tb_funder *funder) {
    return json_array_append_new(user, json_pack("{s:o}", "name", client_json_text(funder->name)));
}

static void funder_tell(const json_t *row) {
    client_line(stdout, "%s", json_string_value(json_object_get(row, "name")));
}

static int list_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_funder_list, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    json_t *rows = json_array();
    r = tb_funder_list(client->bank, funder_keep, rows);
    return client_list_outcome(client, r, rows, funder_tell);
}

const struct verb verb_funder_list = {
    .name = "funder list",
    .summary = "every funder",
    .help = "timebank funder list\n"
            "\n"
            "Every funder whose name can stand on credits issued.\n",
    .run = list_run,
};
