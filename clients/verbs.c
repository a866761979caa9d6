/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of verbs, and how the words after the program's name find one. --help is answered
 * here, and --json is taken out of the words, so that no verb has to.
 */
#include "verbs.h"

#include <string.h>

#include "base/cleanup.h"

const struct verb *const verbs[] = {
    &verb_exchange,
    &verb_earn,
    &verb_log,
    &verb_session,
    &verb_sheet,
    &verb_gift,
    &verb_donate,
    &verb_redeem,
    &verb_reverse,
    &verb_correct,
    &verb_balance,
    &verb_statement,
    &verb_entry_show,
    &verb_receipt,
    &verb_list_quiet,
    &verb_list_deep,
    &verb_list_unconfirmed,
    &verb_list_pending,
    &verb_list_pledges,
    &verb_list_leaving,
    &verb_report_list,
    &verb_report,
    &verb_export,
    &verb_verify,
    &verb_status,
    &verb_backup,
    &verb_issue,
    &verb_grant,
    &verb_advance,
    &verb_pledge,
    &verb_expire,
    &verb_transfer,
    &verb_confirm,
    &verb_accept,
    &verb_decline,
    &verb_withdraw,
    &verb_approve,
    &verb_dispute,
    &verb_decide,
    &verb_trust,
    &verb_list_trusts,
    &verb_desk,
    &verb_hold,
    &verb_capture,
    &verb_release,
    &verb_venue_return,
    &verb_offer_set,
    &verb_offer_list,
    &verb_offer_show,
    &verb_voucher_key,
    &verb_voucher_mint,
    &verb_voucher_print,
    &verb_voucher_check,
    &verb_voucher_show,
    &verb_voucher_redeem,
    &verb_voucher_void,
    &verb_voucher_reissue,
    &verb_voucher_list,
    &verb_account_open,
    &verb_account_list,
    &verb_account_show,
    &verb_account_limit,
    &verb_account_limits,
    &verb_account_freeze,
    &verb_account_thaw,
    &verb_account_close,
    &verb_account_choice,
    &verb_account_leave,
    &verb_account_settle,
    &verb_account_merge,
    &verb_account_unmerge,
    &verb_person_add,
    &verb_person_leave,
    &verb_person_list,
    &verb_mandate_set,
    &verb_mandate_end,
    &verb_mandate_list,
    &verb_safeguard_list,
    &verb_safeguard,
    &verb_erase,
    &verb_activity_add,
    &verb_activity_list,
    &verb_funder_add,
    &verb_funder_list,
    &verb_programme_add,
    &verb_programme_list,
    &verb_period_close,
    &verb_period_list,
    &verb_period_restate,
    &verb_policy_list,
    &verb_policy_set,
    &verb_key_new,
    &verb_key_show,
    &verb_key_grant,
    &verb_key_revoke,
    &verb_key_rotate,
    &verb_key_list,
    &verb_ledger_export,
    &verb_ledger_verify,
    &verb_ledger_witness,
    &verb_ledger_rotate,
    &verb_import,
    NULL,
};

/* Where a group of them begins, for --help. */
static const struct {
    const struct verb *first;
    const char *heading;
} groups[] = {
    {&verb_exchange, "Every day"},
    {&verb_balance, "Looking"},
    {&verb_issue, "Credits of the bank"},
    {&verb_confirm, "Agreement"},
    {&verb_desk, "Venues"},
    {&verb_voucher_key, "Vouchers"},
    {&verb_account_open, "Accounts and people"},
    {&verb_activity_add, "The scheme"},
};

static const char preamble[] =
    "timebank --bank unix:bank/socket --key broker.key exchange --giver m0007 --receiver m0012 "
    "--time 2h30 --activity gardening\n"
    "\n"
    "Records hours in a timebank's ledger and reads them back. Before the verb:\n"
    "  --bank ADDRESS      the bank, unix:DIR/socket (or TIMEBANK)\n"
    "  --key FILE          your secret key (or TIMEBANK_KEY)\n"
    "  --ledger KEY        the ledger's verifier key, to trust no other (or TIMEBANK_LEDGER)\n"
    "  --deadline SECONDS  how long to wait for an outcome; 5\n"
    "  --json              answer for programs; also after the verb\n"
    "  --version, --help\n";

static void heading_tell(FILE *to, const struct verb *verb) {
    for (size_t i = 0; i < N_ELEMENTS(groups); i++)
        if (groups[i].first == verb)
            client_line(to, "%s:", groups[i].heading);
}

/* Lists the verbs whose first word is noun, or all in their groups; how many there were. */
static int verbs_list(FILE *to, const char *noun) {
    int n = 0;
    for (size_t i = 0; verbs[i]; i++) {
        size_t n_noun = strcspn(verbs[i]->name, " ");
        if (noun && (strlen(noun) != n_noun || strncmp(noun, verbs[i]->name, n_noun) != 0))
            continue;
        if (!noun)
            heading_tell(to, verbs[i]);
        client_line(to, "  %-16s %s", verbs[i]->name, verbs[i]->summary);
        n++;
    }
    return n;
}

void verbs_help(FILE *to) {
    fputs(preamble, to);
    fputs("\nVerbs (each has --help):\n", to);
    verbs_list(to, NULL);
    fputs(
        "\nExit status: 0 done, 1 refused, 2 broken, 3 unknown (repeat it: nothing counts twice), "
        "64 wrong usage.\n",
        to);
}

/* How many words of argv name the verb: 0, 1 or 2. */
static int words_match(const struct verb *verb, int argc, char **argv) {
    const char *second = strchr(verb->name, ' ');
    size_t n_first = second ? (size_t)(second - verb->name) : strlen(verb->name);
    if (strlen(argv[0]) != n_first || strncmp(argv[0], verb->name, n_first) != 0)
        return 0;
    if (!second)
        return 1;
    return argc > 1 && strcmp(argv[1], second + 1) == 0 ? 2 : 0;
}

/* True where the words up to "--" hold the option; each is taken out. */
static bool option_take(int *argc, char **argv, const char *option) {
    bool found = false;
    int n = 1;
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (i < *argc)
                argv[n++] = argv[i++];
            break;
        }
        if (strcmp(argv[i], option) == 0)
            found = true;
        else
            argv[n++] = argv[i];
    }
    *argc = n;
    argv[n] = NULL;
    return found;
}

static int no_verb(int argc, char **argv) {
    bool help = strcmp(argv[0], "help") == 0 || option_take(&argc, argv, "--help");
    if (strcmp(argv[0], "help") == 0) {
        verbs_help(stdout);
        return CLIENT_DONE;
    }
    if (verbs_list(help ? stdout : stderr, argv[0]) > 0) {
        if (help)
            return CLIENT_DONE;
        client_line(stderr, "Say which of these you mean; each has --help.");
        return CLIENT_USAGE;
    }
    client_line(stderr, "There is no verb \"%s\": timebank --help lists them.", argv[0]);
    return CLIENT_USAGE;
}

int verbs_run(struct client *client, int argc, char **argv) {
    for (size_t i = 0; verbs[i]; i++) {
        int n_words = words_match(verbs[i], argc, argv);
        if (n_words == 0)
            continue;
        argc -= n_words - 1;
        argv += n_words - 1;
        if (option_take(&argc, argv, "--help")) {
            fputs(verbs[i]->help, stdout);
            return CLIENT_DONE;
        }
        if (option_take(&argc, argv, "--json"))
            client->json = true;
        return verbs[i]->run(client, argc, argv);
    }
    return no_verb(argc, argv);
}
