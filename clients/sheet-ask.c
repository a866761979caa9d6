/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions: which of several, a new member, all the same. Return is always no.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "sheet.h"

char *sheet_ask(struct sheet_session *session, const char *prompt) {
    _cleanup_(freep) char *text = NULL;
    size_t n_allocated = 0;
    if (session->again)
        return TAKE(session->again);
    for (;;) {
        if (session->terminal)
            fputs(prompt, session->to);
        fflush(session->to);
        ssize_t n = getline(&text, &n_allocated, stdin);
        if (n < 0) {
            if (session->terminal)
                fputc('\n', session->to);
            return NULL;
        }
        while (n > 0 && strchr(" \t\r\n", text[n - 1]))
            text[--n] = '\0';
        if (utf8_is_valid(text, (size_t)n) && strlen(text) == (size_t)n)
            break;
        sheet_say(session, "That line holds bytes that are no text: type it again.");
    }
    size_t n_blank = strspn(text, " \t");
    memmove(text, text + n_blank, strlen(text + n_blank) + 1);
    return TAKE(text);
}

/* A short answer; the caller's. The next line of the sheet, typed where a question stands, is no
 * answer: it is taken next, and NULL given. */
static char *answer_take(struct sheet_session *session) {
    char *answer = sheet_ask(session, "  ? ");
    if (!answer || !strchr(answer, ' '))
        return answer;
    session->again = answer;
    return NULL;
}

static bool is_word(const char *text, const char *letter, const char *word) {
    return strcasecmp(text, letter) == 0 || strcasecmp(text, word) == 0;
}

bool sheet_ask_yes(struct sheet_session *session) {
    if (session->quiet)
        return true;
    _cleanup_(freep) char *answer = answer_take(session);
    return answer && is_word(answer, "y", "yes");
}

/* "1 m0012   2 x012" */
static char *choices_words(const struct sheet_matches *matches) {
    char *text = NULL;
    size_t n_text;
    FILE *to = open_memstream(&text, &n_text);
    if (!to)
        return NULL;
    for (size_t i = 0; i < matches->n && i < SHEET_CHOICES; i++)
        fprintf(to, "%s%zu %s", i ? "   " : "", i + 1, matches->names[i]);
    if (matches->n > SHEET_CHOICES)
        fprintf(to, "   and %zu more: type more of it", matches->n - SHEET_CHOICES);
    fclose(to);
    return text;
}

/* Lets one of several be picked by its number. *ret_answer is what was typed otherwise. */
static char *choice_take(struct sheet_session *session, const struct sheet_matches *matches,
                         const char *otherwise, char **ret_answer) {
    _cleanup_(freep) char *choices = choices_words(matches);
    sheet_say(session, "%s", choices ? choices : "");
    sheet_say(session, "Which? Type its number%s; Return: none.", otherwise);
    _cleanup_(freep) char *answer = answer_take(session);
    if (!answer || !*answer)
        return NULL;
    if (answer[0] >= '1' && answer[0] <= '9' && !answer[1]) {
        size_t place = (size_t)(answer[0] - '1');
        if (place < matches->n)
            return strdup(matches->names[place]);
    }
    *ret_answer = TAKE(answer);
    return NULL;
}

char *sheet_ask_activity(struct sheet_session *session, const char *part) {
    struct sheet_matches matches = sheet_known_activities(session, part);
    _cleanup_(freep) char *answer = NULL;
    if (matches.n == 1)
        return strdup(matches.names[0]);
    if (matches.n > 1)
        return choice_take(session, &matches, "", &answer);
    if (!session->there && sheet_known_activities(session, "").n == 0)
        return strdup(part); /* the bank will say */
    sheet_say(session,
              "There is no activity \"%s\": check it, or add it with timebank activity add.", part);
    return NULL;
}

char *sheet_ask_what(struct sheet_session *session) {
    struct sheet_matches all = sheet_known_activities(session, "");
    _cleanup_(freep) char *answer = NULL;
    sheet_say(session, "What was done? It stays for the lines after this one.");
    char *name = choice_take(session, &all, " or a part of it", &answer);
    if (name || answer)
        return name ? name : sheet_ask_activity(session, answer);
    /* an activity of two words is no line */
    if (!session->again || sheet_known_activities(session, session->again).n != 1)
        return NULL;
    answer = TAKE(session->again);
    return sheet_ask_activity(session, answer);
}

