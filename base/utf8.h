/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629), strictly: no overlong form, no surrogate, nothing above U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The code point at *at, which is moved past it; -1 where the bytes up to end are not UTF-8.
 * *at < end. */
int32_t utf8_next(const char **at, const char *end);
bool utf8_is_valid(const char *text, size_t n);
/* What Unicode calls White_Space. */
bool utf8_is_space(int32_t point);
/* U+0000 to U+001F and U+007F to U+009F. */
bool utf8_is_control(int32_t point);
