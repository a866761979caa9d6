/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's log: what was applied to the state is appended here in memory, collected into
 * groups, and each group is made durable with one commit and one signed head. The only room that
 * signs heads.
 *
 * The loop verifies, judges, hashes the orders' leaves and lays runs out as they will be stored;
 * the tree above the leaves, its tiles and everything that waits for a disk is the committer's
 * (log-commit.c), a thread of its own, or inline where settings say so. What the loop asks of the
 * tree, a pin or a range, is of durable records and read from the store. The two meet in a queue
 * and an eventfd; at most two groups are in flight, and what arrives meanwhile is the next one. A
 * failed commit is final: memory is never rolled back past a commit.
 *
 * Before a head is signed: the bytes read back hash to the leaves used; the root recomputed from
 * what is stored is equal; the old root is a prefix; the last signed head is the one extended; our
 * own signature verifies.
 */
#pragma once

#include "account-tree.h"
#include "judging.h"
#include "keyring.h"
#include "runs.h"

#define LOG_STEP_WAITS 4u

struct log;

struct log_settings {
    uint64_t map_bytes;
    uint64_t reserve_bytes; /* kept free on the disk and in the map */
    uint64_t step_records;  /* derived tables are written behind after so many, or once so many of
                               their rows changed, but no later than LOG_STEP_WAITS as many */
    uint64_t publish_ms;    /* a state record at least so often under load */
    bool inline_commits;    /* no committer thread: log_hand_over() commits */
    /* Commits what travels beside a group's batches (the register of people) before the group. */
    int (*beside)(void *user, void *const *items, size_t n_items);
    void (*beside_free)(void *item);
    void *beside_user;
};

/* Makes head and store in a new directory, with genesis and a first state record: size 2,
 * published. */
int log_create(const char *directory, const struct log_settings *settings,
               const Timebank__Genesis *genesis, const struct keyring *keyring,
               uint64_t now_ms) TB_MUST_CHECK;

/* Goes on from the records of a backup, whose store was copied into the directory and whose head
 * was verified, under the genesis's name and the keyring's key: appends the genesis, with what it
 * goes on from filled in, and a state record. -EBADMSG: the genesis does not follow, a steward's
 * key had another role. */
int log_restore(const char *directory, const struct log_settings *settings,
                const struct note_head *old_head, Timebank__Genesis *genesis,
                const struct keyring *keyring, char *why, size_t n_why) TB_MUST_CHECK;

/* Opens, compares store and head, re-applies the tail. -EUCLEAN damaged, -EXDEV a copied or moved
 * directory, -ESTALE the store is behind its head; `why` says what and what to do. */
int log_open(struct log **ret_log, const char *directory, const struct log_settings *settings,
             const struct keyring *keyring, char *why, size_t n_why) TB_MUST_CHECK;
/* Drains, writes the derived tables behind and both head slots. < 0 when that failed. */
int log_close(struct log *log);

struct state *log_state(struct log *log);
const struct hash *log_ledger_id(const struct log *log);
/* Of record 0, which a restore does not change. */
const struct hash *log_first_ledger_id(const struct log *log);
/* The last durable head. */
const struct note_head *log_head(const struct log *log);
const char *log_checkpoint(const struct log *log, size_t *ret_n);
/* The last durable head whose last record is a state record: what is exported, cosigned and put
 * under statements. NULL where this process has met none yet (log_publish() sees to it). */
const char *log_published(const struct log *log, uint64_t *ret_size, size_t *ret_n);
/* Whose signatures the last durable head bears. */
const struct keyring_signers *log_signers(const struct log *log);
struct store *log_store(struct log *log);

/* 0 when `bytes` more fit beside the reserve, else REFUSAL_LEDGER_FULL. */
int log_check_room(struct log *log, uint64_t bytes);
/* Room for another batch now? Otherwise the caller waits for log_collect(). */
bool log_can_append(const struct log *log);
/* Before a batch is judged, or an event made, which changes the state: hands over a group that has
 * no room for it. log_can_append() was asked before. */
int log_make_way(struct log *log) TB_MUST_CHECK;
/* Takes an applied batch: what it made of the state is kept, its records go to the collecting
 * group. `beside` (may be NULL) becomes the log's. After an error the log is broken: stop. */
