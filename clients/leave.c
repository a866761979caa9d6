/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaving: timebank account choice, leave and settle, and list leaving. What an account is settled
 * with, and to whom, is asked of the bank just before.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "balance.h"
#include "base/cleanup.h"
#include "options.h"
#include "record.h"
#include "register.h"
#include "verbs.h"

/* ---- choice */

static int choice_run(struct client *client, int argc, char **argv) {
    char *words[3];
    const struct options_one options[] = {OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_account_choice, argc, argv, options, 2, 3, words);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SET_CHOICE;
    order.to = client_code(words[0]);
    order.heir = client_code(words[1]);
    if (strcmp(order.heir, "none") == 0)
        order.heir = "";
    order.why = words[2];
    return client_record(client, &order);
}

const struct verb verb_account_choice = {
    .name = "account choice",
    .summary = "choose where credits go when somebody leaves",
    .help = "timebank account choice m0007 m0012\n"
            "timebank account choice m0007 chest\n"
            "\n"
            "Where the credits of m0007 go when they leave or die: to a member, to the community "
            "chest, or\n"
            "to expired, that is to nobody; none takes the choice back. A member's own key chooses "
            "for\n"
            "itself. Who chose nothing leaves it to the policy leave-to.\n",
    .run = choice_run,
};

/* ---- leave */

static int leave_run(struct client *client, int argc, char **argv) {
    char *words[2], *until = NULL;
    bool stay = false;
    const struct options_one options[] = {OPTION_TEXT("until", &until), OPTION_FLAG("stay", &stay),
                                          OPTION_END};
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_account_leave, argc, argv, options, 1, 2, words);
    if (r == CLIENT_DONE && until && stay)
        r = client_usage(&verb_account_leave, "Say --until or --stay, not both.");
    if (r == CLIENT_DONE && until)
        r = client_date(client, until, &order.until_day);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_LEAVE;
    order.to = client_code(words[0]);
    order.stays = stay;
    order.why = words[1];
    return client_record(client, &order);
}

const struct verb verb_account_leave = {
    .name = "account leave",
    .summary = "begin the leaving of a member, with time to spend",
    .help = "timebank account leave m0007 --until 2025-06-30\n"
            "timebank account leave m0007 --stay\n"
            "\n"
            "Gives a member who leaves until the end of that day to spend their credits; then "
            "timebank list\n"
            "leaving tells the broker to settle the account. Nothing moves by itself.\n"
            "\n"
            "  --until DATE   the last day to spend; else as many days as the policy leave-days "
            "says\n"
            "  --stay         they stay: nothing of it happens\n",
    .run = leave_run,
};

/* ---- settle */

struct leaver {
    char *heir;
    int64_t minutes;
    bool found;
};

static int leaver_keep(void *user, const struct tb_register_row *row) {
    struct leaver *leaver = user;
    free(leaver->heir);
    leaver->heir = strdup(row->other);
    leaver->minutes = row->minutes;
    leaver->found = true;
    return leaver->heir ? 0 : -1;
}

static int how_read(bool left, bool died, bool ended, enum tb_settle *ret) {
    if (left + died + ended != 1)
        return client_usage(&verb_account_settle,
                            "Say how it ends, with --left, --died or --ended.");
    *ret = left ? TB_SETTLE_LEFT : died ? TB_SETTLE_DIED : TB_SETTLE_ENDED;
    return CLIENT_DONE;
}

/* What was said of where it goes, or of the balance, is sent as it is: the bank compares. */
static int settle_record(struct client *client, struct tb_order *order, bool has_balance) {
    struct leaver leaver = {0};
    const struct tb_register_ask ask = {.code = order->from};
    int r = tb_register_list(client->bank, TB_REGISTER_LEAVING, &ask, leaver_keep, &leaver);
    if (r != 0)
        r = client_outcome(client, r);
    else if (!leaver.found)
        r = client_refuse(client, TB_ALREADY_CLOSED,
                          "%s is closed, or one of the bank's own: nothing to settle.",
                          order->from);
    if (r == CLIENT_DONE) {
        if (!order->to)
            order->to = leaver.heir;
        if (!has_balance)
            order->balance_minutes = leaver.minutes;
        r = client_record(client, order);
    }
    free(leaver.heir);
    return r;
}

