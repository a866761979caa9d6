/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rulebook once more, as plainly as it can be said: lists that are searched from end to end, no
 * layers, no tables of kinds, nothing kept that can be added up anew. It shares no code with the
 * daemon; all that it knows is an order, who entered it and when.
 *
 * A model has no order of checks. It says every reason for which an order cannot stand: the ledger
 * has to name one of them, and to accept what has none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/record.h"

#define MODEL_ACCOUNTS 64
#define MODEL_ENTRIES 6000
#define MODEL_WAITS 6000
#define MODEL_VOUCHERS 3000
#define MODEL_LINES 4 /* of a session's side */
#define MODEL_REFUSALS 256
#define NOBODY (-1)

struct model_author {
    const char *key;
    char role; /* s steward, b broker, m member, o organisation, v venue */
    const char *account;
};
#define MODEL_AUTHORS 9
extern const struct model_author model_authors[MODEL_AUTHORS];

struct model_account {
    char code[16];
    int kind;
    int64_t balance, held, floor, ceiling;
    bool has_floor, has_ceiling, is_frozen, is_closed, is_erased;
    bool is_there[2], is_minor[2]; /* the first person of it, and the second */
    bool is_known[2], is_person_erased[2];
    int merged_into;
    int64_t owed;
    uint32_t leaving_day;
    int leaving;      /* what waits for its last day, or NOBODY */
    char heir[16];    /* as chosen, or empty */
    int64_t span[16]; /* its own limits of spending, by number, or -1 */
    int last;         /* the entry that moved it last */
};

enum model_standing { STANDS, WAITS, FALLEN };

struct model_entry {
    const Timebank__Order *order;
    uint64_t id[2], record;
    int kind, from, to, author;
    int64_t minutes, back;
    uint64_t at_ms;
    uint32_t service_day;
    enum model_standing standing;
    bool is_confirmed;
    int wait;                                              /* what it opened, or NOBODY */
    int dispute;                                           /* the last one about it */
    int hold;                                              /* of a capture: the hold's entry */
    int64_t repaid[MODEL_LINES], part[MODEL_LINES], chest; /* of a session */
    int64_t left, taken;                                   /* of a hold */
    bool is_conflict; /* a voucher taken twice; `taken` is what a broker let the chest pay */
};

enum model_what { GIFT, CLAIM, APPROVAL, HOLD, DISPUTE, VOUCHERS, PLEDGE, LEAVE, CONFLICT };

struct model_wait {
    enum model_what what;
    uint64_t record; /* that opened it */
    int entry, from, to, author;
    int64_t minutes;
    uint64_t due_ms; /* 0: never */
    uint32_t ended_day;
    bool is_over, has_lapsed;
};

struct model_voucher {
    char standing; /* o open, u used, v void, e expired */
    int wait, used;
    int64_t minutes;
    uint32_t from_day, expires_day;
    int venue; /* or NOBODY */
};

struct model_offer {
    int venue;
    const Timebank__SetOffer *set;
};

struct model_mandate {
    int holder, ward, kind;
    uint32_t from_day, to_day;
};

struct model_credit {
    int entry, account;
    uint32_t day;
    int64_t minutes;
    bool counts;
};

#define MODEL_POLICIES 64
#define MODEL_OFFERS 8
#define MODEL_MANDATES 64

struct model {
    struct model_account accounts[MODEL_ACCOUNTS];
    int n_accounts;
    char policies[MODEL_POLICIES][2][24];
    struct model_offer offers[MODEL_OFFERS];
    int n_offers;
    struct model_mandate mandates[MODEL_MANDATES];
    int n_mandates;
    bool trusts[MODEL_ACCOUNTS][MODEL_ACCOUNTS];
    bool apart[MODEL_ACCOUNTS][MODEL_ACCOUNTS];
    const char *programmes[8];
    int n_programmes;
    uint32_t closed_to_day;
    bool has_voucher_key;
    uint8_t voucher_key[32];
    uint64_t size, ledger_ms, now_ms;
    int n_entries, n_waits, n_vouchers, n_spends, n_gains;
    struct model_voucher vouchers[MODEL_VOUCHERS]; /* number 1 first */
    struct model_entry entries[MODEL_ENTRIES];
    struct model_wait waits[MODEL_WAITS];
    struct model_credit spends[4 * MODEL_ENTRIES], gains[4 * MODEL_ENTRIES];
};
extern struct model model;

struct model_verdict {
    bool no[MODEL_REFUSALS];
    bool is_refused;
};

/* An empty bank, as its genesis leaves it: the bank's own accounts and no policy. */
void model_open(uint64_t now_ms);
void model_policy(const char *name, const char *value);
int model_account(const char *code);
int model_entry(const void *id, size_t n);
/* What falls due until now: how many events. */
size_t model_run_due(uint64_t now_ms);
/* A batch: its orders one after another, and whether all were accepted. */
void model_begin(void);
struct model_verdict model_judge(const Timebank__Order *order, int author);
void model_end(bool is_recorded);

int64_t model_expirable(int account, uint32_t as_of_day);
/* Where what a leaver has goes. */
const char *model_heir(int account);
/* Who gets back what a voucher's mint paid. */
int model_payer(int wait);
/* Heads and minutes that a venue took for an offer in the month of a day. */
void model_taken(int venue, const char *offer, uint32_t day, int64_t *ret_heads,
                 int64_t *ret_minutes);
