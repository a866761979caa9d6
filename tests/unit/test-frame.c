/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in and out, and lengths that lie. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "proto/frame.h"

TestSuite(frame, .timeout = 10);

Test(frame, comes_out_as_it_went_in) {
    _cleanup_bytes_ struct bytes b = {0};
    const uint8_t *payload = NULL;
    size_t n = 0;
    frame_put(&b, "hello", 5);
    frame_put(&b, "x", 1);
    cr_assert(b.r == 0 && b.n == 14);
    cr_assert(memcmp(b.data, "\0\0\0\5hello\0\0\0\1x", 14) == 0);
    cr_assert(frame_get(b.data, b.n, FRAME_MAX, &payload, &n) == 1);
    cr_assert(payload == b.data + FRAME_HEAD_BYTES && n == 5);
    cr_assert(frame_get(b.data + 9, b.n - 9, FRAME_MAX, &payload, &n) == 1);
    cr_assert(n == 1 && *payload == 'x');
}

Test(frame, waits_until_it_is_whole) {
    const uint8_t data[] = {0, 0, 0, 3, 'a', 'b', 'c'};
    const uint8_t *payload = NULL;
    size_t n = 77;
    for (size_t i = 0; i < sizeof(data); i++)
        cr_assert(frame_get(data, i, FRAME_MAX, &payload, &n) == 0 && !payload && n == 77);
    cr_assert(frame_get(data, sizeof(data), FRAME_MAX, &payload, &n) == 1 && n == 3);
}

Test(frame, refuses_a_length_before_anything_has_come) {
    const uint8_t empty[] = {0, 0, 0, 0}, huge[] = {0xff, 0xff, 0xff, 0xff},
                  over[] = {0, 0, 0x10, 1}, just[] = {0, 0, 0x10, 0};
    const uint8_t *payload = NULL;
    size_t n = 77;
    cr_assert(frame_get(empty, 4, FRAME_MAX, &payload, &n) == -EMSGSIZE);
    cr_assert(frame_get(huge, 4, FRAME_MAX, &payload, &n) == -EMSGSIZE);
    cr_assert(frame_get(over, 4, FRAME_MAX_BEFORE_WELCOME, &payload, &n) == -EMSGSIZE);
    cr_assert(frame_get(just, 4, FRAME_MAX_BEFORE_WELCOME, &payload, &n) == 0);
    cr_assert(!payload && n == 77);
}
