/* SPDX-License-Identifier: Apache-2.0 */
/* Text to a pointer or number: an open-addressing table that only grows. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct import_slot {
    char *key;
    uintptr_t value;
};

/* All-zero is an empty map. */
struct import_map {
    struct import_slot *slots;
    size_t n_slots; /* a power of two, or 0 */
    size_t n;
};

/* Puts value where the key is new, and gives the key's value either way: *ret_value differs from
 * value where another stood before. Keys are copied. 0 or -ENOMEM. */
int import_map_put(struct import_map *map, const char *key, uintptr_t value, uintptr_t *ret_value);
/* 0 where there is none: do not put 0. */
uintptr_t import_map_get(const struct import_map *map, const char *key);
void import_map_fini(struct import_map *map);
