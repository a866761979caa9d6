/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of the network of exchanges: how far giving and receiving even out, how dense it is,
 * how much of it hangs together, who stands apart, and who helped organisations. The number of ties
 * comes from the measures before it. proto/measures.def has the definitions.
 */
#include <errno.h>
#include <stdlib.h>

#include "pairs.h"
#include "report-part.h"
#include "report-ratio.h"

#define MILLION 1000000u

struct network_sums {
    uint32_t *organisations; /* their numbers, of each account; INTERN_NONE: none */
    struct pairs helped;     /* organisation and person */
};

static int number_organisations(struct network_sums *sums, const struct report_pick *pick) {
    const struct facts *facts = pick->facts;
    uint32_t n = 0;
    for (uint32_t i = 0; i < facts->n_accounts; i++)
        sums->organisations[i] =
            facts->accounts[i].kind == TIMEBANK__ACCOUNT_KIND__ORGANISATION ? n++ : INTERN_NONE;
    return pairs_init(&sums->helped, n, (uint32_t)pick->n_persons);
}

static int begin(void *user, const struct report_pick *pick) {
    struct network_sums *sums = user;
    sums->organisations = calloc(pick->facts->n_accounts + 1, sizeof(*sums->organisations));
    return sums->organisations ? number_organisations(sums, pick) : -ENOMEM;
}

static int note(void *user, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct network_sums *sums = user;
    for (size_t i = 0; i < n; i++) {
        const struct report_row *row = &rows[i];
        if (row->kind != TIMEBANK__ORDER__KIND_EARN || !row->in_period)
            continue;
        uint32_t organisation = sums->organisations[report_pick_account(pick, row->from)];
        int r = organisation == INTERN_NONE
                    ? 0
                    : pairs_add(&sums->helped, organisation, row->to_person);
        if (r < 0)
            return r;
    }
    return 0;
}

static int merge(void *user, const struct report_pick *pick, void *other) {
    (void)pick;
    return pairs_merge(&((struct network_sums *)user)->helped,
                       &((struct network_sums *)other)->helped);
}

/* ---- figures */

struct shape {
    uint64_t n_traders, n_isolates, reciprocity, n_largest;
};

static bool is_trader(const struct report_person *person) {
    return person->given_minutes > 0 || person->received_minutes > 0;
}

static bool takes_part(const struct report_person *person) {
    return person->did & (REPORT_GAVE | REPORT_RECEIVED | REPORT_REDEEMED);
}

/* 1 - |g - r| / (g + r) is twice the smaller over both. */
static uint64_t reciprocity_of(uint64_t given, uint64_t received) {
    return report_ratio(MIN_OF(given, received), 2 * (uint64_t)MILLION, given + received);
}

static int measure(const struct report_pick *pick, const struct report_person *persons,
                   struct shape *ret) {
    _cleanup_(freep) uint32_t *n_parts = calloc(pick->n_persons + 1, sizeof(*n_parts));
    struct shape shape = {0};
    uint64_t sum = 0;
    if (!n_parts)
        return -ENOMEM;
    for (uint32_t i = 0; i < pick->n_persons; i++) {
        const struct report_person *person = &persons[i];
        if (!is_trader(person)) {
            shape.n_isolates += takes_part(person);
            continue;
        }
        uint64_t n = ++n_parts[person->parent];
        shape.n_largest = MAX_OF(shape.n_largest, n);
        shape.n_traders++;
        sum += reciprocity_of(person->given_minutes, person->received_minutes);
    }
    shape.reciprocity = report_ratio(sum, 1, shape.n_traders * (MILLION / 1000));
    *ret = shape;
    return 0;
}

static uint64_t count_helped(const struct pairs *helped) {
    uint64_t n = 0, at = 0;
    uint32_t organisation, person;
    while (pairs_next(helped, &at, &organisation, &person))
        n++;
    return n;
}

static uint64_t measure_of(const struct report_out *out, const char *key) {
    return (uint64_t)json_integer_value(json_object_get(out->measures->object, key));
}

static int put(void *user, const struct report_pick *pick, struct report_out *out) {
    struct network_sums *sums = user;
    struct shape shape;
    int r = measure(pick, out->persons, &shape);
    if (r < 0)
        return r;
    uint64_t n_ties = measure_of(out, "ties"), n = shape.n_traders;
    report_json_put(out->further, "balance_reciprocity_permille", shape.reciprocity);
    report_json_put(out->further, "density_per_million",
                    report_ratio(n_ties, MILLION, n > 1 ? n * (n - 1) / 2 : 0));
    report_json_put(out->further, "mean_partners_permille", report_ratio(2 * n_ties, 1000, n));
    report_json_put(out->further, "largest_component", shape.n_largest);
    report_json_put(out->further, "isolates", shape.n_isolates);
    report_json_put(out->further, "ties_with_organisations", count_helped(&sums->helped));
    return 0;
}

static void end(void *user) {
    struct network_sums *sums = user;
    free(sums->organisations);
    pairs_fini(&sums->helped);
    *sums = (struct network_sums){0};
}

const struct report_part report_network = {
    .sums_bytes = sizeof(struct network_sums),
    .begin = begin,
    .note = note,
    .merge = merge,
    .put = put,
    .end = end,
};
