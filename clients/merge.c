/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank account merge and unmerge: two accounts of one person become one, and back.
 */
#include "balance.h"
#include "options.h"
#include "record.h"
#include "verbs.h"

static int merge_run(struct client *client, int argc, char **argv) {
    char *words[2], *into = NULL, *seen = NULL;
    bool over_limit = false;
    const struct options_one options[] = {
        OPTION_TEXT("into", &into),
        OPTION_TEXT("balance", &seen),
        OPTION_FLAG("over-limit", &over_limit),
        OPTION_END,
    };
    struct tb_order order = TB_ORDER_INIT;
    struct tb_balance balance;
    int r = options_read(&verb_account_merge, argc, argv, options, 2, 2, words);
    if (r == CLIENT_DONE && !into)
        r = client_usage(&verb_account_merge, "Say into which account with --into.");
    if (r == CLIENT_DONE && seen)
        r = balance_parse(client, seen, &order.balance_minutes);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_MERGE;
    order.from = client_code(words[0]);
    order.to = client_code(into);
    order.why = words[1];
    order.override = over_limit ? TB_OVERRIDE_LIMITS : 0;
    r = tb_balance_get(client->bank, order.from, &balance);
    if (r != 0)
        return client_outcome(client, r);
    if (!seen)
        order.balance_minutes = balance.minutes;
    return client_record(client, &order);
}

const struct verb verb_account_merge = {
    .name = "account merge",
    .summary = "make two accounts of one person one",
    .help = "timebank account merge m0007 --into m0012 \"joined twice\"\n"
            "\n"
            "Moves the balance of the first to the second, whichever way it stands, and closes the "
            "first:\n"
            "from then on it says which code to use. Its history stays, and reports count one "
            "person. Keys\n"
            "and mandates of the first are given anew for the second. A safeguarding hold goes "
            "over.\n"
            "\n"
            "  --into CODE    the account that goes on\n"
            "  --balance TIME   what you saw on the first: refused if it is not so\n"
            "  --over-limit   insist although a limit is passed\n",
    .run = merge_run,
};

static int unmerge_run(struct client *client, int argc, char **argv) {
    char *words[2];
    bool over_limit = false;
    const struct options_one options[] = {OPTION_FLAG("over-limit", &over_limit), OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_account_unmerge, argc, argv, options, 2, 2, words);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_UNMERGE;
    order.why = words[1];
    order.override = over_limit ? TB_OVERRIDE_LIMITS : 0;
    return record_on_entry(client, words[0], &order);
}

const struct verb verb_account_unmerge = {
    .name = "account unmerge",
    .summary = "take a merge back",
    .help = "timebank account unmerge 1042 \"two people after all\"\n"
            "\n"
            "Moves back what the merge of that entry moved, and opens the account again.\n"
            "\n"
            "  --over-limit   insist although a limit is passed\n",
    .run = unmerge_run,
};
