/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of the sheet that is being typed, in the order in which they came, and which is next:
 * the first after them that the bank does not have.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "sheet.h"

#define GAP_MAX 20 /* lines that were refused leave gaps */

void sheet_lines_clear(struct sheet_session *session) {
    for (size_t i = 0; i < session->n_lines; i++)
        sheet_line_fini(&session->lines[i]);
    session->n_lines = 0;
}

bool sheet_lines_add(struct sheet_session *session, struct sheet_line *line) {
    struct sheet_line *lines = reallocarray(session->lines, session->n_lines + 1, sizeof(*lines));
    if (!lines)
        return false;
    session->lines = lines;
    lines[session->n_lines++] = *line;
    *line = (struct sheet_line){0};
    return true;
}

static const struct sheet_line *line_find(const struct sheet_session *session, uint32_t number) {
    for (size_t i = 0; i < session->n_lines; i++)
        if (session->lines[i].number == number)
            return &session->lines[i];
    return NULL;
}

void sheet_lines_set_next(struct sheet_session *session, uint32_t next) {
    session->next = next;
    session->attempt = sheet_known_attempt(session, session->sheet, next);
    sheet_known_set_next(session, session->sheet, next);
}

/* Goes past lines that are in already. */
static void in_tell(const struct sheet_session *session, const struct sheet_line *line) {
    _cleanup_(freep) char *words = sheet_line_words(session, line);
    if (line->entry)
        sheet_say(session, "Line %u is in already: %s; entry %" PRIu64, line->number,
                  words ? words : "", line->entry);
    else
        sheet_say(session, "Line %u is kept here already: %s", line->number, words ? words : "");
}

void sheet_lines_find_next(struct sheet_session *session, bool tell) {
    while (session->next < SHEET_LINE_MAX) {
        struct sheet_line line = {0};
        const struct sheet_line *known = line_find(session, session->next);
        int r = known || !session->there
                    ? known != NULL
                    : sheet_post_find(session, session->next, &session->attempt, &line);
        if (r <= 0)
            return;
        if (tell)
            in_tell(session, known ? known : &line);
        if (!known)
            sheet_lines_add(session, &line);
        sheet_line_fini(&line);
        sheet_lines_set_next(session, session->next + 1);
    }
}

void sheet_lines_load(struct sheet_session *session) {
    uint32_t n_missing = 0;
    for (uint32_t number = 1; session->there && n_missing < GAP_MAX; number++) {
        struct sheet_line line = {0};
        uint32_t attempt;
        int r = sheet_post_find(session, number, &attempt, &line);
        n_missing = r == 0 ? n_missing + 1 : 0;
        if (r < 0 || (r > 0 && !sheet_lines_add(session, &line)))
            return;
    }
}
