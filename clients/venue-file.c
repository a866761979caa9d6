/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a venue's own figures. The columns stand in any order, found by the header line. */
#include <csv.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/utf8.h"
#include "venue.h"

#define FILE_BYTES_MAX (1024u * 1024)
#define CELL_BYTES 200
#define HEADS_MAX 1000000000ull
#define WHY_BYTES 400

enum column { OFFER, HEADS, TIME, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"offer", "heads", "time"};

struct reading {
    struct venue_return *lines;
    const char *path;
    size_t line;
    bool is_headed;
    size_t place[N_COLUMNS]; /* of a column in a row */
    size_t n_cells;
    bool any; /* the row holds something */
    char cells[N_COLUMNS + 1][CELL_BYTES];
    int r;
};

static int refuse(struct reading *reading, int refusal, const char *what) {
    return client_refuse(reading->lines->client, refusal, "%s, line %zu: %s", reading->path,
                         reading->line, what);
}

static void header_cell(struct reading *reading, const char *text) {
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (strcasecmp(text, column_names[i]) == 0)
            reading->place[i] = reading->n_cells;
}

static void cell_take(void *cell, size_t n, void *user) {
    struct reading *reading = user;
    char text[CELL_BYTES];
    n = MIN_OF(n, sizeof(text) - 1);
    memcpy(text, cell, n);
    text[n] = '\0';
    while (n > 0 && strchr(" \t\r", text[n - 1]))
        text[--n] = '\0';
    reading->any = reading->any || n > 0;
    if (!reading->is_headed)
        header_cell(reading, text);
    for (size_t i = 0; i < N_COLUMNS && reading->is_headed; i++)
        if (reading->place[i] == reading->n_cells)
            memcpy(reading->cells[i], text, n + 1);
    reading->n_cells++;
}

static int header_end(struct reading *reading) {
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (reading->place[i] == SIZE_MAX)
            return refuse(reading, TB_BAD_FILE,
                          "a return has the columns offer, heads and time: name them in the first "
                          "line.");
    reading->is_headed = true;
    return CLIENT_DONE;
}

static int row_read(struct reading *reading) {
    const char *heads = reading->cells[HEADS];
    char why[WHY_BYTES] = "", *end;
    uint64_t minutes = 0;
    unsigned long long n_heads = strtoull(heads, &end, 10);
    if (!utf8_is_valid(reading->cells[OFFER], strlen(reading->cells[OFFER])))
        return refuse(reading, TB_BAD_FILE, "this is no text: save the file as CSV UTF-8.");
    if (*heads < '0' || *heads > '9' || *end || n_heads > HEADS_MAX)
        return refuse(reading, TB_BAD_NUMBER, "the heads are no number: count them.");
    int r = tb_time_parse(reading->cells[TIME], &minutes, why, sizeof(why));
    if (r != 0)
        return refuse(reading, r, why);
    r = venue_return_add(reading->lines, reading->cells[OFFER], n_heads, minutes, true);
    if (r == -E2BIG)
        return refuse(reading, TB_BAD_FILE, "a return has 500 lines at most: send one a month.");
    return client_outcome(reading->lines->client, r);
}

static void row_end(int end, void *user) {
    struct reading *reading = user;
    (void)end;
    if (reading->r == CLIENT_DONE && reading->any)
        reading->r = reading->is_headed ? row_read(reading) : header_end(reading);
    reading->n_cells = 0;
    reading->any = false;
    for (size_t i = 0; i < N_COLUMNS; i++)
        reading->cells[i][0] = '\0';
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

int venue_return_file(struct venue_return *lines, const char *path) {
    struct reading reading = {
        .lines = lines, .path = path, .place = {SIZE_MAX, SIZE_MAX, SIZE_MAX}};
    _cleanup_bytes_ struct bytes file = {0};
    int r = file_read(path, FILE_BYTES_MAX, &file);
    if (r < 0)
        return client_refuse(lines->client, TB_BAD_FILE, "%s cannot be read: %s.", path,
                             strerror(-r));
    size_t n_mark = file.n > 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    bool is_read = rows_read(&reading, (const char *)file.data + n_mark, file.n - n_mark);
    if (reading.r == CLIENT_DONE && (!is_read || !reading.is_headed))
        return client_refuse(lines->client, TB_BAD_FILE,
                             "%s is no CSV with a header line: save it as CSV UTF-8.", path);
    return reading.r;
}
