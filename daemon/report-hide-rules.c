/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each rule that disclosure.def names. Each hides first and rounds last. */
#include "report-hide-rules.h"

#include <errno.h>
#include <string.h>

#include "report-ratio.h"

#define QUARTER_OF_AN_HOUR 15
#define MILLION 1000000u

static int put(struct hiding *hiding, const struct hide_rule *rule, bool is_shown) {
    json_t *object = hiding->now[rule->group];
    return is_shown ? report_hide_figure_round_all(hiding->report_class, object, rule->key)
                    : report_hide_figure_mark_all(object, rule->key, HIDE_CONFIDENTIAL);
}

static bool is_few(const struct hiding *hiding, uint64_t n) {
    return report_cells_weigh_is_count_small(hiding->cells, n);
}

/* ---- cells */

static int cell_shows(struct hiding *hiding, const char *path, uint32_t first_month,
                      uint32_t last_month, bool *ret) {
    return report_cells_judge_shows(hiding->cells, report_cells_list_find(hiding->cells, path),
                                    first_month, last_month, ret);
}

/* Figures under key of a table, by the cell that is called path. What happened in no cell that is
 * known here is unavailable, unless it is nothing. */
static int apply_path(struct hiding *hiding, json_t *object, const char *key, const char *path) {
    const struct cell *cell = report_cells_list_find(hiding->cells, path);
    bool is_shown;
    if (!cell && (!json_is_integer(json_object_get(object, key)) ||
                  json_integer_value(json_object_get(object, key)) != 0))
        return report_hide_figure_mark_all(object, key, HIDE_UNAVAILABLE);
    int r = report_cells_judge_shows(hiding->cells, cell, hiding->period->first_month,
                                     hiding->period->last_month, &is_shown);
    if (r < 0)
        return r;
    return is_shown ? report_hide_figure_round_all(hiding->report_class, object, key)
                    : report_hide_figure_mark_all(object, key, HIDE_CONFIDENTIAL);
}

static int apply_cell(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    (void)value;
    return apply_path(hiding, hiding->now[rule->group], rule->key,
                      *rule->of != '\0' ? rule->of : rule->key);
}

static int apply_table(struct hiding *hiding, json_t *table, const char *path, unsigned depth) {
    json_t *member;
    const char *key;
    void *next;
    int r = 0;
    json_object_foreach_safe(table, next, key, member) {
        _cleanup_bytes_ struct bytes text = {0};
        bytes_put_text(&text, path);
        bytes_put_text(&text, CELLS_STROKE);
        bytes_put_text(&text, key);
        _cleanup_(freep) char *name = bytes_take_text(&text);
        if (r == 0 && !name)
            r = -ENOMEM;
        if (r == 0)
            r = depth > 1 ? apply_table(hiding, member, name, depth - 1)
                          : apply_path(hiding, table, key, name);
    }
    return r;
}

static int apply_cells(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    return apply_table(hiding, value, rule->key, 1);
}

static int apply_cells_of(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    return apply_table(hiding, value, rule->key, 2);
}

static uint64_t persons_of_month(const struct hiding *hiding, const char *path, uint32_t month) {
    const struct cell *cell = report_cells_list_find(hiding->cells, path);
    for (uint32_t i = 0; cell && i < cell->n_months; i++)
        if (cell->months[i].month == month)
            return cell->months[i].n_persons;
    return 0;
}

static int apply_month(struct hiding *hiding, json_t *table, uint32_t month) {
    char name[16];
    bool minutes, givers;
    report_period_month_name(month, name);
    json_t *figures = json_object_get(table, name);
    int r = cell_shows(hiding, "minutes_given", month, month, &minutes);
    if (r == 0)
        r = report_hide_people_givers(hiding->cells, month, month,
                                      persons_of_month(hiding, "minutes_given", month),
                                      persons_of_month(hiding, "new_givers", month), &givers);
    if (r == 0 && figures && !minutes)
        r = report_hide_figure_mark_all(table, name, HIDE_CONFIDENTIAL);
    if (r == 0 && figures && minutes && !givers)
        r = report_hide_figure_mark(figures, "givers", HIDE_CONFIDENTIAL);
    return r == 0 && figures ? report_hide_figure_round_all(hiding->report_class, table, name) : r;
}

static int apply_months(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    int r = 0;
    (void)rule;
    for (uint32_t month = hiding->period->first_month;
         r == 0 && month <= hiding->period->last_month; month++)
        r = apply_month(hiding, value, month);
    return r;
}

/* ---- figures without persons */

static int apply_shown(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    (void)value;
    return put(hiding, rule, true);
}

static int apply_nothing(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    return put(hiding, rule, json_is_integer(value) && json_integer_value(value) == 0);
}

static int apply_never(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    (void)value;
    return put(hiding, rule, false);
}

static int apply_unavailable(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    (void)value;
    return report_hide_figure_mark_all(hiding->now[rule->group], rule->key, HIDE_UNAVAILABLE);
}

static int apply_stock(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    (void)value;
    return report_hide_figure_round_to(hiding->now[rule->group], rule->key,
                                       hiding->report_class->threshold);
}

/* ---- people and what they are spread over */

static int apply_people(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    enum report_heads which = report_hide_people_find(rule->key);
    (void)value;
    if (which == HEADS_N)
        return report_hide_figure_mark(hiding->now[rule->group], rule->key, HIDE_UNAVAILABLE);
    return put(hiding, rule, hiding->people.is_shown[which]);
}

