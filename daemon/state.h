/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules look at and change: accounts, register, keys, ids. All of it follows from the log.
 *
 * A state is a set of tables of rows and a few sums. A batch is judged on the lowest state itself,
 * under a journal that keeps what each row was before: then all of it stands, or is taken back. A
 * state made on top of another sees through to it and copies a row up on the first change: trials
 * and the dry runs of a session, which stack, and are merged down whole or dropped.
 *
 * The lowest state asks `source` for what it does not hold in memory: rows of the tables that live
 * on disk, and orders of the log. No I/O here.
 */
#pragma once

#include "base/arena.h"
#include "proto/code.h"
#include "proto/record.h"
#include "proto/rotation.h"
#include "rows.h"

#define STATE_FLOOR_BY_POLICY INT64_MIN
#define STATE_NO_FLOOR (-INT64_MAX)
#define STATE_CEILING_BY_POLICY INT64_MIN
#define STATE_NO_CEILING INT64_MAX
#define STATE_POLICY_BYTES 64
#define STATE_TAGS_BYTES 512
#define STATE_RECENT 64 /* of a giver's entries, where a duplicate is looked for */

enum state_standing { STANDING_OPEN = 0, STANDING_FROZEN = 1, STANDING_CLOSED = 2 };

/* X(ENUM, name, struct, on_disk): on_disk tables are held in memory only until written behind. */
#define STATE_TABLES(X)                                                                            \
    X(ACCOUNTS, accounts, state_account, 0)                                                        \
    X(KEYS, keys, state_key, 0)                                                                    \
    X(POLICIES, policies, state_policy, 0)                                                         \
    X(ACTIVITIES, activities, state_activity, 0)                                                   \
    X(OFFERS, offers, state_offer, 0)                                                              \
    X(FUNDERS, funders, state_funder, 0)                                                           \
    X(IDS, ids, state_id, 1)                                                                       \
    X(BATCHES, batches, state_batch, 1)                                                            \
    X(REVERSALS, reversals, state_reversal, 1)                                                     \
    X(DAYS, days, state_day, 0)                                                                    \
    X(DAYS_EXACT, days_exact, state_day_exact, 1)                                                  \
    X(RECENTS_FEW, recents_few, state_recent_few, 0)                                               \
    X(RECENTS, recents, state_recent, 0)                                                           \
    X(PENDINGS, pendings, state_pending, 1)                                                        \
    X(MARKS, marks, state_mark, 1)                                                                 \
    X(VOUCHERS, vouchers, state_voucher, 1)                                                        \
    X(TRANSFERS, transfers, state_transfer, 1)                                                     \
    X(PERSONS, persons, state_person, 0)                                                           \
    X(MANDATES, mandates, state_mandate, 0)                                                        \
    X(TRUSTS, trusts, state_trust, 0)                                                              \
    X(SAFEGUARDS, safeguards, state_safeguard, 0)                                                  \
    X(CHOICES, choices, state_choice, 0)                                                           \
    X(SPANS, spans, state_span, 0)                                                                 \
    X(LIMITS, limits, state_limit, 0)                                                              \
    X(PROGRAMMES, programmes, state_programme, 0)                                                  \
    X(PERIODS, periods, state_period, 0)                                                           \
    X(VOUCHER_KEYS, voucher_keys, state_voucher_key, 0)                                            \
    X(OFFER_SUMS, offer_sums, state_offer_sum, 1)                                                  \
    X(REPAYMENTS, repayments, state_repayment, 1)                                                  \
    X(LEDGER_KEYS, ledger_keys, state_ledger_key, 0)                                               \
    X(RELEASES, releases, state_release, 0)

enum state_table {
#define X(ENUM, name, type, on_disk) STATE_##ENUM,
    STATE_TABLES(X)
#undef X
        STATE_N_TABLES
};

