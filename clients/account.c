/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank account: opening accounts, what becomes of them, and reading them.
 */
#include <inttypes.h>
#include <string.h>

#include "balance.h"
#include "options.h"
#include "record.h"
#include "verbs.h"

#define NEXT_TRIES 5  /* others may take the next code first */
#define OPEN_TAKEN -1 /* beside the exit statuses */

/* ---- open */

static void open_tell(struct client *client, const struct tb_answer *answer,
                      const struct tb_order *order) {
    char words[100];
    snprintf(words, sizeof(words), "%s is open, as %s %s", order->to,
             order->account_kind == TB_ACCOUNT_ORGANISATION ? "an" : "a",
             tb_account_kind_name((int)order->account_kind));
    struct record_told told = {.kind = TB_OPEN_ACCOUNT, .words = words};
    if (client->json)
        record_balances(answer, order, &told);
    told.more = json_pack("{s:o}", "code", client_json_text(order->to));
    record_tell(client, answer, &told);
}

static int open_record(struct client *client, struct tb_order *order, bool tell_taken) {
    _cleanup_(tb_batch_freep) struct tb_batch *batch = NULL;
    _cleanup_(tb_answer_freep) struct tb_answer *answer = NULL;
    int r = record_try(client, order, &batch, &answer);
    if (r == 0)
        open_tell(client, answer, order);
    if (r == TB_CODE_TAKEN && !tell_taken)
        return OPEN_TAKEN;
    return record_outcome(client, batch, r);
}

static int open_next(struct client *client, struct tb_order *order) {
    for (int i = 1;; i++) {
        _cleanup_(freep) char *code = NULL;
        int r = tb_account_next_code(client->bank, &code);
        if (r != 0)
            return client_outcome(client, r);
        order->to = code;
        r = open_record(client, order, i == NEXT_TRIES);
        if (r != OPEN_TAKEN)
            return r;
    }
}

static int open_kind(const char *kind, struct tb_order *order) {
    if (!kind)
        return client_usage(&verb_account_open, "Say what it is with --kind.");
    int number = tb_account_kind_from_name(kind);
    if ((number < TB_ACCOUNT_MEMBER || number > TB_ACCOUNT_VENUE) && number != TB_ACCOUNT_BANK)
        return client_usage(&verb_account_open,
                            "\"%s\" is no kind to open: member, organisation, venue or bank.",
                            kind);
    order->account_kind = (enum tb_account_kind)number;
    return CLIENT_DONE;
}

static int open_run(struct client *client, int argc, char **argv) {
    char *code = NULL, *kind = NULL, *joined = NULL, *ward = NULL, *age_band = NULL;
    bool next = false;
    const struct options_one options[] = {
        OPTION_TEXT("kind", &kind), OPTION_TEXT("joined", &joined),
        OPTION_TEXT("ward", &ward), OPTION_TEXT("age-band", &age_band),
        OPTION_FLAG("next", &next), OPTION_END,
    };
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_account_open, argc, argv, options, 0, 1, &code);
    if (r == CLIENT_DONE && !code != next)
        r = client_usage(&verb_account_open, "Name the new account's code, or say --next.");
    if (r == CLIENT_DONE)
        r = open_kind(kind, &order);
    if (r == CLIENT_DONE)
        r = client_date(client, joined ? joined : "today", &order.service_day);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_OPEN_ACCOUNT;
    order.ward = ward;
    order.age_band = age_band;
    order.to = client_code(code);
    return next ? open_next(client, &order) : open_record(client, &order, true);
}

const struct verb verb_account_open = {
    .name = "account open",
    .summary = "open an account",
    .help = "timebank account open m0007 --kind member --joined 2025-03-01 --ward riverside "
            "--age-band 65-74\n"
            "timebank account open --next --kind member\n"
            "\n"
            "Opens an account under a code, which is never used again. A member's code is letters "
            "and then\n"
            "digits (policy member-code), so that no name gets into the ledger.\n"
            "\n"
            "  --kind KIND      member, organisation, venue; or bank, another one: bank:riverside\n"
            "  --next           the next free member code\n"
            "  --joined DATE    date of joining; today\n"
            "  --ward W, --age-band B   for reports; kept beside the ledger, not in it\n",
    .run = open_run,
};

/* ---- list, show */

struct listing {
    json_t *rows;
    bool for_people; /* who also read the standing */
};

static int balance_keep(void *user, const struct tb_balance *balance) {
    const struct listing *listing = user;
    json_t *row = balance_json(balance);
    if (listing->for_people && balance->standing != TB_STANDING_OPEN)
        json_object_set_new(row, "standing", client_json_text(tb_standing_name(balance->standing)));
    return json_array_append_new(listing->rows, row);
}

static void row_tell(const json_t *row) {
    char minutes[32], floor[32];
    const json_t *limit = json_object_get(row, "floor_minutes");
    const char *standing = json_string_value(json_object_get(row, "standing"));
    tb_time_format(json_integer_value(json_object_get(row, "minutes")), minutes);
    balance_limit_format(json_is_integer(limit), json_integer_value(limit), floor);
    client_line(stdout, "%-20s %-12s %14s   limit %s%s%s",
                json_string_value(json_object_get(row, "code")),
                json_string_value(json_object_get(row, "kind")), minutes, floor,
                standing ? ", " : "", standing ? standing : "");
}

