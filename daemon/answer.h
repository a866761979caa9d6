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

/* Balances of an answer over n orders, put one by one; what `who` may not read is left out. */
struct answer_balances {
    struct bank *bank;
    struct arena *arena;
    Timebank__Answer *answer;
};
int answer_balances_begin(struct answer_balances *balances, struct bank *bank, struct arena *arena,
                          size_t n, Timebank__Answer *answer) TB_MUST_CHECK;
int answer_balances_put(struct answer_balances *balances, const struct ledger_author *who,
                        uint32_t place, uint8_t side, const char *code,
                        int64_t after) TB_MUST_CHECK;
