/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to a batch that is durable, for the first time or again. */
#pragma once

#include "bank.h"
#include "reply.h"

int answer_make(struct bank *bank, const struct reply *reply, struct arena *arena,
                Timebank__Answer *ret_answer) TB_MUST_CHECK;
/* Hashes of a range, or of a proof, as protobuf bytes in the arena. */
int answer_hashes(struct arena *arena, const struct hash *hashes, size_t n,
                  ProtobufCBinaryData **ret, size_t *ret_n) TB_MUST_CHECK;
