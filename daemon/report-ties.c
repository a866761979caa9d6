/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of exchanges: who gave to whom, and who gave back.
 */
#include <errno.h>
#include <stdlib.h>

#include "pairs.h"
#include "report-part.h"

struct ties {
    struct pairs pairs; /* giver, receiver */
    struct report_tie *both_ways;
    size_t n_both_ways;
    size_t n_both_ways_allocated;
};

static int begin(void *sums, const struct report_pick *pick) {
    struct ties *ties = sums;
    return pairs_init(&ties->pairs, (uint32_t)pick->n_persons, (uint32_t)pick->n_persons);
}

static void end(void *sums) {
    struct ties *ties = sums;
    pairs_fini(&ties->pairs);
    free(ties->both_ways);
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
            r = pairs_add(&ties->pairs, row->to_person, row->from_person);
    }
    return r;
}

static int merge(void *sums, const struct report_pick *pick, void *other) {
    struct ties *ties = sums, *from = other;
    (void)pick;
    return pairs_merge(&ties->pairs, &from->pairs);
}

static int note_both_ways(struct ties *ties, uint32_t one, uint32_t other) {
    void *both_ways = ties->both_ways;
    int r = intern_grow(&both_ways, ties->n_both_ways, &ties->n_both_ways_allocated,
                        sizeof(*ties->both_ways));
    ties->both_ways = both_ways;
    if (r == 0)
        ties->both_ways[ties->n_both_ways++] = (struct report_tie){one, other};
    return r;
}

static int put_ties(const struct report_pick *pick, struct ties *ties,
                    struct report_json *measures) {
    _cleanup_(freep) bool *trades = calloc(pick->n_persons + 1, sizeof(*trades));
    if (!trades)
        return -ENOMEM;
    uint64_t n_directed = 0, n_traders = 0;
    uint32_t giver, receiver;
    for (uint64_t at = 0; pairs_next(&ties->pairs, &at, &giver, &receiver);) {
        n_directed++;
        trades[giver] = trades[receiver] = true;
        bool both_ways = giver < receiver && pairs_has(&ties->pairs, receiver, giver);
        int r = both_ways ? note_both_ways(ties, giver, receiver) : 0;
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < pick->n_persons; i++)
        n_traders += trades[i];
    report_json_put(measures, "ties_directed", n_directed);
    report_json_put(measures, "ties_reciprocated", 2 * ties->n_both_ways);
    report_json_put(measures, "ties", n_directed - ties->n_both_ways);
    report_json_put(measures, "traders", n_traders);
    return 0;
}

static int put(void *sums, const struct report_pick *pick, struct report_out *out) {
    struct ties *ties = sums;
    int r = put_ties(pick, ties, out->measures);
    out->ties = &ties->pairs;
    out->both_ways = ties->both_ways;
    out->n_both_ways = ties->n_both_ways;
    return r;
}

const struct report_part report_ties = {.sums_bytes = sizeof(struct ties),
                                        .begin = begin,
                                        .note = note,
                                        .merge = merge,
                                        .put = put,
                                        .end = end};
