/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank sheet: what a broker enters from paper. A file goes the way of `timebank import`, with
 * the control total checked before the bank is asked; without a file the lines are typed.
 */
#include "sheet.h"

#include <string.h>

#include "base/cleanup.h"
#include "import.h"
#include "options.h"
#include "verbs.h"

static uint64_t rows_minutes(const struct import_file *file, uint64_t *ret_unread) {
    uint64_t minutes = 0;
    *ret_unread = 0;
    for (size_t i = 0; i < file->n_rows; i++) {
        uint64_t one;
        if (tb_time_parse(import_file_cell(&file->rows[i], COLUMN_TIME), &one, NULL, 0) == 0)
            minutes += one;
        else
            (*ret_unread)++;
    }
    return minutes;
}

static int file_check(void *user, struct import *import) {
    const struct sheet_control *control = user;
    const struct import_file *file = &import->files[0];
    uint64_t n_unread;
    if (file->form != IMPORT_SHEET)
        return client_refuse(import->client, TB_BAD_FILE,
                             "%s is no sheet (date,giver,receiver,time,activity,sheet,line): take "
                             "it in with timebank import.",
                             file->path);
    uint64_t minutes = rows_minutes(file, &n_unread);
    if (sheet_control_agrees(control, file->n_rows, minutes))
        return CLIENT_DONE;
    _cleanup_(freep) char *words = sheet_control_words(control, file->n_rows, minutes);
    return client_refuse(import->client, TB_CONTROL_TOTAL,
                         "%s%s. Nothing was recorded: count the paper again, or look for the line "
                         "that is missing, twice there or mistyped.",
                         words ? words : "", n_unread ? ", times that cannot be read apart" : "");
}

static int file_run(struct client *client, struct import *import, char *path,
                    struct sheet_control *control) {
    int status = client_open(client);
    return status == CLIENT_DONE ? import_files(import, &path, 1, file_check, control) : status;
}

static int sheet_run(struct client *client, int argc, char **argv) {
    _cleanup_(import_fini) struct import import = {.client = client, .lines = true};
    struct sheet_typed typed = {0};
    char *path = NULL, *lines = NULL, *total = NULL;
    const struct options_one options[] = {
        OPTION_FLAG("dry-run", &import.dry_run),
        OPTION_FLAG("skip-bad", &import.skip_bad),
        OPTION_TEXT("lines", &lines),
        OPTION_TEXT("total", &total),
        OPTION_END,
    };
    int status = options_read(&verb_sheet, argc, argv, options, 1, 1, &path);
    if (status == CLIENT_DONE)
        status = sheet_control_read(client, lines, total, &typed.control);
    return status == CLIENT_DONE ? file_run(client, &import, path, &typed.control) : status;
}

const struct verb verb_sheet = {
    .name = "sheet",
    .summary = "enter what was written down on paper",
    .help =
        "timebank sheet march.csv --lines 7 --total 14h45\n"
        "\n"
        "Takes in a sheet that was typed into a file with the columns\n"
        "  date,giver,receiver,time,activity,sheet,line\n"
        "or with - from standard input. A member as receiver makes an exchange, an organisation\n"
        "an earn. Nothing is recorded unless every line is good; the same sheet again records\n"
        "nothing.\n"
        "\n"
        "  --lines N      how many lines the paper has\n"
        "  --total TIME   how many hours they add up to; either is checked first\n"
        "  --dry-run      try it and record nothing\n"
        "  --skip-bad     leave bad lines out, list them, and record the rest; exit status 1\n",
    .run = sheet_run,
};
