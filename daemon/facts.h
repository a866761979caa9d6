/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the evaluator's measures read of the log: of each order below the register kinds the lines
 * that a measure counts, one of an exchange, one for each giver and each receiver of a session,
 * none of a merge. Lines join their blocks (facts-block.h) when they take effect. Beside them what
 * was taken back, what waited, which accounts were merged, and what of the credits outstanding came
 * and went. Every name (account, person, activity, offer, funder, ward) is a number of an intern
 * table; an order's number is that of its record.
 *
 * Amounts come from the orders, so far as these state them, and from the legs that the ledger keeps
 * beside each record, where they follow from a balance (repaid advances, lapsed vouchers). The two
 * meet in the report's bridge.
 *
 * Only facts_*() writes; the report reads the fields.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "intern.h"
#include "proto/record.h"

#define FACTS_NAMELESS "none"   /* stands for an activity, offer or funder that was left empty */
#define FACTS_NO_WARD "unknown" /* nor age band */
#define FACTS_NEVER UINT64_MAX  /* index of what has no effect (yet) */

/* When something became known: by which record, on which UTC day; and what an import claims. */
struct fact_entered {
    uint64_t index;
    uint32_t recorded_day;
    uint32_t claimed_day; /* 0: none */
};

struct fact_order {
    struct fact_entered entered; /* a proposal is entered on the day it took effect */
    uint64_t entry;              /* its own record */
    uint64_t minutes;            /* of all its facts; before what was taken back */
    int64_t rounded_minutes;     /* credited less typed */
    uint32_t n_facts;
    uint32_t service_day;
    uint32_t wait; /* of waits, or INTERN_NONE */
    uint16_t kind; /* Timebank__Order__KindCase */
    bool insisted; /* recorded although it looks like another */
};

struct fact {
    uint64_t minutes;
    uint32_t from; /* accounts; INTERN_NONE: empty */
    uint32_t to;
    uint32_t from_person; /* persons; INTERN_NONE where the account is */
    uint32_t to_person;
    uint32_t activity;
    uint32_t label; /* issue: funder; redeem: offer, as venue/name */
    uint32_t programme;
    uint32_t adults;
    uint32_t under16;
    uint16_t kind;   /* as measures see it: what a venue takes by capture or voucher is a redeem */
    bool is_further; /* not the first of its order's, which stands for the entry */
};

/* Minutes that a record takes back of an order: a reversal, or a decision in a dispute. */
struct fact_reversal {
    struct fact_entered entered;
    uint64_t minutes;       /* 0: all that remains */
    uint64_t order_minutes; /* of all lines of the order; 0: it has none */
    uint32_t order;         /* as lines have it */
    uint32_t service_day;   /* of the order */
};

/* A proposal, from its record until it took effect or fell. */
struct fact_wait {
    struct fact_entered entered;
    struct fact_entered ended; /* index FACTS_NEVER: it waits */
    uint32_t order;
    uint32_t service_day; /* of the order */
};

/* Where credits are, as the bridge of the report has them. */
enum fact_place {
    PLACE_OUTSTANDING, /* members, organisations, chest, vouchers; what is held for them in transit
                        */
    PLACE_ISSUED,
    PLACE_ADVANCES,
    PLACE_EXPIRED,
    PLACE_RETIRED,
    PLACE_WRITE_OFFS,
    PLACE_BANKS,
    PLACE_VENUES,
    PLACE_TRANSIT, /* counted where the credits are held for */
    FACTS_N_PLACES
};

struct fact_merge {
    struct fact_entered entered;
    struct fact_entered ended; /* unmerged; index FACTS_NEVER: not */
    uint32_t order;
    uint32_t from; /* the account that ends, and the one that goes on */
    uint32_t to;
};

struct fact_account {
    struct fact_entered opened;
    Timebank__AccountKind kind; /* NONE: only the register of people has spoken of it */
    uint32_t joined_day;        /* date of joining, or of opening */
    uint32_t ward;              /* INTERN_NONE: unknown */
    uint32_t age_band;          /* likewise */
    uint32_t person;            /* its only or first one, of persons; INTERN_NONE: not met yet */
    int64_t held;               /* after the last record */
};

