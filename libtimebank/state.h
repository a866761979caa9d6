/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the library keeps what must outlive a process: the state directory, with pins/, outbox/ and
 * evidence/ in it. Made with mode 0700 when first needed.
 */
#pragma once

#include "bank.h"

/* Makes the folder in the state directory and gives its path; the caller's. Sets the bank's
 * sentence. */
int state_folder(struct tb_bank *bank, const char *folder, char **ret_path) TB_MUST_CHECK;
/* folder/NAME likewise. */
int state_path(struct tb_bank *bank, const char *folder, const char *name,
               char **ret_path) TB_MUST_CHECK;
/* Opens the lock file (made if missing) and waits for its lock. */
int state_lock(const char *path, int *ret_fd) TB_MUST_CHECK;
