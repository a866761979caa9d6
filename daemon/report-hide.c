/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the finished figures, of whatever parts, and leaves of them what the class may have, by the
 * table of rules (disclosure.def). What the table does not name does not leave.
 */
#include "report-hide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dates.h"
#include "proto/refusal.h"
#include "report-hide-rules.h"

static const struct report_class classes[] = {
    {TIMEBANK__REPORT_CLASS__INTERNAL, "internal", 0, 1, false, NULL},
    {TIMEBANK__REPORT_CLASS__FOR_FUNDER, "funder", 5, 1, false, NULL},
    {TIMEBANK__REPORT_CLASS__FOR_PUBLIC, "public", 10, 5, false, &classes[1]},
};

const struct report_class *report_class_get(Timebank__ReportClass number) {
    if (number == TIMEBANK__REPORT_CLASS__CLASS_NONE)
        return &classes[0];
    for (size_t i = 0; i < N_ELEMENTS(classes); i++)
        if (classes[i].number == number)
            return &classes[i];
    return NULL;
}

/* ---- periods */

bool report_class_takes(const struct report_class *report_class,
                        const struct report_period *period) {
    return report_class->threshold == 0 ||
           period->n_whole_months == period->last_month - period->first_month + 1;
}

static uint32_t day_of_month(uint32_t month, bool is_last) {
    unsigned mday = is_last ? dates_month_length((int)(month / 12), month % 12 + 1) : 1;
    uint32_t day;
    return dates_from_civil((int)(month / 12), month % 12 + 1, mday, &day) == 0 ? day : 0;
}

void report_class_say_period(const struct report_class *report_class,
                             const struct report_period *period,
                             char ret[REPORT_CLASS_SENTENCE_BYTES]) {
    char from[16], to[16];
    dates_format_iso(day_of_month(period->first_month, false), from);
    dates_format_iso(day_of_month(period->last_month, true), to);
    snprintf(ret, REPORT_CLASS_SENTENCE_BYTES,
             "Reports of the class %s are of whole calendar months: ask for --from %s --to %s.",
             report_class->name, from, to);
}

/* ---- applying the rules */

static uint64_t count_hidden(json_t *value) {
    const char *key;
    json_t *member;
    uint64_t n = 0;
    if (json_is_string(value))
        return strcmp(json_string_value(value), HIDE_CONFIDENTIAL) == 0;
    json_object_foreach(value, key, member) n += count_hidden(member);
    return n;
}

static const struct hide_rule *rule_of(enum hide_group group, const char *key) {
    for (const struct hide_rule *rule = report_hide_rules; rule->key; rule++)
        if (rule->group == group && strcmp(rule->key, key) == 0)
            return rule;
    return NULL;
}

static int hide_unnamed(const struct hiding *hiding, enum hide_group group) {
    json_t *member;
    const char *key;
    void *next;
    int r = 0;
    json_object_foreach_safe(hiding->now[group], next, key, member) {
        if (r == 0 && !rule_of(group, key))
            r = report_hide_figure_mark_all(hiding->now[group], key, HIDE_UNAVAILABLE);
    }
    return r;
}

static int hide_all(struct hiding *hiding) {
    int r = 0;
    for (unsigned i = 0; r == 0 && i < N_ELEMENTS(hiding->now); i++) {
        hiding->before[i] = json_deep_copy(hiding->now[i]);
        r = hiding->before[i] ? hide_unnamed(hiding, (enum hide_group)i) : -ENOMEM;
    }
    for (const struct hide_rule *rule = report_hide_rules; r == 0 && rule->key; rule++) {
        json_t *value = json_object_get(hiding->now[rule->group], rule->key);
        if (value)
            r = rule->apply(hiding, rule, value);
    }
    for (unsigned i = 0; i < N_ELEMENTS(hiding->now); i++)
        json_decref(hiding->before[i]);
    return r;
}

/* Once: the atoms in order, and the cells. Then what of them is shown, by class. */
static int judge(struct cells *cells, const struct report_class *report_class) {
    int r = 0;
    if (cells->report_class == report_class)
        return 0;
    if (!cells->report_class)
        r = report_cells_people_add(cells);
    if (r == 0 && !cells->report_class)
        r = report_cells_list_make(cells);
    if (r < 0)
        return r;
    cells->report_class = report_class;
    return report_cells_judge(cells);
}

