/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line on its way into the ledger. It is judged before it is recorded, so that what looks like an
 * earlier entry is shown and asked about first. The id is the sheet and the line, and for a line
 * that was undone the attempt: whatever happens on the way, asking again counts nothing twice.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "record.h"
#include "sheet.h"
#include "words.h"

#define ATTEMPTS_MAX 100
#define NEXT_TRIES 5 /* others may take the next code first */

static int id_make(const struct sheet_session *session, const char *sheet, uint32_t number,
                   uint32_t attempt, uint8_t ret_id[TB_ORDER_ID_BYTES]) {
    char key[200], again[24] = "";
    if (attempt > 1)
        snprintf(again, sizeof(again), "\n%u", attempt);
    snprintf(key, sizeof(key), "%s\n%u%s", sheet, number, again);
    return tb_order_id(session->client->bank, "sheet", key, ret_id);
}

/* What was typed while no list of codes was at hand is looked up now. */
static void person_settle(const struct sheet_session *session, char **code, bool giver) {
    struct sheet_matches matches = sheet_known_people(session, *code, giver);
    if (matches.n != 1 || !matches.sure || strcmp(matches.names[0], *code) == 0)
        return;
    char *found = strdup(matches.names[0]);
    if (!found)
        return;
    free(*code);
    *code = found;
}

static int order_make(const struct sheet_session *session, struct sheet_line *line,
                      struct tb_order *order) {
    person_settle(session, &line->giver, true);
    person_settle(session, &line->receiver, false);
    bool earns = sheet_known_kind(session, line->receiver) == TB_ACCOUNT_ORGANISATION;
    order->kind = earns ? TB_EARN : TB_EXCHANGE;
    order->service_day = line->day;
    order->to = line->giver;
    order->from = line->receiver;
    order->minutes = line->minutes;
    order->typed_minutes = line->typed_minutes;
    order->activity = line->activity;
    order->authority = TB_BY_SHEET;
    order->source = TB_FROM_SHEET;
    order->sheet = line->sheet;
    order->line = line->number;
    return id_make(session, line->sheet, line->number, line->attempt, order->id);
}

/* ----------------------------------------------------------------- refusals */

static const char *field_column(const char *field) {
    static const char *const columns[][2] = {
        {"from", "receiver"},    {"to", "giver"},           {"minutes", "time"},
        {"service_day", "date"}, {"activity", "activity"},  {"sheet", "sheet"},
        {"id", "line"},          {"typed_minutes", "time"}, {"kind", "receiver"},
    };
    for (size_t i = 0; i < N_ELEMENTS(columns); i++)
        if (strcmp(columns[i][0], field) == 0)
            return columns[i][1];
    return "";
}

static void refused_note(struct sheet_session *session, const struct sheet_line *line,
                         const char *field, int refusal, const char *message) {
    json_array_append_new(session->refused,
                          json_pack("{s:I, s:s, s:s, s:o, s:o}", "line", (json_int_t)line->number,
                                    "column", field_column(field), "refused",
                                    tb_refusal_name(refusal), "message", client_json_text(message),
                                    "sheet", client_json_text(line->sheet)));
}

/* Tells why a call did not do it. batch may be NULL. */
static enum sheet_outcome outcome_tell(struct sheet_session *session, const struct sheet_line *line,
                                       const struct tb_batch *batch, const char *prefix, int r) {
    const char *message = tb_bank_message(session->client->bank);
    bool of_line = r == -EINVAL || (r > 0 && !sheet_bank_is_away(r));
    if (!of_line) {
        sheet_bank_lose(session, message);
        return SHEET_AWAY;
    }
    struct tb_refused refused = {.refusal = r, .message = message, .field = ""};
    if (batch && tb_batch_refusals(batch) > 0)
        (void)!tb_batch_refusal(batch, 0, &refused);
    const char *sentence =
        refused.message && *refused.message ? refused.message : tb_refusal_sentence(r);
    sheet_say(session, "%sNot recorded: %s", prefix, sentence);
    refused_note(session, line, refused.field, refused.refusal, sentence);
    return SHEET_REFUSED;
}

