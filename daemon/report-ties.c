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
    bool *trades;        /* of each person, once it is put */
};

static int begin(void *sums, const struct report_pick *pick) {
    return mutual_init(&((struct ties *)sums)->pairs, (uint32_t)pick->n_persons);
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
        if (row->to_person != row->from_person) /* merged: what they gave each other ties nobody */
            r = mutual_add(&ties->pairs, row->to_person, row->from_person);
    }
    return r;
}

static int merge(void *sums, const struct report_pick *pick, void *other) {
    (void)pick;
    return mutual_merge(&((struct ties *)sums)->pairs, &((struct ties *)other)->pairs);
}

static int put(void *sums, const struct report_pick *pick, struct report_out *out) {
    struct ties *ties = sums;
    struct mutual_walk walk = {0};
    struct mutual_pair pair;
    uint64_t n_ties = 0, n_both_ways = 0, n_traders = 0;
    ties->trades = calloc(pick->n_persons + 1, sizeof(*ties->trades));
    if (!ties->trades)
        return -ENOMEM;
    while (mutual_next(&ties->pairs, &walk, &pair)) {
        n_ties++;
        n_both_ways += pair.ways == MUTUAL_BOTH;
        ties->trades[pair.one] = ties->trades[pair.other] = true;
    }
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
