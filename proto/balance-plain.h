/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The question that is asked most, and its answer, written and read without protobuf-c's tables: a
 * Request for one account's balance, and a Response that holds a balance and a position of no more
 * than a size. What is written is byte for byte what protobuf-c packs. What is read is what
 * protobuf-c would unpack, or is left to it: everything that is not in this plainest form.
 */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "timebank.pb-c.h"

/* Appends a Request of a balance without tag and known size. */
void balance_plain_put_request(const char *code, struct bytes *to);
/* NULL: not in the plain form, or no room in the arena. */
Timebank__Request *balance_plain_get_request(const uint8_t *data, size_t n, struct arena *arena);
/* false: nothing was put, the Response is none of the plain form. The buffer's sticky error tells
 * of memory. */
bool balance_plain_put_response(const Timebank__Response *response, struct bytes *to);
/* NULL: not in the plain form, or no room in the arena. */
Timebank__Response *balance_plain_get_response(const uint8_t *data, size_t n, struct arena *arena);
