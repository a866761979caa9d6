/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libtimebank: how a program talks to a timebank's ledger daemon.
 *
 * Link with `pkg-config --cflags --libs timebank`. This is the only header to include; it brings
 * timebank-measure.h, timebank-numbers.h, timebank-order.h and timebank-proof.h along.
 *
 * OUTCOMES. Every function that returns int ends in one of four ways. 0: done. Above 0: refused, an
 * enum tb_refusal, a stable number; tb_bank_message() has the sentence. -EINPROGRESS: unknown, the
 * connection died after the request left, and the deadline passed before the library could learn
 * what became of it; call tb_bank_settle() or repeat the call, nothing is ever counted twice. Below
 * 0: broken, a negative errno; -EINVAL is a slip of the caller. Out parameters come last and are
 * untouched unless 0 is returned.
 *
 * TWO FORMS. tb_x_get() and its like ask, wait and answer. tb_x_start() only starts the same call
 * and returns it at once; it goes on inside tb_bank_process(), which never waits, and tb_x_read()
 * hands out what a call brought that ended 0. Any number of calls may be under way. They are sent
 * in the order in which they were started, and a bank judges them in that order; but one that a
 * busy bank put off is sent again, and may come after later ones: whoever needs batches recorded in
 * order waits for each. A blocking function may be called at any time; it moves the calls under way
 * along while it waits.
 *
 * UNITS. Time is whole minutes, days are UTC days since 1970-01-01, instants are milliseconds since
 * 1970 UTC. Strings are UTF-8 and NUL-terminated. A credit is 60 minutes.
 *
 * OWNERSHIP. What a function puts into a `**ret_` is the caller's, freed by the function named at
 * its type (or free() for char *). `const` results are borrowed and live until the next call on the
 * same object; those of tb_x_read() until the tb_call is freed. Batches, calls and lists are freed
 * before their bank. _free functions take NULL and return NULL.
 *
 * THREADS. A tb_bank and what was made from it belong to one thread at a time. The library never
 * prints, logs, exits, or touches signal handlers.
 *
 * VERIFICATION is on and cannot be switched off: the daemon's welcome, the signed head of every
 * reply, the range proof of every answer to a batch, and that each head extends the last one seen.
 * What does not verify ends -EBADMSG with TB_NOT_VERIFIED's sentence, leaves an evidence file
 * (tb_bank_evidence()), and closes the connection.
 */
#ifndef TIMEBANK_H
#define TIMEBANK_H

#include <stddef.h>
#include <stdint.h>

#include "timebank-measure.h"
#include "timebank-numbers.h"
#include "timebank-order.h"
#include "timebank-proof.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- words */

/* Names as people and JSON read them ("BELOW_FLOOR", "exchange", "member", "broker"); never NULL.
 */
const char *tb_refusal_name(int refusal);
const char *tb_refusal_sentence(int refusal);
const char *tb_warning_name(int warning);
const char *tb_kind_name(int kind);
const char *tb_account_kind_name(int kind);
const char *tb_standing_name(int standing);
const char *tb_role_name(int role);
const char *tb_report_class_name(int report_class);
const char *tb_ages_name(int ages);
const char *tb_event_name(int event);
const char *tb_mandate_name(int mandate);
/* And back: 0 for a name that is none. */
int tb_account_kind_from_name(const char *name);
int tb_ages_from_name(const char *name);
int tb_mandate_from_name(const char *name);
int tb_role_from_name(const char *name);
int tb_report_class_from_name(const char *name);

/* The library's version, "0.1.0". */
const char *tb_version(void);

/* ------------------------------------------------- time and dates as typed */

/* 2  2.5  2,5  2h30  2:30  150m  45 min  1½: whole minutes. Refuses with
 * TB_BAD_TIME, TB_AMBIGUOUS_TIME or TB_NEGATIVE and a sentence in why[n_why] (why may be NULL). */
int tb_time_parse(const char *text, uint64_t *ret_minutes, char *why, size_t n_why);
/* "2 h 30", "45 min", "-1 h 15" */
void tb_time_format(int64_t minutes, char ret[32]);
/* Rounds to a multiple of quantum by "up", "nearest" (half up) or "down"; "refuse" refuses what is
 * no multiple with TB_NOT_IN_QUANTUM. -EINVAL for another word or a quantum of 0. */
