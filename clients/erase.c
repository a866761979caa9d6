/* SPDX-License-Identifier: Apache-2.0 */
/* timebank erase: the right to be forgotten, as far as a ledger has one. */
#include <string.h>

#include "options.h"
#include "record.h"
#include "verbs.h"

static int erase_run(struct client *client, int argc, char **argv) {
    char *code = NULL;
    const struct options_one options[] = {OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_erase, argc, argv, options, 1, 1, &code);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_ERASE;
    order.to = client_code(code);
    return client_record(client, &order);
}

const struct verb verb_erase = {
    .name = "erase",
    .summary = "forget what is known of somebody who left",
    .help = "timebank erase m0007\n"
            "timebank erase m0007/2\n"
            "\n"
            "Destroys what the bank keeps beside the ledger of an account that is settled, or of "
            "one person\n"
            "who left a household: ward, age band, and every reason written to an entry in which "
            "they were a\n"
            "side. The ledger's entries stay, under a code that says nothing, and every proof "
            "still holds.\n"
            "Copies made before, such as backups, are yours to destroy. It cannot be taken back. "
            "Only a\n"
            "steward may.\n",
    .run = erase_run,
};
