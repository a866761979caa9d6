/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of the report: some measures, summed row by row on several threads at once. Each thread
 * has sums of its own; they are merged, and then put. A part adds up: whatever the order of rows
 * and of merges, the same figures come out.
 *
 * Rows are what counts, as picked (report-parts.h): known at the cut-off, less what was taken back,
 * merged persons as one. Those whose date of service is from the pick's whole_from_day (the
 * period's first day, or earlier where the class asks for it) to its reach_to_day come whole; those
 * before it as struct report_past.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mutual.h"
#include "report-parts.h"

#define REPORT_ROWS_MAX 2048 /* handed over at once */

struct report_row {
    uint64_t entry;   /* record of the order itself */
    uint64_t minutes; /* less what was taken back in part */
    uint32_t order;   /* numbers of orders ascend with entry; lines of one order share it */
    uint32_t service_day;
    uint32_t entered_day;
    uint32_t from; /* accounts of the facts, as recorded; INTERN_NONE: empty */
    uint32_t to;
    uint32_t from_person; /* below the pick's n_persons, or INTERN_NONE */
    uint32_t to_person;
    uint32_t activity;
    uint32_t label; /* issue: funder; redeem: offer, as venue/name */
    uint32_t programme;
    uint32_t adults;
    uint32_t under16;
    int32_t rounded_minutes; /* credited less typed, of the whole order; 0 on its further lines */
    uint16_t kind;           /* as measures see it */
    bool is_further;         /* not the first of its order's, which stands for the entry */
    bool is_claimed;         /* known by its claimed date of entry */
    bool insisted;           /* recorded although it looks like another */
    bool is_service;         /* exchange, earn, a leader's leg of a session */
    bool in_period;
    bool in_previous;
};

/* Exchanges, earning and sessions only; and it may stand for many such: then as lines of a session,
 * one of a person's givings with its earliest date of service, one of a person's receivings. */
struct report_past {
    uint64_t minutes;
    uint32_t service_day;
    uint32_t from_person;
    uint32_t to_person;
    uint16_t kind;
    bool is_service;
    bool in_previous;
};

/* What a record moved between places, whatever its date of service. */
struct report_flow {
    int64_t minutes[FACTS_N_PLACES];
    uint32_t service_day;
    uint16_t kind; /* of the order that it is about; 0: something that fell due */
};

/* What a record did to what an account has. One of more than a year before the period's last day
 * may stand for many of the account's: then it is about no order. */
struct report_leg {
    uint64_t index;
    int64_t minutes;
    uint32_t account; /* of the facts, as recorded */
    uint32_t order;   /* that it is about, or INTERN_NONE */
    uint32_t service_day;
    uint32_t entered_day;
};

enum report_did { /* in the period, unless it says otherwise */
                  REPORT_GAVE = 1,
                  REPORT_RECEIVED = 2,
                  REPORT_REDEEMED = 4,
                  REPORT_GAVE_BEFORE = 8,    /* the period, at any time */
                  REPORT_GAVE_PREVIOUS = 16, /* in the previous period */
                  REPORT_EXCHANGED = 32,     /* ever: was in an exchange, earn or session */
};

/* All that is summed of a person, in one line of the cache: a row costs two. */
struct report_person {
    uint64_t minutes;        /* of service given in the period */
    uint64_t before_minutes; /* before it */
    uint64_t given_minutes;  /* in exchanges with others in the period, and received */
    uint64_t received_minutes;
    uint32_t first_day;  /* first entry in the period from joining on, or REPORT_NO_DAY */
    uint32_t joined_day; /* REPORT_NO_DAY: no member */
    uint32_t parent;     /* another one who exchanges tie to this one; root: itself */
    uint32_t did;        /* sum of enum report_did */
} __attribute__((aligned(64)));
#define REPORT_NO_DAY UINT32_MAX

/* What the rows of one activity came to. */
struct report_group {
    uint64_t minutes;
    uint64_t n_entries;
    uint64_t n_rows;
};

/* Where a part puts what it summed. */
struct report_out {
    struct report_json *measures; /* definition set timebank-measures/1: never more, never less */
    struct report_json *further;  /* further_measures: the second list, from the log alone */
    struct report_json *of_register; /* register_measures: change with the register of people */
    struct report_json *foot;        /* what stands behind them in the report: register */
    struct report_person *persons;   /* of each person, once report_persons has put */
    const struct pairs *givers_of_months;  /* likewise; months of the period */
    const struct report_group *activities; /* services, once report_groups has put */
    const struct pairs *givers_of_activities;
    const struct mutual *ties; /* giver and receiver in exchanges, once report_ties has put */
    uint64_t n_ties;           /* of two each, and of these of two who gave each other */
    uint64_t n_both_ways;
    const bool *trades; /* of each person: is in any */
};

#define REPORT_LATE_DAYS 30 /* from date of service to date of entry: more is late */

/* Of givers by what they gave in the period: from where the band before ends. */
struct report_band {
    const char *key;
    uint64_t below_minutes;
};
/* What somebody's service reaches over the years. */
struct report_milestone {
    const char *key;
    uint64_t minutes;
};
#define REPORT_N_BANDS 5
#define REPORT_N_MILESTONES 3
extern const struct report_band report_bands_list[REPORT_N_BANDS]; /* report-bands.c */
extern const struct report_milestone report_bands_milestones[REPORT_N_MILESTONES];

struct report_part {
    size_t sums_bytes;
    /* On zeroed sums. */
    int (*begin)(void *sums, const struct report_pick *pick);
    int (*note)(void *sums, const struct report_pick *pick, const struct report_row *rows,
                size_t n);
    /* NULL: it does not ask. */
    int (*note_past)(void *sums, const struct report_pick *pick, const struct report_past *rows,
                     size_t n);
    /* NULL: it does not ask. */
    int (*note_flows)(void *sums, const struct report_pick *pick, const struct report_flow *rows,
                      size_t n);
    /* NULL: it does not ask. Up to the period's last day. */
    int (*note_legs)(void *sums, const struct report_pick *pick, const struct report_leg *rows,
                     size_t n);
    /* Adds the other's sums, which stay as they are and may be read by others meanwhile. */
    int (*merge)(void *sums, const struct report_pick *pick, void *other);
    /* 0, REFUSAL_BRIDGE, or < 0. */
    int (*put)(void *sums, const struct report_pick *pick, struct report_out *out);
    void (*end)(void *sums); /* zeroed, half begun or whole sums; NULL: they hold nothing */
};

/* ---- the parts, one file each unless it says otherwise */

extern const struct report_part report_flows;       /* what moved, by kind; REFUSAL_BRIDGE */
extern const struct report_part report_outstanding; /* report-flows.c: before and after it */
extern const struct report_part report_persons; /* what each did: read by others, which follow */
extern const struct report_part report_people;  /* who gave, received and redeemed; came and went */
extern const struct report_part report_ties;    /* who gave to whom */
extern const struct report_part report_groups;  /* the breakdowns */
extern const struct report_part report_quality; /* how the entries came in */
/* The second list; these read measures that were put before. */
extern const struct report_part report_members;     /* who is one, came and left */
extern const struct report_part report_bands;       /* how much each giver gave */
extern const struct report_part report_circulation; /* how credits go round */
extern const struct report_part report_network;     /* the shape of the network of exchanges */
extern const struct report_part report_tags;        /* by tag and by programme */
extern const struct report_part report_register;    /* between wards and age bands */