int tb_time_round(uint64_t minutes, uint64_t quantum, const char *rounding, uint64_t *ret_minutes);

/* 2025-03-05  5/3/2025 (days first)  5 Mar 2025  today  yesterday  tue  last tue: relative to
 * today. Refuses with TB_BAD_DATE or TB_AMBIGUOUS_DATE. */
int tb_date_parse(const char *text, uint32_t today, uint32_t *ret_day, char *why, size_t n_why);
void tb_date_format(uint32_t day, char ret[16]);       /* 2025-03-05 */
void tb_date_format_words(uint32_t day, char ret[32]); /* Wed 5 March 2025 */
uint32_t tb_today(void);

/* ----------------------------------------------------------------- keys */

/* Makes a key pair: path (0600, never over a file) and path.pub, OpenSSH's formats. comment may be
 * NULL. *ret_public_line is the caller's (free()). On failure a sentence stands in why. */
int tb_key_new(const char *path, const char *comment, char **ret_public_line, char *why,
               size_t n_why);
/* The public line of a secret or public key file. */
int tb_key_show(const char *path, char **ret_public_line, char *why, size_t n_why);
/* The 32 bytes of a public key file or line. */
int tb_key_public(const char *path_or_line, uint8_t ret_key[32], char *why, size_t n_why);
/* "ssh-ed25519 AAAA..." of 32 bytes; the caller's. NULL on no memory. */
char *tb_key_line(const uint8_t key[32]);

/* ------------------------------------------------------------- vouchers */

/* What a voucher says, in bearer form. Only the bank knows whether it was spent. */
struct tb_voucher {
    uint64_t serial;
    uint64_t minutes;
    uint32_t from_day;     /* not before; 0: at once */
    uint32_t expires_day;  /* the last day */
    uint64_t venue_number; /* the number of the account where alone it is good + 1; 0: anywhere */
    uint8_t ledger_tag[4]; /* the eight hexadecimal digits of the ledger's verifier key */
    uint8_t claims[TB_CLAIMS_BYTES];
    uint8_t signature[TB_SIGNATURE_BYTES];
};
/* A token with its NUL; with hyphens between its groups of five, or without. */
#define TB_TOKEN_BYTES 192
void tb_voucher_format(const struct tb_voucher *voucher, int in_groups, char ret[TB_TOKEN_BYTES]);
/* Reads a token as people type it, in groups or not. TB_VOUCHER_MISTYPED: a sign is wrong. */
int tb_voucher_read(const char *token, struct tb_voucher *ret_voucher);
/* Fills in claims and signatures by the secret key file, from the other fields. */
int tb_voucher_sign(struct tb_voucher *vouchers, size_t n_vouchers, const char *key_file, char *why,
                    size_t n_why);
/* Genuine by one of the keys, of this ledger (verifier_key may be NULL: of any) and in date? Asks
 * no bank. TB_VOUCHER_NOT_GENUINE, TB_VOUCHER_NOT_YET, TB_VOUCHER_EXPIRED, a sentence in why. */
int tb_voucher_check(const struct tb_voucher *voucher, const uint8_t (*keys)[32], size_t n_keys,
                     const char *verifier_key, uint32_t today, char *why, size_t n_why);
/* The ledger_tag of a verifier key, NAME+hash+key, the ledger's first: TB_WRONG_LEDGER where it is
 * none. Of a bank that is open: tb_bank_ledger_tag(). */
int tb_voucher_ledger(const char *verifier_key, uint8_t ret_tag[4]);

/* ----------------------------------------------------------------- bank */

/* A bank: a connection to one ledger, its pin and its outbox. */
struct tb_bank;
/* A call that was started. */
struct tb_call;

int tb_bank_new(struct tb_bank **ret_bank);
struct tb_bank *tb_bank_free(struct tb_bank *bank);

/* Settings, before tb_bank_open(). The key file is a secret OpenSSH key; without one the bank is
 * opened with a key made for the occasion, and answers what anyone may ask. */
int tb_bank_set_key_file(struct tb_bank *bank, const char *path);
/* Pins the ledger beforehand: a verifier key, NAME+hash+key. Otherwise the first contact over a
 * Unix socket pins what it meets, and tb_bank_notice() says so once. */
int tb_bank_set_ledger(struct tb_bank *bank, const char *verifier_key);
/* Where pins, last heads, evidence and the outbox are kept; default $XDG_STATE_HOME/timebank, else
 * ~/.local/state/timebank. Made with mode 0700 when first needed. */
