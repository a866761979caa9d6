/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which figures stand together, in which order and under which words, for every page of a report.
 * The text leaves some out that the page of HTML has; a group of nothing but zeros is left out by
 * both, unless all is asked for.
 */
#pragma once

#include "report-words.h"

/* The key of what the bridge holds beside the measures. */
#define REPORT_REST "(rest)"

struct report_row {
    const char *key;
    const char *name;
    enum report_unit unit;
    const char *base; /* shown as its percentage, too; NULL: none */
    const char *sign; /* of a bridge: "+", "-", "="; NULL: none */
    bool is_part;     /* of the line above */
    bool is_left_out; /* where it is 0: a kind of entry that this bank does not use */
    bool is_fine;     /* no part of the one page of text */
};

struct report_section {
    const char *title;
    const char *caption; /* of its table, for those who are read to; says more than the title */
    const struct report_row *rows; /* ends with a key of NULL */
    bool is_left_out;              /* where all its figures are 0 */
};

enum report_section_number {
    REPORT_GIVEN,
    REPORT_PEOPLE,
    REPORT_MEMBERS,
    REPORT_NETWORK,
    REPORT_SPENT,
    REPORT_BRIDGE,
    REPORT_CIRCULATION,
    REPORT_QUALITY,
    REPORT_N_SECTIONS
};
extern const struct report_section report_sections[REPORT_N_SECTIONS];

/* Whether a section has anything to tell. */
bool report_section_is_told(const struct report_words *words, const struct report_section *section,
                            bool all);
/* Calls each() for every row that is told: with its figure, and its percentage of the base (""
 * where it has none) as "80.1 % of 256". */
void report_section_each(const struct report_words *words, const struct report_section *section,
                         bool fine, bool all,
                         void (*each)(void *user, const struct report_row *row, const char *figure,
                                      const char *share),
                         void *user);