/* --------------------------------------------------------------- duplicates */

static uint64_t looks_like(const struct tb_answer *answer) {
    for (size_t i = 0; i < tb_answer_warnings(answer); i++) {
        struct tb_warning warning;
        if (tb_answer_warning(answer, i, &warning) == 0 && warning.warning == TB_WARN_LOOKS_LIKE)
            return warning.entry;
    }
    return 0;
}

static void earlier_tell(struct sheet_session *session, uint64_t number, const char *prefix) {
    struct tb_entry entry;
    if (tb_entry_get(session->client->bank, number, &entry) != 0) {
        sheet_say(session, "%sThis looks like entry %" PRIu64 ".", prefix, number);
        return;
    }
    const struct tb_order *order = &entry.order;
    _cleanup_(freep) char *words = words_of_dated_order(order);
    char from[140] = "";
    if (order->sheet && *order->sheet)
        snprintf(from, sizeof(from), " (sheet %s, line %u)", order->sheet, order->line);
    sheet_say(session, "%sThis looks like entry %" PRIu64 ":", prefix, number);
    sheet_say(session, "%s%s%s%s", words ? words : "",
              order->activity && *order->activity ? ", " : "",
              order->activity ? order->activity : "", from);
}

/* True where the line is to be recorded. */
static bool duplicate_ask(struct sheet_session *session, const struct tb_answer *answer,
                          const char *prefix) {
    uint64_t number = looks_like(answer);
    if (number == 0 || tb_answer_already(answer, 0))
        return true;
    earlier_tell(session, number, prefix);
    if (session->quiet)
        return true;
    sheet_say(session, "Is this another one? y records it; Return: no.");
    return sheet_ask_yes(session);
}

/* ------------------------------------------------------------------ telling */

static void balances_tell(const struct sheet_session *session, const struct record_told *told) {
    char text[200] = "";
    size_t n = 0;
    for (size_t i = 0; i < told->n_balances && n < sizeof(text); i++) {
        char time[32];
        tb_time_format(told->balances[i].minutes, time);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.40s %s %s", i ? ", " : "",
                              told->balances[i].code, i ? "has" : "now has", time);
    }
    if (n > 0)
        sheet_say(session, "%s", text);
}

static void warnings_tell(struct sheet_session *session, const struct sheet_line *line,
                          const struct tb_answer *answer) {
    for (size_t i = 0; i < tb_answer_warnings(answer); i++) {
        struct tb_warning warning;
        if (tb_answer_warning(answer, i, &warning) != 0)
            continue;
        json_t *json = record_warning_json(warning.warning, warning.message, warning.entry);
        json_object_set_new(json, "line", json_integer((json_int_t)line->number));
        json_array_append_new(session->warnings, json);
        bool told = warning.warning == TB_WARN_LOOKS_LIKE ||
                    (warning.warning == TB_WARN_OLD_SERVICE_DATE && session->old_day == line->day);
        if (warning.warning == TB_WARN_OLD_SERVICE_DATE)
            session->old_day = line->day;
        if (!told)
            sheet_say(session, "Note: %s", warning.message);
    }
}

static void in_tell(struct sheet_session *session, struct sheet_line *line,
                    const struct tb_order *order, const struct tb_answer *answer,
                    const char *prefix) {
    _cleanup_(freep) char *words = sheet_line_words(session, line);
    bool already = tb_answer_already(answer, 0) == 1;
    line->entry = tb_answer_entry(answer, 0);
    sheet_say(session, "%s%s; entry %" PRIu64 "%s", prefix, words ? words : "", line->entry,
              already ? ", which was in already" : "");
    struct record_told told = {0};
    record_balances(answer, order, &told);
    balances_tell(session, &told);
    record_told_fini(&told);
    warnings_tell(session, line, answer);
    session->n_recorded += !already;
    session->n_already += already;
    session->recorded_minutes += already ? 0 : line->minutes;
}

