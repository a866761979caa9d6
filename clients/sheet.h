/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `timebank sheet` share.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/* What the paper says of itself. */
struct sheet_control {
    bool has_lines;
    bool has_minutes;
    uint64_t n_lines;
    uint64_t minutes;
};

/* Reads --lines and --total, either of which may be NULL; tells what is wrong. Exit status. */
int sheet_control_read(struct client *client, const char *lines, const char *total,
                       struct sheet_control *ret_control);
/* True where what was found is what the paper says. */
bool sheet_control_agrees(const struct sheet_control *control, uint64_t n_lines, uint64_t minutes);
/* "The paper says 8 lines; the sheet has 7 lines, 14 h 45 in all." The caller's; NULL on no memory.
 */
char *sheet_control_words(const struct sheet_control *control, uint64_t n_lines, uint64_t minutes);

/* The options as typed. */
struct sheet_typed {
    char *sheet;
    char *on;
    struct sheet_control control;
};

struct sheet_line {
    char *sheet;
    uint32_t number;
    uint32_t attempt; /* 1, and one more for each time the line was undone */
    uint32_t day;
    char *giver;
    char *receiver;
    char *activity;
    uint64_t minutes;
    uint64_t typed_minutes; /* where minutes was rounded; else 0 */
    uint64_t entry;         /* 0: kept here, not in the ledger yet */
};

void sheet_line_fini(struct sheet_line *line);

/* One sitting. Lines that the bank has and lines that are kept here stand in one list. */
struct sheet_session {
    struct client *client;
    FILE *to;      /* what a person reads */
    bool terminal; /* prompts are wanted */
    bool quiet;    /* nothing can be asked: what would be is answered by yes */
    bool there;    /* the bank answered when the line was begun */
    bool told_away;
    bool fetched;
    int open_status;   /* of the last try to open the bank */
    uint64_t retry_ms; /* no other try before this instant */

    json_t *known; /* sheet-known */
    char *place;   /* sheet-kept: the path of the local files, without suffix */
    size_t n_kept;

    struct sheet_line *lines; /* of this sheet, in the order in which they were typed */
    size_t n_lines;
    char *sheet;
    uint32_t next;
    uint32_t attempt;

    uint32_t day;
    char *giver; /* at most one of the two */
    char *receiver;
    char *activity;
    uint64_t minutes; /* of every line, where none is typed; 0: none */

    uint32_t old_day; /* the date of service that was told to be old */
    uint64_t n_recorded;
    uint64_t n_already;
    uint64_t recorded_minutes;
    size_t n_set_aside; /* kept lines that the bank refused */
    json_t *refused;
    json_t *warnings;
    char *again; /* a line that was typed where a question stood */
};

enum sheet_outcome {
    SHEET_IN,      /* recorded, or in already */
    SHEET_AWAY,    /* the bank did not answer, or could not: keep the line */
    SHEET_REFUSED, /* told */
    SHEET_LEFT,    /* the person said no */
};

/* What was read of a typed line. Texts point into text. */
struct sheet_parts {
    char text[512];
    size_t n_persons;
    const char *persons[2];
    uint64_t minutes; /* as typed; 0: none */
    const char *activity;
    const char *day;
    char why[400]; /* what is wrong with it */
};

/* sheet-typed: lines typed at a terminal or read from a pipe as if they were; exit status. */
int sheet_typed_run(struct client *client, const struct sheet_typed *typed);
/* Posts what earlier sittings kept for this bank, if anything; exit status. */
int sheet_kept_settle(struct client *client);

/* sheet-read. A line: PERSON [PERSON] TIME [ACTIVITY] [on DATE]. n_persons_min is 1 where one side
 * is said already, and has_time is true where the time is. False: why says what is wrong. */
bool sheet_read(const char *text, size_t n_persons_min, bool has_time,
                struct sheet_parts *ret_parts);

/* sheet-known: what the bank said of accounts, activities and steps, and what was found out here of
 * its sheets; kept for when it is away. */
int sheet_known_fetch(struct sheet_session *session);
void sheet_known_load(struct sheet_session *session);
void sheet_known_save(struct sheet_session *session);
/* Account kind of a code; 0: not known; negative: closed. */
int sheet_known_kind(const struct sheet_session *session, const char *code);
uint32_t sheet_known_next(const struct sheet_session *session, const char *sheet);
void sheet_known_set_next(struct sheet_session *session, const char *sheet, uint32_t next);

