/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries that are in the ledger already, for the verbs that speak of one.
 */
#pragma once

#include "client.h"

/* Reads an entry number as typed and the entry behind it; both tell what is wrong. Exit status. */
int entry_number_read(struct client *client, const char *text, uint64_t *ret_number);
int entry_read(struct client *client, const char *text, struct tb_entry *ret_entry);

/* An order of which the strings that say what moved are the copy's own. */
struct entry_copy {
    struct tb_order order;
    char *strings[8];
};

/* Keeps what a new order of the same kind needs; the rest is as in TB_ORDER_INIT. -ENOMEM. */
int entry_copy_init(struct entry_copy *copy, const struct tb_order *order);
void entry_copy_fini(struct entry_copy *copy);