static bool has_givers(const struct hiding *hiding, uint64_t times) {
    uint64_t n = hiding->people.n[HEADS_GIVERS];
    return n == 0 ||
           (hiding->people.is_shown[HEADS_GIVERS] && n >= times * hiding->report_class->threshold);
}

static int apply_median(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    (void)value;
    if (!has_givers(hiding, *rule->of != '\0' ? 10 : 2))
        return put(hiding, rule, false);
    return report_hide_figure_round_to(hiding->now[rule->group], rule->key, QUARTER_OF_AN_HOUR);
}

static int apply_lag(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    (void)value;
    return has_givers(hiding, 2) ? 0 : put(hiding, rule, false);
}

static int apply_first(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    uint64_t n = report_hide_figure_before(hiding, HIDE_FURTHER, "members_joined");
    (void)value;
    return n == 0 || n >= 2 * hiding->report_class->threshold ? 0 : put(hiding, rule, false);
}

static int apply_bands(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    return report_hide_bands_apply(hiding, rule, value);
}

static int apply_top(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    return report_hide_bands_top(hiding, rule, value);
}

/* ---- the network */

/* Ordered pairs that are one way, and those that are both ways, two each: few of either are hidden,
 * and with them the unordered pairs, which tell them. */
static int apply_ties(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    uint64_t both_ways = report_hide_figure_before(hiding, HIDE_MEASURES, "ties_reciprocated");
    uint64_t all = report_hide_figure_before(hiding, HIDE_MEASURES, "ties_directed");
    bool is_shown = hiding->people.is_shown[HEADS_TRADERS] && !is_few(hiding, all);
    bool splits = *rule->of == '\0';
    (void)value;
    if (splits && (is_few(hiding, both_ways / 2) || is_few(hiding, all - both_ways)))
        is_shown = false;
    return put(hiding, rule, is_shown);
}

static int apply_ties_within(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    uint64_t within = report_hide_figure_before(hiding, HIDE_OF_REGISTER, "ties_within_wards");
    uint64_t across = report_hide_figure_before(hiding, HIDE_OF_REGISTER, "ties_across_wards");
    (void)value;
    return put(hiding, rule,
               report_hide_figure_is_shown(hiding, HIDE_MEASURES, "ties") &&
                   !is_few(hiding, within) && !is_few(hiding, across));
}

static int apply_ties_earn(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    bool is_shown;
    (void)value;
    int r = cell_shows(hiding, "minutes_given_earn", hiding->period->first_month,
                       hiding->period->last_month, &is_shown);
    return r == 0
               ? put(hiding, rule,
                     is_shown &&
                         !is_few(hiding, report_hide_figure_before(hiding, rule->group, rule->key)))
               : r;
}

static int apply_component(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    uint64_t traders = hiding->people.n[HEADS_TRADERS];
    uint64_t n = report_hide_figure_before(hiding, rule->group, rule->key);
    (void)value;
    return put(hiding, rule,
               hiding->people.is_shown[HEADS_TRADERS] && !is_few(hiding, n) &&
                   !is_few(hiding, traders > n ? traders - n : 0));
}

static int apply_mean(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    uint64_t n = hiding->people.n[HEADS_TRADERS];
    bool is_shown = n == 0 || (hiding->people.is_shown[HEADS_TRADERS] &&
                               n >= 2 * hiding->report_class->threshold);
    (void)value;
    return is_shown ? 0 : put(hiding, rule, false);
}

/* ---- shares: what they are made of is shown, or they are not */

static int put_share(struct hiding *hiding, const struct hide_rule *rule, bool is_shown,
                     uint64_t share) {
    if (!is_shown)
        return put(hiding, rule, false);
    json_t *becomes = json_integer((json_int_t)share);
    return json_object_set_new(hiding->now[rule->group], rule->key, becomes) < 0 ? -ENOMEM : 0;
}

static int apply_spend_rate(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    (void)value;
    return put_share(
        hiding, rule,
        report_hide_figure_is_shown(hiding, HIDE_MEASURES, "minutes_redeemed") &&
            report_hide_figure_is_shown(hiding, HIDE_MEASURES, "minutes_given_earn"),
        report_ratio(report_hide_figure_now(hiding, HIDE_MEASURES, "minutes_redeemed"), 1000,
                     report_hide_figure_now(hiding, HIDE_MEASURES, "minutes_given_earn")));
}

static bool network_shows(const struct hiding *hiding) {
    return report_hide_figure_is_shown(hiding, HIDE_MEASURES, "ties") &&
           report_hide_figure_is_shown(hiding, HIDE_MEASURES, "traders");
}

static int apply_density(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    uint64_t n = report_hide_figure_now(hiding, HIDE_MEASURES, "traders");
    (void)value;
    return put_share(hiding, rule, network_shows(hiding),
                     report_ratio(report_hide_figure_now(hiding, HIDE_MEASURES, "ties"), MILLION,
                                  n > 1 ? n * (n - 1) / 2 : 0));
}

static int apply_partners(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    (void)value;
    return put_share(hiding, rule, network_shows(hiding),
                     report_ratio(2 * report_hide_figure_now(hiding, HIDE_MEASURES, "ties"), 1000,
                                  report_hide_figure_now(hiding, HIDE_MEASURES, "traders")));
}

const struct hide_rule report_hide_rules[] = {
#define DISCLOSURE(group, key, rule, of) {HIDE_##group, key, apply_##rule, of},
#include "disclosure.def"
#undef DISCLOSURE
    {0}};
