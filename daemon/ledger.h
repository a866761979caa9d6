/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules: a pure function of state, orders and the time on the seal. No clock, no random, no
 * I/O, so that replaying the log from record 0 gives the same state on any machine.
 *
 * A batch is judged on the lowest state under a journal (state_begin), or on one above another.
 * Every order is judged, the refused ones as if they were not there; the caller keeps what it made
 * of the state only when nothing was refused.
 */
#pragma once

#include "proto/refusal.h"
#include "state.h"

/* Record numbers of dry runs: far from any that will ever be in the log. */
#define LEDGER_DRY_BEGIN (1ull << 62)

struct ledger_author {
    uint8_t key[SSHSIG_PUBLIC_BYTES];
    Timebank__Role role; /* ROLE_NONE: not granted, or revoked */
    bool is_revoked;
    Timebank__ReportClass report_class; /* of an evaluator */
    char account[CODE_MAX + 1];         /* "" or the key's account */
};

/* A refusal or a warning. */
struct ledger_note {
    int number;
    uint32_t place;
    bool is_warning;
    const char *field; /* name of the Order field at fault, or "" */
    uint64_t entry;
    char *message; /* owned */
};

enum leg_side { LEG_OTHER = 0, LEG_FROM = 1, LEG_TO = 2 };
/* What a record did to one account, and where that account's statement goes on. An account has one
 * leg of a record at most. */
struct ledger_leg {
    uint64_t account; /* its number */
    int64_t minutes;  /* added to the balance; 0: only concerns it (hours without credit) */
    int64_t after;    /* balance and held after it */
    int64_t held_after;
    uint64_t previous; /* record that concerned the account before, or 0 */
    struct state_account
        *row;         /* of the state judged on: for its running hash, until that is made */
    const char *code; /* the account's: good as long as the row, of a dry run as the batch */
    bool moved;       /* it is in the running hash of the account */
    uint8_t side;     /* enum leg_side, in the order recorded */
};
struct ledger_effect {
    struct ledger_leg *legs; /* in the batch's arena */
    size_t n_legs;
};

/* An order refused for what the ledger does not see: told where its rules would be. */
struct ledger_bar {
    int refusal; /* 0: none */
    const char *field;
    const char *why; /* NULL: the table's sentence */
};

/* What most orders ask of the policies, in numbers. INT64_MAX where there is no limit. */
#define LEDGER_ACCOUNT_KINDS (TIMEBANK__ACCOUNT_KIND__BANK + 1)
struct ledger_policies {
    bool is_read;
    bool gifts_wait;
    int64_t quantum;
    int64_t oldest_service_days;
    int64_t service_warn_days;
    int64_t day_warn_minutes;
    int64_t day_refuse_minutes;
    int64_t second_person_above;
    int64_t soft_floor_member;
    int64_t soft_ceiling_member;
    int64_t floors[LEDGER_ACCOUNT_KINDS];
    int64_t ceilings[LEDGER_ACCOUNT_KINDS];
};

struct ledger_batch {
    const struct ledger_author *author;
    uint64_t received_at_ms;
    uint64_t first; /* record number of the first order */
    size_t n;
    Timebank__Order **orders;      /* NULL where the bytes were not canonical: refused by then */
    const struct hash *leaves;     /* leaf hash of each order's record */
    const struct ledger_bar *bars; /* n of them, or NULL */
    struct ledger_effect *effects; /* n of them, filled in */
    struct arena *arena;           /* of the legs; lives as long as the batch */
    uint64_t *already; /* n: entry number of an order that is in with the same bytes, else 0 */
    struct ledger_note *notes;
    size_t n_notes;
    size_t n_refusals; /* ALREADY counts as one */
    size_t n_already;
    struct ledger_policies policies; /* as of the order being judged */
    const char *activity;            /* the one last found, or NULL */
};

/* Frees the notes; the rest is the caller's. */
void ledger_batch_fini(struct ledger_batch *batch);
/* Adds a refusal (returned) or a warning (0 returned); -ENOMEM. format NULL: the table's sentence.
 */
int ledger_refuse(struct ledger_batch *batch, size_t place, int refusal, const char *field,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
int ledger_warn(struct ledger_batch *batch, size_t place, int warning, uint64_t entry,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Opens the bank's own accounts, sets policies, grants the stewards. -EBADMSG: not a genesis. */
int ledger_genesis(struct state *state, const Timebank__Genesis *genesis) TB_MUST_CHECK;
/*
 * Another genesis, at record number state->sums.size: a ledger restored from a backup goes on under
 * a name and key of its own. It names the origin, size and root it goes on from; accounts,
 * policies and keys stay as they are, and its stewards are added: keys never granted before, or
 * stewards' already. -EBADMSG: it does not follow from them.
 */
int ledger_restore(struct state *state, const Timebank__Genesis *genesis, const char *old_origin,
                   const struct hash *old_root) TB_MUST_CHECK;
/* The batch's seal stands at record number state->sums.size; its orders follow. */
int ledger_seal(struct state *state, const struct batch_header *header,
                uint64_t received_at_ms) TB_MUST_CHECK;
/* Judges all orders; 0 judged (see n_refusals), < 0 broken. -ENOMEM with batch->arena->r set: the
 * batch asks for more memory than one may take, and what it made is only good to be taken back. */
int ledger_judge(struct state *state, struct ledger_batch *batch) TB_MUST_CHECK;
/*
 * What fell due. ledger_due() says whether anything is due at a time; ledger_event() makes the
 * event of the first thing that is, at record number state->sums.size, under the journal of the
 * lowest state: its record and leaf hash (all of it follows from the state, so a replay compares
 * bytes), and what it did, its legs in the arena. One at a time, kept before the next is asked for.
 */
int ledger_due(struct state *lowest, uint64_t until_ms, struct state_due *ret) TB_MUST_CHECK;
int ledger_event(struct state *state, const struct state_due *due, struct arena *arena,
                 struct bytes *ret_record, struct hash *ret_leaf,
                 struct ledger_effect *ret_effect) TB_MUST_CHECK;

/* A state record takes its place. */
void ledger_state_record(struct state *state, uint64_t ledger_time_ms);

int ledger_author(struct state *state, const uint8_t key[SSHSIG_PUBLIC_BYTES],
                  struct ledger_author *ret);
void ledger_policies_read(struct state *state, struct ledger_policies *ret);
/* Lowest and highest balance an account may have now; false where there is none. */
bool ledger_floor(struct state *state, const struct state_account *account, int64_t *ret);
bool ledger_ceiling(struct state *state, const struct state_account *account, int64_t *ret);

/* The laws: balances sum to zero, what is held lies in transit, what vouchers are good for lies in
 * their account, account numbers have no gap,
 * standings and kinds are known. 0, or
 * -EUCLEAN with a sentence in why. */
int ledger_check(struct state *state, char *why, size_t n_why) TB_MUST_CHECK;