/* Key: the code. */
struct state_account {
    uint64_t number; /* place among the accounts, the bank's own first */
    uint8_t kind;    /* Timebank__AccountKind */
    uint8_t standing;
    int64_t floor;
    int64_t ceiling;
    int64_t balance;
    int64_t held;
    uint64_t n_entries;
    uint64_t last_entry; /* record that last moved it, or 0 */
    uint8_t running[32];
    uint64_t opened; /* record that opened it */
    bool is_touched; /* not stored: its leaf in the tree of accounts is out of date */
    uint32_t joined_day;
    uint32_t last_day; /* latest date of service of an entry, or 0 */
    uint64_t
        last_line; /* record that last concerned it, moved or not: where its statement begins */
    int64_t soft_floor; /* as floor */
    int64_t soft_ceiling;
    uint64_t owed_minutes; /* advanced and not yet earned */
    uint64_t merged_into;  /* number of the account that goes on + 1, or 0 */
    uint32_t leaving_day;  /* last day to spend, or 0 */
    uint32_t n_persons;    /* beside the first, not gone */
    uint8_t is_erased;
    uint8_t n_spans; /* rows of its own in `spans` that limit something */
    char code[CODE_MAX + 1];
};
/* Key: the 32 bytes of the public key. */
struct state_key {
    uint8_t role;
    uint8_t report_class; /* of an evaluator: Timebank__ReportClass */
    uint64_t granted;     /* record; 0 by genesis */
    uint64_t revoked;     /* record; 0 in force */
    char account[CODE_MAX + 1];
};
/* Key: the name. */
struct state_policy {
    char value[STATE_POLICY_BYTES];
};
struct state_activity {
    uint8_t set_by[ORDER_ID_BYTES];
    char tags[STATE_TAGS_BYTES];
};
/* Key: venue / name. */
struct state_offer {
    uint64_t price_minutes;
    uint8_t set_by[ORDER_ID_BYTES];
    uint32_t weekdays; /* as SetOffer of timebank.proto */
    uint32_t from_minute;
    uint32_t to_minute;
    uint32_t from_day;
    uint32_t to_day;
    uint32_t ages;
    uint32_t party_max;
    uint32_t heads_a_day;
    uint32_t times_a_month;
    uint64_t minutes_a_month;
    uint8_t is_withdrawn;
};
struct state_funder {
    uint8_t set_by[ORDER_ID_BYTES];
};
/* Key: order id. */
struct state_id {
    uint64_t entry;
};
/* Key: author's key || batch id. */
struct state_batch {
    uint64_t seal;
};
/* Key: entry number of what was taken back, u64. */
struct state_reversal {
    uint64_t minutes;
};
/* Sums by day, a cell for each of the accounts that share a row. Key: day u32 || kind of sum u8 ||
 * account's number / STATE_DAY_ACCOUNTS u64: days that are over lie side by side. */
#define STATE_DAY_ACCOUNTS 16
#define STATE_DAY_EXACT UINT16_MAX /* the sum has a row of its own */
struct state_day {
    uint16_t minutes[STATE_DAY_ACCOUNTS];
};
/* What no cell holds. Key: day u32 || kind of sum u8 || account's number u64 (|| other account's
 * number u64). */
struct state_day_exact {
    uint64_t minutes;
};
/* DAY_SPENT and DAY_ENTRIES: the day is the first of the span, the sum is kept for each span as
 * kind of sum + span (1 day, 2 week, 3 month, 4 year). DAY_GAINED: what came in, for expiry by lot.
 */
enum state_day_sum {
    DAY_GIVEN = 1,
    DAY_ACCEPTED = 2,
    DAY_ACCEPTED_FROM = 3,
    DAY_GAINED = 4,
    DAY_EXPIRED = 5,
    DAY_TRANSFERRED = 6,
    DAY_SPENT = 16,
    DAY_ENTRIES = 24
};
/* Key: account number u64. A ring: place n % STATE_RECENT is written next. So long as a giver has
 * few entries they are in RECENTS_FEW. rules-recent.c. */
