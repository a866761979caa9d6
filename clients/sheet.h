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

/* sheet-typed: lines typed at a terminal or read from a pipe as if they were; exit status. */
int sheet_typed_run(struct client *client, const struct sheet_typed *typed);
