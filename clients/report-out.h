/* SPDX-License-Identifier: Apache-2.0 */
/* A report as a file, and the ledger's signature of it in another beside it: both or neither. */
#pragma once

#include "client.h"

/* Of the JSON that the bank gave last: writes it with a newline to path, and to path and ".sig" the
 * signature as ssh-keygen writes it. Exit status, told. */
int report_out_signed(struct client *client, const char *path, const char *json);
/* Any other form, as it is. */
int report_out_plain(struct client *client, const char *path, const char *text, size_t n);
