/* SPDX-License-Identifier: Apache-2.0 */
/* One entry as recorded: its exact bytes, its seal, its author, how it stands, and its reason for
 * those who may read it; or an event, with the order it follows from. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "entry-read.h"
#include "handlers.h"

/* Of an event: what happened, when, and the order it follows from. */
static int read_event(struct call *call, const struct bytes *record, Timebank__Entry *entry,
                      Timebank__Order **ret_order) {
    struct entry_read_event event;
    int r = entry_read_event(call, record, &event);

    if (r < 0)
        return r;
    entry->event = event.bytes;
    entry->received_at_ms = event.time_ms;
    return entry_read_order(call, event.follows, &entry->order, ret_order);
}

static int read_seal(struct call *call, Timebank__Entry *entry) {
    struct entry_read_seal seal;
    const char *state = "";
    int r = entry_read_seal(call, entry->number, &seal);

    if (r == 0)
        r = entry_read_state(call, entry->number, &state);
    if (r < 0)
        return r;
    entry->seal = seal.seal;
    entry->received_at_ms = seal.received_at_ms;
    entry->author = seal.author;
    entry->state = call_copy(call, state);
    entry->reversed_minutes = entry_read_reversed(call, entry->number);
    return entry->state ? 0 : -ENOMEM;
}

static int respond(struct call *call, uint64_t index) {
    _cleanup_bytes_ struct bytes record = {0};
    Timebank__Entry *entry = arena_alloc(call->arena, sizeof(*entry));
    Timebank__Order *order = NULL;
    int r = log_record(call->bank->log, index, &record);

    if (r < 0 || !entry)
        return r < 0 ? r : -ENOMEM;
    if (r == 0 || (record.data[0] != RECORD_ORDER && record.data[0] != RECORD_EVENT))
        return call_refuse(call, REFUSAL_NO_SUCH_ENTRY, NULL);
    timebank__entry__init(entry);
    entry->number = index;
    r = record.data[0] == RECORD_EVENT ? read_event(call, &record, entry, &order)
                                       : entry_read_order(call, index, &entry->order, &order);
    if (r == 0)
        r = entry_read_check_rights(call, index, order);
    if (r > 0)
        return call_refuse(call, REFUSAL_NO_AUTHORITY,
                           "This key may read entries of its own account only: ask a broker.");
    if (r == 0 && entry->event.len == 0)
        r = read_seal(call, entry);
    if (r == 0)
        r = entry_read_why(call, order, &entry->why);
    if (r < 0)
        return r;
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