/* ------------------------------------------------------------------ posting */

/* Judges the order by itself: what was tried on this connection before is forgotten. */
static int order_judge(struct sheet_session *session, struct tb_batch *batch,
                       struct tb_answer **ret_answer) {
    struct tb_bank *bank = session->client->bank;
    int r = tb_batch_dry_run(batch, ret_answer);
    if (r == -ENOTCONN) {
        r = tb_bank_end_dry_run(bank);
        return r ? r : tb_batch_dry_run(batch, ret_answer);
    }
    return r;
}

/* True for an order that is in and was taken back in full: it does not count. */
static bool was_undone(const struct sheet_session *session, const struct tb_order *order) {
    struct tb_entry entry;
    return tb_entry_by_id(session->client->bank, order->id, &entry) == 0 &&
           entry.reversed_minutes >= entry.order.minutes;
}

static enum sheet_outcome line_judge(struct sheet_session *session, const struct sheet_line *line,
                                     const struct tb_order *order, const char *prefix) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = record_batch_new(session->client, order, &batch);
    if (r == 0)
        r = order_judge(session, batch, &answer);
    if (r != 0) {
        enum sheet_outcome outcome = outcome_tell(session, line, batch, prefix, r);
        (void)!tb_bank_end_dry_run(session->client->bank);
        return outcome;
    }
    r = tb_bank_end_dry_run(session->client->bank);
    if (r != 0)
        return outcome_tell(session, line, NULL, prefix, r);
    if (tb_answer_already(answer, 0) == 1 && was_undone(session, order)) {
        static const char sentence[] =
            "this line was recorded and taken back before: type it anew.";
        sheet_say(session, "%sNot recorded: %s", prefix, sentence);
        refused_note(session, line, "id", TB_ALREADY_REVERSED, sentence);
        return SHEET_REFUSED;
    }
    return duplicate_ask(session, answer, prefix) ? SHEET_IN : SHEET_LEFT;
}

enum sheet_outcome sheet_post(struct sheet_session *session, struct sheet_line *line,
                              const char *prefix) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    struct tb_order order = TB_ORDER_INIT;
    int r = order_make(session, line, &order);
    if (r != 0)
        return outcome_tell(session, line, NULL, prefix, r);
    enum sheet_outcome outcome = line_judge(session, line, &order, prefix);
    if (outcome != SHEET_IN)
        return outcome;
    r = record_batch_new(session->client, &order, &batch);
    if (r == 0)
        r = tb_batch_submit(batch, &answer);
    if (r != 0)
        return outcome_tell(session, line, batch, prefix, r);
    in_tell(session, line, &order, answer, prefix);
    return SHEET_IN;
}

/* --------------------------------------------------------------------- undo */

static void undo_tell(struct sheet_session *session, const struct sheet_line *line,
                      uint64_t reversal) {
    struct record_told told = {0};
    const char *const codes[] = {line->giver, line->receiver};
    _cleanup_(freep) char *words = sheet_line_words(session, line);
    sheet_say(session, "Line %u is taken back: %s", line->number, words ? words : "");
    if (reversal)
        sheet_say(session, "Entry %" PRIu64 " stays readable; entry %" PRIu64 " is its contrary.",
                  line->entry, reversal);
    for (size_t i = 0; i < RECORD_BALANCES; i++) {
        struct tb_balance balance;
        if (tb_balance_get(session->client->bank, codes[i], &balance) == 0)
            record_balance_add(&told, codes[i], balance.minutes);
    }
    balances_tell(session, &told);
    record_told_fini(&told);
}

