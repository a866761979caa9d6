/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a figure of the report is made of: its value, its one definition in words, and the entries
 * that count for it. For use inside the bank they are listed; in the other classes there is the
 * value as the report shows it, and how many entries there are only where the figure is a shown sum
 * of them.
 *
 * The object begins as a report does (definition to rule), then: measure, title, formula, unit,
 * value; where they are known n_entries, n_persons and, of a figure that its entries add up to,
 * sum; where no entries are listed counted_from; for use inside the bank entries, ascending by
 * entry, and more: true where others follow. Of an entry: entry, kind, on, entered, from, to,
 * minutes, and counts, which add up to sum.
 */
#pragma once

#include "report-part.h"

#define REPORT_WHY_ENTRIES 10000 /* lines listed at once; an entry of several is not cut */

/* The measure is a path: givers, by_month/2024-04, by_month/2024-04/givers; with or without the
 * name of its object before it. Lists entries after that number. REFUSAL_NO_SUCH_MEASURE, with near
 * names in ask->ret_why; else as report_make(). */
int report_why_make(const struct facts *facts, const struct report_ask *ask, const char *measure,
                    uint64_t after, char **ret_json) TB_MUST_CHECK;

/* ---- report-why-source.c: which entries count for a measure */

enum why_amount {              /* what of an entry counts */
                  WHY_NOTHING, /* the figure is no sum of entries */
                  WHY_MINUTES,
                  WHY_ENTRIES,
                  WHY_ADULTS,
                  WHY_UNDER16,
                  WHY_ROUNDED,
};

enum why_mask {
    WHY_LISTS = 1,
    WHY_GIVER = 2, /* the person of the row's to side is counted, too */
    WHY_TAKER = 4, /* that of its from side */
};

#define WHY_NAMES_MAX 2

struct why_person {
    uint64_t minutes; /* of service in the period, and before it */
    uint64_t before_minutes;
    uint32_t n_months; /* whole months with service */
    bool gives;
    bool takes; /* receives or redeems */
    bool gave_before;
    bool gave_previous;
    bool is_top;
};

struct why {
    const struct report_pick *pick;
    const struct why_source *source;
    char *names[WHY_NAMES_MAX]; /* of the group, between breakdown and column */
    size_t n_names;
    enum why_amount amount;
    struct why_person *persons; /* where the source asks for them */
    uint32_t *latest_tags;      /* likewise: of each activity, by facts_latest_tags() */
};

struct why_source {
    const char *key; /* of a measure, or of a whole breakdown */
    /* Sum of enum why_mask. NULL: see flow, or what it is counted from. */
    unsigned (*picks)(const struct why *why, const struct report_row *row);
    bool (*is_in_group)(const struct why *why, const struct report_row *row);
    bool (*is_one)(const struct why *why, const struct why_person *person);
    /* Minutes that a flow between places counts. */
    int64_t (*flow)(const struct why *why, const int64_t minutes[FACTS_N_PLACES], uint16_t kind,
                    uint32_t service_day);
    const char *counted_from;
    enum why_amount amount;
    uint16_t kind;
    bool is_of_previous; /* rows of the previous period, too */
    bool lists_reversals;
    bool lists_waits;
};

/* NULL: there is none. */
const struct why_source *why_source_find(const char *key);
/* Fills why->persons where the source needs them. */
int why_source_prepare(struct why *why) TB_MUST_CHECK;

/* ---- report-why-list.c: the entries */

struct why_item {
    uint64_t entry;
    uint64_t at; /* in the order of the log, within an entry */
    int64_t minutes;
    int64_t counts;
    uint32_t service_day;
    uint32_t entered_day;
    uint32_t from; /* accounts; INTERN_NONE: none */
    uint32_t to;
    uint32_t activity;
    uint16_t kind; /* 0: something that fell due */
};

struct why_list {
    struct why_item *items; /* ascending */
    size_t n_items;
    size_t n_items_allocated;
    uint64_t n_rows;
    uint64_t n_entries;
    uint64_t n_persons;
    int64_t sum;
    bool more;
};

/* Every entry is counted; those after that number are kept, at most REPORT_WHY_ENTRIES. */
int why_list_make(const struct why *why, uint64_t after, struct why_list *ret) TB_MUST_CHECK;
void why_list_fini(struct why_list *list);
