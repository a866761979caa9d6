/* SPDX-License-Identifier: Apache-2.0 */
/* A session on its way from words and files to an order. */
#pragma once

#include "client.h"

#define SESSION_LINES_MAX 400

struct session_side {
    size_t n;
    const char *codes[SESSION_LINES_MAX]; /* borrowed */
    const char *persons[SESSION_LINES_MAX];
    uint64_t minutes[SESSION_LINES_MAX];
    bool has_persons;
};

struct session {
    struct client *client;
    const struct verb *verb;
    const char *default_time; /* of a line that names none; NULL: each has to */
    struct session_side givers;
    struct session_side receivers;
    uint32_t heads;
    uint64_t head_minutes;
    char *text; /* of the file: what its lines borrow */
    size_t n_text;
};

/* session-lines.c: "m0007=2h", "m0007/2=45 min", "m0007". Cuts the text in place. Exit status. */
int session_line_read(struct session *session, struct session_side *side, char *text);
/* Others who were there: "12", "12=1h". */
int session_heads_read(struct session *session, const char *heads, const char *time);
/* A file of lines: side, member, time, person. Its bytes before it was cut are in ret_bytes, the
 * caller's (free()), NUL-terminated. */
int session_file_read(struct session *session, const char *path, char **ret_bytes);
void session_fini(struct session *session);

/* session-tell.c: who would gain and pay what, by asking the bank in a dry run. Exit status. */
int session_try(struct session *session, const struct tb_order *order);
