/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that lets a third person see what the bank showed us: the sentence, both signed heads, and
 * the request and reply as they travelled.
 */
#pragma once

#include "bank.h"

/* Writes evidence/TIME-RANDOM.txt (0600); bank->evidence is its path, or NULL when it could not be
 * written. */
void evidence_write(struct tb_bank *bank, const char *sentence, const void *checkpoint, size_t n);
