/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People, each counted once whatever the number of their entries: who gave, received and redeemed,
 * who was new, stayed or went, and how the minutes spread over the givers.
 */
#include <errno.h>
#include <stdlib.h>

#include "pairs.h"
#include "report-part.h"

enum did {
    GAVE = 1,
    RECEIVED = 2,
    REDEEMED = 4,
    GAVE_BEFORE = 8,   /* the period, at any time */
    GAVE_PREVIOUS = 16 /* in the previous period */
};

struct people {
    uint8_t *did;        /* of each person: a sum of what they did */
    uint64_t *minutes;   /* of service in the period */
    struct pairs months; /* that the period holds whole, and who gave in them */
};

struct heads {
    uint64_t givers, receivers, redeemers, participants, two_way;
    uint64_t new_givers, returning, previous, retained, lapsed, frequent;
};

static int begin(void *sums, const struct report_pick *pick) {
    struct people *people = sums;
    people->did = calloc(pick->n_persons + 1, sizeof(*people->did));
    people->minutes = calloc(pick->n_persons + 1, sizeof(*people->minutes));
    if (!people->did || !people->minutes)
        return -ENOMEM;
    return pairs_init(&people->months, pick->period.last_month - pick->period.first_month + 1,
                      (uint32_t)pick->n_persons);
}

static void end(void *sums) {
    struct people *people = sums;
    free(people->did);
    free(people->minutes);
    pairs_fini(&people->months);
}

static int note_service(const struct report_pick *pick, const struct report_row *row,
                        struct people *people) {
    uint32_t giver = row->to_person;
    people->did[giver] |=
        (uint8_t)((row->service_day < pick->period.from_day ? GAVE_BEFORE : 0) |
                  (row->in_previous ? GAVE_PREVIOUS : 0) | (row->in_period ? GAVE : 0));
    if (!row->in_period)
        return 0;
    people->minutes[giver] += row->minutes;
    uint32_t month = report_pick_month(pick, row->service_day);
    return report_period_holds_month(&pick->period, pick->period.first_month + month)
               ? pairs_add(&people->months, month, giver)
               : 0;
}

static int note(void *sums, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct people *people = sums;
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct report_row *row = &rows[i];
        if (row->is_service)
            r = note_service(pick, row, people);
        if (!row->in_period || row->from_person == INTERN_NONE)
            continue;
        if (row->kind == TIMEBANK__ORDER__KIND_REDEEM)
            people->did[row->from_person] |= REDEEMED;
        else if (row->kind == TIMEBANK__ORDER__KIND_EXCHANGE ||
                 row->kind == TIMEBANK__ORDER__KIND_SESSION)
            people->did[row->from_person] |= RECEIVED;
    }
    return r;
}

static int note_past(void *sums, const struct report_pick *pick, const struct report_past *rows,
                     size_t n) {
    (void)pick;
    uint8_t *did = ((struct people *)sums)->did;
    for (size_t i = 0; i < n; i++)
        if (rows[i].is_service)
            did[rows[i].to_person] |=
                (uint8_t)(GAVE_BEFORE | (rows[i].in_previous ? GAVE_PREVIOUS : 0));
    return 0;
}

static int merge(void *sums, const struct report_pick *pick, void *other) {
    struct people *people = sums, *from = other;
    for (size_t i = 0; i < pick->n_persons; i++) {
        people->did[i] |= from->did[i];
        people->minutes[i] += from->minutes[i];
    }
    return pairs_merge(&people->months, &from->months);
}

static void count_person(unsigned did, struct heads *heads) {
    bool gives = did & GAVE, takes = did & (RECEIVED | REDEEMED);
    bool gave_before = did & GAVE_BEFORE, gave_previous = did & GAVE_PREVIOUS;
    heads->givers += gives;
    heads->receivers += (did & RECEIVED) != 0;
    heads->redeemers += (did & REDEEMED) != 0;
    heads->participants += gives || takes;
    heads->two_way += gives && takes;
    heads->new_givers += gives && !gave_before;
    heads->returning += gives && gave_before;
    heads->previous += gave_previous;
    heads->retained += gives && gave_previous;
    heads->lapsed += !gives && gave_previous;
}

static int count_frequent(const struct people *people, const struct report_pick *pick,
                          struct heads *heads) {
    _cleanup_(freep) uint64_t *n_months = calloc(pick->n_persons + 1, sizeof(*n_months));
    if (!n_months)
        return -ENOMEM;
    pairs_count(&people->months, NULL, n_months);
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

static int put_spread(const struct people *people, size_t n_persons, struct report_json *measures) {
    _cleanup_(freep) uint64_t *minutes = calloc(n_persons + 1, sizeof(*minutes));
    if (!minutes)
        return -ENOMEM;
    size_t n = 0;
    for (size_t i = 0; i < n_persons; i++)
        if (people->did[i] & GAVE)
            minutes[n++] = people->minutes[i];
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
    const struct people *people = sums;
    struct heads heads = {0};
    for (size_t i = 0; i < pick->n_persons; i++)
        count_person(people->did[i], &heads);
    int r = count_frequent(people, pick, &heads);
    if (r < 0)
        return r;
    put_heads(&heads, out->measures);
    return put_spread(people, pick->n_persons, out->measures);
}

const struct report_part report_people = {.sums_bytes = sizeof(struct people),
                                          .begin = begin,
                                          .note = note,
                                          .note_past = note_past,
                                          .merge = merge,
                                          .put = put,
                                          .end = end};
