/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one says to an entry that somebody else made: confirm (or accept), decline, withdraw,
 * approve; and trust, which says it beforehand. Before a yes is recorded the entry is shown, and at
 * a terminal it is asked for.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "entry.h"
#include "options.h"
#include "record.h"
#include "register.h"
#include "verbs.h"
#include "words.h"

static bool is_yes(void) {
    _cleanup_(freep) char *text = NULL;
    size_t n_allocated = 0;
    if (getline(&text, &n_allocated, stdin) < 0)
        return false;
    text[strcspn(text, " \t\r\n")] = '\0';
    return strcasecmp(text, "y") == 0 || strcasecmp(text, "yes") == 0;
}

/* Shows what is agreed to, and asks where somebody sits there. */
static int agree_ask(struct client *client, const struct verb *verb, const char *number) {
    struct tb_entry entry;
    int r = entry_read(client, number, &entry);
    if (r != CLIENT_DONE || client->json || isatty(STDIN_FILENO) != 1)
        return r;
    _cleanup_(freep) char *words = words_of_dated_order(&entry.order);
    client_line(stdout, "Entry %" PRIu64 ": %s", entry.number, words ? words : "");
    if (entry.order.activity && *entry.order.activity)
        client_line(stdout, "  activity %s", entry.order.activity);
    printf("  %s it? y or n: ", strcmp(verb->name, "approve") == 0 ? "Approve" : "Confirm");
    fflush(stdout);
    if (is_yes())
        return CLIENT_DONE;
    client_line(stdout, "Nothing was recorded.");
    return CLIENT_REFUSED;
}

