/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Largest remainder in whole numbers: no rounding of a rounding, no floating point, and the same
 * parts on every machine. Ties go by place, so the order of the lines decides.
 */
#include "split.h"

#include <assert.h>

/* How many remainders come before that of place i. */
static size_t rank(const unsigned __int128 *remainders, size_t n, size_t i) {
    size_t before = 0;

    for (size_t j = 0; j < n; j++)
        before +=
            remainders[j] > remainders[i] || (j < i && remainders[j] == remainders[i]) ? 1 : 0;
    return before;
}

void split_shares(uint64_t total, const uint64_t *weights, size_t n, uint64_t *ret_parts) {
    unsigned __int128 remainders[SPLIT_MAX], sum = 0;
    uint64_t left = total;

    assert(n <= SPLIT_MAX);
    for (size_t i = 0; i < n; i++)
        sum += weights[i];
    assert(sum > 0);
    for (size_t i = 0; i < n; i++) {
        unsigned __int128 product = (unsigned __int128)total * weights[i];
        ret_parts[i] = (uint64_t)(product / sum);
        remainders[i] = product % sum;
        left -= ret_parts[i];
    }
    assert(left < n);
    for (size_t i = 0; left > 0 && i < n; i++)
        ret_parts[i] += rank(remainders, n, i) < left ? 1 : 0;
}
