/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a layout, strictly: every line is understood or refused with its number. Read by hand,
 * since a funder's words hold colons and semicolons and may be longer than what INI libraries take.
 */
#include "layout.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/utf8.h"

#define FILE_BYTES_MAX (256u * 1024)
#define LINE_BYTES_MAX 700

struct reading {
    struct client *client;
    struct layout *layout;
    size_t line;
    bool is_in_layout; /* the section [layout], which comes first */
    bool is_after;     /* it has ended */
    unsigned seen;     /* keys of it, by number */
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct reading *reading,
                                                        const char *format, ...) {
    char what[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    return client_refuse(reading->client, TB_BAD_FILE, "%s, line %zu: %s", reading->layout->path,
                         reading->line, what);
}

static char *trim(char *text) {
    size_t n;
    text += strspn(text, " \t");
    n = strlen(text);
    while (n > 0 && strchr(" \t\r", text[n - 1]))
        text[--n] = '\0';
    return text;
}

/* ------------------------------------------------------------------- periods */

static bool day_read(const char *text, uint32_t *ret_day) {
    char why[256], again[16];
    if (strlen(text) != 10 || tb_date_parse(text, tb_today(), ret_day, why, sizeof(why)) != 0)
        return false;
    tb_date_format(*ret_day, again);
    return strcmp(again, text) == 0;
}

/* n_months from the month of "2024-04" on. */
static bool months_read(const char *text, int n_months, struct layout *layout) {
    char first[16], next[24];
    int year, month, n = 0;
    if (strlen(text) != 7 || strspn(text, "0123456789-") != 7 ||
        sscanf(text, "%4d-%2d%n", &year, &month, &n) != 2 || n != 7 || month < 1 || month > 12)
        return false;
    snprintf(first, sizeof(first), "%.7s-01", text);
    month += n_months - 1;
    snprintf(next, sizeof(next), "%04d-%02d-01", year + month / 12, month % 12 + 1);
    if (!day_read(first, &layout->from_day) || !day_read(next, &layout->to_day))
        return false;
    layout->to_day--;
    return true;
}

static bool period_read(char *text, struct layout *layout) {
    static const struct {
        const char *word;
        int n_months;
    } words[] = {{"year ", 12}, {"quarter ", 3}, {"month ", 1}};
    char *to = strstr(text, " to ");
    for (size_t i = 0; i < N_ELEMENTS(words); i++)
        if (strncmp(text, words[i].word, strlen(words[i].word)) == 0)
            return months_read(trim(text + strlen(words[i].word)), words[i].n_months, layout);
    if (!to)
        return false;
    *to = '\0';
    return day_read(trim(text), &layout->from_day) && day_read(trim(to + 4), &layout->to_day) &&
           layout->from_day <= layout->to_day;
}

/* ------------------------------------------------------------------ [layout] */

static int title_take(struct reading *reading, char *value) {
    if (strlen(value) >= sizeof(reading->layout->title))
        return refuse(reading, "the title is longer than 299 bytes: shorten it.");
    strcpy(reading->layout->title, value);
    return CLIENT_DONE;
}

static int period_take(struct reading *reading, char *value) {
    if (period_read(value, reading->layout))
        return CLIENT_DONE;
    return refuse(reading, "the period cannot be read: write 2024-04-01 to 2025-03-31, year "
                           "2024-04, quarter 2024-07 or month 2024-07.");
}

static int class_take(struct reading *reading, char *value) {
    if (report_class_read(value, &reading->layout->report_class))
        return CLIENT_DONE;
    return refuse(reading, "there is no class \"%.60s\": write internal, funder or public.", value);
}

static int format_take(struct reading *reading, char *value) {
    static const char *const names[] = {
        [LAYOUT_TEXT] = "text", [LAYOUT_CSV] = "csv", [LAYOUT_HTML] = "html"};
    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        if (strcmp(value, names[i]) != 0)
            continue;
        reading->layout->format = (enum layout_format)i;
        return CLIENT_DONE;
    }
    return refuse(reading, "there is no format \"%.60s\": write text, csv or html.", value);
}

/* A file beside the layout, unless its name begins at the root. */
static int rates_take(struct reading *reading, char *value) {
    char path[4096];
    const char *stroke = strrchr(reading->layout->path, '/');
    int n = stroke && *value != '/' ? (int)(stroke - reading->layout->path) + 1 : 0;
    snprintf(path, sizeof(path), "%.*s%s", n, reading->layout->path, value);
    reading->layout->has_rates = true;
    return rates_read(reading->client, path, &reading->layout->rates);
}

static int setting_take(struct reading *reading, char *key, char *value) {
    static const struct {
        const char *key;
        int (*take)(struct reading *reading, char *value);
    } keys[] = {{"title", title_take},
                {"period", period_take},
                {"class", class_take},
                {"format", format_take},
                {"rates", rates_take}};
    size_t i = 0;
    while (i < N_ELEMENTS(keys) && strcmp(keys[i].key, key) != 0)
        i++;
    if (i == N_ELEMENTS(keys))
        return refuse(reading,
                      "[layout] knows no \"%.60s\": it has title, period, class, format and "
                      "rates.",
                      key);
    if (reading->seen & 1u << i)
        return refuse(reading, "%s stands here twice: leave one out.", keys[i].key);
    if (!*value)
        return refuse(reading, "nothing follows %s: say what it is, or leave the line out.",
                      keys[i].key);
    reading->seen |= 1u << i;
    return keys[i].take(reading, value);
}

