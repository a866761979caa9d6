/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Givers by what they gave in the period. The bands add up to the givers and their minutes, so what
 * is hidden is safe only all together; where one band holds everybody, even the nobody in the
 * others tells something of each. The tenth who gave most must not be a few persons more, or fewer,
 * than the highest bands.
 *
 * Between two periods, or two knowledges of one, a single person may be the only one who gets from
 * one band into another, or gains among the highest tenth: beside the other report the minutes of
 * the band would be theirs. So bands have no minutes, and those of the tenth are coarse.
 */
#include <errno.h>
#include <string.h>

#include "report-hide-rules.h"

#define FEW_FOR_ONE 10
#define HOUR 60 /* minutes */

struct band {
    uint64_t n;
    uint64_t minutes;
    uint64_t largest;
    uint64_t second;
    bool is_hidden;
};

static size_t band_of(uint64_t minutes) {
    size_t i = 0;
    while (minutes >= report_bands_list[i].below_minutes)
        i++;
    return i;
}

static void band_add(struct band *band, uint64_t minutes) {
    band->n++;
    band->minutes += minutes;
    if (minutes > band->largest) {
        band->second = band->largest;
        band->largest = minutes;
    } else if (minutes > band->second) {
        band->second = minutes;
    }
}

static void collect(const struct cells *cells, struct band of[REPORT_N_BANDS]) {
    for (size_t i = 0; i < cells->pick->n_persons; i++) {
        uint64_t minutes = cells->persons[i].period_minutes;
        if (minutes > 0)
            band_add(&of[band_of(minutes)], minutes);
    }
}

static bool is_unsafe(const struct cells *cells, const struct band *band) {
    if (band->n == 0)
        return false;
    return report_cells_weigh_is_count_small(cells, band->n) ||
           (band->n < FEW_FOR_ONE && 2 * band->largest > band->minutes) ||
           100 * (band->largest + band->second) > 85 * band->minutes;
}

/* What is hidden, taken together. */
static struct band hidden_of(const struct band of[REPORT_N_BANDS]) {
    struct band all = {0};
    for (size_t i = 0; i < REPORT_N_BANDS; i++) {
        if (!of[i].is_hidden)
            continue;
        struct band one = of[i];
        all.n += one.n;
        all.minutes += one.minutes;
        uint64_t largest = MAX_OF(all.largest, one.largest);
        all.second = MAX_OF(MIN_OF(all.largest, one.largest),
                            all.largest > one.largest ? all.second : one.second);
        all.largest = largest;
    }
    return all;
}

static struct band *smallest_shown(struct band of[REPORT_N_BANDS]) {
    struct band *smallest = NULL;
    for (size_t i = 0; i < REPORT_N_BANDS; i++)
        if (of[i].n > 0 && !of[i].is_hidden && (!smallest || of[i].n < smallest->n))
            smallest = &of[i];
    return smallest;
}

static void judge(const struct hiding *hiding, struct band of[REPORT_N_BANDS]) {
    const struct cells *cells = hiding->cells;
    uint64_t n_givers = hiding->people.n[HEADS_GIVERS];
    bool none = !hiding->people.is_shown[HEADS_GIVERS] ||
                !report_hide_figure_is_shown(hiding, HIDE_MEASURES, "minutes_given");
    for (size_t i = 0; i < REPORT_N_BANDS; i++) {
        of[i].is_hidden = is_unsafe(cells, &of[i]);
        none = none || (n_givers > 0 && of[i].n == n_givers);
    }
    for (size_t i = 0; none && i < REPORT_N_BANDS; i++)
        of[i].is_hidden = true;
    if (none || hiding->report_class->only_primary)
        return;
    for (struct band *next = smallest_shown(of); next; next = smallest_shown(of)) {
        struct band hidden = hidden_of(of);
        if (!is_unsafe(cells, &hidden))
            return;
        next->is_hidden = true;
    }
}

int report_hide_bands_apply(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    struct band of[REPORT_N_BANDS] = {0};
    json_t *member;
    const char *key;
    void *next;
    int r = 0;
    (void)rule;
    collect(hiding->cells, of);
    judge(hiding, of);
    json_object_foreach_safe(value, next, key, member) {
        size_t i = 0;
        while (i < REPORT_N_BANDS && strcmp(report_bands_list[i].key, key) != 0)
            i++;
        if (r == 0 && (i == REPORT_N_BANDS || of[i].is_hidden))
            r = report_hide_figure_mark_all(
                value, key, i == REPORT_N_BANDS ? HIDE_UNAVAILABLE : HIDE_CONFIDENTIAL);
        else if (r == 0)
            r = report_hide_figure_round_all(hiding->report_class, value, key);
        if (r == 0 && i < REPORT_N_BANDS && !of[i].is_hidden)
            r = report_hide_figure_mark(member, "minutes_given", HIDE_UNAVAILABLE);
    }
    return r;
}

/* The sums of the highest bands follow from what is shown, or may: none of them is taken for
 * hidden. */
static bool is_near_bands(const struct cells *cells, uint64_t n_top) {
    struct band of[REPORT_N_BANDS] = {0};
    uint64_t n = 0;
    collect(cells, of);
    for (size_t i = REPORT_N_BANDS; i-- > 0;) {
        n += of[i].n;
        if (report_cells_weigh_is_count_small(cells, n > n_top ? n - n_top : n_top - n))
            return true;
    }
    return false;
}

int report_hide_bands_top(struct hiding *hiding, const struct hide_rule *rule, json_t *value) {
    const struct cells *cells = hiding->cells;
    uint64_t n_givers = hiding->people.n[HEADS_GIVERS], n_top = (n_givers + 9) / 10;
    json_t *measures = hiding->now[rule->group];
    struct band all = {0};
    (void)value;
    for (size_t i = 0; i < cells->pick->n_persons; i++)
        if (cells->persons[i].period_minutes > 0)
            band_add(&all, cells->persons[i].period_minutes);
    struct band top = {n_top, report_hide_figure_before(hiding, rule->group, rule->key),
                       all.largest, n_top > 1 ? all.second : 0, false};
    if (n_givers > 0 && (!hiding->people.is_shown[HEADS_GIVERS] || is_unsafe(cells, &top) ||
                         is_near_bands(cells, n_top)))
        return report_hide_figure_mark(measures, rule->key, HIDE_CONFIDENTIAL);
    return report_hide_figure_round_to(measures, rule->key, HOUR * hiding->report_class->threshold);
}
