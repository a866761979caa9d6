/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the report share: the period, what counts, and the object being written.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "facts.h"
#include "report.h"

/* ---- report-period.c: months are counted from year 0, month 12 * year + month - 1. */

struct report_period {
    int64_t from_day; /* first and last day; signed, for the previous period of an early one */
    int64_t to_day;
    int64_t previous_from_day; /* first and last day of the period before */
    int64_t previous_to_day;
    uint32_t first_month; /* first and last month that the period touches */
    uint32_t last_month;
    uint32_t first_whole_month; /* of the n_whole_months that it holds whole */
    uint32_t n_whole_months;
};

/* REFUSAL_BAD_PERIOD: ends before it begins, too long, or after the year 9999. */
int report_period_init(struct report_period *ret, uint32_t from_day, uint32_t to_day) TB_MUST_CHECK;
bool report_period_holds(const struct report_period *period, uint32_t day);
bool report_period_holds_month(const struct report_period *period, uint32_t month); /* whole */
uint32_t report_period_month(uint32_t day);
void report_period_month_name(uint32_t month, char ret[16]); /* 2024-04 */

/* ---- report-pick.c: what counts: known at the cut-off, less what was taken back, merged persons
 * as one. The lines themselves are read by report-scan.h. */

#define REPORT_ALL UINT64_MAX

/* Minutes of an order that known reversals take back. */
struct report_taken {
    uint32_t order;   /* as lines have it */
    uint64_t minutes; /* REPORT_ALL: it does not count */
    uint64_t of_minutes;
};

struct report_pick {
    const struct facts *facts;
    struct report_period period;
    uint64_t size; /* what is known: by the first size records, entered up to that day */
    uint32_t known_day;
    bool as_recorded;
    bool line_by_line;
    const struct report_class *report_class; /* report-hide.h */
    unsigned year_begins; /* month in which reporting years begin, 1 to 12; 0: April */
    /* Dates of service that are listed as whole rows, and from which on parts see them so: the past
     * lies before. */
    int64_t reach_from_day;
    int64_t reach_to_day;
    int64_t whole_from_day;
    size_t n_persons;           /* merged accounts' persons are one */
    uint32_t *account_of;       /* of each of the facts' accounts; NULL: itself */
    uint32_t *person_of;        /* of each of the facts' persons; NULL: itself */
    struct intern persons;      /* by person_of, where that is not NULL */
    uint32_t *months;           /* of each day of the period, from its first */
    struct report_taken *taken; /* ascending by order */
    size_t n_taken;
    uint64_t
        *taken_bits; /* by the low bits of an order: none of these numbers is among the taken */
    uint32_t taken_mask;
    uint64_t n_corrections;
    uint64_t n_waiting;              /* proposals of the period that nobody has answered */
    const atomic_bool *is_cancelled; /* or NULL */
    char *why;                       /* of a refusal: REPORT_WHY_BYTES, or NULL */
};

int report_pick_init(struct report_pick *ret, const struct facts *facts,
                     const struct report_period *period,
                     const struct report_ask *ask) TB_MUST_CHECK;
void report_pick_fini(struct report_pick *pick);
/* Its date of entry, as claimed where that is believed. */
uint32_t report_pick_entered_day(const struct report_pick *pick,
                                 const struct fact_entered *entered);
/* Was it known? */
bool report_pick_knows(const struct report_pick *pick, const struct fact_entered *entered);
/* The account that goes on for it. */
static inline uint32_t report_pick_account(const struct report_pick *pick, uint32_t account) {
    return pick->account_of ? pick->account_of[account] : account;
}
static inline uint32_t report_pick_person(const struct report_pick *pick, uint32_t person) {
    return person == INTERN_NONE || !pick->person_of ? person : pick->person_of[person];
}
/* What is taken back of the order: 0 to REPORT_ALL. */
uint64_t report_pick_find_taken(const struct report_pick *pick, uint32_t order);
static inline uint64_t report_pick_taken(const struct report_pick *pick, uint32_t order) {
    uint32_t bit = order & pick->taken_mask;
    return pick->taken_bits && pick->taken_bits[bit / 64] >> bit % 64 & 1
               ? report_pick_find_taken(pick, order)
               : 0;
}
/* Of a day in the period: 0 is the month that it begins in. */
static inline uint32_t report_pick_month(const struct report_pick *pick, uint32_t day) {
    return pick->months[day - pick->period.from_day];
}
/* A service: exchange, earn and the leaders' legs of sessions, nothing else. */
static inline bool report_pick_is_service(uint16_t kind, uint32_t to_person) {
    return kind == TIMEBANK__ORDER__KIND_EXCHANGE || kind == TIMEBANK__ORDER__KIND_EARN ||
           (kind == TIMEBANK__ORDER__KIND_SESSION && to_person != INTERN_NONE);
}

/* ---- report-json.c: objects with a sticky error. */

struct report_json {
    json_t *object;
    int r;
};

int report_json_init(struct report_json *ret) TB_MUST_CHECK;
void report_json_fini(struct report_json *json);
#define _cleanup_json_ _cleanup_(report_json_fini)
void report_json_put(struct report_json *json, const char *key, uint64_t value);
void report_json_put_signed(struct report_json *json, const char *key, int64_t value);
void report_json_put_text(struct report_json *json, const char *key, const char *value);
void report_json_put_flag(struct report_json *json, const char *key, bool value);
void report_json_put_day(struct report_json *json, const char *key, uint32_t day);
int report_json_put_position(struct report_json *json, uint64_t size,
                             const struct hash *root) TB_MUST_CHECK;
/* Takes the member's object and leaves it empty; its error, too. */
void report_json_put_object(struct report_json *json, const char *key, struct report_json *member);
/* A copy with the members of every object in RFC 8785 order (by UTF-16 code units). */
int report_json_sort(struct report_json *json) TB_MUST_CHECK;
/* Lower-case hex SHA-256 of the object in RFC 8785 form; ret holds 65. */
int report_json_checksum(const struct report_json *json,
                         char ret[2 * HASH_BYTES + 1]) TB_MUST_CHECK;
/* The text as it is sent; the caller frees. */
int report_json_text(const struct report_json *json, char **ret) TB_MUST_CHECK;
