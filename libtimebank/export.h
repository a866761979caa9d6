/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger as a directory of C2SP tlog-tiles: `checkpoint`, tile/..., and for auditors
 * tile/entries/...: timebank-receipt(5), EXPORTS. Made by export.c, checked offline by
 * export-check.c.
 */
#pragma once

#include "proto/merkle.h"
#include "verified.h"

#define EXPORT_CHECKPOINT "checkpoint"

/* Checks an export directory, check->path: head, every tile, and the entries where it has any; the
 * head that this user last saw of the ledger, too, where there is one. */
int export_check(struct verified_check *check) TB_MUST_CHECK;
/* For evidence: a reply as a bank gives it to whoever knows an older head, with what leads from
 * that one's size to the checkpoint's. */
int export_pack_position(merkle_lookup lookup, void *user, uint64_t old_size, uint64_t size,
                         const struct bytes *checkpoint, struct bytes *to) TB_MUST_CHECK;
