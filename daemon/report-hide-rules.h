/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that disclosure.def names, and what they share. */
#pragma once

#include "report-hide-people.h"

#define HIDE_CONFIDENTIAL "[c]"
#define HIDE_UNAVAILABLE "[x]"
#define HIDE_ROUNDS_TO_ZERO "[k]"

struct hiding {
    struct cells *cells;
    const struct report_class *report_class;
    const struct report_period *period;
    json_t *now[3];    /* the objects, by enum hide_group: what becomes of them */
    json_t *before[3]; /* as they were */
    struct report_hide_people people;
};

enum hide_group { HIDE_MEASURES, HIDE_FURTHER, HIDE_OF_REGISTER };

struct hide_rule {
    enum hide_group group;
    const char *key;
    int (*apply)(struct hiding *hiding, const struct hide_rule *rule, json_t *value);
    const char *of;
};

/* Ends with a NULL key. apply() is given the figure, or the table of figures, under the key. */
extern const struct hide_rule report_hide_rules[];

/* report-hide-figure.c: one figure at a time, in the object that holds it. */
int report_hide_figure_mark(json_t *object, const char *key, const char *mark) TB_MUST_CHECK;
/* Every figure in it, however deep. */
int report_hide_figure_mark_all(json_t *object, const char *key, const char *mark) TB_MUST_CHECK;
/* To the class's base: minutes by the hour, counts by one. */
int report_hide_figure_round_all(const struct report_class *report_class, json_t *object,
                                 const char *key) TB_MUST_CHECK;
int report_hide_figure_round_to(json_t *object, const char *key, uint64_t base) TB_MUST_CHECK;
/* Of before and now: the figure as it was, and whether it is still shown. */
uint64_t report_hide_figure_before(const struct hiding *hiding, enum hide_group group,
                                   const char *key);
bool report_hide_figure_is_shown(const struct hiding *hiding, enum hide_group group,
                                 const char *key);
uint64_t report_hide_figure_now(const struct hiding *hiding, enum hide_group group,
                                const char *key);

/* report-hide-bands.c: the table of givers by what they gave, and the tenth who gave most. */
int report_hide_bands_apply(struct hiding *hiding, const struct hide_rule *rule, json_t *value);
int report_hide_bands_top(struct hiding *hiding, const struct hide_rule *rule, json_t *value);
