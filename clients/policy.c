/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank policy: the settings of the scheme, which are part of the signed log.
 */
#include "options.h"
#include "verbs.h"

static int set_run(struct client *client, int argc, char **argv) {
    char *words[2];
    const struct options_one options[] = {OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_policy_set, argc, argv, options, 2, 2, words);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SET_POLICY;
    order.name = words[0];
    order.value = words[1];
    return client_record(client, &order);
}

const struct verb verb_policy_set = {
    .name = "policy set",
    .summary = "set a policy of the scheme",
    .help = "timebank policy set quantum 30\n"
            "\n"
            "Sets a policy from the next entry on; timebank policy list shows names, values and "
            "what each\n"
            "takes. Stewards only.\n",
    .run = set_run,
};

static int policy_keep(void *user, const struct tb_policy *policy) {
    return json_array_append_new(
        user, json_pack("{s:o, s:o, s:o}", "name", client_json_text(policy->name), "value",
                        client_json_text(policy->value), "help", client_json_text(policy->help)));
}

static void policy_tell(const json_t *row) {
    client_line(stdout, "%-22s %-12s %s", json_string_value(json_object_get(row, "name")),
                json_string_value(json_object_get(row, "value")),
                json_string_value(json_object_get(row, "help")));
}

static int list_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_policy_list, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    json_t *rows = json_array();
    r = tb_policy_list(client->bank, policy_keep, rows);
    return client_list_outcome(client, r, rows, policy_tell);
}

const struct verb verb_policy_list = {
    .name = "policy list",
    .summary = "every policy with its value",
    .help = "timebank policy list\n"
            "\n"
            "Every policy, the value in force and what it means.\n",
    .run = list_run,
};