#define STATE_RECENT_FEW 8
#define STATE_RECENT_ENTRY_BYTES 5
struct state_recent {
    uint64_t n;
    uint32_t print[STATE_RECENT]; /* of receiver, date, minutes and activity */
    uint8_t entry[STATE_RECENT][STATE_RECENT_ENTRY_BYTES];
};
struct state_recent_few {
    uint64_t n;
    uint32_t print[STATE_RECENT_FEW];
    uint8_t entry[STATE_RECENT_FEW][STATE_RECENT_ENTRY_BYTES];
};

/* What waits for somebody, or for a day. Key: number of the order that opened it, u64. */
enum state_pending_what {
    PENDING_GIFT = 1,     /* minutes wait in transit */
    PENDING_CLAIM = 2,    /* for the receiver's confirm: nothing moved yet */
    PENDING_APPROVAL = 3, /* for a second broker's: nothing moved yet */
    PENDING_HOLD = 4,     /* minutes are in transit */
    PENDING_DISPUTE = 5,  /* minutes are in transit; `entry` is the one disputed */
    PENDING_VOUCHERS = 6, /* minutes are in vouchers: of one mint_vouchers */
    PENDING_PLEDGE = 7,
    PENDING_LEAVE = 8,
    PENDING_CONFLICT = 9, /* a voucher taken twice: nothing moved for this taking */
};
struct state_pending {
    uint8_t what;
    uint8_t is_over;
    uint8_t outcome;            /* enum state_outcome, once over */
    uint8_t id[ORDER_ID_BYTES]; /* of the order that opened it */
    uint64_t due_ms;            /* 0: never by itself */
    uint64_t minutes;           /* that still wait; of a hold that is over, that then moved */
    uint64_t taken;             /* of a hold: captured and not taken back */
    uint64_t entry;             /* the entry it is about: itself, or the one disputed */
    uint64_t ended;             /* record that ended it */
    uint32_t ended_day;
    uint32_t counted_day;                /* on which its minutes counted as spent, or 0 */
    uint8_t author[SSHSIG_PUBLIC_BYTES]; /* of the order that opened it */
    char from[CODE_MAX + 1];
    char to[CODE_MAX + 1];
};
enum state_outcome {
    OUTCOME_SETTLED = 1,
    OUTCOME_DECLINED = 2,
    OUTCOME_WITHDRAWN = 3,
    OUTCOME_LAPSED = 4
};
/* Of an entry that was confirmed or disputed. Key: entry number, u64. Or of a voucher that a venue
 * took when it was used or void, and the conflict of it. Key: serial u64 || venue's number u64. */
struct state_mark {
    uint64_t confirmed; /* record of the confirm, or 0 */
    uint64_t dispute;   /* key of the pending dispute (the last one), or 0 */
    uint64_t settled;   /* of a proposal: the record that gave it effect, or 0 */
};
/* Key: serial, u64. */
enum state_voucher_standing {
    VOUCHER_OPEN = 0,
    VOUCHER_USED = 1,
    VOUCHER_VOID = 2,
    VOUCHER_EXPIRED = 3
};
struct state_voucher {
    uint8_t standing;
    uint64_t mint; /* entry number */
    uint64_t used; /* record that used, voided or expired it */
    uint64_t minutes;
    uint32_t from_day;
    uint32_t expires_day;
    uint64_t venue; /* account number + 1, or 0 */
};
/* Key: transfer id, 16 bytes. */
struct state_transfer {
    uint64_t entry;
};
/* Key: code / person's name; the first person's is empty. */
struct state_person {
    uint8_t is_minor;
    uint8_t is_gone;
    uint8_t is_erased;
    uint64_t set_by; /* record */
};
/* Key: holder's number u64 || number of the account acted for u64. */
struct state_mandate {
    uint8_t kind;
    uint32_t from_day;
    uint32_t to_day; /* 0: open */
    uint64_t set_by; /* record */
};
/* Key: receiver's number u64 || giver's number u64. */
struct state_trust {
    uint8_t is_ended;
    uint64_t set_by;
};
/* Key: lower number u64 || higher number u64; the same twice: of one account alone. */
struct state_safeguard {
    uint8_t is_lifted;
    uint64_t set_by;
};
/* What was arranged for somebody's leaving. Key: account number, u64. */
struct state_choice {
    uint64_t leave; /* the order that began it, its pending's key, or 0 */
    char heir[CODE_MAX + 1];
};
/* What one account may spend. Key: account number u64 || span u8 (1 day, 2 week, 3 month, 4 year:
 * minutes;
 * + 8: entries). */
