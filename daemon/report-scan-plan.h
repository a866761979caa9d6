/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scan has to do, in units that threads take one after the other: chapters where what they
 * come to is enough, else blocks of lines, legs and flows.
 */
#pragma once

#include "facts-block.h"
#include "report-memo.h"

/* What is done at once: a chapter that is remembered, or one block. */
struct report_unit {
    enum { UNIT_CHAPTER, UNIT_REST, UNIT_LINES, UNIT_LEGS, UNIT_FLOWS } what;
    uint32_t number;
    unsigned level; /* of a chapter or its rest */
    enum report_share_what share;
    bool wants_rows; /* and past */
    bool wants_legs;
    bool is_rest; /* lines of a chapter whose shares are told: what these leave */
};

struct report_scan {
    const struct report_pick *pick;
    const struct report_part *const *parts;
    size_t n_parts;
    bool asks_past;
    bool asks_legs;
    bool asks_flows;
    int64_t whole_from_day;
    bool remembers_rests; /* report-rest.h */
    struct hash rests_good_for;
    struct report_unit *units;
    size_t n_units;
    atomic_size_t next;
    atomic_bool failed;
};

static inline bool report_scan_knows_all(const struct report_pick *pick,
                                         const struct fact_zone *zone) {
    return zone->last_index < pick->size && zone->last_entered_day <= pick->known_day;
}

static inline bool report_scan_knows_none(const struct report_pick *pick,
                                          const struct fact_zone *zone) {
    return zone->n_lines == 0 || zone->first_index >= pick->size ||
           zone->first_entered_day > pick->known_day;
}

static inline bool report_scan_is_previous(const struct report_pick *pick, uint32_t day) {
    return day >= pick->period.previous_from_day && day <= pick->period.previous_to_day;
}

/* Lists the units, which are the caller's (free()). 0, or -ENOMEM. */
int report_scan_plan(struct report_scan *scan) TB_MUST_CHECK;
/* A block of lines of a chapter whose shares are told: what is left of it. false: nothing is. */
bool report_scan_rest(const struct report_scan *scan, size_t block, struct report_unit *ret);
bool report_scan_wants_rows(const struct report_scan *scan, const struct fact_zone *zone);
