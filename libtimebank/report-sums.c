/* SPDX-License-Identifier: Apache-2.0 */
/* Which figures must be there is in proto/measures.def; which add up to which, in two tables here.
 */
#include "report-sums.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "timebank.h"

enum group { MEASURES, FURTHER, OF_REGISTER };

static struct lines group_of(const struct report_text *report, enum group group) {
    switch (group) {
    case MEASURES:
        return report->measures;
    case FURTHER:
        return report->further_measures;
    case OF_REGISTER:
        return report->register_measures;
    }
    return (struct lines){0};
}

/* ------------------------------------------------------------------ the rule */

static const struct {
    const char *name;
    int64_t threshold;
    int64_t round_to;
} rules[] = {{"internal", 0, 1}, {"funder", 5, 1}, {"public", 10, 5}};

static bool rule_holds(const struct report_text *report) {
    int64_t threshold, round_to;
    if (!report_text_integer(report_text_member(report->rule, "threshold"), &threshold) ||
        !report_text_integer(report_text_member(report->rule, "round_to"), &round_to))
        return false;
    for (size_t i = 0; i < N_ELEMENTS(rules); i++)
        if (lines_equals(report->report_class, rules[i].name))
            return threshold == rules[i].threshold && round_to == rules[i].round_to;
    return false;
}

bool report_sums_are_open(const struct report_text *report) {
    return lines_equals(report->report_class, rules[0].name);
}

/* ---------------------------------------------------------------- what is there */

static bool is_mark(struct lines value) {
    static const char *const marks[] = {"\"[c]\"", "\"[z]\"", "\"[x]\"", "\"[k]\""};
    for (size_t i = 0; i < N_ELEMENTS(marks); i++)
        if (lines_equals(value, marks[i]))
            return true;
    return false;
}

/* Figures all the way down, or marks where the class hides. Counts the [c]. */
static bool is_figures(struct lines value, bool is_open, uint64_t *n_hidden) {
    struct lines rest = report_text_begin(value), name, member;
    int64_t number;
    if (!report_text_is_object(value)) {
        *n_hidden += lines_equals(value, "\"[c]\"");
        return report_text_integer(value, &number) || (!is_open && is_mark(value));
    }
    while (report_text_next(&rest, &name, &member))
        if (!is_figures(member, is_open, n_hidden))
            return false;
    return true;
}

/* Columns have lines of their own, with a stroke. */
static const struct tb_measure *next_whole(const struct tb_measure *measure) {
    do
        measure = tb_measure_next(measure);
    while (measure && strchr(measure->key, '/'));
    return measure;
}

/* The definition set is fixed: these measures in this order, and no other. */
static int keys_check(const struct report_text *report, char why[REPORT_SUMS_WHY_BYTES]) {
    struct lines rest = report_text_begin(report->measures), name = {0}, value;
    for (const struct tb_measure *measure = next_whole(NULL); measure;
         measure = next_whole(measure)) {
        if (measure->group != TB_MEASURES_MEASURES)
            continue;
        if (!report_text_next(&rest, &name, &value) || !lines_equals(name, measure->key)) {
            snprintf(why, REPORT_SUMS_WHY_BYTES, "%s is not where it should be", measure->key);
            return -EBADMSG;
        }
    }
    if (!report_text_next(&rest, &name, &value))
        return 0;
    snprintf(why, REPORT_SUMS_WHY_BYTES, "%.*s is no measure", (int)MIN_OF(name.n, (size_t)80),
             name.text);
    return -EBADMSG;
}

/* --------------------------------------------------------------- what adds up */

struct sum_line {
    enum group group;
    const char *key; /* a figure, or the column of a breakdown */
    const char *column;
};

