/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a CSV file into rows of cells and keeps the physical line on which each row begins. What
 * kind of file it is follows from its header line, or where another system writes none from the
 * shape of its first row; columns may stand in any order. A file that is none we know is refused
 * whole; a row that is none is refused by itself.
 */
#include "import.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/utf8.h"

static const struct {
    const char *name;
    unsigned forms; /* in which it may stand */
    unsigned needs; /* in which it must stand */
} columns[N_COLUMNS] = {
    [COLUMN_NONE] = {"", 0, 0},
    [COLUMN_CODE] = {"code", IMPORT_ACCOUNTS, IMPORT_ACCOUNTS},
    [COLUMN_KIND] = {"kind", IMPORT_ACCOUNTS | IMPORT_ENTRIES, IMPORT_ACCOUNTS | IMPORT_ENTRIES},
    [COLUMN_JOINED] = {"joined", IMPORT_ACCOUNTS, 0},
    [COLUMN_WARD] = {"ward", IMPORT_ACCOUNTS, 0},
    [COLUMN_AGE_BAND] = {"age_band", IMPORT_ACCOUNTS, 0},
    [COLUMN_REF] = {"ref", IMPORT_ENTRIES, IMPORT_ENTRIES},
    [COLUMN_SERVICE_DATE] = {"service_date", IMPORT_ENTRIES, IMPORT_ENTRIES},
    [COLUMN_ENTERED_DATE] = {"entered_date", IMPORT_ENTRIES, 0},
    [COLUMN_GIVER] = {"giver", IMPORT_ENTRIES | IMPORT_SHEET, IMPORT_SHEET},
    [COLUMN_RECEIVER] = {"receiver", IMPORT_ENTRIES | IMPORT_SHEET, IMPORT_SHEET},
    [COLUMN_FROM] = {"from", IMPORT_ENTRIES, 0},
    [COLUMN_TO] = {"to", IMPORT_ENTRIES, 0},
    [COLUMN_MINUTES] = {"minutes", IMPORT_ENTRIES, IMPORT_ENTRIES},
    [COLUMN_ACTIVITY] = {"activity", IMPORT_ENTRIES | IMPORT_SHEET, 0},
    [COLUMN_OFFER] = {"offer", IMPORT_ENTRIES, 0},
    [COLUMN_ADULTS] = {"adults", IMPORT_ENTRIES, 0},
    [COLUMN_UNDER16] = {"under16", IMPORT_ENTRIES, 0},
    [COLUMN_FUNDER] = {"funder", IMPORT_ENTRIES, 0},
    [COLUMN_REVERSES] = {"reverses", IMPORT_ENTRIES, 0},
    [COLUMN_DATE] = {"date", IMPORT_SHEET, IMPORT_SHEET},
    [COLUMN_TIME] = {"time", IMPORT_SHEET, IMPORT_SHEET},
    [COLUMN_SHEET] = {"sheet", IMPORT_SHEET, IMPORT_SHEET},
    [COLUMN_LINE] = {"line", IMPORT_SHEET, IMPORT_SHEET},
    [COLUMN_THEIRS] = {"theirs", IMPORT_CODES, IMPORT_CODES},
    [COLUMN_OURS] = {"ours", IMPORT_CODES, IMPORT_CODES},
    [COLUMN_SOURCE_ID] = {"source_id", IMPORT_TIMEOVERFLOW, IMPORT_TIMEOVERFLOW},
    [COLUMN_SOURCE_TYPE] = {"source_type", IMPORT_TIMEOVERFLOW, IMPORT_TIMEOVERFLOW},
    [COLUMN_DESTINATION_ID] = {"destination_id", IMPORT_TIMEOVERFLOW, IMPORT_TIMEOVERFLOW},
    [COLUMN_DESTINATION_TYPE] = {"destination_type", IMPORT_TIMEOVERFLOW, IMPORT_TIMEOVERFLOW},
    [COLUMN_AMOUNT] = {"amount", IMPORT_TIMEOVERFLOW | IMPORT_KOMUNITIN,
                       IMPORT_TIMEOVERFLOW | IMPORT_KOMUNITIN},
    [COLUMN_CREATED_AT] = {"created_at", IMPORT_TIMEOVERFLOW, IMPORT_TIMEOVERFLOW},
    [COLUMN_REASON] = {"reason", IMPORT_TIMEOVERFLOW, 0},
    [COLUMN_POST_ID] = {"post_id", IMPORT_TIMEOVERFLOW, 0},
    [COLUMN_SOURCE] = {"source", IMPORT_KOMUNITIN, IMPORT_KOMUNITIN},
    [COLUMN_DESTINATION] = {"destination", IMPORT_KOMUNITIN, IMPORT_KOMUNITIN},
    [COLUMN_DESCRIPTION] = {"description", IMPORT_KOMUNITIN | IMPORT_MUTUAL_CREDIT, 0},
    [COLUMN_PAYER] = {"payer", IMPORT_MUTUAL_CREDIT, IMPORT_MUTUAL_CREDIT},
    [COLUMN_PAYEE] = {"payee", IMPORT_MUTUAL_CREDIT, IMPORT_MUTUAL_CREDIT},
    [COLUMN_QUANTITY] = {"quantity", IMPORT_MUTUAL_CREDIT, IMPORT_MUTUAL_CREDIT},
    [COLUMN_CREATED] = {"created", IMPORT_MUTUAL_CREDIT, IMPORT_MUTUAL_CREDIT},
    [COLUMN_STATE] = {"state", IMPORT_MUTUAL_CREDIT, IMPORT_MUTUAL_CREDIT},
    [COLUMN_TYPE] = {"type", IMPORT_MUTUAL_CREDIT, 0},
    [COLUMN_CATEGORIES] = {"categories", IMPORT_MUTUAL_CREDIT, 0},
};

