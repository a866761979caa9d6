/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timebank balance: how many hours an account has, and how far it may go.
 */
#include "balance.h"

#include <string.h>

#include "options.h"
#include "verbs.h"

#define WHY_BYTES 400

json_t *balance_json(const struct tb_balance *balance) {
    return json_pack("{s:o, s:o, s:I, s:I, s:o}", "code", client_json_text(balance->code), "kind",
                     client_json_text(tb_account_kind_name(balance->kind)), "minutes",
                     (json_int_t)balance->minutes, "held_minutes",
                     (json_int_t)balance->held_minutes, "floor_minutes",
                     balance->has_floor ? json_integer((json_int_t)balance->floor_minutes)
                                        : json_null());
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
    char minutes[32], held[32], floor[32];
    tb_time_format(balance->minutes, minutes);
    tb_time_format(balance->held_minutes, held);
    client_line(stdout, "%s (%s) has %s", balance->code, tb_account_kind_name(balance->kind),
                minutes);
    if (balance->held_minutes != 0)
        client_line(stdout, "  of that set aside: %s", held);
    if (balance->has_floor) {
        balance_limit_format(1, balance->floor_minutes, floor);
        client_line(stdout, "  may go down to %s", floor);
    }
    if (balance->standing != TB_STANDING_OPEN)
        client_line(stdout, "  %s", tb_standing_name(balance->standing));
}

static int balance_run(struct client *client, int argc, char **argv) {
    char *code = NULL;
    const struct options_one options[] = {OPTION_END};
    int r = options_read(&verb_balance, argc, argv, options, 0, 1, &code);
    if (r == CLIENT_DONE)
        r = client_open(client);
    if (r != CLIENT_DONE)
        return r;
    const char *whose = client_code(code);
    if (!whose)
        whose = client_own_account(client, tb_bank_role(client->bank));
    if (!whose || !*whose)
        return client_usage(&verb_balance, "Say whose balance: name the account's code.");
    struct tb_balance balance;
    r = tb_balance_get(client->bank, whose, &balance);
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

const struct verb verb_balance = {
    .name = "balance",
    .summary = "an account's balance and limit",
    .help = "timebank balance m0007\n"
            "\n"
            "How many hours the account has and how far down it may go. Without a code, the "
            "account that\n"
            "your key acts for.\n",
    .run = balance_run,
};
