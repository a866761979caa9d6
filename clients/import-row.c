/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns rows into orders. An order holds only what its row says, so that the same file makes the
 * same orders for ever; what cannot be read as an order is refused here with its column.
 */
#include "import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "record.h"

#define WHY_BYTES 400
#define DAY_ONE 20000u /* two days on which a weekday and "today" mean different dates */
#define DAY_OTHER 20010u
#define NUMBER_MAX 999999999u

#define BIT(column) (UINT64_C(1) << (column))
#define CELL(row, column) import_file_cell(row, column)

#define refuse(import, row, column, refusal, ...)                                                  \
    import_refuse(import, (row)->file, row, (row)->line, import_file_column(column), refusal,      \
                  __VA_ARGS__)

/* What the rows of entries hold: the columns of the sides, those that must hold something, and
 * those that may. ref, kind, service_date, entered_date stand in all. */
static const struct row_kind {
    const char *name;
    enum tb_kind kind;
    enum import_column from;
    enum import_column to;
    uint64_t needs;
    uint64_t takes;
} row_kinds[] = {
    {"exchange", TB_EXCHANGE, COLUMN_RECEIVER, COLUMN_GIVER,
     BIT(COLUMN_GIVER) | BIT(COLUMN_RECEIVER) | BIT(COLUMN_MINUTES), BIT(COLUMN_ACTIVITY)},
    {"earn", TB_EARN, COLUMN_RECEIVER, COLUMN_GIVER,
     BIT(COLUMN_GIVER) | BIT(COLUMN_RECEIVER) | BIT(COLUMN_MINUTES), BIT(COLUMN_ACTIVITY)},
    {"log", TB_LOG, COLUMN_RECEIVER, COLUMN_GIVER, BIT(COLUMN_GIVER) | BIT(COLUMN_MINUTES),
     BIT(COLUMN_RECEIVER) | BIT(COLUMN_ACTIVITY)},
    {"gift", TB_GIFT, COLUMN_FROM, COLUMN_TO,
     BIT(COLUMN_FROM) | BIT(COLUMN_TO) | BIT(COLUMN_MINUTES), 0},
    {"donate", TB_DONATE, COLUMN_FROM, COLUMN_TO, BIT(COLUMN_FROM) | BIT(COLUMN_MINUTES),
     BIT(COLUMN_TO)},
    {"grant", TB_GRANT, COLUMN_FROM, COLUMN_TO, BIT(COLUMN_TO) | BIT(COLUMN_MINUTES),
     BIT(COLUMN_FROM)},
    {"issue", TB_ISSUE, COLUMN_FROM, COLUMN_TO, BIT(COLUMN_TO) | BIT(COLUMN_MINUTES),
     BIT(COLUMN_FROM) | BIT(COLUMN_FUNDER)},
    {"redeem", TB_REDEEM, COLUMN_FROM, COLUMN_TO,
     BIT(COLUMN_FROM) | BIT(COLUMN_TO) | BIT(COLUMN_MINUTES) | BIT(COLUMN_OFFER),
     BIT(COLUMN_ADULTS) | BIT(COLUMN_UNDER16)},
    {"reverse", TB_REVERSE, COLUMN_NONE, COLUMN_NONE, BIT(COLUMN_REVERSES), BIT(COLUMN_MINUTES)},
};

#define IN_ALL_KINDS                                                                               \
    (BIT(COLUMN_REF) | BIT(COLUMN_KIND) | BIT(COLUMN_SERVICE_DATE) | BIT(COLUMN_ENTERED_DATE))

/* Every cell was copied by import-file, so that a code can be folded where it stands. */
static const char *code_cell(const struct import_row *row, enum import_column column) {
    const char *cell = CELL(row, column);
    return *cell ? client_code((char *)(uintptr_t)cell) : NULL;
}

int import_row_need(struct import *import, struct import_row *row, enum import_column column) {
    if (*CELL(row, column))
        return 0;
    return refuse(import, row, column, TB_MISSING_COLUMN, "The column %s is empty: fill it in.",
                  import_file_column(column));
}

/* A date in a file is written in full: what depends on the day of the import would make another
 * order of the same row tomorrow. */
int import_row_day(const char *text, uint32_t *ret_day, char *why, size_t n_why) {
    uint32_t day, other;
    int r = tb_date_parse(text, DAY_ONE, &day, why, n_why);
    if (r != 0)
        return r;
    r = tb_date_parse(text, DAY_OTHER, &other, why, n_why);
    if (r < 0)
        return r;
    if (r > 0 || day != other) {
        snprintf(why, n_why, "\"%s\" means another day tomorrow: write the date as 2025-03-05.",
                 text);
        return TB_BAD_DATE;
    }
    *ret_day = day;
    return 0;
}