/* What a program showed before it came here: the leaf of timebank entry show, in hex. */
static int quote_read(const struct verb *verb, const char *text, uint8_t ret[TB_QUOTE_BYTES]) {
    char digits[3] = "";
    if (strlen(text) != 2 * TB_QUOTE_BYTES ||
        strspn(text, "0123456789abcdefABCDEF") != 2 * TB_QUOTE_BYTES)
        return client_usage(verb, "A quote is the leaf that timebank entry show --json has.");
    /* Zeros are no record's leaf, and further down they would stand for whatever is there now. */
    if (strspn(text, "0") == 2 * TB_QUOTE_BYTES)
        return client_usage(verb, "A quote is the leaf that timebank entry show --json has.");
    for (size_t i = 0; i < TB_QUOTE_BYTES; i++) {
        memcpy(digits, text + 2 * i, 2);
        ret[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return CLIENT_DONE;
}

static int agree_run(struct client *client, const struct verb *verb, enum tb_kind kind, int argc,
                     char **argv) {
    struct tb_order order = TB_ORDER_INIT;
    char *number = NULL, *quote = NULL;
    bool yes = false;
    const struct options_one options[] = {OPTION_FLAG("yes", &yes), OPTION_TEXT("quote", &quote),
                                          OPTION_END};
    int r = options_read(verb, argc, argv, options, 1, 1, &number);
    if (r == CLIENT_DONE && quote)
        r = quote_read(verb, quote, order.quote);
    if (r == CLIENT_DONE && !yes && !quote)
        r = agree_ask(client, verb, number);
    order.kind = kind;
    return r == CLIENT_DONE ? record_on_entry(client, number, &order) : r;
}

static int confirm_run(struct client *client, int argc, char **argv) {
    return agree_run(client, &verb_confirm, TB_CONFIRM, argc, argv);
}

const struct verb verb_confirm = {
    .name = "confirm",
    .summary = "agree to what somebody claims, or to what a broker entered",
    .help = "timebank confirm 1042\n"
            "\n"
            "Says yes to an entry: to help that its giver claims, to a gift that waits, or to what "
            "a\n"
            "broker entered for you. What waited takes effect. Only the very record that is shown "
            "is\n"
            "agreed to, and nobody confirms their own hours.\n"
            "\n"
            "  --yes          do not ask once more\n"
            "  --quote LEAF   agree to the record that entry show --json gave this leaf, and no "
            "other\n",
    .run = confirm_run,
};

static int accept_run(struct client *client, int argc, char **argv) {
    return agree_run(client, &verb_accept, TB_CONFIRM, argc, argv);
}

const struct verb verb_accept = {
    .name = "accept",
    .summary = "accept a gift: the same as confirm",
    .help = "timebank accept 1042\n"
            "\n"
            "Accepts a gift that waits for you; timebank confirm does the same.\n"
            "\n"
            "  --yes          do not ask once more\n"
            "  --quote LEAF   agree to the record that entry show --json gave this leaf, and no "
            "other\n",
    .run = accept_run,
};

static int approve_run(struct client *client, int argc, char **argv) {
    return agree_run(client, &verb_approve, TB_APPROVE, argc, argv);
}

const struct verb verb_approve = {
    .name = "approve",
    .summary = "let in what another broker or a member proposed",
    .help = "timebank approve 1042\n"
            "\n"
            "Lets an entry in that needs a second person: a large one, or a broker's own hours. "
            "Who\n"
            "proposed it cannot approve it, nor who is a party to it.\n"
            "\n"
            "  --yes          do not ask once more\n"
            "  --quote LEAF   agree to the record that entry show --json gave this leaf, and no "
            "other\n",
    .run = approve_run,
};

static int refuse_run(struct client *client, const struct verb *verb, enum tb_kind kind, int argc,
                      char **argv) {
    struct tb_order order = TB_ORDER_INIT;
    char *words[2] = {NULL};
    const struct options_one options[] = {OPTION_END};
    int r = options_read(verb, argc, argv, options, 1, 2, words);
    order.kind = kind;
    order.why = words[1];
    return r == CLIENT_DONE ? record_on_entry(client, words[0], &order) : r;
}

static int decline_run(struct client *client, int argc, char **argv) {
    return refuse_run(client, &verb_decline, TB_DECLINE, argc, argv);
}

const struct verb verb_decline = {
    .name = "decline",
    .summary = "say no to what was proposed to you",
    .help = "timebank decline 1042 \"that was last week\"\n"
            "\n"
            "Says no to a gift or a claim that waits for you, or as a broker to what waits for "
            "approval.\n"
            "A gift goes back to who made it.\n",
    .run = decline_run,
};

static int withdraw_run(struct client *client, int argc, char **argv) {
    return refuse_run(client, &verb_withdraw, TB_WITHDRAW, argc, argv);
}

const struct verb verb_withdraw = {
    .name = "withdraw",
    .summary = "take back what you proposed",
    .help =
        "timebank withdraw 1042 \"it was half an hour only\"\n"
        "\n"
        "Takes back a proposal that nobody has answered yet. To put it right propose it anew.\n",
    .run = withdraw_run,
};

static int trust_run(struct client *client, int argc, char **argv) {
    struct tb_order order = TB_ORDER_INIT;
    char *giver = NULL, *receiver = NULL;
    bool end = false;
    const struct options_one options[] = {OPTION_FLAG("end", &end),
                                          OPTION_TEXT("receiver", &receiver), OPTION_END};
    int r = options_read(&verb_trust, argc, argv, options, 1, 1, &giver);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SET_TRUST;
    order.giver = client_code(giver);
    order.ended = end;
    order.to = client_code(receiver);
    if (!order.to)
        order.to = client_own_account(client, TB_ROLE_MEMBER);
    if (!order.to)
        order.to = client_own_account(client, TB_ROLE_ORGANISATION);
    if (!order.to)
        return client_usage(&verb_trust, "Say who trusts them, with --receiver.");
    return client_record(client, &order);
}

const struct verb verb_trust = {
    .name = "trust",
    .summary = "accept at once what a giver claims",
    .help = "timebank trust m0007\n"
            "\n"
            "What this giver claims to have done for you counts at once, without your "
            "confirmation.\n"
            "\n"
            "  --end              no longer\n"
            "  --receiver CODE    who trusts them; with a member's or organisation's key, itself\n",
    .run = trust_run,
};

static int trust_keep(void *user, const struct tb_register_row *row) {
    return json_array_append_new(
        user, json_pack("{s:o, s:o, s:I}", "receiver", client_json_text(row->account), "giver",
                        client_json_text(row->other), "entry", (json_int_t)row->entry));
}

static void trust_tell(const json_t *row) {
    client_line(stdout, "%s trusts %s; entry %" JSON_INTEGER_FORMAT,
                json_string_value(json_object_get(row, "receiver")),
                json_string_value(json_object_get(row, "giver")),
                json_integer_value(json_object_get(row, "entry")));
}

static int trusts_run(struct client *client, int argc, char **argv) {
    static const struct register_listing listing = {
        .table = TB_REGISTER_TRUSTS, .takes_code = true, .keep = trust_keep, .tell = trust_tell};
    return register_run(client, &verb_list_trusts, &listing, argc, argv);
}

const struct verb verb_list_trusts = {
    .name = "list trusts",
    .summary = "whose claims are accepted at once",
    .help = "timebank list trusts m0012\n"
            "\n"
            "Who accepts at once what which giver claims; with a code, of that account only.\n",
    .run = trusts_run,
};
