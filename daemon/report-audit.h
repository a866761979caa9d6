/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from what: figures as sums of unknowns, and which sums can be had from those that
 * are shown by adding and subtracting, exactly. Pure algebra over the prime field of 2^61 - 1; it
 * knows nothing of people.
 *
 * What is shown spans a space, kept in reduced form: each row leads with a column that no other row
 * has. A guarded sum never comes to lie in that space: what would bring it there is not added.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define REPORT_AUDIT_PRIME (((uint64_t)1 << 61) - 1)

struct report_audit_term {
    uint32_t column;
    uint64_t value; /* 1 to the prime less 1 */
};

struct report_audit_vector {
    struct report_audit_term *terms; /* ascending by column */
    size_t n;
};

/* Numbers of vectors that have, or had, a column. */
struct report_audit_uses {
    uint32_t *numbers;
    size_t n;
    size_t n_allocated;
};

struct report_audit {
    uint32_t n_columns;
    struct report_audit_vector *rows;
    size_t n_rows;
    size_t n_rows_allocated;
    struct report_audit_vector *guards; /* less what the rows say of them; each begins with 1 */
    size_t n_guards;
    size_t n_guards_allocated;
    uint32_t *row_of;                     /* by column: the row that it leads, plus one */
    struct report_audit_uses *row_uses;   /* by column */
    struct report_audit_uses *guard_uses; /* none outside the columns that were guarded */
    uint32_t first_guarded;
    uint32_t end_guarded;
    uint64_t *sums; /* scratch, by column: all zero */
    uint64_t work;  /* terms touched since the guards were dropped */
};

int report_audit_init(struct report_audit *ret, uint32_t n_columns) TB_MUST_CHECK;
void report_audit_fini(struct report_audit *audit);
#define _cleanup_audit_ _cleanup_(report_audit_fini)

/* Does the sum follow from what is shown? */
int report_audit_follows(struct report_audit *audit, const struct report_audit_vector *sum,
                         bool *ret) TB_MUST_CHECK;
/* From now on the sum must not follow. Nothing is guarded that follows already. */
int report_audit_guard(struct report_audit *audit,
                       const struct report_audit_vector *sum) TB_MUST_CHECK;
void report_audit_drop_guards(struct report_audit *audit);
/* Shows the sum, unless a guarded one would follow, or refuses() some row of the reduced form that
 * would come of it (NULL: it does not), or the work is beyond reason. */
int report_audit_show(struct report_audit *audit, const struct report_audit_vector *sum,
                      bool (*refuses)(void *user, const struct report_audit_vector *row),
                      void *user, bool *ret_shown) TB_MUST_CHECK;
/* Shows it whatever follows: it is known from elsewhere. */
int report_audit_know(struct report_audit *audit,
                      const struct report_audit_vector *sum) TB_MUST_CHECK;
