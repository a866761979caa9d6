/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank list pending: what waits for somebody, or for a day: who has to act, until when, and
 * what becomes of it when nobody does.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "register.h"
#include "verbs.h"

#define DAY_MS 86400000ull

/* What a row is, and who has to act, in words; {from}, {to}, {time} and {entry} are the row's. */
static const struct {
    const char *what;
    const char *is;
    const char *say;
} whats[] = {
    {"gift", "a gift of {time} from {from} to {to}", "{to} accepts or declines it"},
    {"claim", "{to} claims {time} of {from}", "{from} confirms or declines it"},
    {"approval", "{time} from {from} to {to}", "another broker approves or declines it"},
    {"dispute", "{time} of {to} is disputed, entry {entry}",
     "a broker who is no party decides, else it stands"},
    {"hold", "{time} of {from} is held for {to}", "{to} takes it, else it goes back"},
    {"vouchers", "{time} that {from} paid is in vouchers", "they are spent, else they expire"},
    {"pledge", "{time} advanced to {to}", "{to} earns it"},
    {"leave", "{from} is leaving", "they spend what they have, then it is settled"},
    {"conflict", "a voucher of {time} was taken twice by {to}", "a broker decides who pays"},
};

static void put_field(FILE *to, const char *name, size_t n_name,
                      const struct tb_register_row *row) {
    char time[32];
    if (strncmp(name, "from", n_name) == 0)
        fputs(row->account && *row->account ? row->account : "several", to);
    else if (strncmp(name, "to", n_name) == 0)
        fputs(row->other && *row->other ? row->other : "several", to);
    else if (strncmp(name, "entry", n_name) == 0)
        fprintf(to, "%" PRIu64, row->other_entry);
    else {
        tb_time_format(row->minutes, time);
        fputs(time, to);
    }
}

static char *pattern_fill(const char *pattern, const struct tb_register_row *row) {
    char *text = NULL;
    size_t n_text = 0;
    FILE *to = open_memstream(&text, &n_text);
    if (!to)
        return NULL;
    while (*pattern) {
        if (*pattern != '{') {
            fputc(*pattern++, to);
            continue;
        }
        size_t n = strcspn(++pattern, "}");
        put_field(to, pattern, n, row);
        pattern += n + 1;
    }
    return fclose(to) == 0 ? text : NULL;
}

/* The last day on which it can be answered, and how many days are left with today. */
static void due_put(json_t *object, uint64_t due_ms) {
    char text[16];
    uint32_t day = due_ms ? (uint32_t)((due_ms - 1) / DAY_MS) : 0;
    if (due_ms == 0) {
        json_object_set_new(object, "until", json_null());
        json_object_set_new(object, "days_left", json_null());
        return;
    }
    tb_date_format(day, text);
    json_object_set_new(object, "until", json_string(text));
    json_object_set_new(object, "days_left",
                        json_integer(day < tb_today() ? 0 : day - tb_today() + 1));
}

static int row_keep(void *user, const struct tb_register_row *row) {
    _cleanup_(freep) char *is = NULL, *say = NULL;
    for (size_t i = 0; i < N_ELEMENTS(whats); i++)
        if (strcmp(whats[i].what, row->what) == 0) {
            is = pattern_fill(whats[i].is, row);
            say = pattern_fill(whats[i].say, row);
        }
    json_t *object =
        json_pack("{s:I, s:o, s:o, s:o, s:I, s:I}", "entry", (json_int_t)row->entry, "what",
                  client_json_text(row->what), "from", client_json_text(row->account), "to",
                  client_json_text(row->other), "minutes", (json_int_t)row->minutes, "about",
                  (json_int_t)row->other_entry);
    due_put(object, row->due_ms);
    json_object_set_new(object, "is", client_json_text(is ? is : row->what));
    json_object_set_new(object, "say", client_json_text(say ? say : ""));
    return json_array_append_new(user, object);
}

static void row_tell(const json_t *row) {
    const json_t *left = json_object_get(row, "days_left");
    char until[64] = "";
    if (json_is_integer(left))
        snprintf(until, sizeof(until), ", until %s",
                 json_string_value(json_object_get(row, "until")));
    client_line(stdout, "%8" JSON_INTEGER_FORMAT "  %s: %s%s",
                json_integer_value(json_object_get(row, "entry")),
                json_string_value(json_object_get(row, "is")),
                json_string_value(json_object_get(row, "say")), until);
}

static int pending_run(struct client *client, int argc, char **argv) {
    static const struct register_listing listing = {.table = TB_REGISTER_PENDING,
                                                    .takes_code = true,
                                                    .none = "Nothing waits for anybody.",
                                                    .keep = row_keep,
                                                    .tell = row_tell};
    return register_run(client, &verb_list_pending, &listing, argc, argv);
}

const struct verb verb_list_pending = {
    .name = "list pending",
    .summary = "what waits for somebody, or for a day",
    .help = "timebank list pending\n"
            "timebank list pending m0012\n"
            "\n"
            "Gifts, claims, approvals, disputes, holds and what else waits: who has to act, and "
            "the last\n"
            "day for it. With a code, of that account only; a member sees their own.\n",
    .run = pending_run,
};
