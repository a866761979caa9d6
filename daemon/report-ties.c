/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of exchanges: who gave to whom, who gave back, and how much went between wards. Wards
 * come from the register of people and change with it, so they stand outside the measures.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pairs.h"
#include "proto/text64.h"
#include "report-part.h"

struct ties {
    struct pairs pairs; /* giver, receiver */
    bool *trades;       /* of each account, as it goes on */
    uint64_t across_wards_minutes;
};

static int begin(void *sums, const struct report_pick *pick) {
    struct ties *ties = sums;
    ties->trades = calloc(pick->facts->n_accounts + 1, sizeof(*ties->trades));
    if (!ties->trades)
        return -ENOMEM;
    return pairs_init(&ties->pairs, (uint32_t)pick->n_persons, (uint32_t)pick->n_persons);
}

static void end(void *sums) {
    struct ties *ties = sums;
    pairs_fini(&ties->pairs);
    free(ties->trades);
}

/* Nobody's ward is a ward like any other. */
static void note_wards(const struct report_pick *pick, const struct report_row *row,
                       struct ties *ties) {
    const struct fact_account *accounts = pick->facts->accounts;
    uint32_t from = report_pick_account(pick, row->from), to = report_pick_account(pick, row->to);
    ties->trades[from] = ties->trades[to] = true;
    if (accounts[from].ward != accounts[to].ward)
        ties->across_wards_minutes += row->minutes;
}

static int note(void *sums, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct ties *ties = sums;
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct report_row *row = &rows[i];
        if (row->kind != TIMEBANK__ORDER__KIND_EXCHANGE || !row->in_period)
            continue;
        note_wards(pick, row, ties);
        if (row->to_person != row->from_person) /* merged: what they gave each other ties nobody */
            r = pairs_add(&ties->pairs, row->to_person, row->from_person);
    }
    return r;
}

static int merge(void *sums, const struct report_pick *pick, void *other) {
    struct ties *ties = sums, *from = other;
    for (size_t i = 0; i < pick->facts->n_accounts; i++)
        ties->trades[i] |= from->trades[i];
    ties->across_wards_minutes += from->across_wards_minutes;
    return pairs_merge(&ties->pairs, &from->pairs);
}

static int put_ties(const struct report_pick *pick, const struct pairs *ties,
                    struct report_json *measures) {
    _cleanup_(freep) bool *trades = calloc(pick->n_persons + 1, sizeof(*trades));
    if (!trades)
        return -ENOMEM;
    uint64_t n_directed = 0, n_both_ways = 0, n_traders = 0;
    uint32_t giver, receiver;
    for (uint64_t at = 0; pairs_next(ties, &at, &giver, &receiver);) {
        n_directed++;
        n_both_ways += giver < receiver && pairs_has(ties, receiver, giver);
        trades[giver] = trades[receiver] = true;
    }
    for (size_t i = 0; i < pick->n_persons; i++)
        n_traders += trades[i];
    report_json_put(measures, "ties_directed", n_directed);
    report_json_put(measures, "ties_reciprocated", 2 * n_both_ways);
    report_json_put(measures, "ties", n_directed - n_both_ways);
    report_json_put(measures, "traders", n_traders);
    return 0;
}

/* ---- the register that wards come from */

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int put_register(const struct facts *facts, const bool *trades, struct report_json *foot) {
    _cleanup_(freep) const char **codes = calloc(facts->n_accounts + 1, sizeof(*codes));
    _cleanup_bytes_ struct bytes rows = {0};
    if (!codes)
        return -ENOMEM;
    size_t n = 0;
    for (uint32_t i = 0; i < facts->n_accounts; i++)
        if (trades[i] && facts->accounts[i].ward != INTERN_NONE)
            codes[n++] = intern_text(&facts->account_codes, i);
    qsort(codes, n, sizeof(*codes), compare_texts);
    for (size_t i = 0; i < n; i++) {
        uint32_t account = intern_find(&facts->account_codes, codes[i], strlen(codes[i]));
        bytes_put_text(&rows, codes[i]);
        bytes_put_u8(&rows, '\t');
        bytes_put_text(&rows, intern_text(&facts->wards, facts->accounts[account].ward));
        bytes_put_u8(&rows, '\n');
    }
    if (rows.r < 0)
        return rows.r;

    struct hash hash = hash_of(rows.n > 0 ? rows.data : (const uint8_t *)"", rows.n);
    char hex[2 * HASH_BYTES + 1];
    text64_hex(hex, hash.b, sizeof(hash.b));
    report_json_put_text(foot, "register", hex);
    return 0;
}

static int put(void *sums, const struct report_pick *pick, struct report_out *out) {
    const struct ties *ties = sums;
    int r = put_ties(pick, &ties->pairs, out->measures);
    if (r < 0)
        return r;
    report_json_put(out->of_register, "minutes_across_wards", ties->across_wards_minutes);
    return put_register(pick->facts, ties->trades, out->foot);
}

const struct report_part report_ties = {.sums_bytes = sizeof(struct ties),
                                        .begin = begin,
                                        .note = note,
                                        .merge = merge,
                                        .put = put,
                                        .end = end};
