/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank balance: how many hours an account has, and how far it may go. At a past date it is
 * added up from the account's statement: by date of service what had happened, by date of entry
 * what had been told by then.
 */
#include "balance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "options.h"
#include "statement.h"
#include "verbs.h"

#define WHY_BYTES 400

json_t *balance_json(const struct tb_balance *balance) {
    json_t *json = json_pack("{s:o, s:o, s:I, s:I, s:o}", "code", client_json_text(balance->code),
                             "kind", client_json_text(tb_account_kind_name(balance->kind)),
                             "minutes", (json_int_t)balance->minutes, "held_minutes",
                             (json_int_t)balance->held_minutes, "floor_minutes",
                             balance->has_floor ? json_integer((json_int_t)balance->floor_minutes)
                                                : json_null());
    if (balance->owed_minutes != 0)
        json_object_set_new(json, "owed_minutes", json_integer((json_int_t)balance->owed_minutes));
    return json;
}

void balance_limit_format(int has, int64_t minutes, char ret[32]) {
    if (has)
        tb_time_format(minutes, ret);
    else
        strcpy(ret, "none");
}

int balance_parse(struct client *client, const char *text, int64_t *ret_minutes) {
    char why[WHY_BYTES] = "";
    uint64_t minutes;
    bool negative = *text == '-';
    int r = tb_time_parse(text + negative, &minutes, why, sizeof(why));
    if (r != 0)
        return client_outcome_why(client, r, why);
    *ret_minutes = negative ? -(int64_t)minutes : (int64_t)minutes;
    return CLIENT_DONE;
}

void balance_tell(const struct tb_balance *balance) {
    char minutes[32], held[32], owed[32], floor[32];
    tb_time_format(balance->minutes, minutes);
    tb_time_format(balance->held_minutes, held);
    client_line(stdout, "%s (%s) has %s", balance->code, tb_account_kind_name(balance->kind),
                minutes);
    if (balance->held_minutes != 0)
        client_line(stdout, "  besides that, set aside: %s", held);
    if (balance->owed_minutes != 0) {
        tb_time_format((int64_t)balance->owed_minutes, owed);
        client_line(stdout, "  of what was advanced, still to earn: %s", owed);
    }
    if (balance->has_floor) {
        balance_limit_format(1, balance->floor_minutes, floor);
        client_line(stdout, "  may go down to %s", floor);
    }
    if (balance->standing != TB_STANDING_OPEN)
        client_line(stdout, "  %s", tb_standing_name(balance->standing));
}

/* ---- at a past date */

struct past_line {
    uint32_t service_day;
    uint32_t entry_day;
    int64_t minutes;
    int64_t held_after_minutes;
};

struct past {
    uint32_t on_day;
    uint32_t known_day;      /* UINT32_MAX: now */
    struct past_line *lines; /* newest first */
    size_t n_lines;
    size_t n_allocated;
    int64_t minutes;
    int64_t held_minutes;
    size_t n_counted;
};

static int past_line_add(void *user, const struct tb_statement_line *line) {
    struct past *past = user;
    if (past->n_lines == past->n_allocated) {
        size_t n = past->n_allocated ? 2 * past->n_allocated : 64;
        struct past_line *lines = realloc(past->lines, n * sizeof(*lines));
        if (!lines)
            return -ENOMEM;
        past->lines = lines;
        past->n_allocated = n;
    }
    struct past_line *to = &past->lines[past->n_lines++];
    statement_days(line, &to->service_day, &to->entry_day);
    to->minutes = line->minutes;
    to->held_after_minutes = line->held_after_minutes;
    return 0;
}

static void past_sum(struct past *past) {
    for (size_t i = 0; i < past->n_lines; i++) {
        const struct past_line *line = &past->lines[i];
        int64_t held_before = i + 1 < past->n_lines ? line[1].held_after_minutes : 0;
        if (line->service_day > past->on_day || line->entry_day > past->known_day)
            continue;
        past->minutes += line->minutes;
        past->held_minutes += line->held_after_minutes - held_before;
        past->n_counted++;
    }
}

