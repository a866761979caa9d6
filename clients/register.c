/* SPDX-License-Identifier: Apache-2.0 */
/* What every listing of a table of the register does, whatever its rows mean. */
#include "register.h"

#include "options.h"

int register_run(struct client *client, const struct verb *verb,
                 const struct register_listing *listing, int argc, char **argv) {
    char *code = NULL;
    const struct options_one options[] = {OPTION_END};
    int r = options_read(verb, argc, argv, options, 0, listing->takes_code, &code);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    const struct tb_register_ask ask = {.code = client_code(code)};
    json_t *rows = json_array();
    r = tb_register_list(client->bank, listing->table, &ask, listing->keep, rows);
    if (r == 0 && listing->none && !client->json && json_array_size(rows) == 0)
        client_line(stdout, "%s", listing->none);
    return client_list_outcome(client, r, rows, listing->tell);
}
