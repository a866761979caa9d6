/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* Files of a folder of a client's state whose names begin so; in the outbox, the batches that wait
 * in them. */
size_t client_state_files(const char *state, const char *folder, const char *prefix);
