/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gauss and Jordan over sparse rows. The rows are always fully reduced, so that one pass over a
 * sum's own columns reduces it, and a guarded sum follows from one more row exactly when the two
 * are the same up to a factor once both are reduced.
 */
#include "report-audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"

/* About a second: more than this on one month, quarter or year is a scheme made to take long. */
#define WORK_MAX ((uint64_t)200000000)

static uint64_t field_add(uint64_t a, uint64_t b) {
    uint64_t sum = a + b;
    return sum >= REPORT_AUDIT_PRIME ? sum - REPORT_AUDIT_PRIME : sum;
}

static uint64_t field_times(uint64_t a, uint64_t b) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return field_add((uint64_t)(product & REPORT_AUDIT_PRIME), (uint64_t)(product >> 61));
}

static uint64_t field_minus(uint64_t a) {
    return a == 0 ? 0 : REPORT_AUDIT_PRIME - a;
}

/* By Fermat: a to the power of the prime less 2. */
static uint64_t field_inverse(uint64_t a) {
    uint64_t result = 1;
    for (uint64_t power = REPORT_AUDIT_PRIME - 2; power > 0; power >>= 1) {
        if (power & 1)
            result = field_times(result, a);
        a = field_times(a, a);
    }
    return result;
}

int report_audit_init(struct report_audit *ret, uint32_t n_columns) {
    struct report_audit audit = {.n_columns = n_columns};
    audit.row_of = calloc((size_t)n_columns + 1, sizeof(*audit.row_of));
    audit.sums = calloc((size_t)n_columns + 1, sizeof(*audit.sums));
    audit.row_uses = calloc((size_t)n_columns + 1, sizeof(*audit.row_uses));
    audit.guard_uses = calloc((size_t)n_columns + 1, sizeof(*audit.guard_uses));
    if (!audit.row_of || !audit.sums || !audit.row_uses || !audit.guard_uses) {
        report_audit_fini(&audit);
        return -ENOMEM;
    }
    *ret = audit;
    return 0;
}

void report_audit_fini(struct report_audit *audit) {
    for (size_t i = 0; i < audit->n_rows; i++)
        free(audit->rows[i].terms);
    report_audit_drop_guards(audit);
    for (uint32_t i = 0; audit->row_uses && i < audit->n_columns; i++)
        free(audit->row_uses[i].numbers);
    for (uint32_t i = 0; audit->guard_uses && i < audit->n_columns; i++)
        free(audit->guard_uses[i].numbers);
    free(audit->row_uses);
    free(audit->guard_uses);
    free(audit->rows);
    free(audit->guards);
    free(audit->row_of);
    free(audit->sums);
    *audit = (struct report_audit){0};
}

void report_audit_drop_guards(struct report_audit *audit) {
    for (uint32_t i = audit->first_guarded; i < audit->end_guarded; i++)
        audit->guard_uses[i].n = 0;
    for (size_t i = 0; i < audit->n_guards; i++)
        free(audit->guards[i].terms);
    audit->n_guards = 0;
    audit->first_guarded = audit->end_guarded = 0;
    audit->work = 0;
}

/* ---- sums of two sparse vectors */

static void vector_fini(struct report_audit_vector *vector) {
    free(vector->terms);
}
#define _cleanup_vector_ _cleanup_(vector_fini)

/* left + factor * right. */
static int vector_add(struct report_audit *audit, const struct report_audit_vector *left,
                      uint64_t factor, const struct report_audit_vector *right,
                      struct report_audit_vector *ret) {
    struct report_audit_term *terms = calloc(left->n + right->n + 1, sizeof(*terms));
    size_t n = 0, i = 0, k = 0;
    if (!terms)
        return -ENOMEM;
    audit->work += left->n + right->n;
    while (i < left->n || k < right->n) {
        bool takes_left =
            k == right->n || (i < left->n && left->terms[i].column <= right->terms[k].column);
        bool takes_right =
            i == left->n || (k < right->n && right->terms[k].column <= left->terms[i].column);
        uint32_t column = takes_left ? left->terms[i].column : right->terms[k].column;
        uint64_t value = takes_left ? left->terms[i++].value : 0;
        if (takes_right)
            value = field_add(value, field_times(factor, right->terms[k++].value));
        if (value != 0)
            terms[n++] = (struct report_audit_term){column, value};
    }
    *ret = (struct report_audit_vector){terms, n};
    return 0;
}

static uint64_t value_at(const struct report_audit_vector *vector, uint32_t column) {
    size_t low = 0, high = vector->n;
    if (high == 0 || column < vector->terms[0].column || column > vector->terms[high - 1].column)
        return 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (vector->terms[middle].column < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low < vector->n && vector->terms[low].column == column ? vector->terms[low].value : 0;
}

/* So that the first value is 1. */
static void vector_scale(struct report_audit_vector *vector) {
    if (vector->n == 0 || vector->terms[0].value == 1)
        return;
    uint64_t factor = field_inverse(vector->terms[0].value);
    for (size_t i = 0; i < vector->n; i++)
        vector->terms[i].value = field_times(vector->terms[i].value, factor);
}

static bool vector_equals(const struct report_audit_vector *a,
                          const struct report_audit_vector *b) {
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++)
        equal = a->terms[i].column == b->terms[i].column && a->terms[i].value == b->terms[i].value;
    return equal;
}

