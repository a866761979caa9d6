/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What counts in a period as one knowledge has it, line by line, so that two knowledges can be
 * compared. Persons are the facts' own, a merged account's one of them: they mean the same in
 * either.
 */
#pragma once

#include "report-part.h"

enum report_line_in { LINE_IN_BOTH, LINE_ONLY_NOW, LINE_ONLY_SINCE };

/* A line, or what a record did to what a member has. */
struct report_line {
    uint64_t entry;
    uint64_t minutes;
    int64_t gained_minutes; /* of what was compared: now less since */
    uint32_t order;         /* as the facts number them */
    uint32_t place;         /* in its order; of a leg: the account */
    uint32_t service_day;
    uint32_t from;
    uint32_t to;
    uint32_t from_person;
    uint32_t to_person;
    uint32_t activity;
    uint32_t label;
    uint16_t kind; /* 0: a leg */
    bool is_service;
    uint8_t in; /* enum report_line_in, of what was compared */
};

struct report_lines {
    struct report_line *items; /* ascending by entry */
    size_t n;
    size_t n_allocated;
    /* Of the reading. */
    const uint32_t *person_of;
    const struct facts *facts;
    int64_t from_day;
    int64_t to_day;
    uint64_t last_entry;
    uint32_t place;
};

void report_lines_fini(struct report_lines *lines);
/* Of the pick's period. */
int report_lines_read(const struct report_pick *pick, struct report_lines *ret) TB_MUST_CHECK;
/* What differs. */
int report_lines_compare(const struct report_lines *now, const struct report_lines *since,
                         struct report_lines *ret) TB_MUST_CHECK;
