/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session before it is recorded: the bank judges it in a dry run, and what each would gain or pay
 * is the balance then less the balance now. So the split that is shown is the bank's own.
 */
#include "session.h"

#include <errno.h>

#include "record.h"
#include "words.h"

struct trial {
    json_t *now; /* code to balance */
    json_t *balances;
    json_t *moves; /* of those in balances */
};

static int balance_keep(void *user, const struct tb_balance *balance) {
    json_object_set_new(user, balance->code, json_integer((json_int_t)balance->minutes));
    return 0;
}

static void move_add(struct trial *trial, const char *code, int64_t after) {
    json_t *now = json_object_get(trial->now, code);
    json_object_set_new(trial->balances, code, json_integer((json_int_t)after));
    if (now)
        json_object_set_new(trial->moves, code, json_integer(after - json_integer_value(now)));
}

static void moves_find(const struct tb_answer *answer, const struct tb_order *order,
                       struct trial *trial) {
    struct record_told told = {0};
    record_balances(answer, order, &told);
    for (size_t i = 0; i < told.n_balances; i++)
        move_add(trial, told.balances[i].code, told.balances[i].minutes);
    record_told_fini(&told);
}

static json_t *warnings_of(const struct tb_answer *answer) {
    json_t *warnings = json_array();
    for (size_t i = 0; i < tb_answer_warnings(answer); i++) {
        struct tb_warning warning;
        if (tb_answer_warning(answer, i, &warning) == 0)
            json_array_append_new(
                warnings, record_warning_json(warning.warning, warning.message, warning.entry));
    }
    return warnings;
}

static void move_tell(const char *code, int64_t move, int64_t after) {
    char moved[32], left[32];
    tb_time_format(move < 0 ? -move : move, moved);
    tb_time_format(after, left);
    client_line(stdout, "  %s %s %s and would have %s", code, move < 0 ? "pays" : "gets", moved,
                left);
}

static void words_tell(const struct tb_order *order, const struct trial *trial, json_t *warnings) {
    _cleanup_(freep) char *words = words_of_dated_order(order);
    const char *code;
    json_t *value;
    size_t i;
    client_line(stdout, "Nothing is recorded yet. %s:", words ? words : "");
    json_object_foreach(trial->moves, code, value)
        move_tell(code, json_integer_value(value),
                  json_integer_value(json_object_get(trial->balances, code)));
    json_array_foreach(warnings, i, value)
        client_line(stdout, "Warning: %s", json_string_value(json_object_get(value, "message")));
    json_decref(warnings);
}

static void trial_tell(struct client *client, const struct tb_order *order,
                       const struct tb_answer *answer, const struct trial *trial) {
    json_t *warnings = warnings_of(answer);
    if (!client->json) {
        words_tell(order, trial, warnings);
        return;
    }
    client_print_json(json_pack("{s:b, s:s, s:O, s:O, s:o, s:o}", "dry_run", 1, "kind",
                                tb_kind_name((int)order->kind), "moves", trial->moves, "balances",
                                trial->balances, "warnings", warnings, "position",
                                client_position(client)));
}

int session_try(struct session *session, const struct tb_order *order) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    struct client *client = session->client;
    struct trial trial = {json_object(), json_object(), json_object()};
    int r = record_batch_new(client, order, &batch);
    if (r == 0)
        r = tb_batch_dry_run(batch, &answer);
    if (r == 0)
        r = tb_bank_end_dry_run(client->bank);
    /* A key that may not list the accounts is told no balances either. */
    if (r == 0 && tb_account_list(client->bank, balance_keep, trial.now) < 0)
        r = -EIO;
    if (r == 0) {
        moves_find(answer, order, &trial);
        trial_tell(client, order, answer, &trial);
    }
    json_decref(trial.now);
    json_decref(trial.balances);
    json_decref(trial.moves);
    return record_outcome(client, batch, r);
}
