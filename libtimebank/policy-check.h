/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a head carries the cosignatures that a policy file demands, in sentences.
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "proto/note.h"
#include "proto/witness-policy.h"

/* Reads and parses a policy file; *ret_policy is the caller's (free()). TB_BAD_FILE with why
 * where it is none or cannot be read. */
int policy_check_read(const char *file, struct witness_policy **ret_policy, char *why,
                      size_t n_why) TB_MUST_CHECK;
/* 0: the checkpoint, which `log` must have signed, satisfies the policy, and why holds a sentence
 * of what that was. TB_NO_QUORUM, TB_WRONG_LEDGER (the policy names logs, and this is none of
 * them), TB_NOT_VERIFIED (no good checkpoint, or a line of a witness that does not verify),
 * TB_BAD_FILE or a negative errno: why says it. */
int policy_check(const char *file, const struct note_verifier *log, const void *checkpoint,
                 size_t n, char *why, size_t n_why) TB_MUST_CHECK;
/* The same with a policy at hand; ret_cosigned (may be NULL) has bit i for witness i. */
int policy_check_parsed(const struct witness_policy *policy, const struct note_verifier *log,
                        const void *checkpoint, size_t n, uint64_t *ret_cosigned, char *why,
                        size_t n_why) TB_MUST_CHECK;
