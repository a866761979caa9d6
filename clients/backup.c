/* SPDX-License-Identifier: Apache-2.0 */
/* timebank backup: has the daemon write and check a backup of the ledger it serves. */
#include <inttypes.h>

#include "options.h"
#include "verbs.h"

#define BACKUP_MS (3600u * 1000u) /* a large ledger takes minutes; --timeout says otherwise */

static void made_tell(struct client *client, const struct tb_backup *backup, bool with_people) {
    json_t *root = client_json_root(backup->root);

    if (client->json) {
        client_print_json(json_pack("{s:o, s:I, s:o, s:I, s:b}", "path",
                                    client_json_text(backup->path), "size",
                                    (json_int_t)backup->size, "root", root, "file_bytes",
                                    (json_int_t)backup->file_bytes, "people", with_people));
        return;
    }
    client_line(stdout, "%s: %" PRIu64 " records, root %s, %" PRIu64 " bytes, checked",
                backup->path, backup->size, json_string_value(root), backup->file_bytes);
    json_decref(root);
    if (with_people)
        client_line(stderr, "It holds wards, age bands and notes: keep it where only stewards can "
                            "read it, and destroy it when somebody is erased.");
    else
        client_line(stderr, "It holds no wards, age bands or notes: --people puts them in.");
}

static int backup_run(struct client *client, int argc, char **argv) {
    bool with_people = false;
    char *name = NULL;
    const struct options_one options[] = {OPTION_FLAG("people", &with_people), OPTION_END};
    struct tb_backup backup;
    int r = options_read(&verb_backup, argc, argv, options, 1, 1, &name);

    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    if (!client->deadline_ms)
        r = tb_bank_set_deadline(client->bank, BACKUP_MS);
    if (r == 0)
        r = tb_backup_make(client->bank, name, with_people, &backup);
    if (r != 0)
        return client_outcome(client, r);
    made_tell(client, &backup, with_people);
    return CLIENT_DONE;
}

const struct verb verb_backup = {
    .name = "backup",
    .summary = "have a backup of the ledger made and checked",
    .help = "timebank backup 2025-03-05\n"
            "timebank backup 2025-03-05-all --people\n"
            "\n"
            "The daemon writes a backup of its ledger into its directory, under backups/NAME, "
            "checks it,\n"
            "and tells its size and root; entries go on meanwhile. A backup of that name is never\n"
            "overwritten. It holds no secret key. With --people it also holds the register of "
            "people;\n"
            "without, a restore has the accounts and balances, but no wards, age bands and notes.\n"
            "Copy it to another machine. Only timebankd restore makes a ledger of it, under "
            "another\n"
            "name: see timebankd(8). Stewards only.\n",
    .run = backup_run,
};
