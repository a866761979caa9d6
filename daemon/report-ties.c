/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of exchanges: who gave to whom, who gave back, and how much went between wards. Wards
 * come from the register of people and change with it, so they stand outside the measures.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text64.h"
#include "report-parts.h"

static bool is_counted_exchange(const struct report_pick *pick, const struct report_picked *row) {
    return row->fact->kind == TIMEBANK__ORDER__KIND_EXCHANGE && report_picked_in_period(pick, row);
}

static int collect_ties(const struct report_pick *pick, struct tally *ties) {
    for (size_t i = 0; i < pick->n_rows; i++) {
        const struct report_picked *row = &pick->rows[i];
        if (!is_counted_exchange(pick, row) || row->to_person == row->from_person)
            continue; /* merged: what they gave each other ties nobody */
        int r = tally_add(ties, row->to_person, row->from_person, row->minutes);
        if (r < 0)
            return r;
    }
    tally_sort(ties);
    return 0;
}

int report_ties_put(const struct report_pick *pick, struct report_json *measures) {
    _cleanup_tally_ struct tally ties = {0};
    _cleanup_(freep) bool *trades = calloc(pick->n_persons + 1, sizeof(*trades));
    if (!trades)
        return -ENOMEM;
    int r = collect_ties(pick, &ties);
    if (r < 0)
        return r;

    uint64_t n_directed = 0, n_reciprocated = 0, n_traders = 0;
    struct tally_row tie;
    for (size_t at = 0; tally_next_pair(&ties, &at, &tie);) {
        n_directed++;
        n_reciprocated += tally_has_pair(&ties, tie.person, tie.group);
        n_traders += !trades[tie.group];
        trades[tie.group] = true;
        n_traders += !trades[tie.person];
        trades[tie.person] = true;
    }
    report_json_put(measures, "ties_directed", n_directed);
    report_json_put(measures, "ties_reciprocated", n_reciprocated);
    report_json_put(measures, "ties", n_directed - n_reciprocated / 2);
    report_json_put(measures, "traders", n_traders);
    return 0;
}

/* Sums the minutes and marks the accounts at both ends. Nobody's ward is a ward like any other. */
static uint64_t sum_across_wards(const struct report_pick *pick, bool *trades) {
    const struct fact_account *accounts = pick->facts->accounts;
    uint64_t minutes = 0;
    for (size_t i = 0; i < pick->n_rows; i++) {
        const struct report_picked *row = &pick->rows[i];
        if (!is_counted_exchange(pick, row))
            continue;
        uint32_t from = report_pick_account(pick, row->fact->from);
        uint32_t to = report_pick_account(pick, row->fact->to);
        trades[from] = trades[to] = true;
        if (accounts[from].ward != accounts[to].ward)
            minutes += row->minutes;
    }
    return minutes;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int put_register(const struct facts *facts, const bool *trades, struct report_json *report) {
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
    report_json_put_text(report, "register", hex);
    return 0;
}

int report_wards_put(const struct report_pick *pick, struct report_json *report) {
    _cleanup_(freep) bool *trades = calloc(pick->facts->n_accounts + 1, sizeof(*trades));
    _cleanup_json_ struct report_json measures = {0};
    if (!trades)
        return -ENOMEM;
    int r = report_json_init(&measures);
    if (r < 0)
        return r;
    report_json_put(&measures, "minutes_across_wards", sum_across_wards(pick, trades));
    report_json_put_object(report, "register_measures", &measures);
    return put_register(pick->facts, trades, report);
}
