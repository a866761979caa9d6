/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crockford's base32 with its check symbol (https://www.crockford.com/base32.html): bytes as one
 * big number, most significant symbol first, and after it the number modulo 37. It is what people
 * type from paper: capitals and small letters are one, O is 0, I and L are 1, hyphens and white
 * space are passed over. The check symbol tells any one wrong symbol, and any two exchanged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE32_BYTES_MAX 128
/* With the check symbol, without a NUL. */
#define BASE32_CHARS(n_bytes) (((n_bytes)*8 + 4) / 5 + 1)

/* Upper case, NUL-terminated: ret holds BASE32_CHARS(n) + 1. */
void base32_write(const void *data, size_t n, char *ret);
/* False when the text is not the symbols of n bytes and the check symbol that belongs to them; ret
 * is untouched then. */
bool base32_read(const char *text, size_t n, uint8_t *ret);