/* --------------------------------------------------------------------- lines */

static struct layout_item *item_add(struct reading *reading) {
    struct layout *layout = reading->layout;
    struct layout_item *item;
    if (layout->n_items == LAYOUT_ITEMS_MAX)
        return NULL;
    item = &layout->items[layout->n_items++];
    *item = (struct layout_item){.line = reading->line};
    return item;
}

static int too_many(const struct reading *reading) {
    return refuse(reading, "a layout has %d lines at most: split it in two.", LAYOUT_ITEMS_MAX);
}

/* A figure, a whole breakdown, or what is neither. */
static int path_check(const struct reading *reading, const char *path, bool *ret_is_table,
                      enum tb_unit *ret_unit) {
    const struct tb_measure *measure = tb_measure_find(path);
    if (!measure)
        return refuse(
            reading, "there is no measure \"%.80s\": timebank-layout(5) and timebank(1) list them.",
            path);
    *ret_unit = measure->unit;
    *ret_is_table = measure->unit == TB_UNIT_TABLE;
    if (*ret_is_table && strcmp(path, measure->key) != 0 &&
        (strncmp(path, "by_tag/", 7) != 0 || strchr(path + 7, '/')))
        return refuse(reading,
                      "\"%.80s\" is a line of %s, not a figure: add which, as in %.80s/%s.", path,
                      measure->key, path, tb_measure_next(measure)->key + strlen(measure->key) + 1);
    return CLIENT_DONE;
}

static int text_take(const struct reading *reading, char *ret, size_t n, const char *text) {
    if (strlen(text) >= n)
        return refuse(reading, "\"%.60s...\" is longer than %zu bytes: shorten it.", text, n - 1);
    strcpy(ret, text);
    return CLIENT_DONE;
}

static int percent_take(const struct reading *reading, struct layout_item *item, enum tb_unit unit,
                        const char *of) {
    enum tb_unit of_unit = TB_UNIT_TABLE;
    bool is_table = false;
    int status = path_check(reading, of, &is_table, &of_unit);
    if (status != CLIENT_DONE)
        return status;
    if (is_table || of_unit != unit || (unit != TB_UNIT_MINUTES && unit != TB_UNIT_COUNT))
        return refuse(reading, "%.80s is no share of %.80s: name two counts, or two of minutes.",
                      item->path, of);
    item->as = LAYOUT_PERCENT;
    return text_take(reading, item->of, sizeof(item->of), of);
}

static int money_take(const struct reading *reading, struct layout_item *item, const char *rate) {
    if (!reading->layout->has_rates)
        return refuse(reading, "money needs rates: add \"rates = FILE.csv\" to [layout].");
    if (!rates_find(&reading->layout->rates, rate))
        return refuse(reading, "the table of rates has no \"%.80s\": name one of its rates.", rate);
    item->as = LAYOUT_MONEY;
    return text_take(reading, item->of, sizeof(item->of), rate);
}

static int as_take(const struct reading *reading, struct layout_item *item, enum tb_unit unit,
                   bool is_table, const char *as) {
    bool is_time = unit == TB_UNIT_MINUTES;
    if (strcmp(as, "count") == 0 && unit == TB_UNIT_COUNT)
        return CLIENT_DONE;
    if (is_table)
        return refuse(reading, "\"%.80s\" is a whole table: leave out \"as %.60s\".", item->path,
                      as);
    if (strncmp(as, "percent of ", 11) == 0)
        return percent_take(reading, item, unit, as + 11 + strspn(as + 11, " "));
    if (!is_time &&
        (strcmp(as, "hours") == 0 || strcmp(as, "minutes") == 0 || strncmp(as, "money ", 6) == 0))
        return refuse(reading, "%.80s is no time: leave out \"as %.60s\".", item->path, as);
    if (strncmp(as, "money ", 6) == 0)
        return money_take(reading, item, as + 6 + strspn(as + 6, " "));
    if (strcmp(as, "hours") == 0)
        item->as = LAYOUT_HOURS;
    else if (strcmp(as, "minutes") == 0)
        item->as = LAYOUT_MINUTES;
    else
        return refuse(reading,
                      "\"as %.60s\" is not known: write as hours, as minutes, as count, as percent "
                      "of MEASURE, or as money RATE.",
                      as);
    return CLIENT_DONE;
}