/* The vector of that number has the columns of another one, which were put into it. */
static int use(struct report_audit_uses *uses, const struct report_audit_vector *vector,
               size_t number) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < vector->n; i++) {
        struct report_audit_uses *of = &uses[vector->terms[i].column];
        void *numbers = of->numbers;
        r = intern_grow(&numbers, of->n, &of->n_allocated, sizeof(*of->numbers));
        of->numbers = numbers;
        if (r == 0)
            of->numbers[of->n++] = (uint32_t)number;
    }
    return r;
}

static int use_guard(struct report_audit *audit, const struct report_audit_vector *vector,
                     size_t number) {
    if (vector->n == 0)
        return 0;
    uint32_t first = vector->terms[0].column, end = vector->terms[vector->n - 1].column + 1;
    bool is_first = audit->end_guarded == 0;
    audit->first_guarded = is_first ? first : MIN_OF(audit->first_guarded, first);
    audit->end_guarded = MAX_OF(audit->end_guarded, end);
    return use(audit->guard_uses, vector, number);
}

/* ---- reducing by the rows */

static int compare_columns(const void *a, const void *b) {
    const struct report_audit_term *left = a, *right = b;
    return (left->column > right->column) - (left->column < right->column);
}

/* What a column can become at most once in terms: a value of 0 is left where it was cancelled. */
static void sum_up(struct report_audit *audit, struct report_audit_vector *touched,
                   const struct report_audit_vector *more, uint64_t factor) {
    audit->work += more->n;
    for (size_t i = 0; i < more->n; i++) {
        uint64_t *sum = &audit->sums[more->terms[i].column];
        *sum = field_add(*sum, field_times(factor, more->terms[i].value));
        touched->terms[touched->n++].column = more->terms[i].column;
    }
}

static size_t terms_of(const struct report_audit *audit, const struct report_audit_vector *sum) {
    size_t n = sum->n;
    for (size_t i = 0; i < sum->n; i++) {
        uint32_t row = audit->row_of[sum->terms[i].column];
        n += row != 0 ? audit->rows[row - 1].n : 0;
    }
    return n;
}

static void gather(struct report_audit *audit, struct report_audit_vector *touched) {
    size_t n = 0;
    for (size_t i = 0; i < touched->n; i++) {
        uint32_t column = touched->terms[i].column;
        if (audit->sums[column] != 0)
            touched->terms[n++] = (struct report_audit_term){column, audit->sums[column]};
        audit->sums[column] = 0;
    }
    touched->n = n;
    if (n > 1)
        qsort(touched->terms, n, sizeof(*touched->terms), compare_columns);
}

/* Less what the rows say of it, scaled; nothing is left of what follows. */
static int reduce(struct report_audit *audit, const struct report_audit_vector *sum,
                  struct report_audit_vector *ret) {
    struct report_audit_vector reduced = {calloc(terms_of(audit, sum) + 1, sizeof(*reduced.terms)),
                                          0};
    if (!reduced.terms)
        return -ENOMEM;
    sum_up(audit, &reduced, sum, 1);
    for (size_t i = 0; i < sum->n; i++) {
        uint32_t row = audit->row_of[sum->terms[i].column];
        if (row != 0)
            sum_up(audit, &reduced, &audit->rows[row - 1], field_minus(sum->terms[i].value));
    }
    gather(audit, &reduced);
    vector_scale(&reduced);
    *ret = reduced;
    return 0;
}

int report_audit_follows(struct report_audit *audit, const struct report_audit_vector *sum,
                         bool *ret) {
    _cleanup_vector_ struct report_audit_vector reduced = {0};
    int r = reduce(audit, sum, &reduced);
    if (r == 0)
        *ret = reduced.n == 0;
    return r;
}

static int keep(struct report_audit_vector **list, size_t *n, size_t *n_allocated,
                struct report_audit_vector *taken) {
    void *grown = *list;
    int r = intern_grow(&grown, *n, n_allocated, sizeof(**list));
    *list = grown;
    if (r == 0)
        (*list)[(*n)++] = (struct report_audit_vector){TAKE(taken->terms), taken->n};
    return r;
}

int report_audit_guard(struct report_audit *audit, const struct report_audit_vector *sum) {
    _cleanup_vector_ struct report_audit_vector reduced = {0};
    int r = reduce(audit, sum, &reduced);
    if (r < 0 || reduced.n == 0)
        return r;
    r = use_guard(audit, &reduced, audit->n_guards);
    return r == 0 ? keep(&audit->guards, &audit->n_guards, &audit->n_guards_allocated, &reduced)
                  : r;
}