static int settle_run(struct client *client, int argc, char **argv) {
    char *words[2], *on = NULL, *why = NULL, *to = NULL, *balance = NULL;
    bool left = false, died = false, ended = false, over_limit = false;
    const struct options_one options[] = {
        OPTION_FLAG("left", &left),
        OPTION_FLAG("died", &died),
        OPTION_FLAG("ended", &ended),
        OPTION_TEXT("to", &to),
        OPTION_TEXT("balance", &balance),
        OPTION_TEXT("on", &on),
        OPTION_TEXT("why", &why),
        OPTION_FLAG("over-limit", &over_limit),
        OPTION_END,
    };
    struct tb_order order = TB_ORDER_INIT;
    int r = options_read(&verb_account_settle, argc, argv, options, 1, 1, words);
    if (r == CLIENT_DONE)
        r = how_read(left, died, ended, &order.settle_as);
    if (r == CLIENT_DONE && over_limit && !why)
        r = client_usage(&verb_account_settle, "To pass a limit say why, with --why.");
    if (r == CLIENT_DONE)
        r = client_date(client, on ? on : "today", &order.service_day);
    if (r == CLIENT_DONE && balance)
        r = balance_parse(client, balance, &order.balance_minutes);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    order.kind = TB_SETTLE;
    order.from = client_code(words[0]);
    order.to = client_code(to);
    order.why = why;
    order.override = over_limit ? TB_OVERRIDE_LIMITS : 0;
    return settle_record(client, &order, balance != NULL);
}

const struct verb verb_account_settle = {
    .name = "account settle",
    .summary = "close the account of who left, died or ended, with what is on it",
    .help = "timebank account settle m0007 --left\n"
            "timebank account settle food-bank --ended\n"
            "\n"
            "Moves the whole balance and closes the account for good: a member's goes where they "
            "chose, else\n"
            "where the policy leave-to says; an organisation's allotment back to issued, a venue's "
            "takings\n"
            "to retired. A debt, and what is owed of advances, is written off. It is not reversed: "
            "what was\n"
            "settled wrongly is granted anew. What is on its way must have ended first.\n"
            "\n"
            "  --left         a member, once the time to spend is over; with their own key at any "
            "time\n"
            "  --died         a member; a freeze before it keeps everything as it stands\n"
            "  --ended        an organisation or a venue\n"
            "  --to CODE, --balance TIME   what you saw of it: refused if it is not so\n"
            "  --on DATE      the day of it; today\n"
            "  --why TEXT     kept beside the ledger\n"
            "  --over-limit   insist although the heir's limit is passed (needs --why)\n",
    .run = settle_run,
};

/* ---- list leaving */

static int row_keep(void *user, const struct tb_register_row *row) {
    char day[16];
    tb_date_format(row->to_day, day);
    return json_array_append_new(
        user, json_pack("{s:s, s:o, s:I, s:s, s:b, s:o, s:I}", "list", "leaving", "code",
                        client_json_text(row->account), "minutes", (json_int_t)row->minutes,
                        "until", day, "over", row->flag != 0, "goes_to",
                        client_json_text(row->other), "entry", (json_int_t)row->entry));
}

static void row_tell(const json_t *row) {
    char time[32];
    bool over = json_is_true(json_object_get(row, "over"));
    tb_time_format(json_integer_value(json_object_get(row, "minutes")), time);
    client_line(stdout, "%-12s %12s  until %s  %s; what is left goes to %s",
                json_string_value(json_object_get(row, "code")), time,
                json_string_value(json_object_get(row, "until")),
                over ? "settle it now: timebank account settle --left" : "still spending",
                json_string_value(json_object_get(row, "goes_to")));
}

static int list_run(struct client *client, int argc, char **argv) {
    static const struct register_listing listing = {.table = TB_REGISTER_LEAVING,
                                                    .none = "Nobody is leaving.",
                                                    .keep = row_keep,
                                                    .tell = row_tell};
    return register_run(client, &verb_list_leaving, &listing, argc, argv);
}

const struct verb verb_list_leaving = {
    .name = "list leaving",
    .summary = "members who leave, and whose time to spend is over",
    .help = "timebank list leaving\n"
            "\n"
            "Who leaves, with the balance, the last day to spend, where the credits then go, and "
            "whether it\n"
            "is time to settle.\n",
    .run = list_run,
};
