/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger for a program of one's own: a move a line, with its legs. */
#include <errno.h>

#include "export.h"

static json_t *legs_of(const struct export_move *move) {
    static const char *const sides[] = {"", "from", "to"};
    json_t *legs = json_array();
    for (size_t i = 0; i < move->n_legs; i++) {
        const struct export_leg *leg = &move->legs[i];
        json_array_append_new(legs, json_pack("{s:s, s:s, s:s, s:I}", "kind",
                                              tb_account_kind_name((int)leg->account_kind),
                                              "account", leg->account, "side", sides[leg->side],
                                              "minutes", (json_int_t)leg->minutes));
    }
    return legs;
}

int export_json_move(void *user, const struct export_move *move) {
    const struct export_ask *ask = user;
    char date[16], entered[16];
    if (move->service_day < ask->from_day || move->service_day > ask->to_day)
        return 0;
    tb_date_format(move->service_day, date);
    tb_date_format(move->entered_day, entered);
    json_t *line = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:s, s:o, s:I}", "entry",
        (json_int_t)move->entry, "date", date, "entered", entered, "type", move->type, "what",
        move->what, "reverses", (json_int_t)move->reverses, "minutes_without_credit",
        (json_int_t)move->minutes_without_credit, "activity", client_json_text(move->activity),
        "offer", client_json_text(move->offer), "funder", client_json_text(move->funder), "by",
        move->by, "sheet", client_json_text(move->sheet), "line", (json_int_t)move->line);
    json_t *legs = legs_of(move);
    if (!line || !legs || json_object_set_new(line, "legs", legs) < 0)
        return -ENOMEM;
    client_print_json(line);
    return 0;
}
