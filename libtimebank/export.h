/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger as a directory of C2SP tlog-tiles: `checkpoint`, tile/..., and for auditors
 * tile/entries/...: timebank-receipt(5), EXPORTS. Made by export.c, checked offline by
 * export-check.c.
 */
#pragma once

#include "verified.h"

#define EXPORT_CHECKPOINT "checkpoint"

/* Checks an export directory, check->path: head, every tile, and the entries where it has any; the
 * head that this user last saw of the ledger, too, where there is one. */
int export_check(struct verified_check *check) TB_MUST_CHECK;
