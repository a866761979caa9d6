/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line as typed becomes a line of the sheet: who, how long, what and when, asked for where it is
 * not clear; then it is recorded, or kept here while the bank is away.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sheet.h"

#define WHY_BYTES 400

/* Rounds as the bank's policies say. */
static bool minutes_round(const struct sheet_session *session, uint64_t typed,
                          struct sheet_line *line) {
    const char *policy = json_string_value(json_object_get(session->known, "quantum"));
    const char *rounding = json_string_value(json_object_get(session->known, "rounding"));
    uint64_t quantum = policy ? strtoull(policy, NULL, 10) : 0;
    char time[32], step[32];
    quantum = quantum ? quantum : 1;
    int r =
        tb_time_round(typed, quantum, rounding && *rounding ? rounding : "refuse", &line->minutes);
    if (r == 0) {
        line->typed_minutes = line->minutes == typed ? 0 : typed;
        return true;
    }
    tb_time_format((int64_t)typed, time);
    tb_time_format((int64_t)quantum, step);
    sheet_say(session, "Not recorded: %s is not a multiple of %s, the bank's smallest step.", time,
              step);
    return false;
}

bool sheet_entry_day(const struct sheet_session *session, const char *text, uint32_t *ret_day) {
    char why[WHY_BYTES] = "";
    int r = tb_date_parse(text, tb_today(), ret_day, why, sizeof(why));
    if (r == 0 && *ret_day > tb_today() + 1) {
        sheet_say(session, "%s", tb_refusal_sentence(TB_FUTURE_DATE));
        return false;
    }
    if (r != 0)
        sheet_say(session, "%s", *why ? why : tb_refusal_sentence(TB_BAD_DATE));
    return r == 0;
}

static char *copy_or_empty(const char *text) {
    return strdup(text ? text : "");
}

/* Both sides as codes; false where one is not clear and the person leaves it. */
static bool sides_settle(struct sheet_session *session, struct sheet_parts *parts,
                         struct sheet_line *line) {
    const char *giver = parts->n_persons == 2 || session->receiver ? parts->persons[0] : NULL;
    const char *receiver = parts->n_persons == 2 ? parts->persons[1]
                           : session->receiver   ? NULL
                                                 : parts->persons[0];
    line->giver =
        giver ? sheet_ask_person(session, client_code((char *)(uintptr_t)giver), true, line->day)
              : copy_or_empty(session->giver);
    if (!line->giver)
        return false;
    line->receiver = receiver ? sheet_ask_person(session, client_code((char *)(uintptr_t)receiver),
                                                 false, line->day)
                              : copy_or_empty(session->receiver);
    return line->receiver != NULL;
}

/* Every line says what was done; what is answered here stays for the lines after it. */
static char *activity_settle(struct sheet_session *session, const char *typed) {
    if (typed)
        return sheet_ask_activity(session, typed);
    if (session->activity)
        return strdup(session->activity);
    session->activity = sheet_ask_what(session);
    return session->activity ? strdup(session->activity) : NULL;
}

static bool line_make(struct sheet_session *session, struct sheet_parts *parts,
                      struct sheet_line *line) {
    line->day = session->day;
    if (parts->day && !sheet_entry_day(session, parts->day, &line->day))
        return false;
    if (!minutes_round(session, parts->minutes ? parts->minutes : session->minutes, line) ||
        !sides_settle(session, parts, line))
        return false;
    if (strcmp(line->giver, line->receiver) == 0) {
        sheet_say(session, "%s", tb_refusal_sentence(TB_SAME_ACCOUNT));
        return false;
    }
    line->activity = activity_settle(session, parts->activity);
    line->sheet = strdup(session->sheet);
    line->number = session->next;
    line->attempt = session->attempt;
    return line->activity && line->sheet;
}

static void line_keep(struct sheet_session *session, struct sheet_line *line) {
    _cleanup_(freep) char *words = sheet_line_words(session, line);
    if (sheet_kept_add(session, line) < 0)
        return;
    sheet_say(session, "Kept here: %s", words ? words : "");
    uint32_t number = line->number;
    if (sheet_lines_add(session, line))
        sheet_lines_set_next(session, number + 1);
    sheet_known_save(session);
}

/* Recorded, or kept where the bank is away or older lines wait before this one. */
static void line_record(struct sheet_session *session, struct sheet_line *line) {
    enum sheet_outcome outcome =
        session->there && session->n_kept == 0 ? sheet_post(session, line, "") : SHEET_AWAY;
    if (outcome == SHEET_AWAY) {
        line_keep(session, line);
    } else if (outcome == SHEET_IN) {
        uint32_t number = line->number;
        if (sheet_lines_add(session, line))
            sheet_lines_set_next(session, number + 1);
    } else if (outcome == SHEET_LEFT) {
        sheet_say(session, "Not recorded.");
    }
}

/* A line that is only a date sets it. */
static bool is_date(struct sheet_session *session, const char *text) {
    uint32_t day;
    if (tb_date_parse(text, tb_today(), &day, NULL, 0) != 0)
        return false;
    if (sheet_entry_day(session, text, &day)) {
        session->day = day;
        sheet_tell_sticky(session);
    }
    return true;
}

void sheet_entry_take(struct sheet_session *session, const char *text) {
    _cleanup_(sheet_line_fini) struct sheet_line line = {0};
    struct sheet_parts parts;
    if (is_date(session, text))
        return;
    size_t n_min = session->giver || session->receiver ? 1 : 2;
    if (!sheet_read(text, n_min, session->minutes > 0, &parts))
        sheet_say(session, "%s", parts.why);
    else if (parts.minutes == 0 && session->minutes == 0)
        sheet_say(session, "%s", tb_refusal_sentence(TB_ZERO));
    else if (line_make(session, &parts, &line))
        line_record(session, &line);
    else if (session->again)
        sheet_say(session, "Not recorded: the question was left.");
}