int tb_bank_set_state_directory(struct tb_bank *bank, const char *path);
/* For each call, retries included; default 5,000 ms. */
int tb_bank_set_deadline(struct tb_bank *bank, uint32_t deadline_ms);

/* Connects ("unix:PATH"), proves the key, verifies the welcome. TB_NO_BANK, TB_NO_KEY,
 * TB_WRONG_LEDGER, TB_REVOKED_KEY... An unknown key is welcomed and may ask what anyone may. */
int tb_bank_open(struct tb_bank *bank, const char *address);

/* The same, started: done when the bank is open. Until then nothing else can be asked of it. */
int tb_bank_open_start(struct tb_bank *bank, const char *address, struct tb_call **ret_call);

/* A sentence on how the last call on this bank ended, with what to do; "" when it was done. */
const char *tb_bank_message(const struct tb_bank *bank);
/* Something said once (a ledger was pinned), or "". Gone with the next call or tb_bank_process().
 */
const char *tb_bank_notice(const struct tb_bank *bank);
/* Path of the evidence file that the last failed verification left, or "". */
const char *tb_bank_evidence(const struct tb_bank *bank);

const char *tb_bank_origin(const struct tb_bank *bank);
const char *tb_bank_verifier_key(const struct tb_bank *bank);
/* The four bytes that this ledger's vouchers carry, whichever key signs its heads today: zeros
 * before it was opened. */
void tb_bank_ledger_tag(const struct tb_bank *bank, uint8_t ret_tag[4]);
int tb_bank_role(const struct tb_bank *bank); /* enum tb_role of our key at the welcome */
/* Of a member's, venue's or organisation's key, or "". */
const char *tb_bank_account(const struct tb_bank *bank);
/* The signed head that the last answer reflected; every head of this bank extends the earlier ones.
 */
void tb_bank_position(const struct tb_bank *bank, uint64_t *ret_size, uint8_t ret_root[32]);

/* Sends what the outbox holds for this ledger and learns what became of it. *ret_settled counts the
 * batches whose outcome was learnt (may be NULL). tb_batch_submit() does this first by itself.
 * A refused batch of the outbox is moved to evidence-like files `refused-*` beside it, and the
 * sentence is in tb_bank_notice(). */
int tb_bank_settle(struct tb_bank *bank, size_t *ret_settled);
int tb_bank_settle_start(struct tb_bank *bank, struct tb_call **ret_call);
int tb_bank_settle_read(struct tb_call *call, size_t *ret_settled);

/* ---------------------------------------------------------------- calls */

/* For a loop of the caller's: watch tb_bank_fd() for what tb_bank_events() says (POLLIN, POLLOUT of
 * poll(2)), no longer than the milliseconds that it gives (-1: for ever), then tb_bank_process().
 * Ask all three again each time: the descriptor changes with the connection, and is -1 where there
 * is none. The library owns it. */
int tb_bank_fd(const struct tb_bank *bank);
int tb_bank_events(const struct tb_bank *bank, int *ret_timeout_ms);
/* Moves the calls under way along as far as it goes without waiting; how they end, each says
 * itself. -EINVAL for no bank. */
int tb_bank_process(struct tb_bank *bank);

/* 1 when it has ended, else 0. */
int tb_call_is_done(const struct tb_call *call);
/* How it ended; -EAGAIN while it has not. */
int tb_call_result(const struct tb_call *call);
/* A sentence on how it ended, "" when it was done or has not ended. */
const char *tb_call_message(const struct tb_call *call);
/* Waits until it has ended: the blocking form of what was started. Returns tb_call_result(). */
int tb_call_wait(struct tb_call *call);
/* Frees it, and what tb_x_read() lent from it. One under way is given up: a batch that was sent
 * already may still be recorded, and stays in the outbox until that is known. */
struct tb_call *tb_call_free(struct tb_call *call);

/* --------------------------------------------------------------- orders */

/* The id of an order made from a file: the same file gives the same ids for ever. source is "ref",
 * "account", "sheet" (key = sheet, newline, line), "activity", "offer" or "funder". Needs an open
 * bank. */
int tb_order_id(const struct tb_bank *bank, const char *source, const char *key,
                uint8_t ret_id[TB_ORDER_ID_BYTES]);

