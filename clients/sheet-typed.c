/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sitting: lines are typed one after another, each is recorded at once or kept here until the
 * bank is back, and at the end the paper's own count is compared. What stays the same from line to
 * line is said once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sheet.h"

#define SHEET_NAME_MAX 64
#define WHY_BYTES 400

struct command {
    const char *names[4];
    /* rest is what stands after the name, "" where nothing does; false ends the sitting */
    bool (*run)(struct sheet_session *session, char *rest);
};

/* ------------------------------------------------------------------ a sheet */

static bool sheet_set(struct sheet_session *session, const char *name) {
    size_t n = strlen(name);
    if (n == 0 || n > SHEET_NAME_MAX || strchr(name, '/')) {
        sheet_say(session, "A sheet's name has 1 to %d characters and no /.", SHEET_NAME_MAX);
        return false;
    }
    char *copy = strdup(name);
    if (!copy)
        return false;
    free(session->sheet);
    session->sheet = copy;
    sheet_lines_clear(session);
    sheet_lines_set_next(session, session->there ? 1 : sheet_known_next(session, name));
    sheet_lines_load(session);
    if (sheet_kept_list(session) < 0)
        return false;
    sheet_lines_find_next(session, false);
    if (session->n_lines > 0)
        sheet_tell_total(session);
    sheet_say(session, "Sheet %s, line %u is next. Type ? for help, end to stop.", session->sheet,
              session->next);
    sheet_tell_sticky(session);
    return true;
}

/* Today's date and the first letter that no sheet has. */
static char *sheet_propose(struct sheet_session *session) {
    char day[16];
    tb_date_format(tb_today(), day);
    for (char letter = 'A'; letter <= 'Z'; letter++) {
        struct sheet_line line = {0};
        uint32_t attempt = 1;
        char *name;
        if (asprintf(&name, "%s-%c", day, letter) < 0)
            return NULL;
        char *before = session->sheet;
        session->sheet = name;
        int r = session->there ? sheet_post_find(session, 1, &attempt, &line) : 0;
        session->sheet = before;
        sheet_line_fini(&line);
        if (r <= 0 && attempt == 1 && sheet_known_next(session, name) == 1)
            return name;
        free(name);
    }
    return NULL;
}

static bool sheet_ask_name(struct sheet_session *session) {
    for (;;) {
        _cleanup_(freep) char *proposed = sheet_propose(session);
        if (proposed)
            sheet_say(session, "What stands on the sheet as its name? Return: %s", proposed);
        else
            sheet_say(session, "What stands on the sheet as its name?");
        _cleanup_(freep) char *name = sheet_ask(session, "  ? ");
        if (!name)
            return false;
        if (sheet_set(session, *name || !proposed ? name : proposed))
            return true;
    }
}

/* ----------------------------------------------------------------- commands */

static bool run_help(struct sheet_session *session, char *rest _unused_) {
    sheet_tell_help(session);
    return true;
}

static void text_set(char **place, char *text) {
    free(*place);
    *place = text;
}

/* Takes "g -" back; otherwise sets one side and clears the other. */
static bool side_set(struct sheet_session *session, char *rest, char **side, char **other) {
    char *code = NULL;
    bool giver = side == &session->giver;
    if (*rest && strcmp(rest, "-") != 0) {
        code = sheet_ask_person(session, client_code(rest), giver, session->day);
        if (!code)
            return true;
        text_set(other, NULL);
    }
    text_set(side, code);
    sheet_tell_sticky(session);
    return true;
}

static bool run_giver(struct sheet_session *session, char *rest) {
    return side_set(session, rest, &session->giver, &session->receiver);
}

static bool run_receiver(struct sheet_session *session, char *rest) {
    return side_set(session, rest, &session->receiver, &session->giver);
}

static bool run_activity(struct sheet_session *session, char *rest) {
    char *name = NULL;
    if (*rest && strcmp(rest, "-") != 0) {
        name = sheet_ask_activity(session, rest);
        if (!name)
            return true;
    }
    text_set(&session->activity, name);
    sheet_tell_sticky(session);
    return true;
}

static bool run_date(struct sheet_session *session, char *rest) {
    uint32_t day;
    if (sheet_entry_day(session, rest, &day)) {
        session->day = day;
        sheet_tell_sticky(session);
    }
    return true;
}

static bool run_time(struct sheet_session *session, char *rest) {
    char why[WHY_BYTES] = "";
    uint64_t minutes = 0;
    int r = *rest && strcmp(rest, "-") != 0 ? tb_time_parse(rest, &minutes, why, sizeof(why)) : 0;
    if (r != 0) {
        sheet_say(session, "%s", why);
        return true;
    }
    session->minutes = minutes;
    sheet_tell_sticky(session);
    return true;
}

