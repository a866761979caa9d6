/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of byte strings that only grows. It promises each key one number for as long as the
 * table lives; it leaves the meaning of the numbers to its owner.
 */
#include "intern.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64

/* FNV-1a, then the finish of MurmurHash3: codes differ in their last digits only. */
static uint64_t hash_key(const uint8_t *key, size_t n) {
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ key[i]) * 1099511628211u;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

static size_t key_bytes(const struct intern *intern, uint32_t number) {
    return intern->starts[number + 1] - intern->starts[number] - 1;
}

/* The slot that holds the key, or the empty one where it belongs. */
static size_t find_slot(const struct intern *intern, const void *key, size_t n) {
    size_t mask = intern->n_slots - 1;
    for (size_t i = hash_key(key, n) & mask;; i = (i + 1) & mask) {
        uint32_t slot = intern->slots[i];
        if (slot == 0)
            return i;
        if (key_bytes(intern, slot - 1) == n &&
            memcmp(intern->text + intern->starts[slot - 1], key, n) == 0)
            return i;
    }
}

int intern_grow(void **array, size_t n, size_t *n_allocated, size_t element_bytes) {
    if (n < *n_allocated)
        return 0;
    size_t n_more = MAX_OF(2 * *n_allocated, n + 16);
    void *more = reallocarray(*array, n_more, element_bytes);
    if (!more)
        return -ENOMEM;
    *array = more;
    *n_allocated = n_more;
    return 0;
}

static int grow_slots(struct intern *intern) {
    if (intern->n_slots > 2 * (size_t)intern->n_keys)
        return 0;
    struct intern grown = *intern;
    grown.n_slots = MAX_OF(2 * intern->n_slots, (size_t)SLOTS_FIRST);
    grown.slots = calloc(grown.n_slots, sizeof(*grown.slots));
    if (!grown.slots)
        return -ENOMEM;
    for (uint32_t i = 0; i < intern->n_keys; i++)
        grown.slots[find_slot(&grown, intern->text + intern->starts[i], key_bytes(intern, i))] =
            i + 1;
    free(intern->slots);
    *intern = grown;
    return 0;
}

static int append_key(struct intern *intern, const void *key, size_t n) {
    size_t start = intern->n_keys > 0 ? intern->starts[intern->n_keys] : 0;
    void *text = intern->text, *starts = intern->starts;
    int r = intern_grow(&text, start + n, &intern->n_text_allocated, 1);
    intern->text = text;
    if (r == 0)
        r = intern_grow(&starts, (size_t)intern->n_keys + 1, &intern->n_starts_allocated,
                        sizeof(*intern->starts));
    intern->starts = starts;
    if (r < 0)
        return r;
    memcpy(intern->text + start, key, n);
    intern->text[start + n] = '\0';
    intern->starts[intern->n_keys] = start;
    intern->starts[++intern->n_keys] = start + n + 1;
    return 0;
}

int intern_number(struct intern *intern, const void *key, size_t n, uint32_t *ret) {
    int r = grow_slots(intern);
    if (r < 0)
        return r;
    size_t slot = find_slot(intern, key, n);
    if (intern->slots[slot] == 0) {
        if (intern->n_keys == INTERN_NONE - 1)
            return -ENOMEM;
        r = append_key(intern, key, n);
        if (r < 0)
            return r;
        intern->slots[slot] = intern->n_keys;
    }
    *ret = intern->slots[slot] - 1;
    return 0;
}

int intern_text_number(struct intern *intern, const char *text, uint32_t *ret) {
    return intern_number(intern, text, strlen(text), ret);
}

uint32_t intern_find(const struct intern *intern, const void *key, size_t n) {
    if (intern->n_slots == 0)
        return INTERN_NONE;
    uint32_t slot = intern->slots[find_slot(intern, key, n)];
    return slot == 0 ? INTERN_NONE : slot - 1;
}

const char *intern_text(const struct intern *intern, uint32_t number) {
    assert(number < intern->n_keys);
    return intern->text + intern->starts[number];
}

void intern_fini(struct intern *intern) {
    free(intern->text);
    free(intern->starts);
    free(intern->slots);
    *intern = (struct intern){0};
}
