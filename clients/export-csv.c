/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger as a table: one leg of one move a row, in the order of recording. The minutes of an
 * account add up to its balance; those of a type and the side "to" to the report's total.
 */
#include "csv-out.h"
#include "export.h"

static const char *const columns[] = {
    "entry",    "date",  "entered", "recorded", "type",    "what",
    "reverses", "kind",  "account", "side",     "minutes", "minutes_without_credit",
    "activity", "offer", "adults",  "under16",  "funder",  "programme",
    "by",       "key",   "sheet",   "line"};

void export_csv_begin(void) {
    csv_out_begin();
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        csv_out_text(columns[i]);
    csv_out_end();
}

static void put_day(uint32_t day) {
    char text[16];
    tb_date_format(day, text);
    csv_out_text(text);
}

/* Nothing, where there is nothing: a 0 would be counted as an entry's number. */
static void put_number_or_nothing(uint64_t number) {
    if (number)
        csv_out_number((int64_t)number);
    else
        csv_out_text("");
}

static void put_leg(const struct export_move *move, size_t i) {
    static const char *const sides[] = {"", "from", "to"};
    const struct export_leg *leg = &move->legs[i];
    csv_out_number((int64_t)move->entry);
    put_day(move->service_day);
    put_day(move->entered_day);
    put_day(move->recorded_day);
    csv_out_text(move->type);
    csv_out_text(move->what);
    put_number_or_nothing(move->reverses);
    csv_out_text(tb_account_kind_name((int)leg->account_kind));
    csv_out_text(leg->account);
    csv_out_text(sides[leg->side]);
    csv_out_number(leg->minutes);
    csv_out_number(move->minutes_without_credit);
    csv_out_text(move->activity);
    csv_out_text(move->offer);
    csv_out_number(i == 0 ? move->adults : 0);
    csv_out_number(i == 0 ? move->under16 : 0);
    csv_out_text(move->funder);
    csv_out_text(move->programme);
    csv_out_text(move->by);
    csv_out_text(move->key);
    csv_out_text(move->sheet);
    put_number_or_nothing(move->line);
    csv_out_end();
}

int export_csv_move(void *user, const struct export_move *move) {
    const struct export_ask *ask = user;
    if (move->service_day < ask->from_day || move->service_day > ask->to_day)
        return 0;
    for (size_t i = 0; i < move->n_legs; i++)
        put_leg(move, i);
    return 0;
}
