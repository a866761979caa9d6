/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bank as the handlers see it: log and state, the register of people, the clock's verdict.
 * Opened from a directory, closed with everything durable.
 */
#pragma once

#include "log.h"
#include "nodes.h"
#include "people.h"
#include "projection.h"

/* Limits a handler needs; filled from the settings. */
struct bank_settings {
    struct log_settings log;
    uint64_t people_map_bytes;
    uint32_t batch_orders;    /* at most, in one batch */
    uint32_t page_entries;    /* at most, in one page of a list */
    uint32_t dry_run_orders;  /* at most, stacked in one session */
    uint64_t report_rows;     /* records a report may read */
    uint32_t reports;         /* at once */
    uint64_t reply_max_bytes; /* a client is dropped that has more to read; 0: never */
    bool accept_time;         /* the steward says that the wall clock is right */
};

/* Refusals a venue met for one member: over three in an hour it is told CHECK, whatever the
 * balance. */
struct bank_refusals {
    char venue[CODE_MAX + 1];
    char member[CODE_MAX + 1];
    uint64_t since_ms; /* monotonic */
    unsigned n;
};
#define BANK_REFUSALS_MAX 1024

/* A report that may be recorded as released, while no other was (report-release.h). */
struct bank_offer {
    uint64_t number; /* they ascend; 0: none */
    uint64_t n_released;
    struct hash message;
    uint8_t author[SSHSIG_PUBLIC_BYTES];
};
#define BANK_OFFERS_MAX 64
#define BANK_OFFERS_OF_ONE 8 /* key */

struct bank {
    struct bank_settings settings;
    char *directory;
    struct keyring *keyring;
    struct keyring_signers settled_signers; /* whose files are as they should be */
    struct log *log;
    struct people *people;
    struct projection *projection; /* the facts of the reports */
    char *verifier_key;            /* as text */
    int lock_fd;
    uint64_t started_ms; /* monotonic */
    uint64_t wall_ms;    /* read once per wake-up */
    uint64_t monotonic_ms;
    uint64_t time_reference_ms; /* ledger time, and the monotonic time it was seen at */
    uint64_t monotonic_reference_ms;
    _Atomic uint64_t beside_bytes; /* on their way into the register of people */
    uint64_t n_erasures_seen;      /* orders to erase somebody, the last of them durable with: */
    uint64_t erase_ticket;
    uint64_t n_erased; /* of those, carried out in the register of people */
    bool clock_is_ahead;
    bool is_draining;
    uint32_t n_connections;
    struct bank_refusals refusals[BANK_REFUSALS_MAX];
    size_t next_refusal;
    struct bank_offer offers[BANK_OFFERS_MAX];
    uint64_t n_offers;
    struct nodes nodes; /* that proofs asked for */
};

/* Takes DIR/lock: -EWOULDBLOCK when another process serves the ledger, -ENOENT when there is none.
 */
int bank_lock(const char *directory, int *ret_fd) TB_MUST_CHECK;
/* Reads the origin out of the head file's newest slot. */
int bank_origin(const char *directory, char ret[NOTE_ORIGIN_MAX + 1]) TB_MUST_CHECK;
/* Takes lock_fd over. `why` gets a sentence on failure. */
int bank_open(struct bank **ret_bank, const char *directory, const struct bank_settings *settings,
              int lock_fd, uint64_t wall_ms, uint64_t monotonic_ms, char *why, size_t n_why);
/* < 0 when the last writes failed: the ledger is whole up to its head all the same. */
int bank_close(struct bank *bank);

/* The time of this wake-up. A wall clock more than an hour ahead of ledger time plus what has
 * passed since refuses writes until it comes back. */
void bank_set_time(struct bank *bank, uint64_t wall_ms, uint64_t monotonic_ms);
/* 0, REFUSAL_CLOCK, REFUSAL_LEDGER_FULL or REFUSAL_SHUTTING_DOWN for a write of so many bytes, and
 * so many beside it into the register of people. */
int bank_check_writable(struct bank *bank, uint64_t bytes, uint64_t beside_bytes);
/* Records what is due by now, as every write and the tick do first. 0 done or not the time for it,
 * > 0 why a batch must wait: REFUSAL_TRY_LATER, REFUSAL_LEDGER_FULL. */
int bank_run_due(struct bank *bank) TB_MUST_CHECK;
/* Carries out in the register of people what durable orders to erase somebody say. Whatever fails
 * is tried again at the next call, and at the next start; after -EBADFD there is no register any
 * more.
 */
int bank_erase(struct bank *bank) TB_MUST_CHECK;
/*
 * bank-keys.c. open() reads the ledger's key and those before and after it, where there are any.
 * step() lets the files and the verifier key follow what the last durable head says, after each
 * group and with the tick; what fails is tried again. next(): the key to follow, made when there is
 * none yet; REFUSAL_TRY_LATER while the last change is under way.
 */
struct bank_next_key {
    uint8_t key[NOTE_KEY_BYTES];
    uint8_t by_old[SSHSIG_SIGNATURE_BYTES];
    uint8_t by_new[SSHSIG_SIGNATURE_BYTES];
};
int bank_keys_open(struct bank *bank, const char *origin) TB_MUST_CHECK;
int bank_keys_step(struct bank *bank) TB_MUST_CHECK;
int bank_keys_next(struct bank *bank, struct bank_next_key *ret) TB_MUST_CHECK;
bool bank_keys_holds(const struct bank *bank, const uint8_t key[NOTE_KEY_BYTES]);
/* For a state record: the wall clock, unless that is ahead; then ledger time as it stands. */
uint64_t bank_state_time(struct bank *bank);
struct state *bank_state(struct bank *bank);
/* The day by the wall clock: what a mandate is asked about. */
uint32_t bank_today(const struct bank *bank);
/* A venue's refusals for a member: counted, and whether there were too many in this hour. */
void bank_count_refusal(struct bank *bank, const char *venue, const char *member);
bool bank_refused_often(const struct bank *bank, const char *venue, const char *member);

/* Notes and persons that travel beside a batch, committed to the register before the ledger. */
struct bank_beside {
    size_t n_notes;
    size_t n_persons;
    uint64_t n_bytes; /* counted in bank->beside_bytes from the append to the commit */
    struct bank_note {
        uint8_t id[ORDER_ID_BYTES];
        uint8_t salt[PEOPLE_SALT_BYTES];
        char *text;
    } * notes;
    struct bank_person {
        char code[CODE_MAX + 1];
        char *ward;
        char *age_band;
    } * persons;
};
struct bank_beside *bank_beside_free(struct bank_beside *beside);
DEFINE_CLEANUP(struct bank_beside *, bank_beside_free)
