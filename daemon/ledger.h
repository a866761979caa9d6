/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules: a pure function of state, orders and the time on the seal. No clock, no random, no
 * I/O, so that replaying the log from record 0 gives the same state on any machine.
 *
 * A batch is judged on a state of its own (state_new_above). Every order is judged, the refused
 * ones as if they were not there; the caller merges the state only when nothing was refused.
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
    char account[CODE_MAX + 1]; /* "" or the key's account */
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

/* What an order did to balances, and where the accounts' statements go on. */
struct ledger_effect {
    bool has_from;
    bool has_to;
    int64_t from_after;
    int64_t to_after;
    bool is_line_of_to;     /* concerns `to` without moving anything (hours without credit) */
    uint64_t from_previous; /* record that concerned the account before, or 0 */
    uint64_t to_previous;
    char from[CODE_MAX + 1];
    char to[CODE_MAX + 1];
};

/* An order refused for what the ledger does not see: told where its rules would be. */
struct ledger_bar {
    int refusal; /* 0: none */
    const char *field;
    const char *why; /* NULL: the table's sentence */
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
    uint64_t *already; /* n: entry number of an order that is in with the same bytes, else 0 */
    struct ledger_note *notes;
    size_t n_notes;
    size_t n_refusals; /* ALREADY counts as one */
    size_t n_already;
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
/* The batch's seal stands at record number state->sums.size; its orders follow. */
int ledger_seal(struct state *state, const struct batch_header *header,
                uint64_t received_at_ms) TB_MUST_CHECK;
/* Judges all orders; 0 judged (see n_refusals), < 0 broken. */
int ledger_judge(struct state *state, struct ledger_batch *batch) TB_MUST_CHECK;
/* A state record takes its place. */
void ledger_state_record(struct state *state, uint64_t ledger_time_ms);

int ledger_author(struct state *state, const uint8_t key[SSHSIG_PUBLIC_BYTES],
                  struct ledger_author *ret);
/* Lowest and highest balance an account may have now; false where there is none. */
bool ledger_floor(struct state *state, const struct state_account *account, int64_t *ret);
bool ledger_ceiling(struct state *state, const struct state_account *account, int64_t *ret);

/* The laws: balances sum to zero, account numbers have no gap, standings and kinds are known. 0, or
 * -EUCLEAN with a sentence in why. */
int ledger_check(struct state *state, char *why, size_t n_why) TB_MUST_CHECK;