/* letters and then digits, as members' codes are */
static bool is_member_code(const char *text) {
    size_t n_letters = strcspn(text, "0123456789");
    return n_letters > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyz") == n_letters &&
           text[n_letters] && strspn(text + n_letters, "0123456789") == strlen(text + n_letters);
}

/* Opens the code, or the next where it is NULL. */
static char *member_open(struct sheet_session *session, const char *code, uint32_t day) {
    char *opened = NULL;
    return sheet_post_member(session, code, day, &opened) == SHEET_IN ? opened : NULL;
}

static char *member_ask(struct sheet_session *session, const char *part, uint32_t day) {
    _cleanup_(freep) char *next = NULL;
    const char *code = is_member_code(part) ? part : NULL;
    if (!code) {
        int r = tb_account_next_code(session->client->bank, &next);
        if (r != 0) {
            sheet_say(session, "%s", tb_bank_message(session->client->bank));
            return NULL;
        }
    }
    sheet_say(session, "There is no \"%s\". A new member? y opens %s%s; Return: no.", part,
              code ? code : next, code ? "" : ", or type the code to open");
    _cleanup_(freep) char *answer = answer_take(session);
    if (!answer || !*answer || is_word(answer, "n", "no"))
        return NULL;
    if (is_word(answer, "y", "yes"))
        return member_open(session, code, day);
    return member_open(session, client_code(answer), day);
}

/* A number that is nobody's, and those that it is part of. */
static char *near_ask(struct sheet_session *session, const struct sheet_matches *matches,
                      const char *part, bool giver, uint32_t day) {
    _cleanup_(freep) char *answer = NULL;
    if (!matches->sure)
        sheet_say(session, "There is no \"%s\"; near it:", part);
    char *code =
        choice_take(session, matches,
                    session->there && !matches->sure ? ", or n for a new member" : "", &answer);
    if (code || !answer)
        return code;
    if (strcasecmp(answer, "n") == 0 && session->there && !matches->sure)
        return member_ask(session, part, day);
    return sheet_ask_person(session, client_code(answer), giver, day);
}

static const char *side_words(int kind) {
    if (kind < 0)
        return "is closed: see the coordinator";
    if (kind == TB_ACCOUNT_VENUE)
        return "is a venue: credits spent there go in with timebank redeem";
    if (kind == TB_ACCOUNT_ORGANISATION)
        return "is an organisation: only members give time";
    return "is one of the bank's own accounts: name a member or an organisation";
}

/* "m0007/2": who of a household; the bank knows whether they are. */
static char *household_ask(struct sheet_session *session, const char *part, size_t n_code,
                           bool giver, uint32_t day) {
    _cleanup_(freep) char *typed = strndup(part, n_code), *code = NULL;
    char *whole = NULL;
    if (typed)
        code = sheet_ask_person(session, typed, giver, day);
    return code && asprintf(&whole, "%s%s", code, part + n_code) >= 0 ? whole : NULL;
}

char *sheet_ask_person(struct sheet_session *session, const char *part, bool giver, uint32_t day) {
    size_t n_code = strcspn(part, "/");
    if (n_code > 0 && part[n_code])
        return household_ask(session, part, n_code, giver, day);
    struct sheet_matches matches = sheet_known_people(session, part, giver);
    if (matches.n == 1 && matches.sure)
        return strdup(matches.names[0]);
    const char *other = sheet_known_kind(session, part) ? part : NULL;
    if (!other && matches.n == 0)
        other = sheet_known_other(session, part);
    if (other) {
        sheet_say(session, "%s %s.", other, side_words(sheet_known_kind(session, other)));
        return NULL;
    }
    if (matches.n > 0)
        return near_ask(session, &matches, part, giver, day);
    if (session->there)
        return member_ask(session, part, day);
    sheet_say(session,
              "\"%s\" is not known here: it is kept as typed and checked when the bank is "
              "back.",
              part);
    return strdup(part);
}
