/* SPDX-License-Identifier: Apache-2.0 */
/* Entries as recorded, by number and by id. */
#include <errno.h>
#include <string.h>

#include "call.h"
#include "order.h"

static int entry_unreadable(struct tb_bank *bank) {
    return bank_fail(bank, -EPROTO,
                     "The bank's reply is not the entry asked for: update the bank.");
}

static int entry_take(struct tb_bank *bank, const Timebank__Entry *message,
                      struct tb_entry *ret_entry) {
    Timebank__Order *order = NULL;
    int r = record_order_decode(message->order.data, message->order.len, &bank->arena, &order);
    if (r == -ENOMEM)
        return bank_fail(bank, r, NULL);
    if (r < 0 || message->author.len != sizeof(ret_entry->author))
        return entry_unreadable(bank);
    struct tb_entry entry = {
        .number = message->number,
        .seal = message->seal,
        .received_at_ms = message->received_at_ms,
        .reversed_minutes = message->reversed_minutes,
    };
    memcpy(entry.author, message->author.data, sizeof(entry.author));
    r = order_decode(order, &bank->arena, &entry.order);
    if (r < 0)
        return bank_fail(bank, r, NULL);
    entry.order.why = message->why;
    *ret_entry = entry;
    return 0;
}

static int entry_run(struct tb_bank *bank, Timebank__Request *request, struct tb_entry *ret_entry) {
    Timebank__Response *response = NULL;
    int r = bank_begin_opened(bank);
    if (r == 0)
        r = call_read(bank, request, TIMEBANK__RESPONSE__BODY_ENTRY, &response);
    return r == 0 ? entry_take(bank, response->entry, ret_entry) : r;
}

int tb_entry_get(struct tb_bank *bank, uint64_t number, struct tb_entry *ret_entry) {
    if (!bank || !ret_entry)
        return -EINVAL;
    Timebank__ByNumber by_number = TIMEBANK__BY_NUMBER__INIT;
    by_number.number = number;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_ENTRY;
    request.entry = &by_number;
    struct tb_entry entry;
    int r = entry_run(bank, &request, &entry);
    if (r != 0)
        return r;
    if (entry.number != number)
        return entry_unreadable(bank);
    *ret_entry = entry;
    return 0;
}

int tb_entry_by_id(struct tb_bank *bank, const uint8_t id[TB_ORDER_ID_BYTES],
                   struct tb_entry *ret_entry) {
    if (!bank || !id || !ret_entry)
        return -EINVAL;
    Timebank__ById by_id = TIMEBANK__BY_ID__INIT;
    by_id.id = (ProtobufCBinaryData){.len = TB_ORDER_ID_BYTES, .data = (uint8_t *)id};
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_ORDER;
    request.order = &by_id;
    struct tb_entry entry;
    int r = entry_run(bank, &request, &entry);
    if (r != 0)
        return r;
    if (memcmp(entry.order.id, id, TB_ORDER_ID_BYTES) != 0)
        return entry_unreadable(bank);
    *ret_entry = entry;
    return 0;
}
