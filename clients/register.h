/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verb that lists a table of the register: its words, the question, the rows as JSON or told.
 */
#pragma once

#include "client.h"

struct register_listing {
    enum tb_register table;
    bool takes_code;  /* one word, the account whose rows are meant; all without it */
    const char *none; /* told a person where there is no row, or NULL */
    /* Appends a row to the JSON array `rows`; 0. */
    int (*keep)(void *rows, const struct tb_register_row *row);
    void (*tell)(const json_t *row);
};

/* Exit status. */
int register_run(struct client *client, const struct verb *verb,
                 const struct register_listing *listing, int argc, char **argv);
