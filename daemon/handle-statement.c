/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of one account, newest first, by walking from each to the one before (table `after`):
 * nothing is scanned. The account's owner and brokers may ask.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "entry-read.h"
#include "handlers.h"

/* One entry on the way, and where it goes on. */
struct step {
    uint64_t entry;
    uint64_t previous;
    Timebank__Order *order;
    Timebank__Order *target; /* of what names another order */
};

static int read_target(struct call *call, struct step *step, Timebank__StatementLine *line) {
    const ProtobufCBinaryData *id = record_order_target(step->order);
    const struct state_id *row;
    int r = 0;

    if (!id)
        return 0;
    row = state_get(bank_state(call->bank), STATE_IDS, id->data, id->len, &r);
    if (!row)
        return r < 0 ? r : -EUCLEAN;
    line->target = row->entry;
    return entry_read_order(call, row->entry, &line->target_order, &step->target);
}

static int set_seal(struct call *call, uint64_t entry, Timebank__StatementLine *line) {
    const struct state_key *key;
    struct entry_read_seal seal;
    int r = entry_read_seal(call, entry, &seal);

    if (r < 0)
        return r;
    line->received_at_ms = seal.received_at_ms;
    line->author = seal.author;
    key = state_get(bank_state(call->bank), STATE_KEYS, seal.author.data, seal.author.len, NULL);
    line->author_role = key ? (Timebank__Role)key->role : TIMEBANK__ROLE__ROLE_NONE;
    line->author_account = call_copy(call, key ? key->account : "");
    return line->author_account ? 0 : -ENOMEM;
}

/* The order of a line: its own, or for an event the one it follows from. */
static int read_subject(struct call *call, struct step *step, Timebank__StatementLine *line) {
    _cleanup_bytes_ struct bytes record = {0};
    struct entry_read_event event;
    int r = log_record(call->bank->log, step->entry, &record);

    if (r <= 0)
        return r < 0 ? r : -EUCLEAN;
    if (record.data[0] != RECORD_EVENT)
        return entry_read_order(call, step->entry, &line->order, &step->order);
    r = entry_read_event(call, &record, &event);
    if (r < 0)
        return r;
    line->event = event.bytes;
    line->received_at_ms = event.time_ms;
    line->target = event.follows;
    return entry_read_order(call, event.follows, &line->order, &step->order);
}

/* 0, or -ENOENT when the entry does not concern the account. */
static int read_step(struct call *call, uint64_t account, struct step *step,
                     Timebank__StatementLine *line) {
    struct run_leg leg;
    int r = log_leg(call->bank->log, step->entry, account, &leg);

    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    timebank__statement_line__init(line);
    line->entry = step->entry;
    line->minutes = leg.minutes;
    line->after = leg.after;
    line->held_after = leg.held_after;
    line->moved = leg.moved;
    step->previous = leg.previous;
    r = read_subject(call, step, line);
    if (r == 0 && line->event.len == 0)
        r = read_target(call, step, line);
    return r;
}

/* What it moved is another entry's: that one is taken back. */
static bool gives_effect(const struct step *step, const Timebank__StatementLine *line) {
    return line->event.len > 0 || step->order->kind_case == TIMEBANK__ORDER__KIND_CONFIRM ||
           step->order->kind_case == TIMEBANK__ORDER__KIND_APPROVE;
}

/* Of what somebody may confirm. */
static int set_state(struct call *call, const struct step *step, uint64_t subject,
                     Timebank__StatementLine *line) {
    const char *state = "";
    int r = step->order->kind_case == TIMEBANK__ORDER__KIND_EXCHANGE ||
                    step->order->kind_case == TIMEBANK__ORDER__KIND_EARN ||
                    step->order->kind_case == TIMEBANK__ORDER__KIND_GIFT || subject != step->entry
                ? entry_read_state(call, subject, &state)
                : 0;

    if (r == 0)
        line->state = call_copy(call, state);
    return r < 0 ? r : line->state ? 0 : -ENOMEM;
}

static int complete(struct call *call, const struct step *step, Timebank__StatementLine *line) {
    uint64_t subject = gives_effect(step, line) ? line->target : step->entry;
    int r = line->event.len > 0 ? 0 : set_seal(call, step->entry, line);

    line->reversed_minutes = entry_read_reversed(call, subject);
    if (r == 0)
        r = set_state(call, step, subject, line);
    return r == 0 ? entry_read_why(call, step->order, &line->why) : r;
}

static int walk(struct call *call, uint64_t account, uint64_t entry, size_t max,
                Timebank__Statement *statement) {
    size_t n = 0;

    for (; entry != 0 && n <= max; n++) {
        Timebank__StatementLine *line = arena_alloc(call->arena, sizeof(*line));
        struct step step = {.entry = entry};
        int r = line ? read_step(call, account, &step, line) : -ENOMEM;
        if (r == 0)
            r = complete(call, &step, line);
        if (r < 0)
            return r == -ENOENT ? -EUCLEAN : r;
        statement->lines[n] = line;
        entry = step.previous;
    }
    statement->more = n > max;
    statement->n_lines = MIN_OF(n, max);
    return 0;
}

/* Where a page begins: at the latest line, or after the one named. 1 with it, 0 no such line. */
static int begin(struct call *call, const struct state_account *account, uint64_t *ret_entry) {
    Timebank__StatementLine line;
    struct step step = {.entry = call->request->statement->before};
    int r;

    *ret_entry = account->last_line;
    if (step.entry == 0)
        return 1;
    r = read_step(call, account->number, &step, &line);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    *ret_entry = step.previous;
    return 1;
}

int handle_statement(struct call *call) {
    const Timebank__AskStatement *ask = call->request->statement;
    Timebank__Statement *statement = arena_alloc(call->arena, sizeof(*statement));
    const struct state_account *account;
    uint64_t entry = 0;
    int r;
    size_t limit = call->bank->settings.page_entries;
    size_t max = ask->max && ask->max < limit ? ask->max : limit;

    if (!call_may_read(call, ask->code))
        return call_refuse(call, REFUSAL_NO_AUTHORITY,
                           "This key may read its own statement only, and those it has a mandate "
                           "for: ask a broker.");
    account = state_account(bank_state(call->bank), ask->code);
    if (!account)
        return call_refuse(call, REFUSAL_NO_SUCH_ACCOUNT, NULL);
    r = begin(call, account, &entry);
    if (r == 0)
        return call_refuse(call, REFUSAL_NO_SUCH_ENTRY, NULL);
    if (r < 0 || !statement)
        return r < 0 ? r : -ENOMEM;
    timebank__statement__init(statement);
    statement->code = call_copy(call, account->code);
    statement->lines = arena_alloc(call->arena, (max + 2) * sizeof(Timebank__StatementLine *));
    if (!statement->code || !statement->lines)
        return -ENOMEM;
    call->response->statement = statement;
    call->response->body_case = TIMEBANK__RESPONSE__BODY_STATEMENT;
    return walk(call, account->number, entry, max, statement);
}
