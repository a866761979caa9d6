/* SPDX-License-Identifier: Apache-2.0 */
/* One entry as recorded: its exact bytes, its seal, its author, and its reason for those who may
 * read it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "entry-read.h"
#include "handlers.h"

/* What a reversal takes back says whose it is. 0, or < 0 broken. */
static int read_sides(struct call *call, Timebank__Order *order, Timebank__Order **ret) {
    const ProtobufCBinaryData *target;
    const struct state_id *id;
    uint64_t received_at_ms;
    int r = 0;

    *ret = order;
    if (order->kind_case != TIMEBANK__ORDER__KIND_REVERSE)
        return 0;
    target = &order->reverse->target;
    id = state_get(bank_state(call->bank), STATE_IDS, target->data, target->len, &r);
    if (id)
        r = state_order(bank_state(call->bank), id->entry, call->arena, ret, &received_at_ms);
    return r > 0 ? 0 : r < 0 ? r : -EUCLEAN;
}

/* A member or organisation sees entries of its own account, a venue those it accepted itself. */
static int check_may_read(struct call *call, Timebank__Order *order) {
    int r;

    if (access_right(call->who.role, call->request->body_case) == ACCESS_ALL)
        return 0;
    r = read_sides(call, order, &order);
    if (r < 0)
        return r;
    return call_acts_for(call, order->from) || call_acts_for(call, order->to)
               ? 0
               : REFUSAL_NO_AUTHORITY;
}

static int respond(struct call *call, uint64_t index) {
    _cleanup_bytes_ struct bytes record = {0};
    Timebank__Entry *entry = arena_alloc(call->arena, sizeof(*entry));
    struct entry_read_seal seal;
    Timebank__Order *order;
    int r = log_record(call->bank->log, index, &record);

    if (r < 0 || !entry)
        return r < 0 ? r : -ENOMEM;
    if (r == 0 || record.data[0] != RECORD_ORDER)
        return call_refuse(call, REFUSAL_NO_SUCH_ENTRY, NULL);
    timebank__entry__init(entry);
    entry->number = index;
    entry->order.len = record.n - 1;
    entry->order.data = arena_alloc(call->arena, record.n);
    if (!entry->order.data)
        return -ENOMEM;
    memcpy(entry->order.data, record.data + 1, record.n - 1);
    r = record_order_decode(entry->order.data, entry->order.len, call->arena, &order);
    if (r < 0)
        return r;
    r = check_may_read(call, order);
    if (r < 0)
        return r;
    if (r > 0)
        return call_refuse(call, REFUSAL_NO_AUTHORITY,
                           "This key may read entries of its own account only: ask a broker.");
    entry->reversed_minutes = entry_read_reversed(call, index);
    r = entry_read_seal(call, index, &seal);
    if (r == 0)
        r = entry_read_why(call, order, &entry->why);
    if (r < 0)
        return r;
    entry->seal = seal.seal;
    entry->received_at_ms = seal.received_at_ms;
    entry->author = seal.author;
    call->response->entry = entry;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_ENTRY;
    return 0;
}

int handle_entry(struct call *call) {
    return respond(call, call->request->entry->number);
}

int handle_entry_by_id(struct call *call) {
    const ProtobufCBinaryData *id = &call->request->order->id;
    const struct state_id *row = NULL;
    int r = 0;

    if (id->len == ORDER_ID_BYTES)
        row = state_get(bank_state(call->bank), STATE_IDS, id->data, id->len, &r);
    if (r < 0)
        return r;
    return row ? respond(call, row->entry) : call_refuse(call, REFUSAL_NO_SUCH_ENTRY, NULL);
}