/* An empty cell leaves 0. */
static int date_read(struct import *import, struct import_row *row, enum import_column column,
                     uint32_t *ret_day) {
    char why[WHY_BYTES] = "";
    const char *text = CELL(row, column);
    int r = *text ? import_row_day(text, ret_day, why, sizeof(why)) : 0;
    return r > 0 ? refuse(import, row, column, r, "%s", why) : r;
}

/* An empty cell leaves 0. */
int import_row_number(struct import *import, struct import_row *row, enum import_column column,
                      uint64_t *ret_number) {
    const char *text = CELL(row, column);
    if (!*text)
        return 0;
    if (*text == '-' && strspn(text + 1, "0123456789") == strlen(text + 1) && text[1])
        return refuse(import, row, column, TB_NEGATIVE, "%s", tb_refusal_sentence(TB_NEGATIVE));
    unsigned long long number = strtoull(text, NULL, 10);
    if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 18 || number > NUMBER_MAX)
        return refuse(import, row, column, TB_BAD_NUMBER,
                      "\"%s\" is not a whole number of at most %u: check the figure.", text,
                      NUMBER_MAX);
    *ret_number = number;
    return 0;
}

int import_row_id(struct import *import, struct import_row *row, enum import_column column,
                  const char *source, const char *key, uint8_t ret_id[TB_ORDER_ID_BYTES]) {
    _cleanup_(freep) char *full = import_key(source, key);
    uintptr_t first;
    if (!full)
        return -ENOMEM;
    int r = import_map_put(&import->rows, full, (uintptr_t)row, &first);
    if (r < 0)
        return r;
    if (first != (uintptr_t)row) {
        const struct import_row *other = (const struct import_row *)first;
        return refuse(import, row, column, TB_DUPLICATE_ROW,
                      "%s line %u has the same %s: give each row its own.", other->file->path,
                      other->line, import_file_column(column));
    }
    return tb_order_id(import->client->bank, source, key, ret_id);
}

/* ------------------------------------------------------------- accounts */

static int account_read(struct import *import, struct import_row *row, struct tb_order *order) {
    static const struct {
        const char *name;
        enum tb_account_kind kind;
    } kinds[] = {{"member", TB_ACCOUNT_MEMBER},
                 {"organisation", TB_ACCOUNT_ORGANISATION},
                 {"venue", TB_ACCOUNT_VENUE}};
    int r = import_row_need(import, row, COLUMN_CODE);
    if (r == 0)
        r = import_row_need(import, row, COLUMN_KIND);
    if (r != 0)
        return r;
    order->kind = TB_OPEN_ACCOUNT;
    order->to = code_cell(row, COLUMN_CODE);
    order->ward = CELL(row, COLUMN_WARD);
    order->age_band = CELL(row, COLUMN_AGE_BAND);
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
        if (strcasecmp(CELL(row, COLUMN_KIND), kinds[i].name) == 0)
            order->account_kind = kinds[i].kind;
    if (!order->account_kind)
        return refuse(import, row, COLUMN_KIND, TB_WRONG_KIND,
                      "\"%s\" is no kind of account that a file can open: write member, "
                      "organisation or venue.",
                      CELL(row, COLUMN_KIND));
    r = date_read(import, row, COLUMN_JOINED, &order->service_day);
    return r ? r : import_row_id(import, row, COLUMN_CODE, "account", order->to, order->id);
}

/* -------------------------------------------------------------- entries */

static const struct row_kind *kind_find(const char *name) {
    for (size_t i = 0; i < N_ELEMENTS(row_kinds); i++)
        if (strcasecmp(row_kinds[i].name, name) == 0)
            return &row_kinds[i];
    return NULL;
}

/* Nothing that stands in a row is dropped without a word. */
static int kind_check(struct import *import, struct import_row *row, const struct row_kind *kind) {
    uint64_t takes = IN_ALL_KINDS | kind->needs | kind->takes;
    for (int i = COLUMN_NONE + 1; i < N_COLUMNS; i++) {
        enum import_column column = (enum import_column)i;
        int r = kind->needs & BIT(column) ? import_row_need(import, row, column) : 0;
        if (r == 0 && !(takes & BIT(column)) && *CELL(row, column))
            r = refuse(import, row, column, TB_BAD_FILE,
                       "A row of the kind %s has no %s: leave that column empty.", kind->name,
                       import_file_column(column));
        if (r != 0)
            return r;
    }
    return 0;
}

