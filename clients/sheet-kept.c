/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that wait for the bank: one file for each bank's address, one JSON object a line, 0600,
 * synced before the line is said to be kept. They are posted in order and taken out one by one;
 * what the bank refuses then is told and goes to a sheet file beside it, so that nothing is lost.
 */
#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "sheet.h"

#define FILE_MAX_BYTES (64u << 20)
#define NAME_BYTES 200

/* The file under its lock, for as long as something is done with it. */
struct kept {
    char *path;
    json_t *rows;
    int lock;
};

static void kept_fini(struct kept *kept) {
    free(kept->path);
    json_decref(kept->rows);
    closep(&kept->lock);
}

static int fail_tell(const struct sheet_session *session, const char *path, int r) {
    sheet_say(session, "The file %s cannot be kept: %s.", path, strerror(-r));
    return r;
}

/* ------------------------------------------------------------------ the place */

/* One name for one socket, however it is written. */
static char *address_normal(const char *address) {
    const char *path = strncmp(address, "unix:", 5) == 0 ? address + 5 : address;
    const char *slash = strrchr(path, '/');
    _cleanup_(freep) char *directory =
        slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    _cleanup_(freep) char *real = directory ? realpath(directory, NULL) : NULL;
    char *normal;
    if (!real)
        return strdup(path);
    return asprintf(&normal, "%s/%s", real, slash ? slash + 1 : path) < 0 ? NULL : normal;
}

/* What may stand in a file's name stays, other bytes as %2F. False where it is too long. */
static bool name_encode(const char *text, char ret[NAME_BYTES]) {
    size_t n = 0;
    for (; *text; text++) {
        bool plain = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
                     (*text >= 'A' && *text <= 'Z') || *text == '-' || *text == '_';
        if (n + 4 >= NAME_BYTES)
            return false;
        if (plain)
            ret[n++] = *text;
        else
            n += (size_t)snprintf(ret + n, NAME_BYTES - n, "%%%02X", (unsigned char)*text);
    }
    ret[n] = '\0';
    return true;
}

static int directory_find(char **ret_path) {
    const char *home = getenv("XDG_STATE_HOME");
    char *path;
    int n;
    if (home && home[0] == '/')
        n = asprintf(&path, "%s/timebank/sheets", home);
    else if ((home = getenv("HOME")) && home[0] == '/')
        n = asprintf(&path, "%s/.local/state/timebank/sheets", home);
    else
        return -ENOENT;
    if (n < 0)
        return -ENOMEM;
    *ret_path = path;
    return 0;
}

int sheet_kept_init(struct sheet_session *session) {
    _cleanup_(freep) char *directory = NULL;
    _cleanup_(freep) char *address =
        address_normal(session->client->address ? session->client->address : "");
    char name[NAME_BYTES];
    int r = address ? directory_find(&directory) : -ENOMEM;
    if (r == 0)
        r = file_make_directories(directory, 0700);
    if (r == 0 && !name_encode(address, name))
        r = -ENAMETOOLONG;
    if (r == 0 && asprintf(&session->place, "%s/%s", directory, name) < 0) {
        session->place = NULL;
        r = -ENOMEM;
    }
    return r < 0 ? fail_tell(session, directory ? directory : "sheets", r) : 0;
}

/* ------------------------------------------------------------------- the file */

static json_t *line_json(const struct sheet_line *line) {
    return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:I, s:I}", "sheet", line->sheet, "line",
                     (json_int_t)line->number, "attempt", (json_int_t)line->attempt, "day",
                     (json_int_t)line->day, "giver", line->giver, "receiver", line->receiver,
                     "activity", line->activity, "minutes", (json_int_t)line->minutes,
                     "typed_minutes", (json_int_t)line->typed_minutes);
}

static char *text_of(const json_t *row, const char *key) {
    const char *text = json_string_value(json_object_get(row, key));
    return strdup(text ? text : "");
}

static uint64_t number_of(const json_t *row, const char *key) {
    return (uint64_t)json_integer_value(json_object_get(row, key));
}

static struct sheet_line line_of(const json_t *row) {
    return (struct sheet_line){.sheet = text_of(row, "sheet"),
                               .number = (uint32_t)number_of(row, "line"),
                               .attempt = (uint32_t)number_of(row, "attempt"),
                               .day = (uint32_t)number_of(row, "day"),
                               .giver = text_of(row, "giver"),
                               .receiver = text_of(row, "receiver"),
                               .activity = text_of(row, "activity"),
                               .minutes = number_of(row, "minutes"),
                               .typed_minutes = number_of(row, "typed_minutes")};
}

static bool row_is(const json_t *row, const struct sheet_line *line) {
    return number_of(row, "line") == line->number && number_of(row, "attempt") == line->attempt &&
           strcmp(json_string_value(json_object_get(row, "sheet")), line->sheet) == 0;
}