static int list_run(struct client *client, int argc, char **argv) {
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_account_list, argc, argv, options, 0, 0, NULL);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    struct listing listing = {.rows = json_array(), .for_people = !client->json};
    r = tb_account_list(client->bank, balance_keep, &listing);
    return client_list_outcome(client, r, listing.rows, row_tell);
}

const struct verb verb_account_list = {
    .name = "account list",
    .summary = "every account with its balance",
    .help = "timebank account list\n"
            "\n"
            "Every account with its balance and limit, the bank's own and closed ones too: "
            "together they\n"
            "are zero.\n",
    .run = list_run,
};

static void account_tell(const struct tb_account *account) {
    char ceiling[32], day[16];
    balance_tell(&account->balance);
    if (account->balance.has_ceiling) {
        balance_limit_format(1, account->balance.ceiling_minutes, ceiling);
        client_line(stdout, "  may go up to %s", ceiling);
    }
    if (account->joined_day) {
        tb_date_format(account->joined_day, day);
        client_line(stdout, "  joined %s", day);
    }
    client_line(stdout, "  opened by entry %" PRIu64 ", last entry %" PRIu64 ", %" PRIu64 " in all",
                account->opened_entry, account->last_entry, account->balance.entries);
    if (*account->ward)
        client_line(stdout, "  ward %s", account->ward);
    if (*account->age_band)
        client_line(stdout, "  age band %s", account->age_band);
}

static void account_json_tell(struct client *client, const struct tb_account *account) {
    const struct tb_balance *balance = &account->balance;
    char day[16] = "";
    if (account->joined_day)
        tb_date_format(account->joined_day, day);
    json_t *object = balance_json(balance);
    json_t *more = json_pack(
        "{s:o, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "ceiling_minutes",
        balance->has_ceiling ? json_integer((json_int_t)balance->ceiling_minutes) : json_null(),
        "standing", tb_standing_name(balance->standing), "entries", (json_int_t)balance->entries,
        "number", (json_int_t)account->number, "opened_entry", (json_int_t)account->opened_entry,
        "last_entry", (json_int_t)account->last_entry, "joined",
        *day ? json_string(day) : json_null(), "ward", client_json_text(account->ward), "age_band",
        client_json_text(account->age_band), "position", client_position(client));
    json_object_update(object, more);
    json_decref(more);
    client_print_json(object);
}

static int show_run(struct client *client, int argc, char **argv) {
    char *code = NULL;
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_account_show, argc, argv, options, 1, 1, &code);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    struct tb_account account;
    r = tb_account_get(client->bank, client_code(code), &account);
    if (r != 0)
        return client_outcome(client, r);
    if (client->json)
        account_json_tell(client, &account);
    else
        account_tell(&account);
    return CLIENT_DONE;
}

const struct verb verb_account_show = {
    .name = "account show",
    .summary = "all about one account",
    .help = "timebank account show m0007\n"
            "\n"
            "Balance, limits, standing, date of joining and where the account's entries stand.\n",
    .run = show_run,
};

/* ---- freeze, thaw, close */

static int standing_run(struct client *client, const struct verb *verb, enum tb_kind kind,
                        int words_min, int argc, char **argv) {
    char *words[2];
    const struct options_one options[] = {OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(verb, argc, argv, options, words_min, 2, words);
    if (r != CLIENT_DONE)
        return r;
    order.kind = kind;
    order.to = client_code(words[0]);
    order.why = words[1];
    return client_record(client, &order);
}

static int freeze_run(struct client *client, int argc, char **argv) {
    return standing_run(client, &verb_account_freeze, TB_FREEZE, 2, argc, argv);
}

const struct verb verb_account_freeze = {
    .name = "account freeze",
    .summary = "let nothing move in an account until it is thawed",
    .help = "timebank account freeze m0007 \"away until May\"\n"
            "\n"
            "Refuses every entry for the account until it is thawed. The reason is kept beside the "
            "ledger.\n",
    .run = freeze_run,
};

static int thaw_run(struct client *client, int argc, char **argv) {
    return standing_run(client, &verb_account_thaw, TB_THAW, 1, argc, argv);
}

const struct verb verb_account_thaw = {
    .name = "account thaw",
    .summary = "let entries into a frozen account again",
    .help = "timebank account thaw m0007 \"back from her travels\"\n"
            "\n"
            "Takes a freeze back. The reason may be left out.\n",
    .run = thaw_run,
};

static int close_run(struct client *client, int argc, char **argv) {
    return standing_run(client, &verb_account_close, TB_CLOSE, 1, argc, argv);
}

const struct verb verb_account_close = {
    .name = "account close",
    .summary = "close an account for good",
    .help = "timebank account close m0007 \"moved away\"\n"
            "\n"
            "Closes an account whose balance is zero. Its code is never used again. The reason may "
            "be left\n"
            "out.\n",
    .run = close_run,
};
