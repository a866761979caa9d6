/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts in a directory, so that a start need not read the whole log for them. All of it follows
 * from the log: what is missing, damaged or of another layout is thrown away and made anew.
 *
 *   blocks  TBFACTSB || generation[16], then full blocks and tables of ids as they were packed,
 * each with 16 bytes of a SHA-256 over its key (kind u8, number u32) and itself; appended to, never
 * changed, and read as mapped memory, each block against its checksum when it is first asked for
 *   head    TBFACTSH || layout u32 || generation[16] || key of ids[16] || root of the log[32] ||
 *           bytes of `blocks` u64 || four times a number u64 of places, each offset u64, bytes u64
 * || sections (facts-sections.h), each bytes u64 and those || SHA-256 of all before; replaced as a
 * whole after `blocks` is synced
 *
 * Not an LMDB environment: a damaged one may stop the process that reads it, and this is looked at
 * by the daemon itself.
 */
#pragma once

#include "facts.h"
#include "proto/hash.h"

struct facts_file;

/* Makes the directory where it is not there. Nothing is read yet. layout: whatever else the facts
 * follow from. reserve_bytes are left free on the disk. */
int facts_file_open(struct facts_file **ret, const char *directory, uint32_t layout,
                    uint64_t reserve_bytes) TB_MUST_CHECK;
struct facts_file *facts_file_close(struct facts_file *file);
DEFINE_CLEANUP(struct facts_file *, facts_file_close)

/* Facts as they were saved, which lean on the file until it is closed, and the log's root at their
 * n_records. -ENOENT: none are there. -EUCLEAN: not to be used. */
int facts_file_load(struct facts_file *file, struct facts **ret,
                    struct hash *ret_root) TB_MUST_CHECK;
/* After an error nothing of what is in memory has changed; the file is to be discarded. */
int facts_file_save(struct facts_file *file, struct facts *facts,
                    const struct hash *root) TB_MUST_CHECK;
/* Forgets what is there; no facts lean on it any more. */
void facts_file_discard(struct facts_file *file);
uint64_t facts_file_bytes(const struct facts_file *file);
/* Is all that the facts lean on still there? What somebody cut off must not be read: to touch
 * mapped memory without a file behind it ends the process. */
bool facts_file_is_whole(const struct facts_file *file);

/* Facts of the same records and key of ids: calls differs() for each section and block that is not
 * the same in both. < 0: could not be compared. */
int facts_file_compare(struct facts *kept, struct facts *made,
                       void (*differs)(void *user, const char *what, uint64_t number),
                       void *user) TB_MUST_CHECK;
