/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "report-csv.h"

/* Names may hold strokes ("venue/offer"): the longest way that leads somewhere is taken. */
static json_t *find_below(const json_t *object, const char *path) {
    json_t *found = json_object_get(object, path), *inner;
    const char *key;
    if (found)
        return found;
    json_object_foreach((json_t *)(uintptr_t)object, key, inner) {
        size_t n = strlen(key);
        if (json_is_object(inner) && strncmp(path, key, n) == 0 && path[n] == '/')
            found = find_below(inner, path + n + 1);
        if (found)
            return found;
    }
    return NULL;
}

json_t *layout_figure_find(const struct report_words *words, const char *path) {
    static const char *const groups[] = {"measures", "further_measures", "register_measures"};
    json_t *found = NULL;
    for (size_t i = 0; !found && i < N_ELEMENTS(groups); i++)
        found = find_below(json_object_get(words->report, groups[i]), path);
    return found;
}

/* A name of which the report has nothing is no zero: it may be a slip of the layout. */
static struct report_figure figure_at(const struct report_words *words, const char *path) {
    struct report_figure figure = report_figure_read(layout_figure_find(words, path));
    if (figure.mark == REPORT_MARK_ABSENT)
        figure.mark = 'z';
    return figure;
}

static enum report_unit unit_of(const char *path) {
    static const enum report_unit units[] = {[TB_UNIT_TABLE] = REPORT_COUNT,
                                             [TB_UNIT_MINUTES] = REPORT_TIME,
                                             [TB_UNIT_COUNT] = REPORT_COUNT,
                                             [TB_UNIT_DAYS] = REPORT_DAYS,
                                             [TB_UNIT_PERMILLE] = REPORT_PERCENT,
                                             [TB_UNIT_THOUSANDTHS] = REPORT_RATIO,
                                             [TB_UNIT_PER_MILLION] = REPORT_PER_MILLION};
    const struct tb_measure *measure = tb_measure_find(path);
    return measure ? units[measure->unit] : REPORT_COUNT;
}

static void plain(const char *path, struct report_figure figure, enum report_unit unit,
                  struct layout_figure *ret) {
    char text[REPORT_FIGURE_BYTES];
    snprintf(ret->text, sizeof(ret->text), "%s", report_figure_text(figure, unit, text));
    snprintf(ret->value, sizeof(ret->value), "%" PRId64, figure.value);
    snprintf(ret->unit, sizeof(ret->unit), "%s", report_csv_unit(path));
}

static void hundredths(int64_t n, const char *unit, struct layout_figure *ret) {
    uint64_t size = n < 0 ? -(uint64_t)n : (uint64_t)n;
    snprintf(ret->value, sizeof(ret->value), "%s%" PRIu64 ".%02" PRIu64, n < 0 ? "-" : "",
             size / 100, size % 100);
    snprintf(ret->unit, sizeof(ret->unit), "%s", unit);
}

static void percent(const struct layout_item *item, const struct report_words *words,
                    struct report_figure figure, struct layout_figure *ret) {
    struct report_figure base = figure_at(words, item->of);
    struct report_figure share = report_figure_share(figure, base);
    char part[REPORT_FIGURE_BYTES], whole[REPORT_FIGURE_BYTES];
    if (share.mark == REPORT_MARK_ABSENT)
        share.mark = 'z';
    ret->flag[0] = share.mark;
    snprintf(ret->value, sizeof(ret->value), "%" PRId64 ".%" PRId64, share.value / 10,
             share.value % 10);
    snprintf(ret->unit, sizeof(ret->unit), "percent of %" PRId64, base.value);
    report_figure_text(share, REPORT_PERCENT, part);
    report_figure_text(base, unit_of(item->of), whole);
    if (report_figure_is_shown(share))
        snprintf(ret->text, sizeof(ret->text), "%s of %s", part, whole);
    else
        snprintf(ret->text, sizeof(ret->text), "%s", part);
}

static void money(const struct rate *rate, int64_t minutes, struct layout_figure *ret) {
    char text[REPORT_FIGURE_BYTES], hour[REPORT_FIGURE_BYTES];
    int64_t sum = rates_money(rate, minutes);
    hundredths(sum, rate->currency, ret);
    snprintf(ret->text, sizeof(ret->text), "%s %s (estimate, at %s %s an hour)", rate->currency,
             report_figure_hundredths(sum, text), rate->currency,
             report_figure_hundredths(rate->hour_hundredths, hour));
    ret->flag[0] = 'e';
}

void layout_figure_get(const struct layout *layout, const struct layout_item *item,
                       const struct report_words *words, struct layout_figure *ret) {
    struct report_figure figure = figure_at(words, item->path);
    char text[REPORT_FIGURE_BYTES];
    int64_t hours = (figure.value * 10 + (figure.value < 0 ? -3 : 3)) / 6;
    *ret = (struct layout_figure){0};
    ret->flag[0] = figure.mark;
    if (item->as == LAYOUT_PERCENT) {
        percent(item, words, figure, ret);
    } else if (item->as == LAYOUT_MONEY && report_figure_is_shown(figure)) {
        money(rates_find(&layout->rates, item->of), figure.value, ret);
    } else if (item->as == LAYOUT_HOURS && report_figure_is_shown(figure)) {
        hundredths(hours, "hours", ret);
        snprintf(ret->text, sizeof(ret->text), "%s", report_figure_hundredths(hours, text));
    } else {
        plain(item->path, figure, item->as == LAYOUT_MINUTES ? REPORT_COUNT : unit_of(item->path),
              ret);
    }
    if (strchr("czxk", ret->flag[0]) && ret->flag[0])
        ret->value[0] = '\0';
}
