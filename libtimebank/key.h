/* SPDX-License-Identifier: Apache-2.0 */
/* A secret key on its way from its file to a signature: whoever asks for one wipes it. */
#pragma once

#include <stddef.h>

#include "proto/sshsig.h"

/* TB_NO_KEY with a sentence in why where the file is not there, not ours alone, encrypted or
 * damaged; ret_secret may hold anything then. */
int key_secret_load(const char *path, uint8_t ret_secret[SSHSIG_SECRET_BYTES], char *why,
                    size_t n_why) TB_MUST_CHECK;
