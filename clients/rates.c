/* SPDX-License-Identifier: Apache-2.0 */
/* The columns stand in any order, found by the header line; none may be missing or unknown. */
#include "rates.h"

#include <csv.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/utf8.h"

#define FILE_BYTES_MAX (64u * 1024)
#define RATE_DIGITS_MAX 6 /* before the point */

enum column { NAME, RATE, CURRENCY, YEAR, SOURCE, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"name", "rate", "currency", "year", "source"};

struct reading {
    struct client *client;
    const char *path;
    struct rates *rates;
    size_t line;
    bool is_headed;
    enum column order[N_COLUMNS]; /* of the cells of a row */
    size_t n_cells;
    size_t n_bytes; /* of the row */
    bool is_long;   /* a cell */
    char cells[N_COLUMNS][RATES_TEXT_BYTES];
    int status;
};

static int refuse(const struct reading *reading, const char *what) {
    return client_refuse(reading->client, TB_BAD_FILE, "%s, line %zu: %s", reading->path,
                         reading->line, what);
}

static void cell_take(void *cell, size_t n, void *user) {
    struct reading *reading = user;
    const char *text = cell;
    while (n > 0 && strchr(" \t\r", text[n - 1]))
        n--;
    for (; n > 0 && strchr(" \t", *text); n--)
        text++;
    reading->n_bytes += n;
    if (n >= RATES_TEXT_BYTES || memchr(text, '\0', n))
        reading->is_long = true;
    else if (reading->n_cells < N_COLUMNS) {
        memcpy(reading->cells[reading->n_cells], text, n);
        reading->cells[reading->n_cells][n] = '\0';
    }
    reading->n_cells++;
}

static int header_read(struct reading *reading) {
    static const char wanted[] =
        "a table of rates begins with the line name,rate,currency,year,source: write it so.";
    bool seen[N_COLUMNS] = {false};
    if (reading->n_cells != N_COLUMNS)
        return refuse(reading, wanted);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        size_t column = 0;
        while (column < N_COLUMNS && strcasecmp(reading->cells[i], column_names[column]) != 0)
            column++;
        if (column == N_COLUMNS || seen[column])
            return refuse(reading, wanted);
        seen[column] = true;
        reading->order[i] = (enum column)column;
    }
    reading->is_headed = true;
    return CLIENT_DONE;
}

/* "12.60", "12.6", "12": more than nothing. */
static bool money_read(const char *text, int64_t *ret_hundredths) {
    static const char digits[] = "0123456789";
    size_t whole = strspn(text, digits);
    size_t part = text[whole] == '.' ? strspn(text + whole + 1, digits) : 0;
    const char *end = text + whole + (text[whole] == '.') + part;
    int64_t sum = 0;
    if (whole == 0 || whole > RATE_DIGITS_MAX || *end || part > 2 ||
        (text[whole] == '.' && part == 0))
        return false;
    for (size_t i = 0; i < whole; i++)
        sum = sum * 10 + (text[i] - '0');
    for (size_t i = 0; i < 2; i++)
        sum = sum * 10 + (i < part ? text[whole + 1 + i] - '0' : 0);
    *ret_hundredths = sum;
    return sum > 0;
}

