/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of facts share: the record being read, and the tables growing. */
#pragma once

#include "facts.h"

/* The record being read. */
struct facts_reading {
    struct fact_entered entered;
    const Timebank__Order *order; /* or that the event follows from */
    const struct fact_leg *legs;
    size_t n_legs;
    int64_t moved[FACTS_N_PLACES];
    /* What the move is about (INTERN_NONE: no order of ours), when, and as which kind. */
    uint32_t about;
    uint32_t service_day;
    uint16_t kind;
};

#define GROW(facts, array)                                                                         \
    ({                                                                                             \
        void *grown_ = (facts)->array;                                                             \
        int grow_r_ = intern_grow(&grown_, (facts)->n_##array, &(facts)->n_##array##_allocated,    \
                                  sizeof(*(facts)->array));                                        \
        (facts)->array = grown_;                                                                   \
        grow_r_;                                                                                   \
    })

/* facts.c: the account's number, with a row of its own from the first time on; opened later. */
int facts_number_account(struct facts *facts, const char *code, uint32_t *ret) TB_MUST_CHECK;
int facts_open_account(struct facts *facts, const char *code,
                       Timebank__AccountKind kind) TB_MUST_CHECK;

/* facts-order.c: rows, lines and what hangs on them of an order below the register kinds. */
int facts_order_add(struct facts *facts, struct facts_reading *reading) TB_MUST_CHECK;
/* What fell due, of the order with that id. */
int facts_order_event(struct facts *facts, struct facts_reading *reading,
                      const Timebank__Event *event) TB_MUST_CHECK;

/* facts-move.c: sums the legs by place into reading->moved, and keeps what is held. Once a record.
 */
int facts_move_sum(struct facts *facts, struct facts_reading *reading) TB_MUST_CHECK;
/* Keeps the move, if anything moved. */
int facts_move_add(struct facts *facts, const struct facts_reading *reading) TB_MUST_CHECK;
/* What the record did to an account; false: nothing. */
bool facts_move_has(const struct facts *facts, const struct facts_reading *reading,
                    uint32_t account);
