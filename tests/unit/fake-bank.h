/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bank in a thread that tells the truth or lies as asked: a Unix socket, a tree in memory, no
 * rules but one (an order to "nobody" is refused). For tests of the library alone.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "proto/batch.h"
#include "proto/merkle.h"
#include "proto/note.h"
#include "timebank.pb-c.h"

#define FAKE_LEAVES_MAX 4096
#define FAKE_BATCHES_MAX 256
#define FAKE_ORDERS_MAX 8 /* of a batch that receipts are asked of */

enum fake_lie {
    FAKE_HONEST,
    FAKE_WELCOME,   /* signs the welcome with another key */
    FAKE_HEAD,      /* signs heads with another key */
    FAKE_FORK,      /* another first record under later heads */
    FAKE_SAME_SIZE, /* two roots of one size */
    FAKE_ROLLBACK,  /* one record fewer */
    FAKE_NO_PROOF,  /* a longer ledger, and nothing that connects it */
    FAKE_NO_HEAD,   /* replies without a position */
    FAKE_RANGE,     /* one hash of the range proof is another */
    FAKE_SHORT,     /* one hash of the range proof is missing */
    FAKE_ENTRIES,   /* other entry numbers */
    FAKE_OMIT,      /* another order stands in the ledger */
    FAKE_REORDER,   /* the orders of a batch change places */
    FAKE_RECEIVED,  /* another time of receipt than recorded */
    FAKE_DRY,       /* a real batch answered as a dry run */
    FAKE_OUTSIDE,   /* "in already", at entries that are not there */
    FAKE_ALREADY,   /* "in already", at the entries of others */
    FAKE_OTHERS,    /* balances of other accounts after an order that was not sent */
    FAKE_UNEVEN,    /* more accounts than balances */
    FAKE_LIES,
    FAKE_SPLIT /* each of several requests under way sees another future */
};

/* What happens to the connection at the next submits, once each. */
enum fake_cut { FAKE_NO_CUT, FAKE_CUT_BEFORE, FAKE_CUT_AFTER };

struct fake_batch {
    uint8_t header[BATCH_HEADER_BYTES];
    uint64_t seal;
    uint64_t received_at_ms;
};

struct fake_bank;
/* Answers in the bank's place: true where it filled the response in. */
typedef bool (*fake_answer)(struct fake_bank *bank, const Timebank__Request *request,
                            Timebank__Response *response);

struct fake_bank {
    char directory[64];
    char address[128];
    uint8_t secret[64];
    uint8_t other_secret[64];
    struct note_verifier verifier;
    struct hash ledger_id;

    struct hash leaves[FAKE_LEAVES_MAX];
    uint64_t n_leaves;
    struct fake_batch batches[FAKE_BATCHES_MAX];
    size_t n_batches;
    struct bytes last_order; /* bytes of the order last recorded */
    size_t n_dry_runs;
    uint8_t seal_record[249]; /* of the batch last recorded, with its orders */
    uint64_t seal;
    struct bytes orders[FAKE_ORDERS_MAX];
    size_t n_orders;
    void (*spoil)(Timebank__Receipt *receipt); /* the receipt's lie, or NULL */
    /* Lies of a report, or NULL: before it is signed, and after. */
    void (*spoil_json)(struct fake_bank *bank, struct bytes *json);
    void (*spoil_report)(struct fake_bank *bank, Timebank__Report *report);

    atomic_int lie;
    atomic_int cut;
    atomic_int busy;    /* so many requests are refused TRY_LATER first */
    atomic_int mute;    /* so many requests are swallowed first */
    atomic_int turns;   /* the register's pages begin again after the third */
    atomic_int refused; /* answers every submit with this refusal, if not 0 */
    atomic_int n_submits;
    atomic_int n_requests;
    atomic_int n_notes;

    fake_answer answer; /* or NULL */

    int listener;
    atomic_bool stop;
    pthread_t thread;
};

/* Makes a directory, a key, a ledger of two records, and serves it. */
void fake_bank_start(struct fake_bank *bank);
/* Stops serving; the ledger stays for fake_bank_serve(). */
void fake_bank_stop(struct fake_bank *bank);
void fake_bank_serve(struct fake_bank *bank);
/* Records the first order of the last batch a second time, under no seal; its number. */
uint64_t fake_bank_replay(struct fake_bank *bank);
/* Another key behind the same address. */
void fake_bank_change_key(struct fake_bank *bank);
void fake_bank_fini(struct fake_bank *bank);
