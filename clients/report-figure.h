/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One figure of a report: an integer, or the mark that stands in its place where it is hidden; and
 * how people read it. A mark is never counted with: what would need a hidden figure has none.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "timebank.h"

#define REPORT_FIGURE_BYTES 64

#define REPORT_FIGURE_MAX 1000000000000 /* either way: no bank has more; so no sum overflows */

#define REPORT_MARK_NONE '\0'  /* it is shown */
#define REPORT_MARK_ABSENT '-' /* the report has no such figure */

struct report_figure {
    int64_t value; /* 0 where there is a mark */
    char mark;     /* c, z, x, k, or one of the above */
};

enum report_unit {
    REPORT_COUNT,
    REPORT_TIME,       /* minutes, as "7,939 h 15" */
    REPORT_HOURS,      /* minutes, as whole hours, to the nearest */
    REPORT_DAYS,       /* "4 days" */
    REPORT_PERCENT,    /* thousandths, as "40.9 %" */
    REPORT_RATIO,      /* thousandths, as "4.12" */
    REPORT_PER_MILLION /* as a percentage with four decimals */
};

/* What a JSON value of the report is: an integer, "[c]", or nothing. Whatever else it is, [x]. */
struct report_figure report_figure_read(const json_t *value);
bool report_figure_is_shown(struct report_figure figure);
/* part of whole in thousandths, to the nearest; the first mark of the two; absent of 0. */
struct report_figure report_figure_share(struct report_figure part, struct report_figure whole);

/* "7,939 h 15", "[c]", or "" of what is absent. */
const char *report_figure_text(struct report_figure figure, enum report_unit unit,
                               char ret[REPORT_FIGURE_BYTES]);
const char *report_figure_time(int64_t minutes, char ret[REPORT_FIGURE_BYTES]);
const char *report_figure_count(int64_t n, char ret[REPORT_FIGURE_BYTES]);
/* Hundredths as "1,234.50". */
const char *report_figure_hundredths(int64_t n, char ret[REPORT_FIGURE_BYTES]);

/* What a mark means, as a sentence's part; "" of what is none. */
const char *report_mark_meaning(char mark);
/* Calls each() for each mark that stands anywhere in the figures of the report, in a fixed order;
 * the number of them. each may be NULL. */
size_t report_marks_each(const json_t *report, void (*each)(void *user, char mark), void *user);
