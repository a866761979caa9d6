/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is asking, and what may they do: one table of requests and roles. What a role may record is
 * in the table of kinds (kinds.c); what a key may read of one account is decided here, too.
 */
#pragma once

#include <stdbool.h>

#include "ledger.h"

/* What a role may do with a request. */
enum access_right {
    ACCESS_NO = 0,
    ACCESS_OWN, /* of the key's own account only: the handler looks */
    ACCESS_ALL,
};

enum access_right access_right(Timebank__Role role, Timebank__Request__BodyCase request);
/* True for a request in the table (a hello is none). */
bool access_knows(Timebank__Request__BodyCase request);
/* Does the key act for this account: its own, or one that its account holds a mandate for today? */
bool access_acts_for(struct state *state, uint32_t today, const struct ledger_author *who,
                     const char *code);
/* May the author read this account's balance? */
bool access_may_read(struct state *state, uint32_t today, const struct ledger_author *who,
                     const char *code);
bool access_is_broker(const struct ledger_author *who);