static int claimed_read(struct import *import, struct import_row *row, struct tb_order *order) {
    if (!import->history && *CELL(row, COLUMN_ENTERED_DATE))
        return refuse(import, row, COLUMN_ENTERED_DATE, TB_HISTORY_ONLY,
                      "The column entered_date claims a date of entry, which only old books do: "
                      "import them with --history, as a steward, or leave the column out.");
    return date_read(import, row, COLUMN_ENTERED_DATE, &order->claimed_day);
}

static int heads_read(struct import *import, struct import_row *row, struct tb_order *order) {
    uint64_t adults = 0, under16 = 0;
    int r = import_row_number(import, row, COLUMN_ADULTS, &adults);
    if (r == 0)
        r = import_row_number(import, row, COLUMN_UNDER16, &under16);
    order->adults = (uint32_t)adults;
    order->under16 = (uint32_t)under16;
    return r;
}

static int numbers_read(struct import *import, struct import_row *row, struct tb_order *order) {
    int r = date_read(import, row, COLUMN_SERVICE_DATE, &order->service_day);
    if (r == 0)
        r = claimed_read(import, row, order);
    if (r == 0)
        r = import_row_number(import, row, COLUMN_MINUTES, &order->minutes);
    return r ? r : heads_read(import, row, order);
}

/* A reversal keeps its target's date of service, whatever its row says; what it takes back in full
 * has no minutes. */
static int target_read(struct import *import, struct import_row *row, struct tb_order *order) {
    if (order->kind != TB_REVERSE)
        return 0;
    order->service_day = 0;
    if (*CELL(row, COLUMN_MINUTES) && !order->minutes)
        return refuse(import, row, COLUMN_MINUTES, TB_ZERO,
                      "Nothing would be taken back: leave minutes empty to take all back.");
    return tb_order_id(import->client->bank, "ref", CELL(row, COLUMN_REVERSES), order->target);
}

static int entry_read(struct import *import, struct import_row *row, struct tb_order *order) {
    const struct row_kind *kind = kind_find(CELL(row, COLUMN_KIND));
    int r = import_row_need(import, row, COLUMN_REF);
    if (r != 0)
        return r;
    if (!kind)
        return refuse(import, row, COLUMN_KIND, TB_WRONG_KIND,
                      "\"%s\" is no kind of entry: write exchange, earn, log, gift, donate, grant, "
                      "issue, redeem or reverse.",
                      CELL(row, COLUMN_KIND));
    r = kind_check(import, row, kind);
    if (r == 0 && kind->kind != TB_REVERSE)
        r = import_row_need(import, row, COLUMN_SERVICE_DATE);
    if (r != 0)
        return r;
    order->kind = kind->kind;
    order->from = code_cell(row, kind->from);
    order->to = code_cell(row, kind->to);
    record_persons_cut(order);
    order->activity = CELL(row, COLUMN_ACTIVITY);
    order->offer = CELL(row, COLUMN_OFFER);
    order->funder = CELL(row, COLUMN_FUNDER);
    if (kind->kind == TB_GRANT && !order->from)
        order->from = "issued";
    r = numbers_read(import, row, order);
    if (r == 0)
        r = target_read(import, row, order);
    return r ? r : import_row_id(import, row, COLUMN_REF, "ref", CELL(row, COLUMN_REF), order->id);
}

/* --------------------------------------------------------------- sheets */

/* A sheet's kind follows its receiver. One that nobody knows is left to the bank to refuse. */
static int receiver_kind(struct import *import, struct import_row *row, struct tb_order *order) {
    int kind = (int)import_map_get(&import->accounts, order->from);
    if (kind == TB_ACCOUNT_ORGANISATION) {
        order->kind = TB_EARN;
        return 0;
    }
    order->kind = TB_EXCHANGE;
    if (kind == 0 || kind == TB_ACCOUNT_MEMBER)
        return 0;
    return refuse(import, row, COLUMN_RECEIVER, TB_WRONG_KIND,
                  "%s is %s: a sheet holds time given to members and organisations; %s.",
                  order->from, kind == TB_ACCOUNT_VENUE ? "a venue" : "one of the bank's accounts",
                  kind == TB_ACCOUNT_VENUE   ? "credits spent there go in with timebank redeem"
                  : kind == TB_ACCOUNT_CHEST ? "credits for the chest go in with timebank donate"
                                             : "name a member or an organisation");
}

