/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank person: who shares an account, who of them is under 18, and who has gone. They are
 * called by numbers or letters: names do not belong in the ledger.
 */
#include <inttypes.h>
#include <string.h>

#include "options.h"
#include "record.h"
#include "register.h"
#include "verbs.h"

static int person_record(struct client *client, const struct verb *verb, bool gone, int argc,
                         char **argv) {
    char *words[3];
    bool minor = false;
    const struct options_one options[] = {OPTION_FLAG(gone ? NULL : "minor", &minor), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(verb, argc, argv, options, 2, 3, words);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SET_PERSON;
    order.to = client_code(words[0]);
    order.person = client_code(words[1]);
    order.minor = minor;
    order.gone = gone;
    order.why = words[2];
    return client_record(client, &order);
}

static int add_run(struct client *client, int argc, char **argv) {
    return person_record(client, &verb_person_add, false, argc, argv);
}

const struct verb verb_person_add = {
    .name = "person add",
    .summary = "say who shares an account, and who is under 18",
    .help =
        "timebank person add m0007 2 --minor\n"
        "\n"
        "A household has one account and several persons: the first is 1, the others get a "
        "number or a\n"
        "letter, for names do not belong in the ledger. From then on every entry names the one, "
        "as\n"
        "--giver m0007/2. Said again of somebody who is there it sets anew whether they are "
        "under 18.\n"
        "\n"
        "  --minor   under 18: the policy under-18 says what they may enter themselves\n",
    .run = add_run,
};

static int leave_run(struct client *client, int argc, char **argv) {
    return person_record(client, &verb_person_leave, true, argc, argv);
}

const struct verb verb_person_leave = {
    .name = "person leave",
    .summary = "say that somebody left a household",
    .help = "timebank person leave m0007 2\n"
            "\n"
            "No entry names them any more; what they did stays. Their credits are the household's. "
            "Whoever\n"
            "is the last one leaves with timebank account leave.\n",
    .run = leave_run,
};

static int row_keep(void *user, const struct tb_register_row *row) {
    return json_array_append_new(
        user, json_pack("{s:o, s:o, s:b, s:o, s:I}", "code", client_json_text(row->account),
                        "person", client_json_text(row->name), "minor", row->flag != 0, "standing",
                        client_json_text(*row->what ? row->what : "there"), "entry",
                        (json_int_t)row->entry));
}

static void row_tell(const json_t *row) {
    const char *standing = json_string_value(json_object_get(row, "standing"));
    char who[72];
    snprintf(who, sizeof(who), "%s/%s", json_string_value(json_object_get(row, "code")),
             json_string_value(json_object_get(row, "person")));
    client_line(stdout, "%-16s %s%s", who, strcmp(standing, "there") == 0 ? "" : standing,
                json_is_true(json_object_get(row, "minor")) ? "under 18" : "");
}

static int list_run(struct client *client, int argc, char **argv) {
    static const struct register_listing listing = {
        .table = TB_REGISTER_PERSONS, .takes_code = true, .keep = row_keep, .tell = row_tell};
    return register_run(client, &verb_person_list, &listing, argc, argv);
}

const struct verb verb_person_list = {
    .name = "person list",
    .summary = "who shares an account",
    .help =
        "timebank person list m0007\n"
        "\n"
        "The persons of an account, or of all of which something was said: who is under 18, who "
        "has gone.\n",
    .run = list_run,
};
