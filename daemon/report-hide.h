/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disclosure control: which figures of a class may leave. Cells are judged by distinct persons and
 * dominance, then more are hidden until no hidden one follows from what is shown. timebank(1) has
 * the rules and the marks under DISCLOSURE CONTROL; disclosure.def says which rule each figure has.
 *
 * Its part of the report sums who stands behind each cell of each month of the years that the
 * period touches; report_hide() judges all of them, whatever is asked for, so that no two reports
 * at one position contradict each other.
 */
#pragma once

#include "report-part.h"

struct report_class {
    Timebank__ReportClass number;
    const char *name;   /* internal, funder, public */
    uint64_t threshold; /* distinct persons that a cell needs; 0: nothing is hidden */
    uint64_t round_to;  /* counts, and hours; 1: not rounded */
    bool only_primary;  /* of tests: what follows from what is shown is not looked at */
    const struct report_class *within; /* NULL, or what this one hides, too: whoever holds reports
                                          of both knows no more than of that one */
};
/* NULL: there is no such class. CLASS_NONE is internal. */
const struct report_class *report_class_get(Timebank__ReportClass number);
/* Classes that hide something take whole calendar months only. */
bool report_class_takes(const struct report_class *report_class,
                        const struct report_period *period);
#define REPORT_CLASS_SENTENCE_BYTES 200
/* Which period to ask for instead of one that it does not take. */
void report_class_say_period(const struct report_class *report_class,
                             const struct report_period *period,
                             char ret[REPORT_CLASS_SENTENCE_BYTES]);

/* Sums only where the pick's class hides something. */
extern const struct report_part report_cells;

/* The days that the part must see besides the period, for the pick's reach. */
void report_cells_reach(const struct report_pick *pick, int64_t *ret_from_day, int64_t *ret_to_day);

/* Hides and rounds, in place: a hidden figure becomes the text [c], [z], [x] or [k]. What no rule
 * names is hidden ([x]). ret_n_hidden counts the [c]. REFUSAL_BAD_PERIOD where the class has no
 * reports of such a period. */
int report_hide(const struct report_pick *pick, void *cells, struct report_out *out,
                uint64_t *ret_n_hidden) TB_MUST_CHECK;

/* The cells of the months that the period holds which are not shown by themselves, a line each,
 * ascending: "2024-04 by_activity/gardening\n". Two positions that agree on a month hide the same.
 */
int report_hidden_list(const struct report_pick *pick, void *cells,
                       struct bytes *ret) TB_MUST_CHECK;