/* -------------------------------------------------------------- batches */

/* Orders that are recorded together or not at all, under one signature. */
struct tb_batch;

#define TB_BATCH_ORDERS_MAX 8190

int tb_batch_new(struct tb_bank *bank, struct tb_batch **ret_batch);
struct tb_batch *tb_batch_free(struct tb_batch *batch);
/* -E2BIG when the batch or the frame is full: submit it and go on with a new one. */
int tb_batch_add(struct tb_batch *batch, const struct tb_order *order, size_t *ret_place);
size_t tb_batch_count(const struct tb_batch *batch);
/* Takes the order at place out; later ones move up. For leaving out what was refused or is in
 * already. */
int tb_batch_drop(struct tb_batch *batch, size_t place);
void tb_batch_order_id(const struct tb_batch *batch, size_t place,
                       uint8_t ret_id[TB_ORDER_ID_BYTES]);
/* No time limit (header field not-after is 0): for imports only, the bank refuses it for anything
 * typed. */
void tb_batch_set_open_ended(struct tb_batch *batch);

struct tb_answer;

/* Signs the batch, writes it to the outbox, sends it, verifies the answer, and clears the outbox.
 * After a refusal tb_batch_refusals() lists every one, and nothing was recorded. A batch all of
 * whose orders were in already is done. */
int tb_batch_submit(struct tb_batch *batch, struct tb_answer **ret_answer);
/* Judges the batch on top of the earlier dry runs of this connection; nothing is recorded or kept.
 */
int tb_batch_dry_run(struct tb_batch *batch, struct tb_answer **ret_answer);
/* The same, started. The batch is signed, and in the outbox, on return; before it is sent it is
 * synced there, those that were started together by one sync. Until the call is done it cannot be
 * changed (-EBUSY), but may be freed. tb_answer_take() moves the answer out, once. */
int tb_batch_submit_start(struct tb_batch *batch, struct tb_call **ret_call);
int tb_batch_dry_run_start(struct tb_batch *batch, struct tb_call **ret_call);
int tb_answer_take(struct tb_call *call, struct tb_answer **ret_answer);
/* Forgets the dry runs of this connection. */
int tb_bank_end_dry_run(struct tb_bank *bank);
int tb_bank_end_dry_run_start(struct tb_bank *bank, struct tb_call **ret_call);

struct tb_refused {
    int refusal; /* enum tb_refusal */
    size_t place;
    const char *message;
    const char *field; /* of the order, or "" */
    uint64_t entry;    /* an earlier entry that the sentence speaks of, or 0 */
};
size_t tb_batch_refusals(const struct tb_batch *batch);
int tb_batch_refusal(const struct tb_batch *batch, size_t i, struct tb_refused *ret_refused);

struct tb_answer *tb_answer_free(struct tb_answer *answer);
size_t tb_answer_count(const struct tb_answer *answer); /* orders */
uint64_t tb_answer_entry(const struct tb_answer *answer, size_t place);
/* 1 when this order was in before this call (a retry or a second import). */
int tb_answer_already(const struct tb_answer *answer, size_t place);
uint64_t tb_answer_received_at(const struct tb_answer *answer);
/* Balances after that order: 1 and the minutes, or 0 where the author may not read them. */
int tb_answer_from_after(const struct tb_answer *answer, size_t place, int64_t *ret_minutes);
int tb_answer_to_after(const struct tb_answer *answer, size_t place, int64_t *ret_minutes);
/* Balances after an order of accounts that are not its from or to: of a session's members, of the
 * sides of what it takes back, confirms or ends. In the order of places. */
size_t tb_answer_others(const struct tb_answer *answer);
int tb_answer_other(const struct tb_answer *answer, size_t i, size_t *ret_place,
                    const char **ret_code, int64_t *ret_minutes);

struct tb_warning {
    int warning; /* enum tb_warning_kind */
    size_t place;
    const char *message;
    uint64_t entry;
};
size_t tb_answer_warnings(const struct tb_answer *answer);
int tb_answer_warning(const struct tb_answer *answer, size_t i, struct tb_warning *ret_warning);

/* -------------------------------------------------------------- reading */

