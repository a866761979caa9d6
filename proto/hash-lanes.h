/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by the processor's own instructions, of two messages at a time: one message leaves half
 * of their throughput unused, for each round waits for the one before. hash.c asks for it where the
 * processor has it and goes on with libcrypto where not; meson takes hash-lanes-none.c where the
 * compiler knows no such instructions.
 */
#pragma once

#include <stdbool.h>

#include "hash.h"

bool hash_lanes_are_here(void);
/* For tests: as if the processor had them not, or had them again. Not while others hash. */
void hash_lanes_hide(bool is_hidden);

/* What hash_of_each(), hash_of_pairs() and hash_of() promise; only where they are here. */
void hash_lanes_each(const void *prefix, size_t n_prefix, const struct iovec *bodies, size_t n,
                     struct hash *ret);
void hash_lanes_pairs(uint8_t prefix, const struct hash *pairs, size_t n, struct hash *ret);
