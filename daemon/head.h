/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head file: the last signed heads, outside the store, because a damaged meta page makes the
 * store open an older snapshot without a word. Two slots of 4 KiB are overwritten in turn:
 *
 *   sequence u64 · inode of the ledger's file u64 · machine id [16] · n u32 · checkpoint [n] ·
 * zeros · SHA-256 of the first 4,064 bytes
 *
 * Inode and machine id tell a directory that was copied or moved from the one that signed.
 */
#pragma once

#include "base/cleanup.h"
#include "proto/note.h"

#define HEAD_SLOT_BYTES 4096
#define HEAD_SLOTS 2
#define HEAD_MACHINE_BYTES 16

struct head_slot {
    uint64_t sequence; /* from 1; its slot is sequence % 2 */
    uint64_t inode;
    uint8_t machine[HEAD_MACHINE_BYTES];
    char checkpoint[NOTE_CHECKPOINT_MAX + 1];
    size_t n_checkpoint;
};

/* Of this machine: /etc/machine-id, or zeros where there is none. */
void head_machine(uint8_t ret[HEAD_MACHINE_BYTES]);
/* Makes the file with both slots holding `slot` (sequences 1 and 2). */
int head_create(const char *path, const struct head_slot *slot) TB_MUST_CHECK;
/* Reads both; ret_valid[i] tells whether slot i is whole. -ENOENT, -EUCLEAN for a file of another
 * size. */
int head_read(const char *path, struct head_slot ret_slots[HEAD_SLOTS],
              bool ret_valid[HEAD_SLOTS]) TB_MUST_CHECK;
/* The whole slot with the highest sequence, or NULL. */
const struct head_slot *head_latest(const struct head_slot slots[HEAD_SLOTS],
                                    const bool valid[HEAD_SLOTS]);
/* Overwrites the slot of slot->sequence in an open file and syncs it. */
int head_write(int fd, const struct head_slot *slot) TB_MUST_CHECK;
