/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank import: accounts, old books and sheets from CSV files, as one import. Promises that
 * nothing is recorded unless every row is good (or the bad ones are to be left out), that every bad
 * row is named with its line, column and reason, and that the same files record nothing twice.
 */
#include "import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"

char *import_key(const char *source, const char *key) {
    char *full;
    return asprintf(&full, "%s/%s", source, key) < 0 ? NULL : full;
}

struct import_item *import_list_add(struct import_list *list) {
    if (list->n == list->n_allocated) {
        size_t n = list->n_allocated ? list->n_allocated * 2 : 256;
        struct import_item *items = reallocarray(list->items, n, sizeof(*items));
        if (!items)
            return NULL;
        list->items = items;
        list->n_allocated = n;
    }
    list->items[list->n] = (struct import_item){.order = TB_ORDER_INIT};
    return &list->items[list->n++];
}

int import_refuse(struct import *import, struct import_file *file, struct import_row *row,
                  uint32_t line, const char *column, int refusal, const char *format, ...) {
    _cleanup_(freep) char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int n = vasprintf(&message, format, arguments);
    va_end(arguments);
    if (n < 0)
        message = NULL;
    _cleanup_(freep) char *column_copy = strdup(column);
    struct import_refused *refused =
        reallocarray(import->refused, import->n_refused + 1, sizeof(*refused));
    if (refused)
        import->refused = refused;
    if (!refused || !message || !column_copy)
        return -ENOMEM;
    refused[import->n_refused++] = (struct import_refused){.path = file->path,
                                                           .file = (size_t)(file - import->files),
                                                           .line = line,
                                                           .column = TAKE(column_copy),
                                                           .refusal = refusal,
                                                           .message = TAKE(message)};
    if (row)
        row->refused = true;
    return refusal;
}

void import_fini(struct import *import) {
    for (size_t i = 0; i < import->n_files; i++)
        import_file_fini(&import->files[i]);
    free(import->files);
    for (int phase = 0; phase < N_PHASES; phase++)
        free(import->lists[phase].items);
    import_map_fini(&import->rows);
    import_map_fini(&import->accounts);
    import_codes_fini(import);
    for (size_t i = 0; i < import->n_refused; i++) {
        free(import->refused[i].column);
        free(import->refused[i].message);
    }
    free(import->refused);
    for (size_t i = 0; i < import->n_warned; i++)
        free(import->warned[i].message);
    free(import->warned);
}

/* Reads all files, so that all that cannot be read are told at once. */
static int files_read(struct import *import, char **paths, size_t n) {
    int refused = 0;
    import->files = calloc(n, sizeof(*import->files));
    if (!import->files)
        return -ENOMEM;
    import->n_files = n;
    for (size_t i = 0; i < n; i++) {
        import->files[i].path = paths[i];
        int r = import_file_read(import, &import->files[i]);
        if (r < 0)
            return r;
        refused = r ? r : refused;
    }
    return refused;
}

/* One sentence instead of one for each row. */
static int history_check(struct import *import) {
    if (!import->history || tb_bank_role(import->client->bank) == TB_ROLE_STEWARD)
        return CLIENT_DONE;
    return client_refuse(import->client, TB_HISTORY_STEWARD, "%s",
                         tb_refusal_sentence(TB_HISTORY_STEWARD));
}

static int files_record(struct import *import) {
    int status = client_open(import->client);
    if (status == CLIENT_DONE)
        status = history_check(import);
    if (status != CLIENT_DONE)
        return status;
    int r = import_row_read_all(import);
    if (r == 0 && import->history)
        r = import_names_declare(import);
    if (r != 0)
        return client_outcome(import->client, r);
    status = import_run(import);
    if (!import->stopped)
        import_tell(import, status);
    return status;
}

int import_files(struct import *import, char **paths, size_t n,
                 int (*check)(void *user, struct import *import), void *user) {
    int r = files_read(import, paths, n);
    if (r < 0)
        return client_outcome(import->client, r);
    if (r > 0) {
        import_tell(import, CLIENT_REFUSED);
        return CLIENT_REFUSED;
    }
    int status = check ? check(user, import) : CLIENT_DONE;
    return status == CLIENT_DONE ? files_record(import) : status;
}

static int import_verb(struct client *client, int argc, char **argv) {
    _cleanup_(import_fini) struct import import = {.client = client};
    char **paths;
    int n_paths;
    const struct options_one options[] = {OPTION_FLAG("dry-run", &import.dry_run),
                                          OPTION_FLAG("history", &import.history),
                                          OPTION_FLAG("skip-bad", &import.skip_bad),
                                          OPTION_TEXT("activity", &import.foreign.activity),
                                          OPTION_TEXT("code-map", &import.foreign.code_map),
                                          OPTION_TEXT("code-form", &import.foreign.code_form),
                                          OPTION_TEXT("on", &import.foreign.on),
                                          OPTION_END};
    int status = options_read_many(&verb_import, argc, argv, options, 1, &paths, &n_paths);
    if (status != CLIENT_DONE)
        return status;
    if (!import.foreign.code_map)
        return import_files(&import, paths, (size_t)n_paths, import_foreign_check, NULL);
    _cleanup_(freep) char **all = calloc((size_t)n_paths + 1, sizeof(*all));
    if (!all)
        return client_outcome(client, -ENOMEM);
    memcpy(all, paths, (size_t)n_paths * sizeof(*all));
    all[n_paths] = import.foreign.code_map;
    return import_files(&import, all, (size_t)n_paths + 1, import_foreign_check, NULL);
}

const struct verb verb_import = {
    .name = "import",
    .summary = "take in accounts, entries and sheets from CSV files",
    .help = "timebank import accounts.csv entries.csv --history --dry-run\n"
            "\n"
            "Takes in CSV files as one import. Their order does not matter; what each is follows\n"
            "from its header line:\n"
            "  accounts  code,kind,joined,ward,age_band\n"
            "  entries   ref,kind,service_date,entered_date,giver,receiver,from,to,minutes,\n"
            "            activity,offer,adults,under16,funder,reverses\n"
            "  sheet     date,giver,receiver,time,activity,sheet,line\n"
            "Also, all rows being exchanges: the transfers of TimeOverflow (no header) and of\n"
            "komunitin (Source,Destination,Description,Amount), and mutual_credit's (payer,payee,\n"
            "quantity,created,state,type,description,categories). What people wrote there goes to\n"
            "the notes beside the ledger.\n"
            "Everything is tried first; nothing is recorded unless every row is good. The same\n"
            "files a second time record nothing.\n"
            "\n"
            "  --dry-run   try it and record nothing\n"
            "  --history   old books (stewards): dates of entry are kept, limits only warn, and\n"
            "              activities, offers and funders that are met are declared\n"
            "  --skip-bad  leave bad rows out, list them, and record the rest; exit status 1\n"
            "\n"
            "For files of other systems:\n"
            "  --activity NAME   what all of it was for; mutual_credit's categories else\n"
            "  --code-map FILE   a list theirs,ours: which account is whose\n"
            "  --code-form FORM  of numbers: by m0000, 7 is m0007\n"
            "  --on DATE         of service, where the file has no dates (komunitin)\n",
    .run = import_verb,
};