struct state_span {
    uint64_t most; /* or one of: */
};
#define STATE_SPAN_BY_POLICY UINT64_MAX
#define STATE_SPAN_NONE (UINT64_MAX - 1)
#define STATE_SPAN_COUNTS 8u
/* History of limits. Key: account number u64 || n u32: each set_limit of it. Row n = 0 counts. */
struct state_limit {
    uint64_t set_by; /* record; of row 0: how many follow */
};
/* Key: the name. */
struct state_programme {
    uint64_t set_by;
    char funder[NAME_MAX_BYTES + 1];
};
/* Key: last day of the period, u32; or, of what came late: date of service u32 || record u64. */
struct state_period {
    uint64_t closed; /* record that closed it; or the order that came late, the proposed one */
    uint8_t is_last; /* no later day is closed */
};
/* Key: the 32 bytes. */
struct state_voucher_key {
    uint64_t set_by;
    uint8_t is_last; /* vouchers are minted with the last one; the earlier ones still verify */
};
/* What an offer was used for. Key: venue / offer's name, 0x00, then "m" or "h" and the first day of
 * a month u32, "d" and a day u32, or "p", the first day of a month u32 and a member's number u64
 * (enum rules_offer_sum). Takings less what was taken back. */
struct state_offer_sum {
    uint64_t minutes;
    uint64_t heads;
    uint64_t times;
};

/* What of an entry repaid an advance. Key: entry number u64 || account number u64. */
struct state_repayment {
    uint64_t minutes;
};

/* A key of the ledger itself. Key: the record that says so, u64: genesis, or an order. */
struct state_ledger_key {
    uint8_t key[NOTE_KEY_BYTES];
    uint8_t by_old[SSHSIG_SIGNATURE_BYTES]; /* zeros: of a genesis */
    uint8_t ledger_id[HASH_BYTES];
    uint64_t old_until_ms; /* so long the one before signs heads, too */
    uint8_t is_genesis;
};

/* A report that left the bank. Key: the record that says so, u64. */
struct state_release {
    uint8_t report_class; /* Timebank__ReportClass */
    uint8_t as_recorded;
    uint32_t from_day;
    uint32_t to_day;
    uint32_t known_day;
    uint32_t day;  /* on which it was recorded */
    uint64_t size; /* the position, and its root */
    uint8_t root[HASH_BYTES];
    uint8_t checksum[HASH_BYTES];
    uint8_t register_checksum[HASH_BYTES];
    uint8_t author[SSHSIG_PUBLIC_BYTES];
};

struct state_sums {
    uint64_t size; /* records */
    uint64_t n_accounts;
    uint64_t n_entries;      /* orders that move or count hours */
    uint64_t received_at_ms; /* of the last seal */
    uint64_t ledger_time_ms;
    uint64_t closed_to_day;   /* last day of the last closed period, or 0 */
    uint64_t gains_since_day; /* day on which the policy expiry-days was set, or 0 */
    uint64_t next_serial;     /* of a voucher: one more than the highest */
    uint64_t ledger_tag;      /* first four bytes of the ledger id, as vouchers carry them */
    uint64_t spans_limited;   /* bits of spans that a policy limits for every member */
    uint64_t n_erasures;      /* orders to erase somebody */
    uint64_t genesis;         /* record of the one in force: of the last restore, or 0 */
};

