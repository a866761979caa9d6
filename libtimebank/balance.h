/* SPDX-License-Identifier: Apache-2.0 */
/* Balances as they come. */
#pragma once

#include "bank.h"

/* Strings stay borrowed from the message. */
void balance_take(const Timebank__Balance *message, struct tb_balance *ret);
