/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A balance as JSON and in words, for balance and account.
 */
#pragma once

#include "client.h"

/* {"code","kind","minutes","held_minutes","floor_minutes"}; floor null where there is none. */
json_t *balance_json(const struct tb_balance *balance);
/* "m0007 (member) has 5 h 45" and what limits it, on lines of their own. */
void balance_tell(const struct tb_balance *balance);
/* "5 h 45", or "none" where has is 0. */
void balance_limit_format(int has, int64_t minutes, char ret[32]);
/* "-20h", "20 h" as typed: minutes with their sign; tells what is wrong. Exit status. */
int balance_parse(struct client *client, const char *text, int64_t *ret_minutes);
