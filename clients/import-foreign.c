/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of TimeOverflow's, komunitin's and mutual_credit's files as exchanges: the payer received
 * help, the payee gave it. What people wrote about it goes to the note beside the ledger, never
 * into it. A row has no name of its own there, so its id is made of what it says, and of how many
 * like it stand before it in its file: the same file, also one that grew, records nothing twice.
 */
#include "import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define WHY_BYTES 400
#define DECIMALS_MAX 6
#define DAY_S 86400u

#define CELL(row, column) import_file_cell(row, column)
#define refuse(import, row, column, refusal, ...)                                                  \
    import_refuse(import, (row)->file, row, (row)->line, import_file_column(column), refusal,      \
                  __VA_ARGS__)

/* Where what we need stands; COLUMN_NONE: nowhere. */
static const struct shape {
    enum import_form form;
    const char *name;
    enum import_column payer, payer_type, payee, payee_type;
    enum import_column amount;
    bool in_seconds;
    enum import_column created;
    enum import_column state;
    enum import_column activity;
    enum import_column words;
    enum import_column rest[2]; /* that tell rows apart */
} shapes[] = {
    {
        .form = IMPORT_TIMEOVERFLOW,
        .name = "timeoverflow",
        .payer = COLUMN_SOURCE_ID,
        .payer_type = COLUMN_SOURCE_TYPE,
        .payee = COLUMN_DESTINATION_ID,
        .payee_type = COLUMN_DESTINATION_TYPE,
        .amount = COLUMN_AMOUNT,
        .in_seconds = true,
        .created = COLUMN_CREATED_AT,
        .words = COLUMN_REASON,
        .rest = {COLUMN_POST_ID},
    },
    {
        .form = IMPORT_KOMUNITIN,
        .name = "komunitin",
        .payer = COLUMN_SOURCE,
        .payee = COLUMN_DESTINATION,
        .amount = COLUMN_AMOUNT,
        .words = COLUMN_DESCRIPTION,
    },
    {
        .form = IMPORT_MUTUAL_CREDIT,
        .name = "mutual_credit",
        .payer = COLUMN_PAYER,
        .payee = COLUMN_PAYEE,
        .amount = COLUMN_QUANTITY,
        .created = COLUMN_CREATED,
        .state = COLUMN_STATE,
        .activity = COLUMN_CATEGORIES,
        .words = COLUMN_DESCRIPTION,
        .rest = {COLUMN_TYPE, COLUMN_CATEGORIES},
    },
};

static const struct shape *shape_of(const struct import_file *file) {
    for (size_t i = 0; i < N_ELEMENTS(shapes); i++)
        if (shapes[i].form == file->form)
            return &shapes[i];
    return NULL;
}

/* ------------------------------------------------------------------ options */

/* The list of codes is the last of the files. */
static int map_check(const struct import *import) {
    const struct import_file *file = &import->files[import->n_files - 1];
    if (!import->foreign.code_map || file->form == IMPORT_CODES)
        return CLIENT_DONE;
    return client_refuse(import->client, TB_BAD_FILE,
                         "%s is no list of codes: its header line is theirs,ours.", file->path);
}

static int day_check(struct import *import, const struct import_file *file) {
    char why[WHY_BYTES] = "";
    if (shape_of(file)->created)
        return CLIENT_DONE;
    if (!import->foreign.on)
        return client_refuse(import->client, TB_MISSING_COLUMN,
                             "%s holds no dates: say on which day all of it was done with --on "
                             "2025-03-05.",
                             file->path);
    int r = import_row_day(import->foreign.on, &import->foreign.day, why, sizeof(why));
    return r ? client_outcome_why(import->client, r, why) : CLIENT_DONE;
}

static int activity_check(const struct import *import, const struct import_file *file) {
    if (import->foreign.activity || shape_of(file)->activity)
        return CLIENT_DONE;
    return client_refuse(import->client, TB_UNKNOWN_ACTIVITY,
                         "%s does not say what was done: name the activity of all of it with "
                         "--activity, for example one called unknown.",
                         file->path);
}

static int form_check(const struct import *import) {
    const char *form = import->foreign.code_form;
    if (!form || import_codes_form_is_valid(form))
        return CLIENT_DONE;
    return client_usage(&verb_import,
                        "--code-form is small letters and then noughts, as many as the codes have "
                        "digits: m0000.");
}

int import_foreign_check(void *user _unused_, struct import *import) {
    const struct import_foreign *foreign = &import->foreign;
    bool is_any = false, is_dateless = false;
    int status = form_check(import);
    if (status == CLIENT_DONE)
        status = map_check(import);
    for (size_t i = 0; i < import->n_files && status == CLIENT_DONE; i++) {
        const struct import_file *file = &import->files[i];
        if (!(file->form & IMPORT_FOREIGN))
            continue;
        is_any = true;
        is_dateless = is_dateless || !shape_of(file)->created;
        status = day_check(import, file);
        if (status == CLIENT_DONE)
            status = activity_check(import, file);
    }
    if (status != CLIENT_DONE)
        return status;
    if (!is_any && (foreign->activity || foreign->code_map || foreign->code_form))
        return client_usage(&verb_import, "--activity, --code-map and --code-form are for the "
                                          "files of other systems, and there is none.");
    if (foreign->on && !is_dateless)
        return client_usage(&verb_import, "--on is for files without dates, and there is none.");
    return CLIENT_DONE;
}

