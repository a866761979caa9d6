/* SPDX-License-Identifier: Apache-2.0 */
/* Whole minutes shared out in proportion, by largest remainder. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SPLIT_MAX 400 /* weights */

/* Shares `total` among n weights of which one at least is not 0: each gets its exact share rounded
 * down, and what is left goes by one minute each to the largest remainders, of equal ones to the
 * first. The parts always sum to the whole, and no part is a whole minute from its share. */
void split_shares(uint64_t total, const uint64_t *weights, size_t n, uint64_t *ret_parts);
