/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints whose signature this thread found right lately: the banks that a program holds open
 * at one ledger are shown the same heads. Whoever brings the same bytes under the same key has the
 * same answer; all of both are compared.
 */
#pragma once

#include "proto/note.h"

#define OPENED_CHECKPOINTS 8u
#define OPENED_BYTES_MAX 1024u /* a longer one, with lines of witnesses, is opened each time */

/* As note_checkpoint_open(). */
int opened_checkpoint(const void *data, size_t n, const struct note_verifier *verifier,
                      struct note_head *ret) TB_MUST_CHECK;