/* --------------------------------------------------------------------- time */

static int seconds_read(struct import *import, struct import_row *row, enum import_column column,
                        uint64_t *ret_minutes) {
    uint64_t seconds = 0;
    int r = import_row_number(import, row, column, &seconds);
    if (r != 0)
        return r;
    if (seconds % 60 != 0)
        return refuse(import, row, column, TB_NOT_IN_QUANTUM,
                      "%" PRIu64 " seconds are %" PRIu64 " min and %" PRIu64 " s: the ledger holds "
                      "whole minutes. Put the figure right in the file.",
                      seconds, seconds / 60, seconds % 60);
    *ret_minutes = seconds / 60;
    return 0;
}

static bool is_decimal(const char *text) {
    size_t n_whole = strspn(text, "0123456789");
    const char *point = text + n_whole;
    size_t n_decimals = *point ? strspn(point + 1, "0123456789") : 0;
    return n_whole > 0 && n_whole <= 7 &&
           (!*point || (strchr(".,", *point) && n_decimals > 0 && n_decimals <= DECIMALS_MAX &&
                        !point[1 + n_decimals]));
}

/* A program wrote these hours, not a person: 2.30 is two hours and three tenths. */
static int decimal_read(struct import *import, struct import_row *row, enum import_column column,
                        uint64_t *ret_minutes) {
    const char *text = CELL(row, column);
    uint64_t scaled = 0, scale = 1;
    bool is_past_point = false;
    for (; *text; text++) {
        if (!strchr(".,", *text)) {
            scaled = scaled * 10 + (uint64_t)(*text - '0');
            scale = is_past_point ? scale * 10 : scale;
        }
        is_past_point = is_past_point || strchr(".,", *text);
    }
    if (scaled * 60 % scale != 0)
        return refuse(import, row, column, TB_NOT_IN_QUANTUM,
                      "%s hours are no whole number of minutes, and the ledger holds whole "
                      "minutes. Put the figure right in the file.",
                      CELL(row, column));
    *ret_minutes = scaled * 60 / scale;
    return 0;
}

static int hours_read(struct import *import, struct import_row *row, enum import_column column,
                      uint64_t *ret_minutes) {
    char why[WHY_BYTES] = "";
    const char *text = CELL(row, column);
    if (is_decimal(text))
        return decimal_read(import, row, column, ret_minutes);
    if (*text == '-' && is_decimal(text + 1))
        return refuse(import, row, column, TB_NEGATIVE, "%s", tb_refusal_sentence(TB_NEGATIVE));
    int r = tb_time_parse(text, ret_minutes, why, sizeof(why));
    return r > 0 ? refuse(import, row, column, r, "%s", why) : r;
}

static int minutes_read(struct import *import, struct import_row *row, const struct shape *shape,
                        struct tb_order *order) {
    int r = import_row_need(import, row, shape->amount);
    if (r == 0)
        r = shape->in_seconds ? seconds_read(import, row, shape->amount, &order->minutes)
                              : hours_read(import, row, shape->amount, &order->minutes);
    if (r == 0 && order->minutes == 0)
        r = refuse(import, row, shape->amount, TB_ZERO, "%s", tb_refusal_sentence(TB_ZERO));
    return r;
}

/* --------------------------------------------------------------------- days */

/* "2019-03-05 10:20:30 UTC", "2019-03-05T10:20:30.000Z": the day as it is written. */
static bool is_timestamp(const char *text) {
    return strlen(text) > 10 && strspn(text, "0123456789-") == 10 && strchr(" T", text[10]) &&
           strspn(text + 11, "0123456789:.,+-TZUTC ") == strlen(text + 11);
}

/* Seconds since 1970, of this century. */
static bool is_unix_time(const char *text) {
    size_t n = strlen(text);
    return (n == 9 || n == 10) && strspn(text, "0123456789") == n;
}

static int day_read(struct import *import, struct import_row *row, const struct shape *shape,
                    struct tb_order *order) {
    char why[WHY_BYTES] = "", date[11];
    const char *text = CELL(row, shape->created);
    if (!shape->created) {
        order->service_day = import->foreign.day;
        return 0;
    }
    int r = import_row_need(import, row, shape->created);
    if (r != 0)
        return r;
    snprintf(date, sizeof(date), "%s", text);
    if (is_unix_time(text))
        order->service_day = (uint32_t)(strtoull(text, NULL, 10) / DAY_S);
    else
        r = import_row_day(is_timestamp(text) ? date : text, &order->service_day, why, sizeof(why));
    if (r == 0 && import->history)
        order->claimed_day = order->service_day;
    return r > 0 ? refuse(import, row, shape->created, r, "%s", why) : r;
}

/* --------------------------------------------------------------------- rows */

