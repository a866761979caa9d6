/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `timebank import` share: what was read, what becomes of it, what is told.
 *
 * import-file reads, import-row turns a row into an order, import-foreign those of other systems'
 * files, import-names declares what old books name, import-run asks the bank, import-tell prints.
 * Rows point into their file, items point to their row, and everything lives until the verb ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "import-map.h"

enum import_form {
    IMPORT_ACCOUNTS = 1,
    IMPORT_ENTRIES = 2,
    IMPORT_SHEET = 4,
    IMPORT_CODES = 8, /* other systems' names of accounts, and ours */
    IMPORT_TIMEOVERFLOW = 16,
    IMPORT_KOMUNITIN = 32,
    IMPORT_MUTUAL_CREDIT = 64
};

#define IMPORT_FOREIGN (IMPORT_TIMEOVERFLOW | IMPORT_KOMUNITIN | IMPORT_MUTUAL_CREDIT)

enum import_column {
    COLUMN_NONE,
    COLUMN_CODE,
    COLUMN_KIND,
    COLUMN_JOINED,
    COLUMN_WARD,
    COLUMN_AGE_BAND,
    COLUMN_REF,
    COLUMN_SERVICE_DATE,
    COLUMN_ENTERED_DATE,
    COLUMN_GIVER,
    COLUMN_RECEIVER,
    COLUMN_FROM,
    COLUMN_TO,
    COLUMN_MINUTES,
    COLUMN_ACTIVITY,
    COLUMN_OFFER,
    COLUMN_ADULTS,
    COLUMN_UNDER16,
    COLUMN_FUNDER,
    COLUMN_REVERSES,
    COLUMN_DATE,
    COLUMN_TIME,
    COLUMN_SHEET,
    COLUMN_LINE,
    COLUMN_THEIRS,
    COLUMN_OURS,
    COLUMN_SOURCE_ID, /* to COLUMN_POST_ID: TimeOverflow's, in their order */
    COLUMN_SOURCE_TYPE,
    COLUMN_DESTINATION_ID,
    COLUMN_DESTINATION_TYPE,
    COLUMN_AMOUNT,
    COLUMN_CREATED_AT,
    COLUMN_REASON,
    COLUMN_POST_ID,
    COLUMN_SOURCE,
    COLUMN_DESTINATION,
    COLUMN_DESCRIPTION,
    COLUMN_PAYER,
    COLUMN_PAYEE,
    COLUMN_QUANTITY,
    COLUMN_CREATED,
    COLUMN_STATE,
    COLUMN_TYPE,
    COLUMN_CATEGORIES,
    N_COLUMNS
};

struct import_row {
    struct import_file *file;
    uint32_t line; /* physical, the header's is 1 */
    size_t first;  /* of its cells */
    size_t n_cells;
    bool refused;
};

struct import_file {
    const char *path;
    enum import_form form;
    size_t n_header;          /* columns of the header */
    size_t places[N_COLUMNS]; /* of each column in a row, counted from 1; 0: not there */
    char *text;               /* of all cells, each with its NUL */
    size_t *cells;            /* where each begins in text */
    struct import_row *rows;
    size_t n_rows;
};

/* What is said of other systems' files, as typed; NULL where nothing is. */
struct import_foreign {
    char *activity;
    char *code_map;  /* a file of theirs,ours */
    char *code_form; /* "m0000": 7 is m0007 */
    char *on;
    uint32_t day; /* of on */
};

enum import_outcome { OUTCOME_WAITING, OUTCOME_RECORDED, OUTCOME_ALREADY, OUTCOME_REFUSED };

/* Accounts before the names that old books use before the entries. */
enum import_phase { PHASE_ACCOUNTS, PHASE_NAMES, PHASE_ENTRIES, N_PHASES };

struct import_item {
    struct tb_order order;  /* strings borrowed from the row's cells */
    struct import_row *row; /* of a declared name: the first that uses it */
    enum import_phase phase;
    enum import_outcome outcome;
};

struct import_list {
    struct import_item *items;
    size_t n;
    size_t n_allocated;
};

struct import_refused {
    const char *path;
    size_t file; /* place among the files, for the order in which they are told */
    uint32_t line;
    char *column;
    int refusal;
    char *message;
};

struct import_warned {
    const char *path;
    uint32_t line;
    int warning;
    uint64_t entry;
    char *message;
};

