/* SPDX-License-Identifier: Apache-2.0 */
/* Marks and rounds figures where they stand in the report's objects. */
#include <errno.h>
#include <string.h>

#include "report-hide-rules.h"

#define HOUR 60

int report_hide_figure_mark(json_t *object, const char *key, const char *mark) {
    return json_object_set_new(object, key, json_string(mark)) < 0 ? -ENOMEM : 0;
}

int report_hide_figure_mark_all(json_t *object, const char *key, const char *mark) {
    json_t *value = json_object_get(object, key), *member;
    const char *name;
    void *next;
    int r = 0;
    if (!json_is_object(value))
        return report_hide_figure_mark(object, key, mark);
    json_object_foreach_safe(value, next, name, member) {
        if (r == 0)
            r = report_hide_figure_mark_all(value, name, mark);
    }
    return r;
}

int report_hide_figure_round_to(json_t *object, const char *key, uint64_t base) {
    json_t *value = json_object_get(object, key);
    json_int_t figure = json_integer_value(value), step = (json_int_t)base;
    if (!json_is_integer(value) || base <= 1 || figure == 0)
        return 0;
    json_int_t size = figure < 0 ? -figure : figure;
    json_int_t rounded = (size + step / 2) / step * step;
    if (rounded == 0)
        return report_hide_figure_mark(object, key, HIDE_ROUNDS_TO_ZERO);
    json_t *becomes = json_integer(figure < 0 ? -rounded : rounded);
    return json_object_set_new(object, key, becomes) < 0 ? -ENOMEM : 0;
}

static int round_figure(const struct report_class *report_class, json_t *object, const char *key) {
    uint64_t base = report_class->round_to;
    bool is_minutes = strstr(key, "minutes") != NULL;
    return report_hide_figure_round_to(object, key, base > 1 && is_minutes ? HOUR * base : base);
}

int report_hide_figure_round_all(const struct report_class *report_class, json_t *object,
                                 const char *key) {
    json_t *value = json_object_get(object, key), *member;
    const char *name;
    void *next;
    int r = 0;
    if (!json_is_object(value))
        return round_figure(report_class, object, key);
    json_object_foreach_safe(value, next, name, member) {
        if (r == 0)
            r = report_hide_figure_round_all(report_class, value, name);
    }
    return r;
}

uint64_t report_hide_figure_before(const struct hiding *hiding, enum hide_group group,
                                   const char *key) {
    json_int_t value = json_integer_value(json_object_get(hiding->before[group], key));
    return value < 0 ? 0 : (uint64_t)value;
}

bool report_hide_figure_is_shown(const struct hiding *hiding, enum hide_group group,
                                 const char *key) {
    return json_is_integer(json_object_get(hiding->now[group], key));
}

uint64_t report_hide_figure_now(const struct hiding *hiding, enum hide_group group,
                                const char *key) {
    json_int_t value = json_integer_value(json_object_get(hiding->now[group], key));
    return value < 0 ? 0 : (uint64_t)value;
}