static int figure_take(struct reading *reading, char *words, char *path) {
    struct layout_item *item = item_add(reading);
    enum tb_unit unit = TB_UNIT_TABLE;
    char *as = strstr(path, " as ");
    bool is_table = false;
    int status;
    if (!item)
        return too_many(reading);
    if (as)
        *as = '\0';
    path = trim(path);
    status = text_take(reading, item->words, sizeof(item->words), words);
    if (status == CLIENT_DONE)
        status = text_take(reading, item->path, sizeof(item->path), path);
    if (status == CLIENT_DONE)
        status = path_check(reading, item->path, &is_table, &unit);
    if (status != CLIENT_DONE)
        return status;
    item->as = is_table ? LAYOUT_TABLE : LAYOUT_PLAIN;
    return as ? as_take(reading, item, unit, is_table, trim(as + 4)) : CLIENT_DONE;
}

static int heading_take(struct reading *reading, char *text) {
    size_t n = strlen(text);
    struct layout_item *item;
    if (n < 3 || text[n - 1] != ']')
        return refuse(reading, "a heading stands between [ and ]: close it.");
    text[n - 1] = '\0';
    text = trim(text + 1);
    if (strcmp(text, "layout") == 0) {
        if (reading->is_in_layout || reading->is_after)
            return refuse(reading, "[layout] stands here twice: leave one out.");
        reading->is_in_layout = true;
        return CLIENT_DONE;
    }
    if (!reading->is_in_layout && !reading->is_after)
        return refuse(reading, "a layout begins with the section [layout]: put it first.");
    reading->is_in_layout = false;
    reading->is_after = true;
    item = item_add(reading);
    if (!item)
        return too_many(reading);
    item->as = LAYOUT_HEADING;
    return text_take(reading, item->words, sizeof(item->words), text);
}

static int line_take(struct reading *reading, char *text) {
    char *equals;
    text = trim(text);
    if (!*text || *text == '#' || *text == ';')
        return CLIENT_DONE;
    if (*text == '[')
        return heading_take(reading, text);
    equals = reading->is_in_layout ? strchr(text, '=') : strrchr(text, '=');
    if (!equals || equals == text)
        return refuse(reading, "this is no \"words = measure\": write both, with = between.");
    *equals = '\0';
    if (reading->is_in_layout)
        return setting_take(reading, trim(text), trim(equals + 1));
    if (!reading->is_after)
        return refuse(reading, "a layout begins with the section [layout]: put it first.");
    return figure_take(reading, trim(text), trim(equals + 1));
}

/* ---------------------------------------------------------------------- file */

static bool line_is_plain(const char *line, size_t n) {
    for (const char *at = line, *end = line + n; at < end;) {
        int32_t point = utf8_next(&at, end);
        if (point < 0 || (utf8_is_control(point) && point != '\t' && point != '\r'))
            return false;
    }
    return true;
}

static int lines_take(struct reading *reading, const char *text, size_t n) {
    char line[LINE_BYTES_MAX + 1];
    int status = CLIENT_DONE;
    while (status == CLIENT_DONE && n > 0) {
        const char *newline = memchr(text, '\n', n);
        size_t n_line = newline ? (size_t)(newline - text) : n;
        reading->line++;
        if (n_line > LINE_BYTES_MAX)
            return refuse(reading, "the line is longer than %d bytes: shorten it.", LINE_BYTES_MAX);
        if (!line_is_plain(text, n_line))
            return refuse(reading, "this is no text: save the file as UTF-8.");
        memcpy(line, text, n_line);
        line[n_line] = '\0';
        status = line_take(reading, line);
        n_line += newline != NULL;
        text += n_line;
        n -= n_line;
    }
    return status;
}

static int whole_check(struct reading *reading) {
    if (!*reading->layout->title)
        return refuse(reading, "the layout has no title: add \"title = ...\" to [layout].");
    if (reading->layout->report_class == TB_CLASS_OF_KEY)
        return refuse(reading, "the layout does not say for whom it is: add \"class = funder\" (or "
                               "internal, or public) to [layout].");
    if (reading->layout->n_items == 0)
        return refuse(reading, "the layout has no figures: add a [heading] and \"words = measure\" "
                               "below it.");
    return CLIENT_DONE;
}

int layout_read(struct client *client, const char *path, struct layout **ret) {
    _cleanup_(layout_freep) struct layout *layout = calloc(1, sizeof(*layout));
    struct reading reading = {.client = client, .layout = layout};
    _cleanup_bytes_ struct bytes file = {0};
    size_t n_mark;
    int status, r;
    if (!layout || !(layout->path = strdup(path)) ||
        !(layout->items = calloc(LAYOUT_ITEMS_MAX, sizeof(*layout->items))))
        return client_outcome(client, -ENOMEM);
    r = file_read(path, FILE_BYTES_MAX, &file);
    if (r < 0)
        return client_refuse(client, TB_BAD_FILE, "The layout %s cannot be read: %s.", path,
                             strerror(-r));
    n_mark = file.n >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    status = lines_take(&reading, (const char *)file.data + n_mark, file.n - n_mark);
    if (status == CLIENT_DONE)
        status = whole_check(&reading);
    if (status == CLIENT_DONE)
        *ret = TAKE(layout);
    return status;
}

struct layout *layout_free(struct layout *layout) {
    if (!layout)
        return NULL;
    free(layout->path);
    free(layout->items);
    free(layout);
    return NULL;
}
