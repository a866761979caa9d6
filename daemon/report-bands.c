/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much each giver gave: bands of hours in the period, and the milestones that somebody reached
 * in it, whose history before it counts. proto/measures.def has the definitions.
 */
#include <errno.h>
#include <stdlib.h>

#include "report-part.h"

#define HOUR 60u

const struct report_band report_bands_list[REPORT_N_BANDS] = {
    {"under_5_h", 5 * HOUR},     {"5_to_20_h", 20 * HOUR},      {"20_to_50_h", 50 * HOUR},
    {"50_to_100_h", 100 * HOUR}, {"100_h_or_more", UINT64_MAX},
};

const struct report_milestone report_bands_milestones[REPORT_N_MILESTONES] = {
    {"milestone_20_h", 20 * HOUR},
    {"milestone_50_h", 50 * HOUR},
    {"milestone_100_h", 100 * HOUR},
};

static int put_band(const struct report_pick *pick, const struct report_person *persons,
                    size_t band, struct report_json *by_band) {
    _cleanup_json_ struct report_json figures = {0};
    uint64_t n_givers = 0, minutes = 0,
             from = band == 0 ? 1 : report_bands_list[band - 1].below_minutes;
    for (size_t i = 0; i < pick->n_persons; i++)
        if (persons[i].minutes >= from &&
            persons[i].minutes < report_bands_list[band].below_minutes) {
            n_givers++;
            minutes += persons[i].minutes;
        }
    int r = report_json_init(&figures);
    if (r < 0)
        return r;
    report_json_put(&figures, "givers", n_givers);
    report_json_put(&figures, "minutes_given", minutes);
    report_json_put_object(by_band, report_bands_list[band].key, &figures);
    return 0;
}

static uint64_t count_reached(const struct report_pick *pick, const struct report_person *persons,
                              uint64_t minutes) {
    uint64_t n = 0;
    for (size_t i = 0; i < pick->n_persons; i++)
        n += persons[i].before_minutes < minutes &&
             persons[i].before_minutes + persons[i].minutes >= minutes;
    return n;
}

static int put(void *user, const struct report_pick *pick, struct report_out *out) {
    _cleanup_json_ struct report_json by_band = {0};
    (void)user;
    int r = report_json_init(&by_band);
    for (size_t i = 0; r == 0 && i < REPORT_N_BANDS; i++)
        r = put_band(pick, out->persons, i, &by_band);
    if (r < 0)
        return r;
    report_json_put_object(out->further, "by_band", &by_band);
    for (size_t i = 0; i < REPORT_N_MILESTONES; i++)
        report_json_put(out->further, report_bands_milestones[i].key,
                        count_reached(pick, out->persons, report_bands_milestones[i].minutes));
    return 0;
}

const struct report_part report_bands = {.put = put};
