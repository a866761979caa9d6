/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the report together: what counts, the measures in the order of their table, what they rest
 * on, and the checksum. It prints nothing that does not balance.
 */
#include "report.h"

#include <errno.h>

#include "proto/dates.h"
#include "proto/text64.h"
#include "report-parts.h"

/* Largest integer that every reader of JSON holds exactly, and RFC 8785 writes as one. */
#define MINUTES_MAX ((uint64_t)1 << 53)

static void put_day(struct report_json *report, const char *key, uint32_t day) {
    char text[16];
    dates_format_iso(day, text);
    report_json_put_text(report, key, text);
}

static int put_position(const struct report_ask *ask, struct report_json *report) {
    _cleanup_json_ struct report_json position = {0};
    _cleanup_bytes_ struct bytes root = {0};
    text64_encode(&root, ask->root.b, sizeof(ask->root.b));
    _cleanup_(freep) char *text = bytes_take_text(&root);
    if (!text)
        return -ENOMEM;
    int r = report_json_init(&position);
    if (r < 0)
        return r;
    report_json_put(&position, "size", ask->size);
    report_json_put_text(&position, "root", text);
    report_json_put_object(report, "position", &position);
    return 0;
}

/* The internal class hides nothing and rounds nothing. */
static int put_rule(struct report_json *report) {
    _cleanup_json_ struct report_json rule = {0};
    int r = report_json_init(&rule);
    if (r < 0)
        return r;
    report_json_put(&rule, "threshold", 0);
    report_json_put(&rule, "round_to", 1);
    report_json_put_object(report, "rule", &rule);
    return 0;
}

static int put_head(const struct report_pick *pick, const struct report_ask *ask,
                    struct report_json *report) {
    report_json_put_text(report, "definition", REPORT_DEFINITION);
    report_json_put_text(report, "bank", ask->bank);
    put_day(report, "from", ask->from_day);
    put_day(report, "to", ask->to_day);
    put_day(report, "as_known_at", pick->known_day);
    if (ask->as_recorded)
        report_json_put_flag(report, "as_recorded", true);
    report_json_put_text(report, "class", "internal");
    int r = put_position(ask, report);
    return r < 0 ? r : put_rule(report);
}

static int make_measures(const struct report_pick *pick, struct report_json *measures) {
    struct report_flows flows;
    report_flows_sum(pick, &flows);
    int r = report_flows_check_bridge(&flows);
    if (r != 0)
        return r;
    report_flows_put(&flows, measures);
    r = report_people_put(pick, measures);
    if (r == 0)
        report_flows_put_outstanding(&flows, measures);
    if (r == 0)
        r = report_ties_put(pick, measures);
    if (r == 0)
        r = report_groups_put(pick, measures);
    if (r == 0)
        r = report_quality_put(pick, measures);
    return r == 0 ? measures->r : r;
}

static int put_body(const struct report_pick *pick, struct report_json *report) {
    _cleanup_json_ struct report_json measures = {0};
    char checksum[2 * HASH_BYTES + 1];
    int r = report_json_init(&measures);
    if (r == 0)
        r = make_measures(pick, &measures);
    if (r == 0)
        r = report_json_checksum(&measures, checksum);
    if (r != 0)
        return r;
    report_json_put_object(report, "measures", &measures);
    r = report_wards_put(pick, report);
    report_json_put(report, "suppressed", 0);
    report_json_put_text(report, "checksum", checksum);
    return r;
}

static int make_text(const struct report_pick *pick, const struct report_ask *ask, char **ret) {
    _cleanup_json_ struct report_json report = {0};
    int r = report_json_init(&report);
    if (r == 0)
        r = put_head(pick, ask, &report);
    if (r == 0)
        r = put_body(pick, &report);
    return r == 0 ? report_json_text(&report, ret) : r;
}

int report_make(const struct facts *facts, const struct report_ask *ask, char **ret_json) {
    if (ask->size == 0 || ask->size > facts->n_records)
        return -EINVAL;
    if (facts->total_minutes > MINUTES_MAX)
        return -EOVERFLOW;
    struct report_period period;
    int r = report_period_init(&period, ask->from_day, ask->to_day);
    if (r != 0)
        return r;

    _cleanup_(report_pick_fini) struct report_pick pick = {0};
    r = report_pick_init(&pick, facts, &period, ask);
    return r == 0 ? make_text(&pick, ask, ret_json) : r;
}