enum sheet_outcome sheet_post_undo(struct sheet_session *session, const struct sheet_line *line) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_REVERSE;
    order.why = "undone while the sheet was typed";
    int r = id_make(session, line->sheet, line->number, line->attempt, order.target);
    if (r == 0)
        r = record_batch_new(session->client, &order, &batch);
    if (r == 0)
        r = tb_batch_submit(batch, &answer);
    if (r != 0 && r != TB_ALREADY_REVERSED)
        return outcome_tell(session, line, batch, "", r);
    undo_tell(session, line, r == 0 ? tb_answer_entry(answer, 0) : 0);
    return SHEET_IN;
}

/* ------------------------------------------------------------ what is in it */

static char *text_copy(const char *text) {
    return strdup(text ? text : "");
}

static void line_take(const struct tb_entry *entry, const char *sheet, uint32_t number,
                      uint32_t attempt, struct sheet_line *ret_line) {
    const struct tb_order *order = &entry->order;
    *ret_line = (struct sheet_line){.sheet = text_copy(sheet),
                                    .number = number,
                                    .attempt = attempt,
                                    .day = order->service_day,
                                    .giver = text_copy(order->to),
                                    .receiver = text_copy(order->from),
                                    .activity = text_copy(order->activity),
                                    .minutes = order->minutes,
                                    .typed_minutes = order->typed_minutes,
                                    .entry = entry->number};
}

int sheet_post_find(struct sheet_session *session, uint32_t number, uint32_t *ret_attempt,
                    struct sheet_line *ret_line) {
    for (uint32_t attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        uint8_t id[TB_ORDER_ID_BYTES];
        struct tb_entry entry;
        int r = id_make(session, session->sheet, number, attempt, id);
        if (r == 0)
            r = tb_entry_by_id(session->client->bank, id, &entry);
        if (r == TB_NO_SUCH_ENTRY) {
            *ret_attempt = attempt;
            return 0;
        }
        if (r != 0) {
            sheet_bank_lose(session, tb_bank_message(session->client->bank));
            return -1;
        }
        if (entry.reversed_minutes < entry.order.minutes) {
            line_take(&entry, session->sheet, number, attempt, ret_line);
            return 1;
        }
    }
    sheet_bank_lose(session, "Too many attempts at one line.");
    return -1;
}

/* -------------------------------------------------------------- new members */

static int member_record(struct sheet_session *session, const char *code, uint32_t day,
                         struct tb_batch **ret_batch, uint64_t *ret_entry) {
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    struct tb_order order = TB_ORDER_INIT;
    order.kind = TB_OPEN_ACCOUNT;
    order.account_kind = TB_ACCOUNT_MEMBER;
    order.to = code;
    order.service_day = MIN_OF(day, tb_today());
    int r = record_batch_new(session->client, &order, ret_batch);
    if (r == 0)
        r = tb_batch_submit(*ret_batch, &answer);
    if (r == 0)
        *ret_entry = tb_answer_entry(answer, 0);
    return r;
}

enum sheet_outcome sheet_post_member(struct sheet_session *session, const char *code, uint32_t day,
                                     char **ret_code) {
    struct sheet_line none = {.sheet = session->sheet, .number = session->next};
    for (int i = 1;; i++) {
        _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
        _cleanup_(freep) char *next = NULL;
        uint64_t entry = 0;
        int r = code ? 0 : tb_account_next_code(session->client->bank, &next);
        if (r == 0)
            r = member_record(session, code ? code : next, day, &batch, &entry);
        if (r == TB_CODE_TAKEN && !code && i < NEXT_TRIES)
            continue;
        if (r != 0)
            return outcome_tell(session, &none, batch, "", r);
        *ret_code = text_copy(code ? code : next);
        json_object_set_new(json_object_get(session->known, "accounts"), code ? code : next,
                            json_integer(TB_ACCOUNT_MEMBER));
        sheet_say(session, "%s is open, as a member; entry %" PRIu64, code ? code : next, entry);
        return SHEET_IN;
    }
}
