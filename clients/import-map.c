/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linear probing at most half full, FNV-1a. The keys come from the user's own file, so nobody gains
 * from making them collide.
 */
#include "import-map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_text(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

static struct import_slot *slot_find(const struct import_map *map, const char *key) {
    size_t i = (size_t)hash_text(key) & (map->n_slots - 1);

    while (map->slots[i].key && strcmp(map->slots[i].key, key) != 0)
        i = (i + 1) & (map->n_slots - 1);
    return &map->slots[i];
}

static int map_grow(struct import_map *map) {
    struct import_map grown = {.n_slots = map->n_slots ? map->n_slots * 2 : 64, .n = map->n};

    grown.slots = calloc(grown.n_slots, sizeof(*grown.slots));
    if (!grown.slots)
        return -ENOMEM;
    for (size_t i = 0; i < map->n_slots; i++)
        if (map->slots[i].key)
            *slot_find(&grown, map->slots[i].key) = map->slots[i];
    free(map->slots);
    *map = grown;
    return 0;
}

int import_map_put(struct import_map *map, const char *key, uintptr_t value, uintptr_t *ret_value) {
    struct import_slot *slot;
    int r;

    if (2 * (map->n + 1) > map->n_slots) {
        r = map_grow(map);
        if (r < 0)
            return r;
    }
    slot = slot_find(map, key);
    if (!slot->key) {
        slot->key = strdup(key);
        if (!slot->key)
            return -ENOMEM;
        slot->value = value;
        map->n++;
    }
    *ret_value = slot->value;
    return 0;
}

uintptr_t import_map_get(const struct import_map *map, const char *key) {
    return map->n ? slot_find(map, key)->value : 0;
}

void import_map_fini(struct import_map *map) {
    for (size_t i = 0; i < map->n_slots; i++)
        free(map->slots[i].key);
    free(map->slots);
    *map = (struct import_map){0};
}
