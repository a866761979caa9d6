/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a broker's typing is looked up in: codes of accounts, activities, the smallest step. The
 * bank is asked once a sitting; a copy beside the kept lines serves when it is away. Codes and
 * names of activities only: nothing in the copy tells who anybody is.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "sheet.h"

#define FILE_MAX_BYTES (16u << 20)

static int account_take(void *user, const struct tb_balance *balance) {
    int kind = balance->standing == TB_STANDING_CLOSED ? -balance->kind : balance->kind;
    json_object_set_new(json_object_get(user, "accounts"), balance->code, json_integer(kind));
    return 0;
}

static int activity_take(void *user, const struct tb_activity *activity) {
    json_array_append_new(json_object_get(user, "activities"), client_json_text(activity->name));
    return 0;
}

static json_t *known_new(void) {
    return json_pack("{s:{}, s:[], s:s, s:s, s:{}, s:{}}", "accounts", "activities", "quantum", "",
                     "rounding", "", "sheets", "attempts");
}

int sheet_known_fetch(struct sheet_session *session) {
    struct client *client = session->client;
    json_t *fresh = known_new();
    int r = tb_account_list(client->bank, account_take, fresh);
    if (r == 0)
        r = tb_activity_list(client->bank, activity_take, fresh);
    if (r != 0) {
        json_decref(fresh);
        return r;
    }
    json_object_set_new(fresh, "quantum", client_json_text(client_policy(client, "quantum")));
    json_object_set_new(fresh, "rounding", client_json_text(client_policy(client, "rounding")));
    static const char *const own[] = {"sheets", "attempts"};
    for (size_t i = 0; i < N_ELEMENTS(own); i++)
        if (json_is_object(json_object_get(session->known, own[i])))
            json_object_set(fresh, own[i], json_object_get(session->known, own[i]));
    json_decref(session->known);
    session->known = fresh;
    return 0;
}

static char *known_path(const struct sheet_session *session) {
    char *path;
    return session->place && asprintf(&path, "%s.known", session->place) >= 0 ? path : NULL;
}

void sheet_known_load(struct sheet_session *session) {
    _cleanup_(freep) char *path = known_path(session);
    _cleanup_bytes_ struct bytes file = {};
    json_t *known = NULL;
    if (path && file_read(path, FILE_MAX_BYTES, &file) == 0 && file.n > 0)
        known = json_loadb((const char *)file.data, file.n, 0, NULL);
    if (!json_is_object(json_object_get(known, "accounts")) ||
        !json_is_object(json_object_get(known, "sheets")) ||
        !json_is_object(json_object_get(known, "attempts"))) {
        json_decref(known);
        known = known_new();
    }
    json_decref(session->known);
    session->known = known;
}

/* A copy to work with when the bank is away: where it cannot be written, nothing is lost. */
void sheet_known_save(struct sheet_session *session) {
    _cleanup_(freep) char *path = known_path(session);
    _cleanup_(freep) char *text = json_dumps(session->known, JSON_COMPACT);
    if (path && text)
        (void)!file_replace(path, 0600, text, strlen(text));
}

int sheet_known_kind(const struct sheet_session *session, const char *code) {
    const json_t *accounts = json_object_get(session->known, "accounts");
    return (int)json_integer_value(json_object_get(accounts, code));
}

uint32_t sheet_known_next(const struct sheet_session *session, const char *sheet) {
    const json_t *sheets = json_object_get(session->known, "sheets");
    json_int_t next = json_integer_value(json_object_get(sheets, sheet));
    return next > 0 && next < 1000000 ? (uint32_t)next : 1;
}

void sheet_known_set_next(struct sheet_session *session, const char *sheet, uint32_t next) {
    json_object_set_new(json_object_get(session->known, "sheets"), sheet,
                        json_integer((json_int_t)next));
}

uint32_t sheet_known_attempt(const struct sheet_session *session, const char *sheet,
                             uint32_t number) {
    char key[200];
    snprintf(key, sizeof(key), "%s\n%u", sheet, number);
    json_int_t attempt =
        json_integer_value(json_object_get(json_object_get(session->known, "attempts"), key));
    return attempt > 1 && attempt < 1000 ? (uint32_t)attempt : 1;
}

void sheet_known_set_attempt(struct sheet_session *session, const char *sheet, uint32_t number,
                             uint32_t attempt) {
    char key[200];
    snprintf(key, sizeof(key), "%s\n%u", sheet, number);
    json_object_set_new(json_object_get(session->known, "attempts"), key,
                        json_integer((json_int_t)attempt));
    sheet_known_save(session);
}

/* ------------------------------------------------------------------- search */

enum rank { RANK_NONE, RANK_INSIDE, RANK_BEGINS, RANK_NUMBER, RANK_SAME };

static bool is_digits(const char *text) {
    return *text && strspn(text, "0123456789") == strlen(text);
}

/* m7 is m0007, and so is 7: the letters are the same or none, the figures the same number. */
static bool is_same_number(const char *part, const char *name) {
    const char *figures = part + strcspn(part, "0123456789");
    const char *name_figures = name + strcspn(name, "0123456789");
    size_t n = (size_t)(figures - part);
    if (!is_digits(figures) || !is_digits(name_figures))
        return false;
    if (n > 0 && (n != (size_t)(name_figures - name) || strncasecmp(part, name, n) != 0))
        return false;
    figures += strspn(figures, "0");
    name_figures += strspn(name_figures, "0");
    return strcmp(figures, name_figures) == 0;
}

static enum rank name_rank(const char *part, const char *name) {
    if (strcasecmp(part, name) == 0)
        return RANK_SAME;
    if (is_same_number(part, name))
        return RANK_NUMBER;
    if (strncasecmp(part, name, strlen(part)) == 0)
        return RANK_BEGINS;
    return strcasestr(name, part) ? RANK_INSIDE : RANK_NONE;
}

struct search {
    const char *part;
    enum rank best;
    struct sheet_matches found;
};

/* Only what fits best is kept. A number that is nobody's is never taken for part of another. */
static void search_meet(struct search *search, const char *name) {
    enum rank rank = name_rank(search->part, name);
    if (rank == RANK_NONE || rank < search->best)
        return;
    if (rank > search->best)
        search->found = (struct sheet_matches){0};
    search->best = rank;
    search->found.sure =
        rank >= RANK_NUMBER || search->part[strcspn(search->part, "0123456789")] == '\0';
    if (search->found.n < SHEET_CHOICES)
        search->found.names[search->found.n] = name;
    search->found.n++;
}

struct sheet_matches sheet_known_people(const struct sheet_session *session, const char *part,
                                        bool giver) {
    struct search search = {.part = part};
    const char *code;
    json_t *kind;
    json_object_foreach(json_object_get(session->known, "accounts"), code, kind) {
        json_int_t number = json_integer_value(kind);
        if (number == TB_ACCOUNT_MEMBER || (!giver && number == TB_ACCOUNT_ORGANISATION))
            search_meet(&search, code);
    }
    return search.found;
}

struct sheet_matches sheet_known_activities(const struct sheet_session *session, const char *part) {
    struct search search = {.part = part};
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(session->known, "activities"), i, name)
        search_meet(&search, json_string_value(name));
    return search.found;
}

const char *sheet_known_other(const struct sheet_session *session, const char *part) {
    const char *code;
    json_t *kind;
    json_object_foreach(json_object_get(session->known, "accounts"), code,
                        kind) if (name_rank(part, code) >= RANK_BEGINS) return code;
    return NULL;
}
