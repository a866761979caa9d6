/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report for spreadsheets and statistics: `measure,breakdown,value,unit,flag`, one figure a row,
 * in the order of the bank's own object. What the report is of (definition, bank, period, cut-off,
 * position, checksum) comes first in rows of the same form, so that the file speaks for itself. A
 * figure of a breakdown is named by where it stands: `minutes_given` of `by_month/2024-04`.
 */
#include "report-csv.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "csv-out.h"

#define PATH_BYTES 256

/* The first that the name of a measure begins with. */
static const struct {
    const char *prefix;
    const char *unit;
} units[] = {
    {"minutes_", "minutes"},
    {"outstanding_", "minutes"},
    {"median_minutes_", "minutes"},
    {"p90_minutes_", "minutes"},
    {"top_tenth_minutes", "minutes"},
    {"lag_median_days", "days"},
    {"ties", "pairs"},
    {"admitted_", "heads"},
    {"givers", "persons"},
    {"receivers", "persons"},
    {"redeemers", "persons"},
    {"participants", "persons"},
    {"two_way", "persons"},
    {"new_givers", "persons"},
    {"returning_givers", "persons"},
    {"previous_givers", "persons"},
    {"retained_givers", "persons"},
    {"lapsed_givers", "persons"},
    {"frequent_givers", "persons"},
    {"traders", "persons"},
    {"", "entries"},
};

static const char *unit_of(const char *measure) {
    size_t i = 0;
    while (strncmp(measure, units[i].prefix, strlen(units[i].prefix)) != 0)
        i++;
    return units[i].unit;
}

static void row_print(const char *measure, const char *breakdown, const json_t *value,
                      const char *unit) {
    csv_out_text(measure);
    csv_out_text(breakdown);
    if (json_is_integer(value))
        csv_out_number((int64_t)json_integer_value(value));
    else
        csv_out_text(json_is_string(value) ? json_string_value(value) : "");
    csv_out_text(unit);
    csv_out_text("");
    csv_out_end();
}

/* A breakdown within one does not exist: by_month holds months, and these hold figures. */
static void figures_print(const json_t *figures, const char *breakdown) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)figures, name, value) {
        if (!json_is_object(value))
            row_print(name, breakdown, value, unit_of(name));
    }
}

static void breakdown_print(const char *name, const json_t *groups) {
    const char *group;
    json_t *figures;
    json_object_foreach((json_t *)(uintptr_t)groups, group, figures) {
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s/%s", name, group);
        figures_print(figures, path);
    }
}

static void head_print(const json_t *report) {
    static const struct {
        const char *name;
        const char *unit;
    } rows[] = {{"definition", "text"},  {"bank", "text"},        {"from", "date"},
                {"to", "date"},          {"as_known_at", "date"}, {"class", "text"},
                {"register", "sha-256"}, {"suppressed", "cells"}, {"checksum", "sha-256"}};
    const json_t *position = json_object_get(report, "position");
    for (size_t i = 0; i < N_ELEMENTS(rows); i++)
        row_print(rows[i].name, "", json_object_get(report, rows[i].name), rows[i].unit);
    row_print("position_size", "", json_object_get(position, "size"), "records");
    row_print("position_root", "", json_object_get(position, "root"), "base64");
}

void report_csv_print(const json_t *report) {
    static const char *const columns[] = {"measure", "breakdown", "value", "unit", "flag"};
    const json_t *measures = json_object_get(report, "measures");
    const char *name;
    json_t *value;
    csv_out_begin();
    for (size_t i = 0; i < N_ELEMENTS(columns); i++)
        csv_out_text(columns[i]);
    csv_out_end();
    head_print(report);
    figures_print(measures, "");
    figures_print(json_object_get(report, "register_measures"), "");
    json_object_foreach((json_t *)(uintptr_t)measures, name, value) {
        if (json_is_object(value))
            breakdown_print(name, value);
    }
}
