/* SPDX-License-Identifier: Apache-2.0 */
/* The algebra of what follows from what: by hand, then beside a plain elimination over another
 * field. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/report-audit.h"

TestSuite(report_audit, .timeout = 20);

#define N_MAX 24

/* A sum of columns, as a text of digits and signs: "+--0" is column 0 less columns 1 and 2. */
struct sum {
    struct report_audit_term terms[N_MAX];
    struct report_audit_vector vector;
};

static const struct report_audit_vector *sum(struct sum *ret, const char *signs) {
    ret->vector = (struct report_audit_vector){ret->terms, 0};
    for (uint32_t i = 0; signs[i]; i++)
        if (signs[i] != '0')
            ret->terms[ret->vector.n++] =
                (struct report_audit_term){i, signs[i] == '+' ? 1 : REPORT_AUDIT_PRIME - 1};
    return &ret->vector;
}

static bool shows(struct report_audit *audit, const char *signs) {
    struct sum of;
    bool shown;
    cr_assert_eq(report_audit_show(audit, sum(&of, signs), NULL, NULL, &shown), 0);
    return shown;
}

static bool follows(struct report_audit *audit, const char *signs) {
    struct sum of;
    bool yes;
    cr_assert_eq(report_audit_follows(audit, sum(&of, signs), &yes), 0);
    return yes;
}

static void guard(struct report_audit *audit, const char *signs) {
    struct sum of;
    cr_assert_eq(report_audit_guard(audit, sum(&of, signs)), 0);
}

Test(report_audit, lets_a_part_follow_from_a_total_and_the_other_part) {
    _cleanup_audit_ struct report_audit audit;
    cr_assert_eq(report_audit_init(&audit, 3), 0);
    cr_assert(shows(&audit, "+++"));
    cr_assert(shows(&audit, "++0"));
    cr_assert(follows(&audit, "00+"));
    cr_assert_not(follows(&audit, "+00"));
    cr_assert_not(follows(&audit, "0++"));
}

Test(report_audit, shows_nothing_from_which_a_guarded_sum_follows) {
    _cleanup_audit_ struct report_audit audit;
    cr_assert_eq(report_audit_init(&audit, 3), 0);
    guard(&audit, "00+");
    cr_assert(shows(&audit, "+++"));
    cr_assert_not(shows(&audit, "++0"));
    cr_assert(shows(&audit, "+00"));
    cr_assert_not(shows(&audit, "0+0"));
    cr_assert_not(follows(&audit, "00+"));
    cr_assert(follows(&audit, "0++"));
}

Test(report_audit, sees_what_follows_across_two_breakdowns) {
    /* Rows a0 a1 b0 b1: rows by letter, columns by digit; the total follows from either. */
    _cleanup_audit_ struct report_audit audit;
    cr_assert_eq(report_audit_init(&audit, 4), 0);
    guard(&audit, "+00+");
    cr_assert(shows(&audit, "++00"));
    cr_assert(shows(&audit, "00++"));
    cr_assert(shows(&audit, "+0+0"));
    cr_assert(follows(&audit, "0+0+"));
    cr_assert(follows(&audit, "0+-0"));
    cr_assert_not(shows(&audit, "+000"), "each of them follows from a0, and so do two together");
}

static bool refuse_single(void *user, const struct report_audit_vector *row) {
    return row->n == *(const size_t *)user;
}

Test(report_audit, asks_of_every_row_that_would_come_to_be) {
    _cleanup_audit_ struct report_audit audit;
    struct sum of;
    size_t n = 1;
    bool shown = true;
    cr_assert_eq(report_audit_init(&audit, 3), 0);
    cr_assert(shows(&audit, "+++"));
    cr_assert_eq(report_audit_show(&audit, sum(&of, "0++"), refuse_single, &n, &shown), 0);
    cr_assert_not(shown, "what is left of the total is a single column");
    cr_assert_eq(report_audit_show(&audit, sum(&of, "0+-"), refuse_single, &n, &shown), 0);
    cr_assert(shown);
}

Test(report_audit, knows_what_is_known_elsewhere_whatever_follows) {
    _cleanup_audit_ struct report_audit audit;
    struct sum of;
    cr_assert_eq(report_audit_init(&audit, 2), 0);
    guard(&audit, "0+");
    cr_assert_eq(report_audit_know(&audit, sum(&of, "0+")), 0);
    cr_assert(follows(&audit, "0+"));
    cr_assert(shows(&audit, "+0"));
}

/* ---- beside a plain one, over the integers modulo another prime */

#define OTHER ((int64_t)1000003)

static int64_t power(int64_t a, int64_t n) {
    int64_t result = 1;
    for (; n > 0; n >>= 1, a = a * a % OTHER)
        result = n & 1 ? result * a % OTHER : result;
    return result;
}

struct plain {
    int64_t rows[N_MAX][N_MAX];
    int leads[N_MAX];
    int n;
};

/* True where it was no more than a sum of the rows; else it is kept. */
static bool plain_reduce(struct plain *plain, const char *signs, bool keeps) {
    int64_t row[N_MAX];
    int lead = 0;
    for (int i = 0; i < N_MAX; i++)
        row[i] = signs[i] == '+' ? 1 : signs[i] == '-' ? OTHER - 1 : 0;
    for (int k = 0; k < plain->n; k++) {
        int64_t factor = row[plain->leads[k]];
        for (int i = 0; i < N_MAX; i++)
            row[i] = (row[i] + (OTHER - factor) * plain->rows[k][i]) % OTHER;
    }
    while (lead < N_MAX && row[lead] == 0)
        lead++;
    if (lead == N_MAX || !keeps)
        return lead == N_MAX;
    int64_t factor = power(row[lead], OTHER - 2);
    for (int i = 0; i < N_MAX; i++)
        plain->rows[plain->n][i] = row[i] * factor % OTHER;
    plain->leads[plain->n++] = lead;
    return false;
}

static void draw(char signs[N_MAX + 1]) {
    int r = rand() % 3 + 2;
    for (int i = 0; i < N_MAX; i++)
        signs[i] = rand() % r == 0 ? (rand() % 4 == 0 ? '-' : '+') : '0';
    signs[N_MAX] = '\0';
}

Test(report_audit, agrees_with_a_plain_elimination_and_never_betrays_a_guard) {
    srand(7);
    for (int round = 0; round < 200; round++) {
        _cleanup_audit_ struct report_audit audit;
        struct plain plain = {0};
        char signs[N_MAX + 1], guards[4][N_MAX + 1];
        cr_assert_eq(report_audit_init(&audit, N_MAX), 0);
        for (int i = 0; i < 4; i++) {
            draw(guards[i]);
            guard(&audit, guards[i]);
        }
        for (int i = 0; i < 30; i++) {
            draw(signs);
            bool foreseen = false;
            struct plain tried = plain;
            plain_reduce(&tried, signs, true);
            for (int k = 0; k < 4; k++)
                foreseen = foreseen || plain_reduce(&tried, guards[k], false);
            cr_assert_eq(shows(&audit, signs), !foreseen || plain_reduce(&plain, signs, false));
            if (!foreseen)
                plain = tried;
            draw(signs);
            cr_assert_eq(follows(&audit, signs), plain_reduce(&plain, signs, false));
        }
    }
}
