/* SPDX-License-Identifier: Apache-2.0 */
/* Standard base64 with padding (RFC 4648 section 4), strict on the way in: canonical bits, no
 * space. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define TEXT64_CHARS(n_bytes) (((n_bytes) + 2) / 3 * 4)

/* Appends. */
void text64_encode(struct bytes *to, const void *data, size_t n);
/* Decodes n characters, appending; -EBADMSG when not canonical. */
int text64_decode(struct bytes *to, const char *text, size_t n) TB_MUST_CHECK;
/* Lower-case hex, NUL-terminated: ret holds 2 * n + 1. */
void text64_hex(char *ret, const void *data, size_t n);
