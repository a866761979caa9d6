/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs of timebank share: the options before the verb, the bank once opened, and how an
 * outcome is told. One verb (or noun) is one file with one `verb_...` table entry in verbs.c.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "timebank.h"

enum client_exit {
    CLIENT_DONE = 0,
    CLIENT_REFUSED = 1,
    CLIENT_BROKEN = 2,
    CLIENT_UNKNOWN = 3,
    CLIENT_USAGE = 64,
};

struct client {
    const char *address;     /* --bank, TIMEBANK */
    const char *key;         /* --key, TIMEBANK_KEY; may be NULL */
    const char *ledger;      /* --ledger, TIMEBANK_LEDGER; may be NULL */
    const char *policy_file; /* TIMEBANK_POLICY: whose cosignatures are demanded; may be NULL */
    uint32_t deadline_ms;
    bool json; /* --json, before or after the verb */
    struct tb_bank *bank;

    json_t *policies; /* client_policy()'s: name to value; NULL: not asked yet */
    char *noticed;    /* the last notice told, so that it is told once */
    char *own;        /* client_own_account()'s */
};

/* The dispatcher in verbs.c answers --help and takes --json out of argv before run() is called.
 * Options are read with options_read() of options.h. */
struct verb {
    const char *name;    /* "account open" for two-word verbs */
    const char *summary; /* one line for --help */
    const char *help;    /* begins with an example, a line by itself; ends with a newline */
    int (*run)(struct client *client, int argc, char **argv); /* argv[0] is the verb; exit status */
};

/* Opens client->bank once. Tells and returns an exit status other than CLIENT_DONE on failure. */
int client_open(struct client *client);
/* Turns a library result into an exit status; what is not done is told: a sentence on standard
 * error, with --json {"refused":"NAME","message":"..."} on standard output. */
int client_outcome(struct client *client, int r);
/* The same for what is not the bank's: why is its sentence, or "". */
int client_outcome_why(struct client *client, int r, const char *why);
/* Tells a refusal of the client's own (a date that cannot be read...); CLIENT_REFUSED. */
int client_refuse(struct client *client, int refusal, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Tells what was wrong with the words and how to get help; CLIENT_USAGE. */
int client_usage(const struct verb *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Lists every refusal of a batch; CLIENT_REFUSED. */
int client_batch_refused(struct client *client, const struct tb_batch *batch);
/* Prints one JSON object on a line of its own and frees it. */
void client_print_json(json_t *object);
json_t *client_json_root(const uint8_t root[32]); /* base64 */
/* {"size":N,"root":"base64"} of the bank's position. */
json_t *client_position(struct client *client);
/* Value of a policy, borrowed until the client ends; "" when there is none. */
const char *client_policy(struct client *client, const char *name);
/* The account that our key acts for in that role, borrowed until the client ends; NULL where it has
 * another role, or the bank is not open. */
const char *client_own_account(struct client *client, int role);
/* Reads a time or date option and tells what is wrong with it; CLIENT_DONE or CLIENT_REFUSED. Time
 * is rounded as the policies say and the order told when it was. */
int client_time(struct client *client, const char *text, struct tb_order *order);
int client_date(struct client *client, const char *text, uint32_t *ret_day);
/* Submits one hand-made order (or a batch of which the order at place is told) and tells it in
 * words with balances and warnings, with --json {"entry","kind","balances","warnings","position"}.
 * A day of more than 24 hours is insisted on where the order has a why. Exit status; record.h has
 * more. */
int client_record(struct client *client, struct tb_order *order);
int client_record_batch(struct client *client, struct tb_batch *batch, size_t place, int kind,
                        const struct tb_order *order);

/* Formats one line, takes control bytes out of it (what is printed was written by others) and
 * prints it with a newline. Everything that a person reads goes through this. */
void client_line(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Folds a code as typed to lower case, in place. NULL stays NULL. */
const char *client_code(char *text);
/* A JSON string, also of text that is no UTF-8. */
json_t *client_json_text(const char *text);
/* Prints and frees a list: with --json each row on a line, with the position; else each by tell().
 */
void client_print_list(struct client *client, json_t *rows, void (*tell)(const json_t *row));
/* Tells how a list function ended: with r 0 the rows are printed. Frees them; exit status. */
int client_list_outcome(struct client *client, int r, json_t *rows,
                        void (*tell)(const json_t *row));
/* Closes the bank and frees what the client holds. */
void client_fini(struct client *client);

/* The one table of verbs (verbs.c); ends with NULL. Each verb stands in the file of its noun. */
extern const struct verb *const verbs[];
extern const struct verb verb_import;
extern const struct verb verb_report;