static void past_tell(struct client *client, const struct tb_balance *balance,
                      const struct past *past) {
    char on[32], known[32] = "now", on_iso[16], known_iso[16], minutes[32], held[32];
    tb_date_format_words(past->on_day, on);
    tb_date_format(past->on_day, on_iso);
    if (past->known_day != UINT32_MAX) {
        tb_date_format_words(past->known_day, known);
        tb_date_format(past->known_day, known_iso);
    }
    if (client->json) {
        client_print_json(json_pack(
            "{s:o, s:o, s:s, s:o, s:I, s:I, s:I, s:o}", "code", client_json_text(balance->code),
            "kind", client_json_text(tb_account_kind_name(balance->kind)), "on", on_iso,
            "as_known_at", past->known_day != UINT32_MAX ? json_string(known_iso) : json_null(),
            "minutes", (json_int_t)past->minutes, "held_minutes", (json_int_t)past->held_minutes,
            "entries", (json_int_t)past->n_counted, "position", client_position(client)));
        return;
    }
    tb_time_format(past->minutes, minutes);
    tb_time_format(past->held_minutes, held);
    client_line(stdout, "%s (%s) had %s at the end of %s, as known %s%s", balance->code,
                tb_account_kind_name(balance->kind), minutes, on,
                past->known_day != UINT32_MAX ? "on " : "", known);
    if (past->held_minutes != 0)
        client_line(stdout, "  besides that, set aside: %s", held);
}

static int past_run(struct client *client, const char *whose, struct past *past) {
    struct tb_balance balance;
    int r = tb_statement_list(client->bank, whose, past_line_add, past);
    if (r == 0)
        r = tb_balance_get(client->bank, whose, &balance);
    if (r == 0) {
        past_sum(past);
        past_tell(client, &balance, past);
    }
    free(TAKE(past->lines));
    return client_outcome(client, r);
}

/* ---- now */

static int now_run(struct client *client, const char *whose) {
    struct tb_balance balance;
    int r = tb_balance_get(client->bank, whose, &balance);
    if (r != 0)
        return client_outcome(client, r);
    if (!client->json) {
        balance_tell(&balance);
        return CLIENT_DONE;
    }
    json_t *object = balance_json(&balance);
    json_object_set_new(object, "position", client_position(client));
    client_print_json(object);
    return CLIENT_DONE;
}

static int past_read(struct client *client, const char *on, const char *known, struct past *past) {
    int r = CLIENT_DONE;
    past->known_day = UINT32_MAX;
    if (known && !on)
        return client_usage(&verb_balance, "Say at which date, with --on, too.");
    if (on)
        r = client_date(client, on, &past->on_day);
    if (r == CLIENT_DONE && known)
        r = client_date(client, known, &past->known_day);
    return r;
}

static int balance_run(struct client *client, int argc, char **argv) {
    char *code = NULL, *on = NULL, *known = NULL;
    const struct options_one options[] = {OPTION_TEXT("on", &on),
                                          OPTION_TEXT("as-known-at", &known), OPTION_END};
    struct past past = {0};
    int r = options_read(&verb_balance, argc, argv, options, 0, 1, &code);
    if (r == CLIENT_DONE)
        r = past_read(client, on, known, &past);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    const char *whose = client_code(code);
    if (!whose)
        whose = client_own_account(client, tb_bank_role(client->bank));
    if (!whose || !*whose)
        return client_usage(&verb_balance, "Say whose balance: name the account's code.");
    return on ? past_run(client, whose, &past) : now_run(client, whose);
}

const struct verb verb_balance = {
    .name = "balance",
    .summary = "an account's balance and limit, now or at a past date",
    .help =
        "timebank balance m0007\n"
        "timebank balance m0007 --on 2025-03-31 --as-known-at 2025-04-05\n"
        "\n"
        "How many hours the account has and how far down it may go. Without a code, the "
        "account that\n"
        "your key acts for.\n"
        "\n"
        "  --on DATE             what it had at the end of that day, by dates of service\n"
        "  --as-known-at DATE    of that, what had been entered by then; all that is known now\n",
    .run = balance_run,
};