static bool text_is_plain(const char *text) {
    if (!*text || !utf8_is_valid(text, strlen(text)))
        return false;
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static int rate_take(struct reading *reading, const char *const cells[N_COLUMNS]) {
    struct rate rate = {0};
    if (!text_is_plain(cells[NAME]) || strchr(cells[NAME], '/'))
        return refuse(reading, "the rate has no name, or one with a stroke: give it a plain one.");
    if (rates_find(reading->rates, cells[NAME]))
        return refuse(reading, "a rate of this name stands above: give each its own.");
    if (!money_read(cells[RATE], &rate.hour_hundredths))
        return refuse(reading, "the rate is no amount an hour: write it as 12.60, with a point.");
    if (strlen(cells[CURRENCY]) != 3 || strspn(cells[CURRENCY], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        return refuse(reading,
                      "the currency is no code of three capitals: write GBP, EUR or such.");
    if (strlen(cells[YEAR]) != 4 || strspn(cells[YEAR], "0123456789") != 4)
        return refuse(reading, "the year is none of four digits: write that of the source.");
    if (!text_is_plain(cells[SOURCE]))
        return refuse(reading, "the rate names no source: say who publishes it.");
    rate.year = (uint32_t)strtoul(cells[YEAR], NULL, 10);
    memcpy(rate.currency, cells[CURRENCY], sizeof(rate.currency));
    strcpy(rate.name, cells[NAME]);
    strcpy(rate.source, cells[SOURCE]);
    reading->rates->items[reading->rates->n++] = rate;
    return CLIENT_DONE;
}

static int row_read(struct reading *reading) {
    const char *cells[N_COLUMNS];
    if (reading->is_long)
        return refuse(reading, "a cell is too long, or no text: shorten it to under 200 bytes.");
    if (!reading->is_headed)
        return header_read(reading);
    if (reading->n_cells != N_COLUMNS)
        return refuse(reading, "a rate has five cells: name, rate, currency, year and source.");
    if (reading->rates->n == RATES_MAX)
        return refuse(reading, "a table has 32 rates at most: leave out those not used.");
    for (size_t i = 0; i < N_COLUMNS; i++)
        cells[reading->order[i]] = reading->cells[i];
    return rate_take(reading, cells);
}

static void row_end(int end, void *user) {
    struct reading *reading = user;
    (void)end;
    if (reading->status == CLIENT_DONE && reading->n_bytes > 0)
        reading->status = row_read(reading);
    reading->n_cells = 0;
    reading->n_bytes = 0;
    reading->is_long = false;
}

static bool rows_read(struct reading *reading, const char *text, size_t n) {
    struct csv_parser parser;
    bool is_read = csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) == 0;
    for (const char *end; is_read && n > 0; n -= (size_t)(end - text), text = end) {
        const char *newline = memchr(text, '\n', n);
        end = newline ? newline + 1 : text + n;
        reading->line++;
        is_read = csv_parse(&parser, text, (size_t)(end - text), cell_take, row_end, reading) ==
                  (size_t)(end - text);
    }
    is_read = is_read && csv_fini(&parser, cell_take, row_end, reading) == 0;
    csv_free(&parser);
    return is_read;
}

int rates_read(struct client *client, const char *path, struct rates *ret) {
    struct reading reading = {.client = client, .path = path, .rates = ret};
    _cleanup_bytes_ struct bytes file = {0};
    int r = file_read(path, FILE_BYTES_MAX, &file);
    *ret = (struct rates){0};
    if (r < 0)
        return client_refuse(client, TB_BAD_FILE,
                             "The table of rates %s cannot be read: %s. Name a CSV file.", path,
                             strerror(-r));
    size_t n_mark = file.n >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    bool is_read = rows_read(&reading, (const char *)file.data + n_mark, file.n - n_mark);
    if (reading.status == CLIENT_DONE && (!is_read || ret->n == 0))
        return client_refuse(client, TB_BAD_FILE,
                             "%s is no CSV with a header line and a rate below it: save it as CSV "
                             "UTF-8.",
                             path);
    return reading.status;
}

const struct rate *rates_find(const struct rates *rates, const char *name) {
    for (size_t i = 0; i < rates->n; i++)
        if (strcmp(rates->items[i].name, name) == 0)
            return &rates->items[i];
    return NULL;
}

int64_t rates_money(const struct rate *rate, int64_t minutes) {
    __int128 twice = (__int128)minutes * rate->hour_hundredths * 2;
    __int128 sum = twice + 60;
    __int128 whole = sum / 120;
    return (int64_t)(sum < 0 && sum % 120 != 0 ? whole - 1 : whole);
}
