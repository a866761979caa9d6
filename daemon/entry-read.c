/* SPDX-License-Identifier: Apache-2.0 */
/* Order, event, seal, reason, reversals and state of an entry, and who may read it. */
#include "entry-read.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

int entry_read_seal(struct call *call, uint64_t entry, struct entry_read_seal *ret) {
    _cleanup_bytes_ struct bytes record = {0};
    struct batch_header header;
    struct record_seal seal;
    int r = log_seal_of(call->bank->log, entry, &ret->seal);

    if (r > 0)
        r = log_record(call->bank->log, ret->seal, &record);
    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    if (record_seal_unpack(record.data, record.n, &seal) < 0 ||
        batch_header_unpack(seal.header, &header) < 0)
        return -EUCLEAN;
    ret->received_at_ms = seal.received_at_ms;
    ret->author.data = arena_alloc(call->arena, SSHSIG_PUBLIC_BYTES);
    if (!ret->author.data)
        return -ENOMEM;
    memcpy(ret->author.data, header.author, SSHSIG_PUBLIC_BYTES);
    ret->author.len = SSHSIG_PUBLIC_BYTES;
    return 0;
}

int entry_read_why(struct call *call, const Timebank__Order *order, char **ret) {
    _cleanup_(freep) char *text = NULL;
    uint8_t salt[PEOPLE_SALT_BYTES];
    int r = 0;

    if (order->note.len > 0 && access_is_broker(&call->who))
        r = people_get_note(call->bank->people, order->id.data, salt, &text);
    if (r < 0 && r != -EBADMSG)
        return r;
    *ret = call_copy(call, text ? text : "");
    return *ret ? 0 : -ENOMEM;
}

static int copy_body(struct call *call, const struct bytes *record, ProtobufCBinaryData *ret) {
    ret->len = record->n - 1;
    ret->data = arena_alloc(call->arena, record->n);
    if (!ret->data)
        return -ENOMEM;
    memcpy(ret->data, record->data + 1, record->n - 1);
    return 0;
}

int entry_read_order(struct call *call, uint64_t entry, ProtobufCBinaryData *ret_bytes,
                     Timebank__Order **ret_order) {
    _cleanup_bytes_ struct bytes record = {0};
    int r = log_record(call->bank->log, entry, &record);

    if (r <= 0 || record.data[0] != RECORD_ORDER)
        return r < 0 ? r : -EUCLEAN;
    r = copy_body(call, &record, ret_bytes);
    return r < 0 ? r : record_order_decode(ret_bytes->data, ret_bytes->len, call->arena, ret_order);
}

int entry_read_event(struct call *call, const struct bytes *record, struct entry_read_event *ret) {
    const struct state_id *row;
    Timebank__Event *event;
    int r = copy_body(call, record, &ret->bytes);

    if (r == 0)
        r = record_event_decode(ret->bytes.data, ret->bytes.len, call->arena, &event);
    if (r < 0)
        return r == -EBADMSG ? -EUCLEAN : r;
    row = state_get(bank_state(call->bank), STATE_IDS, event->follows.data, event->follows.len, &r);
    if (!row)
        return r < 0 ? r : -EUCLEAN;
    ret->time_ms = event->ledger_time_ms;
    ret->follows = row->entry;
    return 0;
}

static const void *row_of_entry(struct call *call, enum state_table table, uint64_t entry, int *r) {
    uint8_t key[8];

    be64_put(key, entry);
    return state_get(bank_state(call->bank), table, key, sizeof(key), r);
}

/* The credits of vouchers lie in an account of their own: their minting waits for nobody. */
static const char *state_of_pending(const struct state_pending *pending) {
    static const char *const words[] = {[OUTCOME_SETTLED] = "settled",
                                        [OUTCOME_DECLINED] = "declined",
                                        [OUTCOME_WITHDRAWN] = "withdrawn",
                                        [OUTCOME_LAPSED] = "lapsed"};

    if (!pending || pending->what == PENDING_VOUCHERS)
        return "";
    if (!pending->is_over)
        return "waiting";
    return pending->outcome < N_ELEMENTS(words) && words[pending->outcome] ? words[pending->outcome]
                                                                           : "";
}

int entry_read_state(struct call *call, uint64_t entry, const char **ret) {
    const struct state_pending *pending, *dispute = NULL;
    const struct state_mark *mark;
    const char *words;
    int r = 0;

    mark = row_of_entry(call, STATE_MARKS, entry, &r);
    if (r == 0 && mark && mark->dispute)
        dispute = row_of_entry(call, STATE_PENDINGS, mark->dispute, &r);
    pending = r < 0 ? NULL : row_of_entry(call, STATE_PENDINGS, entry, &r);
    if (r < 0)
        return r;
    words = state_of_pending(pending);
    if (dispute && !dispute->is_over)
        words = "disputed";
    else if (mark && mark->confirmed && (*words == '\0' || strcmp(words, "settled") == 0))
        words = "confirmed";
    *ret = words;
    return 0;
}

uint64_t entry_read_reversed(struct call *call, uint64_t entry) {
    const struct state_reversal *reversal;
    uint8_t key[8];

    be64_put(key, entry);
    reversal = state_get(bank_state(call->bank), STATE_REVERSALS, key, sizeof(key), NULL);
    return reversal ? reversal->minutes : 0;
}

static bool has_leg_of_own(struct call *call, uint64_t index, int *ret_r) {
    const struct state *state = bank_state(call->bank);
    struct store_value after;
    struct run_leg leg;
    size_t place = 0, at = 0;
    int r = log_after(call->bank->log, index, &after, &place);

    while (r > 0) {
        r = runs_after_next(after, place, index, &at, &leg);
        if (r > 0 && leg.account >= state->sums.n_accounts)
            r = -EUCLEAN;
        if (r > 0 && call_acts_for(call, state->accounts[leg.account]->code))
            return true;
    }
    *ret_r = r;
    return false;
}

/* What names another order concerns whom that one concerns. */
static int read_target(struct call *call, Timebank__Order **order) {
    const ProtobufCBinaryData *target = record_order_target(*order);
    const struct state_id *id;
    uint64_t received_at_ms;
    int r = 0;

    if (!target)
        return 0;
    id = state_get(bank_state(call->bank), STATE_IDS, target->data, target->len, &r);
    if (id)
        r = state_order(bank_state(call->bank), id->entry, call->arena, order, &received_at_ms);
    return r > 0 ? 1 : r < 0 ? r : -EUCLEAN;
}

int entry_read_check_rights(struct call *call, uint64_t index, Timebank__Order *order) {
    int r = 0;

    if (access_right(call->who.role, call->request->body_case) == ACCESS_ALL ||
        has_leg_of_own(call, index, &r))
        return 0;
    if (order->kind_case == TIMEBANK__ORDER__KIND_SAFEGUARD)
        return REFUSAL_NO_AUTHORITY;
    for (r = r < 0 ? r : 1; r > 0; r = read_target(call, &order))
        if (call_acts_for(call, order->from) || call_acts_for(call, order->to))
            return 0;
    return r < 0 ? r : REFUSAL_NO_AUTHORITY;
}
