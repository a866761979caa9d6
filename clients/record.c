/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An order on its way: submitted, and told with its entry number, the balances after it and what is
 * worth a second look. Every verb that records ends here.
 */
#include "record.h"

#include <inttypes.h>

#include "words.h"

int record_batch_new(struct client *client, const struct tb_order *order,
                     struct tb_batch **ret_batch) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    size_t place;
    int r = tb_batch_new(client->bank, &batch);
    if (r == 0)
        r = tb_batch_add(batch, order, &place);
    if (r == 0)
        *ret_batch = TAKE(batch);
    return r;
}

int record_outcome(struct client *client, const struct tb_batch *batch, int r) {
    if (r > 0 && batch && tb_batch_refusals(batch) > 0)
        return client_batch_refused(client, batch);
    return client_outcome(client, r);
}

int record_submit(struct client *client, struct tb_batch *batch, struct tb_answer **ret_answer) {
    return record_outcome(client, batch, tb_batch_submit(batch, ret_answer));
}

static bool only_the_day_refused(const struct tb_batch *batch) {
    size_t n = tb_batch_refusals(batch);
    for (size_t i = 0; i < n; i++) {
        struct tb_refused refused;
        if (tb_batch_refusal(batch, i, &refused) != 0 || refused.refusal != TB_TOO_LONG)
            return false;
    }
    return n > 0;
}

int record_try(struct client *client, struct tb_order *order, struct tb_batch **ret_batch,
               struct tb_answer **ret_answer) {
    for (;;) {
        _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
        int r = record_batch_new(client, order, &batch);
        if (r != 0)
            return r;
        r = tb_batch_submit(batch, ret_answer);
        bool insists = order->why && *order->why && !(order->override & TB_OVERRIDE_DAY);
        if (r > 0 && insists && only_the_day_refused(batch)) {
            order->override |= TB_OVERRIDE_DAY;
            continue;
        }
        *ret_batch = TAKE(batch);
        return r;
    }
}

void record_balances(const struct tb_answer *answer, const struct tb_order *order,
                     struct record_told *told) {
    int64_t minutes;
    told->n_balances = 0;
    const char *to = words_to(order);
    if (*to && tb_answer_to_after(answer, told->place, &minutes) == 1)
        told->balances[told->n_balances++] = (struct record_balance){to, minutes};
    const char *from = words_from(order);
    if (*from && tb_answer_from_after(answer, told->place, &minutes) == 1)
        told->balances[told->n_balances++] = (struct record_balance){from, minutes};
}

json_t *record_warning_json(int warning, const char *message, uint64_t entry) {
    return json_pack("{s:s, s:o, s:o}", "warning", tb_warning_name(warning), "message",
                     client_json_text(message), "entry",
                     entry ? json_integer((json_int_t)entry) : json_null());
}

/* The warnings of the answer after those of the verb's own. */
static json_t *warnings_json(const struct tb_answer *answer, struct record_told *told) {
    json_t *warnings = told->warnings ? TAKE(told->warnings) : json_array();
    for (size_t i = 0; i < tb_answer_warnings(answer); i++) {
        struct tb_warning warning;
        if (tb_answer_warning(answer, i, &warning) == 0)
            json_array_append_new(
                warnings, record_warning_json(warning.warning, warning.message, warning.entry));
    }
    return warnings;
}

static void json_tell(struct client *client, const struct tb_answer *answer,
                      struct record_told *told) {
    json_t *balances = json_object();
    for (size_t i = 0; i < told->n_balances; i++)
        json_object_set_new(balances, told->balances[i].code,
                            json_integer((json_int_t)told->balances[i].minutes));
    json_t *object = json_pack("{s:I, s:s, s:o, s:o, s:o}", "entry",
                               (json_int_t)tb_answer_entry(answer, told->place), "kind",
                               tb_kind_name(told->kind), "balances", balances, "warnings",
                               warnings_json(answer, told), "position", client_position(client));
    if (told->more)
        json_object_update(object, told->more);
    json_decref(TAKE(told->more));
    client_print_json(object);
}

static void balances_tell(const struct record_told *told) {
    for (size_t i = 0; i < told->n_balances; i++) {
        char text[32];
        tb_time_format(told->balances[i].minutes, text);
        client_line(stdout, "  %s now has %s", told->balances[i].code, text);
    }
}

static void words_tell(const struct tb_answer *answer, struct record_told *told) {
    client_line(stdout, "%s; entry %" PRIu64 "%s", told->words,
                tb_answer_entry(answer, told->place),
                tb_answer_already(answer, told->place) ? ", recorded before" : "");
    balances_tell(told);
    json_t *warnings = warnings_json(answer, told);
    size_t i;
    json_t *warning;
    json_array_foreach(warnings, i, warning)
        client_line(stdout, "Warning: %s", json_string_value(json_object_get(warning, "message")));
    json_decref(warnings);
    json_decref(TAKE(told->more));
}

void record_tell(struct client *client, const struct tb_answer *answer, struct record_told *told) {
    if (client->json)
        json_tell(client, answer, told);
    else
        words_tell(answer, told);
}

static int tell_order(struct client *client, const struct tb_answer *answer, size_t place, int kind,
                      const struct tb_order *order) {
    _cleanup_(freep) char *words = words_of_dated_order(order);
    struct record_told told = {.place = place, .kind = kind, .words = words ? words : ""};
    record_balances(answer, order, &told);
    record_tell(client, answer, &told);
    return CLIENT_DONE;
}

int client_record_batch(struct client *client, struct tb_batch *batch, size_t place, int kind,
                        const struct tb_order *order) {
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = record_submit(client, batch, &answer);
    return r == CLIENT_DONE ? tell_order(client, answer, place, kind, order) : r;
}

int client_record(struct client *client, struct tb_order *order) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    r = record_try(client, order, &batch, &answer);
    return r == 0 ? tell_order(client, answer, 0, (int)order->kind, order)
                  : record_outcome(client, batch, r);
}