static bool run_sheet(struct sheet_session *session, char *rest) {
    sheet_set(session, rest);
    return true;
}

static bool run_line(struct sheet_session *session, char *rest) {
    unsigned long number = strtoul(rest, NULL, 10);
    if (strspn(rest, "0123456789") != strlen(rest) || number == 0 || number > SHEET_LINE_MAX) {
        sheet_say(session, "Lines are counted from 1: type l 8 to go on with line 8.");
        return true;
    }
    sheet_lines_set_next(session, (uint32_t)number);
    sheet_lines_find_next(session, true);
    return true;
}

static bool run_total(struct sheet_session *session, char *rest _unused_) {
    sheet_tell_total(session);
    return true;
}

static bool run_list(struct sheet_session *session, char *rest _unused_) {
    sheet_tell_list(session);
    sheet_tell_total(session);
    return true;
}

static void undone_tell(const struct sheet_session *session) {
    const struct sheet_line *before =
        session->n_lines > 0 ? &session->lines[session->n_lines - 1] : NULL;
    _cleanup_(freep) char *words = before ? sheet_line_words(session, before) : NULL;
    if (words)
        sheet_say(session, "Type line %u anew, or undo again for line %u (%s).", session->next,
                  before->number, words);
    else
        sheet_say(session, "Type line %u anew.", session->next);
}

/* The line that "undo" or "undo 3" means. */
static struct sheet_line *undo_find(struct sheet_session *session, const char *rest) {
    unsigned long number = strtoul(rest, NULL, 10);
    for (size_t i = session->n_lines; i-- > 0;)
        if (!*rest || session->lines[i].number == number)
            return &session->lines[i];
    if (*rest)
        sheet_say(session, "This sheet has no line %s: list shows what it has.", rest);
    else
        sheet_say(session, "This sheet has no line to take back.");
    return NULL;
}

/* True where the line no longer counts. */
static bool line_undo(struct sheet_session *session, const struct sheet_line *line) {
    if (line->entry == 0) {
        if (sheet_kept_drop(session, line) < 0)
            return false;
        sheet_say(session, "Line %u was kept here and never went to the bank: it is gone.",
                  line->number);
        return true;
    }
    if (session->there && sheet_post_undo(session, line) == SHEET_IN) {
        sheet_known_set_attempt(session, session->sheet, line->number, line->attempt + 1);
        return true;
    }
    sheet_say(session, "Line %u is in the ledger and was not taken back%s.", line->number,
              session->there ? "" : ": undo it when the bank answers");
    return false;
}

static bool run_undo(struct sheet_session *session, char *rest) {
    struct sheet_line *line = undo_find(session, rest);
    if (!line || !line_undo(session, line))
        return true;
    size_t n_after = (size_t)(&session->lines[--session->n_lines] - line);
    sheet_lines_set_next(session, line->number);
    sheet_line_fini(line);
    memmove(line, line + 1, n_after * sizeof(*line));
    undone_tell(session);
    return true;
}

static bool run_end(struct sheet_session *session _unused_, char *rest _unused_) {
    return false;
}

static const struct command commands[] = {
    {{"?", "help", "h"}, run_help},
    {{"g", "giver", "from"}, run_giver},
    {{"r", "receiver", "to"}, run_receiver},
    {{"a", "activity"}, run_activity},
    {{"d", "date", "on"}, run_date},
    {{"t", "time", "each"}, run_time},
    {{"s", "sheet"}, run_sheet},
    {{"l", "line"}, run_line},
    {{"u", "undo"}, run_undo},
    {{"total"}, run_total},
    {{"list"}, run_list},
    {{"end", "q", "quit", "exit"}, run_end},
};

static bool command_is(const struct command *command, const char *text, size_t n) {
    for (size_t i = 0; i < N_ELEMENTS(command->names) && command->names[i]; i++)
        if (strlen(command->names[i]) == n && strncasecmp(command->names[i], text, n) == 0)
            return true;
    return false;
}

static bool input_take(struct sheet_session *session, char *text) {
    size_t n = strcspn(text, " \t");
    for (size_t i = 0; i < N_ELEMENTS(commands); i++)
        if (command_is(&commands[i], text, n))
            return commands[i].run(session, text + n + strspn(text + n, " \t"));
    sheet_entry_take(session, text);
    return true;
}

/* ------------------------------------------------------------- from the top */

static bool lines_take(struct sheet_session *session) {
    for (;;) {
        char prompt[24];
        sheet_lines_find_next(session, true);
        snprintf(prompt, sizeof(prompt), "%3u> ", session->next);
        _cleanup_(freep) char *text = sheet_ask(session, prompt);
        if (!text)
            return false;
        if (!*text)
            continue;
        if (sheet_bank_reach(session) && session->n_kept > 0)
            (void)!sheet_kept_post(session);
        if (!input_take(session, text))
            return true;
    }
}

