/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids in little over five bytes each. The hash is keyed at random, so that nobody can choose ids
 * that fall together; 16 bits of it tell a wrong record from the right one but for one time in
 * 65,536, and the caller looks at the record anyway.
 */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "facts-private.h"

#define OPEN_SLOTS (2 * FACTS_IDS_RECORDS)

static_assert(crypto_shorthash_KEYBYTES == sizeof(((struct facts_ids *)0)->key), "facts.h says so");
static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "a hash is 64 bits");

int facts_ids_init(struct facts_ids *ids) {
    randombytes_buf(ids->key, sizeof(ids->key));
    ids->slots = calloc(OPEN_SLOTS, sizeof(*ids->slots));
    return ids->slots ? 0 : -ENOMEM;
}

void facts_ids_fini(struct facts_ids *ids) {
    for (size_t i = 0; i < ids->n_chunks; i++)
        if (!ids->chunks[i].is_mapped)
            free((void *)ids->chunks[i].packed);
    free(ids->chunks);
    free(ids->open);
    free(ids->slots);
}

static uint64_t hash_of_id(const struct facts_ids *ids, const uint8_t *id) {
    uint64_t hash;
    crypto_shorthash((uint8_t *)&hash, id, ORDER_ID_BYTES, ids->key);
    return hash;
}

static size_t slot_of(uint64_t hash, size_t n_slots) {
    return (size_t)((hash >> 32) * n_slots >> 32);
}

/* Never 0, which is an empty slot. */
static uint32_t tag_of(uint64_t hash) {
    return MAX_OF((uint32_t)hash & 0xffff, 1u) << 16;
}

static uint32_t slot_get(const uint8_t *slots, size_t i) {
    uint32_t slot;
    memcpy(&slot, slots + i * sizeof(slot), sizeof(slot));
    return slot;
}

static void slot_put(uint8_t *slots, size_t n_slots, const struct fact_id *row) {
    size_t i = slot_of(row->hash, n_slots);
    while (slot_get(slots, i) != 0)
        i = i + 1 == n_slots ? 0 : i + 1;
    uint32_t slot = tag_of(row->hash) | row->place;
    memcpy(slots + i * sizeof(slot), &slot, sizeof(slot));
}

/* The open rows into a table as tight as stays quick. */
static int close_chunk(struct facts_ids *ids) {
    int r = GROW(ids, chunks);
    if (r < 0)
        return r;
    size_t n_slots = ids->n_open + ids->n_open / 3 + 1;
    uint8_t *slots = calloc(n_slots, sizeof(uint32_t));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < ids->n_open; i++)
        slot_put(slots, n_slots, &ids->open[i]);
    ids->chunks[ids->n_chunks++] =
        (struct facts_block){.packed = slots, .n_packed = n_slots * sizeof(uint32_t)};
    ids->n_open = ids->n_slotted = 0;
    memset(ids->slots, 0, OPEN_SLOTS * sizeof(*ids->slots));
    return 0;
}

int facts_ids_put(struct facts_ids *ids, const struct fact_id *row) {
    if (row->place >= FACTS_IDS_RECORDS || ids->n_open == FACTS_IDS_RECORDS)
        return -EUCLEAN;
    int r = GROW(ids, open);
    if (r < 0)
        return r;
    ids->open[ids->n_open++] = *row;
    return 0;
}

int facts_ids_add(struct facts_ids *ids, const uint8_t *id, uint64_t index) {
    int r = 0;
    while (r == 0 && index / FACTS_IDS_RECORDS > ids->n_chunks)
        r = close_chunk(ids);
    struct fact_id row = {hash_of_id(ids, id), (uint32_t)(index % FACTS_IDS_RECORDS)};
    return r == 0 ? facts_ids_put(ids, &row) : r;
}

static int find_in(const uint8_t *slots, size_t n_slots, uint64_t hash, uint64_t first_index,
                   int (*try)(void *user, uint64_t index), void *user, uint64_t *ret_index) {
    size_t i = slot_of(hash, n_slots);
    for (size_t n = 0; n < n_slots; n++, i = i + 1 == n_slots ? 0 : i + 1) {
        uint32_t slot = slot_get(slots, i);
        if (slot == 0)
            return 0;
        if ((slot & 0xffff0000) != tag_of(hash))
            continue;
        int r = try(user, first_index + (slot & 0xffff));
        if (r == 1)
            *ret_index = first_index + (slot & 0xffff);
        if (r != 0)
            return r;
    }
    return 0;
}

int facts_ids_find(struct facts_ids *ids, const uint8_t *id, int (*try)(void *user, uint64_t index),
                   void *user, uint64_t *ret_index) {
    uint64_t hash = hash_of_id(ids, id);
    for (; ids->n_slotted < ids->n_open; ids->n_slotted++)
        slot_put((uint8_t *)ids->slots, OPEN_SLOTS, &ids->open[ids->n_slotted]);
    int r = find_in((const uint8_t *)ids->slots, OPEN_SLOTS, hash,
                    (uint64_t)ids->n_chunks * FACTS_IDS_RECORDS, try, user, ret_index);
    for (size_t i = ids->n_chunks; r == 0 && i-- > 0;) {
        r = facts_block_prove(&ids->chunks[i]);
        if (r == 0)
            r = find_in(ids->chunks[i].packed, ids->chunks[i].n_packed / sizeof(uint32_t), hash,
                        (uint64_t)i * FACTS_IDS_RECORDS, try, user, ret_index);
    }
    return r;
}