/* Of the ids that are stored none is in here, both ends included. */
struct state_gap {
    uint8_t first[ORDER_ID_BYTES];
    uint8_t last[ORDER_ID_BYTES];
};

/* Where the lowest state reads what is not in memory. Return 1 found, 0 not, < 0 broken. */
struct state_source {
    void *user;
    int (*row)(void *user, enum state_table table, const void *key, size_t n_key, void *ret_value);
    /* The order at a record number (decoded into the arena) and when its seal was received. */
    int (*order)(void *user, uint64_t index, struct arena *arena, Timebank__Order **ret_order,
                 uint64_t *ret_received_at_ms);
    /* The entry of an order id; or, when it is not stored, a gap that it is in. NULL: row() does.
     */
    int (*id)(void *user, const uint8_t id[ORDER_ID_BYTES], uint64_t *ret_entry,
              struct state_gap *ret_gap);
};

/* Ids of the orders since the last step, in ascending runs (state-ids.c). */
#define STATE_IDS_RUNS 16
#define STATE_IDS_OF_CHUNK 1024
struct state_ids_item {
    uint64_t high; /* the first eight bytes of the id, and the last */
    uint64_t low;
    struct state_id value;
};
struct state_ids_run {
    struct state_ids_item **chunks; /* so that an item stands still */
    size_t n_chunks;
    size_t n;
    struct state_ids_item last;
};
struct state_ids {
    struct state_ids_run runs[STATE_IDS_RUNS];
    struct state_ids_run leaving[STATE_IDS_RUNS]; /* being written behind */
    size_t n_runs;
    size_t n_leaving;
    struct state_gap gap;
    bool has_gap;
    size_t n_runs_noted; /* as the journal began */
    size_t n_noted[STATE_IDS_RUNS];
};

/* Orders of a dry run, which are in no log. */
struct state_run {
    struct state_run *next;
    uint64_t first;
    uint64_t received_at_ms;
    size_t n;
    uint8_t *bytes; /* bodies end to end; ends[i] is where order i ends */
    size_t *ends;
};

/* Something that is due, or will be. */
struct state_due {
    uint64_t due_ms;
    uint64_t key; /* of the pending */
};

/* What the lowest state was, while changes may still be taken back. */
struct state_journal {
    bool is_open;
    uint32_t number;         /* of this journal: rows say in which they were noted last */
    struct state_undo *last; /* noted last */
    struct state_undo *last_pending;
    struct state_block *blocks; /* where the notes are, the newest first, which is the largest */
    struct state_sums sums;
    size_t n_touched;
    size_t n_dirty[STATE_N_TABLES];
};

#define STATE_ACCOUNTS_MET 4

struct state {
    struct state *below;          /* NULL for the lowest */
    struct state_journal journal; /* of the lowest */
    struct state_ids ids;         /* likewise; those that lie in no run are rows of the table */
    struct rows tables[STATE_N_TABLES];
    struct arena arena; /* of the rows of a state above another, which go all at once */
    struct state_sums sums;
    struct state_source source;      /* of the lowest */
    struct state_account **accounts; /* of the lowest: by number */
    size_t n_accounts_allocated;
    struct state_account **touched; /* of the lowest: accounts whose leaf is out of date */
    size_t n_touched;
    size_t n_touched_allocated;
    const struct state_account *met[STATE_ACCOUNTS_MET]; /* of the lowest: last asked for */
    unsigned next_met;
    uint32_t days_from; /* of the lowest: sums of earlier days may be with the source alone */
    size_t days_many;   /* rows of sums by day from which on they are looked through again */
    int broken;         /* of the lowest: a read of the source failed, for good */
    size_t n_read_back; /* of the lowest: rows taken from the source since a drop */
    struct state_run *runs;
    struct state_due
        *dues; /* of the lowest: a heap; rows that are over leave it when they are met */
    size_t n_dues;
    size_t n_dues_allocated;
    struct state_known *known; /* of the lowest: policies that were asked for */
};

