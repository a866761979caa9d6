/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request lists any table of the register: a line in the table of handle-register.c and a
 * function that walks its rows. What a row's fields mean in each table, timebank-protocol(7) says.
 */
#pragma once

#include "call.h"

struct register_scan {
    struct call *call;
    const Timebank__AskRegister *ask;
    struct state *state;
    const struct state_account *account; /* of ask->code, or NULL: all */
    size_t max;                          /* rows of the page */
    Timebank__RegisterRow **rows;
    size_t n_rows;
    const Timebank__RegisterRow *last; /* none after it stands on this page; NULL: any may */
};

/* A new row under its mark, which orders the rows; NULL where it is not on this page, or no
 * memory is left (call->arena->r). Its texts are copied by register_text(). */
Timebank__RegisterRow *register_row(struct register_scan *scan, const void *mark, size_t n_mark);
char *register_text(struct register_scan *scan, const char *text);
/* Calls for each row of a table that is held in memory; another value than 0 ends it. */
int register_each(struct register_scan *scan, enum state_table table,
                  int (*each)(struct register_scan *scan, const struct row *row));
/* Code of the account of that number, or "". */
const char *register_code(const struct register_scan *scan, uint64_t number);
/* What brokers read of everybody, others read of their own account only. */
bool register_may_read(const struct register_scan *scan, const char *code);

/* handle-register-pending.c */
int register_pending(struct register_scan *scan);
/* handle-register-trusts.c */
int register_trusts(struct register_scan *scan);
/* handle-register-vouchers.c */
int register_vouchers(struct register_scan *scan);
int register_voucher_keys(struct register_scan *scan);
/* handle-register-periods.c */
int register_periods(struct register_scan *scan);
/* handle-register-releases.c */
int register_releases(struct register_scan *scan);
/* handle-register-programmes.c */
int register_programmes(struct register_scan *scan);
/* handle-register-offers.c */
int register_offer_sums(struct register_scan *scan);
/* handle-register-limits.c */
int register_limits(struct register_scan *scan);
int register_expiring(struct register_scan *scan);
/* handle-register-people.c */
int register_persons(struct register_scan *scan);
int register_mandates(struct register_scan *scan);
int register_safeguards(struct register_scan *scan);
int register_leaving(struct register_scan *scan);