/* The column that only this kind of file has, and the name by which it is spoken of. */
static const struct {
    enum import_form form;
    enum import_column mark;
    const char *name;
} forms[] = {
    {IMPORT_ACCOUNTS, COLUMN_CODE, "a list of accounts"},
    {IMPORT_ENTRIES, COLUMN_REF, "a list of entries"},
    {IMPORT_SHEET, COLUMN_DATE, "a sheet"},
    {IMPORT_CODES, COLUMN_THEIRS, "a list of codes"},
    {IMPORT_TIMEOVERFLOW, COLUMN_SOURCE_ID, "TimeOverflow's transfers"},
    {IMPORT_KOMUNITIN, COLUMN_SOURCE, "komunitin's transfers"},
    {IMPORT_MUTUAL_CREDIT, COLUMN_PAYER, "mutual_credit's transactions"},
};

/* One reading of a file. The parser hands out cells and ends of rows; r is sticky. */
struct reader {
    struct import *import;
    struct import_file *file;
    struct csv_parser parser;
    struct bytes text;
    struct bytes cells;  /* of size_t */
    struct bytes rows;   /* of struct import_row */
    size_t n_pending;    /* cells of the row being read */
    uint32_t line;       /* of the file */
    uint32_t first_line; /* of the row being read; 0 between rows */
    bool headed;
    int r;
};

const char *import_file_column(enum import_column column) {
    return columns[column].name;
}

const char *import_file_cell(const struct import_row *row, enum import_column column) {
    const struct import_file *file = row->file;
    size_t place = file->places[column];
    return place && place <= row->n_cells ? file->text + file->cells[row->first + place - 1] : "";
}

void import_file_fini(struct import_file *file) {
    free(file->text);
    free(file->cells);
    free(file->rows);
    *file = (struct import_file){0};
}

static void cell_take(void *data, size_t n, void *user) {
    struct reader *reader = user;
    size_t at = reader->text.n;
    bytes_put(&reader->text, data, n);
    bytes_put_u8(&reader->text, 0);
    bytes_put(&reader->cells, &at, sizeof(at));
    reader->n_pending++;
    if (reader->text.r < 0 || reader->cells.r < 0)
        reader->r = -ENOMEM;
}

static const char *cell_at(const struct reader *reader, size_t i) {
    size_t at;
    memcpy(&at, reader->cells.data + i * sizeof(at), sizeof(at));
    return (const char *)reader->text.data + at;
}

static enum import_column column_find(const char *name) {
    for (int column = COLUMN_NONE + 1; column < N_COLUMNS; column++)
        if (strcasecmp(columns[column].name, name) == 0)
            return (enum import_column)column;
    return COLUMN_NONE;
}

static int header_refuse(struct reader *reader, const char *column, const char *sentence) {
    return import_refuse(reader->import, reader->file, NULL, reader->first_line, column,
                         TB_BAD_FILE, "%s", sentence);
}

/* Which kind of file has these columns; its index in forms, or -1. */
static int header_form(const size_t places[N_COLUMNS]) {
    for (size_t i = 0; i < N_ELEMENTS(forms); i++)
        if (places[forms[i].mark])
            return (int)i;
    return -1;
}

static int header_check(struct reader *reader, const char *form_name) {
    struct import_file *file = reader->file;
    int n_missing = 0;
    for (int column = COLUMN_NONE + 1; column < N_COLUMNS; column++) {
        if (file->places[column] || !(columns[column].needs & file->form))
            continue;
        n_missing++;
        int r = import_refuse(reader->import, file, NULL, reader->first_line, columns[column].name,
                              TB_MISSING_COLUMN, "The header of %s needs a column %s: add it.",
                              form_name, columns[column].name);
        if (r < 0)
            return r;
    }
    return n_missing ? TB_MISSING_COLUMN : 0;
}

