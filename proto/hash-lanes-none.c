/* SPDX-License-Identifier: Apache-2.0 */
/* Where the compiler has no instructions for SHA-256, nothing is here. */
#include <stdlib.h>

#include "hash-lanes.h"

bool hash_lanes_are_here(void) {
    return false;
}

void hash_lanes_hide(bool is_hidden) {
    (void)is_hidden;
}

void hash_lanes_each(const void *prefix, size_t n_prefix, const struct iovec *bodies, size_t n,
                     struct hash *ret) {
    (void)prefix, (void)n_prefix, (void)bodies, (void)n, (void)ret;
    abort();
}

void hash_lanes_pairs(uint8_t prefix, const struct hash *pairs, size_t n, struct hash *ret) {
    (void)prefix, (void)pairs, (void)n, (void)ret;
    abort();
}