/* Terms add up to the total; where one is not there, nothing is said. */
static const struct {
    struct sum_line total;
    struct sum_line terms[4];
} sums[] = {
    {{MEASURES, "minutes_given", NULL},
     {{MEASURES, "minutes_given_exchange", NULL},
      {MEASURES, "minutes_given_earn", NULL},
      {MEASURES, "minutes_given_session", NULL}}},
    {{MEASURES, "minutes_given", NULL}, {{MEASURES, "by_month", "minutes_given"}}},
    {{MEASURES, "minutes_given", NULL}, {{MEASURES, "by_activity", "minutes_given"}}},
    {{MEASURES, "minutes_given", NULL}, {{FURTHER, "by_band", "minutes_given"}}},
    {{MEASURES, "givers", NULL}, {{FURTHER, "by_band", "givers"}}},
    {{MEASURES, "minutes_given_earn", NULL}, {{MEASURES, "by_organisation", "minutes_given"}}},
    {{MEASURES, "minutes_issued", NULL}, {{MEASURES, "by_funder", "minutes_issued"}}},
    {{MEASURES, "minutes_issued", NULL}, {{FURTHER, "by_programme", "minutes_issued"}}},
    {{MEASURES, "minutes_redeemed", NULL}, {{MEASURES, "by_venue", "minutes_redeemed"}}},
    {{MEASURES, "redemptions", NULL}, {{MEASURES, "by_venue", "redemptions"}}},
    {{MEASURES, "minutes_redeemed", NULL}, {{MEASURES, "by_offer", "minutes_redeemed"}}},
    {{MEASURES, "redemptions", NULL}, {{MEASURES, "by_offer", "redemptions"}}},
    {{MEASURES, "givers", NULL},
     {{MEASURES, "new_givers", NULL}, {MEASURES, "returning_givers", NULL}}},
    {{MEASURES, "previous_givers", NULL},
     {{MEASURES, "retained_givers", NULL}, {MEASURES, "lapsed_givers", NULL}}},
    {{MEASURES, "minutes_given_exchange", NULL}, {{OF_REGISTER, "between_wards", "minutes_given"}}},
    {{MEASURES, "minutes_given_exchange", NULL},
     {{OF_REGISTER, "between_age_bands", "minutes_given"}}},
    {{MEASURES, "ties", NULL},
     {{OF_REGISTER, "ties_within_wards", NULL}, {OF_REGISTER, "ties_across_wards", NULL}}},
};

/* Adds the column of each line, however deep its names lie. */
static bool add_column(struct lines table, const char *column, int64_t *sum) {
    struct lines rest = report_text_begin(table), name, value;
    int64_t number;
    while (report_text_next(&rest, &name, &value)) {
        if (report_text_is_object(value) && !add_column(value, column, sum))
            return false;
        if (lines_equals(name, column) && report_text_integer(value, &number) &&
            __builtin_add_overflow(*sum, number, sum))
            return false;
    }
    return true;
}

/* false: it is not there. */
static bool add_line(const struct report_text *report, const struct sum_line *line, int64_t *sum) {
    struct lines value = report_text_member(group_of(report, line->group), line->key);
    int64_t number;
    if (line->column)
        return report_text_is_object(value) && add_column(value, line->column, sum);
    return report_text_integer(value, &number) && !__builtin_add_overflow(*sum, number, sum);
}

static int sums_check(const struct report_text *report, char why[REPORT_SUMS_WHY_BYTES]) {
    for (size_t i = 0; i < N_ELEMENTS(sums); i++) {
        int64_t total = 0, sum = 0;
        bool is_there = add_line(report, &sums[i].total, &total);
        for (size_t k = 0; is_there && k < N_ELEMENTS(sums[i].terms) && sums[i].terms[k].key; k++)
            is_there = add_line(report, &sums[i].terms[k], &sum);
        if (!is_there || sum == total)
            continue;
        snprintf(why, REPORT_SUMS_WHY_BYTES, "%s is not the sum of %s%s", sums[i].total.key,
                 sums[i].terms[0].key, sums[i].terms[1].key ? " and the others" : "");
        return -EBADMSG;
    }
    return 0;
}

int report_sums_check(const struct report_text *report, char ret_why[REPORT_SUMS_WHY_BYTES]) {
    bool is_open = report_sums_are_open(report);
    uint64_t n_hidden = 0;
    if (!rule_holds(report)) {
        snprintf(ret_why, REPORT_SUMS_WHY_BYTES, "the rule is not that of its class");
        return -EBADMSG;
    }
    for (enum group group = MEASURES; group <= OF_REGISTER; group++) {
        struct lines figures = group_of(report, group);
        if (figures.n > 0 && !is_figures(figures, is_open, &n_hidden)) {
            snprintf(ret_why, REPORT_SUMS_WHY_BYTES, "something in it is no figure");
            return -EBADMSG;
        }
    }
    if (n_hidden != report->suppressed) {
        snprintf(ret_why, REPORT_SUMS_WHY_BYTES, "suppressed does not count what is marked [c]");
        return -EBADMSG;
    }
    int r = keys_check(report, ret_why);
    return r == 0 && is_open ? sums_check(report, ret_why) : r;
}