/* Finds the columns; every one that does not belong is refused. */
static int header_read(struct reader *reader, size_t n) {
    struct import_file *file = reader->file;
    int refused = 0;
    for (size_t i = 0; i < n; i++) {
        enum import_column column = column_find(cell_at(reader, i));
        if (column != COLUMN_NONE && !file->places[column])
            file->places[column] = i + 1;
    }
    int form = header_form(file->places);
    if (form < 0 && n == 1 && strpbrk(cell_at(reader, 0), ";\t"))
        return header_refuse(reader, "",
                             "The columns are not parted by commas: save the file as CSV UTF-8 "
                             "with commas.");
    if (form < 0)
        return header_refuse(reader, "",
                             "This header line is none that is known: a list of accounts has a "
                             "column code, a list of entries ref, a sheet date. See timebank(1), "
                             "FILES.");
    file->form = forms[form].form;
    file->n_header = n;
    for (size_t i = 0; i < n; i++) {
        const char *name = cell_at(reader, i);
        enum import_column column = column_find(name);
        if (column != COLUMN_NONE && columns[column].forms & file->form &&
            file->places[column] == i + 1)
            continue;
        refused = import_refuse(
            reader->import, file, NULL, reader->first_line, name, TB_BAD_FILE,
            "The column \"%s\" %s in %s: take it out, so that nothing in it is "
            "thought to be recorded.",
            name, column && file->places[column] != i + 1 ? "stands twice" : "does not belong",
            forms[form].name);
        if (refused < 0)
            return refused;
    }
    int r = header_check(reader, forms[form].name);
    return r ? r : refused;
}

static bool is_word(const char *text) {
    return *text &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text);
}

static bool is_digits(const char *text) {
    return *text && strspn(text, "0123456789") == strlen(text);
}

/* TimeOverflow writes no header: its columns are known by their places, and its file by the shape
 * of its first row. */
static bool shape_is_timeoverflow(const struct reader *reader, size_t n) {
    return n == COLUMN_POST_ID - COLUMN_SOURCE_ID + 1 && is_word(cell_at(reader, 1)) &&
           is_word(cell_at(reader, 3)) && is_digits(cell_at(reader, 4));
}

static void header_suppose_timeoverflow(struct reader *reader) {
    struct import_file *file = reader->file;
    file->form = IMPORT_TIMEOVERFLOW;
    for (int column = COLUMN_SOURCE_ID; column <= COLUMN_POST_ID; column++)
        file->places[column] = ++file->n_header;
    reader->headed = true;
}

static int width_check(struct reader *reader, struct import_row *row) {
    struct import_file *file = reader->file;
    if (row->n_cells > file->n_header)
        return import_refuse(reader->import, file, row, row->line, "", TB_BAD_FILE,
                             "The row has %zu columns and the header %zu: put text with a comma "
                             "in quotes.",
                             row->n_cells, file->n_header);
    int column = COLUMN_NONE + 1;
    while (column < N_COLUMNS && file->places[column] != row->n_cells + 1)
        column++;
    if (column == N_COLUMNS)
        return 0;
    return import_refuse(
        reader->import, file, row, row->line, columns[column].name, TB_MISSING_COLUMN,
        "The row ends before the column %s: fill in what is missing.", columns[column].name);
}

/* Refuses what cannot be a row of this header; 0 when it can. */
static int row_check(struct reader *reader, struct import_row *row) {
    struct import_file *file = reader->file;
    int r = width_check(reader, row);
    for (int column = COLUMN_NONE + 1; column < N_COLUMNS && r == 0; column++) {
        size_t place = file->places[column];
        const char *cell = place ? cell_at(reader, row->first + place - 1) : "";
        if (!utf8_is_valid(cell, strlen(cell)))
            r = import_refuse(reader->import, file, row, row->line, columns[column].name,
                              TB_BAD_TEXT, "This is not UTF-8: save the file as CSV UTF-8.");
    }
    return r;
}

/* As spreadsheets leave them at the end. */
static bool row_is_empty(const struct reader *reader, const struct import_row *row) {
    size_t i = 0;
    while (i < row->n_cells && !*cell_at(reader, row->first + i))
        i++;
    return i == row->n_cells;
}

