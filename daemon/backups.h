/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backups of a ledger that is being served, as directories DIR/backups/NAME: the store, a signed
 * head, the register of people where it is asked for, never a secret key. Each is checked before it
 * has its name. Only timebankd restore makes a ledger of one.
 */
#pragma once

#include <stdbool.h>

#include "head.h"

#define BACKUPS_NAME_MAX 64
/* Under this mark a backup is being made; what a kill left is removed by the next start. */
#define BACKUPS_PART ".part-"

/* Lower-case letters, digits, full stops and hyphens, the first no mark, and not BACKUPS_PART. */
bool backups_name_is_valid(const char *name);
/* A head of a backup: of no file, so that nothing which holds it is ever served. */
void backups_mark(struct head_slot *slot);
bool backups_is_head(const struct head_slot *slot);
/* Of a directory, by its head file; false where that cannot be read. */
bool backups_is_one(const char *directory);
/* Removes a directory with all that is in it, as far as it can. */
void backups_remove(const char *path);
/* Removes the backups in a ledger's directory that were not finished. */
void backups_clean(const char *directory);
