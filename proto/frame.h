/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame is a u32 length and that many bytes of one protobuf Request or Response. A length is
 * looked at before anything is allocated.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define FRAME_HEAD_BYTES 4
#define FRAME_MAX_BEFORE_WELCOME 4096u
#define FRAME_MAX (2u * 1024 * 1024)
#define FRAME_PART_BYTES (64u * 1024) /* longer replies go in parts */

/* Appends head and payload. */
void frame_put(struct bytes *to, const void *payload, size_t n);
/* Looks for one whole frame at data: 1 with the payload borrowed, 0 not whole yet, -EMSGSIZE when
 * its length is 0 or over max. */
int frame_get(const uint8_t *data, size_t n, size_t max, const uint8_t **ret_payload,
              size_t *ret_n) TB_MUST_CHECK;
