/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `timebank import` share: what was read, what becomes of it, what is told.
 *
 * import-file reads, import-row turns a row into an order, import-names declares what old books
 * name, import-run asks the bank, import-tell prints. Rows point into their file, items point to
 * their row, and everything lives until the verb ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "import-map.h"

enum import_form { IMPORT_ACCOUNTS = 1, IMPORT_ENTRIES = 2, IMPORT_SHEET = 4 };

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

    struct import_file *files;
    size_t n_files;
    struct import_list lists[N_PHASES];
    struct import_map rows;     /* "ref/...", "account/...", "sheet/...": the row that has it */
    struct import_map accounts; /* code: enum tb_account_kind; where a sheet asks */

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

/* import-names: declares the activities, funders and offers that the entries use and the bank does
 * not know, or knows from this very import. 0, a refusal or a negative errno of the bank. */
int import_names_declare(struct import *import);

/* import-run: dry run of everything and, unless that is all that is wanted, the recording. Tells
 * what goes wrong between here and the bank; exit status. */
int import_run(struct import *import);

/* import-tell: the summary; status is what import_run() returned. */
void import_tell(struct import *import, int status);
