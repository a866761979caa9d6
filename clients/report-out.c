/* SPDX-License-Identifier: Apache-2.0 */
/* No file is ever written over: a report that left, and its signature, stay what they were. */
#include "report-out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define MODE 0600 /* figures of few people */

static int file_make(struct client *client, const char *path, const void *data, size_t n) {
    int r = file_create(path, MODE, data, n);
    if (r == -EEXIST)
        return client_refuse(client, TB_BAD_FILE,
                             "%s is there already, and is not written over: choose another name.",
                             path);
    if (r < 0)
        return client_refuse(client, TB_BAD_FILE, "%s cannot be written: %s. Choose another place.",
                             path, strerror(-r));
    return CLIENT_DONE;
}

static void tell(struct client *client, const char *path, const char *signature) {
    if (client->json)
        client_print_json(signature ? json_pack("{s:o, s:o}", "file", client_json_text(path),
                                                "signature", client_json_text(signature))
                                    : json_pack("{s:o}", "file", client_json_text(path)));
    else if (signature)
        client_line(stdout, "%s is written, and the ledger's signature of it is %s: keep both.",
                    path, signature);
    else
        client_line(stdout, "%s is written.", path);
}

int report_out_plain(struct client *client, const char *path, const char *text, size_t n) {
    int status = file_make(client, path, text, n);
    if (status == CLIENT_DONE)
        tell(client, path, NULL);
    return status;
}

int report_out_signed(struct client *client, const char *path, const char *json) {
    _cleanup_(freep) char *signature = NULL, *beside = NULL, *text = NULL;
    int status = client_outcome(client, tb_report_last_signature(client->bank, &signature));
    if (status != CLIENT_DONE)
        return status;
    if (asprintf(&beside, "%s.sig", path) < 0 || asprintf(&text, "%s\n", json) < 0)
        return client_outcome(client, -ENOMEM);
    status = file_make(client, beside, signature, strlen(signature));
    if (status != CLIENT_DONE)
        return status;
    status = file_make(client, path, text, strlen(text));
    if (status == CLIENT_DONE)
        tell(client, path, beside);
    else
        unlink(beside);
    return status;
}