/* Asks for what the options did not say; Return leaves it out. False at the end of the input. */
static bool control_ask(struct sheet_session *session, struct sheet_control *control) {
    char why[WHY_BYTES] = "";
    while (!control->has_lines) {
        sheet_say(session, "How many lines has the sheet on paper? Return: not counted.");
        _cleanup_(freep) char *text = sheet_ask(session, "  ? ");
        if (!text || !*text)
            break;
        control->has_lines = strspn(text, "0123456789") == strlen(text);
        if (control->has_lines)
            control->n_lines = strtoull(text, NULL, 10);
        else
            sheet_say(session, "\"%s\" is not a number of lines.", text);
    }
    while (!control->has_minutes) {
        sheet_say(session, "And how many hours in all? Return: not added up.");
        _cleanup_(freep) char *text = sheet_ask(session, "  ? ");
        if (!text || !*text)
            break;
        if (tb_time_parse(text, &control->minutes, why, sizeof(why)) == 0)
            control->has_minutes = true;
        else
            sheet_say(session, "%s", why);
    }
    return control->has_lines || control->has_minutes;
}

/* True where the paper agrees, or says nothing. */
static bool control_check(struct sheet_session *session, const struct sheet_control *control) {
    uint64_t minutes = sheet_minutes(session);
    if (sheet_control_agrees(control, session->n_lines, minutes)) {
        if (control->has_lines || control->has_minutes)
            sheet_say(session, "The control total is right.");
        return true;
    }
    _cleanup_(freep) char *words = sheet_control_words(control, session->n_lines, minutes);
    sheet_tell_list(session);
    sheet_say(session, "%s.", words ? words : "");
    return false;
}

/* Types until the total is right or the person leaves it; an exit status. */
static int sitting_run(struct sheet_session *session, const struct sheet_control *given) {
    for (;;) {
        struct sheet_control control = *given;
        bool more = lines_take(session);
        if (more)
            (void)control_ask(session, &control);
        if (control_check(session, &control))
            return CLIENT_DONE;
        if (!more) {
            sheet_say(session, "What is in stays in: run timebank sheet again with this sheet's "
                               "name to put it right.");
            return CLIENT_REFUSED;
        }
        sheet_say(
            session,
            "Look for the slip: undo 3 takes line 3 back, l 3 goes on with line 3; then end again. "
            "Leave it so? y; Return: no.");
        if (sheet_ask_yes(session))
            return CLIENT_REFUSED;
    }
}

static int sitting_end(struct sheet_session *session, int status) {
    session->retry_ms = 0;
    if (session->n_kept > 0 && sheet_bank_reach(session))
        (void)!sheet_kept_post(session);
    sheet_tell_total(session);
    if (session->n_kept > 0) {
        sheet_say(session, "%zu line%s kept here: run timebank sheet again when the bank is back.",
                  session->n_kept, session->n_kept == 1 ? " is" : "s are");
        status = status == CLIENT_DONE ? CLIENT_UNKNOWN : status;
    }
    if (session->n_set_aside > 0 && status == CLIENT_DONE)
        status = CLIENT_REFUSED;
    sheet_known_save(session);
    return status;
}

static int session_run(struct sheet_session *session, const struct sheet_typed *typed) {
    int status = CLIENT_DONE;
    if (!session->client->address)
        return client_open(session->client); /* tells what to say */
    session->day = tb_today();
    if (typed->on)
        status = client_date(session->client, typed->on, &session->day);
    if (status != CLIENT_DONE)
        return status;
    if (sheet_kept_init(session) < 0)
        return CLIENT_BROKEN;
    sheet_known_load(session);
    if (!sheet_bank_reach(session) && session->open_status != CLIENT_DONE)
        return session->open_status;
    sheet_known_save(session);
    if (session->there && sheet_kept_post(session) < 0)
        return CLIENT_BROKEN;
    if (typed->sheet ? !sheet_set(session, typed->sheet) : !sheet_ask_name(session))
        return typed->sheet ? CLIENT_REFUSED : CLIENT_DONE;
    return sitting_end(session, sitting_run(session, &typed->control));
}

int sheet_typed_run(struct client *client, const struct sheet_typed *typed) {
    struct sheet_session session = {.client = client,
                                    .to = client->json ? stderr : stdout,
                                    .terminal = isatty(STDIN_FILENO) == 1,
                                    .refused = json_array(),
                                    .warnings = json_array()};
    int status = session_run(&session, typed);
    if (client->json && session.place)
        sheet_tell_json(&session);
    sheet_lines_clear(&session);
    free(session.lines);
    free(session.sheet);
    free(session.giver);
    free(session.receiver);
    free(session.activity);
    free(session.place);
    free(session.again);
    json_decref(session.known);
    json_decref(session.refused);
    json_decref(session.warnings);
    return status;
}
