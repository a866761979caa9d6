/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the report together: what counts, the measures in the order of their table, less what its
 * class hides, what they rest on, and the checksums. It prints nothing that does not balance.
 */
#include "report.h"

#include <errno.h>

#include "proto/refusal.h"
#include "report-hide.h"
#include "report-scan.h"

/* The measures, in the order in which they are put. */
static const struct report_part *const parts[] = {
    &report_persons, &report_flows,   &report_people,   &report_outstanding, &report_ties,
    &report_groups,  &report_quality, &report_members,  &report_bands,       &report_circulation,
    &report_network, &report_tags,    &report_register, &report_cells,
};
/* Of the parts, the last: what stands behind the cells, for report_hide(). */
#define CELLS (N_ELEMENTS(parts) - 1)

/* Largest integer that every reader of JSON holds exactly, and RFC 8785 writes as one. */
#define MINUTES_MAX ((uint64_t)1 << 53)

static int put_rule(const struct report_pick *pick, struct report_json *report) {
    _cleanup_json_ struct report_json rule = {0};
    int r = report_json_init(&rule);
    if (r < 0)
        return r;
    report_json_put(&rule, "threshold", pick->report_class->threshold);
    report_json_put(&rule, "round_to", pick->report_class->round_to);
    report_json_put_object(report, "rule", &rule);
    return 0;
}

static int put_head(const struct report_pick *pick, const struct report_ask *ask,
                    struct report_json *report) {
    report_json_put_text(report, "definition", REPORT_DEFINITION);
    report_json_put_text(report, "bank", ask->bank);
    report_json_put_day(report, "from", ask->from_day);
    report_json_put_day(report, "to", ask->to_day);
    report_json_put_day(report, "as_known_at", pick->known_day);
    if (ask->as_recorded)
        report_json_put_flag(report, "as_recorded", true);
    report_json_put_text(report, "class", pick->report_class->name);
    int r = report_json_put_position(report, ask->size, &ask->root);
    return r < 0 ? r : put_rule(pick, report);
}

/* ---- what the parts sum */

struct figures {
    struct report_json measures, further, of_register, foot;
    uint64_t n_hidden;
};

static void figures_fini(struct figures *figures) {
    report_json_fini(&figures->measures);
    report_json_fini(&figures->further);
    report_json_fini(&figures->of_register);
    report_json_fini(&figures->foot);
}

static int figures_init(struct figures *ret) {
    int r = report_json_init(&ret->measures);
    if (r == 0)
        r = report_json_init(&ret->further);
    if (r == 0)
        r = report_json_init(&ret->of_register);
    return r == 0 ? report_json_init(&ret->foot) : r;
}

static int figures_check(const struct figures *figures) {
    int r = figures->measures.r;
    r = r == 0 ? figures->further.r : r;
    r = r == 0 ? figures->of_register.r : r;
    return r == 0 ? figures->foot.r : r;
}

static int put_parts(const struct report_pick *pick, void **sums, struct figures *figures) {
    struct report_out out = {.measures = &figures->measures,
                             .further = &figures->further,
                             .of_register = &figures->of_register,
                             .foot = &figures->foot};
    int r = 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(parts); i++)
        if (parts[i]->put)
            r = parts[i]->put(sums[i], pick, &out);
    if (r == 0)
        r = figures_check(figures);
    return r == 0 ? report_hide(pick, sums[CELLS], &out, &figures->n_hidden) : r;
}

static int make_figures(const struct report_pick *pick, unsigned n_threads,
                        struct figures *figures) {
    void *sums[N_ELEMENTS(parts)];
    int r = report_scan(pick, parts, N_ELEMENTS(parts), sums, n_threads);
    if (r == 0)
        r = put_parts(pick, sums, figures);
    report_scan_end(parts, N_ELEMENTS(parts), sums);
    return r;
}

static int put_body(struct figures *figures, struct report_json *report) {
    char checksum[2 * HASH_BYTES + 1], further_checksum[2 * HASH_BYTES + 1];
    int r = report_json_checksum(&figures->measures, checksum);
    if (r == 0)
        r = report_json_checksum(&figures->further, further_checksum);
    if (r < 0)
        return r;
    report_json_put_object(report, "measures", &figures->measures);
    report_json_put_object(report, "further_measures", &figures->further);
    report_json_put_object(report, "register_measures", &figures->of_register);
    if (json_object_update(report->object, figures->foot.object) < 0)
        return -ENOMEM;
    report_json_put(report, "suppressed", figures->n_hidden);
    report_json_put_text(report, "checksum", checksum);
    report_json_put_text(report, "further_checksum", further_checksum);
    return report->r;
}

static int make_text(const struct report_pick *pick, const struct report_ask *ask, char **ret) {
    _cleanup_json_ struct report_json report = {0};
    _cleanup_(figures_fini) struct figures figures = {0};
    int r = report_json_init(&report);
    if (r == 0)
        r = figures_init(&figures);
    if (r == 0)
        r = put_head(pick, ask, &report);
    if (r == 0)
        r = make_figures(pick, ask->n_threads, &figures);
    if (r == 0)
        r = put_body(&figures, &report);
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
    if (r == 0 && !report_class_takes(pick.report_class, &period))
        return REFUSAL_BAD_PERIOD;
    return r == 0 ? make_text(&pick, ask, ret_json) : r;
}