static int hide_in_class(const struct report_pick *pick, struct cells *cells,
                         const struct report_class *report_class, json_t *const now[3]) {
    struct hiding hiding = {.cells = cells,
                            .report_class = report_class,
                            .period = &pick->period,
                            .now = {now[0], now[1], now[2]}};
    int r = judge(cells, report_class);
    if (r == 0)
        r = report_hide_people_judge(cells, &hiding.people);
    return r == 0 ? hide_all(&hiding) : r;
}

/* What is hidden there is hidden here. */
static int hide_as(json_t *object, json_t *other) {
    json_t *value;
    const char *key;
    void *next;
    int r = 0;
    json_object_foreach_safe(object, next, key, value) {
        json_t *theirs = json_object_get(other, key);
        const char *mark = json_string_value(theirs);
        if (r == 0 && json_is_object(value))
            r = hide_as(value, theirs);
        else if (r == 0 && mark && strcmp(mark, HIDE_ROUNDS_TO_ZERO) != 0)
            r = report_hide_figure_mark(object, key, mark);
    }
    return r;
}

static int hide_within(const struct report_pick *pick, struct cells *cells, json_t *const now[3],
                       json_t *const within[3]) {
    int r = hide_in_class(pick, cells, pick->report_class->within, within);
    if (r == 0)
        r = hide_in_class(pick, cells, pick->report_class, now);
    for (size_t i = 0; r == 0 && i < 3; i++)
        r = hide_as(now[i], within[i]);
    return r;
}

static int hide_figures(const struct report_pick *pick, struct cells *cells, json_t *const now[3]) {
    if (!pick->report_class->within)
        return hide_in_class(pick, cells, pick->report_class, now);
    json_t *within[3] = {json_deep_copy(now[0]), json_deep_copy(now[1]), json_deep_copy(now[2])};
    int r = within[0] && within[1] && within[2] ? hide_within(pick, cells, now, within) : -ENOMEM;
    for (size_t i = 0; i < 3; i++)
        json_decref(within[i]);
    return r;
}

/* Of few people's rows a hash could be found by trying: it is that of the figures that are left. */
static int hash_register(struct report_out *out) {
    static const char *const keys[] = {"register", "register_age_bands"};
    char checksum[2 * HASH_BYTES + 1];
    int r = out->foot ? report_json_checksum(out->of_register, checksum) : 0;
    for (size_t i = 0; r == 0 && out->foot && i < N_ELEMENTS(keys); i++)
        if (json_object_get(out->foot->object, keys[i]))
            r = report_hide_figure_mark(out->foot->object, keys[i], checksum);
    return r;
}

int report_hide(const struct report_pick *pick, void *cells, struct report_out *out,
                uint64_t *ret_n_hidden) {
    json_t *const now[3] = {out->measures->object, out->further->object, out->of_register->object};
    uint64_t n_hidden = 0;
    if (!report_class_takes(pick->report_class, &pick->period))
        return REFUSAL_BAD_PERIOD;
    int r = pick->report_class->threshold > 0 ? hide_figures(pick, cells, now) : 0;
    if (r == 0 && pick->report_class->threshold > 0)
        r = hash_register(out);
    if (r < 0)
        return r;
    for (size_t i = 0; i < 3; i++)
        n_hidden += count_hidden(now[i]);
    *ret_n_hidden = n_hidden;
    return 0;
}

/* ---- what is hidden, to compare */

static int list_month(struct cells *cells, uint32_t month, struct bytes *list) {
    char name[16];
    report_period_month_name(month, name);
    for (uint32_t i = 0; i < cells->n_cells; i++) {
        bool is_shown;
        int r = report_cells_judge_shows(cells, &cells->cells[i], month, month, &is_shown);
        if (r < 0)
            return r;
        if (!is_shown)
            bytes_printf(list, "%s %s\n", name, cells->cells[i].path);
    }
    return list->r;
}

static int list_hidden(const struct report_pick *pick, struct cells *cells,
                       const struct report_class *report_class, struct bytes *list) {
    int r = judge(cells, report_class);
    for (uint32_t month = pick->period.first_month; r == 0 && month <= pick->period.last_month;
         month++)
        r = list_month(cells, month, list);
    return r;
}

int report_hidden_list(const struct report_pick *pick, void *cells, struct bytes *ret) {
    const struct report_class *report_class = pick->report_class;
    int r = 0;
    if (report_class->threshold == 0)
        return 0;
    if (report_class->within)
        r = list_hidden(pick, cells, report_class->within, ret);
    return r == 0 ? list_hidden(pick, cells, report_class, ret) : r;
}