struct import {
    struct client *client;
    bool dry_run;
    bool history;
    bool skip_bad;
    bool lines;   /* what is counted is called lines: a sheet */
    bool stopped; /* the bank failed on the way, and that was told instead of a summary */
    struct import_foreign foreign;

    struct import_file *files;
    size_t n_files;
    struct import_list lists[N_PHASES];
    struct import_map rows;     /* "ref/...", "account/...", "sheet/...": the row that has it */
    struct import_map accounts; /* code: enum tb_account_kind; where a sheet asks */
    struct import_map codes;    /* another system's name of an account: our code, allocated */

    struct import_refused *refused;
    size_t n_refused;
    struct import_warned *warned;
    size_t n_warned;
};

/* Reads the files, "-" being standard input, and imports them; everything is told. check, where it
 * is not NULL, judges what was read before the bank is asked, tells what it has against it and
 * gives an exit status. Exit status. */
int import_files(struct import *import, char **paths, size_t n,
                 int (*check)(void *user, struct import *import), void *user);
void import_fini(struct import *import);

/* Notes a refusal of a row, or with row NULL of the file at a line. Returns refusal, or -ENOMEM. */
int import_refuse(struct import *import, struct import_file *file, struct import_row *row,
                  uint32_t line, const char *column, int refusal, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
/* Room for one more item; NULL on no memory. The item holds an empty order. */
struct import_item *import_list_add(struct import_list *list);

/* A name of a sheet's or file's own, for the maps: "ref/x". The caller's; NULL on no memory. */
char *import_key(const char *source, const char *key);

/* import-file: reads a file whole. 0, a refusal of the file (noted), or a negative errno. Rows that
 * are no rows of the header are refused one by one and left out. */
int import_file_read(struct import *import, struct import_file *file);
void import_file_fini(struct import_file *file);
const char *import_file_column(enum import_column column);
/* The cell's text, "" where the column is not there. */
const char *import_file_cell(const struct import_row *row, enum import_column column);

/* import-row: makes the items of all rows that can be read; the others are refused. 0, a refusal or
 * a negative errno of the bank. */
int import_row_read_all(struct import *import);
/* The file's column that an order's field came from, for a refusal of the bank. */
const char *import_row_column(const struct import_item *item, const char *field, int refusal);

/* A date that means the same on every day; else why says what is wrong. 0, a refusal or a negative
 * errno. */
int import_row_day(const char *text, uint32_t *ret_day, char *why, size_t n_why);
/* A whole number, 0 for an empty cell; a refusal is noted. */
int import_row_number(struct import *import, struct import_row *row, enum import_column column,
                      uint64_t *ret_number);
/* Refuses an empty cell. */
int import_row_need(struct import *import, struct import_row *row, enum import_column column);
/* Gives the order its permanent id; a second row with the same key is refused. */
int import_row_id(struct import *import, struct import_row *row, enum import_column column,
                  const char *source, const char *key, uint8_t ret_id[TB_ORDER_ID_BYTES]);

/* import-foreign: what can be said against the options before the bank is asked; exit status. */
int import_foreign_check(void *user, struct import *import);
/* Makes the order of a row of TimeOverflow's, komunitin's or mutual_credit's. 0, a refusal (noted)
 * or a negative errno. */
int import_foreign_read(struct import *import, struct import_row *row, struct tb_order *order);
/* The column of an order's field ("minutes"). */
enum import_column import_foreign_column(const struct import_row *row, const char *field);

/* import-codes: keeps a row of theirs,ours. */
int import_codes_take(struct import *import, struct import_row *row);
/* Our code of an account that the row names in column, type and name being the other system's;
 * refused where none is known. *ret_code lives as long as the import. */
int import_codes_find(struct import *import, struct import_row *row, enum import_column column,
                      const char *type, const char **ret_code);
/* True for "m0000": letters, then noughts. */
bool import_codes_form_is_valid(const char *form);
void import_codes_fini(struct import *import);

/* import-names: declares the activities, funders and offers that the entries use and the bank does
 * not know, or knows from this very import. 0, a refusal or a negative errno of the bank. */
int import_names_declare(struct import *import);

/* import-run: dry run of everything and, unless that is all that is wanted, the recording. Tells
 * what goes wrong between here and the bank; exit status. */
int import_run(struct import *import);

/* import-tell: the summary; status is what import_run() returned. */
void import_tell(struct import *import, int status);