/* The attempt that is free of a line, as far as it is known here. */
uint32_t sheet_known_attempt(const struct sheet_session *session, const char *sheet,
                             uint32_t number);
void sheet_known_set_attempt(struct sheet_session *session, const char *sheet, uint32_t number,
                             uint32_t attempt);
/* A code that part may mean and that is neither a member nor an organisation, or NULL. */
const char *sheet_known_other(const struct sheet_session *session, const char *part);

#define SHEET_CHOICES 9
struct sheet_matches {
    size_t n; /* may be more than SHEET_CHOICES */
    const char *names[SHEET_CHOICES];
    bool sure; /* one of them is meant */
};
/* Names by a part of them; giver: members only. */
struct sheet_matches sheet_known_people(const struct sheet_session *session, const char *part,
                                        bool giver);
struct sheet_matches sheet_known_activities(const struct sheet_session *session, const char *part);

#define SHEET_LINE_MAX 999999u

/* sheet-lines. Adding takes the line, and fails only without memory. */
void sheet_lines_clear(struct sheet_session *session);
bool sheet_lines_add(struct sheet_session *session, struct sheet_line *line);
void sheet_lines_set_next(struct sheet_session *session, uint32_t next);
/* Fetches what the bank has of the sheet. */
void sheet_lines_load(struct sheet_session *session);
/* Goes past lines that are in already. */
void sheet_lines_find_next(struct sheet_session *session, bool tell);

/* sheet-entry: a typed line that is no command; and a date, of which it tells what is wrong. */
void sheet_entry_take(struct sheet_session *session, const char *text);
bool sheet_entry_day(const struct sheet_session *session, const char *text, uint32_t *ret_day);

/* sheet-ask: a line of input without its end; NULL at the end of all. The caller's. */
char *sheet_ask(struct sheet_session *session, const char *prompt);
bool sheet_ask_yes(struct sheet_session *session);
/* The code or name that is meant, asking where it is not clear; the caller's. NULL: none. */
char *sheet_ask_person(struct sheet_session *session, const char *part, bool giver, uint32_t day);
char *sheet_ask_activity(struct sheet_session *session, const char *part);
/* Any activity, where none was said. */
char *sheet_ask_what(struct sheet_session *session);

/* sheet-bank: whether it answers; opens it, and tells when that changes. A refusal to open it is
 * told, and its exit status kept. */
bool sheet_bank_reach(struct sheet_session *session);
/* A call failed: nothing is tried for a while. */
void sheet_bank_lose(struct sheet_session *session, const char *why);
/* True for an outcome that says nothing of what was asked. */
bool sheet_bank_is_away(int r);

/* sheet-post: prefix stands before what is told. */
enum sheet_outcome sheet_post(struct sheet_session *session, struct sheet_line *line,
                              const char *prefix);
enum sheet_outcome sheet_post_undo(struct sheet_session *session, const struct sheet_line *line);
/* 1 and the line where the bank has it, 0 and the attempt where it is free; SHEET_AWAY's -1. */
int sheet_post_find(struct sheet_session *session, uint32_t number, uint32_t *ret_attempt,
                    struct sheet_line *ret_line);
enum sheet_outcome sheet_post_member(struct sheet_session *session, const char *code, uint32_t day,
                                     char **ret_code);

/* sheet-kept: 0 or a negative errno, told. */
int sheet_kept_init(struct sheet_session *session);
int sheet_kept_add(struct sheet_session *session, const struct sheet_line *line);
/* Adds what is kept of this sheet to the session's lines. */
int sheet_kept_list(struct sheet_session *session);
/* Takes the line out again. */
int sheet_kept_drop(struct sheet_session *session, const struct sheet_line *line);
/* Posts in order until the bank is away. */
int sheet_kept_post(struct sheet_session *session);

/* sheet-tell: lines a little to the right of the prompts. */
void sheet_say(const struct sheet_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "Wed 5 March 2025: m0007 gave 2 h to m0012, gardening"; the caller's, NULL on no memory. */
char *sheet_line_words(const struct sheet_session *session, const struct sheet_line *line);
void sheet_tell_sticky(const struct sheet_session *session);
void sheet_tell_list(const struct sheet_session *session);
void sheet_tell_total(const struct sheet_session *session);
void sheet_tell_help(const struct sheet_session *session);
void sheet_tell_json(const struct sheet_session *session);
uint64_t sheet_minutes(const struct sheet_session *session);
