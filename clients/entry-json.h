/* SPDX-License-Identifier: Apache-2.0 */
/* An order's fields as members of a JSON object; what is empty is left out. */
#pragma once

#include "client.h"

void entry_json_put(json_t *object, const struct tb_order *order);
/* The bytes in hex, unless all are zero. */
void entry_json_put_bytes(json_t *object, const char *key, const uint8_t *bytes, size_t n);
