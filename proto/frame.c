/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting a byte stream into frames and putting frames together. The caller owns buffers, limits
 * and deadlines; nothing here allocates but frame_put, through its buffer.
 */
#include "frame.h"

#include <assert.h>
#include <errno.h>

void frame_put(struct bytes *to, const void *payload, size_t n) {
    assert(n > 0 && n <= UINT32_MAX);
    bytes_put_u32(to, (uint32_t)n);
    bytes_put(to, payload, n);
}

int frame_get(const uint8_t *data, size_t n, size_t max, const uint8_t **ret_payload,
              size_t *ret_n) {
    if (n < FRAME_HEAD_BYTES)
        return 0;
    size_t n_payload = be32_get(data);
    if (n_payload == 0 || n_payload > max)
        return -EMSGSIZE;
    if (n - FRAME_HEAD_BYTES < n_payload)
        return 0;
    *ret_payload = data + FRAME_HEAD_BYTES;
    *ret_n = n_payload;
    return 1;
}
