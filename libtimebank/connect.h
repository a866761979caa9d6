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
/* Connects and is welcomed, once; nothing to do when it is already. */
int connect_open(struct tb_bank *bank) TB_MUST_CHECK;
void connect_close(struct tb_bank *bank);
