/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator's report, definition set timebank-measures/1: measures of a period as known at a
 * cut-off, as JSON. A pure function of facts and question: the same facts and question give the
 * same bytes, register measures apart while people move.
 *
 * The object, in this order: definition, bank, from, to, as_known_at, as_recorded (only where asked
 * for), class, position, rule, measures, further_measures, register_measures, register,
 * register_age_bands, suppressed, checksum, further_checksum. proto/measures.def says what each
 * figure is.
 *
 * checksum: lower-case hex SHA-256 of measures in RFC 8785 form; further_checksum: of
 * further_measures. register: the same of the lines "code TAB ward NEWLINE", ascending by code, of
 * those in the counted exchanges who have a ward; register_age_bands: likewise of age bands. An
 * activity, offer, funder or programme left empty is called `none`.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "facts.h"
#include "proto/hash.h"

#define REPORT_DEFINITION RECORD_REPORT_DEFINITION
#define REPORT_DAYS_MAX 18263 /* fifty years */
#define REPORT_WHY_BYTES 512  /* of a sentence */

struct report_ask {
    uint32_t from_day; /* first and last day of the period */
    uint32_t to_day;
    uint32_t known_day; /* cut-off; 0: date of entry of the latest entry at the position */
    int as_recorded;    /* claimed dates of entry are not believed */
    Timebank__ReportClass report_class; /* CLASS_NONE: internal */
    unsigned year_begins; /* month in which reporting years begin, 1 to 12; 0: April */
    uint64_t size;        /* of the position, at least 1 and at most facts->n_records */
    struct hash root;
    const char *bank;                /* origin */
    unsigned n_threads;              /* 0: the caller's own */
    int line_by_line;                /* of tests: nothing is remembered of the years before */
    const atomic_bool *is_cancelled; /* NULL, or where it is seen that nobody waits any more */
    char *ret_why; /* NULL, or REPORT_WHY_BYTES: of a refusal the sentence, where it can say more
                    * than the table's; else untouched */
};

/* 0 with JSON text that the caller frees; REFUSAL_BAD_PERIOD; REFUSAL_BRIDGE: opening and closing
 * credits do not add up; -EINVAL: no such position or class; -EOVERFLOW: minutes beyond 2^53 in the
 * log; -ECANCELED; -EUCLEAN: the facts are damaged. */
int report_make(const struct facts *facts, const struct report_ask *ask,
                char **ret_json) TB_MUST_CHECK;
