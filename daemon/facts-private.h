/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of facts share: the record being read, and the tables growing. */
#pragma once

#include "facts-block.h"
#include "facts-pack.h"

/* The record being read. */
struct facts_reading {
    struct fact_entered entered;
    const Timebank__Order *order; /* or that the event follows from */
    const struct fact_leg *legs;
    size_t n_legs;
    int64_t moved[FACTS_N_PLACES];
    /* What the move is about (INTERN_NONE: no order of ours), when, and as which kind; since when
     * that has an effect, and how many minutes it has. */
    uint32_t about;
    uint32_t service_day;
    uint16_t kind;
    struct fact_entered about_entered;
    uint64_t about_minutes;
};

#define GROW(facts, array)                                                                         \
    ({                                                                                             \
        void *grown_ = (facts)->array;                                                             \
        int grow_r_ = intern_grow(&grown_, (facts)->n_##array, &(facts)->n_##array##_allocated,    \
                                  sizeof(*(facts)->array));                                        \
        (facts)->array = grown_;                                                                   \
        grow_r_;                                                                                   \
    })

/* facts.c: the number of a person of an account. */
int facts_number_person(struct facts *facts, uint32_t account, const char *name,
                        uint32_t *ret) TB_MUST_CHECK;

/* facts-order.c: lines and what hangs on them of an order below the register kinds. */
int facts_order_add(struct facts *facts, struct facts_reading *reading) TB_MUST_CHECK;
/* What fell due, of the order with that id. */
int facts_order_event(struct facts *facts, struct facts_reading *reading,
                      const Timebank__Event *event) TB_MUST_CHECK;

static inline void facts_count_minutes(struct facts *facts, uint64_t minutes) {
    if (__builtin_add_overflow(facts->total_minutes, minutes, &facts->total_minutes))
        facts->total_minutes = UINT64_MAX;
}

/* facts-plain.c: an order as most are, by its body: 1. 0: it is not one, and nothing was added. */
int facts_plain_add(struct facts *facts, const struct fact_entered *entered, const uint8_t *body,
                    size_t n, const struct fact_leg *legs, size_t n_legs) TB_MUST_CHECK;

/* facts-move.c: where the credits of such accounts lie. */
enum fact_place facts_move_place(Timebank__AccountKind kind);
/* Sums the legs by place into reading->moved, and keeps what is held. Once a record. */
int facts_move_sum(struct facts *facts, struct facts_reading *reading) TB_MUST_CHECK;
/* Keeps legs and flow, if anything moved. */
int facts_move_add(struct facts *facts, const struct facts_reading *reading) TB_MUST_CHECK;
/* What the record did to an account; false: nothing. */
bool facts_move_has(const struct facts *facts, const struct facts_reading *reading,
                    uint32_t account);

/* facts-block.c: rows join their blocks. */
int facts_block_add_line(struct facts *facts, const struct fact_order *order,
                         const struct fact *fact) TB_MUST_CHECK;
/* Whether the two changes are those of the line added last, of that order; then it says so. */
bool facts_block_is_plain(struct facts *facts, uint32_t number, uint64_t index,
                          const struct fact_change *changes, size_t n);
/* A leg or a flow; its index is the record's that gave it effect. */
int facts_block_add_moved(struct facts *facts, const struct fact_aside *moved) TB_MUST_CHECK;
/* The order's lines: how many there are; the rest only where there are any. */
struct facts_found {
    struct fact_entered entered;
    uint64_t minutes;
    uint32_t service_day;
    uint32_t n_lines;
};
int facts_block_find(const struct facts *facts, uint32_t number,
                     struct facts_found *ret) TB_MUST_CHECK;
void facts_block_fini(struct facts_series *series);
/* Of bytes under a key. */
void facts_block_checksum(const uint8_t key[FACTS_KEY_BYTES], const void *data, size_t n,
                          uint8_t ret[FACTS_CHECKSUM_BYTES]);
/* Reads a mapped one against its checksum, once: -EUCLEAN. */
int facts_block_prove(struct facts_block *block) TB_MUST_CHECK;
/* The three series, for whoever keeps them: columns of their rows, bytes of the rows. */
struct facts_shape {
    const struct facts_column *columns;
    size_t n_columns;
    size_t row_bytes;
};
#define FACTS_N_SERIES 3
extern const struct facts_shape facts_shapes[FACTS_N_SERIES];
static inline struct facts_series *facts_series_get(struct facts *facts, unsigned i) {
    return i == 0 ? &facts->lines : i == 1 ? &facts->legs : &facts->flows;
}
/* Rows of a series out of packed bytes, with their number. -EUCLEAN. */
int facts_block_fill(unsigned series, const void *data, size_t n_data, void *ret) TB_MUST_CHECK;

/* facts-ids.c: where an order's id leads. */
int facts_ids_init(struct facts_ids *ids) TB_MUST_CHECK;
void facts_ids_fini(struct facts_ids *ids);
/* Indices ascend. */
int facts_ids_add(struct facts_ids *ids, const uint8_t *id, uint64_t index) TB_MUST_CHECK;
/* Walks the records that the id may be of, the latest first: try() returns 1 for the one. 0 where
 * it is none, 1 with the record. */
int facts_ids_find(struct facts_ids *ids, const uint8_t *id, int (*try)(void *user, uint64_t index),
                   void *user, uint64_t *ret_index) TB_MUST_CHECK;
/* An open row, as it was read back. */
int facts_ids_put(struct facts_ids *ids, const struct fact_id *row) TB_MUST_CHECK;

/* facts-wait.c: orders that have no effect yet, and what an order is about. */
struct facts_waiting *facts_wait_find(struct facts *facts, uint32_t number);
/* Takes over what was read of the order. */
int facts_wait_add(struct facts *facts) TB_MUST_CHECK;
void facts_wait_end(struct facts *facts, struct facts_waiting *waiting);
void facts_wait_fini(struct facts *facts);
/* Fills what the reading says of its target; 0 there is none, 1. */
int facts_wait_target(struct facts *facts, const ProtobufCBinaryData *id,
                      struct facts_reading *reading) TB_MUST_CHECK;

/* facts-known.c: accounts, tags and dates of entry, as known by position. */
int facts_known_order(struct facts *facts, const struct facts_reading *reading) TB_MUST_CHECK;
int facts_known_effect(struct facts *facts, const struct fact_entered *entered) TB_MUST_CHECK;
/* The later of two dates of entry, whether claims are believed or not; index of the first. */
struct fact_entered facts_known_later(const struct fact_entered *own,
                                      const struct fact_entered *about);
