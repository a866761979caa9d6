/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report's figures as people read them, whatever the page: hours and minutes, thousands apart,
 * months by name, periods by theirs; its breakdowns as sorted lines; and the sentences ready to
 * paste.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_FIGURE_BYTES 48
#define REPORT_PERIOD_BYTES 80
#define REPORT_COLUMNS_MAX 3

struct report_words {
    const json_t *report; /* the bank's object (timebank(1), report), borrowed */
    const json_t *measures;
    char period[REPORT_PERIOD_BYTES]; /* "2024–25", "March 2025", "1 July to 4 August 2024" */
    bool period_is_long;              /* its two ends are named: "From ... to ..." */
};

void report_words_init(struct report_words *ret, const json_t *report);
/* 0 where there is none. */
int64_t report_words_measure(const struct report_words *words, const char *key);
/* What the bridge holds beside the measures: from or to other banks, given back, debts gone. */
int64_t report_words_bridge_rest(const struct report_words *words);
/* "" where there is none. */
const char *report_words_text(const json_t *object, const char *key);
const char *report_words_time(int64_t minutes, char ret[REPORT_FIGURE_BYTES]); /* "7,939 h 15" */
const char *report_words_count(int64_t n, char ret[REPORT_FIGURE_BYTES]);
const char *report_words_hours(int64_t minutes, char ret[REPORT_FIGURE_BYTES]); /* whole, nearest */
/* "31 March 2025" of 2025-03-31. */
void report_words_date(const char *text, char *ret, size_t n);

/* A breakdown and how its columns are read. */
struct report_table {
    const char *key;
    const char *title;
    const char *first;                       /* heading of the names */
    const char *columns[REPORT_COLUMNS_MAX]; /* keys; the first is minutes */
    const char *headings[REPORT_COLUMNS_MAX];
};
extern const struct report_table report_tables[]; /* ends with a key of NULL */

struct report_line {
    const char *name; /* as in the report, borrowed */
    int64_t minutes;
    const json_t *cells;
};
/* Lines of a breakdown, most first, months as they come; the caller's (free()). NULL and 0 where
 * there is none, or no memory. */
struct report_line *report_words_lines(const struct report_words *words,
                                       const struct report_table *table, size_t *ret_n);
/* A line's name as it is read: months by theirs. */
void report_words_line_name(const struct report_table *table, const char *key, char *ret, size_t n);
/* A cell of a line: the first column is time. */
const char *report_words_cell(const struct report_table *table, const struct report_line *line,
                              size_t column, char ret[REPORT_FIGURE_BYTES]);

/* Each sentence in turn. */
void report_words_sentences(const struct report_words *words,
                            void (*each)(void *user, const char *sentence), void *user);
