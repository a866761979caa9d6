/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of exchanges: who gave to whom, and who gave back.
 */
#include <errno.h>
#include <stdlib.h>

#include "mutual.h"
#include "report-part.h"

struct ties {
    struct mutual pairs; /* giver, receiver */
    bool *trades;        /* of each person */
};

static int begin(void *sums, const struct report_pick *pick) {
    struct ties *ties = sums;
    ties->trades = calloc(pick->n_persons + 1, sizeof(*ties->trades));
    return ties->trades ? mutual_init(&ties->pairs, (uint32_t)pick->n_persons) : -ENOMEM;
}

static void end(void *sums) {
    struct ties *ties = sums;
    mutual_fini(&ties->pairs);
    free(ties->trades);
}

static int note(void *sums, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct ties *ties = sums;
    (void)pick;
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct report_row *row = &rows[i];
        if (row->kind != TIMEBANK__ORDER__KIND_EXCHANGE || !row->in_period)
            continue;
        if (row->to_person == row->from_person) /* merged: what they gave each other ties nobody */
            continue;
        ties->trades[row->to_person] = ties->trades[row->from_person] = true;
        r = mutual_add(&ties->pairs, row->to_person, row->from_person);
    }
    return r;
}

static int merge(void *sums, const struct report_pick *pick, void *other) {
    struct ties *ties = sums, *from = other;
    for (size_t i = 0; i < pick->n_persons; i++)
        ties->trades[i] |= from->trades[i];
    return mutual_merge(&ties->pairs, &from->pairs);
}

static int put(void *sums, const struct report_pick *pick, struct report_out *out) {
    struct ties *ties = sums;
    uint64_t n_ties, n_both_ways, n_traders = 0;
    int r = mutual_settle(&ties->pairs);
    if (r < 0)
        return r;
    mutual_count(&ties->pairs, &n_ties, &n_both_ways);
    for (size_t i = 0; i < pick->n_persons; i++)
        n_traders += ties->trades[i];
    report_json_put(out->measures, "ties_directed", n_ties + n_both_ways);
    report_json_put(out->measures, "ties_reciprocated", 2 * n_both_ways);
    report_json_put(out->measures, "ties", n_ties);
    report_json_put(out->measures, "traders", n_traders);
    out->ties = &ties->pairs;
    out->n_ties = n_ties;
    out->n_both_ways = n_both_ways;
    out->trades = ties->trades;
    return 0;
}

const struct report_part report_ties = {.sums_bytes = sizeof(struct ties),
                                        .begin = begin,
                                        .note = note,
                                        .merge = merge,
                                        .put = put,
                                        .end = end};
