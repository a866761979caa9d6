/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cap counts what is handed out, rounded up to the alignment; what malloc needs on top is
 * bounded by one block's slack per block. Blocks are filled newest first, and a reset keeps the
 * newest.
 */
#include "arena.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "cleanup.h"

#define ALIGNMENT 16u
#define BLOCK_BYTES (16u * 1024)

struct arena_block {
    struct arena_block *next;
    size_t n_used;
    size_t n_total;
    alignas(ALIGNMENT) uint8_t data[];
};

static_assert(offsetof(struct arena_block, data) % ALIGNMENT == 0, "block data is aligned");

static void *allocator_alloc(void *user, size_t n) {
    return arena_alloc(user, n);
}

static void allocator_free(_unused_ void *user, _unused_ void *p) {
}

void arena_init(struct arena *arena, size_t max_bytes) {
    assert(max_bytes <= SIZE_MAX / 2);
    *arena = (struct arena){
        .allocator = {.alloc = allocator_alloc, .free = allocator_free, .allocator_data = arena},
        .n_max = max_bytes,
    };
}

void arena_init_in(struct arena *arena, size_t max_bytes, void *room, size_t n) {
    assert((uintptr_t)room % ALIGNMENT == 0);
    arena_init(arena, max_bytes);
    arena->room = room;
    arena->n_room = n;
}

static struct arena_block *block_new(size_t n) {
    size_t n_total = MAX_OF(n, (size_t)BLOCK_BYTES);
    struct arena_block *block = malloc(sizeof(*block) + n_total);
    if (block) {
        block->n_used = 0;
        block->n_total = n_total;
    }
    return block;
}

static void *arena_fail(struct arena *arena) {
    arena->r = -ENOMEM;
    return NULL;
}

void *arena_alloc(struct arena *arena, size_t n) {
    assert(arena->n_used <= arena->n_max);
    if (n > arena->n_max)
        return arena_fail(arena);
    n = (MAX_OF(n, (size_t)1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (n > arena->n_max - arena->n_used)
        return arena_fail(arena);
    if (n <= arena->n_room - arena->n_room_used) {
        void *p = arena->room + arena->n_room_used;
        arena->n_room_used += n;
        arena->n_used += n;
        return p;
    }
    struct arena_block *block = arena->blocks;
    if (!block || n > block->n_total - block->n_used) {
        block = block_new(n);
        if (!block)
            return arena_fail(arena);
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *p = block->data + block->n_used;
    block->n_used += n;
    arena->n_used += n;
    return p;
}

static void blocks_free(struct arena_block *block) {
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_reset(struct arena *arena) {
    if (arena->blocks) {
        blocks_free(TAKE(arena->blocks->next));
        arena->blocks->n_used = 0;
    }
    arena->n_room_used = 0;
    arena->n_used = 0;
    arena->r = 0;
}

void arena_fini(struct arena *arena) {
    blocks_free(TAKE(arena->blocks));
    arena->n_room_used = 0;
    arena->n_used = 0;
    arena->r = 0;
}
