/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the report share: the period, the rows that count, and the object being
 * written.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "facts.h"
#include "report.h"
#include "tally.h"

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

/* ---- report-pick.c: what counts, whatever its date of service, in the order of the log. */

struct report_picked {
    const struct fact *fact;
    const struct fact_order *order;
    uint64_t minutes; /* less what was taken back in part */
    uint32_t entered_day;
    uint32_t from_person; /* below pick's n_persons, or INTERN_NONE */
    uint32_t to_person;
    bool is_claimed; /* known by its claimed date of entry */
};

struct report_pick {
    const struct facts *facts;
    struct report_period period;
    uint64_t size; /* what is known: by the first size records, entered up to that day */
    uint32_t known_day;
    bool as_recorded;
    const struct report_class *report_class; /* report-hide.h */
    struct report_picked *rows;
    size_t n_rows;
    size_t n_persons;      /* merged accounts' persons are one */
    uint32_t *account_of;  /* of each of the facts' accounts; NULL: itself */
    uint32_t *person_of;   /* of each of the facts' persons; NULL: itself */
    struct intern persons; /* by person_of, where that is not NULL */
    uint64_t n_corrections;
    uint64_t n_waiting; /* proposals of the period that nobody has answered */
};

int report_pick_init(struct report_pick *ret, const struct facts *facts,
                     const struct report_period *period,
                     const struct report_ask *ask) TB_MUST_CHECK;
void report_pick_fini(struct report_pick *pick);
/* Was it known? */
bool report_pick_knows(const struct report_pick *pick, const struct fact_entered *entered);
/* The account that goes on for it. */
uint32_t report_pick_account(const struct report_pick *pick, uint32_t account);
bool report_picked_in_period(const struct report_pick *pick, const struct report_picked *row);
/* Exchange, earn and the leaders' legs of sessions: nothing else. */
bool report_picked_is_service(const struct report_picked *row);

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
/* Takes the member's object and leaves it empty; its error, too. */
void report_json_put_object(struct report_json *json, const char *key, struct report_json *member);
/* A copy with the members of every object in RFC 8785 order (by UTF-16 code units). */
int report_json_sort(struct report_json *json) TB_MUST_CHECK;
/* Lower-case hex SHA-256 of the object in RFC 8785 form; ret holds 65. */
int report_json_checksum(const struct report_json *json,
                         char ret[2 * HASH_BYTES + 1]) TB_MUST_CHECK;
/* The text as it is sent; the caller frees. */
int report_json_text(const struct report_json *json, char **ret) TB_MUST_CHECK;

/* ---- the measures, one part of the table each, put in the table's order */

/* report-flows.c: what moved, by kind. The bridge is REFUSAL_BRIDGE where it does not balance. */
struct report_flows {
    uint64_t exchange_minutes;
    uint64_t earn_minutes;
    uint64_t session_minutes;
    uint64_t log_minutes;
    uint64_t redeem_minutes;
    uint64_t n_redemptions;
    uint64_t n_adults;
    uint64_t n_under16;
    uint64_t gift_minutes;
    uint64_t donate_minutes;
    uint64_t issued_grant_minutes;
    uint64_t chest_grant_minutes;
    uint64_t issue_minutes;
    uint64_t advance_minutes;
    int64_t repaid_minutes; /* from here on as the legs say; less what was taken back */
    int64_t expired_minutes;
    int64_t retired_minutes;
    int64_t written_off_minutes; /* below zero: debts that the bank took over */
    int64_t to_banks_minutes;    /* less what came from them */
    int64_t given_back_minutes;  /* to issued: allotments, vouchers out of new credit */
    int64_t opening_minutes;
    int64_t closing_minutes;
};
void report_flows_sum(const struct report_pick *pick, struct report_flows *ret);
int report_flows_check_bridge(const struct report_flows *flows) TB_MUST_CHECK;
void report_flows_put(const struct report_flows *flows, struct report_json *measures);
void report_flows_put_outstanding(const struct report_flows *flows, struct report_json *measures);

/* report-people.c: who gave, received and redeemed; who came, stayed and went. */
int report_people_put(const struct report_pick *pick, struct report_json *measures) TB_MUST_CHECK;

/* report-ties.c: who gave to whom, and across which wards. */
int report_ties_put(const struct report_pick *pick, struct report_json *measures) TB_MUST_CHECK;
int report_wards_put(const struct report_pick *pick, struct report_json *report) TB_MUST_CHECK;

/* report-groups.c: the breakdowns. */
int report_groups_put(const struct report_pick *pick, struct report_json *measures) TB_MUST_CHECK;

/* report-quality.c: how the entries came in. */
int report_quality_put(const struct report_pick *pick, struct report_json *measures) TB_MUST_CHECK;