/* An account that was settled, closed or erased (a merged one is among the merges), or a person of
 * an account who came, or has gone. */
struct fact_standing {
    struct fact_entered entered;
    uint32_t account;
    uint32_t person; /* of persons; INTERN_NONE: the account */
    bool is_gone;
};

/* Tags of an activity from that record on, each with a NUL behind it: n_bytes of tags from at. */
struct fact_tagging {
    uint64_t index;
    uint32_t activity;
    uint32_t n_bytes;
    size_t at;
};

/* From this record on, the latest date of entry of all that has an effect. */
struct fact_latest {
    uint64_t index;
    uint32_t recorded_day;
    uint32_t day; /* where claimed dates are believed */
};

/* From this record on the date of entry is day. */
struct fact_day {
    uint64_t index;
    uint32_t day;
};

/* A block of rows: open in columns of its own, or packed, here or in the mapped file. */
#define FACTS_KEY_BYTES 5
#define FACTS_CHECKSUM_BYTES 16
struct facts_block {
    void *rows;
    const uint8_t *packed; /* mapped: the checksum stands behind it */
    size_t n_packed;
    uint8_t key[FACTS_KEY_BYTES]; /* in the file */
    bool is_mapped;
    atomic_bool is_proven; /* a mapped one has been read against its checksum */
};

/* Rows in columns, block by block, the last one open: facts-block.h reads them. */
struct fact_zone;
struct facts_series {
    struct fact_zone *zones;
    struct facts_block *blocks;
    size_t n_zones;
    size_t n_blocks; /* as many */
    size_t n_zones_allocated;
    size_t n_blocks_allocated;
};

struct fact_change {
    uint32_t account;
    int64_t minutes;
};

/* A leg or a flow of an order that has no effect yet. */
struct fact_aside {
    struct fact_entered entered;
    int64_t minutes[FACTS_N_PLACES]; /* of a leg the first */
    uint32_t order;
    uint32_t account; /* INTERN_NONE: a flow */
    uint32_t service_day;
    uint16_t kind;
};

/* An order that has no effect yet, with all that will join when it has. */
struct facts_waiting {
    struct fact_order order;
    struct fact *lines;
    struct fact_aside *asides;
    size_t n_asides;
    size_t n_asides_allocated;
    uint64_t remains_minutes; /* of a hold */
    bool is_over;
};

/* Where the id of an order leads: a table of 16 bits of its hash and the record's place among
 * FACTS_IDS_RECORDS, for each such run of records. What it leads to is verified against the log. */
#define FACTS_IDS_RECORDS 65536u
struct fact_id {
    uint64_t hash;
    uint32_t place;
};
struct facts_ids {
    uint8_t key[16];
    struct facts_block *chunks; /* packed; one of records without an order is empty */
    size_t n_chunks;
    size_t n_chunks_allocated;
    struct fact_id *open; /* of the records after those */
    size_t n_open;
    size_t n_open_allocated;
    uint32_t *slots; /* of the first n_slotted open ones: the rest follow when one is looked for */
    size_t n_slotted;
};

/* Reads a record of the log, appending its bytes: 1, 0 there is none. */
struct facts_source {
    int (*record)(void *user, uint64_t index, struct bytes *to);
    void *user;
};

/* What those who read full blocks remember of them: theirs, and ended with the facts. */
enum facts_memo_of { FACTS_MEMO_CHAPTERS, FACTS_MEMO_RESTS, FACTS_N_MEMOS };
struct facts_memo {
    _Atomic(void *) memory; /* NULL: nothing yet */
    void (*end)(void *memory);
};

