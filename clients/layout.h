/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A funder's own form of a report (timebank-layout(5)): their title, headings and words in their
 * order, each naming a measure of ours. layout.c reads the file, layout-figure.c finds what a line
 * names in a report, layout-print.c makes the page, layout-run.c does one or a whole directory.
 */
#pragma once

#include "base/cleanup.h"
#include "rates.h"
#include "report-words.h"
#include "report.h"

#define LAYOUT_ITEMS_MAX 400
#define LAYOUT_TEXT_BYTES 300
#define LAYOUT_PATH_BYTES 300

enum layout_as {
    LAYOUT_PLAIN, /* as every other page shows it */
    LAYOUT_HEADING,
    LAYOUT_TABLE,
    LAYOUT_HOURS,
    LAYOUT_MINUTES,
    LAYOUT_PERCENT,
    LAYOUT_MONEY
};

struct layout_item {
    size_t line; /* of the file */
    enum layout_as as;
    char words[LAYOUT_TEXT_BYTES]; /* the funder's */
    char path[LAYOUT_PATH_BYTES];  /* of the measure, as tb_measure_find() takes it */
    char of[LAYOUT_PATH_BYTES];    /* percent of: a path; money: a rate's name */
};

enum layout_format { LAYOUT_TEXT, LAYOUT_CSV, LAYOUT_HTML };

struct layout {
    char *path;
    char title[LAYOUT_TEXT_BYTES];
    uint32_t from_day; /* 0: the layout names no period */
    uint32_t to_day;
    enum tb_report_class report_class;
    enum layout_format format;
    bool has_rates;
    struct rates rates;
    size_t n_items;
    struct layout_item *items;
};

/* Exit status; what is wrong is told with file and line. Free with layout_free(). */
int layout_read(struct client *client, const char *path, struct layout **ret);
struct layout *layout_free(struct layout *layout);
DEFINE_CLEANUP(struct layout *, layout_free)

/* A line's figure in a report. */
struct layout_figure {
    char text[3 * REPORT_FIGURE_BYTES]; /* as people read it: "33.7 % of 309" */
    char value[REPORT_FIGURE_BYTES];    /* as machines do; "" where it is hidden */
    char unit[48];
    char flag[2];
};
void layout_figure_get(const struct layout *layout, const struct layout_item *item,
                       const struct report_words *words, struct layout_figure *ret);
/* What stands under a path; NULL where nothing does. */
json_t *layout_figure_find(const struct report_words *words, const char *path);

void layout_print(FILE *to, const struct layout *layout, const json_t *report);
json_t *layout_print_json(const struct layout *layout, const json_t *report);

/* timebank report --layout: a file, or a directory with --out. Exit status. */
int layout_run(struct client *client, const struct report_options *options);
