/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts as a report reads them: lines in columns, block by block, in the order in which they
 * took effect. A line never changes once it stands in a block; what takes it back stands among the
 * reversals. An order of no minutes at all has no lines. A zone says what a block holds, so that a
 * report of one year passes the others over.
 *
 * Blocks may be read by several threads at once, while nobody adds.
 */
#pragma once

#include "facts.h"

#define FACTS_BLOCK_LINES 2048
/* Columns of a power of two would all begin in one set of the nearest cache, which holds a few. */
#define FACTS_BLOCK_ROOM (FACTS_BLOCK_LINES + 16)

struct fact_zone {
    uint32_t n_lines;
    uint64_t first_index; /* records that gave effect to the first and the last line */
    uint64_t last_index;
    uint32_t first_service_day; /* earliest and latest date of service */
    uint32_t last_service_day;
    uint32_t first_entered_day; /* earliest and latest date of entry, recorded or claimed */
    uint32_t last_entered_day;
    uint32_t first_order; /* smallest and greatest number of an order; a proposal's is an old one */
    uint32_t last_order;
};

enum fact_flag {
    FACT_FURTHER = 1,  /* not the first line of its order, which stands for the entry */
    FACT_INSISTED = 2, /* recorded although it looks like another */
    FACT_SEVERAL = 4,  /* its order has several lines: nothing is taken back of it in part */
    FACT_PLAIN = 8,    /* its legs follow from it: all from one account to the other */
};

struct fact_lines {
    uint32_t n;
    uint64_t index[FACTS_BLOCK_ROOM]; /* record that gave effect */
    uint64_t entry[FACTS_BLOCK_ROOM]; /* record of the order */
    uint64_t minutes[FACTS_BLOCK_ROOM];
    uint32_t
        order[FACTS_BLOCK_ROOM]; /* its number: ascends with entry, has gaps, indexes nothing */
    uint32_t service_day[FACTS_BLOCK_ROOM];
    uint32_t recorded_day[FACTS_BLOCK_ROOM];
    uint32_t claimed_day[FACTS_BLOCK_ROOM]; /* 0: none */
    uint32_t from[FACTS_BLOCK_ROOM];        /* accounts; INTERN_NONE: empty */
    uint32_t to[FACTS_BLOCK_ROOM];
    uint32_t from_person[FACTS_BLOCK_ROOM];
    uint32_t to_person[FACTS_BLOCK_ROOM];
    uint32_t activity[FACTS_BLOCK_ROOM];
    uint32_t label[FACTS_BLOCK_ROOM];     /* issue: funder; redeem: offer, as venue/name */
    uint32_t programme[FACTS_BLOCK_ROOM]; /* issue; INTERN_NONE: not an issue */
    uint32_t adults[FACTS_BLOCK_ROOM];
    uint32_t under16[FACTS_BLOCK_ROOM];
    int32_t rounded_minutes[FACTS_BLOCK_ROOM]; /* credited less typed; 0 on further lines */
    uint16_t kind[FACTS_BLOCK_ROOM];           /* as measures see it */
    uint8_t flags[FACTS_BLOCK_ROOM];           /* sum of enum fact_flag */
};

size_t facts_n_blocks(const struct facts *facts);
const struct fact_zone *facts_zone(const struct facts *facts, size_t block);
/* Every column of a block. 0, or -EUCLEAN where what is kept is damaged. */
int facts_read_block(const struct facts *facts, size_t block, struct fact_lines *ret) TB_MUST_CHECK;
/* index, entry and order, and more where asked; the others are left as they are. */
enum fact_columns {
    FACT_COLUMNS_KNOWN = 1, /* recorded_day, claimed_day */
    FACT_COLUMNS_PAST = 2,  /* minutes, service_day, persons, kind, flags */
    FACT_COLUMNS_LEGS = 4, /* from, to, minutes, service_day, flags: of FACT_PLAIN lines the legs */
};
int facts_read_columns(const struct facts *facts, size_t block, unsigned columns,
                       struct fact_lines *ret) TB_MUST_CHECK;

/* What each record did to what each account has (with what is held for it; transit has nothing), so
 * that the accounts' minutes add up to those of their place. Blocks come in no order, and a zone
 * may speak of more than its block holds. A line has
 * the date of entry of the record or of the order that it is about, whichever is later: what is not
 * known of that is not known of this. What is about something that never took effect is not here.
 */
struct fact_leg_lines {
    uint32_t n;
    uint64_t index[FACTS_BLOCK_ROOM];
    int64_t minutes[FACTS_BLOCK_ROOM];
    uint32_t account[FACTS_BLOCK_ROOM]; /* of the facts */
    uint32_t order[FACTS_BLOCK_ROOM];   /* that it is about, or INTERN_NONE */
    uint32_t service_day[FACTS_BLOCK_ROOM];
    uint32_t recorded_day[FACTS_BLOCK_ROOM];
    uint32_t claimed_day[FACTS_BLOCK_ROOM];
};

size_t facts_n_leg_blocks(const struct facts *facts);
/* The first blocks hold those that follow from a line (FACT_PLAIN). */
size_t facts_n_plain_leg_blocks(const struct facts *facts);
const struct fact_zone *facts_leg_zone(const struct facts *facts, size_t block);
int facts_read_legs(const struct facts *facts, size_t block,
                    struct fact_leg_lines *ret) TB_MUST_CHECK;

/* What a record moved between places (enum fact_place), likewise: only where something moved, and
 * of the same dates of entry as legs. */
struct fact_flow_lines {
    uint32_t n;
    uint64_t index[FACTS_BLOCK_ROOM];
    int64_t minutes[FACTS_N_PLACES][FACTS_BLOCK_ROOM];
    uint32_t order[FACTS_BLOCK_ROOM];
    uint32_t service_day[FACTS_BLOCK_ROOM];
    uint32_t recorded_day[FACTS_BLOCK_ROOM];
    uint32_t claimed_day[FACTS_BLOCK_ROOM];
    uint16_t kind[FACTS_BLOCK_ROOM]; /* of the order; 0: something that fell due */
};

size_t facts_n_flow_blocks(const struct facts *facts);
const struct fact_zone *facts_flow_zone(const struct facts *facts, size_t block);
int facts_read_flows(const struct facts *facts, size_t block,
                     struct fact_flow_lines *ret) TB_MUST_CHECK;

/* By activity, which tagging is the latest that the first size records know, plus one; 0: none.
 * One walk through all that ever were; to be freed. */
int facts_latest_tags(const struct facts *facts, uint64_t size,
                      uint32_t **ret_latest) TB_MUST_CHECK;
/* Tags of an activity by that list: "set:value", or a plain word. Calls each() for each tag;
 * another value than 0 ends it and is returned. */
int facts_each_tag(const struct facts *facts, const uint32_t *latest, uint32_t activity,
                   int (*each)(void *user, const char *tag), void *user) TB_MUST_CHECK;