struct tb_status {
    const char *origin;
    const char *version; /* the daemon's */
    uint64_t size;
    uint8_t root[32];
    const char *verifier_key;
    uint64_t accounts;
    uint64_t entries; /* orders that move or count hours */
    uint64_t uptime_s;
    uint64_t ledger_time_ms;
    int read_only; /* reads only: read_only_why says why */
    const char *read_only_why;
    uint32_t connections;
    uint64_t map_bytes;
    uint64_t map_used_bytes;
};
int tb_status_get(struct tb_bank *bank, struct tb_status *ret_status);
int tb_status_start(struct tb_bank *bank, struct tb_call **ret_call);
int tb_status_read(struct tb_call *call, struct tb_status *ret_status);

struct tb_balance {
    const char *code;
    int kind; /* enum tb_account_kind */
    int64_t minutes;
    int64_t held_minutes;
    int has_floor;
    int64_t floor_minutes;
    int has_ceiling;
    int64_t ceiling_minutes;
    int standing; /* enum tb_standing */
    uint64_t entries;
    uint32_t joined_day;
    uint32_t last_day;     /* latest date of service of an entry; 0: none */
    uint64_t owed_minutes; /* advanced and not yet earned */
};
int tb_balance_get(struct tb_bank *bank, const char *code, struct tb_balance *ret_balance);
int tb_balance_start(struct tb_bank *bank, const char *code, struct tb_call **ret_call);
int tb_balance_read(struct tb_call *call, struct tb_balance *ret_balance);

struct tb_account {
    struct tb_balance balance;
    uint64_t number;
    uint64_t opened_entry;
    uint32_t joined_day;
    uint64_t last_entry;
    const char *ward;     /* "" unless a broker or steward asks */
    const char *age_band; /* likewise */
};
int tb_account_get(struct tb_bank *bank, const char *code, struct tb_account *ret_account);
int tb_account_start(struct tb_bank *bank, const char *code, struct tb_call **ret_call);
int tb_account_read(struct tb_call *call, struct tb_account *ret_account);
/* The next free member code, by the policy member-code; the caller's (free()). */
int tb_account_next_code(struct tb_bank *bank, char **ret_code);
int tb_account_next_code_start(struct tb_bank *bank, struct tb_call **ret_call);
int tb_account_next_code_read(struct tb_call *call, char **ret_code);

/* A list being read, page by page. tb_x_begin() asks for its first page; tb_x_next() gives item
 * after item, in ascending order of name (statements newest first), borrowed until the next one,
 * and NULL at the end, which may have come early: tb_list_end() frees the list and says how it
 * ended. */
struct tb_list;
/* 1 when tb_x_next() will not wait; else tb_bank_process() has to go on. */
int tb_list_is_ready(struct tb_list *list);
int tb_list_end(struct tb_list *list);

int tb_account_begin(struct tb_bank *bank, struct tb_list **ret_list);
const struct tb_balance *tb_account_next(struct tb_list *list);
/* The _list functions walk a whole list and call each() for each item; another value than 0 from
 * it ends the list and is returned. */
int tb_account_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_balance *balance),
                    void *user);

struct tb_activity {
    const char *name;
    const char *tags; /* separated by spaces */
    uint8_t set_by[TB_ORDER_ID_BYTES];
};
int tb_activity_begin(struct tb_bank *bank, struct tb_list **ret_list);
const struct tb_activity *tb_activity_next(struct tb_list *list);
int tb_activity_list(struct tb_bank *bank,
                     int (*each)(void *user, const struct tb_activity *activity), void *user);

struct tb_offer {
    const char *venue;
    const char *name;
    uint64_t price_minutes;
    uint8_t set_by[TB_ORDER_ID_BYTES];
    /* Its rules, as in struct tb_order; 0 is no restriction. */
    uint32_t weekdays;
    uint32_t from_minute;
    uint32_t to_minute;
    uint32_t from_day;
    uint32_t to_day;
    enum tb_ages ages;
    uint32_t party_max;
    uint32_t heads_a_day;
    uint32_t times_a_month;
    uint64_t minutes_a_month;
    int withdrawn;
};
/* venue NULL: of all venues. */
int tb_offer_begin(struct tb_bank *bank, const char *venue, struct tb_list **ret_list);
const struct tb_offer *tb_offer_next(struct tb_list *list);
int tb_offer_list(struct tb_bank *bank, const char *venue,
                  int (*each)(void *user, const struct tb_offer *offer), void *user);