struct state *state_new(const struct state_source *source);
struct state *state_new_above(struct state *below);
struct state *state_free(struct state *state);
DEFINE_CLEANUP(struct state *, state_free)
/* Lays the rows and sums of `above` onto what is below it, and frees it. On -ENOMEM the lower state
 * is not usable any more: the process ends. */
int state_merge(struct state *above) TB_MUST_CHECK;

/*
 * state-journal.c: from begin() on, every change of the lowest state is noted, until all of them
 * are kept or taken back. Rows stand still meanwhile, whatever is added. What fell due or was
 * indexed follows with keep(): on -ENOMEM there the state is not usable any more, and the process
 * ends. A roll-back cannot fail.
 */
void state_begin(struct state *lowest);
int state_keep(struct state *lowest) TB_MUST_CHECK;
void state_roll_back(struct state *lowest);

/* A row's value, or NULL. r (may be NULL) gets a negative errno when reading failed. */
const void *state_get(struct state *state, enum state_table table, const void *key, size_t n_key,
                      int *r);
/* 0, or how a read of the source failed: whatever followed from it does not stand. */
int state_broken(const struct state *state) TB_MUST_CHECK;
/* The same to be changed, in the topmost state: 1 found, 0 absent, < 0 broken. */
int state_edit(struct state *state, enum state_table table, const void *key, size_t n_key,
               void **ret_value) TB_MUST_CHECK;
/* What state_get() of this state found under a key of n_key bytes, to be changed: in the lowest
 * nothing is looked for. Of a row of which little changes, the journal only notes the parts that
 * do: no others may be changed then. */
struct state_part {
    size_t at;
    size_t n;
};
int state_edit_found(struct state *state, enum state_table table, size_t n_key, const void *found,
                     void **ret_value) TB_MUST_CHECK;
int state_edit_parts(struct state *state, enum state_table table, size_t n_key, const void *found,
                     const struct state_part *parts, size_t n, void **ret_value) TB_MUST_CHECK;
/* As state_edit, but a missing row is made, zeroed. */
int state_make(struct state *state, enum state_table table, const void *key, size_t n_key,
               void **ret_value) TB_MUST_CHECK;
/* A new row, zeroed, under a key that state_get() has just not found: nothing looks again. */
int state_add(struct state *state, enum state_table table, const void *key, size_t n_key,
              void **ret_value) TB_MUST_CHECK;
/* Puts a row as it was stored, clean (start). */
int state_load(struct state *state, enum state_table table, const void *key, size_t n_key,
               const void *value) TB_MUST_CHECK;
/* Forgets what the source has, too, once there is much of it: whoever asks for ten million ids does
 * not fill the memory. */
void state_drop_read_back(struct state *state);
/*
 * state-step.c: what changed since the last step is written behind. step() calls for each row; from
 * then on it counts as stored, and what is on disk leaves memory with left(), once it is. One step
 * at a time; not within a journal.
 */
size_t state_step_rows(const struct state *lowest); /* but for the ids in runs: */
size_t state_step_ids(const struct state *lowest);
int state_step(struct state *lowest,
               int (*each)(void *user, enum state_table table, const void *key, size_t n_key,
                           const void *value),
               void *user) TB_MUST_CHECK;
/* The same without the ids in runs; leaving() calls for those, ascending, and may do so on another
 * thread: until left() nothing changes them. go_on() finds one of those not leaving, asked for in
 * ascending order, from where the last was found (places: zeros at first); NULL: it is in none. */
int state_step_apart(struct state *lowest,
                     int (*each)(void *user, enum state_table table, const void *key, size_t n_key,
                                 const void *value),
                     void *user) TB_MUST_CHECK;
int state_ids_leaving(const struct state *lowest,
                      int (*each)(void *user, enum state_table table, const void *key, size_t n_key,
                                  const void *value),
                      void *user) TB_MUST_CHECK;
