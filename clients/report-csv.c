/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report for spreadsheets and statistics: `measure,breakdown,value,unit,flag`, one figure a row,
 * in the order of the bank's own object. What the report is of (definition, bank, period, cut-off,
 * class, position, checksums) comes first in rows of the same form, so that the file speaks for
 * itself. A figure of a breakdown is named by where it stands: `minutes_given` of
 * `by_month/2024-04`. A hidden one has no value, and its mark as its flag; an estimate in money has
 * the flag e.
 */
#include "report-csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "csv-out.h"
#include "report-figure.h"
#include "report-words.h"

#define PATH_BYTES 256
#define RULE_BYTES 600

/* Of counts; the first that the name begins with. */
static const struct {
    const char *prefix;
    const char *unit;
} counted[] = {
    {"redemptions", "entries"},
    {"entries", "entries"},
    {"late_over_30_days", "entries"},
    {"unconfirmed", "entries"},
    {"corrections", "entries"},
    {"insisted_duplicates", "entries"},
    {"ties", "pairs"},
    {"admitted_", "heads"},
    {"below_zero", "accounts"},
    {"", "persons"},
};

const char *report_csv_unit(const char *path) {
    static const char *const units[] = {[TB_UNIT_TABLE] = "text",
                                        [TB_UNIT_MINUTES] = "minutes",
                                        [TB_UNIT_COUNT] = "",
                                        [TB_UNIT_DAYS] = "days",
                                        [TB_UNIT_PERMILLE] = "permille",
                                        [TB_UNIT_THOUSANDTHS] = "thousandths",
                                        [TB_UNIT_PER_MILLION] = "per million"};
    const struct tb_measure *measure = tb_measure_find(path);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    size_t i = 0;
    if (measure && measure->unit != TB_UNIT_COUNT)
        return units[measure->unit];
    while (strncmp(name, counted[i].prefix, strlen(counted[i].prefix)) != 0)
        i++;
    return counted[i].unit;
}

/* What the report is of: a text, which may be hidden like a figure. */
static void row_print(const char *measure, const char *breakdown, const json_t *value,
                      const char *unit) {
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    const char flag[2] = {*text == '[' ? report_figure_read(value).mark : '\0', '\0'};
    csv_out_text(measure);
    csv_out_text(breakdown);
    if (json_is_integer(value))
        csv_out_number((int64_t)json_integer_value(value));
    else
        csv_out_text(*flag ? "" : text);
    csv_out_text(unit);
    csv_out_text(flag);
    csv_out_end();
}

static void figure_print(const char *measure, const char *breakdown, const json_t *value) {
    struct report_figure figure = report_figure_read(value);
    char path[PATH_BYTES];
    csv_out_text(measure);
    csv_out_text(breakdown);
    if (report_figure_is_shown(figure))
        csv_out_number(figure.value);
    else
        csv_out_text("");
    snprintf(path, sizeof(path), "%s%s%s", breakdown, *breakdown ? "/" : "", measure);
    csv_out_text(report_csv_unit(path));
    csv_out_text(report_figure_is_shown(figure) ? "" : (const char[]){figure.mark, '\0'});
    csv_out_end();
}

/* Figures of this depth first, then what stands below them. */
static void figures_print(const json_t *figures, const char *breakdown) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)figures, name, value) {
        if (!json_is_object(value))
            figure_print(name, breakdown, value);
    }
}

/* A breakdown holds figures, or, of pairs and tags, breakdowns of its own. */
static void breakdown_print(const char *path, const json_t *groups) {
    const char *group;
    json_t *figures;
    json_object_foreach((json_t *)(uintptr_t)groups, group, figures) {
        char inner[PATH_BYTES];
        snprintf(inner, sizeof(inner), "%s/%s", path, group);
        if (!json_is_object(figures))
            continue;
        figures_print(figures, inner);
        breakdown_print(inner, figures);
    }
}

static void breakdowns_print(const json_t *measures) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)measures, name, value) {
        if (json_is_object(value))
            breakdown_print(name, value);
    }
}

