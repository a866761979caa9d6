/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consistency proofs out of the tiles of an export: what a witness asks for, without a bank.
 */
#pragma once

#include "proto/merkle.h"
#include "proto/note.h"
#include "tile-files.h"

struct witness_proof {
    struct tile_files files;
    uint64_t size;
    struct witness_proof_level {
        struct tile tile; /* the one that is held; width 0: none yet */
        struct hash hashes[TILE_WIDTH];
    } levels[8];
};

/* Checks that the tiles lead to the head's root: -EBADMSG where they do not. The directory is
 * borrowed; what failed is in files.why. Large: not for the stack. */
int witness_proof_open(struct witness_proof *proof, const char *directory,
                       const struct note_head *head) TB_MUST_CHECK;
/* Appends the proof that the head extends its first old_size records, a base64 hash a line. */
int witness_proof_put(struct witness_proof *proof, uint64_t old_size,
                      struct bytes *to) TB_MUST_CHECK;
