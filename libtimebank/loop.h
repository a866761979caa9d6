/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What moves calls along: reads what came, gives up what is late, makes the link, sends what may be
 * sent. Nothing here waits; both the blocking form and a caller's own loop turn it.
 */
#pragma once

#include "bank.h"

void loop_step(struct tb_bank *bank);
/* What the bank's descriptor is to be watched for, and for how long: -1 for ever. */
short loop_events(const struct tb_bank *bank, int *ret_timeout_ms);
/* The link is gone or given up, for the reason r: calls are sent again on the next one, or end. */
void loop_lose(struct tb_bank *bank, int r);