/* What is hidden and what is rounded, of which rule_round_to does not say all. */
static void rule_in_words_print(const json_t *report) {
    struct report_words words;
    char class[RULE_BYTES];
    report_words_init(&words, report);
    report_words_class(&words, class, sizeof(class));
    const char *const columns[] = {"rule_in_words", "", class, "text", ""};
    for (size_t i = 0; i < N_ELEMENTS(columns); i++)
        csv_out_text(columns[i]);
    csv_out_end();
}

static void head_print(const json_t *report) {
    static const struct {
        const char *name;
        const char *unit;
    } rows[] = {{"definition", "text"},  {"bank", "text"},        {"from", "date"},
                {"to", "date"},          {"as_known_at", "date"}, {"class", "text"},
                {"register", "sha-256"}, {"suppressed", "cells"}, {"checksum", "sha-256"}};
    const json_t *position = json_object_get(report, "position");
    static const char *const hashes[] = {"further_checksum", "register_age_bands"};
    const json_t *rule = json_object_get(report, "rule");
    for (size_t i = 0; i < N_ELEMENTS(rows); i++)
        row_print(rows[i].name, "", json_object_get(report, rows[i].name), rows[i].unit);
    for (size_t i = 0; i < N_ELEMENTS(hashes); i++)
        if (json_object_get(report, hashes[i]))
            row_print(hashes[i], "", json_object_get(report, hashes[i]), "sha-256");
    row_print("position_size", "", json_object_get(position, "size"), "records");
    row_print("position_root", "", json_object_get(position, "root"), "base64");
    row_print("rule_threshold", "", json_object_get(rule, "threshold"), "persons");
    row_print("rule_round_to", "", json_object_get(rule, "round_to"), "persons and hours");
    if (json_integer_value(json_object_get(rule, "threshold")) > 0)
        rule_in_words_print(report);
}

/* ---------------------------------------------------------------- estimates */

static void rate_text_print(const struct rate *rate, const char *measure, const char *text,
                            const char *unit) {
    csv_out_text(measure);
    csv_out_text(rate->name);
    csv_out_text(text);
    csv_out_text(unit);
    csv_out_text("");
    csv_out_end();
}

static void money_print(const struct rate *rate, const char *measure, struct report_figure money,
                        const char *unit, const char *flag) {
    csv_out_text(measure);
    csv_out_text(rate->name);
    if (report_figure_is_shown(money))
        csv_out_hundredths(money.value);
    else
        csv_out_text("");
    csv_out_text(unit);
    csv_out_text(report_figure_is_shown(money) ? flag : (const char[]){money.mark, '\0'});
    csv_out_end();
}

static void estimate_print(const json_t *report, const struct rate *rate) {
    static const char *const keys[][2] = {
        {"minutes_given", "estimate_of_minutes_given"},
        {"minutes_given_without_credit", "estimate_of_minutes_given_without_credit"}};
    const json_t *measures = json_object_get(report, "measures");
    char unit[16], year[12];
    snprintf(unit, sizeof(unit), "%s an hour", rate->currency);
    snprintf(year, sizeof(year), "%" PRIu32, rate->year);
    money_print(rate, "rate", (struct report_figure){.value = rate->hour_hundredths}, unit, "");
    rate_text_print(rate, "rate_year", year, "year");
    rate_text_print(rate, "rate_source", rate->source, "text");
    for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
        struct report_figure money = report_figure_read(json_object_get(measures, keys[i][0]));
        if (report_figure_is_shown(money))
            money.value = rates_money(rate, money.value);
        money_print(rate, keys[i][1], money, rate->currency, "e");
    }
}

void report_csv_print(FILE *to, const json_t *report, const struct rates *rates) {
    static const char *const columns[] = {"measure", "breakdown", "value", "unit", "flag"};
    static const char *const groups[] = {"measures", "further_measures", "register_measures"};
    csv_out_begin_to(to);
    for (size_t i = 0; i < N_ELEMENTS(columns); i++)
        csv_out_text(columns[i]);
    csv_out_end();
    head_print(report);
    for (size_t i = 0; i < N_ELEMENTS(groups); i++)
        figures_print(json_object_get(report, groups[i]), "");
    for (size_t i = 0; rates && i < rates->n; i++)
        estimate_print(report, &rates->items[i]);
    for (size_t i = 0; i < N_ELEMENTS(groups); i++)
        breakdowns_print(json_object_get(report, groups[i]));
}
