/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sitting says: short lines, a little to the right of the prompts, broken between words
 * where a terminal would break them anywhere.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sheet.h"
#include "words.h"

#define INDENT "     "
#define WIDTH 74

void sheet_line_fini(struct sheet_line *line) {
    free(line->sheet);
    free(line->giver);
    free(line->receiver);
    free(line->activity);
    *line = (struct sheet_line){0};
}

/* Where the text is to be broken: its end, or a space no further on than WIDTH characters. */
static size_t break_find(const char *text) {
    size_t n_chars = 0, last = 0;
    for (size_t i = 0; text[i]; i++) {
        n_chars += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (n_chars > WIDTH)
            return last ? last : strlen(text);
        if (text[i] == ' ')
            last = i;
    }
    return strlen(text);
}

void sheet_say(const struct sheet_session *session, const char *format, ...) {
    _cleanup_(freep) char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0) {
        text = NULL;
        return;
    }
    for (const char *at = text; *at;) {
        size_t n_line = session->terminal ? break_find(at) : strlen(at);
        client_line(session->to, "%s%.*s", INDENT, (int)n_line, at);
        at += n_line;
        at += *at == ' ';
    }
}

char *sheet_line_words(const struct sheet_session *session, const struct sheet_line *line) {
    struct tb_order order = TB_ORDER_INIT;
    bool earns = sheet_known_kind(session, line->receiver) == TB_ACCOUNT_ORGANISATION;
    order.kind = earns ? TB_EARN : TB_EXCHANGE;
    order.service_day = line->day;
    order.to = line->giver;
    order.from = line->receiver;
    order.minutes = line->minutes;
    order.typed_minutes = line->typed_minutes;
    _cleanup_(freep) char *words = words_of_dated_order(&order);
    char *text;
    if (!words || asprintf(&text, "%s%s%s", words, *line->activity ? ", " : "", line->activity) < 0)
        return NULL;
    return text;
}

uint64_t sheet_minutes(const struct sheet_session *session) {
    uint64_t minutes = 0;
    for (size_t i = 0; i < session->n_lines; i++)
        minutes += session->lines[i].minutes;
    return minutes;
}

void sheet_tell_sticky(const struct sheet_session *session) {
    char day[32], time[32] = "";
    tb_date_format_words(session->day, day);
    if (session->minutes)
        tb_time_format((int64_t)session->minutes, time);
    sheet_say(session, "[%s%s%s%s%s%s%s%s]", day,
              session->giver      ? ", giver "
              : session->receiver ? ", receiver "
                                  : "",
              session->giver      ? session->giver
              : session->receiver ? session->receiver
                                  : "",
              session->activity ? ", " : "", session->activity ? session->activity : "",
              *time ? ", each " : "", time,
              session->giver || session->receiver ? "" : ": type giver, receiver, time");
}

static void line_tell(const struct sheet_session *session, const struct sheet_line *line) {
    char day[16], time[32], where[32] = "kept here";
    tb_date_format(line->day, day);
    tb_time_format((int64_t)line->minutes, time);
    if (line->entry)
        snprintf(where, sizeof(where), "entry %" PRIu64, line->entry);
    client_line(session->to, "%4u %s  %-12s to %-12s %8s  %-12s %s", line->number, day, line->giver,
                line->receiver, time, line->activity, where);
}

void sheet_tell_list(const struct sheet_session *session) {
    uint32_t told = 0;
    for (size_t n = 0; n < session->n_lines; n++) {
        const struct sheet_line *next = NULL;
        for (size_t i = 0; i < session->n_lines; i++) {
            const struct sheet_line *line = &session->lines[i];
            if (line->number > told && (!next || line->number < next->number))
                next = line;
        }
        if (!next)
            return;
        line_tell(session, next);
        told = next->number;
    }
}

void sheet_tell_total(const struct sheet_session *session) {
    char time[32], kept[64] = "";
    size_t n_kept = 0;
    for (size_t i = 0; i < session->n_lines; i++)
        n_kept += session->lines[i].entry == 0;
    if (n_kept > 0)
        snprintf(kept, sizeof(kept), "; %zu of them kept here", n_kept);
    tb_time_format((int64_t)sheet_minutes(session), time);
    sheet_say(session, "Sheet %s: %zu line%s, %s%s.", session->sheet, session->n_lines,
              session->n_lines == 1 ? "" : "s", time, kept);
}

void sheet_tell_help(const struct sheet_session *session) {
    fputs("  7 12 2h30        m0007 gave m0012 2 h 30: any clear part of a code\n"
          "  7 12 2 gard      with an activity; at its end on 5/3/2025: a date\n"
          "  g 7              the giver from here: then a line is 12 2h30\n"
          "  r food           the receiver from here: then a line is 7 2h30\n"
          "  a gard           the activity from here       d tue   the date from here\n"
          "  t 2              the time from here: then a line is a person   (g - ends it)\n"
          "  l 8              go on with line 8            s NAME  another sheet\n"
          "  undo             take the last line back, then the one before; undo 3: line 3\n"
          "  total, list      lines and hours so far       end     check the total, stop\n",
          session->to);
}

void sheet_tell_json(const struct sheet_session *session) {
    json_t *object =
        json_pack("{s:I, s:I, s:O, s:O, s:[], s:I, s:I}", "recorded",
                  (json_int_t)session->n_recorded, "already", (json_int_t)session->n_already,
                  "refused", session->refused, "warnings", session->warnings, "declared", "minutes",
                  (json_int_t)session->recorded_minutes, "kept", (json_int_t)session->n_kept);
    if (object && session->client->bank)
        json_object_set_new(object, "position", client_position(session->client));
    client_print_json(object);
}
