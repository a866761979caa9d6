/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank ledger witness: has strangers cosign the head of an export, and tells each one's
 * outcome.
 */
#include "witness-http.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "options.h"
#include "verbs.h"

#define WHY_BYTES 1000

static void outcome_tell(void *user, const char *name, int r, const char *sentence) {
    struct client *client = user;
    if (!client->json) {
        client_line(r == 0 ? stdout : stderr, "%s", sentence);
        return;
    }
    json_t *row = json_pack("{s:o, s:b, s:o}", "witness", client_json_text(name), "cosigned",
                            r == 0, "message", client_json_text(sentence));
    if (row && r > 0)
        json_object_set_new(row, "refused", json_string(tb_refusal_name(r)));
    client_print_json(row);
}

static int witness_run(struct client *client, int argc, char **argv) {
    char *policy = NULL, *ledger = NULL, *directory, why[WHY_BYTES] = "";
    const struct options_one options[] = {OPTION_TEXT("policy", &policy),
                                          OPTION_TEXT("ledger", &ledger), OPTION_END};
    int r = options_read(&verb_ledger_witness, argc, argv, options, 1, 1, &directory);
    if (r != CLIENT_DONE)
        return r;
    struct tb_witness_ask ask = {.verifier_key = ledger ? ledger : client->ledger,
                                 .policy_file = policy ? policy : client->policy_file,
                                 .post = witness_http_post,
                                 .each = outcome_tell,
                                 .user = client};
    if (!ask.verifier_key)
        return client_usage(&verb_ledger_witness,
                            "Say which ledger it is: --ledger KEY, or TIMEBANK_LEDGER.");
    if (!ask.policy_file)
        return client_usage(&verb_ledger_witness,
                            "Say which witnesses to ask: --policy FILE, or TIMEBANK_POLICY.");
    r = client_outcome_why(client, tb_ledger_witness(directory, &ask, why, sizeof(why)), why);
    if (r != CLIENT_DONE)
        return r;
    if (client->json)
        client_print_json(json_pack("{s:o, s:b, s:o}", "directory", client_json_text(directory),
                                    "quorum", true, "message", client_json_text(why)));
    else
        client_line(stdout, "%s", why);
    return CLIENT_DONE;
}

const struct verb verb_ledger_witness = {
    .name = "ledger witness",
    .summary = "have witnesses cosign the head of an export",
    .help = "timebank ledger witness export --policy policy.txt --ledger \"$VKEY\"\n"
            "\n"
            "Asks each witness of the policy that has an address to cosign the head of an export, "
            "and puts their\n"
            "lines into its checkpoint. A witness cosigns only what goes on from what it cosigned "
            "before: so a\n"
            "ledger that goes back, or shows two histories, is found out.\n"
            "\n"
            "  --policy FILE   whom to ask, and how many are enough (or TIMEBANK_POLICY)\n"
            "  --ledger KEY    the ledger's verifier key (or TIMEBANK_LEDGER)\n"
            "\n"
            "Exit status 0 when enough of them cosigned, else 1.\n",
    .run = witness_run,
};
