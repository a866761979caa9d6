/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a session's lines as typed after --giver and --receiver, or from a file with a line for
 * each. What cannot be read is told with its line.
 */
#include "session.h"

#include <csv.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"

#define FILE_BYTES_MAX (1024u * 1024)
#define HEADS_MAX 100000u

/* ---- one line */

static int time_read(struct session *session, const char *text, uint64_t *ret_minutes) {
    struct tb_order order = TB_ORDER_INIT;
    int r = client_time(session->client, text, &order);
    if (r == CLIENT_DONE)
        *ret_minutes = order.minutes;
    return r;
}

static int line_add(struct session *session, struct session_side *side, char *code,
                    const char *person, const char *time) {
    if (!time || !*time)
        time = session->default_time;
    if (!time)
        return client_usage(session->verb,
                            "%s has no time: write %s=1h, or give the time of all with --time.",
                            code, code);
    if (side->n == SESSION_LINES_MAX)
        return client_refuse(session->client, TB_SESSION_LINES,
                             "A session has %d lines at most: enter it as several.",
                             SESSION_LINES_MAX);
    int r = time_read(session, time, &side->minutes[side->n]);
    if (r != CLIENT_DONE)
        return r;
    side->codes[side->n] = client_code(code);
    side->persons[side->n] = person ? person : "";
    side->has_persons = side->has_persons || *side->persons[side->n];
    side->n++;
    return CLIENT_DONE;
}

int session_line_read(struct session *session, struct session_side *side, char *text) {
    char *time = strchr(text, '=');
    if (time)
        *time++ = '\0';
    char *person = strchr(text, '/');
    if (person)
        *person++ = '\0';
    return line_add(session, side, text, person, time);
}

int session_heads_read(struct session *session, const char *heads, const char *time) {
    char *end = NULL;
    unsigned long n = heads ? strtoul(heads, &end, 10) : 0;
    if (heads && (*heads < '0' || *heads > '9' || *end || n > HEADS_MAX))
        return client_refuse(session->client, TB_BAD_NUMBER,
                             "\"%s\" is not a number of people: say --heads 4.", heads);
    session->heads += (uint32_t)n;
    return time && *time ? time_read(session, time, &session->head_minutes) : CLIENT_DONE;
}

/* ---- a file of them */

enum column { COLUMN_SIDE, COLUMN_MEMBER, COLUMN_TIME, COLUMN_PERSON, N_COLUMNS };
static const char *const columns[N_COLUMNS] = {"side", "member", "time", "person"};

#define CELLS_MAX 16

struct reading {
    struct session *session;
    const char *path;
    size_t line;
    size_t places[N_COLUMNS]; /* + 1, or 0 */
    bool is_headed;
    char *cells[CELLS_MAX];
    size_t n_cells;
    int r;
};

/* Cells live behind the file's bytes in the session's text, which has room for all. */
static void cell_take(void *data, size_t n, void *user) {
    struct reading *reading = user;
    struct session *session = reading->session;
    char *cell = session->text + session->n_text;
    if (reading->n_cells == CELLS_MAX)
        return;
    memcpy(cell, data, n);
    cell[n] = '\0';
    session->n_text += n + 1;
    while (*cell == ' ')
        cell++;
    for (size_t i = strlen(cell); i > 0 && cell[i - 1] == ' '; i--)
        cell[i - 1] = '\0';
    reading->cells[reading->n_cells++] = cell;
}

static char *cell_of(struct reading *reading, enum column column) {
    static char none[1];
    size_t place = reading->places[column];
    return place && place <= reading->n_cells ? reading->cells[place - 1] : none;
}

static int header_read(struct reading *reading) {
    for (size_t i = 0; i < reading->n_cells; i++)
        for (size_t c = 0; c < N_COLUMNS; c++)
            if (strcasecmp(reading->cells[i], columns[c]) == 0)
                reading->places[c] = i + 1;
    reading->is_headed = true;
    if (reading->places[COLUMN_SIDE] && reading->places[COLUMN_MEMBER])
        return CLIENT_DONE;
    return client_refuse(reading->session->client, TB_BAD_FILE,
                         "%s: a session's file begins with the header side,member,time (and "
                         "person): add it.",
                         reading->path);
}

static int row_read(struct reading *reading) {
    struct session *session = reading->session;
    const char *side = cell_of(reading, COLUMN_SIDE), *time = cell_of(reading, COLUMN_TIME);
    char *member = cell_of(reading, COLUMN_MEMBER);
    const char *person = cell_of(reading, COLUMN_PERSON);
    if (strcasecmp(side, "giver") == 0 && *member)
        return line_add(session, &session->givers, member, person, time);
    if (strcasecmp(side, "receiver") == 0 && *member)
        return line_add(session, &session->receivers, member, person, time);
    if (strcasecmp(side, "others") == 0 && *member)
        return session_heads_read(session, member, time);
    return client_refuse(session->client, TB_BAD_FILE,
                         "A line names its side (giver, receiver or others) and then a member, or "
                         "how many others: fill both in.");
}

static bool row_is_empty(const struct reading *reading) {
    for (size_t i = 0; i < reading->n_cells; i++)
        if (*reading->cells[i])
            return false;
    return true;
}

static void row_end(int end, void *user) {
    struct reading *reading = user;
    (void)end;
    if (reading->r == CLIENT_DONE && !row_is_empty(reading)) {
        reading->r = reading->is_headed ? row_read(reading) : header_read(reading);
        if (reading->r != CLIENT_DONE && reading->is_headed)
            client_line(stderr, "%s, line %zu: nothing was recorded.", reading->path,
                        reading->line);
    }
    reading->n_cells = 0;
}

static int rows_read(struct reading *reading, const char *text, size_t n) {
    struct csv_parser parser;
    bool is_read = csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) == 0;
    for (const char *end; is_read && n > 0; n -= (size_t)(end - text), text = end) {
        const char *newline = memchr(text, '\n', n);
        end = newline ? newline + 1 : text + n;
        size_t n_line = (size_t)(end - text);
        reading->line++;
        is_read = csv_parse(&parser, text, n_line, cell_take, row_end, reading) == n_line;
    }
    is_read = is_read && csv_fini(&parser, cell_take, row_end, reading) == 0;
    csv_free(&parser);
    if (reading->r == CLIENT_DONE && (!is_read || !reading->is_headed))
        return client_refuse(reading->session->client, TB_BAD_FILE,
                             "%s is no CSV with a header line: save it as CSV UTF-8.",
                             reading->path);
    return reading->r;
}

int session_file_read(struct session *session, const char *path, char **ret_bytes) {
    struct reading reading = {.session = session, .path = path};
    struct bytes file = {0};
    int r = file_read(path, FILE_BYTES_MAX, &file);
    if (r < 0) {
        bytes_fini(&file);
        return client_refuse(session->client, TB_BAD_FILE, "%s cannot be read: %s.", path,
                             strerror(-r));
    }
    bytes_put(&file, "", 1);
    session->text = calloc(1, 2 * file.n + 2);
    if (file.r < 0 || !session->text || memchr(file.data, '\0', file.n - 1)) {
        bytes_fini(&file);
        return client_refuse(session->client, TB_BAD_FILE, "%s is no text: save it as CSV UTF-8.",
                             path);
    }
    size_t n_mark = file.n > 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    r = rows_read(&reading, (const char *)file.data + n_mark, file.n - 1 - n_mark);
    if (r == CLIENT_DONE)
        *ret_bytes = (char *)TAKE(file.data);
    bytes_fini(&file);
    return r;
}

void session_fini(struct session *session) {
    free(TAKE(session->text));
}