/* A line that was cut off when the machine stopped was never said to be kept. */
static int rows_read(struct kept *kept) {
    _cleanup_bytes_ struct bytes file = {};
    int r = file_read(kept->path, FILE_MAX_BYTES, &file);
    if (r < 0 && r != -ENOENT)
        return r;
    const char *at = (const char *)file.data;
    const char *end = at ? at + file.n : at;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((newline ? newline : end) - at);
        json_t *row = n > 0 ? json_loadb(at, n, 0, NULL) : NULL;
        if (json_is_string(json_object_get(row, "sheet")))
            json_array_append_new(kept->rows, row);
        else
            json_decref(row);
        at += n + 1;
    }
    return 0;
}

static int kept_open(struct sheet_session *session, struct kept *kept) {
    _cleanup_(freep) char *lock = NULL;
    *kept = (struct kept){.lock = -1, .rows = json_array()};
    if (asprintf(&kept->path, "%s.kept", session->place) < 0) {
        kept->path = NULL;
        return -ENOMEM;
    }
    if (asprintf(&lock, "%s.lock", session->place) < 0) {
        lock = NULL;
        return -ENOMEM;
    }
    kept->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (kept->lock < 0)
        return -errno;
    while (flock(kept->lock, LOCK_EX) < 0)
        if (errno != EINTR)
            return -errno;
    int r = rows_read(kept);
    session->n_kept = json_array_size(kept->rows);
    return r;
}

static int kept_write(struct sheet_session *session, const struct kept *kept) {
    _cleanup_bytes_ struct bytes file = {};
    size_t i;
    json_t *row;
    json_array_foreach(kept->rows, i, row) {
        _cleanup_(freep) char *text = json_dumps(row, JSON_COMPACT);
        if (!text)
            return -ENOMEM;
        bytes_printf(&file, "%s\n", text);
    }
    session->n_kept = json_array_size(kept->rows);
    return file.r < 0 ? file.r
                      : file_replace(kept->path, 0600, file.data ? file.data : (const uint8_t *)"",
                                     file.n);
}

/* Appends and syncs, the directory too where the file is new. */
static int text_append(const char *path, const char *text) {
    bool is_new = access(path, F_OK) != 0;
    size_t n = strlen(text);
    _cleanup_(closep) int fd =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    while (n > 0) {
        ssize_t written = write(fd, text, n);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            text += written;
            n -= (size_t)written;
        }
    }
    if (fsync(fd) < 0)
        return -errno;
    return is_new ? file_sync_directory_of(path) : 0;
}

int sheet_kept_add(struct sheet_session *session, const struct sheet_line *line) {
    _cleanup_(kept_fini) struct kept kept = {.lock = -1};
    json_t *row = line_json(line);
    _cleanup_(freep) char *json = json_dumps(row, JSON_COMPACT);
    _cleanup_(freep) char *text = NULL;
    json_decref(row);
    int r = kept_open(session, &kept);
    /* The newline before it ends a line that was cut off. */
    if (r == 0 && (!json || asprintf(&text, "\n%s\n", json) < 0)) {
        text = NULL;
        r = -ENOMEM;
    }
    if (r == 0)
        r = text_append(kept.path, text);
    if (r < 0)
        return fail_tell(session, kept.path ? kept.path : session->place, r);
    session->n_kept++;
    return 0;
}

int sheet_kept_drop(struct sheet_session *session, const struct sheet_line *line) {
    _cleanup_(kept_fini) struct kept kept = {.lock = -1};
    int r = kept_open(session, &kept);
    for (size_t i = json_array_size(kept.rows); i-- > 0 && r == 0;)
        if (row_is(json_array_get(kept.rows, i), line))
            json_array_remove(kept.rows, i);
    if (r == 0)
        r = kept_write(session, &kept);
    return r < 0 ? fail_tell(session, kept.path, r) : 0;
}

int sheet_kept_list(struct sheet_session *session) {
    _cleanup_(kept_fini) struct kept kept = {.lock = -1};
    int r = kept_open(session, &kept);
    for (size_t i = 0; i < json_array_size(kept.rows) && r == 0; i++) {
        struct sheet_line line = line_of(json_array_get(kept.rows, i));
        struct sheet_line *lines = NULL;
        if (!session->sheet || strcmp(line.sheet, session->sheet) != 0) {
            sheet_line_fini(&line);
            continue;
        }
        lines = reallocarray(session->lines, session->n_lines + 1, sizeof(*lines));
        if (!lines) {
            sheet_line_fini(&line);
            r = -ENOMEM;
            break;
        }
        session->lines = lines;
        lines[session->n_lines++] = line;
    }
    return r < 0 ? fail_tell(session, kept.path, r) : 0;
}

