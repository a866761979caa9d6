/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses units by their zones: what a zone is wholly known to be is not asked of its lines.
 */
#include "report-scan-plan.h"

#include <errno.h>
#include <stdlib.h>

#include "report-memo.h"

#define LEG_DAYS 366 /* before the period's last day: older legs may come summed */

bool report_scan_wants_rows(const struct report_scan *scan, const struct fact_zone *zone) {
    bool has_whole = zone->last_service_day >= scan->whole_from_day &&
                     zone->first_service_day <= scan->pick->reach_to_day;
    return has_whole || (scan->asks_past && zone->first_service_day < scan->whole_from_day);
}

static bool wants_legs(const struct report_scan *scan, const struct fact_zone *zone) {
    return scan->asks_legs && zone->first_service_day <= scan->pick->period.to_day;
}

static void plan_lines(struct report_scan *scan, size_t block, bool sums_rows, bool sums_legs) {
    const struct fact_zone *zone = facts_zone(scan->pick->facts, block);
    struct report_unit unit = {.what = UNIT_LINES,
                               .number = (uint32_t)block,
                               .wants_rows = !sums_rows && report_scan_wants_rows(scan, zone),
                               .wants_legs = !sums_legs && wants_legs(scan, zone)};
    if ((unit.wants_rows || unit.wants_legs) && !report_scan_knows_none(scan->pick, zone))
        scan->units[scan->n_units++] = unit;
}

/* A chapter that is wholly known and of one side of each seam of days is taken summed. */
static bool sums_rows_of(const struct report_scan *scan, const struct fact_zone *zone) {
    const struct report_pick *pick = scan->pick;
    bool is_past = zone->last_service_day < scan->whole_from_day &&
                   report_scan_is_previous(pick, zone->first_service_day) ==
                       report_scan_is_previous(pick, zone->last_service_day) &&
                   (report_scan_is_previous(pick, zone->last_service_day) ||
                    zone->last_service_day < pick->period.previous_from_day);
    return is_past && scan->asks_past && report_scan_knows_all(pick, zone);
}

static bool sums_legs_of(const struct report_scan *scan, const struct fact_zone *zone) {
    return zone->last_service_day + LEG_DAYS <= scan->pick->period.to_day &&
           report_scan_knows_all(scan->pick, zone);
}

/* The longest chapter that begins there and is taken summed, as one. Returns how many of the lowest
 * level that is; 0: there is none. */
static size_t plan_long_chapter(struct report_scan *scan, size_t number) {
    for (unsigned level = REPORT_MEMO_LEVELS; level-- > 1;) {
        struct fact_zone zone;
        if (number % ((size_t)1 << level) != 0 ||
            !report_memo_zone(scan->pick->facts, level, number >> level, &zone) ||
            !sums_rows_of(scan, &zone) || !sums_legs_of(scan, &zone))
            continue;
        scan->units[scan->n_units++] = (struct report_unit){.what = UNIT_CHAPTER,
                                                            .number = (uint32_t)(number >> level),
                                                            .level = level,
                                                            .wants_rows = true,
                                                            .wants_legs = scan->asks_legs};
        return (size_t)1 << level;
    }
    return 0;
}

static void plan_chapter(struct report_scan *scan, size_t number, const struct fact_zone *zone) {
    const struct report_pick *pick = scan->pick;
    bool sums_rows = sums_rows_of(scan, zone);
    bool sums_legs = sums_legs_of(scan, zone);
    if (sums_rows || (sums_legs && scan->asks_legs))
        scan->units[scan->n_units++] =
            (struct report_unit){.what = UNIT_CHAPTER,
                                 .number = (uint32_t)number,
                                 .wants_rows = sums_rows,
                                 .wants_legs = sums_legs && scan->asks_legs};
    size_t n_blocks = report_memo_blocks(pick->facts);
    for (size_t i = 0; i < n_blocks; i++)
        plan_lines(scan, number * n_blocks + i, sums_rows, sums_legs);
}

static void plan_legs(struct report_scan *scan) {
    const struct facts *facts = scan->pick->facts;
    size_t n = facts_n_leg_blocks(facts);
    for (size_t i = facts_n_plain_leg_blocks(facts); i < n; i++) {
        const struct fact_zone *zone = facts_leg_zone(facts, i);
        if (wants_legs(scan, zone) && !report_scan_knows_none(scan->pick, zone))
            scan->units[scan->n_units++] =
                (struct report_unit){.what = UNIT_LEGS, .number = (uint32_t)i, .wants_legs = true};
    }
}

int report_scan_plan(struct report_scan *scan) {
    const struct report_pick *pick = scan->pick;
    size_t n_lines = facts_n_blocks(pick->facts), n_flows = facts_n_flow_blocks(pick->facts);
    size_t n_blocks = report_memo_blocks(pick->facts);
    scan->units =
        calloc(2 * n_lines + facts_n_leg_blocks(pick->facts) + n_flows + 1, sizeof(*scan->units));
    if (!scan->units)
        return -ENOMEM;
    for (size_t i = 0; i < n_lines;) {
        struct fact_zone zone;
        if (i % n_blocks == 0 && !pick->line_by_line &&
            report_memo_zone(pick->facts, 0, i / n_blocks, &zone)) {
            size_t n_long = plan_long_chapter(scan, i / n_blocks);
            if (n_long == 0)
                plan_chapter(scan, i / n_blocks, &zone);
            i += n_blocks * MAX_OF(n_long, (size_t)1);
        } else {
            plan_lines(scan, i++, false, false);
        }
    }
    if (scan->asks_legs)
        plan_legs(scan);
    for (size_t i = 0; scan->asks_flows && i < n_flows; i++)
        if (!report_scan_knows_none(pick, facts_flow_zone(pick->facts, i)))
            scan->units[scan->n_units++] =
                (struct report_unit){.what = UNIT_FLOWS, .number = (uint32_t)i};
    return 0;
}
