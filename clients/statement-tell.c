/* SPDX-License-Identifier: Apache-2.0 */
/* A statement as a page in plain words, as one JSON object, and as CSV that is inert in a
 * spreadsheet. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "csv-out.h"
#include "statement.h"

#define WHAT_BEGINS 57 /* columns before the last one; with it, 100 */
#define WHAT_BYTES 43

static void head_tell(struct client *client, const struct statement *statement) {
    char from[16] = "the beginning", to[16] = "today";

    if (statement->from_day)
        tb_date_format(statement->from_day, from);
    if (statement->to_day != UINT32_MAX)
        tb_date_format(statement->to_day, to);
    client_line(stdout, "%s: statement of %s (%s)", tb_bank_origin(client->bank),
                statement->balance_code, tb_account_kind_name(statement->balance.kind));
    client_line(stdout, "By date of service, from %s to %s", from, to);
    client_line(stdout, "%s", "");
    client_line(stdout, "%-10s  %-10s  %7s  %10s  %10s  %s", "service", "entered", "entry", "time",
                "balance", "what");
}

/* A text in the last column, broken at blanks where the line would be too long to print. */
static void what_tell(const char *before, const char *text) {
    do {
        size_t n = strlen(text);
        if (n > WHAT_BYTES) {
            for (n = WHAT_BYTES; n > 0 && text[n] != ' '; n--)
                ;
            n = n > 0 ? n : strcspn(text, " ");
        }
        client_line(stdout, "%-*s%.*s", WHAT_BEGINS, before, (int)n, text);
        text += n + strspn(text + n, " ");
        before = "";
    } while (*text);
}

static void line_tell(const struct statement_line *line) {
    char service[16], entered[16], time[32], moved[40], balance[32], note[32], by[96];
    char before[WHAT_BEGINS + 80];
    _cleanup_(freep) char *what = NULL, *why = NULL;

    tb_date_format(line->service_day, service);
    tb_date_format(line->entry_day, entered);
    tb_time_format(line->minutes, time);
    tb_time_format(line->balance_minutes, balance);
    statement_by(line, by, sizeof(by));
    if (line->hours_minutes)
        tb_time_format((int64_t)line->hours_minutes, note);
    snprintf(moved, sizeof(moved), "%s%s", line->minutes > 0 ? "+" : "", line->minutes ? time : "");
    snprintf(before, sizeof(before), "%s  %s  %7" PRIu64 "  %10s  %10s  ", service, entered,
             line->entry, moved, balance);
    if (asprintf(&what, "%s%s%s; by %s", line->words, line->hours_minutes ? ", " : "",
                 line->hours_minutes ? note : "", by) < 0 ||
        asprintf(&why, "why: %s", line->why) < 0)
        return;
    what_tell(before, what);
    if (*line->why)
        what_tell("", why);
    if (line->reversed_minutes) {
        tb_time_format((int64_t)line->reversed_minutes, note);
        client_line(stdout, "%-*sof which taken back: %s", WHAT_BEGINS, "", note);
    }
}

void statement_tell(struct client *client, const struct statement *statement) {
    uint64_t size = 0;
    uint8_t root[32];
    char opening[32], closing[32];

    tb_time_format(statement->opening_minutes, opening);
    tb_time_format(statement->closing_minutes, closing);
    head_tell(client, statement);
    client_line(stdout, "%-43s  %10s", "opening balance", opening);
    for (size_t i = 0; i < statement->n_lines; i++)
        line_tell(&statement->lines[i]);
    client_line(stdout, "%-43s  %10s", "closing balance", closing);
    tb_bank_position(client->bank, &size, root);
    client_line(stdout, "%s", "");
    client_line(stdout, "As of record %" PRIu64 " of the signed ledger.", size);
}

