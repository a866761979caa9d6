/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses units by their zones: what a zone is wholly known to be is not asked of its lines.
 */
#include "report-scan-plan.h"

#include <errno.h>
#include <stdlib.h>

bool report_scan_wants_rows(const struct report_scan *scan, const struct fact_zone *zone) {
    bool has_whole = zone->last_service_day >= scan->whole_from_day &&
                     zone->first_service_day <= scan->pick->reach_to_day;
    return has_whole || (scan->asks_past && zone->first_service_day < scan->whole_from_day);
}

static bool wants_legs(const struct report_scan *scan, const struct fact_zone *zone) {
    return scan->asks_legs && zone->first_service_day <= scan->pick->period.to_day;
}

static void plan_lines(struct report_scan *scan, size_t block) {
    const struct fact_zone *zone = facts_zone(scan->pick->facts, block);
    struct report_unit unit = {.what = UNIT_LINES,
                               .number = (uint32_t)block,
                               .wants_rows = report_scan_wants_rows(scan, zone),
                               .wants_legs = wants_legs(scan, zone)};
    if ((unit.wants_rows || unit.wants_legs) && !report_scan_knows_none(scan->pick, zone))
        scan->units[scan->n_units++] = unit;
}

static bool has_rest_rows(const struct report_scan *scan, const struct fact_zone *zone) {
    return zone->last_service_day >= scan->whole_from_day && report_scan_wants_rows(scan, zone);
}

static bool has_rest_legs(const struct report_scan *scan, const struct fact_zone *zone) {
    return zone->last_service_day > report_memo_share(scan->pick, SHARE_EARLIER).legs_to_day &&
           wants_legs(scan, zone);
}

bool report_scan_rest(const struct report_scan *scan, size_t block, struct report_unit *ret) {
    const struct fact_zone *zone = facts_zone(scan->pick->facts, block);
    *ret = (struct report_unit){.what = UNIT_LINES,
                                .number = (uint32_t)block,
                                .wants_rows = has_rest_rows(scan, zone),
                                .wants_legs = has_rest_legs(scan, zone),
                                .is_rest = true};
    return ret->wants_rows || ret->wants_legs;
}

/* ---- chapters, of which all is known */

static void plan_share(struct report_scan *scan, enum report_share_what what, unsigned level,
                       size_t number, const struct fact_zone *zone) {
    struct report_share share = report_memo_share(scan->pick, what);
    struct report_unit unit = {
        .what = UNIT_CHAPTER,
        .number = (uint32_t)number,
        .level = level,
        .share = what,
        .wants_rows = scan->asks_past && zone->first_service_day <= share.to_day &&
                      zone->last_service_day >= share.from_day && share.from_day <= share.to_day,
        .wants_legs = scan->asks_legs && zone->first_service_day <= share.legs_to_day};
    if (unit.wants_rows || unit.wants_legs)
        scan->units[scan->n_units++] = unit;
}

/* Wholly of the past, and of one side of each seam of days: it is told as it is. */
static bool is_summed(const struct report_scan *scan, const struct fact_zone *zone) {
    const struct report_pick *pick = scan->pick;
    bool is_past = zone->last_service_day < scan->whole_from_day &&
                   report_scan_is_previous(pick, zone->first_service_day) ==
                       report_scan_is_previous(pick, zone->last_service_day) &&
                   (report_scan_is_previous(pick, zone->last_service_day) ||
                    zone->last_service_day < pick->period.previous_from_day);
    return is_past && scan->asks_past &&
           zone->last_service_day <= report_memo_share(pick, SHARE_EARLIER).legs_to_day;
}

/* Some of each of its shortest ones is of the past, or remembered otherwise, and none is told as it
 * is. */
static bool is_shared(const struct report_scan *scan, unsigned level, size_t number) {
    struct fact_zone zone;
    if (level > 0)
        return is_shared(scan, level - 1, 2 * number) && is_shared(scan, level - 1, 2 * number + 1);
    return report_memo_zone(scan->pick->facts, 0, number, &zone) &&
           report_scan_knows_all(scan->pick, &zone) && !is_summed(scan, &zone) &&
           (zone.first_service_day < scan->whole_from_day || scan->remembers_rests);
}

static void plan_rest(struct report_scan *scan, unsigned level, size_t number,
                      const struct fact_zone *zone) {
    size_t n_blocks = report_memo_blocks(scan->pick->facts) << level;
    struct report_unit unit;
    if (scan->remembers_rests && (has_rest_rows(scan, zone) || has_rest_legs(scan, zone)))
        scan->units[scan->n_units++] =
            (struct report_unit){.what = UNIT_REST, .number = (uint32_t)number, .level = level};
    for (size_t i = 0; !scan->remembers_rests && i < n_blocks; i++)
        if (report_scan_rest(scan, number * n_blocks + i, &unit))
            scan->units[scan->n_units++] = unit;
}

/* The longest chapter that begins there and is told in sums, which each line shares in that the
 * parts do not ask for by itself. Returns how many of the lowest level that is; 0: there is none.
 */
static size_t plan_chapter(struct report_scan *scan, size_t first) {
    const struct facts *facts = scan->pick->facts;
    for (unsigned level = REPORT_MEMO_LEVELS; level-- > 0;) {
        size_t number = first >> level, n = (size_t)1 << level;
        struct fact_zone zone;
        if (first % n != 0 || !report_memo_zone(facts, level, number, &zone) ||
            !report_scan_knows_all(scan->pick, &zone))
            continue;
        if (is_summed(scan, &zone)) {
            plan_share(scan, SHARE_ALL, level, number, &zone);
            return n;
        }
        if (!is_shared(scan, level, number))
            continue;
        plan_share(scan, SHARE_EARLIER, level, number, &zone);
        plan_share(scan, SHARE_PREVIOUS, level, number, &zone);
        plan_rest(scan, level, number, &zone);
        return n;
    }
    return 0;
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
        bool may_begin = i % n_blocks == 0 && !pick->line_by_line;
        size_t n_chapters = may_begin ? plan_chapter(scan, i / n_blocks) : 0;
        if (n_chapters == 0)
            plan_lines(scan, i++);
        i += n_blocks * n_chapters;
    }
    if (scan->asks_legs)
        plan_legs(scan);
    for (size_t i = 0; scan->asks_flows && i < n_flows; i++)
        if (!report_scan_knows_none(pick, facts_flow_zone(pick->facts, i)))
            scan->units[scan->n_units++] =
                (struct report_unit){.what = UNIT_FLOWS, .number = (uint32_t)i};
    return 0;
}