static int quantum_refuse(struct import *import, struct import_row *row, uint64_t minutes,
                          uint64_t quantum) {
    char typed[32], step[32], below[32], above[32];
    uint64_t rest = quantum ? minutes % quantum : 0;
    tb_time_format((int64_t)minutes, typed);
    tb_time_format((int64_t)quantum, step);
    tb_time_format((int64_t)(minutes - rest), below);
    tb_time_format((int64_t)(minutes - rest + quantum), above);
    return refuse(import, row, COLUMN_TIME, TB_NOT_IN_QUANTUM,
                  "%s is not a multiple of %s, the smallest step of this bank: write %s%s%s.",
                  typed, step, minutes > quantum ? below : "", minutes > quantum ? " or " : "",
                  above);
}

static int time_read(struct import *import, struct import_row *row, struct tb_order *order) {
    char why[WHY_BYTES] = "";
    uint64_t typed, minutes;
    uint64_t quantum = strtoull(client_policy(import->client, "quantum"), NULL, 10);
    const char *rounding = client_policy(import->client, "rounding");
    int r = tb_time_parse(CELL(row, COLUMN_TIME), &typed, why, sizeof(why));
    if (r > 0)
        return refuse(import, row, COLUMN_TIME, r, "%s", why);
    if (r < 0)
        return r;
    quantum = quantum ? quantum : 1;
    r = tb_time_round(typed, quantum, *rounding ? rounding : "refuse", &minutes);
    if (r == TB_NOT_IN_QUANTUM)
        return quantum_refuse(import, row, typed, quantum);
    if (r != 0)
        return r;
    order->minutes = minutes;
    order->typed_minutes = minutes == typed ? 0 : typed;
    return 0;
}

static int sheet_id_take(struct import *import, struct import_row *row, struct tb_order *order) {
    _cleanup_(freep) char *key = NULL;
    uint64_t line = 0;
    int r = import_row_number(import, row, COLUMN_LINE, &line);
    if (r != 0)
        return r;
    if (line == 0)
        return refuse(import, row, COLUMN_LINE, TB_BAD_NUMBER,
                      "The lines of a sheet are counted from 1: check the figure.");
    order->sheet = CELL(row, COLUMN_SHEET);
    order->line = (uint32_t)line;
    if (asprintf(&key, "%s\n%u", order->sheet, order->line) < 0) {
        key = NULL;
        return -ENOMEM;
    }
    return import_row_id(import, row, COLUMN_LINE, "sheet", key, order->id);
}

static int sheet_read(struct import *import, struct import_row *row, struct tb_order *order) {
    static const enum import_column needed[] = {COLUMN_DATE, COLUMN_GIVER, COLUMN_RECEIVER,
                                                COLUMN_TIME, COLUMN_SHEET, COLUMN_LINE};
    int r = 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(needed); i++)
        r = import_row_need(import, row, needed[i]);
    if (r != 0)
        return r;
    order->from = code_cell(row, COLUMN_RECEIVER);
    order->to = code_cell(row, COLUMN_GIVER);
    record_persons_cut(order);
    order->activity = CELL(row, COLUMN_ACTIVITY);
    order->authority = TB_BY_SHEET;
    order->source = TB_FROM_SHEET;
    r = date_read(import, row, COLUMN_DATE, &order->service_day);
    if (r == 0)
        r = receiver_kind(import, row, order);
    if (r == 0)
        r = time_read(import, row, order);
    return r ? r : sheet_id_take(import, row, order);
}

/* ------------------------------------------------------------- all rows */

static int row_to_order(struct import *import, struct import_row *row, struct tb_order *order) {
    switch (row->file->form) {
    case IMPORT_ACCOUNTS:
        return account_read(import, row, order);
    case IMPORT_ENTRIES:
        return entry_read(import, row, order);
    case IMPORT_SHEET:
        return sheet_read(import, row, order);
    default:
        return import_foreign_read(import, row, order);
    }
}

static int row_read(struct import *import, struct import_row *row) {
    struct tb_order order = TB_ORDER_INIT;
    uintptr_t unused;
    if (row->file->form == IMPORT_CODES)
        return import_codes_take(import, row);
    /* An account is the same account with --history and without. */
    order.source =
        import->history && row->file->form != IMPORT_ACCOUNTS ? TB_FROM_HISTORY : TB_FROM_IMPORT;
    int r = row_to_order(import, row, &order);
    if (r != 0)
        return r;
    enum import_phase phase = order.kind == TB_OPEN_ACCOUNT ? PHASE_ACCOUNTS : PHASE_ENTRIES;
    struct import_item *item = import_list_add(&import->lists[phase]);
    if (!item)
        return -ENOMEM;
    item->order = order;
    item->row = row;
    item->phase = phase;
    if (phase != PHASE_ACCOUNTS)
        return 0;
    return import_map_put(&import->accounts, order.to, (uintptr_t)order.account_kind, &unused);
}

