/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that are read line by line: each line ends with a newline, numbers are decimal without
 * leading zeroes, base64 is canonical. Nothing is copied; every failure is -EBADMSG and leaves what
 * it should fill untouched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "hash.h"

/* Borrowed; not NUL-terminated. */
struct lines {
    const char *text;
    size_t n;
};

struct lines lines_make(const void *data, size_t n);
/* Cuts what stands before the separator off the front, the separator with it; false where there is
 * none. */
bool lines_cut(struct lines *rest, char separator, struct lines *ret);
bool lines_equals(struct lines piece, const char *text);
/* Cuts a word that must stand first, with the space behind it. */
bool lines_cut_word(struct lines *line, const char *word);
int lines_decimal(struct lines piece, uint64_t *ret) TB_MUST_CHECK;
/* Decimal, '-' before negative ones; no "-0". */
int lines_signed_decimal(struct lines piece, int64_t *ret) TB_MUST_CHECK;
/* Base64 of exactly 32 bytes. */
int lines_hash(struct lines piece, struct hash *ret) TB_MUST_CHECK;
/* Appends "base64\n" for each. */
void lines_put_hashes(struct bytes *to, const struct hash *hashes, size_t n);
