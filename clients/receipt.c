/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank receipt: what the sides of an entry may keep, to be checked by anyone without us.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "entry.h"
#include "options.h"
#include "verbs.h"

#define HEAD_MAX 4000 /* bytes of a checkpoint */

static int head_read(struct client *client, const char *path, char **ret_head) {
    _cleanup_bytes_ struct bytes file = {};
    int r = file_read(path, HEAD_MAX, &file);
    if (r == 0 && memchr(file.data, 0, file.n))
        r = -EBADMSG;
    if (r < 0)
        return client_refuse(client, TB_BAD_FILE,
                             "%s cannot be read as a head: %s. Name a file with a checkpoint.",
                             path, strerror(-r));
    *ret_head = bytes_take_text(&file);
    return *ret_head ? CLIENT_DONE : client_outcome(client, -ENOMEM);
}

static void written_tell(struct client *client, uint64_t entry, const char *directory) {
    if (client->json) {
        client_print_json(json_pack("{s:I, s:o, s:o}", "entry", (json_int_t)entry, "directory",
                                    client_json_text(directory), "position",
                                    client_position(client)));
        return;
    }
    client_line(stdout,
                "The receipt of entry %llu is in %s: its README says how anyone can check it.",
                (unsigned long long)entry, directory);
}

static int receipt_write(struct client *client, const struct tb_receipt *receipt, uint64_t entry,
                         const char *directory) {
    char why[512] = "";
    int r = tb_receipt_write(receipt, directory, why, sizeof(why));
    if (r == -EEXIST)
        return client_refuse(client, TB_BAD_FILE, "%s", why);
    if (r != 0)
        return client_outcome_why(client, r, why);
    written_tell(client, entry, directory);
    return CLIENT_DONE;
}

static int receipt_print(struct client *client, const struct tb_receipt *receipt, uint64_t entry) {
    _cleanup_(freep) char *proof = NULL;
    int r = tb_receipt_proof(receipt, &proof);
    if (r != 0)
        return client_outcome(client, r);
    if (client->json)
        client_print_json(json_pack("{s:I, s:o, s:o}", "entry", (json_int_t)entry, "proof",
                                    client_json_text(proof), "position", client_position(client)));
    else
        fputs(proof, stdout);
    return CLIENT_DONE;
}

static int receipt_ask(struct client *client, uint64_t entry, const char *head,
                       const char *directory) {
    struct tb_receipt *receipt = NULL;
    int r = client_open(client);
    if (r == CLIENT_DONE)
        r = client_outcome(client, tb_receipt_get(client->bank, entry, head, &receipt));
    if (r == CLIENT_DONE)
        r = directory ? receipt_write(client, receipt, entry, directory)
                      : receipt_print(client, receipt, entry);
    tb_receipt_free(receipt);
    return r;
}

static int run(struct client *client, int argc, char **argv) {
    char *number = NULL, *out = NULL, *head_path = NULL;
    _cleanup_(freep) char *head = NULL;
    uint64_t entry = 0;
    const struct options_one options[] = {OPTION_TEXT("out", &out), OPTION_TEXT("head", &head_path),
                                          OPTION_END};
    int r = options_read(&verb_receipt, argc, argv, options, 1, 1, &number);
    if (r == CLIENT_DONE)
        r = entry_number_read(client, number, &entry);
    if (r == CLIENT_DONE && head_path)
        r = head_read(client, head_path, &head);
    return r == CLIENT_DONE ? receipt_ask(client, entry, head, out) : r;
}

const struct verb verb_receipt = {
    .name = "receipt",
    .summary = "proof of an entry that anyone can check",
    .help =
        "timebank receipt 1042 --out receipt-1042\n"
        "\n"
        "Makes a directory with the entry as it stands in the ledger, its author's signature, and\n"
        "the proofs that it is there under a signed head. Its README says how to check it with\n"
        "openssl and ssh-keygen, without us. A member has receipts of entries of the own account.\n"
        "Without --out one proof goes to standard output, with the entry in its line extra.\n"
        "  --out DIRECTORY  made new\n"
        "  --head FILE      under this head of the ledger, an older or a witnessed one; the "
        "newest\n",
    .run = run,
};
