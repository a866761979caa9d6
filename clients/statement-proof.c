/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank statement --proof: the file that lets whoever has it add the account up again, and see
 * that nothing was left out. It tells of other members, so only its owner may read it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "statement.h"

static int prove_write(struct client *client, const char *path, const char *proof, size_t n) {
    int r = file_create(path, 0600, proof, n);

    if (r == -EEXIST)
        return client_refuse(client, TB_BAD_FILE, "%s is there already: name a file that is not.",
                             path);
    if (r < 0)
        return client_refuse(client, TB_BAD_FILE,
                             "%s cannot be written: %s. Name a file in a directory of yours.", path,
                             strerror(-r));
    return CLIENT_DONE;
}

static void prove_tell(struct client *client, const char *code, const char *path) {
    if (client->json) {
        client_print_json(json_pack("{s:o, s:o, s:o}", "account", client_json_text(code), "file",
                                    client_json_text(path), "position", client_position(client)));
        return;
    }
    client_line(stdout, "The statement of %s is in %s, every entry with its proof.", code, path);
    client_line(stdout, "Whoever has it checks it without the bank:");
    client_line(stdout, "  timebank verify %s --ledger %s", path,
                tb_bank_verifier_key(client->bank));
}

int statement_prove(struct client *client, const char *code, const char *path) {
    _cleanup_(freep) char *proof = NULL;
    size_t n = 0;
    int r = client_outcome(client, tb_statement_prove(client->bank, code, &proof, &n));

    if (r != CLIENT_DONE)
        return r;
    if (strcmp(path, "-") != 0) {
        r = prove_write(client, path, proof, n);
        if (r == CLIENT_DONE)
            prove_tell(client, code, path);
    } else if (client->json) {
        client_print_json(json_pack("{s:o, s:o, s:o}", "account", client_json_text(code), "proof",
                                    client_json_text(proof), "position", client_position(client)));
    } else {
        fwrite(proof, 1, n, stdout);
    }
    return r;
}