const struct state_id *state_ids_go_on(const struct state_ids *ids,
                                       const uint8_t id[ORDER_ID_BYTES],
                                       size_t places[STATE_IDS_RUNS]);
void state_step_left(struct state *lowest);
/* state-days.c: at a start, the day from which on sums by day are to be loaded; and, where there
 * are many, those of earlier days leave memory once they are stored. */
uint32_t state_days_begin(struct state *lowest);
void state_days_forget(struct state *lowest);
int state_order(struct state *state, uint64_t index, struct arena *arena,
                Timebank__Order **ret_order, uint64_t *ret_received_at_ms) TB_MUST_CHECK;
int state_keep_run(struct state *state, struct state_run *run);

/* state-due.c. What falls due first: 1, 0 nothing waits for a time. Of the lowest state, as it was
 * kept. */
int state_due_first(struct state *state, struct state_due *ret) TB_MUST_CHECK;
/* A pending row that is not over was read at a start. */
int state_due_add(struct state *state, uint64_t due_ms, uint64_t key) TB_MUST_CHECK;
/* Calls once for each pending of the lowest state that is not over, in no order; another value than
 * 0 ends it. Due or not: what waits for no time has the due time UINT64_MAX. */
int state_due_each(struct state *state, int (*each)(void *user, uint64_t key),
                   void *user) TB_MUST_CHECK;

/* Has a table held in memory any row? What is never used costs the orders nothing. */
bool state_has_any(const struct state *state, enum state_table table);

/* state-chain.c: the keys of the ledger from its last genesis on, oldest first. */
struct state_chain {
    struct state_chain_key {
        uint64_t record;
        struct state_ledger_key row;
    } keys[ROTATION_KEYS_MAX];
    size_t n; /* at least 1 once there is a genesis */
};
void state_chain_read(const struct state *state, struct state_chain *ret);
/* Records of the geneses, ascending, from the one in force at a record on; how many. */
size_t state_chain_geneses(const struct state *state, uint64_t record,
                           uint64_t ret[ROTATION_KEYS_MAX]);
const struct state_chain_key *state_chain_last(const struct state_chain *chain);
/* Key that signs heads beside the last one at a ledger time, or NULL. */
const struct state_chain_key *state_chain_beside(const struct state_chain *chain,
                                                 uint64_t ledger_time_ms);
/* Was a key ever one of the ledger's, of an earlier genesis too? */
bool state_chain_knows(const struct state *state, const uint8_t key[NOTE_KEY_BYTES]);

/* An account, or NULL; asked again for one of the last few it costs a compare. */
const struct state_account *state_account(struct state *state, const char *code);
/* One that was found in this state, to be changed: in the lowest nothing is looked for. */
int state_account_edit(struct state *state, const struct state_account *account,
                       struct state_account **ret_account) TB_MUST_CHECK;
/* A new one, zeroed but for its code and the next number; the code must not be there. */
int state_account_open(struct state *state, const char *code,
                       struct state_account **ret_account) TB_MUST_CHECK;
/* state-policies.c */
/* As set, or its default: an older ledger's genesis does not name the newer ones. */
const char *state_policy(struct state *state, const char *name);
int64_t state_policy_number(struct state *state, const char *name, int64_t otherwise);
/* Room for what is made of the lowest state's policies: all zeros once one of them changed. NULL:
 * another state, or no memory. */
#define STATE_POLICIES_MEMO 512u
void *state_policies_memo(struct state *state);

/* Stored form of a row: fields one after another, big-endian. */
size_t state_row_bytes(enum state_table table);
size_t state_row_pack(enum state_table table, const void *value, uint8_t *ret);
int state_row_unpack(enum state_table table, const uint8_t *bytes, size_t n,
                     void *ret_value) TB_MUST_CHECK;
const char *state_table_name(enum state_table table);
size_t state_value_bytes(enum state_table table);
bool state_is_on_disk(enum state_table table);
#define STATE_ROW_MAX 2048
#define STATE_VALUE_MAX sizeof(struct state_recent) /* of any table's struct */
