/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank safeguard: a hold on somebody, or between two. Whoever enters something there is told to
 * see the coordinator and nothing more; no reason is kept anywhere.
 */
#include "options.h"
#include "record.h"
#include "register.h"
#include "verbs.h"

static int safeguard_run(struct client *client, int argc, char **argv) {
    char *code = NULL, *other = NULL, *why = NULL;
    bool lift = false;
    const struct options_one options[] = {
        OPTION_TEXT("with", &other),
        OPTION_FLAG("lift", &lift),
        OPTION_TEXT("why", &why),
        OPTION_END,
    };
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_safeguard, argc, argv, options, 1, 1, &code);
    if (r == CLIENT_DONE && why)
        r = client_refuse(client, TB_REASON_NOT_KEPT, "%s",
                          tb_refusal_sentence(TB_REASON_NOT_KEPT));
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SAFEGUARD;
    order.to = client_code(code);
    order.other = client_code(other);
    order.lifted = lift;
    return client_record(client, &order);
}

const struct verb verb_safeguard = {
    .name = "safeguard",
    .summary = "send what concerns somebody, or two together, to the coordinator",
    .help = "timebank safeguard m0007 --with m0012\n"
            "\n"
            "Refuses every entry between the two, or of the one, to everybody, with \"CHECK: ask "
            "the member\n"
            "to speak to the coordinator\" and nothing more. No reason is kept: it belongs in the "
            "records\n"
            "of whoever is responsible for safeguarding.\n"
            "\n"
            "  --with CODE   only entries between the two\n"
            "  --lift        take the hold back\n",
    .run = safeguard_run,
};

static int row_keep(void *user, const struct tb_register_row *row) {
    return json_array_append_new(
        user, json_pack("{s:o, s:o, s:I}", "code", client_json_text(row->account), "with",
                        *row->other ? client_json_text(row->other) : json_null(), "entry",
                        (json_int_t)row->entry));
}

static void row_tell(const json_t *row) {
    const char *other = json_string_value(json_object_get(row, "with"));
    client_line(stdout, "%s%s%s", json_string_value(json_object_get(row, "code")),
                other ? " with " : "", other ? other : "");
}

static int list_run(struct client *client, int argc, char **argv) {
    static const struct register_listing listing = {
        .table = TB_REGISTER_SAFEGUARDS, .keep = row_keep, .tell = row_tell};
    return register_run(client, &verb_safeguard_list, &listing, argc, argv);
}

const struct verb verb_safeguard_list = {
    .name = "safeguard list",
    .summary = "safeguarding holds, for brokers",
    .help = "timebank safeguard list\n"
            "\n"
            "Every safeguarding hold that is not lifted. Only brokers see it.\n",
    .run = list_run,
};