/* Lines and what hangs on them are read by facts-block.h. */
struct facts {
    struct facts_memo *memo; /* FACTS_N_MEMOS of them */
    uint64_t n_records;
    bool by_the_long_way; /* facts-plain.c is not asked: tests compare */
    struct facts_series lines;
    struct facts_series legs; /* but those that follow from a line */
    struct facts_series flows;
    uint64_t total_minutes; /* of all facts, or UINT64_MAX: no sum of a part can be larger */
    struct fact_reversal *reversals;
    size_t n_reversals;
    struct fact_wait *waits;
    size_t n_waits;
    struct fact_merge *merges;
    size_t n_merges;
    struct fact_standing *standings;
    size_t n_standings;
    struct fact_tagging *taggings;
    size_t n_taggings;
    struct fact_latest *latest;
    size_t n_latest;
    struct fact_day *days;
    size_t n_days;
    struct fact_account *accounts; /* as account_codes */
    size_t n_accounts;
    uint32_t *opened; /* of accounts, in the order of opening: the ledger's own numbers */
    size_t n_opened;
    struct facts_waiting *waiting; /* ascending by order */
    size_t n_waiting;
    size_t n_over; /* of these */
    struct facts_ids ids;
    struct intern account_codes;
    struct intern persons; /* account u32 | name */
    struct intern activities;
    struct intern offers;
    struct intern funders;
    struct intern programmes;
    struct intern wards;
    struct intern age_bands;
    struct bytes tags;
    uint32_t activities_met[16]; /* by the last byte of their names: number + 1, or 0 */
    size_t n_reversals_allocated;
    size_t n_waits_allocated;
    size_t n_merges_allocated;
    size_t n_standings_allocated;
    size_t n_taggings_allocated;
    size_t n_latest_allocated;
    size_t n_days_allocated;
    size_t n_accounts_allocated;
    size_t n_opened_allocated;
    size_t n_waiting_allocated;
    struct facts_source source;
    /* Of the record being read. */
    struct fact_order own;
    struct fact *own_lines;
    size_t n_own_lines;
    size_t n_own_lines_allocated;
    struct fact_change *changes;
    size_t n_changes;
    size_t n_changes_allocated;
    struct arena arena;
    struct arena target_arena; /* the order that it is about */
    struct bytes target;
};

/* What a record did to one account, as the ledger keeps it. */
struct fact_leg {
    uint64_t account; /* its number in the ledger */
    int64_t minutes;
    int64_t held_after;
};

/* What an order is about is looked up in its source, which has every record added before. */
int facts_new(struct facts **ret) TB_MUST_CHECK;
void facts_set_source(struct facts *facts, const struct facts_source *source);
struct facts *facts_free(struct facts *facts);
DEFINE_CLEANUP(struct facts *, facts_free)

/* Every record from 0, in order, with what it did: -EINVAL for another index than the next,
 * -EBADMSG for a record that a ledger never holds. After any error the facts are fit for
 * facts_free() only. */
int facts_add(struct facts *facts, uint64_t index, const uint8_t *record, size_t n,
              const struct fact_leg *legs, size_t n_legs) TB_MUST_CHECK;
/* The account will be asked for soon: its row, and where its code is, may come from memory
 * meanwhile; and then the code. */
static inline void facts_fetch(const struct facts *facts, uint64_t account) {
    if (account >= facts->n_opened)
        return;
    uint32_t number = facts->opened[account];
    __builtin_prefetch(&facts->accounts[number].person, 1);
    __builtin_prefetch(&facts->account_codes.starts[number]);
}
static inline void facts_fetch_code(const struct facts *facts, uint64_t account) {
    const struct intern *codes = &facts->account_codes;
    if (account < facts->n_opened)
        __builtin_prefetch(codes->text + codes->starts[facts->opened[account]]);
}
/* The register of people says where somebody lives now; empty or FACTS_NO_WARD: it no longer does.
 * May come before the account was opened. */
int facts_set_ward(struct facts *facts, const char *code, const char *ward) TB_MUST_CHECK;
/* Likewise of which age band somebody is. */
int facts_set_age_band(struct facts *facts, const char *code, const char *age_band) TB_MUST_CHECK;

/* The name behind a person's account, and that account. */
uint32_t facts_person_account(const struct facts *facts, uint32_t person);
const char *facts_person_name(const struct facts *facts, uint32_t person);

/* Date of entry of the last of the first size records; size is at least 1. */
uint32_t facts_last_day(const struct facts *facts, uint64_t size);
/* The latest date of entry of an order that had an effect by then; of the last record where none
 * had. */
uint32_t facts_latest_day(const struct facts *facts, uint64_t size, bool as_recorded);

/* Lines, and about how many bytes of memory they and the ids take (the mapped file not counted). */
void facts_measure(const struct facts *facts, uint64_t *ret_n_lines, uint64_t *ret_memory_bytes);
