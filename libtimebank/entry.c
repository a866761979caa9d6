/* SPDX-License-Identifier: Apache-2.0 */
/* Entries as recorded, by number and by id. */
#include <errno.h>
#include <string.h>

#include "call.h"
#include "order.h"
#include "proto/merkle.h"
#include "reply.h"
#include "verify.h"

static int entry_unreadable(struct tb_bank *bank) {
    return bank_fail(bank, -EPROTO,
                     "The bank's reply is not the entry asked for: update the bank.");
}

static int event_take(struct arena *arena, const ProtobufCBinaryData *bytes,
                      struct tb_entry *entry) {
    Timebank__Event *event = NULL;
    int r = bytes->len > 0 ? record_event_decode(bytes->data, bytes->len, arena, &event) : 0;
    if (r < 0 || !event)
        return r;
    entry->event = (int)event->kind;
    entry->event_ms = event->ledger_time_ms;
    entry->event_minutes = event->minutes;
    return 0;
}

static void leaf_take(const ProtobufCBinaryData *order, uint8_t ret[TB_QUOTE_BYTES]) {
    struct hash leaf = merkle_leaf_of_kind(RECORD_ORDER, order->data, order->len);
    memcpy(ret, leaf.b, TB_QUOTE_BYTES);
}

static int entry_take(struct tb_call *call, const Timebank__Entry *message,
                      struct tb_entry *ret_entry) {
    struct arena *arena = &call->reply->arena;
    Timebank__Order *order = NULL;
    int r = record_order_decode(message->order.data, message->order.len, arena, &order);
    if (r == -ENOMEM)
        return bank_fail(call->bank, r, NULL);
    /* An event has no author. */
    bool has_author = message->author.len == sizeof(ret_entry->author);
    if (r < 0 || (!has_author && (message->author.len > 0 || message->event.len == 0)))
        return entry_unreadable(call->bank);
    struct tb_entry entry = {
        .number = message->number,
        .seal = message->seal,
        .received_at_ms = message->received_at_ms,
        .reversed_minutes = message->reversed_minutes,
        .state = message->state,
    };
    leaf_take(&message->order, entry.leaf);
    if (has_author)
        memcpy(entry.author, message->author.data, sizeof(entry.author));
    r = order_decode(order, arena, &entry.order);
    if (r == 0)
        r = event_take(arena, &message->event, &entry);
    if (r < 0)
        return r == -ENOMEM ? bank_fail(call->bank, r, NULL) : entry_unreadable(call->bank);
    entry.order.why = message->why;
    *ret_entry = entry;
    return 0;
}

/* What was asked for; kept with the call, for the reply must be that. */
struct job {
    struct tb_entry entry;
    uint64_t number;
    uint8_t id[TB_ORDER_ID_BYTES];
    bool is_by_id;
};

static int job_judge(struct tb_call *call) {
    struct job *job = call->job;
    int r = entry_take(call, call->reply->message->entry, &job->entry);
    if (r != 0)
        return r;
    bool is_it = job->is_by_id ? memcmp(job->entry.order.id, job->id, sizeof(job->id)) == 0
                               : job->entry.number == job->number;
    return is_it ? 0
                 : verify_fail(call->bank, NULL, 0,
                               "Another entry was shown than the one that was asked for.");
}

static void job_free(struct tb_call *call) {
    free(call->job);
}

static const struct call_noun entry_noun = {.judge = job_judge, .free = job_free};

static int entry_start(struct tb_bank *bank, const Timebank__Request *request,
                       const struct job *asked, struct tb_call **ret_call) {
    struct job *job = malloc(sizeof(*job));
    if (!job)
        return -ENOMEM;
    *job = *asked;
    int r = call_read(bank, request, TIMEBANK__RESPONSE__BODY_ENTRY, ret_call);
    if (r != 0) {
        free(job);
        return r;
    }
    (*ret_call)->noun = &entry_noun;
    (*ret_call)->job = job;
    return 0;
}

int tb_entry_start(struct tb_bank *bank, uint64_t number, struct tb_call **ret_call) {
    if (!bank || !ret_call)
        return -EINVAL;
    Timebank__ByNumber by_number = TIMEBANK__BY_NUMBER__INIT;
    by_number.number = number;
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_ENTRY;
    request.entry = &by_number;
    struct job job = {.number = number};
    return entry_start(bank, &request, &job, ret_call);
}

int tb_entry_by_id_start(struct tb_bank *bank, const uint8_t id[TB_ORDER_ID_BYTES],
                         struct tb_call **ret_call) {
    if (!bank || !id || !ret_call)
        return -EINVAL;
    Timebank__ById by_id = TIMEBANK__BY_ID__INIT;
    by_id.id = (ProtobufCBinaryData){.len = TB_ORDER_ID_BYTES, .data = (uint8_t *)id};
    Timebank__Request request = TIMEBANK__REQUEST__INIT;
    request.body_case = TIMEBANK__REQUEST__BODY_ORDER;
    request.order = &by_id;
    struct job job = {.is_by_id = true};
    memcpy(job.id, id, sizeof(job.id));
    return entry_start(bank, &request, &job, ret_call);
}

int tb_entry_read(struct tb_call *call, struct tb_entry *ret_entry) {
    if (!call || !ret_entry)
        return -EINVAL;
    Timebank__Response *response = NULL;
    int r = call_reply(call, TIMEBANK__RESPONSE__BODY_ENTRY, &response);
    if (r == 0)
        *ret_entry = ((const struct job *)call->job)->entry;
    return r;
}

int tb_entry_get(struct tb_bank *bank, uint64_t number, struct tb_entry *ret_entry) {
    struct tb_call *call = NULL;
    int r = ret_entry ? tb_entry_start(bank, number, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_entry_read(call, ret_entry) : r;
}

int tb_entry_by_id(struct tb_bank *bank, const uint8_t id[TB_ORDER_ID_BYTES],
                   struct tb_entry *ret_entry) {
    struct tb_call *call = NULL;
    int r = ret_entry ? tb_entry_by_id_start(bank, id, &call) : -EINVAL;
    if (r == 0)
        r = call_lend(call);
    return r == 0 ? tb_entry_read(call, ret_entry) : r;
}
