/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger for other programs. The journal is read entry by entry; each becomes one move or a
 * few: what it did under one heading, with legs that sum to nothing. So an exchange that repaid an
 * advance is an exchange and a repayment, and totals by type are those of the report. Then a format
 * writes them: rows at once, or books by date of service with their opening and their balances.
 */
#pragma once

#include <jansson.h>

#include "client.h"

enum export_side { EXPORT_NEITHER, EXPORT_FROM, EXPORT_TO };

struct export_leg {
    const char *account;
    uint32_t account_kind; /* enum tb_account_kind */
    enum export_side side; /* of the credits, in the entry that the move is about */
    int64_t minutes;
};

/* Strings are borrowed for the call, never NULL. */
struct export_move {
    uint64_t entry;
    uint64_t reverses; /* entry taken back, or 0 */
    int64_t minutes_without_credit;
    uint32_t service_day;
    uint32_t entered_day; /* as claimed, else recorded_day */
    uint32_t recorded_day;
    const char *type; /* as the report counts it; a reversal has that of its original */
    const char *what; /* kind of the order or event itself */
    const char *by;   /* authority: self, broker, venue, organisation, guardian, sheet; or bank */
    char key[9];      /* first eight digits of its author's key, or empty */
    const char *activity;
    const char *offer;
    const char *funder;
    const char *programme;
    const char *sheet;
    uint32_t line;
    uint32_t adults;
    uint32_t under16;
    size_t n_legs;
    const struct export_leg *legs;
};

/* export-moves.c: what an entry says of earlier ones is kept from one to the next. */
struct export_moves;
int export_moves_new(struct export_moves **ret);
struct export_moves *export_moves_free(struct export_moves *moves);
/* Another value than 0 from each() ends it and is returned; -EPROTO: no ledger has such an entry.
 */
int export_moves_of(struct export_moves *moves, const struct tb_journal_entry *entry,
                    int (*each)(void *user, const struct export_move *move), void *user);
/* Something of the entry is still set aside: a gift not accepted, a hold, a dispute. */
bool export_moves_waits(const struct export_moves *moves, uint64_t entry);

/* What is asked for, and where it was read. */
struct export_ask {
    uint32_t from_day; /* 0: from the beginning */
    uint32_t to_day;   /* UINT32_MAX: to the end */
    uint64_t size;     /* of the position */
    uint8_t root[32];
    const char *bank;
};

/* export-csv.c: a leg a row, as the entries come. */
void export_csv_begin(void);
int export_csv_move(void *ask, const struct export_move *move);

/* export-json.c: a move a line. */
int export_json_move(void *ask, const struct export_move *move);

/* export-books.c: moves kept until they are sorted. */
struct export_books;
int export_books_new(struct export_books **ret);
struct export_books *export_books_free(struct export_books *books);
int export_books_move(void *books, const struct export_move *move);

struct export_line {
    const char *account;
    uint32_t account_kind;
    enum export_side side;
    int64_t minutes;
};
/* A transaction of the books. Without an entry: balances carried forward. */
struct export_transaction {
    const struct export_move *move; /* but for its legs; NULL: opening balances */
    uint32_t day;
    bool waits;
    const struct export_line *lines;
    size_t n_lines;
};

/* How a program wants its books, to standard output. */
struct export_style {
    /* At once, before anything is known but the position. */
    void (*head)(const struct export_ask *ask);
    /* What the program insists on before it is used. */
    void (*begin)(bool in_minutes, uint32_t first_day);
    void (*account)(const char *code, uint32_t kind, uint32_t first_day);
    void (*name)(const char *what); /* each description that will occur */
    void (*transaction)(const struct export_transaction *transaction, bool in_minutes);
    /* Balances of the accounts that changed, at the end of a day. */
    void (*balances)(uint32_t day, const struct export_line *lines, size_t n_lines,
                     bool in_minutes);
};
extern const struct export_style export_style_hledger, export_style_ledger, export_style_beancount;

int export_books_write(struct export_books *books, const struct export_moves *moves,
                       const struct export_ask *ask, const struct export_style *style);

/* What the styles share: the words of the head, each line behind a mark. */
void export_head(const struct export_ask *ask, const char *mark);
/* "reverse exchange": what happened, in the words of a few kinds. */
void export_what(const struct export_move *move, char *ret, size_t n_ret);
/* "2.50 TC" or "150 MIN". */
void export_amount(int64_t minutes, bool in_minutes);

/* export-edges.c: who exchanged with whom, as the bank's reply has it. */
int export_edges_print(const json_t *edges, bool as_graphml);
