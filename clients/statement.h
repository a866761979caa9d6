/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An account's statement as read from the bank, put in the order a person expects: by date of
 * service, each line with the balance after it in that order.
 */
#pragma once

#include "client.h"

struct statement_line {
    uint64_t entry;
    uint32_t service_day; /* a reversal's is its target's */
    uint32_t entry_day;   /* as claimed, else of recording */
    uint64_t received_at_ms;
    int64_t minutes;         /* what it did to the balance */
    int64_t balance_minutes; /* after it, in this order */
    uint64_t hours_minutes;  /* without credit; else 0 */
    uint64_t reversed_minutes;
    uint64_t target_entry; /* that it speaks of, or an event follows from; else 0 */
    int kind;
    int event; /* enum tb_event: nobody recorded it */
    int authority;
    int author_role;
    char *author; /* account of the author's key, or the beginning of the key */
    char *other;  /* the other side's code, or "" */
    char *words;  /* what happened, from this account's side */
    char *activity;
    char *offer;
    char *why;
};

struct statement {
    const char *code;
    struct tb_balance balance;
    char *balance_code;
    uint32_t from_day; /* 0: from the beginning */
    uint32_t to_day;   /* UINT32_MAX: to the end */
    int64_t opening_minutes;
    int64_t closing_minutes;
    struct statement_line *lines; /* of the period */
    size_t n_lines;
};

/* Reads and sorts; the library's result. The period is by date of service. */
int statement_read(struct client *client, const char *code, uint32_t from_day, uint32_t to_day,
                   struct statement *ret);
void statement_fini(struct statement *statement);
/* The date of service under which a line counts, and that of its entry. */
void statement_days(const struct tb_statement_line *line, uint32_t *ret_service_day,
                    uint32_t *ret_entry_day);
/* "broker", "venue leisure-centre", "m0007": who recorded a line. */
void statement_by(const struct statement_line *line, char *ret, size_t n_ret);
/* statement-proof.c: proven complete, into a file that is made new; "-": to standard output. */
int statement_prove(struct client *client, const char *code, const char *path);
/* statement-tell.c: as a page, as JSON, as CSV. */
void statement_tell(struct client *client, const struct statement *statement);
void statement_tell_json(struct client *client, const struct statement *statement);
void statement_tell_csv(const struct statement *statement);
