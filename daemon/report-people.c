/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People, each counted once whatever the number of their entries: who gave, received and redeemed,
 * who was new, stayed or went, and how the minutes spread over the givers.
 */
#include <errno.h>
#include <stdlib.h>

#include "report-parts.h"

struct person {
    uint64_t minutes;  /* of service in the period */
    uint32_t n_months; /* whole months of the period with service */
    bool is_giver : 1;
    bool is_receiver : 1;
    bool is_redeemer : 1;
    bool gave_before : 1;   /* the period, at any time */
    bool gave_previous : 1; /* in the previous period */
};

struct heads {
    uint64_t givers, receivers, redeemers, participants, two_way;
    uint64_t new_givers, returning, previous, retained, lapsed, frequent;
};

static void note_service(const struct report_period *period, const struct report_picked *row,
                         struct person *persons) {
    struct person *giver = &persons[row->to_person];
    int64_t day = row->order->service_day;
    if (day < period->from_day)
        giver->gave_before = true;
    if (day >= period->previous_from_day && day <= period->previous_to_day)
        giver->gave_previous = true;
}

static int note_row(const struct report_pick *pick, const struct report_picked *row,
                    struct person *persons, struct tally *months) {
    bool is_service = report_picked_is_service(row);
    if (is_service)
        note_service(&pick->period, row, persons);
    if (!report_picked_in_period(pick, row))
        return 0;
    if (row->from_person != INTERN_NONE) {
        persons[row->from_person].is_redeemer |= row->fact->kind == TIMEBANK__ORDER__KIND_REDEEM;
        persons[row->from_person].is_receiver |=
            row->fact->kind == TIMEBANK__ORDER__KIND_EXCHANGE ||
            row->fact->kind == TIMEBANK__ORDER__KIND_SESSION;
    }
    if (!is_service)
        return 0;
    persons[row->to_person].is_giver = true;
    persons[row->to_person].minutes += row->minutes;
    uint32_t month = report_period_month(row->order->service_day);
    return report_period_holds_month(&pick->period, month)
               ? tally_add(months, month, row->to_person, row->minutes)
               : 0;
}

static int note_rows(const struct report_pick *pick, struct person *persons) {
    _cleanup_tally_ struct tally months = {0};
    for (size_t i = 0; i < pick->n_rows; i++) {
        int r = note_row(pick, &pick->rows[i], persons, &months);
        if (r < 0)
            return r;
    }
    tally_sort(&months);
    struct tally_row pair;
    for (size_t at = 0; tally_next_pair(&months, &at, &pair);)
        persons[pair.person].n_months++;
    return 0;
}

static void count_person(const struct report_period *period, const struct person *person,
                         struct heads *heads) {
    bool takes = person->is_receiver || person->is_redeemer;
    heads->givers += person->is_giver;
    heads->receivers += person->is_receiver;
    heads->redeemers += person->is_redeemer;
    heads->participants += person->is_giver || takes;
    heads->two_way += person->is_giver && takes;
    heads->new_givers += person->is_giver && !person->gave_before;
    heads->returning += person->is_giver && person->gave_before;
    heads->previous += person->gave_previous;
    heads->retained += person->is_giver && person->gave_previous;
    heads->lapsed += !person->is_giver && person->gave_previous;
    heads->frequent += period->n_whole_months > 0 && person->n_months == period->n_whole_months;
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

static int put_spread(const struct person *persons, size_t n_persons,
                      struct report_json *measures) {
    _cleanup_(freep) uint64_t *minutes = calloc(n_persons + 1, sizeof(*minutes));
    if (!minutes)
        return -ENOMEM;
    size_t n = 0;
    for (size_t i = 0; i < n_persons; i++)
        if (persons[i].is_giver)
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

int report_people_put(const struct report_pick *pick, struct report_json *measures) {
    size_t n_persons = pick->n_persons;
    _cleanup_(freep) struct person *persons = calloc(n_persons + 1, sizeof(*persons));
    if (!persons)
        return -ENOMEM;
    int r = note_rows(pick, persons);
    if (r < 0)
        return r;
    struct heads heads = {0};
    for (size_t i = 0; i < n_persons; i++)
        count_person(&pick->period, &persons[i], &heads);
    put_heads(&heads, measures);
    return put_spread(persons, n_persons, measures);
}
