/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank sheet: what a broker enters from paper. A file goes the way of `timebank import`, with
 * the control total checked before the bank is asked; without a file the lines are typed.
 */
#include "sheet.h"

#include <string.h>
#include <unistd.h>

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
    if (status == CLIENT_DONE && !import->dry_run)
        status = sheet_kept_settle(client);
    return status == CLIENT_DONE ? import_files(import, &path, 1, file_check, control) : status;
}

/* Without a file at a terminal, or with --typed, lines are typed. */
static int typed_check(const struct import *import, const char *path, bool typed) {
    if (path && typed)
        return client_usage(&verb_sheet, "--typed reads lines as typed, and no file.");
    if (!path && !typed && !isatty(STDIN_FILENO))
        return client_usage(&verb_sheet,
                            "Name the sheet's file, or - for standard input; at a terminal lines "
                            "can be typed.");
    if (!path && (import->dry_run || import->skip_bad))
        return client_usage(&verb_sheet, "--dry-run and --skip-bad go with a file.");
    return CLIENT_DONE;
}

static int sheet_run(struct client *client, int argc, char **argv) {
    _cleanup_(import_fini) struct import import = {.client = client, .lines = true};
    struct sheet_typed typed = {0};
    char *path = NULL, *lines = NULL, *total = NULL;
    bool is_typed = false;
    const struct options_one options[] = {
        OPTION_FLAG("dry-run", &import.dry_run),
        OPTION_FLAG("skip-bad", &import.skip_bad),
        OPTION_TEXT("lines", &lines),
        OPTION_TEXT("total", &total),
        OPTION_FLAG("typed", &is_typed),
        OPTION_TEXT("sheet", &typed.sheet),
        OPTION_TEXT("on", &typed.on),
        OPTION_END,
    };
    int status = options_read(&verb_sheet, argc, argv, options, 0, 1, &path);
    if (status == CLIENT_DONE)
        status = typed_check(&import, path, is_typed);
    if (status == CLIENT_DONE && path && (typed.sheet || typed.on))
        status = client_usage(&verb_sheet, "A file says its sheet and dates itself.");
    if (status == CLIENT_DONE)
        status = sheet_control_read(client, lines, total, &typed.control);
    if (status != CLIENT_DONE)
        return status;
    return path ? file_run(client, &import, path, &typed.control) : sheet_typed_run(client, &typed);
}

const struct verb verb_sheet = {
    .name = "sheet",
    .summary = "enter what was written down on paper",
    .help =
        "timebank sheet march.csv --lines 7 --total 14h45\n"
        "timebank sheet --sheet 2025-03-A --on 5/3/2025\n"
        "\n"
        "Takes in a sheet that was typed into a file with the columns\n"
        "  date,giver,receiver,time,activity,sheet,line\n"
        "or with - from standard input. A member as receiver makes an exchange, an organisation\n"
        "an earn. Nothing is recorded unless every line is good; the same sheet again records\n"
        "nothing. Without a file, lines are typed one by one; ? explains how.\n"
        "\n"
        "  --lines N      how many lines the paper has\n"
        "  --total TIME   how many hours they add up to; either is checked first\n"
        "  --dry-run      try a file and record nothing\n"
        "  --skip-bad     leave bad lines out, list them, and record the rest; exit status 1\n"
        "  --sheet NAME   what stands on the sheet that is typed; asked for otherwise\n"
        "  --on DATE      the date to begin with; today\n"
        "  --typed        read typed lines from standard input, without prompts\n"
        "\n"
        "While the bank does not answer, typed lines are kept here; the next timebank sheet posts\n"
        "them. Exit status 3: some are still kept.\n",
    .run = sheet_run,
};
