/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counting arena for protobuf-c: hands out memory until its cap and then NULL, so that a hostile
 * message fails to unpack instead of growing (1 MiB of empty sub-messages becomes 88 MB). Freed as
 * a whole; single frees do nothing.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    ProtobufCAllocator allocator; /* give &arena->allocator to protobuf-c */
    struct arena_block *blocks;
    uint8_t *room; /* borrowed, used before any block */
    size_t n_room;
    size_t n_room_used;
    size_t n_used;
    size_t n_max;
    int r; /* -ENOMEM once something was refused, until the reset */
};

void arena_init(struct arena *arena, size_t max_bytes);
/* Begins in n bytes of the owner's, 16-byte aligned, that stand still as long as the arena. */
void arena_init_in(struct arena *arena, size_t max_bytes, void *room, size_t n);
void *arena_alloc(struct arena *arena, size_t n); /* 16-byte aligned; NULL at the cap */
void arena_reset(struct arena *arena);            /* forgets all; keeps one block for reuse */
void arena_fini(struct arena *arena);
