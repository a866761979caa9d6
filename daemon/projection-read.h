/* SPDX-License-Identifier: Apache-2.0 */
/* The log into facts, in reads that end before they are long. */
#pragma once

#include <stdatomic.h>

#include "facts.h"
#include "runs.h"

/* Adds some thousand records behind those that the facts have; *ret_is_behind: there were more.
 * -ECANCELED between two runs: the facts are whole. */
int projection_read_step(struct store *log, struct facts *facts, const atomic_bool *is_cancelled,
                         bool *ret_is_behind) TB_MUST_CHECK;
/* The same, but none behind the first size. */
int projection_read_until(struct store *log, struct facts *facts, uint64_t size,
                          const atomic_bool *is_cancelled, bool *ret_is_behind) TB_MUST_CHECK;
/* Of the first size records. REFUSAL_NO_SUCH_POSITION: not recorded, or in the middle of a batch.
 */
int projection_read_root(struct store *log, uint64_t size, struct hash *ret) TB_MUST_CHECK;
