/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control total: the lines and the hours that the broker counted on the paper, against those
 * that were found. One sentence says both figures.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sheet.h"

#define WHY_BYTES 400
#define LINES_MAX_DIGITS 9

static int lines_read(struct client *client, const char *text, uint64_t *ret_lines) {
    size_t n = strlen(text);
    if (n == 0 || n > LINES_MAX_DIGITS || strspn(text, "0123456789") != n)
        return client_refuse(client, TB_BAD_NUMBER,
                             "\"%s\" is not a number of lines: count the lines of the paper.",
                             text);
    *ret_lines = strtoull(text, NULL, 10);
    return CLIENT_DONE;
}

int sheet_control_read(struct client *client, const char *lines, const char *total,
                       struct sheet_control *ret_control) {
    struct sheet_control control = {.has_lines = lines, .has_minutes = total};
    char why[WHY_BYTES] = "";
    int status = lines ? lines_read(client, lines, &control.n_lines) : CLIENT_DONE;
    if (status == CLIENT_DONE && total)
        status = client_outcome_why(client,
                                    tb_time_parse(total, &control.minutes, why, sizeof(why)), why);
    if (status == CLIENT_DONE)
        *ret_control = control;
    return status;
}

bool sheet_control_agrees(const struct sheet_control *control, uint64_t n_lines, uint64_t minutes) {
    return (!control->has_lines || control->n_lines == n_lines) &&
           (!control->has_minutes || control->minutes == minutes);
}

char *sheet_control_words(const struct sheet_control *control, uint64_t n_lines, uint64_t minutes) {
    char lines[48] = "", said[32] = "", found[32], *words;
    if (control->has_lines)
        snprintf(lines, sizeof(lines), "%" PRIu64 " line%s%s", control->n_lines,
                 control->n_lines == 1 ? "" : "s", control->has_minutes ? ", " : "");
    if (control->has_minutes)
        tb_time_format((int64_t)control->minutes, said);
    tb_time_format((int64_t)minutes, found);
    if (asprintf(&words, "The paper says %s%s; the sheet has %" PRIu64 " line%s, %s in all", lines,
                 said, n_lines, n_lines == 1 ? "" : "s", found) < 0)
        return NULL;
    return words;
}
