/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of a fake bank: where they keep what, and what they send. */
#pragma once

#include "timebank.h"

#define CLIENT_PATH_BYTES 128

/* Where a client's state and its key lie in a directory; the key is made. */
void client_state_begin(const char *directory, char ret_state[CLIENT_PATH_BYTES],
                        char ret_key[CLIENT_PATH_BYTES]);
/* Not open yet. */
struct tb_bank *client_state_bank(const char *state, const char *key, unsigned deadline_ms);
/* n exchanges of m1, of 60 minutes, 61, and so on. */
struct tb_batch *client_state_batch(struct tb_bank *bank, unsigned n, const char *to);
/* Files of a folder of a client's state whose names begin so; in the outbox, the batches that wait
 * in them. */
size_t client_state_files(const char *state, const char *folder, const char *prefix);