int log_append(struct log *log, struct judging *judging, const struct record_seal *seal,
               void *beside) TB_MUST_CHECK;

/* Records everything that is due at a time: before a batch is judged that is received then, and by
 * the tick. 1 when there is more than goes into the group now, so call again when log_can_append().
 */
int log_run_due(struct log *log, uint64_t until_ms) TB_MUST_CHECK;

/* Durable when the last batch appended is. */
uint64_t log_write_ticket(const struct log *log);
/* What is read from the state now may be told once this ticket is durable; the collecting group is
 * closed, so that the head of that moment is exactly what was read. */
uint64_t log_ticket(struct log *log);
bool log_is_durable(const struct log *log, uint64_t ticket);

/* Hands the collecting group to the committer when there is one and the committer has room; a group
 * that nothing is in flight before ends with a state record, unless very many accounts changed
 * since one that was just made. */
int log_hand_over(struct log *log, uint64_t wall_ms) TB_MUST_CHECK;
/* Now and then: writes the state record that the last group went without, once nothing waits and
 * there is room. */
int log_publish(struct log *log, uint64_t wall_ms) TB_MUST_CHECK;
/* The same where nothing was recorded since: ledger time goes on. */
int log_go_on(struct log *log, uint64_t wall_ms) TB_MUST_CHECK;
/* Sees to it that the last record applied is a state record, and how an account stands there:
 * *ret_index is that record's number, the path that of the account's leaf in the tree of accounts
 * (ret_path holds MERKLE_PATH_MAX). Tell it once log_ticket() is durable. REFUSAL_TRY_LATER,
 * REFUSAL_LEDGER_FULL where no state record can be made now. */
int log_account_state(struct log *log, const struct state_account *account, uint64_t wall_ms,
                      uint64_t *ret_index, struct hash *ret_path, size_t *ret_n) TB_MUST_CHECK;
/* Readable when a group is done: call log_collect(). */
int log_fd(const struct log *log);
int log_collect(struct log *log) TB_MUST_CHECK;
/* Hands over and waits until everything is durable. */
int log_flush(struct log *log, uint64_t wall_ms) TB_MUST_CHECK;

/* A read of what is durable, shared by the handlers of one wake-up; ended by log_release_read(). */
int log_read(struct log *log, struct store_read **ret_read) TB_MUST_CHECK;
void log_release_read(struct log *log);
/* Appends a record's bytes: 1, 0 there is none. Sees what is not durable yet, too. */
int log_record(struct log *log, uint64_t index, struct bytes *to) TB_MUST_CHECK;
/* What an order or an event did, leg by leg (runs_after_next(value, *ret_place, index, ...)): 1, 0
 * the record is neither. Sees what is not durable yet, too; good until the log moves on. */
int log_after(struct log *log, uint64_t index, struct store_value *ret_value,
              size_t *ret_place) TB_MUST_CHECK;
/* Its leg of one account: 1, 0 it has none. */
int log_leg(struct log *log, uint64_t index, uint64_t account, struct run_leg *ret) TB_MUST_CHECK;
/* Seal that covers an order's record, or the record itself. */
int log_seal_of(struct log *log, uint64_t index, uint64_t *ret_seal) TB_MUST_CHECK;

/* Of the derived tables, as table meta says it. */
struct log_layout {
    uint32_t number;    /* 0: none were written yet */
    bool is_older;      /* than this version writes: to be built anew */
    bool is_rebuilding; /* a start was killed while it built them */
};
int log_layout_read(struct store_read *read, struct log_layout *ret) TB_MUST_CHECK;
/* A table that is not there, or NULL. Only an older layout lacks any. */
const char *log_layout_lacks(const struct store *store);

/* Reads the stored derived tables (those held in memory) into an empty lowest state; *ret_size is
 * where they stand (0: none, or of another layout). */
int log_step_load(struct store_read *read, struct state *state, uint64_t *ret_size) TB_MUST_CHECK;
/* Looks at every row of them, too, and keeps only the sums and the ledger's keys. */
int log_step_look(struct store_read *read, struct state *state, uint64_t *ret_size) TB_MUST_CHECK;
/* Only where they stand. */
int log_step_size(struct store_read *read, uint64_t *ret_size) TB_MUST_CHECK;