static json_t *line_json(const struct statement_line *line) {
    char service[16], entered[16], by[96];
    json_t *object;

    tb_date_format(line->service_day, service);
    tb_date_format(line->entry_day, entered);
    statement_by(line, by, sizeof(by));
    object = json_pack("{s:I, s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:o, s:o, s:o}", "entry",
                       (json_int_t)line->entry, "kind", tb_kind_name(line->kind), "service_date",
                       service, "entry_date", entered, "recorded_at_ms",
                       (json_int_t)line->received_at_ms, "other", client_json_text(line->other),
                       "minutes", (json_int_t)line->minutes, "balance_minutes",
                       (json_int_t)line->balance_minutes, "words", client_json_text(line->words),
                       "activity", client_json_text(line->activity), "by", client_json_text(by));
    if (line->hours_minutes)
        json_object_set_new(object, "minutes_without_credit",
                            json_integer((json_int_t)line->hours_minutes));
    if (*line->offer)
        json_object_set_new(object, "offer", client_json_text(line->offer));
    if (line->target_entry)
        json_object_set_new(object, line->kind == TB_REVERSE ? "reverses" : "target_entry",
                            json_integer((json_int_t)line->target_entry));
    if (line->event)
        json_object_set_new(object, "event", json_string(tb_event_name(line->event)));
    if (line->reversed_minutes)
        json_object_set_new(object, "reversed_minutes",
                            json_integer((json_int_t)line->reversed_minutes));
    if (*line->why)
        json_object_set_new(object, "why", client_json_text(line->why));
    return object;
}

void statement_tell_json(struct client *client, const struct statement *statement) {
    json_t *lines = json_array();

    for (size_t i = 0; i < statement->n_lines; i++)
        json_array_append_new(lines, line_json(&statement->lines[i]));
    client_print_json(json_pack(
        "{s:o, s:s, s:I, s:o, s:I, s:o}", "code", client_json_text(statement->balance_code), "kind",
        tb_account_kind_name(statement->balance.kind), "opening_minutes",
        (json_int_t)statement->opening_minutes, "lines", lines, "closing_minutes",
        (json_int_t)statement->closing_minutes, "position", client_position(client)));
}

static void row_tell(const struct statement_line *line) {
    char service[16], entered[16], by[96];

    tb_date_format(line->service_day, service);
    tb_date_format(line->entry_day, entered);
    statement_by(line, by, sizeof(by));
    csv_out_number((int64_t)line->entry);
    csv_out_text(tb_kind_name(line->kind));
    csv_out_text(service);
    csv_out_text(entered);
    csv_out_text(line->other);
    csv_out_number(line->minutes);
    csv_out_number(line->balance_minutes);
    csv_out_text(line->words);
    csv_out_text(line->activity);
    csv_out_text(line->offer);
    csv_out_text(by);
    csv_out_number(line->kind == TB_REVERSE ? (int64_t)line->target_entry : 0);
    csv_out_text(line->why);
    csv_out_number((int64_t)line->hours_minutes);
    csv_out_number((int64_t)line->reversed_minutes);
    csv_out_end();
}

/* The balance before the first row and after the last one. Nothing moves in it, so that a column of
 * minutes still adds up. */
static void balance_row_tell(const char *kind, uint32_t day, int64_t minutes) {
    char text[16] = "";

    if (day != 0 && day != UINT32_MAX)
        tb_date_format(day, text);
    csv_out_number(0);
    csv_out_text(kind);
    csv_out_text(text);
    csv_out_text("");
    csv_out_text("");
    csv_out_number(0);
    csv_out_number(minutes);
    for (size_t i = 0; i < 4; i++)
        csv_out_text("");
    csv_out_number(0);
    csv_out_text("");
    csv_out_number(0);
    csv_out_number(0);
    csv_out_end();
}

void statement_tell_csv(const struct statement *statement) {
    static const char *const columns[] = {"entry",
                                          "kind",
                                          "service_date",
                                          "entry_date",
                                          "other",
                                          "minutes",
                                          "balance_minutes",
                                          "words",
                                          "activity",
                                          "offer",
                                          "by",
                                          "reverses",
                                          "why",
                                          "minutes_without_credit",
                                          "reversed_minutes"};

    csv_out_begin();
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        csv_out_text(columns[i]);
    csv_out_end();
    balance_row_tell("opening balance", statement->from_day, statement->opening_minutes);
    for (size_t i = 0; i < statement->n_lines; i++)
        row_tell(&statement->lines[i]);
    balance_row_tell("closing balance", statement->to_day, statement->closing_minutes);
}