/* ------------------------------------------------------------------ posting */

static void cell_put(FILE *to, const char *text, char end) {
    csv_fwrite(to, text, strlen(text));
    fputc(end, to);
}

/* Keeps what was refused as a line of a sheet file, to be put right and taken in. */
static int refused_keep(struct sheet_session *session, const struct sheet_line *line) {
    _cleanup_(freep) char *path = NULL;
    _cleanup_(freep) char *text = NULL;
    char day[16];
    size_t n_text;
    if (asprintf(&path, "%s.refused.csv", session->place) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    FILE *to = open_memstream(&text, &n_text);
    if (!to)
        return -ENOMEM;
    if (access(path, F_OK) != 0)
        fputs("date,giver,receiver,time,activity,sheet,line\n", to);
    tb_date_format(line->day, day);
    cell_put(to, day, ',');
    cell_put(to, line->giver, ',');
    cell_put(to, line->receiver, ',');
    fprintf(to, "%llum,",
            (unsigned long long)(line->typed_minutes ? line->typed_minutes : line->minutes));
    cell_put(to, line->activity, ',');
    cell_put(to, line->sheet, ',');
    fprintf(to, "%u\n", line->number);
    if (fclose(to) != 0)
        return -ENOMEM;
    int r = text_append(path, text);
    session->n_set_aside++;
    return r < 0 ? fail_tell(session, path, r) : 0;
}

/* The list of the sitting learns what became of the line. */
static void session_learn(struct sheet_session *session, const struct sheet_line *line) {
    for (size_t i = 0; i < session->n_lines; i++) {
        struct sheet_line *one = &session->lines[i];
        if (one->entry || one->number != line->number || one->attempt != line->attempt ||
            strcmp(one->sheet, line->sheet) != 0)
            continue;
        one->entry = line->entry;
        if (line->entry)
            return;
        sheet_line_fini(one);
        memmove(one, one + 1, (--session->n_lines - i) * sizeof(*one));
        return;
    }
}

/* Posts one; 1 where the bank is away. */
static int row_post(struct sheet_session *session, const json_t *row) {
    _cleanup_(sheet_line_fini) struct sheet_line line = line_of(row);
    char prefix[120];
    bool other = !session->sheet || strcmp(session->sheet, line.sheet) != 0;
    snprintf(prefix, sizeof(prefix), "%s%s%s %u: ", other ? "Sheet " : "", other ? line.sheet : "",
             other ? ", line" : "Line", line.number);
    bool quiet = session->quiet;
    session->quiet = true;
    enum sheet_outcome outcome = sheet_post(session, &line, prefix);
    session->quiet = quiet;
    if (outcome == SHEET_AWAY)
        return 1;
    int r = outcome == SHEET_IN ? 0 : refused_keep(session, &line);
    if (r == 0)
        session_learn(session, &line);
    return r;
}

int sheet_kept_post(struct sheet_session *session) {
    _cleanup_(kept_fini) struct kept kept = {.lock = -1};
    int r = kept_open(session, &kept);
    size_t n = session->n_kept, n_before = session->n_set_aside;
    if (r == 0 && n > 0)
        sheet_say(session, "Posting %zu line%s that %s kept here:", n, n == 1 ? "" : "s",
                  n == 1 ? "was" : "were");
    while (r == 0 && json_array_size(kept.rows) > 0) {
        r = row_post(session, json_array_get(kept.rows, 0));
        if (r != 0)
            break;
        json_array_remove(kept.rows, 0);
        r = kept_write(session, &kept);
        if (r < 0)
            fail_tell(session, kept.path, r);
    }
    if (session->n_set_aside > n_before)
        sheet_say(session,
                  "What was refused is kept in %s.refused.csv: put it right there and take it in "
                  "with timebank sheet, or type it anew.",
                  session->place);
    return r < 0 ? r : 0;
}

int sheet_kept_settle(struct client *client) {
    struct sheet_session session = {.client = client,
                                    .to = stderr,
                                    .quiet = true,
                                    .refused = json_array(),
                                    .warnings = json_array()};
    _cleanup_(kept_fini) struct kept kept = {.lock = -1};
    int r = client->address ? sheet_kept_init(&session) : -ENOENT;
    if (r == 0)
        r = kept_open(&session, &kept);
    closep(&kept.lock);
    kept.lock = -1;
    if (r == 0 && session.n_kept > 0) {
        sheet_known_load(&session);
        if (sheet_bank_reach(&session))
            r = sheet_kept_post(&session);
    }
    json_decref(session.refused);
    json_decref(session.warnings);
    json_decref(session.known);
    free(session.place);
    return r < 0 ? r : session.open_status;
}