static int state_check(struct import *import, struct import_row *row, const struct shape *shape) {
    static const char *const good[] = {"done", "finished"};
    for (size_t i = 0; i < N_ELEMENTS(good); i++)
        if (!shape->state || strcasecmp(CELL(row, shape->state), good[i]) == 0)
            return 0;
    return refuse(
        import, row, shape->state, TB_BAD_FILE,
        "The state is \"%s\": only what is done or finished has moved hours. Take the row "
        "out, or leave such rows out with --skip-bad.",
        CELL(row, shape->state));
}

static int sides_read(struct import *import, struct import_row *row, const struct shape *shape,
                      struct tb_order *order) {
    const char *payer_type = shape->payer_type ? CELL(row, shape->payer_type) : NULL;
    const char *payee_type = shape->payee_type ? CELL(row, shape->payee_type) : NULL;
    int r = import_codes_find(import, row, shape->payer, payer_type, &order->from);
    if (r == 0)
        r = import_codes_find(import, row, shape->payee, payee_type, &order->to);
    if (r != 0)
        return r;
    bool is_earn = import_map_get(&import->accounts, order->from) == TB_ACCOUNT_ORGANISATION;
    order->kind = is_earn ? TB_EARN : TB_EXCHANGE;
    return 0;
}

/* Lines and tabs within become spaces. */
static const char *words_take(struct import_row *row, enum import_column column) {
    char *words = (char *)(uintptr_t)CELL(row, column);
    for (char *c = words; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    return words;
}

/* What the row says but for its words: those are personal, and may be put right. */
static char *row_key(struct import *import, struct import_row *row, const struct shape *shape) {
    const enum import_column columns[] = {shape->payer,      shape->payer_type, shape->payee,
                                          shape->payee_type, shape->amount,     shape->created,
                                          shape->rest[0],    shape->rest[1]};
    char *key = NULL;
    size_t n_key;
    FILE *stream = open_memstream(&key, &n_key);
    if (!stream)
        return NULL;
    fprintf(stream, "%s/%" PRIu32, shape->name, shape->created ? 0 : import->foreign.day);
    for (size_t i = 0; i < N_ELEMENTS(columns); i++)
        fprintf(stream, "\n%s", columns[i] ? CELL(row, columns[i]) : "");
    if (fclose(stream) == 0)
        return key;
    free(key);
    return NULL;
}

/* The key with the number that is free in this file. *ret_other: a row of another file that has
 * it, or NULL. */
static int key_number(struct import *import, const struct import_row *row, const char *key,
                      char **ret_key, const struct import_row **ret_other) {
    for (unsigned n = 1;; n++) {
        _cleanup_(freep) char *numbered = NULL;
        if (asprintf(&numbered, "%s\n%u", key, n) < 0) {
            numbered = NULL;
            return -ENOMEM;
        }
        _cleanup_(freep) char *full = import_key("ref", numbered);
        if (!full)
            return -ENOMEM;
        *ret_other = (const struct import_row *)import_map_get(&import->rows, full);
        if (*ret_other && (*ret_other)->file == row->file)
            continue;
        *ret_key = TAKE(numbered);
        return 0;
    }
}

static int id_take(struct import *import, struct import_row *row, const struct shape *shape,
                   struct tb_order *order) {
    _cleanup_(freep) char *key = row_key(import, row, shape);
    _cleanup_(freep) char *numbered = NULL;
    const struct import_row *other = NULL;
    int r = key ? key_number(import, row, key, &numbered, &other) : -ENOMEM;
    if (r < 0)
        return r;
    if (other)
        return refuse(import, row, COLUMN_NONE, TB_DUPLICATE_ROW,
                      "%s line %u says the same: leave the row in one of the files.",
                      other->file->path, other->line);
    return import_row_id(import, row, COLUMN_NONE, "ref", numbered, order->id);
}

int import_foreign_read(struct import *import, struct import_row *row, struct tb_order *order) {
    const struct shape *shape = shape_of(row->file);
    int r = id_take(import, row, shape, order);
    if (r == 0)
        r = state_check(import, row, shape);
    if (r == 0)
        r = sides_read(import, row, shape, order);
    if (r == 0)
        r = minutes_read(import, row, shape, order);
    if (r == 0)
        r = day_read(import, row, shape, order);
    if (r != 0)
        return r;
    order->activity = import->foreign.activity;
    if (!order->activity)
        order->activity = CELL(row, shape->activity);
    order->why = words_take(row, shape->words);
    return 0;
}

enum import_column import_foreign_column(const struct import_row *row, const char *field) {
    const struct shape *shape = shape_of(row->file);
    const struct {
        const char *field;
        enum import_column column;
    } fields[] = {
        {"from", shape->payer},          {"to", shape->payee},
        {"from_person", shape->payer},   {"to_person", shape->payee},
        {"minutes", shape->amount},      {"service_day", shape->created},
        {"claimed_day", shape->created}, {"activity", shape->activity},
        {"note", shape->words},
    };
    for (size_t i = 0; i < N_ELEMENTS(fields); i++)
        if (strcmp(field, fields[i].field) == 0)
            return fields[i].column;
    return COLUMN_NONE;
}
