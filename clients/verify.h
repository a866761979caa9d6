/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a path without a bank, for each verb that does: the words of the verb, exit status. */
#pragma once

#include "client.h"

int verify_words(struct client *client, const struct verb *verb, int argc, char **argv);
/* Asks the bank for a report that was verified once more, and compares; the sentence that says so.
 */
int verify_again(struct client *client, const char *path, const char **ret_said);
