/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of the report: some measures, summed row by row on several threads at once. Each thread
 * has sums of its own; they are merged, and then put. A part adds up: whatever the order of rows
 * and of merges, the same figures come out.
 *
 * Rows are what counts, as picked (report-parts.h): known at the cut-off, less what was taken back,
 * merged accounts as one. Those whose date of service is within the pick's reach (from the previous
 * period's first day, or earlier where a part asks for it, to the period's last day, or later) come
 * whole; those before it as struct report_past.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report-parts.h"

#define REPORT_ROWS_MAX 2048 /* handed over at once */

struct report_row {
    uint64_t entry;   /* record of the order itself */
    uint64_t minutes; /* less what was taken back in part */
    uint32_t order;   /* numbers of orders ascend with entry; lines of one order share it */
    uint32_t service_day;
    uint32_t entered_day;
    uint32_t from; /* accounts of the facts, as recorded; INTERN_NONE: empty */
    uint32_t to;
    uint32_t from_person; /* below the pick's n_persons, or INTERN_NONE */
    uint32_t to_person;
    uint32_t activity;
    uint32_t label; /* issue: funder; redeem: offer, as venue/name */
    uint32_t programme;
    uint32_t adults;
    uint32_t under16;
    int32_t rounded_minutes; /* credited less typed, of the whole order; 0 on its further lines */
    uint16_t kind;           /* as measures see it */
    bool is_further;         /* not the first of its order's, which stands for the entry */
    bool is_claimed;         /* known by its claimed date of entry */
    bool insisted;           /* recorded although it looks like another */
    bool is_service;         /* exchange, earn, a leader's leg of a session */
    bool in_period;
    bool in_previous;
};

struct report_past {
    uint64_t minutes;
    uint32_t service_day;
    uint32_t from;
    uint32_t to;
    uint32_t from_person;
    uint32_t to_person;
    uint16_t kind;
    bool is_service;
};

/* Where a part puts what it summed. */
struct report_out {
    struct report_json *measures; /* definition set timebank-measures/1: never more, never less */
    struct report_json *further;  /* further_measures: the second list, from the log alone */
    struct report_json *of_register; /* register_measures: change with the register of people */
};

struct report_part {
    size_t sums_bytes;
    /* On zeroed sums. */
    int (*begin)(void *sums, const struct report_pick *pick);
    int (*note)(void *sums, const struct report_pick *pick, const struct report_row *rows,
                size_t n);
    /* NULL: it does not ask. */
    int (*note_past)(void *sums, const struct report_pick *pick, const struct report_past *rows,
                     size_t n);
    /* Adds the other's sums. */
    int (*merge)(void *sums, const struct report_pick *pick, void *other);
    /* 0, REFUSAL_BRIDGE, or < 0. */
    int (*put)(void *sums, const struct report_pick *pick, struct report_out *out);
    void (*end)(void *sums); /* zeroed, half begun or whole sums */
};
