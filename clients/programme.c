/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank programme: under which of a funder's programmes credits are issued.
 */
#include "options.h"
#include "register.h"
#include "verbs.h"

static int add_run(struct client *client, int argc, char **argv) {
    char *name = NULL, *funder = NULL;
    const struct options_one options[] = {OPTION_TEXT("funder", &funder), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_programme_add, argc, argv, options, 1, 1, &name);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SET_PROGRAMME;
    order.name = name;
    order.funder = funder;
    return client_record(client, &order);
}

const struct verb verb_programme_add = {
    .name = "programme add",
    .summary = "add a programme, or set who funds it",
    .help =
        "timebank programme add \"warm winter\" --funder council\n"
        "\n"
        "Adds a programme whose name can stand on credits issued. Where the policy programmes is\n"
        "listed, issue takes no other, and none under another funder's name.\n"
        "\n"
        "  --funder NAME     who funds it (timebank funder list)\n",
    .run = add_run,
};

static int programme_keep(void *user, const struct tb_register_row *row) {
    return json_array_append_new(
        user, json_pack("{s:o, s:o, s:I}", "name", client_json_text(row->name), "funder",
                        client_json_text(row->account), "entry", (json_int_t)row->entry));
}

static void programme_tell(const json_t *row) {
    const char *funder = json_string_value(json_object_get(row, "funder"));
    client_line(stdout, "%s%s%s", json_string_value(json_object_get(row, "name")),
                *funder ? ", funded by " : "", funder);
}

static int list_run(struct client *client, int argc, char **argv) {
    static const struct register_listing listing = {
        .table = TB_REGISTER_PROGRAMMES, .keep = programme_keep, .tell = programme_tell};
    return register_run(client, &verb_programme_list, &listing, argc, argv);
}

const struct verb verb_programme_list = {
    .name = "programme list",
    .summary = "every programme and its funder",
    .help = "timebank programme list\n"
            "\n"
            "Every programme whose name can stand on credits issued.\n",
    .run = list_run,
};
