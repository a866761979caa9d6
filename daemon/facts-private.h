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
int facts_number_person(struct facts *facts, uint32_t account, const char *name,
                        uint32_t *ret) TB_MUST_CHECK;

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

/* facts-block.c: rows join their blocks. */
int facts_block_add_line(struct facts *facts, const struct fact_order *order,
                         const struct fact *fact, uint32_t number) TB_MUST_CHECK;
/* A leg or a flow; its index is the record's that gave it effect. */
int facts_block_add_moved(struct facts *facts, const struct fact_aside *moved) TB_MUST_CHECK;
void facts_block_fini(struct facts *facts);

/* facts-move.c: what was kept aside for an order joins, as of now; or is dropped. */
int facts_move_join(struct facts *facts, uint32_t order) TB_MUST_CHECK;
void facts_move_drop(struct facts *facts, uint32_t order);

/* facts-known.c: accounts, tags and dates of entry, as known by position. */
int facts_known_order(struct facts *facts, const struct facts_reading *reading) TB_MUST_CHECK;
int facts_known_effect(struct facts *facts, const struct fact_entered *entered) TB_MUST_CHECK;
/* The later of two dates of entry, whether claims are believed or not; index of the first. */
struct fact_entered facts_known_later(const struct fact_entered *own,
                                      const struct fact_entered *about);
