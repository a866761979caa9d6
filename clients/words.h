/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an order did, as a person reads it: "m0007 gave 2 h 30 to m0012".
 */
#pragma once

#include "client.h"

/* The caller's (free()); NULL on no memory. Without the date. */
char *words_of_order(const struct tb_order *order);
/* With "Wed 5 March 2025: " before it where the kind happens on a day. */
char *words_of_dated_order(const struct tb_order *order);
/* The side of credits; where the kind leaves no choice, the name of the bank's own account. */
const char *words_from(const struct tb_order *order);
const char *words_to(const struct tb_order *order);