/* ---- showing */

/* The rows as they would be with one more. */
struct change {
    size_t *rows; /* that change */
    struct report_audit_vector *become;
    size_t n;
};

static void change_fini(struct change *change) {
    for (size_t i = 0; i < change->n; i++)
        free(change->become[i].terms);
    free(change->become);
    free(change->rows);
}

static bool has_row(const struct change *change, size_t row) {
    for (size_t i = 0; i < change->n; i++)
        if (change->rows[i] == row)
            return true;
    return false;
}

static int foresee(struct report_audit *audit, const struct report_audit_vector *more,
                   struct change *ret) {
    uint32_t lead = more->terms[0].column;
    const struct report_audit_uses *uses = &audit->row_uses[lead];
    ret->rows = calloc(uses->n + 1, sizeof(*ret->rows));
    ret->become = calloc(uses->n + 1, sizeof(*ret->become));
    if (!ret->rows || !ret->become)
        return -ENOMEM;
    for (size_t i = 0; i < uses->n; i++) {
        size_t row = uses->numbers[i];
        uint64_t value = value_at(&audit->rows[row], lead);
        if (value == 0 || has_row(ret, row))
            continue;
        int r =
            vector_add(audit, &audit->rows[row], field_minus(value), more, &ret->become[ret->n]);
        if (r < 0)
            return r;
        ret->rows[ret->n++] = row;
    }
    return 0;
}

static bool betrays(const struct report_audit *audit, const struct report_audit_vector *more) {
    for (size_t i = 0; i < audit->n_guards; i++)
        if (vector_equals(&audit->guards[i], more))
            return true;
    return false;
}

/* Guards that get columns are not listed under the lead: it is what they lose. */
static int guards_reduce(struct report_audit *audit, const struct report_audit_vector *more) {
    const struct report_audit_uses *uses = &audit->guard_uses[more->terms[0].column];
    const struct report_audit_vector rest = {more->terms + 1, more->n - 1};
    for (size_t i = 0; i < uses->n; i++) {
        struct report_audit_vector reduced, *guard = &audit->guards[uses->numbers[i]];
        uint64_t value = value_at(guard, more->terms[0].column);
        if (value == 0)
            continue;
        int r = vector_add(audit, guard, field_minus(value), more, &reduced);
        if (r < 0)
            return r;
        free(guard->terms);
        *guard = reduced;
        vector_scale(guard);
        r = use_guard(audit, &rest, uses->numbers[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Takes more's terms. */
static int commit(struct report_audit *audit, struct change *change,
                  struct report_audit_vector *more) {
    const struct report_audit_vector rest = {more->terms + 1, more->n - 1};
    uint32_t lead = more->terms[0].column;
    int r = guards_reduce(audit, more);
    for (size_t i = 0; r == 0 && i < change->n; i++)
        r = use(audit->row_uses, &rest, change->rows[i]);
    if (r == 0)
        r = use(audit->row_uses, more, audit->n_rows);
    if (r == 0)
        r = keep(&audit->rows, &audit->n_rows, &audit->n_rows_allocated, more);
    if (r < 0)
        return r;
    audit->row_of[lead] = (uint32_t)audit->n_rows;
    for (size_t i = 0; i < change->n; i++) {
        free(audit->rows[change->rows[i]].terms);
        audit->rows[change->rows[i]] =
            (struct report_audit_vector){TAKE(change->become[i].terms), change->become[i].n};
    }
    return 0;
}

int report_audit_show(struct report_audit *audit, const struct report_audit_vector *sum,
                      bool (*refuses)(void *user, const struct report_audit_vector *row),
                      void *user, bool *ret_shown) {
    _cleanup_vector_ struct report_audit_vector more = {0};
    _cleanup_(change_fini) struct change change = {0};
    int r = reduce(audit, sum, &more);
    if (r < 0)
        return r;
    if (more.n == 0) {
        *ret_shown = true;
        return 0;
    }
    if (audit->work > WORK_MAX || betrays(audit, &more)) {
        *ret_shown = false;
        return 0;
    }
    r = foresee(audit, &more, &change);
    bool is_refused = r == 0 && refuses && refuses(user, &more);
    for (size_t i = 0; r == 0 && refuses && !is_refused && i < change.n; i++)
        is_refused = refuses(user, &change.become[i]);
    if (r == 0 && !is_refused)
        r = commit(audit, &change, &more);
    if (r == 0)
        *ret_shown = !is_refused;
    return r;
}

int report_audit_know(struct report_audit *audit, const struct report_audit_vector *sum) {
    _cleanup_vector_ struct report_audit_vector more = {0};
    _cleanup_(change_fini) struct change change = {0};
    int r = reduce(audit, sum, &more);
    if (r < 0 || more.n == 0)
        return r;
    r = foresee(audit, &more, &change);
    return r == 0 ? commit(audit, &change, &more) : r;
}
