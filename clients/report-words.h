/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report as people read it, whatever the page: its period and class in words, its figures by
 * name, its breakdowns as sorted lines, and the sentences ready to paste.
 */
#pragma once

#include "report-figure.h"

#define REPORT_PERIOD_BYTES 80
#define REPORT_COLUMNS_MAX 3

struct report_words {
    const json_t *report; /* the bank's object (timebank(1), report), borrowed */
    const json_t *measures;
    char period[REPORT_PERIOD_BYTES]; /* "2024–25", "March 2025", "1 July to 4 August 2024" */
    bool period_is_long;              /* its two ends are named: "From ... to ..." */
    bool is_rounded;                  /* sums need not add up */
};

void report_words_init(struct report_words *ret, const json_t *report);
/* A figure of any of the report's three objects. */
struct report_figure report_words_figure(const struct report_words *words, const char *key);
/* Its value; 0 where there is none that is shown. */
int64_t report_words_measure(const struct report_words *words, const char *key);
/* What stands under a key of any of the three; NULL where nothing does. */
json_t *report_words_find(const struct report_words *words, const char *key);
/* What the bridge holds beside the measures: from or to other banks, given back, debts gone. Absent
 * where that cannot be told, or is nothing. */
struct report_figure report_words_bridge_rest(const struct report_words *words);
/* "" where there is none. */
const char *report_words_text(const json_t *object, const char *key);
/* "31 March 2025" of 2025-03-31. */
void report_words_date(const char *text, char *ret, size_t n);
/* Whom the report is for and what that hides, as sentences. */
void report_words_class(const struct report_words *words, char *ret, size_t n);

/* ---------------------------------------------------------------- breakdowns */

enum report_order { REPORT_MOST_FIRST, REPORT_BY_NAME, REPORT_AS_NAMED };

/* A breakdown and how its columns are read. */
struct report_table {
    const char *key;
    const char *title;
    const char *first;                       /* heading of the names */
    const char *columns[REPORT_COLUMNS_MAX]; /* keys; the first is minutes */
    const char *headings[REPORT_COLUMNS_MAX];
    enum report_order order;
    const char *const (*names)[2]; /* of REPORT_AS_NAMED: key and words; ends with NULL */
    bool is_sets;                  /* a table of each of its keys */
    bool is_fine;                  /* no part of the one page of text */
};
extern const struct report_table report_tables[]; /* ends with a key of NULL */
/* Of pairs of wards or age bands; they have tables of their own. */
extern const struct report_table report_squares[];

/* Calls each() for each breakdown that the report has, by_tag's sets one by one; title is the
 * breakdown's own. */
void report_words_breakdowns(const struct report_words *words,
                             void (*each)(void *user, const struct report_table *table,
                                          const char *title, const json_t *groups),
                             void *user);

struct report_line {
    const char *name; /* as in the report, borrowed */
    struct report_figure figure;
    const json_t *cells;
};
/* Lines of a breakdown in its order, hidden ones last; the caller's (free()). NULL and 0 where
 * there is none, or no memory. */
struct report_line *report_words_lines(const struct report_table *table, const json_t *groups,
                                       size_t *ret_n);
/* A line's name as it is read: months by theirs. */
void report_words_line_name(const struct report_table *table, const char *key, char *ret, size_t n);
/* A cell of a line: the first column is time. */
const char *report_words_cell(const struct report_table *table, const struct report_line *line,
                              size_t column, char ret[REPORT_FIGURE_BYTES]);

/* ----------------------------------------------------------------- sentences */

/* Each sentence in turn (report-sentences.c). What needs a hidden figure is left out. */
void report_sentences_each(const struct report_words *words,
                           void (*each)(void *user, const char *sentence), void *user);