struct tb_policy {
    const char *name;
    const char *value;
    const char *help;
};
int tb_policy_begin(struct tb_bank *bank, struct tb_list **ret_list);
const struct tb_policy *tb_policy_next(struct tb_list *list);
int tb_policy_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_policy *policy),
                   void *user);

struct tb_funder {
    const char *name;
    uint8_t set_by[TB_ORDER_ID_BYTES];
};
int tb_funder_begin(struct tb_bank *bank, struct tb_list **ret_list);
const struct tb_funder *tb_funder_next(struct tb_list *list);
int tb_funder_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_funder *funder),
                   void *user);

struct tb_key {
    uint8_t key[32];
    int role;
    const char *account;
    uint64_t granted_entry;            /* 0: by genesis */
    uint64_t revoked_entry;            /* 0: in force */
    enum tb_report_class report_class; /* of an evaluator; else TB_CLASS_OF_KEY */
};
int tb_key_begin(struct tb_bank *bank, struct tb_list **ret_list);
const struct tb_key *tb_key_next(struct tb_list *list);
int tb_key_list(struct tb_bank *bank, int (*each)(void *user, const struct tb_key *key),
                void *user);

/* An entry as recorded; strings live until the next call on the bank. order.why is the note's text
 * for those who may read it. */
struct tb_entry {
    uint64_t number;
    struct tb_order order;
    uint64_t seal;
    uint64_t received_at_ms;
    uint8_t author[32];
    uint64_t reversed_minutes;
    /* Leaf hash of the order's record: what a confirm or an approve quotes. */
    uint8_t leaf[TB_QUOTE_BYTES];
    const char *state; /* "", waiting, settled, declined, withdrawn, lapsed, disputed, confirmed */
    /* An event (enum tb_event; else 0), when it fell due, and what moved; order is then the one
     * that it follows from. */
    int event;
    uint64_t event_ms;
    uint64_t event_minutes;
};
int tb_entry_get(struct tb_bank *bank, uint64_t number, struct tb_entry *ret_entry);
int tb_entry_by_id(struct tb_bank *bank, const uint8_t id[TB_ORDER_ID_BYTES],
                   struct tb_entry *ret_entry);
int tb_entry_start(struct tb_bank *bank, uint64_t number, struct tb_call **ret_call);
int tb_entry_by_id_start(struct tb_bank *bank, const uint8_t id[TB_ORDER_ID_BYTES],
                         struct tb_call **ret_call);
int tb_entry_read(struct tb_call *call, struct tb_entry *ret_entry);

/* A line of an account's statement. order.why is the note's text for those who may read it. */
struct tb_statement_line {
    uint64_t entry;
    struct tb_order order; /* as recorded */
    int64_t minutes;       /* what it did to the balance; 0: hours without credit */
    int64_t after_minutes; /* the balance after it, in the order of recording */
    uint64_t received_at_ms;
    uint8_t author[32];
    int author_role;            /* enum tb_role the author's key was granted */
    const char *author_account; /* of that key, or "" */
    uint64_t reversed_minutes;  /* taken back since */
    uint64_t target_entry;      /* a reversal: the entry taken back, and its order; else 0 */
    struct tb_order target;
    int64_t held_after_minutes; /* of the balance, set aside after it */
    /* An event, as in struct tb_entry. */
    int event;
    uint64_t event_ms;
    uint64_t event_minutes;
    /* Of an exchange, earn or gift, or of the one that it gives effect to; as in struct tb_entry.
     */
    const char *state;
};
/* Newest first, all of them: the minutes add up to the balance. */
int tb_statement_begin(struct tb_bank *bank, const char *code, struct tb_list **ret_list);
const struct tb_statement_line *tb_statement_next(struct tb_list *list);
int tb_statement_list(struct tb_bank *bank, const char *code,
                      int (*each)(void *user, const struct tb_statement_line *line), void *user);

/* An entry of the journal: an order below the register kinds, or an event, with what it did to
 * every account. For brokers, stewards and auditors. */
struct tb_journal_entry {
    uint64_t entry;
    struct tb_order order; /* as recorded; kind 0: an event */
    int event;             /* enum tb_event; 0: an order */
    uint64_t event_minutes;
    uint64_t received_at_ms; /* of an event, when it fell due */
    uint8_t author[32];      /* of an order */
    uint64_t target_entry;   /* the one that it is about, or follows from, and its order; else 0 */
    struct tb_order target;
    size_t n_legs; /* accounts, their kinds and the change of their balances */
    const char *const *accounts;
    const uint32_t *account_kinds; /* enum tb_account_kind */
    const int64_t *minutes;        /* they sum to 0; one of 0 minutes only says so */
};
/* All of them up to a position, in ascending order of number; at_size 0: the position that
 * tb_bank_position() gives. The same position gives the same entries. */
