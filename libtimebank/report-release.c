/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report that is to leave the bank: where the bank says that it has to be released first, this
 * program signs and records that, and asks again. What it signs is held against the question, and
 * the report that then comes against what was signed.
 */
#include <errno.h>
#include <string.h>

#include "call.h"
#include "proto/canonical.h"
#include "report-check.h"

#define TRIES 4 /* another report may leave the bank meanwhile */
#define ARENA_BYTES 65536

static bool is_hash(const ProtobufCBinaryData *data) {
    return data->len == HASH_BYTES;
}

/* Is it about what was asked? */
static bool fits(const struct tb_report_ask *ask, const Timebank__ReleaseReport *message) {
    return strcmp(message->definition, RECORD_REPORT_DEFINITION) == 0 &&
           message->from_day == ask->from_day && message->to_day == ask->to_day &&
           (message->as_recorded != 0) == (ask->as_recorded != 0) && message->known_day != 0 &&
           (ask->known_day == 0 || message->known_day == ask->known_day) && message->size != 0 &&
           (ask->at_size == 0 || message->size == ask->at_size) &&
           (message->report_class == TIMEBANK__REPORT_CLASS__FOR_FUNDER ||
            message->report_class == TIMEBANK__REPORT_CLASS__FOR_PUBLIC) &&
           (ask->report_class == TB_CLASS_OF_KEY ||
            (int)message->report_class == (int)ask->report_class) &&
           is_hash(&message->root) && is_hash(&message->checksum) &&
           is_hash(&message->register_checksum);
}

static void order_fill(const Timebank__ReleaseReport *message, struct tb_order *order) {
    order->kind = TB_RELEASE_REPORT;
    order->definition = RECORD_REPORT_DEFINITION;
    order->report_class = (enum tb_report_class)message->report_class;
    order->from_day = message->from_day;
    order->to_day = message->to_day;
    order->known_day = message->known_day;
    order->as_recorded = message->as_recorded;
    order->size = message->size;
    memcpy(order->root, message->root.data, HASH_BYTES);
    memcpy(order->checksum, message->checksum.data, HASH_BYTES);
    memcpy(order->register_checksum, message->register_checksum.data, HASH_BYTES);
}

static int release_read(struct tb_bank *bank, const struct tb_report_ask *ask,
                        const ProtobufCBinaryData *release, struct tb_order *order) {
    ProtobufCMessage *message;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    int r = canonical_decode(&timebank__release_report__descriptor, release->data, release->len,
                             &arena, &message);
    if (r == 0 && fits(ask, (const Timebank__ReleaseReport *)message))
        order_fill((const Timebank__ReleaseReport *)message, order);
    else if (r == 0)
        r = -EBADMSG;
    arena_fini(&arena);
    return r == -EBADMSG
               ? bank_fail(bank, -EPROTO,
                           "The bank wants another report released than was asked for: tell a "
                           "steward and an auditor.")
               : r;
}

/* 0 with the report, or with an order to record first. */
static int report_ask(struct tb_bank *bank, const struct tb_report_ask *ask, char **ret_json,
                      struct tb_order *ret_order) {
    Timebank__Response *response = NULL;
    struct tb_call *call = NULL;
    int r = tb_report_start(bank, ask, &call);
    if (r == 0)
        r = call_lend(call);
    if (r != 0)
        return r;
    if (report_check_result(call))
        return tb_report_read(call, ret_json);
    r = call_reply(call, TIMEBANK__RESPONSE__BODY_REPORT, &response);
    return r == 0 ? release_read(bank, ask, &response->report->release, ret_order) : r;
}

static int release_record(struct tb_bank *bank, const struct tb_order *order, uint64_t *ret_entry) {
    struct tb_batch *batch = NULL;
    struct tb_answer *answer = NULL;
    struct tb_refused refused;
    int r = tb_batch_new(bank, &batch);
    if (r == 0)
        r = tb_batch_add(batch, order, NULL);
    if (r == 0)
        r = tb_batch_submit(batch, &answer);
    if (r == 0)
        *ret_entry = tb_answer_entry(answer, 0);
    else if (r > 0 && batch && tb_batch_refusal(batch, 0, &refused) == 0)
        r = bank_fail(bank, refused.refusal, "%s", refused.message);
    tb_answer_free(answer);
    tb_batch_free(batch);
    return r;
}

int tb_report_release(struct tb_bank *bank, const struct tb_report_ask *ask, char **ret_json,
                      uint64_t *ret_entry) {
    if (!bank || !ask || !ret_json || ask->what != TB_REPORT_FIGURES)
        return -EINVAL;
    struct tb_report_ask again = *ask;
    uint64_t entry = 0;
    int r = 0;
    again.release = 1;
    for (int i = 0; r == 0 || r == TB_BAD_RELEASE; i++) {
        struct tb_order order = TB_ORDER_INIT;
        char *json = NULL;
        r = report_ask(bank, &again, &json, &order);
        if (r == 0 && json) {
            *ret_json = json;
            if (ret_entry)
                *ret_entry = entry;
            return 0;
        }
        if (r == 0 && entry != 0)
            return bank_fail(bank, -EPROTO, "The bank does not give the report that it released.");
        if (r == 0)
            r = release_record(bank, &order, &entry);
        if (r == TB_BAD_RELEASE && i + 1 == TRIES)
            return r;
        if (r != 0)
            continue;
        again.report_class = order.report_class;
        again.known_day = order.known_day;
        again.at_size = order.size;
    }
    return r;
}