static int rows_read(struct import *import, unsigned forms) {
    for (size_t i = 0; i < import->n_files; i++) {
        struct import_file *file = &import->files[i];
        for (size_t row = 0; file->form & forms && row < file->n_rows; row++) {
            int r = file->rows[row].refused ? 0 : row_read(import, &file->rows[row]);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static int account_note(void *user, const struct tb_balance *balance) {
    uintptr_t unused;
    return import_map_put(user, balance->code, (uintptr_t)balance->kind, &unused);
}

static int accounts_fetch(struct import *import) {
    for (size_t i = 0; i < import->n_files; i++)
        if (import->files[i].form & (IMPORT_SHEET | IMPORT_FOREIGN))
            return tb_account_list(import->client->bank, account_note, &import->accounts);
    return 0;
}

/* A row later in the files; their rows lie in one array each, and the files too. */
static bool row_is_later(const struct import_row *row, const struct import_row *than) {
    return row->file != than->file ? row->file > than->file : row > than;
}

static int reverse_is_early(const struct import *import, const struct import_item *item) {
    if (item->order.kind != TB_REVERSE)
        return 0;
    _cleanup_(freep) char *key = import_key("ref", CELL(item->row, COLUMN_REVERSES));
    if (!key)
        return -ENOMEM;
    const struct import_row *target = (const struct import_row *)import_map_get(&import->rows, key);
    return target && row_is_later(target, item->row);
}

/* Reversals of rows that come later go to the end; everything keeps its order otherwise. */
static int reverses_defer(struct import *import) {
    struct import_list *list = &import->lists[PHASE_ENTRIES];
    struct import_list late = {0};
    size_t n_kept = 0;
    int r = 0;
    for (size_t i = 0; i < list->n && r >= 0; i++) {
        r = reverse_is_early(import, &list->items[i]);
        if (r == 0)
            list->items[n_kept++] = list->items[i];
        struct import_item *item = r > 0 ? import_list_add(&late) : NULL;
        if (item)
            *item = list->items[i];
        else if (r > 0)
            r = -ENOMEM;
    }
    for (size_t i = 0; i < late.n && r >= 0; i++)
        list->items[n_kept++] = late.items[i];
    free(late.items);
    return r < 0 ? r : 0;
}

int import_row_read_all(struct import *import) {
    int r = accounts_fetch(import);
    if (r == 0)
        r = rows_read(import, IMPORT_ACCOUNTS | IMPORT_CODES);
    if (r == 0)
        r = rows_read(import, IMPORT_ENTRIES | IMPORT_SHEET | IMPORT_FOREIGN);
    return r ? r : reverses_defer(import);
}

/* ------------------------------------------- a refusal's place in the file */

/* The bank's fields, and where they stand in each kind of file. Sides follow the kind instead. */
static const struct {
    const char *field;
    enum import_column account;
    enum import_column entry;
    enum import_column sheet;
} fields[] = {
    {"id", COLUMN_CODE, COLUMN_REF, COLUMN_LINE},
    {"kind", COLUMN_KIND, COLUMN_KIND, COLUMN_RECEIVER},
    {"service_day", COLUMN_JOINED, COLUMN_SERVICE_DATE, COLUMN_DATE},
    {"claimed_day", COLUMN_NONE, COLUMN_ENTERED_DATE, COLUMN_NONE},
    {"minutes", COLUMN_NONE, COLUMN_MINUTES, COLUMN_TIME},
    {"typed_minutes", COLUMN_NONE, COLUMN_MINUTES, COLUMN_TIME},
    {"price_minutes", COLUMN_NONE, COLUMN_MINUTES, COLUMN_NONE},
    {"activity", COLUMN_NONE, COLUMN_ACTIVITY, COLUMN_ACTIVITY},
    {"offer", COLUMN_NONE, COLUMN_OFFER, COLUMN_NONE},
    {"adults", COLUMN_NONE, COLUMN_ADULTS, COLUMN_NONE},
    {"under16", COLUMN_NONE, COLUMN_UNDER16, COLUMN_NONE},
    {"funder", COLUMN_NONE, COLUMN_FUNDER, COLUMN_NONE},
    {"target", COLUMN_NONE, COLUMN_REVERSES, COLUMN_NONE},
    {"sheet", COLUMN_NONE, COLUMN_NONE, COLUMN_SHEET},
    {"line", COLUMN_NONE, COLUMN_NONE, COLUMN_LINE},
    {"issue", COLUMN_NONE, COLUMN_FUNDER, COLUMN_NONE},
    {"redeem", COLUMN_NONE, COLUMN_OFFER, COLUMN_NONE},
    {"reverse", COLUMN_NONE, COLUMN_REVERSES, COLUMN_NONE},
    {"open_account", COLUMN_KIND, COLUMN_NONE, COLUMN_NONE},
    {"account_kind", COLUMN_KIND, COLUMN_NONE, COLUMN_NONE},
    {"ward", COLUMN_WARD, COLUMN_NONE, COLUMN_NONE},
    {"age_band", COLUMN_AGE_BAND, COLUMN_NONE, COLUMN_NONE},
};

/* What a refusal speaks of where the bank named no field. */
static const struct {
    int refusal;
    const char *field;
} refusal_fields[] = {
    {TB_ID_DIFFERS, "id"},
    {TB_ZERO, "minutes"},
    {TB_TOO_LONG, "minutes"},
    {TB_NOT_IN_QUANTUM, "minutes"},
    {TB_FUTURE_DATE, "service_day"},
    {TB_BAD_DATE, "service_day"},
    {TB_BELOW_FLOOR, "from"},
    {TB_ABOVE_CEILING, "to"},
    {TB_UNKNOWN_ACTIVITY, "activity"},
    {TB_UNKNOWN_OFFER, "offer"},
    {TB_UNKNOWN_FUNDER, "funder"},
    {TB_NOT_THE_PRICE, "minutes"},
    {TB_NO_HEADS, "adults"},
    {TB_ALREADY_REVERSED, "target"},
    {TB_NO_SUCH_ENTRY, "target"},
    {TB_NOT_REVERSIBLE, "target"},
    {TB_MORE_THAN_REMAINS, "minutes"},
    {TB_CODE_TAKEN, "to"},
    {TB_BAD_CODE, "to"},
    {TB_NOT_A_MEMBER_CODE, "to"},
    {TB_SAME_ACCOUNT, "from"},
    {TB_HISTORY_ONLY, "claimed_day"},
};

static enum import_column side_column(const struct import_item *item, bool from) {
    const struct row_kind *kind = NULL;
    if (item->row->file->form == IMPORT_ACCOUNTS)
        return COLUMN_CODE;
    if (item->row->file->form == IMPORT_SHEET)
        return from ? COLUMN_RECEIVER : COLUMN_GIVER;
    kind = kind_find(CELL(item->row, COLUMN_KIND));
    if (!kind)
        return COLUMN_NONE;
    return from ? kind->from : kind->to;
}

static enum import_column name_column(const struct import_item *item) {
    if (item->order.kind == TB_SET_ACTIVITY)
        return COLUMN_ACTIVITY;
    return item->order.kind == TB_SET_FUNDER ? COLUMN_FUNDER : COLUMN_OFFER;
}

static enum import_column field_column(const struct import_item *item, const char *field) {
    if (item->row->file->form & IMPORT_FOREIGN)
        return import_foreign_column(item->row, field);
    if (strcmp(field, "from") == 0 || strcmp(field, "from_person") == 0)
        return side_column(item, true);
    if (strcmp(field, "to") == 0 || strcmp(field, "to_person") == 0)
        return side_column(item, false);
    for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
        if (strcmp(field, fields[i].field) != 0)
            continue;
        if (item->row->file->form == IMPORT_ACCOUNTS)
            return fields[i].account;
        return item->row->file->form == IMPORT_SHEET ? fields[i].sheet : fields[i].entry;
    }
    return COLUMN_NONE;
}

const char *import_row_column(const struct import_item *item, const char *field, int refusal) {
    if (item->phase == PHASE_NAMES && !(item->row->file->form & IMPORT_FOREIGN))
        return import_file_column(name_column(item));
    enum import_column column = field_column(item, field);
    for (size_t i = 0; column == COLUMN_NONE && i < N_ELEMENTS(refusal_fields); i++)
        if (refusal_fields[i].refusal == refusal)
            column = field_column(item, refusal_fields[i].field);
    return import_file_column(column);
}
