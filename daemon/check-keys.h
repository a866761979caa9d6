/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For check-ledger.c: the keys of the ledger, gathered from the records as they are gone through,
 * without the rules.
 */
#pragma once

#include "keyring.h"
#include "runs.h"

/* A genesis begins the chain anew, an order of the kind rotate-key goes on with it. -EBADMSG: a
 * record that cannot be read, or a key for which the one before did not sign. */
int check_keys_take(struct state_chain *chain, const struct run *run) TB_MUST_CHECK;
/* Which key must have signed a head of a size; NULL: none was there. */
const uint8_t *check_keys_at(const struct state_chain *chain, uint64_t size);
/* The key that signs now is in the file `path`, or in the one that is to follow it. */
bool check_keys_has_last(const struct state_chain *chain, const char *path, const char *origin);
