/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank ledger: the ledger as a directory that anybody can watch, brought up to date or checked.
 */
#include <inttypes.h>

#include "options.h"
#include "verbs.h"
#include "verify.h"

static void export_tell(struct client *client, const char *directory, bool with_entries,
                        const struct tb_ledger_export *done) {
    if (client->json) {
        client_print_json(json_pack(
            "{s:o, s:I, s:I, s:I, s:b, s:o}", "directory", client_json_text(directory), "size",
            (json_int_t)done->size, "old_size", (json_int_t)done->old_size, "files",
            (json_int_t)done->files, "entries", with_entries, "position", client_position(client)));
        return;
    }
    if (done->files == 0)
        client_line(stdout, "%s is up to date: %" PRIu64 " records.", directory, done->size);
    else
        client_line(stdout,
                    "%s holds %" PRIu64 " records (%" PRIu64 " more): %" PRIu64 " files written.",
                    directory, done->size, done->size - done->old_size, done->files);
    if (with_entries)
        client_line(stdout, "It says who helped whom: keep it to yourself, and publish an export "
                            "without --entries.");
}

static int export_run(struct client *client, int argc, char **argv) {
    bool with_entries = false;
    char *directory = NULL;
    const struct options_one options[] = {OPTION_FLAG("entries", &with_entries), OPTION_END};
    int r = options_read(&verb_ledger_export, argc, argv, options, 1, 1, &directory);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    struct tb_ledger_export done;
    r = tb_ledger_export(client->bank, directory, with_entries, &done);
    if (r != 0)
        return client_outcome(client, r);
    export_tell(client, directory, with_entries, &done);
    return CLIENT_DONE;
}

const struct verb verb_ledger_export = {
    .name = "ledger export",
    .summary = "the ledger as a directory that anybody can watch",
    .help = "timebank ledger export public/ledger\n"
            "\n"
            "Brings a directory (made when missing) up to the ledger's last published head: its\n"
            "checkpoint and the hashes of its records, as C2SP tlog-tiles, to be put on the web.\n"
            "Only new files are written, and only once they lead from what the directory held to\n"
            "what the ledger signed. Any key may ask.\n"
            "\n"
            "  --entries  the records too, for an auditor's or a steward's key: they say who\n"
            "             helped whom, so the directory must be closed to others and is never\n"
            "             what you publish\n",
    .run = export_run,
};

static int verify_run(struct client *client, int argc, char **argv) {
    return verify_words(client, &verb_ledger_verify, argc, argv);
}

const struct verb verb_ledger_verify = {
    .name = "ledger verify",
    .summary = "check an exported ledger, without the bank",
    .help =
        "timebank ledger verify public/ledger --ledger ely.example/timebank+0a1b2c3d+AbCd...=\n"
        "\n"
        "Checks a directory of timebank ledger export: the signature on its head, that every\n"
        "hash leads to it, and where it holds entries, that each is there as its author signed\n"
        "it. What you saw of the ledger before must be part of it. No bank is asked.\n"
        "\n"
        "  --ledger KEY   the ledger's verifier key, from somebody you trust (or\n"
        "                 TIMEBANK_LEDGER)\n"
        "  --policy FILE  whose cosignatures the head must carry (C2SP tlog-policy;\n"
        "                 or TIMEBANK_POLICY)\n"
        "\n"
        "Exit status: 0 all of it is proven, 1 it is not and a sentence says why.\n",
    .run = verify_run,
};
