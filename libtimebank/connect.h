/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: socket, greeting, proof of our key, the ledger's signed welcome. Nothing that the
 * daemon said is believed before the welcome verified.
 */
#pragma once

#include "bank.h"

/* Splits "unix:PATH" into what the pins go by and what is connected to. */
int connect_set_address(struct tb_bank *bank, const char *address) TB_MUST_CHECK;
/* Reads the key file, or makes a key for the occasion. */
int connect_load_key(struct tb_bank *bank) TB_MUST_CHECK;
/* Makes the link: LINK_GREETING then. Does not wait. */
int connect_begin(struct tb_bank *bank) TB_MUST_CHECK;
/* Goes on with what came before the link is open, and takes it over. LINK_OPEN in the end. */
int connect_take(struct tb_bank *bank, struct reply *reply) TB_MUST_CHECK;
void connect_close(struct tb_bank *bank);
