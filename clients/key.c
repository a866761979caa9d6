/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank key: new and show work on files alone; grant, revoke and list speak to the bank. A
 * secret key never leaves its file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "record.h"
#include "verbs.h"

#define WHY_BYTES 400

static void public_tell(struct client *client, const char *path, const char *line) {
    if (client->json)
        client_print_json(json_pack("{s:o, s:o}", "file", client_json_text(path), "public",
                                    client_json_text(line)));
    else
        client_line(stdout, "%s", line);
}

static int new_run(struct client *client, int argc, char **argv) {
    char *path = NULL, *comment = NULL, why[WHY_BYTES] = "";
    const struct options_one options[] = {OPTION_TEXT("comment", &comment), OPTION_END};
    int r = options_read(&verb_key_new, argc, argv, options, 1, 1, &path);
    if (r != CLIENT_DONE)
        return r;
    _cleanup_(freep) char *line = NULL;
    r = tb_key_new(path, comment, &line, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    public_tell(client, path, line);
    if (!client->json)
        client_line(stderr,
                    "%s is secret: keep it to yourself. %s.pub is what a steward grants a role to.",
                    path, path);
    return CLIENT_DONE;
}

const struct verb verb_key_new = {
    .name = "key new",
    .summary = "make a key pair",
    .help = "timebank key new broker.key\n"
            "\n"
            "Makes an Ed25519 key pair: broker.key (mode 0600, to be kept secret) and "
            "broker.key.pub, and\n"
            "prints the public line. Never writes over a file.\n"
            "\n"
            "  --comment TEXT   stands at the end of the public line\n",
    .run = new_run,
};

static int show_run(struct client *client, int argc, char **argv) {
    char *path = NULL, why[WHY_BYTES] = "";
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_key_show, argc, argv, options, 1, 1, &path);
    if (r != CLIENT_DONE)
        return r;
    _cleanup_(freep) char *line = NULL;
    r = tb_key_show(path, &line, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    public_tell(client, path, line);
    return CLIENT_DONE;
}

const struct verb verb_key_show = {
    .name = "key show",
    .summary = "print the public line of a key file",
    .help = "timebank key show broker.key\n"
            "\n"
            "Prints the public line of a secret or a public key file.\n",
    .run = show_run,
};

static int grant_run(struct client *client, int argc, char **argv) {
    char *path = NULL, *role = NULL, *account = NULL, *class = NULL, why[WHY_BYTES] = "";
    const struct options_one options[] = {OPTION_TEXT("role", &role),
                                          OPTION_TEXT("account", &account),
                                          OPTION_TEXT("class", &class), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_key_grant, argc, argv, options, 1, 1, &path);
    if (r != CLIENT_DONE)
        return r;
    if (!role)
        return client_usage(&verb_key_grant, "Say what the key may do with --role.");
    int number = tb_role_from_name(role);
    if (number == 0)
        return client_usage(&verb_key_grant, "There is no role \"%s\".", role);
    order.report_class = class ? (enum tb_report_class)tb_report_class_from_name(class) : 0;
    if (class && order.report_class == TB_CLASS_OF_KEY)
        return client_usage(&verb_key_grant, "There is no class \"%s\": it is funder or public.",
                            class);
    r = tb_key_public(path, order.key, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    order.kind = TB_GRANT_KEY;
    order.role = (enum tb_role)number;
    order.to = client_code(account);
    return client_record(client, &order);
}

const struct verb verb_key_grant = {
    .name = "key grant",
    .summary = "give a public key a role",
    .help =
        "timebank key grant desk.key.pub --role venue --account leisure-centre\n"
        "\n"
        "Gives the key a role here. Stewards only.\n"
        "\n"
        "  --role ROLE      steward, broker, auditor, evaluator, or with an account of its kind:\n"
        "                   organisation, venue, member\n"
        "  --account CODE   the account that the key acts for\n"
        "  --class CLASS    of an evaluator: the reports that the key gets, funder or public;\n"
        "                   funder where it is left out\n",
    .run = grant_run,
};

static int revoke_run(struct client *client, int argc, char **argv) {
    char *words[2], why[WHY_BYTES] = "";
    const struct options_one options[] = {OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_key_revoke, argc, argv, options, 2, 2, words);
    if (r != CLIENT_DONE)
        return r;
    r = tb_key_public(words[0], order.key, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    order.kind = TB_REVOKE_KEY;
    order.why = words[1];
    return client_record(client, &order);
}

const struct verb verb_key_revoke = {
    .name = "key revoke",
    .summary = "take a key's role away",
    .help = "timebank key revoke desk.key.pub \"the desk's machine was stolen\"\n"
            "\n"
            "From now on the key may do nothing; what it signed before stands. In place of the "
            "file its\n"
            "public line may be given (see key list). Stewards only.\n",
    .run = revoke_run,
};

/* What a key is granted now: its role, and its account, which lives in `code`. */
struct granted {
    const uint8_t *key;
    int role;
    enum tb_report_class report_class;
    char code[64];
};

static int granted_keep(void *user, const struct tb_key *key) {
    struct granted *granted = user;
    if (memcmp(key->key, granted->key, sizeof(key->key)) == 0 && key->revoked_entry == 0) {
        granted->role = key->role;
        granted->report_class = key->report_class;
        snprintf(granted->code, sizeof(granted->code), "%s", key->account);
    }
    return 0;
}

/* Both in one batch: there is no moment at which both hold, and none at which neither does. */
static int rotate_record(struct client *client, const struct granted *granted,
                         struct tb_order *grant, const struct tb_order *revoke) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    grant->role = (enum tb_role)granted->role;
    grant->report_class = granted->report_class;
    grant->to = *granted->code ? granted->code : NULL;
    int r = record_batch_new(client, grant, &batch);
    if (r == 0)
        r = tb_batch_add(batch, revoke, NULL);
    return r == 0 ? client_record_batch(client, batch, 0, TB_GRANT_KEY, grant)
                  : record_outcome(client, batch, r);
}

static int rotate_run(struct client *client, int argc, char **argv) {
    char *words[3], why[WHY_BYTES] = "";
    const struct options_one options[] = {OPTION_END};
    struct tb_order grant = TB_ORDER_INIT, revoke = TB_ORDER_INIT;
    struct granted granted = {.key = revoke.key};
    int r = options_read(&verb_key_rotate, argc, argv, options, 3, 3, words);
    if (r != CLIENT_DONE)
        return r;
    r = tb_key_public(words[0], revoke.key, why, sizeof(why));
    if (r == 0)
        r = tb_key_public(words[1], grant.key, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    grant.kind = TB_GRANT_KEY;
    revoke.kind = TB_REVOKE_KEY;
    revoke.why = words[2];
    r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    r = tb_key_list(client->bank, granted_keep, &granted);
    if (r != 0)
        return client_outcome(client, r);
    if (granted.role == 0)
        return client_outcome_why(client, TB_NO_SUCH_KEY, tb_refusal_sentence(TB_NO_SUCH_KEY));
    return rotate_record(client, &granted, &grant, &revoke);
}

const struct verb verb_key_rotate = {
    .name = "key rotate",
    .summary = "put another key in the place of one",
    .help = "timebank key rotate desk.key.pub desk-2.key.pub \"a new machine at the desk\"\n"
            "\n"
            "Gives the second key the role and the account of the first, and takes them from the "
            "first,\n"
            "both at once. What the first one signed before stands. A steward may so change their "
            "own key,\n"
            "the last steward's too: sign with the old one. Stewards only.\n",
    .run = rotate_run,
};

static int key_keep(void *user, const struct tb_key *key) {
    _cleanup_(freep) char *line = tb_key_line(key->key);
    return json_array_append_new(
        user,
        json_pack("{s:s, s:o, s:o, s:o, s:I, s:o}", "public", line ? line : "", "role",
                  client_json_text(tb_role_name(key->role)), "account",
                  *key->account ? client_json_text(key->account) : json_null(), "class",
                  key->report_class ? client_json_text(tb_report_class_name((int)key->report_class))
                                    : json_null(),
                  "granted", (json_int_t)key->granted_entry, "revoked",
                  key->revoked_entry ? json_integer((json_int_t)key->revoked_entry) : json_null()));
}

static void key_tell(const json_t *row) {
    const char *account = json_string_value(json_object_get(row, "account"));
    if (!account)
        account = json_string_value(json_object_get(row, "class"));
    client_line(stdout, "%-12s %-20s %s%s", json_string_value(json_object_get(row, "role")),
                account ? account : "-", json_string_value(json_object_get(row, "public")),
                json_is_null(json_object_get(row, "revoked")) ? "" : "  REVOKED");
}

static int list_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_key_list, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    json_t *rows = json_array();
    r = tb_key_list(client->bank, key_keep, rows);
    return client_list_outcome(client, r, rows, key_tell);
}

const struct verb verb_key_list = {
    .name = "key list",
    .summary = "every key that has or had a role",
    .help = "timebank key list\n"
            "\n"
            "Role, account (of an evaluator: class) and public line of every key, revoked ones "
            "too.\n",
    .run = list_run,
};
