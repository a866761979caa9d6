/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People, each counted once whatever the number of their entries: who gave, received and redeemed,
 * who was new, stayed or went, and how the minutes spread over the givers.
 */
#include <errno.h>
#include <stdlib.h>

#include "pairs.h"
#include "report-part.h"

struct heads {
    uint64_t givers, receivers, redeemers, participants, two_way;
    uint64_t new_givers, returning, previous, retained, lapsed, frequent;
};

static void count_person(unsigned did, struct heads *heads) {
    bool gives = did & REPORT_GAVE, takes = did & (REPORT_RECEIVED | REPORT_REDEEMED);
    bool gave_before = did & REPORT_GAVE_BEFORE, gave_previous = did & REPORT_GAVE_PREVIOUS;
    heads->givers += gives;
    heads->receivers += (did & REPORT_RECEIVED) != 0;
    heads->redeemers += (did & REPORT_REDEEMED) != 0;
    heads->participants += gives || takes;
    heads->two_way += gives && takes;
    heads->new_givers += gives && !gave_before;
    heads->returning += gives && gave_before;
    heads->previous += gave_previous;
    heads->retained += gives && gave_previous;
    heads->lapsed += !gives && gave_previous;
}

/* In each month that the period holds whole. */
static int count_frequent(const struct pairs *months, const struct report_pick *pick,
                          struct heads *heads) {
    _cleanup_(freep) uint32_t *n_months = calloc(pick->n_persons + 1, sizeof(*n_months));
    uint32_t month, person;
    if (!n_months)
        return -ENOMEM;
    for (uint64_t at = 0; pairs_next(months, &at, &month, &person);)
        n_months[person] +=
            report_period_holds_month(&pick->period, pick->period.first_month + month);
    for (size_t i = 0; pick->period.n_whole_months > 0 && i < pick->n_persons; i++)
        heads->frequent += n_months[i] == pick->period.n_whole_months;
    return 0;
}

static void put_heads(const struct heads *heads, struct report_json *measures) {
    const struct {
        const char *key;
        uint64_t value;
    } lines[] = {
        {"givers", heads->givers},
        {"receivers", heads->receivers},
        {"redeemers", heads->redeemers},
        {"participants", heads->participants},
        {"two_way", heads->two_way},
        {"new_givers", heads->new_givers},
        {"returning_givers", heads->returning},
        {"previous_givers", heads->previous},
        {"retained_givers", heads->retained},
        {"lapsed_givers", heads->lapsed},
        {"frequent_givers", heads->frequent},
    };
    for (size_t i = 0; i < N_ELEMENTS(lines); i++)
        report_json_put(measures, lines[i].key, lines[i].value);
}

static int compare_minutes(const void *a, const void *b) {
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* The ceil(percent / 100 * n)-th smallest; 0 of nobody. */
static uint64_t nearest_rank(const uint64_t *sorted, size_t n, size_t percent) {
    return n == 0 ? 0 : sorted[(percent * n + 99) / 100 - 1];
}

static int put_spread(const struct report_person *persons, size_t n_persons,
                      struct report_json *measures) {
    _cleanup_(freep) uint64_t *minutes = calloc(n_persons + 1, sizeof(*minutes));
    if (!minutes)
        return -ENOMEM;
    size_t n = 0;
    for (size_t i = 0; i < n_persons; i++)
        if (persons[i].did & REPORT_GAVE)
            minutes[n++] = persons[i].minutes;
    qsort(minutes, n, sizeof(*minutes), compare_minutes);

    uint64_t top = 0;
    for (size_t i = n - (n + 9) / 10; i < n; i++)
        top += minutes[i];
    report_json_put(measures, "median_minutes_per_giver", nearest_rank(minutes, n, 50));
    report_json_put(measures, "p90_minutes_per_giver", nearest_rank(minutes, n, 90));
    report_json_put(measures, "top_tenth_minutes", top);
    return 0;
}

static int put(void *sums, const struct report_pick *pick, struct report_out *out) {
    struct heads heads = {0};
    (void)sums;
    for (size_t i = 0; i < pick->n_persons; i++)
        count_person(out->persons[i].did, &heads);
    int r = count_frequent(out->givers_of_months, pick, &heads);
    if (r < 0)
        return r;
    put_heads(&heads, out->measures);
    return put_spread(out->persons, pick->n_persons, out->measures);
}

const struct report_part report_people = {.put = put};
