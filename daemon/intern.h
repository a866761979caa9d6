/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte strings into dense numbers: the first key met is 0, the next new one 1, and so on. Numbers
 * index plain arrays, so that measures count without comparing text. Keys are never forgotten.
 *
 * Text is borrowed and moves when a key is added: use it before the next intern_number().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define INTERN_NONE UINT32_MAX /* no key has this number */

/* All-zero is an empty table. */
struct intern {
    uint32_t n_keys;
    char *text;      /* the keys end to end, each with a NUL behind it */
    size_t *starts;  /* of each key in text; one more than there are keys */
    uint32_t *slots; /* open addressing: number + 1, or 0 */
    size_t n_text_allocated;
    size_t n_starts_allocated;
    size_t n_slots; /* a power of two, at most half full */
};

void intern_fini(struct intern *intern);
/* The key's number, new or known. 0, or -ENOMEM. */
int intern_number(struct intern *intern, const void *key, size_t n, uint32_t *ret) TB_MUST_CHECK;
int intern_text_number(struct intern *intern, const char *text, uint32_t *ret) TB_MUST_CHECK;
/* INTERN_NONE: never met. */
uint32_t intern_find(const struct intern *intern, const void *key, size_t n);
const char *intern_text(const struct intern *intern, uint32_t number);

/* Makes room for one more element behind n, doubling: what every growing table here does. */
int intern_grow(void **array, size_t n, size_t *n_allocated, size_t element_bytes) TB_MUST_CHECK;
