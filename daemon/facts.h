/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the evaluator's measures read: each order that moves or counts hours as one row of numbers,
 * in the order of the log, and beside them the reversals. Every name (account, person, activity,
 * offer, funder, ward) is a number of an intern table.
 *
 * Only facts_*() writes; the report reads the fields.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "intern.h"
#include "proto/record.h"

#define FACTS_NAMELESS "none" /* stands for an activity, offer or funder that was left empty */
#define FACTS_NO_WARD "unknown"

struct fact {
    uint64_t index;         /* of the record: the entry number */
    uint64_t minutes;       /* credited, before reversals */
    uint64_t typed_minutes; /* 0: as credited */
    uint32_t service_day;
    uint32_t recorded_day; /* UTC day of the seal's received-at */
    uint32_t claimed_day;  /* 0: none */
    uint32_t from;         /* accounts; INTERN_NONE: empty */
    uint32_t to;
    uint32_t from_person; /* persons; INTERN_NONE where the account is */
    uint32_t to_person;
    uint32_t activity;
    uint32_t label; /* issue: funder; redeem: offer, as venue/name */
    uint32_t adults;
    uint32_t under16;
    Timebank__Order__KindCase kind;
    bool insisted; /* recorded although it looks like another */
};

struct fact_reversal {
    uint64_t index;
    uint64_t minutes; /* 0: all that remains */
    size_t target;    /* of facts */
    uint32_t recorded_day;
    uint32_t claimed_day;
};

struct fact_account {
    Timebank__AccountKind kind; /* NONE: only the register of people has spoken of it */
    uint32_t ward;              /* INTERN_NONE: unknown */
};

/* From this record on the date of entry is day. */
struct fact_day {
    uint64_t index;
    uint32_t day;
};

struct facts {
    uint64_t n_records;
    uint64_t total_minutes; /* of all facts, or UINT64_MAX: no sum of a part can be larger */
    struct fact *facts;
    size_t n_facts;
    struct fact_reversal *reversals;
    size_t n_reversals;
    struct fact_day *days;
    size_t n_days;
    struct fact_account *accounts; /* as account_codes */
    size_t n_accounts;
    struct intern account_codes;
    struct intern persons;
    struct intern activities;
    struct intern offers;
    struct intern funders;
    struct intern wards;
    struct intern ids; /* of orders: number i is facts[i] */
    size_t n_facts_allocated;
    size_t n_reversals_allocated;
    size_t n_days_allocated;
    size_t n_accounts_allocated;
    struct arena arena; /* of the order being read */
};

int facts_new(struct facts **ret) TB_MUST_CHECK;
struct facts *facts_free(struct facts *facts);
DEFINE_CLEANUP(struct facts *, facts_free)

/* Every record from 0, in order: -EINVAL for another index than the next, -EBADMSG for a record
 * that a ledger never holds. After any error the facts are fit for facts_free() only. */
int facts_add(struct facts *facts, uint64_t index, const uint8_t *record, size_t n) TB_MUST_CHECK;
/* The register of people says where somebody lives now; empty or FACTS_NO_WARD: it no longer does.
 * May come before the account was opened. */
int facts_set_ward(struct facts *facts, const char *code, const char *ward) TB_MUST_CHECK;

/* Date of entry of the last of the first size records; size is at least 1. */
uint32_t facts_last_day(const struct facts *facts, uint64_t size);
