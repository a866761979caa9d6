/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much each giver gave: bands of hours in the period, and the milestones that somebody reached
 * in it, whose history before it counts. proto/measures.def has the definitions.
 */
#include <errno.h>
#include <stdlib.h>

#include "report-part.h"

#define HOUR 60u

struct bands_sums {
    uint64_t *before; /* of each person: minutes of service before the period, and in it */
    uint64_t *minutes;
};

const struct report_band report_bands_list[REPORT_N_BANDS] = {
    {"under_5_h", 5 * HOUR},     {"5_to_20_h", 20 * HOUR},      {"20_to_50_h", 50 * HOUR},
    {"50_to_100_h", 100 * HOUR}, {"100_h_or_more", UINT64_MAX},
};

const struct report_milestone report_bands_milestones[REPORT_N_MILESTONES] = {
    {"milestone_20_h", 20 * HOUR},
    {"milestone_50_h", 50 * HOUR},
    {"milestone_100_h", 100 * HOUR},
};

static int begin(void *user, const struct report_pick *pick) {
    struct bands_sums *sums = user;
    sums->before = calloc(pick->n_persons + 1, sizeof(*sums->before));
    sums->minutes = calloc(pick->n_persons + 1, sizeof(*sums->minutes));
    return sums->before && sums->minutes ? 0 : -ENOMEM;
}

static int note(void *user, const struct report_pick *pick, const struct report_row *rows,
                size_t n) {
    struct bands_sums *sums = user;
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].is_service)
            continue;
        if (rows[i].in_period)
            sums->minutes[rows[i].to_person] += rows[i].minutes;
        else if (rows[i].service_day < pick->period.from_day)
            sums->before[rows[i].to_person] += rows[i].minutes;
    }
    return 0;
}

static int note_past(void *user, const struct report_pick *pick, const struct report_past *rows,
                     size_t n) {
    struct bands_sums *sums = user;
    (void)pick;
    for (size_t i = 0; i < n; i++)
        if (rows[i].is_service)
            sums->before[rows[i].to_person] += rows[i].minutes;
    return 0;
}

static int merge(void *user, const struct report_pick *pick, void *other) {
    struct bands_sums *sums = user, *from = other;
    for (size_t i = 0; i < pick->n_persons; i++) {
        sums->before[i] += from->before[i];
        sums->minutes[i] += from->minutes[i];
    }
    return 0;
}

static int put_band(const struct report_pick *pick, const struct bands_sums *sums, size_t band,
                    struct report_json *by_band) {
    _cleanup_json_ struct report_json figures = {0};
    uint64_t n_givers = 0, minutes = 0,
             from = band == 0 ? 1 : report_bands_list[band - 1].below_minutes;
    for (size_t i = 0; i < pick->n_persons; i++)
        if (sums->minutes[i] >= from && sums->minutes[i] < report_bands_list[band].below_minutes) {
            n_givers++;
            minutes += sums->minutes[i];
        }
    int r = report_json_init(&figures);
    if (r < 0)
        return r;
    report_json_put(&figures, "givers", n_givers);
    report_json_put(&figures, "minutes_given", minutes);
    report_json_put_object(by_band, report_bands_list[band].key, &figures);
    return 0;
}

static uint64_t count_reached(const struct report_pick *pick, const struct bands_sums *sums,
                              uint64_t minutes) {
    uint64_t n = 0;
    for (size_t i = 0; i < pick->n_persons; i++)
        n += sums->before[i] < minutes && sums->before[i] + sums->minutes[i] >= minutes;
    return n;
}

static int put(void *user, const struct report_pick *pick, struct report_out *out) {
    _cleanup_json_ struct report_json by_band = {0};
    const struct bands_sums *sums = user;
    int r = report_json_init(&by_band);
    for (size_t i = 0; r == 0 && i < REPORT_N_BANDS; i++)
        r = put_band(pick, sums, i, &by_band);
    if (r < 0)
        return r;
    report_json_put_object(out->further, "by_band", &by_band);
    for (size_t i = 0; i < REPORT_N_MILESTONES; i++)
        report_json_put(out->further, report_bands_milestones[i].key,
                        count_reached(pick, sums, report_bands_milestones[i].minutes));
    return 0;
}

static void end(void *user) {
    struct bands_sums *sums = user;
    free(sums->before);
    free(sums->minutes);
    *sums = (struct bands_sums){0};
}

const struct report_part report_bands = {
    .sums_bytes = sizeof(struct bands_sums),
    .begin = begin,
    .note = note,
    .note_past = note_past,
    .merge = merge,
    .put = put,
    .end = end,
};