static void row_end(int terminator _unused_, void *user) {
    struct reader *reader = user;
    size_t n_all = reader->cells.n / sizeof(size_t);
    struct import_row row = {
        .file = reader->file,
        .line = reader->first_line,
        .first = n_all - reader->n_pending,
        .n_cells = reader->n_pending,
    };
    if (reader->r == 0 && !reader->headed && shape_is_timeoverflow(reader, row.n_cells))
        header_suppose_timeoverflow(reader);
    if (reader->r == 0 && reader->headed && row_is_empty(reader, &row)) {
        reader->cells.n -= reader->n_pending * sizeof(size_t);
    } else if (reader->r == 0 && reader->headed) {
        int r = row_check(reader, &row);
        reader->r = r < 0 ? r : 0;
        bytes_put(&reader->rows, &row, sizeof(row));
    } else if (reader->r == 0) {
        reader->r = header_read(reader, row.n_cells);
        reader->headed = true;
        bytes_clear(&reader->cells);
    }
    reader->n_pending = 0;
    reader->first_line = 0;
}

/* A row that is no CSV: refused, and reading goes on with the next line. */
static int row_broken(struct reader *reader, const char *sentence) {
    struct import_row row = {.file = reader->file, .line = reader->first_line};
    int r = import_refuse(reader->import, reader->file, &row, row.line, "", TB_BAD_FILE, "%s",
                          sentence);
    csv_free(&reader->parser);
    csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI);
    reader->cells.n -= reader->n_pending * sizeof(size_t);
    reader->n_pending = 0;
    reader->first_line = 0;
    if (r < 0 || !reader->headed)
        return r;
    bytes_put(&reader->rows, &row, sizeof(row));
    return 0;
}

static int line_read(struct reader *reader, const char *line, size_t n) {
    reader->line++;
    if (reader->line == 1 && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        n -= 3;
    }
    if (!reader->first_line) {
        if (strspn(line, " \t\r\n") == n)
            return 0;
        reader->first_line = reader->line;
    }
    if (memchr(line, '\0', n))
        return row_broken(reader, "The row holds a zero byte: save the file as CSV UTF-8.");
    if (csv_parse(&reader->parser, line, n, cell_take, row_end, reader) != n) {
        if (csv_error(&reader->parser) != CSV_EPARSE)
            return -ENOMEM;
        return row_broken(reader, "A quote stands inside a cell: put the whole cell in quotes and "
                                  "double those inside.");
    }
    return reader->r;
}

static int stream_read(struct reader *reader, FILE *stream) {
    _cleanup_(freep) char *line = NULL;
    size_t n_allocated = 0;
    ssize_t n;
    while ((n = getline(&line, &n_allocated, stream)) >= 0) {
        int r = line_read(reader, line, (size_t)n);
        if (r != 0)
            return r;
    }
    if (ferror(stream))
        return errno ? -errno : -EIO;
    if (csv_fini(&reader->parser, cell_take, row_end, reader) != 0)
        return row_broken(reader, "A quote is opened here and never closed: close it.");
    if (reader->r == 0 && !reader->headed)
        return import_refuse(reader->import, reader->file, NULL, 1, "", TB_BAD_FILE,
                             "The file is empty: it begins with a header line.");
    return reader->r;
}

static void reader_finish(struct reader *reader) {
    struct import_file *file = reader->file;
    file->n_rows = reader->rows.n / sizeof(struct import_row);
    file->text = (char *)TAKE(reader->text.data);
    file->cells = (size_t *)(void *)TAKE(reader->cells.data);
    file->rows = (struct import_row *)(void *)TAKE(reader->rows.data);
}

int import_file_read(struct import *import, struct import_file *file) {
    FILE *stream = NULL;
    if (strcmp(file->path, "-") == 0) {
        file->path = "standard input";
        stream = fdopen(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), "r");
    } else {
        stream = fopen(file->path, "re");
    }
    if (!stream)
        return import_refuse(import, file, NULL, 0, "", TB_BAD_FILE,
                             "The file cannot be opened: %s.", strerror(errno));
    struct reader reader = {.import = import, .file = file};
    csv_init(&reader.parser, CSV_STRICT | CSV_STRICT_FINI);
    int r = stream_read(&reader, stream);
    if (r < 0 && r != -ENOMEM)
        r = import_refuse(import, file, NULL, 0, "", TB_BAD_FILE, "The file cannot be read: %s.",
                          strerror(-r));
    if (r == 0 && (reader.text.r < 0 || reader.cells.r < 0 || reader.rows.r < 0))
        r = -ENOMEM;
    if (r == 0)
        reader_finish(&reader);
    csv_free(&reader.parser);
    bytes_fini(&reader.text);
    bytes_fini(&reader.cells);
    bytes_fini(&reader.rows);
    fclose(stream);
    return r;
}