int tb_journal_begin(struct tb_bank *bank, uint64_t at_size, struct tb_list **ret_list);
const struct tb_journal_entry *tb_journal_next(struct tb_list *list);
/* Its position and root, waiting for the first page, and for the proof that an earlier position is
 * a beginning of the one of tb_bank_position(). */
int tb_journal_position(struct tb_list *list, uint64_t *ret_size, uint8_t ret_root[32]);
int tb_journal_list(struct tb_bank *bank, uint64_t at_size,
                    int (*each)(void *user, const struct tb_journal_entry *entry), void *user);

/* A row of a table of the register; which fields a table fills, timebank-protocol(7) says. */
struct tb_register_row {
    const char *what;
    const char *account;
    const char *other;
    const char *name;
    uint64_t entry;
    uint64_t other_entry;
    int64_t minutes;
    uint64_t count;
    uint32_t from_day;
    uint32_t to_day;
    uint64_t due_ms;
    uint8_t key[32]; /* a key, or in its first bytes an id */
    size_t key_bytes;
    int flag;
    const uint8_t *mark; /* where it stands: goes into `after` to go on behind it */
    size_t mark_bytes;
};
struct tb_register_ask {
    const char *code; /* what concerns this account; NULL: all */
    uint32_t from_day;
    uint32_t to_day;
    const uint8_t *after; /* a row's mark, or NULL */
    size_t after_bytes;
};
/* In ascending order of mark. ask NULL: everything. */
int tb_register_begin(struct tb_bank *bank, enum tb_register table,
                      const struct tb_register_ask *ask, struct tb_list **ret_list);
const struct tb_register_row *tb_register_next(struct tb_list *list);
int tb_register_list(struct tb_bank *bank, enum tb_register table,
                     const struct tb_register_ask *ask,
                     int (*each)(void *user, const struct tb_register_row *row), void *user);

/* The report of timebank(1) as one JSON object; the caller's (free()), NUL-terminated. */
struct tb_report_ask {
    uint32_t from_day;
    uint32_t to_day;
    uint32_t known_day; /* 0: the date of entry of the latest entry: nothing is left out */
    uint64_t at_size;   /* 0: the latest position */
    int as_recorded;    /* ignore claimed dates of entry */
    enum tb_report_class report_class; /* TB_CLASS_OF_KEY: the one that the key gets */
    enum tb_report_what what;
    const char *why;    /* of TB_REPORT_WHY: the measure, as "givers" or "by_month/2024-04" */
    uint64_t why_after; /* and the entry after which it goes on; 0: from the first */
    /* Of TB_REPORT_CHANGES: what was known of the same period before. */
    uint32_t since_known_day;
    uint64_t since_size;
    int since_as_recorded;
    int release; /* it is to leave the bank: tb_report_release() sets this */
};
int tb_report_get(struct tb_bank *bank, const struct tb_report_ask *ask, char **ret_json);
int tb_report_start(struct tb_bank *bank, const struct tb_report_ask *ask,
                    struct tb_call **ret_call);
int tb_report_read(struct tb_call *call, char **ret_json);
/* The same where it is to leave the bank, as all that an evaluator's key gets does: a report that
 * was not released before is released by an order of this program's own, whose number ret_entry
 * (may be NULL) gets; 0: it left before. TB_TOO_CLOSE, TB_NOT_AS_RELEASED. */
int tb_report_release(struct tb_bank *bank, const struct tb_report_ask *ask, char **ret_json,
                      uint64_t *ret_entry);
/* The ledger's signature over the JSON and a newline: SSHSIG, namespace timebank-report, as
 * `ssh-keygen -Y sign` writes it; the caller's. Of a call that brought a report. */
int tb_report_signature(const struct tb_call *call, char **ret_signature);
/* Of the report that a blocking function of this bank gave, where it was the last one called. */
int tb_report_last_signature(struct tb_bank *bank, char **ret_signature);

#ifdef __cplusplus
}
#endif

#endif
